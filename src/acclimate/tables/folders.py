"""Folders of Parquet files: one result a file, and what is done is not done again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acclimate.exceptions import AcclimateError, InputError
from acclimate.tables.predictions import predict_file
from acclimate.tables.reading import PARQUET
from acclimate.tables.streaming import column_names
from acclimate.tables.understood import Reading
from acclimate.workers import spread, working

_ABSENT = "it is not there where it was to be read; a cluster needs a disk that all of it sees"


@dataclass(frozen=True)
class FolderDone:
    """What came of a folder.

    Parameters
    ----------
    rows : mapping from str to int
        By name of a file: the rows that were predicted now.
    kept : tuple of str
        Files whose result was there and newer.
    failed : mapping from str to str
        By name of a file: why it has none.
    """

    rows: Mapping[str, int]
    kept: tuple[str, ...]
    failed: Mapping[str, str]


def parquet_files(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the Parquet files in a folder, sorted by name; none where it is no folder.

    Names that begin with a dot or an underscore are no data, as elsewhere.
    """
    path = Path(folder)
    found = path.iterdir() if path.is_dir() else ()
    return sorted(
        one
        for one in found
        if one.name.lower().endswith(PARQUET) and one.name[0] not in "._" and one.is_file()
    )


def predict_folder(
    model: Any,
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    id: str | None = None,
    proba: bool = False,
    top: int = 0,
    how: Reading | None = None,
    since: float = 0.0,
    executor: Any = None,
    tell: Callable[[int, int], None] | None = None,
) -> FolderDone:
    """Predict the Parquet files of a folder, each into a file of the same name in another folder.

    Use it for more rows than one file holds, on one machine or on a cluster. A file whose result is
    there, newer and with the columns that are asked for, is not predicted again, so that a run that
    was stopped goes on. A result appears when it is whole. A file that cannot be predicted does not
    stop the others.

    Parameters
    ----------
    model : Adapter or estimator
        Fitted. To a cluster it is sent once a worker.
    folder : path-like
        Holds the files; those in folders of its own are left out.
    out : path-like
        The folder to write to. It is made where it is missing.
    id : str, default=None
        Column with the identifiers. None takes the one of the fit in each file that has it.
    proba, top, how
        See `predict_file`.
    since : float, default=0.0
        Results older than this, in seconds since 1970, are made anew: when the model was written.
    executor : concurrent.futures.Executor or dask.distributed.Client, default=None
        Predicts the files, each as a job. Its workers need to see both folders. None predicts one
        after the other here.
    tell : callable, default=None
        Called with the number of files that are done, and of all.

    Returns
    -------
    FolderDone

    Raises
    ------
    InputError
        There is no Parquet file, or both folders are one.
    AcclimateError
        The cluster or the executor is gone. What is done stays.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from acclimate import SourceOnly
    >>> from acclimate.tables import predict_folder
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
    >>> model = SourceOnly().fit(X, ["low", "low", "high", "high"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Path(folder, "rows").mkdir()
    ...     X.to_parquet(Path(folder, "rows", "may.parquet"))
    ...     first = predict_folder(model, Path(folder, "rows"), Path(folder, "said"))
    ...     again = predict_folder(model, Path(folder, "rows"), Path(folder, "said"))
    >>> first.rows, again.rows, again.kept
    ({'may.parquet': 4}, {}, ('may.parquet',))
    """
    paths, goal = parquet_files(folder), Path(out)
    check_folders(folder, goal, paths)
    if proba and not hasattr(model, "predict_proba"):
        raise InputError(f"{type(model).__name__} gives no probabilities; leave out proba")
    noted = dict(getattr(model, "extras_", {}).get("table") or {}).get("id")
    open_ = [p for p in paths if not is_done(p, goal / p.name, since)
             or not _has(goal / p.name, id, proba, top)]  # fmt: skip
    common = (model, id, noted, proba, top, how)
    kept = len(paths) - len(open_)
    jobs = [(os.path.abspath(p), os.path.abspath(goal / p.name)) for p in open_]
    with working(executor):
        ended = spread(
            _predict_one, jobs, common,
            None if tell is None else lambda done: tell(kept + done, len(paths)),
        )  # fmt: skip
    rows: dict[str, int] = {}
    failed: dict[str, str] = {}
    for path, (count, error) in zip(open_, ended, strict=True):
        if error is None and not (goal / path.name).is_file():
            error = "its result was written where this machine does not see it"
        if error is None:
            rows[path.name] = count
        else:
            failed[path.name] = error
    names = {one.name for one in open_}
    return FolderDone(rows, tuple(p.name for p in paths if p.name not in names), failed)


def check_folders(folder: str | os.PathLike[str], out: Path, paths: Iterable[Path]) -> None:
    """Raise `InputError` where there is nothing to do, or it would be done in place."""
    if not list(paths):
        raise InputError(f"{os.fspath(folder)!r} has no Parquet file")
    if out.is_file():
        raise InputError(f"out is a file, {str(out)!r}; a folder of files needs a folder")
    if out.exists() and out.samefile(folder):
        raise InputError(f"out is the folder of the inputs, {str(out)!r}; choose another")


def is_done(path: Path, out: Path, since: float) -> bool:
    """Tell whether the result of a file is there, and newer than the file and than ``since``."""
    try:
        made = out.stat().st_mtime
        return made >= path.stat().st_mtime and made >= since
    except OSError:
        return False


def _has(out: Path, id: str | None, proba: bool, top: int) -> bool:
    """Tell whether a result has the columns that are asked for."""
    try:
        names = column_names(out)
    except AcclimateError:  # it is something else
        return False
    said = [sum(name.startswith(start) for name in names) for start in ("p_", "top_")]
    return (id is None or names[0] == id) and bool(said[0]) == proba and bool(said[1]) == bool(top)


def _predict_one(
    model: Any, id: str | None, noted: str | None, proba: bool, top: int, how: Reading | None,
    path: str, out: str,
) -> tuple[int, str | None]:  # fmt: skip
    """Return the rows, or 0 and why there are none."""
    if not Path(path).is_file():
        return 0, _ABSENT
    try:
        if id is None and noted is not None and noted in column_names(path, how):
            id = noted
        return predict_file(model, path, out, id=id, proba=proba, top=top, how=how), None
    except AcclimateError as error:
        return 0, str(error)
