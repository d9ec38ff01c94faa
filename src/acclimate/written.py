"""How numbers and dates are written in cells of text: found once, then read that way."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np

CURRENCIES = "$€£¥"
# Units that are taken off; all cells of a column have the same, or none.
_UNITS = (
    "% ‰ ° kg g mg µg μg ug ng t lb lbs oz m cm mm km µm um nm in ft mi l dl cl ml L dL mL µl "
    "h min s ms d y yr yrs year years month months week weeks day days hour hours °C °F C F K "
    "Hz kHz MHz GHz bpm mmHg Pa kPa hPa bar V mV A mA W kW kWh J kJ kcal cal mol mmol mmol/l "
    "mmol/L mg/dl mg/dL g/dl g/dL g/l g/L mg/l mg/L IU U/l U/L km/h m/s kg/m2 kg/m² px USD "
    "EUR GBP CHF JPY $ € £ ¥"
)
UNITS = frozenset(_UNITS.split())
# (decimal mark, thousands mark), the more usual first
STYLES = ((".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"))
_SPACES = "[ \u00a0\u202f]"
_CELL = re.compile(
    rf"\s*(?P<sign>[-+]?)\s*(?P<lead>[{CURRENCIES}]?)\s*"
    r"(?P<number>[-+]?[\d.](?:[\d.,' \u00a0\u202f]*\d)?\.?(?:[eE][-+]?\d+)?)\s*"
    r"(?P<unit>[^\d\s.,'+-][^\d]{0,7}|kg/m2)?\s*"
)
_DATE = re.compile(
    r"\s*(\d{4}|\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?:([ T])(\d{1,2}:\d{2}.*))?\s*"
)
_TIMES = ("%H:%M:%S", "%H:%M", "%I:%M %p", "%I:%M:%S %p", "%H:%M:%S.%f")
_NAMED = ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d. %B %Y")
_WORDS = {"true": 1.0, "false": 0.0}
_FIRST = 500  # different cells that are looked at before all are


@dataclass(frozen=True)
class Written:
    """How the cells of one column are written.

    Parameters
    ----------
    kind : {"number", "boolean", "datetime"}
        What the cells are.
    decimal, thousands : str
        Marks of numbers; ``thousands`` may be empty.
    unit : str
        What stands before or behind numbers, such as "kg".
    format : str
        Of dates, as `datetime.strptime` reads it.
    other : str
        What the cells could be as well; empty where there is no doubt.
    """

    kind: str
    decimal: str = "."
    thousands: str = ""
    unit: str = ""
    format: str = ""
    other: str = ""

    @property
    def plain(self) -> bool:
        """Whether every parser reads these cells alike."""
        return self.kind == "number" and (self.decimal, self.thousands, self.unit) == (".", "", "")

    def words(self) -> str:
        """Return what is unusual about the cells, for a person.

        Examples
        --------
        >>> Written("number", ",", ".", "kg").words()
        "decimal ',', thousands '.', unit 'kg'"
        """
        if self.kind == "datetime":
            return self.format
        marks = [f"decimal {self.decimal!r}"] if self.decimal != "." else []
        marks += [f"thousands {self.thousands!r}"] if self.thousands else []
        marks += [f"unit {self.unit!r}"] if self.unit else []
        return ", ".join(marks)


def recognise(
    texts: Iterable[str],
    *,
    decimal: str | None = None,
    guess: str = ".",
    like: Written | None = None,
) -> Written | None:
    """Return how most cells are written, where that is a number, a date, or true and false.

    Parameters
    ----------
    texts : iterable of str
        Different cells of one column, none missing.
    decimal : str, default=None
        The decimal mark of the file, where it is known.
    guess : str, default="."
        The decimal mark where 1,234 may be both.
    like : Written, default=None
        How the column was written before. It decides where the cells leave a doubt.

    Returns
    -------
    Written or None
        None where fewer than half of the cells can be read as one kind.

    Examples
    --------
    >>> recognise(["1,5", "20,25"]).decimal
    ','
    >>> recognise(["9/30/1990", "1/2/1991"]).format
    '%m/%d/%Y'
    >>> recognise(["70 kg", "71,5kg"]).words()
    "decimal ',', unit 'kg'"
    >>> recognise(["tea", "milk"]) is None
    True
    """
    every = list(texts)
    some = every[:: max(len(every) // _FIRST, 1)]
    if not some:
        return None
    if sum(text.strip().lower() in _WORDS for text in some) > len(some) / 2:
        return Written("boolean")
    return _number(some, every, decimal, guess, like) or _date(some, every, like)


def _number(
    some: list[str], every: list[str], decimal: str | None, guess: str, like: Written | None
) -> Written | None:
    found = [cell for cell in map(_CELL.fullmatch, some) if cell is not None]
    units = {_unit(cell) for cell in found} - {""}
    if len(found) <= len(some) / 2 or len(units) > 1 or not units <= UNITS:
        return None
    styles = [style for style in STYLES if decimal in (None, style[0])] or list(STYLES)
    best = _fitting([cell["number"] for cell in found], styles)
    if not best and decimal is not None:  # the file says one thing and this column another
        best = _fitting([cell["number"] for cell in found], list(STYLES))
    if not best:
        return None
    if len(best) > 1 and len(every) > len(some):
        cells = [cell for cell in map(_CELL.fullmatch, every) if cell is not None]
        best = _fitting([cell["number"] for cell in cells], best) or best
    chosen, other = best[0], ""
    before = (like.decimal, like.thousands) if like is not None else None
    if before in best:
        chosen = before
    elif {(",", ""), (".", ",")} <= set(best) and (".", "") not in best:
        chosen = (",", "") if guess == "," else (".", ",")
        other = "thousands" if guess == "," else "decimals"
    return Written("number", *chosen, unit=next(iter(units), ""), other=other)


def _unit(cell: re.Match[str]) -> str:
    return cell["lead"] or (cell["unit"] or "").strip()


def _fitting(numbers: list[str], styles: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the styles that the most numbers are written in, where that is more than half."""
    counts = [sum(_style(*one).fullmatch(text) is not None for text in numbers) for one in styles]
    most = max(counts)
    return [s for s, n in zip(styles, counts, strict=True) if n == most and n > len(numbers) / 2]


@cache
def _style(decimal: str, thousands: str) -> re.Pattern[str]:
    mark = _SPACES if thousands == " " else re.escape(thousands)
    whole = rf"(?:\d+|\d{{1,3}}(?:{mark}\d{{3}})+)" if thousands else r"\d+"
    point = re.escape(decimal)
    return re.compile(rf"[-+]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][-+]?\d+)?")


def _date(some: list[str], every: list[str], like: Written | None) -> Written | None:
    if like is not None and like.format and all(_moment(text, like.format) for text in every):
        return like
    found = [cell for cell in map(_DATE.fullmatch, some) if cell is not None]
    if len(found) <= len(some) / 2:
        named = [f for f in _NAMED if sum(_moment(t, f) for t in some) > len(some) / 2]
        return Written("datetime", format=named[0]) if named else None
    mark = found[0][2]
    cells = [cell for cell in map(_DATE.fullmatch, every) if cell is not None and cell[2] == mark]
    if len(found[0][1]) == 4:
        order, other = "%Y{0}%m{0}%d", ""
    else:
        year = "%Y" if len(found[0][4]) == 4 else "%y"
        firsts, seconds = ([int(cell[k]) for cell in cells] for k in (1, 3))
        days, months = "%d{0}%m{0}" + year, "%m{0}%d{0}" + year
        first = sum(value > 12 for value in firsts) >= sum(value > 12 for value in seconds)
        doubt = max(*firsts, *seconds) <= 12
        order = days if (mark != "/" if doubt else first) else months
        other = (months if order == days else days) if doubt and mark != "." else ""
    time = next((cell[6] for cell in found if cell[6]), None)
    tail = ""
    if time is not None:
        tail = next((f for f in _TIMES if _moment(time, f)), "")
        tail = found[0][5] + tail if tail and found[0][5] else tail
    return Written("datetime", format=order.format(mark) + tail, other=other.format(mark))


def _moment(text: str, format: str) -> bool:
    try:
        datetime.strptime(text.strip(), format)
    except ValueError:
        return False
    return True


def number_of(text: str, written: Written) -> float:
    """Return the number in a cell, NaN where there is none.

    Examples
    --------
    >>> number_of("1.234,5 kg", Written("number", ",", ".", "kg"))
    1234.5
    >>> number_of("12 lb", Written("number", unit="kg"))
    nan
    """
    word = _WORDS.get(text.strip().lower())
    if word is not None:
        return word
    cell = _CELL.fullmatch(text)
    if cell is None or _unit(cell) not in ("", written.unit):
        return math.nan
    number = cell["number"]
    if not _style(written.decimal, written.thousands).fullmatch(number):
        return math.nan
    if written.thousands == " ":
        number = re.sub(_SPACES, "", number)
    elif written.thousands:
        number = number.replace(written.thousands, "")
    value = float(number.replace(written.decimal, "."))
    return -value if cell["sign"] == "-" else value


def parse(column: Any, written: Written) -> Any:
    """Return a column of texts as it is meant: NaN or NaT where missing or written otherwise.

    Parameters
    ----------
    column : pandas Series of shape (n,)
        Texts.
    written : Written
        What `recognise` found.

    Returns
    -------
    ndarray of float64, or Series of datetimes, of shape (n,)
    """
    import pandas as pd

    if written.kind == "datetime":
        return pd.to_datetime(column.str.strip(), format=written.format, errors="coerce")
    codes, texts = pd.factorize(column)
    values = np.array([*(number_of(str(text), written) for text in texts), np.nan])
    return values[codes]  # a missing cell has the code -1
