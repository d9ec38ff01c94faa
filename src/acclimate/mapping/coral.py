"""`CORAL`: give the source rows the covariance of the target."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import svd

from acclimate.mapping.batchwise import MomentsAdapter
from acclimate.mapping.mapped import (
    Affine,
    Same,
    moments,
    spectrum,
)
from acclimate.mapping.moments import Moments
from acclimate.settings import SHARE, Constraints, OneOf
from acclimate.templates import Map
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]


class CORAL(MomentsAdapter):
    """Map source rows so that they have the target's covariance, then fit the model on them.

    Use it when the features of the two domains differ in scale, correlation and mean, and labels
    follow the same rule after that is undone. It is a strong and cheap first choice. Do not use it
    when the shares of the classes differ much: means and covariances then differ for that reason
    alone, and aligning them moves classes onto each other.

    Minimises ``||A' C_s A - C_t||_F`` over matrices A, with covariances C_s of the source and C_t
    of the target. Of all minimisers it takes ``A = U_s S_s^(-1/2) Q S_t^(1/2) U_t'``, where U S U'
    are eigendecompositions, r is the lower of the two ranks, U_t keeps its r leading vectors, and Q
    is the matrix with orthonormal columns that is closest to ``U_s' U_t``. At full rank this is
    ``C_s^(-1/2) C_t^(1/2)``. Source rows become ``(x - mean_s) A + mean_t``. Target rows stay.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model, classifier or regressor. None means ``LogisticRegression(max_iter=1000)``.
    shrinkage : float in [0, 1] or "auto", default="auto"
        Share of a multiple of the identity in each covariance, ``(1 - s) C + s trace(C) / d I``.
        "auto" is the share of Ledoit and Wolf, for each domain. With 0 the covariances are those
        of the rows, of whatever rank, and so they are with more features than rows.
    align_means : bool, default=True
        Whether source rows also move to the target's mean. With False the map is ``x A``, and a
        target that is merely moved changes nothing.
    use_target_labels : bool, default=False
        Whether labelled target rows join the mapped source rows when the model is fitted.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds the model; the map is deterministic.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : Mapped or None
        The model of the mapped source rows, behind the target's map.
    map_matrix_ : ndarray of shape (d, d), or dict of them by source
        The matrix A. Only after a target was given.
    source_similarity_ : dict
        Similarity of each of several sources; see `acclimate.sources.source_similarity`.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Raises
    ------
    InputError
        A value cannot be used, or a domain has one row or equal rows only.

    Notes
    -----
    The paper adds the identity to both covariances, after scaling features to unit variance. Here
    the multiple of the identity follows the scale of the data. The paper's closed form for
    singular covariances has ``U_s' U_t`` where this has Q; it reaches the minimum only where the
    source's range holds the target's. Rows of the source count by their weights.

    References
    ----------
    Sun, Feng and Saenko, "Return of frustratingly easy domain adaptation", arXiv:1511.05547.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import CORAL, Domain
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> y = (X[:, 0] > 0).astype(int)
    >>> model = CORAL(shrinkage=0.0).fit(X, y, target=Domain(10 * X + 3))
    >>> model.predict([[13.0, 3.0], [-7.0, 3.0]])
    array([1, 0])
    >>> np.round(np.abs(model.map_matrix_), 3)
    array([[10.,  0.],
           [ 0., 10.]])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **MomentsAdapter._parameter_constraints,
        "shrinkage": [SHARE, OneOf("auto")],
        "align_means": ["boolean"],
        "use_target_labels": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        shrinkage: float | str = "auto",
        align_means: bool = True,
        use_target_labels: bool = False,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.shrinkage = shrinkage
        self.align_means = align_means
        self.use_target_labels = use_target_labels

    def _align(self, source: Rows, target: Rows, seed: int) -> tuple[Map, Map]:
        return self._maps(
            moments(source.X, source.weight, name="source", shrinkage=self.shrinkage),
            moments(target.X, name="target", shrinkage=self.shrinkage),
        )

    def _align_moments(self, source: Moments, target: Moments) -> tuple[Map, Map]:
        return self._maps(
            source.covariance(name="source", shrinkage=self.shrinkage),
            target.covariance(name="target", shrinkage=self.shrinkage),
        )

    def _maps(self, source: tuple[Array, Array], target: tuple[Array, Array]) -> tuple[Map, Map]:
        (mean_s, Cs), (mean_t, Ct) = source, target
        self.map_matrix_ = recolour(Cs, Ct)
        if not self.align_means:
            mean_s, mean_t = np.zeros_like(mean_s), np.zeros_like(mean_t)
        return Affine(mean_s, self.map_matrix_, mean_t), Same()


def recolour(Cs: Array, Ct: Array) -> Array:
    """Return A with ``A' C_s A`` as close to C_t as its rank allows.

    Parameters
    ----------
    Cs : ndarray of shape (d, d)
        Covariance to start from, positive semi-definite and not zero.
    Ct : ndarray of shape (d, d)
        Covariance to reach.

    Returns
    -------
    A : ndarray of shape (d, d)
        ``A' C_s A`` is C_t, or its best approximation of the rank of C_s where that is lower.
    """
    s, U = spectrum(Cs)  # (r_s,), (d, r_s)
    t, V = spectrum(Ct)
    r = min(len(s), len(t))
    Q = U.T @ V[:, :r]  # (r_s, r)
    if r < len(Cs):  # else both bases are square, and Q is orthogonal already
        left, _, right = svd(Q, full_matrices=False)
        Q = left @ right
    A: Array = (U / np.sqrt(s)) @ Q @ (np.sqrt(t[:r])[:, None] * V[:, :r].T)
    return A
