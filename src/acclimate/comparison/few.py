"""Too few target labels to train, to choose and to judge: what is compared all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from acclimate.comparison.candidates import Candidate, Excluded
from acclimate.comparison.design import Design
from acclimate.comparison.measured import scored_lines
from acclimate.comparison.problem import Problem
from acclimate.comparison.weighed import always
from acclimate.exceptions import InputError
from acclimate.report.compared import Compared
from acclimate.report.wording import listing

_NAMED = 4  # classes that are counted one by one


def judgeable(problem: Problem) -> tuple[Problem, str]:
    """Return the problem without target labels that can judge nothing, and why; else as it is.

    One row has no spread, and R2 has no unit where all values are the same.
    """
    if not problem.labelled:
        return problem, ""
    labels = problem.known_labels
    if len(labels) < 2:
        return _bare(problem), "1 target label is too few to judge by"
    if problem.task == "regression" and np.ptp(labels) == 0:
        return _bare(problem), f"the {len(labels)} target labels are all {labels[0]:g}"
    return problem, ""


def _bare(problem: Problem) -> Problem:
    target = replace(problem.bare_target, class_shares=problem.class_shares)
    return replace(
        problem, target=target, label_weights=None, metric=None, tuned=False, class_shares=None
    )


def judged_by(problem: Problem, design: Design) -> tuple[Problem, str]:
    """Return the problem with the usual metric where the one asked for is not defined, and why.

    No threshold is tuned on so few.

    Parameters
    ----------
    problem : Problem
    design : Design
        Of few labels: AUC, for one, is not defined on folds of one row.
    """
    why = "; no threshold is tuned on them" if problem.tuned else ""
    problem = replace(problem, tuned=False)
    if problem.metric is None:
        return problem, why
    same = always(design, problem.classes)
    try:
        problem.measure.contributions(scored_lines(problem, design, (same.outer, same.proba)))
    except InputError:
        why = f"; {problem.measure.title} is not defined on them{why}"
        return replace(problem, metric=None), why
    return problem, why


def fitted_everywhere(
    candidates: Sequence[Candidate], design: Design | None
) -> tuple[list[Candidate], list[Excluded]]:
    """Return the candidates that can be fitted with every fold left out, and the methods that not.

    What learns from target rows alone needs two classes among those that stay. Judging it on the
    other folds alone would leave out the very class that is hard to learn. What learns from source
    rows, too, knows all classes from there.

    Parameters
    ----------
    candidates : sequence of Candidate
    design : Design or None
        None where the labels judge nothing, so that nothing learns from them.
    """
    if design is not None:
        cells = ((r, (i,)) for r in range(design.repeats) for i in range(design.folds))
        if all(design.can_learn(*cell) for cell in cells):
            return list(candidates), []
    kept = [one for one in candidates if not one.uses_labels]
    if design is not None:
        kept = [one for one in candidates if not one.uses_labels or one.pooled]
    names = {one.row.name for one in kept}
    lost = dict.fromkeys(one.row.name for one in candidates if one.uses_labels)
    why = "it learns from target labels alone, of which too few stay where some are held out"
    return kept, [Excluded(name, why) for name in lost if name not in names]


def few_words(problem: Problem) -> str:
    """Say how few the target's labels are.

    Parameters
    ----------
    problem : Problem
        With labels.
    """
    labels = problem.known_labels
    words = f"{len(labels)} target labels"
    if problem.task == "classification":
        seen = np.unique(labels).tolist()
        known = seen if problem.own_classes else np.unique([*seen, *_source(problem)]).tolist()
        counts = {x: int((labels == x).sum()) for x in known}
        if len(known) > _NAMED:
            words += f" in {len(seen)} of {len(known)} classes"
        else:
            each = [f"{n or 'none'} of {problem.name_of(x)!r}" for x, n in counts.items()]
            words += f" ({listing(each)})"
    return f"{words} are too few to train, to choose and to judge"


def _source(problem: Problem) -> list[object]:
    labels: list[object] = np.unique(problem.source.y).tolist()
    return labels


def unsettled(found: Compared, why: str) -> Compared:
    """Return what was found, with "not settled" and the reason in its first line.

    Parameters
    ----------
    found : Compared
    why : str
        How few the labels are.
    """
    before = found.recommendation.headline()
    advice = replace(found.recommendation, action="not settled", too_few=why)
    sentence = f"{advice.headline()}{found.sentence.removeprefix(before)}"
    return replace(found, recommendation=advice, sentence=sentence)
