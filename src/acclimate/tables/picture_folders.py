"""Folders of pictures or sounds as people have them: classes, parts, what is left out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.columns import as_series
from acclimate.exceptions import InputError
from acclimate.tables import sound_sets
from acclimate.tables.labels import split_labels
from acclimate.tables.picture_files import ENDINGS, is_picture
from acclimate.tables.picture_sets import counted, listed, sentence
from acclimate.tables.pictures import Pictures
from acclimate.tables.sound_sets import is_like, is_sound, read_set
from acclimate.tables.table import Table
from acclimate.tables.understood import Reading

LEARNT = ("train", "training", "val", "valid", "validation")  # parts of a set, above the classes
KEPT = ("test", "testing")  # the part that is not for learning


@dataclass
class Layout:
    """The pictures or sounds of a folder, and what else is in it.

    Parameters
    ----------
    how : Pictures
        Which of both is looked for.
    names : list of Path
        Pictures or sounds, relative to the folder, in the order of the rows.
    labels : list of str or None
        Their classes; None for those that lie in no class folder.
    hidden : int
        Files and folders whose name begins with a dot.
    others : list of str
        Endings of files that are something else, or their names where they have none.
    parts : list of str
        Folders of the test part, which are left out.
    empty : list of str
        Folders beside the classes that hold none.
    again : list of str
        Links to folders that they lie in, or that were read already.
    noun : str or None
        What is looked for, in words; None for pictures and sounds.
    """

    how: Pictures = field(default_factory=Pictures)
    names: list[Path] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    hidden: int = 0
    others: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    noun: str | None = None

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
            noun = self.noun or ("sound" if self.how.sound else "picture")
            found.append(f"no {noun} in {listed([f'{name}/' for name in self.empty])}")
        return found


def look(path: Path, how: Pictures | None = None) -> Layout:
    """Find the pictures or the sounds of a folder, and the class of each.

    Where both are there, the kind of which there are more is read, or the one that a model or
    another set holds. The class is the name of the folder in ``path`` that a picture lies in, at
    any depth; that folder may be a link. Where all of these folders are called as the parts of a
    set are, train or val, the classes are the folders in them, and a folder called test is left
    out.
    """
    found = Layout(how or Pictures())
    files = sorted(_walk(path, Path(), found, set(), is_either))
    known = found.how.of_another and found.how.size is not None
    if not known:
        sounds = sum(is_sound(name.name) for name in files)
        found.how = replace(found.how, sound=2 * sounds > len(files))
    found.others += [
        name.suffix.lower() for name in files if not is_like(name.name, found.how.sound)
    ]
    files = [name for name in files if is_like(name.name, found.how.sound)]
    return _laid_out(path, found, files)


def look_for(path: Path, wanted: Callable[[str], bool], noun: str) -> Layout:
    """Find the files of another kind in a folder, by the rules of `look`.

    Parameters
    ----------
    path : Path
        The folder.
    wanted : callable
        Tells by its name whether a file is of the kind.
    noun : str
        What such a file is called.
    """
    found = Layout(noun=noun)
    return _laid_out(path, found, sorted(_walk(path, Path(), found, set(), wanted)))


def _laid_out(path: Path, found: Layout, files: list[Path]) -> Layout:
    """Fill in the classes of files, and what is left out of them."""
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
    """Read a folder of pictures or sounds. Their class is the name of the folder they lie in.

    Those directly in ``path`` have no class. Greys give uint8 of shape (n, h, w), colours
    (n, 3, h, w), sounds (n, 80, columns). Identifiers are the paths inside the folder, which also
    decide the order of the rows. See `look` for what is read, and `Pictures` for how.
    """
    found = look(path, how)
    if not found.names:
        left = found.notes()
        known = found.how.of_another and found.how.size is not None
        kinds: dict[str, tuple[str, ...]] = {"pictures": ENDINGS, "sounds": sound_sets.ENDINGS}
        if known:
            del kinds["pictures" if found.how.sound else "sounds"]
        else:
            kinds["texts"] = (".txt",)
        wanted = " and no ".join(f"{noun} ({', '.join(ends)})" for noun, ends in kinds.items())
        raise InputError(
            f"the folder {path} holds no {wanted}" + (f"; {'; '.join(left)}" if left else "")
        )
    ids = [name.as_posix() for name in found.names]
    pictures = read_set([path / name for name in found.names], ids, found.how)
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
    """Read one picture or sound as one row without a label."""
    settings = how or Pictures()
    if not settings.of_another:
        settings = replace(settings, sound=is_sound(path.name))
    pictures = read_set([path], [path.name], settings)
    told = sentence(None, None, pictures.how, 1, pictures.notes)
    reading = Reading(pictures=pictures.how)
    return Table(pictures.X, None, np.array([path.name]), None, path, reading, told=told)


def any_file(path: Path, wanted: Callable[[str], bool]) -> bool:
    """Tell whether a folder holds a file of a kind, at any depth."""
    return any(True for _ in _walk(path, Path(), Layout(), set(), wanted))


def is_either(name: str) -> bool:
    """Tell by its name whether a file is a picture or a sound."""
    return is_picture(name) or is_sound(name)


def _walk(
    root: Path, inside: Path, found: Layout, seen: set[str], wanted: Callable[[str], bool]
) -> Iterator[Path]:
    """Yield the wanted files below ``root / inside``, relative to ``root``.

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
            entered = set(above) if len(inside.parts) < 2 else seen
            yield from _walk(root, name, found, entered, wanted)
        elif wanted(entry.name):
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
