"""Trials are given out to any `concurrent.futures.Executor`; one that dies takes no run with it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from typing import Any

from acclimate.comparison.trials import worker as trial
from acclimate.comparison.trials.engine import Engine, Gone, next_spec
from acclimate.comparison.trials.records import Outcome, Spec
from acclimate.comparison.trials.shared import DataMissing, Shared, as_files
from acclimate.exceptions import InputError

_AHEAD = 2  # trials given to each worker: one that runs, one that waits
_UNKNOWN = 32  # trials given to an executor that does not tell how many workers it has
_IDLE = 60  # seconds after which an idle worker ends
_LOOK = 1.0  # seconds between two looks whether the parent is still there
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


class Pool(Engine):
    """Workers that run trials.

    Parameters
    ----------
    shared : Shared
        The data of all trials.
    executor : concurrent.futures.Executor, default=None
        Runs the trials. None means processes on this machine, one thread each.
    n_jobs : int, default=None
        Local processes; None means one a core, 1 means none: trials run in this process. Negative
        numbers count from the cores down, as in joblib.

    Notes
    -----
    A process that dies breaks a local pool, and with it all trials that were given out. The pool is
    made anew and these trials run again, one at a time: the one that kills its process once more is
    the one to blame. An executor that the user passed cannot be made anew.
    """

    def __init__(
        self, shared: Shared, *, executor: Executor | None = None, n_jobs: int | None = None
    ) -> None:
        if executor is not None and not isinstance(executor, Executor):
            raise InputError(
                f"executor must be a concurrent.futures.Executor, got {type(executor).__name__}; "
                f"for Dask pass a plain dask.distributed.Client or client.get_executor()"
            )
        if n_jobs == 0:
            raise InputError("n_jobs must not be 0; None means one process a core")
        super().__init__(shared)
        self._given = executor
        self._own: Executor | None = None
        self._files: dict[str, bytes] | None = None
        self._workers = workers_of(n_jobs)

    @property
    def workers(self) -> int:
        """How many local processes there are."""
        return self._workers

    def run(
        self,
        specs: Iterable[Spec],
        *,
        stop: Callable[[], bool] = lambda: False,
        until: float = float("inf"),
    ) -> Iterator[Outcome]:
        """Yield the outcome of each trial as it ends; see `Engine.run`.

        What runs at ``until`` is killed in a local pool; another executor is left with it, and in
        this process it is waited for.
        """
        if self._given is None and self.workers == 1:
            for spec in specs:
                if stop():
                    return
                yield trial.run(spec, self.shared)
            return
        yield from self._spread(iter(specs), stop, until)

    def _spread(
        self, specs: Iterator[Spec], stop: Callable[[], bool], until: float
    ) -> Iterator[Outcome]:
        again: deque[Spec] = deque()  # could not be given out: it comes first
        suspects: deque[Spec] = deque()  # were out when a process died: they run alone
        running: dict[Future[Outcome], tuple[Spec, bool]] = {}
        try:
            while True:
                broken = False
                alone = bool(suspects) or any(lone for _, lone in running.values())
                while not broken and len(running) < (1 if alone else self._room()):
                    spec = next_spec(suspects or again, specs, stop)
                    if spec is None:
                        break
                    try:
                        running[self._submit(spec)] = spec, alone
                    except BrokenExecutor:
                        (suspects if alone else again).appendleft(spec)
                        broken = True
                if not running and not broken:
                    return
                done = _first(running, until)
                if running and not done and not broken:
                    self._give_up()
                    return
                for future in done:
                    spec, lone = running.pop(future)
                    try:
                        outcome = self._outcome(future, spec)
                    except BrokenExecutor as error:
                        broken = True
                        if not lone:
                            suspects.append(spec)
                            continue
                        outcome = Outcome(spec.key, "crashed", error=_crash(error))
                    yield outcome
                if broken:
                    suspects.extend(spec for spec, _ in running.values())
                    running.clear()
                    self._renew()
        finally:
            for future in running:
                future.cancel()

    def _give_up(self) -> None:
        """End what runs, where the processes are our own."""
        if self._given is None:
            self._end()

    def _outcome(self, future: Future[Outcome], spec: Spec) -> Outcome:
        try:
            try:
                return future.result()
            except DataMissing:
                return self._send(spec)
        except BrokenExecutor:
            raise
        except MemoryError as error:
            return Outcome(spec.key, "memory", error=repr(error))
        except Exception as error:  # a result that cannot travel, or a worker that a cluster lost
            return Outcome(spec.key, "crashed", error=f"{type(error).__name__}: {error}")

    def _send(self, spec: Spec) -> Outcome:
        """Run a trial again on a machine that had no data; the files may have come meanwhile."""
        if self._files is None:
            self._files = as_files(self.shared)
        else:
            try:
                return self._submit(spec).result()
            except DataMissing:
                pass
        executor = self._executor()
        with _held():
            future = executor.submit(trial.run, spec, self.shared, self._files)
        return future.result()

    def _submit(self, spec: Spec) -> Future[Outcome]:
        executor = self._executor()
        with _held():  # this is where workers start
            return executor.submit(trial.run, spec, self.shared)

    def _room(self) -> int:
        if self._given is None:
            return _AHEAD * self.workers
        known = getattr(self._given, "_max_workers", None)
        return _AHEAD * known if isinstance(known, int) else _UNKNOWN

    def _executor(self) -> Executor:
        if self._given is not None:
            return self._given
        if self._own is None:
            from multiprocessing import resource_tracker

            from joblib.externals.loky import ProcessPoolExecutor

            # loky and not the standard library's pool: it starts clean processes on every system,
            # and a script needs no guard around its main part
            self._own = ProcessPoolExecutor(
                self.workers, timeout=_IDLE, env=_ONE_THREAD, initializer=_end_with_parent
            )
            resource_tracker.ensure_running()  # its start would let Ctrl-C through again
        own: Executor = self._own
        return own

    def _renew(self) -> None:
        if self._given is not None:
            raise Gone("the executor broke: one of its workers died")
        self._end()

    def _end(self) -> None:
        if self._own is not None:
            with contextlib.suppress(Exception):  # it may be broken already
                self._own.shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg]
            self._own = None

    def close(self) -> None:
        """End the local processes, and let go of the data."""
        self._end()
        trial.leave(self.shared)


def workers_of(n_jobs: int | None) -> int:
    """Return how many local processes are meant; negative numbers count down as in joblib."""
    cores = _cores()
    return max(cores if n_jobs is None else n_jobs if n_jobs > 0 else cores + 1 + n_jobs, 1)


def _first(running: Iterable[Future[Outcome]], until: float) -> set[Future[Outcome]]:
    """Wait for the first to end; an empty set where the time was up before."""
    futures = list(running)
    if not futures:
        return set()
    left = None if until == float("inf") else max(until - time.monotonic(), 0.0)
    return wait(futures, timeout=left, return_when=FIRST_COMPLETED).done


@contextlib.contextmanager
def _held() -> Iterator[None]:
    """Hold Ctrl-C back; what starts meanwhile does so until it can ignore it, this goes on."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """Let this process end soon after the one that started it, however that one ended.

    Ctrl-C reaches it, too. It is for the parent to answer, which ends its workers.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _crash(error: BaseException) -> str:
    text: Any = str(error).splitlines()
    return "the process that ran it died" + (f": {text[0]}" if text else "")
