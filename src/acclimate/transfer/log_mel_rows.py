"""`LogMel`: the spectrum of a sound as a row."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from acclimate.datasets.spectrograms import BANDS, as_spectrograms, lengths
from acclimate.datasets.waveforms import LEAST_RATE, MOST_RATE, RATE
from acclimate.settings import Constraints, check_settings


class LogMel(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replace sounds by how loud they are in bands of frequency, over parts of their time.

    Use it for sounds that are no speech, such as machines, or as what another encoder has to beat.
    Nothing is learnt, and no extra is needed. Do not use it where words matter: `SoundEncoder` is
    made for those.

    Divides each sound, up to the silence at its end, into ``parts`` parts of one length. Returns
    the mean of each of 80 bands of the log-mel spectrogram in each part, and its standard deviation
    over the whole sound.

    Parameters
    ----------
    parts : int, default=4
        Parts of time, at least 1.
    rate : int in [1000, 1000000], default=16000
        Samples of a second of waveforms. Pictures of sounds need none.

    Attributes
    ----------
    n_bands_ : int
        Bands of frequency, 80.

    Raises
    ------
    InputError
        A value cannot be used, or rows are no sounds.

    References
    ----------
    Davis and Mermelstein, "Comparison of parametric representations for monosyllabic word
    recognition in continuously spoken sentences", doi:10.1109/TASSP.1980.1163420.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import LogMel
    >>> tones = [np.sin(np.arange(n) / 9) for n in (4000, 9000)]
    >>> LogMel(parts=2).fit_transform(tones).shape
    (2, 240)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "parts": [Interval(Integral, 1, None, closed="left")],
        "rate": [Interval(Integral, LEAST_RATE, MOST_RATE, closed="both")],
    }

    def __init__(self, *, parts: int = 4, rate: int = RATE) -> None:
        self.parts = parts
        self.rate = rate

    def fit(self, X: Any, y: Any = None) -> Self:
        """Look at what the sounds are.

        Parameters
        ----------
        X : sequence of ndarray of shape (samples,), or ndarray of shape (n, 80, columns)
            Waveforms, or pictures of sounds.
        y : object, default=None
            Ignored.
        """
        check_settings(self)
        self.n_bands_ = as_spectrograms(X, self.rate, 1).shape[1]
        self._n_features_out = (self.parts + 1) * BANDS
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return rows, shape (m, 80 parts + 80), part after part, then the standard deviations.

        Parameters
        ----------
        X : sequence of ndarray of shape (samples,), or ndarray of shape (m, 80, columns)
            Waveforms, or pictures of sounds.
        """
        check_is_fitted(self, "n_bands_")
        if hasattr(X, "__len__") and not len(X):
            return np.empty((0, self._n_features_out), dtype=np.float32)
        pictures = as_spectrograms(X, self.rate)
        rows = np.empty((len(pictures), self._n_features_out), dtype=np.float32)
        for row, one, end in zip(rows, pictures, lengths(pictures).tolist(), strict=True):
            heard = one[:, :end].astype(np.float32)
            if one.dtype == np.uint8:
                heard /= 255.0
            row[:] = _row(heard, self.parts)
        return rows

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.requires_fit = True
        return tags


def _row(heard: NDArray[np.float32], parts: int) -> NDArray[np.float32]:
    """Return means of parts and deviations of a spectrogram (80, columns), shape (80 parts + 80,).

    Where there are fewer columns than parts, neighbouring parts share one.
    """
    columns = heard.shape[1]
    edges = np.arange(parts + 1) * columns / parts
    starts = np.minimum(edges[:-1].astype(int), columns - 1)
    ends = np.maximum(np.ceil(edges[1:] - 1e-9).astype(int), starts + 1)
    means = [heard[:, a:b].mean(axis=1) for a, b in zip(starts, ends, strict=True)]
    return np.concatenate([*means, heard.std(axis=1)])
