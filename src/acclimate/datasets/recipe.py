"""Find the arrays of a data set: cache, named folders, system folders, packages, official site."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from acclimate.datasets._paired import PairedDataset
from acclimate.datasets._types import (
    Dataset,
    DatasetInfo,
    SoundDataset,
    TabularDataset,
    TextDataset,
)
from acclimate.datasets.cache import Arrays, read_set, verify, write_set
from acclimate.datasets.places import Source
from acclimate.exceptions import DataNotFoundError, IntegrityError
from acclimate.files import temporary_folder

log = logging.getLogger("acclimate")

AnyDataset = Dataset | TabularDataset | TextDataset | SoundDataset | PairedDataset

# Where distributions put data sets. `ACCLIMATE_SYSTEM_DATA` replaces the list; empty hides them.
SYSTEM_FOLDERS: tuple[str, ...] = ("/usr/share/datasets", "/usr/local/share/datasets")


@dataclass(frozen=True)
class Carrier:
    """An archive that carries a data set.

    Parameters
    ----------
    source : Source
        Where to fetch it.
    pattern : str
        Its file name as a glob pattern, to find it in the user's folders.
    read : callable
        ``read(archive) -> arrays``.
    """

    source: Source
    pattern: str
    read: Callable[[Path], Arrays]


@dataclass(frozen=True)
class Recipe:
    """One version of a data set, and every way to get it.

    Parameters
    ----------
    key : str
        Folder in the cache.
    digests : mapping of str to str
        Expected `fingerprint` of each array.
    split : str
        Which split this is, in words.
    loose : callable, default=None
        ``loose(folder) -> arrays`` reads loose files; `DataNotFoundError` where they are not there.
    carriers : tuple of Carrier
    site : Source, default=None
        Loose files on the official site.
    """

    key: str
    digests: Mapping[str, str]
    split: str
    loose: Callable[[Path], Arrays] | None = None
    carriers: tuple[Carrier, ...] = ()
    site: Source | None = None


@dataclass(frozen=True)
class Entry:
    """A row of the registry.

    Parameters
    ----------
    info : DatasetInfo
    recipes : tuple of Recipe
        Versions, best first.
    assemble : callable
        ``assemble(arrays, recipe)`` returns the data set.
    advice : str
        What the user can do where nothing is found.
    made_from : tuple of Entry
        Other data sets whose arrays `assemble` gets as well.
    """

    info: DatasetInfo
    recipes: tuple[Recipe, ...]
    assemble: Callable[[Arrays, Recipe], AnyDataset]
    advice: str = ""
    made_from: tuple[Entry, ...] = ()


@dataclass
class _Search:
    """Remember the places that were tried, for the error message."""

    tried: list[str] = field(default_factory=list)

    def attempt(
        self, place: str, recipe: Recipe, read: Callable[[Path], Arrays], path: Path
    ) -> Arrays | None:
        """Return checked arrays, or None after a note of why not."""
        try:
            arrays = read(path)
            verify(arrays, recipe.digests)
        except DataNotFoundError as error:
            self.tried.append(f"{place}: {error}")
        except Exception as error:  # what damage makes a reader say is never the end of the search
            known = isinstance(error, IntegrityError | OSError)
            words = f"not used: {'' if known else f'{type(error).__name__}: '}{error}"[:400]
            log.warning("%s: %s", place, words)
            self.tried.append(f"{place}: {words}")
        else:
            return arrays
        return None


def obtain(entry: Entry, home: Path, *, offline: bool = False) -> tuple[Arrays, Recipe]:
    """Return the arrays of a data set and the version they are.

    Parameters
    ----------
    entry : Entry
    home : Path
        The cache.
    offline : bool, default=False
        Look on this machine only.

    Returns
    -------
    arrays : dict of str to memmap
    recipe : Recipe

    Raises
    ------
    DataNotFoundError
        Nothing was found; the message names every place that was tried.
    OutputError
        The cache cannot be written.
    """
    search = _Search()
    steps = [_local] if offline else [_local, _fetched]
    for step in steps:
        for recipe in entry.recipes:
            folder = home / "datasets" / recipe.key
            arrays = read_set(folder, recipe.digests)
            if arrays is not None:
                return arrays, recipe
            found = step(recipe, search)
            if found is not None:
                log.info("%s found in %s", entry.info.name, found[1])
                write_set(folder, found[0], recipe.digests, found[1])
                return read_set(folder, recipe.digests) or found[0], recipe
    raise DataNotFoundError(_message(entry, search, offline))


def named_folders() -> list[Path]:
    """Return the folders that ``ACCLIMATE_DATA`` names."""
    text = os.environ.get("ACCLIMATE_DATA", "")
    return [Path(part).expanduser() for part in text.split(os.pathsep) if part]


def system_folders() -> list[Path]:
    """Return the folders in which distributions keep data sets."""
    text = os.environ.get("ACCLIMATE_SYSTEM_DATA")
    parts: Sequence[str] = SYSTEM_FOLDERS if text is None else text.split(os.pathsep)
    return [Path(part) for part in parts if part]


def _local(recipe: Recipe, search: _Search) -> tuple[Arrays, str] | None:
    dashed = recipe.key.replace("_", "-")
    for label, folders in (("ACCLIMATE_DATA", named_folders()), ("system", system_folders())):
        if not folders:
            search.tried.append(f"{label}: not set")
        for base in folders:
            for folder in dict.fromkeys([base / recipe.key, base / dashed, base]):
                place = f"{label} folder {folder}"
                if not folder.is_dir():
                    search.tried.append(f"{place}: no such folder")
                    continue
                arrays = read_set(folder, recipe.digests)
                if arrays is None:
                    arrays = _read_folder(recipe, search, folder, place)
                if arrays is not None:
                    return arrays, place
    return None


def _read_folder(recipe: Recipe, search: _Search, folder: Path, place: str) -> Arrays | None:
    if recipe.loose is not None:
        arrays = search.attempt(place, recipe, recipe.loose, folder)
        if arrays is not None:
            return arrays
    for carrier in recipe.carriers:
        archives = sorted(path for path in folder.glob(carrier.pattern) if path.is_file())
        if not archives:
            search.tried.append(f"{place}: no {carrier.pattern}")
        for archive in archives:
            arrays = search.attempt(str(archive), recipe, carrier.read, archive)
            if arrays is not None:
                return arrays
    return None


def _fetched(recipe: Recipe, search: _Search) -> tuple[Arrays, str] | None:
    ways = [(carrier.source, carrier.read) for carrier in recipe.carriers]
    if recipe.site is not None and recipe.loose is not None:
        ways.append((recipe.site, recipe.loose))
    for source, read in ways:
        with temporary_folder() as folder:
            way = partial(_fetch_and_read, source, read)
            arrays = search.attempt(source.label, recipe, way, folder)
        if arrays is not None:
            return arrays, source.label
    return None


def _fetch_and_read(source: Source, read: Callable[[Path], Arrays], folder: Path) -> Arrays:
    return read(source.fetch(folder))


def _message(entry: Entry, search: _Search, offline: bool) -> str:
    lines = [f"The data set {entry.info.name!r} was not found. Tried:"]
    lines += [f"  - {place}" for place in dict.fromkeys(search.tried)]
    if offline:
        lines.append("  - nothing else, because offline=True")
    lines.append(
        "What to do: go online once, or put the files into a folder and set the environment "
        f"variable ACCLIMATE_DATA to it. {entry.advice}".rstrip()
    )
    return "\n".join(lines)
