"""Ctrl-C, SIGTERM, closed streams, pipes, and text that would take over the terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acclimate import SourceOnly
from acclimate.cli import stopping
from acclimate.cli.console import console, judge, say
from acclimate.cli.streams import visible
from acclimate.report.wording import look_of

MAIN = [sys.executable, "-c", "from acclimate.cli import main; main()"]


def shell(
    *arguments: str, folder: Path, redirect: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line under a shell that may close or redirect streams."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirect}', "sh", *MAIN, *arguments],
        cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("redirect", ["", ">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(tmp_path: Path, redirect: str) -> None:
    done = shell("--version", folder=tmp_path, redirect=redirect)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("width", ["0", "-1", "", "wide", "1", "99999999999999999999"])
def test_any_width_will_do(tmp_path: Path, width: str) -> None:
    done = shell("datasets", folder=tmp_path, COLUMNS=width, LINES=width)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\n" in done.stdout


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.parametrize(
    "arguments",
    [
        ("predict", "pipe.acclimate", "here.csv", "--out", "p.csv"),
        ("show", "pipe.acclimate"),
        ("fit", "pipe.csv", "--label", "sick", "--out", "m.acclimate"),
        ("diagnose", "here.csv", "pipe.csv"),
        ("fit", "here.csv", "--config", "pipe.toml", "--out", "m.acclimate"),
        ("resume", "pipe.sqlite"),
    ],
)
def test_nobody_waits_for_a_pipe(
    shelf: Path, acclimate: Callable[..., Any], arguments: tuple[str, ...]
) -> None:
    for name in ("pipe.acclimate", "pipe.csv", "pipe.toml", "pipe.sqlite"):
        os.mkfifo(shelf / name)
    code, _, err = acclimate(*arguments)
    assert code == 2
    assert "is a device or a pipe" in err
    assert "pipe." in err


def test_a_sign_has_its_place_in_the_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    judge(look_of("drifted"), " ".join(["four"] * 40))  # 79 columns of them, and a sign before
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("! four four")
    assert max(len(line.rstrip()) for line in lines) <= 80


def test_control_characters_are_shown_and_not_obeyed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], acclimate: Callable[..., Any]
) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp"
    console().print(evil)
    say(evil)
    out = capsys.readouterr().out
    code, _, err = acclimate("show", f"{evil}.acclimate")
    assert code == 2
    for text in (out, err, visible(evil)):
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)
        assert "owned" in text
    assert out.count("␛[2J␛]0;owned") == 2
    assert visible("schön, 値\tñ\n") == "schön, 値\tñ\n"


def test_styles_of_our_own_still_reach_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    screen = console()
    with screen.capture() as caught:
        screen.print("[bold]a[/bold]\x1b[2J")
    assert caught.get().startswith("\x1b[1ma")
    assert "\x1b[2J" not in caught.get()
    assert "␛" in caught.get()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_becomes_its_exit_code_and_one_line(
    number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)

    def work() -> Any:
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt as error:  # what compiled code makes of it
            raise SystemError("error return without exception set") from error

    with pytest.raises(SystemExit) as stop:
        stopping.guarded(work)
    assert stop.value.code == 128 + number
    assert capfd.readouterr().err == "acclimate: stopped\n"
    assert signal.getsignal(number) is before


def test_an_error_without_a_stop_goes_on() -> None:
    def work() -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stopping.guarded(work)


def test_a_stop_that_was_lost_is_given_again() -> None:
    class Lost:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    def work() -> Any:
        Lost()
        time.sleep(20)
        raise AssertionError("the stop was lost")

    with pytest.raises(SystemExit) as stop:
        stopping.guarded(work)
    assert stop.value.code == 143


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def work() -> Any:
        signal.raise_signal(signal.SIGHUP)
        sys.exit(0)

    try:
        with pytest.raises(SystemExit) as stop:
            stopping.guarded(work)
        assert stop.value.code == 0
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_no_traceback_at_any_moment(shelf: Path, number: signal.Signals, model: Path) -> None:
    """Stop the command at moments from its first import to its end."""
    command = [*MAIN, "predict", str(model), "new.csv", "--out", "p.csv"]
    start = time.monotonic()
    subprocess.run(command, cwd=shelf, check=True, capture_output=True)
    whole = time.monotonic() - start
    codes = []
    for share in range(1, 10):
        process = subprocess.Popen(
            command, cwd=shelf, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(0.1 + whole * share / 10)  # the interpreter itself needs some milliseconds
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        codes.append(process.returncode)
        assert "Traceback" not in err
        assert codes[-1] in (0, 128 + number, -number)
        assert list(shelf.glob(".*.part")) == []
    assert 128 + number in codes


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for workers in /proc")
@pytest.mark.parametrize("wait", [0.0, 0.3, 0.6])
def test_a_worker_that_starts_shows_nothing_of_ctrl_c(shelf: Path, wait: float) -> None:
    """Ctrl-C at a terminal goes to all processes, those that import their modules as well."""
    process = subprocess.Popen(
        [*MAIN, "compare", "--source", "here.csv", "--target", "there.csv", "--label", "sick",
         "--id", "patient", "--method", "CORAL", "--jobs", "2", "--store", "s.sqlite"],
        cwd=shelf, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    tasks, end = Path(f"/proc/{process.pid}/task"), time.monotonic() + 90
    while time.monotonic() < end and process.poll() is None:
        started = "".join((one / "children").read_text() for one in tasks.iterdir()).split()
        names = [Path(f"/proc/{one}/cmdline").read_text() for one in started]
        if any("popen_loky" in name for name in names):
            break
        time.sleep(0.01)
    time.sleep(wait)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert process.returncode == 128 + signal.SIGINT


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_compare_leaves_no_rows_and_no_worker(
    shelf: Path, number: signal.Signals
) -> None:
    temporary = shelf / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        [*MAIN, "compare", "--source", "here.csv", "--target", "there.csv", "--label", "sick",
         "--id", "patient", "--method", "CORAL", "--method", "KMM", "--jobs", "2",
         "--store", "s.sqlite"],
        cwd=shelf, env={**os.environ, "TMPDIR": str(temporary)}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + 90
    while time.monotonic() < end and not list(temporary.rglob("*.npy")):
        time.sleep(0.1)
    time.sleep(3)  # workers start
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert process.returncode == 128 + number
    assert list(temporary.rglob("*.npy")) == []
    assert (shelf / "s.sqlite").is_file()
    end = time.monotonic() + 30
    with contextlib.suppress(ProcessLookupError):  # soon nobody of the group is left
        while time.monotonic() < end:
            os.killpg(process.pid, 0)
            time.sleep(0.2)
        pytest.fail("a worker goes on")


def test_the_model_that_is_written_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "m.acclimate"
    path.touch(mode=0o600)
    SourceOnly().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]).save(path)
    assert path.stat().st_mode & 0o777 == 0o600
