"""What no target label trains, beside what labels train: models of the source, moved or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.bases import SOURCE_COMMITTEE, source_committee
from acclimate.comparison.candidates import SOURCE_ONLY, Candidate
from acclimate.comparison.problem import Problem
from acclimate.maths.class_shares import shares_of
from acclimate.report.wording import listing

SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the first of two classes
FACTORS = (1 / 3, 3.0)  # of one share of more classes, the others scaled
MOST_CLASSES = 10  # beyond, few labels cannot tell so many moves apart
# Mass before any label of source models as they are, of their committee moved to other class
# shares, and of what labels train: chosen on development shifts and hospitals, see
# ``benchmarks/choose.py``.
MASSES = {"source": 0.125, "moved": 0.125, "trained": 0.75}
_MOVED = f"{SOURCE_COMMITTEE}, "


def joining(problem: Problem, preprocess: Any) -> dict[str, Any]:
    """Return the committee of source models and copies of it moved to class shares, unfitted.

    A target with few labels says little of its class shares, and each copy bets on some: held-out
    labels weigh them as they weigh other candidates, and none is fitted again for it. Shares that
    the target comes with take the place of the bets.

    Parameters
    ----------
    problem : Problem
        Of classes, with labels.
    preprocess : transformer or None
        Of the comparison.

    Returns
    -------
    dict from str to Committee
        Empty where the classes are not those of the source, or too many.
    """
    known = np.unique(problem.source.y)
    if problem.own_classes or len(known) > MOST_CLASSES:
        return {}
    one = source_committee(problem.task, problem.source.X, preprocess)
    found = {SOURCE_COMMITTEE: one}
    for words, shares in _moves(problem, known):
        found[f"{_MOVED}{words}"] = type(one)(one.members, class_shares=shares)
    return found


def prior_masses(candidates: Sequence[Candidate]) -> dict[str, float] | None:
    """Return what each candidate weighs before any label; None where all weigh the same.

    Parameters
    ----------
    candidates : sequence of Candidate
    """
    if not any(c.name.startswith(_MOVED) for c in candidates):
        return None
    kind = {
        c.name: "moved" if c.name.startswith(_MOVED)
        else "source" if c.name == SOURCE_COMMITTEE or c.row.name == SOURCE_ONLY
        else "trained"
        for c in candidates
    }  # fmt: skip
    counts = {one: list(kind.values()).count(one) for one in MASSES}
    return {name: MASSES[one] / counts[one] for name, one in kind.items()}


def _moves(problem: Problem, known: NDArray[Any]) -> list[tuple[str, Mapping[Any, Any]]]:
    """Return shares with words for them."""
    labels = known.tolist()
    called = [repr(problem.name_of(label)) for label in labels]
    given = problem.class_shares
    if given is not None:
        return [(f"{listing([f'{key!r}' for key in given])} as given", given)]
    if len(labels) == 2:
        return [(f"{called[0]} at {100 * share:.0f} %", {labels[0]: share}) for share in SHARES]
    shares = shares_of(problem.source.y)
    found: list[tuple[str, Mapping[Any, Any]]] = []
    for place, name in enumerate(called):
        for factor, words in zip(FACTORS, ("rarer", "more frequent"), strict=True):
            moved = shares.copy()
            moved[place] *= factor
            moved /= moved.sum()
            found.append((f"{name} {words}", dict(zip(labels, moved.tolist(), strict=True))))
    return found
