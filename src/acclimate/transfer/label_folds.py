"""Choosing a setting by the loss on target labels that were held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.folds import few_label_folds
from acclimate.validation import Rows, take

Floats = NDArray[np.float64]
LEAST = 1e-3  # a probability below counts as this much: one row must not decide


def held_out_loss(
    fit: Callable[[Rows, Any], Any],
    settings: Sequence[Any],
    target: Rows,
    *,
    regression: bool,
    folds: int,
    seed: int,
) -> Floats:
    """Return the mean loss of each setting on held-out target labels, shape (settings,).

    Parameters
    ----------
    fit : callable
        Labelled rows and a setting to a fitted model.
    settings : sequence
        What is compared.
    target : Rows
        Labelled rows, all of them.
    regression : bool
        Squared error; else the log loss.
    folds : int, at least 2
        Of the rows.
    seed : int
        Lays them out.
    """
    y = target.labels
    parts = few_label_folds(
        y, classify=not regression, folds=folds, seed=seed, key=row_key(target.X, seed)
    )
    total = np.zeros(len(settings))
    for train, held in parts:
        if not regression and len(np.unique(y[train])) < 2:
            continue
        some = Rows(take(target.X, train), y[train])
        for place, setting in enumerate(settings):
            model = fit(some, setting)
            total[place] += row_losses(model, take(target.X, held), y[held], regression).sum()
    return total / max(len(y), 1)


def row_losses(model: Any, X: Any, y: NDArray[Any], regression: bool) -> Floats:
    """Return the loss of each row: squared error, log loss, or 0 and 1 without probabilities.

    Parameters
    ----------
    model : fitted estimator
    X : array or data frame of shape (m, d)
    y : ndarray of shape (m,)
    regression : bool
    """
    if regression:
        squares: Floats = np.square(np.asarray(model.predict(X), dtype=np.float64) - y)
        return squares
    if not hasattr(model, "predict_proba"):
        wrong: Floats = (np.asarray(model.predict(X)) != y).astype(np.float64)
        return wrong
    return log_losses(np.asarray(model.predict_proba(X)), np.asarray(model.classes_), y)


def log_losses(proba: NDArray[Any], classes: NDArray[Any], y: NDArray[Any]) -> Floats:
    """Return minus the log probability of each row's label, shape (m,).

    A probability below a thousandth counts as a thousandth, as does that of a class which the
    model does not know.

    >>> log_losses(np.array([[0.5, 0.5]]), np.array([0, 1]), np.array([1])).round(3)
    array([0.693])
    """
    place = np.searchsorted(classes, y)
    place = np.minimum(place, len(classes) - 1)
    said = np.where(classes[place] == y, proba[np.arange(len(y)), place], 0.0)
    losses: Floats = -np.log(np.maximum(said, LEAST))
    return losses


def row_key(X: Any, seed: int) -> NDArray[Any] | None:
    """Return a number for each row that depends on its values alone, shape (m,).

    None for a data frame, whose categories are no numbers: folds then go by the order of its rows.
    """
    if hasattr(X, "iloc"):
        return None
    flat = X if len(X.shape) == 2 else X.reshape(len(X), -1)
    direction = np.random.default_rng(seed).normal(size=flat.shape[1])
    return np.asarray(flat @ direction).ravel()
