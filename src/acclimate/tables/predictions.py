"""Predict a file of any size into a file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.files import output
from acclimate.tables.ahead import ahead
from acclimate.tables.labels import check_columns
from acclimate.tables.pictures import Pictures
from acclimate.tables.reading import PARQUET, kind_of, read
from acclimate.tables.streaming import arrow_batches, column_names
from acclimate.tables.table import to_frame
from acclimate.tables.understood import Reading


def predict_file(
    model: Any,
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    id: str | None = None,
    proba: bool = False,
    top: int = 0,
    batch_rows: int = 65536,
    tell: Callable[[int], None] | None = None,
    missing: Sequence[str] = (),
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    pictures: Pictures | None = None,
    how: Reading | None = None,
    told: Callable[[str], None] | None = None,
) -> int:
    r"""Predict the rows of a file as rows of the target, and write the predictions to a file.

    Use it for files of any size: CSV, Parquet and Arrow files go through memory in batches, images
    and NPZ archives in one go. Rows stay in the order of the file. ``out`` appears when all is
    written: until then, and where anything fails, what was there before is still there.

    Parameters
    ----------
    model : Adapter or estimator
        Fitted. Columns are matched by the names it was fitted on; others are ignored.
    path : path-like
        The file with the inputs.
    out : path-like
        The file to write, ending in .csv, .tsv or .parquet. Its columns are the identifier,
        ``prediction`` and, with ``proba``, ``p_<class>``; with ``top``, ``top_1``, ``top_1_p`` and
        so on.
    id : str, default=None
        Column (or array of an NPZ archive) with the identifiers of rows. None writes ``row``,
        counted from 1; for pictures it writes their names.
    proba : bool, default=False
        Whether to write class probabilities.
    top : int, default=0
        How many of the most probable classes to write with their probabilities, the first one
        first; at least 0, and at most as many are written as there are classes.
    batch_rows : int, default=65536
        Rows of a batch, above 0.
    tell : callable, default=None
        Called with the number of rows done, after each batch.
    missing : sequence of str, default=()
        Further cells of a CSV that mean "missing"; see `read`.
    encoding, delimiter, decimal : str, default=None
        Of a CSV; see `read`.
    pictures : Pictures, default=None
        What may differ from the pictures of the fit: ``resize``, ``white`` and ``skip_bad``.
    how : Reading, default=None
        All of the latter at once, with what is known of the columns beside the model itself.
    told : callable, default=None
        Called with what was read, in one line, where it is pictures.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    InputError
        A column is missing, or a cell does not fit. Nothing is written.
    OutputError
        The file cannot be written. What existed before is still there.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from acclimate import SourceOnly, tables
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
    >>> model = SourceOnly().fit(X, ["low", "low", "high", "high"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path, out = Path(folder, "new.csv"), Path(folder, "out.csv")
    ...     _ = path.write_text("b,a,name\nx,0,p7\ny,3,p5\n")
    ...     rows = tables.predict_file(model, path, out, id="name")
    ...     print(rows, out.read_text().replace('"', "").split())
    2 ['name,prediction', 'p7,low', 'p5,high']
    """
    path, out = Path(path), Path(out)
    if batch_rows < 1:
        raise InputError(f"batch_rows must be above 0, got {batch_rows}")
    if not out.name.lower().endswith((".csv", ".tsv", *PARQUET)):
        raise InputError(f"out must end in .csv, .tsv or .parquet, got {out.name!r}")
    if out.exists() and out.resolve() == path.resolve():
        raise InputError(f"out is the input file itself, {out.name!r}; choose another name")
    if top < 0:
        raise InputError(f"top must be at least 0, got {top}")
    if (proba or top) and not hasattr(model, "predict_proba"):
        asked = "proba" if proba else "top"
        raise InputError(f"{type(model).__name__} gives no probabilities; leave out {asked}")
    if how is None:
        how = Reading(
            encoding, delimiter, decimal, tuple(missing), pictures=pictures or Pictures()
        )  # fmt: skip
    source = _batches(model, path, id, batch_rows, how, told)
    done = 0
    with output(out) as file, contextlib.closing(source), contextlib.ExitStack() as stack:
        writer: Any = None
        schema: Any = None
        for X, name, ids in source:
            table = _answers(model, X, name, ids, proba, top)
            if writer is None:
                schema = table.schema
                writer = stack.enter_context(_writer(out, file, schema))
            writer.write_table(table.cast(schema))
            done += len(X)
            if tell is not None:
                tell(done)
        if not done:
            raise InputError(f"{path.name} has columns but no rows")
    return done


def mean_proba(
    model: Any, path: str | os.PathLike[str], *, how: Reading, batch_rows: int = 65536
) -> NDArray[np.float64]:
    """Return the mean class probabilities of the rows of a file, shape (n_classes,).

    Parameters
    ----------
    model : Adapter
        Fitted, a classifier.
    path, how, batch_rows : path-like, Reading, int
        As those of `predict_file`.

    Raises
    ------
    InputError
        A column is missing, a cell does not fit, or there are no rows.
    """
    total, count = np.zeros(len(model.classes_)), 0
    with contextlib.closing(_batches(model, Path(path), None, batch_rows, how, None)) as source:
        for X, _, ids in source:
            total += np.asarray(model.predict_proba(X), dtype=np.float64).sum(axis=0)
            count += len(ids)
    if not count:
        raise InputError(f"{Path(path).name} has columns but no rows")
    mean: NDArray[np.float64] = total / count
    return mean


def _batches(
    model: Any,
    path: Path,
    id: str | None,
    batch_rows: int,
    how: Reading,
    told: Callable[[str], None] | None,
) -> Generator[tuple[Any, str, Any]]:
    """Return an iterator of (inputs, name of the identifier, identifiers), checked by now."""
    how = how.with_model(
        model, dict(getattr(model, "extras_", {}).get("table") or {}).get("reading", {})
    )
    pictures = how.pictures.of_another and how.pictures.size is not None
    if pictures or kind_of(path) not in ("csv", "parquet", "arrow"):
        table = read(path, id=id, how=how)
        if table.told and told is not None:
            told(table.told)
        ids = np.arange(1, len(table.X) + 1) if table.ids is None else np.asarray(table.ids)
        name = id or ("row" if table.ids is None else "name")
        return (row for row in [(table.X, name, ids)])
    there = column_names(path, how)
    fitted = getattr(model, "feature_names_in_", None)
    inputs = [name for name in there if name != id] if fitted is None else list(fitted)
    check_columns(inputs, there, path.name)
    check_columns([] if id is None else [id], there, path.name, "id column")
    types = {} if id is None or id in inputs else {id: "string"}
    wanted = inputs if id is None or id in inputs else [*inputs, id]
    source = arrow_batches(path, batch_rows=batch_rows, columns=wanted, types=types, how=how)
    return _frames(source, inputs, id)


def _frames(
    source: Iterator[Any], inputs: list[str], id: str | None
) -> Generator[tuple[Any, str, Any]]:
    start = 0
    for table in ahead(source):
        frame = to_frame(table.select(inputs), steady=True, exact=False)
        frame.index = range(start, start + len(frame))
        start += len(frame)
        ids = frame.index.to_numpy() + 1 if id is None else table.column(id)
        yield frame, id or "row", ids


def _answers(model: Any, X: Any, name: str, ids: Any, proba: bool, top: int) -> Any:
    """Return identifiers and predictions as an Arrow table."""
    import pyarrow as pa

    columns = {name: ids, "prediction": pa.array(model.predict(X))}
    if proba or top:
        shares: NDArray[Any] = model.predict_proba(X)  # (n, n_classes)
        classes = np.asarray(model.classes_)
        if proba:
            columns |= {f"p_{c}": np.ascontiguousarray(shares[:, k]) for k, c in enumerate(classes)}
        first = np.argsort(-shares, axis=1, kind="stable")[:, :top]  # (n, top)
        for place, best in enumerate(first.T):
            columns[f"top_{place + 1}"] = pa.array(classes[best])
            columns[f"top_{place + 1}_p"] = np.take_along_axis(shares, best[:, None], 1)[:, 0]
    return pa.table(columns)


def _writer(out: Path, file: IO[bytes], schema: Any) -> Any:
    """Return Arrow's writer for this ending; it leaves the file open."""
    if out.name.lower().endswith(PARQUET):
        from pyarrow import parquet

        return parquet.ParquetWriter(file, schema)
    from pyarrow import csv

    comma = "\t" if out.suffix.lower() == ".tsv" else ","
    options = csv.WriteOptions(delimiter=comma, quoting_style="needed")
    return csv.CSVWriter(file, schema, write_options=options)
