"""A progress bar that shows itself after two seconds, and only to a person at a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

DELAY = 2.0  # seconds before anything is shown: short work stays quiet
BAR = 10  # columns of the bar: the figures of an epoch need the room
_REST = 15  # columns of percentage and time, with the spaces between
# Where a line has no room for all figures, these come first, after the first loss.
_FIRST = {"domain_accuracy": "discriminator", "a_distance": "A-distance"}
_LAST = {"validation": "score"}


def words(record: Mapping[str, float], width: int) -> str:
    """Return the figures of an epoch in at most ``width`` columns.

    Examples
    --------
    >>> record = {"step": 20, "task": 0.3125, "coral": 2.0, "validation": 0.5,
    ...           "domain_accuracy": 0.71, "a_distance": 0.84}
    >>> words(record, 80)
    'task 0.312  discriminator 0.71  A-distance 0.84  coral 2  score 0.5'
    >>> words(record, 48)
    'task 0.312  discriminator 0.71  A-distance 0.84'
    """
    own = _FIRST | _LAST
    losses = [name for name in record if name not in own and name != "step"]
    order = [*losses[:1], *_FIRST, *losses[1:], *_LAST]
    told: list[str] = []
    for name in order:
        if name in record:
            part = f"{own.get(name, name)} {record[name]:.3g}"
            if not told or len("  ".join([*told, part])) <= width:
                told.append(part)
    return "  ".join(told)


class Progress:
    """Show how far a run is.

    Parameters
    ----------
    total : int
        Steps of the whole run.
    title : str, default="training"
        What is running.
    verbose : bool or "auto", default="auto"
        "auto" shows the bar where standard error is a terminal, after two seconds.
    """

    def __init__(self, total: int, title: str = "training", verbose: bool | str = "auto") -> None:
        self.total = total
        self.title = title
        self.shown = sys.stderr.isatty() if verbose == "auto" else bool(verbose)
        self._bar: Any = None
        self._task: Any = None
        self._start = time.monotonic()
        self._last = 0.0
        self._record: Mapping[str, float] | None = None

    def __enter__(self) -> Self:
        self._start = time.monotonic()
        return self

    def update(self, step: int, record: Mapping[str, float] | None = None) -> None:
        """Say that ``step`` steps are done, with figures of the epoch that just ended."""
        if not self.shown:
            return
        self._record = self._record if record is None else record
        now = time.monotonic()
        if now - self._start < DELAY or (record is None and now - self._last < 0.1):
            return
        self._last = now
        if self._bar is None:
            self._open()
        told = ""
        if self._record is not None:
            room = self._bar.console.width - len(self.title) - BAR - _REST
            told = words(self._record, room)
        self._bar.update(self._task, completed=step, words=told)

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=BAR),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[words]}"),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._bar.start()
        self._task = self._bar.add_task(self.title, total=self.total, words="")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
