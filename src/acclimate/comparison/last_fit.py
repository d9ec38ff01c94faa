"""The last fit of a comparison: what is recommended, on as many rows as the time allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from acclimate.comparison.candidates import Candidate
from acclimate.comparison.problem import Problem
from acclimate.comparison.thinning import thin
from acclimate.comparison.trials.runner import Limits
from acclimate.report.compared import Compared

if TYPE_CHECKING:
    from acclimate.adapter import Adapter


def last_rows(
    whole: Problem, sample: Problem, found: Compared, members: Mapping[str, float],
    limits: Limits, seed: int,
) -> Problem:  # fmt: skip
    """Return as many rows as the last fit can take in the time that is left."""
    seconds = sum(row.seconds or 0.0 for row in found.table if row.candidate in members)
    share = (whole.source_rows + len(whole.known)) / (sample.source_rows + len(sample.known))
    left = limits.left() + limits.kept_back
    if seconds * share <= left:
        return whole
    rows = sample.source_rows + sample.target_rows
    return thin(whole, max(rows, int(rows * left / seconds)), seed)


def refit(
    problem: Problem, candidates: Sequence[Candidate], weights: Mapping[str, float]
) -> Adapter:
    """Fit a candidate, or the committee of several, on all rows and all labels."""
    from sklearn.base import clone

    labels = any(candidate.uses_labels for candidate in candidates)
    if len(candidates) > 1:
        from acclimate.transfer.committee import Committee

        model: Adapter = Committee(
            [(c.name, clone(c.model)) for c in candidates],
            weights=[weights[c.name] for c in candidates],
            random_state=candidates[0].model.random_state,
        )
    else:
        model = clone(candidates[0].model)
    several = any(candidate.several for candidate in candidates)  # a committee passes them on
    return model.fit(
        problem.source.X, problem.source.y,
        target=problem.target if labels else problem.bare_target,
        domains=problem.source_ids if several else None,
        class_names=problem.source.class_names,
    )  # fmt: skip
