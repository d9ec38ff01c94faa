"""What is compared on: the checked data of both sides and the settings of the judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate import validation as door
from acclimate.arrays import task_of
from acclimate.catalogue import Task
from acclimate.comparison.trials.shared import plain
from acclimate.domain import Domain
from acclimate.exceptions import InputError
from acclimate.judging.metrics import DEFAULTS, metric_of, positive_of
from acclimate.judging.scored import Metric
from acclimate.shares import check_class_shares


@dataclass(frozen=True, eq=False)
class Problem:
    """Checked data of a comparison.

    Parameters
    ----------
    source : Domain
        With a label for each row.
    target : Domain
        As the user gave it, but checked: ``labelled`` is a mask wherever there is a ``y``, and
        values of ``y`` outside it mean nothing.
    source_ids : ndarray of shape (n,) or None
        Which source each row comes from.
    groups : ndarray of shape (m,) or None
    task : {"classification", "regression"}
    why : str
        The reason for the task.
    classes : ndarray or None
        All labels of both sides, sorted.
    margin, confidence : float
    label_weights : ndarray of shape (k,) or None
        Importance weights of the labelled rows.
    metric : Metric or None
        What the verdict is by; None for accuracy or R2.
    positive : label or None
        The class that a metric is of; see `judging.metrics.positive_of`.
    positive_asked : bool
        Whether the user named it.
    tuned : bool
        Whether answers are by a threshold on the positive class, chosen on labels; see
        `comparison.tuned`.
    place : ndarray of shape (m,) or None
        Where the target's rows stood in the table that the user gave, if these are a sample.
    class_shares : mapping or None
        What was said of the class shares of a target with labels; without, its `Domain` has them.

    Attributes
    ----------
    known : ndarray of shape (k,)
        Positions of labelled target rows; empty without labels.
    """

    source: Domain
    target: Domain
    source_ids: NDArray[Any] | None
    groups: NDArray[Any] | None
    task: Task
    why: str
    classes: NDArray[Any] | None
    margin: float
    confidence: float
    label_weights: NDArray[np.float64] | None = None
    metric: Metric | None = None
    positive: Any = None
    positive_asked: bool = False
    tuned: bool = False
    place: NDArray[np.intp] | None = None
    class_shares: Mapping[Any, Any] | None = None

    @property
    def measure(self) -> Metric:
        """The metric that the verdict is by."""
        return DEFAULTS[self.task] if self.metric is None else self.metric

    @cached_property
    def known(self) -> NDArray[np.intp]:
        """Positions of labelled target rows; empty without labels."""
        mask = self.target.labelled
        return np.zeros(0, dtype=np.intp) if mask is None else np.flatnonzero(mask)

    @property
    def known_labels(self) -> NDArray[Any]:
        """Labels or values of those rows, shape (k,)."""
        labels: NDArray[Any] = self.target.y[self.known]
        return labels

    @property
    def bare_target(self) -> Domain:
        """The target for a method that sees no labels."""
        return replace(self.target, y=None, labelled=None)

    @property
    def names(self) -> tuple[Any, Any]:
        """What the labels of the source and of the target mean: mappings, or None."""
        return self.source.class_names, self.target.class_names

    @property
    def labelled(self) -> bool:
        """Whether any target row has a label."""
        return len(self.known) > 0

    @property
    def source_rows(self) -> int:
        """Rows of the source."""
        return door.count(self.source.X)

    @property
    def columns(self) -> int:
        """Numbers of a source row."""
        return int(np.prod(self.source.X.shape[1:]))

    @property
    def target_rows(self) -> int:
        """Rows of the target."""
        return door.count(self.target.X)

    @property
    def labels(self) -> int:
        """Rows with a label, of both domains."""
        return self.source_rows + len(self.known)

    @property
    def own_classes(self) -> bool:
        """Whether the target has classes that the source lacks."""
        if self.task == "regression" or not self.labelled:
            return False
        mine = set(np.unique(self.known_labels).tolist())
        theirs = set(np.unique(self.source.y).tolist())
        here, there = self.names
        if here is not None and there is not None:  # equal labels need not mean equal classes
            return not {there[label] for label in mine} <= {here[label] for label in theirs}
        return not mine <= theirs

    def name_of(self, label: Any) -> str:
        """Return what a label is called."""
        for names in reversed(self.names):
            if names is not None and label in names:
                return str(names[label])
        return str(label)

    def values(self) -> dict[str, Any]:
        """Return what workers need, by name. The target's labels come last: see `Spec.train`."""
        return {
            "source_X": self.source.X,
            "source_y": self.source.y,
            "source_ids": self.source_ids,
            "target_X": self.target.X,
            "target_y": self.target.y,
        }


def check_problem(
    source: Any,
    target: Any,
    *,
    estimators: Mapping[str, Any] | None,
    domains: Any,
    groups: Any,
    margin: float,
    confidence: float,
    label_weights: Any = None,
    task: str | None = None,
    metric: Any = None,
    positive: Any = None,
) -> Problem:
    """Check both sides and return the problem.

    Raises
    ------
    InputError
        A value cannot be used.
    DomainTypeError
        The target is no `Domain`.
    """
    target = door.check_target(target)
    if isinstance(source, tuple) and len(source) == 2:
        source = Domain(*source)
    if not isinstance(source, Domain) or source.y is None:
        raise InputError(
            "source must be Domain(X, y) or the pair (X, y), with a label for each row, got "
            f"{source!r}"
        )
    if source.labelled is not None:
        raise InputError("all source rows need labels; leave out those without")
    if source.sample_weight is not None:
        raise InputError(
            "a comparison takes no sample_weight of the source; leave it out, or fit one method"
        )
    if target.sample_weight is not None:
        raise InputError(
            "a comparison takes no sample_weight of the target; importance weights of its labelled "
            "rows are label_weights="
        )
    task, why = _task(estimators, source.y, task)
    classify = task == "classification"
    source, target = (
        replace(one, X=door.check_table(one.X, f"the {side}"))
        for one, side in ((source, "source"), (target, "target"))
    )
    if hasattr(source.X, "tocsr") != hasattr(target.X, "tocsr"):
        raise InputError(
            f"the source is {type(source.X).__name__} and the target {type(target.X).__name__}; "
            f"pass sparse rows on both sides, or on none"
        )
    n, m = door.count(source.X), door.count(target.X)
    y = door.check_labels(None, source.y, regression=not classify, n=n)
    if classify:
        door.check_two_classes(y, "source")
    names = (door.check_class_names(source.class_names), door.check_class_names(target.class_names))
    door.check_named(y, names[0], "source")
    known, labels, mask = np.zeros(0, dtype=np.intp), None, None
    if target.y is not None:
        seen, index = door.check_target_labels(
            target, m, regression=not classify, classes=np.unique(y) if classify else None
        )
        known = np.arange(m) if index is None else index
        door.check_named(seen, names[1], "target")
        _check_codes(np.unique(y).tolist(), np.unique(seen).tolist(), *names)
        seen = plain(seen)
        # what is not known must not be readable by anybody
        labels = np.full(m, seen[0], dtype=seen.dtype)
        labels[known] = seen
        mask = np.zeros(m, dtype=bool)
        mask[known] = True
    y = plain(y)
    classes = None
    if classify:
        both = y if labels is None else np.concatenate([y, labels[known]])
        if labels is not None and (y.dtype.kind in "US") != (labels.dtype.kind in "US"):
            raise InputError(
                f"source labels have dtype {y.dtype} and target labels {labels.dtype}; "
                "use the same kind of labels on both sides"
            )
        classes = np.unique(both)
    if target.class_shares is not None:
        _check_shares(target, np.unique(y) if classify else None, names[1] or names[0])
    measure = _metric(metric, task, labels is not None)
    asked = positive is not None
    if asked and classes is None:
        raise InputError(f"positive={positive!r} is for classes, and this is a regression")
    if classes is not None and labels is not None:
        code = positive_of(labels[known], classes, positive)
        positive = None if code is None else classes[code].item()
    return Problem(
        Domain(source.X, y, class_names=names[0], name=source.name),
        Domain(
            target.X, labels, labelled=mask, class_names=names[1], name=target.name,
            class_shares=target.class_shares if labels is None else None,
        ),
        door.check_ids(domains, n), _groups(groups, target.X, m), task, why, classes, margin,
        confidence, _weights(label_weights, m, known, classify), measure, positive, asked,
        class_shares=None if labels is None else target.class_shares,
    )  # fmt: skip


def _check_codes(
    mine: list[Any], theirs: list[Any],
    names: Mapping[Any, str] | None, others: Mapping[Any, str] | None,
) -> None:  # fmt: skip
    """Raise where a class has one label in the source and another in the target.

    What learns without target labels answers in the source's, which the target's cannot judge.
    """
    if names is None or others is None:
        return
    code = {names[label]: label for label in mine}
    if not {others[label] for label in theirs} <= set(code):
        return  # the target has classes of its own, which only its labels can teach
    for label in theirs:
        name = others[label]
        if code[name] != label:
            raise InputError(
                f"class {name!r} is {code[name]!r} in the source and {label!r} in the target; "
                f"give it the same label on both sides, so that all methods can be compared"
            )


def _check_shares(target: Domain, classes: NDArray[Any] | None, names: Any) -> None:
    """Raise where class shares cannot be used; ``classes`` of the source are None for values."""
    if classes is None:
        raise InputError("class_shares are for classes, and this is a regression")
    check_class_shares(target.class_shares, classes, names)


def _metric(wanted: Any, task: Task, labelled: bool) -> Metric | None:
    """Return the metric that is asked for; None for the one that is judged by anyway."""
    found = metric_of(wanted, task)
    if found is DEFAULTS[task]:
        return None
    if not labelled:
        raise InputError(
            f"metric {found.title} needs target labels: without any, candidates are ranked by "
            f"validators; give labels, or leave metric out"
        )
    return found


def _task(estimators: Mapping[str, Any] | None, y: Any, task: str | None) -> tuple[Task, str]:
    from sklearn.base import is_regressor

    if estimators:
        kinds = {bool(is_regressor(one)) for one in estimators.values()}
        if len(kinds) > 1:
            raise InputError("estimators must be all classifiers or all regressors")
        found: Task = "regression" if kinds.pop() else "classification"
        if task not in (None, found):
            raise InputError(f"task is {task!r}, but the estimators are for {found}")
        return found, f"the estimators are for {found}"
    return task_of(y, task)


def _groups(groups: Any, X: Any, m: int) -> NDArray[Any] | None:
    if groups is None:
        return None
    if isinstance(groups, str):
        if not hasattr(X, "columns") or groups not in X.columns:
            raise InputError(f"groups={groups!r} names no column of the target's frame")
        groups = X[groups]
    found = np.asarray([str(value) for value in np.asarray(groups).ravel().tolist()])
    if len(found) != m:
        raise InputError(
            f"groups must have one value for each of {m} target rows, got {len(found)}"
        )
    return found


def _weights(
    weights: Any, m: int, known: NDArray[np.intp], classify: bool
) -> NDArray[np.float64] | None:
    """Return the weights of the labelled rows, from one for each of them or for every row."""
    if weights is None:
        return None
    if not classify:
        raise InputError("label_weights are for classes; leave them out for a regression")
    w = np.asarray(weights, dtype=np.float64)
    if w.shape == (m,):
        w = w[known]
    if w.shape != known.shape or not np.isfinite(w).all() or (w <= 0).any():
        raise InputError(
            f"label_weights must be finite and above 0, one for each of {len(known)} labelled rows "
            f"or of {m} target rows, got shape {np.shape(weights)}"
        )
    scaled: NDArray[np.float64] = w / w.mean()
    return scaled
