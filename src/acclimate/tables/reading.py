"""Read a file of any usual kind into memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from acclimate.columns import warn_of
from acclimate.exceptions import DataNotFoundError, InputError
from acclimate.extras import need
from acclimate.files import check_readable
from acclimate.tables import archives, delimited, picture_columns, picture_folders, text_folders
from acclimate.tables.labels import check_columns
from acclimate.tables.picture_files import is_picture
from acclimate.tables.picture_sets import like_rows
from acclimate.tables.pictures import Pictures
from acclimate.tables.sound_sets import is_sound
from acclimate.tables.table import Table, as_table, check_unique, to_frame
from acclimate.tables.understood import STRINGS, Reading, check_declared, understand

DELIMITED = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".arrows", ".feather", ".ipc")
_STREAM = b"\xff\xff\xff\xff"  # what an Arrow stream begins with
ARRAYS = ("folder", "picture", "sound", "idx", "npz")  # kinds that are no table with columns
KNOWN = (*DELIMITED, *PARQUET, *ARROW, ".xlsx", ".npz", ".idx3-ubyte", ".idx3-ubyte.gz")


def kind_of(path: str | os.PathLike[str]) -> str:
    """Return "csv", "parquet", "arrow", "excel", "npz", "idx", "picture", "sound" or "folder".

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
    if archives.is_idx(path):
        return "idx"
    if is_picture(name):
        return "picture"
    if is_sound(name):
        return "sound"
    raise InputError(
        f"{path.name} has an ending that is not known; known are {', '.join(KNOWN)}, pictures, "
        f"sounds and folders of these or of texts (.txt)"
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
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    categorical: Sequence[str] = (),
    number: Sequence[str] = (),
    date: Sequence[str] = (),
    pictures: Pictures | None = None,
    how: Reading | None = None,
) -> Table:
    r"""Read a file, or a folder of pictures, sounds or texts, into memory.

    Use `stream` for files larger than memory. Files are told apart by their ending: CSV and TSV
    (also ending in .gz), Parquet, Feather and Arrow, NPZ, idx, .xlsx (with the extra ``excel``),
    pictures, and folders of pictures, whose class is the name of their folder: PNG, JPEG, TIFF,
    WebP, BMP and the first frame of a GIF. Sounds (WAV, FLAC, OGG, MP3, AIFF, with the extra
    ``audio``) are read as grey pictures, 80 bands high with 100 columns a second. Pictures beside
    the class folders have no label, folders called train and val are read together, and one called
    test beside them is left out. A folder of .txt files is read by the same rules, as a table of
    one column, called text. A column of paths to pictures makes a table one of pictures; its other
    columns are left out.

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
        Columns to read as text although they look like numbers, such as postcodes.
    missing : sequence of str, default=()
        Further cells that mean "missing", such as ``"?"``. In a CSV empty cells, NA, N/A, NaN and
        NULL always do.
    encoding : str, default=None
        Encoding of a CSV. None means UTF-8.
    delimiter, decimal : str, default=None
        What parts the cells of a CSV, and the decimal mark. None finds out.
    categorical, number : sequence of str, default=()
        Columns to read as categories, and as numbers, whatever they look like.
    date : sequence of str, default=()
        Columns to read as dates, as "COLUMN" or "COLUMN=FORMAT" with a format of `strptime`.
    pictures : Pictures, default=None
        Size, colour and more of pictures, seconds of sounds. None reads them as they are.
    how : Reading, default=None
        All of these at once, with what is known from another file. The others then have no effect.

    Returns
    -------
    Table

    Raises
    ------
    DataNotFoundError
        There is no such file.
    InputError
        The file cannot be used. The message shows the line and the value.

    Warns
    -----
    AcclimateWarning
        A column mixes kinds, and is read as categories; or its numbers or dates can be read in two
        ways.

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
    import pandas as pd

    path = Path(path)
    kind = kind_of(path)
    if how is None:
        how = Reading(
            encoding, delimiter, decimal, tuple(missing), tuple(categorical), tuple(text),
            tuple(number), tuple(date), pictures=pictures or Pictures(),
        )  # fmt: skip
    if kind in ARRAYS:
        plain = kind in ("folder", "picture", "sound")
        if drop or (kind != "npz" and id is not None) or (plain and label is not None):
            raise InputError(f"{path.name} has no named columns; leave out label, id and drop")
        if kind == "folder" and text_folders.holds_texts(path):
            return text_folders.read_texts(path, how)
        if plain:
            find = picture_folders.read_folder if kind == "folder" else picture_folders.read_one
            return find(path, how.pictures)
        box = (
            archives.read_idx(path, label)
            if kind == "idx"
            else archives.read_npz(path, label, id)
        )  # fmt: skip
        return replace(box, X=like_rows(box.X, how.pictures))
    guess = "."
    if kind == "csv":
        how, guess = delimited.settle(path, how)
        frame = _read_csv(path, how, id, drop, label)
    elif kind == "excel":
        frame = read_excel(path, sheet, how.missing)
    else:
        frame = to_frame(_read_arrow(path, kind))
    check_unique(list(frame.columns), path.name)
    check_declared(how, list(frame.columns), path.name)
    paths = picture_columns.find(frame, path, (label, id, *drop), how.pictures)
    if paths is not None:
        return picture_columns.read_listed(
            frame, paths, path=path, label=label, id=id, drop=drop, how=how, guess=guess
        )
    aside = [name for name in (id, *drop) if name in frame.columns]
    inputs = frame.drop(columns=aside)
    inputs, how, doubts = understand(inputs, how, label=label, guess=guess, where=path.name)
    if not how.of_another:
        warn_of(doubts)
    frame = pd.concat([inputs, frame[aside]], axis=1)[list(frame.columns)] if aside else inputs
    return replace(as_table(frame, label=label, id=id, drop=drop, path=path), reading=how)


def _read_csv(
    path: Path, how: Reading, id: str | None, drop: Sequence[str], label: str | None
) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    names, comma = delimited.header(path, how.encoding, how.delimiter)
    for role, wanted in (("label column", [label] if label else []), ("column", list(drop))):
        check_columns(wanted, names, path.name, role)
    text = [n for n in names if n == id or how.declared(n) in (*STRINGS, "constant", "datetime")]
    odd: list[Any] = []

    def note(row: Any) -> str:
        odd.append(row)
        return "error"

    def load(threads: bool) -> Any:
        types = dict.fromkeys(text, pa.string())
        return csv.read_csv(
            path, *delimited.options(how, comma, types, None, note, threads=threads)
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
        raise delimited.explain(path, names, message, odd, how.encoding) from None
    except OSError as error:
        raise InputError(f"{path.name} cannot be read to its end: {error}") from error
    frame = to_frame(table)
    delimited.check_header_once(frame, path)
    return frame


def _read_arrow(path: Path, kind: str) -> Any:
    import pyarrow as pa

    try:
        if kind == "parquet":
            from pyarrow import parquet

            return parquet.ParquetFile(path).read()
        if is_stream(path):
            with pa.ipc.open_stream(path) as stream:
                return stream.read_all()
        from pyarrow import feather

        return feather.read_table(path, memory_map=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path.name} cannot be read as {kind}: {error}") from error


def is_stream(path: Path) -> bool:
    """Tell whether an Arrow file is a stream, as .arrows and those of some data sets are."""
    with path.open("rb") as file:
        return file.read(4) == _STREAM


def read_excel(
    path: Path, sheet: str | int | None = None, missing: Sequence[str] = (), rows: int | None = None
) -> Any:
    """Return a sheet as a frame; None means the first one, and all rows."""
    import pandas as pd

    need("openpyxl", "excel")
    try:
        frame = pd.read_excel(
            path, sheet_name=0 if sheet is None else sheet, na_values=list(missing), nrows=rows
        )
    except (ValueError, OSError) as error:
        raise InputError(f"{path.name} cannot be read: {error}") from error
    return frame.set_axis([str(name) for name in frame.columns], axis=1)
