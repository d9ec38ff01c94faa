"""`HOG`: histograms of oriented gradients, as a step of preprocessing for images."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from acclimate.exceptions import InputError
from acclimate.settings import Constraints, Each, check_settings

Array = NDArray[np.float32]

CHANNELS = (1, 2, 3, 4)  # what a channel axis may hold
CLIP = 0.2  # most that a bin may be of its block
STILL = 0.1  # joins a block's norm, so that faint noise is not blown up to edges
BLOCK = 256  # images at a time, so that what is in between stays in the cache


class HOG(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replace images by histograms of the directions in which they become brighter.

    Use it as ``preprocess=`` of any method on rows where images are small and labels few: objects
    of one kind have edges alike, whatever their shade. Nothing is learnt and nothing is downloaded.
    Do not use it where colour or texture finer than a cell tells classes apart, or where objects
    lie anywhere in large photographs; `FrozenBody` is made for those.

    Each pixel x becomes ``sqrt(x / scale_)``. Its gradient, by central differences, votes with its
    length for the two nearest of ``bins`` directions over the full circle, in its cell of
    ``cell x cell`` pixels. A cell's histogram h becomes the mean, over the four blocks of 2 x 2
    cells that hold it, of ``min(h / sqrt(||block||^2 + 0.01), 0.2)``. Each scale has its own grid
    of cells, and all are put side by side.

    Parameters
    ----------
    cells : sequence of int, default=(4, 7)
        Side of a cell in pixels at each scale, at least 2 and at most the image's sides. What is
        left over is cut off on both sides alike.
    bins : sequence of int, default=(8, 12)
        Directions at each scale, at least 2.

    Attributes
    ----------
    scale_ : float
        The largest absolute value of a pixel in the fit; 1 where all are 0.
    row_shape_ : tuple of int
        Shape of an image.

    Raises
    ------
    InputError
        A setting cannot be used, or rows are no images of the shape of the fit.

    Notes
    -----
    Of several channels, each pixel takes the gradient of the channel where it is longest. Pixels
    below 0 keep their sign under the root. At the edge of an image, its last pixels and cells are
    repeated. Deviations from Dalal and Triggs: directions with sign, no smoothing of votes between
    cells, and the mean of the four norms in place of all four, as Felzenszwalb et al. have it,
    which is a quarter of the features. Time and memory are linear in the pixels.

    References
    ----------
    Dalal and Triggs, "Histograms of oriented gradients for human detection",
    doi:10.1109/CVPR.2005.177. Felzenszwalb, Girshick, McAllester and Ramanan, "Object detection
    with discriminatively trained part-based models", doi:10.1109/TPAMI.2009.167.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import HOG
    >>> images = np.zeros((2, 28, 28), np.uint8)
    >>> images[0, :, 14:] = images[1, 14:] = 255
    >>> HOG().fit_transform(images).shape
    (2, 584)
    >>> across, down = HOG(cells=(14,), bins=(4,)).fit_transform(images).reshape(2, 4, 4)
    >>> across.sum(0).round(1), down.sum(0).round(1)
    (array([0.8, 0. , 0. , 0. ], dtype=float32), array([0. , 0.8, 0. , 0. ], dtype=float32))
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "cells": [Each(Interval(Integral, 2, None, closed="left"), least=1)],
        "bins": [Each(Interval(Integral, 2, None, closed="left"), least=1)],
    }

    def __init__(self, cells: Any = (4, 7), bins: Any = (8, 12)) -> None:
        self.cells = cells
        self.bins = bins

    def fit(self, X: Any, y: Any = None) -> Self:
        """Note the shape of the images and their largest value.

        Parameters
        ----------
        X : array-like of shape (n, h, w) or (n, c, h, w)
            Images, channels first.
        y : object, default=None
            Ignored.
        """
        check_settings(self)
        if len(self.cells) != len(self.bins):
            raise InputError(
                f"cells and bins must name as many scales, got {self.cells!r} and {self.bins!r}"
            )
        images = _images(X)
        sides = images.shape[-2:]
        if min(sides) < max(self.cells):
            raise InputError(
                f"cells must be at most the images' sides, {sides[0]} x {sides[1]} pixels, got "
                f"{max(self.cells)} in {self.cells!r}"
            )
        self.row_shape_ = tuple(images.shape[1:])
        largest = max(abs(float(images.max())), abs(float(images.min())))
        self.scale_ = largest or 1.0
        self._n_features_out = sum(
            (sides[0] // cell) * (sides[1] // cell) * bins
            for cell, bins in zip(self.cells, self.bins, strict=True)
        )
        return self

    def transform(self, X: Any) -> Array:
        """Return features, shape (m, d).

        Parameters
        ----------
        X : array-like of shape (m, h, w) or (m, c, h, w)
            Images of the shape of the fit.
        """
        check_is_fitted(self, "scale_")
        images = _images(X)
        if tuple(images.shape[1:]) != self.row_shape_:
            here, there = (" x ".join(map(str, s)) for s in (images.shape[1:], self.row_shape_))
            raise InputError(
                f"the images have the shape {here}, and those of the fit {there}; bring them to "
                f"one shape first, with align_frames or by cutting and padding"
            )
        features: Array = np.empty((len(images), self._n_features_out), dtype=np.float32)
        for part in gen_batches(len(images), BLOCK):
            length, angle = gradients(images[part], self.scale_)
            start = 0
            for cell, bins in zip(self.cells, self.bins, strict=True):
                found = block_normalised(cell_histograms(length, angle, cell, bins))
                flat = found.reshape(len(found), -1)
                features[part, start : start + flat.shape[1]] = flat
                start += flat.shape[1]
        return features

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.requires_fit = True
        return tags


def _images(X: Any) -> NDArray[Any]:
    """Return images of shape (n, h, w) or (n, c, h, w), or say what is wrong."""
    images = np.asarray(X)
    if images.ndim not in (3, 4) or 0 in images.shape:
        raise InputError(
            f"HOG reads images of shape (n, h, w) or (n, c, h, w), got {images.shape}; bring rows "
            f"of pixels into shape first, as X.reshape(-1, 28, 28)"
        )
    if images.ndim == 4 and images.shape[1] not in CHANNELS:
        raise InputError(
            f"HOG reads images with channels first, of 1 to 4 channels, got {images.shape}; see "
            f"numpy.moveaxis"
        )
    if images.dtype.kind not in "biuf":
        raise InputError(f"pixels must be numbers, got {images.dtype}")
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise InputError("images have NaN or infinity; fill them in first")
    return images


def gradients(images: NDArray[Any], scale: float) -> tuple[Array, Array]:
    """Return length and direction of the gradient of ``sqrt(x / scale)``, both of shape (n, h, w).

    Directions are in [-pi, pi], 0 to the right and pi / 2 downwards. Where there are channels, the
    one with the longest gradient counts.

    Parameters
    ----------
    images : ndarray of shape (n, h, w) or (n, c, h, w)
        Any numbers.
    scale : float
        Above 0.
    """
    x = images.astype(np.float32) / np.float32(scale)
    x = np.sqrt(x) if x.min() >= 0 else np.sign(x) * np.sqrt(np.abs(x))
    across, down = np.empty_like(x), np.empty_like(x)
    across[..., 1:-1] = x[..., 2:] - x[..., :-2]
    across[..., 0], across[..., -1] = x[..., 1] - x[..., 0], x[..., -1] - x[..., -2]
    down[..., 1:-1, :] = x[..., 2:, :] - x[..., :-2, :]
    down[..., 0, :] = x[..., 1, :] - x[..., 0, :]
    down[..., -1, :] = x[..., -1, :] - x[..., -2, :]
    length = np.sqrt(across * across + down * down)
    if x.ndim == 4:
        best = length.argmax(axis=1)[:, None]
        across, down, length = (
            np.take_along_axis(one, best, axis=1)[:, 0] for one in (across, down, length)
        )
    return length, np.arctan2(down, across)


def cell_histograms(length: Array, angle: Array, cell: int, bins: int) -> NDArray[np.float64]:
    """Return how much of the gradients of each cell goes each way, shape (n, rows, columns, bins).

    Bin b is the direction ``2 pi b / bins``; a gradient is shared by the two bins next to it.

    Parameters
    ----------
    length, angle : ndarrays of shape (n, h, w)
        From `gradients`.
    cell : int
        Side of a cell in pixels.
    bins : int
        Directions.
    """
    n, h, w = length.shape
    rows, columns = h // cell, w // cell
    top, left = (h - rows * cell) // 2, (w - columns * cell) // 2
    inside = (
        slice(None),
        slice(top, top + rows * cell),
        slice(left, left + columns * cell),
    )
    place = angle[inside] * np.float32(bins / (2 * np.pi)) + np.float32(bins)  # above 0
    lower = place.astype(np.intp)
    upper_share = (place - lower) * length[inside]
    lower_share = length[inside] - upper_share
    of_row = (np.arange(rows).repeat(cell) * columns)[:, None]
    of_pixel = (of_row + np.arange(columns).repeat(cell)) * bins
    start = of_pixel + (np.arange(n) * (rows * columns * bins))[:, None, None]
    size = n * rows * columns * bins
    found: NDArray[np.float64] = np.zeros(size)
    for place_of, share in ((lower, lower_share), (lower + 1, upper_share)):
        votes = (start + place_of % bins).ravel()
        found += np.bincount(votes, weights=share.ravel(), minlength=size)
    return found.reshape(n, rows, columns, bins)


def block_normalised(h: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return histograms over the norms of their four blocks, clipped, then averaged; same shape.

    Parameters
    ----------
    h : ndarray of shape (n, rows, columns, bins)
        From `cell_histograms`.
    """
    energy = np.pad((h * h).sum(axis=-1), ((0, 0), (1, 1), (1, 1)), mode="edge")
    block = energy[:, :-1, :-1] + energy[:, 1:, :-1] + energy[:, :-1, 1:] + energy[:, 1:, 1:]
    factor = 1.0 / np.sqrt(block + STILL**2)  # (n, rows + 1, columns + 1)
    total = np.zeros_like(h)
    for corner in (factor[:, :-1, :-1], factor[:, 1:, :-1], factor[:, :-1, 1:], factor[:, 1:, 1:]):
        total += np.minimum(h * corner[..., None], CLIP)
    return total / 4
