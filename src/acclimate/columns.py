"""What a column is: number, boolean, time, category or text; and how to read it as that.

Longer than other files: every kind is told apart and read in one place.
"""

from __future__ import annotations

import datetime
import math
import numbers
import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate import written as writing
from acclimate.exceptions import AcclimateWarning, InputError
from acclimate.written import Written

MISSING_LEVEL = "(missing)"
MAX_LEVELS = 50
_WORDS = 3  # from this many words a cell on, a column of many values is text
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?")
_PLAIN = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def kind_of(column: Any, max_levels: int = MAX_LEVELS) -> str:
    """Return "number", "boolean", "datetime", "category", "text" or "constant".

    Parameters
    ----------
    column : pandas Series or ndarray of shape (n,)
        The cells.
    max_levels : int, default=50
        More distinct values than this, of three words or more, make a text.
    """
    return understood(column, max_levels)[0]


def understood(
    column: Any, max_levels: int = MAX_LEVELS, **settings: Any
) -> tuple[str, Written | None, str]:
    """Return the kind of a column, how its texts are written, and what is doubtful about it.

    Parameters
    ----------
    column : pandas Series or ndarray of shape (n,)
        The cells.
    max_levels : int, default=50
        As in `kind_of`.
    **settings : object
        Of `written.recognise`.

    Returns
    -------
    kind : str
        As in `kind_of`. A column that mixes kinds is a category.
    written : Written or None
        How texts that are numbers or dates are written, where that is unusual.
    doubt : str
        One sentence, empty where there is no doubt.
    """
    import pandas as pd
    from pandas.api import types

    column = as_series(column)
    dtype = column.dtype
    if types.is_bool_dtype(dtype):
        return "boolean", None, ""
    if types.is_complex_dtype(dtype):
        raise InputError(
            f"column {column.name!r} holds complex numbers, such as {column.iloc[0]!r}; give their "
            f"real and imaginary parts as two columns"
        )
    if types.is_numeric_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        return "number", None, ""
    if types.is_datetime64_any_dtype(dtype):
        return "datetime", None, ""
    known = column.dropna()
    if not len(known):
        return "constant", None, ""
    if hasattr(dtype, "categories"):
        return "category", None, ""
    if isinstance(dtype, pd.ArrowDtype):
        known = known.astype(object)
        dtype = known.dtype
    if getattr(dtype, "kind", "O") in "OS" and not isinstance(dtype, pd.StringDtype):
        found = {_sort(kind) for kind in known.map(type).unique()}
        if "other" in found:
            _check_cells(known)
        if found <= {"number", "boolean", "datetime"}:
            if found == {"number", "boolean"}:
                return "number", None, ""
            if len(found) == 1:
                return found.pop(), None, ""
        if found == {"other"}:
            return "category", None, ""
        if found != {"text"}:
            sorts = known.map(lambda cell: _sort(type(cell)))
            return "category", None, mixed(known, sorts != sorts.mode()[0])
    return _texts(known, max_levels, settings)


def _check_cells(known: Any) -> None:
    """Raise where cells are lists, arrays or other things that cannot be levels."""
    for cell in known.tolist():
        try:
            hash(cell)
        except TypeError as error:
            kind = type(cell).__name__
            raise InputError(
                f"column {known.name!r} holds cells of type {kind}, such as {str(cell)[:40]}, "
                f"which are neither numbers nor levels; leave it out with "
                f"{way_out('drop', known.name)}, or give each part a column"
            ) from error


def _sort(kind: type) -> str:
    if issubclass(kind, bool | np.bool_):
        return "boolean"
    for base, word in ((numbers.Number, "number"), (datetime.date, "datetime"), (str, "text")):
        if issubclass(kind, base):
            return word
    return "other"


def _texts(
    known: Any, max_levels: int, settings: dict[str, Any]
) -> tuple[str, Written | None, str]:
    """Return what `understood` does, of texts without gaps."""
    different = known.drop_duplicates()
    written = writing.recognise(different, **settings)
    if written is not None:
        if written.kind == "boolean":
            odd = ~known.str.strip().str.lower().isin(["true", "false"])
        else:
            odd = np.isnan(writing.parse(known, written)) if written.kind == "number" else (
                writing.parse(known, written).isna()
            )  # fmt: skip
        odd = np.asarray(odd, dtype=bool)
        if not odd.any():
            return written.kind, None if written.plain else written, doubt_of(known.name, written)
        if odd.sum() < len(known) / 2:
            return "category", None, mixed(known, odd, written.kind)
    if len(different) <= min(max_levels, len(known) / 2):
        return "category", None, ""
    counts = known.value_counts()
    words = np.average(counts.index.str.split().str.len(), weights=counts)
    return "text" if words >= _WORDS else "category", None, ""


def doubt_of(name: Any, written: Written) -> str:
    """Return what the cells of a column could be as well, and the option that says so."""
    if not written.other:
        return ""
    if written.kind == "datetime":
        return (
            f"the dates of column {name!r} fit {written.format} and {written.other}, and are read "
            f"as {written.format}; the other is {way_out('date', f'{name}={written.other}')}"
        )
    mark = "." if written.decimal == "," else ","
    return (
        f"commas in column {name!r} are read as {'thousands' if mark == ',' else 'decimal'} marks, "
        f"but could be {written.other}; the other is {way_out('decimal', mark)}"
    )


def mixed(known: Any, odd: Any, kind: str = "") -> str:
    """Return the sentence about a column whose cells are of several kinds.

    Parameters
    ----------
    known : pandas Series of shape (k,)
        Cells that are not missing.
    odd : array of bool of shape (k,)
        Those that do not fit the rest.
    kind : str, default=""
        What the rest is; empty where the cells have different types.
    """
    odd = np.asarray(odd, dtype=bool)
    few = odd if odd.sum() <= len(known) / 2 else ~odd
    examples = list(dict.fromkeys(repr(cell) for cell in known[few].tolist()))
    shown = ", ".join(examples[:3]) + (", ..." if len(examples) > 3 else "")
    rest = {"number": "numbers", "datetime": "dates", "boolean": "true or false"}.get(kind)
    one = str(known[few].iloc[0])
    return (
        f"column {known.name!r} mixes types and is read as categories: {few.sum()} of "
        f"{len(known)} cells are {f'no {rest}' if rest else 'of another type'}, such as {shown}. "
        f"If such a cell means missing, read the file with {way_out('missing', one)}"
    )


def way_out(name: str, value: Any) -> str:
    """Return a setting of the readers as Python and as the command line have it.

    Examples
    --------
    >>> way_out("missing", "?")
    "missing=['?'] (--missing '?')"
    """
    import shlex

    given = value if name in ("encoding", "delimiter", "decimal", "id", "task") else [value]
    return f"{name}={given!r} (--{name} {shlex.quote(str(value))})"


def as_series(column: Any) -> Any:
    """Return a column as a pandas Series."""
    if hasattr(column, "dropna") and hasattr(column, "iloc"):
        return column
    import pandas as pd

    return pd.Series(column)


def as_numbers(
    column: Any, written: Written | None = None, *, since: str = "held numbers when fitted"
) -> NDArray[np.float64]:
    """Return a column as float64 of shape (n,), NaN where missing; texts are parsed.

    Parameters
    ----------
    column : pandas Series or ndarray of shape (n,)
        Numbers, true and false, or texts that are such.
    written : Written, default=None
        How texts were written when the column was fitted. None recognises it.
    since : str, default="held numbers when fitted"
        Why they must be numbers, for messages.

    Raises
    ------
    InputError
        A cell is not a number. The message shows column, row and cell.
    """
    from pandas.api import types

    column = as_series(column)
    if types.is_timedelta64_dtype(column.dtype):
        return np.asarray(column.dt.total_seconds(), dtype=np.float64)
    if types.is_datetime64_any_dtype(column.dtype):
        raise InputError(f"column {column.name!r} {since}, and now dates")
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return np.asarray(column, dtype=np.float64)
    missing = column.isna().to_numpy()
    arrow = hasattr(column.dtype, "pyarrow_dtype") and column.dtype.kind == "O"
    # pandas loses the gaps among Arrow's decimals
    plain = column.astype(object) if arrow or hasattr(column.dtype, "categories") else column
    values = _plain_numbers(plain)
    odd = np.isnan(values) & ~missing
    if odd.any() and plain[odd].map(lambda cell: isinstance(cell, numbers.Real)).all():
        values[odd] = [float(cell) for cell in plain[odd]]  # fractions
        odd = np.isnan(values) & ~missing
    if odd.any():
        texts = plain[odd].astype(str)
        how = writing.recognise(texts.drop_duplicates(), like=written)
        if how is not None and how.kind != "datetime":
            if how.kind == "number":  # "1.234" may be a number of thousands in such a column
                plain = plain.astype(object).where(~missing, None)
                texts = plain[~missing].astype(str)
                values[~missing] = writing.parse(texts, how)
            else:
                values[odd] = writing.parse(texts, how)
            odd = np.isnan(values) & ~missing
    if odd.any():
        place = int(np.flatnonzero(odd)[0])
        raise InputError(
            f"column {column.name!r} {since}, but row {column.index[place]!r} "
            f"holds {column.iloc[place]!r}; correct the cell, or make it missing"
        )
    return values


def _plain_numbers(column: Any) -> NDArray[np.float64]:
    import pandas as pd

    values: NDArray[np.float64] = np.array(
        pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    )
    return values


def as_measured(column: Any) -> NDArray[np.float64]:
    """Return a column as finite float64 of shape (n,); NaN where missing or infinite."""
    values = as_numbers(column)
    return np.where(np.isinf(values), np.nan, values)


def as_strings(column: Any, missing: str | None = None) -> NDArray[np.object_]:
    """Return a column as strings of shape (n,), and ``missing`` where there is no value."""
    codes, texts = as_levels(column)
    return np.append(texts, np.array([missing], dtype=object))[codes]  # the last for -1


def as_levels(column: Any) -> tuple[NDArray[np.intp], NDArray[np.object_]]:
    """Return a column as places, shape (n,), in the different texts that it holds, shape (k,).

    Missing cells have the place -1. Two texts may be equal where cells differ otherwise, as a
    string "1" and a number 1 in one column.

    Examples
    --------
    >>> as_levels(np.array(["b", None, "b"], dtype=object))
    (array([ 0, -1,  0]), array(['b'], dtype=object))
    """
    import pandas as pd
    from pandas.api import types

    column = as_series(column)
    if column.dtype.kind == "O" and types.infer_dtype(column, skipna=True) != "string":
        # 1, 1.0 and True are the same to a hash and not as texts
        cells = column.to_numpy(dtype=object, na_value=None)
        texts = np.array([text_of(cell) for cell in cells], dtype=object)
        return np.where(column.isna().to_numpy(), -1, np.arange(len(texts))), texts
    codes, different = pd.factorize(column)
    cells = pd.Series(different).to_numpy(dtype=object, na_value=None)
    return codes, np.array([text_of(cell) for cell in cells.tolist()], dtype=object)


def text_of(cell: Any) -> str:
    """Return one cell as text; a gap turns whole numbers into floats, and the level stays "1".

    Examples
    --------
    >>> text_of(1.0), text_of(1), text_of(True), text_of(0.5)
    ('1', '1', 'True', '0.5')
    """
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell)


def is_plain_number(text: str) -> bool:
    """Tell whether a text is a number and nothing else; Python reads 1_2 as 12, too.

    Examples
    --------
    >>> is_plain_number("-1.5e3"), is_plain_number("1_2"), is_plain_number("nan")
    (True, False, False)
    """
    return _PLAIN.fullmatch(text) is not None


def matched(texts: NDArray[Any], known: Iterable[str]) -> NDArray[np.object_]:
    """Return texts of shape (n,) as what is known writes them, where that is one and the same.

    Use it wherever cells, labels or classes are compared with what was learnt from another file.
    1.0 is 1, true is 1, and a day is the same with and without midnight behind it.

    Parameters
    ----------
    texts : ndarray of str of shape (n,)
        Texts; None stays None.
    known : iterable of str
        The levels or classes that were learnt.

    Examples
    --------
    >>> matched(np.array(["1.0", "x", "3"], dtype=object), ["1", "2"]).tolist()
    ['1', 'x', '3']
    >>> matched(np.array(["true", "0"], dtype=object), ["False", "True"]).tolist()
    ['True', 'False']
    """
    there = set(known)
    found = texts.astype(object)
    new = {text for text in found.tolist() if text is not None} - there
    if not new:
        return found
    same: dict[Any, list[str]] = {}
    for level in there:
        same.setdefault(_meaning(level), []).append(level)
    table = {}
    for text in new:
        levels = same.get(_meaning(text), ())
        if len(levels) == 1:
            table[text] = levels[0]
    if table:
        found = np.array([table.get(text, text) for text in found.tolist()], dtype=object)
    return found


def _meaning(text: str) -> Any:
    """Return what makes two texts the same: a number, a moment, or the text itself."""
    word = text.strip().lower()
    if word in ("true", "false"):
        return float(word == "true")
    if _PLAIN.fullmatch(word):
        value = float(word)
        return value if math.isfinite(value) else text
    if _ISO.fullmatch(text):
        try:
            return datetime.datetime.fromisoformat(text)
        except ValueError:
            return text
    return text


def as_moments(column: Any, written: Written | None = None) -> Any:
    """Return a column as datetimes of UTC, a Series of shape (n,), NaT where missing.

    Raises
    ------
    InputError
        A cell is no date.
    """
    import pandas as pd
    from pandas.api import types

    column = as_series(column)
    if types.is_string_dtype(column.dtype) and not types.is_datetime64_any_dtype(column.dtype):
        known = column.dropna()
        if len(known) and known.map(lambda cell: isinstance(cell, str)).all():
            how = writing.recognise(known.drop_duplicates(), like=written)
            if how is not None and how.kind == "datetime":
                parsed = writing.parse(column.astype(object).where(column.notna(), None), how)
                odd = (parsed.isna() & column.notna()).to_numpy()
                if odd.any():
                    place = int(np.flatnonzero(odd)[0])
                    raise InputError(
                        f"column {column.name!r} held dates when fitted, but row "
                        f"{column.index[place]!r} holds {column.iloc[place]!r}"
                    )
                column = parsed
    if types.is_numeric_dtype(column.dtype) or types.is_timedelta64_dtype(column.dtype):
        raise InputError(f"column {column.name!r} held dates when fitted, and now numbers")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # an error says what is no date
            return pd.to_datetime(column, utc=True)
    except pd.errors.OutOfBoundsDatetime as error:
        raise _beyond(column) from error
    except (ValueError, TypeError) as error:
        raise InputError(f"column {column.name!r} held dates when fitted: {error}") from error


def _beyond(column: Any) -> InputError:
    """Return the error about a date that pandas cannot hold."""
    import pandas as pd

    first, last = pd.Timestamp.min.date(), pd.Timestamp.max.date()
    row, cell = next(iter(column.items()))
    for row, cell in column.items():  # noqa: B007
        try:
            pd.to_datetime(pd.Series([cell], dtype=object), utc=True)
        except ValueError:
            break
    return InputError(
        f"column {column.name!r} holds the date {str(cell)!r} in row {row!r}; dates must lie "
        f"between {first} and {last}. If it means that there is none, make it missing, for a file "
        f"with {way_out('missing', str(cell))}, or leave the column out with "
        f"{way_out('drop', column.name)}"
    )


def time_parts(column: Any, written: Written | None = None) -> NDArray[np.float64]:
    """Return seconds since 1970, month, day of the week and hour, shape (n, 4)."""
    import pandas as pd

    moments = as_moments(column, written)
    moments = moments.dt.as_unit("us")  # nanoseconds end in the year 2262
    seconds = (moments - pd.Timestamp(0, tz="UTC").as_unit("us")).dt.total_seconds()
    parts = [seconds, moments.dt.month, moments.dt.day_of_week, moments.dt.hour]
    return np.column_stack([np.asarray(part, dtype=np.float64) for part in parts])


def warn_of(doubts: Sequence[str]) -> None:
    """Warn of what is doubtful about columns, each once."""
    for doubt in dict.fromkeys(one for one in doubts if one):
        warnings.warn(doubt, AcclimateWarning, stacklevel=3)
