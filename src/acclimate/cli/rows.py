"""Rows of the user's files, read as a model wants them: columns, labels, task and classes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate import arrays, tables
from acclimate.cli.console import say
from acclimate.cli.options import PICTURES
from acclimate.columns import as_strings, matched, text_of, warn_of
from acclimate.exceptions import InputError
from acclimate.shares import parse_shares
from acclimate.tables import reading
from acclimate.tables.labels import check_columns, check_known_labels
from acclimate.tables.pictures import of_words
from acclimate.tables.understood import Reading, likely_identifiers


def read_rows(
    path: Path,
    *,
    label: str | None = None,
    need_label: bool = False,
    id: str | None = None,
    drop: Sequence[str] = (),
    features: Sequence[str] | None = None,
    how: Reading | None = None,
) -> Any:
    """Read a file whose columns are matched by name.

    Parameters
    ----------
    path : Path
        A table, or pictures.
    label : str, default=None
        The label column.
    need_label : bool, default=False
        Whether a file without that column is refused. Otherwise it is unlabelled.
    id : str, default=None
        The column of identifiers.
    drop : sequence of str, default=()
        Columns to leave out. They must exist where ``features`` is None.
    features : sequence of str, default=None
        Columns that a model was fitted on. Any other is not read.
    how : Reading, default=None
        How the file is read.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        A column is missing; the message names the close match.
    """
    kind = reading.kind_of(path)
    if kind in reading.ARRAYS:
        named = kind in ("idx", "npz")
        return tables.read(path, label=label if named else None, how=how or Reading())
    from acclimate.tables.streaming import column_names

    names = column_names(path, how)
    if need_label and label is None:
        raise InputError(
            f"name the label column of {path.name} with --label; it has "
            + ", ".join(repr(name) for name in names[:12])
        )
    if label is not None and (need_label or label in names):
        check_columns([label], names, path.name, "label column")
    else:
        label = None
    if features is not None:
        check_columns(features, names, path.name)
        id = id if id in names else None
        kept = {*features, label, id}
        drop = [name for name in names if name not in kept]
    return tables.read(path, label=label, id=id, drop=drop, how=how or Reading())


def read_aside(
    path: Path, label: str | None, id: str | None, drop: Sequence[str], how: Reading
) -> Any:
    """Read a file in which the columns that are only aside may be absent."""
    from acclimate.tables.streaming import column_names

    if reading.kind_of(path) in ("csv", "parquet", "arrow", "excel"):
        names = column_names(path, how)
        id = id if id in names else None
        drop = [name for name in drop if name in names]
    return read_rows(path, label=label, id=id, drop=drop, how=how)


def note_identifiers(table: Any) -> None:
    """Warn of columns that look like identifiers and were taken for inputs."""
    warn_of(likely_identifiers(table))


def declared(table: Any) -> dict[str, list[str]]:
    """Return the settings of the preprocessing that say what columns are."""
    found: dict[str, list[str]] = {}
    for name in ("categorical", "text"):
        given = [
            one for one in getattr(table.reading, name) if one in getattr(table.X, "columns", ())
        ]
        found |= {name: given} if given else {}
    return found


def reading_of(how: Mapping[str, Any]) -> Reading:
    """Return the options of how files are read as one value."""
    given = {name: value for name, value in how.items() if value is not None}
    pictures = {name: given.pop(name) for name in PICTURES if name in given}
    if "image_size" in pictures:
        pictures["size"] = pictures.pop("image_size")
    return Reading(**given, pictures=of_words(**pictures))


def say_read(*tables: Any) -> None:
    """Say what was read of each file that holds pictures, in one line."""
    for table in tables:
        if table.told:
            say(f"Read {table.path.name}: {table.told}")


def is_image(X: Any) -> bool:
    """Whether the inputs are pictures, or other arrays that are no table."""
    return bool(getattr(X, "ndim", 2) > 2)


def task_of(y: NDArray[Any], task: str | None) -> tuple[str, str, NDArray[Any]]:
    """Return the task that labels of shape (n,) ask for, the reason, and the labels for it."""
    task, why = arrays.task_of(y, task)
    if task == "classification" and y.dtype.kind == "f":
        y = y.astype(np.int64)
    return task, why, y.astype(np.float64) if task == "regression" else y


def class_mapping(y: NDArray[Any], names: Sequence[str]) -> dict[Any, str]:
    """Return what each label is called; ``names`` go to the labels in sorted order."""
    classes = np.unique(y).tolist()
    if names and len(names) != len(classes):
        raise InputError(
            f"--class-names gives {len(names)} names, but there are {len(classes)} labels: "
            f"{classes[:20]}"
        )
    return dict(zip(classes, list(names) or [str(one) for one in classes], strict=True))


def as_known(
    y: NDArray[Any], classes: NDArray[Any], labelled: NDArray[np.bool_] | None, where: str
) -> NDArray[Any]:
    """Return labels of shape (m,) as the model writes them: 1.0 or "1" where it knows 1.

    Raises
    ------
    InputError
        A label is unknown to the model.
    """
    known = {text_of(one): one for one in np.asarray(classes).tolist()}
    texts = matched(as_strings(y), known)
    check_known_labels(texts, list(known), labelled=labelled, where=where)
    first = next(iter(known))
    return np.asarray([known.get(text, known[first]) for text in texts], dtype=classes.dtype)


def unknown_labels(y: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which labels are none of a model's classes, shape (m,)."""
    known = {text_of(one) for one in np.asarray(classes).tolist()}
    return np.array([one not in known for one in matched(as_strings(y), known)], dtype=bool)


def as_values(y: NDArray[Any], where: str) -> NDArray[np.float64]:
    """Return values of shape (m,) for a regression."""
    if y.dtype.kind not in "iufb":
        raise InputError(f"{where} must have numbers as labels, got {y[0].item()!r}")
    return y.astype(np.float64)


def target_domain(
    table: Any, *, task: str, classes: Any, names: Mapping[Any, str] | None, new_classes: bool
) -> Any:
    """Return a file's rows as the target of a model.

    Parameters
    ----------
    table : Table
        The rows.
    task : {"classification", "regression"}
        What the model does.
    classes : ndarray of shape (k,) or None
        The labels that the source has.
    names : mapping from label to str or None
        What the source's labels mean.
    new_classes : bool
        Whether the target has classes of its own. Then labels may differ, and equal labels are not
        taken to mean the same.
    """
    from dataclasses import replace

    y, given = table.y, None
    if y is not None and task == "regression":
        y = as_values(y, table.path.name)
    elif y is not None and not new_classes:
        y, given = as_known(y, np.asarray(classes), table.labelled, table.path.name), names
    elif y is not None and y.dtype.kind == "f":
        y = task_of(y, "classification")[2]
    return replace(table, y=y).domain(class_names=given, name=table.path.name)


def with_shares(target: Any, options: Sequence[str] | None) -> Any:
    """Return a target with what the options say of its class shares."""
    from dataclasses import replace

    return replace(target, class_shares=parse_shares(options or ()))


def file_entry(path: Path, role: str, table: Any) -> dict[str, Any]:
    """Return what a model card says of a file: name, rows, pictures and, of a file, its SHA-256."""
    rows = len(table.X)
    labelled = 0 if table.y is None else rows
    if table.y is not None and table.labelled is not None:
        labelled = int(table.labelled.sum())
    entry = {"role": role, "name": path.name, "rows": rows, "labelled": labelled}
    entry |= {"pictures": table.told} if table.told else {}
    return entry | {"sha256": sha256(path)} if path.is_file() else entry


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
