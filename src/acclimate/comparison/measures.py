"""Figures about the chosen candidate: harm by class and group, calibration, Pareto set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.design import Design
from acclimate.judging.crossfitted import cross_fitted_interval
from acclimate.judging.intervals import r2_contributions
from acclimate.report.compared_parts import Bin, Calibrated, Part
from acclimate.validators.calibration import apply_temperature, calibration_error, fit_temperature

Floats = NDArray[np.float64]
BINS = 10


def score_interval(
    design: Design, answers: NDArray[Any], confidence: float
) -> tuple[float, float, float]:
    """Return the score of cross-fitted answers with its interval: accuracy or R2.

    Parameters
    ----------
    design : Design
    answers : ndarray of shape (R, m)
    confidence : float in (0, 1)
    """
    truth = design.labels
    if design.classify:
        # a pseudo pair of one right and one wrong row, so that all right is not certainty
        right = (answers == truth).astype(np.float64)
        padded = np.concatenate([right, np.tile([1.0, 0.0], (len(right), 1))], axis=1)
        w = design.weights
        padded_weights = None if w is None else np.append(w, [w.mean()] * 2)
        _, low, high = cross_fitted_interval(
            padded, design.folds, confidence, weights=padded_weights
        )
        score = float(np.average(right.mean(axis=0), weights=w))
        return score, max(min(float(low), score), 0.0), min(max(float(high), score), 1.0)
    values = np.asarray(answers, dtype=np.float64)
    mean = np.full_like(values, truth.mean())
    parts = r2_contributions(truth, values, mean)
    ends = cross_fitted_interval(parts, design.folds, confidence)
    return float(ends[0]), float(ends[1]), min(float(ends[2]), 1.0)


def gains(design: Design, candidate: NDArray[Any], reference: NDArray[Any]) -> Floats:
    """Return the gain of each row in each repeat, shape (R, m)."""
    truth = design.labels
    if design.classify:
        right: Floats = (candidate == truth).astype(np.float64) - (reference == truth)
        return right
    both = [np.asarray(side, dtype=np.float64) for side in (candidate, reference)]
    return r2_contributions(truth, *both)


def by_part(
    design: Design,
    candidate: NDArray[Any],
    reference: NDArray[Any],
    parts: NDArray[Any],
    names: dict[Any, str],
    margin: float,
    confidence: float,
) -> tuple[Part, ...]:
    """Return the score of both sides in each part of the rows: classes, or groups of the user.

    A part is harmed where its gain lies below minus the margin and its interval, corrected by
    Bonferroni for the number of parts, below 0.

    Parameters
    ----------
    design : Design
    candidate, reference : ndarray of shape (R, m)
        Answers.
    parts : ndarray of shape (m,)
        Part of each labelled row.
    names : mapping from part to str
    margin, confidence : float
    """
    difference = gains(design, candidate, reference)
    found = np.unique(parts)
    judged = [part for part in found if (parts == part).sum() >= 2]
    each = 1 - (1 - confidence) / max(len(judged), 1)
    rows = []
    for part in found:
        mine = parts == part
        w = None if design.weights is None else design.weights[mine]
        gain = float(np.average(difference[:, mine].mean(axis=0), weights=w))
        low = high = None
        if mine.sum() >= 2:
            ends = cross_fitted_interval(
                difference[:, mine], design.folds, each, bounded=design.classify,
                weights=w,
            )  # fmt: skip
            low, high = float(ends[1]), float(ends[2])
        harmed = high is not None and gain < -margin and high < 0
        before, after = (_share(design, side, mine) for side in (reference, candidate))
        name = names.get(part.item(), str(part))
        rows.append(Part(name, int(mine.sum()), before, after, gain, low, high, harmed))
    return tuple(rows)


def _share(design: Design, answers: NDArray[Any], mine: NDArray[np.bool_]) -> float | None:
    """Accuracy in a part, or R2 against the mean of all rows."""
    truth = design.labels[mine]
    if design.classify:
        w = None if design.weights is None else design.weights[mine]
        return float(np.average((answers[:, mine] == truth).mean(axis=0), weights=w))
    spread = float(np.square(truth - design.labels.mean()).mean())
    error = float(np.square(answers[:, mine].astype(np.float64) - truth).mean())
    return 1 - error / spread if spread > 0 else None


def calibration(
    design: Design, proba: NDArray[Any], classes: NDArray[Any], who: str = "", candidate: str = ""
) -> Calibrated:
    """Return the calibration error as it is, and after temperature scaling across the folds.

    The temperature for a fold is fitted on the other folds' rows.

    Parameters
    ----------
    design : Design
    proba : ndarray of shape (R, m, k)
        Cross-fitted probabilities.
    classes : ndarray of shape (k,)
        Columns; every label of the design is among them.
    who, candidate : str, default=""
        Whose probabilities they are.
    """
    codes = np.searchsorted(classes, design.labels)
    scaled = np.empty_like(proba)
    for r in range(design.repeats):
        for i in range(design.folds):
            held = design.fold_of[r] == i
            t = fit_temperature(proba[r, ~held], codes[~held])
            scaled[r, held] = apply_temperature(proba[r, held], t)
    flat, labels = proba.reshape(-1, proba.shape[-1]), np.tile(codes, design.repeats)
    after = scaled.reshape(flat.shape)
    sure, right = flat.max(axis=1), flat.argmax(axis=1) == labels
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    mine = [place == b for b in range(BINS)]
    bins = (
        Bin(float(sure[one].mean()), float(right[one].mean()), int(one.sum()))
        for one in mine
        if one.any()
    )
    return Calibrated(
        who, candidate, len(codes), float(calibration_error(flat, labels, bins=BINS)),
        float(calibration_error(after, labels, bins=BINS)), float(fit_temperature(flat, labels)),
        tuple(bins),
    )  # fmt: skip


def pareto(points: Sequence[tuple[float, float, float]]) -> list[bool]:
    """Tell for each (score, seconds, memory) whether no other is at least as good in all three.

    Examples
    --------
    >>> pareto([(0.9, 2.0, 5.0), (0.8, 1.0, 5.0), (0.8, 3.0, 5.0)])
    [True, True, False]
    """
    values = np.array([[-score, seconds, memory] for score, seconds, memory in points])
    if not len(values):
        return []
    weak = (values[:, None] <= values[None]).all(axis=2)  # row i at least as good as column j
    strict = (values[:, None] < values[None]).any(axis=2)
    beaten: NDArray[np.bool_] = np.any(weak & strict, axis=0)
    return [not one for one in beaten.tolist()]
