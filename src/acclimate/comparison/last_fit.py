"""The last fit of a comparison: what is recommended, on as many rows as the time allows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from acclimate.comparison.candidates import Candidate
from acclimate.comparison.problem import Problem
from acclimate.comparison.thinning import thin
from acclimate.comparison.trials.runner import Limits

if TYPE_CHECKING:
    from acclimate.adapter import Adapter

DOUBT = 3.0  # a trial finds its source model fitted, which the last fit does not
SAFE = 0.8  # share of the time left that the last fit may be planned to take


def last_rows(
    whole: Problem, sample: Problem, used: Sequence[Candidate], weights: Mapping[str, float],
    seconds: float, limits: Limits, seed: int,
) -> tuple[Problem, Adapter | None]:  # fmt: skip
    """Return as many rows as the last fit can take in the time that is left.

    Where what trials took leaves a doubt, the fit on the sample is timed here. Its model is the
    answer where there is no time for clearly more rows.

    Parameters
    ----------
    whole, sample : Problem
        All rows, and those of the trials.
    used : sequence of Candidate
        That are fitted.
    weights : mapping from str to float
        Of each.
    seconds : float
        That a trial of each took, in sum.
    limits : Limits
        What is left.
    seed : int
        Draws the rows.

    Returns
    -------
    problem : Problem
        To fit on.
    model : Adapter or None
        Already fitted on it; None where it is not.
    """
    share = (whole.source_rows + len(whole.known)) / (sample.source_rows + len(sample.known))
    if DOUBT * seconds * share <= limits.left() + limits.kept_back:
        return whole, None
    started = time.monotonic()
    model = refit(sample, used, weights)
    seconds = time.monotonic() - started
    more = (limits.left() + limits.kept_back) * SAFE / max(seconds, 1e-3)
    if more >= share:
        return whole, None
    if more < 2:
        return sample, model
    return thin(whole, int((sample.source_rows + sample.target_rows) * more), seed), None


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
