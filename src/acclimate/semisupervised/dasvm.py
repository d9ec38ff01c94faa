"""`DASVM`: exchange source rows for target rows, a few of each class at a time."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import has_fit_parameter

from acclimate.adapter import Adapted, Adapter
from acclimate.exceptions import ConvergenceWarning, InputError
from acclimate.folds import as_often
from acclimate.mapping.shrunk import shrinkage_of
from acclimate.reweighting.ratio import Array, matrix
from acclimate.settings import COUNT, SHARE, SHARE_BELOW_1, Constraints, OneOf
from acclimate.templates import fit_weighted
from acclimate.validation import Rows, stack, take

Codes = NDArray[np.intp]
LEAST = 0.1  # weight of a target row that just came, and of a source row that is about to go


class DASVM(Adapter):
    """Carry a support vector machine from the source to the target, row by row.

    Use it when the target has no labels and the classes drift by so little that the source's
    machine is right on most target rows near its margin: a season, a sensor that ages. Do not use
    it where the source model is at chance on the target, since the labels that it then gives
    itself make it no better. Nor where the shares of the classes differ much.

    In each of ``rounds`` rounds and for each class, labelled by the machines of the round before,
    the unlabelled target rows nearest to the margin, with the least ``|1 - f(x)|``, join the
    training rows, and the source rows farthest inside the class, with the largest f(x), leave them.
    Target rows whose label has changed lose it. All machines are fitted on the same rows and
    minimise ``1/2 ||w||^2 + C (s_r sum_source hinge + t_r sum_target hinge)``, where s_r falls and
    t_r rises with the square of the round. Afterwards rounds go on until the labels rest. The
    machines at the end minimise s times the loss of all source rows and 1 - s times that of the
    target rows with those labels.

    Parameters
    ----------
    estimator : classifier, default=None
        The base model of each one-against-rest machine, with ``decision_function``, or with
        ``predict_proba``, whose ``2 p - 1`` is then the score. Weights reach its ``sample_weight``;
        for one that takes none, rows are drawn by weight. None means ``SVC()``.
    rounds : int, default=10
        Rounds in which the rows are exchanged, at least 1.
    tolerance : float in [0, 1), default=0.01
        Share of the target rows, rounded up to a whole row, whose labels may still change when it
        ends.
    max_rounds : int, default=50
        Most rounds in all, at least 1 and at least ``rounds``.
    shrinkage : float in [0, 1] or "auto", default="auto"
        Share s of the source's rows at the end. With 0 the machines are those of the last round, as
        in the paper; with 1 those of the source. "auto" is 0 where the domains plainly differ, 1
        where they do no more than two draws of one domain would; see
        `acclimate.mapping.shrunk.shrinkage_of`. For rows with gaps it is 0.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds the base model; the exchange is deterministic.

    Attributes
    ----------
    source_model_ : OneVsRest
        The machines of the source alone.
    target_model_ : OneVsRest or None
        The machines at the end.
    shrinkage_ : float
        Share s in use. Only after a target was given.
    labels_ : ndarray of shape (m,)
        The label that each target row was given. Only after a target was given.
    rounds_ : int
        Rounds run.
    changes_ : ndarray of shape (rounds run,)
        Share of the target rows whose label changed after each round.
    kept_ : ndarray of shape (n,)
        Which source rows are left: those of classes that the target does not seem to have.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Raises
    ------
    InputError
        A setting is out of range, or the base model is a regressor or gives no scores.

    Warns
    -----
    ConvergenceWarning
        Labels still change after ``max_rounds`` rounds.

    Notes
    -----
    Deviations from the paper, which has two classes, a number of rows a round, and candidates
    within the margin alone. Here the machines of all classes share one set of rows: a row's label
    is the class of the highest f, and counts as positive for that machine and as negative for the
    others. There the rest of k classes weighs ``1 / (k - 1)`` of the class, see `one_vs_rest`. The
    number of rows is the class's share of ``1 / rounds``, so that classes of any size
    are exchanged together. Candidates outside the margin come last, so that any base model sees the
    whole target in the end. A class gives up its source rows only as target rows come, and has some
    back where those lose their label, so that no class is lost. The paper's circular validation is
    not part of it. Nor has the paper an s: where nothing is shifted, a machine of the labels that
    the source's gave is a noisy copy of it.

    References
    ----------
    Bruzzone and Marconcini, "Domain adaptation problems: a DASVM classification technique and a
    circular validation strategy", doi:10.1109/TPAMI.2009.57.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import DASVM, Domain
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(200) % 2
    >>> X, Xt = (rng.normal(size=(200, 2)) + [[2.5, 0]] * (2 * y[:, None] - 1) for _ in range(2))
    >>> Xt = Xt @ [[0.5, 0.87], [-0.87, 0.5]]
    >>> model = DASVM().fit(X, y, target=Domain(Xt))
    >>> round(float(np.mean(model.source_model_.predict(Xt) == y)), 2), round(model.score(Xt, y), 2)
    (0.82, 0.98)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **Adapter._parameter_constraints,
        "rounds": [COUNT],
        "tolerance": [SHARE_BELOW_1],
        "max_rounds": [COUNT],
        "shrinkage": [SHARE, OneOf("auto")],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        rounds: int = 10,
        tolerance: float = 0.01,
        max_rounds: int = 50,
        shrinkage: float | str = "auto",
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.rounds = rounds
        self.tolerance = tolerance
        self.max_rounds = max_rounds
        self.shrinkage = shrinkage

    def _default_estimator(self) -> Any:
        from sklearn.svm import SVC

        return SVC()

    def _fit_source(self, source: Rows, seed: int) -> Any:
        if self.max_rounds < self.rounds:
            raise InputError(
                f"max_rounds must be at least rounds, at least {self.rounds}, got {self.max_rounds}"
            )
        base = self._base()
        if self._regression():
            raise InputError(f"DASVM is about classes, and {type(base).__name__} is a regressor")
        if not hasattr(base, "decision_function") and not hasattr(base, "predict_proba"):
            raise InputError(
                f"DASVM needs decision_function or predict_proba, {type(base).__name__} has neither"
            )
        classes, codes = np.unique(source.labels, return_inverse=True)
        return one_vs_rest(base, source.X, codes, source.weight, classes, seed)

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        if source is None:  # the door lets nobody in without source rows
            raise InputError("DASVM needs the source rows")
        alive = np.arange(len(source.labels))
        if source.weight is not None:  # rows come and go one by one
            alive = as_often(source.counts, seed)
        X, Xt, classes = take(source.X, alive), target.X, model.classes_
        codes = np.searchsorted(classes, source.labels[alive])
        first, scores = model, model.scores(Xt)
        guess = scores.argmax(1)
        state = Exchange(np.ones(len(codes), dtype=bool), np.full(len(guess), -1))
        changes: list[float] = []
        for r in range(1, self.max_rounds + 1):
            state = exchange(state, codes, model.scores(X), scores, self.rounds, r >= self.rounds)
            rows = np.flatnonzero(state.kept), np.flatnonzero(state.label >= 0)
            s, t = round_weights(r / self.rounds)
            # source rows stand in at full weight for a class that has no row of the target
            fading = np.where(np.isin(codes[rows[0]], state.label), s, 1.0)
            model = one_vs_rest(
                self._base(), stack(take(X, rows[0]), take(Xt, rows[1])),
                np.concatenate([codes[rows[0]], state.label[rows[1]]]),
                np.concatenate([fading, np.full(len(rows[1]), t)]), classes, seed,
            )  # fmt: skip
            scores = model.scores(Xt)
            before, guess = guess, scores.argmax(1)
            changes.append(float((guess != before).mean()))
            unsettled = int((guess != state.label).sum())
            if r >= self.rounds and unsettled <= np.ceil(self.tolerance * len(guess)):
                break
        else:
            warnings.warn(
                f"the labels of {unsettled} of {len(guess)} target rows still change after "
                f"{self.max_rounds} rounds; raise max_rounds or tolerance",
                ConvergenceWarning,
                stacklevel=4,
            )
        self.labels_, self.rounds_, self.changes_ = classes[guess], r, np.array(changes)
        kept = np.zeros(len(source.labels), dtype=bool)
        kept[alive[state.kept]] = True
        self.kept_ = source.of_each(kept)
        s = self.shrinkage_ = self._share(source, target, seed=seed)
        if s == 1:
            return Adapted(first)
        if s > 0:
            seen = np.flatnonzero(state.label >= 0)
            own = np.where(np.isin(codes, state.label), s, 1.0)  # as above
            share = np.concatenate([own, np.full(len(seen), 1.0 - s)])
            labels = np.concatenate([codes, state.label[seen]])
            model = one_vs_rest(
                self._base(), stack(X, take(Xt, seen)), labels, share, classes, seed
            )
        return Adapted(model)

    def _share(self, *sides: Rows, seed: int) -> float:
        """Return the shrinkage; "auto" is 0 for rows that have no distances."""
        if self.shrinkage != "auto":
            return float(self.shrinkage)
        try:
            ours, theirs = (replace(rows, X=matrix(rows.X, "domain")) for rows in sides)
        except InputError:  # gaps, or too many sparse columns
            return 0.0
        return shrinkage_of("auto", ours, theirs, seed)


@dataclass(frozen=True)
class Exchange:
    """Which rows the machines are fitted on.

    Parameters
    ----------
    kept : boolean ndarray of shape (n,)
        Source rows that are left.
    label : integer ndarray of shape (m,)
        Class code of each target row, -1 where it has none.
    """

    kept: NDArray[np.bool_]
    label: Codes


def exchange(
    state: Exchange, codes: Codes, scores: Array, scores_t: Array, rounds: int, last: bool
) -> Exchange:
    """Let target rows come and source rows go; see `DASVM`.

    Parameters
    ----------
    state : Exchange
        Rows of the round before.
    codes : integer ndarray of shape (n,)
        Class codes of the source rows.
    scores, scores_t : ndarrays of shapes (n, k) and (m, k)
        Scores of all classes at the rows of both domains.
    rounds : int
        Rounds in which all rows are exchanged.
    last : bool
        Whether all that may come or go does so now.
    """
    k = scores.shape[1]
    guess, side = scores_t.argmax(1), scores.argmax(1)
    changed = (state.label >= 0) & (state.label != guess)
    label = np.where(changed, -1, state.label)
    kept = state.kept.copy()
    free = (state.label < 0) | last  # a row that lost its label gets the next in the next round
    for c in range(k):
        here = np.flatnonzero(free & (label < 0) & (guess == c))
        quota = len(here) if last else -(-int((guess == c).sum()) // rounds)
        nearest = np.argsort(np.abs(1.0 - scores_t[here, c]), kind="stable")
        label[here[nearest[:quota]]] = c
    come = np.bincount(label[label >= 0], minlength=k)
    quotas = -(-np.bincount(codes, minlength=k) // rounds)
    for c in range(k):
        here = np.flatnonzero(kept & (side == c))
        farthest = here[np.argsort(-scores[here, c], kind="stable")]
        kept[farthest if last else farthest[: quotas[c]]] = False
    for c in range(k):  # a class has source rows until as many of the target have come
        gone = np.flatnonzero(~kept & (codes == c))
        short = int(quotas[c] - come[c] - (kept & (codes == c)).sum())
        if short > 0:
            nearest = np.argsort(scores[gone, c], kind="stable")
            kept[gone[nearest[:short]]] = True
    return Exchange(kept, label)


def round_weights(progress: float) -> tuple[float, float]:
    """Return the weights of source and target rows after a part of the rounds.

    >>> round_weights(0.0), round_weights(1.0), round_weights(2.0)
    ((1.0, 0.1), (0.1, 1.0), (0.1, 1.0))
    """
    p = min(progress, 1.0) ** 2
    return (1.0 - p) + LEAST * p, LEAST * (1.0 - p) + p


def one_vs_rest(
    estimator: Any, X: Any, codes: Codes, weight: Array | None, classes: NDArray[Any], seed: int
) -> OneVsRest:
    """Fit one machine for two classes, else one a class against the rest.

    Against the rest, rows of the class weigh ``k / 2`` and others ``k / (2 (k - 1))``, so that both
    sides are even where the k classes are: a machine that sees one row in ten of its class may
    do best to answer "no" everywhere. Base models without ``sample_weight`` get the rows as they
    are.

    Parameters
    ----------
    estimator : classifier
        Base model, cloned.
    X : array of shape (n, d)
        Rows.
    codes : integer ndarray of shape (n,)
        Class codes; each occurs.
    weight : ndarray of shape (n,) or None
        Weights of the rows.
    classes : ndarray of shape (k,)
        Labels, sorted.
    seed : int
        Seeds the machines.
    """
    k = len(classes)
    even = k > 2 and has_fit_parameter(estimator, "sample_weight")
    models = []
    for c in [1] if k == 2 else range(k):
        own, w = codes == c, weight
        if even:
            w = np.where(own, k / 2, k / (2 * (k - 1)))
            w = w if weight is None else w * weight
        models.append(fit_weighted(estimator, Rows(X, own.astype(np.intp), None, w), seed))
    return OneVsRest(models, classes, even)


def _all_have(name: str) -> Any:
    return lambda self: all(hasattr(model, name) for model in self.models)


class OneVsRest:
    """Machines of one class against the rest; one alone where there are two classes.

    Parameters
    ----------
    models : list of fitted classifiers of 0 and 1
        One a class, or one for the second of two.
    classes : ndarray of shape (k,)
        Labels, sorted.
    even : bool, default=False
        Whether the rest weighs ``1 / (k - 1)``, which probabilities make up for.
    """

    def __init__(self, models: list[Any], classes: NDArray[Any], even: bool = False) -> None:
        self.models = models
        self.classes_ = classes
        self.even = even

    def scores(self, X: Any) -> Array:
        """Return a score for each class, 1 at the margin, shape (m, k)."""
        f: Array = np.column_stack([_score(model, X) for model in self.models])
        return np.column_stack([-f, f]) if len(self.classes_) == 2 else f

    def decision_function(self, X: Any) -> Array:
        """Return scores, shape (m, k); for two classes those of the second, shape (m,)."""
        scores = self.scores(X)
        return scores[:, 1] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the labels with the highest score, shape (m,)."""
        labels: NDArray[Any] = self.classes_[self.scores(X).argmax(1)]
        return labels

    @available_if(_all_have("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Return each machine's probability of its class, scaled to sum to 1, shape (m, k)."""
        p: Array = np.column_stack([model.predict_proba(X)[:, 1] for model in self.models])
        if len(self.classes_) == 2:
            return np.column_stack([1.0 - p, p])
        if self.even:
            p = p / (p + (p.shape[1] - 1) * (1.0 - p))
        total = p.sum(1, keepdims=True)
        shares: Array = np.where(total > 0, p, 1.0) / np.where(total > 0, total, p.shape[1])
        return shares


def _score(model: Any, X: Any) -> Array:
    """Return the decision values of a classifier of 0 and 1, shape (m,)."""
    if hasattr(model, "decision_function"):
        values: Array = model.decision_function(X)
        return values
    return 2.0 * np.asarray(model.predict_proba(X))[:, 1] - 1.0
