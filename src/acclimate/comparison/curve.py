"""The label-efficiency curve: the chosen candidate and the baselines with fewer labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison import measures as judging
from acclimate.comparison.answers import Answers
from acclimate.comparison.candidates import Candidate
from acclimate.comparison.design import Design
from acclimate.comparison.problem import Problem
from acclimate.comparison.trials.records import Job
from acclimate.comparison.trials.runner import Trials

_CURVE = (0.25, 0.5)  # of the training labels


def label_curve(
    trials: Trials,
    problem: Problem,
    candidates: Sequence[Candidate],
    design: Design,
    chosen: str,
    done: Mapping[str, Answers],
) -> list[dict[str, Any]]:
    """Return the score of the chosen candidate and of the references by number of labels."""
    shown = [c for c in candidates if c.name in done and (c.baseline or c.name == chosen)]
    order = np.random.default_rng(trials.seed).permutation(len(design.labels))
    wanted: dict[float, list[NDArray[np.intp]]] = {}
    for share in _CURVE:
        trains = [order[~design.left_out(0, (i,))[order]] for i in range(design.folds)]
        some = [np.sort(train[: max(int(share * len(train)), 2)]) for train in trains]
        if not design.classify or min(len(np.unique(design.labels[rows])) for rows in some) > 1:
            wanted[share] = some
    jobs: dict[tuple[str, float, int], Job] = {}
    for c in shown:
        if not c.uses_labels:
            continue
        for share, parts in wanted.items():
            for i, rows in enumerate(parts):
                jobs[c.name, share, i] = trials.job(
                    c, train=design.known[rows], labels=design.labels[rows],
                    answer=design.known[design.left_out(0, (i,))], names=problem.names,
                )  # fmt: skip
    trials.run(jobs.values())
    points = []
    for c in shown:
        full = round(len(design.labels) * (1 - 1 / design.folds))
        lines = [(full, done[c.name].outer)]
        for share in wanted:
            outer = _thinned(trials, design, c, share, jobs, done[c.name])
            if outer is not None:
                lines.append((max(int(share * full), 2), outer))
        for labels, outer in sorted(lines, key=lambda line: line[0]):
            score, low, high = judging.score_interval(design, outer, problem.confidence)
            points.append({
                "candidate": c.name, "labels": labels, "score": score, "low": low, "high": high,
                "sources_only": not c.uses_labels,
            })  # fmt: skip
    return points


def _thinned(
    trials: Trials,
    design: Design,
    candidate: Candidate,
    share: float,
    jobs: Mapping[tuple[str, float, int], Job],
    full: Answers,
) -> NDArray[Any] | None:
    """Return one line of cross-fitted answers at a share of the labels; None where one failed."""
    if not candidate.uses_labels:
        return full.outer
    parts = {}
    for i in range(design.folds):
        result = trials.results.get(jobs[candidate.name, share, i].spec.key)
        if result is None or not result.done:
            return None
        parts[i] = result.arrays["answers"]
    kind = np.result_type(*(answers.dtype for answers in parts.values()))
    outer = np.empty((1, len(design.labels)), dtype=kind)
    for i, answers in parts.items():
        outer[0, design.left_out(0, (i,))] = answers
    return outer
