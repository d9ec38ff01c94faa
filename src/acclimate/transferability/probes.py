"""Probes: how well a simple model predicts the labels from frozen features, on held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acclimate.arrays import as_codes, as_features, as_values, check_task, one_hot
from acclimate.exceptions import InputError
from acclimate.folds import Fold, few_label_folds, row_keys
from acclimate.judging.intervals import Interval, nadeau_bengio_interval
from acclimate.maths.ridge import ridge_predictions

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ProbeScore:
    """What a probe scored on held-out rows.

    Parameters
    ----------
    score : float
        Accuracy, or R2 of a regression; mean over folds.
    low, high : float
        Ends of its interval over the folds.
    folds : tuple of float
        Score of each fold.
    n_train, n_test : int
        Rows of a fold, on average.
    """

    score: float
    low: float
    high: float
    folds: tuple[float, ...]
    n_train: int
    n_test: int

    def above(self, other: ProbeScore, confidence: float = 0.95) -> Interval:
        """Return how far this score is above another on the same folds, with its interval."""
        if len(self.folds) != len(other.folds):
            raise InputError(
                f"probes on {len(self.folds)} and {len(other.folds)} folds cannot be paired"
            )
        gains = np.array(self.folds) - np.array(other.folds)
        return nadeau_bengio_interval(gains, self.n_train, self.n_test, confidence)


def linear_probe(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    task: str = "classification",
    folds: int = 5,
    repeats: int = 2,
    confidence: float = 0.95,
    random_state: int = 0,
    parts: Sequence[Fold] | None = None,
) -> ProbeScore:
    """Score features by a linear model of the labels, on held-out rows.

    Use it as the plain measure beside every transferability score. Do not use it to foretell the
    accuracy after fine-tuning all weights: that can be far higher.

    Ridge regression on standardised features, of the values or of indicators of the classes (the
    largest wins): it minimises ``||Y - X w||^2 + a ||w||^2``. The penalty a is the one of 21 with
    the smallest leave-one-out error on the training rows.

    Parameters
    ----------
    features : array-like of shape (n, d)
        Features of the labelled target rows.
    labels : array-like of shape (n,)
        Their labels or values.
    task : {"classification", "regression"}, default="classification"
        What the labels are.
    folds : int, default=5
        Folds a repeat, at least 2.
    repeats : int, default=2
        How often to split anew, at least 1.
    confidence : float in (0, 1), default=0.95
        Confidence of the interval.
    random_state : int, default=0
        Seeds the folds, which depend on the rows' values and not on their order.
    parts : sequence of (train, held), default=None
        Folds to use instead, so that probes of several features can be paired.

    Returns
    -------
    ProbeScore

    Raises
    ------
    InputError
        Features, labels or settings cannot be used.

    Notes
    -----
    The interval is that of `nadeau_bengio_interval`, since the folds share training rows. A fold's
    R2 takes the variance of all values, so that folds of few rows do not divide by a small number.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate.transferability.criteria import linear_probe
    >>> y = np.arange(100) % 2
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) + 4 * y[:, None]
    >>> linear_probe(X, y).score
    1.0
    """
    return _probe(
        ridge_predictions, features, labels, task, folds, repeats, confidence, random_state, parts
    )


def knn_probe(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    neighbors: int = 5,
    task: str = "classification",
    folds: int = 5,
    repeats: int = 2,
    confidence: float = 0.95,
    random_state: int = 0,
    parts: Sequence[Fold] | None = None,
) -> ProbeScore:
    """Score features by the nearest neighbours' labels, on held-out rows.

    Use it beside `linear_probe`, for features whose classes are clusters but not linearly apart. Do
    not use it on features of different scales: distances are taken as they are.

    Parameters
    ----------
    features : array-like of shape (n, d)
        Features of the labelled target rows.
    labels : array-like of shape (n,)
        Their labels or values.
    neighbors : int, default=5
        Neighbours that vote, at least 1; all training rows where there are fewer.
    task, folds, repeats, confidence, random_state, parts
        As in `linear_probe`.

    Returns
    -------
    ProbeScore

    Raises
    ------
    InputError
        Features, labels or settings cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate.transferability.criteria import knn_probe
    >>> y = np.arange(100) % 2
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) + 9 * y[:, None]
    >>> knn_probe(X, y).score
    1.0
    """
    if neighbors < 1:
        raise InputError(f"neighbors must be at least 1, got {neighbors!r}")

    def vote(X: NDArray[Any], Y: Floats, new: NDArray[Any]) -> Floats:
        from sklearn.neighbors import KNeighborsRegressor

        # the mean of indicators is the vote
        model = KNeighborsRegressor(min(neighbors, len(X)), algorithm="brute")
        answer: Floats = model.fit(X, Y).predict(new)
        return answer.reshape(len(new), -1)

    return _probe(vote, features, labels, task, folds, repeats, confidence, random_state, parts)


def probe_folds(
    keys: NDArray[np.uint64],
    labels: ArrayLike,
    task: str,
    folds: int,
    repeats: int,
    random_state: int,
) -> list[Fold]:
    """Return folds that depend on the rows' values, stratified by class.

    Parameters
    ----------
    keys : ndarray of shape (n,)
        From `row_keys`: numbers that tell the rows apart.
    labels, task, folds, repeats, random_state
        As in `linear_probe`.
    """
    y = np.asarray(labels)
    return few_label_folds(
        y,
        classify=task == "classification",
        folds=folds,
        repeats=repeats,
        seed=random_state,
        key=keys,
    )


def _probe(
    predict: Callable[[NDArray[Any], Floats, NDArray[Any]], Floats],
    features: ArrayLike,
    labels: ArrayLike,
    task: str,
    folds: int,
    repeats: int,
    confidence: float,
    random_state: int,
    parts: Sequence[Fold] | None,
) -> ProbeScore:
    """Return the score of ``predict(X, Y, new) -> outputs`` over folds."""
    F = as_features(features)
    if check_task(task):
        codes, classes = as_codes(labels, len(F))
        Y = one_hot(codes, len(classes))
    else:
        codes = np.zeros(0, dtype=np.intp)
        Y = as_values(labels, len(F))
    if parts is None:
        strata = codes if len(codes) else Y[:, 0]
        keys = row_keys(F, random_state)
        parts = probe_folds(keys, strata, task, folds, repeats, random_state)
    if len(parts) < 2:
        raise InputError(f"a probe needs at least 2 folds, and {len(F)} rows give {len(parts)}")
    spread = Y.var(axis=0).mean()
    if not spread > 0:
        raise InputError("the labels are all equal, so there is nothing to predict")
    scores = []
    for train, held in parts:
        answers = predict(F[train], Y[train], F[held])
        if len(codes):
            scores.append(float((answers.argmax(axis=1) == codes[held]).mean()))
        else:
            scores.append(1.0 - float(np.square(answers - Y[held]).mean() / spread))
    n_test = max(1, round(float(np.mean([len(held) for _, held in parts]))))
    n_train = max(1, round(float(np.mean([len(train) for train, _ in parts]))))
    score, low, high = nadeau_bengio_interval(scores, n_train, n_test, confidence)
    if len(codes):
        low = max(low, 0.0)
    return ProbeScore(score, low, min(high, 1.0), tuple(scores), n_train, n_test)
