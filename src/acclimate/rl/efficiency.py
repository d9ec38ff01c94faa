"""What training returned by the steps that it took, and how seeds compare: functions of arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acclimate.judging.intervals import Interval, gain_interval, settlement
from acclimate.judging.judged import Word, word_of_gain

Array = NDArray[np.floating[Any]]
WINDOW = 20  # episodes that a point of the curve is the mean of


class OverSeeds(NamedTuple):
    """A gain of a candidate over a reference, one pair a seed.

    Attributes
    ----------
    word : str
        "helps", "hurts", "makes no difference" or "not settled".
    gain, low, high : float
        Mean of the differences, and the ends of its interval.
    candidate, reference : float
        Means of both sides.
    seeds_to_settle : int or None
        Seeds that are expected to settle what is not settled.
    """

    word: Word
    gain: float
    low: float
    high: float
    candidate: float
    reference: float
    seeds_to_settle: int | None


def curve(episodes: Array, steps: Array) -> Array:
    """Return the mean return of the last 20 episodes that had ended by each number of steps.

    There are fewer at the beginning. Before the first has ended it is that of the first: nothing
    else is known.

    Parameters
    ----------
    episodes : ndarray of shape (n, 2)
        Steps until the end of each, rising, and its return; at least one row.
    steps : ndarray of shape (g,)

    Returns
    -------
    ndarray of shape (g,)

    Examples
    --------
    >>> curve(np.array([[10.0, 1.0], [20.0, 3.0]]), np.array([5.0, 10.0, 20.0]))
    array([1., 1., 2.])
    """
    ended = np.searchsorted(episodes[:, 0], steps, side="right").clip(1)
    sums = np.concatenate([[0.0], np.cumsum(episodes[:, 1])])
    first = (ended - WINDOW).clip(0)
    means: Array = (sums[ended] - sums[first]) / (ended - first)
    return means


def steps_to(episodes: Array, goal: float) -> float:
    """Return the steps after which the last 20 episodes have a mean return of at least ``goal``.

    It is infinite where they never have.

    Examples
    --------
    >>> steps_to(np.column_stack([np.arange(1.0, 41.0), np.repeat([0.0, 1.0], 20)]), 0.5)
    30.0
    """
    if len(episodes) < WINDOW:
        return np.inf
    means = np.convolve(episodes[:, 1], np.full(WINDOW, 1.0 / WINDOW), "valid")
    reached = np.flatnonzero(means >= goal - 1e-9 * max(1.0, abs(goal)))
    return float(episodes[WINDOW - 1 + reached[0], 0]) if len(reached) else np.inf


def over_seeds(
    candidate: Array, reference: Array, margin: float, confidence: float = 0.95
) -> OverSeeds:
    """Judge the mean difference of two sides, paired by seed, by Student's interval.

    Parameters
    ----------
    candidate, reference : ndarray of shape (s,)
        A figure of each of at least 2 seeds; more is better.
    margin : float, at least 0
        Differences within it count as none.
    confidence : float in (0, 1), default 0.95

    Examples
    --------
    >>> over_seeds(np.array([3.0, 4.0, 5.0]), np.array([1.0, 2.0, 2.0]), 0.1).word
    'helps'
    """
    differences = candidate - reference
    gain, low, high = gain_interval(differences, confidence)
    word = word_of_gain(Interval(gain, low, high), margin)
    more = None
    if word == "not settled":
        more = settlement(differences[None], margin, confidence).rows
    return OverSeeds(word, gain, low, high, float(candidate.mean()), float(reference.mean()), more)


def times_fewer(candidate: Array, reference: Array, confidence: float = 0.95) -> Interval:
    """Return how many times fewer steps a candidate takes: a geometric mean over seeds.

    Parameters
    ----------
    candidate, reference : ndarray of shape (s,)
        Steps of each seed, above 0.
    confidence : float in (0, 1), default 0.95

    Examples
    --------
    >>> round(times_fewer(np.array([100.0, 200.0]), np.array([200.0, 400.0])).estimate, 6)
    2.0
    """
    logs = gain_interval(np.log(reference) - np.log(candidate), confidence)
    return Interval(*(float(np.exp(end)) for end in logs))
