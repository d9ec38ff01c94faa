"""What cross-fitted answers look like, from the tables of two sides to records that are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.design import Design
from acclimate.judging.influence import area_under_roc, average_precision
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
    positive: Any = None,
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
    positive : label, default=None
        The class that the curves are of, see `judging.metrics.positive_of`; None for means over
        the classes.
    """
    if classes is None:
        return AnswersShown(
            sides=tuple(_of_values(design, one) for one in sides),
            missed=_largest_errors(design, sides),
        )
    kept, others = _kept(design, sides)
    place = {label: number for number, label in enumerate(kept.tolist())}
    weights = np.ones(len(design.labels)) if design.weights is None else design.weights
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
    """Return both curves and the areas below; without a positive class only the first, a mean."""
    from sklearn.metrics import precision_recall_curve

    seen = np.unique(design.labels).tolist()
    asked = seen if positive is None else [positive]
    if proba is None or len(seen) < 2 or not set(asked) <= set(seen):
        return (), (), None, None
    truth = [design.labels == one for one in asked]
    scores = [proba[..., int(np.searchsorted(classes, one))] for one in asked]  # (R, m)
    roc = _roc(design, truth, scores, weights)
    areas = [
        area_under_roc(mine, row, weights, fold)
        for mine, column in zip(truth, scores, strict=True)
        for row, fold in zip(column, design.fold_of, strict=True)
    ]
    area = float(np.mean(areas))
    if positive is None or not np.isfinite(area):
        return roc, (), area if np.isfinite(area) else None, None
    mine, column = truth[0], scores[0]
    precision, recall, _ = precision_recall_curve(
        np.tile(mine, len(column)), column.ravel(), sample_weight=np.tile(weights, len(column)),
        drop_intermediate=True,
    )  # fmt: skip
    mean = float(np.mean([average_precision(mine, row, weights) for row in column]))
    return roc, _thin(recall[::-1], precision[::-1]), area, mean


def _roc(
    design: Design, truth: Sequence[NDArray[np.bool_]], scores: Sequence[NDArray[Any]], w: Floats
) -> Pairs:
    """Return the mean of the ROC curves of all folds, weighted by their pairs of rows.

    Scores of two folds come from two models, so that no curve is of both: see `area_under_roc`.
    Of each class in turn, and then the mean over the classes.
    """
    from sklearn.metrics import roc_curve

    grid, curves, exact = np.linspace(0, 1, _CURVE + 1), [], []
    for mine, column in zip(truth, scores, strict=True):
        total, pairs = np.zeros(len(grid)), 0.0
        for row, fold in zip(column, design.fold_of, strict=True):
            for one in np.unique(fold):
                rows = fold == one
                both = float(w[rows & mine].sum() * w[rows & ~mine].sum())
                if both == 0.0:
                    continue
                off, on, _ = roc_curve(mine[rows], row[rows], sample_weight=w[rows])
                exact.append((off, on))
                total += both * np.interp(grid, off, on)
                pairs += both
        if pairs > 0.0:
            curves.append(total / pairs)
    if len(exact) == 1:
        return _thin(*exact[0])
    if not curves:
        return ()
    start = np.zeros(1)
    return _thin(np.append(start, grid), np.append(start, np.mean(curves, axis=0)))


def _thin(x: Floats, y: Floats) -> Pairs:
    """Return at most two points more than `_CURVE`, in their order."""
    some = np.unique(np.linspace(0, len(x) - 1, _CURVE + 2).round().astype(int))
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
