"""A comparison with target labels: run the design, pick inside the folds, judge outside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison import bodies
from acclimate.comparison import measures as judging
from acclimate.comparison.answers import (
    Answers,
    aligned,
    assemble,
    choose_in_folds,
    free_of_labels,
    from_parts,
    row_scores,
)
from acclimate.comparison.candidates import (
    DEAR_ENOUGH,
    KEPT,
    LEAST_ROWS,
    RUNGS,
    SOURCE_ONLY,
    TARGET_ONLY,
    Candidate,
    thinned,
)
from acclimate.comparison.curve import label_curve
from acclimate.comparison.design import Design
from acclimate.comparison.problem import Problem
from acclimate.comparison.trials.records import Job, Result
from acclimate.comparison.trials.runner import Trials
from acclimate.exceptions import AcclimateError
from acclimate.judging.crossfitted import first_level
from acclimate.judging.judged import Verdict
from acclimate.judging.verdict import verdict

ERRORS = 1.0  # standard errors within which candidates are level, see `refits.pick`
_ALL: tuple[int, ...] = ()


@dataclass
class Found:
    """What the labels say; made by `judge`."""

    chosen: str
    choices: dict[tuple[int, int], str]
    verdicts: list[dict[str, Any]]
    each: dict[str, dict[str, Any]]
    classes: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    calibration: list[dict[str, Any]]
    curve: list[dict[str, Any]]
    bodies: list[dict[str, Any]]
    against_target: Verdict
    against_source: Verdict | None


@dataclass
class Progress:
    """What became of each candidate while trials were run."""

    stopped: dict[str, str] = field(default_factory=dict)
    allowed: dict[tuple[int, int], list[str]] | None = None


def jobs_of(
    trials: Trials,
    problem: Problem,
    candidate: Candidate,
    design: Design,
    source: NDArray[np.intp] | None = None,
) -> list[tuple[tuple[int, tuple[int, ...]], Job]]:
    """Return the trials of a candidate with the part of the design that each belongs to.

    A candidate that sees no labels has one trial, which belongs to all parts.
    """
    if not candidate.uses_labels:
        job = trials.job(candidate, source=source, names=problem.names, picture=source is None)
        return [((0, _ALL), job)]
    jobs: list[tuple[tuple[int, tuple[int, ...]], Job]] = []
    for r, out in design.parts():
        left = design.left_out(r, out)
        job = trials.job(
            candidate, train=design.known[~left], labels=design.labels[~left],
            answer=design.known[left], source=source, names=problem.names,
            picture=source is None and not jobs,
        )  # fmt: skip
        jobs.append(((r, out), job))
    return jobs


def run(
    trials: Trials, problem: Problem, candidates: Sequence[Candidate], design: Design
) -> Progress:
    """Run every trial that the limits allow: baselines first, then cheap ones, then dear ones.

    Parameters
    ----------
    trials : Trials
    problem : Problem
    candidates : sequence of Candidate
        In the order they are trusted.
    design : Design
    """
    progress = Progress()
    jobs = {c.name: [job for _, job in jobs_of(trials, problem, c, design)] for c in candidates}
    baselines = [c for c in candidates if c.baseline]
    others = sorted((c for c in candidates if not c.baseline), key=lambda c: c.dear)
    first = [job for c in baselines for job in jobs[c.name]]
    trials.run([*first, *bodies.jobs_of(trials, problem, baselines).values()], limited=False)
    if not trials.limits.any:
        trials.run(job for c in others for job in jobs[c.name])
        return progress
    dear = [c for c in others if c.dear]
    if len(dear) >= DEAR_ENOUGH and problem.source_rows >= LEAST_ROWS:
        others = [c for c in others if not c.dear]
    else:
        dear = []
    _run_cheapest(trials, others, jobs, progress)
    if dear:
        cheap = [c.name for c in candidates if c not in dear]
        survivors = _halve(trials, problem, dear, design, cheap, progress)
        _run_cheapest(trials, survivors, jobs, progress)
    return progress


def _run_cheapest(
    trials: Trials,
    candidates: Sequence[Candidate],
    jobs: Mapping[str, list[Job]],
    progress: Progress,
) -> None:
    """Try each once, then run the rest of each in the order of what it costs, while it fits."""
    trials.run(jobs[c.name][0] for c in candidates)

    def cost(c: Candidate) -> float:
        result = trials.results.get(jobs[c.name][0].spec.key)
        seconds = None if result is None else result.record.seconds
        return float("inf") if seconds is None else seconds * len(jobs[c.name])

    def affordable() -> Iterator[Job]:
        for c in sorted(candidates, key=cost):
            todo = [job for job in jobs[c.name] if job.spec.key not in trials.results]
            seconds = cost(c) * len(todo) / len(jobs[c.name]) / trials.pool.workers
            if todo and not np.isfinite(cost(c)):
                first = trials.results.get(jobs[c.name][0].spec.key)
                if first is None:
                    progress.stopped[c.name] = "the budget was spent before its first trial"
                continue  # or its first trial failed: so would the others
            if todo and not trials.limits.affords(seconds, len(todo)):
                progress.stopped[c.name] = (
                    f"the budget does not allow its {len(todo)} other trials of about "
                    f"{cost(c) / len(jobs[c.name]):.2g} s"
                )
                continue
            yield from todo

    trials.run(affordable())
    for c in candidates:
        left = [job for job in jobs[c.name] if job.spec.key not in trials.results]
        first = trials.results.get(jobs[c.name][0].spec.key)
        if left and c.name not in progress.stopped and (first is None or first.done):
            progress.stopped[c.name] = "the budget was spent before its last trial"


def _halve(
    trials: Trials,
    problem: Problem,
    dear: list[Candidate],
    design: Design,
    cheap: list[str],
    progress: Progress,
) -> list[Candidate]:
    """Drop dear candidates on few source rows. Each outer fold drops on the labels of the others.

    What any fold keeps goes on, but in a fold only what that fold kept can be picked there: its own
    labels had no part in it.
    """
    cells = [(r, i) for r in range(design.repeats) for i in range(design.folds)]
    alive = {cell: [c.name for c in dear] for cell in cells}
    order = np.random.default_rng(trials.seed).permutation(problem.source_rows)
    for rung in RUNGS:
        rows = np.sort(order[: int(np.ceil(rung * problem.source_rows))])
        going = [c for c in dear if any(c.name in names for names in alive.values())]
        parts = {c.name: jobs_of(trials, problem, thinned(c, rung), design, rows) for c in going}
        trials.run(job for jobs in parts.values() for _, job in jobs)
        tables = {
            c.name: table
            for c in going
            if (table := _table(trials, c, design, parts[c.name], problem)) is not None
        }
        for c in going:
            if c.name not in tables:
                progress.stopped[c.name] = f"it did not finish on {len(rows)} source rows"
        for (r, i), names in alive.items():
            names = [name for name in names if name in tables]
            means = {name: float(np.nanmean(tables[name].inner[r, i])) for name in names}
            kept = sorted(names, key=lambda n: -means[n])[: int(np.ceil(KEPT * len(names)))]
            alive[r, i] = kept
        kept_by_any = {name for names in alive.values() for name in names}
        for c in going:
            if c.name in tables and c.name not in kept_by_any:
                progress.stopped[c.name] = f"among the worst two thirds on {len(rows)} source rows"
    progress.allowed = {cell: cheap + alive[cell] for cell in cells}
    return [c for c in dear if any(c.name in names for names in alive.values())]


def _table(
    trials: Trials,
    candidate: Candidate,
    design: Design,
    parts: Sequence[tuple[tuple[int, tuple[int, ...]], Job]],
    problem: Problem,
) -> Answers | None:
    """Return a candidate's tables, or None where a trial is missing or failed."""
    found: dict[tuple[int, tuple[int, ...]], Mapping[str, NDArray[Any]]] = {}
    for part, job in parts:
        result = trials.results.get(job.spec.key)
        if result is None or not result.done:
            return None
        found[part] = result.arrays
    if candidate.uses_labels:
        return from_parts(design, found, problem.classes)
    arrays = found[0, _ALL]
    proba = None
    if "proba" in arrays and problem.classes is not None:
        proba = aligned(arrays["proba"][design.known], arrays["classes"], problem.classes)
    return free_of_labels(design, arrays["answers"][design.known], proba)


def tables(
    trials: Trials, problem: Problem, candidates: Sequence[Candidate], design: Design
) -> tuple[dict[str, Answers], dict[str, list[Result]]]:
    """Return the tables of the candidates that finished, and all results by candidate."""
    done, results = {}, {}
    for c in candidates:
        parts = jobs_of(trials, problem, c, design)
        table = _table(trials, c, design, parts, problem)
        if table is not None:
            done[c.name] = table
        keys = [job.spec.key for _, job in parts]
        results[c.name] = [trials.results[key] for key in keys if key in trials.results]
    return done, results


def judge(
    trials: Trials,
    problem: Problem,
    candidates: Sequence[Candidate],
    design: Design,
    done: Mapping[str, Answers],
    progress: Progress,
) -> Found:
    """Pick inside the folds, judge outside them, and say what else the labels show."""
    if not any(c.row.name == TARGET_ONLY and c.name in done for c in candidates):
        raise AcclimateError(_why_no_reference(trials, TARGET_ONLY))
    ordered = {c.name: done[c.name] for c in candidates if c.name in done}
    choices = choose_in_folds(design, ordered, ERRORS, progress.allowed)
    answers, proba = assemble(design, ordered, choices)
    final = _final(design, ordered)
    baseline = {}
    for method in (TARGET_ONLY, SOURCE_ONLY):
        mine = {c.name: done[c.name] for c in candidates
                if c.row.name == method and c.name in done}  # fmt: skip
        if mine:
            baseline[method] = assemble(design, mine, choose_in_folds(design, mine, ERRORS))
    judged = {
        name: _verdict(problem, design, answers, sides[0]) for name, sides in baseline.items()
    }
    target_side = baseline[TARGET_ONLY]
    words = {SOURCE_ONLY: "source only", TARGET_ONLY: "target only"}
    verdicts = [
        said.to_dict()
        | {"sentence": said.sentence(words[name]), "candidate": "chosen", "reference": name}
        for name, said in judged.items()
    ]
    names = {label: problem.name_of(label) for label in np.unique(design.labels).tolist()}
    compared = (design, answers, target_side[0])
    limits = (problem.margin, problem.confidence)
    groups: list[dict[str, Any]] = []
    if problem.groups is not None:
        mine_groups = problem.groups[design.known]
        groups = judging.by_part(*compared, mine_groups, {}, *limits)
    return Found(
        chosen=final,
        choices=choices,
        verdicts=verdicts,
        each=_each(problem, design, ordered, baseline),
        classes=judging.by_part(*compared, design.labels, names, *limits)
        if design.classify
        else [],
        groups=groups,
        calibration=_calibration(problem, design, final, proba, target_side[1]),
        curve=label_curve(trials, problem, candidates, design, final, ordered),
        bodies=bodies.judge(
            trials, bodies.jobs_of(trials, problem, candidates), problem.task, problem.confidence
        ),
        against_target=judged[TARGET_ONLY],
        against_source=judged.get(SOURCE_ONLY),
    )


def _why_no_reference(trials: Trials, method: str) -> str:
    """Return what to tell where the reference itself could not be fitted."""
    errors = [r.record.error for r in trials.results.values()
              if r.record.method == method and not r.done]  # fmt: skip
    return (
        f"{method} could not be fitted, so there is nothing to compare with: {errors[0]}. Choose "
        f"another estimator or preprocess"
        if errors
        else f"{method} did not finish, so there is nothing to compare with; run again"
    )


def _final(design: Design, done: Mapping[str, Answers]) -> str:
    """Pick on all labels: this is what will be fitted. The verdict is not about these scores."""
    names = list(done)
    table = [
        design.weigh(row_scores(done[name].outer, design.labels, design.classify)).mean(axis=0)
        for name in names
    ]
    return names[first_level(np.array(table), ERRORS)]


def _verdict(
    problem: Problem, design: Design, candidate: NDArray[Any], reference: NDArray[Any]
) -> Verdict:
    labels = round(len(design.labels) * (1 - 1 / design.folds))
    return verdict(
        design.labels, candidate, reference, task=problem.task,
        class_names={label: problem.name_of(label) for label in np.unique(design.labels).tolist()}
        if design.classify else None,
        margin=problem.margin, confidence=problem.confidence, labels=labels, folds=design.folds,
        weights=design.weights,
    )  # fmt: skip


def _each(
    problem: Problem,
    design: Design,
    done: Mapping[str, Answers],
    baseline: Mapping[str, tuple[NDArray[Any], Any]],
) -> dict[str, dict[str, Any]]:
    """Return score and verdicts of each candidate alone, without regard to the choice."""
    rows = {}
    for name, one in done.items():
        score, low, high = judging.score_interval(design, one.outer, problem.confidence)
        entry: dict[str, Any] = {"score": score, "score_low": low, "score_high": high}
        for method, key in ((TARGET_ONLY, "target"), (SOURCE_ONLY, "source")):
            said = None
            if method in baseline:
                v = _verdict(problem, design, one.outer, baseline[method][0])
                said = {"word": v.word, "gain": v.gain, "low": v.low, "high": v.high}
            entry[f"against_{key}_only"] = said
        rows[name] = entry
    return rows


def _calibration(
    problem: Problem, design: Design, chosen: str, proba: Any, reference: Any
) -> list[dict[str, Any]]:
    if problem.classes is None:
        return []
    found = []
    for who, name, table in (("reference", TARGET_ONLY, reference), ("chosen", chosen, proba)):
        if table is not None:
            found.append(
                {"who": who, "candidate": name}
                | judging.calibration(design, table, problem.classes)
            )
    return found
