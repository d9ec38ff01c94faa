"""From data to pixels: scales and ticks of an axis, as pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A map from data in [low, high] to pixels in [start, stop], linear or in the logarithm.

    Examples
    --------
    >>> Scale(10.0, 1000.0, 0.0, 200.0, log=True)(100.0)
    100.0
    >>> Scale(3.0, 3.0, 0.0, 200.0)(3.0)  # nothing to spread: the middle
    100.0
    """

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        low, high = (math.log10(v) if self.log else v for v in (self.low, self.high))
        if high == low:
            return (self.start + self.stop) / 2
        share = ((math.log10(value) if self.log else value) - low) / (high - low)
        return self.start + share * (self.stop - self.start)

    def shows(self, value: float) -> bool:
        """Say whether a value has a place on this scale."""
        return math.isfinite(value) and (value > 0 or not self.log)


def linear_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round values that enclose [low, high], near `about` steps apart.

    Examples
    --------
    >>> linear_ticks(0.47, 0.88)
    [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    >>> linear_ticks(2.0, 2.0)
    [1.0, 2.0, 3.0]
    """
    if high - low < 1e-12 * max(abs(low), abs(high), 1.0):
        low, high, about = low - 1.0, high + 1.0, 2
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= raw * (1 - 1e-9))
    # the small allowance keeps a bound that is already round from gaining a step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return [round(k * step, digits) + 0.0 for k in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return the powers of ten that enclose [low, high], both above 0.

    Examples
    --------
    >>> log_ticks(50, 60000)
    [10.0, 100.0, 1000.0, 10000.0, 100000.0]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**k for k in range(first, last + 1)]


def fine_log_ticks(low: float, high: float) -> list[float]:
    """Return values that enclose [low, high]: 1, 2 and 5 times powers of ten, or powers alone.

    Examples
    --------
    >>> fine_log_ticks(0.018, 0.06), fine_log_ticks(0.018, 600.0)[:3]
    ([0.01, 0.02, 0.05, 0.1], [0.01, 0.1, 1.0])
    """
    powers = log_ticks(low, high)
    if len(powers) > 3:
        return powers
    if len(powers) == 1:
        powers = [powers[0], 10 * powers[0]]
    each = [float(f"{m * p:.6g}") for p in powers for m in (1, 2, 5) if m * p <= powers[-1]]
    first = max((t for t in each if t <= low), default=each[0])
    last = min((t for t in each if t >= high and t > first), default=each[-1])
    return [t for t in each if first <= t <= last]


def readable(positions: Sequence[float], widths: Sequence[float], gap: float = 5.0) -> list[bool]:
    """Choose tick labels from left to right so that no two touch; the last one always stays.

    Examples
    --------
    >>> readable([0, 10, 40], [16, 16, 16])
    [True, False, True]
    """
    keep = [False] * len(positions)
    if not positions:
        return keep
    keep[-1] = True
    limit = positions[-1] - widths[-1] / 2 - gap
    edge = -math.inf
    for k in range(len(positions) - 1):
        left, right = positions[k] - widths[k] / 2, positions[k] + widths[k] / 2
        if left >= edge and right <= limit:
            keep[k], edge = True, right + gap
    return keep
