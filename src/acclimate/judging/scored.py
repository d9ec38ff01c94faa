"""Answers held against the truth, and what a metric is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scored:
    """One line of answers and what they are held against.

    Parameters
    ----------
    truth, answers : ndarray of shape (N,)
        Values; or codes of classes, the places of labels in ``classes``.
    proba : ndarray of shape (N, k) or None
        Probabilities of the classes.
    classes : ndarray of shape (k,) or None
        Labels by code; None for values.
    positive : int or None
        Code of the class that a score is of; None means the mean over the classes that occur.
    weights : ndarray of shape (N,) or None
        Importance weights with a mean of 1.
    folds : ndarray of shape (N,) or None
        Fold of each row, where answers of different folds come from different models.
    blocks : int
        Most blocks of rows that a jackknife leaves out.
    """

    truth: NDArray[Any]
    answers: NDArray[Any]
    proba: Floats | None = None
    classes: NDArray[Any] | None = None
    positive: int | None = None
    weights: Floats | None = None
    folds: NDArray[np.intp] | None = None
    blocks: int = 200

    @property
    def w(self) -> Floats:
        """The weights, or ones."""
        return np.ones(len(self.truth)) if self.weights is None else self.weights

    @property
    def errors(self) -> Floats:
        """Answers minus truth of values."""
        found: Floats = np.asarray(self.answers, dtype=np.float64) - self.truth
        return found

    @property
    def shown(self) -> list[int]:
        """Codes of the classes that a score is of."""
        return np.unique(self.truth).tolist() if self.positive is None else [self.positive]

    def take(self, rows: Any) -> Scored:
        """Return some of the rows."""
        some = {
            name: one[rows]
            for name in ("truth", "answers", "proba", "weights", "folds")
            if (one := getattr(self, name)) is not None
        }
        return replace(self, **some)


@dataclass(frozen=True, eq=False)
class Metric:
    """A score of answers.

    Parameters
    ----------
    key : str
        What a user writes.
    title : str
        What it is called in sentences and tables.
    task : {"classification", "regression"} or None
        None for both.
    parts : callable
        What each row of a `Scored` contributes, shape (N,), with its weight but for ``by_rows``.
        Their mean is the score: that of `sklearn.metrics`, where it has one.
    proba : bool, default=False
        Whether it needs probabilities.
    by_rows : bool, default=False
        Whether it is a mean over rows.
    ranks : bool, default=False
        Whether only the order of the probabilities counts.
    one_class : bool, default=False
        Whether it is of one class, or a mean over classes.
    higher : bool, default=True
        Whether more is better.
    alone : callable, default=None
        The score of a `Scored`, where that costs less than what each row contributes.
    """

    key: str
    title: str
    task: str | None
    parts: Callable[[Scored], Floats]
    proba: bool = False
    by_rows: bool = False
    ranks: bool = False
    one_class: bool = False
    higher: bool = True
    alone: Callable[[Scored], float] | None = None

    @property
    def sign(self) -> float:
        """1 where more is better, else -1."""
        return 1.0 if self.higher else -1.0

    def value(self, scored: Scored) -> float:
        """Return the score of one line.

        Raises
        ------
        InputError
            The rows do not define the metric.
        """
        if self.alone is not None:
            score = self.alone(scored)
            if not np.isfinite(score):
                raise self._undefined(len(scored.truth))
            return score
        weights = scored.weights if self.by_rows else None
        return float(np.average(self.contributions([scored])[0], weights=weights))

    def contributions(self, scored: Sequence[Scored]) -> Floats:
        """Return what each row contributes in each line, shape (D, N), on the metric's own scale.

        Raises
        ------
        InputError
            The rows do not define the metric.
        """
        found: Floats = np.array([self.parts(one) for one in scored])
        if not np.isfinite(found).all():
            raise self._undefined(found.shape[1])
        return found

    def _undefined(self, rows: int) -> InputError:
        return InputError(
            f"{self.title} is not defined on these {rows} rows: every class that it is of needs "
            f"rows, and so do the others"
        )
