"""The quadratic program of kernel mean matching, solved with a proven gap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.optimize import nnls
from scipy.sparse.linalg import LinearOperator, eigsh

from acclimate.reweighting.ratio import Array

FIRST = 64  # rows that join in the first round
DIRECT = 1000  # more rows than this are left to gradient steps
STEPS = 5000  # gradient steps within a round, at most
STALLED = 3  # rounds without gain, after which no more is to be had


@dataclass(frozen=True)
class Solution:
    """A solved quadratic program.

    Parameters
    ----------
    w : ndarray of shape (n,)
        Feasible point.
    objective : float
        ``w'Kw / 2 - kappa'w``.
    gap : float
        Upper bound on how far the objective lies above the optimum.
    steps : int
        Steps taken: of `solve`, products with the matrix; of `solve_by_columns`, rounds.
    """

    w: Array
    objective: float
    gap: float
    steps: int


def project(v: Array, bound: float | Array, low: float, high: float) -> Array:
    """Return the point nearest to v, shape (n,), with 0 <= w <= bound and low <= sum w <= high.

    Exact: the sum of ``clip(v - t, 0, bound)`` falls piecewise linearly in t, and its corners are
    sorted.

    The bound is one number, or one for each entry.

    >>> project(np.array([3.0, 1.0, -1.0]), 2.0, 0.0, 2.5)
    array([2. , 0.5, 0. ])
    """
    w: Array = np.clip(v, 0.0, bound)
    total = w.sum()
    if low <= total <= high:
        return w
    goal = low if total < low else high
    corners = np.concatenate([v - bound, v])
    order = np.argsort(corners, kind="stable")
    t = corners[order]
    slope = np.cumsum(np.where(order < len(v), -1.0, 1.0))
    sums = np.concatenate([[0.0], np.cumsum(slope[:-1] * np.diff(t))])
    sums += np.broadcast_to(bound, v.shape).sum()
    # last corner whose sum still reaches the goal; the goal lies on the piece after it
    i = min(int(np.searchsorted(-sums, -goal, side="right")) - 1, len(t) - 2)
    i = max(i, 0)
    shift = t[i] if slope[i] == 0 else t[i] + (goal - sums[i]) / slope[i]
    nearest: Array = np.clip(v - shift, 0.0, bound)
    return nearest


def linear_minimum(g: Array, bound: float | Array, low: float, high: float) -> float:
    """Return the least ``g'w`` over 0 <= w <= bound and low <= sum w <= high, g of shape (n,)."""
    order = np.argsort(g)
    ordered = g[order]
    # each entry takes up to its bound; negative ones up to `high`, then any up to `low`
    most = np.broadcast_to(bound, g.shape)[order].cumsum()
    taken = np.minimum(np.concatenate([[0.0], most[:-1]]), high)
    room = np.minimum(most, high) - taken
    must = np.clip(low - taken, 0.0, room)
    return float((ordered * np.where(ordered < 0, room, must)).sum())


def largest_eigenvalue(K: Array, seed: int) -> float:
    """Return the largest eigenvalue of a symmetric (n, n) matrix, rounded up by a thousandth."""
    n = len(K)
    if n < 64:
        return float(np.linalg.eigvalsh(K.astype(np.float64))[-1]) * 1.001
    product = LinearOperator((n, n), matvec=lambda v: K @ v.astype(K.dtype), dtype=K.dtype)
    start = np.random.default_rng(seed).normal(size=n).astype(K.dtype)
    values = eigsh(product, k=1, which="LA", v0=start, tol=1e-3, return_eigenvectors=False)
    return float(values[0]) * 1.005


def solve(
    K: Array,
    kappa: Array,
    bound: float | Array,
    limits: tuple[float, float],
    tolerance: float,
    most: int,
    seed: int = 0,
    start: Array | None = None,
) -> Solution:
    """Minimise ``w'Kw / 2 - kappa'w`` over 0 <= w <= bound and low <= sum w <= high.

    Accelerated projected gradient with restarts. It stops when the linearised problem proves that
    no feasible point is better by more than ``tolerance`` times the size of the objective:
    ``g'w - min_v g'v``, with g the gradient, bounds what is left to gain.

    Parameters
    ----------
    K : ndarray of shape (n, n)
        Kernel of the source rows, positive semidefinite.
    kappa : ndarray of shape (n,)
        ``n / m`` times the sums of the kernel over the target rows.
    bound : float or ndarray of shape (n,)
        Largest weight.
    limits : tuple of two floats
        Low and high.
    tolerance : float
        Relative gap to stop at.
    most : int
        Most steps.
    seed : int, default=0
        Seeds the estimate of the largest eigenvalue.
    start : ndarray of shape (n,), default=None
        Where to begin; None is a weight of 1 each.
    """
    low, high = limits
    step = 1.0 / max(largest_eigenvalue(K, seed), 1e-30)

    def times(v: Array) -> Array:
        return np.asarray(K @ v.astype(K.dtype), dtype=np.float64)

    w = project(np.ones(len(K)) if start is None else start, bound, low, high)
    Kw = times(w)
    y, Ky, momentum = w, Kw, 1.0
    objective = gap = 0.0
    for taken in range(most + 1):
        if taken % 10 == 0 or taken == most:
            g = Kw - kappa
            objective = float(w @ (0.5 * Kw - kappa))
            gap = float(g @ w) - linear_minimum(g, bound, low, high)
            if gap <= tolerance * max(abs(objective), 1e-12):
                break
        new = project(y - step * (Ky - kappa), bound, low, high)
        K_new = times(new)
        if (y - new) @ (new - w) > 0:  # momentum points uphill: start it anew
            momentum = 1.0
        after = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        beta = (momentum - 1) / after
        y, Ky = new + beta * (new - w), K_new + beta * (K_new - Kw)
        w, Kw, momentum = new, K_new, after
    return Solution(w, objective, max(gap, 0.0), taken)


def solve_by_columns(
    column: Callable[[NDArray[np.intp]], Array],
    kappa: Array,
    bound: float | Array,
    limits: tuple[float, float],
    tolerance: float,
    most: int,
    seed: int = 0,
) -> Solution:
    """Solve the program of `solve` without its matrix.

    Few weights are above 0 at the optimum, and only their columns matter. Each round solves the
    program on the rows that it holds, all others at 0, lets go of those that end at 0, and adds
    the rows with the lowest gradient, half as many as it holds. The objective falls from round to
    round, so no set of rows comes twice. It stops on the gap of the whole program.

    Parameters
    ----------
    column : callable
        Takes indices (k,) and returns those columns of the matrix, shape (n, k).
    kappa : ndarray of shape (n,)
        Linear term.
    bound, limits, tolerance, seed
        As in `solve`.
    most : int
        Most rounds.
    """
    n = len(kappa)
    low, high = limits
    bounds = np.broadcast_to(bound, kappa.shape)
    held = np.zeros(0, dtype=np.intp)
    columns: Array = np.zeros((n, 0))
    g, w = -kappa, np.zeros(n)
    objective, gap, idle, taken = np.inf, np.inf, 0, 0
    while True:
        # the lower limit must be in reach of the rows that are held
        most_held = int(np.ceil(min(low / np.min(bound), n))) + 1
        room = max(FIRST, len(held) // 2, most_held - len(held))
        free = np.ones(n, dtype=bool)
        free[held] = False
        open_rows = np.flatnonzero(free)
        order = np.argsort(g[open_rows], kind="stable")[:room]
        added = open_rows[order]
        held = np.concatenate([held, added])
        columns = np.concatenate([columns, column(added)], axis=1)
        inner = _on_rows(
            columns[held], kappa[held], bounds[held], limits, 0.1 * tolerance, seed, w[held]
        )
        w = np.zeros(n)
        w[held] = inner
        Kw = np.asarray(columns @ inner.astype(columns.dtype), dtype=np.float64)
        g = Kw - kappa
        before, objective = objective, float(w @ (0.5 * Kw - kappa))
        gap = float(g @ w) - linear_minimum(g, bound, low, high)
        taken += 1
        scale = max(abs(objective), 1e-12)
        idle = idle + 1 if before - objective <= 1e-3 * tolerance * scale else 0
        if gap <= tolerance * scale or taken >= most or idle >= STALLED or len(held) == n:
            return Solution(w, objective, max(gap, 0.0), taken)
        positive = inner > 0
        held, columns = held[positive], columns[:, positive]


def _on_rows(
    K: Array,
    kappa: Array,
    bound: float | Array,
    limits: tuple[float, float],
    tolerance: float,
    seed: int,
    start: Array,
) -> Array:
    """Solve the program on a few rows, of whose matrix there is all, shape (k, k)."""
    if len(K) <= DIRECT:
        # without the limits and the bound this is non-negative least squares: with K = L L', the
        # objective is ||L'w - L^-1 kappa||^2 / 2. Its solution counts where it keeps both
        M = K.astype(np.float64)
        M = (M + M.T) / 2
        M.flat[:: len(M) + 1] += float(np.trace(M)) / len(M) * 8 * np.finfo(K.dtype).eps
        try:
            L = cholesky(M, lower=True)
            w, _ = nnls(L.T, solve_triangular(L, kappa, lower=True), maxiter=30 * len(M))
        except (LinAlgError, RuntimeError):  # not definite, or too many steps
            w = np.full(len(M), np.inf)
        if (w <= bound).all() and limits[0] <= w.sum() <= limits[1]:
            return np.asarray(w)
    return solve(K, kappa, bound, limits, tolerance, STEPS, seed, start).w
