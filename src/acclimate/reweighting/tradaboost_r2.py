"""`TrAdaBoostR2`: boosting for regression, with as much of the source as the target rows ask."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from acclimate.adapter import Adapted, Adapter
from acclimate.exceptions import InputError
from acclimate.folds import few_label_folds, row_keys
from acclimate.reweighting.ratio import Array
from acclimate.reweighting.tradaboost import both_domains, of_given, round_seed
from acclimate.settings import COUNT, SEVERAL, Constraints
from acclimate.templates import fit_weighted, report_weights
from acclimate.validation import Rows, take


class TrAdaBoostR2(Adapter):
    """Boost a regression on both domains, and fade source rows with large errors step by step.

    Use it for regression when the target has some labels, from about ten, and part of the source
    follows the target's relation. Do not use it with fewer: folds of them decide how much of the
    source is kept. Nor where one fit takes long: each step is cross-validated. With linear models
    the fading helps, and boosting does little: their weighted median is nearly linear again.

    Two stages for each step t = 0, ..., steps - 1. The first fits AdaBoost.R2 to all rows while
    source weights stand still, and measures its squared error by cross-validation on the labelled
    target rows. The second fits the base model once, takes errors ``e_i = |y_i - h(x_i)| / max_j
    |y_j - h(x_j)|``, and multiplies source weights by ``beta^e_i``, where beta is such that the
    target's share of the weight becomes ``m / (n + m) + (t + 1) / (steps - 1) * n / (n + m)``. The
    shares run from all rows pooled to the target alone. The step with the least error is kept.

    Parameters
    ----------
    estimator : regressor, default=None
        The base model of each round. Weights reach its ``sample_weight``; for one that takes none,
        rows are drawn by weight. None means ``DecisionTreeRegressor(max_depth=4)``.
    steps : int, default=10
        Shares of the source to try, at least 2.
    rounds : int, default=10
        Most rounds of AdaBoost.R2 in each step, at least 1.
    folds : int, default=5
        Folds of the labelled target rows, at least 2. Fewer where there are fewer rows.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : WeightedMedian or None
        The models of AdaBoost.R2 at the chosen step.
    step_ : int
        The chosen step, from 0, all rows pooled, to ``steps - 1``, the target alone. Only after a
        target was given.
    cv_errors_ : ndarray of shape (steps,)
        Mean squared error over held-out target rows, by step. NaN with one labelled row.
    source_share_ : ndarray of shape (steps,)
        Share of the source in the total weight, by step.
    weights_ : ndarray of shape (n,)
        Weights of the source rows at the chosen step.
    target_weights_ : ndarray of shape (m,)
        Weights of the labelled target rows at the chosen step, before AdaBoost.R2 moves them. All
        ``n + m`` are 1 on average.
    weight_report_ : WeightReport
        Effective rows and tail of these n + m weights.
    adapted_ : bool
        Whether there was a target.

    Raises
    ------
    InputError
        A setting is out of range, the base model is a classifier, or the target has no labels.

    Notes
    -----
    Where the paper is silent: in AdaBoost.R2 the target's weights keep their sum, since the
    source's stand still; without the held-out fold, the other target rows take over its weight, so
    that the share under test stays; equal errors go to the step with more of the source; with one
    labelled row nothing can be measured, and all rows are pooled. Where the rows without any error
    weigh more than a step leaves, beta is 0 and they shrink alike. Folds depend on the values of
    the rows, not on their place.

    References
    ----------
    Pardoe and Stone, "Boosting for regression transfer", ICML 2010.
    Drucker, "Improving regressors using boosting techniques", ICML 1997.
    Dai, Yang, Xue and Yu, "Boosting for transfer learning", doi:10.1145/1273496.1273521, on which
    it builds.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, TrAdaBoostR2
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.uniform(-1, 1, size=(200, 1)), rng.uniform(-1, 1, size=(20, 1))
    >>> y = np.where(np.arange(200) < 100, X[:, 0] ** 2, -X[:, 0] ** 2)
    >>> model = TrAdaBoostR2(random_state=0).fit(X, y, target=Domain(Xt, Xt[:, 0] ** 2))
    >>> Xn = np.linspace(-1, 1, 50)[:, None]
    >>> bool(model.score(Xn, Xn[:, 0] ** 2) > 0.9)
    True
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **Adapter._parameter_constraints,
        "steps": [SEVERAL],
        "rounds": [COUNT],
        "folds": [SEVERAL],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        steps: int = 10,
        rounds: int = 10,
        folds: int = 5,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.steps = steps
        self.rounds = rounds
        self.folds = folds

    def _default_estimator(self) -> Any:
        from sklearn.tree import DecisionTreeRegressor

        return DecisionTreeRegressor(max_depth=4)

    def _fit_source(self, source: Rows, seed: int) -> Any:
        if not self._regression():
            raise InputError(
                f"TrAdaBoostR2 is about values, and {type(self._base()).__name__} is no regressor; "
                f"use TrAdaBoost for classes"
            )
        return super()._fit_source(source, seed)

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        X, y, w, n = both_domains(source, target, None)  # the same for each row that is counted
        counts = w / w[-1]
        y = y.astype(np.float64)
        keys = row_keys(_numbers(target.labelled_X, y[n:]), seed)
        folds = few_label_folds(y[n:], classify=False, folds=self.folds, seed=seed, key=keys)
        weights, errors, share = [], [], len(w[n:]) / w.sum()
        for t in range(self.steps):
            weights.append(w)
            errors.append(self._held_out(X, y, w, n, counts, folds, round_seed(seed, t)))
            if t + 1 < self.steps:
                h = fit_weighted(self._base(), Rows(X, y, None, w), round_seed(seed, t))
                wanted = share + (t + 1) / (self.steps - 1) * (1.0 - share)
                w = fade(w, relative_errors(h.predict(X), y, w), n, wanted)
        self.cv_errors_ = np.array(errors)
        self.source_share_ = np.array([v[:n].sum() / v.sum() for v in weights])
        best = self.cv_errors_.min()
        level = np.isclose(self.cv_errors_, best, rtol=1e-9, atol=1e-300)
        self.step_ = int(np.flatnonzero(level)[0]) if folds else 0
        w = weights[self.step_]
        self.weights_, self.target_weights_ = of_given(w[:n], source), w[n:]
        self.weight_report_ = report_weights(w)
        seed = round_seed(seed, self.step_)
        return Adapted(boost(self._base(), X, y, w, n, self.rounds, seed, counts))

    def _held_out(
        self, X: Any, y: Array, w: Array, n: int, counts: Array, folds: Any, seed: int
    ) -> float:
        """Return the mean squared error of AdaBoost.R2 over held-out target rows."""
        total = 0.0
        for train, held in folds:
            rows = np.concatenate([np.arange(n), n + train])
            part = w[rows]
            part[n:] *= w[n:].sum() / part[n:].sum()
            fitted = boost(
                self._base(), take(X, rows), y[rows], part, n, self.rounds, seed, counts[rows]
            )
            total += float(((fitted.predict(take(X, n + held)) - y[n + held]) ** 2).sum())
        return total / (len(y) - n) if folds else float("nan")


def relative_errors(predicted: Array, y: Array, w: Array) -> Array:
    """Return absolute errors over the largest among rows of positive weight, in [0, 1], (k,).

    All are 0 where no such row has an error.
    """
    gaps: Array = np.abs(predicted - y)
    largest = gaps[w > 0].max()
    if largest == 0.0:
        return np.zeros_like(gaps)
    relative: Array = np.minimum(gaps / largest, 1.0)
    return relative


def fade(w: Array, errors: Array, n: int, share: float) -> Array:
    """Return weights in which the target has a given share, shape (n + m,), with the same sum.

    Source weights are multiplied by ``beta^error``, and target weights by one factor.

    Parameters
    ----------
    w : ndarray of shape (n + m,)
        Weights of source rows, then target rows.
    errors : ndarray of shape (n + m,)
        From `relative_errors`.
    n : int
        Number of source rows.
    share : float in (0, 1]
        Wanted share of the target in the total weight, at least what it has.
    """
    first, rest = w[:n], float(w[n:].sum())
    wanted = rest * (1.0 - share) / share  # left to the source, if target weights stand still
    exact = float(first[errors[:n] == 0].sum())  # does not shrink for any beta
    if wanted <= 1e-12 * rest:
        first = np.zeros(n)
    elif exact >= wanted:
        first = np.where(errors[:n] == 0, first, 0.0) * (wanted / exact)
    else:

        def excess(log_beta: float) -> float:
            return float(np.log((first * np.exp(log_beta * errors[:n])).sum() / wanted))

        low = -1.0
        while excess(low) > 0.0:
            low *= 2.0
        log_beta = brentq(excess, low, 0.0, xtol=1e-14, rtol=1e-14) if excess(0.0) > 0.0 else 0.0
        first = first * np.exp(log_beta * errors[:n])
    after = np.concatenate([first, w[n:]])
    scaled: Array = after * (w.sum() / after.sum())
    return scaled


def boost(
    estimator: Any,
    X: Any,
    y: Array,
    w: Array,
    n: int,
    rounds: int,
    seed: int,
    counts: Array | None = None,
) -> WeightedMedian:
    """Fit AdaBoost.R2 while the weights of the first n rows stand still.

    Parameters
    ----------
    estimator : regressor
        Base model, cloned.
    X : array of shape (n + m, d)
        Source rows, then target rows.
    y : ndarray of shape (n + m,)
        Values.
    w : ndarray of shape (n + m,)
        Starting weights. Rows of weight 0 are left out.
    n : int
        Number of source rows.
    rounds : int
        Most rounds. It ends before where a model's weighted error is a half or more, and where a
        model has no error, which then answers alone.
    seed : int
        Seeds the models.
    counts : ndarray of shape (n + m,), default=None
        How many rows each row stands for; None is one each.
    """
    kept = np.flatnonzero(w > 0)
    size = len(kept) if counts is None else counts[kept].sum()
    n = int((kept < n).sum())
    X, y, w = take(X, kept), y[kept], w[kept] * (size / w.sum())
    models: list[Any] = []
    votes: list[float] = []
    for r in range(rounds):
        h = fit_weighted(estimator, Rows(X, y, None, w), round_seed(seed, r))
        errors = relative_errors(h.predict(X), y, w)
        loss = float((w * errors).sum() / w.sum())
        if loss == 0.0:
            return WeightedMedian([h], np.ones(1))
        if loss >= 0.5:
            if not models:
                return WeightedMedian([h], np.ones(1))
            break
        beta = loss / (1.0 - loss)
        models.append(h)
        votes.append(-float(np.log(beta)))
        moved = w[n:] * beta ** (1.0 - errors[n:])
        w = np.concatenate([w[:n], moved * (w[n:].sum() / moved.sum())])
    return WeightedMedian(models, np.array(votes))


class WeightedMedian:
    """Fitted regressors whose weighted median answers.

    Parameters
    ----------
    models : list of fitted regressors
        Each predicts values.
    votes : ndarray of shape (len(models),)
        Their weights, above 0.
    """

    def __init__(self, models: list[Any], votes: Array) -> None:
        self.models = models
        self.votes = votes

    def predict(self, X: Any) -> Array:
        """Return for each row the least value that half of the votes do not exceed, shape (m,)."""
        values = np.stack([model.predict(X) for model in self.models], axis=1)  # (m, models)
        order = np.argsort(values, axis=1, kind="stable")
        reached = np.cumsum(self.votes[order], axis=1) >= 0.5 * self.votes.sum()
        place: NDArray[np.intp] = np.take_along_axis(order, reached.argmax(1)[:, None], axis=1)
        middle: Array = np.take_along_axis(values, place, axis=1)[:, 0]
        return middle


def _numbers(X: Any, y: Array) -> Array:
    """Return rows and values as one dense matrix, shape (m, d + 1)."""
    values = X.toarray() if hasattr(X, "toarray") else np.asarray(X, dtype=np.float64)
    both: Array = np.column_stack([values.reshape(len(y), -1), y])
    return both
