"""Read a file of any size as batches, in constant memory and in row order."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acclimate.exceptions import InputError
from acclimate.tables import delimited
from acclimate.tables.labels import check_columns
from acclimate.tables.reading import is_stream, kind_of, read_excel
from acclimate.tables.table import check_unique, to_frame
from acclimate.tables.understood import NUMBERS, STRINGS, Reading, convert, converters

if TYPE_CHECKING:
    import pandas as pd


def stream(
    path: str | os.PathLike[str],
    *,
    batch_rows: int = 65536,
    columns: Sequence[str] | None = None,
    types: Mapping[str, str] | None = None,
    missing: Sequence[str] = (),
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
) -> Iterator[pd.DataFrame]:
    r"""Yield the rows of a file as data frames of ``batch_rows`` rows; the last one may be shorter.

    Use it for files larger than memory. Use `read` for others: it sees all rows before it decides
    on the type of a column.

    Every batch has the same types. They come from the first block of a file, and texts that are
    numbers or dates there are read as in `read`. Whole numbers are float64, since a later block may
    have gaps; a column that is empty in the first block is text.
    Read identifiers as text, with ``types={"id": "string"}``.

    Parameters
    ----------
    path : path-like
        A CSV or TSV (also ending in .gz), Parquet, Feather or Arrow file.
    batch_rows : int, default=65536
        Rows of a batch, above 0. Memory is proportional to it.
    columns : sequence of str, default=None
        Columns to read, in this order. None means all.
    types : mapping from column to str, default=None
        Types of columns of a CSV, in Arrow's names such as "float64" or "string". Others are
        found in the first block. Names that are not in the file are ignored.
    missing : sequence of str, default=()
        Further cells of a CSV that mean "missing"; see `read`.
    encoding, delimiter, decimal : str, default=None
        Of a CSV; see `read`.

    Yields
    ------
    DataFrame of shape (up to ``batch_rows``, d)
        The index counts the rows of the file from 0.

    Raises
    ------
    InputError
        A later block breaks the types of the first; the message shows line and value.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from acclimate import tables
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "long.csv")
    ...     _ = path.write_text("a,b\n1,x\n2,y\n3,z\n")
    ...     [batch["a"].tolist() for batch in tables.stream(path, batch_rows=2)]
    [[1.0, 2.0], [3.0]]
    """
    if batch_rows < 1:
        raise InputError(f"batch_rows must be above 0, got {batch_rows}")
    start = 0
    how = Reading(encoding, delimiter, decimal, tuple(missing))
    for table in arrow_batches(path, batch_rows=batch_rows, columns=columns, types=types, how=how):
        frame = to_frame(table, steady=True)
        frame.index = range(start, start + len(frame))
        start += len(frame)
        yield frame


def arrow_batches(
    path: str | os.PathLike[str],
    *,
    batch_rows: int,
    columns: Sequence[str] | None = None,
    types: Mapping[str, str] | None = None,
    how: Reading | None = None,
) -> Iterator[Any]:
    """Yield Arrow tables of ``batch_rows`` rows; see `stream`."""
    path, how, guess = Path(path), how or Reading(), "."
    kind = kind_of(path)
    if kind == "csv":
        how, guess = delimited.settle(path, how)
        source = _csv(path, columns, types or {}, how, guess)
    elif kind == "parquet":
        source = _parquet(path, batch_rows, columns)
    elif kind == "arrow":
        source = _ipc(path, columns)
    else:
        raise InputError(f"{path.name} cannot be read as batches; use read")
    return _regroup(_understood(source, how, guess, set(types or ())), batch_rows)


def column_names(path: str | os.PathLike[str], how: Reading | None = None) -> list[str]:
    """Return the column names of a file that `stream` takes, without reading its rows."""
    path = Path(path)
    kind = kind_of(path)
    if kind == "csv":
        how = how or Reading()
        return delimited.header(path, how.encoding, how.delimiter)[0]
    if kind == "excel":
        return list(read_excel(path, rows=0).columns)
    names: list[str] = _opened(path, kind)[1]
    return names


def _understood(source: Iterator[Any], how: Reading, guess: str, aside: set[str]) -> Iterator[Any]:
    """Yield batches whose texts are numbers and dates where those of the first batch are."""
    first = next(source, None)
    if first is None:
        return
    found = converters(first, how, guess)
    found = {name: one for name, one in found.items() if name not in aside}
    start = 0
    for batch in chain([first], source):
        yield convert(batch, found, start, how.missing) if found else batch
        start += batch.num_rows


def _csv(
    path: Path,
    columns: Sequence[str] | None,
    types: Mapping[str, str],
    how: Reading,
    guess: str,
) -> Iterator[Any]:
    import pyarrow as pa

    names, _ = delimited.header(path, how.encoding, how.delimiter)
    given = {n: pa.type_for_alias(kind) for n, kind in types.items() if n in names}
    kinds = {n: how.declared(n) for n in names if n not in given}
    given |= {n: pa.string() for n, kind in kinds.items() if kind in (*STRINGS, "constant")}
    options: dict[str, Any] = {"columns": columns, "how": how}
    options["block_size"] = delimited.block_size(path)
    first = next(delimited.batches(path, types=given, **options), None)
    texts = {} if first is None else converters(first, how, guess)
    for field in () if first is None else first.schema:
        if field.name in given:
            continue
        if pa.types.is_integer(field.type):
            given[field.name] = pa.float64()
        elif field.name in texts:
            given[field.name] = pa.string()
        elif kinds[field.name] in NUMBERS and not pa.types.is_boolean(field.type):
            given[field.name] = pa.float64()  # anything else is an error that names the line
        elif pa.types.is_null(field.type) or pa.types.is_binary(field.type):
            given[field.name] = pa.string()  # asking for text makes invalid text an error
        else:
            given[field.name] = field.type
    yield from delimited.batches(path, types=given, **options)


def _opened(path: Path, kind: str) -> tuple[Any, list[str]]:
    import pyarrow as pa

    try:
        if kind == "parquet":
            from pyarrow import parquet

            # by default Arrow reads all row groups ahead, and memory grows with the file
            opened = parquet.ParquetFile(path, pre_buffer=False)
            names = list(opened.schema_arrow.names)
        elif is_stream(path):
            opened = pa.ipc.open_stream(pa.memory_map(str(path)))
            names = list(opened.schema.names)
        else:
            opened = pa.ipc.open_file(pa.memory_map(str(path)))
            names = list(opened.schema.names)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path.name} cannot be read as {kind}: {error}") from error
    check_unique(names, path.name)
    return opened, names


def _parquet(path: Path, batch_rows: int, columns: Sequence[str] | None) -> Iterator[Any]:
    opened, names = _opened(path, "parquet")
    check_columns(list(columns or ()), names, path.name)
    kept = None if columns is None else list(columns)
    for batch in ahead(opened.iter_batches(batch_size=batch_rows, columns=kept)):
        yield batch if kept is None else batch.select(kept)


def _ipc(path: Path, columns: Sequence[str] | None) -> Iterator[Any]:
    opened, names = _opened(path, "arrow")
    check_columns(list(columns or ()), names, path.name)
    stream = not hasattr(opened, "num_record_batches")
    every = opened if stream else map(opened.get_batch, range(opened.num_record_batches))
    for batch in every:
        yield batch if columns is None else batch.select(list(columns))


def ahead(source: Iterator[Any]) -> Iterator[Any]:
    """Yield what an iterator gives, while a thread makes the next of it.

    Memory holds two of them. What the iterator raises is raised where its turn comes.

    Examples
    --------
    >>> list(ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    ended = object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, source, ended)
        while (item := coming.result()) is not ended:
            coming = thread.submit(next, source, ended)
            yield item


def _regroup(source: Iterator[Any], batch_rows: int) -> Iterator[Any]:
    """Yield tables of exactly ``batch_rows`` rows, and the rest, without copying rows."""
    import pyarrow as pa

    waiting: list[Any] = []
    rows = 0
    for batch in source:
        waiting.append(batch)
        rows += batch.num_rows
        if rows < batch_rows:
            continue
        table = pa.Table.from_batches(waiting)
        whole = rows - rows % batch_rows
        for start in range(0, whole, batch_rows):
            yield table.slice(start, batch_rows)
        waiting = table.slice(whole).to_batches()
        rows -= whole
    if rows:
        yield pa.Table.from_batches(waiting)
