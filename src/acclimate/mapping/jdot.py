"""`JDOT`: move labels with inputs, and learn the model that makes the move cheap."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from acclimate.adapter import Adapted, fit_model
from acclimate.arrays import as_matrix
from acclimate.exceptions import InputError
from acclimate.mapping.ot_mapping import represent
from acclimate.mapping.pot_loading import pot
from acclimate.mapping.shrunk import shrinkage_of
from acclimate.mapping.soft_labels import DenseAdapter, fit_joined, fit_soft
from acclimate.mapping.transport import Cost, Near, exact_plan, merge_rows
from acclimate.settings import COUNT, POSITIVE, SHARE, Constraints, OneOf
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]
Index = NDArray[np.intp]
SURE = 1e-6  # probabilities below count as this
CLOSE = 1e-5  # relative gap to the best plan up to which a plan of many pairs will do
SETTLED = 1e-4  # relative fall of the objective at which the alternation stops


class JDOT(DenseAdapter):
    """Transport source rows with their labels onto target rows with predictions, and refit.

    Use it when inputs move in a way that no simple map describes, and the label of a row moves with
    it: neighbours after the move share labels. Do not use it when classes are more frequent on one
    side than on the other, since all labels must go somewhere, or when inputs move so far that
    most rows have a row of another class as their nearest counterpart: the model then confirms it.

    Minimises ``(1 - s) sum_ij P_ij (alpha ||x_i - z_j||^2 / c + loss(y_i, f(z_j))) + s sum_i a_i
    loss(y_i, f(x_i))`` over models f and plans P whose row sums are the source weights a_i and
    whose column sums are 1 / m, with c the mean of the squared distances of centred rows. The first
    plan is that of the inputs alone. In turn, f is then fitted on the target rows with the labels
    that P brings, shares of classes or mean values, and with weight s on the source rows, and P is
    the exact plan for f.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model, classifier or regressor. None means ``LogisticRegression(max_iter=1000)``.
    alpha : float, default=1.0
        Weight of the inputs against the labels, above 0.
    rounds : int, default=10
        Most refits, at least 1.
    shrinkage : float in [0, 1] or "auto", default="auto"
        Share s of the source's own loss. 0 is the paper's objective, 1 the source model. "auto" is
        0 where the domains plainly differ, 1 where they do no more than two draws of one domain
        would; see `acclimate.mapping.shrunk.shrinkage_of`.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : estimator or None
        The model of the target rows with transported labels.
    shrinkage_ : float
        Share s in use. Only after a target was given.
    objectives_ : ndarray of shape (r,)
        The objective after each of the r refits. Only after a target was given.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Raises
    ------
    InputError
        A value cannot be used.
    MissingExtraError
        POT is not installed: ``pip install "acclimate[ot]"``.

    Warns
    -----
    ConvergenceWarning
        The exact plan was not reached.

    Notes
    -----
    The loss is the squared error over the variance of y in a regression. In a classification it is
    ``-log p``, with probabilities of at least 1e-6; without ``predict_proba`` the hinge loss,
    summed over one-against-all scores; without scores 0 or 1. Each step lowers the objective where
    the estimator minimises this loss; where another loss or a penalty decides, it may rise, and the
    model of the lowest value is kept. The alternation ends when the objective falls by less than a
    ten-thousandth.

    An estimator without ``sample_weight`` is fitted on the largest class of each row, and with s
    above 0 on rows drawn by weight. Memory grows with n + m. With more than four million pairs a
    plan begins with the pairs of the last one, and may cost a hundred-thousandth more than the
    best. Deviations: the paper has no s. The plan of two draws of one domain brings each row the
    label of its nearest counterpart, and among many features a model of those is far worse than the
    source's. The paper gives alpha in units of the largest distance; both domains are centred,
    which changes no plan.

    References
    ----------
    Courty, Flamary, Habrard and Rakotomamonjy, "Joint distribution optimal transportation for
    domain adaptation", arXiv:1705.08848.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from acclimate import JDOT, Domain
    >>> x = np.linspace(0, 1, 40)[:, None]
    >>> model = JDOT(LinearRegression()).fit(x, x[:, 0], target=Domain(2 * x + 5))
    >>> model.predict([[5.5], [6.0], [7.0]]).round(6)
    array([0.25, 0.5 , 1.  ])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DenseAdapter._parameter_constraints,
        "alpha": [POSITIVE],
        "rounds": [COUNT],
        "shrinkage": [SHARE, OneOf("auto")],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        alpha: float = 1.0,
        rounds: int = 10,
        shrinkage: float | str = "auto",
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.alpha = alpha
        self.rounds = rounds
        self.shrinkage = shrinkage

    def _check_settings(self) -> None:
        pot()

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        if source is None:  # the door lets nobody in without source rows
            raise InputError("JDOT needs the source rows")
        values, codes = np.unique(source.labels, return_inverse=True)
        rng = np.random.default_rng(seed)
        X, a, y = represent(as_matrix(source.X), source.weight, codes, None, rng)
        Xt, b, group = in_order(as_matrix(target.X))
        Z = Xt[np.unique(group, return_index=True)[1]]
        y = values[y].astype(np.float64) if self._regression() else y
        cost = Cost(X - (a @ X).astype(X.dtype), Z - (b @ Z).astype(Z.dtype))
        factor = np.sqrt(self.alpha / (cost.mean(a, b) or 1.0))
        cost = Cost(cost.X * X.dtype.type(factor), cost.Z * Z.dtype.type(factor))
        classes = None if self._regression() else values
        here = Rows(X, values[y] if classes is not None else y, None, a * source.counts.sum())
        s = self.shrinkage_ = shrinkage_of(
            self.shrinkage, replace(source, X=as_matrix(source.X)), Rows(Xt), seed
        )
        now, best, objectives = cost, model, []  # the source model may be wrong everywhere
        pairs = Near()
        for _ in range(self.rounds):
            P = exact_plan(now, a, b, seed=seed, near=pairs, gap=CLOSE).matrix
            brought = carry(P, y, b, classes)[group]
            if classes is None:
                there = Rows(Xt, brought[:, 0])
                model = (
                    fit_joined(self._base(), there, here, s, seed)
                    if s
                    else fit_model(self._base(), there, seed)
                )
            else:
                model = fit_soft(self._base(), Xt, brought, classes, seed, here, s)
            now = joint_cost(cost, model, Z, y, a, classes)
            value = float(now.pairs(*P.nonzero()) @ P.data)
            if s:
                value = (1.0 - s) * value + s * source_loss(model, X, y, a, classes)
            objectives.append(value)
            if objectives[-1] == min(objectives):
                best = model
            if len(objectives) > 1 and objectives[-2] - objectives[-1] < SETTLED * objectives[-2]:
                break
        self.objectives_ = np.array(objectives)
        return Adapted(best)


def in_order(X: Array) -> tuple[Array, Array, Index]:
    """Return rows in an order that theirs does not decide, and which of them are equal.

    Parameters
    ----------
    X : ndarray of shape (m, d)
        Rows.

    Returns
    -------
    X : ndarray of shape (m, d)
        The rows, equal ones together.
    mass : ndarray of shape (r,)
        Share of each kind of row.
    group : integer ndarray of shape (m,)
        Which kind each row is of, from 0 upwards.
    """
    _, group = merge_rows(X)
    order = np.argsort(group, kind="stable")
    return X[order], np.bincount(group) / len(group), group[order]


def joint_cost(
    cost: Cost, model: Any, Z: Array, y: NDArray[Any], a: Array, classes: NDArray[Any] | None
) -> Cost:
    """Return the cost of inputs plus the loss of a model's answers on the target rows.

    Parameters
    ----------
    cost : Cost
        Of n source rows and m target rows.
    model : fitted estimator
        Answers for ``Z``.
    Z : ndarray of shape (m, d)
        Target rows as the model sees them.
    y : ndarray of shape (n,)
        Codes of classes, or values.
    a : ndarray of shape (n,)
        Masses of the source rows.
    classes : ndarray of shape (k,) or None
        Labels of the codes; None in a regression.
    """
    if classes is not None:
        return Cost(cost.X, cost.Z, y, loss_table(model, Z, classes))
    spread = float(np.sqrt(a @ (y - a @ y) ** 2)) or 1.0
    answers = np.asarray(model.predict(Z), dtype=np.float64).ravel()
    columns = [(v[:, None] / spread).astype(cost.X.dtype) for v in (y, answers)]
    return Cost(np.hstack([cost.X, columns[0]]), np.hstack([cost.Z, columns[1]]))


def source_loss(
    model: Any, X: Array, y: NDArray[Any], a: Array, classes: NDArray[Any] | None
) -> float:
    """Return the mean loss of a model on source rows; the parameters are those of `joint_cost`."""
    if classes is not None:
        return float(a @ loss_table(model, X, classes)[y, np.arange(len(y))])
    squared = (np.asarray(model.predict(X), dtype=np.float64).ravel() - y) ** 2
    return float(a @ squared / ((a @ (y - a @ y) ** 2) or 1.0))


def loss_table(model: Any, Z: Array, classes: NDArray[Any]) -> Array:
    """Return the loss of each class at each row, shape (k, m), for rows Z of shape (m, d)."""
    own = np.searchsorted(model.classes_, classes)
    if hasattr(model, "predict_proba"):
        p = model.predict_proba(Z)[:, own].astype(np.float64)
        losses: Array = -np.log(np.maximum(p, SURE)).T
        return losses
    if hasattr(model, "decision_function"):
        scores = np.asarray(model.decision_function(Z), dtype=np.float64)
        if scores.ndim == 1:  # one score says which of two classes
            scores = np.column_stack([-scores, scores])
        if scores.shape[1] == len(classes):
            scores = scores[:, own]
            others = np.maximum(0.0, 1.0 + scores)
            hinge: Array = others.sum(1, keepdims=True) - others + np.maximum(0.0, 1.0 - scores)
            return hinge.T
    wrong: Array = (model.predict(Z) != classes[:, None]).astype(np.float64)
    return wrong


def carry(P: Any, y: NDArray[Any], b: Array, classes: NDArray[Any] | None) -> Array:
    """Return the labels that a plan brings to each target row.

    Parameters
    ----------
    P : sparse array of shape (n, m)
        Plan with column sums b.
    y : ndarray of shape (n,)
        Codes of classes, or values.
    b : ndarray of shape (m,)
        Masses of the target rows.
    classes : ndarray of shape (k,) or None
        Labels of the codes; None in a regression.

    Returns
    -------
    ndarray of shape (m, k), or (m, 1) in a regression
        Shares of the classes, or mean values.
    """
    what = y[:, None] if classes is None else np.eye(len(classes))[y]
    brought: Array = (P.T @ what) / b[:, None]
    return brought
