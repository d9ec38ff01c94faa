"""How far two samples differ beyond what two draws of one distribution would."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import euclidean_distances

from acclimate.folds import row_keys

Array = NDArray[np.floating[Any]]
LOOKED_AT = 1000  # rows of each sample


def excess_share(
    X: Array, Z: Array, counts: Array | None = None, *, seed: int = 0, most: int = LOOKED_AT
) -> float:
    """Return the share of the distance of two samples that chance does not explain.

    It is ``max(0, 1 - E / D)`` with the energy distance ``D = 2 mean |x - z| - mean |x - x'| - mean
    |z - z'|`` over all pairs, a row with itself included, and E its mean over all ways to split the
    pooled rows into samples of these sizes: ``(1 / n + 1 / m)`` times the mean distance of two
    rows. As with the shrinkage of James and Stein, what chance would give is taken away. Two draws
    of one distribution have about 0; samples that lie apart come near 1.

    Rows beyond ``most`` are not looked at, and E is that of those that are, so that large samples
    move no less far than small ones for the same distance, and by chance no further.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.
    Z : ndarray of shape (m, d)
        Rows.
    counts : ndarray of shape (n,), default=None
        How many rows each row of X stands for, at least 0; None is one each.
    seed : int, default=0
        Decides which rows are looked at, by their values and not by their order.
    most : int, default=1000
        Rows of each sample that are looked at, at least 1.

    Returns
    -------
    float
        In [0, 1).

    References
    ----------
    Szekely and Rizzo, "Energy statistics: a class of statistics based on distances",
    doi:10.1016/j.jspi.2013.03.018.

    Examples
    --------
    >>> import numpy as np
    >>> X, Z = np.random.default_rng(0).normal(size=(2, 300, 5))
    >>> round(excess_share(X, Z), 2), round(excess_share(X, Z + 1.0), 2)
    (0.04, 0.98)
    """
    (X, a), (Z, b) = _first(X, counts, seed, most), _first(Z, None, seed, most)
    n, m = float(a.sum()), float(b.sum())
    across = float(a @ euclidean_distances(X, Z) @ b)
    within = float(a @ _apart(X) @ a), float(b @ _apart(Z) @ b)
    found = 2.0 * across / (n * m) - within[0] / n**2 - within[1] / m**2
    # a row that counts for several is at distance 0 from itself: those pairs are in the number
    typical = (2.0 * across + sum(within)) / ((n + m) * (n + m - 1.0))
    chance = (1.0 / n + 1.0 / m) * typical
    return max(0.0, 1.0 - chance / found) if found > 0.0 else 0.0


class Looked:
    """The rows of a domain that `excess_share` looks at, gathered from batches.

    Parameters
    ----------
    seed : int
        Decides which rows are kept, as there.
    most : int, default=1000
        Rows that are kept, at least 1.

    Attributes
    ----------
    X : ndarray of shape (k, d)
        The rows so far, in float64.
    """

    def __init__(self, seed: int, most: int = LOOKED_AT) -> None:
        self.seed, self.most = seed, most
        self.X: Array = np.zeros((0, 0))
        self._keys = np.zeros(0, dtype=np.uint64)

    def add(self, X: Array) -> None:
        """Take in rows of shape (k, d)."""
        keys = row_keys(X, self.seed)
        if len(self._keys) == self.most:
            near = keys < self._keys[-1]
            X, keys = X[near], keys[near]
        if not len(keys):
            return
        rows = X.astype(np.float64)
        both = rows if not len(self.X) else np.concatenate([self.X, rows])
        keys = np.concatenate([self._keys, keys])
        kept = np.argsort(keys, kind="stable")[: self.most]
        self.X, self._keys = both[kept], keys[kept]


def _first(X: Array, counts: Array | None, seed: int, most: int) -> tuple[Array, Array]:
    """Return the first rows in the order of their keys, and what they count, at most ``most``."""
    order = np.argsort(row_keys(X, seed), kind="stable")
    c = np.ones(len(X)) if counts is None else counts[order]
    c = np.clip(most - (np.cumsum(c) - c), 0.0, c)
    seen = np.flatnonzero(c > 0)
    return X[order[seen]].astype(np.float64, copy=False), c[seen]


def _apart(X: Array) -> Array:
    """Return the distances of rows, shape (n, n), exactly 0 from a row to itself."""
    distances: Array = euclidean_distances(X)
    return distances
