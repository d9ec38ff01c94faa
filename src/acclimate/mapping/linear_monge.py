"""`LinearMonge`: the optimal transport map between two Gaussians."""

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


class LinearMonge(MomentsAdapter):
    """Move source rows by the cheapest affine map that gives them the target's mean and covariance.

    Use it where `CORAL` is of use; of all maps that align both moments, this one moves the rows
    least, in mean squared distance. Do not use it when the shares of the classes differ much, or
    when features are turned by so much that the shortest way leads to the wrong class.

    Minimises ``E ||x - T(x)||^2`` over maps T that carry N(mean_s, C_s) to N(mean_t, C_t). The
    solution is ``T(x) = mean_t + A (x - mean_s)`` with the symmetric matrix
    ``A = C_s^(-1/2) (C_s^(1/2) C_t C_s^(1/2))^(1/2) C_s^(-1/2)``. Target rows stay.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model, classifier or regressor. None means ``LogisticRegression(max_iter=1000)``.
    shrinkage : float in [0, 1] or "auto", default="auto"
        Share of a multiple of the identity in each covariance, ``(1 - s) C + s trace(C) / d I``.
        "auto" is the share of Ledoit and Wolf, for each domain.
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
        The symmetric matrix A. Only after a target was given.
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
    The paper adds a small multiple of the identity to the covariances; here its size follows the
    data. With ``shrinkage=0`` and a singular C_s, inverses are pseudo-inverses: no linear map can
    then reach directions in which the source does not vary. Rows of the source count by their
    weights.

    References
    ----------
    Knott and Smith, "On the optimal mapping of distributions", doi:10.1007/BF00934745.
    Flamary, Lounici and Ferrari, "Concentration bounds for linear Monge mapping estimation and
    optimal transport domain adaptation", arXiv:1905.10155.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, LinearMonge
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> y = (X[:, 0] > 0).astype(int)
    >>> model = LinearMonge(shrinkage=0.0).fit(X, y, target=Domain(10 * X + 3))
    >>> model.predict([[13.0, 3.0], [-7.0, 3.0]])
    array([1, 0])
    >>> np.round(np.abs(model.map_matrix_), 3)
    array([[10.,  0.],
           [ 0., 10.]])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **MomentsAdapter._parameter_constraints,
        "shrinkage": [SHARE, OneOf("auto")],
        "use_target_labels": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        shrinkage: float | str = "auto",
        use_target_labels: bool = False,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.shrinkage = shrinkage
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
        self.map_matrix_ = monge_matrix(Cs, Ct)
        return Affine(mean_s, self.map_matrix_, mean_t), Same()


def monge_matrix(Cs: Array, Ct: Array) -> Array:
    """Return the symmetric A with ``A C_s A = C_t`` that moves least.

    Parameters
    ----------
    Cs : ndarray of shape (d, d)
        Covariance to start from, positive semi-definite and not zero.
    Ct : ndarray of shape (d, d)
        Covariance to reach.

    Returns
    -------
    A : ndarray of shape (d, d)
        Positive semi-definite. On the range of C_s, ``A C_s A`` equals C_t.
    """
    s, U = spectrum(Cs)  # (r,), (d, r)
    t, V = spectrum(Ct)
    # singular values of C_t^(1/2) C_s^(1/2) are the roots of the eigenvalues of the inner product:
    # taken from the factor, small ones keep their digits
    factor = (np.sqrt(t)[:, None] * V.T) @ (U * np.sqrt(s))
    _, roots, W = svd(factor, full_matrices=False)
    half = W @ (U / np.sqrt(s)).T  # (k, d)
    A: Array = (half.T * roots) @ half
    return A
