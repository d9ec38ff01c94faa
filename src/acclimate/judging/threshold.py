"""The threshold on a probability at which the answers score best."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.judging.scored import Metric, Scored
from acclimate.maths.at_threshold import codes_at

Floats = NDArray[np.float64]
MOST = 100  # thresholds that are tried
PLAIN = 0.5  # what is answered by anyway
_LEVEL = 1e-12  # scores nearer than this differ by rounding alone


def thresholds(chance: Floats, most: int = MOST) -> Floats:
    """Return the thresholds that are worth a try: midway between neighbours, and 0.5.

    Between two neighbours all thresholds give the same answers to these rows. Of more than ``most``
    places as many are taken, evenly by rank.

    Parameters
    ----------
    chance : ndarray of shape (n,)
        Probability of a class.
    most : int, default=100

    Returns
    -------
    ndarray
        Sorted, above 0 and below 1.

    Examples
    --------
    >>> thresholds(np.array([0.2, 0.4, 0.4])).round(3)
    array([0.1, 0.3, 0.5, 0.7])
    """
    ends = np.unique(np.concatenate([[0.0, 1.0], chance]))
    between = (ends[1:] + ends[:-1]) / 2
    between = between[(between > 0.0) & (between < 1.0)]
    if len(between) > most:
        between = between[np.linspace(0, len(between) - 1, most).round().astype(int)]
    found: Floats = np.union1d(between, PLAIN)
    return found


def best_threshold(metric: Metric, line: Scored, most: int = MOST) -> float:
    """Return the threshold at which a metric is best on some rows, above 0 and below 1.

    Use it on cross-fitted probabilities, of models that saw none of these rows. Do not take the
    score at the threshold for what to expect: it is the best of many on the same rows.

    Parameters
    ----------
    metric : Metric
        Of answers.
    line : Scored
        With probabilities of two classes. The threshold is on that of ``positive``, else of the
        last, and so is the score. Its answers do not count.
    most : int, default=100
        Thresholds that are tried; see `thresholds`.

    Returns
    -------
    float
        Of thresholds that score the same the nearest to 0.5, which it is itself where the metric is
        not defined on the rows.

    References
    ----------
    Lipton, Elkan and Naryanaswamy, "Optimal thresholding of classifiers to maximize F1 measure",
    doi:10.1007/978-3-662-44851-9_15, also on what is best without any information: to say the
    positive class of every row.

    Examples
    --------
    >>> from acclimate.judging.metrics import METRICS
    >>> chance, truth = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0, 0, 1, 1])
    >>> line = Scored(truth, truth, np.column_stack([1 - chance, chance]), np.arange(2), 1)
    >>> round(best_threshold(METRICS["f1"], line), 3)
    0.25
    """
    line = replace(line, positive=1 if line.positive is None else line.positive)
    assert line.proba is not None and line.positive is not None  # noqa: S101, PT018 - at the door
    found = thresholds(line.proba[:, line.positive], most)
    if metric.key in _BY_COUNTS:
        values = _BY_COUNTS[metric.key](counts_at(line, found))
    else:
        values = np.array([_value(metric, line, one) for one in found.tolist()])
    best = values.max()
    if not np.isfinite(best):
        return PLAIN
    level = found[values >= best - _LEVEL]
    return float(level[np.abs(level - PLAIN).argmin()])


class Counts(NamedTuple):
    """Weights of rows for each of T thresholds.

    Attributes
    ----------
    hits, said : ndarray of shape (T,)
        Rows that are said to be of the class and are, and all that are said to be of it.
    own, rows : float
        Rows of the class, and all.
    """

    hits: Floats
    said: Floats
    own: float
    rows: float


def counts_at(line: Scored, found: Floats) -> Counts:
    """Return what is said at each threshold (T,), and how much of it is right."""
    assert line.proba is not None and line.positive is not None  # noqa: S101, PT018 - at the door
    chance, own = line.proba[:, line.positive], line.truth == line.positive
    order = np.argsort(chance)
    first = np.searchsorted(chance[order], found)  # of the rows that are said to be of the class
    hits, said = (
        np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)[first]
        for weights in (line.w * own, line.w)
    )
    return Counts(hits, said, float(line.w[own].sum()), float(line.w.sum()))


def _over(top: Floats | float, bottom: Floats | float) -> Floats:
    """Return a share, 0 of nothing."""
    top, bottom = np.broadcast_arrays(top, bottom)
    share: Floats = np.divide(top, bottom, out=np.zeros(top.shape), where=bottom > 0)
    return share


def _balanced(c: Counts) -> Floats:
    others = c.rows - c.own
    recalls = _over(c.hits, c.own) + _over(others - c.said + c.hits, others)
    return recalls / ((c.own > 0) + (others > 0))


# The same as the metrics' own definitions, for all thresholds at once: each candidate needs some
# thousand values.
_BY_COUNTS: Mapping[str, Callable[[Counts], Floats]] = {
    "accuracy": lambda c: _over(c.rows - c.own - c.said + 2 * c.hits, c.rows),
    "balanced_accuracy": _balanced,
    "f1": lambda c: _over(2 * c.hits, c.said + c.own),
    "precision": lambda c: _over(c.hits, c.said),
    "recall": lambda c: _over(c.hits, c.own),
}


def _value(metric: Metric, line: Scored, value: float) -> float:
    """Return the score at a threshold, more is better; -inf where it is not defined."""
    assert line.proba is not None and line.positive is not None  # noqa: S101, PT018 - at the door
    try:
        line = replace(line, answers=codes_at(line.proba, line.positive, value))
        return metric.sign * metric.value(line)
    except InputError:
        return -np.inf
