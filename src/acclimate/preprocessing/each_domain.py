"""`EachDomain`: a transformer that is fitted on each domain by itself."""

from __future__ import annotations

import copy
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from acclimate.exceptions import InputError
from acclimate.folds import as_often
from acclimate.settings import NOT_NEGATIVE, TRANSFORMER, Constraints, check_settings
from acclimate.validation import count, take

Array = NDArray[np.floating[Any]]


class EachDomain(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Fit a transformer on each domain by itself.

    Use it as ``preprocess=`` of any method, alone or as a step of a pipeline, where there are many
    classes in like shares in both domains and the rows are features of an encoder: without target
    labels no single step gains more there. Do not use it where the shares of the classes differ, on
    tables, or with two classes: a shift of the mean is then what tells the classes apart, and it is
    taken away (see ``docs/pictures.md``).

    `fit` of a method fits it on the source; each of several sources (``domains=``) is transformed
    by a fit of its own. `adapt` fits a copy on all rows of the new target, labelled or not, and
    rows that are given to `predict` later never count. Rows of ``domain="source"`` keep the
    source's fit. Methods that fit their preprocessing on both domains do so no more.

    Parameters
    ----------
    transformer : transformer, default=None
        What is fitted. None means ``StandardScaler()``.
    shrink : float, default=2
        At least 0. Mean and variance of n target rows count ``n / (n + shrink)``, and those of the
        source the rest. For `StandardScaler` alone. Chosen on shifts of digits that were made up
        (``benchmarks/each_domain.py``).
    least_rows : int, default=100
        At least 1. Target rows from which on any other transformer is fitted on the target; with
        fewer the source's is used.

    Attributes
    ----------
    transformer_ : transformer
        The fitted one.
    n_features_in_ : int
        Columns, where the transformer counts them.

    Raises
    ------
    InputError
        A value cannot be used, or a fit on the target gives another number of columns.

    Notes
    -----
    A method that is fitted on batches (`fit_batches`) takes none. What follows it in a pipeline is
    fitted on the source.

    References
    ----------
    Li et al., "Revisiting batch normalization for practical domain adaptation", arXiv:1603.04779,
    which does this inside of a network. The weight is that of a mean with a normal prior whose
    centre is the source's; variances get the same.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, EachDomain, SourceOnly
    >>> X, y = np.linspace(-1, 1, 40)[:, None], np.repeat([0, 1], 20)
    >>> there = Domain(5 * X + 90)
    >>> SourceOnly().fit(X, y, target=there).predict([[86.0], [94.0]])
    array([1, 1])
    >>> model = SourceOnly(preprocess=EachDomain(shrink=0)).fit(X, y, target=there)
    >>> model.predict([[86.0], [94.0]]), model.predict([[-0.8], [0.8]], domain="source")
    (array([0, 1]), array([0, 1]))
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "transformer": [TRANSFORMER, None],
        "shrink": [NOT_NEGATIVE],
        "least_rows": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, transformer: Any = None, *, shrink: float = 2.0, least_rows: int = 100
    ) -> None:
        self.transformer = transformer
        self.shrink = shrink
        self.least_rows = least_rows

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the transformer on rows of one domain, the source.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Rows.
        y : array-like of shape (n,), default=None
            Labels, for a transformer that reads them. It then fits the target without any.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.
        """
        check_settings(self)
        self.transformer_ = _fitted(self._inner(), X, y, sample_weight)
        if hasattr(self.transformer_, "n_features_in_"):
            self.n_features_in_ = self.transformer_.n_features_in_
        return self

    def transform(self, X: Any) -> Any:
        """Return transformed rows of the domain that it was fitted on, shape (m, ...).

        Parameters
        ----------
        X : array-like of shape (m, ...)
            Rows.
        """
        check_is_fitted(self, "transformer_")
        return self.transformer_.transform(X)

    def refitted(self, X: Any, sample_weight: Any = None) -> Self:
        """Return a copy for another domain, fitted on its rows.

        Parameters
        ----------
        X : array-like of shape (m, ...)
            All rows of that domain.
        sample_weight : array-like of shape (m,), default=None
            Their weights.
        """
        check_is_fitted(self, "transformer_")
        other = copy.copy(self)
        if isinstance(self.transformer_, StandardScaler):
            with np.errstate(invalid="ignore"):  # a column without any number has no mean
                own = _fitted(self._inner(), X, None, sample_weight)
            other.transformer_ = shrunk(self.transformer_, own, self.shrink)
        elif count(X) >= self.least_rows:
            other.transformer_ = _fitted(self._inner(), X, None, sample_weight)
            here, there = (
                np.shape(one.transform(take(X, np.arange(1))))
                for one in (self.transformer_, other.transformer_)
            )
            if here != there:
                raise InputError(
                    f"EachDomain({type(self.transformer_).__name__}) makes rows of shape "
                    f"{here[1:]} of the source and of shape {there[1:]} of the target; fit it on "
                    f"the source alone, without EachDomain"
                )
        return other

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the columns, shape (k,).

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns that go in.
        """
        check_is_fitted(self, "transformer_")
        names: NDArray[Any] = self.transformer_.get_feature_names_out(input_features)
        return names

    def _inner(self) -> Any:
        return StandardScaler() if self.transformer is None else self.transformer

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self._inner())
        tags.input_tags = inner.input_tags
        tags.target_tags = inner.target_tags
        return tags


def _fitted(transformer: Any, X: Any, y: Any, weight: Any) -> Any:
    """Return a clone that is fitted on rows, each as often as it weighs."""
    step = clone(transformer)
    if weight is None:
        return step.fit(X, y)
    if has_fit_parameter(step, "sample_weight"):
        return step.fit(X, y, sample_weight=weight)
    index = as_often(np.asarray(weight, dtype=np.float64), 0)
    return step.fit(take(X, index), None if y is None else np.asarray(y)[index])


def shrunk(source: StandardScaler, target: StandardScaler, k: float) -> StandardScaler:
    """Return the target's scaler with mean and variance drawn towards the source's.

    Both are ``a * target + (1 - a) * source`` with ``a = n / (n + k)``; n are the rows, or their
    weights, that each column of the target has a number in.

    Parameters
    ----------
    source, target : fitted StandardScaler
        Of the same columns. Neither is changed.
    k : float
        At least 0.
    """
    found = copy.deepcopy(source)
    n = np.asarray(target.n_samples_seen_, dtype=np.float64)
    a = n / np.maximum(n + k, np.finfo(float).tiny)

    def between(one: Array | None, other: Array | None) -> Array | None:
        """Return the weighted mean; a column without a number in the target keeps the source's."""
        if one is None or other is None:
            return one
        return np.asarray(np.where(a > 0, a * np.where(a > 0, other, 0.0) + (1 - a) * one, one))

    found.mean_ = between(source.mean_, target.mean_)
    found.n_samples_seen_ = target.n_samples_seen_
    variance = between(source.var_, target.var_)
    if variance is not None:
        found.var_ = variance
        centre = 0.0 if found.mean_ is None else found.mean_
        constant = variance <= np.square(10 * np.finfo(np.float64).eps * np.abs(centre))
        found.scale_ = np.where(constant, 1.0, np.sqrt(variance))
    return found
