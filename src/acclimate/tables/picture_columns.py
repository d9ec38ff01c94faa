"""Tables with a column of paths to pictures or sounds."""

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
from acclimate.tables.picture_sets import counted, listed, sentence
from acclimate.tables.pictures import Pictures
from acclimate.tables.sound_sets import is_like, is_sound, read_set
from acclimate.tables.table import Table
from acclimate.tables.understood import Reading, understand

_LOOKED = 200  # rows in which one file must be there


def find(frame: Any, path: Path, aside: Sequence[str | None], how: Pictures) -> str | None:
    """Return the column whose cells are paths to pictures or sounds, None where there is none.

    Every cell that is not empty ends as a picture does, or every one as a sound, and one of the
    first files is there. Where a model or another set holds such, none need be there. Paths begin
    at the table's folder.

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
    kinds = [how.sound] if expected else [False, True]
    found: dict[str, bool] = {}
    for name in frame.columns:
        if name in aside or frame[name].dtype.kind in "biufcmM":
            continue
        cells = frame[name].dropna()
        if not len(cells) or not all(isinstance(cell, str) for cell in cells):
            continue
        kind = next((k for k in kinds if all(is_like(cell, k) for cell in cells)), None)
        if kind is None:
            continue
        if expected or any(os.path.exists(_file(path, cell)) for cell in cells.head(_LOOKED)):
            found[str(name)] = kind
    noun = " and ".join("sounds" if k else "pictures" for k in kinds if k in found.values())
    if len(found) > 1:
        raise InputError(
            f"{path.name} has {len(found)} columns of paths to {noun}, {listed(list(found))}; "
            f"leave out all but one with drop (--drop {list(found)[1]})"
        )
    if expected and not found:
        noun = "sounds" if how.sound else "pictures"
        raise InputError(
            f"{path.name} has no column of paths to {noun}, and the model or the other set holds "
            f"{noun}; it has {listed([str(name) for name in frame.columns])}"
        )
    return next(iter(found), None)


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
    """Read the pictures or sounds that a column names; by default their paths are identifiers."""
    named = [name for name in (label, id, *drop) if name is not None]
    check_columns(named, list(frame.columns), path.name)
    cells = frame[column]
    if not len(cells):
        raise InputError(f"{path.name} has columns but no rows: {list(frame.columns)[:8]}")
    names = [
        cell if isinstance(cell, str) else f"row {row + 1} without a path"
        for row, cell in enumerate(cells)
    ]
    settings = how.pictures
    if not settings.of_another:
        settings = replace(settings, sound=is_sound(cells.dropna().iloc[0]))
    pictures = read_set([_file(path, name) for name in names], names, settings)
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
