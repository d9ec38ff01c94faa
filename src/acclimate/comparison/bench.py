"""What comparisons with and without target labels share: data, candidates, trials."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from acclimate.comparison.answers import Answers
from acclimate.comparison.candidates import Candidate
from acclimate.comparison.design import Design, LeftOut
from acclimate.comparison.halving import DEAR_ENOUGH, LEAST_ROWS
from acclimate.comparison.problem import Problem
from acclimate.comparison.trials.records import Job, Result
from acclimate.comparison.trials.runner import Trials


class Bench(ABC):
    """The data, what is tried on them, and the trials that try it.

    Parameters
    ----------
    trials : Trials
        Runs and keeps.
    problem : Problem
    candidates : sequence of Candidate
        In the order they are trusted.

    Attributes
    ----------
    stopped : dict from str to str
        Why a candidate did not run to its end, by name.
    """

    def __init__(self, trials: Trials, problem: Problem, candidates: Sequence[Candidate]) -> None:
        self.trials, self.problem, self.candidates = trials, problem, candidates
        self.stopped: dict[str, str] = {}

    @abstractmethod
    def jobs(self, candidate: Candidate) -> list[Job]:
        """Return the trials of a candidate on all its rows."""

    @abstractmethod
    def run(self) -> None:
        """Run every trial that the limits allow: baselines, then what is cheap, then the dear."""

    def result(self, job: Job) -> Result | None:
        """Return what is known of a trial, None where it was not run."""
        return self.trials.results.get(job.spec.key)

    def arrays(self, job: Job) -> Mapping[str, NDArray[Any]] | None:
        """Return what a trial gave, None where it is missing or failed."""
        result = self.result(job)
        return result.arrays if result is not None and result.done else None

    def results(self) -> dict[str, list[Result]]:
        """Return what is known of each candidate's trials, by its name."""
        return {
            c.name: [result for job in self.jobs(c) if (result := self.result(job)) is not None]
            for c in self.candidates
        }

    def halves(self, dear: Sequence[Candidate]) -> bool:
        """Tell whether dear candidates are tried on few source rows first."""
        enough = len(dear) >= DEAR_ENOUGH and self.problem.source_rows >= LEAST_ROWS
        return self.trials.limits.any and enough


class DesignedBench(Bench):
    """A bench whose trials leave out parts of a design.

    Attributes
    ----------
    design : Design
    weighs : bool
        Whether candidates are weighed, and not one picked.
    asked : frozenset of str
        Names of candidates that run to the end however far behind they are.
    """

    design: Design
    weighs: bool
    asked: frozenset[str]

    @abstractmethod
    def jobs_by_part(self, candidate: Candidate) -> Mapping[LeftOut, Job]:
        """Return the trials of a candidate by the part of the design that each belongs to."""

    @abstractmethod
    def partial(self, name: str) -> Answers | None:
        """Return the tables of what a candidate has run; None where nothing is there."""

    @abstractmethod
    def foreseen(self, candidate: Candidate) -> float:
        """Return the least seconds that a trial of a candidate is expected to take."""

    @abstractmethod
    def keep_back(self, seconds: Sequence[float]) -> None:
        """Keep time for the last fit, by what a trial of each candidate costs."""
