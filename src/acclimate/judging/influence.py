"""What each row contributes to a score: pure functions whose mean over the rows is the score.

For a mean over rows a contribution is the row's own score. For a ratio, a mean over classes or a
score of ranks it is the first-order influence of the row, so that the spread of the contributions
is that of the score, and the difference of two sides is paired by row. Weights w have a mean of 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def ratio(top: Floats, bottom: Floats, weights: Floats) -> Floats:
    """Return contributions to sum(w top) / sum(w bottom), shape (N,); 0 where the latter is 0.

    Examples
    --------
    >>> ratio(np.array([1.0, 0.0]), np.array([1.0, 1.0]), np.ones(2))
    array([1., 0.])
    """
    below = float(np.mean(weights * bottom))
    if below == 0.0:
        return np.zeros(len(top))
    value = float(np.mean(weights * top)) / below
    parts: Floats = value + weights * (top - value * bottom) / below
    return parts


def f1(truth: Mask, said: Mask, weights: Floats) -> Floats:
    """Return contributions to the F1 of a class, from which rows are of it and are said to be."""
    hits, both = (truth & said).astype(np.float64), truth.astype(np.float64) + said
    return ratio(2.0 * hits, both, weights)


def precision(truth: Mask, said: Mask, weights: Floats) -> Floats:
    """Return contributions to the share of a class among the rows that are said to be of it."""
    return ratio((truth & said).astype(np.float64), said.astype(np.float64), weights)


def recall(truth: Mask, said: Mask, weights: Floats) -> Floats:
    """Return contributions to the share of a class's rows that are said to be of it."""
    return ratio((truth & said).astype(np.float64), truth.astype(np.float64), weights)


def area_under_roc(
    truth: Mask, scores: Floats, weights: Floats, folds: NDArray[np.intp] | None = None
) -> Floats:
    r"""Return contributions to the area under the ROC curve, shape (N,).

    The area A is the share of pairs of a row of the class and another that scores order rightly;
    ties count half. With pairs :math:`k_{ij}` a row i of the class contributes
    :math:`A + N w_i \sum_j w_j (k_{ij} - A) / \sum_{ij} w_i w_j`, and the others alike.

    With ``folds`` only pairs of one fold count, since scores of two folds come from two models:
    where a fold holds more of the class, its model has seen fewer and says less, which pulls the
    area of a model without any information below a half. Pairs of one fold are few, so the spread
    is taken from all pairs of the ranks that scores have in their own folds.

    Parameters
    ----------
    truth : bool ndarray of shape (N,)
        Which rows are of the class.
    scores, weights : ndarray of shape (N,)
    folds : ndarray of shape (N,), default=None

    Returns
    -------
    ndarray of shape (N,)
        NaN where there is no pair; with ``folds``, none in one of them.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver
    operating characteristic curves", doi:10.2307/2531595. Airola et al., "An experimental
    comparison of cross-validation techniques for estimating the area under the ROC curve",
    doi:10.1016/j.csda.2010.11.018, on scores of several folds.
    """
    if folds is None:
        return _by_pairs(truth, scores, weights)
    area = total = 0.0
    ranks = np.empty(len(truth))
    for fold in np.unique(folds):
        mine = folds == fold
        _, place, counts = np.unique(scores[mine], return_inverse=True, return_counts=True)
        ranks[mine] = (np.cumsum(counts) - counts / 2.0)[place] / mine.sum()
        pairs = float(weights[mine & truth].sum() * weights[mine & ~truth].sum())
        if pairs > 0.0:
            area += pairs * float(_by_pairs(truth[mine], scores[mine], weights[mine]).mean())
            total += pairs
    if total == 0.0:
        return np.full(len(truth), np.nan)
    parts = _by_pairs(truth, ranks, weights)
    return parts + (area / total - float(parts.mean()))


def _by_pairs(truth: Mask, scores: Floats, weights: Floats) -> Floats:
    """Return contributions to the area over all pairs; NaN where there is none."""
    won, pairs = np.empty(len(truth)), np.empty(len(truth))
    for here, sign in ((truth, 1.0), (~truth, -1.0)):
        won[here] = _weight_below(sign * scores[here], sign * scores[~here], weights[~here])
        pairs[here] = weights[~here].sum()
    total = float((weights * pairs)[truth].sum())
    if total == 0.0:
        return np.full(len(truth), np.nan)
    area = float((weights * won)[truth].sum()) / total
    parts: Floats = area + len(truth) * weights * (won - area * pairs) / total
    return parts


def _weight_below(scores: Floats, others: Floats, weights: Floats) -> Floats:
    """Return for each score the weight of the others below it, and half of that of its equals."""
    order = np.argsort(others, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(weights[order])])
    ends = (np.searchsorted(others[order], scores, side) for side in ("left", "right"))
    below: Floats = sum(sums[one] for one in ends) / 2.0  # type: ignore[assignment]
    return below


def average_precision(truth: Mask, scores: Floats, weights: Floats) -> Floats:
    """Return contributions to the average precision: the derivative by the weight of each row.

    It is the mean, over the rows of the class, of the precision among the rows that score as much
    or more.

    Returns
    -------
    ndarray of shape (N,)
        NaN where no row is of the class.
    """
    if not truth.any():
        return np.full(len(truth), np.nan)
    _, place = np.unique(-scores, return_inverse=True)  # 0 for the highest score
    of_class, of_all = (np.bincount(place, weights * one) for one in (truth, np.ones(len(truth))))
    above = np.cumsum(of_all)
    precise = np.cumsum(of_class) / above
    whole = float(of_class.sum())
    value = float((of_class * precise).sum()) / whole
    # a row moves the precision at its own score and at all below
    from_below = [np.cumsum((of_class * one / above)[::-1])[::-1] for one in (1.0, precise)]
    slope = truth * (precise[place] - value) + truth * from_below[0][place] - from_below[1][place]
    parts: Floats = value + len(truth) * weights * slope / whole
    return parts


def root_mean_square(errors: Floats) -> Floats:
    """Return contributions to the root of the mean square of errors."""
    squares = np.square(errors)
    root = float(np.sqrt(squares.mean()))
    return np.zeros(len(errors)) if root == 0.0 else root + (squares - root**2) / (2.0 * root)


def r2(truth: Floats, errors: Floats) -> Floats:
    """Return contributions to R2; the values are not constant."""
    spread = np.square(truth - truth.mean())
    value = 1.0 - np.square(errors).mean() / spread.mean()
    parts: Floats = value + ((1.0 - value) * spread - np.square(errors)) / spread.mean()
    return parts


def jackknife(value: Callable[[NDArray[np.intp]], float], rows: int, most: int = 200) -> Floats:
    """Return contributions to any score of rows by leaving rows out, centred on the score.

    Use it where no derivative is at hand. Do not use it for scores that jump, such as a median: the
    jackknife does not know their spread.

    Parameters
    ----------
    value : callable
        Gives the score of the rows at these positions.
    rows : int
        How many there are.
    most : int, default=200
        Most blocks that are left out one after the other; row i is in block i modulo their number.
        With blocks of d rows the deviations are multiplied by the root of d, which keeps the
        variance of the mean.

    Returns
    -------
    ndarray of shape (rows,)

    References
    ----------
    Efron and Stein, "The jackknife estimate of variance", doi:10.1214/aos/1176345462. Shao and Wu,
    "A general theory for jackknife variance estimation", doi:10.1214/aos/1176347263, on blocks.
    """
    everything = np.arange(rows)
    whole = value(everything)
    block = everything % min(rows, most)
    left = np.array([value(everything[block != one]) for one in range(block.max() + 1)])
    size = np.bincount(block)
    away = (rows - size) / np.sqrt(size) * (left.mean() - left)
    parts: Floats = whole + (away[block] - away[block].mean())
    return parts
