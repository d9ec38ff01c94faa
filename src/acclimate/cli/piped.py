"""`-` in place of a file: rows from standard input, results on standard output."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from acclimate.exceptions import InputError
from acclimate.files import temporary_folder

_BEGINS = {
    b"PAR1": ".parquet", b"ARROW1": ".arrow", b"\xff\xff\xff\xff": ".arrows",
    b"PK\x03\x04": ".xlsx", b"\x1f\x8b": ".csv.gz",
}  # fmt: skip


def is_piped(path: Path | None) -> bool:
    """Tell whether a path is `-`."""
    return path is not None and str(path) == "-"


@contextlib.contextmanager
def rows_of(path: Path) -> Iterator[Path]:
    """Give a file of rows; standard input becomes one that goes at the end of the block.

    What it is is told by how it begins: Parquet, Arrow, .xlsx, a CSV that was packed by gzip, else
    a CSV.

    Raises
    ------
    InputError
        Nothing is piped, or what comes is empty.
    """
    if not is_piped(path):
        yield path
        return
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError("- reads rows from standard input, and none are piped into it")
    with temporary_folder() as folder:
        whole = folder / "standard input"
        with whole.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        with whole.open("rb") as file:
            head = file.read(max(map(len, _BEGINS)))
        if not head:
            raise InputError("standard input is empty")
        ending = next((end for start, end in _BEGINS.items() if head.startswith(start)), ".csv")
        yield whole.rename(folder / f"standard input{ending}")


@contextlib.contextmanager
def result_to(path: Path) -> Iterator[Path]:
    """Give a file to write; for standard output a CSV, which is copied there when it is whole."""
    if not is_piped(path):
        yield path
        return
    with temporary_folder() as folder:
        yield folder / "standard output.csv"
        with (folder / "standard output.csv").open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.flush()
