"""Metrics by name, and the class that some of them are of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.judging import influence
from acclimate.judging.scored import Metric, Scored
from acclimate.judging.scorers import from_scorer, scorer_names

Floats = NDArray[np.float64]
UNEVEN = 0.6  # share of the most frequent class above which accuracy says little


def majority(labels: NDArray[Any], weights: Floats | None = None) -> tuple[Any, float]:
    """Return the most frequent label and its share.

    Examples
    --------
    >>> majority(np.array(["no", "yes", "no", "no"]))
    ('no', 0.75)
    """
    values, codes = np.unique(labels, return_inverse=True)
    counts = np.bincount(codes, weights)
    best = int(counts.argmax())
    return values[best].item(), float(counts[best] / counts.sum())


def positive_of(labels: NDArray[Any], classes: NDArray[Any], named: Any = None) -> int | None:
    """Return the code of the positive class: as named, or of two classes the rarer.

    Parameters
    ----------
    labels : ndarray of shape (N,)
        Known target labels.
    classes : ndarray of shape (k,)
        All labels, sorted.
    named : label, default=None

    Returns
    -------
    int or None
        None where there are more than two classes and none is named: means over classes. Of two
        classes that are as frequent, the last.

    Raises
    ------
    InputError
        The named label is no class.
    """
    known = classes.tolist()
    if named is not None:
        found = [code for code, label in enumerate(known) if named in (label, str(label))]
        if not found:
            raise InputError(f"positive={named!r} is no class; the classes are {known}")
        return found[0]
    if len(known) != 2:
        return None
    counts = [int((labels == label).sum()) for label in known]
    return 0 if counts[0] < counts[1] else 1


def told_positive(metric: Metric, positive: int | None, classes: Any, by_user: bool) -> str | None:
    """Say which class a metric is of; None where it is of none.

    Parameters
    ----------
    metric : Metric
    positive : int or None
        Code of the class.
    classes : sequence of str
        What the classes are called.
    by_user : bool
        Whether the user named it.
    """
    if not metric.one_class:
        return None
    if positive is None:
        each = "one class against the rest, " if metric.ranks else ""
        return f"{metric.title} is {each}the plain mean over the classes"
    why = "as asked" if by_user else "the rarer one; positive= or --positive names another"
    return f"{metric.title} is of the class {classes[positive]!r}, {why}"


def _each(one: Callable[..., Floats]) -> Callable[[Scored], Floats]:
    """Return a score of one class as the mean over the classes that it is asked of."""

    def parts(s: Scored) -> Floats:
        found: Floats = np.mean(
            [one(s.truth == c, s.answers == c, s.w) for c in s.shown], axis=0
        )  # fmt: skip
        return found

    return parts


def _roc(s: Scored) -> Floats:
    proba = _proba(s)
    parts: Floats = np.mean(
        [influence.area_under_roc(s.truth == c, proba[:, c], s.w, s.folds) for c in s.shown], axis=0
    )
    return parts


def _precise(s: Scored) -> Floats:
    proba = _proba(s)
    parts: Floats = np.mean(
        [influence.average_precision(s.truth == c, proba[:, c], s.w) for c in s.shown], axis=0
    )
    return parts


def _balanced(s: Scored) -> Floats:
    """Recall, averaged over all classes that occur, whichever class is positive."""
    return _each(influence.recall)(replace(s, positive=None))


def _log_losses(s: Scored) -> Floats:
    said = _proba(s)[np.arange(len(s.truth)), s.truth]
    losses: Floats = -np.log(np.clip(said, np.finfo(np.float64).eps, 1.0))
    return losses


def _brier(s: Scored) -> Floats:
    proba = _proba(s)
    away: Floats = np.square(proba - np.eye(proba.shape[1])[s.truth]).sum(axis=1)
    return away / 2 if proba.shape[1] == 2 else away


def _proba(s: Scored) -> Floats:
    assert s.proba is not None  # noqa: S101 - checked at the door
    return s.proba


def _right(s: Scored) -> Floats:
    right: Floats = (s.answers == s.truth).astype(np.float64)
    return right


_C, _R = "classification", "regression"
METRICS: Mapping[str, Metric] = {
    one.key: one
    for one in (
        Metric("accuracy", "accuracy", _C, _right, by_rows=True),
        Metric("balanced_accuracy", "balanced accuracy", _C, _balanced),
        Metric("f1", "F1", _C, _each(influence.f1), one_class=True),
        Metric("precision", "precision", _C, _each(influence.precision), one_class=True),
        Metric("recall", "recall", _C, _each(influence.recall), one_class=True),
        Metric("auc", "AUC", _C, _roc, proba=True, ranks=True, one_class=True),
        Metric("average_precision", "average precision", _C, _precise, proba=True, ranks=True,
               one_class=True),
        Metric("log_loss", "log loss", _C, _log_losses, proba=True, by_rows=True, higher=False),
        Metric("brier", "Brier score", _C, _brier, proba=True, by_rows=True, higher=False),
        Metric("r2", "R2", _R, lambda s: influence.r2(s.truth, s.errors)),
        Metric("mae", "MAE", _R, lambda s: np.abs(s.errors), by_rows=True, higher=False),
        Metric("rmse", "RMSE", _R, lambda s: influence.root_mean_square(s.errors), higher=False),
    )
}  # fmt: skip
_SAME = {  # scikit-learn's names of scorers for what is here, and other spellings
    "roc_auc": "auc", "roc_auc_ovr": "auc", "neg_log_loss": "log_loss", "neg_brier_score": "brier",
    "neg_mean_absolute_error": "mae", "neg_root_mean_squared_error": "rmse", "brier_score": "brier",
}  # fmt: skip
DEFAULTS = {_C: METRICS["accuracy"], _R: METRICS["r2"]}


def metric_of(wanted: Any, task: str) -> Metric:
    """Return the metric that is meant.

    Parameters
    ----------
    wanted : str, callable, Metric or None
        A name here, a name of a scikit-learn scorer, a scorer of one's own called as
        ``scorer(estimator, X, y)``, or None for accuracy or R2.
    task : {"classification", "regression"}

    Raises
    ------
    InputError
        There is no such metric, or it is for the other task.

    Examples
    --------
    >>> metric_of("AUC", "classification").title, metric_of(None, "regression").title
    ('AUC', 'R2')
    >>> metric_of("matthews_corrcoef", "classification").title
    'matthews_corrcoef'
    """
    if wanted is None:
        return DEFAULTS[task]
    if isinstance(wanted, Metric):
        found = wanted
    elif not isinstance(wanted, str):
        return from_scorer(wanted)
    else:
        key = wanted.strip().lower().replace(" ", "_").replace("-", "_")
        key = _SAME.get(key, key)
        if key not in METRICS:
            if key in scorer_names():
                return from_scorer(key)
            here = [name for name, one in METRICS.items() if one.task in (None, task)]
            raise InputError(
                f"there is no metric {wanted!r}. For a {task}: {', '.join(here)}, or a scorer of "
                f"scikit-learn: {', '.join(scorer_names())}"
            )
        found = METRICS[key]
    if found.task not in (None, task):
        here = [name for name, one in METRICS.items() if one.task == task]
        raise InputError(
            f"{found.title} is a metric for a {found.task}, and this is a {task}; take one of "
            f"{', '.join(here)}"
        )
    return found
