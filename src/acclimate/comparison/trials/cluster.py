"""Trials on a Dask cluster: its own futures, retries and copies of the data."""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from queue import Empty, SimpleQueue
from typing import Any, Self

from acclimate.comparison.trials import worker as trial
from acclimate.comparison.trials.engine import Engine, Gone, next_spec
from acclimate.comparison.trials.pool import Pool, workers_of
from acclimate.comparison.trials.records import Outcome, Spec
from acclimate.comparison.trials.shared import Shared, in_memory, is_here
from acclimate.exceptions import InputError
from acclimate.installed import check_workers, last_words, versions_here
from acclimate.workers import (
    ANSWER,
    LOOK,
    REACH,
    RETRIES,
    LostCluster,
    among,
    ask,
    count_at,
    dask_of,
    place_of,
)

_AHEAD = 2  # trials given to each worker: one that runs, one that waits
_LEAST = 32  # trials that are out in any case: clusters that grow do so by what waits
_SEND = 3600.0  # seconds in which the data have to reach the first worker
_WORKERLESS = 300.0  # seconds that a cluster may be without any worker
_ON_THE_WAY = 0.05  # seconds before a trial that came back for want of data is given out again
_CANCELLED = 3  # times that others may cancel one trial
_log = logging.getLogger("acclimate")


class Cluster(Engine):
    """Runs trials on a Dask cluster.

    Parameters
    ----------
    shared : Shared
        The data of all trials.
    client : dask.distributed.Client
        Not asynchronous.
    options : mapping, default={}
        Passed on to `Client.submit`: ``workers``, ``resources``, ``retries``.
    versions : mapping from str to str, default=None
        What workers must run. None means that any will do.

    Notes
    -----
    Where all workers see the client's folder, they map its files into memory. Otherwise the data
    are scattered once, and each worker fetches them from another one and keeps them until it is
    told to let go. They are no dependency of the trials: Dask drops a copy that nothing waits for,
    and would send it again. A worker that came later gives the trial back and gets the data.

    A worker that dies costs nothing: Dask runs its trials on another. A trial that keeps killing
    workers has crashed. Without the scheduler there is no cluster, which is one error.
    """

    def __init__(
        self,
        shared: Shared,
        client: Any,
        options: Mapping[str, Any] | None = None,
        versions: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(shared)
        if client.asynchronous:
            raise InputError("executor is an asynchronous Dask client; pass a plain one")
        self._client, self._versions = client, versions
        self._options = {"retries": RETRIES, **(options or {}), "pure": False}
        self._data: Any = None  # future of the scattered values
        self._kept: dict[str, Any] = {}  # by worker: the future of its own copy
        self._count, self._lost = 0, False
        self._looked = self._peopled = time.monotonic()

    @property
    def workers(self) -> int:
        """How many worker processes there are, at least 1."""
        return max(self._count, 1)

    def __enter__(self) -> Self:
        self._look()
        if not self._count:
            _log.warning("the cluster has no worker yet; trials wait for one")
            return self
        found = self._everywhere(versions_here)
        check_workers(found, self._versions, "trials")
        self._everywhere(trial.let_go)  # what a comparison left whose client was killed
        if not all(here is True for here in self._everywhere(is_here, self.shared).values()):
            for place in found:
                self._provide(place)
        return self

    def close(self) -> None:
        """Let workers and this process go of the data."""
        self._data, self._kept = None, {}
        if not self._lost:
            with contextlib.suppress(Exception):  # it may have broken, or have no worker
                self._everywhere(trial.let_go)
        trial.leave(self.shared)

    def run(
        self,
        specs: Iterable[Spec],
        *,
        stop: Callable[[], bool] = lambda: False,
        until: float = float("inf"),
    ) -> Iterator[Outcome]:
        """Yield the outcome of each trial as it ends; see `Engine.run`.

        What runs at ``until`` is cancelled. Dask cannot interrupt a fit, so a worker ends the one
        it is at before it takes another trial.
        """
        coming = iter(specs)
        again: deque[Spec] = deque()
        cancelled: Counter[str] = Counter()
        running: dict[str, tuple[Any, Spec]] = {}
        ended: SimpleQueue[Any] = SimpleQueue()
        try:
            while True:
                while len(running) < max(_LEAST, _AHEAD * self._count):
                    spec = next_spec(again, coming, stop)
                    if spec is None:
                        break
                    future = self._submit(spec)
                    running[future.key] = future, spec
                    future.add_done_callback(ended.put)
                if not running:
                    return
                future = self._first(ended, until)
                if future is None:
                    return
                _, spec = running.pop(future.key)
                outcome = self._outcome(future, spec, cancelled)
                if outcome is None:
                    again.append(spec)
                else:
                    yield outcome
        finally:
            for future, _ in running.values():
                with contextlib.suppress(Exception):  # its client may be closed
                    future.release()  # nobody else wants it: Dask forgets it

    def _submit(self, spec: Spec) -> Any:
        key = f"{spec.candidate}-{uuid.uuid4().hex}"  # the name is what the dashboard shows
        return self._give(trial.run_here, spec, self.shared, key=key, **self._options)

    def _give(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        try:
            return self._client.submit(function, *arguments, **options)
        except Exception:
            self._look()
            raise

    def _first(self, ended: SimpleQueue[Any], until: float) -> Any:
        """Wait for a future to end; None where the time is up."""
        while True:
            left = until - time.monotonic()
            try:
                return ended.get(timeout=max(min(left, LOOK), 0.0))
            except Empty:
                if left <= 0:
                    return None
            self._look()

    def _outcome(self, future: Any, spec: Spec, cancelled: Counter[str]) -> Outcome | None:
        """Return what came of a trial; None where it has to run again."""
        try:
            outcome: Outcome | str = future.result(timeout=ANSWER)
        except (CancelledError, TimeoutError) as error:  # also: the worker that had it died
            self._look()
            cancelled[spec.key] += 1
            if cancelled[spec.key] > _CANCELLED:
                raise Gone(
                    f"the trials are cancelled again and again on the cluster at "
                    f"{place_of(self._client)}"
                ) from error
            return None
        except MemoryError as error:
            return Outcome(spec.key, "memory", error=repr(error))
        except Exception as error:  # it killed workers, or cannot travel
            return Outcome(spec.key, "crashed", error=last_words(error))
        finally:
            future.release()
        if isinstance(outcome, str):
            self._provide(outcome)
            return None
        return outcome

    def _provide(self, place: str) -> None:
        """Send a worker the data, unless they are on their way."""
        coming = self._kept.get(place)
        if coming is not None and not coming.done():
            time.sleep(_ON_THE_WAY)
            return
        if self._data is None or self._data.status != "finished":
            self._scatter()  # also where the only worker that had them died
        self._kept[place] = self._give(
            trial.keep, self.shared, self._data, workers=[place], pure=False, priority=1
        )

    def _look(self) -> None:
        """Count the workers, and raise `Gone` where nobody tells how many there are."""
        self._lost = True
        try:
            self._count = count_at(self._client)
        except LostCluster as error:
            raise Gone(error.what) from error
        self._lost = False
        now = time.monotonic()
        if self._count:
            self._peopled = now
        elif now - self._peopled > _WORKERLESS:
            raise Gone(
                f"the cluster at {place_of(self._client)} has had no worker for "
                f"{_WORKERLESS / 60:.0f} minutes"
            )

    def _ask(self, method: Callable[..., Any], *arguments: Any, within: float, **how: Any) -> Any:
        """Call a method of the client, and say of an error whether the cluster is gone."""
        try:
            return ask(self._client, method, *arguments, within=within, **how)
        except TimeoutError as error:
            self._look()
            raise Gone(
                f"workers at {place_of(self._client)} do not answer within {within:.0f} s"
            ) from error
        except Exception:
            self._look()
            raise

    def _scatter(self) -> None:
        """Send the data to one worker; the others get them from there when they need them."""
        values = [in_memory(self.shared)]
        (self._data,) = self._ask(self._client.scatter, values, hash=False, within=_SEND)

    def _everywhere(self, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """Return what a function returns, or raises, on each worker that may get trials."""
        found: dict[str, Any] = self._ask(
            self._client.run, function, *arguments, on_error="return", within=REACH
        )
        return among(found, self._options)


def engine_for(
    shared: Shared,
    executor: Any = None,
    n_jobs: int | None = None,
    versions: Mapping[str, str] | None = None,
) -> Engine:
    """Return what runs trials: a cluster for a Dask client or its executor, else a `Pool`."""
    client, options = dask_of(executor)
    if client is not None:
        return Cluster(shared, client, options, versions)
    return Pool(shared, executor=executor, n_jobs=n_jobs)


def count_workers(executor: Any, n_jobs: int | None) -> int:
    """Return how many trials will run at once, as far as that is known before."""
    client, _ = dask_of(executor)
    if client is None or client.asynchronous:
        return workers_of(n_jobs)
    try:
        return max(count_at(client), 1)
    except LostCluster:  # which is said when trials are given out
        return 1
