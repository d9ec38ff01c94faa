"""Answers by a threshold on the positive class, chosen on what models of other folds said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.answers import Answers, row_scores
from acclimate.comparison.design import Design, LeftOut
from acclimate.comparison.measured import Table, held
from acclimate.comparison.problem import Problem
from acclimate.comparison.weighed import Cell
from acclimate.exceptions import InputError
from acclimate.judging.paired import lines
from acclimate.judging.threshold import MOST, PLAIN, best_threshold
from acclimate.maths.at_threshold import codes_at, told_at
from acclimate.report.compared import CandidateRow
from acclimate.report.compared_parts import Threshold

Floats = NDArray[np.float64]
TUNED = "tuned"
CHOSEN_ALIKE = (
    " So is the threshold that answers are by: of each candidate, of the references and of the "
    "committee."
)
_DEAR = 25  # thresholds that are tried where a score is a call of another library's


def tuned(problem: Problem, threshold: str | None) -> Problem:
    """Return the problem with a threshold to tune, where that is asked for.

    Raises
    ------
    InputError
        It is another word, or there is no such threshold in this problem.
    """
    if threshold is None:
        return problem
    if threshold != TUNED:
        raise InputError(
            f"threshold must be {TUNED!r} or None, got {threshold!r}; a fitted model takes a "
            f"number: model.with_threshold(0.3, positive=...)"
        )
    asked, metric = f"threshold={TUNED!r}", problem.measure
    if problem.classes is None:
        raise InputError(f"{asked} is for two classes, and this is a regression; leave it out")
    if not problem.labelled:
        raise InputError(f"{asked} needs target labels to be tuned on; give some, or leave it out")
    if len(problem.classes) != 2:
        raise InputError(
            f"{asked} is for two classes, and there are {len(problem.classes)}: "
            f"{problem.classes.tolist()[:10]}. Leave it out, or join classes to two before"
        )
    if metric.proba:
        raise InputError(
            f"{asked} is for metrics of answers, and {metric.title} is of probabilities, which a "
            f"threshold does not change; leave it out, or take metric='f1', 'balanced_accuracy', "
            f"'precision', 'recall' or 'accuracy'"
        )
    return replace(problem, tuned=True)


def threshold_on(
    problem: Problem, design: Design, proba: NDArray[Any], rows: NDArray[np.intp]
) -> float:
    """Return the threshold at which the problem's metric is best on some labelled rows.

    Parameters
    ----------
    problem : Problem
    design : Design
    proba : ndarray of shape (n, 2)
        Of models that saw none of the rows.
    rows : ndarray of shape (n,)
        Which of the labelled rows they are, in any order and number; without any it is 0.5.
    """
    if not len(rows):
        return PLAIN
    metric, truth = problem.measure, design.labels[rows]
    (line,) = lines(
        metric, truth, truth[None], proba[None], problem.classes, problem.positive,
        None if design.weights is None else design.weights[rows],
    )  # fmt: skip
    return best_threshold(metric, line, MOST if metric.alone is None else _DEAR)


def final_threshold(problem: Problem, design: Design, table: Table) -> float | None:
    """Return the threshold on all labels, for the model that is fitted on all; None without one.

    Parameters
    ----------
    problem : Problem
    design : Design
    table : pair of answers (R, m) and probabilities (R, m, 2) or None
        Cross-fitted.
    """
    proba = table[1]
    if not problem.tuned or proba is None:
        return None
    rows = np.tile(np.arange(len(design.labels)), len(proba))
    return threshold_on(problem, design, proba.reshape(-1, 2), rows)


def told_threshold(problem: Problem, row: CandidateRow) -> Threshold | None:
    """Return from where on a candidate's final model says the positive class, None without one."""
    if row.threshold is None:
        return None
    name = problem.name_of(problem.positive)
    said = f"{row.candidate} {told_at(name, row.threshold)}"
    return Threshold(
        name, row.threshold, f"{said}, chosen for {problem.measure.title} on all labels"
    )


def by_threshold(problem: Problem, design: Design, answers: Answers) -> Answers:
    """Return a candidate's tables with its answers by thresholds; as they are without chances.

    The threshold for fold i is chosen on the rows of the other folds, with probabilities of models
    that saw neither fold i nor the row's own. So it is for the scores that pick inside these: the
    threshold for a row of fold j is chosen on the rows outside i and j.

    Parameters
    ----------
    problem : Problem
        Of two classes.
    design : Design
    answers : Answers
    """
    if answers.proba is None or problem.classes is None:
        return answers
    outer = np.array(answers.outer, dtype=problem.classes.dtype)
    inside = np.repeat(outer[:, None], design.folds, axis=1)  # (R, K, m)
    inner = answers.inner.copy()
    for r in range(design.repeats):
        for i in range(design.folds):
            (plain, proba), rows = held(problem, design, answers, r, i)
            inside[r, i, rows] = plain[0]
            if proba is None:
                continue
            mine, fold = design.fold_of[r] == i, design.fold_of[r, rows]
            value = threshold_on(problem, design, proba[0], rows)
            outer[r, mine] = _said(problem, answers.proba[r, mine], value)
            for j in np.unique(fold):
                own = fold == j
                value = threshold_on(problem, design, proba[0, ~own], rows[~own])
                inside[r, i, rows[own]] = _said(problem, proba[0, own], value)
            right = row_scores(inside[r, i, rows], design.labels[rows], True)
            inner[r, i, rows] = right if design.weights is None else right * design.weights[rows]
    return replace(
        answers, outer=outer, inner=inner, parts=_parts(problem, design, answers, inside)
    )


def blend_by_threshold(
    problem: Problem,
    design: Design,
    candidates: Mapping[str, Answers],
    weights: Mapping[Cell, Mapping[str, float]],
    table: Table,
) -> Table:
    """Return a committee's answers by thresholds, chosen as those of a single candidate.

    For fold i they are chosen on what its members said, with their weights in that fold, of the
    rows of the other folds.

    Parameters
    ----------
    problem : Problem
        Of two classes.
    design : Design
    candidates : mapping from str to Answers
    weights : mapping from (repeat, fold) to weights by name
    table : pair of answers (R, m) and probabilities (R, m, 2)
        What the committee says; see `comparison.weighed.blend`.
    """
    outer, proba = table[0].copy(), table[1]
    if proba is None:
        return table
    for (r, i), members in weights.items():
        said = {name: held(problem, design, candidates[name], r, i) for name in members}
        both = np.ones(len(design.labels), dtype=bool)
        total = np.zeros((len(design.labels), 2))
        for name, ((_, inside), rows) in said.items():
            both &= np.isin(np.arange(len(both)), [] if inside is None else rows)
            if inside is not None:
                total[rows] += members[name] * inside[0]
        rows, mine = np.flatnonzero(both), design.fold_of[r] == i
        value = threshold_on(problem, design, total[rows], rows)
        outer[r, mine] = _said(problem, proba[r, mine], value)
    return outer, proba


def _said(problem: Problem, proba: NDArray[Any], value: float) -> NDArray[Any]:
    """Return labels by a threshold on the positive class, shape (n,)."""
    assert problem.classes is not None  # noqa: S101 - checked in `tuned`
    code = problem.classes.tolist().index(problem.positive)
    said: NDArray[Any] = problem.classes[codes_at(proba, code, value)]
    return said


def _parts(
    problem: Problem, design: Design, answers: Answers, inside: NDArray[Any]
) -> dict[LeftOut, dict[str, NDArray[Any]]]:
    """Return the parts of a candidate with other answers of the models without two folds.

    Where one fit serves every fold there are parts now, too: what is answered depends on the fold.
    """
    found: dict[LeftOut, dict[str, NDArray[Any]]] = {}
    for r in range(design.repeats):
        for a, b in combinations(range(design.folds), 2):
            left = np.flatnonzero(design.left_out(r, (a, b)))
            if answers.parts is None:
                assert answers.proba is not None and problem.classes is not None  # noqa: S101, PT018
                part = {"proba": answers.proba[r, left], "classes": problem.classes}
            elif (r, (a, b)) in answers.parts:
                part = dict(answers.parts[r, (a, b)])
            else:
                continue
            of_b = design.fold_of[r, left] == b
            part["answers"] = np.where(of_b, inside[r, a, left], inside[r, b, left])
            found[r, (a, b)] = part
    return found
