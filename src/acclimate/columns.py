"""What a column is: number, boolean, time, category or text; and how to read it as that."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError

MISSING_LEVEL = "(missing)"
_WORDS = 3  # from this many words a cell on, a column of many values is text


def kind_of_column(column: Any, max_levels: int) -> str:
    """Return "number", "boolean", "datetime", "category", "text" or "constant".

    Parameters
    ----------
    column : pandas Series of shape (n,)
        The cells.
    max_levels : int
        More distinct values than this, of three words or more, make a text.

    Raises
    ------
    InputError
        The column mixes numbers and other things, or holds something that is none of these.
    """
    from pandas.api import types

    dtype = column.dtype
    known = column.dropna()
    if types.is_bool_dtype(dtype) or (len(known) and known.map(type).eq(bool).all()):
        return "boolean"
    if types.is_numeric_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        return "number"
    if types.is_datetime64_any_dtype(dtype):
        return "datetime"
    if not len(known):
        return "constant"
    if hasattr(dtype, "categories"):
        return "category"
    strings = known.map(lambda cell: isinstance(cell, str))
    if not strings.all():
        return _kind_of_objects(column.name, known, strings)
    numbers = _numbers(known)
    odd = np.isnan(numbers)
    if not odd.any():
        return "number"
    if odd.sum() < len(known) / 2:
        place = int(np.flatnonzero(odd)[0])
        raise mixed(column.name, known, place, f"{len(known) - odd.sum()} cells are numbers")
    distinct = known.nunique()
    words = known.str.split().str.len().mean()
    many = distinct > min(max_levels, len(known) / 2)
    return "text" if many and words >= _WORDS else "category"


def _kind_of_objects(name: Any, known: Any, strings: Any) -> str:
    import datetime
    import numbers

    if known.map(lambda cell: isinstance(cell, numbers.Number)).all():
        return "number"
    if known.map(lambda cell: isinstance(cell, datetime.date)).all():
        return "datetime"
    common = "text" if strings.mean() > 0.5 else type(known.iloc[0]).__name__
    first = int(np.flatnonzero(~strings if common == "text" else strings.to_numpy())[:1].sum())
    raise mixed(name, known, first, f"most cells are {common}")


def mixed(name: Any, known: Any, place: int, what: str) -> InputError:
    """Return the error for a cell that does not fit its column."""
    return InputError(
        f"column {name!r} mixes types: {what}, but row {known.index[place]!r} holds "
        f"{known.iloc[place]!r}. Correct the cell, make it missing, or list the column under "
        f"categorical="
    )


def _numbers(known: Any) -> NDArray[np.float64]:
    import pandas as pd

    values: NDArray[np.float64] = pd.to_numeric(known, errors="coerce").to_numpy(
        dtype=np.float64, na_value=np.nan
    )
    return values


def as_numbers(column: Any) -> NDArray[np.float64]:
    """Return a column as float64 of shape (n,), NaN where missing; strings are parsed.

    Raises
    ------
    InputError
        A cell is not a number. The message shows column, row and cell.
    """
    from pandas.api import types

    if types.is_timedelta64_dtype(column.dtype):
        return np.asarray(column.dt.total_seconds(), dtype=np.float64)
    if types.is_datetime64_any_dtype(column.dtype):
        raise InputError(f"column {column.name!r} held numbers when fitted, and now dates")
    missing = column.isna().to_numpy()
    values = _numbers(column.astype(object) if hasattr(column.dtype, "categories") else column)
    odd = np.isnan(values) & ~missing
    if odd.any():
        place = int(np.flatnonzero(odd)[0])
        raise InputError(
            f"column {column.name!r} held numbers when fitted, but row {column.index[place]!r} "
            f"holds {column.iloc[place]!r}"
        )
    return values


def as_strings(column: Any) -> NDArray[np.object_]:
    """Return a column as strings of shape (n,); whole numbers without a point, gaps by name."""
    missing = column.isna().to_numpy()
    cells = column.to_numpy(dtype=object, na_value=None)
    if column.dtype.kind == "f":  # a gap turns whole numbers into floats; the level stays "1"
        cells = np.array(
            [int(c) if isinstance(c, float) and c.is_integer() else c for c in cells], dtype=object
        )
    strings = np.array([str(cell) for cell in cells], dtype=object)
    strings[missing] = MISSING_LEVEL
    return strings


def time_parts(column: Any) -> NDArray[np.float64]:
    """Return seconds since 1970, month, day of the week and hour, shape (n, 4)."""
    import pandas as pd

    try:
        moments = pd.to_datetime(column, utc=True)
    except (ValueError, TypeError) as error:
        raise InputError(f"column {column.name!r} held dates when fitted: {error}") from error
    seconds = (moments - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    parts = [seconds, moments.dt.month, moments.dt.day_of_week, moments.dt.hour]
    return np.column_stack([np.asarray(part, dtype=np.float64) for part in parts])


def column_kind(column: Any) -> str:
    """Return "number", "datetime" or "level" by the type and the cells of a column."""
    dtype = column.dtype
    kind = getattr(dtype, "kind", "O")
    if kind in "biufm":
        return "number"
    if kind == "M":
        return "datetime"
    if not hasattr(dtype, "categories") and not hasattr(dtype, "storage"):
        import numbers

        known = [cell for cell in column if cell is not None and cell == cell]
        if known and all(isinstance(cell, numbers.Number) for cell in known):
            return "number"
    return "level"


def as_measured(column: Any, name: str = "") -> NDArray[np.float64]:
    """Return a column as float64 with NaN where missing, shape (n,)."""
    if getattr(column.dtype, "kind", "O") == "m":
        column = column / np.timedelta64(1, "s")
    if hasattr(column, "isna"):
        missing, cells = column.isna().to_numpy(), column.to_numpy(dtype=object)
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
            cells = column.to_numpy()
    else:
        cells = column
        missing = np.array([cell is None for cell in cells]) if cells.dtype.kind == "O" else None
    if cells.dtype.kind == "O":
        cells = np.where(missing, np.nan, cells)
    try:
        values: NDArray[np.float64] = cells.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"column {name!r} held numbers, and now: {error}") from error
    values = values.copy()
    values[np.isinf(values)] = np.nan
    return values


def as_levels(column: Any) -> NDArray[np.object_]:
    """Return a column as strings, None where missing, shape (n,)."""
    cells = column.to_numpy(dtype=object) if hasattr(column, "to_numpy") else column
    missing = column.isna().to_numpy() if hasattr(column, "isna") else cells == None  # noqa: E711
    strings = np.array([str(cell) for cell in cells], dtype=object)
    strings[missing] = None
    return strings
