"""Linear models whose penalty is chosen inside, by the loss of left-out rows of the fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from acclimate.base.left_out import left_out_losses
from acclimate.base.linear import logistic_loss, softmax_loss
from acclimate.base.sized import Fronted
from acclimate.base.wide import fit_scaled, is_wide
from acclimate.settings import POSITIVE, SEVERAL, Constraints, Each, check_settings

PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
FEW = 0.1  # the penalty where a class has one row, and none can be held out
MOST_NUMBERS = 600  # coefficients, the intercept among them, up to which rows are left out in turn
MANY = 100  # columns from which on rows are turned so that these do not go together
NEAR = 1e-2  # slope at which a fit of the choice ends
WORSE = 2  # penalties in a row that do no better end the search
ALPHAS = tuple(np.logspace(-2, 4, 13))


class LinearClassifier(ClassifierMixin, Fronted):  # type: ignore[misc]
    """Logistic regression with its penalty chosen by the log loss of held-out rows.

    Use it on standardised numbers. Do not use it where classes are no half-spaces.

    Minimises ``C * sum_i w_i log-loss_i + ||w||^2 / 2``. C is the one of ``penalties`` with the
    least log loss where each row is left out in turn, by one Newton step from the fit on all
    (`left_out_losses`); ``folds`` folds do it where there are more than 600 coefficients, or rows
    are sparse. From 100 columns on these fits are in the directions in which the rows spread, and
    where columns outnumber rows so is the last one: that is the same problem, in as many numbers a
    class as there are rows. From the strongest penalty on, the search ends where two in a row do no
    better. With a class of one row C is 0.1.

    Parameters
    ----------
    penalties : sequence of float, above 0, default=(0.003, ..., 3.0)
        Values of C to choose from, rising.
    folds : int, at least 2, default=5
        Folds of the choice where there are folds; at most the rows of the rarest class.
    random_state : int, RandomState instance or None, default=None
        Lays out the folds.

    Attributes
    ----------
    model_ : LogisticRegression
        Fitted on all rows.
    C_ : float
        The chosen C.
    classes_ : ndarray of shape (n_classes,)
        Labels.
    coef_, intercept_ : ndarray
        Of ``model_``.

    References
    ----------
    Hastie, Tibshirani and Friedman, "The elements of statistical learning", section 7.10,
    doi:10.1007/978-0-387-84858-7. Rad and Maleki, arXiv:1801.10243, on rows left out in turn.

    Examples
    --------
    >>> from acclimate.base.penalised import LinearClassifier
    >>> X = [[0.0], [0.1], [0.9], [1.0]] * 5
    >>> LinearClassifier().fit(X, [0, 0, 1, 1] * 5).predict([[0.95]])
    array([1])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "penalties": [Each(POSITIVE, least=1)],
        "folds": [SEVERAL],
        "random_state": ["random_state"],
    }

    def __init__(
        self, *, penalties: Any = PENALTIES, folds: int = 5, random_state: Any = None
    ) -> None:
        self.penalties = penalties
        self.folds = folds
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearClassifier:
        """Choose the penalty and fit on all rows; see `acclimate.base.sized.Sized.fit`."""
        from sklearn.linear_model import LogisticRegression

        check_settings(self)
        rows = self._read(X, reset=True)
        labels = np.asarray(y)
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        extra = {} if weight is None else {"sample_weight": weight}
        many = rows.shape[1] >= MANY and not hasattr(rows, "tocsr")
        turned, axes, mean = _turned(rows) if many else (rows, None, 0.0)
        self.C_ = self._choose(turned, labels, weight, many)
        self.model_ = LogisticRegression(C=self.C_, max_iter=1000)
        if axes is None or not is_wide(rows):
            self.model_.fit(rows, labels, **extra)
        else:
            self.model_.fit(turned, labels, **extra)
            self.model_.coef_ = self.model_.coef_ @ axes
            self.model_.intercept_ = self.model_.intercept_ - self.model_.coef_ @ mean
            self.model_.n_features_in_ = rows.shape[1]
        self.classes_ = self.model_.classes_
        self.coef_, self.intercept_ = self.model_.coef_, self.model_.intercept_
        return self

    def _choose(self, X: Any, y: Any, weight: Any, many: bool) -> float:
        """Return the C of the least weighted log loss of left-out rows."""
        classes, codes = np.unique(y, return_inverse=True)
        least = int(np.bincount(codes).min())
        if least < 2:
            return FEW
        numbers = (X.shape[1] + 1) * (1 if len(classes) == 2 else len(classes))
        in_turn = numbers <= MOST_NUMBERS and not hasattr(X, "tocsr")
        if in_turn:
            losses = _in_turn(X, codes, weight)
        else:
            losses = self._in_folds(X, codes, weight, least, many)
        best, chosen, behind = np.inf, FEW, 0
        for C in self.penalties:
            loss = losses(C)
            behind = behind + 1 if loss >= best else 0
            if loss < best:
                best, chosen = loss, float(C)
            if behind == WORSE:
                break
        return chosen

    def _in_folds(
        self, X: Any, codes: Any, weight: Any, least: int, many: bool
    ) -> Callable[[float], float]:
        """Return the loss of held-out rows as a function of C, each fit from the last."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold

        split = StratifiedKFold(
            min(self.folds, least), shuffle=True, random_state=self.random_state
        ).split(codes, codes)
        if many:
            return _scaled(X, codes, weight, list(split))
        parts = [
            (LogisticRegression(max_iter=1000, warm_start=True), train, held)
            for train, held in split
        ]

        def loss(C: float) -> float:
            total = 0.0
            for model, train, held in parts:
                model.set_params(C=C).fit(
                    X[train], codes[train], None if weight is None else weight[train]
                )
                said = model.predict_proba(X[held])[np.arange(len(held)), codes[held]]
                w = np.ones(len(held)) if weight is None else weight[held]
                total -= w @ np.log(np.maximum(said, np.finfo(float).tiny))
            return float(total)

        return loss


def _turned(X: Any) -> tuple[Any, Any, Any]:
    """Return rows around zero in the directions in which they spread, these, and the mean.

    Shapes (n, r), (r, d) and (d,), r the smaller of n and d.
    """
    X = np.asarray(X, dtype=np.float64)
    mean = X.mean(axis=0)
    U, S, V = np.linalg.svd(X - mean, full_matrices=False)
    return U * S, V, mean


def _scaled(
    Z: Any, codes: Any, weight: Any, split: Sequence[tuple[Any, Any]]
) -> Callable[[float], float]:
    """Return the loss of held-out rows as a function of C, of rows that `_turned` gave."""
    k = int(codes.max()) + 1
    fit_loss, scores = (logistic_loss, 1) if k == 2 else (softmax_loss, k)
    Z = np.column_stack([Z, np.ones(len(Z))])
    last: list[Any] = [None] * len(split)

    def loss(C: float) -> float:
        penalty = np.append(np.full(Z.shape[1] - 1, 1.0 / C), 0.0)
        total = 0.0
        for i, (train, held) in enumerate(split):
            w = None if weight is None else weight[train]
            last[i] = fit_scaled(
                Z[train], codes[train], np.zeros((len(train), scores)), penalty, fit_loss,
                weight=w, start=last[i], gtol=NEAR, ftol=1e-8,
            )  # fmt: skip
            of_held = None if weight is None else weight[held]
            total += fit_loss(Z[held] @ last[i].T, codes[held], of_held)[0]
        return total

    return loss


def _in_turn(X: Any, codes: Any, weight: Any) -> Callable[[float], float]:
    """Return the loss of rows left out in turn as a function of C, each fit from the last."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000, warm_start=True)
    w = np.ones(len(codes)) if weight is None else weight

    def loss(C: float) -> float:
        model.set_params(C=C).fit(X, codes, weight)
        return float(w @ left_out_losses(X, codes, model.coef_, model.intercept_, C, weight))

    return loss


class LinearRegressor(RegressorMixin, Fronted):  # type: ignore[misc]
    """Ridge regression with its penalty chosen by the squared error of left-out rows.

    Use it on standardised numbers. Do not use it where the relation bends.

    Minimises ``sum_i w_i (y_i - x_i w - b)^2 + alpha ||w||^2``, alpha the one of ``alphas`` with
    the least error where each row is left out in turn (in closed form).

    Parameters
    ----------
    alphas : sequence of float, above 0, default=(0.01, ..., 10000)
        Penalties to choose from.
    random_state : int, RandomState instance or None, default=None
        Accepted for uniformity; nothing is drawn.

    Attributes
    ----------
    model_ : Ridge
        Fitted on all rows.
    alpha_ : float
        The chosen penalty.
    coef_, intercept_ : ndarray
        Of ``model_``.

    References
    ----------
    Hoerl and Kennard, "Ridge regression", doi:10.1080/00401706.1970.10488634.

    Examples
    --------
    >>> from acclimate.base.penalised import LinearRegressor
    >>> model = LinearRegressor().fit([[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0])
    >>> model.predict([[1.5]]).round(2)
    array([1.5])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "alphas": [Each(POSITIVE, least=1)],
        "random_state": ["random_state"],
    }

    def __init__(self, *, alphas: Any = ALPHAS, random_state: Any = None) -> None:
        self.alphas = alphas
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearRegressor:
        """Choose the penalty and fit on all rows; see `acclimate.base.sized.Sized.fit`."""
        from sklearn.linear_model import Ridge, RidgeCV

        check_settings(self)
        rows, values = self._read(X, reset=True), np.asarray(y, dtype=np.float64)
        extra = {} if sample_weight is None else {"sample_weight": np.asarray(sample_weight)}
        self.alpha_ = float(RidgeCV(list(self.alphas)).fit(rows, values, **extra).alpha_)
        self.model_ = Ridge(self.alpha_).fit(rows, values, **extra)
        self.coef_, self.intercept_ = self.model_.coef_, self.model_.intercept_
        return self
