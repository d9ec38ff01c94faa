"""Components on which class means agree, too, by pseudo-labels of the target: JDA and BDA."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.adapter import fit_model
from acclimate.exceptions import InputError
from acclimate.mapping.expansion import ComponentsAdapter, Expansion
from acclimate.mapping.gaps import mean_gap
from acclimate.mapping.mapped import own_order
from acclimate.templates import Map
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]
Labels = NDArray[Any]


class PseudoLabelAdapter(ComponentsAdapter):
    """Solve, label the target with a model of the mapped source, and solve again.

    A subclass writes `_gaps`. The first solution aligns the domains' means alone.
    """

    rounds: int

    @abstractmethod
    def _gaps(self, Z: Array, codes: NDArray[np.intp], n: int) -> Array:
        """Return the factor E of the differences that count, shape (N, r).

        Parameters
        ----------
        Z : ndarray of shape (N, k)
            Features of all rows, source first.
        codes : integer ndarray of shape (N,)
            Class of each row, from 0.
        n : int
            Number of source rows.
        """

    def _times(self, codes: NDArray[np.intp]) -> int:
        """Return how often M_0 counts."""
        return int(codes.max()) + 1 if self.as_published else 1

    def _check_settings(self) -> None:
        super()._check_settings()
        check_classifier(self)

    def _solve(self, rows: Expansion, source: Rows, target: Rows, seed: int) -> tuple[Array, float]:
        n, m = len(source.X), len(target.X)
        classes = np.unique(source.labels)
        y = np.searchsorted(classes, source.labels)
        E = mean_gap(n, m)
        used = np.empty(0, classes.dtype)
        for taken in range(self.rounds + 1):
            P, roots, _ = self._find(rows, E)
            k = self._held(roots)
            P, roots = P[:, :k], roots[:k]
            if taken == self.rounds:
                break
            Z = rows.features(P) * self._unit(n + m)
            if not self.as_published:
                Z -= Z.mean(0)
            labels = label_target(self._base(), Z, source, target, seed)
            if np.array_equal(labels, used):
                break
            used = labels
            E = self._gaps(Z, np.concatenate([y, np.searchsorted(classes, labels)]), n)
        self.n_rounds_, self.pseudo_labels_ = taken, used
        return P, float((1.0 / roots).sum())

    def _align(self, source: Rows, target: Rows, seed: int) -> tuple[Map, Map]:
        maps = super()._align(source, target, seed)
        self.pseudo_labels_ = self.pseudo_labels_[np.argsort(own_order(target.X, seed))]
        return maps


def label_target(estimator: Any, Z: Array, source: Rows, target: Rows, seed: int) -> Labels:
    """Return a label of each target row: what is known, else what a model of the source answers.

    Parameters
    ----------
    estimator : classifier
        Is cloned.
    Z : ndarray of shape (N, k)
        Features of all rows, source first.
    source, target : Rows
        Labels, known positions and weights.
    seed : int
        Seeds the model.

    Returns
    -------
    ndarray of shape (m,)
        Labels in the source's words.
    """
    n = len(source.X)
    known = slice(None) if target.labelled is None else target.labelled
    features, y, weight = Z[:n], source.labels, source.weight
    if target.y is not None:
        features = np.concatenate([features, Z[n:][known]])
        y = np.concatenate([y, target.y])
        if weight is not None:
            weight = np.concatenate([weight, np.full(len(target.y), source.unit)])
    answers: Labels = np.asarray(
        fit_model(estimator, Rows(features, y, None, weight), seed).predict(Z[n:])
    ).astype(y.dtype)
    if target.y is not None:
        answers[known] = target.y
    return answers


def check_classifier(method: Any) -> None:
    """Raise where the base model of a method is a regressor."""
    if method._regression():
        raise InputError(
            f"{type(method).__name__} compares classes, and {type(method._base()).__name__} is a "
            f"regressor; use TCA or TJM"
        )
