"""`TJM`: transfer joint matching, solved by reweighting."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from acclimate.folds import as_often
from acclimate.mapping.expansion import ComponentsAdapter, Expansion
from acclimate.mapping.gaps import mean_gap
from acclimate.mapping.mapped import in_own_order, own_order
from acclimate.settings import COUNT, POSITIVE, Constraints
from acclimate.templates import Map
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]
SETTLED = 1e-4  # relative fall of the objective at which the rounds end
SMOOTH = 1e-3  # of the first typical row norm: below, a norm is rounded off


class TJM(ComponentsAdapter):
    """Find features in which the domains' means agree, carried by few of the source rows.

    Use it where `TCA` is used, when part of the source may be of no use: the features then rest on
    the target, and on the source rows that they need most. Do not use it when the shares of the
    classes differ much, since equal means then mix classes, or when all of the source is relevant;
    `TCA` then does the same for less.

    Minimises ``tr(W' K L K W) + mu (2 unit sum_i ||w_i|| + sum_j ||w_j||^2)`` subject to ``W' K H K
    W = I``, with i over source rows and j over target rows. K is the kernel of all n + m rows, H
    centres, w_i is the row of W that belongs to row i, and ``tr(W' K L K W)`` is the squared
    distance of the domains' means. Each round solves ``tr(W' (K L K + mu G) W)`` exactly, with G
    diagonal: ``unit / ||w_i||`` of the round before for source rows, 1 for target rows. The
    objective falls in each round.
    Features are ``k(x, rows) W sqrt(n + m)`` less their mean. With s
    above 0 the inputs stand beside them: a kernel of both is a mean with the shares s and 1 - s.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model, classifier or regressor. None means ``LogisticRegression(max_iter=1000)``.
    n_components : int, default=30
        Number k of features, at least 1. Fewer are kept where the kernel has a lower rank. None
        keeps those whose eigenvalue in the first round is at least a hundredth of the largest, at
        most 30.
    kernel : {"rbf", "linear"} or callable, default="rbf"
        A callable takes rows of shapes (n, d) and (m, d) and returns a matrix of shape (n, m),
        positive semi-definite where the rows are the same.
    gamma : float, default=None
        For "rbf", inverse squared width, above 0. None is a hundredth over the median squared
        distance among at most 1000 rows: a wide kernel, which is nearly linear.
    mu : float, default=1e-4
        Strength of the penalty on W, above 0. Smaller values care more for equal means.
    unit : float, default=0.5
        Norm at which a source row costs what a target row does, above 0; rows below it are pressed
        to zero. 0.5 is the paper's objective. None is the root mean square of the source rows in
        the first round, which chooses among them.
    rounds : int, default=10
        Most rounds of reweighting, at least 1.
    shrinkage : float in [0, 1] or "auto", default="auto"
        Share s of the inputs in what the model sees. 0 is the paper's features alone, 1 the inputs.
        "auto" is 0 where the domains plainly differ, 1 where they do no more than two draws of one
        domain would; see `acclimate.mapping.shrunk.shrinkage_of`.
    as_published : bool, default=False
        Whether details follow published code, not the paper's text: M = L is scaled to a Frobenius
        norm of 1, columns of W have length 1, also where rows are weighed by their norms, features
        are ``k(x, rows) W`` itself, and no round is left out.
    n_landmarks : int, default=500
        Above 5000 rows, "rbf" and callables are expanded in this many rows drawn at random
        (Nystrom), at least 1. A linear kernel is always exact.
    approximation : {"landmarks", "fourier"}, default="landmarks"
        What stands for the kernel above 5000 rows. "fourier", for "rbf" alone, is ``n_landmarks``
        random cosines and sines; a saved model then holds no rows.
    use_target_labels : bool, default=False
        Whether labelled target rows join the mapped source rows when the model is fitted.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds the model, the landmarks and the rows of the median.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : Mapped or None
        The model of the mapped source rows, behind the map.
    objective_ : float
        The objective at the end. Only after a target was given.
    objectives_ : ndarray of shape (n_rounds + 1,)
        The objective before the first reweighting and after each.
    unit_ : float
        The unit of norms.
    row_norms_ : ndarray of shape (n,)
        Norms of the source rows' coefficients, largest 1.
    shrinkage_ : float
        Share s in use. Only after a target was given.
    n_components_ : int
        Number of features.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Raises
    ------
    InputError
        A value cannot be used, or the kernel does not vary over the rows.

    Notes
    -----
    Width and number of features were chosen on shifts of optdigits, pendigits, wine and simulated
    rows, as those of `TCA` were.
    The paper's penalty depends on the unit of W, which depends on the kernel and on how many rows
    there are. With the default kernel, mean norms of the first round are 3 to 170 on the shifts
    that the other defaults were chosen on, far above 0.5: a source row then costs less than a
    target row, the more so the larger its norm. A unit of 5 or None was worse there on optdigits,
    by 3 and 5 points (two draws). ``unit`` is no part of the paper. With None, few source rows are
    left; among many features of noise, single rows then become features, and the model can be
    far worse than that of the source. The norm of a source row is ``sqrt(||w_i||^2 + e^2)``, where
    e is a thousandth of the root mean square of the first round: a row at zero would stay there for
    good, and G would be infinite.
    Rounds end early when the objective falls by less than one in ten thousand. The problem is not
    convex, because of its constraint; the rounds reach a stationary point. The paper leaves the
    features at variance 1 / (n + m). Weights of the source rows reach the model; for
    the map, a row is taken as often as it weighs.

    References
    ----------
    Long, Wang, Ding, Sun and Yu, "Transfer joint matching for unsupervised domain adaptation",
    doi:10.1109/CVPR.2014.183.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import TJM, Domain
    >>> X = np.random.default_rng(0).normal(size=(200, 2)) * [2.0, 0.5]
    >>> y = (X[:, 0] > 0).astype(int)
    >>> model = TJM(kernel="linear", n_components=1).fit(X, y, target=Domain(X + [0.0, 9.0]))
    >>> model.predict([[2.0, 9.0], [-2.0, 9.0]])
    array([1, 0])
    """

    _found = ("objectives_", "unit_", "row_norms_")
    _parameter_constraints: ClassVar[Constraints] = {
        **ComponentsAdapter._parameter_constraints,
        "unit": [POSITIVE, None],
        "rounds": [COUNT],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_components: int | None = 30,
        kernel: Any = "rbf",
        gamma: float | None = None,
        mu: float = 1e-4,
        shrinkage: float | str = "auto",
        as_published: bool = False,
        unit: float | None = 0.5,
        rounds: int = 10,
        n_landmarks: int = 500,
        approximation: str = "landmarks",
        use_target_labels: bool = False,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator, n_components=n_components, kernel=kernel, gamma=gamma, mu=mu,
            shrinkage=shrinkage, as_published=as_published, n_landmarks=n_landmarks,
            approximation=approximation, use_target_labels=use_target_labels,
            preprocess=preprocess, random_state=random_state,
        )  # fmt: skip
        self.unit = unit
        self.rounds = rounds

    def _solve(self, rows: Expansion, source: Rows, target: Rows, seed: int) -> tuple[Array, float]:
        n, m = len(source.X), len(target.X)
        E = mean_gap(n, m)
        P, roots, W = self._find(rows, E)
        k = self._held(roots)
        P, W = P[:, :k], W[:, :k]
        typical = float(np.sqrt((W[:n] ** 2).sum(1).mean()))
        self.unit_ = typical if self.unit is None else float(self.unit)
        e = SMOOTH * typical
        values = [self._objective(rows, E, P, W, n, e)]
        for _ in range(self.rounds):
            scale = np.ones(n + m)
            scale[:n] = np.sqrt(smooth_norms(W[:n], e) / self.unit_)
            P, _, W = self._find(rows, E, scale, k)
            values.append(self._objective(rows, E, P, W, n, e))
            if not self.as_published and values[-2] - values[-1] <= SETTLED * values[-2]:
                break
        self.objectives_ = np.array(values)
        norms = np.sqrt((W[:n] ** 2).sum(1))
        self.row_norms_ = norms / max(float(norms.max()), np.finfo(np.float64).tiny)
        return P, values[-1]

    def _align(self, source: Rows, target: Rows, seed: int) -> tuple[Map, Map]:
        maps = super()._align(source, target, seed)
        norms = self.row_norms_
        if source.weight is not None:  # the mean over the rows that a row was taken for
            index = as_often(in_own_order(source, seed).counts, seed)
            times = np.bincount(index, minlength=len(source.X))
            norms = np.bincount(index, norms, len(source.X)) / np.maximum(times, 1)
        self.row_norms_ = source.of_each(norms[np.argsort(own_order(source.X, seed))])
        return maps

    def _objective(self, rows: Expansion, E: Array, P: Array, W: Array, n: int, e: float) -> float:
        gap = E.T @ rows.features(P)  # difference of the means, (1, k)
        penalty = 2.0 * self.unit_ * smooth_norms(W[:n], e).sum() + (W[n:] ** 2).sum()
        return float((gap**2).sum() + self.mu * penalty)


def smooth_norms(W: Array, e: float) -> Array:
    """Return ``sqrt(||w_i||^2 + e^2)`` of each row, shape (n,)."""
    norms: Array = np.sqrt((W**2).sum(1) + e**2)
    return norms
