"""Fine-tuning of models without a network: a penalty towards the source parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.multiclass import _ovr_decision_function
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from sklearn.utils.validation import validate_data

from acclimate.base.linear import fit_towards, logistic_loss, softmax_loss
from acclimate.base.penalised import LinearClassifier, LinearRegressor
from acclimate.base.svm import corrected_dual, squared_hinge_loss
from acclimate.base.wide import fit_wide, is_wide
from acclimate.exceptions import InputError
from acclimate.transfer.boosted import ROUNDS, BoostedClassifier, BoostedRegressor
from acclimate.validation import Rows

BOOSTED = (
    "HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "GradientBoostingClassifier",
    "GradientBoostingRegressor", "LGBMClassifier", "LGBMRegressor", "XGBClassifier", "XGBRegressor",
    "CatBoostClassifier", "CatBoostRegressor",
)  # fmt: skip
SUPPORTED = (LogisticRegression, LinearSVC, SVC, LinearRegression, Ridge, LinearSVR, SVR)


def continue_from(model: Any, target: Rows, strength: float | None) -> Any:
    """Return ``model`` fitted to labelled target rows with a pull towards what it was.

    Parameters
    ----------
    model : fitted estimator
        One of `SUPPORTED`. It is not changed.
    target : Rows
        Labelled rows; their classes are those of the model.
    strength : float or None
        Pull towards the source parameters. None takes the estimator's own penalty: ``1 / C``,
        ``alpha``, or 1 for plain linear regression.

    Returns
    -------
    estimator
        Fitted, with the same public attributes.

    Raises
    ------
    InputError
        The estimator cannot be continued; the message names those that can.
    """
    if isinstance(model, LogisticRegression | LinearSVC):
        return _move_linear(model, target, strength)
    if isinstance(model, SVC):
        corrected = CorrectedSVC(model, strength)
        return corrected.fit(target.labelled_X, target.labels, target.labelled_weight)
    if isinstance(model, LinearRegression | Ridge | LinearSVR | SVR):
        moved = CorrectedRegressor(model, strength)
        return moved.fit(target.labelled_X, target.labels, target.labelled_weight)
    if is_boosted(model):
        kind = BoostedClassifier if hasattr(model, "classes_") else BoostedRegressor
        rounds = ROUNDS if strength is None else round(ROUNDS / (1.0 + strength))
        further = kind(model, rounds)
        return further.fit(target.labelled_X, target.labels, target.labelled_weight)
    if isinstance(model, LinearClassifier | LinearRegressor):
        return continue_from(model.model_, target, strength)
    raise InputError(
        f"FineTune cannot start {type(model).__name__} from source parameters. It can start "
        + ", ".join(c.__name__ for c in SUPPORTED)
        + ", LinearClassifier, LinearRegressor, gradient boosting"
        + ", NeuralClassifier and NeuralRegressor. TargetOnly fits any estimator from scratch"
    )


def is_boosted(model: Any) -> bool:
    """Tell whether a fitted model is gradient boosting, of scikit-learn's or another make."""
    inner = getattr(model, "model_", model)
    return type(inner).__name__ in BOOSTED


def _move_linear(model: Any, target: Rows, strength: float | None) -> Any:
    """Refit coefficients with the squared distance to the source's as penalty."""
    _check_objective(model)
    codes = np.searchsorted(model.classes_, target.labels)
    pull = 1.0 / model.C if strength is None else strength
    loss: Callable[..., Any] = squared_hinge_loss
    if isinstance(model, LogisticRegression):
        loss = logistic_loss if len(model.coef_) == 1 else softmax_loss
    # an SVM without intercept says one 0 for all classes
    W, b = model.coef_.copy(), np.full(len(model.coef_), model.intercept_, dtype=np.float64)
    seen = np.unique(codes)
    moving: Any = slice(None)
    if len(seen) < len(W):  # a class without rows keeps what the source knows of it
        moving, codes = seen, np.searchsorted(seen, codes)
    solve = fit_wide if is_wide(target.labelled_X) else fit_towards
    W[moving], b[moving] = solve(
        target.labelled_X, codes, W[moving], b[moving], pull, loss,
        intercept=model.fit_intercept, weight=target.labelled_weight,
    )  # fmt: skip
    return with_parameters(model, W, b)


def with_parameters(model: Any, W: NDArray[Any], b: NDArray[Any]) -> Any:
    """Return a fitted linear model like ``model`` with other parameters.

    Parameters
    ----------
    model : fitted linear estimator
        It is not changed.
    W : ndarray of shape (k, d)
        Coefficients.
    b : ndarray of shape (k,)
        Intercepts; a model without them keeps its 0.
    """
    moved = clone(model)
    for name in ("classes_", "n_features_in_", "n_iter_", "feature_names_in_"):
        if hasattr(model, name):
            setattr(moved, name, getattr(model, name))
    moved.coef_ = W.reshape(np.shape(model.coef_))
    own = model.intercept_
    moved.intercept_ = b.reshape(np.shape(own)) if model.fit_intercept else own
    return moved


def _check_objective(model: Any) -> None:
    """Raise where the source minimised something that cannot be continued."""
    for name, allowed in (
        ("loss", "squared_hinge"), ("penalty", "l2"), ("class_weight", None), ("l1_ratio", 0.0),
    ):  # fmt: skip
        value = getattr(model, name, allowed)
        if value not in (allowed, None, "deprecated"):
            raise InputError(
                f"cannot go on from a {type(model).__name__} with {name}={value!r}, only with "
                f"{name}={allowed!r}"
            )


class CorrectedRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted regressor plus a correction learned from its residuals on the target.

    For a penalty on the weights, ``min 1/2 ||w - w0||^2 + loss(y - x w)`` and
    ``min 1/2 ||v||^2 + loss((y - x w0) - x v)`` with ``w = w0 + v`` are the same problem, in any
    kernel's space. So the estimator itself, fitted to residuals, solves it exactly.

    Parameters
    ----------
    model : fitted estimator
        The source model.
    strength : float, default=None
        Penalty of the correction; None keeps the estimator's own.
    """

    def __init__(self, model: Any, strength: float | None = None) -> None:
        self.model = model
        self.strength = strength

    def fit(self, X: Any, y: NDArray[Any], sample_weight: Any = None) -> CorrectedRegressor:
        """Learn the correction from target rows."""
        model = self.model
        if isinstance(model, LinearRegression | Ridge):
            alpha = model.alpha if isinstance(model, Ridge) else 1.0
            correction = Ridge(
                alpha if self.strength is None else self.strength,
                fit_intercept=model.fit_intercept,
            )
        else:
            correction = clone(model)
            if self.strength is not None:
                correction.set_params(C=1.0 / self.strength)
            if isinstance(model, SVR):  # gamma="scale" would read another width off the target
                correction.set_params(gamma=model._gamma)
        self.correction_ = correction.fit(X, y - model.predict(X), sample_weight=sample_weight)
        if hasattr(model, "coef_") and hasattr(self.correction_, "coef_"):
            self.coef_ = model.coef_ + self.correction_.coef_
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X: Any) -> Any:
        """Return source prediction plus correction, shape (m,)."""
        return self.model.predict(X) + self.correction_.predict(X)


class CorrectedSVC(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An SVM that corrects a fitted `SVC`, one pair of classes at a time (Adaptive SVM).

    Parameters
    ----------
    model : fitted SVC
        The source model.
    strength : float, default=None
        Weight of the correction's norm; the slack weighs ``1 / strength``. None keeps C.

    References
    ----------
    Yang, Yan and Hauptmann, "Cross-domain video concept detection using adaptive SVMs",
    doi:10.1145/1291233.1291276. Deviation: the correction's intercept is penalised with its
    weights, so that the dual has bounds only.
    """

    def __init__(self, model: Any, strength: float | None = None) -> None:
        self.model = model
        self.strength = strength

    def _kernel(self, A: Any, B: Any) -> Any:
        """Return the source model's kernel plus 1 for the intercept, shape (a, b)."""
        model = self.model
        if callable(model.kernel):
            return model.kernel(A, B) + 1.0
        settings = {"gamma": model._gamma, "coef0": model.coef0, "degree": model.degree}
        return pairwise_kernels(A, B, metric=model.kernel, filter_params=True, **settings) + 1.0

    def _pair_margins(self, X: Any) -> Any:
        """Return the source's decision values for each pair of classes, shape (m, pairs)."""
        pairwise = copy.copy(self.model)  # shallow: the source model must not change
        pairwise.decision_function_shape = "ovo"
        scores = pairwise.decision_function(X)
        return scores if scores.ndim == 2 else -scores[:, None]

    def _pairs(self) -> list[tuple[int, int]]:
        k = len(self.model.classes_)
        return [(i, j) for i in range(k) for j in range(i + 1, k)]

    def fit(self, X: Any, y: NDArray[Any], sample_weight: Any = None) -> CorrectedSVC:
        """Learn the corrections from target rows."""
        if self.model.kernel == "precomputed":
            raise InputError('kernel="precomputed" has no kernel between source and target rows')
        self.classes_ = self.model.classes_
        self.n_features_in_ = X.shape[1]
        codes = np.searchsorted(self.classes_, y)
        K, margins = self._kernel(X, X), self._pair_margins(X)
        C = np.full(len(y), self.model.C if self.strength is None else 1.0 / self.strength)
        if sample_weight is not None:
            C *= sample_weight
        self.X_ = X
        self.coefficients_ = np.zeros((len(X), margins.shape[1]))
        for column, (i, j) in enumerate(self._pairs()):
            rows = np.flatnonzero((codes == i) | (codes == j))
            if len(np.unique(codes[rows])) < 2:
                continue  # no target row of one of the classes: the source's decision stands
            signs = np.where(codes[rows] == i, 1.0, -1.0)
            self.coefficients_[rows, column], _ = corrected_dual(
                K[np.ix_(rows, rows)], signs, margins[rows, column], C[rows]
            )
        return self

    def decision_function(self, X: Any) -> Any:
        """Return scores of shape (m,) for two classes, else (m, n_classes)."""
        X = validate_data(self, X, reset=False, accept_sparse="csr")
        pairs = self._pair_margins(X) + self._kernel(X, self.X_) @ self.coefficients_
        if len(self.classes_) == 2:
            return -pairs[:, 0]
        return _ovr_decision_function(pairs < 0, -pairs, len(self.classes_))

    def predict(self, X: Any) -> Any:
        """Return labels, shape (m,)."""
        scores = self.decision_function(X)
        codes = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(1)
        return self.classes_[codes]
