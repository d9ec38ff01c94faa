"""Successive halving: dear candidates are tried on few rows and steps before all of them."""

from __future__ import annotations

from dataclasses import replace

from acclimate.comparison.candidates import Candidate, describe

RUNGS = (1 / 9, 1 / 3)  # of the source rows and steps, before all of them
KEPT = 1 / 3  # of the dear candidates, at each rung
DEAR_ENOUGH = 3  # dear candidates that make it worth it
LEAST_ROWS = 450  # source rows that can be thinned to a ninth
_LEAST_STEPS = 20


def thinned(candidate: Candidate, share: float) -> Candidate:
    """Return a candidate whose network takes a share of its steps, for a try on few rows.

    Parameters
    ----------
    candidate : Candidate
    share : float in (0, 1]
        Steps go with it, but stay above 20.
    """
    from sklearn.base import clone

    model = clone(candidate.model)
    steps = {
        name: max(_LEAST_STEPS, round((1000 if value == "auto" else value) * share))
        for name, value in model.get_params().items()
        if name.rpartition("__")[2] == "min_steps" and (value == "auto" or isinstance(value, int))
    }
    model.set_params(**steps)
    config = {**candidate.config, "model": describe(model)}
    return replace(candidate, model=model, config=config)
