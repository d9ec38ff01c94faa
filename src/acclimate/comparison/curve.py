"""The label-efficiency curve: the chosen candidate and the baselines with fewer labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.answers import Answers, aligned, row_scores
from acclimate.comparison.bench import Bench
from acclimate.comparison.candidates import Candidate
from acclimate.comparison.design import Design
from acclimate.comparison.measured import Table, score_of
from acclimate.comparison.trials.records import Job
from acclimate.report.compared_parts import CurvePoint

_CURVE = (0.25, 0.5)  # of the training labels


def label_curve(
    bench: Bench, design: Design, chosen: str, done: Mapping[str, Answers]
) -> tuple[CurvePoint, ...]:
    """Return the score of the chosen candidate and of the best of each baseline by labels.

    There is none where thresholds are tuned: that takes models without two folds, and those with
    fewer labels leave out one.

    Parameters
    ----------
    bench : Bench
        Runs what the curve needs beside the design.
    design : Design
    chosen : str
    done : mapping from str to Answers
        With all labels.
    """
    if bench.problem.tuned:
        return ()
    best = _best_of_each(bench, design, done)
    shown = [c for c in bench.candidates if c.name in (chosen, *best)]
    rows = _fewer(design, bench.trials.seed)
    jobs = {
        (c.name, share): [_job(bench, design, c, i, some) for i, some in enumerate(parts)]
        for c in shown
        for share, parts in rows.items()
        if c.uses_labels
    }
    bench.trials.run(job for fitted in jobs.values() for job in fitted)
    full = design.training_labels
    points = []
    for c in shown:
        lines = [(full, (done[c.name].outer, done[c.name].proba))]
        for share in rows:
            table = lines[0][1]
            if c.uses_labels:
                found = [bench.arrays(job) for job in jobs[c.name, share]]
                given = [arrays for arrays in found if arrays is not None]
                if len(given) < len(found):
                    continue
                table = _cross_fitted(design, given, bench.problem.classes)
            lines.append((max(int(share * full), 2), table))
        for labels, table in sorted(lines, key=lambda line: line[0]):
            if table[1] is None and bench.problem.measure.proba:
                continue
            score, low, high = score_of(bench.problem, design, table)
            points.append(CurvePoint(c.name, labels, score, low, high, not c.uses_labels))
    return tuple(points)


def _best_of_each(bench: Bench, design: Design, done: Mapping[str, Answers]) -> list[str]:
    """Return the variant of each baseline with the best score."""
    found: dict[str, tuple[float, str]] = {}
    for c in bench.candidates:
        if c.baseline and c.name in done and done[c.name].whole:
            scores = row_scores(done[c.name].outer, design.labels, design.classify)
            mine = float(design.weigh(scores).mean()), c.name
            if c.row.name not in found or mine[0] > found[c.row.name][0]:
                found[c.row.name] = mine
    return [name for _, name in found.values()]


def _fewer(design: Design, seed: int) -> dict[float, list[NDArray[np.intp]]]:
    """Return by share the labelled rows that train for each fold, where they have two classes."""
    order = np.random.default_rng(seed).permutation(len(design.labels))
    trains = [order[~design.left_out(0, (i,))[order]] for i in range(design.folds)]
    wanted = {}
    for share in _CURVE:
        some = [np.sort(train[: max(int(share * len(train)), 2)]) for train in trains]
        if not design.classify or min(len(np.unique(design.labels[rows])) for rows in some) > 1:
            wanted[share] = some
    return wanted


def _job(
    bench: Bench, design: Design, candidate: Candidate, fold: int, rows: NDArray[np.intp]
) -> Job:
    return bench.trials.job(
        candidate, train=design.known[rows], labels=design.labels[rows],
        answer=design.known[design.left_out(0, (fold,))],
    )  # fmt: skip


def _cross_fitted(
    design: Design, given: Sequence[Mapping[str, NDArray[Any]]], classes: NDArray[Any] | None
) -> Table:
    """Return one line of answers, shape (1, m), and its probabilities, from those for each fold."""
    kind = np.result_type(*(one["answers"].dtype for one in given))
    outer = np.empty((1, len(design.labels)), dtype=kind)
    proba = None
    if classes is not None and all("proba" in one for one in given):
        proba = np.zeros((*outer.shape, len(classes)))
    for i, one in enumerate(given):
        rows = design.left_out(0, (i,))
        outer[0, rows] = one["answers"]
        if proba is not None:
            proba[0, rows] = aligned(one["proba"], one["classes"], classes)
    return outer, proba
