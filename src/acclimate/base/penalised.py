"""Linear models whose penalty is chosen inside, by cross-validation on the rows of the fit."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from acclimate.base.sized import Fronted
from acclimate.settings import POSITIVE, SEVERAL, Constraints, Each, check_settings

PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
FEW = 0.1  # the penalty where a class has one row, and none can be held out
ALPHAS = tuple(np.logspace(-2, 4, 13))


class LinearClassifier(ClassifierMixin, Fronted):  # type: ignore[misc]
    """Logistic regression with its penalty chosen by the log loss of held-out rows.

    Use it on standardised numbers. Do not use it where classes are no half-spaces.

    Minimises ``C * sum_i w_i log-loss_i + ||w||^2 / 2``. C is the one of ``penalties`` with the
    least log loss in ``folds`` folds; with a class of fewer rows there are fewer folds, and
    with a class of one row C is 0.1.

    Parameters
    ----------
    penalties : sequence of float, above 0, default=(0.003, ..., 3.0)
        Values of C to choose from.
    folds : int, at least 2, default=5
        Folds of the choice.
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
    doi:10.1007/978-0-387-84858-7.

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
        self.C_ = self._choose(rows, labels, weight)
        self.model_ = LogisticRegression(C=self.C_, max_iter=1000).fit(rows, labels, **extra)
        self.classes_ = self.model_.classes_
        self.coef_, self.intercept_ = self.model_.coef_, self.model_.intercept_
        return self

    def _choose(self, X: Any, y: Any, weight: Any) -> float:
        """Return the C of the least weighted log loss of held-out rows."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold

        codes = np.unique(y, return_inverse=True)[1]
        folds = min(self.folds, int(np.bincount(codes).min()))
        if folds < 2:
            return FEW
        loss = np.zeros(len(self.penalties))
        parts = StratifiedKFold(folds, shuffle=True, random_state=self.random_state)
        for train, held in parts.split(X, codes):
            model = LogisticRegression(max_iter=1000, warm_start=True)
            w = np.ones(len(held)) if weight is None else weight[held]
            for place, C in enumerate(self.penalties):
                model.set_params(C=C).fit(
                    X[train], codes[train], None if weight is None else weight[train]
                )
                said = model.predict_proba(X[held])[np.arange(len(held)), codes[held]]
                loss[place] -= w @ np.log(np.maximum(said, np.finfo(float).tiny))
        return float(self.penalties[int(loss.argmin())])


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
