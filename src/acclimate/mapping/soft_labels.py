"""Target rows that belong to several classes in part: how methods of transport train on them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import has_fit_parameter

from acclimate.adapter import Adapter, fit_model
from acclimate.templates import fit_weighted
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]
LEAST = 0.01  # shares below are left out, so that rows are not repeated for nothing


class DenseAdapter(Adapter):
    """An `Adapter` on finite dense rows that checks its settings before the first fit.

    A subclass writes `_adapt` and `_check_settings`.
    """

    def _check_settings(self) -> None:
        """Raise where a setting cannot be used."""

    def _fit_source(self, source: Rows, seed: int) -> Any:
        self._check_settings()
        return super()._fit_source(source, seed)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.preprocess is not None
        return tags


def fit_soft(
    estimator: Any,
    X: Array,
    shares: Array,
    classes: NDArray[Any],
    seed: int,
    source: Rows | None = None,
    shrinkage: float = 0.0,
) -> Any:
    """Return a classifier fitted on rows whose labels are shares of classes.

    Each row is repeated for each class of which it has at least a hundredth, with the share as its
    weight. An estimator without ``sample_weight`` gets each row once, with its largest class.
    Every class keeps one row at least. With a shrinkage the model minimises that share of the mean
    loss of the source rows, and the rest of it on the rows; see `fit_joined`.

    Parameters
    ----------
    estimator : classifier
        It is cloned.
    X : ndarray of shape (m, d)
        Rows.
    shares : ndarray of shape (m, k)
        Share of each class; each line sums to 1.
    classes : ndarray of shape (k,)
        Labels of the columns.
    seed : int
        Seeds random states that are None.
    source : Rows, default=None
        Source rows, labelled by classes. Read with a shrinkage alone.
    shrinkage : float, default=0.0
        In [0, 1].
    """
    weighted = has_fit_parameter(estimator, "sample_weight")
    kept = shares >= LEAST if weighted else np.zeros(shares.shape, dtype=bool)
    kept[np.arange(len(X)), shares.argmax(1)] = True
    lost = np.flatnonzero(~kept.any(0))
    kept[shares[:, lost].argmax(0), lost] = True
    i, c = np.nonzero(kept)
    weight = None
    if weighted:
        weight = np.maximum(shares[i, c], 1e-6)
        weight = weight * (len(X) / weight.sum())  # the penalty of the model keeps its meaning
    rows = Rows(X[i], classes[c], None, weight)
    if source is None or shrinkage == 0:
        return fit_model(estimator, rows, seed)
    return fit_joined(estimator, rows, source, shrinkage, seed)


def fit_joined(estimator: Any, rows: Rows, source: Rows, shrinkage: float, seed: int) -> Any:
    """Return a model of ``shrinkage`` times the source's mean loss and the rest that of the rows.

    All weights sum to that mean of the numbers of rows, so that the penalty of a model keeps its
    meaning: with 1 it is the source model. For an estimator without ``sample_weight``, rows are
    drawn in proportion to their weights.

    Parameters
    ----------
    estimator : estimator
        It is cloned.
    rows : Rows
        Labelled rows, weighted or not.
    source : Rows
        Labelled source rows, weighted or not.
    shrinkage : float
        In (0, 1].
    seed : int
        Seeds random states that are None.
    """
    if shrinkage == 1:
        return fit_weighted(estimator, source, seed)
    sides = ((1.0 - shrinkage, rows), (shrinkage, source))
    counts = [side.counts for _, side in sides]
    total = sum(share * c.sum() for (share, _), c in zip(sides, counts, strict=True))
    weight = [c * (share * total / c.sum()) for (share, _), c in zip(sides, counts, strict=True)]
    X = np.concatenate([rows.X, source.X])
    y = np.concatenate([rows.labels, source.labels])
    return fit_weighted(estimator, Rows(X, y, None, np.concatenate(weight)), seed)
