"""`nearest`: the source pictures that a model sees as most like a target picture."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.transfer.encoders import encoded_by

_ROWS = 256  # of the target, compared at once


class Nearest(NamedTuple):
    """Source pictures for each target picture, the nearest first.

    Attributes
    ----------
    rows : integer ndarray of shape (m, k)
        Which of the source.
    similarity : ndarray of shape (m, k)
        Cosine of the angle between their features, -1 to 1.
    """

    rows: NDArray[np.intp]
    similarity: NDArray[np.float64]


def nearest(model: Any, X: Any, source: Any, *, k: int = 5) -> Nearest:
    """Return the source pictures that are most like some pictures, as a model sees them.

    Use it to ask why a picture is taken for what it is: look at what the model learned from. Do not
    take it for the model's reason; a linear model weighs features, and this counts all alike.

    Compared are the features of the model's encoder, else those of the body of its network, else
    pixels, centred and scaled by the source's.

    Parameters
    ----------
    model : Adapter
        Fitted.
    X : ndarray of shape (m, h, w) or (m, c, h, w)
        Pictures of the target.
    source : ndarray of shape (n, h, w) or (n, c, h, w)
        Pictures to look among, at least one.
    k : int, default=5
        How many of them for each, at least 1; at most n are returned.

    Returns
    -------
    Nearest

    Raises
    ------
    InputError
        These are no pictures of one shape, or ``k`` is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import SourceOnly
    >>> from acclimate.transfer.encoders import Pixels
    >>> X = np.random.default_rng(0).integers(0, 255, (6, 9, 9), dtype=np.uint8)
    >>> model = SourceOnly(preprocess=Pixels()).fit(X, [0, 1] * 3)
    >>> nearest(model, X[4:], X, k=1).rows.tolist()
    [[4], [5]]
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise InputError(f"k must be a whole number of at least 1, got {k!r}")
    X, source = pictures(X, "X"), pictures(source, "source")
    if X.shape[1:] != source.shape[1:]:
        raise InputError(
            f"pictures have the shape {X.shape[1:]}, and those of the source {source.shape[1:]}"
        )
    F, S = seen_as(model, X), seen_as(model, source)
    mean, spread = S.mean(axis=0), S.std(axis=0)
    spread[spread <= 1e-7 * np.abs(mean)] = np.inf  # constant, but for rounding
    F, S = ((one - mean) / spread for one in (F, S))
    F, S = (one / np.maximum(np.linalg.norm(one, axis=1), 1e-12)[:, None] for one in (F, S))
    rows, similar = [], []
    for start in range(0, len(F), _ROWS):
        cosine = F[start : start + _ROWS] @ S.T
        order = np.argsort(-cosine, axis=1, kind="stable")[:, :k]
        rows.append(order)
        similar.append(np.take_along_axis(cosine, order, axis=1))
    return Nearest(np.concatenate(rows), np.concatenate(similar))


def seen_as(model: Any, X: NDArray[Any]) -> NDArray[np.float64]:
    """Return what a model compares pictures by, shape (m, d)."""
    encoded = encoded_by(model, X)
    if encoded is None and getattr(model, "preprocess_", None) is None:
        trained: list[Any] = [
            getattr(model, f"{side}_model_", None) for side in ("target", "source")
        ]
        for fitted in trained:
            if encoded is None and hasattr(fitted, "infer"):
                encoded = fitted.infer(X)[0].numpy()
    found = X.reshape(len(X), -1) if encoded is None else np.asarray(encoded)
    return found.astype(np.float64)


def pictures(X: Any, name: str) -> NDArray[Any]:
    """Return pictures as an array, checked."""
    found = np.asarray(X)
    if found.ndim not in (3, 4) or 0 in found.shape or found.dtype.kind not in "uif":
        raise InputError(
            f"{name} must hold pictures of shape (m, h, w) or (m, c, h, w), got {found.dtype} of "
            f"shape {found.shape}; one picture is X[None]"
        )
    return found
