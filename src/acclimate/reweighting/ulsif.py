"""`ULSIF`: least-squares fit of a density ratio; its mathematics serves `RULSIF`, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from sklearn.metrics.pairwise import euclidean_distances

from acclimate.exceptions import InputError
from acclimate.folds import row_keys
from acclimate.maths.kernels import rbf
from acclimate.reweighting.ratio import WIDTHS, Array, RatioAdapter, in_key_order, median_distance
from acclimate.settings import COUNT, POSITIVE, Constraints, Each

RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)


@dataclass(frozen=True)
class Choice:
    """The settings that leave-one-out chose.

    Parameters
    ----------
    width : float
        Of the RBF kernel.
    ridge : float
        Penalty on the coefficients.
    score : float
        Mean leave-one-out loss; lower is better.
    """

    width: float
    ridge: float
    score: float


def coefficients(
    Phi: Array, Phi_t: Array, alpha: float, ridge: float, counts: Array | None = None
) -> Array:
    """Return the coefficients of the relative density ratio, at least 0, shape (b,).

    Minimises ``alpha/2 mean_t r^2 + (1 - alpha)/2 mean_s r^2 - mean_t r + ridge/2 ||theta||^2``
    with ``r = Phi theta``, then cuts negative coefficients to 0.

    Parameters
    ----------
    Phi : ndarray of shape (n, b)
        Kernel of source rows with centres.
    Phi_t : ndarray of shape (m, b)
        Kernel of target rows with centres.
    alpha : float in [0, 1)
        Share of the target in the mixture that the ratio is relative to.
    ridge : float, above 0
        Penalty.
    counts : ndarray of shape (n,), default=None
        How many rows each source row stands for; None is one each.
    """
    n, inner = _second_moment(Phi, counts)
    H = (1 - alpha) / n * inner + alpha / len(Phi_t) * (Phi_t.T @ Phi_t)
    H.flat[:: len(H) + 1] += ridge
    theta: Array = cho_solve(cho_factor(H), Phi_t.mean(0))
    return np.maximum(theta, 0.0)


def _second_moment(Phi: Array, counts: Array | None) -> tuple[float, Array]:
    """Return how many rows there are, and the sum of their outer products, shape (b, b)."""
    if counts is None:
        return float(len(Phi)), Phi.T @ Phi
    return float(counts.sum()), (Phi * counts[:, None]).T @ Phi


def leave_one_out(
    Phi: Array, Phi_t: Array, alpha: float, ridge: float, counts: Array | None = None
) -> float:
    """Return the mean loss on pairs of rows left out, in closed form.

    For i = 1..min(n, m), source row i and target row i are left out together, the coefficients of
    `coefficients` are found without them, and the loss
    ``alpha/2 r(x'_i)^2 + (1 - alpha)/2 r(x_i)^2 - r(x'_i)`` is taken at the two. Leaving out a pair
    changes the system by rank two, so that one factorisation serves all pairs. A row that stands
    for three is met three times, and one of the three is left out.

    Parameters
    ----------
    Phi : ndarray of shape (n, b)
        Kernel of source rows with centres, n at least 2.
    Phi_t : ndarray of shape (m, b)
        Kernel of target rows with centres, m at least 2.
    alpha : float in [0, 1)
        Share of the target in the mixture.
    ridge : float, above 0
        Penalty.
    counts : ndarray of shape (n,), default=None
        How many rows each source row stands for; None is one each.
    """
    m = len(Phi_t)
    n, inner = _second_moment(Phi, counts)
    pairs = min(round(n), m)
    a, c = (1 - alpha) / (n - 1), alpha / (m - 1)
    H = a * inner + c * (Phi_t.T @ Phi_t)
    H.flat[:: len(H) + 1] += ridge
    factor = cho_factor(H)
    S, T, one = Phi[:pairs], Phi_t[:pairs], np.ones(pairs)  # how much of a row is left out
    if counts is not None:
        met = np.searchsorted(np.cumsum(counts), np.arange(pairs) + 0.5)
        met = np.minimum(met, len(Phi) - 1)
        S, one = Phi[met], np.minimum(counts[met], 1.0)
    mean_t = (Phi_t.sum(0) - T) / (m - 1)  # (pairs, b): the target's mean without row i
    base = cho_solve(factor, mean_t.T).T
    u, v = cho_solve(factor, S.T).T, cho_solve(factor, T.T).T
    # Woodbury with the two columns sqrt(a) s and sqrt(c) t: a 2 x 2 system a pair
    ss, tt = a * one * (S * u).sum(1), c * (T * v).sum(1)
    st = np.sqrt(a * one * c) * (S * v).sum(1)
    p, q = np.sqrt(a * one) * (S * base).sum(1), np.sqrt(c) * (T * base).sum(1)
    determinant = (1 - ss) * (1 - tt) - st**2
    along_s = np.sqrt(a * one) * ((1 - tt) * p + st * q) / determinant
    along_t = np.sqrt(c) * (st * p + (1 - ss) * q) / determinant
    theta = np.maximum(base + along_s[:, None] * u + along_t[:, None] * v, 0.0)
    r, r_t = (S * theta).sum(1), (T * theta).sum(1)
    return float((alpha / 2 * r_t**2 + (1 - alpha) / 2 * r**2 - r_t).mean())


def fit_ratio(
    X: Array,
    Xt: Array,
    alpha: float,
    widths: Sequence[float] | None,
    ridges: Sequence[float],
    centres: int,
    seed: int,
    counts: Array,
) -> tuple[Array, Choice]:
    """Return the ratio at the source rows, shape (n,), and the settings that were chosen.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Source rows.
    Xt : ndarray of shape (m, d)
        Target rows.
    alpha : float in [0, 1)
        Share of the target in the mixture.
    widths : sequence of float or None
        Widths to try; None tries multiples of the median distance.
    ridges : sequence of float
        Penalties to try.
    centres : int
        Most target rows that serve as centres.
    seed : int
        Decides which rows are centres and which are paired.
    counts : ndarray of shape (n,)
        How many rows each source row stands for.
    """
    if min(counts.sum(), len(Xt)) < 2:
        raise InputError(
            f"leave-one-out needs 2 rows in each domain, got n_samples = {len(X)} in the source "
            f"and {len(Xt)} in the target; give more rows"
        )
    middle, order = in_key_order(Xt, seed, centres), np.argsort(row_keys(X, seed), kind="stable")
    ordered = None if (counts == 1).all() else counts[order]
    squared = euclidean_distances(X[order], middle, squared=True).astype(np.float64)
    squared_t = euclidean_distances(in_key_order(Xt, seed), middle, squared=True).astype(np.float64)
    if widths is None:
        median = median_distance(X, Xt, seed, counts=counts)
        widths = [factor * median for factor in WIDTHS]
    best = Choice(float("nan"), float("nan"), float("inf"))
    for width in widths:
        Phi, Phi_t = rbf(squared, width), rbf(squared_t, width)
        for ridge in ridges:
            score = leave_one_out(Phi, Phi_t, alpha, ridge, ordered)
            if score < best.score:
                best = Choice(float(width), float(ridge), score)
    Phi, Phi_t = rbf(squared, best.width), rbf(squared_t, best.width)
    theta = coefficients(Phi, Phi_t, alpha, best.ridge, ordered)
    own = euclidean_distances(X, middle, squared=True).astype(np.float64)
    return rbf(own, best.width) @ theta, best


class ULSIF(RatioAdapter):
    """Weigh source rows by a least-squares fit of p_target(x) / p_source(x).

    Use it when the inputs are distributed differently, the relation between inputs and labels is
    the same, and there are few features. It has a closed form and tunes itself. Do not use it where
    the ratio grows without bound, as it does when the target is wider than the source: `RULSIF` is
    steadier there. Nor with many features, where kernels on distances say little.

    Fits ``r(x) = sum_l theta_l exp(-||x - c_l||^2 / (2 width^2))`` with target rows as centres by
    minimising ``1/2 mean_source r^2 - mean_target r + ridge/2 ||theta||^2``.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model. None means ``LogisticRegression(max_iter=1000)``.
    widths : sequence of float, default=None
        Widths to try, above 0, in units of the inputs. None is a quarter to four times the median
        distance.
    ridges : sequence of float, default=(0.001, 0.01, 0.1, 1.0, 10.0)
        Penalties to try, above 0.
    centres : int, default=100
        Most target rows that serve as centres, at least 1.
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
    choice_ : Choice
        Width and penalty with the least leave-one-out loss.
    source_similarity_ : dict
        Similarity of each of several sources; see `acclimate.sources.source_similarity`.
    source_model_, target_model_ : estimator
        The model before and after weighting.

    Raises
    ------
    InputError
        A setting is out of range, a domain has one row, or all weights are 0.

    Notes
    -----
    As in the paper, negative coefficients are cut to 0 after the fit, in leave-one-out, too, and
    pairs of one source and one target row are left out together while centres stay. Deviation:
    which rows are paired depends on their values and the seed, not on their place.

    References
    ----------
    Kanamori, Hido and Sugiyama, "A least-squares approach to direct importance estimation",
    Journal of Machine Learning Research 10:1391-1445 (2009).
    Yamada et al., "Relative density-ratio estimation for robust distribution comparison",
    arXiv:1106.4729, whose ``alpha = 0`` this is.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import ULSIF, Domain
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(300, 1)), rng.normal(size=(200, 1)) * 0.5 + 1
    >>> model = ULSIF(random_state=0).fit(X, (X[:, 0] > 1).astype(int), target=Domain(Xt))
    >>> bool(abs(np.average(X[:, 0], weights=model.weights_) - Xt.mean()) < 0.1)
    True
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **RatioAdapter._parameter_constraints,
        "widths": [Each(POSITIVE, least=1), None],
        "ridges": [Each(POSITIVE, least=1)],
        "centres": [COUNT],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        widths: Sequence[float] | None = None,
        ridges: Sequence[float] = RIDGES,
        centres: int = 100,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.widths = widths
        self.ridges = ridges
        self.centres = centres

    def _ratio(self, X: Array, Xt: Array, counts: Array, seed: int) -> Array:
        w, self.choice_ = fit_ratio(
            X, Xt, 0.0, self.widths, self.ridges, self.centres, seed, counts
        )
        return w
