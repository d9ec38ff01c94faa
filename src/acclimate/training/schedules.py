"""Schedules: pure functions from progress in [0, 1] to a factor."""

from __future__ import annotations

import math
from collections.abc import Callable

Ramp = Callable[[float], float]


def constant(progress: float) -> float:
    """Return 1 at every progress."""
    return 1.0


def linear(progress: float) -> float:
    """Fall from 1 to 0 in a straight line.

    >>> linear(0.25)
    0.75
    """
    return 1.0 - progress


def cosine(progress: float) -> float:
    """Fall from 1 to 0 along half a cosine wave (arXiv:1608.03983).

    >>> cosine(0.0), cosine(1.0)
    (1.0, 0.0)
    """
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def inverse(progress: float) -> float:
    """Fall as ``(1 + 10 p) ** -0.75``, the rate of DANN (arXiv:1505.07818)."""
    return float((1.0 + 10.0 * progress) ** -0.75)


def sigmoid_ramp(progress: float) -> float:
    """Rise from 0 to 1 as ``2 / (1 + exp(-10 p)) - 1``, the weight of DANN (arXiv:1505.07818)."""
    return 2.0 / (1.0 + math.exp(-10.0 * progress)) - 1.0


def rising(top: float) -> Ramp:
    """Rise from 0 to ``top`` as `sigmoid_ramp` does.

    >>> rising(2.0)(0.0)
    0.0
    """
    return lambda progress: top * sigmoid_ramp(progress)


def exponential(start: float) -> Ramp:
    """Rise from ``start`` to 1 at a steady ratio (arXiv:1506.01186).

    >>> ramp = exponential(0.01)
    >>> ramp(0.0), round(ramp(0.5), 12), ramp(1.0)
    (0.01, 0.1, 1.0)
    """
    return lambda progress: float(start ** (1.0 - progress))


def warmed_up(ramp: Ramp, share: float) -> Ramp:
    """Rise linearly over the first ``share`` of the run, then follow ``ramp`` over the rest.

    >>> warmed_up(linear, 0.5)(0.25), warmed_up(linear, 0.5)(0.75)
    (0.5, 0.5)
    """
    if share <= 0.0:
        return ramp

    def scheduled(progress: float) -> float:
        if progress < share:
            return progress / share
        return ramp((progress - share) / (1.0 - share)) if share < 1.0 else 1.0

    return scheduled


SCHEDULES: dict[str, Ramp] = {
    "constant": constant,
    "linear": linear,
    "cosine": cosine,
    "inverse": inverse,
}
