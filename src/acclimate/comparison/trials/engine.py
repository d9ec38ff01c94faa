"""What runs trials: one interface for processes of this machine, executors and clusters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self

from acclimate.comparison.trials.records import Outcome, Spec
from acclimate.comparison.trials.shared import Shared
from acclimate.exceptions import AcclimateError


class Gone(AcclimateError):
    """What ran the trials is lost, and with it those that had not ended.

    Parameters
    ----------
    what : str
        What is lost and how that was seen, without a full stop.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(
            f"{what}. What had ended is in the store; run again with a new executor and the same "
            f"store to go on"
        )


class Engine(ABC):
    """Runs trials somewhere. It is entered before the first one, and left after the last.

    Parameters
    ----------
    shared : Shared
        The data of all trials.
    """

    def __init__(self, shared: Shared) -> None:
        self.shared = shared

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many trials run at once."""

    @abstractmethod
    def run(
        self,
        specs: Iterable[Spec],
        *,
        stop: Callable[[], bool] = lambda: False,
        until: float = float("inf"),
    ) -> Iterator[Outcome]:
        """Yield the outcome of each trial as it ends, in any order.

        Parameters
        ----------
        specs : iterable of Spec
            The trials; those that share a source model should follow each other.
        stop : callable, default never
            Asked before a trial is given out. Once True, what runs is waited for and no more is
            given out.
        until : float, default=inf
            When to end, on the clock of `time.monotonic`. What runs then is given up.

        Raises
        ------
        AcclimateError
            What runs the trials broke.
        """

    @abstractmethod
    def close(self) -> None:
        """End what was started, and let go of the data."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def next_spec(first: deque[Spec], specs: Iterator[Spec], stop: Callable[[], bool]) -> Spec | None:
    """Return the next trial to give out; None where there is none, or no more may be."""
    if first:
        return first.popleft()
    return None if stop() else next(specs, None)
