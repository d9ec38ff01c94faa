"""`JCPOT`: several sources vote, by transport, on how frequent the classes are in the target."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from acclimate.adapter import Adapted
from acclimate.arrays import as_matrix
from acclimate.exceptions import ConvergenceWarning, InputError
from acclimate.mapping.mapped import in_own_order
from acclimate.mapping.ot_mapping import represent
from acclimate.mapping.shrunk import shrinkage_of
from acclimate.mapping.sinkhorn import BLOCK_PAIRS, SINGLE_PAIRS, Barycentre, Gibbs, log_sum
from acclimate.mapping.soft_labels import DenseAdapter, fit_soft
from acclimate.mapping.transport import Cost, merge_rows
from acclimate.settings import COUNT, POSITIVE, SHARE, Constraints, OneOf
from acclimate.sources import Part, split
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]
Index = NDArray[np.intp]
STEPS = 1000
SETTLED = 1e-6  # largest change of a share at which the alternation stops


class JCPOT(DenseAdapter):
    """Estimate the target's class shares by transport from each source, and pass labels on.

    Use it when the classes are more or less frequent in the target than in the sources, and rows of
    a class look alike everywhere; several sources with different shares help. Do not use it when
    the inputs of a class move far, or when classes overlap so much that transport mixes them.

    Minimises ``sum_k KL(P_k | exp(-||x_i - z_j||^2 / epsilon))`` over plans P_k of each source k
    and class shares h: the columns of each plan sum to 1 / m, and the rows of class c share the
    mass h_c, which is the same for all sources. Each target row then has the classes of the source
    rows it is coupled with, on average over the sources, and the base model is fitted on those: it
    minimises ``1 - s`` times its mean loss there and s times that on the source rows.

    Parameters
    ----------
    estimator : classifier, default=None
        The base model. None means ``LogisticRegression(max_iter=1000)``.
    epsilon : float, default=0.02
        Strength of the entropy above 0, in units of the mean cost over all sources.
    max_steps : int, default=1
        Most steps of the alternation between plans and class shares, at least 1. None goes on until
        the shares settle, for at most 1000, as in the paper.
    shrinkage : float in [0, 1] or "auto", default="auto"
        Share s of the sources' own loss. 0 is the paper's method, 1 the source model. "auto" is
        0 where the domains plainly differ, 1 where they do no more than two draws of one domain
        would; see `acclimate.mapping.shrunk.shrinkage_of`.
    max_rows : int, default=5000
        Each source and the target are represented by at most this many rows drawn at random, at
        least 1, while plans are found. All target rows get labels. Time and memory grow with its
        square.
    preprocess : transformer, default=None
        Fitted on the sources, applied to all domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    target_priors_ : ndarray of shape (n_classes,)
        Estimated class shares of the target. Only after a target was given.
    shrinkage_ : float
        Share s in use. Only after a target was given.
    source_model_ : estimator
        The model of all sources, pooled.
    target_model_ : estimator or None
        The model of the target rows with their shares of the classes.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Raises
    ------
    InputError
        A value cannot be used, the estimator is a regressor, or a source lacks a class.

    Warns
    -----
    ConvergenceWarning
        ``max_steps`` is None, and class shares still move after 1000 steps.

    Notes
    -----
    ``fit(X, y, domains=ids)`` says which source each row is from; without, there is one. Rows of a
    class share its mass by their weights. Sources count alike, whatever their size. Deviations: the
    paper takes the geometric mean of class masses over sources in each step, and so does this, but
    in the logarithm, so that a small ``epsilon`` does not underflow. Labels reach target rows that
    were not drawn through the potentials of the plans. No domain is centred: with other class
    shares, the means differ for a reason.

    The paper has no s. Labels that are passed between two draws of one domain are worse than the
    source model's, and s says how much of the domains' distance chance alone would give.

    The default stops after one step: each target row spreads its mass over the source rows near it,
    and the classes get what arrives. On shifts of optdigits, pendigits, wine and simulated rows,
    more steps only lost, since classes that gather rows by mistake grow
    (``benchmarks/shallow_defaults.py``).

    References
    ----------
    Redko, Courty, Flamary and Tuia, "Optimal transport for multi-source domain adaptation under
    target shift", arXiv:1803.04899.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import JCPOT, Domain
    >>> rng = np.random.default_rng(0)
    >>> y, yt = np.repeat([0, 1], [100, 100]), np.repeat([0, 1], [180, 20])
    >>> X, Xt = (rng.normal(size=(200, 2)) + 4 * labels[:, None] for labels in (y, yt))
    >>> JCPOT().fit(X, y, target=Domain(Xt)).target_priors_.round(2)
    array([0.9, 0.1])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DenseAdapter._parameter_constraints,
        "epsilon": [POSITIVE],
        "max_steps": [COUNT, None],
        "shrinkage": [SHARE, OneOf("auto")],
        "max_rows": [COUNT],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        epsilon: float = 0.02,
        max_steps: int | None = 1,
        shrinkage: float | str = "auto",
        max_rows: int = 5000,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.epsilon = epsilon
        self.max_steps = max_steps
        self.shrinkage = shrinkage
        self.max_rows = max_rows

    def _check_settings(self) -> None:
        if self._regression():
            raise InputError(
                f"JCPOT is about classes, and {type(self._base()).__name__} is a regressor; "
                f"use OTMapping or JDOT"
            )

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        if source is None:  # the door lets nobody in without source rows
            raise InputError("JCPOT needs the source rows")
        rng = np.random.default_rng(seed)
        classes = np.unique(source.labels)
        Xt = as_matrix(target.X)
        Xt = Xt[np.argsort(merge_rows(Xt)[1], kind="stable")]
        Z, b, _ = represent(Xt, None, None, self.max_rows, rng)
        everything = Part("source", np.arange(len(source.labels)), source)
        rows: list[Array] = []
        costs: list[Cost] = []
        kinds: list[Index] = []
        weights: list[Array] = []
        for part in split(source) or [everything]:
            codes = np.searchsorted(classes, part.rows.labels)
            X, a, own = represent(
                as_matrix(part.rows.X), part.rows.weight, codes, self.max_rows, rng
            )
            mass = np.bincount(own, weights=a, minlength=len(classes))
            if not mass.all():
                lost = classes.tolist()[mass.argmin()]
                raise InputError(
                    f"the source {part.id!r} has no row of class {lost!r}; each source needs each "
                    f"class. Leave it out, or leave out domains to pool the rows"
                )
            rows.append(X)
            costs.append(Cost(X, Z))
            kinds.append(own)
            weights.append(a / mass[own])
        scale = float(
            np.mean([c.mean(w / w.sum(), b) for c, w in zip(costs, weights, strict=True)])
        )
        epsilon = self.epsilon * (scale or 1.0)
        big = max(len(X) for X in rows) * len(Z) > SINGLE_PAIRS
        matrices = [(c.single() if big else c).of() for c in costs]
        self.target_priors_, potentials = class_shares(
            matrices, kinds, weights, b, epsilon, max_steps=self.max_steps
        )
        shares = np.zeros((len(Xt), len(classes)))
        zero = np.zeros(Xt.shape[1])
        for X, own, f in zip(rows, kinds, potentials, strict=True):
            belongs = np.eye(len(classes), dtype=Xt.dtype)[own]
            shares += Barycentre(zero, X, f, epsilon, belongs)(Xt) / len(rows)
        here = in_own_order(Rows(as_matrix(source.X), source.labels, None, source.weight), seed)
        s = self.shrinkage_ = shrinkage_of(self.shrinkage, here, Rows(Xt), seed)
        return Adapted(fit_soft(self._base(), Xt, shares, classes, seed, here, s))


def class_shares(
    costs: list[Array],
    kinds: list[Index],
    weights: list[Array],
    b: Array,
    epsilon: float,
    *,
    max_steps: int | None = None,
    tolerance: float = SETTLED,
) -> tuple[Array, list[Array]]:
    """Estimate the class shares of the target.

    Parameters
    ----------
    costs : list of ndarrays of shapes (n_k, m)
        Costs of each source.
    kinds : list of integer ndarrays of shapes (n_k,)
        Class of each source row. Each source has all classes.
    weights : list of ndarrays of shapes (n_k,)
        Shares within the class: those of a class of a source sum to 1.
    b : ndarray of shape (m,)
        Masses of the target rows.
    epsilon : float
        Strength of the entropy, above 0.
    max_steps : int, default=None
        Most steps, at least 1. None goes on until the shares settle, for at most 1000.
    tolerance : float, default=1e-6
        Largest change of a share at which the alternation stops.

    Returns
    -------
    h : ndarray of shape (n_classes,)
        Class shares.
    potentials : list of ndarrays of shapes (n_k,)
        Potentials of the source rows.
    """
    k = int(kinds[0].max()) + 1
    first = [first_rows(C, b, epsilon) for C in costs]  # log row sums, and column potentials
    logs = [rows for rows, _ in first]
    h = np.zeros(k)
    kernels: list[Gibbs] = []
    for step in range(STEPS if max_steps is None else max_steps):
        if step:
            for kernel in kernels:
                kernel.v = b / kernel.columns()
            sums = [kernel.rows() for kernel in kernels]
            logs = [np.log(kernel.u * s) for kernel, s in zip(kernels, sums, strict=True)]
        parts = [_log_sums(rows, own, k) for rows, own in zip(logs, kinds, strict=True)]
        after = np.exp(np.mean(parts, axis=0))
        wanted = [np.maximum(after[own] * w, 1e-300) for own, w in zip(kinds, weights, strict=True)]
        if step:
            for kernel, s, mass in zip(kernels, sums, wanted, strict=True):
                kernel.u = mass / s
                kernel.settle()
        else:
            kernels = [
                Gibbs(C, epsilon, epsilon * (np.log(mass) - rows), g)
                for C, mass, (rows, g) in zip(costs, wanted, first, strict=True)
            ]
        change = float(np.abs(after - h).max())
        h = after
        if change <= tolerance:
            break
    if change > 1e-3 and max_steps is None:
        warnings.warn(
            f"class shares still move by {change:.2g} after {STEPS} steps; a larger epsilon "
            f"converges faster",
            ConvergenceWarning,
            stacklevel=2,
        )
    return h / h.sum(), [kernel.potentials()[0] for kernel in kernels]


def first_rows(C: Array, b: Array, epsilon: float) -> tuple[Array, Array]:
    """Scale the columns of ``exp(-C / epsilon)`` to sum to b.

    Returns
    -------
    rows : ndarray of shape (n,)
        Logarithms of the row sums.
    g : ndarray of shape (m,)
        Potentials of the columns.
    """
    n, m = C.shape
    g, rows = np.empty(m), np.empty(n)
    for part in gen_batches(m, max(1, BLOCK_PAIRS // n)):
        g[part] = epsilon * (np.log(b[part]) - log_sum(C[:, part] / -epsilon, 0))
    for part in gen_batches(n, max(1, BLOCK_PAIRS // m)):
        rows[part] = log_sum((g.astype(C.dtype) - C[part]) / epsilon, 1)
    return rows, g


def _log_sums(logs: Array, kinds: Index, k: int) -> Array:
    """Return logarithms of the sums of each class, shape (k,)."""
    top = np.full(k, -np.inf)
    np.maximum.at(top, kinds, logs)
    sums: Array = np.log(np.bincount(kinds, np.exp(logs - top[kinds]), minlength=k)) + top
    return sums
