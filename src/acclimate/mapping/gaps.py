"""Differences of means between the domains, as low-rank factors, and how much each should count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular

Array = NDArray[np.floating[Any]]
Codes = NDArray[np.integer[Any]]
RIDGE = 0.01  # of the variance, in the classifier of the domains


def mean_gap(n: int, m: int) -> Array:
    """Return the factor of the difference of both domains' means, shape (n + m, 1)."""
    return np.concatenate([np.full((n, 1), 1.0 / n), np.full((m, 1), -1.0 / m)])


def class_gaps(codes: Codes, n: int, *, weighted: bool = False) -> Array:
    """Return the factors of the differences of class means, shape (N, r).

    Classes that one domain lacks have no difference, and no column.

    Parameters
    ----------
    codes : integer ndarray of shape (N,)
        Class of each row from 0, source first.
    n : int
        Number of source rows.
    weighted : bool, default=False
        Whether each mean counts by the root of the class's share in its domain.
    """
    k = int(codes.max()) + 1
    source, target = (np.bincount(part, minlength=k) for part in (codes[:n], codes[n:]))
    both = np.flatnonzero((source > 0) & (target > 0))
    sizes = np.where(np.arange(len(codes))[:, None] < n, source[both], -target[both])  # (N, r)
    member = codes[:, None] == both
    if weighted:
        rows = np.where(np.arange(len(codes)) < n, n, len(codes) - n)[:, None]
        return np.where(member, np.sign(sizes) / np.sqrt(np.abs(sizes) * rows), 0.0)
    return np.where(member, 1.0 / sizes, 0.0)


def proxy_distance(Z: Array, n: int) -> float:
    """Return the proxy A-distance of two samples, in [0, 2].

    It is ``2 (1 - 2 error)``, at least 0, where the error is the mean of both domains' shares of
    rows that a linear least-squares classifier of the domains, fitted without the row, gets wrong.
    The classifier has a ridge of a hundredth of the variance, and both domains count alike.

    Parameters
    ----------
    Z : ndarray of shape (N, d)
        Rows of both samples.
    n : int
        How many, at the front, are of the first.
    """
    N, d = Z.shape
    first = np.arange(N) < n
    side = np.where(first, 1.0, -1.0)
    root = np.sqrt(np.where(first, 0.5 / n, 0.5 / (N - n)))  # weights sum to 1
    spread = Z.std(0)
    X = Z.astype(np.float64) / np.where(spread > 0, spread, 1.0)
    # weighted means are 0, of the sides too, so that the intercept only adds to the leverage
    X = (X - root**2 @ X) * root[:, None]
    if d <= N:
        L = cholesky(X.T @ X + RIDGE * np.eye(d), lower=True)
        U = solve_triangular(L, X.T, lower=True)  # the hat matrix is U' U
        leverage, fitted = (U**2).sum(0), U.T @ (U @ (root * side))
    else:
        rest = RIDGE * cho_solve(cho_factor(X @ X.T + RIDGE * np.eye(N)), np.eye(N))
        leverage, fitted = 1.0 - np.diag(rest), root * side - rest @ (root * side)
    leverage = np.minimum(leverage + root**2, 1.0 - 1e-12)
    held_out = (fitted - leverage * root * side) / (1.0 - leverage)
    wrong = held_out * side <= 0
    error = 0.5 * (wrong[:n].mean() + wrong[n:].mean())
    return max(0.0, 2.0 * (1.0 - 2.0 * float(error)))


def estimate_balance(Z: Array, codes: Codes, n: int, whole: float | None = None) -> float:
    """Return the share of the class means, in [0, 1]: it is high where classes lie further apart.

    With the proxy A-distance d of the domains and the mean e of those of the classes that both
    domains have, it is ``e / (d + e)``, and a half where nothing differs.

    Parameters
    ----------
    Z : ndarray of shape (N, d)
        Rows, source first.
    codes : integer ndarray of shape (N,)
        Class of each row.
    n : int
        Number of source rows.
    whole : float, default=None
        Distance of the domains, where it is known.
    """
    whole = proxy_distance(Z, n) if whole is None else whole
    parts = []
    for c in np.intersect1d(codes[:n], codes[n:]):
        members = codes == c
        size = int(members[:n].sum())
        if size > 1 and members.sum() - size > 1:
            parts.append(proxy_distance(Z[members], size))
    each = float(np.mean(parts)) if parts else 0.0
    return each / (whole + each) if whole + each > 0 else 0.5
