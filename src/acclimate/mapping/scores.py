"""A classifier made of one score for each class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.templates import Map

Array = NDArray[np.floating[Any]]


class ScoredClasses:
    """Answers the class of the highest score.

    Parameters
    ----------
    map : callable
        Maps rows (m, k) to scores (m, n_classes), made to be 1 for the class and 0 for the others.
    classes : ndarray of shape (n_classes,)
        Labels, sorted.
    """

    def __init__(self, map: Map, classes: NDArray[Any]) -> None:
        self.map = map
        self.classes_ = classes

    def predict(self, X: Array) -> Any:
        """Return labels, shape (m,)."""
        return self.classes_[self.map(X).argmax(1)]

    def predict_proba(self, X: Array) -> Array:
        """Return the probabilities that are nearest to the scores, shape (m, n_classes)."""
        return to_simplex(self.map(X))

    def decision_function(self, X: Array) -> Array:
        """Return scores, shape (m, n_classes); for two classes their difference, shape (m,)."""
        scores = self.map(X)
        return scores if scores.shape[1] > 2 else scores[:, 1] - scores[:, 0]


def to_simplex(S: Array) -> Array:
    """Return the point of the probability simplex that is nearest to each row, shape (m, c).

    >>> to_simplex(np.array([[0.5, 0.1], [2.0, 0.0]]))
    array([[0.7, 0.3],
           [1. , 0. ]])
    """
    m, c = S.shape
    falling = -np.sort(-S, axis=1)
    # the largest number of entries that stay above 0 when all are lowered alike to a sum of 1
    lowered = (np.cumsum(falling, axis=1) - 1.0) / np.arange(1, c + 1, dtype=S.dtype)
    last = (falling > lowered).sum(1) - 1
    P: Array = np.maximum(S - lowered[np.arange(m), last][:, None], 0.0)
    return P
