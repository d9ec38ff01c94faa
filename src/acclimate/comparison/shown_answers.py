"""What cross-fitted answers look like, from the tables of two sides to records that are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.design import Design
from acclimate.report.compared_answers import AnswersOf, AnswersShown, MissedRows

Floats = NDArray[np.float64]
Pairs = tuple[tuple[float, float], ...]
MISSED = 20  # rows that are told
CLASSES = 20  # of a confusion matrix; the rarer ones share the last place
_OTHERS = "other classes"
_CURVE = 100  # points of a curve
_DOTS = 300  # points of a picture


class Side(NamedTuple):
    """Who answers, and its tables: answers of shape (R, m), probabilities of shape (R, m, k)."""

    who: str
    candidate: str
    answers: NDArray[Any]
    proba: NDArray[Any] | None


def shown_answers(
    design: Design,
    sides: Sequence[Side],
    classes: NDArray[Any] | None,
    names: Mapping[Any, str],
) -> AnswersShown:
    """Return confusion and curves, or residuals, and the rows that both sides miss.

    Parameters
    ----------
    design : Design
    sides : sequence of Side
        Whose answers they are, and the reference where there is one.
    classes : ndarray of shape (k,) or None
        Columns of the probabilities; None for values.
    names : mapping from label to str
        What classes are called.
    """
    if classes is None:
        return AnswersShown(
            sides=tuple(_of_values(design, one) for one in sides),
            missed=_largest_errors(design, sides),
        )
    kept, others = _kept(design, sides)
    place = {label: number for number, label in enumerate(kept.tolist())}
    weights = np.ones(len(design.labels)) if design.weights is None else design.weights
    positive = rarer(design.labels) if len(classes) == 2 else None
    shown = []
    for side in sides:
        roc, pr, auc, ap = _curves(design, side.proba, classes, positive, weights)
        counts = confusion(design.labels, side.answers, place, weights, others)
        shown.append(AnswersOf(
            side.who, side.candidate, tuple(map(tuple, counts.round(6).tolist())), roc, pr, auc, ap
        ))  # fmt: skip
    called = tuple(names.get(one, str(one)) for one in kept.tolist())
    return AnswersShown(
        classes=(*called, _OTHERS) if others else called,
        positive=None if positive is None else names.get(positive, str(positive)),
        share=None if positive is None
        else float(np.average(design.labels == positive, weights=weights)),
        sides=tuple(shown),
        missed=_missed(design, sides, classes, names),
    )  # fmt: skip


def confusion(
    truth: NDArray[Any],
    answers: NDArray[Any],
    place: Mapping[Any, int],
    weights: Floats,
    others: bool = False,
) -> Floats:
    """Return how many rows of each true class are said to be of each class, shape (k, k).

    Parameters
    ----------
    truth : ndarray of shape (m,)
    answers : ndarray of shape (R, m)
        The counts are means over the R repeats.
    place : mapping from label to int
        Row and column of each class.
    weights : ndarray of shape (m,)
    others : bool, default=False
        Whether there is a last place for labels that have none.
    """
    size = len(place) + others
    down = [place.get(one, size - 1) for one in truth.tolist()]
    counts = np.zeros((size, size))
    for one in answers:
        np.add.at(counts, (down, [place.get(said, size - 1) for said in one.tolist()]), weights)
    return counts / len(answers)


def rarer(labels: NDArray[Any]) -> Any:
    """Return the rarer of the labels, the last of those that are as rare.

    Examples
    --------
    >>> rarer(np.array(["no", "no", "yes"])), int(rarer(np.array([1, 0])))
    (np.str_('yes'), 1)
    """
    values, counts = np.unique(labels, return_counts=True)
    return values[len(values) - 1 - int(counts[::-1].argmin())]


def _kept(design: Design, sides: Sequence[Side]) -> tuple[NDArray[Any], bool]:
    """Return the classes of the confusion matrices, and whether there are others."""
    seen = np.unique(np.concatenate([design.labels, *(one.answers.ravel() for one in sides)]))
    if len(seen) <= CLASSES:
        return seen, False
    counts = np.array([(design.labels == one).sum() for one in seen])
    return np.sort(seen[np.argsort(-counts, kind="stable")[: CLASSES - 1]]), True


def _curves(
    design: Design,
    proba: NDArray[Any] | None,
    classes: NDArray[Any],
    positive: Any,
    weights: Floats,
) -> tuple[Pairs, Pairs, float | None, float | None]:
    """Return both curves and the areas below; of more than two classes only the first, a mean."""
    from sklearn.metrics import (
        average_precision_score,
        precision_recall_curve,
        roc_auc_score,
        roc_curve,
    )

    if proba is None:
        return (), (), None, None
    repeats = len(proba)
    scores = np.asarray(proba, dtype=np.float64).reshape(-1, proba.shape[-1])
    w = np.tile(weights, repeats)
    seen = np.unique(design.labels)
    asked = [positive] if positive is not None else seen.tolist()
    if len(seen) < 2:
        return (), (), None, None
    grid, mean, areas = np.linspace(0, 1, _CURVE + 1), np.zeros(_CURVE + 1), []
    for one in asked:
        mine = np.tile(design.labels == one, repeats)
        column = scores[:, int(np.searchsorted(classes, one))]
        off, on, _ = roc_curve(mine, column, sample_weight=w)
        areas.append(float(roc_auc_score(mine, column, sample_weight=w)))
        if positive is None:
            mean += np.interp(grid, off, on) / len(asked)
            continue
        precision, recall, _ = precision_recall_curve(
            mine, column, sample_weight=w, drop_intermediate=True
        )
        area = float(average_precision_score(mine, column, sample_weight=w))
        return _thin(off, on), _thin(recall[::-1], precision[::-1]), areas[0], area
    mean[0] = 0.0
    return _thin(grid, mean), (), float(np.mean(areas)), None


def _thin(x: Floats, y: Floats) -> Pairs:
    """Return at most `_CURVE` points and the last, in their order."""
    some = np.unique(np.linspace(0, len(x) - 1, _CURVE + 1).round().astype(int))
    rounded = zip(x[some].round(4).tolist(), y[some].round(4).tolist(), strict=True)
    return tuple(dict.fromkeys(rounded))


def _missed(
    design: Design, sides: Sequence[Side], classes: NDArray[Any], names: Mapping[Any, str]
) -> MissedRows:
    """Return the rows that all sides miss in most repeats, the surest mistakes first."""
    said, sure = zip(*(_by_most(side, classes) for side in sides), strict=True)
    missed = np.flatnonzero(np.all([one != design.labels for one in said], axis=0))
    known = np.nan_to_num(sure[0][missed], nan=-1.0)
    rows = missed[np.argsort(-known, kind="stable")][:MISSED]
    words = [
        tuple(names.get(one, str(one)) for one in labels[rows].tolist())
        for labels in (design.labels, *said)
    ]
    chances = [
        tuple(None if np.isnan(one) else round(one, 4) for one in mine[rows].tolist())
        for mine in sure
    ]
    return MissedRows(
        len(missed), tuple(design.known[rows].tolist()), truth=words[0], said=words[1],
        confidence=chances[0], reference_said=(*words, ())[2],
        reference_confidence=(*chances, ())[1],
    )  # fmt: skip


def _by_most(side: Side, classes: NDArray[Any]) -> tuple[NDArray[Any], Floats]:
    """Return what most repeats say of each row, (m,), and the mean probability of it or NaN.

    Of what as many repeats say, the more probable counts.
    """
    codes = np.searchsorted(classes, side.answers)  # (R, m)
    votes = (codes[..., None] == np.arange(len(classes))).sum(axis=0)  # (m, k)
    if side.proba is None:
        most = votes.argmax(axis=1)
        return classes[most], np.full(len(most), np.nan)
    mean = np.asarray(side.proba, dtype=np.float64).mean(axis=0)
    most = (votes + mean / 2).argmax(axis=1)
    return classes[most], mean[np.arange(len(most)), most]


def _of_values(design: Design, side: Side) -> AnswersOf:
    values = np.asarray(side.answers, dtype=np.float64)
    rows = np.unique(np.linspace(0, values.shape[1] - 1, _DOTS).round().astype(int))
    rest = design.labels[rows] - values[0, rows]
    dots = zip(_short(values[0, rows]), _short(rest), strict=True)
    error = float(np.sqrt(np.square(values - design.labels).mean()))
    return AnswersOf(side.who, side.candidate, residuals=tuple(dots), error=error)


def _largest_errors(design: Design, sides: Sequence[Side]) -> MissedRows:
    """Return the rows on which even the best of the sides errs most."""
    values = [np.asarray(side.answers, dtype=np.float64) for side in sides]
    errors = np.min([np.abs(one - design.labels).mean(axis=0) for one in values], axis=0)
    rows = np.argsort(-errors, kind="stable")[:MISSED]
    means = [tuple(_short(one.mean(axis=0)[rows])) for one in values]
    none = (None,) * len(rows)
    return MissedRows(
        len(rows), tuple(design.known[rows].tolist()), truth=tuple(_short(design.labels[rows])),
        said=means[0], confidence=none, reference_said=(*means, ())[1],
        reference_confidence=none if len(sides) > 1 else (),
    )  # fmt: skip


def _short(values: Floats) -> list[float]:
    """Return values with six digits: they are for eyes."""
    return [float(f"{one:.6g}") for one in values.tolist()]
