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
PLAIN_LABELS = (  # what is said wherever there are none
    "Worth most are labels of 20 rows drawn at random: acclimate label writes a sheet of them, and "
    "--labels takes it."
)


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


class Unit(NamedTuple):
    """How a score and gains in it are told.

    Attributes
    ----------
    kind : {"share", "hundredths", "plain"}
        Percent and points; three decimals and points of the score; plain numbers.
    words : str
        What follows a gain: "points", "points of AUC", "of MAE".
    lower : bool
        Whether less is better. A gain is better where it is above 0 in any case.
    """

    kind: str
    words: str
    lower: bool = False


_SHARES = ("accuracy", "balanced accuracy", "precision", "recall")
_HUNDREDTHS = ("R2", "F1", "AUC", "average precision")
_LOWER = ("log loss", "Brier score", "MAE", "RMSE")


def unit_of(name: str) -> Unit:
    """Return how a score of this name is told; unknown ones are plain numbers, and more is better.

    Examples
    --------
    >>> unit_of("accuracy").words, unit_of("AUC").words, unit_of("MAE")
    ('points', 'points of AUC', Unit(kind='plain', words='of MAE', lower=True))
    """
    if name in _SHARES:
        return Unit("share", "points" if name == "accuracy" else f"points of {name}")
    if name in _HUNDREDTHS:
        return Unit("hundredths", f"points of {name}")
    return Unit("plain", f"of {name}", name in _LOWER)


def score(value: Any, unit: str, *, plain: bool = False) -> str:
    """Write a score: an accuracy as a percentage, R2 and its like with three decimals.

    Examples
    --------
    >>> score(0.8625, "accuracy"), score(0.8625, "R2"), score(-0.5, "R2", plain=True)
    ('86.2 %', '0.863', '-0.500')
    >>> score(12345.678, "MAE")
    '12,346'
    """
    number = finite(value)
    if number is None or unit_of(unit).kind == "share":
        return percent(number)
    text = figure(number) if unit in _LOWER else f"{number:.3f}"
    return text.replace("-", "-" if plain else MINUS)


def figure(value: float) -> str:
    """Write a number with three digits at least and no exponent.

    Examples
    --------
    >>> [figure(one) for one in (12345.678, 3.14159, -0.012345, 0.0)]
    ['12,346', '3.14', '-0.0123', '0']
    """
    if value == 0.0:
        return "0"
    digits = max(2 - math.floor(math.log10(abs(value))), 0)
    return f"{value:,.{min(digits, 8)}f}"


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


def gain(value: Any, unit: str = "accuracy", *, plain: bool = False) -> str:
    """Write a gain with its sign: in points, or as a plain number where the score is one.

    Examples
    --------
    >>> gain(0.08), gain(0.08, "AUC"), gain(-0.08, "MAE", plain=True), gain(None, "MAE")
    ('+8.0', '+8.0', '-0.0800', '–')
    """
    number = finite(value)
    if number is None or unit_of(unit).kind != "plain":
        return points(number, plain=plain)
    text = figure(abs(number))
    return text if number == 0.0 else ("+" if number > 0 else "-" if plain else MINUS) + text


def gain_range(low: Any, high: Any, unit: str = "accuracy", *, plain: bool = False) -> str:
    """Write the interval of a gain; nothing where an end is missing.

    Examples
    --------
    >>> gain_range(-0.011, 0.085, plain=True), gain_range(None, 0.1)
    ('-1.1 to +8.5', '')
    """
    if finite(low) is None or finite(high) is None:
        return ""
    return f"{gain(low, unit, plain=plain)} to {gain(high, unit, plain=plain)}"


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
