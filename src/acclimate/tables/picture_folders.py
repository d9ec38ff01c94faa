"""Arrays and images: NPZ archives, idx files, folders of pictures."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.columns import as_series
from acclimate.exceptions import InputError, IntegrityError
from acclimate.files import check_readable
from acclimate.tables.labels import check_columns, split_labels
from acclimate.tables.table import Table

PICTURES = (".png", ".jpg", ".jpeg")
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


def read_folder(path: Path) -> Table:
    """Read a folder of pictures. The class of a picture is the name of the folder it lies in.

    Pictures directly in ``path`` have no class. All must have one size; greys give uint8 of shape
    (n, h, w), colours (n, 3, h, w). Identifiers are the paths inside the folder, which also decide
    the order of the rows.
    """
    from PIL import Image, UnidentifiedImageError

    files = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in PICTURES and not file.name.startswith(".")
    )
    if not files:
        raise InputError(f"the folder {path} holds no pictures ({', '.join(PICTURES)})")
    names = [file.relative_to(path) for file in files]
    classed = [len(name.parts) > 1 for name in names]
    if any(classed) and not all(classed):
        stray = names[classed.index(False)]
        raise InputError(f"{stray} lies in no class folder, but {sum(classed)} other pictures do")
    arrays: list[Any] = []
    for file, name in zip(files, names, strict=True):
        check_readable(file)
        try:
            with Image.open(file) as picture:
                grey = picture.mode in ("1", "L", "LA", "I;16", "I")
                arrays.append(np.asarray(picture.convert("L" if grey else "RGB")))
        except (OSError, UnidentifiedImageError, ValueError) as error:
            raise InputError(f"{name} is not a readable picture: {error}") from error
        if arrays[-1].shape[:2] != arrays[0].shape[:2]:
            sizes = [f"{a.shape[1]} x {a.shape[0]}" for a in (arrays[0], arrays[-1])]
            raise InputError(
                f"all pictures must have one size: {names[0]} is {sizes[0]} pixels, {name} is "
                f"{sizes[1]}; resize or crop them first"
            )
    if any(a.ndim == 3 for a in arrays):
        colour = [np.repeat(a[..., None], 3, axis=2) if a.ndim == 2 else a for a in arrays]
        X = np.ascontiguousarray(np.stack(colour).transpose(0, 3, 1, 2))
    else:
        X = np.stack(arrays)
    y = np.array([name.parts[0] for name in names]) if all(classed) else None
    return Table(X, y, np.array([name.as_posix() for name in names]), None, path)


def _some(X: Any, path: Path) -> Any:
    if X.ndim < 2 or not len(X):
        raise InputError(f"{path.name} must hold rows of shape (n, ...), got shape {X.shape}")
    return X
