"""How far estimates without target labels are off, from shifts whose labels are known."""

from __future__ import annotations

import numpy as np

# Over some 390 candidates on 10 simulated shifts of optdigits and pendigits, part "fit" of
# ``benchmarks/results/validators.json``. On hospitals, MNIST and USPS, and sentiment gains are
# off by less.
MEAN = 0.124  # of the absolute error of a gain over the source model
_LEVELS = (0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 1.0)
_GAIN = (0.0, 0.032, 0.09, 0.165, 0.301, 0.374, 0.42, 0.496, 0.913)  # absolute errors
_TAILS = (0.0, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 1.0)
_ACCURACY = (  # true minus estimated accuracy
    -0.936, -0.868, -0.861, -0.725, -0.621, -0.482, -0.236, -0.129, -0.021, 0.04, 0.071, 0.092,
    0.113, 0.121, 0.128,
)  # fmt: skip


def gain_error(confidence: float) -> float:
    """Return what this share of estimated gains over the source model is off by, at most.

    Parameters
    ----------
    confidence : float in (0, 1)
        The share. Between the levels that are known the error is interpolated.

    Returns
    -------
    float
        In units of accuracy: 0.1 is ten points.

    Examples
    --------
    >>> [round(gain_error(level), 3) for level in (0.5, 0.95, 0.99)]
    [0.09, 0.374, 0.496]
    """
    return float(np.interp(confidence, _LEVELS, _GAIN))


def accuracy_between(estimate: float, confidence: float) -> tuple[float, float]:
    """Return between what the true accuracy lies for this share of estimates.

    Estimates are too high more often than too low, so the interval reaches further down.

    Parameters
    ----------
    estimate : float in [0, 1]
        As `estimates.estimate_accuracy` gives it.
    confidence : float in (0, 1)
        The share; what is left is outside in equal parts below and above.

    Returns
    -------
    low, high : float
        Held between 0 and 1.

    Examples
    --------
    >>> [round(end, 3) for end in accuracy_between(0.8, 0.5)]
    [0.564, 0.779]
    """
    tail = (1.0 - confidence) / 2
    low, high = np.clip(estimate + np.interp([tail, 1 - tail], _TAILS, _ACCURACY), 0.0, 1.0)
    return float(low), float(high)
