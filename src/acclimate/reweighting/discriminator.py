"""`DomainDiscriminator`: weights from a classifier that tells the target from the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import has_fit_parameter

from acclimate.adapter import Adapted, fit_model
from acclimate.batches import Learner, Reader, check_learner, finish, prepared, start
from acclimate.exceptions import InputError
from acclimate.folds import as_often, row_keys
from acclimate.reweighting.crossfit import log_odds
from acclimate.reweighting.ratio import (
    Array,
    RatioAdapter,
    evened,
    evening,
    matrix,
    spread,
    wanted_rows,
)
from acclimate.settings import COUNT, ESTIMATOR, SEVERAL, Constraints, OneOf
from acclimate.validation import Rows


def odds_weights(p: Array, n: Any, m: Any, clip: float) -> Array:
    """Return ``p / (1 - p) * n / m``, with p held in [clip, 1 - clip].

    Parameters
    ----------
    p : ndarray of shape (k,)
        Probability of each row to come from the target.
    n, m : number or ndarray of shape (k,)
        Rows of source and target that the probabilities were learnt on.
    clip : float in (0, 0.5)
        Distance that p keeps from 0 and 1.

    Returns
    -------
    ndarray of shape (k,)
        Estimates of p_target(x) / p_source(x).

    >>> odds_weights(np.array([0.5, 0.9, 1.0]), 20, 10, 0.1)
    array([ 2., 18., 18.])
    """
    held = np.clip(p.astype(np.float64), clip, 1 - clip)
    ratio: Array = held / (1 - held) * (n / m)
    return ratio


class DomainDiscriminator(RatioAdapter):
    """Weigh source rows by the odds that a classifier gives them of being the target's.

    Use it when the inputs are distributed differently, the relation between inputs and labels is
    the same, and the domains overlap. It is the first weighting to try with many features. Do not
    use it where a classifier tells the domains apart nearly without error: the few source rows that
    look like the target then decide the fit, or, with ``min_effective``, it is nearly the source's.

    By Bayes, ``p_target(x) / p_source(x) = P(target | x) / P(source | x) * n / m``. A probabilistic
    classifier estimates ``P(target | x)``, and the base model minimises the weighted loss
    ``sum_i w_i loss(f(x_i), y_i)``.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model. None means ``LogisticRegression(max_iter=1000)``.
    discriminator : classifier, default=None
        Classifier with ``predict_proba``. None means logistic regression on standardised features.
    folds : int, default=5
        Cross-fitting: the weight of a row comes from a classifier that did not see it, nor a row
        equal to it. At least 2. Fewer where there are fewer different rows.
    clip : float in (0, 0.5), default=1e-3
        Probabilities are held in ``[clip, 1 - clip]``, so that weights lie within
        ``clip / (1 - clip)`` and ``(1 - clip) / clip``, times ``n / m``.
    min_effective : int, "auto" or None, default="auto"
        Effective rows (Kish) to keep, at least 1. Where fewer are left, part of the weight is
        spread evenly: the fit then aims at a mixture of both domains. "auto" is ten a feature and
        for the intercept, at most nine tenths of the rows. None keeps the weights as estimated.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    weights_ : ndarray of shape (n,)
        Weights of the source rows, 1 on average. Only after a target was given.
    weight_report_ : WeightReport
        Effective rows and tail of the weights.
    mixing_ : float
        Share of the estimated weights in those used; the rest is spread evenly.
    source_similarity_ : dict
        Similarity of each of several sources; see `acclimate.sources.source_similarity`.
    source_model_, target_model_ : estimator
        The model before and after weighting.

    Raises
    ------
    InputError
        A setting is out of range, the discriminator gives no probabilities, or a domain has fewer
        than two different rows.

    Notes
    -----
    Deviations from the paper, which weighs by one classifier fitted on all rows: weights are
    out-of-fold, probabilities are clipped, and weights are spread until enough rows are effective;
    ``min_effective=None`` leaves that out. With w of mean 1 the weights are ``1 - t + t w``, t the
    largest that is allowed: those of a target that is mixed with the source. Ten rows a feature and
    the nine tenths were chosen on simulated shifts, optdigits, pendigits and wine
    (``benchmarks/shallow_defaults.py``). The default standardises features over all rows of
    both domains, before the folds. Which fold a row is in depends on its values and
    the seed, not on its place.

    References
    ----------
    Bickel, Brückner and Scheffer, "Discriminative learning for differing training and test
    distributions", doi:10.1145/1273496.1273507.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, DomainDiscriminator
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(300, 2)), rng.normal(size=(200, 2)) + [1, 0]
    >>> y = (X[:, 1] > X[:, 0] ** 2 / 2).astype(int)
    >>> model = DomainDiscriminator(random_state=0).fit(X, y, target=Domain(Xt))
    >>> bool(np.corrcoef(model.weights_, np.exp(X[:, 0]))[0, 1] > 0.9)
    True
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **RatioAdapter._parameter_constraints,
        "discriminator": [ESTIMATOR, None],
        "folds": [SEVERAL],
        "clip": [Interval(Real, 0, 0.5, closed="neither")],
        "min_effective": [COUNT, OneOf("auto"), None],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        discriminator: Any = None,
        folds: int = 5,
        clip: float = 1e-3,
        min_effective: int | str | None = "auto",
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.discriminator = discriminator
        self.folds = folds
        self.clip = clip
        self.min_effective = min_effective

    def _fit_source(self, source: Rows, seed: int) -> Any:
        self._check_settings()
        return super()._fit_source(source, seed)

    def _check_settings(self) -> None:
        if self.discriminator is not None and not hasattr(self.discriminator, "predict_proba"):
            raise InputError(
                f"the discriminator must have predict_proba, "
                f"{type(self.discriminator).__name__} has none; wrap it in CalibratedClassifierCV"
            )

    def fit_batches(self, source: Iterable[tuple[Any, Any]], target: Iterable[Any]) -> Self:
        """Fit on batches of rows, in memory that does not depend on their number.

        The first pass teaches the discriminators, a batch of each domain at a time; the second adds
        up the weights, the third hands rows and weights to ``partial_fit`` of the base estimator.
        Estimator and discriminator need ``partial_fit``, which takes batches in their order, so
        rows should be shuffled. A preprocessing step needs it, too, and one more pass over the
        source before the others. The fold of a row follows from its values alone; unlike in `fit`,
        folds are only about equal in size. ``weights_`` and ``weight_report_`` are not kept.

        Parameters
        ----------
        source : iterable of pairs (X, y)
            Batches of shapes (k, d) and (k,), read three times: a list, or an object whose
            ``__iter__`` starts anew, such as `acclimate.tables.batches`. X may be an array, a data
            frame, or a table of Arrow.
        target : iterable of X
            Batches of shape (k, d), read once. About as many batches as the source has mix best.

        Returns
        -------
        self : Adapter
            The fitted method. It holds no source rows, so it cannot `adapt` to another target.

        Raises
        ------
        InputError
            A model has no ``partial_fit``, the source can be read once only, or a batch cannot be
            used.
        """
        self._check_settings()
        judge = LogisticRegression() if self.discriminator is None else self.discriminator
        check_learner(judge, "discriminator", "SGDClassifier(loss='log_loss') or GaussianNB()")
        reader = Reader(self)
        start(self, source, reader)
        seed = self._stage_seed(2)
        judges = [Learner(judge, seed, np.array([0, 1])) for _ in range(self.folds)]
        counts = np.zeros((self.folds, 2), dtype=np.int64)  # rows of each domain in each fold
        labels = set[Any]()

        def ours() -> Iterator[tuple[Array, NDArray[Any]]]:
            for block, y in reader.pairs(source):
                yield matrix(prepared(self, block).matrix, "source"), y

        theirs = (matrix(prepared(self, block).matrix, "target") for block in reader.rows(target))
        for pair, Xt in zip_longest(ours(), theirs):
            parts = [] if pair is None else [(pair[0], 0)]
            parts += [] if Xt is None else [(Xt, 1)]
            both = np.concatenate([X for X, _ in parts])
            side = np.concatenate([np.full(len(X), number) for X, number in parts])
            fold = self._fold(both, seed)
            np.add.at(counts, (fold, side), 1)
            for k, learner in enumerate(judges):
                if (train := fold != k).any():
                    learner.learn(both[train], side[train])
            if pair is not None and not self._regression():
                labels.update(np.unique(pair[1]).tolist())
        learnt = counts.sum(0) - counts  # rows that each judge has seen
        if learnt.size and (learnt == 0).any():
            raise InputError(
                f"a discriminator needs rows of both domains in two folds, got "
                f"n_samples = {counts[:, 0].sum()} in the source and {counts[:, 1].sum()} in the "
                f"target; give more rows"
            )
        classes = None if self._regression() else np.array(sorted(labels))

        def weights(X: Array) -> Array:
            w, fold = np.empty(len(X)), self._fold(X, seed)
            for k in np.unique(fold):
                held = fold == k
                p = judges[k].model.predict_proba(X[held])[:, 1]
                w[held] = odds_weights(p, int(learnt[k, 0]), int(learnt[k, 1]), self.clip)
            return w

        n, d, total, squares = int(counts[:, 0].sum()), 0, 0.0, 0.0
        for X, _ in ours():
            w, d = weights(X), X.shape[1]
            total += float(w.sum())
            squares += float(w @ w)
        wanted = wanted_rows(self.min_effective, n, d)
        t = evening(total / n, squares / n, n, wanted) if wanted >= 1 else 1.0
        self.mixing_ = t
        plain = Learner(self._base(), self._stage_seed(1), classes)
        weighted = Learner(self._base(), seed, classes)
        for X, y in ours():
            plain.learn(X, y)
            weighted.learn(X, y, 1.0 - t + t * n / total * weights(X))
        for name in ("weights_", "weight_report_"):
            if hasattr(self, name):  # of an earlier fit
                delattr(self, name)
        rows = (n, int(counts[:, 1].sum()))
        finish(self, plain.model, Adapted(weighted.model), rows, classes)
        return self

    def _fold(self, X: Array, seed: int) -> NDArray[np.intp]:
        """Return the fold of each row, shape (k,), which follows from its values alone."""
        return (row_keys(X, seed) % np.uint64(self.folds)).astype(np.intp)

    def _ratio(self, X: Array, Xt: Array, counts: Array, seed: int) -> Array:
        wanted = wanted_rows(self.min_effective, float(counts.sum()), X.shape[1])
        w, self.mixing_ = evened(self._odds(X, Xt, counts, seed), wanted, counts)
        return w

    def _odds(self, X: Array, Xt: Array, counts: Array, seed: int) -> Array:
        """Return the estimated ratio at the source rows, shape (n,)."""
        keys, keys_t = row_keys(X, seed), row_keys(Xt, seed)
        least = min(len(np.unique(keys)), len(np.unique(keys_t)))
        if least < 2:
            raise InputError(
                f"a discriminator needs 2 different rows in each domain, got n_samples = {len(X)} "
                f"in the source and {len(Xt)} in the target, {least} different; give more rows"
            )
        # 0 source alone, 1 in both, 2 target alone: each domain is then an unbroken run of ranks
        strata = np.concatenate([np.isin(keys, keys_t) * 1, 2 - np.isin(keys_t, keys)])
        fold, folds = spread(strata, np.concatenate([keys, keys_t]), min(self.folds, least))
        both, side = np.concatenate([X, Xt]), np.repeat([0, 1], [len(X), len(Xt)])
        one = bool((counts == 1).all())
        rows = np.concatenate([counts, np.ones(len(Xt))])
        if self.discriminator is None:
            own = fold[: len(X)]
            p = expit(log_odds(both, side, fold, folds, None if one else rows)[: len(X)])
            ours, theirs = (
                np.array([rows[(side == s) & (fold != k)].sum() for k in range(folds)])
                for s in (0, 1)
            )
            return odds_weights(p, ours[own], theirs[own], self.clip)
        w = np.empty(len(X))
        for k in range(folds):
            train, held = fold != k, np.flatnonzero(fold[: len(X)] == k)
            if not len(held):
                continue
            seen = Rows(both[train], side[train], None, None if one else rows[train])
            if not one and not has_fit_parameter(self.discriminator, "sample_weight"):
                index = as_often(seen.counts, seed)
                seen = Rows(seen.X[index], seen.labels[index])
            model = fit_model(self.discriminator, seen, seed)
            m = float(side[train].sum())
            w[held] = odds_weights(
                model.predict_proba(X[held])[:, 1], float(rows[train].sum()) - m, m, self.clip
            )
        return w
