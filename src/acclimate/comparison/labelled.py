"""A comparison with target labels: run the design, and read the tables that are judged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison import bodies
from acclimate.comparison.answers import Answers, aligned, free_of_labels, from_parts
from acclimate.comparison.bench import DesignedBench
from acclimate.comparison.candidates import (
    POOLED,
    SOURCE_ONLY,
    TARGET_ONLY,
    Candidate,
)
from acclimate.comparison.curve import label_curve
from acclimate.comparison.design import Design, LeftOut
from acclimate.comparison.halving import KEPT, RUNGS, thinned
from acclimate.comparison.joined import prior_masses
from acclimate.comparison.judge import Judge
from acclimate.comparison.problem import Problem
from acclimate.comparison.race import Race
from acclimate.comparison.trials.records import Job
from acclimate.comparison.trials.runner import Trials
from acclimate.exceptions import AcclimateError
from acclimate.judging.judged import Verdict
from acclimate.judging.weighing import MOST
from acclimate.report.compared import CandidateRow
from acclimate.report.compared_answers import AnswersShown
from acclimate.report.compared_parts import BodyProbed, Calibrated, CurvePoint, Judged, Part

LAST = 0.2  # most of the budget that is kept for the last fit
GROWTH = (
    0.5  # of the seconds of a fit, for as much growth of its rows: it runs alone, and has a start
)
BOOSTED = (
    1e-6  # seconds of a boosted fit for each number in the table and class; more on many cores
)
FIRST = 0.1  # most of the time that the first fit of a base model may take
_ALL: LeftOut = (0, ())  # of the design: one trial serves every fold


@dataclass
class Found:
    """What the labels say; made by `WithLabels.judge`."""

    chosen: str
    members: dict[str, float]
    weights: dict[tuple[int, int], dict[str, float]]
    fallback: str
    mute: dict[str, list[str]]
    constant: float
    verdicts: tuple[Judged, ...]
    each: dict[str, CandidateRow]
    classes: tuple[Part, ...]
    groups: tuple[Part, ...]
    calibration: tuple[Calibrated, ...]
    curve: tuple[CurvePoint, ...]
    bodies: tuple[BodyProbed, ...]
    against: dict[str, Verdict]
    answers: AnswersShown
    reference: str
    together: Verdict | None

    @property
    def against_reference(self) -> Verdict:
        """The verdict against training on the target alone, where that can be fitted."""
        return self.against[self.reference]

    @property
    def against_source(self) -> Verdict | None:
        """The verdict against the source model as it is, where that finished."""
        return self.against.get(SOURCE_ONLY)


class WithLabels(DesignedBench):
    """A comparison that labels judge.

    Parameters
    ----------
    trials, problem, candidates : Trials, Problem and sequence of Candidate
        See `Bench`.
    design : Design
        Which labels train, choose and judge.
    committee : bool, default=False
        Whether candidates are weighed, and not one picked.
    asked : collection of str, default=()
        Names of candidates that run to the end however far behind they are.
    larger : float, default=1
        How many times as many rows the last fit has as a trial.

    Attributes
    ----------
    allowed : dict from (repeat, fold) to list of str
        What can be weighed or picked in a fold.
    """

    def __init__(
        self,
        trials: Trials,
        problem: Problem,
        candidates: Sequence[Candidate],
        design: Design,
        committee: bool = False,
        asked: Collection[str] = (),
        larger: float = 1.0,
    ) -> None:
        super().__init__(trials, problem, candidates)
        self.asked, self.larger = frozenset(asked), larger
        self.design = design
        self.weighs = committee
        self.allowed: dict[tuple[int, int], list[str]] = {}
        self._parts = {c.name: self.parts(c) for c in candidates}
        self._bodies = {} if design.few else bodies.jobs_of(trials, candidates, design)

    def parts(
        self, candidate: Candidate, source: NDArray[np.intp] | None = None
    ) -> dict[LeftOut, Job]:
        """Return a candidate's trials by the part of the design that each belongs to.

        A candidate that sees no labels has one trial, which belongs to all parts.

        Parameters
        ----------
        candidate : Candidate
        source : ndarray of shape (s,), default=None
            Source rows to fit on; None for all.
        """
        job, design = self.trials.job, self.design
        if not candidate.uses_labels:
            return {_ALL: job(candidate, source=source, picture=source is None)}
        jobs: dict[LeftOut, Job] = {}
        for part in design.parts(pooled=candidate.pooled):
            left = design.left_out(*part)
            jobs[part] = job(
                candidate, train=design.known[~left], labels=design.labels[~left],
                answer=design.known[left], source=source, picture=source is None and not jobs,
            )  # fmt: skip
        return jobs

    def jobs(self, candidate: Candidate) -> list[Job]:
        """Return the trials of a candidate on all its rows."""
        return list(self._parts[candidate.name].values())

    def jobs_by_part(self, candidate: Candidate) -> Mapping[LeftOut, Job]:
        """Return the trials of a candidate by the part of the design that each belongs to."""
        return self._parts[candidate.name]

    @property
    def variants(self) -> dict[str, list[str]]:
        """Names of the candidates of each reference."""
        methods = (TARGET_ONLY, SOURCE_ONLY, *((POOLED,) if self.weighs else ()))
        return {m: [c.name for c in self.candidates if c.row.name == m] for m in methods}

    def run(self) -> None:
        """Run what the limits allow: what is cheap first, in a race; then the dear."""
        cheap = [c for c in self.candidates if not c.dear]
        dear = [c for c in self.candidates if c.dear]
        cells = [(r, i) for r in range(self.design.repeats) for i in range(self.design.folds)]
        self.trials.run(self._bodies.values())
        self._stop_boosting()
        cheap = [c for c in cheap if c.name not in self.stopped]
        if self.trials.limits.trials is not None:  # the references always run
            first = [job for c in self.candidates if c.baseline for job in self.jobs(c)]
            self.trials.run(first, limited=False)
        allowed: dict[tuple[int, int], list[str]] = {cell: [] for cell in cells}
        for going in (cheap, dear):
            start = None
            if going is dear and self.halves(dear):
                going, start = self._halve(dear)
            if not going:
                continue
            going = sorted(going, key=lambda c: not self._refers(c))
            self.trials.run(self.jobs(c)[0] for c in _slow_last(going) if not c.uses_labels)
            free = [c.name for c in going if not c.uses_labels and self._done(c)]
            beside = {cell: [*names, *free] for cell, names in allowed.items()}
            race = Race(self, [c for c in going if c.uses_labels], self.variants, beside, start)
            self._keep_repeats(race.run())
            allowed = {
                (r, i): names for (r, i), names in race.allowed.items() if r < self.design.repeats
            }
        self.allowed = allowed
        for c in self.candidates:
            if c.name not in self.stopped and any(self.result(job) is None for job in self.jobs(c)):
                none = all(self.result(job) is None for job in self.jobs(c))
                self.stopped[c.name] = (
                    f"the budget was spent before the {'first' if none else 'last'} trial"
                )

    def _stop_boosting(self) -> None:
        """Stop boosting where one fit of it would take much of the time, and others are there.

        Its cost grows with columns times classes, and nothing else would be tried meanwhile.
        """
        limits, problem = self.trials.limits, self.problem
        boosted = [c for c in self.candidates if _boosts(c) and c.row.name != TARGET_ONLY]
        if limits.seconds is None or len({c.estimator for c in self.candidates}) < 2:
            return
        outputs = 1 if problem.classes is None or len(problem.classes) < 3 else len(problem.classes)
        seconds = BOOSTED * problem.source_rows * problem.columns * outputs
        if seconds > FIRST * limits.left() * self.trials.pool.workers:
            for c in boosted:
                if c.name not in self.asked:
                    self.stopped[c.name] = (
                        f"boosting {problem.columns} columns into {outputs} outputs does not go "
                        f"into the budget"
                    )

    def foreseen(self, candidate: Candidate) -> float:
        """Return the least seconds of a trial, as the source model of its base model took them.

        What trains on both domains takes as long and longer; of the others nothing is known.
        """
        if not candidate.pooled:
            return 0.0
        known = [
            result.record.seconds or 0.0
            for c in self.candidates if c.row.name == SOURCE_ONLY
            if c.estimator == candidate.estimator and (result := self.result(self.jobs(c)[0]))
        ]  # fmt: skip
        return min(known, default=0.0)

    def keep_back(self, seconds: Sequence[float]) -> None:
        """Keep time for the last fit of a committee, by what a trial of each candidate costs."""
        limits, known = self.trials.limits, [one for one in seconds if np.isfinite(one)]
        if limits.seconds is None or not known:
            return
        each = float(np.mean(known)) * (1 + GROWTH * (self.larger - 1))
        limits.kept_back = float(np.clip(MOST * each, 1.0, LAST * limits.seconds))

    def _refers(self, candidate: Candidate) -> bool:
        return any(candidate.name in names for names in self.variants.values())

    def _done(self, candidate: Candidate) -> bool:
        return self.arrays(self.jobs(candidate)[0]) is not None

    def _keep_repeats(self, repeats: int) -> None:
        """Cut the design to the repeats that were finished."""
        if repeats < self.design.repeats:
            self.design = replace(self.design, fold_of=self.design.fold_of[:repeats])
            self._parts = {
                name: {part: job for part, job in jobs.items() if part[0] < repeats}
                for name, jobs in self._parts.items()
            }

    def _halve(
        self, dear: Sequence[Candidate]
    ) -> tuple[list[Candidate], dict[tuple[int, int], list[str]]]:
        """Drop dear candidates on few source rows. Each outer fold drops on the labels of others.

        What any fold keeps goes on, but in a fold only what that fold kept can be picked there: its
        own labels had no part in it. References go on in any case.
        """
        cells = [(r, i) for r in range(self.design.repeats) for i in range(self.design.folds)]
        raced = [c for c in dear if not c.baseline]
        always = [c for c in dear if c.baseline]
        alive = {cell: [c.name for c in raced] for cell in cells}
        order = np.random.default_rng(self.trials.seed).permutation(self.problem.source_rows)
        for rung in RUNGS:
            rows = np.sort(order[: int(np.ceil(rung * len(order)))])
            going = [c for c in raced if any(c.name in names for names in alive.values())]
            tables = self._tables({c.name: self.parts(thinned(c, rung), rows) for c in going})
            alive = {cell: _best(names, tables, cell) for cell, names in alive.items()}
            kept_by_any = {name for names in alive.values() for name in names}
            for c in going:
                if c.name not in tables:
                    self.stopped[c.name] = f"it did not finish on {len(rows)} source rows"
                elif c.name not in kept_by_any:
                    self.stopped[c.name] = f"among the worst two thirds on {len(rows)} source rows"
        going = [c for c in raced if any(c.name in names for names in alive.values())]
        names = [c.name for c in always]
        return [*always, *going], {cell: [*names, *mine] for cell, mine in alive.items()}

    def _tables(self, parts: Mapping[str, Mapping[LeftOut, Job]]) -> dict[str, Answers]:
        """Run trials, and return the tables of the candidates that finished."""
        self.trials.run(job for jobs in parts.values() for job in jobs.values())
        tables = {name: self._table(jobs) for name, jobs in parts.items()}
        return {name: one for name, one in tables.items() if one is not None and one.whole}

    def partial(self, name: str) -> Answers | None:
        """Return the tables of what a candidate has run; None where nothing is there."""
        return self._table(self._parts[name])

    def _table(self, jobs: Mapping[LeftOut, Job]) -> Answers | None:
        found = {part: self.arrays(job) for part, job in jobs.items()}
        arrays = {part: one for part, one in found.items() if one is not None}
        if not arrays:
            return None
        design, classes = self.design, self.problem.classes
        if _ALL not in arrays:
            return from_parts(design, arrays, classes)
        one, proba = arrays[_ALL], None
        if "proba" in one and classes is not None:
            proba = aligned(one["proba"][design.known], one["classes"], classes)
        return free_of_labels(design, one["answers"][design.known], proba, classes)

    def tables(self) -> dict[str, Answers]:
        """Return the tables of what any fold may use, in the order candidates are trusted."""
        usable = {name for names in self.allowed.values() for name in names}
        names = [c.name for c in self.candidates if c.name in usable]
        tables = {name: self.partial(name) for name in names}
        return {name: table for name, table in tables.items() if table is not None}

    def _mute(self) -> dict[str, list[str]]:
        """Return the source's classes that candidates cannot say, without a labelled target row."""
        if not self.design.classify:
            return {}
        known, seen = np.unique(self.problem.source.y).tolist(), set(self.design.labels.tolist())
        if not seen <= set(known):  # the target asks another question
            return {}
        unseen = [label for label in known if label not in seen]
        found = {}
        for c in self.candidates:
            arrays = [one for job in self.jobs(c) if (one := self.arrays(job)) is not None]
            said = {
                label for one in arrays for label in one.get("classes", np.array(known)).tolist()
            }
            lost = [self.problem.name_of(label) for label in unseen if label not in said]
            if arrays and lost:
                found[c.name] = lost
        return found

    def judge(self) -> Found:
        """Pick inside the folds, judge outside them, and say what else the labels show.

        Raises
        ------
        AcclimateError
            The reference could not be fitted, so there is nothing to compare with.
        """
        done = self.tables()
        usable = {m: [name for name in names if name in done] for m, names in self.variants.items()}
        variants = {m: names if self._in_every_fold(names) else [] for m, names in usable.items()}
        if not variants[TARGET_ONLY] and not (self.design.few and variants[SOURCE_ONLY]):
            raise AcclimateError(self._why_no_reference())
        mute = self._mute()
        judge = Judge(
            self.problem, self.design, done, variants, self.allowed, self.weighs, mute,
            prior_masses(self.candidates),
        )  # fmt: skip
        members = judge.members
        heaviest = max(members, key=members.__getitem__) if members else judge.final
        return Found(
            chosen=judge.final,
            members=members,
            weights=judge.weights,
            fallback=judge.fallback,
            mute=mute,
            constant=judge.constant,
            verdicts=judge.verdicts(),
            each=judge.each(),
            classes=judge.classes(),
            groups=judge.groups(),
            calibration=judge.calibration(),
            curve=() if self.design.few else label_curve(self, self.design, heaviest, done),
            bodies=bodies.judge(self, self._bodies),
            against=judge.against,
            answers=judge.answers(),
            reference=judge.reference,
            together=judge.together,
        )

    def _in_every_fold(self, names: Sequence[str]) -> bool:
        cells = self.allowed.values()
        return bool(names) and all(any(name in mine for name in names) for mine in cells)

    def _why_no_reference(self) -> str:
        """Return what to tell where the reference itself could not be fitted."""
        tried = {c.row.name for c in self.candidates}
        who = TARGET_ONLY if TARGET_ONLY in tried else SOURCE_ONLY
        records = (result.record for result in self.trials.results.values() if not result.done)
        errors = [one.error for one in records if one.method == who]
        if not errors:
            return f"{who} did not finish, so there is nothing to compare with; run again"
        return (
            f"{who} could not be fitted, so there is nothing to compare with: {errors[0]}. "
            f"Choose another estimator or preprocess"
        )


def _slow_last(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return boosting behind the others: on many columns a fit of it takes as long as a hundred."""
    return sorted(candidates, key=_boosts)


def _boosts(candidate: Candidate) -> bool:
    return "Boosting" in type(candidate.model.estimator).__name__


def _best(names: Sequence[str], tables: Mapping[str, Answers], cell: tuple[int, int]) -> list[str]:
    """Return the better third of the names that have tables, on the scores inside a fold."""
    means = {name: float(np.nanmean(tables[name].inner[cell])) for name in names if name in tables}
    return sorted(means, key=lambda name: -means[name])[: int(np.ceil(KEPT * len(means)))]
