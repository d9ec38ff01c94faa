"""What the page shows of the data and the trials: both domains, and how networks trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.candidates import BASELINES
from acclimate.report.compared import CandidateRow
from acclimate.report.compared_parts import DomainFacts, Picture, Trained
from acclimate.report.plain import structured

if TYPE_CHECKING:
    from acclimate.comparison.problem import Problem
    from acclimate.comparison.trials.records import Result

SHOWN = 4  # candidates whose training is part of the result
_WORDS = {
    "inputs": "inputs", "network": "features of the network", "mapped": "mapped features",
}  # fmt: skip


def shown_pictures(
    rows: Sequence[CandidateRow],
    results: Mapping[str, Sequence[Result]],
    name_of: Callable[[Any], str],
) -> tuple[Picture, ...]:
    """Return the pictures of the recommended candidate, ready to be drawn.

    Where a baseline is recommended, which adapts no features, they are those of the best method
    that does, else of the best.

    Parameters
    ----------
    rows : sequence of CandidateRow
        The table of candidates, best first.
    results : mapping from str to sequence of Result
        Trials by candidate.
    name_of : callable
        What a label is called.
    """
    arrays = {
        row.candidate: one.arrays for row in rows if row.status == "done"
        for one in results.get(row.candidate, ()) if "picture_changes" in one.arrays
    }  # fmt: skip

    def order(row: CandidateRow) -> tuple[bool, bool, bool]:
        plain = row.method in BASELINES
        fixed = not bool(arrays[row.candidate]["picture_changes"][0])
        return plain or not row.recommended, plain, fixed

    drawn = [row for row in rows if row.candidate in arrays]
    if not drawn:
        return ()
    best = min(drawn, key=order).candidate
    own = arrays[best]
    stages = [s for s in ("before", "after") if f"picture_{s}_source" in own]
    return tuple(_picture(stage, best, own, name_of) for stage in stages)


def _picture(
    stage: str, name: str, arrays: Mapping[str, NDArray[Any]], name_of: Callable[[Any], str]
) -> Picture:
    share, width = (float(one) for one in arrays[f"picture_{stage}_share"])
    what = _WORDS[str(arrays[f"picture_{stage}_what"][0])]
    unchanged = not bool(arrays["picture_changes"][0])
    title = f"{'Before' if stage == 'before' else f'After {name}'}: {what}"
    if stage == "before" and what != "inputs":
        title = "Before: features of the source network"
    if unchanged:
        title = f"{what[:1].upper()}{what[1:]}, which {name} does not change"
    who = name if stage == "after" or unchanged else "the source model"
    source, target = (
        tuple((float(f"{x:.4g}"), float(f"{y:.4g}")) for x, y in points.tolist())
        for points in (arrays[f"picture_{stage}_source"], arrays[f"picture_{stage}_target"])
    )
    picture = Picture(name, stage, title, int(width), share, who, source, target)
    if "picture_source_classes" not in arrays:
        return picture
    of_source, of_target = (
        tuple(name_of(one) for one in arrays[key].tolist())
        for key in ("picture_source_classes", f"picture_{stage}_target_classes")
    )
    return replace(picture, source_classes=of_source, target_classes=of_target)


def shown_training(
    rows: Sequence[CandidateRow], results: Mapping[str, Sequence[Result]]
) -> tuple[Trained, ...]:
    """Return the training of the recommended candidate and of the best others that had any.

    Parameters
    ----------
    rows : sequence of CandidateRow
        The table of candidates, best first.
    results : mapping from str to sequence of Result
        Trials by candidate. The first of each is shown, and ``fits`` says of how many.
    """
    found: list[Trained] = []
    for row in sorted(rows, key=lambda row: not row.recommended):
        mine = results.get(row.candidate, ())
        trained = next((r.record.training for r in mine if r.record.training), None)
        if trained is not None and row.status == "done" and len(found) < SHOWN:
            known = structured(Trained, trained)
            found.append(replace(known, candidate=row.candidate, fits=len(mine)))
    return tuple(found)


def domain_facts(problem: Problem, side: str) -> DomainFacts:
    """Return what is told of the rows of a side, "source" or "target"."""
    domain = problem.source if side == "source" else problem.target
    X = domain.X
    classify = problem.task == "classification"
    found = DomainFacts(
        name=domain.name, rows=int(X.shape[0]),
        features=int(X.shape[1]) if len(X.shape) == 2 else None,
    )  # fmt: skip
    if side == "source":
        ids, classes = problem.source_ids, None
        if classify:
            classes = tuple(problem.name_of(c) for c in np.unique(problem.source.y).tolist())
        return replace(found, classes=classes, sources=1 if ids is None else len(np.unique(ids)))
    counts = None
    if classify and problem.labelled:
        values, numbers = np.unique(problem.known_labels, return_counts=True)
        titles = [problem.name_of(c) for c in values.tolist()]
        counts = dict(zip(titles, numbers.tolist(), strict=True))
    return replace(
        found, classes=None if counts is None else tuple(counts), labelled=len(problem.known),
        class_counts=counts,
    )  # fmt: skip
