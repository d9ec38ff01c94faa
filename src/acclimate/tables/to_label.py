"""Rows to label: a sheet to fill in, and its labels back at the rows that they are of."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acclimate.columns import as_strings, is_plain_number, matched, text_of
from acclimate.exceptions import InputError
from acclimate.tables.labels import check_columns, check_known_labels
from acclimate.tables.table import Table

if TYPE_CHECKING:
    import pandas as pd

ROW = "(row)"  # what rows are called by where a table has no identifiers: their number, from 1
LABEL = "label"  # the column to fill in where the user names none


def draw_plain(table: Table, rows: int, seed: int) -> NDArray[np.intp]:
    """Return rows without a label, each as likely as any other, in the order of the table.

    Labels of a plain sample say how often each class is there. Those of rows on which models
    disagree do not, and teach less.

    Parameters
    ----------
    table : Table
    rows : int, at least 1
        How many; all, where there are fewer.
    seed : int

    Returns
    -------
    ndarray of shape (k,)

    Raises
    ------
    InputError
        Every row has a label.
    """
    open_rows = np.flatnonzero(~_labelled(table))
    if not len(open_rows):
        raise InputError(f"{_name(table)} has a label in every row; there is nothing to label")
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(open_rows, min(rows, len(open_rows)), replace=False))


def sheet(table: Table, places: NDArray[np.intp], *, id: str | None, label: str) -> pd.DataFrame:
    """Return what a person fills in: the rows' names, an empty column for labels, and their cells.

    Parameters
    ----------
    table : Table
    places : ndarray of shape (k,)
        Rows.
    id : str or None
        What the column of identifiers is called.
    label : str
        What the column of labels is called.

    Returns
    -------
    DataFrame of shape (k, ...)
        Of texts.

    Raises
    ------
    InputError
        Identifiers are missing or doubled, or a column of inputs has the name of another.
    """
    import pandas as pd

    key, names = _names(table, id)
    found = pd.DataFrame({key: names[places], label: ""}, dtype=str)
    if hasattr(table.X, "columns"):
        taken = [name for name in table.X.columns if str(name) in (key, label)]
        if taken:
            raise InputError(
                f"{_name(table)} has a column {taken[0]!r}, as the labels or the rows' names would "
                f"be called; name another with --label"
            )
        for name in table.X.columns:
            found[str(name)] = as_strings(table.X[name].iloc[places], missing="")
    return found


def filled(
    table: Table, path: Path, *, id: str | None, label: str | None,
    classes: Iterable[Any] | None = None,
) -> Table:  # fmt: skip
    """Return a table with the labels of a sheet beside those that it has.

    Parameters
    ----------
    table : Table
        The rows that `sheet` was made of, in any order.
    path : Path
        The sheet: CSV. Columns of inputs may be left out; those that are there must be unchanged.
    id : str or None
        What the column of identifiers is called.
    label : str or None
        What the column of labels is called; None means "label".
    classes : iterable of label, default=None
        What the source knows; None allows any label.

    Raises
    ------
    InputError
        A row is unknown, doubled or changed, has another label already, its label is none of the
        classes, or no label is there.
    """
    label = label or LABEL
    key, names = _names(table, id)
    asked = _read(path)
    if key == ROW and key not in asked.columns:
        raise InputError(
            f"{path.name} has no column {ROW!r} with the numbers of rows. If it was written with "
            f"--id COLUMN, say the same here; its first column is {asked.columns[0]!r}"
        )
    check_columns([key], list(asked.columns), path.name, "column of identifiers")
    check_columns([label], list(asked.columns), path.name, "label column")
    asked = asked[asked[label].str.strip() != ""]
    if not len(asked):
        raise InputError(f"{path.name} has no label yet; fill in its column {label!r}")
    given = asked[key].to_numpy(dtype=object)
    place = {name: row for row, name in enumerate(names.tolist())}
    seen: set[str] = set()
    for name in given.tolist():
        if name not in place:
            raise InputError(f"{path.name}: {key} {name!r} is no row of {_name(table)}")
        if name in seen:
            raise InputError(f"{path.name}: {key} {name!r} stands there twice; delete one")
        seen.add(name)
    places = np.array([place[name] for name in given.tolist()], dtype=np.intp)
    _check_unchanged(table, places, asked, key, path)
    texts = asked[label].str.strip().to_numpy(dtype=object)
    if classes is not None:
        known = [text_of(one) for one in np.asarray(classes).tolist()]
        texts = matched(texts, known)
        check_known_labels(texts, known, labelled=None, where=path.name)
        return _with_labels(table, places, texts, path)  # of classes "1" and "01" are two
    _check_decimals(texts, path)
    found = _with_labels(table, places, texts, path)
    return replace(found, y=_as_numbers(np.asarray(found.y), found.labelled))


def _with_labels(
    table: Table, places: NDArray[np.intp], texts: NDArray[np.object_], path: Path
) -> Table:
    known = _labelled(table)
    y = np.full(len(known), texts[0], dtype=object)
    if table.y is not None:
        y[known] = as_strings(table.y)[known]
        texts = matched(texts, set(y[known].tolist()))  # TRUE is True, which is there
    both = places[known[places]]
    for place in both.tolist():
        text = texts[places == place][0]
        if not _same(str(y[place]), text):
            raise InputError(
                f"{path.name} says {text!r} of row {place + 1}, and {_name(table)} says "
                f"{y[place]!r}; mend one of them"
            )
    y[places[~known[places]]] = texts[~known[places]]
    known = known.copy()
    known[places] = True
    return replace(table, y=np.asarray(y, dtype=str), labelled=None if known.all() else known)


def _as_numbers(y: NDArray[Any], known: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Return labels as numbers where all that are known are such."""
    rows = slice(None) if known is None else known
    numbers = _numbers(y[rows])
    if numbers is None:
        return y
    values = np.full(len(y), numbers[0])
    values[rows] = numbers
    return values


def _numbers(texts: NDArray[Any]) -> NDArray[Any] | None:
    """Return labels that are numbers as such, whole ones as integers; None for other texts."""
    if not all(is_plain_number(text) for text in texts):
        return None
    values = np.array([float(text) for text in texts])
    if not np.isfinite(values).all():
        return None
    whole = (values == np.round(values)).all() and (np.abs(values) < 2**53).all()
    return values.astype(np.int64) if whole else values


def _check_decimals(texts: NDArray[np.object_], path: Path) -> None:
    """Raise where all labels are numbers, and some have a decimal comma."""
    commas = [text for text in texts.tolist() if _COMMA.fullmatch(text)]
    if commas and all(_COMMA.fullmatch(text) or is_plain_number(text) for text in texts.tolist()):
        first = commas[0]
        raise InputError(
            f"{path.name} has the label {first!r}; write {first.replace(',', '.')!r}, with a point"
        )


def _check_unchanged(
    table: Table, places: NDArray[np.intp], asked: pd.DataFrame, key: str, path: Path
) -> None:
    """Raise where a cell of the sheet is another one than the table's."""
    if not hasattr(table.X, "columns"):
        return
    for name in [name for name in table.X.columns if str(name) in asked.columns]:
        here = as_strings(table.X[name].iloc[places], missing="")
        there = asked[str(name)].to_numpy(dtype=object)
        for row, (mine, yours) in enumerate(zip(here.tolist(), there.tolist(), strict=True)):
            if not _same(mine, yours):
                raise InputError(
                    f"{path.name}: the row {asked[key].iloc[row]!r} is not that of {_name(table)}: "
                    f"its {name!r} is {yours!r} and was {mine!r}. Were rows added or sorted since? "
                    f"Where the cells were only written in another way, delete that column from "
                    f"{path.name}"
                )


def _same(one: str, other: str) -> bool:
    if one.strip() == other.strip():
        return True
    try:
        return math.isclose(float(one), float(other), rel_tol=1e-9)
    except ValueError:
        return one.strip().lower() == other.strip().lower() and one.strip().lower() in _TRUTH


_COMMA = re.compile(r"[-+]?\d*,\d+")  # a number as much of Europe writes it
_TRUTH = ("true", "false")  # spreadsheets write TRUE


def _names(table: Table, id: str | None) -> tuple[str, NDArray[np.object_]]:
    """Return what rows are called, shape (n,), and what these names are.

    Raises
    ------
    InputError
        A row has no identifier, or that of another.
    """
    if table.ids is None:
        numbers = np.arange(len(table.X)) if table.kept is None else table.kept
        return ROW, np.array([str(one + 1) for one in numbers.tolist()], dtype=object)
    names = as_strings(table.ids, missing="")
    key = id or "file"
    values, counts = np.unique(names.astype(str), return_counts=True)
    if "" in values:
        row = int(np.flatnonzero(names == "")[0])
        raise InputError(f"{_name(table)}: row {row + 1} has no {key}; labels need one in each row")
    if (counts > 1).any():
        raise InputError(
            f"{_name(table)}: {key} {str(values[counts > 1][0])!r} stands in "
            f"{int(counts.max())} rows; labels need another in each row"
        )
    return key, names


def _labelled(table: Table) -> NDArray[np.bool_]:
    if table.y is None:
        return np.zeros(len(table.X), dtype=bool)
    return np.ones(len(table.X), dtype=bool) if table.labelled is None else table.labelled


def _read(path: Path) -> pd.DataFrame:
    """Return a sheet as texts, its columns without the spaces around their names."""
    import pandas as pd

    from acclimate.tables.delimited import header
    from acclimate.tables.reading import kind_of

    if kind_of(path) != "csv":
        raise InputError(f"{path.name} must be a CSV; save the sheet as one")
    names, comma = header(path, None, None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            found = pd.read_csv(
                path, sep=comma, dtype=str, keep_default_na=False, encoding="utf-8-sig",
                index_col=False,  # a line with a cell too much would move all others
            )  # fmt: skip
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not in UTF-8; save it as CSV UTF-8") from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise InputError(
            f"{path.name}: a line has more cells than the first line has names, or a quotation "
            f"mark stays open ({str(error).strip()})"
        ) from error
    found.columns = [name.strip() for name in names]
    return found


def _name(table: Table) -> str:
    return table.path.name if table.path is not None else "the table"
