"""`NearestNeighborWeights`: each target row gives its weight to the nearest source row."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.neighbors import NearestNeighbors

from acclimate.folds import row_keys
from acclimate.reweighting.ratio import Array, RatioAdapter
from acclimate.settings import NOT_NEGATIVE, Constraints


def cell_counts(X: Array, Xt: Array, seed: int = 0, counts: Array | None = None) -> Array:
    """Return how many target rows are nearest to each source row, shape (n,).

    Source rows that are equal share the count of their cell.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Source rows.
    Xt : ndarray of shape (m, d)
        Target rows.
    seed : int, default=0
        Seeds the comparison of rows.
    counts : ndarray of shape (n,), default=None
        How many rows each source row stands for; None is one each.

    >>> cell_counts(np.array([[0.0], [4.0], [4.0]]), np.array([[-1.0], [1.0], [5.0]]))
    array([2. , 0.5, 0.5])
    """
    _, first, cell = np.unique(row_keys(X, seed), return_index=True, return_inverse=True)
    size = np.bincount(cell.reshape(-1), weights=counts)
    near = NearestNeighbors(n_neighbors=1).fit(X[first]).kneighbors(Xt, return_distance=False)
    shares: Array = np.bincount(near[:, 0], minlength=len(first)) / size
    return shares[cell.reshape(-1)]


class NearestNeighborWeights(RatioAdapter):
    """Weigh source rows by the number of target rows that lie nearest to them.

    Use it for a quick look, or where the ratio of densities has a shape that kernels of one width
    do not fit; there is nothing to tune. Do not use it with few target rows, which leave most cells
    empty, or with many features of noise, where the nearest row is a matter of chance.

    The cell of a source row is where no other source row is nearer. Its weight is
    ``smoothing + number of target rows in its cell``: up to scale, the ratio of a histogram of the
    target to one of the source on cells that hold one source row each.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model. None means ``LogisticRegression(max_iter=1000)``.
    smoothing : float, default=1.0
        Added to each count, at least 0. 1 is Laplace's. With 0, source rows without a target row in
        their cell are dropped.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    weights_ : ndarray of shape (n,)
        Weights of the source rows, 1 on average. Only after a target was given.
    weight_report_ : WeightReport
        Effective rows and tail of the weights.
    source_similarity_ : dict
        Similarity of each of several sources; see `acclimate.sources.source_similarity`.
    source_model_, target_model_ : estimator
        The model before and after weighting.

    Raises
    ------
    InputError
        ``smoothing`` is below 0.

    Notes
    -----
    Deviation from the paper: source rows that are equal share the target rows of their cell, so
    that the answer does not depend on the order of rows.

    References
    ----------
    Loog, "Nearest neighbor-based importance weighting", doi:10.1109/MLSP.2012.6349714.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, NearestNeighborWeights
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), [0, 0, 1, 1]
    >>> target = Domain(np.array([[2.1], [2.9], [3.4], [4.0]]))
    >>> NearestNeighborWeights().fit(X, y, target=target).weights_
    array([0.5, 0.5, 1. , 2. ])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **RatioAdapter._parameter_constraints,
        "smoothing": [NOT_NEGATIVE],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        smoothing: float = 1.0,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.smoothing = smoothing

    def _ratio(self, X: Array, Xt: Array, counts: Array, seed: int) -> Array:
        return self.smoothing + cell_counts(X, Xt, seed, counts)
