"""`FrozenBody`: features of a network that stands still, as a step of preprocessing."""

from __future__ import annotations

import copy
import hashlib
from functools import lru_cache
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted
from torch import nn

from acclimate._version import __version__
from acclimate.datasets.feature_rows import kept_features
from acclimate.exceptions import InputError
from acclimate.settings import Constraints, OneOf, check_settings
from acclimate.training.device import find_device
from acclimate.training.features import body_features
from acclimate.training.network import Network, image_channels
from acclimate.training.networks_pretrained import PRETRAINED, SIZE, pretrained_body


class FrozenBody(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replace inputs by the features that a trained network makes of them.

    Use it as ``preprocess=`` of any method where labels are few and inputs resemble what the
    network was trained on: every method on rows of numbers then works on images, in seconds on a
    CPU. Do not use it where there are labels enough to train all weights, nor for images that look
    nothing like the ones it knows; `acclimate.rank` tells, since it takes a `FrozenBody` as a
    candidate and shows the same network with random weights beside it.

    Computes ``body(x)`` in evaluation mode, without gradients. Nothing is learnt. Features are kept
    by the content of the rows and of the network, for all folds, candidates and commands.

    Parameters
    ----------
    network : {"efficientnet-lite0"}, nn.Module, or fitted model with a network, \
            default="efficientnet-lite0"
        Where the features come from. By name, a body with the weights that it comes with (extra
        ``vision``). A module maps rows to features, and of a `Network` the body is taken; so it is
        of a fitted `NeuralClassifier`, `NeuralRegressor`, or method that was fitted with one, whose
        rows must need no preprocessing, and of an `Encoder` from `pretrain`.
    size : int, default=128
        Side that images are scaled to, at least 32, for networks by name. 224, which the weights
        were learnt at, takes three times as long.
    device : str, default="auto"
        "auto" uses a GPU where there is one.
    cache : bool, default=True
        Whether features are kept on disk, at most 512 MB in the folder of
        `acclimate.datasets.data_home`. A loaded model has it off. Modules with layers of your own
        are computed each time: their weights do not say what they do.

    Attributes
    ----------
    network_ : nn.Module
        The body; a copy, but for bodies by name, which are the same for all.

    Raises
    ------
    InputError
        A value cannot be used, or inputs by name are no images of 1 or 3 channels.
    MissingExtraError
        The extra ``vision`` is not installed.

    Notes
    -----
    A saved method holds the weights, 14 MB for "efficientnet-lite0".

    References
    ----------
    Razavian et al., "CNN features off-the-shelf: an astounding baseline for recognition",
    arXiv:1403.6382.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from acclimate import FrozenBody
    >>> body = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    >>> FrozenBody(body).fit_transform(np.zeros((5, 2, 2))).shape
    (5, 3)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "network": [OneOf(*PRETRAINED), nn.Module, HasMethods("predict"), HasMethods("transform")],
        "size": [Interval(Integral, 32, None, closed="left")],
        "device": [str],
        "cache": ["boolean"],
    }
    _ways_out: ClassVar[dict[str, str]] = {
        "network": "a network by another name starts with random weights"
    }

    def __init__(
        self,
        network: Any = "efficientnet-lite0",
        *,
        size: int = SIZE,
        device: str = "auto",
        cache: bool = True,
    ) -> None:
        self.network = network
        self.size = size
        self.device = device
        self.cache = cache

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fetch the body; of the rows, only their shape is looked at.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Rows.
        y : object, default=None
            Ignored.
        """
        check_settings(self)
        shape = np.shape(X)[1:]
        body = self._body(shape)
        self.network_ = body.eval().to(find_device(self.device))
        self._n_features_out = int(body_features(self.network_, np.zeros((1, *shape))).shape[1])
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return features, shape (m, d).

        Parameters
        ----------
        X : array-like of shape (m, ...)
            Rows; uint8 is read as pixels and divided by 255.
        """
        check_is_fitted(self, "network_")
        rows = np.asarray(X)
        if not len(rows):
            return np.empty((0, self._n_features_out), dtype=np.float32)
        mark = encoder_mark(self.network_)
        if mark is None:
            return body_features(self.network_, rows)
        # a file of an earlier version has no setting
        disk = getattr(self, "cache", False)
        make = lambda part: body_features(self.network_, part)  # noqa: E731
        return kept_features(mark, rows, make, disk=disk)

    def _body(self, shape: tuple[int, ...]) -> nn.Module:
        given = self.network
        if isinstance(given, str):
            return shared_body(given, image_channels(given, shape, "mlp"), self.size)
        for name in ("target_model_", "source_model_"):
            given = getattr(given, name, None) or given
        module = getattr(given, "network_", given)
        if not isinstance(module, nn.Module):
            raise InputError(
                f"network must be one of {list(PRETRAINED)}, a module or a fitted model, got "
                f"{type(self.network).__name__}"
            )
        body = module.body if isinstance(module, Network) else module
        return copy.deepcopy(body)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.requires_fit = True
        return tags


@lru_cache(maxsize=4)
def shared_body(name: str, channels: int, size: int) -> nn.Module:
    """Return a body by name, one object for all who ask, so that a file holds its weights once."""
    return pretrained_body(name, channels, size)


def encoder_mark(body: nn.Module) -> str | None:
    """Return what tells a body from others by what it makes of rows; None where nothing can.

    Its layers, their weights, this version and the kind of device. Layers whose code is not of
    torch or acclimate may do anything.
    """
    layers = [type(one).__module__.partition(".")[0] for one in body.modules()]
    if not {"torch", "acclimate", "efficientnet_lite_pytorch"}.issuperset(layers):
        return None
    parameter = next(body.parameters(), None)
    device = "cpu" if parameter is None else parameter.device.type
    digest = hashlib.blake2b(f"{__version__} {device} {body!r}".encode(), digest_size=16)
    digest.update(str(getattr(body, "size", "")).encode())
    for name, value in body.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
