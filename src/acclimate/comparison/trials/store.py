"""Every trial is a row in one SQLite file, written as it ends, so that a killed run resumes."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError, IntegrityError, OutputError
from acclimate.files import check_readable

SCHEMA = 2  # 1 had no column for training
_APPLICATION = 0x41434C4D  # "ACLM" in the header of the file: another program's database is refused
_WAIT = 30.0  # seconds to wait for another writer

Status = Literal["done", "failed", "memory", "crashed"]
Arrays = Mapping[str, NDArray[Any]]

_TABLES = """
CREATE TABLE trials (
    key TEXT PRIMARY KEY,      -- of configuration, seed and data
    candidate TEXT NOT NULL,   -- name in the comparison
    method TEXT NOT NULL,      -- name in the catalogue
    config TEXT NOT NULL,      -- canonical JSON
    seed INTEGER NOT NULL,
    versions TEXT NOT NULL,    -- JSON
    data TEXT NOT NULL,        -- fingerprint of the arrays
    status TEXT NOT NULL,      -- done, failed, memory, crashed
    scores TEXT NOT NULL,      -- JSON
    seconds REAL,
    peak_bytes INTEGER,
    error TEXT,
    ended TEXT NOT NULL,       -- UTC
    arrays BLOB,               -- npz, compressed
    training TEXT              -- JSON: what a network went through, epoch by epoch
) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_COLUMNS = (
    "key", "candidate", "method", "config", "seed", "versions", "data", "status", "scores",
    "seconds", "peak_bytes", "error", "ended", "training",
)  # fmt: skip
_AS_JSON = ("config", "versions", "scores", "training")


@dataclass(frozen=True)
class Record:
    """One trial: what was asked, what came out.

    Parameters
    ----------
    candidate, method : str
        Name in the comparison, and in the catalogue.
    config : mapping
        Everything that decides the result besides seed and data; plain values.
    seed : int
    data : str
        Fingerprint of the arrays that the trial read.
    versions : mapping from str to str
        Of the packages that computed it.
    status : {"done", "failed", "memory", "crashed"}
        "failed": it raised; "memory": it ran out of memory; "crashed": its process died.
    scores : mapping, default={}
        Numbers by name.
    seconds, peak_bytes : float and int, default=None
        Time of one fit with its predictions, and growth of the process.
    error : str, default=None
        What was raised.
    ended : str, default=""
        When, in UTC; filled in on writing.
    training : mapping, default=None
        Where a network was trained: its ``epochs``, a mapping of figures each, the ``best_epoch``
        whose weights were kept, and why training ``stopped``.
    """

    candidate: str
    method: str
    config: Mapping[str, Any]
    seed: int
    data: str
    versions: Mapping[str, str]
    status: Status
    scores: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    peak_bytes: int | None = None
    error: str | None = None
    ended: str = ""
    training: Mapping[str, Any] | None = None

    @property
    def key(self) -> str:
        """What the trial is found by: a hash of configuration, seed and data."""
        return trial_key(self.config, self.seed, self.data)


def canonical(value: Any) -> str:
    """Return one JSON text for equal values: sorted keys, no spaces, no NaN.

    Parameters
    ----------
    value : mapping, sequence, str, number, bool or None
        Keys must be strings.

    Raises
    ------
    InputError
        JSON cannot hold it.

    Examples
    --------
    >>> canonical({"b": (1, 2), "a": 0.5})
    '{"a":0.5,"b":[1,2]}'
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"a configuration must be plain JSON values, got {value!r}") from error


def trial_key(config: Mapping[str, Any], seed: int, data: str) -> str:
    """Return the key of a trial, 32 hexadecimal digits."""
    text = canonical([config, seed, data])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Store:
    """The trials of a comparison, on disk.

    Each trial is written in one transaction as it ends. A process that is killed at any moment
    leaves a whole file with every trial that had ended. Others may read while one writes.

    Use it to go on with a run, and to look at one. Do not put it on a network drive: SQLite's
    write-ahead log needs memory that is shared between the processes of one machine.

    Parameters
    ----------
    path : path-like
        The file. It is made where there is none.
    read_only : bool, default=False
        Only look. The file must be there.

    Raises
    ------
    InputError
        The file is no store, or there is none and ``read_only``.
    IntegrityError
        A newer version of acclimate wrote it.
    OutputError
        It cannot be made or written.

    Notes
    -----
    A transaction survives the end of the process at once. A power cut may lose the last ones, not
    the file: ``synchronous`` is NORMAL.

    Examples
    --------
    >>> import tempfile
    >>> from acclimate.comparison.trials.store import Record, Store
    >>> with tempfile.TemporaryDirectory() as folder, Store(f"{folder}/run.sqlite") as store:
    ...     trial = Record("CORAL", "CORAL", {"rows": 10}, 0, "abc", {}, "done", {"score": 0.5})
    ...     store.write(trial)
    ...     store.find([trial.key], {})[trial.key].scores
    {'score': 0.5}
    """

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self.path = Path(path)
        self.read_only = read_only
        check_readable(self.path)
        if read_only and not self.path.is_file():
            raise InputError(f"there is no store at {str(self.path)!r}")
        try:
            if not read_only:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            mode = "ro" if read_only else "rwc"
            self._db = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode={mode}",
                uri=True, timeout=_WAIT, isolation_level=None,
            )  # fmt: skip
        except (OSError, sqlite3.Error) as error:
            raise OutputError(f"cannot open the store {str(self.path)!r}: {error}") from error
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._db.close()
            # a file without rights raises OperationalError, a file of something else DatabaseError
            if isinstance(error, sqlite3.OperationalError):
                raise OutputError(f"cannot open the store {str(self.path)!r}: {error}") from error
            raise InputError(
                f"{str(self.path)!r} is no store of acclimate; choose another path"
            ) from error
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        """Check whose file it is, or make the tables in an empty one."""
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application != _APPLICATION and (tables or application):
            raise InputError(f"{str(self.path)!r} is no store of acclimate; choose another path")
        if version > SCHEMA:
            raise IntegrityError(
                f"the store {str(self.path)!r} has schema {version}, written by a newer acclimate; "
                f"this one reads up to {SCHEMA}. Upgrade acclimate, or choose another path"
            )
        if self.read_only:
            if not tables:
                raise InputError(f"the store {str(self.path)!r} is empty")
            return
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        if tables:
            self._upgrade()
            return
        with self.writing():
            (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if tables:  # another process was first
                return
            for statement in _TABLES.split(";"):
                self._db.execute(statement)
            mark = json.dumps(secrets.token_hex(8))
            self._db.execute("INSERT INTO meta VALUES ('identity', ?)", (mark,))
            self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._db.execute(f"PRAGMA user_version = {SCHEMA}")

    def _upgrade(self) -> None:
        """Add the column that files of schema 1 lack."""
        if "training" in self._columns():
            return
        with self.writing():
            if "training" not in self._columns():  # another process may have been first
                self._db.execute("ALTER TABLE trials ADD COLUMN training TEXT")
                self._db.execute(f"PRAGMA user_version = {SCHEMA}")

    def _columns(self) -> set[str]:
        return {name for _, name, *_ in self._db.execute("PRAGMA table_info(trials)")}

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction on the file: all of the block or nothing of it."""
        if self.read_only:
            raise InputError("this store was opened to read only")
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise OutputError(
                f"cannot write to the store {str(self.path)!r}: {error}. What it held is unchanged"
            ) from error

    def write(self, record: Record, arrays: Arrays | None = None) -> None:
        """Write one trial; an older row of the same key is replaced.

        Parameters
        ----------
        record : Record
            The trial. Numbers in ``scores`` and ``training`` that are not finite become None.
        arrays : mapping from str to ndarray, default=None
            Predictions and probabilities; numbers, booleans or text.
        """
        row = asdict(record) | {"key": record.key}
        row["ended"] = record.ended or datetime.now(UTC).isoformat(timespec="milliseconds")
        for name in ("scores", "training"):
            row[name] = _finite(row[name])
        for name in _AS_JSON:
            row[name] = None if row[name] is None else canonical(row[name])
        values = [row[name] for name in _COLUMNS] + [None if arrays is None else _pack(arrays)]
        marks = ", ".join("?" * len(values))
        with self.writing():
            self._db.execute(
                f"INSERT OR REPLACE INTO trials ({', '.join(_COLUMNS)}, arrays) VALUES ({marks})",
                values,
            )

    def find(
        self, keys: Iterable[str], versions: Mapping[str, str] | None, *, settled: bool = True
    ) -> dict[str, Record]:
        """Return the trials among ``keys`` that need not be run again.

        Parameters
        ----------
        keys : iterable of str
            See `trial_key`.
        versions : mapping from str to str or None
            Trials that other versions computed are left out; None leaves none out.
        settled : bool, default=True
            Leave out trials whose process crashed or ran out of memory: they may end otherwise.
        """
        now = None if versions is None else canonical(dict(versions))
        found = {}
        for key in keys:
            for row in self._rows("WHERE key = ? AND versions = ifnull(?, versions)", (key, now)):
                row.pop("key")
                if not settled or row["status"] in ("done", "failed"):
                    found[key] = Record(**row)
        return found

    def arrays(self, key: str) -> dict[str, NDArray[Any]]:
        """Return the arrays of a trial; empty where it has none."""
        row = self._db.execute("SELECT arrays FROM trials WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise InputError(f"the store has no trial {key!r}")
        return {} if row[0] is None else _unpack(row[0])

    def table(self) -> list[dict[str, Any]]:
        """Return every trial as a mapping, ordered by candidate and key."""
        return sorted(self._rows(), key=lambda row: (row["candidate"], row["key"]))

    def meta(self, name: str) -> Any:
        """Return a value kept beside the trials, such as the settings; None where there is none."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def set_meta(self, name: str, value: Any) -> None:
        """Keep a plain value beside the trials."""
        text = canonical(value)
        with self.writing():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, text))

    @property
    def identity(self) -> str:
        """A text that no other store has, wherever the file is moved."""
        known: str | None = self.meta("identity")
        if known is None:  # older files have none
            known = hashlib.sha256(os.path.realpath(self.path).encode()).hexdigest()[:16]
        return known

    def close(self) -> None:
        """Close the file. Closing twice does nothing."""
        if not self.read_only:
            # a reader of a file in this mode leaves none beside it; who else writes keeps the other
            with suppress(sqlite3.Error):
                self._db.execute("PRAGMA busy_timeout = 0")
                self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _rows(self, where: str = "", values: tuple[Any, ...] = ()) -> Iterator[dict[str, Any]]:
        there = self._columns()  # a file of schema 1 that is only read stays as it is
        query = ", ".join(name if name in there else f"NULL AS {name}" for name in _COLUMNS)
        for row in self._db.execute(f"SELECT {query} FROM trials {where}", values):
            entry = dict(zip(_COLUMNS, row, strict=True))
            for name in _AS_JSON:
                entry[name] = None if entry[name] is None else json.loads(entry[name])
            yield entry


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _pack(arrays: Arrays) -> bytes:
    if any(one.dtype.hasobject for one in arrays.values()):  # numpy would pickle them
        raise ValueError("a store holds no arrays of objects")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # allow_pickle: no name here
    return buffer.getvalue()


def _unpack(blob: bytes) -> dict[str, NDArray[Any]]:
    with np.load(io.BytesIO(blob), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
