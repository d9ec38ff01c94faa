"""`GFK`: the geodesic flow kernel between two subspaces."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import svd

from acclimate.mapping.mapped import (
    Affine,
    DenseMapAdapter,
    n_axes,
    principal_axes,
)
from acclimate.mapping.shrunk import beside, shrinkage_of
from acclimate.settings import COUNT, SHARE, Constraints, OneOf
from acclimate.templates import Map
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]


class FlowAdapter(DenseMapAdapter):
    """What GFK and MEDA share: the axes of both domains, and the features of their flow."""

    _parameter_constraints: ClassVar[Constraints] = {
        **DenseMapAdapter._parameter_constraints,
        "n_components": [COUNT, None],
        "as_published": ["boolean"],
        "use_target_labels": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_components: int | None = None,
        as_published: bool = False,
        use_target_labels: bool = False,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.n_components = n_components
        self.as_published = as_published
        self.use_target_labels = use_target_labels

    def _flow(self, source: Rows, target: Rows) -> tuple[Affine, Affine]:
        """Return the maps of both domains to features of the kernel, shape (m, 2 k)."""
        mean_s, var_s, Ps = principal_axes(source.X, source.weight, name="source")
        mean_t, var_t, Pt = principal_axes(target.X, None, name="target")
        k = n_axes(self.n_components, var_s, var_t)
        F, self.angles_ = geodesic_factor(Ps[:, :k], Pt[:, :k])
        self.n_components_ = k
        zero = np.zeros(F.shape[1])
        if self.as_published:  # axes are about the means, and rows stay where they are
            mean_s = mean_t = np.zeros(len(F))
        return Affine(mean_s, F, zero), Affine(mean_t, F, zero)


class GFK(FlowAdapter):
    """Compare rows along all subspaces on the shortest way from the source's to the target's.

    Use it with many correlated features, when each domain lies near a subspace of its own and
    neither alone holds what both share. Do not use it when the labels depend on directions of low
    variance: those are dropped. Nor when all directions have about the same variance, as after
    whitening: which are kept is then chance.

    Computes ``G = integral over t in [0, 1] of Phi(t) Phi(t)'``, where Phi is the geodesic from the
    source's principal axes P_s, shape (d, k), to the target's. With the principal angles theta_i,
    the principal vectors a_i of the source and the directions b_i in which they turn, G is a sum of
    ``[a_i b_i] B_i [a_i b_i]'`` with ``B_i`` = ``[[1 + sin(2 theta) / (2 theta), (1 - cos(2 theta))
    / (2 theta)], [same, 1 - sin(2 theta) / (2 theta)]] / 2``. Rows become ``(x - mean) F`` with
    ``F F' = G`` and each domain's own mean, so that inner products are the kernel's. With s above 0
    the inputs stand beside them: an inner product of both is a mean with the shares s and 1 - s.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model, classifier or regressor. None means ``LogisticRegression(max_iter=1000)``.
    n_components : int, default=None
        Number k of axes, at least 1. None keeps as many as carry 95 % of the variance in both
        domains.
    shrinkage : float in [0, 1] or "auto", default="auto"
        Share s of the inputs in what the model sees. 0 is the paper's features alone, 1 the inputs.
        "auto" is 0 where the domains plainly differ, 1 where they do no more than two draws of one
        domain would; see `acclimate.mapping.shrunk.shrinkage_of`.
    as_published : bool, default=False
        Whether rows become ``x F``, as in the paper, with no mean taken away.
    use_target_labels : bool, default=False
        Whether labelled target rows join the mapped source rows when the model is fitted.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains. Axes depend on the scale of the features.
    random_state : int, RandomState instance or None, default=None
        Seeds the model; the map is deterministic.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : Mapped or None
        The model of the mapped source rows, behind the target's map.
    n_components_ : int
        Number of axes. Only after a target was given.
    angles_ : ndarray of shape (k,)
        Principal angles in radians, smallest first. Only after a target was given.
    shrinkage_ : float
        Share s in use. Only after a target was given.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Raises
    ------
    InputError
        A value cannot be used, a domain has one row or equal rows only, or it varies along fewer
        axes than ``n_components``.

    Notes
    -----
    The paper chooses k by a measure of how much the subspaces disagree, and leaves out the factor
    1/2. It needs k below d / 2; this does not. Rows of the source count by their weights.

    References
    ----------
    Gong, Shi, Sha and Grauman, "Geodesic flow kernel for unsupervised domain adaptation",
    doi:10.1109/CVPR.2012.6247911.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import GFK, Domain
    >>> X = np.random.default_rng(0).normal(size=(200, 3)) * [5.0, 2.0, 0.1]
    >>> y = (X[:, 0] > 0).astype(int)
    >>> model = GFK().fit(X, y, target=Domain(X + 50))
    >>> model.predict([[55.0, 50.0, 50.0], [45.0, 50.0, 50.0]])
    array([1, 0])
    >>> model.angles_.round(6)
    array([0., 0.])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **FlowAdapter._parameter_constraints,
        "shrinkage": [SHARE, OneOf("auto")],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_components: int | None = None,
        shrinkage: float | str = "auto",
        as_published: bool = False,
        use_target_labels: bool = False,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator, n_components=n_components, as_published=as_published,
            use_target_labels=use_target_labels, preprocess=preprocess, random_state=random_state,
        )  # fmt: skip
        self.shrinkage = shrinkage

    def _align(self, source: Rows, target: Rows, seed: int) -> tuple[Map, Map]:
        s = self.shrinkage_ = shrinkage_of(self.shrinkage, source, target, seed)
        ours, theirs = beside(self._flow(source, target), s, (source, target))
        return ours, theirs


def geodesic_factor(Ps: Array, Pt: Array) -> tuple[Array, Array]:
    """Return a factor of the geodesic flow kernel and the principal angles.

    Parameters
    ----------
    Ps, Pt : ndarrays of shape (d, k)
        Orthonormal axes of source and target.

    Returns
    -------
    F : ndarray of shape (d, 2 k)
        ``F F'`` is the kernel's matrix G.
    angles : ndarray of shape (k,)
        Angles in [0, pi / 2], smallest first.
    """
    left, cosines, right = svd(Ps.T @ Pt)
    A = Ps @ left  # principal vectors of the source, (d, k)
    rest = Pt @ right.T - A * cosines  # what the target has outside the source, (d, k)
    sines = np.linalg.norm(rest, axis=0)
    angles: Array = np.arctan2(sines, np.clip(cosines, 0.0, None))
    # where the angle is zero no direction is turned into, and its weight is zero, too
    turned = sines > 8 * np.finfo(np.float64).eps
    B = np.where(turned, rest / np.where(turned, sines, 1.0), 0.0)
    flat = np.sinc(2 * angles / np.pi)  # sin(2 theta) / (2 theta)
    cross = np.sin(angles) * np.sinc(angles / np.pi)  # (1 - cos(2 theta)) / (2 theta)
    blocks = np.stack([1 + flat, cross, cross, 1 - flat], axis=-1).reshape(-1, 2, 2) / 2
    values, vectors = np.linalg.eigh(blocks)  # (k, 2), (k, 2, 2)
    roots = vectors * np.sqrt(np.clip(values, 0.0, None))[:, None, :]  # (k, 2, 2)
    F: Array = np.concatenate([A * roots[:, 0, i] + B * roots[:, 1, i] for i in (0, 1)], axis=1)
    return F, angles
