"""Read the file formats that data sets come in, without running anything that is in the files."""

from __future__ import annotations

import gzip
import io
import lzma
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.exceptions import IntegrityError

_PICKLE_ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}


_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    ValueError,
)


class _ArrayUnpickler(pickle.Unpickler):
    """Know numpy arrays and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _PICKLE_ALLOWED:
            raise IntegrityError(f"the pickle asks for {module}.{name}; only arrays are allowed.")
        if name == "_reconstruct":
            # The module moved between numpy 1 and 2.
            return np.empty(0).__reduce__()[0]
        return getattr(np, name)


def read_array_pickle(data: bytes) -> Any:
    """Read a pickle of nested tuples, lists and dicts of numpy arrays.

    Parameters
    ----------
    data : bytes
        The uncompressed pickle.

    Returns
    -------
    object

    Raises
    ------
    IntegrityError
        The pickle names anything besides numpy arrays, or is damaged. Nothing in it was run.
    """
    try:
        return _ArrayUnpickler(io.BytesIO(data), encoding="latin1").load()
    except IntegrityError:
        raise
    except Exception as error:
        raise IntegrityError(f"the pickle cannot be read: {error}") from error


def read_idx(data: bytes) -> np.ndarray[Any, Any]:
    """Read an idx file of unsigned bytes, compressed by gzip or not.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    ndarray of uint8
        Shape as the file's header says.

    Raises
    ------
    IntegrityError
        Not an idx file of unsigned bytes, or truncated.
    """
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise IntegrityError(f"damaged gzip data: {error}") from error
    if len(data) < 4 or data[:3] != b"\x00\x00\x08":
        raise IntegrityError(f"not an idx file of unsigned bytes: it starts with {data[:4]!r}.")
    start = 4 + 4 * data[3]
    shape = tuple(int.from_bytes(data[i : i + 4], "big") for i in range(4, start, 4))
    size = int(np.prod(shape, dtype=np.int64))
    if len(data) != start + size:
        raise IntegrityError(f"idx data of shape {shape} needs {size} bytes, got {len(data)}.")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def read_members(
    archive: Path, endings: Iterable[str], *, data: bytes | None = None
) -> dict[str, bytes]:
    """Read files out of a wheel, zip, tar or Debian archive, in memory; nothing is unpacked.

    Parameters
    ----------
    archive : Path
        The file; with ``data``, its name alone.
    endings : iterable of str
        How the wanted paths end, for example ``"data/table.csv"``.
    data : bytes, default=None
        What the archive holds, where it came out of another archive and lies in no file.

    Returns
    -------
    dict of str to bytes
        One entry for each ending.

    Raises
    ------
    IntegrityError
        A wanted file is not in the archive, or the archive is damaged.
    """
    wanted = list(endings)
    try:
        if archive.suffix in {".whl", ".zip"}:
            with zipfile.ZipFile(archive if data is None else io.BytesIO(data)) as box:
                found = {
                    _match(n, wanted): box.read(n) for n in box.namelist() if _match(n, wanted)
                }
        else:
            data = archive.read_bytes() if data is None else data
            if data[:8] == b"!<arch>\n":
                data = _debian_payload(data)
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                found = {}
                for entry in tar:
                    stream = tar.extractfile(entry) if _match(entry.name, wanted) else None
                    if stream is not None:
                        found[_match(entry.name, wanted)] = stream.read()
    except _DAMAGED as error:
        raise IntegrityError(f"{archive.name} cannot be read: {error}") from error
    missing = [end for end in wanted if end not in found]
    if missing:
        raise IntegrityError(f"{archive.name} does not hold {missing}.")
    return found


def _match(name: str, endings: list[str]) -> str:
    return next((end for end in endings if name == end or name.endswith("/" + end)), "")


def _debian_payload(data: bytes) -> bytes:
    """Return the member ``data.tar.*`` of a Debian package, which is an ar archive."""
    position = 8
    while position + 60 <= len(data):
        name = data[position : position + 16].decode("ascii").strip().rstrip("/")
        size = int(data[position + 48 : position + 58])
        if name.startswith("data.tar"):
            return data[position + 60 : position + 60 + size]
        position += 60 + size + size % 2  # members start at even offsets
    raise IntegrityError("the Debian package has no member data.tar.")
