"""Files that are written completely or not at all, and folders that go with their process."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from acclimate.exceptions import InputError, OutputError

try:
    import fcntl
except ImportError:  # Windows: nothing is held there, so nothing is swept
    fcntl = None  # type: ignore[assignment]

_FRESH = 10.0  # seconds in which what was just made may not be held yet
_TEMPORARY = "acclimate-tmp-"


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that appears under `path` only when the block ends without error.

    The bytes go to a temporary file in the same folder, which then takes the name in one step.
    What was there before survives a failure, and nothing is left behind; what a killed process
    left goes at the next call. The new file has owner, group and mode of the old one, and a link
    goes on leading to it. A device or a pipe gets the bytes when all of them are there.

    Parameters
    ----------
    path : Path
        The file to write. Its folder must exist.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    if is_special(path):
        import tempfile

        with tempfile.TemporaryFile() as stream:
            yield stream
            stream.seek(0)
            _pour(stream, path)
        return
    goal = Path(os.path.realpath(path))
    import glob  # here, since importing them costs the command line a tenth of its help
    import secrets

    sweep(goal.parent, f".{glob.escape(goal.name)}.*.part")
    # Not a temporary file of the standard library: those are closed to other users.
    part = goal.with_name(f".{goal.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    with contextlib.ExitStack() as stack:
        try:
            with part.open("xb") as stream:
                _close_later(stack, hold(part))  # after it has its name
                _make_alike(stream, goal)
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(part, goal)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise


def is_special(path: str | os.PathLike[str]) -> bool:
    """Say whether a path leads to a device, a pipe or a socket, which may never end."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def check_readable(path: str | os.PathLike[str]) -> None:
    """Raise `InputError` for a device or a pipe: it would be read twice, or for ever."""
    if is_special(path):
        raise InputError(
            f"{os.fspath(path)!r} is a device or a pipe; write its content to a file first"
        )


def _pour(stream: IO[bytes], path: Path) -> None:
    """Copy bytes into a device or pipe; a pipe that nobody reads is an error and no wait."""
    number = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    os.set_blocking(number, True)
    with os.fdopen(number, "wb") as out:
        shutil.copyfileobj(stream, out)


def _make_alike(stream: IO[bytes], old: Path) -> None:
    """Give a new file owner, group and mode of the one that it replaces, while it is empty."""
    if not hasattr(os, "fchown") or not old.is_file():
        return
    was, now = old.stat(), os.fstat(stream.fileno())
    mode = stat.S_IMODE(was.st_mode) & 0o777
    if (was.st_uid, was.st_gid) != (now.st_uid, now.st_gid):
        try:
            os.fchown(stream.fileno(), was.st_uid, was.st_gid)
        except OSError:
            mode &= 0o700 if was.st_gid != now.st_gid else 0o777  # nobody else's than before
    os.fchmod(stream.fileno(), mode)


def hold(path: Path, *, shared: bool = False) -> int | None:
    """Hold a file or folder until the number that is returned is closed, or this process ends.

    Parameters
    ----------
    path : Path
    shared : bool, default=False
        Let others hold it, too, as long as they share.

    Returns
    -------
    int or None
        A file descriptor. None where another process holds it, or the system cannot.
    """
    if fcntl is None:
        return None
    number = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(number, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        os.close(number)
        return None
    return number


def _close_later(stack: contextlib.ExitStack, number: int | None) -> None:
    if number is not None:
        stack.callback(os.close, number)


def sweep(folder: Path, pattern: str) -> None:
    """Remove files and folders of this user's that a killed process left: nobody holds them."""
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):
            was = path.lstat()
            mine = not hasattr(os, "getuid") or was.st_uid == os.getuid()
            known = stat.S_ISREG(was.st_mode) or stat.S_ISDIR(was.st_mode)
            if not (mine and known) or time.time() - was.st_mtime < _FRESH:
                continue
            number = hold(path)
            if number is not None:
                try:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                finally:
                    os.close(number)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder of this user's alone, which goes at the end of the block.

    Where the process is killed, it goes when the next one makes such a folder.
    """
    import tempfile

    sweep(Path(tempfile.gettempdir()), f"{_TEMPORARY}*")
    with (
        contextlib.ExitStack() as stack,
        tempfile.TemporaryDirectory(prefix=_TEMPORARY, ignore_cleanup_errors=True) as name,
    ):
        _close_later(stack, hold(Path(name)))
        yield Path(name)


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
