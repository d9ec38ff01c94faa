"""A comparison without target labels: rank by validators, estimate, and say what to label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.answers import aligned
from acclimate.comparison.candidates import (
    DEAR_ENOUGH,
    KEPT,
    LEAST_ROWS,
    RUNGS,
    SOURCE_ONLY,
    Candidate,
    thinned,
)
from acclimate.comparison.problem import Problem
from acclimate.comparison.trials.records import Job, Result
from acclimate.comparison.trials.runner import Trials
from acclimate.exceptions import AcclimateError
from acclimate.folds import few_label_folds
from acclimate.judging.active import disagreement, draw_rows, rows_to_label
from acclimate.validation import take
from acclimate.validators.candidate import Evidence
from acclimate.validators.estimates import estimate_accuracy
from acclimate.validators.panel import Ranking, score_candidates

MOST_ROWS = 20_000  # target rows that are predicted for the validators
MOST_FEATURES = 512  # beyond, density ratios on the inputs mean nothing
_WORTH = 0.03  # a gain that labels should be able to show
# How far the estimated gain over the source model is from the true one: mean, and what 95 % stay
# below. Over 380 candidates on 10 simulated shifts of optdigits and pendigits, from
# ``benchmarks/results/validators.json``.
ESTIMATE_ERROR, ESTIMATE_95 = 0.124, 0.374


@dataclass
class Guess:
    """What can be said without labels; made by `judge`."""

    chosen: str
    reference: str
    ranking: Ranking
    estimated: dict[str, Any]
    to_label: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Plan:
    """Rows that are held out of the source, and target rows that are predicted."""

    train: NDArray[np.intp]
    held: NDArray[np.intp]
    answer: NDArray[np.intp] | None


def make_plan(problem: Problem, seed: int) -> Plan:
    """Hold a fifth of the source rows out, stratified by class."""
    parts = few_label_folds(
        problem.source_y, classify=problem.task == "classification", folds=5, seed=seed
    )
    train, held = (np.sort(part) for part in parts[0])
    answer = None
    if problem.target_rows > MOST_ROWS:
        rng = np.random.default_rng(seed)
        answer = np.sort(rng.choice(problem.target_rows, MOST_ROWS, replace=False))
    return Plan(train, held, answer)


def job_of(
    trials: Trials, problem: Problem, candidate: Candidate, plan: Plan, share: float = 1.0
) -> Job:
    """Return the trial of a candidate, on a share of the source's training rows."""
    rows = plan.train
    if share < 1:
        order = np.random.default_rng(trials.seed).permutation(rows)
        rows = np.sort(order[: int(np.ceil(share * len(rows)))])
    return trials.job(
        candidate, answer=plan.answer, source=rows, held=plan.held, reverse=not candidate.dear,
        names=problem.names, picture=share == 1,
    )  # fmt: skip


def run(
    trials: Trials, problem: Problem, candidates: Sequence[Candidate], plan: Plan
) -> dict[str, str]:
    """Run one trial each: the baseline, then what is cheap, then what is dear; return what stopped.

    Where there is a limit and there are several dear candidates, these are tried on a ninth and on
    a third of the source rows and steps first, and the better third goes on.
    """
    stopped: dict[str, str] = {}
    jobs = {c.name: job_of(trials, problem, c, plan) for c in candidates}
    trials.run((jobs[c.name] for c in candidates if c.baseline), limited=False)
    dear = [c for c in candidates if c.dear and not c.baseline]
    halve = trials.limits.any and len(dear) >= DEAR_ENOUGH and problem.source_rows >= LEAST_ROWS
    trials.run(jobs[c.name] for c in candidates if not c.dear)
    for rung in RUNGS if halve else ():
        small = {c.name: job_of(trials, problem, thinned(c, rung), plan, rung) for c in dear}
        trials.run(small.values())
        known = evidence(trials, problem, dear, small, plan)
        if not known:
            break
        kept = score_candidates(known).names[: int(np.ceil(KEPT * len(known)))]
        for c in dear:
            if c.name not in kept:
                stopped[c.name] = f"not among the better third on {rung:.0%} of the source rows"
        dear = [c for c in dear if c.name in kept]
    trials.run(jobs[c.name] for c in dear)
    for c in candidates:
        if jobs[c.name].spec.key not in trials.results:
            stopped.setdefault(c.name, "the budget was spent before its trial")
    return stopped


def results(
    trials: Trials, problem: Problem, candidates: Sequence[Candidate], plan: Plan
) -> dict[str, list[Result]]:
    """Return the result of each candidate, in a list of none or one."""
    found = {}
    for c in candidates:
        result = trials.results.get(job_of(trials, problem, c, plan).spec.key)
        found[c.name] = [] if result is None else [result]
    return found


def evidence(
    trials: Trials,
    problem: Problem,
    candidates: Sequence[Candidate],
    jobs: Mapping[str, Job],
    plan: Plan,
) -> dict[str, Evidence]:
    """Return what is known of each candidate that gave answers."""
    features = _features(problem, plan)
    labels = problem.source_y[plan.held]
    found = {}
    for c in candidates:
        result = trials.results.get(jobs[c.name].spec.key)
        if result is None or not result.done:
            continue
        arrays, classes = result.arrays, problem.classes
        sides: dict[str, Any]
        if classes is None:
            sides = {"source_proba": arrays["held_answers"], "target_proba": arrays["answers"]}
        elif "proba" in arrays:
            sides = {
                "source_proba": aligned(arrays["held_proba"], arrays["classes"], classes),
                "target_proba": aligned(arrays["proba"], arrays["classes"], classes),
                "classes": classes,
            }
        else:
            sides = {
                "source_proba": _one_hot(arrays["held_answers"], classes),
                "target_proba": _one_hot(arrays["answers"], classes),
                "classes": classes,
            }
        found[c.name] = Evidence(
            source_labels=labels, reverse_labels=arrays.get("reverse"), **features, **sides
        )
    return found


def judge(trials: Trials, problem: Problem, candidates: Sequence[Candidate], plan: Plan) -> Guess:
    """Rank the candidates, estimate the gain of the first, and choose rows to label."""
    jobs = {c.name: job_of(trials, problem, c, plan) for c in candidates}
    known = evidence(trials, problem, candidates, jobs, plan)
    sources = [c.name for c in candidates if c.row.name == SOURCE_ONLY]
    if not any(name in known for name in sources):
        result = trials.results.get(jobs[sources[0]].spec.key)
        error = "it did not finish" if result is None else result.record.error
        raise AcclimateError(
            f"{sources[0]} could not be fitted, so there is nothing to compare with: {error}. "
            f"Choose another estimator or preprocess"
        )
    ranking = score_candidates(known)
    best = ranking.best
    reference = next(name for name in ranking.names if name in sources)  # the best of its kind
    estimated = _estimated(problem, known, ranking, reference)
    near = [name for name in ranking.names if name not in (best, reference)]
    compared = [best, reference] if best != reference else [reference, *near[:1]]
    to_label = _to_label(trials, problem, candidates, compared, estimated)
    return Guess(best, reference, ranking, estimated, to_label)


def _estimated(
    problem: Problem, known: Mapping[str, Evidence], ranking: Ranking, reference: str
) -> dict[str, Any]:
    """Return the estimate of the gain, and how far such estimates are known to be off."""
    accuracy: dict[str, float | None] = dict.fromkeys(known)
    if problem.task == "classification":
        for name, one in known.items():
            accuracy[name] = float(np.mean(list(estimate_accuracy(one).values())))
    chosen, base = accuracy.get(ranking.best), accuracy.get(reference)
    gain = low = high = None
    word = "not settled"
    error = ESTIMATE_ERROR if problem.task == "classification" else None
    if chosen is not None and base is not None:
        gain = 0.0 if ranking.best == reference else chosen - base
        low, high = gain - ESTIMATE_95, gain + ESTIMATE_95
        if ranking.best == reference:
            low = high = 0.0
        word = (
            "helps" if low > 0 else "hurts" if high < 0
            else "makes no difference" if -problem.margin < low and high < problem.margin
            else "not settled"
        )  # fmt: skip
    leading = ", ".join(sorted(ranking.used, key=lambda name: -ranking.used[name])[:3])
    if gain is None:
        sentence = (
            f"Estimate without target labels: {ranking.best} ranks first of {len(known)}; how far "
            f"above {reference} cannot be told."
        )
    else:
        sentence = (
            f"Estimate without target labels: {ranking.best} would be {100 * gain:+.1f} points "
            f"against {reference}; such estimates are off by {100 * ESTIMATE_ERROR:.0f} points on "
            f"average."
        )
    return {
        "word": word, "validator": f"weighted ranks ({leading})", "accuracy": accuracy,
        "gain": gain, "error": error, "low": low, "high": high, "sentence": sentence,
        "validators": ranking.values,
        "note": "No estimate without labels sees that labels mean something else in the target.",
    }  # fmt: skip


def _to_label(
    trials: Trials,
    problem: Problem,
    candidates: Sequence[Candidate],
    compared: list[str],
    estimated: Mapping[str, Any],
) -> dict[str, Any]:
    """Return which rows to label to learn whether the first candidate beats the reference.

    The candidates are fitted on all source rows for it, as they would be once there are labels. So
    the next run finds these trials in the store.
    """
    jobs = [
        trials.job(c, names=problem.names)
        for name in compared
        for c in candidates
        if c.name == name
    ]
    trials.run(jobs, limited=False)
    answers = [
        result.arrays["answers"] for job in jobs if (result := trials.results[job.spec.key]).done
    ]
    scores = disagreement(np.array(answers)) if answers else np.zeros(problem.target_rows)
    share = float((scores > 0).mean())
    gain = max(abs(estimated["gain"] or 0.0), _WORTH)
    count = rows_to_label(share, gain, problem.margin, problem.confidence)
    count = min(count, len(scores))
    strata = answers[0] if answers and problem.task == "classification" else None
    draw = draw_rows(scores, count, strata=strata, random_state=trials.seed)
    return {
        "rows": count,
        "positions": [int(row) for row in draw.positions],
        **dict.fromkeys(("ids", "id_name", "file_rows", "file_rows_counted")),
        "weights": [float(weight) for weight in draw.weights],
        "why": (
            f"{', '.join(compared)} disagree on {100 * share:.0f} % of the target rows, and only "
            f"those tell them apart. So these rows are no plain sample: pass their weights as "
            f"label_weights with the labels."
        ),
        "candidates": compared,
    }


def _features(problem: Problem, plan: Plan) -> dict[str, Any]:
    """Return scaled inputs of the held-out and of the target rows, where they are few numbers."""
    X, Xt = problem.source_X, problem.target_X
    plain = isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "biuf"
    if not plain or X.shape[1] > MOST_FEATURES:
        return {}
    rows = take(X, plan.held).astype(np.float64)
    target = np.asarray(Xt if plan.answer is None else take(Xt, plan.answer), dtype=np.float64)
    if not (np.isfinite(rows).all() and np.isfinite(target).all()):
        return {}
    scale = rows.std(axis=0)
    scale[scale == 0] = 1.0
    centre = rows.mean(axis=0)
    return {
        "source_features": (rows - centre) / scale,
        "target_features": (target - centre) / scale,
    }


def _one_hot(answers: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.float64]:
    """Return certainty for what a model without probabilities predicts, shape (m, k)."""
    proba: NDArray[np.float64] = (answers[:, None] == classes).astype(np.float64)
    return proba
