"""Trials that are in the store are read from it; the others are run and written as they end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.candidates import Candidate
from acclimate.comparison.trials.claims import Claims
from acclimate.comparison.trials.engine import Engine, Gone
from acclimate.comparison.trials.records import Job, Outcome, Result, Spec
from acclimate.comparison.trials.shared import fingerprint
from acclimate.comparison.trials.store import Record, Store, trial_key
from acclimate.comparison.trials.versions import versions_of
from acclimate.exceptions import AcclimateError, OutputError
from acclimate.installed import check_same, made_by

# When the time of a budget began, where that was before `compare` was called; see `counted_from`.
_BEGUN: ContextVar[float | None] = ContextVar("begun", default=None)
_LOOK = 0.2  # seconds between two looks whether others have ended their trials
_log = logging.getLogger("acclimate")
OnTrial = Callable[[int, int, dict[str, Any]], None]


@contextmanager
def counted_from(begun: float) -> Iterator[None]:
    """Let budgets inside count from a time of `time.monotonic`, as before files were read."""
    before = _BEGUN.set(begun)
    try:
        yield
    finally:
        _BEGUN.reset(before)


def begun() -> float:
    """Return when the time of a budget began."""
    known = _BEGUN.get()
    return time.monotonic() if known is None else known


@dataclass
class Limits:
    """How much may be spent.

    Parameters
    ----------
    seconds : float or None
        Of wall time, from ``started`` on.
    trials : int or None
        That are run, those from the store not counted.
    kept_back : float, default=0
        Seconds that are left for what comes after the trials.
    """

    seconds: float | None
    trials: int | None
    kept_back: float = 0.0
    spent_trials: int = 0
    started: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds that are left for trials."""
        if self.seconds is None:
            return float("inf")
        return self.deadline - time.monotonic()

    @property
    def deadline(self) -> float:
        """When trials must end, on the clock of `time.monotonic`; infinite without a limit."""
        if self.seconds is None:
            return float("inf")
        return self.started + self.seconds - self.kept_back

    def reached(self) -> bool:
        """Whether nothing more may be given out."""
        return self.left() <= 0 or (self.trials is not None and self.spent_trials >= self.trials)

    def affords(self, seconds: float, trials: int) -> bool:
        """Whether so much is left."""
        enough = self.trials is None or self.spent_trials + trials <= self.trials
        return enough and seconds <= self.left()

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return self.seconds is not None or self.trials is not None


class Trials:
    """Runs jobs through an engine and keeps what came of them.

    Parameters
    ----------
    store : Store
    pool : Engine
    data : str
        Fingerprint of the source and of the target's inputs.
    seed : int
    limits : Limits
    names : pair of (mapping from label to str or None)
        What the labels of the source and of the target mean.
    score : callable
        Job and arrays to the scores that the store shows.
    progress : callable or None
        Told after each trial: how many ended, how many are planned, the row of the last.
    lasting : bool, default=True
        Whether the store is there after this run.
    mixed : bool, default=False
        Whether other versions may compute trials; the store says which did.
    class_shares : mapping or None, default=None
        What is said of the target's class shares; see `Domain`.
    """

    def __init__(
        self, store: Store, pool: Engine, data: str, seed: int, limits: Limits,
        names: tuple[Any, Any],
        score: Callable[[Job, Mapping[str, NDArray[Any]]], dict[str, float]],
        progress: OnTrial | None = None, *, lasting: bool = True, mixed: bool = False,
        class_shares: Any = None,
    ) -> None:  # fmt: skip
        self.store, self.pool, self.data, self.seed = store, pool, data, seed
        self.limits, self.names = limits, names
        self.results: dict[str, Result] = {}
        self.planned = 0
        self.reused = 0
        self.class_shares = class_shares
        self._score = score
        self._progress = progress
        self._lasting, self._mixed = lasting, mixed
        self._claims = Claims(store) if lasting else None  # nobody else has another

    def job(
        self,
        candidate: Candidate,
        *,
        train: NDArray[np.intp] | None = None,
        labels: NDArray[Any] | None = None,
        answer: NDArray[np.intp] | None = None,
        source: NDArray[np.intp] | None = None,
        held: NDArray[np.intp] | None = None,
        reverse: bool = False,
        probe: NDArray[np.intp] | None = None,
        picture: bool = False,
    ) -> Job:
        """Describe a trial; see `Spec`. ``labels`` are those of the rows it is given."""
        config = {
            "candidate": candidate.config,
            "train": None if train is None else fingerprint(train),
            "labels": None if labels is None else fingerprint(labels),
            "answer": None if answer is None else fingerprint(answer),
            "source": None if source is None else fingerprint(source),
            "held": None if held is None else fingerprint(held),
            "reverse": reverse,
            "class_names": [
                None if n is None else {str(k): v for k, v in n.items()} for n in self.names
            ],
        }
        if self.class_shares is not None:
            config["class_shares"] = {str(k): v for k, v in self.class_shares.items()}
        if probe is not None:
            config["probe"] = fingerprint(probe)
        key = trial_key(config, self.seed, self.data)
        same = {"train": None, "labels": None, "answer": None, "held": None, "reverse": False}
        shared = {name: value for name, value in (config | same).items() if name != "probe"}
        first = trial_key(shared, self.seed, self.data)
        spec = Spec(
            key, candidate.name, candidate.model, first, train, answer, source, held,
            candidate.several, reverse, self.names, probe, picture, self.class_shares,
        )  # fmt: skip
        return Job(candidate, spec, config)

    def run(self, jobs: Iterable[Job], *, limited: bool = True) -> None:
        """Run the jobs that no store has, and keep all results under their keys.

        What another comparison on the same store is at is waited for, unless that one dies.

        Parameters
        ----------
        jobs : iterable of Job
            Taken one by one, so a generator may decide late.
        limited : bool, default=True
            Whether the limits hold.

        Raises
        ------
        AcclimateError
            What runs the trials is gone; the message says how many are kept.
        InputError
            Another version computed one, and may not.
        """
        out: dict[str, Job] = {}
        elsewhere: dict[str, Job] = {}  # another comparison is at them

        def fresh() -> Iterator[Spec]:
            for job in jobs:
                key = job.spec.key
                if key in self.results or key in out or key in elsewhere:
                    continue
                self.planned += 1
                if self._stored(job):
                    continue
                if not self._take(job):
                    elsewhere[key] = job
                elif not self._stored(job):  # it may have ended just before
                    yield give(job)

        def give(job: Job) -> Spec:
            out[job.spec.key] = job
            self.limits.spent_trials += 1
            return job.spec

        def expired() -> Iterator[Spec]:
            for key, job in list(elsewhere.items()):
                if self._stored(job):
                    del elsewhere[key]
                elif self._take(job):
                    del elsewhere[key]
                    if not self._stored(job):
                        yield give(job)

        stop = self.limits.reached if limited else lambda: False
        until = self.limits.deadline if limited else float("inf")
        try:
            self._run(fresh(), out, stop, until)
            while elsewhere and not stop():
                waiting = len(elsewhere)
                self._run(expired(), out, stop, until)
                if len(elsewhere) == waiting:
                    time.sleep(_LOOK)
        except Gone as error:
            raise AcclimateError(f"{error.what}. {self._what_is_kept()}") from error
        finally:
            if self._claims is not None:
                with suppress(OutputError):  # a full disk is said where it was met
                    self._claims.release()
        self.planned -= len(out) + len(elsewhere)

    def _run(
        self, specs: Iterator[Spec], out: dict[str, Job], stop: Callable[[], bool], until: float
    ) -> None:
        for outcome in self.pool.run(specs, stop=stop, until=until):
            job = out.pop(outcome.key)
            record = self._record(job, outcome)
            self.store.write(record, outcome.arrays or None)
            if self._claims is not None:
                self._claims.release([outcome.key])
            self._keep(outcome.key, Result(record, outcome.arrays, outcome.spent))

    def _stored(self, job: Job) -> bool:
        """Tell whether the store has a trial, and keep what it has."""
        key = job.spec.key
        versions = None if self._mixed else versions_of(job.candidate)
        found = self.store.find([key], versions)
        if key not in found:
            return False
        self.reused += 1
        self._keep(key, Result(found[key], self.store.arrays(key)))
        return True

    def _take(self, job: Job) -> bool:
        return self._claims is None or self._claims.take(job.spec.key)

    def _what_is_kept(self) -> str:
        if not self._lasting:
            return "No store= was given, so nothing was kept"
        return (
            f"{len(self.results)} trials are stored; run again with the same store to go on, and "
            f"with workers that are there"
        )

    def _record(self, job: Job, outcome: Outcome) -> Record:
        versions = versions_of(job.candidate)
        if outcome.versions:
            if not self._mixed:
                check_same(outcome.versions, versions, "a worker")
            versions = made_by(outcome.versions, versions)
        scores = self._score(job, outcome.arrays) if outcome.status == "done" else {}
        return Record(
            job.candidate.name, job.candidate.row.name, job.config, self.seed, self.data,
            versions, outcome.status, scores, outcome.seconds, outcome.peak_bytes, outcome.error,
            training=outcome.training,
        )  # fmt: skip

    def _keep(self, key: str, result: Result) -> None:
        self.results[key] = result
        record, told = result.record, f"{len(self.results)} of {self.planned} fits"
        _log.info("%s: %s %s%s", told, record.candidate, record.status, _why(record))
        if self._progress is not None:
            row = {name: getattr(result.record, name) for name in Record.__dataclass_fields__}
            self._progress(len(self.results), self.planned, row | {"key": key})


def _why(record: Record) -> str:
    seconds = "" if record.seconds is None else f", {record.seconds:.2f} s"
    return seconds if record.error is None else f"{seconds}: {record.error}"
