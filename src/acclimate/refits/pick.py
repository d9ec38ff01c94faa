"""Pick a method by cross-validation on the labelled target rows, and on nothing else."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.folds import few_label_folds
from acclimate.judging.crossfitted import first_level

if TYPE_CHECKING:
    from acclimate.adapter import Adapter
    from acclimate.domain import Domain


def pick(
    candidates: Mapping[str, Adapter],
    X: Any,
    y: Any,
    target: Domain,
    *,
    folds: int = 5,
    repeats: int = 1,
    errors: float = 2.0,
    random_state: int = 0,
) -> tuple[str, dict[str, float]]:
    """Pick one of several methods by cross-validation on the target's labelled rows.

    Use it when the target has labels, but too few to set some aside for tests. Do not use the score
    of the picked method as an estimate of how good it is: the best of many looks better than it is.
    Judge it with `verdict`, on other rows.

    Each candidate is adapted to the training part of each fold and scored on the held-out part.
    The best mean score wins, unless it cannot be told apart: of all candidates whose paired
    difference to the best is at most ``errors`` standard errors, the *first in the order given* is
    picked. So give the candidates in the order in which you would trust them without any labels,
    and have `SourceOnly` and `TargetOnly` among them.

    Parameters
    ----------
    candidates : mapping from str to Adapter
        Methods by name, the preferred ones first. One that is fitted keeps its source model; the
        others are fitted on ``X`` and ``y``. None of them is changed.
    X : array-like or data frame of shape (n, ...)
        Source rows. None where every candidate is fitted.
    y : array-like of shape (n,)
        Source labels or values. None where every candidate is fitted.
    target : Domain
        The target, with labels on at least 2 rows.
    folds : int, default=5
        Folds a repeat, at least 2.
    repeats : int, default=1
        How often to split anew, at least 1.
    errors : float, default=2.0
        Standard errors within which two candidates count as level, at least 0. 0 picks the best
        mean.
    random_state : int, default=0
        Seeds the folds.

    Returns
    -------
    name : str
        The picked candidate.
    scores : dict from str to float
        Cross-validated accuracy of each candidate, or minus its mean squared error. Empty where
        the labels do not allow a single fold with two classes to train on; the first candidate is
        picked then.

    Raises
    ------
    InputError
        There are no candidates, or the target has no labels.

    Notes
    -----
    Rows of the target without a label stay in every fold, so that methods that use them see all
    of them. A held-out row stays too, without its label.

    On wine and on simulated shifts of optdigits and pendigits with 10 to 50 labels, the best order
    was `JointObjective`, `ParameterTransfer`, then `FineTune` and last the baselines, and two
    errors did better than none or one: so few labels seldom tell good methods apart, and what
    blends both domains is seldom far below either (``benchmarks/few_labels.py --develop``).

    The rule of one standard error is that of Breiman and others for trees. Deviations: there are
    two, and the error is that of the paired difference over rows, not that of the best score over
    folds.

    References
    ----------
    Breiman, Friedman, Olshen and Stone, "Classification and regression trees",
    doi:10.1201/9781315139470.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, SourceOnly, TargetOnly
    >>> from acclimate.refits.pick import pick
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> y = (X[:, 0] > 0).astype(int)
    >>> methods = {"source only": SourceOnly(), "target only": TargetOnly()}
    >>> pick(methods, X, y, Domain(X, y))[0], pick(methods, X, y, Domain(X, 1 - y))[0]
    ('source only', 'target only')
    """
    if not errors >= 0:
        raise InputError(f"errors must be at least 0, got {errors!r}")
    table = held_out_scores(
        candidates, X, y, target, folds=folds, repeats=repeats, random_state=random_state
    )
    names = list(candidates)
    if table.shape[1] == 0:
        return names[0], {}
    means = table.mean(axis=1)
    return names[first_level(table, errors)], dict(zip(names, means.tolist(), strict=True))


def held_out_scores(
    candidates: Mapping[str, Adapter],
    X: Any,
    y: Any,
    target: Domain,
    *,
    folds: int = 5,
    repeats: int = 1,
    random_state: int = 0,
) -> NDArray[np.float64]:
    """Return what each candidate scores on each labelled target row while it is held out.

    Parameters
    ----------
    candidates, X, y, target, folds, repeats, random_state
        As in `pick`.

    Returns
    -------
    ndarray of shape (candidates, rows)
        Share of right answers over the repeats, or minus the mean squared error. Rows that could
        not be held out are missing; there are none at all where no fold has two classes.

    Raises
    ------
    InputError
        There are no candidates, or the target has no labels.
    """
    if not candidates:
        raise InputError("candidates is empty; name at least one method")
    if target.y is None:
        raise InputError("picking needs target labels: pass Domain(X_target, y_target)")
    values = np.asarray(target.y)
    known = np.arange(len(values)) if target.labelled is None else np.flatnonzero(target.labelled)
    labels = values[known]
    classify = not next(iter(candidates.values()))._regression()
    parts = few_label_folds(
        labels, classify=classify, folds=folds, repeats=repeats, seed=random_state
    )
    if classify:  # nobody can learn from one class
        parts = [part for part in parts if len(np.unique(labels[part[0]])) > 1]
    rows = [
        _row_scores(_fitted(method, X, y), target, values, known, parts, classify)
        for method in candidates.values()
    ]
    return np.array(rows)


def _fitted(method: Adapter, X: Any, y: Any) -> Adapter:
    """Return a copy with a source model; `adapt` on it leaves the original alone."""
    from sklearn.base import clone

    if hasattr(method, "source_model_"):
        return copy.copy(method)
    fresh: Adapter = clone(method)
    return fresh.fit(X, y)


def _row_scores(
    method: Adapter,
    target: Domain,
    values: NDArray[Any],
    known: NDArray[np.intp],
    parts: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    classify: bool,
) -> NDArray[np.float64]:
    """Return the mean score of each held-out row over the repeats, shape (rows,)."""
    total, times = np.zeros(len(known)), np.zeros(len(known))
    for train, held in parts:
        mask = np.zeros(len(values), dtype=bool)
        mask[known[train]] = True
        method.adapt(replace(target, labelled=mask))
        rows = known[held]
        X = target.X.iloc[rows] if hasattr(target.X, "iloc") else target.X[rows]
        answers, truth = method.predict(X), values[rows]
        total[held] += answers == truth if classify else -np.square(answers - truth)
        times[held] += 1
    tested = times > 0
    scores: NDArray[np.float64] = total[tested] / times[tested]
    return scores
