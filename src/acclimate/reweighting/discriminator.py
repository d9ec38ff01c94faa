"""`DomainDiscriminator`: weights from a classifier that tells the target from the source."""

from __future__ import annotations

from typing import Any

import numpy as np

from acclimate.adapter import fit_model
from acclimate.exceptions import InputError
from acclimate.reweighting.ratio import Array, RatioAdapter, check_count, row_keys, spread
from acclimate.validation import Rows


def odds_weights(p: Array, n: int, m: int, clip: float) -> Array:
    """Return ``p / (1 - p) * n / m``, with p held in [clip, 1 - clip].

    Parameters
    ----------
    p : ndarray of shape (k,)
        Probability of each row to come from the target.
    n, m : int
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
    return held / (1 - held) * (n / m)


class DomainDiscriminator(RatioAdapter):
    """Weigh source rows by the odds that a classifier gives them of being the target's.

    Use it when the inputs are distributed differently, the relation between inputs and labels is
    the same, and the domains overlap. It is the first weighting to try with many features. Do not
    use it where a classifier tells the domains apart without error: then no source row looks like
    the target, all weights reach their floor, and the fit is the source's.

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
    out-of-fold, and probabilities are clipped. Which fold a row is in depends on its values and
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

    def __init__(
        self,
        estimator: Any = None,
        *,
        discriminator: Any = None,
        folds: int = 5,
        clip: float = 1e-3,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.discriminator = discriminator
        self.folds = folds
        self.clip = clip

    def _fit_source(self, source: Rows, seed: int) -> Any:
        check_count(2, folds=self.folds)
        if not 0 < self.clip < 0.5:
            raise InputError(f"clip must be above 0 and below 0.5, got {self.clip!r}")
        if self.discriminator is not None and not hasattr(self.discriminator, "predict_proba"):
            raise InputError(
                f"the discriminator must have predict_proba, "
                f"{type(self.discriminator).__name__} has none; wrap it in CalibratedClassifierCV"
            )
        return super()._fit_source(source, seed)

    def _ratio(self, X: Array, Xt: Array, seed: int) -> Array:
        classifier = _default() if self.discriminator is None else self.discriminator
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
        w = np.empty(len(X))
        for k in range(folds):
            train, held = fold != k, np.flatnonzero(fold[: len(X)] == k)
            if not len(held):
                continue
            model = fit_model(classifier, Rows(both[train], side[train]), seed)
            m = int(side[train].sum())
            w[held] = odds_weights(
                model.predict_proba(X[held])[:, 1], int(train.sum()) - m, m, self.clip
            )
        return w


def _default() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
