"""The maximum mean discrepancy of two samples, exact by blocks or with random features."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.maths.kernels import gaussian, median_square
from acclimate.maths.landmarks import frequencies, waves, whiten

Array = NDArray[np.floating[Any]]
Kernel = Callable[[Array, Array], Array]
BLOCK = 1024  # rows whose kernel with a sample is held at a time
EXACT_ROWS = 10_000  # above, in either sample, "rbf" is taken through random features
FEATURES = 2000


def mmd(
    X: Array,
    Z: Array,
    *,
    kernel: str | Kernel = "rbf",
    gamma: float | None = None,
    unbiased: bool = False,
    features: int | str | None = "auto",
    approximation: str = "fourier",
    seed: int = 0,
) -> float:
    """Return the squared maximum mean discrepancy of two samples.

    Use it to say how far apart two sets of rows are, in every respect that the kernel sees. Do not
    read a size into one value: it depends on kernel, width and scale of the features. Nor is it a
    test; a permutation test is.

    It is ``|| 1/n sum_i phi(x_i) - 1/m sum_j phi(z_j) ||^2``, where phi maps to the kernel's
    feature space: the mean kernel within X plus that within Z less twice that between them.
    Memory grows with n + m.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows, finite.
    Z : ndarray of shape (m, d)
        Rows, finite.
    kernel : {"rbf", "linear"} or callable, default="rbf"
        A callable takes rows of shapes (k, d) and (l, d) and returns a matrix of shape (k, l).
    gamma : float, default=None
        Of ``exp(-gamma ||x - z||^2)``, above 0. None is one over the median squared distance among
        at most 500 rows of each sample.
    unbiased : bool, default=False
        Whether pairs of a row with itself are left out, so that the mean over samples of one
        distribution is 0. The value may then be below 0. Not with features.
    features : int, "auto" or None, default="auto"
        Number of features that stand for the kernel, at least 1. None is exact. "auto" is 2000 for
        "rbf" where a sample has more than 10000 rows, else None; never with ``unbiased``.
    approximation : {"fourier", "landmarks"}, default="fourier"
        "fourier" draws cosines and sines, for "rbf" alone; the error falls with the square root of
        ``features``. "landmarks" expands any kernel in that many rows, half of each sample
        (Nystrom); the value is then at most the exact one.
    seed : int, default=0
        Draws the features and the rows of the median.

    Returns
    -------
    float
        At least 0, but for rounding, unless ``unbiased``.

    Raises
    ------
    InputError
        A value cannot be used, or a kernel has the wrong shape.

    References
    ----------
    Gretton et al., "A kernel two-sample test", Journal of Machine Learning Research 13:723-773
    (2012). Rahimi and Recht, "Random features for large-scale kernel machines", NIPS (2007).
    Yu et al., "Orthogonal random features", arXiv:1610.09072.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [2.0]])
    >>> mmd(X, X + 1, kernel="linear")
    1.0
    """
    X, Z = _rows(X, "X"), _rows(Z, "Z")
    if X.shape[1] != Z.shape[1]:
        raise InputError(f"X has {X.shape[1]} features, Z has {Z.shape[1]}; they must be equal")
    least = 2 if unbiased else 1
    if min(len(X), len(Z)) < least:
        raise InputError(f"each sample needs {least} rows or more, got {len(X)} and {len(Z)}")
    if kernel not in ("rbf", "linear") and not callable(kernel):
        raise InputError(f'kernel must be "rbf", "linear" or a callable, got {kernel!r}')
    if gamma is not None and not 0.0 < gamma < np.inf:
        raise InputError(f"gamma must be finite and above 0, or None, got {gamma!r}")
    if features not in ("auto", None) and not (isinstance(features, int) and features >= 1):
        raise InputError(f'features must be at least 1, "auto" or None, got {features!r}')
    if approximation not in ("fourier", "landmarks"):
        raise InputError(f'approximation must be "fourier" or "landmarks", got {approximation!r}')
    if kernel == "linear" and not unbiased:
        gap = X.mean(0, dtype=np.float64) - Z.mean(0, dtype=np.float64)
        return float(gap @ gap)
    origin = X.mean(0, dtype=np.float64)
    rng = np.random.default_rng(seed)
    if kernel == "rbf":
        # distances do not depend on the origin, and near it they keep their digits
        X, Z = X - origin, Z - origin
        width = _gamma(X, Z, rng) if gamma is None else float(gamma)
        k: Kernel = partial(gaussian, gamma=width)
    elif callable(kernel):
        k = kernel
    else:
        X, Z, k = X - origin, Z - origin, _linear
    n, m = len(X), len(Z)
    large = kernel == "rbf" and max(n, m) > EXACT_ROWS
    number = (FEATURES if large and not unbiased else None) if features == "auto" else features
    if number is not None:
        if unbiased:
            raise InputError("unbiased needs the kernel itself; leave out features")
        if approximation == "landmarks":
            return _gap(_drawn(k, X, Z, int(number), rng), X, Z)
        if kernel == "rbf":
            W = frequencies(X.shape[1], (int(number) + 1) // 2, width, rng).astype(X.dtype)
            return _gap(partial(waves, W=W), X, Z)
        if features != "auto":
            raise InputError(
                'random Fourier features are for kernel="rbf" alone; use approximation="landmarks"'
            )
    if unbiased:
        within = _total(k, X, X, True) / (n * (n - 1)) + _total(k, Z, Z, True) / (m * (m - 1))
    else:
        within = _total(k, X, X) / n**2 + _total(k, Z, Z) / m**2
    return within - 2 * _total(k, X, Z) / (n * m)


def _rows(X: Any, name: str) -> Array:
    values = np.asarray(X)
    if values.dtype != np.float32:
        values = values.astype(np.float64)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise InputError(f"{name} must hold finite rows of shape (n, d), got shape {values.shape}")
    return values


def _gamma(X: Array, Z: Array, rng: np.random.Generator, size: int = 500) -> float:
    """Return one over the median squared distance among rows of both; 1 where all are equal."""
    drawn = [A[np.sort(rng.permutation(len(A))[:size])] for A in (X, Z)]
    square = median_square(np.concatenate(drawn))
    return 1.0 if square is None else 1.0 / square


def _linear(A: Array, B: Array) -> Array:
    product: Array = A @ B.T
    return product


def _total(kernel: Kernel, A: Array, B: Array, apart: bool = False) -> float:
    """Return the sum of the kernel matrix, of which a block of rows is held at a time.

    With ``apart``, A is B, and pairs of a row with itself are left out.
    """
    total = 0.0
    for start in range(0, len(A), BLOCK):
        block = A[start : start + BLOCK]
        K = _checked(kernel(block, B), block, B)
        total += float(K.sum(dtype=np.float64))
        if apart:
            total -= float(K.diagonal(start).sum(dtype=np.float64))
    return total


def _gap(features: Callable[[Array], Array], X: Array, Z: Array) -> float:
    """Return the squared distance of the mean features of two samples."""
    gap = _mean(features, X) - _mean(features, Z)
    return float(gap @ gap)


def _mean(features: Callable[[Array], Array], A: Array) -> Array:
    """Return the mean feature of rows, of which a block is held at a time, in float64."""
    total = 0.0
    for start in range(0, len(A), BLOCK):
        total = total + features(A[start : start + BLOCK]).sum(0, dtype=np.float64)
    mean: Array = np.asarray(total) / len(A)
    return mean


def _drawn(
    kernel: Kernel, X: Array, Z: Array, number: int, rng: np.random.Generator
) -> Callable[[Array], Array]:
    """Return the features of landmarks, half from each sample."""
    rows = np.concatenate([A[np.sort(rng.permutation(len(A))[: (number + 1) // 2])]
                           for A in (X, Z)])  # fmt: skip
    own = _checked(kernel(rows, rows), rows, rows).astype(np.float64)
    root = whiten(own, float(np.finfo(X.dtype).eps))
    return lambda A: np.asarray(_checked(kernel(A, rows), A, rows) @ root)


def _checked(K: Any, A: Array, B: Array) -> Array:
    values = np.asarray(K)
    if values.shape != (len(A), len(B)) or not np.isfinite(values).all():
        raise InputError(
            f"the kernel must return finite values of shape {(len(A), len(B))}, got "
            f"shape {values.shape}"
        )
    return values
