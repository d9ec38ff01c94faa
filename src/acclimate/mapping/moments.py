"""Means and covariances, gathered in one pass over batches of rows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from acclimate.exceptions import InputError

Array = NDArray[np.floating[Any]]
ROOM = 1 << 20  # numbers multiplied at a time
LEAST, MOST = 512, 8192  # rows multiplied at a time
JOINED = 8  # blocks whose products are about one centre and are joined with the others at once
NARROW = 128  # columns up to which a second thread gains nothing in a product
FAR = 25.0  # squared distance of a block's mean, in variances, that costs too many digits


class Moments:
    """Mean, scatter and the fourth moment that shrinkage needs, in one pass and constant memory.

    Use it where the rows do not fit into memory. Batches may come in any order and size. Blocks of
    rows are centred near their mean, multiplied by BLAS, and joined by the update of Chan, Golub
    and LeVeque, so that large means cost no digits. Products of float32 rows are taken in float32,
    a block at a time; all sums are in float64.

    Parameters
    ----------
    double : bool, default=False
        Whether products of float32 rows are taken in float64, too.

    Attributes
    ----------
    n : int
        Rows so far.
    mean : ndarray of shape (d,)
        Their mean.
    scatter : ndarray of shape (d, d)
        Sum of ``(x - mean)(x - mean)'``.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) + 1e6
    >>> found = Moments().add(X[:70]).add(X[70:])
    >>> bool(np.allclose(found.scatter / 100, np.cov(X.T, bias=True), rtol=1e-8))
    True
    """

    def __init__(self, *, double: bool = False) -> None:
        self.double = double
        self.n = 0
        self.mean: Array = np.zeros(0)
        self.scatter: Array = np.zeros((0, 0))
        self._third: Array = np.zeros(0)  # sum of ||z||^2 z, with z = x - mean
        self._fourth = 0.0  # sum of ||z||^4
        self._room: Array = np.zeros((0, 0))  # one block, centred
        self._kind: tuple[Any, ...] = ()

    def add(self, X: Array | Sequence[Array]) -> Self:
        """Take in rows.

        Parameters
        ----------
        X : ndarray of shape (k, d), or sequence of d ndarrays of shape (k,)
            Rows, or their columns, which need not lie side by side in memory.
        """
        d = X.shape[1] if isinstance(X, np.ndarray) else len(X)
        n = len(X) if isinstance(X, np.ndarray) else len(X[0]) if d else 0
        if self.n and d != len(self.mean):
            raise InputError(f"a batch has {d} features, the first one had {len(self.mean)}")
        size = min(MOST, max(LEAST, ROOM // max(d, 1)))
        for start in range(0, n, JOINED * size):
            stop = min(start + JOINED * size, n)
            part: Any = X[start:stop].T if isinstance(X, np.ndarray) else _cut(X, start, stop)
            self._take(part, stop - start, size)
        return self

    def _take(self, part: Any, k: int, size: int) -> None:
        """Take in some blocks: a matrix of shape (d, k), or d columns of shape (k,)."""
        d = len(part)
        single = not self.double and all(column.dtype == np.float32 for column in part)
        dtype: Any = np.float32 if single else np.float64
        centre = self.mean if self.n else _mean(part)
        sums = self._sums(part, centre, dtype, k, size)
        if single and not np.isfinite(sums[-1, -1]):  # a square may be too large for float32
            dtype = np.float64
            sums = self._sums(part, centre, dtype, k, size)
        if not np.isfinite(sums[-1, -1]):
            raise InputError(
                "a batch holds NaN or infinity, or values too large to be squared; fill gaps and "
                "rescale in preprocess="
            )
        moved = sums[:d, d] / k
        spread = np.diagonal(sums)[:d] / k - moved**2
        if (moved**2 > FAR * np.maximum(spread, 0.0)).any():
            centre = _mean(part)
            sums = self._sums(part, centre, dtype, k, size)
        self._join(centre.astype(dtype).astype(np.float64), sums, k)

    def covariance(self, *, name: str, shrinkage: float | str = 0.0) -> tuple[Array, Array]:
        """Return mean and covariance; see `acclimate.mapping.mapped.moments`."""
        if self.n < 2:
            raise InputError(
                f"the {name} has n_samples={self.n}; a covariance needs at least 2 rows"
            )
        return self.mean.copy(), shrink(
            self.mean, self.scatter / self.n, self.n, self._fourth, shrinkage, name
        )

    def _sums(self, part: Any, centre: Array, dtype: Any, k: int, size: int) -> Array:
        """Return all products of the rows ``z, 1, ||z||^2`` with each other, z = x - centre.

        The result has shape (d + 2, d + 2). Each block of ``size`` rows is multiplied in the given
        precision; the blocks are summed in float64.
        """
        d = len(part)
        by_rows = isinstance(part, np.ndarray) and part.strides[0] < part.strides[1]
        wanted = (by_rows, d, size, dtype)
        if self._kind != wanted:  # memory as the rows have it: features or rows side by side
            self._kind = wanted
            shape = (size, d + 2) if by_rows else (d + 2, size)
            self._room = np.empty(shape, dtype=dtype)
        offsets = centre.astype(dtype)
        total: Array = np.zeros((d + 2, d + 2))
        with np.errstate(over="ignore", invalid="ignore"), _threads(d):
            for start in range(0, k, size):
                stop = min(start + size, k)
                room = self._room[: stop - start].T if by_rows else self._room[:, : stop - start]
                total += _products(_cut(part, start, stop), offsets, room)
        return total

    def _join(self, centre: Array, sums: Array, k: int) -> None:
        """Take in the sums of a block of k rows about ``centre``, shape (d,)."""
        d = len(centre)
        b = sums[:d, d] / k
        M, third, t, fourth = sums[:d, :d], sums[:d, d + 1], sums[d, d + 1], sums[d + 1, d + 1]
        e, Mb = float(b @ b), M @ b
        # about the block's own mean, centre + b
        fourth = fourth + 4 * b @ Mb - 4 * b @ third + 2 * e * t - 3 * k * e**2
        third = third - t * b - 2 * Mb + 2 * k * e * b
        scatter = M - k * np.outer(b, b)
        mean = centre + b
        if self.n == 0:
            self.n, self.mean, self.scatter = k, mean, scatter
            self._third, self._fourth = third, float(fourth)
            return
        gap = mean - self.mean
        total = self.n + k
        ours = _about(self.scatter, self._third, self._fourth, self.n, gap * (k / total))
        theirs = _about(scatter, third, float(fourth), k, -gap * (self.n / total))
        self.mean = self.mean + gap * (k / total)
        self.scatter = ours[0] + theirs[0]
        self._third, self._fourth = ours[1] + theirs[1], ours[2] + theirs[2]
        self.n = total


def _threads(d: int) -> AbstractContextManager[Any]:
    """Hold BLAS to one thread where its others would wait, and take processors from the reader."""
    return _pools().limit(limits=1, user_api="blas") if d <= NARROW else nullcontext()


@cache
def _pools() -> ThreadpoolController:
    return ThreadpoolController()


def _cut(part: Any, start: int, stop: int) -> Any:
    """Return some rows of a matrix of shape (d, k), or of d columns of shape (k,)."""
    if isinstance(part, np.ndarray):
        return part[:, start:stop]
    return [column[start:stop] for column in part]


def _products(part: Any, offsets: Array, Z: Array) -> Array:
    """Return the products of a block; Z, of shape (d + 2, k), is room for it."""
    d = len(part)
    if isinstance(part, np.ndarray):
        np.subtract(part, offsets[:, None], out=Z[:d], casting="unsafe")
    else:
        for j, column in enumerate(part):
            np.subtract(column, offsets[j], out=Z[j], casting="unsafe")
    Z[d] = 1.0
    np.einsum("ij,ij->j", Z[:d], Z[:d], out=Z[d + 1])
    product: Array = Z @ Z.T  # numpy leaves it to syrk, half the work of a plain product
    return product


def _mean(part: Any) -> Array:
    if isinstance(part, np.ndarray):
        return np.asarray(part.mean(1, dtype=np.float64))
    return np.array([column.mean(dtype=np.float64) for column in part])


def _about(
    scatter: Array, third: Array, fourth: float, n: int, move: Array
) -> tuple[Array, Array, float]:
    """Return central moments as seen from the mean plus ``move``, shape (d,)."""
    e, t, Sm = float(move @ move), float(np.trace(scatter)), scatter @ move
    return (
        scatter + n * np.outer(move, move),
        third - 2 * Sm - (t + n * e) * move,
        fourth + 4 * float(move @ Sm) - 4 * float(move @ third) + 2 * e * t + n * e**2,
    )


def shrink(
    mean: Array, C: Array, n: float, fourth: float, shrinkage: float | str, name: str
) -> Array:
    """Return ``(1 - s) C + s trace(C) / d I``.

    Parameters
    ----------
    mean : ndarray of shape (d,)
        Mean of the rows, which says what is rounding.
    C : ndarray of shape (d, d)
        Covariance, divided by n.
    n : float
        Rows, at least 2.
    fourth : float
        Sum of ``||x - mean||^4`` over the rows.
    shrinkage : float in [0, 1] or "auto"
        The share s. "auto" is the share of Ledoit and Wolf.
    name : str
        Name of the domain, for messages.
    """
    d = len(C)
    variance = float(np.trace(C)) / d
    if variance <= 1e-28 * float((mean**2).mean()) or variance == 0.0:
        raise InputError(f"all rows of the {name} are equal; there is no covariance to align")
    s = ledoit_wolf_share(C, n, fourth) if shrinkage == "auto" else float(shrinkage)
    shrunk: Array = (1.0 - s) * C
    shrunk.flat[:: d + 1] += s * variance
    return shrunk


def ledoit_wolf_share(C: Array, n: float, fourth: float) -> float:
    """Return the shrinkage of Ledoit and Wolf, doi:10.1016/S0047-259X(03)00096-4.

    Parameters
    ----------
    C : ndarray of shape (d, d)
        Covariance of centred rows, divided by n.
    n : float
        Rows.
    fourth : float
        Sum of ``||x||^4`` over the centred rows.
    """
    d = len(C)
    squares = float((C**2).sum())
    distance = squares / d - (float(np.trace(C)) / d) ** 2
    noise = min((fourth / n - squares) / (n * d), distance)
    return 0.0 if noise <= 0.0 else noise / distance
