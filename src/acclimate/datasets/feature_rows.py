"""Features of an encoder, kept by what they were made of: in memory, and in the user's cache.

One SQLite file in the cache folder holds a row for each picture or text and encoder. The key is a
hash of its bytes and of the encoder, so that folds, candidates and commands share it. Above its
size the oldest rows go. Where the file cannot be used, features are computed as if it were not
there.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.datasets.cache import data_home

Features = NDArray[np.float32]

FILE = "features.sqlite"
MOST = 512 * 2**20  # bytes of features on disk
IN_MEMORY = 256 * 2**20  # and in this process
_AT_ONCE = 500  # keys of one question
_WAIT = 5.0  # seconds that another process may write

log = logging.getLogger("acclimate")
_memory: OrderedDict[bytes, Features] = OrderedDict()


def kept_features(
    encoder: str, X: NDArray[Any], make: Callable[[NDArray[Any]], Features], *, disk: bool
) -> Features:
    """Return the features of rows, and compute those that are not kept.

    Parameters
    ----------
    encoder : str
        Tells encoders apart that make other features of the same rows.
    X : ndarray of shape (n, ...), or of texts (n,)
        Rows.
    make : callable
        Computes the features of rows, shape (m, ...) to (m, d), each row's by itself.
    disk : bool
        Whether the file in the cache folder is read and written.

    Returns
    -------
    ndarray of shape (n, d)
        A copy of one's own.
    """
    keys = row_digests(encoder, X)
    whole = hashlib.blake2b(b"".join(keys), digest_size=16).digest()
    if whole in _memory:
        _memory.move_to_end(whole)
        return _memory[whole].copy()
    found = _read(keys) if disk else {}
    new = [i for i, key in enumerate(keys) if key not in found]
    if len(new) == len(keys):
        features = make(X)
    else:
        width = len(next(iter(found.values())))
        features = np.empty((len(keys), width), dtype=np.float32)
        if new:
            features[new] = make(X[new])
        for i, key in enumerate(keys):
            if key in found:
                features[i] = found[key]
    if disk and new:
        _write([(keys[i], features[i].astype(np.float32).tobytes()) for i in new])
    _remember(whole, features)
    return features


def row_digests(encoder: str, X: NDArray[Any]) -> list[bytes]:
    """Return a key for each row, from its values, its type and shape, and the encoder.

    Examples
    --------
    >>> one, two, again = row_digests("e", np.array([[1, 2], [3, 4], [1, 2]], dtype=np.uint8))
    >>> one == again, one == two
    (True, False)
    """
    start = hashlib.blake2b(f"{encoder} {X.dtype.str} {X.shape[1:]}".encode(), digest_size=16)
    keys = []
    for row in np.ascontiguousarray(X):
        digest = start.copy()
        if isinstance(row, str):  # lone surrogates are bytes of files that are no UTF-8
            digest.update(row.encode("utf-8", "surrogatepass"))
        else:
            digest.update(row.data if row.ndim else row.tobytes())
        keys.append(digest.digest())
    return keys


def forget() -> None:
    """Drop what this process keeps in memory."""
    _memory.clear()


def _remember(whole: bytes, features: Features) -> None:
    if features.nbytes > IN_MEMORY:
        return
    _memory[whole] = features.copy()
    while sum(one.nbytes for one in _memory.values()) > IN_MEMORY:
        _memory.popitem(last=False)


def _open() -> sqlite3.Connection:
    folder: Path = data_home()
    folder.mkdir(parents=True, exist_ok=True)
    file = sqlite3.connect(folder / FILE, timeout=_WAIT)
    try:
        file.execute("CREATE TABLE IF NOT EXISTS feature (key BLOB UNIQUE, made BLOB)")
    except sqlite3.Error:
        file.close()
        raise
    return file


def _read(keys: Sequence[bytes]) -> dict[bytes, Features]:
    """Return the rows that are in the file, by key; none where it cannot be read."""
    found: dict[bytes, Features] = {}
    try:
        with contextlib.closing(_open()) as file:
            for i in range(0, len(keys), _AT_ONCE):
                asked = list(keys[i : i + _AT_ONCE])
                marks = ",".join("?" * len(asked))
                rows = file.execute(f"SELECT key, made FROM feature WHERE key IN ({marks})", asked)
                found |= {key: np.frombuffer(made, dtype=np.float32) for key, made in rows}
    except (sqlite3.Error, OSError, ValueError) as error:
        log.warning("going on without the kept features in %s: %s", data_home() / FILE, error)
        return {}
    return found if len({len(row) for row in found.values()}) <= 1 else {}


def _write(rows: Sequence[tuple[bytes, bytes]]) -> None:
    """Add rows to the file, and take the oldest out where it grows too large."""
    try:
        with contextlib.closing(_open()) as file, file:
            file.executemany("INSERT OR IGNORE INTO feature VALUES (?, ?)", rows)
            while _size(file) > MOST:
                file.execute(
                    "DELETE FROM feature WHERE rowid IN (SELECT rowid FROM feature ORDER BY rowid "
                    "LIMIT max(1, (SELECT count(*) FROM feature) / 4))"
                )
    except (sqlite3.Error, OSError) as error:
        log.warning("cannot keep features in %s: %s", data_home() / FILE, error)


def _size(file: sqlite3.Connection) -> int:
    """Return the bytes in use."""
    pages, free, size = (
        int(file.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size if free < pages - 3 else 0
