"""Text tables (CSV, TSV) through Arrow's parser, with errors that name line and value."""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.columns import way_out
from acclimate.exceptions import InputError
from acclimate.tables.labels import check_columns
from acclimate.tables.table import check_unique
from acclimate.tables.understood import Reading, check_declared
from acclimate.written import recognise

# Cells that mean "missing", in columns of any type.
MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "#N/A")
_SAMPLE = 1 << 16  # bytes that tell how long a line is
_MARKS = {
    b"\xff\xfe\0\0": "UTF-32", b"\0\0\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}  # fmt: skip
# What starts a file that holds other files, and what to do with it
_PACKED = {
    b"\x1f\x8b": "gzip; call it {name}.gz", b"PK\x03\x04": "a zip archive; unpack it first",
    b"BZh": "bzip2; unpack it first", b"\xfd7zXZ": "xz; unpack it first",
    b"\x28\xb5\x2f\xfd": "zstd; unpack it first",
}  # fmt: skip


def header(
    path: Path, encoding: str | None = None, delimiter: str | None = None
) -> tuple[list[str], str]:
    """Return the column names and the separator: a tab in .tsv files, else what the header uses.

    Raises
    ------
    InputError
        The file is empty, in another encoding, or has two columns of one name.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as raw:
            start = raw.read(6)
    except (OSError, EOFError) as error:
        raise InputError(f"{path.name} cannot be opened: {error}") from error
    packed = next((how for mark, how in _PACKED.items() if start.startswith(mark)), None)
    if packed is not None:
        raise InputError(f"{path.name} is packed with {packed.format(name=path.name)}")
    marked = next((mark for mark in _MARKS if start.startswith(mark)), None)
    if marked is not None and encoding is None:
        code = _MARKS[marked]
        raise InputError(
            f"{path.name} is in {code}, not UTF-8; pass {way_out('encoding', code.lower())}"
        )
    codec = "utf-8-sig" if encoding in (None, "utf8", "utf-8") else encoding
    try:
        codecs.lookup(str(codec))
    except LookupError as error:
        raise InputError(
            f"there is no encoding {encoding!r}; known are utf-8, latin-1, ..."
        ) from error
    # Bytes that are no text pass here, where they stand below the header: Arrow knows the line.
    with opener(path, "rt", encoding=codec, errors="surrogateescape", newline="") as text:
        line = re.sub(r'"[^"]*"', "", text.readline())  # marks inside quotes part nothing
        comma = delimiter or ("\t" if ".tsv" in path.suffixes else max(",;\t|", key=line.count))
        text.seek(0)
        try:
            names = next(csv.reader(text, delimiter=comma), [])
        except csv.Error as error:  # a name of more than 131072 letters
            raise InputError(
                f"{path.name}: the header in line 1 cannot be read ({error}); it starts with "
                f"{line[:40]!r}. Is it a line of column names?"
            ) from error
    odd = [letter for letter in "".join(names) if "\udc80" <= letter <= "\udcff"]
    if odd:
        raise _not_text(path, encoding, f"byte {ord(odd[0]) - 0xDC00:#x} in line 1")
    if not names:
        raise InputError(f"{path.name} is empty; it must start with a line of column names")
    check_unique(names, path.name)
    return names, comma


def _not_text(path: Path, encoding: str | None, what: str) -> InputError:
    return InputError(
        f"{path.name} is not in {(encoding or 'utf8').upper()}: {what}. Pass its encoding, such as "
        f"{way_out('encoding', 'latin-1')}, or save it as UTF-8"
    )


def batches(
    path: Path,
    *,
    columns: Sequence[str] | None = None,
    types: Mapping[str, Any] | None = None,
    how: Reading,
    block_size: int | None = None,
    threads: bool = True,
) -> Iterator[Any]:
    """Yield Arrow record batches in row order. Types come from ``types`` or the first block.

    Raises
    ------
    InputError
        A column is missing, or a cell or line does not fit. The message shows the line.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow

    names, comma = header(path, how.encoding, how.delimiter)
    check_columns(list(columns or ()), names, path.name)
    odd: list[Any] = []

    def note(row: Any) -> str:
        odd.append(row)
        return "error"

    def start(threads: bool) -> Any:
        return arrow.open_csv(
            path,
            *options(how, comma, types or {}, columns, note, block_size, threads),
        )

    try:
        with contextlib.closing(start(threads)) as reader:  # half read, its threads would go on
            yield from reader
    except pa.ArrowInvalid as error:
        message = str(error)
        odd.clear()
        try:  # once more, line by line: only then does Arrow know the number of the line
            for _ in start(False):
                pass
        except pa.ArrowInvalid as again:
            message = str(again)
        raise explain(path, names, message, odd, how.encoding) from None
    except OSError as error:
        raise InputError(f"{path.name} cannot be read to its end: {error}") from error


def check_header_once(frame: Any, path: Path) -> None:
    """Raise where a row repeats the header, as where files were put one behind the other."""
    names = [str(name) for name in frame.columns]
    same = None
    for j, name in enumerate(names):
        column = frame.iloc[:, j]
        if getattr(column.dtype, "kind", "O") in "biufM":
            return
        same = column == name if same is None else same & (column == name)
        if not same.any():
            return
    if same is not None and same.any():
        row = int(np.flatnonzero(same)[0])
        raise InputError(
            f"{path.name}: row {row + 1} repeats the header, {names[:4]}; delete that line"
        )


def options(
    how: Reading,
    comma: str,
    types: Mapping[str, Any],
    columns: Sequence[str] | None,
    note: Callable[[Any], str],
    block_size: int | None = None,
    threads: bool = True,
) -> tuple[Any, Any, Any]:
    """Return Arrow's three sets of options for a text table."""
    from pyarrow import csv as arrow

    return (
        arrow.ReadOptions(
            block_size=block_size, encoding=how.encoding or "utf8", use_threads=threads
        ),
        arrow.ParseOptions(delimiter=comma, newlines_in_values=True, invalid_row_handler=note),
        arrow.ConvertOptions(
            column_types=dict(types),
            include_columns=None if columns is None else list(columns),
            null_values=[*MISSING, *how.missing],
            strings_can_be_null=True,
            decimal_point=how.decimal or ".",
        ),
    )


def settle(path: Path, how: Reading) -> tuple[Reading, str]:
    """Return how a text table is read with its marks found, and the decimal mark where in doubt.

    Only files that are parted by something else than commas can have decimal commas without
    quotes. The decimal mark is a comma there where the first block says so.
    """
    names, comma = header(path, how.encoding, how.delimiter)
    check_declared(how, names, path.name)
    how = replace(how, delimiter=comma)
    guess = "." if comma == "," else ","
    if how.decimal is not None or comma == ",":
        return how, how.decimal or guess
    size = block_size(path)
    first = next(batches(path, how=how, block_size=size), None)
    types = {} if first is None else {field.name: field.type for field in first.schema}
    points = [name for name, kind in types.items() if pa_types().is_floating(kind)]
    texts = [name for name, kind in types.items() if pa_types().is_string(kind)]
    if not any(_commas(first, name) for name in texts):
        return how, guess
    if points:  # 1.234 is a number with a fraction only where commas are no decimal marks
        import pyarrow as pa

        types = dict.fromkeys(points, pa.string())
        first = next(batches(path, how=how, types=types, block_size=size), None)
        if not all(_commas(first, name, decimal=",") for name in points):
            return how, guess
    return replace(how, decimal=","), guess


def _commas(block: Any, name: str, decimal: str | None = None) -> bool:
    """Tell whether most cells of a column of texts are numbers with decimal commas, for sure."""
    found = recognise(block.column(name).drop_null().unique().to_pylist(), decimal=decimal)
    return bool(found and found.kind == "number" and found.decimal == "," and not found.other)


def pa_types() -> Any:
    """Return Arrow's questions about types."""
    import pyarrow as pa

    return pa.types


def block_size(path: Path) -> int:
    """Return how many bytes of a CSV to parse at once: 2 MiB, more where lines are long.

    Arrow reads up to 32 blocks ahead, so the size of a block decides how much memory is used.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        sample = file.read(_SAMPLE)
    line = max(len(sample) // max(sample.count(b"\n"), 1), 1)
    return max(64 * line, 1 << 21)


def explain(
    path: Path,
    names: Sequence[str],
    message: str,
    odd: Sequence[Any],
    encoding: str | None,
) -> InputError:
    """Return Arrow's complaint in plain words."""
    if odd:
        row = odd[0]
        line = f"line {row.number}" if row.number else "a line"
        return InputError(
            f"{path.name}, {line}: {row.actual_columns} cells where the header has "
            f"{row.expected_columns}: {row.text[:80]!r}"
        )
    found = re.search(
        r"column #(\d+):(?: Row #(\d+):)? CSV conversion error to (\w+).*?: (.*)", message, re.S
    )
    if found is None:
        return InputError(f"{path.name} cannot be read as a text table: {message}")
    name = names[int(found[1])]  # Arrow counts the columns of the file, not the chosen ones
    line = f"line {found[2]}" if found[2] else "a line"
    if "UTF8" in found[4]:
        return _not_text(path, encoding, f"{line} of column {name!r}")
    value = re.sub(r"^invalid value ", "", found[4]).strip("'")
    return InputError(
        f"{path.name}, {line}: column {name!r} holds {found[3]} values, but here is {value!r}; "
        f"correct the cell, or name it as missing: {way_out('missing', value)}"
    )
