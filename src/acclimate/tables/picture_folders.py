"""Folders of pictures as people have them: classes, parts of a set, what is left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.columns import as_series
from acclimate.exceptions import InputError
from acclimate.tables.labels import split_labels
from acclimate.tables.picture_files import ENDINGS, is_picture
from acclimate.tables.picture_sets import counted, listed, read_set, sentence
from acclimate.tables.pictures import Pictures
from acclimate.tables.table import Table
from acclimate.tables.understood import Reading

LEARNT = ("train", "training", "val", "valid", "validation")  # parts of a set, above the classes
KEPT = ("test", "testing")  # the part that is not for learning


@dataclass
class Layout:
    """The pictures of a folder, and what else is in it.

    Parameters
    ----------
    names : list of Path
        Pictures, relative to the folder, in the order of the rows.
    labels : list of str or None
        Their classes; None for pictures that lie in no class folder.
    hidden : int
        Files and folders whose name begins with a dot.
    others : list of str
        Endings of files that are no pictures, or their names where they have none.
    parts : list of str
        Folders of the test part, which are left out.
    empty : list of str
        Folders beside the classes that hold no picture.
    again : list of str
        Links to folders that they lie in, or that were read already.
    """

    names: list[Path] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    hidden: int = 0
    others: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """Return what was left out, in words."""
        found = []
        if self.hidden:
            found.append(f"{self.hidden:,} hidden left out")
        if self.parts:
            found.append(f"{listed([f'{part}/' for part in self.parts])} left out")
        if self.others:
            kinds = listed(sorted(set(self.others)))
            found.append(f"{counted(len(self.others), 'other file')} left out ({kinds})")
        if self.again:
            found.append(f"{listed(sorted(self.again))} not followed again")
        if self.empty:
            found.append(f"no picture in {listed([f'{name}/' for name in self.empty])}")
        return found


def look(path: Path) -> Layout:
    """Find the pictures of a folder, and the class of each.

    The class is the name of the folder in ``path`` that a picture lies in, at any depth; that
    folder may be a link. Where all of these folders are called as the parts of a set are, train or
    val, the classes are the folders in them, and a folder called test is left out.
    """
    found = Layout()
    files = sorted(_walk(path, Path(), found, set()))
    tops = sorted({name.parts[0] for name in files if len(name.parts) > 1})
    below = any(len(name.parts) > 2 and name.parts[0].lower() in LEARNT for name in files)
    parts = {top for top in tops if top.lower() in LEARNT}
    tests = {top for top in tops if top.lower() in KEPT}
    depth = 1
    if parts and set(tops) == parts | tests and (below or len(tops) > 1):
        found.parts = sorted(tests)
        files = [name for name in files if name.parts[0] not in tests]
        depth = 2
    found.names = files
    found.labels = [
        name.parts[depth - 1] if len(name.parts) > depth else None for name in files
    ]  # fmt: skip
    found.empty = sorted(
        name for name in _folders(path) if name not in tops and not name.startswith(".")
    )
    return found


def read_folder(path: Path, how: Pictures | None = None) -> Table:
    """Read a folder of pictures. The class of a picture is the name of the folder it lies in.

    Pictures directly in ``path`` have no class. Greys give uint8 of shape (n, h, w), colours
    (n, 3, h, w). Identifiers are the paths inside the folder, which also decide the order of the
    rows. See `look` for what is read, and `Pictures` for how.
    """
    found = look(path)
    if not found.names:
        left = found.notes()
        raise InputError(
            f"the folder {path} holds no pictures ({', '.join(ENDINGS)})"
            + (f"; {'; '.join(left)}" if left else "")
        )
    ids = [name.as_posix() for name in found.names]
    pictures = read_set([path / name for name in found.names], ids, how or Pictures())
    labels = [found.labels[row] for row in pictures.kept]
    y, labelled = split_labels(as_series(np.array(labels, dtype=object)))
    notes = [*found.notes(), *pictures.notes]
    told = sentence(y, labelled, pictures.how, len(labels), notes)
    kept = None if len(labels) == len(ids) else pictures.kept
    return Table(
        pictures.X, y, np.array(ids)[pictures.kept], labelled, path,
        Reading(pictures=pictures.how), told=told, kept=kept,
    )  # fmt: skip


def read_one(path: Path, how: Pictures | None = None) -> Table:
    """Read one picture as one row without a label."""
    pictures = read_set([path], [path.name], how or Pictures())
    told = sentence(None, None, pictures.how, 1, pictures.notes)
    reading = Reading(pictures=pictures.how)
    return Table(pictures.X, None, np.array([path.name]), None, path, reading, told=told)


def _walk(root: Path, inside: Path, found: Layout, seen: set[str]) -> Iterator[Path]:
    """Yield the pictures below ``root / inside``, relative to ``root``.

    Links are followed. Below the classes no folder is entered twice, so that links in a circle end.
    """
    here = os.path.realpath(root / inside)
    if here in seen:
        found.again.append(inside.as_posix())
        return
    seen.add(here)
    above = set(seen)
    for entry in _entries(root / inside):
        name = inside / entry.name
        if entry.name.startswith("."):
            found.hidden += 1
        elif os.path.isdir(root / name):  # a link to itself leads to none
            yield from _walk(root, name, found, set(above) if len(inside.parts) < 2 else seen)
        elif is_picture(entry.name):
            yield name
        else:
            found.others.append(name.suffix.lower() or entry.name)


def _entries(folder: Path) -> list[Any]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be read: {error.strerror}") from error


def _folders(path: Path) -> list[str]:
    return [entry.name for entry in _entries(path) if os.path.isdir(path / entry.name)]
