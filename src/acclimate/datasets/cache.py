"""Store arrays on disk so that a file is either whole and checked, or not there.

A set of arrays is a folder: one ``.npy`` file an array, and a ``manifest.json`` that is written
last. The full SHA-256 is taken when a set is written. Opening compares the manifest, the sizes and
the headers, which takes milliseconds.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.datasets.formats import whole
from acclimate.exceptions import IntegrityError, OutputError
from acclimate.files import atomic, sweep

Arrays = dict[str, np.ndarray[Any, Any]]

SCHEMA = 1
# Type codes of the idx format; the numbers in it are big-endian.
_IDX_CODES = {"uint8": 0x08, "float32": 0x0D, "float64": 0x0E}

log = logging.getLogger("acclimate")


def data_home(path: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder that holds cached data; it need not exist.

    Parameters
    ----------
    path : path-like, default=None
        An explicit choice. Otherwise the environment variable ``ACCLIMATE_HOME``, otherwise
        ``acclimate`` in the user's cache folder.

    Returns
    -------
    Path

    Examples
    --------
    >>> from acclimate.datasets import data_home
    >>> data_home("cache").name
    'cache'
    """
    chosen = path or os.environ.get("ACCLIMATE_HOME")
    if chosen:
        return Path(chosen).expanduser()
    if os.environ.get("XDG_CACHE_HOME"):
        base = Path(os.environ["XDG_CACHE_HOME"])
    elif sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        base = Path(os.environ["LOCALAPPDATA"])
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path.home() / ".cache"
    return base / "acclimate"


def fingerprint(array: np.ndarray[Any, Any]) -> str:
    """Return the SHA-256 of an array in idx form: type and shape, then the values row by row.

    For MNIST and Fashion-MNIST this is the checksum of the published, uncompressed files.

    Parameters
    ----------
    array : ndarray of uint8, float32 or float64
        Any number of dimensions.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    header = bytes([0, 0, _IDX_CODES[array.dtype.name], array.ndim])
    header += b"".join(int(size).to_bytes(4, "big") for size in array.shape)
    digest = hashlib.sha256(header)
    digest.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder(">")).data)
    return digest.hexdigest()


def verify(arrays: Mapping[str, np.ndarray[Any, Any]], digests: Mapping[str, str]) -> None:
    """Raise `IntegrityError` unless the arrays are the expected ones, to the bit."""
    if set(arrays) != set(digests):
        raise IntegrityError(f"expected the arrays {sorted(digests)}, got {sorted(arrays)}.")
    for name, expected in digests.items():
        found = fingerprint(arrays[name])
        if found != expected:
            raise IntegrityError(
                f"{name} {arrays[name].shape}: SHA-256 is {found}, expected {expected}."
            )


def write_set(folder: Path, arrays: Arrays, digests: Mapping[str, str], source: str) -> None:
    """Check arrays by SHA-256 and store them.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    arrays : dict of str to ndarray
    digests : mapping of str to str
        Expected `fingerprint` of each array.
    source : str
        Where the arrays came from, kept in the manifest.

    Raises
    ------
    IntegrityError
        An array is not the expected one. Nothing is written.
    OutputError
        The folder cannot be written.
    """
    verify(arrays, digests)
    rows: dict[str, dict[str, object]] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder, ".*.part")
        for name, array in arrays.items():
            with atomic(folder / f"{name}.npy") as stream:
                np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
                size = stream.tell()
            rows[name] = {
                "sha256": digests[name],
                "bytes": size,
                "dtype": array.dtype.name,
                "shape": list(array.shape),
            }
        manifest = {"schema": SCHEMA, "source": source, "arrays": rows}
        with atomic(folder / "manifest.json") as stream:
            stream.write(json.dumps(manifest, indent=1).encode())
    except OSError as error:
        raise OutputError(
            f"The data cache {folder} cannot be written ({error}). Choose another folder with "
            "data_home=... or the environment variable ACCLIMATE_HOME."
        ) from error


def read_set(folder: Path, digests: Mapping[str, str]) -> Arrays | None:
    """Open a stored set, or return None where it is missing, incomplete or not the expected one.

    Parameters
    ----------
    folder : Path
    digests : mapping of str to str
        Expected `fingerprint` of each array.

    Returns
    -------
    dict of str to memmap, or None
        Copy-on-write memory maps: changes stay in memory and never reach the file.
    """
    try:
        manifest = json.loads(whole(folder / "manifest.json"))
        rows = manifest["arrays"]
        if manifest["schema"] != SCHEMA or {n: r["sha256"] for n, r in rows.items()} != digests:
            return None
        arrays: Arrays = {}
        for name, row in rows.items():
            path = folder / f"{name}.npy"
            if path.stat().st_size != row["bytes"] or not path.is_file():
                raise ValueError(f"{path} has {path.stat().st_size} bytes, not {row['bytes']}")
            array = np.load(path, mmap_mode="c", allow_pickle=False)
            if (array.dtype.name, list(array.shape)) != (row["dtype"], row["shape"]):
                raise ValueError(f"{path} holds {array.dtype} {array.shape}")
            arrays[name] = array
    except FileNotFoundError:
        return None
    except Exception as error:  # whatever the manifest or the headers say
        log.warning("ignoring the cached data in %s: %s", folder, error)
        return None
    return arrays
