"""Which target rows to label first, and what those labels say without bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from acclimate.exceptions import InputError
from acclimate.judging.intervals import Interval, check_confidence

Floats = NDArray[np.float64]
FLOOR = 0.1  # share of the draw that is spread over all rows alike
FEWEST, MOST = 20, 1000  # rows that are ever asked for


@dataclass(frozen=True, eq=False)
class Draw:
    """Rows to label, and their importance weights.

    Parameters
    ----------
    positions : ndarray of shape (k,)
        Rows of the target, ascending.
    weights : ndarray of shape (k,)
        One over the chance of being drawn, scaled so that a plain draw has weights of 1.
    """

    positions: NDArray[np.intp]
    weights: Floats


def disagreement(answers: NDArray[Any]) -> Floats:
    """Return for each row the chance that two of the candidates disagree, shape (m,).

    Parameters
    ----------
    answers : ndarray of shape (candidates, m)
        Predicted labels; for values, floats: then it is the standard deviation over candidates.

    Examples
    --------
    >>> import numpy as np
    >>> disagreement(np.array([["a", "b"], ["a", "a"]]))
    array([0. , 0.5])
    """
    if answers.dtype.kind == "f":
        spread: Floats = answers.std(axis=0)
        return spread
    codes = np.unique(answers, return_inverse=True)[1].reshape(answers.shape)
    counts = np.array([(codes == code).sum(axis=0) for code in range(codes.max() + 1)])
    chance: Floats = 1.0 - np.square(counts / len(answers)).sum(axis=0)
    return chance


def draw_rows(
    scores: ArrayLike,
    rows: int,
    *,
    strata: ArrayLike | None = None,
    floor: float = FLOOR,
    random_state: int = 0,
) -> Draw:
    r"""Draw rows to label, more often where candidates disagree.

    Use it to find out with few labels which of two candidates is better: rows on which they agree
    tell nothing about the difference. Do not use the labels that it brings as if they were a plain
    sample: the accuracy on them is far too low. `weighted_gain` corrects for it.

    Row i is drawn with chance :math:`\pi_i = \min(1, c\,q_i)`, with
    :math:`q_i = (1-f)\,s_i / \sum s + f / m` and c such that the chances add up to ``rows``. The
    draw is systematic along the strata and the scores, so each of them gets its share.

    Parameters
    ----------
    scores : array-like of shape (m,)
        At least 0, such as `disagreement`.
    rows : int
        Rows to draw, from 1 to m.
    strata : array-like of shape (m,), default=None
        Such as the predicted class.
    floor : float in (0, 1], default=0.1
        f: share that is spread over all rows. It keeps weights bounded. 1 is a plain draw.
    random_state : int, default=0

    Returns
    -------
    Draw

    Raises
    ------
    InputError
        A value is out of its range.

    References
    ----------
    Horvitz and Thompson, "A generalization of sampling without replacement from a finite universe",
    doi:10.1080/01621459.1952.10483446.
    Kossen, Farquhar, Gal and Rainforth, "Active testing: sample-efficient model evaluation",
    arXiv:2103.05331.

    Examples
    --------
    >>> draw = draw_rows([0.0, 0.0, 1.0, 1.0], 3)
    >>> [int(row) for row in draw.positions if row >= 2]  # those two are sure to be drawn
    [2, 3]
    """
    s = np.asarray(scores, dtype=np.float64)
    if s.ndim != 1 or not np.isfinite(s).all() or (s < 0).any():
        raise InputError("scores must be one finite number of at least 0 for each row")
    if not 1 <= rows <= len(s):
        raise InputError(f"rows must lie between 1 and the {len(s)} rows there are, got {rows!r}")
    if not 0 < floor <= 1:
        raise InputError(f"floor must lie in (0, 1], got {floor!r}")
    share = np.full(len(s), 1 / len(s))
    if s.sum() > 0:
        share = (1 - floor) * s / s.sum() + floor / len(s)
    chance = _chances(share, rows)
    rng = np.random.default_rng(random_state)
    ties = rng.permutation(len(s))
    groups = np.zeros(len(s)) if strata is None else np.unique(strata, return_inverse=True)[1]
    order = np.lexsort((ties, s, groups))
    ends = np.cumsum(chance[order])
    ends *= rows / ends[-1]  # against rounding
    places = np.searchsorted(ends, rng.random() + np.arange(rows), side="right")
    positions = np.sort(order[np.minimum(places, len(s) - 1)])
    return Draw(positions, rows / len(s) / chance[positions])


def _chances(share: Floats, rows: int) -> Floats:
    """Scale shares to chances that add up to ``rows``, none above 1."""
    chance = np.minimum(share * rows, 1.0)
    for _ in range(100):
        full = chance >= 1.0
        free = rows - full.sum()
        if full.all() or free <= 0:
            break
        again = np.where(full, 1.0, share * free / share[~full].sum())
        if (again <= 1.0).all():
            return again
        chance = np.minimum(again, 1.0)
    return chance


def weighted_gain(
    y_true: ArrayLike,
    candidate: ArrayLike,
    reference: ArrayLike,
    weights: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    r"""Estimate the gain in accuracy over all target rows from rows that `draw_rows` chose.

    Use it on labels of a draw. Do not use it on labels that came in another way.

    .. math:: \hat G = \frac1k \sum_i w_i \bigl([\hat y_i^a = y_i] - [\hat y_i^b = y_i]\bigr)

    which is the Horvitz-Thompson estimate of the mean over all m rows: without bias for any scores
    that the rows were drawn by.

    Parameters
    ----------
    y_true, candidate, reference : array-like of shape (k,)
        Labels and predictions of the drawn rows, in the order of the draw.
    weights : array-like of shape (k,)
        Of the draw.
    confidence : float in (0, 1), default 0.95

    Returns
    -------
    Interval
        With Student's quantile and the variance of draws with replacement, which is on the safe
        side. It covers the draw of rows; the two models are taken as they are.

    Raises
    ------
    InputError
        Lengths differ, or there are fewer than 2 rows.

    References
    ----------
    Horvitz and Thompson, doi:10.1080/01621459.1952.10483446.

    Examples
    --------
    >>> weighted_gain([0, 1, 1], [0, 1, 1], [1, 1, 0], [0.5, 2.0, 0.5]).estimate
    0.3333333333333333
    """
    check_confidence(confidence)
    truth, first, second = (np.asarray(side) for side in (y_true, candidate, reference))
    w = np.asarray(weights, dtype=np.float64)
    if truth.ndim != 1 or not truth.shape == first.shape == second.shape == w.shape:
        raise InputError(
            "y_true, candidate, reference and weights must have one value for each row"
        )
    if len(w) < 2:
        raise InputError(f"an interval takes at least 2 rows, got {len(w)}")
    each = w * ((first == truth).astype(np.float64) - (second == truth))
    # a pseudo pair, as in `gain_interval`: a few rows that all agree are no certainty
    padded = np.append(each, [w.max(), -w.max()]) if len(w) else each
    k = len(padded)
    half = float(stdtrit(k - 1, (1 + confidence) / 2) * np.sqrt(padded.var(ddof=1) / k))
    mean = float(each.mean())
    return Interval(mean, mean - half, mean + half)


def rows_to_label(disagree: float, gain: float, margin: float, confidence: float = 0.95) -> int:
    """Estimate how many drawn rows would tell a gain of this size from none.

    Where all drawn rows lie in the share on which the two disagree, the estimate is that share
    times a mean of values of 1, 0 and -1; so its standard error is at most the share over the root
    of the rows.

    Parameters
    ----------
    disagree : float in [0, 1]
        Share of the target on which the two candidates disagree.
    gain : float
        What is expected; the margin where that is smaller.
    margin, confidence : float

    Returns
    -------
    int
        Between 20 and 1000.

    Examples
    --------
    >>> rows_to_label(0.2, 0.05, 0.01), rows_to_label(0.0, 0.0, 0.01)
    (69, 20)
    """
    size = max(abs(gain), margin, 1e-6)
    quantile = float(stdtrit(np.inf, (1 + confidence) / 2))
    need = (quantile * disagree / size) ** 2 / (1 - FLOOR)
    return int(np.clip(np.ceil(min(need, 1e9)), FEWEST, MOST))
