"""Who is at which trial of a store, so that comparisons at the same time share them."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from acclimate.comparison.trials.store import Store

_AWAY = 600.0  # seconds that a claim holds whose process cannot be seen from here
_TABLE = """
CREATE TABLE IF NOT EXISTS claims (
    key TEXT PRIMARY KEY,   -- of a trial
    owner TEXT NOT NULL,    -- one comparison of one process
    place TEXT NOT NULL,    -- where its number means something: the machine since it started
    process INTEGER NOT NULL,
    began TEXT NOT NULL,    -- when the process did: numbers are used again
    taken REAL NOT NULL     -- seconds since 1970
) WITHOUT ROWID
"""


class Claims:
    """Trials of a store that a comparison has taken on itself.

    A claim ends with its trial, with its comparison, or with its process: one that was killed holds
    nothing. Of a process on another machine, or in another container, nobody can tell; its claims
    end after ten minutes, and a trial that takes longer may run twice, which does no harm.

    Parameters
    ----------
    store : Store
        Open for writing.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owner = secrets.token_hex(8)
        self._place, self._process = _place(), os.getpid()
        self._began = _began(self._process) or ""
        with store.writing() as db:
            db.execute(_TABLE)

    def take(self, key: str) -> bool:
        """Claim a trial; False where another comparison has it that lives."""
        with self._store.writing() as db:
            row = db.execute(
                "SELECT owner, place, process, began, taken FROM claims WHERE key = ?", (key,)
            ).fetchone()
            if row is not None and row[0] != self._owner and self._lives(*row[1:]):
                return False
            db.execute(
                "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?, ?, ?)",
                (key, self._owner, self._place, self._process, self._began, time.time()),
            )
        return True

    def release(self, keys: Iterable[str] | None = None) -> None:
        """Give up own claims; None means all that are left."""
        with self._store.writing() as db:
            if keys is None:
                db.execute("DELETE FROM claims WHERE owner = ?", (self._owner,))
            else:
                mine = [(key, self._owner) for key in keys]
                db.executemany("DELETE FROM claims WHERE key = ? AND owner = ?", mine)

    def _lives(self, place: str, process: int, began: str, taken: float) -> bool:
        if place != self._place:
            return time.time() - taken < _AWAY
        return _began(process) == began


def _place() -> str:
    """Return what is equal for processes that see each other's numbers."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        import platform

        return platform.node()


def _began(process: int) -> str | None:
    """Return when a process began, in units of its own; None where there is none."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        if Path("/proc/self/stat").exists() or os.name != "posix":
            return None
    else:
        state, *rest = text.rpartition(")")[2].split()
        return None if state in "ZX" else rest[18]  # field 22; a zombie runs no more
    try:
        os.kill(process, 0)  # asks and sends nothing
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return ""
