"""`KMM`: weights that move the source's mean in a kernel's feature space onto the target's."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh
from sklearn.metrics.pairwise import rbf_kernel

from acclimate.exceptions import ConvergenceWarning, InputError
from acclimate.reweighting.ratio import (
    Array,
    RatioAdapter,
    check_count,
    check_positive,
    median_distance,
)
from acclimate.validation import Rows

BLOCK = 1024  # target rows whose kernel with the source is held at a time
SLACK = {"float32": 1e-5, "float64": 0.0}  # how far a float32 kernel lets a gap be resolved


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
        Steps taken.
    """

    w: Array
    objective: float
    gap: float
    steps: int


def project(v: Array, bound: float, low: float, high: float) -> Array:
    """Return the point nearest to v, shape (n,), with 0 <= w <= bound and low <= sum w <= high.

    Exact: the sum of ``clip(v - t, 0, bound)`` falls piecewise linearly in t, and its corners are
    sorted.

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
    sums = np.concatenate([[0.0], np.cumsum(slope[:-1] * np.diff(t))]) + len(v) * bound
    # last corner whose sum still reaches the goal; the goal lies on the piece after it
    i = min(int(np.searchsorted(-sums, -goal, side="right")) - 1, len(t) - 2)
    i = max(i, 0)
    shift = t[i] if slope[i] == 0 else t[i] + (goal - sums[i]) / slope[i]
    nearest: Array = np.clip(v - shift, 0.0, bound)
    return nearest


def linear_minimum(g: Array, bound: float, low: float, high: float) -> float:
    """Return the least ``g'w`` over 0 <= w <= bound and low <= sum w <= high, g of shape (n,)."""
    ordered = np.sort(g)
    # each entry takes up to `bound`; negative ones up to `high`, then any up to `low`
    taken = np.minimum(np.arange(len(g)) * bound, high)
    room = np.minimum((np.arange(len(g)) + 1) * bound, high) - taken
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
    K: Array, kappa: Array, bound: float, epsilon: float, tolerance: float, most: int, seed: int = 0
) -> Solution:
    """Minimise ``w'Kw / 2 - kappa'w`` over 0 <= w <= bound and ``|mean w - 1| <= epsilon``.

    Accelerated projected gradient with restarts. It stops when the linearised problem proves that
    no feasible point is better by more than ``tolerance`` times the size of the objective:
    ``g'w - min_v g'v``, with g the gradient, bounds what is left to gain.

    Parameters
    ----------
    K : ndarray of shape (n, n)
        Kernel of the source rows, positive semidefinite.
    kappa : ndarray of shape (n,)
        ``n / m`` times the sums of the kernel over the target rows.
    bound : float
        Largest weight.
    epsilon : float
        How far the mean may lie from 1.
    tolerance : float
        Relative gap to stop at.
    most : int
        Most steps.
    seed : int, default=0
        Seeds the estimate of the largest eigenvalue.
    """
    n = len(K)
    low, high = n * max(0.0, 1 - epsilon), n * (1 + epsilon)
    step = 1.0 / max(largest_eigenvalue(K, seed), 1e-30)

    def times(v: Array) -> Array:
        return np.asarray(K @ v.astype(K.dtype), dtype=np.float64)

    w = project(np.ones(n), bound, low, high)
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


class KMM(RatioAdapter):
    """Weigh source rows so that their mean in a kernel's feature space is the target's.

    Use it when the inputs are distributed differently, the relation between inputs and labels is
    the same, and the domains overlap; no density is estimated. Do not use it with far more than ten
    thousand source rows, since the kernel of the source with itself is held in memory. Nor with
    many noise features, where all distances are alike.

    Minimises ``|| 1/n sum_i w_i phi(x_i) - 1/m sum_j phi(x'_j) ||^2`` over
    ``0 <= w_i <= bound`` and ``|mean w - 1| <= epsilon``: a convex quadratic program.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model. None means ``LogisticRegression(max_steps=1000)``.
    kernel : {"rbf", "linear"} or callable, default="rbf"
        A callable takes arrays (n, d) and (m, d) and returns a positive semidefinite kernel (n, m).
    width : float, default=None
        Of the RBF kernel ``exp(-||x - z||^2 / (2 width^2))``, above 0, in units of the inputs.
        None is the median distance, on up to 500 rows of each domain.
    bound : float, default=1000.0
        Largest weight before scaling, at least 1.
    epsilon : float, default=None
        How far the mean weight may lie from 1, at least 0. None is ``(sqrt(n) - 1) / sqrt(n)``.
    tolerance : float, default=1e-4
        Where the solver stops: a proven bound on the distance to the optimal objective, relative
        to it.
    max_steps : int, default=5000
        Most steps of the solver, each one product with the kernel.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    weights_ : ndarray of shape (n,)
        Weights of the source rows, scaled to 1 on average. Only after a target was given.
    weight_report_ : WeightReport
        Effective rows and tail of the weights.
    solution_ : Solution
        The weights before scaling, with the objective and its proven gap.
    source_model_, target_model_ : estimator
        The model before and after weighting.

    Raises
    ------
    InputError
        A setting is out of range, or a kernel has the wrong shape or values that are not finite.

    Warns
    -----
    ConvergenceWarning
        ``max_steps`` steps did not reach ``tolerance``.

    Notes
    -----
    Deviation from the paper: the weights that reach the base model are scaled to 1 on average. A
    float32 kernel stops at a relative gap of 1e-5, which is what its rounding lets be seen.

    References
    ----------
    Huang, Smola, Gretton, Borgwardt and Schölkopf, "Correcting sample selection bias by unlabeled
    data", doi:10.7551/mitpress/7503.003.0080.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import KMM, Domain
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(200, 1)), rng.normal(size=(200, 1)) * 0.5 + 1
    >>> model = KMM().fit(X, (X[:, 0] > 1).astype(int), target=Domain(Xt))
    >>> bool(abs(np.average(X[:, 0], weights=model.weights_) - Xt.mean()) < 0.05)
    True
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        kernel: str | Callable[[Array, Array], Array] = "rbf",
        width: float | None = None,
        bound: float = 1000.0,
        epsilon: float | None = None,
        tolerance: float = 1e-4,
        max_steps: int = 5000,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.kernel = kernel
        self.width = width
        self.bound = bound
        self.epsilon = epsilon
        self.tolerance = tolerance
        self.max_steps = max_steps

    def _fit_source(self, source: Rows, seed: int) -> Any:
        if self.kernel not in ("rbf", "linear") and not callable(self.kernel):
            raise InputError(f'kernel must be "rbf", "linear" or a callable, got {self.kernel!r}')
        check_positive(tolerance=self.tolerance, width=1.0 if self.width is None else self.width)
        check_count(max_steps=self.max_steps)
        if not self.bound >= 1:
            raise InputError(f"bound must be at least 1, got {self.bound!r}")
        if self.epsilon is not None and not self.epsilon >= 0:
            raise InputError(f"epsilon must be at least 0, got {self.epsilon!r}")
        return super()._fit_source(source, seed)

    def _ratio(self, X: Array, Xt: Array, seed: int) -> Array:
        n, m = len(X), len(Xt)
        kernel = self._kernel(X, Xt, seed)
        K = _checked(kernel(X, X), n, n)
        kappa = np.zeros(n)
        for i in range(0, m, BLOCK):
            block = Xt[i : i + BLOCK]
            kappa += _checked(kernel(X, block), n, len(block)).sum(1, dtype=np.float64)
        kappa *= n / m
        epsilon = (np.sqrt(n) - 1) / np.sqrt(n) if self.epsilon is None else self.epsilon
        goal = max(self.tolerance, SLACK.get(str(K.dtype), 0.0))
        self.solution_ = solve(K, kappa, self.bound, epsilon, goal, self.max_steps, seed)
        if self.solution_.gap > goal * max(abs(self.solution_.objective), 1e-12):
            warnings.warn(
                f"KMM stopped after {self.max_steps} steps with a gap of {self.solution_.gap:.2g} "
                f"at an objective of {self.solution_.objective:.4g}; raise max_steps or tolerance",
                ConvergenceWarning,
                stacklevel=5,
            )
        return self.solution_.w

    def _kernel(self, X: Array, Xt: Array, seed: int) -> Callable[[Array, Array], Array]:
        if callable(self.kernel):
            return self.kernel
        if self.kernel == "linear":
            return lambda a, b: a @ b.T
        width = median_distance(X, Xt, seed) if self.width is None else self.width
        return lambda a, b: rbf_kernel(a, b, gamma=0.5 / width**2)  # in place: no second matrix


def _checked(K: Any, n: int, m: int) -> Array:
    values = np.asarray(K)
    if values.shape != (n, m) or not np.isfinite(values).all():
        raise InputError(
            f"the kernel must return finite values of shape {(n, m)}, got shape {values.shape}"
        )
    return values
