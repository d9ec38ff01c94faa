"""How results are worded everywhere: figures, lists, and the sign of a word.

Fractions come in, percent and points come out. ``plain`` is for terminals: an ASCII minus that can
be searched for, and a sign also for 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"


class Look(NamedTuple):
    """How a word is shown: its sign, the style class in a page, and the colour in a terminal."""

    sign: str = ""
    style: str = "same"
    colour: str = "default"


_HELPS = Look("\N{BLACK UP-POINTING TRIANGLE}", "helps", "green")
_HURTS = Look("\N{BLACK DOWN-POINTING TRIANGLE}", "hurts", "red")
_OPEN = Look("?", "open", "yellow")
VERDICTS = {
    "helps": _HELPS, "hurts": _HURTS, "makes no difference": Look("=", "same", "cyan"),
    "not settled": _OPEN,
}  # fmt: skip
LOOKS = VERDICTS | {
    "the same model": Look("=", "same", "cyan"),
    "no shift found": Look("=", "helps", "green"), "shifted": Look("!", "open", "yellow"),
    "holds": Look("=", "helps", "green"), "drifted": Look("!", "hurts", "red"),
    "cannot tell": Look("?", "same", "cyan"),
    "suits": Look("+", "helps", "green"), "does not suit": Look("-", "hurts", "red"),
    "useless": Look("-", "hurts", "red"),
}  # fmt: skip


def look_of(word: str) -> Look:
    """Return how a word is shown; an unknown word stays neutral.

    Examples
    --------
    >>> look_of("makes no difference").sign, look_of("another word")
    ('=', Look(sign='', style='same', colour='default'))
    """
    return LOOKS.get(word, Look())


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


def points(fraction: Any, digits: int = 1, *, plain: bool = False) -> str:
    """Write a difference of two fractions in percentage points, always with its sign.

    Examples
    --------
    >>> points(0.08), points(-0.08), points(0.0001), points(-0.08, plain=True)
    ('+8.0', '−8.0', '0.0', '-8.0')
    """
    value = finite(fraction)
    if value is None:
        return NOTHING
    if plain:
        return f"{100 * value:+.{digits}f}"
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


def duration(value: Any) -> str:
    """Write seconds: milliseconds where there are few.

    Examples
    --------
    >>> duration(0.0123), duration(7.93), duration(125.0), duration(None)
    ('12 ms', '7.9 s', '2 min 5 s', '–')
    """
    number = finite(value)
    return f"{1000 * number:.0f} ms" if number is not None and number < 1 else seconds(number)


def memory(megabytes: Any) -> str:
    """Write megabytes; the growth of a process is no finer than one.

    Examples
    --------
    >>> memory(0.25), memory(12.4), memory(None)
    ('< 1 MB', '12 MB', '–')
    """
    number = finite(megabytes)
    if number is None:
        return NOTHING
    return "< 1 MB" if number < 1 else f"{number:.0f} MB"


def score(value: Any, unit: str, *, plain: bool = False) -> str:
    """Write a score: an accuracy as a percentage, R2 and other units with three decimals.

    Examples
    --------
    >>> score(0.8625, "accuracy"), score(0.8625, "R2"), score(-0.5, "R2", plain=True)
    ('86.2 %', '0.863', '-0.500')
    """
    number = finite(value)
    if unit == "accuracy" or number is None:
        return percent(number)
    return f"{number:.3f}".replace("-", "-" if plain else MINUS)


def score_range(low: Any, high: Any, unit: str, *, plain: bool = False) -> str:
    """Write the interval of a score; nothing where an end is missing.

    Examples
    --------
    >>> score_range(0.845, 0.945, "accuracy"), score_range(0.2, None, "R2")
    ('84.5 to 94.5 %', '')
    """
    if finite(low) is None or finite(high) is None:
        return ""
    return f"{score(low, unit, plain=plain).removesuffix(' %')} to {score(high, unit, plain=plain)}"


def gain_range(low: Any, high: Any, *, plain: bool = False) -> str:
    """Write the interval of a gain in points; nothing where an end is missing.

    Examples
    --------
    >>> gain_range(-0.011, 0.085, plain=True), gain_range(None, 0.1)
    ('-1.1 to +8.5', '')
    """
    if finite(low) is None or finite(high) is None:
        return ""
    return f"{points(low, plain=plain)} to {points(high, plain=plain)}"


def chance(p: Any) -> str:
    """Write a probability under no difference.

    Examples
    --------
    >>> chance(0.0312), chance(1e-9), chance(None)
    ('0.031', '< 0.001', '–')
    """
    number = finite(p)
    if number is None:
        return NOTHING
    return "< 0.001" if number < 0.001 else f"{number:.3f}"


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
