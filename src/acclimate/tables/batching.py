"""`batches`: a file or arrays as batches that can be read again and again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acclimate.exceptions import InputError
from acclimate.tables.ahead import ahead
from acclimate.tables.labels import check_columns
from acclimate.tables.streaming import arrow_batches, column_names


@dataclass(frozen=True, eq=False)
class FileBatches:
    """Batches of a file; see `batches`."""

    path: Path
    label: str | None
    columns: tuple[str, ...]
    batch_rows: int

    def __iter__(self) -> Iterator[Any]:
        """Start at the first row."""
        wanted = [*self.columns, *([] if self.label is None else [self.label])]
        for table in ahead(arrow_batches(self.path, batch_rows=self.batch_rows, columns=wanted)):
            X = table.select(list(self.columns))
            yield X if self.label is None else (X, table.column(self.label).to_numpy())


@dataclass(frozen=True, eq=False)
class ArrayBatches:
    """Batches of arrays; see `batches`."""

    X: Any
    y: Any
    batch_rows: int

    def __iter__(self) -> Iterator[Any]:
        """Start at the first row."""
        for start in range(0, len(self.X), self.batch_rows):
            part = slice(start, start + self.batch_rows)
            yield self.X[part] if self.y is None else (self.X[part], self.y[part])


def batches(
    source: Any,
    y: Any = None,
    *,
    label: str | None = None,
    columns: Sequence[str] | None = None,
    batch_rows: int = 65536,
) -> FileBatches | ArrayBatches:
    """Return the batches of a file or of arrays, for ``fit_batches``.

    Use it for data larger than memory: a file is read batch by batch, one ahead of the reader, and
    an array may be a memory map. Do not use it for rows that fit into memory: `fit` is simpler.

    Parameters
    ----------
    source : path-like or array-like of shape (n, d)
        A CSV, Parquet, Feather or Arrow file, or rows.
    y : array-like of shape (n,), default=None
        Labels of the rows, where ``source`` is an array.
    label : str, default=None
        Column with the labels, where ``source`` is a file.
    columns : sequence of str, default=None
        Columns with the features. None means all but ``label``.
    batch_rows : int, default=65536
        Rows of a batch, above 0. Memory is proportional to it.

    Returns
    -------
    iterable
        Each iteration starts at the first row. It yields pairs (X, y) where there are labels, else
        X alone. X of a file is a table of Arrow, which shares its memory with what was read.

    Raises
    ------
    InputError
        A column is not in the file, or ``batch_rows`` is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import tables
    >>> [X.shape for X in tables.batches(np.ones((5, 2)), batch_rows=3)]
    [(3, 2), (2, 2)]
    """
    if batch_rows < 1:
        raise InputError(f"batch_rows must be above 0, got {batch_rows}")
    if not isinstance(source, str | os.PathLike):
        if label is not None or columns is not None:
            raise InputError("label and columns are for files; pass the labels of an array as y")
        if y is not None and len(y) != len(source):
            raise InputError(f"there are {len(source)} rows but {len(y)} labels")
        return ArrayBatches(source, y, batch_rows)
    if y is not None:
        raise InputError("y is for arrays; name the column of a file that holds the labels: label=")
    path = Path(source)
    names = column_names(path)
    check_columns([*(columns or ()), *([] if label is None else [label])], names, path.name)
    kept = [name for name in names if name != label] if columns is None else list(columns)
    if label in kept:
        raise InputError(f"the label {label!r} is among the columns with features")
    return FileBatches(path, label, tuple(kept), batch_rows)
