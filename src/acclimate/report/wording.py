"""How reports write numbers and lists. Fractions come in, percent and points come out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"


def finite(value: Any) -> float | None:
    """Return the value as a finite float, or None where it is missing, NaN or not a number.

    Examples
    --------
    >>> finite(0.5), finite(None), finite(float("nan")), finite("x")
    (0.5, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def percent(fraction: Any, digits: int = 1) -> str:
    """Write a fraction as a percentage.

    Examples
    --------
    >>> percent(0.5125), percent(None)
    ('51.2 %', '–')
    """
    value = finite(fraction)
    return NOTHING if value is None else f"{100 * value:.{digits}f} %"


def points(fraction: Any, digits: int = 1) -> str:
    """Write a difference of two fractions in percentage points, always with its sign.

    Examples
    --------
    >>> points(0.08), points(-0.08), points(0.0001)
    ('+8.0', '−8.0', '0.0')
    """
    value = finite(fraction)
    if value is None:
        return NOTHING
    text = f"{abs(100 * value):.{digits}f}"
    if not text.strip("0."):
        return text
    return ("+" if value > 0 else MINUS) + text


def count(value: Any) -> str:
    """Write a whole number with a comma between thousands.

    Examples
    --------
    >>> count(60000), count(2.5), count(None)
    ('60,000', '2.5', '–')
    """
    number = finite(value)
    return NOTHING if number is None else f"{number:,.10g}"


def short_count(value: float) -> str:
    """Write a number for an axis tick: round thousands as k, round millions as M.

    Examples
    --------
    >>> [short_count(v) for v in (50, 1000, 60000, 2_500_000, 7291, 0.25)]
    ['50', '1k', '60k', '2.5M', '7,291', '0.25']
    """
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            round_enough = value % (unit / 10) == 0
            words = f"{value / unit:g}{letter}" if round_enough else count(value)
            return words.replace("-", MINUS)
    return f"{value:.4g}".replace("-", MINUS)


def sort_key(value: Any) -> str:
    """Write a number so that a script can sort by it; nothing where it is missing.

    Examples
    --------
    >>> sort_key(-0.08), sort_key(None)
    ('-0.08', '')
    """
    return "" if finite(value) is None else str(value)


def seconds(value: Any) -> str:
    """Write a duration given in seconds.

    Examples
    --------
    >>> seconds(7.93), seconds(125.0), seconds(None)
    ('7.9 s', '2 min 5 s', '–')
    """
    number = finite(value)
    if number is None:
        return NOTHING
    if number < 60:
        return f"{number:.1f} s"
    minutes, rest = divmod(round(number), 60)
    return f"{minutes} min {rest} s"


def listing(words: Sequence[str]) -> str:
    """Join words as a sentence does.

    Examples
    --------
    >>> listing(["50", "100", "500"])
    '50, 100 and 500'
    """
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " and " + words[-1]


def sentence(text: str) -> str:
    """Start with a capital letter and leave the rest as it was.

    Examples
    --------
    >>> sentence("copy all weights")
    'Copy all weights'
    """
    return text[:1].upper() + text[1:]
