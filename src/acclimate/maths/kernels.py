"""Kernels: linear, Gaussian with the median heuristic, or any callable, and maps made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from acclimate.arrays import as_matrix
from acclimate.exceptions import InputError
from acclimate.maths.landmarks import waves
from acclimate.settings import COUNT, POSITIVE, Constraints, OneOf

BLOCK = 4096  # rows turned into float64 at a time

Array = NDArray[np.floating[Any]]
MEDIAN_ROWS = 1000  # rows that the median heuristic looks at


@dataclass(frozen=True)
class Kernel:
    """A kernel with its width settled.

    Parameters
    ----------
    kind : {"linear", "rbf"} or callable
        A callable takes rows of shapes (n, d) and (m, d) and returns a matrix of shape (n, m).
    gamma : float
        For "rbf": ``exp(-gamma ||x - z||^2)``.
    """

    kind: str | Callable[[Array, Array], Array]
    gamma: float

    def __call__(self, X: Array, Z: Array) -> Array:
        """Return the kernel matrix, shape (n, m)."""
        if callable(self.kind):
            K = np.asarray(self.kind(X, Z))
            if K.shape != (len(X), len(Z)) or not np.isfinite(K).all():
                raise InputError(
                    f"the kernel must return finite values of shape {(len(X), len(Z))}, got "
                    f"shape {K.shape}"
                )
            return K
        if self.kind == "linear":
            product: Array = X @ Z.T
            return product
        from sklearn.metrics.pairwise import rbf_kernel

        values: Array = rbf_kernel(X, Z, gamma=self.gamma)
        return values


@dataclass(frozen=True)
class KernelMap:
    """The map ``k(x, Z) W + offset``, computed a block of rows at a time.

    Parameters
    ----------
    kernel : Kernel
        The kernel k.
    Z : ndarray of shape (p, d)
        Rows that it is expanded in.
    W : ndarray of shape (p, k)
        Coefficients.
    offset : ndarray of shape (k,), default=None
        Added last.
    """

    kernel: Kernel
    Z: Array
    W: Array
    offset: Array | None = None

    def __call__(self, X: Any) -> Array:
        """Return mapped rows, shape (m, k), in the precision of X."""
        X = as_matrix(X)
        mapped: Array = np.empty((len(X), self.W.shape[1]), dtype=X.dtype)
        Z, W = self.Z.astype(X.dtype), self.W.astype(X.dtype)
        for part in gen_batches(len(X), BLOCK):
            mapped[part] = self.kernel(X[part], Z) @ W
        if self.offset is not None:
            mapped += self.offset.astype(X.dtype)
        return mapped


@dataclass(frozen=True)
class FourierMap:
    """The map ``waves(x - centre) W + offset``, computed a block of rows at a time.

    Parameters
    ----------
    centre : ndarray of shape (d,)
        Subtracted first, so that phases keep their digits.
    frequencies : ndarray of shape (d, p)
        Frequencies of the waves.
    W : ndarray of shape (2 p, k), default=None
        Coefficients. None leaves the waves as they are.
    offset : ndarray of shape (k,), default=None
        Added last.
    """

    centre: Array
    frequencies: Array
    W: Array | None = None
    offset: Array | None = None

    def __call__(self, X: Any) -> Array:
        """Return mapped rows, shape (m, k) or (m, 2 p), in the precision of X."""
        X = as_matrix(X)
        centre, frequencies = self.centre.astype(X.dtype), self.frequencies.astype(X.dtype)
        W = None if self.W is None else self.W.astype(X.dtype)
        columns = 2 * frequencies.shape[1] if W is None else W.shape[1]
        mapped: Array = np.empty((len(X), columns), dtype=X.dtype)
        for part in gen_batches(len(X), BLOCK):
            F = waves(X[part] - centre, frequencies)
            mapped[part] = F if W is None else F @ W
        if self.offset is not None:
            mapped += self.offset.astype(X.dtype)
        return mapped


def make_kernel(
    kind: Any, gamma: float | None, X: Array, rng: np.random.Generator, factor: float = 1.0
) -> Kernel:
    """Return a kernel; without ``gamma``, the width follows the median distance of rows.

    Parameters
    ----------
    kind : {"linear", "rbf"} or callable
        Which kernel.
    gamma : float, above 0, or None
        Inverse squared width. None is ``factor / median(||x - z||^2)`` over pairs of different
        rows, among at most 1000 rows drawn at random.
    X : ndarray of shape (n, d)
        Rows of both domains.
    rng : numpy Generator
        Draws the rows.
    factor : float, default=1.0
        Below 1, the kernel is wider than the median distance.
    """
    if kind != "rbf" or gamma is not None:
        return Kernel(kind, 0.0 if gamma is None else float(gamma))
    rows = X
    if len(X) > MEDIAN_ROWS:
        rows = X[np.sort(rng.choice(len(X), MEDIAN_ROWS, replace=False))]
    square = median_square(rows)
    if square is None:
        raise InputError("all rows of both domains are equal; there is nothing to align")
    return Kernel(kind, factor / square)


def median_square(rows: Array) -> float | None:
    """Return the median squared distance of pairs of different rows; None where all are equal.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
        All pairs are looked at, so draw some of many.
    """
    from scipy.spatial.distance import pdist

    squared = pdist(rows.astype(np.float64), "sqeuclidean")
    squared = squared[squared > 0]
    return float(np.median(squared)) if len(squared) else None


KERNEL_SETTINGS: Constraints = {  # of the methods that use one of these kernels
    "kernel": [OneOf("rbf", "linear"), callable],
    "gamma": [POSITIVE, None],
    "n_landmarks": [COUNT],
    "approximation": [OneOf("landmarks", "fourier")],
}


def check_approximation(value: Any, kind: Any) -> None:
    """Raise where the features that stand for the kernel of many rows are not for this one."""
    if value == "fourier" and kind != "rbf":
        raise InputError(
            f'approximation="fourier" is for kernel="rbf" alone, got kernel={kind!r}; use '
            f'"landmarks"'
        )


def gaussian(X: Array, Z: Array, gamma: float) -> Array:
    """Return ``exp(-gamma ||x - z||^2)``, shape (n, m), in the precision of the rows.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows, near the origin for their distances: rounding grows with their squares.
    Z : ndarray of shape (m, d)
        Rows.
    gamma : float, above 0
        Inverse squared width.
    """
    K: Array = X @ Z.T  # everything else happens in place
    K *= 2 * gamma
    K -= gamma * np.einsum("ij,ij->i", X, X)[:, None]
    K -= gamma * np.einsum("ij,ij->i", Z, Z)
    np.minimum(K, 0.0, out=K)
    return np.exp(K, out=K)


def rbf(squared: Array, width: float) -> Array:
    """Return ``exp(-squared / (2 width^2))``, of the shape of the squared distances."""
    kernel: Array = np.exp(squared * (-0.5 / width**2))
    return kernel
