"""What a model answers on labelled rows, in the scale of other metrics than accuracy and R2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.answers import aligned
from acclimate.judging.crossfitted import widened
from acclimate.judging.intervals import gain_interval
from acclimate.judging.metrics import (
    DEFAULTS,
    METRICS,
    UNEVEN,
    majority,
    positive_of,
    told_positive,
)
from acclimate.judging.paired import lines
from acclimate.judging.scored import Metric

CONFIDENCE = 0.95


class Given(NamedTuple):
    """What a model answers: labels or values, and probabilities of classes where it has them."""

    answers: NDArray[Any]
    proba: NDArray[Any] | None = None
    classes: NDArray[Any] | None = None


def answered(model: Any, X: Any) -> Given:
    """Return what a model answers for rows."""
    answers = np.asarray(model.predict(X))
    if model._regression():
        return Given(answers)
    proba = np.asarray(model.predict_proba(X)) if hasattr(model, "predict_proba") else None
    return Given(answers, proba, np.asarray(model.classes_))


def columns(y: NDArray[Any], *models: Given) -> tuple[NDArray[Any], list[NDArray[Any] | None]]:
    """Return all classes that occur, and the probabilities of each model in columns of these."""
    seen = [y, *(one.answers for one in models)]
    seen += [one.classes for one in models if one.classes is not None]
    classes = np.unique(np.concatenate(seen))
    return classes, [
        None if one.proba is None or one.classes is None
        else aligned(one.proba, one.classes, classes)
        for one in models
    ]  # fmt: skip


def measured(
    y: NDArray[Any], given: Given, metric: Metric, positive: Any, names: Mapping[Any, str] | None
) -> dict[str, Any]:
    """Return scores by other metrics: by the one asked for, and what uneven classes call for.

    Parameters
    ----------
    y : ndarray of shape (n,)
    given : Given
    metric : Metric
        Accuracy and R2 are shown anyway.
    positive : label or None
        See `judging.metrics.positive_of`.
    names : mapping from label to str or None
        What the labels are called.

    Returns
    -------
    dict
        ``also``, a list with ``metric``, ``score``, ``low`` and ``high``; ``note``, which class
        they are of; ``uneven``. Keys without a value are left out.
    """
    classes, proba = (None, [None]) if given.classes is None else columns(y, given)
    wanted = [] if metric in DEFAULTS.values() else [metric]
    found: dict[str, Any] = {}
    if classes is not None:
        label, share = majority(y)
        if share > UNEVEN:
            called = str(label) if names is None else names.get(label, str(label))
            found["uneven"] = f"{100 * share:.0f} % of these rows are {called!r}"
            more = [METRICS["balanced_accuracy"], METRICS["auc"]]
            able = len(np.unique(y)) > 1
            wanted += [
                one for one in more
                if able and one not in wanted and (proba[0] is not None or not one.proba)
            ]  # fmt: skip
    rows = []
    for one in wanted:
        line = lines(one, y, given.answers[None], proba[0], classes, positive, side="this model")
        parts = one.contributions(line)
        interval = gain_interval(parts, CONFIDENCE)
        score, low, high = interval if one.by_rows else widened(interval, parts, CONFIDENCE)
        if one.task == "classification":
            low = max(low, 0.0)
            high = min(high, 1.0) if one.higher else high
        rows.append({"metric": one.title, "score": score, "low": low, "high": high})
    if rows:
        found["also"] = rows
    if classes is not None:
        code = positive_of(y, classes, positive)
        called_all = [str(c) if names is None else names.get(c, str(c)) for c in classes.tolist()]
        notes = [told_positive(one, code, called_all, positive is not None) for one in wanted]
        note = next((one for one in notes if one), None)
        found |= {} if note is None else {"note": note}
    return found
