"""Base models for tables whose settings follow the rows they are fitted on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from acclimate.base.binned import as_bins, codes_of, edges_of, levels_of
from acclimate.settings import COUNT, POSITIVE, SEVERAL, Constraints, check_settings

Array = NDArray[np.floating[Any]]


class Fronted(BaseEstimator):  # type: ignore[misc]
    """Answers as the scikit-learn model ``model_`` that `fit` left."""

    def _read(self, X: Any, *, reset: bool) -> Any:
        """Return inputs as numbers and codes."""
        return validate_data(self, X, reset=reset)

    def _ready(self, X: Any) -> Any:
        """Return inputs as the model behind takes them."""
        return self._read(X, reset=False)

    def predict(self, X: Any) -> Any:
        """Return labels or values, shape (m,)."""
        check_is_fitted(self, "model_")
        return self.model_.predict(self._ready(X))

    @available_if(lambda self: isinstance(self, ClassifierMixin))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """Return class probabilities, shape (m, n_classes)."""
        check_is_fitted(self, "model_")
        return self.model_.predict_proba(self._ready(X))


class Sized(Fronted, ABC):
    """A model that is made in `fit`, when the number of rows is known.

    A subclass writes `_make`.
    """

    @abstractmethod
    def _make(self, rows: float, seed: Any) -> Any:
        """Return the unfitted model for so many rows.

        Parameters
        ----------
        rows : float
            Number of rows, or the effective number where they have weights.
        seed : int or None
            Its random state.
        """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Make the model for these rows and fit it.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Inputs.
        y : array-like of shape (n,)
            Labels or values.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.
        """
        check_settings(self)
        rows = self._read(X, reset=True)
        labels = np.asarray(y)
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        model = self._make(effective_rows(len(labels), weight), getattr(self, "random_state", None))
        extra = {} if weight is None else {"sample_weight": weight}
        self.model_ = model.fit(self._learnt(rows, weight), labels, **extra)
        if hasattr(self.model_, "classes_"):
            self.classes_ = self.model_.classes_
        return self

    def _learnt(self, rows: Any, weight: Any) -> Any:
        """Return the rows that were read as the model behind takes them."""
        return rows


def effective_rows(n: int, weight: Array | None) -> float:
    """Return ``(sum w)^2 / sum w^2`` (Kish): as many equal rows would tell as much."""
    if weight is None:
        return float(n)
    return float(weight.sum() ** 2 / max(float((weight**2).sum()), np.finfo(float).tiny))


def leaf_rows(rows: float) -> int:
    """Return the least rows of a leaf: 20, and a twentieth of fewer rows, but at least 3.

    >>> leaf_rows(60), leaf_rows(200), leaf_rows(10_000)
    (3, 10, 20)
    """
    return int(np.clip(round(rows / 20), 3, 20))


class _Boosting(Sized):
    """What both boostings share: categories as codes, gaps as they are."""

    _parameter_constraints: ClassVar[Constraints] = {
        "rounds": [COUNT],
        "learning_rate": [POSITIVE],
        "max_leaf_nodes": [SEVERAL],
        "random_state": ["random_state"],
    }

    def __init__(
        self, *, rounds: int = 100, learning_rate: float = 0.1, max_leaf_nodes: int = 31,
        random_state: Any = None,
    ) -> None:  # fmt: skip
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.random_state = random_state

    def _settings(self, rows: float, seed: Any) -> dict[str, Any]:
        leaf = leaf_rows(rows)
        return {
            "max_iter": self.rounds, "learning_rate": self.learning_rate,
            "max_leaf_nodes": int(np.clip(rows / (2 * leaf), 4, self.max_leaf_nodes)),
            "min_samples_leaf": leaf, "random_state": seed,
            "categorical_features": None if self.levels_ is None else [
                known is not None for known in self.levels_
            ],
        }  # fmt: skip

    def _learnt(self, rows: Any, weight: Any) -> Any:
        self.edges_ = edges_of(rows, self.levels_, weight)
        return rows if self.edges_ is None else as_bins(rows, self.edges_)

    def _ready(self, X: Any) -> Any:
        rows = self._read(X, reset=False)
        edges = getattr(self, "edges_", None)  # a file of an earlier version has none
        return rows if edges is None else as_bins(rows, edges)

    def _read(self, X: Any, *, reset: bool) -> Any:
        """Return numbers, and categories as codes; other levels, and gaps, are NaN."""
        frame = hasattr(X, "columns") and hasattr(X, "iloc")
        if not frame:
            if reset:
                self.levels_: list[Any] | None = None
            return validate_data(self, X, reset=reset, ensure_all_finite="allow-nan")
        X = validate_data(self, X, reset=reset, skip_check_array=True)
        if reset:
            kept = [levels_of(X.iloc[:, j]) for j in range(X.shape[1])]
            self.levels_ = kept if any(known is not None for known in kept) else None
        out = np.empty(X.shape, dtype=np.float64)
        for j in range(X.shape[1]):
            known = None if self.levels_ is None else self.levels_[j]
            out[:, j] = codes_of(X.iloc[:, j], known)
        return out

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags


class BoostingClassifier(ClassifierMixin, _Boosting):  # type: ignore[misc]
    """scikit-learn's histogram gradient boosting, its leaves as small as few rows ask for.

    Use it on tables. Gaps are read as they are, and so are categories of a data frame; numbers
    need no scaling. Do not use it for images, texts as TF-IDF, or a target far outside the
    source's range, which trees cannot follow.

    Minimises the log loss by ``rounds`` trees. A leaf holds at least a twentieth of the rows, from
    3 up to 20; weighted rows count by their effective number.

    Parameters
    ----------
    rounds : int, at least 1, default=100
        Trees a class.
    learning_rate : float, above 0, default=0.1
        Share of each tree that is added.
    max_leaf_nodes : int, at least 2, default=31
        Leaves of a tree, with many rows.
    random_state : int, RandomState instance or None, default=None
        Draws the rows that large tables are stopped early on.

    Attributes
    ----------
    model_ : HistGradientBoostingClassifier
        The fitted model.
    levels_ : list of (ndarray of str or None), or None
        Levels of each column; None for numbers.
    edges_ : list of (ndarray or None), or None
        Edges of the bins of each column of weighted rows; None where ``model_`` takes values.
    classes_ : ndarray of shape (n_classes,)
        Labels.

    References
    ----------
    Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NIPS (2017).

    Examples
    --------
    >>> import pandas as pd
    >>> from acclimate.base.sized import BoostingClassifier
    >>> frame = pd.DataFrame({"ward": pd.Categorical(list("abcd") * 10)})
    >>> y = [0, 1, 0, 1] * 10
    >>> BoostingClassifier().fit(frame, y).predict(frame[:4])
    array([0, 1, 0, 1])
    """

    def _make(self, rows: float, seed: Any) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(**self._settings(rows, seed))


class BoostingRegressor(RegressorMixin, _Boosting):  # type: ignore[misc]
    """The same for values: minimises the squared error.

    Use it, and do not use it, where `BoostingClassifier` is or is not for you.

    Parameters
    ----------
    rounds, learning_rate, max_leaf_nodes, random_state
        As in `BoostingClassifier`.

    Attributes
    ----------
    model_ : HistGradientBoostingRegressor
        The fitted model.
    levels_ : list of (ndarray of str or None), or None
        Levels of each column; None for numbers.
    edges_ : list of (ndarray or None), or None
        Edges of the bins of each column of weighted rows; None where ``model_`` takes values.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate.base.sized import BoostingRegressor
    >>> X = np.linspace(0, 1, 80)[:, None]
    >>> BoostingRegressor().fit(X, X[:, 0] > 0.5).predict([[0.9]]).round(2)
    array([1.])
    """

    def _make(self, rows: float, seed: Any) -> Any:
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(**self._settings(rows, seed))


class _Trees(Sized):
    """What forests share."""

    _parameter_constraints: ClassVar[Constraints] = {
        "trees": [COUNT],
        "random_state": ["random_state"],
    }

    def __init__(self, *, trees: int = 100, random_state: Any = None) -> None:
        self.trees = trees
        self.random_state = random_state

    def _settings(self, rows: float, seed: Any) -> dict[str, Any]:
        return {"n_estimators": self.trees, "random_state": seed, "min_samples_leaf": 2}


class ExtraClassifier(ClassifierMixin, _Trees):  # type: ignore[misc]
    """Extremely randomised trees, two rows or more a leaf, so that shares are no certainties.

    Use it on tables with few rows. Do not use it on wide sparse inputs.

    Parameters
    ----------
    trees : int, at least 1, default=100
        How many.
    random_state : int, RandomState instance or None, default=None
        Draws the splits.

    Attributes
    ----------
    model_ : ExtraTreesClassifier
        The fitted model.
    classes_ : ndarray of shape (n_classes,)
        Labels.

    References
    ----------
    Geurts, Ernst and Wehenkel, "Extremely randomized trees", doi:10.1007/s10994-006-6226-1.

    Examples
    --------
    >>> from acclimate.base.sized import ExtraClassifier
    >>> X = [[0.0], [0.1], [0.9], [1.0]] * 5
    >>> ExtraClassifier(trees=10, random_state=0).fit(X, [0, 0, 1, 1] * 5).predict([[0.95]])
    array([1])
    """

    def _make(self, rows: float, seed: Any) -> Any:
        from sklearn.ensemble import ExtraTreesClassifier

        return ExtraTreesClassifier(**self._settings(rows, seed))


class ExtraRegressor(RegressorMixin, _Trees):  # type: ignore[misc]
    """The same for values.

    Parameters
    ----------
    trees, random_state
        As in `ExtraClassifier`.

    Attributes
    ----------
    model_ : ExtraTreesRegressor
        The fitted model.

    Examples
    --------
    >>> from acclimate.base.sized import ExtraRegressor
    >>> X = [[0.0], [0.1], [0.9], [1.0]] * 5
    >>> model = ExtraRegressor(trees=10, random_state=0).fit(X, [0.0, 0.0, 1.0, 1.0] * 5)
    >>> model.predict([[0.95]]).round(2)
    array([1.])
    """

    def _make(self, rows: float, seed: Any) -> Any:
        from sklearn.ensemble import ExtraTreesRegressor

        return ExtraTreesRegressor(**self._settings(rows, seed))


class ForestClassifier(ClassifierMixin, _Trees):  # type: ignore[misc]
    """A random forest that sees half of the columns at each split.

    Use it on tables where few of many columns matter. Do not use it on wide sparse inputs.

    Parameters
    ----------
    trees, random_state
        As in `ExtraClassifier`.

    Attributes
    ----------
    model_ : RandomForestClassifier
        The fitted model.
    classes_ : ndarray of shape (n_classes,)
        Labels.

    References
    ----------
    Breiman, "Random forests", doi:10.1023/A:1010933404324.

    Examples
    --------
    >>> from acclimate.base.sized import ForestClassifier
    >>> X = [[0.0], [0.1], [0.9], [1.0]] * 5
    >>> ForestClassifier(trees=10, random_state=0).fit(X, [0, 0, 1, 1] * 5).predict([[0.95]])
    array([1])
    """

    def _make(self, rows: float, seed: Any) -> Any:
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(max_features=0.5, **self._settings(rows, seed))


class ForestRegressor(RegressorMixin, _Trees):  # type: ignore[misc]
    """The same for values.

    Parameters
    ----------
    trees, random_state
        As in `ExtraClassifier`.

    Attributes
    ----------
    model_ : RandomForestRegressor
        The fitted model.

    Examples
    --------
    >>> from acclimate.base.sized import ForestRegressor
    >>> X = [[0.0], [0.1], [0.9], [1.0]] * 5
    >>> model = ForestRegressor(trees=10, random_state=0).fit(X, [0.0, 0.0, 1.0, 1.0] * 5)
    >>> model.predict([[0.95]]).round(2)
    array([1.])
    """

    def _make(self, rows: float, seed: Any) -> Any:
        from sklearn.ensemble import RandomForestRegressor

        return RandomForestRegressor(max_features=0.5, **self._settings(rows, seed))
