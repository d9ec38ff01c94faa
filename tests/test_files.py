"""Files take the place of old ones as these were; what killed processes left goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from acclimate import files
from acclimate.exceptions import InputError, OutputError
from acclimate.files import atomic, check_readable, hold, output, sweep, temporary_folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes, links and locks of POSIX")


def aged(path: Path) -> Path:
    """Make a path look as if it was left a minute ago."""
    then = time.time() - 60
    os.utime(path, (then, then))
    return path


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(b"before")
    path.chmod(mode)
    seen = []
    with atomic(path) as stream:
        stream.write(b"after")
        seen = [p.stat().st_mode & 0o777 for p in tmp_path.glob(".*.part")]
    assert path.read_bytes() == b"after"
    assert seen == [path.stat().st_mode & 0o777] == [mode]  # while it is written, too


def test_a_new_file_has_the_mode_of_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        with atomic(tmp_path / "new") as stream:
            stream.write(b"x")
    finally:
        os.umask(old)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(tmp_path: Path, there: bool) -> None:
    (tmp_path / "other").mkdir()
    goal, link = tmp_path / "other" / "goal", tmp_path / "link"
    if there:
        goal.write_bytes(b"before")
    link.symlink_to(goal)
    with atomic(link) as stream:
        stream.write(b"after")
    assert link.is_symlink()
    assert goal.read_bytes() == b"after"
    assert [p.name for p in tmp_path.rglob("*.part")] == []


def test_a_device_gets_the_bytes_and_stays_what_it_is() -> None:
    before = os.stat(os.devnull)
    with output(os.devnull) as stream:
        stream.write(b"x" * 100)
        stream.seek(0)  # formats that go back work, too
    after = os.stat(os.devnull)
    assert (before.st_mode, before.st_rdev) == (after.st_mode, after.st_rdev)


def test_a_pipe_that_nobody_reads_is_an_error_and_no_wait(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="pipe"), output(pipe) as stream:
        stream.write(b"x")
    with pytest.raises(InputError, match="device or a pipe"):
        check_readable(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with output(pipe) as stream:
            stream.write(b"abc")
        assert os.read(reader, 10) == b"abc"
    finally:
        os.close(reader)


def test_what_a_killed_process_left_goes_at_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "[p].csv"
    left = aged_part(tmp_path, path.name)
    other = aged_part(tmp_path, "q.csv")
    fresh = tmp_path / f".{path.name}.1-ff.part"
    fresh.touch()
    used = aged_part(tmp_path, path.name, "2-aa")
    number = hold(used)
    assert number is not None
    try:
        with atomic(path) as stream:
            stream.write(b"x")
    finally:
        os.close(number)
    assert not left.exists()
    assert all(p.exists() for p in (other, fresh, used))  # of others, new, and in use


def aged_part(folder: Path, name: str, mark: str = "1-00") -> Path:
    part = folder / f".{name}.{mark}.part"
    part.write_bytes(b"half")
    return aged(part)


def test_a_file_that_is_being_written_is_never_swept(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    with atomic(path) as stream:
        stream.write(b"mine")
        for part in tmp_path.glob(".*.part"):
            aged(part)
        with atomic(path) as again:
            again.write(b"other")
    assert path.read_bytes() == b"mine"


KILLED = """
import os, signal, sys
from acclimate.files import temporary_folder
with temporary_folder() as folder:
    (folder / "rows.npy").write_bytes(b"rows of the user's")
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_temporary_folder_does_not_outlive_a_kill_by_more_than_a_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED)], env=env, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    left = Path(done.stdout.strip())
    assert left.is_dir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(files, "_FRESH", 0.0)
    with temporary_folder() as folder:
        assert not left.exists()
        with temporary_folder() as another:  # the first one is in use
            assert folder.is_dir()
            assert another != folder
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_takes_no_link_and_no_pipe(tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    keep.mkdir()
    (tmp_path / "acclimate-tmp-link").symlink_to(keep)
    os.mkfifo(tmp_path / "acclimate-tmp-pipe")
    aged(tmp_path / "acclimate-tmp-pipe")
    os.utime(tmp_path / "acclimate-tmp-link", (0, 0), follow_symlinks=False)
    sweep(tmp_path, "acclimate-tmp-*")
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "acclimate-tmp-link", "acclimate-tmp-pipe", "keep",
    ]  # fmt: skip
