"""Surgical fine-tuning: move the layers that gain most on labelled rows held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from acclimate.training.layers import Group, is_trainable, layer_groups
from acclimate.transfer.tuning import Tuning, shares
from acclimate.validation import take

HELD_OUT = 0.25  # share of the labelled rows that scores the candidates
FEWEST = 40  # labelled rows below which the held-out part is too small to choose by


def surgical(tuning: Tuning) -> list[str]:
    """Tune the layer group that gains most (arXiv:2210.11466).

    Each candidate is tuned on three quarters of the labelled rows and scored by its loss on the
    rest: all layers, the head alone, and every other group alone. The best is tuned again, from
    the source weights, on all labelled rows. A new head moves along in every candidate. With
    fewer than 40 labelled rows all layers are tuned, without a search: on simulated shifts, a
    choice by five held-out rows cost up to 25 points.

    Deviations: the search takes half of all steps, shared out among the candidates, so that the
    whole costs as many steps as training from scratch. The score is the loss, not the accuracy,
    which is too coarse for few rows.
    """
    groups = layer_groups(tuning.network)
    options = candidates(groups, tuning.copied)
    chosen, steps = options[0], tuning.steps
    if len(options) > 1 and len(tuning.y) >= FEWEST and tuning.steps > len(options):
        each = shares(tuning.steps // 2, len(options))
        scores = _search(tuning, groups, options, each)
        chosen = options[int(np.argmax(scores))]
        steps -= tuning.taken
    moving = [groups[number] for number in chosen]
    tuning.train_groups(moving, max(steps, 1))
    return tuning.names(moving)


def candidates(groups: Sequence[Group], copied: bool) -> list[tuple[int, ...]]:
    """Return the sets of groups to try, by number: all, the head, and each other one.

    >>> from torch import nn
    >>> groups = [[nn.Linear(2, 2)] for _ in range(3)]
    >>> candidates(groups, copied=True)
    [(0, 1, 2), (2,), (0,), (1,)]
    >>> candidates(groups, copied=False)
    [(0, 1, 2), (2,), (0, 2), (1, 2)]
    """
    head = len(groups) - 1
    along = () if copied else (head,)
    body = [number for number in range(head) if is_trainable(groups[number])]
    if not body:
        return [(head,)]
    return [tuple(range(head + 1)), (head,), *((number, *along) for number in body)]


def _search(
    tuning: Tuning, groups: Sequence[Group], options: Sequence[tuple[int, ...]], each: Sequence[int]
) -> list[float]:
    """Return the score of each candidate on held-out rows; higher is better."""
    rows, held = _hold_out(tuning.y, classes=not tuning.model._estimator_is_regressor(),
                           seed=tuning.model.seed_)  # fmt: skip
    scores = []
    for option, steps in zip(options, each, strict=True):
        model = tuning.model.copy_fitted().set_params(checkpoint=None, early_stopping=False)
        part, rest = (
            None if tuning.weight is None else tuning.weight[some] for some in (rows, held)
        )
        trial = replace(
            tuning, model=model, X=take(tuning.X, rows), y=tuning.y[rows], taken=0, weight=part
        )
        mine = layer_groups(trial.network)
        trial.train_groups([mine[number] for number in option], max(steps, 1))
        weigh = () if rest is None else (rest,)
        score = model._validator(
            model.tensor(take(tuning.X, held)), model._codes(tuning.y[held]), *weigh
        )
        scores.append(score(trial.network))
        tuning.taken += trial.taken
    return scores


def _hold_out(
    y: NDArray[np.generic], classes: bool, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows to train on and those to score, with every class in both where it can be."""
    strata = None
    if classes:
        counts = np.unique(y, return_counts=True)[1]
        if counts.min() >= 2 and len(y) * HELD_OUT >= len(counts):
            strata = y
    rows, held = train_test_split(
        np.arange(len(y)), test_size=HELD_OUT, random_state=seed, stratify=strata
    )
    return rows, held
