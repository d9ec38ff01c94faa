"""`KMM`: weights that move the source's mean in a kernel's feature space onto the target's."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from acclimate.exceptions import ConvergenceWarning, InputError
from acclimate.folds import row_keys
from acclimate.maths.kernels import check_approximation, gaussian
from acclimate.maths.landmarks import frequencies, waves, whiten
from acclimate.reweighting.quadratic import Solution, solve_by_columns
from acclimate.reweighting.ratio import (
    Array,
    RatioAdapter,
    evened,
    in_key_order,
    median_distance,
    wanted_rows,
)
from acclimate.settings import COUNT, NOT_NEGATIVE, POSITIVE, Constraints, OneOf
from acclimate.validation import Rows

BLOCK = 1024  # target rows whose kernel with the source is held at a time
EXACT_ROWS = 20000  # above, in either domain, the default expands the kernel in landmarks
LANDMARKS = 500
Kernel = Callable[[Array, Array], Array]
SLACK = 1e-5  # relative gap that a kernel in float32 lets be resolved


class KMM(RatioAdapter):
    """Weigh source rows so that their mean in a kernel's feature space is the target's.

    Use it when the inputs are distributed differently, the relation between inputs and labels is
    the same, and the domains overlap; no density is estimated. Do not use it with many noise
    features, where all distances are alike. Nor where few source rows are like the target: those
    decide the fit then. Nor where the shift is mild and source rows are more than ten thousand:
    nearly all of them then keep a weight, and their kernel is held in memory.

    Minimises ``|| 1/n sum_i w_i phi(x_i) - 1/m sum_j phi(x'_j) ||^2`` over
    ``0 <= w_i <= bound`` and ``|mean w - 1| <= epsilon``: a convex quadratic program.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model. None means ``LogisticRegression(max_iter=1000)``.
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
        to it, above 0.
    max_steps : int, default=1000
        Most rounds of the solver, at least 1. Each solves the program on a part of the rows.
    n_landmarks : int, "auto" or None, default="auto"
        Rows, half of each domain, that the kernel is expanded in (Nystrom), at least 1. The
        program is then solved for that approximation. None is the kernel itself. "auto" is 500
        where a domain has more than 20000 rows, else None.
    approximation : {"landmarks", "fourier"}, default="landmarks"
        What ``n_landmarks`` counts. "fourier", for "rbf" alone, is random cosines and sines.
    min_effective : int, "auto" or None, default="auto"
        Effective rows (Kish) to keep, at least 1. Where fewer are left, part of the weight is
        spread evenly: the fit then aims at a mixture of both domains. "auto" is ten a feature and
        for the intercept, at most nine tenths of the rows. None keeps the weights as estimated.
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
    mixing_ : float
        Share of the estimated weights in those used; the rest is spread evenly.
    solution_ : Solution
        The weights before scaling and spreading, with the objective and its proven gap.
    source_similarity_ : dict
        Similarity of each of several sources; see `acclimate.sources.source_similarity`.
    source_model_, target_model_ : estimator
        The model before and after weighting.

    Raises
    ------
    InputError
        A setting is out of range, or a kernel has the wrong shape or values that are not finite.

    Warns
    -----
    ConvergenceWarning
        The solver did not reach ``tolerance``.

    Notes
    -----
    Deviations from the paper: the weights that reach the base model are scaled to 1 on average, and
    spread until enough rows are effective; ``min_effective=None`` leaves that out. With w of mean 1
    they are ``1 - t + t w``, t the largest that is allowed. The rule was chosen on shifts of
    optdigits, pendigits, wine and simulated rows (``benchmarks/shallow_defaults.py``).
    The kernel of the source with itself is never held: only columns of rows with a weight above 0
    are computed. With float32 inputs the solver stops at a relative gap of 1e-5, which is what
    rounding lets be seen. With others, sums over the target are taken in float32 where
    ``tolerance`` is at least that and the exponents keep five digits.

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
    >>> y = (X[:, 0] > 1).astype(int)
    >>> model = KMM(min_effective=None).fit(X, y, target=Domain(Xt))
    >>> bool(abs(np.average(X[:, 0], weights=model.weights_) - Xt.mean()) < 0.05)
    True
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **RatioAdapter._parameter_constraints,
        "kernel": [OneOf("rbf", "linear"), callable],
        "width": [POSITIVE, None],
        "bound": [Interval(Real, 1, None, closed="left")],
        "epsilon": [NOT_NEGATIVE, None],
        "tolerance": [POSITIVE],
        "max_steps": [COUNT],
        "n_landmarks": [COUNT, OneOf("auto"), None],
        "approximation": [OneOf("landmarks", "fourier")],
        "min_effective": [COUNT, OneOf("auto"), None],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        kernel: str | Callable[[Array, Array], Array] = "rbf",
        width: float | None = None,
        bound: float = 1000.0,
        epsilon: float | None = None,
        tolerance: float = 1e-4,
        max_steps: int = 1000,
        n_landmarks: int | str | None = "auto",
        approximation: str = "landmarks",
        min_effective: int | str | None = "auto",
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
        self.n_landmarks = n_landmarks
        self.approximation = approximation
        self.min_effective = min_effective

    def _fit_source(self, source: Rows, seed: int) -> Any:
        check_approximation(self.approximation, self.kernel)
        return super()._fit_source(source, seed)

    def _ratio(self, X: Array, Xt: Array, counts: Array, seed: int) -> Array:
        # equal rows share their weight: the program says only what they weigh together
        _, first, cell = np.unique(row_keys(X, seed), return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.argsort(order)[cell.reshape(-1)]  # of each row among the different ones
        sizes = np.bincount(place, weights=counts).astype(np.float64)
        found = self._solved(X[first[order]], Xt, sizes, seed)
        w = found.w[place]
        self.solution_ = replace(found, w=w)
        wanted = wanted_rows(self.min_effective, float(counts.sum()), X.shape[1])
        w, self.mixing_ = evened(w, wanted, counts)
        return w

    def _solved(self, X: Array, Xt: Array, counts: Array, seed: int) -> Solution:
        """Return the weights of different rows, shape (n,), as the program finds them."""
        n, m, N = len(X), len(Xt), float(counts.sum())
        # v = counts w: what all the rows that a row stands for weigh together
        epsilon = (np.sqrt(N) - 1) / np.sqrt(N) if self.epsilon is None else self.epsilon
        single = X.dtype == np.float32 and Xt.dtype == np.float32
        goal = max(self.tolerance, SLACK) if single else self.tolerance
        kernel, coarse = self._kernels(X, Xt, self._gamma(X, Xt, counts, seed))
        landmarks = self.n_landmarks
        if landmarks == "auto":
            landmarks = LANDMARKS if max(n, m) > EXACT_ROWS else None
        if landmarks is None:
            kappa = _sums(coarse[0], coarse[1], coarse[2]) * (N / m)

            def column(index: Any) -> Array:
                return _checked(kernel(X, X[index]), n, len(index))
        else:
            half = (int(landmarks) + 1) // 2
            F: Array
            Ft: Array
            if self.approximation == "fourier":
                rng, gamma = np.random.default_rng(seed), self._gamma(X, Xt, counts, seed)
                W = frequencies(X.shape[1], half, gamma, rng).astype(X.dtype)
                middle = X.mean(0, dtype=np.float64).astype(X.dtype)
                F, Ft = (waves(A - middle, W).astype(np.float64) for A in (X, Xt))
            else:
                Z = np.concatenate([in_key_order(X, seed, half), in_key_order(Xt, seed, half)])
                F, Ft = nystrom(kernel, Z, X), nystrom(kernel, Z, Xt)
            kappa = F @ Ft.mean(0) * N

            def column(index: Any) -> Array:
                return np.asarray(F @ F[index].T)

        limits = (N * max(0.0, 1 - epsilon), N * (1 + epsilon))
        bound = self.bound * counts
        found = solve_by_columns(column, kappa, bound, limits, goal, self.max_steps, seed)
        if found.gap > goal * max(abs(found.objective), 1e-12):
            warnings.warn(
                f"KMM stopped after {found.steps} steps with a gap of {found.gap:.2g} "
                f"at an objective of {found.objective:.4g}; raise max_steps or tolerance",
                ConvergenceWarning,
                stacklevel=5,
            )
        return replace(found, w=found.w / counts)

    def _gamma(self, X: Array, Xt: Array, counts: Array, seed: int) -> float:
        if self.kernel != "rbf":
            return 0.0
        width = self.width
        if width is None:
            width = median_distance(X, Xt, seed, counts=counts)
        return 0.5 / width**2

    def _kernels(
        self, X: Array, Xt: Array, gamma: float
    ) -> tuple[Kernel, tuple[Kernel, Array, Array]]:
        """Return the kernel, and the one to sum over the target with the rows it takes."""
        if callable(self.kernel):
            return self.kernel, (self.kernel, X, Xt)
        if self.kernel == "linear":
            return _linear, (_linear, X, Xt)
        centre = X.mean(0, dtype=np.float64).astype(X.dtype)  # so that large means cost no digits

        def moved(a: Array, b: Array) -> Array:
            return gaussian(a - centre, b - centre, gamma)

        C, Ct = X - centre, Xt - centre
        largest = max(float(np.einsum("ij,ij->i", A, A).max()) for A in (C, Ct))
        if self.tolerance >= SLACK and 2 * gamma * largest * np.finfo(np.float32).eps < SLACK:
            C, Ct = C.astype(np.float32, copy=False), Ct.astype(np.float32, copy=False)
        return moved, (lambda a, b: gaussian(a, b, gamma), C, Ct)


def nystrom(kernel: Kernel, Z: Array, X: Array) -> Array:
    """Return features F of shape (n, r) with ``F F'`` close to the kernel of X with itself.

    Parameters
    ----------
    kernel : callable
        Takes rows (n, d) and (m, d), returns (n, m), positive semidefinite.
    Z : ndarray of shape (p, d)
        Landmarks. The kernel is exact on them.
    X : ndarray of shape (n, d)
        Rows.
    """
    own = _checked(kernel(Z, Z), len(Z), len(Z)).astype(np.float64)
    root = whiten(own, float(np.finfo(X.dtype).eps))
    F: Array = np.empty((len(X), root.shape[1]))
    for i in range(0, len(X), BLOCK):
        block = X[i : i + BLOCK]
        F[i : i + BLOCK] = _checked(kernel(block, Z), len(block), len(Z)) @ root
    return F


def _linear(a: Array, b: Array) -> Array:
    product: Array = a @ b.T
    return product


def _sums(kernel: Kernel, X: Array, Xt: Array) -> Array:
    """Return the sums of the kernel over the target rows, shape (n,), in float64."""
    total = np.zeros(len(X))
    for i in range(0, len(Xt), BLOCK):
        block = Xt[i : i + BLOCK]
        total += _checked(kernel(X, block), len(X), len(block)).sum(1, dtype=np.float64)
    return total


def _checked(K: Any, n: int, m: int) -> Array:
    values = np.asarray(K)
    if values.shape != (n, m) or not np.isfinite(values).all():
        raise InputError(
            f"the kernel must return finite values of shape {(n, m)}, got shape {values.shape}"
        )
    return values
