"""Neural networks as scikit-learn estimators, trained by the one loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from acclimate.base.estimator import NeuralEstimator, document
from acclimate.exceptions import InputError
from acclimate.losses.supervised import (
    cross_entropy,
    cross_entropy_slope,
    squared_error,
    squared_error_slope,
)
from acclimate.training.terms import Term


@document
class NeuralClassifier(ClassifierMixin, NeuralEstimator):  # type: ignore[misc]
    """A neural network that classifies, as a scikit-learn estimator.

    Use it as the base of any method, or alone. For a few hundred rows of a table, a linear model
    or trees are often as good and always faster.

    Minimises the mean cross-entropy over the rows.

    {parameters}

    Attributes
    ----------
    network_ : Network
        The trained body and head.
    columns_ : TableColumns
        Of "tabular": how each column is read.
    classes_ : ndarray of shape (n_classes,)
        Labels in the order of the columns of `predict_proba`.
    class_weight_ : ndarray of shape (n_classes,) or None
        How much each class counts in the loss.
    history_ : History
        Loss and validation score of each epoch.
    n_iter_ : int
        Optimiser steps taken.

    Raises
    ------
    InputError
        A setting or the data cannot be used; the message shows the value.

    References
    ----------
    Kingma and Ba, "Adam", arXiv:1412.6980.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from acclimate import NeuralClassifier
    >>> X, y = make_blobs(100, centers=3, random_state=0, cluster_std=0.5)
    >>> NeuralClassifier(min_steps=100, random_state=0).fit(X, y).score(X, y) > 0.9
    True
    """

    def _learn_targets(self, y: NDArray[Any], classes: NDArray[Any] | None) -> None:
        check_classification_targets(y)
        self.classes_ = np.unique(y) if classes is None else classes
        if len(self.classes_) < 2:
            raise InputError(
                f"y has 1 class, {self.classes_.tolist()!r}; a classifier needs at least 2"
            )

    def _codes(self, y: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.searchsorted(self.classes_, y).astype(np.int64))

    def _outputs(self) -> int:
        return len(self.classes_)

    def _strata(self, y: NDArray[Any]) -> NDArray[Any] | None:
        counts = np.unique(y, return_counts=True)[1]
        enough = counts.min() >= 2 and len(y) * self.validation_fraction >= len(counts)
        return y if enough else None

    def _weigh_classes(self, y: NDArray[Any], weight: NDArray[Any] | None) -> None:
        self.class_weight_: NDArray[Any] | None = None
        if self.class_weight is None:
            return
        given = self.class_weight
        codes = np.searchsorted(self.classes_, y)
        k = len(self.classes_)
        counts = np.bincount(codes, weights=weight, minlength=k)
        if isinstance(given, str):  # a class without rows has no loss to weigh
            factors = np.where(counts > 0, counts.sum() / (np.count_nonzero(counts) * counts), 1.0)
        else:
            unknown = [label for label in given if label not in self.classes_.tolist()]
            if unknown:
                raise InputError(
                    f"class_weight names {unknown[0]!r}; the classes are {self.classes_.tolist()}"
                )
            factors = np.array([float(given.get(label, 1.0)) for label in self.classes_.tolist()])
            if not (factors >= 0).all() or not np.isfinite(factors).all() or not factors.any():
                raise InputError(f"class_weight must be finite and at least 0, got {given!r}")
        self.class_weight_ = factors

    def task(self) -> Term:
        """Return mean cross-entropy on labelled source rows."""
        found = getattr(self, "class_weight_", None)
        factors = None if found is None else torch.from_numpy(found.astype(np.float32))

        def weights(s: Any) -> Tensor | None:
            if factors is None:
                return s.weight  # type: ignore[no-any-return]
            own = factors.to(s.logits.device)[s.y]
            return own if s.weight is None else own * s.weight

        return Term(
            "loss", lambda s, t: cross_entropy(s.logits, s.y, weights(s)),
            slope=lambda s, t: cross_entropy_slope(s.logits, s.y, weights(s)),
        )  # fmt: skip

    def decision_function(self, X: Any) -> Any:
        """Return logits, shape (m, n_classes), or (m,) for two classes."""
        check_is_fitted(self, "network_")
        X = self._check_rows(X)
        logits = self.infer(X)[1].double().numpy()
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def predict_proba(self, X: Any) -> Any:
        """Return class probabilities, shape (m, n_classes)."""
        check_is_fitted(self, "network_")
        X = self._check_rows(X)
        return torch.softmax(self.infer(X)[1].double(), 1).numpy()

    def predict(self, X: Any) -> Any:
        """Return labels, shape (m,)."""
        check_is_fitted(self, "network_")
        X = self._check_rows(X)
        return self.classes_[self.infer(X)[1].argmax(1).numpy()]


@document
class NeuralRegressor(RegressorMixin, NeuralEstimator):  # type: ignore[misc]
    """A neural network that predicts a number, as a scikit-learn estimator.

    Use it as the base of any method, or alone. For a few hundred rows of a table, ridge regression
    or trees are often as good and always faster.

    Minimises the mean squared error over the rows. Target values are centred and scaled inside, and
    predictions are scaled back.

    {parameters}

    Attributes
    ----------
    network_ : Network
        The trained body and head.
    columns_ : TableColumns
        Of "tabular": how each column is read.
    mean_, scale_ : float
        Centre and scale of the target values.
    history_ : History
        Loss and validation score of each epoch.
    n_iter_ : int
        Optimiser steps taken.

    Raises
    ------
    InputError
        A setting or the data cannot be used; the message shows the value.

    References
    ----------
    Kingma and Ba, "Adam", arXiv:1412.6980.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from acclimate import NeuralRegressor
    >>> X, y = make_regression(200, n_features=3, random_state=0)
    >>> NeuralRegressor(min_steps=200, random_state=0).fit(X, y).score(X, y) > 0.9
    True
    """

    def _learn_targets(self, y: NDArray[Any], classes: NDArray[Any] | None) -> None:
        self.mean_ = float(np.mean(y))
        self.scale_ = float(np.std(y)) or 1.0

    def _codes(self, y: NDArray[Any]) -> Tensor:
        return torch.from_numpy(((y - self.mean_) / self.scale_).astype(np.float32))

    def _outputs(self) -> int:
        return 1

    def task(self) -> Term:
        """Return mean squared error on labelled source rows."""
        return Term(
            "loss", lambda s, t: squared_error(s.logits, s.y, s.weight),
            slope=lambda s, t: squared_error_slope(s.logits, s.y, s.weight),
        )  # fmt: skip

    def predict(self, X: Any) -> Any:
        """Return values, shape (m,)."""
        check_is_fitted(self, "network_")
        X = self._check_rows(X)
        return self.infer(X)[1].double().numpy()[:, 0] * self.scale_ + self.mean_
