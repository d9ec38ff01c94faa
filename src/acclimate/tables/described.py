"""How each column of a table is read, and the option that would change it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from acclimate import columns as cells
from acclimate.tables.table import Table
from acclimate.tables.understood import identifier_like

EXAMPLES = 3
_LONG = 24  # letters of an example


@dataclass(frozen=True)
class ColumnFacts:
    """How one column is read.

    Parameters
    ----------
    name, kind : str
        The column, and "number", "boolean", "datetime", "category", "text", "constant", "label" or
        "identifier".
    written : str
        Marks, unit or format of its cells, where they are unusual.
    missing, levels : int
        Cells without a value, and different values.
    examples : tuple of str
        The first different values.
    option : str
        What would change it, as the command line has it.
    note : str
        What is doubtful, in words; empty where nothing is.
    """

    name: str
    kind: str
    written: str
    missing: int
    levels: int
    examples: tuple[str, ...]
    option: str
    note: str = ""


def describe(table: Table) -> list[ColumnFacts]:
    """Return how each column of a table is read, in the order of the table.

    Use it before anything is fitted. Do not use it for images, which have no columns.

    Parameters
    ----------
    table : Table
        What `read` or `as_table` returned.

    Returns
    -------
    list of ColumnFacts
        Empty where the rows have no columns.

    Examples
    --------
    >>> import pandas as pd
    >>> from acclimate.tables import as_table, describe
    >>> table = as_table(pd.DataFrame({"age": [40, 50, None], "ward": ["a", "b", "a"]}))
    >>> [(one.name, one.kind, one.missing, one.levels) for one in describe(table)]
    [('age', 'number', 1, 2), ('ward', 'category', 0, 2)]
    """
    if not hasattr(table.X, "columns"):
        return []
    found = []
    for name in table.X.columns:
        column = table.X[name]
        kind = table.reading.kinds.get(name) or cells.kind_of(column)
        kind = "constant" if kind == "category" and column.nunique(dropna=False) < 2 else kind
        written = table.reading.written.get(name)
        note = ""
        if name in table.reading.mixed:
            note = "mixes types"
        elif identifier_like(column, kind):
            note = "as many values as rows"
        elif written is not None and written.other:
            note = f"could be {written.other}"
        option = _option(str(name), kind, note, written)
        found.append(
            _facts(name, kind, column, "" if written is None else written.words(), option, note)
        )
    if table.ids is not None and getattr(table.ids, "name", None) is not None:
        found.append(_facts(table.ids.name, "identifier", table.ids, "", "", ""))
    if table.y is not None and table.label is not None:
        labels = cells.as_series(table.y)
        if table.labelled is not None:
            labels = labels.where(table.labelled)
        found.append(_facts(table.label, "label", labels, "", "--task", ""))
    return found


def _facts(name: Any, kind: str, column: Any, written: str, option: str, note: str) -> ColumnFacts:
    known = column.dropna()
    shown = (cells.text_of(cell).removesuffix(" 00:00:00") for cell in known.head(1000).tolist())
    texts = list(dict.fromkeys(shown))
    examples = tuple(
        text if len(text) <= _LONG else f"{text[: _LONG - 3]}..." for text in texts[:EXAMPLES]
    )
    missing = len(column) - len(known)
    return ColumnFacts(
        str(name), kind, written, missing, int(known.nunique()), examples, option, note
    )


def _option(name: str, kind: str, note: str, written: Any) -> str:
    """Return the option that would change how a column is read."""
    named = shlex.quote(name)
    if note == "as many values as rows":
        return f"--id {named}"
    if note == "mixes types":
        return f"--missing TEXT or --number {named}"
    if kind == "datetime" and written is not None and written.other:
        return f"--date {named}={written.other}"
    if kind == "number" and written is not None and written.other:
        return f"--decimal {'.' if written.decimal == ',' else ','}"
    return {
        "number": f"--categorical {named}", "boolean": f"--categorical {named}",
        "category": f"--text {named}", "text": f"--categorical {named}",
        "datetime": f"--date {named}=FORMAT",
    }.get(kind, f"--drop {named}")  # fmt: skip
