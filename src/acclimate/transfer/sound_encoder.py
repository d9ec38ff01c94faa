"""`SoundEncoder`: features of sounds by a network that has learnt to hear speech."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval
from torch import nn

from acclimate.datasets.spectrograms import as_spectrograms, lengths
from acclimate.datasets.waveforms import LEAST_RATE, MOST_RATE, RATE
from acclimate.settings import Constraints, OneOf, check_settings
from acclimate.training.device import find_device
from acclimate.transfer.frozen_body import FrozenBody
from acclimate.transfer.whisper import WIDTH, shared_encoder

NETWORKS = ("whisper-tiny",)


class SoundEncoder(FrozenBody):
    """Replace sounds by the features that Whisper's encoder makes of them.

    Use it for speech, and where labels are few: as ``preprocess=`` of any method whose rows are
    sounds as `acclimate.tables.read` reads a folder, or by itself on waveforms. Do not expect much
    of it where sounds are no speech, such as machines or birds: it was taught to write down words,
    and `LogMel` beside it tells what it is worth.

    Computes the mean over time of the encoder's last layer. A sound is not filled up to 30 seconds,
    so that a short one takes a fraction of the time that speech recognition would; one of more than
    30 seconds is heard in parts. Nothing is learnt. Features are kept by the content of the sounds,
    for all folds, candidates and commands.

    Parameters
    ----------
    network : {"whisper-tiny"}, default="whisper-tiny"
        The encoder of Whisper tiny.en, from a package of the extra ``audio``.
    rate : int in [1000, 1000000], default=16000
        Samples of a second of waveforms. Pictures of sounds need none.
    device : str, default="auto"
        "auto" uses a GPU where there is one.
    cache : bool, default=True
        Whether features are kept on disk, as by `FrozenBody`.

    Attributes
    ----------
    network_ : nn.Module
        The encoder, the same object for all.

    Raises
    ------
    InputError
        A value cannot be used, or rows are no sounds.
    MissingExtraError
        The extra ``audio`` is not installed. Nothing is ever downloaded.

    Notes
    -----
    Folders of sounds are read in steps of half a decibel, waveforms as they are; features differ by
    less than 1 part in 1000 in direction. A saved method holds the weights, 33 MB.

    References
    ----------
    Radford et al., "Robust speech recognition via large-scale weak supervision", arXiv:2212.04356.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import SoundEncoder
    >>> tones = [np.sin(np.arange(n) / 9) for n in (4000, 9000)]
    >>> SoundEncoder().fit_transform(tones).shape  # doctest: +SKIP
    (2, 384)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "network": [OneOf(*NETWORKS)],
        "rate": [Interval(Integral, LEAST_RATE, MOST_RATE, closed="both")],
        "device": [str],
        "cache": ["boolean"],
    }
    _ways_out: ClassVar[dict[str, str]] = {"network": "a network of another kind is a FrozenBody"}

    def __init__(
        self,
        network: str = NETWORKS[0],
        *,
        rate: int = RATE,
        device: str = "auto",
        cache: bool = True,
    ) -> None:
        self.network = network
        self.rate = rate
        self.device = device
        self.cache = cache

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fetch the encoder; of the sounds, only what they are is looked at.

        Parameters
        ----------
        X : sequence of ndarray of shape (samples,), or ndarray of shape (n, 80, columns)
            Waveforms, or pictures of sounds.
        y : object, default=None
            Ignored.
        """
        check_settings(self)
        as_spectrograms(X, self.rate, 1)
        body: nn.Module = shared_encoder()
        self.network_ = body.eval().to(find_device(self.device))
        self._n_features_out = WIDTH
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return features, shape (m, 384).

        Parameters
        ----------
        X : sequence of ndarray of shape (samples,), or ndarray of shape (m, 80, columns)
            Waveforms, or pictures of sounds.
        """
        if hasattr(X, "__len__") and not len(X):
            return super().transform(np.empty((0, 1, 1)))
        pictures = as_spectrograms(X, self.rate)
        order = np.argsort(lengths(pictures), kind="stable")  # sounds of one length go together
        features = np.empty((len(order), WIDTH), dtype=np.float32)
        features[order] = super().transform(pictures[order])
        return features
