"""`OneScale`: columns around zero, and one scale for all of them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class OneScale(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Take the mean off each column and divide all by one number, their typical spread.

    Use it behind an encoder, whose features have one unit. Do not use it on tables, whose columns
    have units of their own. `StandardScaler` would divide each feature by its own spread in the
    source, and a feature that hardly moves there, and does in the target, then outweighs all others
    (``benchmarks/pictures.py``).

    Computes ``(x - mean) / sqrt(mean variance of the columns)``.

    Attributes
    ----------
    mean_ : ndarray of shape (d,)
        Of each column.
    scale_ : float
        Root of the mean variance; 1 where no column varies.
    n_features_in_ : int
        Columns.

    Raises
    ------
    ValueError
        Rows are no finite numbers, or have another number of columns than those of the fit.

    Examples
    --------
    >>> import numpy as np
    >>> OneScale().fit_transform(np.array([[0.0, 7.0], [4.0, 7.0]]))
    array([[-1.41421356,  0.        ],
           [ 1.41421356,  0.        ]])
    """

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn means and scale.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows.
        y : object, default=None
            Ignored.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.
        """
        rows = validate_data(self, X, dtype=(np.float64, np.float32))
        self.mean_ = np.average(rows, axis=0, weights=sample_weight)
        variance = np.average((rows - self.mean_) ** 2, axis=0, weights=sample_weight).mean()
        self.scale_ = float(np.sqrt(variance)) if variance > 0 else 1.0
        return self

    def transform(self, X: Any) -> NDArray[np.floating[Any]]:
        """Return rows, shape (m, d).

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.
        """
        check_is_fitted(self, "mean_")
        rows = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        found: NDArray[np.floating[Any]] = (rows - self.mean_) / self.scale_
        return found
