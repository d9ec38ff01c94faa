"""`OTMapping`: move source rows onto the target by optimal transport."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.utils import gen_batches

from acclimate.exceptions import InputError
from acclimate.mapping.mapped import DenseMapAdapter, Same
from acclimate.mapping.pot_loading import pot
from acclimate.mapping.shrunk import PartWay, shrinkage_of
from acclimate.mapping.sinkhorn import (
    BLOCK_PAIRS,
    SINGLE_PAIRS,
    Barycentre,
    sinkhorn,
    sinkhorn_classes,
)
from acclimate.mapping.transport import Cost, NearestMove, exact_plan, merge_rows
from acclimate.settings import COUNT, NOT_NEGATIVE, POSITIVE, SHARE, Constraints, OneOf
from acclimate.templates import Map
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]
Index = NDArray[np.intp]
INTERACTION = 0.15  # of the median interaction of two rows is the automatic strength
FAINTEST = 1e-3  # mean costs: the automatic strength is no less
LOOKED_AT = 1000  # rows of each domain that it is taken from
FORBIDDEN = 10.0  # mean costs that a pair of different known classes costs more


class OTMapping(DenseMapAdapter):
    """Move each source row to the mean of the target rows that optimal transport sends it to.

    Use it when the target is the source moved in a way that no affine map describes, and classes
    are about as frequent on both sides. Do not use it when they are not: all mass must go
    somewhere, and what is too much of a class lands on another. Nor with few rows in many
    dimensions.

    Minimises ``sum_ij P_ij ||x_i - z_j||^2 + R(P)`` over plans P whose row sums are the source
    weights and whose column sums are 1 / m. R is nothing ("none"), the entropy
    ``epsilon sum_ij P_ij log P_ij`` ("entropic"), or the entropy and
    ``class_strength sum_j sum_c (P_cj + 0.001 / m)^0.5`` times a constant, with P_cj the mass that
    target row j gets from class c ("classes"). Row i then moves towards ``sum_j P_ij z_j / sum_j
    P_ij``, all the way but for a share s, which is that of the domains' distance that two draws of
    one domain would have. Target rows stay.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model, classifier or regressor. None means ``LogisticRegression(max_iter=1000)``.
    regularisation : {"none", "entropic", "classes"}, default="entropic"
        "entropic" is smooth, and pulls rows towards each other. "classes" also keeps source rows of
        different classes off the same target row; it needs classes. "none" is exact and needs POT:
        ``pip install "acclimate[ot]"``. It follows every row, and so the noise of few rows.
    epsilon : float or "auto", default="auto"
        Strength of the entropy above 0, in units of the mean cost. "auto" follows the part of the
        cost that a plan can change: 0.15 times the median of ``|2 x_i'z_j|`` over centred rows, at
        least 0.001 mean costs. Not read by "none".
    class_strength : float, default=0.03
        Strength of the penalty on mixed classes, at least 0, in units of the mean cost. Read by
        "classes" alone.
    shrinkage : float in [0, 1] or "auto", default="auto"
        Share s of the way that a row does not go. 0 is the paper's map. "auto" is 0 where the
        domains plainly differ, 1 where they do no more than two draws of one domain would; see
        `acclimate.mapping.shrunk.shrinkage_of`.
    max_rows : int, default=5000
        With entropy, each domain is represented by at most this many rows drawn at random, at
        least 1. The exact plan always takes all rows.
    use_target_labels : bool, default=False
        Whether labelled target rows join the mapped source rows when the model is fitted. In a
        classification, moving a row onto one of another class then costs ten mean costs more.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds the model and the rows that are drawn.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : Mapped or None
        The model of the mapped source rows.
    epsilon_ : float
        Strength in use, in units of the mean cost. Only after a target was given, with entropy.
    shrinkage_ : float
        Share s in use. Only after a target was given.
    transport_cost_ : float
        ``sum_ij P_ij ||x_i - z_j||^2``. Only after a target was given.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Raises
    ------
    InputError
        A value cannot be used, or classes are asked for in a regression.
    MissingExtraError
        The exact plan is asked for and POT is not installed.

    Warns
    -----
    ConvergenceWarning
        A solver stopped early.

    Notes
    -----
    ``class_strength`` was chosen on four simulated shifts of optdigits and pendigits, one draw
    each; "auto" on shifts of optdigits, pendigits, wine and simulated rows, two draws each
    (``benchmarks/shallow_defaults.py``). What a row costs on average, wherever it goes, makes up
    most of the mean cost where there are many features or a few of large variance, and no plan
    changes that: a fixed share of the mean cost then blurs the plan.

    New source rows: with "entropic", the map above is a function of x through the potentials of the
    plan, and holds for any x (Pooladian and Niles-Weed). Else a new row moves by as much as the
    nearest row that was seen (Ferradans et al.). A row that was seen maps the same, in `fit` or
    later. The map is computed once; the plan is not kept. A saved model holds target rows, or the
    source rows and where they go.

    Memory of the exact plan grows with n + m: it is found by adding pairs of rows until potentials
    prove that no other pair would help. With entropy it grows with the square of ``max_rows``.

    Deviation: the plan of two draws of one domain moves rows as well, onto the noise of the other
    draw, and among many features a model of those rows is far worse than the source's; "auto" is
    what is left of them when chance is taken away.

    Both domains are centred, which changes no plan and makes ``epsilon`` independent of a move.
    Equal rows are merged, so that the map is a function of x. Deviation: the class penalty is
    measured in shares of each target row's mass, so that its strength does not depend on m.

    References
    ----------
    Courty, Flamary, Tuia and Rakotomamonjy, "Optimal transport for domain adaptation",
    doi:10.1109/TPAMI.2016.2615921.
    Ferradans, Papadakis, Peyre and Aujol, "Regularized discrete optimal transport",
    arXiv:1307.5551.
    Pooladian and Niles-Weed, "Entropic estimation of optimal transport maps", arXiv:2109.12004.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, OTMapping
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> y = (X[:, 0] > 0).astype(int)
    >>> model = OTMapping(regularisation="none").fit(X, y, target=Domain(2 * X + 9))
    >>> model.predict([[11.0, 9.0], [7.0, 9.0]])
    array([1, 0])
    >>> bool(np.allclose(model.transform(X, domain="source"), 2 * X + 9))
    True
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DenseMapAdapter._parameter_constraints,
        "regularisation": [OneOf("none", "entropic", "classes")],
        "epsilon": [POSITIVE, OneOf("auto")],
        "class_strength": [NOT_NEGATIVE],
        "shrinkage": [SHARE, OneOf("auto")],
        "max_rows": [COUNT],
        "use_target_labels": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        regularisation: str = "entropic",
        epsilon: float | str = "auto",
        class_strength: float = 0.03,
        shrinkage: float | str = "auto",
        max_rows: int = 5000,
        use_target_labels: bool = False,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.regularisation = regularisation
        self.epsilon = epsilon
        self.class_strength = class_strength
        self.shrinkage = shrinkage
        self.max_rows = max_rows
        self.use_target_labels = use_target_labels

    def _check_settings(self) -> None:
        if self.regularisation == "classes" and self._regression():
            raise InputError(
                f'regularisation="classes" needs classes, and {type(self._base()).__name__} is a '
                f'regressor; use "none" or "entropic"'
            )
        if self.regularisation == "none":
            pot()

    def _align(self, source: Rows, target: Rows, seed: int) -> tuple[Map, Map]:
        whole = self._move(source, target, seed)
        self.shrinkage_ = shrinkage_of(self.shrinkage, source, target, seed)
        return whole if self.shrinkage_ == 0 else PartWay(whole, self.shrinkage_), Same()

    def _move(self, source: Rows, target: Rows, seed: int) -> Map:
        """Return the map of the plan."""
        rng = np.random.default_rng(seed)
        codes, known = None, None
        if not self._regression() and (target.y is not None or self.regularisation == "classes"):
            classes, codes = np.unique(source.labels, return_inverse=True)
            if target.y is not None:
                known = np.full(len(target.X), -1)
                place = slice(None) if target.labelled is None else target.labelled
                known[place] = np.searchsorted(classes, target.y)
        most = None if self.regularisation == "none" else self.max_rows
        different = codes is None  # rows that represent returns differ in their inputs
        X, a, codes = represent(source.X, source.weight, codes, most, rng)
        Y, b, known = represent(target.X, None, known, most, rng)
        centre, other = a @ X, b @ Y
        cost = Cost(X - centre.astype(X.dtype), Y - other.astype(Y.dtype))
        scale = cost.mean(a, b) or 1.0
        table = None
        if target.y is not None and not self._regression():
            apart = (known >= 0) & (known != np.arange(codes.max() + 1)[:, None])
            table = FORBIDDEN * scale * apart
        labelled = Cost(cost.X, cost.Z, codes, table)
        if self.regularisation != "none":
            automatic = self.epsilon == "auto"
            self.epsilon_ = automatic_epsilon(cost, scale) if automatic else float(self.epsilon)
            epsilon = self.epsilon_ * scale
        if self.regularisation == "none":
            plan = exact_plan(labelled, a, b, seed=seed)
            P, spent = plan.matrix, plan.cost
            if table is not None:
                spent = float(cost.pairs(*P.nonzero()) @ P.data)
        else:
            dense = labelled.single() if len(X) * len(Y) > SINGLE_PAIRS else labelled
            if self.regularisation == "classes":
                strength = self.class_strength * scale
                kernel, _ = sinkhorn_classes(dense.of(), codes, a, b, epsilon, strength)
            else:
                kernel = sinkhorn(dense.of(), a, b, epsilon)
            P = kernel.plan()
            parts = gen_batches(len(X), max(1, BLOCK_PAIRS // len(Y)))
            spent = sum(float((P[part] * cost.of(part)).sum()) for part in parts)
        self.transport_cost_ = spent + float(((centre - other) ** 2).sum())
        if self.regularisation == "entropic" and table is None:
            potential = kernel.potentials()[1]
            return Barycentre(centre, cost.Z, potential, epsilon, Y)
        del cost, labelled  # copies of all rows
        moved = P @ Y
        moved /= np.asarray(P.sum(1), dtype=moved.dtype)[:, None]
        moved = moved.astype(X.dtype, copy=False)
        return NearestMove(X, moved) if different else nearest_move(X, moved, a)


def represent(
    X: Array, weight: Array | None, codes: Index | None, most: int | None, rng: np.random.Generator
) -> tuple[Array, Array, Index]:
    """Return different rows, their masses, and their codes, in an order that X does not decide.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.
    weight : ndarray of shape (n,) or None
        Their weights; rows of weight 0 are left out.
    codes : integer ndarray of shape (n,) or None
        Rows that differ here stay apart.
    most : int or None
        With more different rows than this, so many are drawn.
    rng : numpy Generator
        Draws them.

    Returns
    -------
    rows : ndarray of shape (r, d)
        Different rows.
    mass : ndarray of shape (r,)
        Sums to 1.
    codes : integer ndarray of shape (r,)
        Codes of these rows; 0 where none were given.
    """
    codes = np.zeros(len(X), dtype=np.intp) if codes is None else codes
    if weight is not None and not weight.all():
        kept = np.flatnonzero(weight)
        X, weight, codes = X[kept], weight[kept], codes[kept]
    first, group = merge_rows(X, codes)
    mass = np.bincount(group, weights=weight).astype(np.float64)
    if most is not None and len(first) > most:
        drawn = np.sort(rng.choice(len(first), most, replace=False))
        first, mass = first[drawn], mass[drawn]
    return X[first], mass / mass.sum(), codes[first]


def nearest_move(X: Array, moved: Array, mass: Array) -> NearestMove:
    """Return the map that sends rows where they were moved; equal rows go to their mean place.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.
    moved : ndarray of shape (n, d)
        Where each goes.
    mass : ndarray of shape (n,)
        Masses, above 0.
    """
    first, group = merge_rows(X)
    share = mass / np.bincount(group, weights=mass)[group]
    mean = csr_array((share, (group, np.arange(len(X)))), shape=(len(first), len(X))) @ moved
    return NearestMove(X[first], mean.astype(X.dtype))


def automatic_epsilon(cost: Cost, scale: float) -> float:
    """Return a strength of the entropy in units of ``scale``.

    A cost is ``||x||^2 + ||z||^2 - 2 x'z``. The first two are paid by any plan; the third is what
    it chooses by, and does not grow with outliers, of which the median knows little.

    Parameters
    ----------
    cost : Cost
        Of centred rows, in an order that says nothing of them.
    scale : float
        Mean cost, above 0.
    """
    some = cost.X[:LOOKED_AT].astype(np.float64) @ cost.Z[:LOOKED_AT].astype(np.float64).T
    return max(INTERACTION * float(np.median(np.abs(2.0 * some))) / scale, FAINTEST)
