"""Tables with a column of paths to pictures."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.columns import as_series, as_strings
from acclimate.exceptions import InputError
from acclimate.tables.labels import check_columns, split_labels
from acclimate.tables.picture_files import is_picture
from acclimate.tables.picture_sets import counted, listed, read_set, sentence
from acclimate.tables.pictures import Pictures
from acclimate.tables.table import Table
from acclimate.tables.understood import Reading, understand

_LOOKED = 200  # rows in which one file must be there


def find(frame: Any, path: Path, aside: Sequence[str | None], how: Pictures) -> str | None:
    """Return the column whose cells are paths to pictures, None where there is none.

    Every cell that is not empty ends as a picture does, and one of the first files is there. Where
    a model or another set holds pictures, none need be there. Paths begin at the table's folder.

    Parameters
    ----------
    frame : DataFrame
        The table.
    path : Path
        Its file.
    aside : sequence of str or None
        Columns that hold something else.
    how : Pictures
        How pictures are read.

    Raises
    ------
    InputError
        There are several such columns, or none where there must be one.
    """
    expected = how.of_another and how.size is not None
    found = []
    for name in frame.columns:
        if name in aside or frame[name].dtype.kind in "biufcmM":
            continue
        cells = frame[name].dropna()
        if not len(cells) or not all(isinstance(c, str) and is_picture(c) for c in cells):
            continue
        if expected or any(os.path.exists(_file(path, cell)) for cell in cells.head(_LOOKED)):
            found.append(str(name))
    if len(found) > 1:
        raise InputError(
            f"{path.name} has {len(found)} columns of paths to pictures, {listed(found)}; leave "
            f"out all but one with drop (--drop {found[1]})"
        )
    if expected and not found:
        raise InputError(
            f"{path.name} has no column of paths to pictures, and the model or the other set holds "
            f"pictures; it has {listed([str(name) for name in frame.columns])}"
        )
    return found[0] if found else None


def read_listed(
    frame: Any,
    column: str,
    *,
    path: Path,
    label: str | None,
    id: str | None,
    drop: Sequence[str],
    how: Reading,
    guess: str = ".",
) -> Table:
    """Read the pictures that a column names. Identifiers are the paths where ``id`` is None."""
    named = [name for name in (label, id, *drop) if name is not None]
    check_columns(named, list(frame.columns), path.name)
    cells = frame[column]
    if not len(cells):
        raise InputError(f"{path.name} has columns but no rows: {list(frame.columns)[:8]}")
    names = [
        cell if isinstance(cell, str) else f"row {row + 1} without a path"
        for row, cell in enumerate(cells)
    ]
    pictures = read_set([_file(path, name) for name in names], names, how.pictures)
    rows = pictures.kept
    y = labelled = None
    if label is not None:
        labels = understand(frame[[label]], how, label=label, guess=guess, where=path.name)[0]
        y, labelled = split_labels(labels[label].iloc[rows])
    ids = np.array(names)[rows] if id is None else as_strings(as_series(frame[id].iloc[rows]))
    unused = [str(name) for name in frame.columns if name not in (column, *named)]
    notes = list(pictures.notes)
    if unused:
        way_out = f", which --drop {shlex.quote(column)} reads instead"
        notes.append(
            f"{counted(len(unused), 'column')} left out ({listed(unused)})"
            + ("" if how.pictures.of_another else way_out)
        )
    told = sentence(y, labelled, pictures.how, len(rows), notes)
    return Table(
        pictures.X, y, ids, labelled, path, replace(how, pictures=pictures.how), label, told,
        None if len(rows) == len(names) else rows,
    )  # fmt: skip


def _file(path: Path, cell: str) -> Path:
    return path.parent / cell
