"""Scores with intervals, and the verdict of one model against another on the same rows."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import AcclimateError, InputError

if TYPE_CHECKING:
    from acclimate.cli.by_metric import Given
    from acclimate.judging.scored import Metric
    from acclimate.report.compared_answers import AnswersShown

CONFIDENCE = 0.95


def score_accuracy(y: NDArray[Any], answers: NDArray[Any]) -> dict[str, float]:
    """Return accuracy with Wilson's interval.

    Parameters
    ----------
    y, answers : ndarray of shape (n,)
        True and predicted labels.

    Examples
    --------
    >>> import numpy as np
    >>> score = score_accuracy(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]))
    >>> {name: round(value, 2) for name, value in score.items()}
    {'score': 0.75, 'low': 0.3, 'high': 0.95}
    """
    from scipy.stats import binomtest

    right = int((y == answers).sum())
    interval = binomtest(right, len(y)).proportion_ci(CONFIDENCE, method="wilson")
    return {"score": right / len(y), "low": float(interval.low), "high": float(interval.high)}


def score_r2(y: NDArray[Any], answers: NDArray[Any]) -> dict[str, float]:
    """Return R2 with an interval over rows, from the linearised contribution of each row.

    Parameters
    ----------
    y, answers : ndarray of shape (n,)
        True and predicted values.
    """
    from acclimate.judging.intervals import gain_interval, r2_contributions

    if len(y) < 2 or np.ptp(y) == 0:
        raise InputError(f"R2 needs rows with different values, got {np.unique(y)[:3].tolist()}")
    mean = np.full((1, len(y)), y.mean())
    interval = gain_interval(r2_contributions(y, answers[None], mean), CONFIDENCE)
    return {"score": interval.estimate, "low": interval.low, "high": min(interval.high, 1.0)}


def scores(
    y: NDArray[Any], answers: NDArray[Any], regression: bool, names: Mapping[Any, str] | None
) -> dict[str, Any]:
    """Return the scores of predictions: R2 and error, or accuracy and the recall of each class.

    Parameters
    ----------
    y, answers : ndarray of shape (n,)
        True and predicted labels.
    regression : bool
        Whether they are values.
    names : mapping from label to str or None
        What the labels are called.
    """
    if regression:
        error = float(np.sqrt(np.square(answers - y).mean()))
        return {"metric": "R2", **score_r2(y, answers), "root_mean_squared_error": error}
    recalls = []

    def called(label: Any) -> str:
        return str(label) if names is None else names.get(label, str(label))

    for one in np.unique(y).tolist():
        mine = y == one
        entry = {"class": called(one), "rows": int(mine.sum())}
        entry |= score_accuracy(y[mine], answers[mine])
        said = zip(*np.unique(answers[mine], return_counts=True), strict=True)
        entry["said"] = {called(label.item()): int(number) for label, number in said}
        recalls.append(entry)
    return {"metric": "accuracy", **score_accuracy(y, answers), "recall": recalls}


class Reference(NamedTuple):
    """What a model is compared with, and the rows as it reads them."""

    name: str
    model: Any
    X: Any


def reference(
    adapter: Any,
    X: Any,
    against: Path | None,
    regression: bool,
    read: Callable[[Any], Any] | None = None,
    trusted: Collection[str] | None = None,
) -> Reference | None:
    """Return what the model is compared with.

    ``read`` returns the rows as another model reads them; None takes those of this model.
    ``trusted`` names types that the other model's file may hold.
    """
    from acclimate.cli.stored import load

    if against is not None:
        other = load(against, trusted)
        if other._regression() != regression:
            raise InputError(f"{against.name} has another task; compare models of one task")
        return Reference(against.name, other, X if read is None else read(other))
    if not adapter.adapted_:
        return None
    source = copy.copy(adapter)
    source._reset_to_stage_one()
    if not regression and set(source.classes_.tolist()).isdisjoint(adapter.classes_.tolist()):
        return None
    return Reference("its own source model", source, X)


def importances(
    adapter: Any, X: Any, y: NDArray[Any], other: Reference | None
) -> list[dict[str, Any]]:
    """Return the fall of the score without each column, of a model and of its reference."""
    from acclimate.judging import importance

    mine = importance.falls(adapter, X, y)
    beside = {} if other is None else importance.falls(other.model, other.X, y)
    return [
        {
            "column": one.column, "fall": one.target, "spread": one.target_spread,
            "reference_fall": one.source, "reference_spread": one.source_spread,
        }
        for one in importance.importances(mine, beside, "").columns
    ]  # fmt: skip


def answers(
    y: NDArray[Any], models: Mapping[str, Given], names: Mapping[Any, str] | None, positive: Any,
    positions: NDArray[np.intp],
) -> AnswersShown:  # fmt: skip
    """Return what the answers of a model look like, beside those of its reference.

    Parameters
    ----------
    y : ndarray of shape (m,)
        True labels or values.
    models : mapping from name to Given
        The model first, then its reference where there is one.
    names : mapping from label to str or None
        What the labels are called; None also for values.
    positive : label or None
        The class that curves are of.
    positions : ndarray of shape (m,)
        Where the rows are in their file.
    """
    from acclimate.cli.by_metric import columns
    from acclimate.comparison.design import Design
    from acclimate.comparison.shown_answers import Side, shown_answers
    from acclimate.judging.metrics import positive_of

    given = list(models.values())
    classes, code = None, None
    probas: list[NDArray[Any] | None] = [None] * len(given)
    if given[0].classes is not None:
        classes, probas = columns(y, *given)
        code = positive_of(y, classes, positive)
    sides = [
        Side(who, name, one.answers[None], None if proba is None else proba[None])
        for who, (name, one), proba in zip(
            ("model", "against"), models.items(), probas, strict=False
        )
    ]
    once = np.zeros((1, len(y)), dtype=np.intp)
    design = Design(positions, y, once, classes is not None)
    label = None if classes is None or code is None else classes[code].item()
    return shown_answers(design, sides, classes, names or {}, label)


def judged(
    adapter: Any, y: Any, given: Given, name: str, other: Given, names: Any, metric: Metric,
    positive: Any, called: str = "the model", same: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Return the verdict on a model against a reference, as plain values.

    ``called`` is the model's name; ``same`` says that both are one model.
    """
    from acclimate import verdict
    from acclimate.cli.by_metric import columns
    from acclimate.judging.verdict import same_model

    regression = adapter._regression()
    classes, proba = (None, [None, None]) if regression else columns(y, given, other)
    labels = adapter.trained_on_.get("target", {}).get("labelled") or None
    try:
        said = verdict(
            y, given.answers, other.answers, task="regression" if regression else "classification",
            class_names=names if not regression and _names_all(names, y) else None, labels=labels,
            metric=metric, positive=positive, candidate_proba=proba[0], reference_proba=proba[1],
            classes=classes,
        )  # fmt: skip
    except AcclimateError as error:
        raise InputError(f"no verdict against {name}: {error}") from error
    said = same_model(said) if same else said
    return {"reference": name} | said.to_dict() | {"sentence": said.sentence(name, called)}


def _names_all(names: Mapping[Any, str] | None, y: Any) -> bool:
    return names is not None and set(np.unique(y).tolist()) <= set(names)
