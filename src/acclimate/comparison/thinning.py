"""A sample of large tables, so that a choice fits into its time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate import validation as door
from acclimate.comparison.problem import Problem
from acclimate.domain import Domain

_FIXED = 0.06  # seconds of a fit, however few rows
_ROW = 2.5e-6  # seconds of a fit for each number in the table
_WORK = 0.6  # share of the time that workers spend in fits
LEAST_ROWS = 2000
MOST_ROWS = 20_000  # more tell candidates hardly better apart, and leave less time for them


def rows_within(budget: float | None, workers: int, columns: int, fits: int) -> int | None:
    """Return how many rows of both domains a race of so many seconds can take; None for all.

    The figures are those of one core of a small machine; what is wrong with them costs candidates
    or leaves time over, but never breaks the budget.

    Examples
    --------
    >>> rows_within(60, 2, 12, 390), rows_within(600, 2, 12, 390), rows_within(None, 2, 12, 390)
    (4100, 59500, None)
    """
    if budget is None:
        return None
    each = budget * _WORK * workers / max(fits, 1) - _FIXED
    return max(LEAST_ROWS, int(each / (_ROW * max(columns, 1)) // 100 * 100))


def thin(problem: Problem, rows: int | None, seed: int, most: int | None = None) -> Problem:
    """Return the problem on a sample: labelled target rows first, at most half; then the source.

    Parameters
    ----------
    problem : Problem
    rows : int or None
        Of both domains; None for all.
    seed : int
        Draws them.
    most : int, default=None
        Where rows are left out, no more than this many stay.
    """
    n, m, known = problem.source_rows, problem.target_rows, problem.known
    if rows is None or n + len(known) + (m - len(known)) // 4 <= rows:  # bare rows cost little
        return problem
    rows = min(rows, most or rows)
    rng = np.random.default_rng([seed, 1])
    labelled = _some(known, max(rows // 2, rows - n), rng)
    bare = np.setdiff1d(np.arange(m), known)
    there = np.union1d(labelled, _some(bare, rows, rng))
    here = _some(np.arange(n), max(rows - len(labelled), rows // 2), rng)
    weights = problem.label_weights
    return replace(
        problem,
        source=_take(problem.source, here), target=_take(problem.target, there),
        source_ids=None if problem.source_ids is None else problem.source_ids[here],
        groups=None if problem.groups is None else problem.groups[there],
        label_weights=None if weights is None else weights[np.isin(known, labelled)],
        place=there,
    )  # fmt: skip


def _some(places: NDArray[np.intp], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    if len(places) <= most:
        return places
    return np.sort(rng.choice(places, most, replace=False))


def _take(domain: Domain, places: NDArray[np.intp]) -> Domain:
    def of(values: Any) -> Any:
        return None if values is None else values[places]

    return replace(
        domain, X=door.take(domain.X, places), y=of(domain.y), labelled=of(domain.labelled)
    )
