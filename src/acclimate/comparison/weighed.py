"""A committee of the candidates, weighed and judged by cross-fitting; and the constant answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.answers import Answers, row_scores
from acclimate.comparison.design import Design
from acclimate.judging.weighing import committee_weights

Floats = NDArray[np.float64]
Cell = tuple[int, int]  # a repeat and one of its folds
COMMITTEE, CONSTANT = "Committee", "Constant"


def weights_in_folds(
    design: Design,
    candidates: Mapping[str, Answers],
    allowed: Mapping[Cell, Sequence[str]] | None = None,
    prior: Mapping[str, float] | None = None,
) -> dict[Cell, dict[str, float]]:
    """Return the weights of the members for each outer fold, from losses of the other folds.

    The losses that weigh for fold i are of models that saw neither fold i nor the fold of the row
    that is scored. Squared errors count in units of the variance of the labels outside fold i.

    Parameters
    ----------
    design : Design
    candidates : mapping from str to Answers
    allowed : mapping from (repeat, fold) to names, default=None
        Only these take part in a fold.
    prior : mapping from str to float, default=None
        Mass of each candidate before any label. None means that all have the same.
    """
    found: dict[Cell, dict[str, float]] = {}
    for r in range(design.repeats):
        for i in range(design.folds):
            names = [n for n in candidates if allowed is None or n in allowed[r, i]]
            table = np.array([candidates[name].inner_loss[r, i] for name in names])
            rows = ~np.isnan(table).any(axis=0)
            others = design.fold_of[r] != i
            losses = table[:, rows].sum(axis=1) / loss_unit(design, others)
            losses[[np.isinf(candidates[name].outer_loss).all() for name in names]] = np.inf
            found[r, i] = _members(names, losses, prior)
    return found


def final_weights(
    design: Design, candidates: Mapping[str, Answers], prior: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return the weights on all labels: those of the committee that will be fitted.

    Only candidates that answered in every fold take part. ``prior`` is that of `weights_in_folds`.
    """
    names = [name for name, one in candidates.items() if one.whole]
    if not names:
        return {}
    losses = np.array([candidates[name].outer_loss.sum(axis=1).mean() for name in names])
    return _members(names, losses / loss_unit(design, slice(None)), prior)


def loss_unit(design: Design, rows: Any) -> float:
    """Return what a loss of 1 is: one nat, or the variance of the labels of these rows."""
    return 1.0 if design.classify else float(np.var(design.labels[rows])) or 1.0


def _members(
    names: Sequence[str], losses: Floats, prior: Mapping[str, float] | None
) -> dict[str, float]:
    if not np.isfinite(losses).any():
        return {}
    masses = None if prior is None else [prior[name] for name in names]
    weights = committee_weights(losses, prior=masses)
    return {name: float(w) for name, w in zip(names, weights, strict=True) if w > 0}


def blend(
    design: Design,
    candidates: Mapping[str, Answers],
    weights: Mapping[Cell, Mapping[str, float]],
    classes: NDArray[Any] | None,
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return the committee's answers (R, m) and probabilities (R, m, k).

    Parameters
    ----------
    design : Design
    candidates : mapping from str to Answers
    weights : mapping from (repeat, fold) to weights by name
        Each of at least one member.
    classes : ndarray of shape (k,) or None
    """
    shape: tuple[int, ...] = (design.repeats, len(design.labels))
    total = np.zeros(shape if classes is None else (*shape, len(classes)))
    for (r, i), members in weights.items():
        rows = design.fold_of[r] == i
        for name, weight in members.items():
            one = candidates[name]
            total[r, rows] += weight * (one.outer if classes is None else one.proba)[r, rows]  # type: ignore[index]
    if classes is None:
        return total, None
    return classes[total.argmax(axis=-1)], total


def always(design: Design, classes: NDArray[Any] | None) -> Answers:
    """Return the tables of always saying the most frequent class, or the mean, of the other folds.

    Parameters
    ----------
    design : Design
    classes : ndarray of shape (k,) or None
    """
    R, K, m = design.repeats, design.folds, len(design.labels)
    labels = design.labels
    outer = np.empty((R, m), dtype=labels.dtype if classes is not None else np.float64)
    proba = None if classes is None else np.zeros((R, m, len(classes)))
    inner = np.full((R, K, m), np.nan)
    parts: dict[Any, dict[str, NDArray[Any]]] = {}
    for r in range(R):
        for i in range(K):
            mine = design.fold_of[r] == i
            said, shares = _most(design, ~mine, classes)
            outer[r, mine] = said
            if proba is not None:
                proba[r, mine] = shares
            for j in range(K):
                held = design.fold_of[r] == j
                if j != i and not (mine | held).all():  # two rows leave none
                    said, shares = _most(design, ~(mine | held), classes)
                    both = int((mine | held).sum())
                    part = {"answers": np.full(both, said)}
                    if classes is not None:
                        part |= {"proba": np.tile(shares, (both, 1)), "classes": classes}
                    parts[r, (min(i, j), max(i, j))] = part
                    inner[r, i, held] = row_scores(
                        np.full(held.sum(), said), labels[held], classes is not None
                    )
    nothing = np.full((R, K, m), np.inf)
    return Answers(outer, design.weigh(inner), proba, nothing, nothing[:, 0], parts)


def _most(design: Design, rows: NDArray[np.bool_], classes: NDArray[Any] | None) -> tuple[Any, Any]:
    """Return the most frequent label of some rows with the shares of the classes, or the mean."""
    labels = design.labels[rows]
    if classes is None:
        return float(labels.mean()), None
    weights = np.ones(len(labels)) if design.weights is None else design.weights[rows]
    counts = np.array([weights[labels == label].sum() for label in classes.tolist()])
    return classes[int(counts.argmax())], counts / counts.sum()
