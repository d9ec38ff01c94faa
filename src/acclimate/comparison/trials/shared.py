"""Data that travel once: arrays in a folder, mapped into memory by every worker that can see it."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.files import hold, sweep

_KEPT = 2  # data sets that a worker holds open
_open: OrderedDict[str, dict[str, Any]] = OrderedDict()


def plain(values: Any) -> NDArray[Any]:
    """Return labels as an array that can be stored without pickle."""
    array = np.asarray(values)
    return np.asarray(array.tolist()) if array.dtype.kind == "O" else array


class DataMissing(Exception):
    """The folder is not on this machine. The caller sends the files once."""


@dataclass(frozen=True)
class Shared:
    """Where the data of a comparison are.

    Parameters
    ----------
    folder : str
        Holds one file a value.
    name : str
        Fingerprint of all values; also the name of the copy that a remote worker makes.
    """

    folder: str
    name: str


def fingerprint(value: Any) -> str:
    """Return a hash of the content of an array, data frame, sparse matrix or None.

    Equal arrays have equal fingerprints, however they lie in memory.

    Parameters
    ----------
    value : array-like, data frame, sparse matrix or None
    """
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufcUS":
        digest = hashlib.sha256(f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).view(np.uint8).data if value.size else b"")
        return digest.hexdigest()[:32]
    import joblib

    found: str = joblib.hash(value, hash_name="sha1")
    return found


def combined(*parts: str) -> str:
    """Return one fingerprint for several."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def write(values: Mapping[str, Any], folder: Path) -> Shared:
    """Write values into a folder, one file each, and say where they are.

    Parameters
    ----------
    values : mapping from str to array, data frame or None
        Plain arrays are stored so that they can be mapped into memory.
    folder : Path
        Exists and is empty.
    """
    import joblib

    for name, value in values.items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufcUS":
            np.save(folder / f"{name}.npy", np.ascontiguousarray(value), allow_pickle=False)
        elif value is not None:
            joblib.dump(value, folder / f"{name}.joblib")  # read back by our own workers only
    marks = [fingerprint(value) for value in values.values()]
    return Shared(str(folder), combined(*values, *marks))


def as_files(shared: Shared) -> dict[str, bytes]:
    """Return the files of a folder, for a worker that cannot see it."""
    return {path.name: path.read_bytes() for path in Path(shared.folder).iterdir()}


def read(
    shared: Shared,
    files: Mapping[str, bytes] | None = None,
    values: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the values, opened once a process.

    Parameters
    ----------
    shared : Shared
        Where they are.
    files : mapping from file name to bytes, default=None
        The files themselves, where this machine cannot see the folder. They are kept in its
        temporary folder, so they are sent once.
    values : mapping from str to value, default=None
        What the files hold, where a cluster keeps it in memory. It is not written to.

    Raises
    ------
    DataMissing
        The folder is not here, and no files came.
    """
    if shared.name in _open:
        _open.move_to_end(shared.name)
        return _open[shared.name]
    if values is not None:
        return _opened(shared, _locked(values))
    folder = Path(shared.folder)
    if not is_here(shared):
        folder = _private() / shared.name
        if not folder.is_dir():
            if files is None:
                raise DataMissing(shared.name)
            _keep(files, folder)
        _hold_copy(folder)
    return _opened(shared, {path.stem: _load(path) for path in sorted(folder.iterdir())})


def _opened(shared: Shared, values: dict[str, Any]) -> dict[str, Any]:
    _open[shared.name] = values
    while len(_open) > _KEPT:
        _open.popitem(last=False)
    return values


def _locked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return views that cannot be written to, as of files that are mapped into memory."""
    found = {}
    for name, value in values.items():
        found[name] = value.view() if type(value) is np.ndarray else value
        if type(value) is np.ndarray:
            found[name].flags.writeable = False
    return found


def in_memory(shared: Shared) -> dict[str, Any]:
    """Return the values as plain arrays, for a machine that cannot see the folder."""
    return {
        name: np.asarray(value) if isinstance(value, np.memmap) else value
        for name, value in read(shared).items()
    }


def is_here(shared: Shared) -> bool:
    """Say whether this machine sees the folder."""
    return Path(shared.folder).is_dir()


def close(shared: Shared) -> None:
    """Let go of values that this process has open; their files may be gone."""
    _open.pop(shared.name, None)


def close_all() -> None:
    """Let go of all values that this process has open."""
    _open.clear()


def _load(path: Path) -> Any:
    if path.suffix == ".npy":
        return np.load(path, mmap_mode="r", allow_pickle=False)
    import joblib

    return joblib.load(path)


def _private() -> Path:
    """Return this user's folder for copies; nobody else may write there. What is left over goes."""
    folder = Path(tempfile.gettempdir()) / f"acclimate-{os.getuid() if os.name == 'posix' else ''}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.name == "posix" and (folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o22):
        raise InputError(f"{str(folder)!r} can be written by others; remove it")
    sweep(folder, "*")
    return folder


def _hold_copy(folder: Path) -> None:
    """Keep a copy for as long as a worker reads it; the last one that ends removes it."""
    held = hold(folder, shared=True)

    def remove() -> None:
        if held is not None:
            os.close(held)
        with contextlib.suppress(OSError):
            last = hold(folder)
            if last is not None:
                shutil.rmtree(folder)
                os.close(last)

    atexit.register(remove)


def _keep(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files so that the folder appears whole; a second worker may do the same meanwhile."""
    part = Path(tempfile.mkdtemp(dir=folder.parent))  # fresh, so that no sweep takes it
    for name, content in files.items():
        (part / Path(name).name).write_bytes(content)
    try:
        part.rename(folder)
    except OSError:  # another worker was first
        for path in part.iterdir():
            path.unlink()
        part.rmdir()
