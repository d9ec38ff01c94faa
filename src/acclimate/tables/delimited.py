"""Text tables (CSV, TSV) through Arrow's parser, with errors that name line and value."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from acclimate.exceptions import InputError
from acclimate.tables.labels import check_columns
from acclimate.tables.table import check_unique

# Cells that mean "missing", in columns of any type.
MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "#N/A")
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def header(path: Path, encoding: str = "utf8") -> tuple[list[str], str]:
    """Return the column names and the separator: a tab in .tsv files, else what the header uses.

    Raises
    ------
    InputError
        The file is empty, in another encoding, or has two columns of one name.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as raw:
            start = raw.read(2)
    except (OSError, EOFError) as error:
        raise InputError(f"{path.name} cannot be opened: {error}") from error
    if start in _MARKS and encoding == "utf8":
        raise InputError(f"{path.name} is in {_MARKS[start]}, not UTF-8; pass encoding='utf-16'")
    codec = "utf-8-sig" if encoding in ("utf8", "utf-8") else encoding
    # Bytes that are no text pass here, where they stand below the header: Arrow knows the line.
    with opener(path, "rt", encoding=codec, errors="surrogateescape", newline="") as text:
        line = text.readline()
        comma = "\t" if ".tsv" in path.suffixes else ","
        if comma == "," and "," not in line:
            comma = next((mark for mark in ";\t" if mark in line), ",")
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


def _not_text(path: Path, encoding: str, what: str) -> InputError:
    return InputError(
        f"{path.name} is not in {encoding.upper()}: {what}. Pass its encoding, such as "
        f"encoding='latin-1', or save it as UTF-8"
    )


def batches(
    path: Path,
    *,
    columns: Sequence[str] | None = None,
    types: Mapping[str, Any] | None = None,
    missing: Sequence[str] = (),
    encoding: str = "utf8",
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

    names, comma = header(path, encoding)
    check_columns(list(columns or ()), names, path.name)
    odd: list[Any] = []

    def note(row: Any) -> str:
        odd.append(row)
        return "error"

    def start(threads: bool) -> Any:
        return arrow.open_csv(
            path,
            arrow.ReadOptions(block_size=block_size, encoding=encoding, use_threads=threads),
            arrow.ParseOptions(delimiter=comma, newlines_in_values=True, invalid_row_handler=note),
            arrow.ConvertOptions(
                column_types=dict(types or {}),
                include_columns=None if columns is None else list(columns),
                null_values=[*MISSING, *missing],
                strings_can_be_null=True,
            ),
        )

    try:
        yield from start(threads)
    except pa.ArrowInvalid as error:
        message = str(error)
        odd.clear()
        try:  # once more, line by line: only then does Arrow know the number of the line
            for _ in start(False):
                pass
        except pa.ArrowInvalid as again:
            message = str(again)
        raise explain(path, names, message, odd, encoding) from None


def explain(
    path: Path,
    names: Sequence[str],
    message: str,
    odd: Sequence[Any],
    encoding: str,
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
        f"correct the cell, or name it as missing with missing=[{value!r}]"
    )


def check_mixed(frame: Any, path: Path, text: Sequence[str] = ()) -> None:
    """Raise where more than half of a column's cells are numbers, and others are not.

    Parameters
    ----------
    frame : DataFrame
        Rows of the whole file; row 0 stands on line 2.
    path : Path
        For the message.
    text : sequence of str
        Columns that are text, whatever they hold.
    """
    import pandas as pd

    for name in frame.columns:
        column = frame[name]
        if name in text or not pd.api.types.is_string_dtype(column.dtype):
            continue
        cells = column.dropna()
        odd = pd.to_numeric(cells, errors="coerce").isna()
        if len(cells) and 0 < odd.sum() < len(cells) / 2:
            row = int(odd.to_numpy().nonzero()[0][0])
            value, line = cells.iloc[row], int(cells.index[row]) + 2
            raise InputError(
                f"{path.name}, line {line}: column {name!r} mixes types: {len(cells) - odd.sum()} "
                f"cells are numbers, but here is {value!r}. Correct the cell, name it as missing "
                f"with missing=[{value!r}], or read the column as text with text=[{name!r}]"
            )
