"""Files that are written completely or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from acclimate.exceptions import OutputError


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that appears under `path` only when the block ends without error.

    The bytes go to a temporary file in the same folder, which then takes the name in one step.
    What was there before survives a failure, and nothing is left behind.

    Parameters
    ----------
    path : Path
        The file to write. Its folder must exist.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    # Not a temporary file of the standard library: those are closed to other users.
    part = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


@contextlib.contextmanager
def output(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a result for writing, as `atomic` does. Folders that are missing are made.

    Parameters
    ----------
    path : path-like
        The file to write.

    Raises
    ------
    OutputError
        If the file cannot be written. The message has the path and the way out.
    """
    goal = Path(path)
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        with atomic(goal) as stream:
            yield stream
    except OSError as error:
        raise OutputError(
            f"cannot write {str(goal)!r}: {error.strerror or error}. What was there before is "
            "unchanged. Choose a folder that you may write to, or free some space, and run again."
        ) from error
