"""What the density-ratio methods share: checked matrices, order-free folds, the RBF kernel."""

from __future__ import annotations

from abc import abstractmethod
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import euclidean_distances

from acclimate.exceptions import InputError
from acclimate.templates import WeighAdapter
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]
WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # tried widths, in units of the median distance


class RatioAdapter(WeighAdapter):
    """A method that estimates p_target(x) / p_source(x) at the source rows, from inputs alone.

    A subclass writes `_ratio`. Labels play no part, so classes and regression are the same to it.
    """

    @abstractmethod
    def _ratio(self, X: Array, Xt: Array, seed: int) -> Array:
        """Return weights of shape (n,) for source rows (n, d), given target rows (m, d)."""

    def _weights(self, source: Rows, target: Rows, seed: int) -> Array:
        return self._ratio(matrix(source.X, "source"), matrix(target.X, "target"), seed)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.preprocess is not None
        tags.input_tags.sparse = False
        return tags


def matrix(X: Any, side: str) -> Array:
    """Return rows as a float matrix of shape (n, d). float32 stays, other numbers become float64.

    Raises
    ------
    InputError
        The rows hold something other than finite numbers.
    """
    values = np.asarray(X)
    if values.dtype not in (np.float32, np.float64):
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"the {side} has columns that are not numbers ({error}); encode them in preprocess"
            ) from error
    if not np.isfinite(values).all():
        raise InputError(f"the {side} has NaN or infinity in its inputs; fill them in preprocess")
    return values.reshape(len(values), -1)


def row_keys(X: Array, seed: int) -> NDArray[np.uint64]:
    """Return one pseudo-random integer a row, shape (n,), that depends on the row's values alone.

    Sorting by it shuffles the rows in a way that their order does not influence. Integer
    arithmetic wraps, so that equal rows have equal keys to the bit.
    """
    factors = np.random.default_rng(seed).integers(1, 2**63, size=X.shape[1], dtype=np.uint64)
    keys = np.zeros(len(X), dtype=np.uint64)
    step = max(1, 2**22 // max(1, X.shape[1]))  # rows at a time, so that the copy stays small
    for i in range(0, len(X), step):
        block = np.ascontiguousarray(X[i : i + step], dtype=np.float64) + 0.0  # -0 becomes 0
        bits = block.view(np.uint64)
        bits ^= bits >> np.uint64(29)  # low bits of round numbers are all zero
        keys[i : i + step] = (bits * (factors | np.uint64(1))).sum(1, dtype=np.uint64)
    keys ^= keys >> np.uint64(32)
    keys *= np.uint64(0xD6E8FEB86659FD93)
    keys ^= keys >> np.uint64(32)
    return keys


def spread(
    strata: NDArray[Any], keys: NDArray[np.uint64], folds: int
) -> tuple[NDArray[np.intp], int]:
    """Spread rows over folds, each stratum evenly; rows that are equal share a fold.

    Parameters
    ----------
    strata : integer ndarray of shape (n,)
        Group of each row.
    keys : ndarray of shape (n,)
        From `row_keys`.
    folds : int
        Wanted number of folds.

    Returns
    -------
    fold : integer ndarray of shape (n,)
        Fold of each row.
    folds : int
        Number of folds, at most that of different rows.
    """
    pairs = np.empty(len(keys), dtype=[("stratum", np.int64), ("key", np.uint64)])
    pairs["stratum"], pairs["key"] = strata, keys
    different, position = np.unique(pairs, return_inverse=True)
    used = min(folds, len(different))
    return position.reshape(-1) % used, used


def in_key_order(X: Array, seed: int, size: int | None = None) -> Array:
    """Return rows shuffled by `row_keys`, at most ``size`` of them, shape (min(n, size), d)."""
    return X[np.argsort(row_keys(X, seed), kind="stable")[:size]]


def median_distance(X: Array, Xt: Array, seed: int, size: int = 500) -> float:
    """Return the median distance among rows of both domains together, on ``size`` of each.

    Where more than half of the distances are 0, the median of the others; 1 where all are 0.
    """
    sample = np.concatenate([in_key_order(X, seed, size), in_key_order(Xt, seed, size)])
    distances = euclidean_distances(sample)[np.triu_indices(len(sample), 1)]
    median = float(np.median(distances)) if len(distances) else 0.0
    if median == 0.0:
        apart = distances[distances > 0]
        median = float(np.median(apart)) if len(apart) else 1.0
    return median


def rbf(squared: Array, width: float) -> Array:
    """Return ``exp(-squared / (2 width^2))``, of the shape of the squared distances."""
    kernel: Array = np.exp(squared * (-0.5 / width**2))
    return kernel


def check_positive(**values: Any) -> None:
    """Raise where a setting is not a number above 0."""
    for name, value in values.items():
        if not isinstance(value, Real) or not 0 < float(value) < np.inf:
            raise InputError(f"{name} must be above 0 and finite, got {value!r}")


def check_count(least: int = 1, **values: Any) -> None:
    """Raise where a setting is not a whole number of at least ``least``."""
    for name, value in values.items():
        if not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"{name} must be a whole number of at least {least}, got {value!r}")
