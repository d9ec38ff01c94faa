"""Tables of answers in the scale of the metric that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.answers import Answers, aligned
from acclimate.comparison.design import Design
from acclimate.comparison.measures import score_interval
from acclimate.comparison.problem import Problem
from acclimate.exceptions import InputError
from acclimate.judging.crossfitted import cross_fitted_interval
from acclimate.judging.intervals import most_disagreement
from acclimate.judging.metrics import METRICS, UNEVEN, majority, told_positive
from acclimate.judging.paired import lines
from acclimate.judging.scored import Metric, Scored
from acclimate.report.wording import unit_of

Floats = NDArray[np.float64]
Table = tuple[NDArray[Any], NDArray[Any] | None]  # answers (R, m), probabilities (R, m, k)
_BLOCKS = 20  # that the jackknife leaves out where candidates are picked: spreads may be rough


def scored_lines(
    problem: Problem, design: Design, table: Table, metric: Metric | None = None
) -> list[Scored]:
    """Return cross-fitted answers as lines of a metric; None for the problem's."""
    outer, proba = table
    return lines(
        metric or problem.measure, design.labels, outer, proba, problem.classes, problem.positive,
        design.weights, design.fold_of[: len(outer)],
    )  # fmt: skip


def score_of(problem: Problem, design: Design, table: Table) -> tuple[float, float, float]:
    """Return the score of cross-fitted answers by the problem's metric, with its interval."""
    metric = problem.measure
    if problem.metric is None:
        return score_interval(design, table[0], problem.confidence)
    parts = metric.contributions(scored_lines(problem, design, table))
    weights = design.weights if metric.by_rows else None
    ends = cross_fitted_interval(
        parts, design.folds, problem.confidence, weights=weights, few=not metric.by_rows
    )
    score = float(np.average(parts.mean(axis=0), weights=weights))
    low, high = float(ends[1]), float(ends[2])
    unit = unit_of(metric.title)
    if unit.kind != "plain":
        if np.ptp(parts) == 0:  # all right on these rows is no certainty
            bound = most_disagreement(parts.shape[1], problem.confidence)
            low, high = score - bound, score + bound
        high = min(high, 1.0)
    if unit.lower or (unit.kind != "plain" and metric.task == "classification"):
        low = max(low, 0.0)
    return score, low, high


def rescored(problem: Problem, design: Design, answers: Answers) -> Answers:
    """Return a candidate's tables with inner scores by the problem's metric, for picking.

    In each cell the scores are what the rows outside the fold contribute, so that their mean is the
    metric on these rows, and their spread the metric's.

    Parameters
    ----------
    problem : Problem
    design : Design
    answers : Answers

    Returns
    -------
    Answers
        Where the rows of a cell do not define the metric, its scores stay as they were.
    """
    metric = problem.measure
    inner = answers.inner.copy()
    for r in range(design.repeats):
        for i in range(design.folds):
            table, rows = held(problem, design, answers, r, i)
            if not len(rows):
                continue
            (line,) = lines(
                metric, design.labels[rows], *table, problem.classes, problem.positive,
                None if design.weights is None else design.weights[rows],
                design.fold_of[r, rows][None],
            )  # fmt: skip
            try:
                parts = metric.contributions([replace(line, blocks=_BLOCKS)])[0]
            except InputError:
                continue
            if metric.by_rows and design.weights is not None:
                parts = parts * design.weights[rows]
            inner[r, i, rows] = metric.sign * parts
    return replace(answers, inner=inner)


def held(
    problem: Problem, design: Design, answers: Answers, r: int, i: int
) -> tuple[Table, NDArray[np.intp]]:
    """Return what models without fold i and a row's own said, shape (1, n), and for which rows."""
    others = np.flatnonzero(design.fold_of[r] != i)
    if answers.parts is None:  # no label trained it
        proba = None if answers.proba is None else answers.proba[r, others][None]
        return (answers.outer[r, others][None], proba), others
    said, given, where = [], [], []
    for j in range(design.folds):
        part = answers.parts.get((r, (min(i, j), max(i, j))))
        if j == i or part is None:
            continue
        rows = np.flatnonzero(design.left_out(r, (min(i, j), max(i, j))))
        own = design.fold_of[r, rows] == j
        where.append(rows[own])
        said.append(part["answers"][own])
        if "proba" in part and problem.classes is not None:
            given.append(aligned(part["proba"], part["classes"], problem.classes)[own])
    if not where:
        return (answers.outer[r, :0][None], None), np.zeros(0, dtype=np.intp)
    rows = np.concatenate(where)
    order = np.argsort(rows)
    proba = np.concatenate(given)[order][None] if len(given) == len(where) else None
    return (np.concatenate(said)[order][None], proba), rows[order]


def without_order(problem: Problem, table: Table) -> Table:
    """Return what always gives the same answer with one probability for all rows.

    The shares of the other folds differ from fold to fold, against the labels of the fold, and
    scores of ranks would take that for an order.
    """
    outer, proba = table
    if proba is None or not problem.measure.ranks:
        return table
    return outer, np.broadcast_to(proba.mean(axis=(0, 1)), proba.shape)


def beside(problem: Problem, design: Design, table: Table) -> dict[str, Any]:
    """Return balanced accuracy and AUC where classes are uneven, else nothing."""
    if uneven(problem, design) is None:
        return {}
    found: dict[str, Any] = {}
    for key in ("balanced_accuracy", "auc"):
        metric = METRICS[key]
        if metric.proba and table[1] is None:
            continue
        try:
            parts = metric.contributions(scored_lines(problem, design, table, metric))
        except InputError:  # a class without rows
            continue
        found[key] = float(parts.mean())
    return found


def uneven(problem: Problem, design: Design) -> tuple[Any, float] | None:
    """Return the most frequent class and its share, where that is most of the labelled rows."""
    if problem.classes is None:
        return None
    label, share = majority(design.labels, design.weights)
    return (label, share) if share > UNEVEN else None


def told(problem: Problem, design: Design) -> dict[str, Any]:
    """Return in words which class the score is of, and that classes are uneven."""
    if problem.classes is None:
        return {}
    classes = problem.classes.tolist()
    code = None if problem.positive is None else classes.index(problem.positive)
    names = [problem.name_of(label) for label in classes]
    found = uneven(problem, design)
    words = None
    if found is not None:
        words = (
            f"{100 * found[1]:.0f} % of the labelled target rows are "
            f"{problem.name_of(found[0])!r}: look at balanced accuracy and AUC, too"
        )
    note = told_positive(problem.measure, code, names, problem.positive_asked)
    if words is not None and note is None:
        note = told_positive(METRICS["auc"], code, names, problem.positive_asked)
    return {"score_note": note, "uneven": words}


def with_probabilities(done: Mapping[str, Answers], metric: Metric) -> dict[str, Answers]:
    """Return the tables that the metric can judge.

    Raises
    ------
    InputError
        There is none.
    """
    found = {name: one for name, one in done.items() if one.proba is not None or not metric.proba}
    if done and not found:
        raise InputError(
            f"{metric.title} needs probabilities, and none of {', '.join(done)} gives any; take a "
            f"base model with predict_proba, or another metric"
        )
    return found
