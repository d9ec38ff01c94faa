"""Folders of texts as people have them: a file a text, in a folder that is called as its class."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from acclimate.columns import as_series, way_out
from acclimate.exceptions import InputError
from acclimate.files import is_special
from acclimate.tables.labels import split_labels
from acclimate.tables.picture_folders import any_file, is_either, look_for
from acclimate.tables.picture_sets import counted
from acclimate.tables.table import Table
from acclimate.tables.understood import Reading

ENDING = ".txt"
COLUMN = "text"  # what the texts are called, as a column of a table


def is_text(name: str) -> bool:
    """Tell by its name whether a file is a text."""
    return name.lower().endswith(ENDING)


def holds_texts(path: Path) -> bool:
    """Tell whether a folder holds texts, and no pictures or sounds, beside which one is a note."""
    return not any_file(path, is_either) and any_file(path, is_text)


def read_texts(path: Path, how: Reading) -> Table:
    """Read a folder of .txt files as a table of one column, called text.

    The class of a text is the name of the folder that it lies in; texts directly in ``path`` have
    no class. Parts of a set, hidden files and links are as in a folder of pictures: see
    `picture_folders.look`. Identifiers are the paths inside the folder, which also decide the order
    of the rows.

    Parameters
    ----------
    path : Path
        The folder.
    how : Reading
        Its ``encoding`` is that of the files; None is UTF-8.

    Raises
    ------
    InputError
        A file cannot be read.
    """
    import pandas as pd

    found = look_for(path, is_text, "text")
    texts = [_read(path / name, how.encoding) for name in found.names]
    y, labelled = split_labels(as_series(np.array(found.labels, dtype=object)))
    some = y if y is None or labelled is None else y[labelled]
    words = counted(len(texts), "text")
    if some is not None:
        words += f" of {counted(len(set(some.tolist())), 'class')}"
    rest = 0 if y is None or labelled is None else len(texts) - len(labelled.nonzero()[0])
    told = [words, *([f"{rest:,} without a label"] if rest else []), *found.notes()]
    return Table(
        pd.DataFrame({COLUMN: texts}), y, np.array([name.as_posix() for name in found.names]),
        labelled, path, replace(how, text=(COLUMN,)), told="; ".join(told),
    )  # fmt: skip


def _read(path: Path, encoding: str | None) -> str:
    if is_special(path):
        raise InputError(f"{path} is no plain file")
    try:
        return path.read_text(encoding=encoding or "utf-8-sig")
    except (UnicodeDecodeError, LookupError) as error:
        raise InputError(
            f"{path} is not {encoding or 'UTF-8'} ({error}); say how it is written, as "
            f"{way_out('encoding', 'latin-1')}"
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
