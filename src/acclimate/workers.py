"""Jobs on the workers of an executor or a Dask cluster, or here one after the other."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, as_completed
from contextlib import contextmanager
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from typing import Any

from acclimate.exceptions import AcclimateError, InputError
from acclimate.installed import check_workers, last_words, versions_here

LOOK = 10.0  # seconds of silence after which a scheduler is asked whether it is there
ANSWER = 20.0  # seconds in which it has to answer
REACH = 60.0  # seconds in which all workers have to
RETRIES = 2  # of a job that could not be run, by Dask
_EXECUTOR: ContextVar[Any] = ContextVar("executor", default=None)
# Filters of warnings belong to a process: in an executor of threads jobs take turns.
_alone = threading.Lock()


class LostCluster(Exception):
    """The scheduler of a cluster is gone or silent; ``what`` says which, without a full stop."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)


@contextmanager
def working(executor: Executor | Any, *, mixed: bool = False) -> Iterator[None]:
    """Let `spread` in this block use an executor.

    Parameters
    ----------
    executor : concurrent.futures.Executor, dask.distributed.Client or None
        None leaves it as it is around the block. A client that was closed is none.
    mixed : bool, default=False
        Whether workers may run other versions.

    Raises
    ------
    InputError
        It is no executor, or a worker of the cluster runs another version.
    AcclimateError
        The cluster is gone.
    """
    client, options = dask_of(executor)
    if client is None and executor is not None and not isinstance(executor, Executor):
        raise InputError(
            f"executor must be a concurrent.futures.Executor or a plain dask.distributed.Client, "
            f"got {type(executor).__name__}"
        )
    if executor is None or (client is not None and client.status != "running"):
        yield
        return
    if client is not None:
        if client.asynchronous:
            raise InputError("executor is an asynchronous Dask client; pass a plain one")
        wanted = versions_here()
        if "torch" not in sys.modules:  # nothing here uses it
            wanted.pop("torch", None)
        check_workers(_versions(client, options), None if mixed else wanted)
    before = _EXECUTOR.set(executor)
    try:
        yield
    finally:
        _EXECUTOR.reset(before)


def spread(
    function: Callable[..., Any],
    jobs: Sequence[tuple[Any, ...]],
    common: tuple[Any, ...] = (),
    tell: Callable[[int], None] | None = None,
) -> list[Any]:
    """Return ``function(*common, *job)`` of each job, in their order.

    It runs where `working` says, else here. What it warns of is warned of here.

    Parameters
    ----------
    function : callable
        Of a module: it is found there by its name.
    jobs : sequence of tuple
        Arguments of each.
    common : tuple, default=()
        First arguments of all; to a cluster they are sent once a worker.
    tell : callable, default=None
        Called with the number of jobs that ended, after each.

    Raises
    ------
    Exception
        What the first job that fails raises.
    AcclimateError
        The workers or the cluster are gone.

    Examples
    --------
    >>> spread(pow, [(3,), (4,)], common=(2,))
    [8, 16]
    """
    executor = _EXECUTOR.get()
    client, options = dask_of(executor)
    if client is not None:
        return _on_cluster(client, options, function, jobs, common, tell)
    if executor is not None:
        return _on_executor(executor, function, jobs, common, tell)
    return _here(function, jobs, common, tell)


def _here(function: Any, jobs: Any, common: Any, tell: Any) -> list[Any]:
    found = []
    for done, job in enumerate(jobs, start=1):
        found.append(function(*common, *job))
        if tell is not None:
            tell(done)
    return found


def _run(
    function: Callable[..., Any], common: tuple[Any, ...], job: tuple[Any, ...]
) -> tuple[Any, list[Any]]:
    """Return what a job gives, and what it warned of."""
    with _alone, warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        found = function(*common, *job)
    return found, [one.message for one in noted]


def _kept(results: Sequence[tuple[Any, list[Any]]]) -> list[Any]:
    for _, noted in results:
        for one in noted:
            warnings.warn(one, stacklevel=4)
    return [found for found, _ in results]


def _on_executor(executor: Executor, function: Any, jobs: Any, common: Any, tell: Any) -> list[Any]:
    futures: list[Any] = []
    try:
        futures = [executor.submit(_run, function, common, job) for job in jobs]
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            if tell is not None:
                tell(done)
    except BrokenExecutor as error:  # which is a RuntimeError, too
        raise AcclimateError("the executor broke: one of its workers died") from error
    except RuntimeError:
        if futures:
            raise
        return _here(function, jobs, common, tell)  # it was shut down
    finally:
        for future in futures:
            future.cancel()
    return _kept([future.result() for future in futures])


def _on_cluster(
    client: Any, options: Mapping[str, Any], function: Any, jobs: Any, common: Any, tell: Any
) -> list[Any]:
    ended: dict[int, Any] = {}
    turn = 0
    while True:
        try:
            _some_on_cluster(client, options, function, jobs, common, tell, ended)
            return _kept([ended[place] for place in range(len(jobs))])
        except LostCluster as error:
            raise AcclimateError(f"{error.what}. Run again on one that is there") from error
        except (CancelledError, TimeoutError, OSError) as error:
            try:  # the worker that had what all jobs share may have died: it is sent again
                count_at(client)
            except LostCluster as lost:
                raise AcclimateError(f"{lost.what}. Run again on one that is there") from error
            turn += 1
            if turn > RETRIES:
                raise AcclimateError(
                    f"the jobs are cancelled again and again on the cluster at {place_of(client)}"
                ) from error
        except Exception as error:
            if type(error).__name__ == "KilledWorker":
                raise AcclimateError(
                    f"a job cannot be run on the cluster: {last_words(error)}"
                ) from error
            raise


def _some_on_cluster(
    client: Any, options: Mapping[str, Any], function: Any, jobs: Any, common: Any, tell: Any,
    ended: dict[int, Any],
) -> None:  # fmt: skip
    """Run the jobs that have not ended, and keep what comes of them by their places."""
    options = {"retries": RETRIES, **options, "pure": False}
    places: dict[Any, int] = {}
    ready: SimpleQueue[Any] = SimpleQueue()
    try:
        (shared,) = client.scatter([common], hash=False)
        for place, job in enumerate(jobs):
            if place not in ended:
                future = client.submit(_run, function, shared, job, **options)
                places[future] = place
                future.add_done_callback(ready.put)
        while len(ended) < len(jobs):
            try:
                future = ready.get(timeout=LOOK)
            except Empty:
                count_at(client)
                continue
            ended[places[future]] = future.result(timeout=ANSWER)
            if tell is not None:
                tell(len(ended))
    finally:
        for future in places:
            future.release()


def dask_of(executor: Executor | Any) -> tuple[Any, dict[str, Any]]:
    """Return the Dask client behind an executor or None, and what it passes on."""
    dask = sys.modules.get("distributed")  # whoever has a client has imported it
    if dask is None:
        return None, {}
    if isinstance(executor, dask.Client):
        return executor, {}
    if isinstance(executor, dask.cfexecutor.ClientExecutor):
        return executor._client, dict(executor._kwargs)
    return None, {}


def count_at(client: Any) -> int:
    """Return how many workers a cluster has.

    Raises
    ------
    LostCluster
        Its scheduler is gone, or does not answer.
    """
    place = place_of(client)
    if client.status != "running":
        raise LostCluster(f"the cluster is gone: its scheduler at {place} is lost")
    try:
        return len(client.sync(client.scheduler.ncores, callback_timeout=ANSWER))
    except Exception as error:
        raise LostCluster(
            f"the cluster is gone: its scheduler at {place} does not answer"
        ) from error


def place_of(client: Any) -> str:
    """Return the address of a client's scheduler."""
    scheduler = client.scheduler
    return str(getattr(scheduler, "addr", None) or getattr(scheduler, "address", "?"))


def ask(client: Any, method: Callable[..., Any], *arguments: Any, within: float, **how: Any) -> Any:
    """Call a method of a client that has to end within so many seconds."""

    async def call() -> Any:  # inside the client's loop its methods are coroutines
        return await method(*arguments, **how)

    return client.sync(call, callback_timeout=within)


def among(found: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was found on the workers that may be used, by what an executor passes on."""
    asked = options.get("workers") or ()
    only = {asked} if isinstance(asked, str) else set(asked)
    return {place: one for place, one in found.items() if place in only} or dict(found)


def _versions(client: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    try:
        count_at(client)
        found = ask(client, client.run, versions_here, on_error="return", within=REACH)
    except LostCluster as error:
        raise AcclimateError(f"{error.what}. Run again on one that is there") from error
    except TimeoutError as error:
        raise AcclimateError(
            f"workers at {place_of(client)} do not answer within {REACH:.0f} s"
        ) from error
    return among(found, options)
