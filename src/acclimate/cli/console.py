"""What all commands share: exit codes, errors of one line, progress, and where results may go."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from enum import Enum
from pathlib import Path
from typing import Any, NoReturn

import typer

from acclimate.cli import stopping
from acclimate.cli.streams import visible
from acclimate.exceptions import AcclimateError, OutputError
from acclimate.files import is_special

EXIT_BUG = 1  # an error that acclimate did not expect
EXIT_INPUT = 2  # a value, file or data set could not be used
EXIT_DRIFTED = 3  # the inputs are no longer what the model was adapted to
EXIT_UNSURE = 4  # there are too few rows to tell
EXIT_STOPPED = 130  # Ctrl-C, as shells count it
EXIT_TERMINATED = 143  # SIGTERM, as shells count it

DEBUG = "ACCLIMATE_DEBUG"
DELAY = 2.0  # seconds before anything is shown: short work stays quiet
PLAIN = 30.0  # seconds between two lines of progress where nobody watches a terminal


class Loudness(Enum):
    """How much a command tells on standard error; None is what is usual."""

    QUIET = "quiet"
    VERBOSE = "verbose"


LOUDNESS: ContextVar[Loudness | None] = ContextVar("loudness", default=None)


def console(*, stderr: bool = False) -> Any:
    """Return a console; 80 columns where there is no terminal.

    What it prints comes from files, too, so control characters in it are shown and not obeyed.
    """
    from rich.console import Console
    from rich.segment import Segment

    class Visible(Console):
        def render(self, *arguments: Any, **settings: Any) -> Any:
            for part in super().render(*arguments, **settings):
                yield part if part.control else Segment(visible(part.text), part.style)

    return Visible(stderr=stderr)


def say(text: str) -> None:
    """Print a line of plain text, folded at the width of the terminal."""
    console().print(text, markup=False, highlight=False)


def judge(look: Any, text: str) -> None:
    """Print the sign of a `Look` in its colour and a sentence behind it, folded together."""
    from rich.text import Text

    console().print(Text.assemble((look.sign, look.colour), f" {text}"))


def facts(rows: Mapping[str, str]) -> None:
    """Print names and values in two columns. Empty values are left out."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows.items():
        if value:
            grid.add_row(Text(f"  {name}"), Text(value))
    console().print(grid)


class Status:
    """A line on standard error that says what runs, after two seconds.

    Without a terminal it is a line of its own, at most every half minute. With --verbose the log
    tells more, and with --quiet nothing is told.

    Parameters
    ----------
    words : str, default="starting"
        What runs first.
    quiet : bool, default=False
        Show nothing, because the work shows its own progress.
    """

    def __init__(self, words: str = "starting", *, quiet: bool = False) -> None:
        self.words = words
        self.quiet = quiet

    def __enter__(self) -> Status:
        self.bar: Any = None
        self.timer: threading.Timer | None = None
        self.told = time.monotonic()
        self.quiet = self.quiet or LOUDNESS.get() is not None
        if sys.stderr.isatty() and not self.quiet:
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            self.bar = Progress(
                TextColumn("{task.description}"), BarColumn(bar_width=16), TimeElapsedColumn(),
                console=console(stderr=True), transient=True,
            )  # fmt: skip
            self.task = self.bar.add_task(self.words, total=None)
            self.timer = threading.Timer(DELAY, self.bar.start)
            self.timer.daemon = True
            self.timer.start()
        return self

    def tell(self, words: str, share: float | None = None) -> None:
        """Say what runs now and, where it is known, how much is done."""
        if self.bar is not None:
            total = None if share is None else 1.0
            self.bar.update(self.task, description=words, completed=share or 0.0, total=total)
        elif not self.quiet and time.monotonic() - self.told >= PLAIN:
            self.told = time.monotonic()
            typer.echo(f"acclimate: {visible(words)}", err=True)

    def __exit__(self, *error: object) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer.join()
            self.bar.stop()


def check_folder(folder: Path, option: str = " with --out") -> None:
    """Make sure that results can be written into a folder, before anything is computed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".acclimate-writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"cannot write to {str(folder)!r}: {error.strerror}. Choose another folder{option}"
        ) from error


def check_out(path: Path, *inputs: Path | None) -> None:
    """Make sure that a result can be written to a file that is none of the inputs."""
    if path.is_dir():
        raise OutputError(f"cannot write to {str(path)!r}: it is a folder. Name a file with --out")
    for other in inputs:
        if other is not None and path.exists() and other.exists() and path.samefile(other):
            raise OutputError(f"--out {str(path)!r} is an input file; choose another name")
    if not is_special(path):
        check_folder(Path(os.path.realpath(path)).parent)


def run(app: Callable[..., Any]) -> NoReturn:
    """Run the command line and end the process; what goes wrong is one line on standard error."""
    with warnings.catch_warnings():
        if not sys.warnoptions:  # python -W says otherwise
            warnings.simplefilter("ignore")
            warnings.simplefilter("default", UserWarning)
        warnings.showwarning = _show_warning
        try:
            code = app(standalone_mode=False)
            sys.stdout.flush()
        except (KeyboardInterrupt, typer.Abort):
            code = EXIT_STOPPED
        except Exception as error:
            # A stop inside compiled code or an import may come out as any error.
            code = EXIT_STOPPED if stopping.code() else _explain(error)
    if code == EXIT_STOPPED:
        typer.echo("acclimate: stopped", err=True)
        code = stopping.code() or EXIT_STOPPED
    sys.exit(code if isinstance(code, int) else 0)


def _explain(error: Exception) -> int:
    """Say what went wrong in one line and return the exit code."""
    if getattr(error, "errno", None) == errno.EPIPE:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BUG
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    words, code = _words(error)
    typer.echo(f"acclimate: {visible(' '.join(words.split()))}", err=True)
    return code


def _words(error: Exception) -> tuple[str, int]:
    if hasattr(error, "format_message"):  # a usage error, of whichever click typer has
        context = getattr(error, "ctx", None)
        way_out = f". See {context.command_path} --help" if context is not None else ""
        return error.format_message().rstrip(".") + way_out, EXIT_INPUT
    if isinstance(error, AcclimateError):
        return str(error), EXIT_INPUT
    if isinstance(error, OSError):
        where = f" {error.filename!r}" if error.filename is not None else ""
        return f"cannot use{where}: {error.strerror or error}", EXIT_INPUT
    if isinstance(error, MemoryError):
        return "there is not enough memory; use fewer rows, or a smaller model", EXIT_INPUT
    if type(error).__module__.split(".")[0] in ("pyarrow", "sklearn", "pandas") or isinstance(
        error, ValueError | UnicodeError
    ):
        return str(error) or type(error).__name__, EXIT_INPUT
    return (
        f"unexpected {type(error).__name__}: {error}. Run again with {DEBUG}=1 to see where",
        EXIT_BUG,
    )


@contextlib.contextmanager
def errors_as_json(as_json: bool) -> Iterator[None]:
    """Say what goes wrong inside on standard output as well, where JSON was asked for."""
    try:
        yield
    except Exception as error:
        if as_json:
            words, code = _words(error)
            typer.echo(json.dumps({"exit_code": code, "error": words}, indent=1))
        raise


def _show_warning(message: Any, *_: Any, **__: Any) -> None:
    if LOUDNESS.get() is Loudness.QUIET:
        return
    typer.echo(f"acclimate: note: {visible(' '.join(str(message).split()))}", err=True)
