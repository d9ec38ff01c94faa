"""`MEDA`: manifold embedded distribution alignment, in closed form."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

from acclimate.adapter import Adapted
from acclimate.exceptions import InputError
from acclimate.folds import as_often
from acclimate.mapping.bda import balanced
from acclimate.mapping.expansion import Expansion
from acclimate.mapping.gaps import estimate_balance, proxy_distance
from acclimate.mapping.gfk import FlowAdapter
from acclimate.mapping.graph import neighbour_laplacian
from acclimate.mapping.kernel_system import System
from acclimate.mapping.mapped import Affine, UnitRows, in_own_order, own_order, unit_rows
from acclimate.mapping.pseudo_labels import check_classifier, label_target
from acclimate.mapping.scores import ScoredClasses
from acclimate.maths.kernels import KERNEL_SETTINGS, check_approximation, make_kernel
from acclimate.settings import COUNT, NOT_NEGATIVE, POSITIVE, SHARE, Constraints
from acclimate.templates import Map, Mapped
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]


class MEDA(FlowAdapter):
    """Fit one kernel classifier that is right on the source, and behaves alike in both domains.

    Use it when rows lie in clusters, a model of the source is right for most of the target, and
    features are correlated. It often is the strongest of the methods with a kernel. Do not use it
    when clusters are not classes, since answers then follow clusters, or when the shares of the
    classes differ much.

    Rows become `GFK` features z first. In their kernel space it minimises ``sum_i w_i (y_i -
    f(z_i))^2 + ridge ||f||^2 + align f' M f + smooth f' L f`` for each class against the others.
    The first sum is over rows with a known label; f without an argument is the vector of the values
    at all N = n + m rows. ``M = ((1 - balance) M_0 + balance sum_c M_c)``, scaled to a Frobenius
    norm of 1, holds squared distances of means of f: of the domains, and of each class by pseudo-
    labels. L is the normalised Laplacian of the graph of nearest neighbours. The minimum is ``f(z)
    = sum_i a_i k(z, z_i)`` with ``a = ((A + align M + smooth L) K + ridge I)^(-1) A Y``, where A
    holds the weights w of labelled rows. f labels the target, and M and a are made again, until the
    labels stay.

    Parameters
    ----------
    estimator : classifier, default=None
        Gives the first pseudo-labels, on the features of the source. It is also the source model.
        None means ``LogisticRegression(max_iter=1000)``.
    n_components : int, default=None
        Number of axes of `GFK`, at least 1. None keeps as many as carry 95 % of the variance in
        both domains.
    kernel : {"rbf", "linear"} or callable, default="rbf"
        A callable takes rows of shapes (n, k) and (m, k) and returns a matrix of shape (n, m),
        positive semi-definite where the rows are the same.
    gamma : float, default=None
        For "rbf", inverse squared width, above 0. None is one over the median squared distance
        among at most 1000 rows.
    ridge : float, default=0.1
        Penalty on the norm of f, above 0 (eta in the paper).
    align : float, default=1.0
        Weight of the means, at least 0 (lambda in the paper).
    smooth : float, default=0.3
        Weight of the graph, at least 0 (rho in the paper).
    balance : float in [0, 1], default=None
        Share of the classes in M (mu in the paper). None estimates it in each round from how well
        linear classifiers tell the domains apart, as a whole and within each class. Since features
        have each domain's mean taken away, the estimate is often near 1.
    n_neighbors : int, default=10
        Neighbours of each row in the graph, at least 1.
    rounds : int, default=10
        Most rounds of pseudo-labels, at least 1.
    n_landmarks : int, default=500
        Above 5000 rows, "rbf" and callables are expanded in this many rows drawn at random
        (Nystrom), at least 1. Memory is then linear in the rows. A linear kernel is always exact.
    approximation : {"landmarks", "fourier"}, default="landmarks"
        What stands for the kernel above 5000 rows. "fourier", for "rbf" alone, is ``n_landmarks``
        random cosines and sines; a saved model then holds no rows.
    as_published : bool, default=False
        Whether details follow published code: no mean is taken away, features z are scaled to
        length 1, M_0 counts as often as there are classes, and the balance is estimated from
        features before that scaling.
    use_target_labels : bool, default=False
        Whether labelled target rows count as the source's do.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains. Axes depend on the scale of the features.
    random_state : int, RandomState instance or None, default=None
        Seeds the model, the landmarks and the rows of the median.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : Mapped or None
        f, behind the target's map.
    balance_ : float
        The balance of the last round. Only after a target was given.
    pseudo_labels_ : ndarray of shape (m,)
        The labels of the target rows that the last M was made of, as the source calls them.
    n_rounds_ : int
        Rounds.
    n_components_ : int
        Number of axes.
    angles_ : ndarray of shape (k,)
        Principal angles in radians, smallest first.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Raises
    ------
    InputError
        A value cannot be used, the base model is a regressor, a domain has one row or equal rows
        only, or it varies along fewer axes than ``n_components``.

    Notes
    -----
    The scaling of M follows the authors' code; in the paper M vanishes beside the sum over rows
    when rows are many. Features have each domain's own mean taken away, as in `GFK`. The graph
    joins rows of high cosine similarity, and holds these. It is sparse, and the fixed part of the
    system is factorised once for all rounds, since M has a low rank. The paper sets the balance
    from errors on the rows a classifier was fitted on; here each row is left out once. It has 10
    for ``align`` and 1 for ``smooth``; the defaults here were chosen on simulated shifts of
    optdigits and pendigits.
    f has no intercept, which a linear kernel may miss where the classes differ in size.
    Probabilities are the point of the simplex that is nearest to f. Weights of the source rows
    reach axes and w. A saved model holds the features that f is expanded in.

    References
    ----------
    Wang, Feng, Chen, Yu, Huang and Yu, "Visual domain adaptation with manifold embedded
    distribution alignment", doi:10.1145/3240508.3240512.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import MEDA, Domain
    >>> y = np.arange(200) % 2
    >>> X = np.random.default_rng(0).normal(size=(200, 2)) + 6 * y[:, None] * [1, 0]
    >>> model = MEDA().fit(X, y, target=Domain(X + [1.0, 9.0]))
    >>> model.predict([[7.0, 9.0], [1.0, 9.0]])
    array([1, 0])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **FlowAdapter._parameter_constraints,
        **KERNEL_SETTINGS,
        "ridge": [POSITIVE],
        "align": [NOT_NEGATIVE],
        "smooth": [NOT_NEGATIVE],
        "balance": [SHARE, None],
        "n_neighbors": [COUNT],
        "rounds": [COUNT],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_components: int | None = None,
        kernel: Any = "rbf",
        gamma: float | None = None,
        ridge: float = 0.1,
        align: float = 1.0,
        smooth: float = 0.3,
        balance: float | None = None,
        n_neighbors: int = 10,
        rounds: int = 10,
        n_landmarks: int = 500,
        approximation: str = "landmarks",
        as_published: bool = False,
        use_target_labels: bool = False,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator, n_components=n_components, as_published=as_published,
            use_target_labels=use_target_labels, preprocess=preprocess, random_state=random_state,
        )  # fmt: skip
        self.kernel = kernel
        self.gamma = gamma
        self.ridge = ridge
        self.align = align
        self.smooth = smooth
        self.balance = balance
        self.n_neighbors = n_neighbors
        self.rounds = rounds
        self.n_landmarks = n_landmarks
        self.approximation = approximation

    def _check_settings(self) -> None:
        super()._check_settings()
        check_classifier(self)
        check_approximation(self.approximation, self.kernel)

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        source, target, match = self._matched(model, source, target)
        if source is None:  # the door lets nobody in without source rows
            raise InputError("MEDA needs the source rows")
        order = own_order(target.X, seed)
        source, target = in_own_order(source, seed), in_own_order(target, seed)
        if source.weight is not None:  # neighbours do not know of weights
            index = as_often(source.counts, seed)
            source = Rows(source.X[index], source.labels[index])
        source_map, target_map = self._align(source, target, seed)
        Z: Array = np.concatenate([source_map(source.X), target_map(target.X)])
        maps: tuple[Map, Map] = (source_map, target_map)
        if self.as_published:
            maps = UnitRows(source_map), UnitRows(target_map)
        f, labels = self._fit(Z, model.classes_, source, target, seed)
        self.pseudo_labels_ = labels[np.argsort(order)]
        adapted = match.to_target(Mapped(maps[1], f))
        return Adapted(adapted, Mapped(maps[0], f))

    def _align(self, source: Rows, target: Rows, seed: int) -> tuple[Affine, Affine]:
        first, second = self._flow(source, target)
        F = first.matrix
        if F.shape[1] > len(F):  # as many columns as features give the same inner products
            F = qr(F.T, mode="r")[0][: len(F)].T
        zero = np.zeros(F.shape[1])
        return Affine(first.centre, F, zero), Affine(second.centre, F, zero)

    def _fit(
        self, Z: Array, classes: NDArray[Any], source: Rows, target: Rows, seed: int
    ) -> tuple[ScoredClasses, NDArray[Any]]:
        """Return f for features Z of shape (N, k), source first, and the labels it was made of."""
        n, N = len(source.X), len(Z)
        U = unit_rows(Z) if self.as_published else Z
        kernel = make_kernel(self.kernel, self.gamma, U, np.random.default_rng(seed))
        rows = Expansion(kernel, U, self.n_landmarks, seed, self.approximation)
        weight = np.zeros(N)
        weight[:n] = 1.0
        labels = label_target(self._base(), U, source, target, seed)
        known = np.arange(0)
        if target.y is not None:
            known = np.arange(N - n) if target.labelled is None else target.labelled
            weight[n + known] = 1.0
        L = neighbour_laplacian(U, self.n_neighbors)
        system = System(rows, weight, L, self.ridge, self.smooth)
        y = np.searchsorted(classes, source.labels)
        whole = proxy_distance(Z, n) if self.balance is None else None
        for taken in range(1, self.rounds + 1):
            codes = np.concatenate([y, np.searchsorted(classes, labels)])
            b = estimate_balance(Z, codes, n, whole) if self.balance is None else self.balance
            E = balanced(b, codes, n, times=len(classes) if self.as_published else 1)
            E = E / np.sqrt(np.linalg.norm(E.T @ E))  # M = E E' then has a norm of 1
            a = system.solve(E, np.eye(len(classes))[codes], self.align)
            self.n_rounds_, self.balance_ = taken, b
            used, labels = labels, classes[rows.features(a)[n:].argmax(1)]
            if target.y is not None:
                labels[known] = target.y
            if np.array_equal(labels, used):
                break
        return ScoredClasses(rows.map(a), classes), used
