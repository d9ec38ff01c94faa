"""Read plain numeric arrays out of an HDF5 file of the classic layout.

Only what such files hold: old-style groups, contiguous or chunked arrays of little-endian integers
or floats, gzip at most. Anything else is refused, so that no extra library is needed for one file.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from acclimate.datasets.formats import MOST
from acclimate.exceptions import IntegrityError

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_LEAVES = 10_000  # more than such a file has; addresses that go in circles end here
_SPACE, _TYPE, _LAYOUT, _FILTERS, _CONTINUATION, _GROUP = 0x1, 0x3, 0x8, 0xB, 0x10, 0x11


def read_hdf5(data: bytes, path: str) -> np.ndarray[Any, Any]:
    """Return one array of an HDF5 file.

    Parameters
    ----------
    data : bytes
        The whole file.
    path : str
        Groups and array name, for example ``"train/data"``.

    Returns
    -------
    ndarray
        Shape as stored.

    Raises
    ------
    IntegrityError
        The file is damaged, has no such array, or uses a feature that is not read here.
    """
    try:
        if data[:8] != _SIGNATURE or data[8] != 0 or data[13:15] != b"\x08\x08":
            raise IntegrityError("not an HDF5 file of the classic layout.")
        header = _u64(data, 64)
        for part in path.split("/"):
            header = _children(data, header)[part]
        return _array(data, _messages(data, header))
    except IntegrityError:
        raise
    except Exception as error:  # an address or a size that means nothing
        raise IntegrityError(f"{path} cannot be read from the HDF5 file: {error!r}") from error


def _u64(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<Q", data, at)[0])


def _messages(data: bytes, header: int) -> dict[int, bytes]:
    """Return the messages of a version 1 object header by type."""
    if data[header] != 1:
        raise IntegrityError(f"object header version {data[header]} is not read here.")
    found: dict[int, bytes] = {}
    blocks = [(header + 16, struct.unpack_from("<I", data, header + 8)[0])]
    for at, size in blocks:
        if len(blocks) > _LEAVES:
            raise IntegrityError("an object header goes in circles.")
        end = at + size
        while at + 8 <= end:
            kind, length = struct.unpack_from("<HH", data, at)
            body = data[at + 8 : at + 8 + length]
            if kind == _CONTINUATION:
                blocks.append(struct.unpack_from("<QQ", body))
            found[kind] = body
            at += 8 + length
    return found


def _leaves(data: bytes, root: int, key_size: int) -> Iterator[tuple[bytes, int]]:
    """Yield key and address of every leaf below a version 1 B-tree node."""
    for number, leaf in enumerate(_below(data, root, key_size, set())):
        if number == _LEAVES:
            raise IntegrityError(f"a B-tree has more than {_LEAVES} leaves.")
        yield leaf


def _below(data: bytes, node: int, key_size: int, seen: set[int]) -> Iterator[tuple[bytes, int]]:
    if node in seen or len(seen) > _LEAVES:
        raise IntegrityError("a B-tree goes in circles.")
    seen.add(node)
    if data[node : node + 4] != b"TREE":
        raise IntegrityError("damaged B-tree.")
    level, count = struct.unpack_from("<BH", data, node + 5)
    for i in range(count):
        at = node + 24 + i * (key_size + 8)
        child = _u64(data, at + key_size)
        if level:
            yield from _below(data, child, key_size, seen)
        else:
            yield data[at : at + key_size], child


def _children(data: bytes, header: int) -> dict[str, int]:
    """Return the object header address of everything in a group."""
    tree, heap = struct.unpack_from("<QQ", _messages(data, header)[_GROUP])
    names = _u64(data, heap + 24)
    found: dict[str, int] = {}
    for _, node in _leaves(data, tree, 8):
        for i in range(struct.unpack_from("<H", data, node + 6)[0]):
            if len(found) == _LEAVES:
                raise IntegrityError(f"a group has more than {_LEAVES} members.")
            offset, child = struct.unpack_from("<QQ", data, node + 8 + 40 * i)
            name = data[names + offset : data.index(b"\0", names + offset)]
            found[name.decode()] = child
    return found


def _array(data: bytes, messages: dict[int, bytes]) -> np.ndarray[Any, Any]:
    space, layout, filters = messages[_SPACE], messages[_LAYOUT], messages.get(_FILTERS)
    rank = space[1]
    shape = struct.unpack_from(f"<{rank}Q", space, 8 if space[0] == 1 else 4)
    dtype = _dtype(messages[_TYPE])
    _check_size(shape, dtype)
    if layout[:2] == b"\x03\x01":  # contiguous
        values = np.frombuffer(data, dtype, math.prod(shape), _u64(layout, 2))
        return values.reshape(shape)
    if layout[:2] != b"\x03\x02":
        raise IntegrityError(f"storage layout {layout[:2]!r} is not read here.")
    if filters is not None and (filters[1] != 1 or filters[8:10] != b"\x01\x00"):
        raise IntegrityError("only gzip compression is read here.")
    chunk = struct.unpack_from(f"<{rank}I", layout, 11)
    size = _check_size(chunk, dtype)
    out = np.zeros(shape, dtype)
    for key, address in _leaves(data, _u64(layout, 3), 8 + 8 * (rank + 1)):
        length = struct.unpack_from("<I", key)[0]
        start = struct.unpack_from(f"<{rank}Q", key, 8)
        raw = data[address : address + length]
        if filters is not None:
            raw = zlib.decompressobj().decompress(raw, size)  # never more than the chunk has
        block = np.frombuffer(raw, dtype).reshape(chunk)
        # Chunks at the edge reach past the array.
        keep = tuple(min(c, n - s) for c, n, s in zip(chunk, shape, start, strict=True))
        target = tuple(slice(s, s + k) for s, k in zip(start, keep, strict=True))
        out[target] = block[tuple(slice(k) for k in keep)]
    return out


def _check_size(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """Return the bytes of an array, which a damaged header may make any number."""
    size = math.prod(shape) * dtype.itemsize
    if not 0 < size <= MOST:
        raise IntegrityError(f"an array of shape {shape} is not read here.")
    return size


def _dtype(message: bytes) -> np.dtype[Any]:
    kind, bits, size = message[0] & 0x0F, message[1], struct.unpack_from("<I", message, 4)[0]
    if bits & 1 or kind > 1:
        raise IntegrityError("only little-endian numbers are read here.")
    code = "f" if kind == 1 else ("i" if bits & 8 else "u")
    return np.dtype(f"<{code}{size}")
