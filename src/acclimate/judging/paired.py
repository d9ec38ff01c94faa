"""Both sides of a comparison in the scale of a metric: paired by row, a gain is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.judging.metrics import positive_of
from acclimate.judging.scored import Metric, Scored

Floats = NDArray[np.float64]


class Paired(NamedTuple):
    """Gains by row, shape (D, N), the scores of both sides, and what is left to weigh the rows."""

    differences: Floats
    scores: tuple[float, float]
    weights: Floats | None


def lines(
    metric: Metric,
    truth: NDArray[Any],
    answers: NDArray[Any],
    proba: Floats | None = None,
    classes: NDArray[Any] | None = None,
    positive: Any = None,
    weights: Floats | None = None,
    fold_of: NDArray[np.intp] | None = None,
    side: str = "the model",
) -> list[Scored]:
    """Return answers with labels as `Scored`, one for each line.

    Parameters
    ----------
    metric : Metric
    truth : ndarray of shape (N,)
    answers : ndarray of shape (D, N)
    proba : ndarray of shape (D, N, k) or (N, k), default=None
    classes : ndarray of shape (k,), default=None
        Columns of ``proba``, sorted, with every label among them; None for values.
    positive : label, default=None
        See `judging.metrics.positive_of`.
    weights : ndarray of shape (N,), default=None
    fold_of : ndarray of shape (D, N), default=None
    side : str
        Whose answers they are, for messages.

    Raises
    ------
    InputError
        There are no probabilities and the metric needs them, or shapes do not fit.
    """
    if metric.proba and proba is None:
        raise InputError(
            f"{metric.title} needs probabilities, and {side} gives none; take a base model with "
            f"predict_proba, or another metric"
        )
    code = None
    if classes is not None:
        code = positive_of(truth, classes, positive)
        truth, answers = (np.searchsorted(classes, one) for one in (truth, answers))
    if proba is not None and classes is not None:
        wanted = (*answers.shape, len(classes))
        proba = np.asarray(proba, dtype=np.float64)
        if proba.shape not in (wanted, wanted[1:]):
            raise InputError(
                f"probabilities of {side} must have shape {wanted} or {wanted[1:]}, a column for "
                f"each of the classes {classes.tolist()}, got {proba.shape}"
            )
        proba = np.broadcast_to(proba, wanted)
    folds = None if fold_of is None else np.broadcast_to(fold_of, answers.shape)
    return [
        Scored(
            truth, line, None if proba is None else proba[d], classes, code, weights,
            None if folds is None else folds[d],
        )
        for d, line in enumerate(answers)
    ]  # fmt: skip


def paired(metric: Metric, candidate: Sequence[Scored], reference: Sequence[Scored]) -> Paired:
    """Return the gains of a candidate over a reference on the same rows and lines."""
    both = [metric.contributions(side) for side in (candidate, reference)]
    weights = candidate[0].weights if metric.by_rows else None
    scores = [float(np.average(one.mean(axis=0), weights=weights)) for one in both]
    return Paired(metric.sign * (both[0] - both[1]), (scores[0], scores[1]), weights)


def constant_score(metric: Metric, line: Scored) -> float | None:
    """Return the score of always the same answer: the most frequent class, or the mean.

    Its probabilities are the shares of the classes.

    Parameters
    ----------
    metric : Metric
    line : Scored
        Any answers; their truth counts.

    Returns
    -------
    float or None
        None where the metric is not defined for it.
    """
    if line.classes is None:
        same = replace(line, answers=np.full(len(line.truth), np.mean(line.truth)))
    else:
        counts = np.bincount(line.truth, line.weights, minlength=len(line.classes))
        shares = np.tile(counts / counts.sum(), (len(line.truth), 1))
        most = np.full(len(line.truth), counts.argmax())
        same = replace(line, answers=most, proba=shares, folds=None)
    try:
        return metric.value(same)
    except InputError:
        return None


def margin_of(metric: Metric, margin: float, truth: NDArray[Any]) -> float:
    """Return a margin in units of the metric: for errors of values, a share of their spread.

    Examples
    --------
    >>> from acclimate.judging.metrics import METRICS
    >>> margin_of(METRICS["auc"], 0.01, np.array([0, 1]))
    0.01
    >>> margin_of(METRICS["mae"], 0.01, np.array([0.0, 200.0]))
    1.0
    """
    return margin * float(np.std(truth)) if metric.key in ("mae", "rmse") else margin
