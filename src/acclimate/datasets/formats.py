"""Read the file formats that data sets come in, without running anything that is in the files.

What a file unpacks to is limited before it is unpacked, so a small file cannot fill the memory.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import math
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from acclimate.exceptions import IntegrityError

_PICKLE_ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}
MOST = 1 << 28  # bytes of a file and of what it unpacks to: more than any data set here has


class _ArrayUnpickler(pickle.Unpickler):
    """Know numpy arrays and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _PICKLE_ALLOWED:
            raise IntegrityError(f"the pickle asks for {module}.{name}; only arrays are allowed.")
        if name == "_reconstruct":
            # The module moved between numpy 1 and 2.
            return np.empty(0).__reduce__()[0]
        return getattr(np, name)


def whole(path: Path) -> bytes:
    """Return what a file holds.

    Raises
    ------
    IntegrityError
        It is larger than `MOST`, or a pipe or device, which might never end.
    FileNotFoundError
        There is no such file.
    """
    if path.stat() and not path.is_file():
        raise IntegrityError(f"{path.name} is not a regular file.")
    with path.open("rb") as stream:
        return _to_the_end(stream, path.name)


def _to_the_end(stream: IO[bytes], name: str) -> bytes:
    blocks, size = [], 0
    while block := stream.read(1 << 20):
        blocks.append(block)
        size += len(block)
        if size > MOST:
            raise IntegrityError(f"{name} holds more than {MOST} bytes.")
    return b"".join(blocks)


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


def read_idx(data: bytes, *, most: int = MOST) -> np.ndarray[Any, Any]:
    """Read an idx file of unsigned bytes, compressed by gzip or not.

    Parameters
    ----------
    data : bytes
    most : int, default=2**28
        Bytes that it may unpack to.

    Returns
    -------
    ndarray of uint8
        Shape as the file's header says.

    Raises
    ------
    IntegrityError
        Not an idx file of unsigned bytes, or truncated.
    """
    try:
        stream: Any = io.BytesIO(data)
        if data[:2] == b"\x1f\x8b":
            stream = gzip.GzipFile(fileobj=stream)
        return _idx(stream, most)
    except IntegrityError:
        raise
    except Exception as error:
        raise IntegrityError(f"damaged gzip data: {error!r}") from error


def _idx(stream: IO[bytes], most: int) -> np.ndarray[Any, Any]:
    head = stream.read(4)
    if len(head) < 4 or head[:3] != b"\x00\x00\x08":
        raise IntegrityError(f"not an idx file of unsigned bytes: it starts with {head!r}.")
    sides = stream.read(4 * head[3])
    shape = tuple(int.from_bytes(sides[i : i + 4], "big") for i in range(0, 4 * head[3], 4))
    size = math.prod(shape)
    if size > most:
        raise IntegrityError(f"idx data of shape {shape} has more than {most} bytes.")
    data = stream.read(size + 1)
    if len(sides) < 4 * head[3] or len(data) != size:
        raise IntegrityError(f"idx data of shape {shape} does not have its {size} bytes.")
    return np.frombuffer(data, np.uint8).reshape(shape)


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
    found = _found(archive, data, partial(_match, endings=wanted))
    missing = [end for end in wanted if end not in found]
    if missing:
        raise IntegrityError(f"{archive.name} does not hold {missing}.")
    return found


def read_tree(archive: Path, folder: str, endings: Iterable[str]) -> dict[str, bytes]:
    """Read all files below a folder of an archive whose names end so, as `read_members` does.

    Parameters
    ----------
    archive : Path
        The file.
    folder : str
        How the path of the folder ends, for example ``"tuxpaint/stamps"``.
    endings : iterable of str
        Such as ``".png"``.

    Returns
    -------
    dict of str to bytes
        By the path below the folder, sorted.

    Raises
    ------
    IntegrityError
        There is no such file in the archive, or the archive is damaged.
    """
    found = _found(archive, None, partial(_below, folder=f"/{folder}/", endings=tuple(endings)))
    if not found:
        raise IntegrityError(f"{archive.name} does not hold {folder!r}.")
    return dict(sorted(found.items()))


def _found(archive: Path, data: bytes | None, key: Callable[[str], str]) -> dict[str, bytes]:
    """Return the files of an archive by their key; those whose key is empty are left out."""
    try:
        data = whole(archive) if data is None else data
        if archive.suffix in {".whl", ".zip"}:
            return _from_zip(data, key)
        return _from_tar(_debian_payload(data), key)
    except IntegrityError:
        raise
    except Exception as error:  # encrypted, truncated, of a later version: each raises its own kind
        words = str(error) or type(error).__name__
        raise IntegrityError(f"{archive.name} cannot be read: {words[:200]}") from error


def _match(name: str, endings: list[str]) -> str:
    return next((end for end in endings if name == end or name.endswith("/" + end)), "")


def _below(name: str, folder: str, endings: tuple[str, ...]) -> str:
    _, found, inside = f"/{name}".partition(folder)
    return inside if found and inside.endswith(endings) else ""


def _from_zip(data: bytes, key: Callable[[str], str]) -> dict[str, bytes]:
    found = {}
    with zipfile.ZipFile(io.BytesIO(data)) as box:
        for name in box.namelist():
            if key(name):
                with box.open(name) as stream:  # the size in the directory may be a lie
                    found[key(name)] = _to_the_end(stream, name)
    return found


class _Bounded:
    """Hand on what a stream holds until it is more than `MOST`, headers and skipped files too."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.left = MOST

    def read(self, size: int) -> bytes:
        block = self.stream.read(size)
        self.left -= len(block)
        if self.left < 0:
            raise IntegrityError(f"the archive unpacks to more than {MOST} bytes.")
        return block


def _from_tar(data: bytes, key: Callable[[str], str]) -> dict[str, bytes]:
    raw: Any = io.BytesIO(data)
    for start, kind in ((b"\x1f\x8b", gzip.open), (b"\xfd7zXZ", lzma.open), (b"BZh", bz2.open)):
        raw = kind(raw) if data.startswith(start) else raw
    found = {}
    stream: Any = _Bounded(raw)
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for entry in tar:
            content = tar.extractfile(entry) if key(entry.name) else None
            if content is not None:
                found[key(entry.name)] = content.read()
    return found


def _debian_payload(data: bytes) -> bytes:
    """Return the member ``data.tar.*`` of a Debian package, an ar archive; anything else as is."""
    if data[:8] != b"!<arch>\n":
        return data
    position = 8
    while position + 60 <= len(data):
        name = data[position : position + 16].decode("ascii").strip().rstrip("/")
        size = int(data[position + 48 : position + 58])
        if name.startswith("data.tar"):
            return data[position + 60 : position + 60 + size]
        position += 60 + size + size % 2  # members start at even offsets
    raise IntegrityError("the Debian package has no member data.tar.")
