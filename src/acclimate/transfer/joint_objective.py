"""`JointObjective`: minimise the losses of source and target together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import has_fit_parameter

from acclimate.adapter import Adapted, Adapter, fit_model
from acclimate.classes import Match, match_classes
from acclimate.exceptions import InputError
from acclimate.settings import COUNT, INNER_SHARE, POSITIVE, Constraints, OneOf
from acclimate.transfer.descent import descend, gradient, loss_of, safe_step, textbook_step
from acclimate.validation import Rows, stack, take

SOLVERS = ("auto", "gradient-descent", "textbook")
NETWORK_STEP = 0.1  # of gradient descent on a network, whose curvature has no bound


class JointObjective(Adapter):
    """Minimise the average of the source loss and the loss on the labelled target rows.

    Use it when both domains ask the same question of similar inputs and the target has some labels:
    few target rows are then backed by many source rows. Do not use it where the relation between
    inputs and labels differs much: one model must then serve two relations, and fine-tuning, which
    may leave the source behind, does better. Nor where the classes differ.

    Minimises ``(1 - balance) * L + balance * L'``, where L is the mean loss over the n source rows
    and L' the mean loss over the m labelled target rows. For estimators that take ``sample_weight``
    this is exactly weighted risk with weights ``(1 - balance) / n`` and ``balance / m``, times
    ``n + m``: weights that are 1 on average leave the estimator's own penalty its meaning.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model: a network, or any estimator whose ``fit`` takes ``sample_weight``. None
        means ``LogisticRegression(max_iter=1000)``.
    balance : float in (0, 1), default=0.2
        Share of the target loss. Near 0 the source decides, near 1 the target; 0.5 is the plain
        average.
    start : {"source", "scratch"}, default="source"
        Where networks and gradient descent start: from the source model, or from fresh weights
        (zeros in linear models). Other fits have one solution, whatever the start.
    solver : {"auto", "gradient-descent", "textbook"}, default="auto"
        "auto" fits the estimator with weights, and trains a network on a batch of each domain a
        step. "gradient-descent" takes full-batch steps ``theta - step * gradient`` on the objective
        without the estimator's penalty, for logistic, linear and ridge regression, linear SVMs and
        networks. "textbook" takes steps ``theta - step * grad[(L + L') / (n + m)]`` with *sums*
        for L and L': that is the mean over all rows pooled, a balance of ``m / (n + m)``, and
        ``balance`` is not read. See `acclimate.transfer.descent.textbook_step`.
    step : float, default=None
        Step alpha of the last two solvers, above 0. None is 0.1 for networks, and for linear models
        the inverse of a bound on the curvature, with which the objective never rises.
    steps : int, default=1000
        Number of steps of the last two solvers, at least 1.
    preprocess : transformer, default=None
        Fitted on the source for the source model, and on the rows of both domains for the joint
        one, unless that goes on from the source model's parameters.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : estimator or None
        The model of both domains.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The source's labels, or the target's names for them.

    Raises
    ------
    InputError
        A value cannot be used, the target has no labels or a class that the source does not have,
        or the estimator takes no ``sample_weight``.

    Notes
    -----
    The default was chosen on wine and on simulated shifts of optdigits and pendigits alone. With 10
    to 50 target labels, 0.2 stays within 4 points of the best balance there; 0.5 gains up to 3
    more where the shift is large, and loses up to 17 points of R2 on wine, where half of the
    objective then rests on 10 rows.

    Classes are matched by name where both sides name them, else by label. Rows of the source keep
    their own weights within L. A network's early stopping is not used: it would hold out source
    rows. Dropout stays on in full-batch steps; set it to 0 for the exact gradient.

    Dividing *means* by n + m, as the textbook form is sometimes read, changes the length of the
    step and nothing else: it is ``(n + m) / 2`` times shorter than a step on the average.

    References
    ----------
    Ben-David et al., "A theory of learning from different domains",
    doi:10.1007/s10994-009-5152-4. Deviation: there, the balance is chosen from bounds; here, it
    is given.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, JointObjective
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> Xt = np.linspace(-1, 1, 10)[:, None]
    >>> target = Domain(Xt, (Xt[:, 0] > 0.4).astype(int))
    >>> model = JointObjective(balance=0.5).fit(X, (X[:, 0] > 0).astype(int), target=target)
    >>> model.predict(np.array([[0.1], [0.4]])), model.predict(np.array([[0.1]]), domain="source")
    (array([0, 1]), array([1]))
    """

    _reads_frames = True
    _weighs_target = True

    _parameter_constraints: ClassVar[Constraints] = {
        **Adapter._parameter_constraints,
        "balance": [INNER_SHARE],
        "start": [OneOf("source", "scratch")],
        "solver": [OneOf(*SOLVERS)],
        "step": [POSITIVE, None],
        "steps": [COUNT],
    }
    _ways_out: ClassVar[dict[str, str]] = {"balance": "SourceOnly and TargetOnly are its ends"}

    def __init__(
        self,
        estimator: Any = None,
        *,
        balance: float = 0.2,
        start: str = "source",
        solver: str = "auto",
        step: float | None = None,
        steps: int = 1000,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.balance = balance
        self.start = start
        self.solver = solver
        self.step = step
        self.steps = steps

    def _on_both(self) -> bool:
        # what goes on from the source model's parameters needs its columns
        return self.solver == "auto" and not hasattr(self._base(), "copy_fitted")

    def _fit_source(self, source: Rows, seed: int) -> Any:
        self._check_settings()
        return super()._fit_source(source, seed)

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        if source is None:  # the door lets nobody in without source rows
            raise InputError("JointObjective needs the source rows")
        match = Match()
        if not self._regression():
            names = self.source_class_names_
            match = match_classes("JointObjective", model.classes_, names, target)
        ours = replace(target, y=match.to_source(target.labels))
        if _is_network(model):
            joint = self._train_network(model, source, ours, seed)
        elif self.solver == "auto":
            joint = fit_model(self._base(), pool(source, ours, self.balance), seed)
        else:
            joint = self._descend(model, source, ours)
        return Adapted(match.to_target(joint))

    def _train_network(self, model: Any, source: Rows, target: Rows, seed: int) -> Any:
        from acclimate.training import loop
        from acclimate.training.augment import views
        from acclimate.training.progress import Progress
        from acclimate.training.terms import Phase, Term

        joint = model.copy_fitted()
        X, y, counts = _counted(source)
        weight = None if source.weight is None else counts
        if self.start == "scratch":
            joint.set_params(random_state=seed)
            joint.start(X, y, getattr(model, "classes_", None))
            joint.random_state = model.random_state
        joint.seed_ = seed
        n, m = round(counts.sum()), round(target.counts.sum())
        task, balance, changes = joint.task().loss, self.balance, {}
        if self.solver != "auto":
            changes = {
                "steps": self.steps, "batch_size": max(n, m), "optimizer": "plain",
                "learning_rate": NETWORK_STEP if self.step is None else self.step,
                "schedule": "constant", "warmup": 0.0, "weight_decay": 0.0,
                "precision": "float32",
            }  # fmt: skip
        if self.solver == "textbook":
            balance = m / (n + m)
        settings = joint.settings(n, **changes, patience=None)
        terms = [
            Term("source", task, 1.0 - balance),
            Term("target", lambda s, t: task(t, s), balance),
        ]
        bar = Progress(settings.steps, type(self).__name__, joint.verbose)
        joint.history_ = loop.train(
            joint.network_, [Phase(terms, [joint.network_])], joint.data(X, y, weight),
            joint.data(target.labelled_X, target.labels, target.labelled_weight),
            settings=settings, seed=seed,
            views=views(joint.augment), progress=bar,
        )  # fmt: skip
        joint.n_iter_ = settings.steps
        return joint

    def _descend(self, model: Any, source: Rows, target: Rows) -> Any:
        """Return the linear model after full-batch steps."""
        from acclimate.transfer.shallow import with_parameters

        loss, curvature = loss_of(model)
        X, y, v = _counted(source)
        Xt, yt = target.labelled_X, target.labels
        if not self._regression():
            y, yt = (np.searchsorted(model.classes_, labels) for labels in (y, yt))
        vt = target.counts
        n, m = float(v.sum()), float(vt.sum())
        W = np.atleast_2d(model.coef_).astype(np.float64)
        b = np.broadcast_to(np.asarray(model.intercept_, np.float64), (len(W),))
        theta: NDArray[np.floating[Any]] = np.column_stack([W, b])  # (k, d + 1)
        if self.start == "scratch":
            theta = np.zeros_like(theta)
        textbook = self.solver == "textbook"
        share = m / (n + m) if textbook else self.balance
        alpha = self.step
        if alpha is None:
            parts = np.concatenate([v * (1.0 - share) / n, vt * share / m])
            alpha = safe_step(stack(X, Xt), parts, curvature)

        def slopes(theta: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
            """Return the gradients of both sums over rows."""
            W, b = theta[:, :-1], theta[:, -1]
            moves = model.fit_intercept
            return gradient(X, y, v, W, b, loss, moves), gradient(Xt, yt, vt, W, b, loss, moves)

        def advance(theta: NDArray[Any]) -> NDArray[Any]:
            first, second = slopes(theta)
            if textbook:
                return textbook_step(theta, first, second, alpha, n, m)
            return theta - alpha * ((1.0 - share) * first / n + share * second / m)

        theta = descend(theta, advance, self.steps)
        return with_parameters(model, theta[:, :-1], theta[:, -1])

    def _check_settings(self) -> None:
        base = self._base()
        if self.solver == "auto" and not has_fit_parameter(base, "sample_weight"):
            raise InputError(
                f"JointObjective weighs rows, and {type(base).__name__} takes no sample_weight; "
                f"choose an estimator that does, such as LogisticRegression, Ridge, a random "
                f"forest or a network. A pipeline's transformer belongs in preprocess="
            )


def pool(source: Rows, target: Rows, balance: float) -> Rows:
    """Put the labelled rows of both domains together, with the weights of the joint objective.

    Parameters
    ----------
    source : Rows
        Rows, with weights or without: n is how many they stand for.
    target : Rows
        Labelled rows, with weights or without: m is how many they stand for.
    balance : float in (0, 1)
        Share of the target.

    Returns
    -------
    Rows
        Source rows, then target rows. Weights sum to n + m: ``(1 - balance) (n + m) / n`` for each
        source row that is counted, ``balance (n + m) / m`` for each target row.
    """
    X, y, first = _counted(source)
    second = target.counts
    n, m = float(first.sum()), float(second.sum())
    weights = np.concatenate([
        first * (1.0 - balance) * (n + m) / n, second * balance * (n + m) / m
    ])  # fmt: skip
    return Rows(
        stack(X, target.labelled_X), np.concatenate([y, target.labels]), weight=weights
    )  # fmt: skip


def _counted(rows: Rows) -> tuple[Any, NDArray[Any], NDArray[np.floating[Any]]]:
    """Return inputs, labels and counts without the rows that count for nothing."""
    X, y, counts = rows.labelled_X, rows.labels, rows.counts
    if counts.all():
        return X, y, counts
    kept = np.flatnonzero(counts)
    return take(X, kept), y[kept], counts[kept]


def _is_network(model: Any) -> bool:
    """Tell whether a model is a network of this package, without importing torch."""
    return hasattr(model, "network_") and hasattr(model, "copy_fitted")
