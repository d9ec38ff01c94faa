"""Read a file of any usual kind into memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acclimate.exceptions import DataNotFoundError, InputError
from acclimate.extras import need
from acclimate.files import check_readable
from acclimate.tables import delimited
from acclimate.tables import picture_folders as pictures
from acclimate.tables.labels import check_columns
from acclimate.tables.table import Table, as_table, to_frame

DELIMITED = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather", ".ipc")
KNOWN = (*DELIMITED, *PARQUET, *ARROW, ".xlsx", ".npz", ".idx3-ubyte", ".idx3-ubyte.gz")


def kind_of(path: str | os.PathLike[str]) -> str:
    """Return "csv", "parquet", "arrow", "excel", "npz", "idx" or "folder", by the name.

    Raises
    ------
    DataNotFoundError
        There is no such file.
    InputError
        The name has an ending that is not known.
    """
    path = Path(path)
    if not path.exists():
        from acclimate.tables.labels import meant

        near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataNotFoundError(f"there is no file {str(path)!r}{meant(path.name, near)}")
    if path.is_dir():
        return "folder"
    check_readable(path)
    name = path.name.lower()
    for kind, endings in (
        ("csv", DELIMITED),
        ("parquet", PARQUET),
        ("arrow", ARROW),
        ("excel", (".xlsx",)),
        ("npz", (".npz",)),
    ):
        if name.endswith(endings):
            return kind
    if pictures.is_idx(path):
        return "idx"
    raise InputError(
        f"{path.name} has an ending that is not known; known are {', '.join(KNOWN)} and folders "
        f"of pictures"
    )


def read(
    path: str | os.PathLike[str],
    *,
    label: str | None = None,
    id: str | None = None,
    drop: Sequence[str] = (),
    sheet: str | int | None = None,
    text: Sequence[str] = (),
    missing: Sequence[str] = (),
    encoding: str = "utf8",
) -> Table:
    r"""Read a file or a folder of pictures into memory.

    Use `stream` for files larger than memory. Files are told apart by their ending: CSV and TSV
    (also ending in .gz), Parquet, Feather and Arrow, NPZ, idx, .xlsx (with the extra ``excel``),
    and folders of pictures, whose class is the name of their folder.

    Parameters
    ----------
    path : path-like
        The file or folder.
    label : str, default=None
        Column with the labels; rows where it is empty are unlabelled. For NPZ the array (default
        "y"); for idx the file of labels (default: the one that lies beside).
    id : str, default=None
        Column with identifiers of rows.
    drop : sequence of str, default=()
        Columns to leave out.
    sheet : str or int, default=None
        Sheet of an .xlsx file; None means the first.
    text : sequence of str, default=()
        Columns of a CSV to read as text although they look like numbers, such as postcodes.
    missing : sequence of str, default=()
        Further cells of a CSV that mean "missing", such as ``"?"``. Empty cells, NA, N/A, NaN and
        NULL always do.
    encoding : str, default="utf8"
        Encoding of a CSV.

    Returns
    -------
    Table

    Raises
    ------
    DataNotFoundError
        There is no such file.
    InputError
        The file cannot be used. The message shows the line and the value.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from acclimate import tables
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "ward.csv")
    ...     _ = path.write_text("patient,age,sick\n007,40,no\n008,50,yes\n009,60,\n")
    ...     table = tables.read(path, label="sick", id="patient")
    >>> list(table.X), table.y[:2].tolist(), table.labelled.tolist(), table.ids.tolist()
    (['age'], ['no', 'yes'], [True, True, False], ['007', '008', '009'])
    """
    path = Path(path)
    kind = kind_of(path)
    if kind in ("folder", "idx", "npz"):
        if drop or (kind != "npz" and id is not None) or (kind == "folder" and label is not None):
            raise InputError(f"{path.name} has no named columns; leave out label, id and drop")
        if kind == "folder":
            return pictures.read_folder(path)
        if kind == "idx":
            return pictures.read_idx(path, label)
        return pictures.read_npz(path, label, id)
    if kind == "csv":
        frame = _read_csv(path, (*text, *([id] if id else ())), missing, encoding, drop, label)
    elif kind == "excel":
        frame = _read_excel(path, sheet)
    else:
        frame = to_frame(_read_arrow(path, kind))
    return as_table(frame, label=label, id=id, drop=drop, path=path)


def _read_csv(
    path: Path,
    text: Sequence[str],
    missing: Sequence[str],
    encoding: str,
    drop: Sequence[str],
    label: str | None,
) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    names, comma = delimited.header(path, encoding)
    for role, wanted in (("label column", [label] if label else []), ("column", [*text, *drop])):
        check_columns(wanted, names, path.name, role)
    odd: list[Any] = []

    def note(row: Any) -> str:
        odd.append(row)
        return "error"

    def load(threads: bool) -> Any:
        return csv.read_csv(
            path,
            csv.ReadOptions(encoding=encoding, use_threads=threads),
            csv.ParseOptions(delimiter=comma, newlines_in_values=True, invalid_row_handler=note),
            csv.ConvertOptions(
                column_types=dict.fromkeys(text, pa.string()),
                null_values=[*delimited.MISSING, *missing],
                strings_can_be_null=True,
            ),
        )

    try:
        table = load(True)
        broken = [f.name for f in table.schema if pa.types.is_binary(f.type)]
        if broken:  # Arrow's guess for text that is not valid: ask for text, to get the line
            text = [*text, *broken]
            load(False)
    except pa.ArrowInvalid as error:
        message = str(error)
        odd.clear()
        try:
            load(False)
        except pa.ArrowInvalid as again:
            message = str(again)
        raise delimited.explain(path, names, message, odd, encoding) from None
    frame = to_frame(table)
    delimited.check_mixed(frame, path, (*text, *drop, *([label] if label else ())))
    return frame


def _read_arrow(path: Path, kind: str) -> Any:
    import pyarrow as pa

    try:
        if kind == "parquet":
            from pyarrow import parquet

            return parquet.ParquetFile(path).read()
        from pyarrow import feather

        return feather.read_table(path, memory_map=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path.name} cannot be read as {kind}: {error}") from error


def _read_excel(path: Path, sheet: str | int | None) -> Any:
    import pandas as pd

    need("openpyxl", "excel")
    try:
        return pd.read_excel(path, sheet_name=0 if sheet is None else sheet)
    except (ValueError, OSError) as error:
        raise InputError(f"{path.name} cannot be read: {error}") from error
