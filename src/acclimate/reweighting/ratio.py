"""What the density-ratio methods share: checked matrices, order-free folds, the RBF kernel."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import euclidean_distances

from acclimate.arrays import dense
from acclimate.exceptions import InputError
from acclimate.folds import row_keys
from acclimate.maths.medians import weighted_median
from acclimate.templates import WeighAdapter
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]
WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # tried widths, in units of the median distance
A_FEATURE = 10  # effective rows a feature, and for the intercept, that "auto" asks for
MOST = 0.9  # of the rows, that "auto" asks for at most


class RatioAdapter(WeighAdapter):
    """A method that estimates p_target(x) / p_source(x) at the source rows, from inputs alone.

    A subclass writes `_ratio`. Labels play no part, so classes and regression are the same to it.
    """

    @abstractmethod
    def _ratio(self, X: Array, Xt: Array, counts: Array, seed: int) -> Array:
        """Return weights of shape (n,) for source rows (n, d), given target rows (m, d).

        Each source row stands for as many as ``counts`` says, shape (n,): p_source is the density
        of the rows so counted.
        """

    def _weights(self, source: Rows, target: Rows, seed: int) -> Array:
        X, Xt = matrix(source.X, "source"), matrix(target.X, "target")
        return self._ratio(X, Xt, source.counts, seed)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.preprocess is not None
        return tags


def matrix(X: Any, side: str) -> Array:
    """Return rows as a float matrix of shape (n, d). float32 stays, other numbers become float64.

    Raises
    ------
    InputError
        The rows hold something other than finite numbers.
    """
    values = dense(X)
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


def spread(
    strata: NDArray[Any], keys: NDArray[np.uint64], folds: int
) -> tuple[NDArray[np.intp], int]:
    """Spread rows over folds, each stratum evenly; rows that are equal share a fold.

    Parameters
    ----------
    strata : integer ndarray of shape (n,)
        Group of each row.
    keys : ndarray of shape (n,)
        From `acclimate.folds.row_keys`.
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


def evening(mean: float, square: float, n: float, wanted: float) -> float:
    """Return the largest t in [0, 1] at which ``1 - t + t w / mean`` has the wanted effective rows.

    Effective rows are ``(sum w)^2 / sum w^2`` (Kish): n at t = 0.

    Parameters
    ----------
    mean : float, above 0
        Mean weight.
    square : float
        Mean squared weight.
    n : float
        Number of rows.
    wanted : float in (0, n]
        Effective rows.

    >>> evening(1.0, 5.0, 100, 50)  # 1 - t + t w has the variance 4 t^2
    0.5
    """
    variance = square / mean**2 - 1.0
    most = n / wanted - 1.0
    return float(np.sqrt(most / variance)) if variance > most else 1.0


def wanted_rows(setting: int | str | None, n: float, d: int) -> float:
    """Return how many effective rows n rows of d features shall keep; below 1 is whatever is left.

    ``"auto"`` is ten a feature and for the intercept, at most nine tenths of the rows.
    """
    if setting is None:
        return 0.0
    if setting == "auto":
        return min(MOST * n, A_FEATURE * (d + 1.0))
    return float(min(int(setting), n))


def evened(w: Array, wanted: float, counts: Array) -> tuple[Array, float]:
    """Return weights spread evenly as far as needed, 1 on average, and the share that is not.

    Parameters
    ----------
    w : ndarray of shape (n,)
        Weights, at least 0.
    wanted : float
        Effective rows to leave; see `wanted_rows`. Below 1 the weights stay.
    counts : ndarray of shape (n,)
        How many rows each row stands for.
    """
    n = float(counts.sum())
    mean = float(counts @ w) / n
    if not 0.0 < mean < np.inf:  # the template says why these cannot be used
        return w, 1.0
    t = evening(mean, float(counts @ w**2) / n, n, wanted) if wanted >= 1 else 1.0
    mixed: Array = 1.0 - t + t * (w / mean)
    return mixed, t


def in_key_order(X: Array, seed: int, size: int | None = None) -> Array:
    """Return rows in the order of their keys, at most ``size``, shape (min(n, size), d)."""
    return X[np.argsort(row_keys(X, seed), kind="stable")[:size]]


def median_distance(
    X: Array, Xt: Array, seed: int, size: int = 500, counts: Array | None = None
) -> float:
    """Return the median distance among rows of both domains together, on ``size`` of each.

    Where more than half of the distances are 0, the median of the others; 1 where all are 0.

    Parameters
    ----------
    X, Xt : ndarrays of shapes (n, d) and (m, d)
        Rows.
    seed : int
        Decides which rows are looked at.
    size : int, default=500
        Rows of each domain.
    counts : ndarray of shape (n,), default=None
        How many rows each row of X stands for; None is one each.
    """
    order = np.argsort(row_keys(X, seed), kind="stable")
    ours = np.ones(len(X)) if counts is None else counts[order]
    ours = np.clip(size - (np.cumsum(ours) - ours), 0.0, ours)  # the first that fill the size
    seen = np.flatnonzero(ours > 0)
    theirs = in_key_order(Xt, seed, size)
    sample = np.concatenate([X[order[seen]], theirs])
    c = np.concatenate([ours[seen], np.ones(len(theirs))])
    i, j = np.triu_indices(len(sample), 1)
    distances, pairs = euclidean_distances(sample)[i, j], c[i] * c[j]
    own = float(np.maximum(c * (c - 1), 0.0).sum()) / 2  # pairs within a row, at distance 0
    if own > 0:
        distances, pairs = np.append(distances, 0.0), np.append(pairs, own)
    found = weighted_median(distances, pairs) if len(distances) else 0.0
    if found == 0.0:
        apart = distances > 0
        found = weighted_median(distances[apart], pairs[apart]) if apart.any() else 1.0
    return found
