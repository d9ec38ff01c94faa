"""Are two samples from one distribution, how far apart are they, and do they overlap?"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.folds import few_label_folds
from acclimate.workers import spread

Floats = NDArray[np.float64]

PERMUTATIONS = 499
FAR = 8.0  # standard deviations beyond which a value is taken for this many
BINS = 64
STEP = 0.25  # standard deviations
NEIGHBOURS = 5
INSIDE = 0.99  # share of source rows that its support is to hold


class Distance(NamedTuple):
    """A distance with the ends of its interval and the p value of no distance."""

    value: float
    low: float
    high: float
    p: float


class Overlap(NamedTuple):
    """How much of the target lies where the source is.

    ``inside`` is a share of target rows, expected at ``held`` where nothing differs; ``p`` is that
    of their equality.
    """

    inside: float
    held: float
    p: float


def standardise(source: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Scale by the mean and deviation of both, fill gaps with the mean, and tell of gaps.

    Both samples are treated alike, so that under no difference they stay exchangeable.

    Parameters
    ----------
    source : ndarray of shape (n, d)
    target : ndarray of shape (m, d)
        NaN where missing.

    Returns
    -------
    tuple of two ndarrays of shapes (n, k) and (m, k)
        Without constant columns; with a column of 0 and 1 for each that has gaps.
    """
    both = np.concatenate([source, target])
    gaps = np.isnan(both)
    known = np.maximum((~gaps).sum(axis=0), 1)
    filled = np.where(gaps, 0.0, both)
    mean = filled.sum(axis=0) / known
    centred = np.where(gaps, 0.0, both - mean)
    deviation = np.sqrt(np.square(centred).sum(axis=0) / known)
    varies = deviation > 1e-9 * np.maximum(np.abs(mean), 1e-300)
    scaled = np.clip(centred[:, varies] / deviation[varies], -FAR, FAR)
    some = gaps.any(axis=0)
    result = np.column_stack([scaled, gaps[:, some].astype(np.float64)])
    return result[: len(source)], result[len(source) :]


def scale_apart(source: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Centre and scale each domain by itself, in steps of a quarter of a standard deviation.

    The steps hide that measured values come in steps, too, which would differ once scaled. Columns
    of few values, such as indicators and counts, stay as they are.

    Parameters
    ----------
    source : ndarray of shape (n, d)
    target : ndarray of shape (m, d)
        NaN where missing.
    """
    sides = (source.copy(), target.copy())
    for j in range(source.shape[1]):
        columns = [side[:, j][~np.isnan(side[:, j])] for side in sides]
        if any(_coarse_steps(c) for c in columns):
            continue
        for side, c in zip(sides, columns, strict=True):
            side[:, j] = np.round((side[:, j] - c.mean()) / c.std() / STEP) * STEP
    return sides


def _coarse_steps(x: Floats) -> bool:
    """Return whether neighbouring values lie further apart than a step, as a rule."""
    ordered = np.sort(x)
    different = np.unique(ordered)
    if len(different) < 3:
        return True
    central = different[
        (different >= np.quantile(ordered, 0.1)) & (different <= np.quantile(ordered, 0.9))
    ]
    return len(central) < 2 or float(np.median(np.diff(central))) > STEP * float(x.std())


def mmd_test(source: Floats, target: Floats, seed: int = 0) -> Distance:
    """Test for any difference of distributions by the maximum mean discrepancy.

    The squared discrepancy in the space of a Gaussian kernel, whose squared width is the median
    squared distance of all pairs; the p value is that of 499 permutations of the domains.

    Parameters
    ----------
    source : ndarray of shape (n, d)
    target : ndarray of shape (m, d)
        A sample: the kernel matrix has (n + m)^2 entries.
    seed : int, default=0
        Seeds the permutations.

    Returns
    -------
    Distance
        The unbiased estimate, which may be below 0. ``low`` and ``high`` are the 2.5 and 97.5 %
        points of the estimate where there is no difference.

    Notes
    -----
    Gretton and others, "A kernel two-sample test", JMLR 13, 2012 (no DOI).
    """
    from scipy.spatial.distance import pdist, squareform

    n, m = len(source), len(target)
    squared = pdist(np.concatenate([source, target]), "sqeuclidean")
    positive = squared[squared > 0]
    if not len(positive):
        return Distance(0.0, 0.0, 0.0, 1.0)
    K = squareform(np.exp(-squared / np.median(positive)))  # 0 on the diagonal, as wanted
    rng = np.random.default_rng(seed)
    sides = np.zeros((n + m, PERMUTATIONS + 1))
    sides[:n, 0] = 1.0
    for column in range(1, PERMUTATIONS + 1):
        sides[rng.permutation(n + m)[:n], column] = 1.0
    within = np.einsum("ij,ij->j", sides, K @ sides)
    row = K.sum(axis=1)
    total = float(row.sum())
    of_source = row @ sides
    across = of_source - within
    rest = total - within - 2.0 * across
    values = within / (n * (n - 1)) + rest / (m * (m - 1)) - 2.0 * across / (n * m)
    p = float((values >= values[0] - 1e-12).mean())
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Distance(float(values[0]), float(low), float(high), p)


def domain_probabilities(
    source: Floats, target: Floats, weights: Floats | None = None, seed: int = 0
) -> tuple[Floats, Floats]:
    """Return the probability of being a target row, from classifiers that did not see the row.

    The mean of a logistic regression and of boosted trees, over 5 folds; both domains weigh the
    same. The first finds differences in many numbers at once, the second those of any shape.

    Parameters
    ----------
    source : ndarray of shape (n, d)
    target : ndarray of shape (m, d)
        Standardised, in an order that does not depend on that of the user's rows.
    weights : ndarray of shape (n,), default=None
        Weights of the source rows.
    seed : int, default=0
        Seeds the folds.
    """
    n, m = len(source), len(target)
    X = np.concatenate([source, target])
    side = np.repeat([0, 1], [n, m])
    w = np.ones(n + m)
    if weights is not None:
        w[:n] = weights / weights.mean()
    ranks = _coarse_ranks(X)  # scikit-learn's own weighted bins take seconds
    p = np.full(n + m, 0.5)
    parts = list(few_label_folds(side, classify=True, folds=5, seed=seed))
    found = spread(_of_fold, parts, common=(X, ranks, side, w))
    for (_, held), one in zip(parts, found, strict=True):
        p[held] = one
    return p[:n], p[n:]


def _of_fold(
    X: Floats, ranks: Floats, side: NDArray[np.intp], w: Floats, train: NDArray[np.intp],
    held: NDArray[np.intp],
) -> Floats:  # fmt: skip
    """Return the probabilities for the rows that are held out, shape (h,)."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    p = np.full(len(held), 0.5)
    balanced = w[train] / np.bincount(side[train], w[train])[side[train]] * len(train) / 2
    linear = LogisticRegression(C=0.1, max_iter=300)
    trees = HistGradientBoostingClassifier(
        max_iter=20, learning_rate=0.2, max_leaf_nodes=8, min_samples_leaf=10, early_stopping=False
    )
    for model, Z in ((linear, X), (trees, ranks)):
        model.fit(Z[train], side[train], sample_weight=balanced)
        p += 0.5 * (model.predict_proba(Z[held])[:, 1] - 0.5)
    return p


def _coarse_ranks(X: Floats) -> Floats:
    """Return each value's place among 63 quantiles of its column, shape (n, d)."""
    cuts = np.quantile(X, np.linspace(0, 1, BINS + 1)[1:-1], axis=0)
    places = [np.searchsorted(np.unique(cuts[:, j]), X[:, j]) for j in range(X.shape[1])]
    return np.column_stack(places).astype(np.float64)


def a_distance(
    p_source: Floats,
    p_target: Floats,
    weights: Floats | None = None,
    confidence: float = 0.95,
) -> Distance:
    """Return the proxy A-distance ``2 (1 - 2 error)`` of a domain classifier, with its interval.

    0 where the classifier guesses, 2 where it is always right; error is the mean of the errors on
    either domain. The interval is normal, with one right and one wrong row added on each side.

    Parameters
    ----------
    p_source : ndarray of shape (n,)
    p_target : ndarray of shape (m,)
        Held-out probabilities of being a target row.
    weights : ndarray of shape (n,), default=None
        Weights of the source rows.
    confidence : float in (0, 1), default=0.95

    References
    ----------
    Ben-David and others, "A theory of learning from different domains",
    doi:10.1007/s10994-009-5152-4.
    """
    from scipy.stats import norm

    w = np.ones(len(p_source)) if weights is None else weights
    right = [(p_source < 0.5) + 0.5 * (p_source == 0.5), (p_target > 0.5) + 0.5 * (p_target == 0.5)]
    shares = [float(np.average(right[0], weights=w)), float(right[1].mean())]
    rows = [float(w.sum() ** 2 / np.square(w).sum()), float(len(p_target))]
    variance = 0.0
    for share, n in zip(shares, rows, strict=True):
        eased = (share * n + 1.0) / (n + 2.0)
        variance += 0.25 * eased * (1.0 - eased) / (n + 2.0)
    null = np.sqrt(0.25 * sum(0.25 / n for n in rows))
    accuracy = 0.5 * sum(shares)
    half = float(norm.ppf(0.5 + confidence / 2.0) * np.sqrt(variance))
    low, value, high = (4.0 * (a - 0.5) for a in (accuracy - half, accuracy, accuracy + half))
    p = float(norm.sf((accuracy - 0.5) / null))
    return Distance(max(value, 0.0), float(np.clip(low, 0, 2)), float(np.clip(high, 0, 2)), p)


def effective_share(p_source: Floats) -> float:
    """Return the effective share of source rows when they are weighed to look like the target.

    ``(sum w)^2 / (n sum w^2)`` with the classifier's odds w, from probabilities in [0.001, 0.999].
    Odds of domains that overlap are 1 on average; where their mean is lower, the share is, too.
    """
    held = np.clip(p_source, 1e-3, 1.0 - 1e-3)
    w = held / (1.0 - held)
    return float(w.sum() ** 2 / (len(w) * np.square(w).sum()) * min(1.0, w.mean()))


def overlap(source: Floats, target: Floats) -> Overlap:
    """Return the share of target rows that lie inside the source's support.

    Half of the source is the map, the other half the measure: a row is inside where the distance to
    its 5th neighbour on the map is at most that of 99 % of the other half.

    Parameters
    ----------
    source : ndarray of shape (n, d)
        Standardised rows, in random order; at least 20.
    target : ndarray of shape (m, d)
    """
    from sklearn.neighbors import NearestNeighbors

    half = len(source) // 2
    if half < 10:
        raise InputError(f"overlap needs at least 20 source rows, got {len(source)}")
    near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, half), algorithm="brute")
    near.fit(source[:half])
    own = near.kneighbors(source[half:])[0][:, -1]
    theirs = near.kneighbors(target)[0][:, -1]
    limit = np.quantile(own, INSIDE, method="inverted_cdf")
    held = int((own <= limit).sum())
    inside = int((theirs <= limit).sum())
    from acclimate.diagnosis.drift import shares_p

    p = shares_p(held, len(own), inside, len(theirs))
    return Overlap(inside / len(theirs), held / len(own), p)


def shares_test(source: NDArray[np.intp], target: NDArray[np.intp]) -> tuple[float, float]:
    """Return the distance of two distributions over classes, and its p value by chi-square.

    Classes that expect fewer than 5 rows in either sample are pooled.

    Parameters
    ----------
    source, target : integer ndarray of shape (k,)
        Rows of each class.

    Returns
    -------
    tuple of float
        Total variation from 0 to 1, and the p value.
    """
    from scipy.stats import chi2_contingency

    table = np.array([source, target], dtype=np.float64)
    totals = table.sum(axis=1)
    if not totals.all():
        return 0.0, 1.0
    distance = float(np.abs(np.diff(table / totals[:, None], axis=0)).sum() / 2.0)
    rare = table.sum(axis=0) * totals.min() / totals.sum() < 5
    pooled = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    pooled = pooled[:, pooled.sum(axis=0) > 0]
    if pooled.shape[1] < 2:
        return distance, 1.0
    return distance, float(chi2_contingency(pooled, correction=False).pvalue)


def target_shares(confusion: Floats, predicted: Floats, shares: Floats) -> Floats | None:
    """Return the class shares of the target, if nothing but the shares differs, shape (k,).

    Least squares over shares of at least 0 of ``C q / p = mu``; None where the classifier tells too
    little.

    Parameters
    ----------
    confusion : ndarray of shape (k, k)
        ``C[i, j]``: share of held-out source rows of class j that are predicted as i.
    predicted : ndarray of shape (k,)
        Share of target rows that are predicted as each class.
    shares : ndarray of shape (k,)
        Class shares of the source.

    References
    ----------
    Lipton, Wang and Smola, "Detecting and correcting for label shift with black box predictors",
    arXiv:1802.03916.
    """
    from scipy.optimize import nnls

    if np.linalg.svd(confusion, compute_uv=False)[-1] < 1e-3 / len(shares):
        return None
    estimate: Any = nnls(confusion, predicted)[0] * shares
    if not estimate.any():
        return None
    result: Floats = estimate / estimate.sum()
    return result
