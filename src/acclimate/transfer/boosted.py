"""Go on boosting from a source model's scores, on target rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_regressor
from sklearn.tree import DecisionTreeRegressor

from acclimate.base.sized import leaf_rows

Floats = NDArray[np.float64]
ROUNDS = 30
RATE = 0.1
LEAVES = 8
PULL = 1.0  # added to the curvature of a leaf: few rows move it little


def raw_scores(model: Any, X: Any) -> Floats:
    """Return a boosted model's scores before the link, shape (m,) or (m, n_classes).

    Parameters
    ----------
    model : fitted classifier or regressor
        Two classes have the log odds of the second.
    X : array or data frame of shape (m, d)
        Rows.
    """
    if is_regressor(model):
        return np.asarray(model.predict(X), dtype=np.float64)
    P = np.clip(np.asarray(model.predict_proba(X), dtype=np.float64), 1e-6, None)
    return np.log(P[:, 1] / P[:, 0]) if P.shape[1] == 2 else np.log(P)


def slopes(scores: Floats, codes: NDArray[Any], classes: int) -> tuple[Floats, Floats]:
    """Return minus the gradient of each row's loss in its scores, and the curvature.

    Parameters
    ----------
    scores : ndarray of shape (m,) or (m, k)
        Before the link.
    codes : ndarray of shape (m,)
        Class codes, or values where ``classes`` is 0.
    classes : int
        0 for half the squared error, 2 for the logistic loss, more for the softmax loss.

    Examples
    --------
    >>> slopes(np.zeros(2), np.array([0, 1]), 2)
    (array([-0.5,  0.5]), array([0.25, 0.25]))
    """
    if not classes:
        return codes - scores, np.ones(len(codes))
    if classes == 2:
        p = expit(scores)
        return codes - p, p * (1.0 - p)
    P = softmax(scores, axis=1)
    return np.eye(classes)[codes.astype(np.intp)] - P, P * (1.0 - P)


class Boosted(BaseEstimator):  # type: ignore[misc]
    """A fitted boosted model, and further trees fitted to the gradients at its scores.

    `warm_start` would bin the inputs anew, and is valid on the rows of the first fit only. With no
    rounds the answers are the source model's.

    Parameters
    ----------
    model : fitted estimator
        Boosting of any make, with ``predict_proba`` where it classifies.
    rounds : int, at least 0, default=30
        Trees, for each class where there are more than two.
    rate : float, above 0, default=0.1
        Share of each tree that is added.

    References
    ----------
    Friedman, "Greedy function approximation: a gradient boosting machine",
    doi:10.1214/aos/1013203451. Deviation: leaves take a Newton step with a ridge of 1.
    """

    def __init__(self, model: Any, rounds: int = ROUNDS, rate: float = RATE) -> None:
        self.model = model
        self.rounds = rounds
        self.rate = rate

    def _matrix(self, X: Any) -> Any:
        """Return rows as numbers, categories as the codes that the model gave them."""
        read = getattr(self.model, "_read", None)
        return np.asarray(X if read is None else read(X, reset=False), dtype=np.float64)

    def fit(self, X: Any, y: NDArray[Any], sample_weight: Any = None) -> Boosted:
        """Learn the further trees from target rows."""
        known = getattr(self.model, "classes_", None)
        classes = 0 if known is None else len(known)
        codes = np.asarray(y, dtype=np.float64) if known is None else np.searchsorted(known, y)
        scores, rows = raw_scores(self.model, X), self._matrix(X)
        w = np.ones(len(codes)) if sample_weight is None else np.asarray(sample_weight)
        leaf = leaf_rows(len(codes))
        self.trees_: list[list[Any]] = []
        for _ in range(self.rounds):
            down, bend = slopes(scores, codes, classes)
            G, H = (a.reshape(len(codes), -1) for a in (down, bend))
            grown = []
            for k in range(G.shape[1]):
                tree = DecisionTreeRegressor(
                    max_leaf_nodes=LEAVES, min_samples_leaf=leaf, random_state=k
                ).fit(rows, G[:, k], sample_weight=w)
                _newton(tree, rows, w * G[:, k], w * H[:, k])
                grown.append(tree)
            self.trees_.append(grown)
            scores = scores + self.rate * _moves(grown, rows).reshape(scores.shape)
        if known is not None:
            self.classes_ = known
        self.n_features_in_ = self.model.n_features_in_
        return self

    def scores(self, X: Any) -> Floats:
        """Return the scores before the link, shape (m,) or (m, n_classes)."""
        scores = raw_scores(self.model, X)
        if self.trees_:
            rows = self._matrix(X)
            for grown in self.trees_:
                scores = scores + self.rate * _moves(grown, rows).reshape(scores.shape)
        return scores


class BoostedClassifier(ClassifierMixin, Boosted):  # type: ignore[misc]
    """See `Boosted`."""

    def predict_proba(self, X: Any) -> Floats:
        """Return class probabilities, shape (m, n_classes)."""
        if not self.trees_:
            return np.asarray(self.model.predict_proba(X))
        scores = self.scores(X)
        if scores.ndim == 1:
            p = expit(scores)
            return np.column_stack([1.0 - p, p])
        shares: Floats = softmax(scores, axis=1)
        return shares

    def predict(self, X: Any) -> Any:
        """Return labels, shape (m,)."""
        if not self.trees_:
            return self.model.predict(X)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class BoostedRegressor(RegressorMixin, Boosted):  # type: ignore[misc]
    """See `Boosted`."""

    def predict(self, X: Any) -> Any:
        """Return values, shape (m,)."""
        return self.scores(X)


def _newton(tree: Any, rows: Any, slope: Floats, bend: Floats) -> None:
    """Set the value of each leaf to ``sum g / (sum h + 1)``."""
    leaf = tree.apply(rows)
    n = tree.tree_.node_count
    up, down = np.bincount(leaf, slope, n), np.bincount(leaf, bend, n)
    tree.tree_.value[:, 0, 0] = up / (down + PULL)


def _moves(trees: list[Any], rows: Any) -> Floats:
    return np.column_stack([tree.predict(rows) for tree in trees])
