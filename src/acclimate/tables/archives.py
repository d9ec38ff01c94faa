"""Arrays and images in archives: NPZ and idx files."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.columns import as_series
from acclimate.exceptions import InputError, IntegrityError
from acclimate.tables.labels import check_columns, split_labels
from acclimate.tables.table import Table

_IDX = re.compile(r"(idx\d-ubyte|\.idx\d?)(\.gz)?$")


def is_idx(path: Path) -> bool:
    """Tell by the name whether a file is an idx file."""
    return _IDX.search(path.name) is not None


def read_npz(path: Path, label: str | None, id: str | None) -> Table:
    """Read an NPZ archive: inputs from ``X``, labels from ``y`` or from the array named."""
    try:
        with np.load(path, allow_pickle=False) as box:
            arrays = {name: box[name] for name in box.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(
            f"{path.name} cannot be read as an archive of plain arrays: {error}"
        ) from error
    for role, name in (("label array", label), ("id array", id)):
        check_columns([] if name is None else [name], list(arrays), path.name, role)
    aside = {label or "y", id}
    inputs = [name for name in arrays if name not in aside]
    name = "X" if "X" in arrays else inputs[0] if len(inputs) == 1 else None
    if name is None:
        raise InputError(f"{path.name} has no array 'X'; it has {list(arrays)}")
    X, y = arrays[name], arrays.get(label or "y")
    ids = None if id is None else arrays[id]
    if not X.ndim:
        raise InputError(f"{path.name} must hold rows of shape (n, ...), got shape {X.shape}")
    for what, values in (("labels", y), ("ids", ids)):
        if values is not None and values.shape != (len(X),):
            raise InputError(
                f"{path.name} has {len(X)} rows, but the {what} have shape {values.shape}"
            )
    labelled = None
    if y is not None and y.dtype.kind == "f" and np.isnan(y).any():
        y, labelled = split_labels(as_series(y))
    return Table(_some(X, path), y, ids, labelled, path)


def read_idx(path: Path, label: str | None) -> Table:
    """Read an idx file of images, and its labels: the file named, or the one that lies beside."""
    from acclimate.datasets import formats

    beside = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    labels = path.with_name(label) if label is not None else beside
    if label is not None and not labels.exists():
        labels = Path(label)
        if not labels.exists():
            raise InputError(f"there is no label file {label!r}, neither here nor beside {path}")
    try:
        X = formats.read_idx(path.read_bytes(), most=sys.maxsize)
        y = None
        if labels != path and labels.exists():
            y = formats.read_idx(labels.read_bytes(), most=sys.maxsize).astype(np.int64)
    except IntegrityError as error:
        raise InputError(f"{path.name} or its labels: {error}") from error
    if y is not None and y.shape != (len(X),):
        raise InputError(f"{path.name} has {len(X)} images, {labels.name} has shape {y.shape}")
    return Table(_some(X, path), y, None, None, path)


def _some(X: Any, path: Path) -> Any:
    if X.ndim < 2 or not len(X):
        raise InputError(f"{path.name} must hold rows of shape (n, ...), got shape {X.shape}")
    return X
