"""`SubspaceAlignment`: turn the source's principal axes into the target's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from acclimate.mapping.batchwise import MomentsAdapter
from acclimate.mapping.mapped import (
    Affine,
    n_axes,
    principal_axes,
    spectrum,
)
from acclimate.mapping.moments import Moments
from acclimate.mapping.shrunk import Beside, beside, shrinkage_of, unit_of_inputs
from acclimate.settings import COUNT, SHARE, Constraints, OneOf
from acclimate.sources import Part, each
from acclimate.templates import Map
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]


class SubspaceAlignment(MomentsAdapter):
    """Describe each domain by its own principal components, the source's turned to the target's.

    Use it with many correlated features, when each domain lies near a subspace of its own. Do not
    use it when the labels depend on directions of low variance: those are dropped. Nor when all
    directions have about the same variance, as after whitening: which are kept is then chance.

    Minimises ``||P_s M - P_t||_F`` over matrices M, with principal axes P_s and P_t of shape
    (d, k). The solution is ``M = P_s' P_t``. Source rows become ``(x - mean_s) P_s M``, target rows
    ``(x - mean_t) P_t``. With s above 0 the inputs stand beside them: an inner product of both is a
    mean with the shares s and 1 - s.

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
        domain would; see `acclimate.mapping.shrunk.shrinkage_of`. With several sources it is the
        least over them.
    use_target_labels : bool, default=False
        Whether labelled target rows join the mapped source rows when the model is fitted.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains. Axes depend on the scale of the features.
    random_state : int, RandomState instance or None, default=None
        Seeds the model; the maps are deterministic.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : Mapped or None
        The model of the mapped source rows, behind the target's map.
    n_components_ : int
        Number of axes. Only after a target was given.
    alignment_ : ndarray of shape (k, k), or dict of them by source
        The matrix M. Only after a target was given.
    shrinkage_ : float
        Share s in use. Only after a target was given.
    source_similarity_ : dict
        Similarity of each of several sources; see `acclimate.sources.source_similarity`.
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
    The paper chooses k by a bound on the stability of the axes and by cross-validation; the share
    of the variance is simpler. Axes are exact, from the covariance, or from the rows where there
    are fewer of them than features. Rows of the source count by their weights.

    References
    ----------
    Fernando, Habrard, Sebban and Tuytelaars, "Unsupervised visual domain adaptation using subspace
    alignment", doi:10.1109/ICCV.2013.368.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, SubspaceAlignment
    >>> X = np.random.default_rng(0).normal(size=(200, 3)) * [5.0, 2.0, 0.1]
    >>> y = (X[:, 0] > 0).astype(int)
    >>> model = SubspaceAlignment().fit(X, y, target=Domain(X + 50))
    >>> model.predict([[55.0, 50.0, 50.0], [45.0, 50.0, 50.0]])
    array([1, 0])
    >>> model.n_components_
    2
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **MomentsAdapter._parameter_constraints,
        "n_components": [COUNT, None],
        "shrinkage": [SHARE, OneOf("auto")],
        "use_target_labels": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_components: int | None = None,
        shrinkage: float | str = "auto",
        use_target_labels: bool = False,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.n_components = n_components
        self.shrinkage = shrinkage
        self.use_target_labels = use_target_labels

    def _align(self, source: Rows, target: Rows, seed: int) -> tuple[Map, Map]:
        maps = self._maps(
            principal_axes(source.X, source.weight, name="source", most=self.n_components),
            principal_axes(target.X, None, name="target", most=self.n_components),
        )
        s = self.shrinkage_ = shrinkage_of(self.shrinkage, source, target, seed)
        ours, theirs = beside(maps, s, (source, target))
        return ours, theirs

    def _align_moments(self, source: Moments, target: Moments) -> tuple[Map, Map]:
        mean_s, Cs = source.covariance(name="source")
        mean_t, Ct = target.covariance(name="target")
        k = self.n_components
        return self._maps((mean_s, *spectrum(Cs, k)), (mean_t, *spectrum(Ct, k)))

    def _looks_at_rows(self) -> bool:
        return self.shrinkage == "auto"

    def _shrunk(
        self, maps: tuple[Map, Map], moments: tuple[Moments, Moments], rows: tuple[Rows, Rows],
        seed: int,
    ) -> tuple[Map, Map]:  # fmt: skip
        s = self.shrinkage_ = shrinkage_of(self.shrinkage, *rows, seed)
        if s == 0:
            return maps
        covariances = [side.scatter / side.n for side in moments]
        inputs = sum(float(np.trace(C)) for C in covariances)
        features = sum(
            float(np.sum(m.matrix * (C @ m.matrix)))
            for m, C in zip(maps, covariances, strict=True)
            if isinstance(m, Affine)  # both are
        )
        factor = unit_of_inputs(inputs, features, s)
        return Beside(maps[0], s, factor), Beside(maps[1], s, factor)

    def _maps(
        self, source: tuple[Array, Array, Array], target: tuple[Array, Array, Array]
    ) -> tuple[Affine, Affine]:
        (mean_s, var_s, Ps), (mean_t, var_t, Pt) = source, target
        k = n_axes(self.n_components, var_s, var_t)
        Ps, Pt = Ps[:, :k], Pt[:, :k]
        self.n_components_ = k
        self.alignment_: Any = align(Ps, Pt)
        zero = np.zeros(k)
        return Affine(mean_s, Ps @ self.alignment_, zero), Affine(mean_t, Pt, zero)

    def _align_several(
        self, parts: Sequence[Part], target: Rows, seed: int
    ) -> tuple[list[Map], Map]:
        axes = each(
            self, parts, lambda method, rows: principal_axes(rows.X, rows.weight, name="source")
        )
        mean_t, var_t, Pt = principal_axes(target.X, None, name="target")
        k = n_axes(self.n_components, var_t, *[variances for _, variances, _ in axes])
        Pt, zero = Pt[:, :k], np.zeros(k)
        turns = [align(P[:, :k], Pt) for _, _, P in axes]
        self.n_components_ = k
        self.alignment_ = {part.id: M for part, M in zip(parts, turns, strict=True)}
        maps: list[Map] = [
            Affine(mean, P[:, :k] @ M, zero) for (mean, _, P), M in zip(axes, turns, strict=True)
        ]
        # one space for all: as far as the source goes that differs most
        s = min(shrinkage_of(self.shrinkage, part.rows, target, seed) for part in parts)
        self.shrinkage_ = s
        *ours, theirs = beside(
            [*maps, Affine(mean_t, Pt, zero)], s, [*(part.rows for part in parts), target]
        )
        return ours, theirs


def align(Ps: Array, Pt: Array) -> Array:
    """Return M of shape (k, k) that minimises ``||P_s M - P_t||_F``.

    Parameters
    ----------
    Ps, Pt : ndarrays of shape (d, k)
        Orthonormal axes of source and target.
    """
    M: Array = Ps.T @ Pt
    return M
