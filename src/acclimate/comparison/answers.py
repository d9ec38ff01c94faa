"""What the trials of a candidate say, as tables over repeats and labelled rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.design import Design, LeftOut
from acclimate.judging.crossfitted import first_level
from acclimate.judging.weighing import class_losses

Floats = NDArray[np.float64]
Parts = Mapping[LeftOut, Mapping[str, NDArray[Any]]]


@dataclass(frozen=True, eq=False)
class Answers:
    """Cross-fitted answers of one candidate.

    Parameters
    ----------
    outer : ndarray of shape (R, m)
        What models that were trained without a row's fold predict for it.
    inner : ndarray of shape (R, K, m)
        Score of each row while folds i and the row's own were left out; NaN in fold i.
    proba : ndarray of shape (R, m, k) or None
        Probabilities that belong to ``outer``.
    inner_loss, outer_loss : ndarray of shape (R, K, m) and (R, m)
        The log loss, or the squared error, that belongs to ``inner`` and ``outer``; infinite where
        there are no probabilities of classes.
    parts : mapping or None
        What `from_parts` was given; None where one fit serves every fold.
    ran : ndarray of shape (R, K) or None
        Outer folds with a model; in others ``outer`` and ``proba`` mean nothing. None means all.
    """

    outer: NDArray[Any]
    inner: Floats
    proba: NDArray[Any] | None
    inner_loss: Floats
    outer_loss: Floats
    parts: Parts | None = None
    ran: NDArray[np.bool_] | None = None

    @property
    def whole(self) -> bool:
        """Whether there is an answer for every row in every repeat."""
        return self.ran is None or bool(self.ran.all())


def row_scores(answers: NDArray[Any], truth: NDArray[Any], classify: bool) -> Floats:
    """Return the score of each answer: 1 or 0 for classes, minus the squared error for values."""
    if classify:
        right: Floats = (answers == truth).astype(np.float64)
        return right
    error: Floats = -np.square(np.asarray(answers, dtype=np.float64) - truth)
    return error


def row_losses(
    design: Design, answers: NDArray[Any], proba: NDArray[Any] | None, rows: Any,
    classes: NDArray[Any] | None,
) -> Floats:  # fmt: skip
    """Return the loss of answers for some labelled rows, times the weights of these; (k,).

    Parameters
    ----------
    design : Design
    answers, proba : ndarray of shape (k,) and of shape (k, c) or None
    rows : index
        Which rows they are.
    classes : ndarray of shape (c,) or None
        Columns of ``proba``.
    """
    truth = design.labels[rows]
    if not design.classify:
        losses: Floats = np.square(np.asarray(answers, dtype=np.float64) - truth)
    elif proba is None or classes is None:
        return np.full(len(truth), np.inf)
    else:
        losses = class_losses(np.asarray(proba, np.float64), np.searchsorted(classes, truth))
    return losses if design.weights is None else losses * design.weights[rows]


def free_of_labels(
    design: Design,
    answers: NDArray[Any],
    proba: NDArray[Any] | None,
    classes: NDArray[Any] | None = None,
) -> Answers:
    """Return the tables of a candidate that sees no target labels: one fit serves every fold.

    Parameters
    ----------
    design : Design
    answers : ndarray of shape (m,)
        For the labelled rows.
    proba : ndarray of shape (m, k) or None
    classes : ndarray of shape (k,) or None
    """
    R, K, m = design.repeats, design.folds, len(design.labels)
    losses = row_losses(design, answers, proba, slice(None), classes)
    inner_loss = np.broadcast_to(losses, (R, K, m)).copy()
    score = design.weigh(row_scores(answers, design.labels, design.classify))
    inner = np.broadcast_to(score, (R, K, m)).copy()
    for i in range(K):
        inner[:, i][design.fold_of == i] = np.nan
        inner_loss[:, i][design.fold_of == i] = np.nan
    wide = None if proba is None else np.broadcast_to(proba, (R, *proba.shape))
    return Answers(
        np.broadcast_to(answers, (R, m)), inner, wide, inner_loss, np.broadcast_to(losses, (R, m))
    )


def from_parts(design: Design, parts: Parts, classes: NDArray[Any] | None) -> Answers:
    """Return the tables of a candidate that was fitted anew for each part of the design.

    Parameters
    ----------
    design : Design
    parts : mapping from (repeat, folds left out) to arrays
        Those that were run, one or more. ``answers`` for the left-out rows in the order of the
        labelled rows, and ``proba`` with ``classes`` where there are probabilities.
    classes : ndarray of shape (k,) or None
        Columns of the result; a class that a model does not know gets 0.
    """
    R, K, m = design.repeats, design.folds, len(design.labels)
    first = next(iter(parts.values()))
    kind = np.result_type(*(p["answers"].dtype for p in parts.values()))
    outer = np.zeros((R, m), dtype=kind)
    inner, inner_loss = np.full((R, K, m), np.nan), np.full((R, K, m), np.nan)
    outer_loss, ran = np.full((R, m), np.nan), np.zeros((R, K), dtype=bool)
    with_proba = classes is not None and "proba" in first
    proba = np.zeros((R, m, len(classes))) if classes is not None and with_proba else None
    for (r, out), arrays in parts.items():
        rows = design.left_out(r, out)
        own = aligned(arrays["proba"], arrays["classes"], classes) if proba is not None else None
        loss = row_losses(design, arrays["answers"], own, rows, classes)
        if len(out) == 1:
            ran[r, out[0]] = True
            outer[r, rows], outer_loss[r, rows] = arrays["answers"], loss
            if proba is not None:
                proba[r, rows] = own
            continue
        losses = np.full(m, np.nan)
        losses[rows] = loss
        scores = np.full(m, np.nan)
        scores[rows] = row_scores(arrays["answers"], design.labels[rows], design.classify)
        scores = design.weigh(scores)
        for i, j in (out, out[::-1]):
            mine = design.fold_of[r] == j
            inner[r, i, mine] = scores[mine]
            inner_loss[r, i, mine] = losses[mine]
    return Answers(outer, inner, proba, inner_loss, outer_loss, parts, ran)


def aligned(proba: NDArray[Any], own: NDArray[Any], classes: NDArray[Any] | None) -> NDArray[Any]:
    """Return probabilities with one column for each of ``classes``, 0 where unknown."""
    if classes is None:
        return proba
    place = {label: column for column, label in enumerate(own.tolist())}
    out = np.zeros((len(proba), len(classes)))
    for column, label in enumerate(classes.tolist()):
        if label in place:
            out[:, column] = proba[:, place[label]]
    return out


def choose_in_folds(
    design: Design,
    candidates: Mapping[str, Answers],
    errors: float,
    allowed: Mapping[tuple[int, int], Sequence[str]] | None = None,
) -> dict[tuple[int, int], str]:
    """Pick a candidate for each outer fold, on scores from the other folds alone.

    Parameters
    ----------
    design : Design
    candidates : mapping from str to Answers
        In the order they are trusted.
    errors : float
        See `judging.crossfitted.first_level`.
    allowed : mapping from (repeat, fold) to names, default=None
        Only these take part in a fold.

    Returns
    -------
    dict from (repeat, fold) to str
    """
    chosen = {}
    for r in range(design.repeats):
        for i in range(design.folds):
            names = [n for n in candidates if allowed is None or n in allowed[r, i]]
            names = names or list(candidates)
            table = np.array([candidates[name].inner[r, i] for name in names])
            table = table[:, np.isfinite(table).all(axis=0)]
            place = first_level(table, errors) if table.shape[1] else 0
            chosen[r, i] = names[place]
    return chosen


def assemble(
    design: Design, candidates: Mapping[str, Answers], chosen: Mapping[tuple[int, int], str]
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return the answers (R, m) and probabilities (R, m, k) of what was picked in each fold."""
    used = [candidates[name] for name in dict.fromkeys(chosen.values())]
    kinds = np.result_type(*(answers.outer.dtype for answers in used))
    outer = np.empty((design.repeats, len(design.labels)), dtype=kinds)
    probas = [answers.proba for answers in used]
    proba = None
    if all(p is not None for p in probas):
        proba = np.empty((*outer.shape, probas[0].shape[-1]))  # type: ignore[union-attr]
    for (r, i), name in chosen.items():
        rows = design.fold_of[r] == i
        outer[r, rows] = candidates[name].outer[r, rows]
        if proba is not None:
            proba[r, rows] = candidates[name].proba[r, rows]  # type: ignore[index]
    return outer, proba
