"""How a step of preprocessing is fitted: on the source, on both domains, or on each by itself."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from acclimate.folds import as_often
from acclimate.preprocessing.each_domain import EachDomain
from acclimate.refusing import as_input_error
from acclimate.validation import Rows, count, stack, take


def fit_step(step: Any, rows: Rows, seed: int) -> Any:
    """Fit a transformer, to which weights count as rows, and return the rows transformed.

    Parameters
    ----------
    step : transformer
        Is fitted.
    rows : Rows
        The source. Where there are several, `EachDomain` transforms each by a fit of its own.
    seed : int
        Draws parts of rows, for transformers that take no weights.
    """
    if rows.domains is not None and by_domain(step):
        return _fit_sources(step, rows, seed)
    if rows.weight is None:
        with as_input_error(rows.X, type(step).__name__, only=ValueError):
            return step.fit_transform(rows.X, rows.y)
    if has_fit_parameter(step, "sample_weight"):
        return step.fit_transform(rows.X, rows.y, sample_weight=rows.weight)
    index = as_often(rows.counts, seed)
    y = None if rows.y is None else rows.y[index]
    return step.fit(take(rows.X, index), y).transform(rows.X)


def fit_on_both(step: Any, source: Rows, raw: Any, target: Any, seed: int) -> tuple[Any, Any, Any]:
    """Fit a transformer on the rows of both domains; return it, and the rows of each."""
    weight = source.weight
    if weight is not None:
        weight = np.append(weight, np.full(count(target), source.unit))
    fit_step(step, Rows(stack(raw, target), None, None, weight), seed)
    return step, step.transform(raw), step.transform(target)


def by_domain(step: Any) -> bool:
    """Tell whether a transformer is fitted on each domain by itself, wholly or in a step."""
    if isinstance(step, Pipeline):
        return any(by_domain(one) for _, one in step.steps)
    return isinstance(step, EachDomain)


def for_target(step: Any, X: Any, weight: Any = None) -> Any:
    """Return a fitted transformer as it is for the rows of a target; it is not changed.

    Parameters
    ----------
    step : fitted transformer
        On the source.
    X : array-like of shape (m, ...)
        All rows of the target.
    weight : ndarray of shape (m,), default=None
        Their weights.
    """
    if not by_domain(step):
        return step
    if isinstance(step, EachDomain):
        with as_input_error(X, "EachDomain", only=ValueError):
            return step.refitted(X, weight)
    steps = []
    for name, one in step.steps:
        moved = for_target(one, X, weight)
        steps.append((name, moved))
        if hasattr(moved, "transform"):  # a word stands for a step that passes rows on
            X = moved.transform(X)
    found = copy.copy(step)
    found.steps = steps
    return found


def _fit_sources(step: Any, rows: Rows, seed: int) -> Any:
    """Fit on the rows of all sources, and return each source's transformed by a fit of its own."""
    if isinstance(step, Pipeline):
        X = rows.X
        for _, one in step.steps:
            if hasattr(one, "transform"):
                X = fit_step(one, replace(rows, X=X), seed)
        return X
    fit_step(step, replace(rows, domains=None), seed)
    parts, places, ids = [], [], np.asarray(rows.domains)
    for name in np.unique(ids):
        index = np.flatnonzero(ids == name)
        X = take(rows.X, index)
        own = for_target(step, X, None if rows.weight is None else rows.weight[index])
        parts.append(own.transform(X))
        places.append(index)
    return take(reduce(stack, parts), np.argsort(np.concatenate(places)))
