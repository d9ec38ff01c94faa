"""A progress bar that shows itself after two seconds, and only to a person at a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

DELAY = 2.0  # seconds before anything is shown: short work stays quiet


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

    def __enter__(self) -> Self:
        self._start = time.monotonic()
        return self

    def update(self, step: int, record: Mapping[str, float] | None = None) -> None:
        """Say that ``step`` steps are done, with figures of the epoch that just ended."""
        if not self.shown:
            return
        now = time.monotonic()
        if now - self._start < DELAY or (record is None and now - self._last < 0.1):
            return
        self._last = now
        if self._bar is None:
            self._open()
        words = "" if record is None else "  ".join(
            f"{name} {value:.3g}" for name, value in record.items() if name != "step"
        )  # fmt: skip
        extra = {} if record is None else {"words": words}
        self._bar.update(self._task, completed=step, **extra)

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
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
