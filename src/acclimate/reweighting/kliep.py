"""`KLIEP`: the density ratio that makes the target most likely."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls
from sklearn.metrics.pairwise import euclidean_distances

from acclimate.exceptions import ConvergenceWarning, InputError
from acclimate.folds import row_keys
from acclimate.maths.kernels import rbf
from acclimate.reweighting.ratio import (
    WIDTHS,
    Array,
    RatioAdapter,
    in_key_order,
    median_distance,
    spread,
)
from acclimate.settings import COUNT, POSITIVE, SEVERAL, Constraints, Each

FAINT = 1e-8  # centres with less kernel mass than this on the source are left out
GAP = 1e-4  # nats a row: above it, warn
DONE = 1e-8  # nats a row: below it, stop
STEPS = 100


@dataclass(frozen=True)
class Fit:
    """A fitted ratio.

    Parameters
    ----------
    theta : ndarray of shape (b,)
        Coefficients, at least 0.
    likelihood : float
        Mean log ratio over the target rows.
    gap : float
        Upper bound on how far the likelihood lies below the optimum.
    """

    theta: Array
    likelihood: float
    gap: float


def maximise(mean: Array, Phi_t: Array) -> Fit:
    """Maximise ``mean_t log(Phi_t theta)`` over theta >= 0 with ``mean'theta = 1``.

    With ``v = mean * theta`` this is the fit of mixture proportions v, whose multiplier is 1: the
    same v minimises ``sum v - mean_t log(P v)`` over v >= 0. Each step minimises the second-order
    model over v >= 0, by non-negative least squares, and searches along the line to it. By
    concavity ``max_l mean_t P_tl / (P v)_t - 1`` bounds what is left to gain.

    Parameters
    ----------
    mean : ndarray of shape (b,)
        Mean kernel of the source rows with each centre, above 0.
    Phi_t : ndarray of shape (m, b)
        Kernel of target rows with centres; no row is all 0.
    """
    P = Phi_t / mean
    scale = P.max(1, keepdims=True)  # a factor a row shifts the objective by a constant
    P = P / scale

    b = len(mean)
    v, gap = np.full(b, 1.0 / b), float("inf")
    for _ in range(STEPS):
        r = P @ v
        A = P / r[:, None]
        g = A.mean(0)
        gap = float(g.max()) - 1.0
        if gap < DONE:
            break
        H = A.T @ A / len(A)
        ridge = 1e-9 * float(np.trace(H))  # towards v, so that the optimum stays where it is
        H.flat[:: b + 1] += ridge
        L = cholesky(H, lower=True)
        u, _ = nnls(L.T, solve_triangular(L, 2 * g - 1 + ridge * v, lower=True), maxiter=50 * b)
        along, t = P @ (u - v), 1.0
        slope = float((u - v).sum() - g @ (u - v))
        while t > 1e-10:
            moved = r + t * along
            if moved.min() > 0:
                change = t * float((u - v).sum()) - float(np.log(moved / r).mean())
                if change <= 1e-4 * t * slope:
                    break
            t /= 2
        else:
            break
        v = v + t * (u - v)
        v = v / v.sum()
    r = P @ v
    gap = float((P / r[:, None]).mean(0).max()) - 1.0
    return Fit(v / mean, float(np.log(r).mean() + np.log(scale).mean()), max(gap, 0.0))


def fit_width(
    squared: Array, squared_t: Array, width: float, counts: Array | None = None
) -> Fit | None:
    """Return the fit with one width, or None where the domains do not meet at that width.

    Parameters
    ----------
    squared : ndarray of shape (n, b)
        Squared distances of source rows to centres.
    squared_t : ndarray of shape (m, b)
        Squared distances of target rows to centres.
    width : float, above 0
        Of the RBF kernel.
    counts : ndarray of shape (n,), default=None
        How many rows each source row stands for; None is one each.
    """
    mean: Array = np.average(rbf(squared, width), axis=0, weights=counts)
    Phi_t = rbf(squared_t, width)
    near = mean > FAINT
    if not near.any() or not Phi_t[:, near].any(1).all():
        return None
    found = maximise(mean[near], Phi_t[:, near])
    theta = np.zeros(len(mean))
    theta[near] = found.theta
    return Fit(theta, found.likelihood, found.gap)


class KLIEP(RatioAdapter):
    """Weigh source rows by the density ratio under which the target is most likely.

    Use it when the inputs are distributed differently, the relation between inputs and labels is
    the same, the domains overlap and there are few features. Do not use it where some target rows
    are far from every source row: the logarithm makes them decide the fit. Nor with many features,
    where kernels on distances say little.

    Maximises ``mean_target log r(x)`` over ``r(x) = sum_l theta_l exp(-||x - c_l||^2 / (2
    width^2))`` with ``theta >= 0`` and ``mean_source r(x) = 1``, with target rows as centres: a
    concave problem. The width is the one with the best likelihood of held-out target rows.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model. None means ``LogisticRegression(max_iter=1000)``.
    widths : sequence of float, default=None
        Widths to try, above 0, in units of the inputs. None is a quarter to four times the median
        distance.
    centres : int, default=100
        Most target rows that serve as centres, at least 1.
    folds : int, default=5
        Folds of the target for the choice of the width, at least 2.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    weights_ : ndarray of shape (n,)
        Weights of the source rows, 1 on average. Only after a target was given.
    weight_report_ : WeightReport
        Effective rows and tail of the weights.
    width_ : float
        The width that was chosen.
    fit_ : Fit
        Coefficients, likelihood and its proven gap.
    source_similarity_ : dict
        Similarity of each of several sources; see `acclimate.sources.source_similarity`.
    source_model_, target_model_ : estimator
        The model before and after weighting.

    Raises
    ------
    InputError
        A setting is out of range, the target has one row, or the domains do not meet at any width.

    Warns
    -----
    ConvergenceWarning
        The likelihood may be more than 1e-4 below its optimum.

    Notes
    -----
    Deviations from the paper: the optimum is found by second-order steps, with a proven gap, in
    place of gradient steps; while a fold of the target is held out its rows are no centres either;
    and centres with a mean kernel below 1e-8 on the source are left out.

    References
    ----------
    Sugiyama et al., "Direct importance estimation for covariate shift adaptation",
    doi:10.1007/s10463-008-0197-x.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import KLIEP, Domain
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(300, 1)), rng.normal(size=(200, 1)) * 0.5 + 1
    >>> model = KLIEP(random_state=0).fit(X, (X[:, 0] > 1).astype(int), target=Domain(Xt))
    >>> bool(abs(np.average(X[:, 0], weights=model.weights_) - Xt.mean()) < 0.1)
    True
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **RatioAdapter._parameter_constraints,
        "widths": [Each(POSITIVE, least=1), None],
        "centres": [COUNT],
        "folds": [SEVERAL],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        widths: Sequence[float] | None = None,
        centres: int = 100,
        folds: int = 5,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.widths = widths
        self.centres = centres
        self.folds = folds

    def _ratio(self, X: Array, Xt: Array, counts: Array, seed: int) -> Array:
        if len(Xt) < 2:
            raise InputError(
                f"cross-validation needs 2 rows of the target, got n_samples = {len(Xt)}; "
                f"give more rows"
            )
        rows = in_key_order(Xt, seed)
        middle = rows[: self.centres]  # centre l is row l
        squared = euclidean_distances(X, middle, squared=True).astype(np.float64)
        squared_t = euclidean_distances(rows, middle, squared=True).astype(np.float64)
        widths = self.widths
        if widths is None:
            median = median_distance(X, Xt, seed, counts=counts)
            widths = [factor * median for factor in WIDTHS]
        keys = row_keys(rows, seed)
        fold, folds = spread(np.zeros(len(rows), dtype=np.intp), keys, self.folds)
        scores = [
            _held_out(squared, squared_t, float(width), fold, folds, counts)
            if len(widths) > 1
            else 0.0
            for width in widths
        ]
        order = np.argsort(-np.array(scores), kind="stable")
        for i in order:
            found = fit_width(squared, squared_t, float(widths[i]), counts)
            if found is not None:
                break
        else:
            raise InputError(
                f"the domains do not meet: at widths up to {max(widths):.3g} some target row has "
                f"no source row near it. Give larger widths or look at the domains"
            )
        if found.gap > GAP:
            warnings.warn(
                f"KLIEP's likelihood may be {found.gap:.2g} below its optimum; rescale the inputs "
                f"or give fewer centres",
                ConvergenceWarning,
                stacklevel=5,
            )
        self.width_, self.fit_ = float(widths[i]), found
        return rbf(squared, self.width_) @ found.theta


def _held_out(
    squared: Array,
    squared_t: Array,
    width: float,
    fold: NDArray[np.intp],
    folds: int,
    counts: Array,
) -> float:
    """Return the mean log ratio of held-out target rows; minus infinity where one is impossible."""
    b = squared.shape[1]
    total = 0.0
    for k in range(folds):
        kept = fold[:b] != k
        train = fold != k
        if not kept.any() or not train.any():
            continue
        found = fit_width(squared[:, kept], squared_t[train][:, kept], width, counts)
        if found is None:
            return float("-inf")
        r = rbf(squared_t[~train][:, kept], width) @ found.theta
        with np.errstate(divide="ignore"):
            total += float(np.log(r).sum())
    return total / len(fold)
