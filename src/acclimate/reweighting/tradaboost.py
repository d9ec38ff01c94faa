"""`TrAdaBoost`: boosting that trusts the target's labels and drops source rows that disagree."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from acclimate.adapter import Adapted, Adapter
from acclimate.classes import match_classes
from acclimate.exceptions import InputError
from acclimate.reweighting.ratio import Array
from acclimate.settings import COUNT, INNER_SHARE, Constraints
from acclimate.templates import fit_weighted, report_weights
from acclimate.validation import Rows, stack

Labels = NDArray[Any]


class TrAdaBoost(Adapter):
    """Boost on the labelled target rows, while source rows that are mispredicted fade.

    Use it when the target has some labels and part of the source follows the target's rule, but
    nobody knows which part. Do not use it with a handful of target labels: whether a source row
    agrees is judged by models that those few rows steer. Nor where the source agrees as a whole,
    since pooling the rows, as `JointObjective` does, then needs no rounds.

    In each round t, a model h_t is fitted with weights w. With error e_t, the weighted share of
    labelled target rows that h_t misses, and K classes, weights become

    - ``w * beta`` for missed source rows, ``beta = 1 / (1 + sqrt(2 ln(n) / rounds))``;
    - ``w * exp(rate * vote_t)`` for missed target rows, with ``vote_t = ln((1 - e_t) / e_t) +
      ln(K - 1)``.

    A row's class is the one with most votes of the models of the second half of the rounds. Target
    weights follow AdaBoost, which minimises an exponential loss on the labelled target rows; source
    weights follow Hedge, whose regret against the best source rows falls with the rounds.

    Parameters
    ----------
    estimator : classifier, default=None
        The base model of each round, weak or strong. Weights reach its ``sample_weight``; for one
        that takes none, rows are drawn by weight. None means ``LogisticRegression(max_iter=1000)``.
    rounds : int, default=10
        Rounds, at least 1.
    rate : float in (0, 1], default=0.1
        Shrinks the steps of the target's weights. 1 is the paper's, for weak models such as stumps.
        With strong models and classes that overlap, 1 piles the weight onto a few odd rows.
    balance : float in (0, 1), default=0.2
        Share of the labelled target rows in the total weight at the start.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : Votes or None
        The models of the second half of the rounds, with their votes.
    weights_ : ndarray of shape (n,)
        Weights of the source rows in the last round. Only after a target was given.
    target_weights_ : ndarray of shape (m,)
        Weights of the labelled target rows in the last round. All ``n + m`` are 1 on average.
    weight_report_ : WeightReport
        Effective rows and tail of the n + m weights of the last round.
    source_share_ : ndarray of shape (rounds run,)
        Share of the source in the total weight of each round.
    errors_ : ndarray of shape (rounds run,)
        Error e_t of each round.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The source's labels, or the target's names for them.

    Raises
    ------
    InputError
        A setting is out of range, the base model is a regressor, the target has no labels, or a
        class that the source does not have.

    Notes
    -----
    Deviations from the paper, which has two classes, weak models, ``rate = 1`` and starting weights
    of the user's choice. The defaults were chosen on simulated shifts. ``ln(K - 1)`` is the
    multi-class form of AdaBoost; it is 0 for two classes. A model without error on the target would
    have all the votes: here, its error counts as half a row of m, so that all such models have the
    same vote, and the source goes on to fade. Where no row is missed, no weight moves, and the
    rounds end. A model that is no better than chance on the target has no vote, and counts as one
    that misses every source row, which shifts weight to the target.

    Models with ``predict_proba`` divide their vote by it, the paper's ``h_t(x)`` in [0, 1]; others
    give it to one class. The shares of all votes are the probabilities, so that they agree with the
    predictions. Errors e_t are those of the predicted classes.

    References
    ----------
    Dai, Yang, Xue and Yu, "Boosting for transfer learning", doi:10.1145/1273496.1273521.
    Zhu, Zou, Rosset and Hastie, "Multi-class AdaBoost", doi:10.4310/SII.2009.v2.n3.a8.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, TrAdaBoost
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(200, 2)), rng.normal(size=(30, 2))
    >>> y = np.where(np.arange(200) < 120, X[:, 0] > 0, X[:, 0] < 0).astype(int)
    >>> model = TrAdaBoost(random_state=0).fit(X, y, target=Domain(Xt, (Xt[:, 0] > 0).astype(int)))
    >>> model.predict([[1.0, -0.5], [-1.0, 0.5]])
    array([1, 0])
    >>> bool(model.weights_[:120].mean() > 5 * model.weights_[120:].mean())
    True
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **Adapter._parameter_constraints,
        "rounds": [COUNT],
        "rate": [Interval(Real, 0, 1, closed="right")],
        "balance": [INNER_SHARE],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        rounds: int = 10,
        rate: float = 0.1,
        balance: float = 0.2,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.rounds = rounds
        self.rate = rate
        self.balance = balance

    def _fit_source(self, source: Rows, seed: int) -> Any:
        if self._regression():
            raise InputError(
                f"TrAdaBoost is about classes, and {type(self._base()).__name__} is a regressor; "
                f"use TrAdaBoostR2"
            )
        return super()._fit_source(source, seed)

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        X, y, w, n = both_domains(source, target, self.balance)
        match = match_classes("TrAdaBoost", model.classes_, self.source_class_names_, target)
        y = np.concatenate([y[:n], match.to_source(target.labels)])
        k = len(model.classes_)
        size = float(w.sum())  # how many rows there are, counted
        beta = source_rate(size - (len(w) - n), self.rounds)
        models, votes, errors, shares = [], [], [], []
        for t in range(self.rounds):
            w = w * (size / w.sum())
            rows = Rows(X, y, None, w)
            models.append(fit_weighted(self._base(), rows, round_seed(seed, t)))
            missed = models[-1].predict(X) != y
            errors.append(float(w[n:][missed[n:]].sum() / w[n:].sum()))
            shares.append(float(w[:n].sum() / size))
            votes.append(vote(errors[-1], k, len(y) - n))
            used = w
            if not missed.any():
                break
            w = reweigh(w, missed, n, beta, votes[-1], self.rate)
        self.weights_, self.target_weights_ = of_given(used[:n], source), used[n:]
        self.weight_report_ = report_weights(used)
        self.source_share_, self.errors_ = np.array(shares), np.array(errors)
        kept = second_half(np.array(votes))
        jury = Votes([models[t] for t in kept], _some(np.array(votes)[kept]), model.classes_)
        return Adapted(match.to_target(jury))


def both_domains(
    source: Rows | None, target: Rows, balance: float | None
) -> tuple[Any, Labels, Array, int]:
    """Put the rows of positive weight of both domains together.

    Parameters
    ----------
    source : Rows
        Source rows.
    target : Rows
        Labelled target rows, m of them.
    balance : float or None
        Share of the target in the total weight; None gives each row the same weight.

    Returns
    -------
    X : array of shape (n + m, d)
        Source rows, then labelled target rows.
    y : ndarray of shape (n + m,)
        Their labels or values.
    w : ndarray of shape (n + m,)
        Starting weights. They sum to the number of rows that all stand for.
    n : int
        Number of source rows.
    """
    if source is None:
        raise InputError("this method needs the source rows, and there are none")
    X, y, first = source.X, source.labels, source.counts
    n, m = float(first.sum()), len(target.labels)
    share = m / (n + m) if balance is None else balance
    w = np.concatenate([first * (1.0 - share) / n, np.full(m, share / m)]) * (n + m)
    return stack(X, target.labelled_X), np.concatenate([y, target.labels]), w, len(y)


def of_given(w: Array, source: Rows | None) -> Array:
    """Return weights of all source rows that were given, 0 for those left out, shape (n,)."""
    return w if source is None else source.of_each(w)


def source_rate(n: float, rounds: int) -> float:
    """Return beta, the factor of a missed source row.

    >>> round(source_rate(100, 10), 3)
    0.51
    """
    return float(1.0 / (1.0 + np.sqrt(2.0 * np.log(n) / rounds)))


def vote(error: float, classes: int, m: int) -> float:
    """Return a model's vote, ``ln((1 - e) / e) + ln(K - 1)``, and 0 where it is below 0.

    Parameters
    ----------
    error : float in [0, 1]
        Weighted share of missed target rows. Below half a row, it counts as half a row.
    classes : int
        Number K of classes.
    m : int
        Number of labelled target rows.

    >>> [round(float(np.exp(vote(e, k, 10))), 9) for e, k in ((0.2, 2), (1 / 3, 3), (0.0, 2))]
    [4.0, 4.0, 19.0]
    >>> vote(0.6, 2, 10)
    0.0
    """
    e = min(max(error, 0.5 / m), 1.0 - 1e-12)
    found = float(np.log((1.0 - e) / e * (classes - 1)))
    return found if found > 1e-9 else 0.0  # at chance but for rounding is at chance


def reweigh(
    w: Array, missed: NDArray[np.bool_], n: int, beta: float, vote: float, rate: float = 1.0
) -> Array:
    """Return the weights of the next round, shape (n + m,).

    Parameters
    ----------
    w : ndarray of shape (n + m,)
        Weights of source rows, then target rows.
    missed : boolean ndarray of shape (n + m,)
        Which rows the model missed.
    n : int
        Number of source rows.
    beta : float
        From `source_rate`.
    vote : float
        From `vote`. With 0, the model is no better than chance, and every source row is missed.
    rate : float in (0, 1], default=1.0
        Shrinks the vote.
    """
    fades = missed[:n] if vote > 0.0 else np.ones(n, dtype=bool)
    after = w.copy()
    after[:n][fades] *= beta
    after[n:][missed[n:]] *= np.exp(rate * vote)
    return after


def second_half(votes: Array) -> NDArray[np.intp]:
    """Return which rounds vote: those of the second half that have a vote, else of all, else last.

    >>> second_half(np.array([1.0, 2.0, 0.0, 3.0])), second_half(np.array([1.0, 0.0, 0.0]))
    (array([1, 3]), array([0]))
    """
    rounds = len(votes)
    late = np.arange(rounds) >= (rounds + 1) // 2 - 1  # from ceil(rounds / 2), counted from 1
    for some in (late & (votes > 0), votes > 0):
        if some.any():
            return np.flatnonzero(some)
    return np.array([rounds - 1])


def round_seed(seed: int, *path: int) -> int:
    """Return the seed of one round, so that rounds do not draw the same rows."""
    return int(np.random.SeedSequence([seed, *path]).generate_state(1)[0] >> 1)


def _some(votes: Array) -> Array:
    """Return votes, or one each where nobody has any."""
    return votes if votes.any() else np.ones_like(votes)


class Votes:
    """Fitted classifiers that vote.

    Parameters
    ----------
    models : list of fitted classifiers
        Each predicts labels.
    votes : ndarray of shape (len(models),)
        Their votes, above 0.
    classes : ndarray of shape (k,)
        Labels, sorted.
    """

    def __init__(self, models: list[Any], votes: Array, classes: Labels) -> None:
        self.models = models
        self.votes = votes / votes.sum()
        self.classes_ = classes

    def predict_proba(self, X: Any) -> Array:
        """Return each class's share of the votes, shape (m, k)."""
        parts = [self._one(model, X) * v for model, v in zip(self.models, self.votes, strict=True)]
        total: Array = np.sum(parts, axis=0)
        return total

    def _one(self, model: Any, X: Any) -> Array:
        """Return how one model divides its vote, shape (m, k)."""
        if hasattr(model, "predict_proba"):
            known, shares = model.classes_, model.predict_proba(X)
        else:
            known = self.classes_
            shares = (model.predict(X)[:, None] == known).astype(np.float64)
        if len(known) == len(self.classes_):
            return np.asarray(shares)
        all_shares: Array = np.zeros((len(shares), len(self.classes_)))
        all_shares[:, np.searchsorted(self.classes_, known)] = shares
        return all_shares

    def decision_function(self, X: Any) -> Array:
        """Return shares of the votes, (m, k); for two classes the second's lead, (m,)."""
        shares = self.predict_proba(X)
        return shares if shares.shape[1] > 2 else shares[:, 1] - shares[:, 0]

    def predict(self, X: Any) -> Labels:
        """Return the labels with most votes, shape (m,)."""
        answers: Labels = self.classes_[self.predict_proba(X).argmax(1)]
        return answers
