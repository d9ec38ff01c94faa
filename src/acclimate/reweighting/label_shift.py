"""`LabelShift`: the shares of the classes differ between the domains, and nothing else does."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.stats import chi2
from sklearn.base import clone

from acclimate import validation as door
from acclimate.adapter import fit_model
from acclimate.exceptions import InputError, TransferWarning
from acclimate.folds import row_keys
from acclimate.maths.class_shares import SOFT, full_shares, towards_even
from acclimate.maths.medians import weighted_median
from acclimate.reweighting.ratio import Array, matrix, spread
from acclimate.settings import SEVERAL, SHARE_BELOW_1, Constraints, OneOf
from acclimate.shares import Limits
from acclimate.templates import WeighAdapter
from acclimate.validation import Rows

SETTLED = 1e-10  # largest change of a prior at which expectation maximisation stops
STEPS = 10_000
VARIANCE_STEPS = 6
LEAST = 1e-3  # of a class's weight, so that the model knows all of the source's classes
SINGULAR = 1e-6  # a confusion matrix below this smallest singular value tells nothing


def black_box(confusion: Array, predicted: Array) -> Array:
    """Return class ratios p_target(y) / p_source(y), at least 0, shape (k,).

    Minimises ``||C w - mu||^2`` over w >= 0. Where the inverse of C gives ratios of at least 0,
    they are the answer.

    Parameters
    ----------
    confusion : ndarray of shape (k, k)
        ``C[i, j]``: share of the source rows that are of class j and predicted as i.
    predicted : ndarray of shape (k,)
        Share of the target rows that are predicted as each class.
    """
    ratio: Array = nnls(confusion, predicted)[0]
    return ratio


def target_priors(posterior: Array, source_priors: Array) -> Array:
    """Return the target's class shares, shape (k,), by expectation maximisation.

    Maximises the likelihood ``sum_i log sum_y q_y posterior_iy / source_priors_y`` over shares q.

    Parameters
    ----------
    posterior : ndarray of shape (m, k)
        The source model's class probabilities of the target rows.
    source_priors : ndarray of shape (k,)
        Class shares of the source, above 0.
    """
    likelihood = posterior.astype(np.float64) / source_priors
    q = source_priors
    for _ in range(STEPS):
        joint = likelihood * q
        after = (joint / joint.sum(1, keepdims=True)).mean(0)
        change = np.abs(after - q).max()
        q = after
        if change < SETTLED:
            break
    return q


def unexplained(cells: Array, mu: Array, n: float, m: int) -> tuple[float, float]:
    """Test whether some class shares explain how the target falls into cells.

    Under label shift ``mu = cells r`` for the class ratios r, but for chance. The statistic is the
    least ``sum_i (mu - cells r)_i^2 / v_i`` over r >= 0, where ``v = cells r / m + cells r^2 / n``
    is the variance of both samples, found with r in turn.

    Parameters
    ----------
    cells : ndarray of shape (c, k)
        ``cells[i, j]``: share of the source rows that are of class j and fall into cell i.
    mu : ndarray of shape (c,)
        Share of the target rows in each cell.
    n : float
        Rows of the source.
    m : int
        Rows of the target.

    Returns
    -------
    statistic : float
        Chi-squared with c - k degrees of freedom, where classes shift alone.
    p : float
        Probability of a statistic at least this large.
    """
    v = mu / m + cells.sum(1) / n
    for _ in range(VARIANCE_STEPS):
        v = np.maximum(v, 0.5 / (n * m))  # an empty cell is no proof
        scale = 1.0 / np.sqrt(v)
        r = nnls(cells * scale[:, None], mu * scale)[0]
        fitted = cells @ r
        statistic = float(((mu - fitted) ** 2 * scale**2).sum())
        v = np.maximum(fitted, 0.5 / m) / m + cells @ r**2 / n
    return statistic, float(chi2.sf(statistic, len(mu) - cells.shape[1]))


class LabelShift(WeighAdapter):
    """Weigh source rows by the ratio of class shares, p_target(y) / p_source(y).

    Use it when the classes are more or less frequent in the target, but each class looks the same
    in both domains: a disease that spreads, a fraud that becomes rare. Do not use it where the
    inputs of a class change, as with a new camera: wrong predictions are then read as other shares.
    A test finds much of that, and then leaves the weights at 1. Nor for regression.

    With "bbse", ratios w solve ``C w = mu``: C is the confusion matrix of out-of-fold predictions
    on the source, mu the shares of predicted classes on the target. With "em", target shares q
    maximise ``sum_j log sum_y q_y p(y | x_j) / p_source(y)`` over the target rows.

    Where the target comes with ``class_shares``, these are taken in place of the estimate and of
    the test; a range cuts the estimate at its nearest end.

    Parameters
    ----------
    estimator : classifier, default=None
        The base model. None means ``LogisticRegression(max_iter=1000)``.
    method : {"bbse", "em"}, default="bbse"
        "bbse" needs predictions alone, and no calibration. "em" needs ``predict_proba``, and varies
        less where the probabilities are calibrated.
    folds : int, default=5
        Folds of the source for "bbse" and the test, at least 2. Fewer where a class has fewer
        different rows.
    level : float in [0, 1), default=0.01
        Where a test at this level rejects that other class shares explain the predictions on the
        target, all weights are 1, and a warning says so. 0 leaves the test out.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    class_weights_ : ndarray of shape (n_classes,)
        Ratio of target to source share, in the order of ``classes_``. Only after a target was
        given.
    target_priors_ : ndarray of shape (n_classes,)
        Estimated class shares of the target, whatever the test says.
    fit_ : float or None
        p-value of the test. None where it was left out, or the model gives no scores.
    weights_ : ndarray of shape (n,)
        Weights of the source rows, 1 on average.
    weight_report_ : WeightReport
        Effective rows and tail of the weights.
    source_model_, target_model_ : estimator
        The model before and after weighting.

    Raises
    ------
    InputError
        A setting cannot be used, a class has one row, "em" meets a classifier without
        ``predict_proba``, or the predictions tell nothing of the class.

    Warns
    -----
    TransferWarning
        No class shares explain the predictions on the target.

    Notes
    -----
    The test is no part of the papers. Predicted classes, each cut in two at the median score of the
    source rows, make 2 k cells; under label shift the target's shares of them are a mixture of
    those of the source's classes. Source rows and target rows are scored by the same out-of-fold
    models. On shifts of optdigits, pendigits, wine and simulated rows it prevents part of the harm
    where inputs change, all of it on optdigits, and takes nothing where classes shift alone
    (``benchmarks/shallow_defaults.py``). It sees nothing where another mixture looks the same.

    ``class_weight`` of the base model holds for the source model. After adaptation the weights of
    the classes are those found here, and it is left out, as it is for the probabilities
    that "em" reads.

    Deviations: ratios of "bbse" are found by least squares over ratios of at least 0, where the
    paper inverts C; both agree where the inverse has no negative ratio. Each class keeps at least a
    thousandth of its weight, so that the model knows all of the source's classes.

    References
    ----------
    Lipton, Wang and Smola, "Detecting and correcting for label shift with black box predictors",
    arXiv:1802.03916.
    Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori
    probabilities", doi:10.1162/089976602753284446.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, LabelShift
    >>> rng = np.random.default_rng(0)
    >>> y, yt = np.repeat([0, 1], [500, 500]), np.repeat([0, 1], [900, 100])
    >>> X, Xt = (rng.normal(size=(1000, 1)) + 3 * labels[:, None] for labels in (y, yt))
    >>> LabelShift(random_state=0).fit(X, y, target=Domain(Xt)).target_priors_.round(1)
    array([0.9, 0.1])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **WeighAdapter._parameter_constraints,
        "method": [OneOf("bbse", "em")],
        "folds": [SEVERAL],
        "level": [SHARE_BELOW_1],
    }

    _moves_answers = False  # the weights have the given shares already

    def __init__(
        self,
        estimator: Any = None,
        *,
        method: str = "bbse",
        folds: int = 5,
        level: float = 0.01,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.method = method
        self.folds = folds
        self.level = level

    def _fit_source(self, source: Rows, seed: int) -> Any:
        if self._regression():
            raise InputError(
                f"label shift is about classes, and {type(self._base()).__name__} is a regressor; "
                f"use DomainDiscriminator or KMM"
            )
        model = super()._fit_source(source, seed)
        if self.method == "em" and not hasattr(model, "predict_proba"):
            raise InputError(
                f'method="em" needs predict_proba, which {type(model).__name__} lacks; use "bbse"'
            )
        return model

    def _weighed(self) -> Any:
        """Return the base model without class weights: they would undo the correction."""
        base = clone(self._base())
        return base.set_params(**dict.fromkeys(_class_weights(base)))

    def _weights(self, source: Rows, target: Rows, seed: int) -> Array:
        model = self.source_model_
        classes = model.classes_
        codes = np.searchsorted(classes, source.labels)
        rows, limits = source.counts, self._share_limits
        shares = np.bincount(codes, weights=rows, minlength=len(classes)) / rows.sum()
        if limits is not None and limits.exact:
            self.fit_ = None
            by_class = self._by_shares(limits, shares, shares)
            exact: Array = by_class[codes]
            return exact
        C, self.fit_ = self._cross_fitted(source, target, codes, classes, seed)
        if self.method == "em":
            plain = self._weighed()
            if _class_weights(self._base()):  # its probabilities are those of other shares
                model = fit_model(plain, source, seed)
            priors = target_priors(model.predict_proba(target.X), shares)
        else:
            predicted = np.searchsorted(classes, model.predict(target.X))
            mu = np.bincount(predicted, minlength=len(classes)) / len(predicted)
            priors = black_box(C, mu) * shares
        if not priors.any():
            raise InputError("no class of the source explains the predictions on the target")
        self.target_priors_ = priors / priors.sum()
        if limits is not None:
            by_class = self._by_shares(limits, shares, self.target_priors_)
            cut: Array = by_class[codes]
            return cut
        self.class_weights_ = self.target_priors_ / shares
        if self.fit_ is not None and self.fit_ < self.level:
            warnings.warn(
                f"no class shares explain the predictions on the target (p = {self.fit_:.2g}): the "
                f"inputs of a class change, too. All weights are 1; level=0 weighs anyway",
                TransferWarning,
                stacklevel=5,
            )
            self.class_weights_ = np.ones(len(classes))
        ratio: Array = np.maximum(self.class_weights_, LEAST)[codes]
        return ratio

    def _by_shares(self, limits: Limits, shares: Array, estimated: Array) -> Array:
        """Return class weights where something is said of the target's shares, shape (k,)."""
        known, implied = (np.asarray(one, dtype=np.float64) for one in (shares, estimated))
        found = full_shares(limits.low, limits.high, known, implied)
        self.target_priors_ = implied if found is None else towards_even(found, SOFT)
        self.class_weights_ = self.target_priors_ / known
        weights: Array = np.maximum(self.class_weights_, LEAST)
        return weights

    def _cross_fitted(
        self, source: Rows, target: Rows, codes: NDArray[np.intp], classes: NDArray[Any], seed: int
    ) -> tuple[Array, float | None]:
        """Return ``C[i, j]`` from out-of-fold predictions, shape (k, k), and the test's p-value."""
        k, m, share = len(classes), door.count(target.X), source.counts
        n = float(share.sum())
        share = share / n
        C = np.zeros((k, k))
        keys = row_keys(matrix(source.X, "source"), seed)
        counts = [len(np.unique(keys[codes == c])) for c in range(k)]
        if self.method == "em" and (self.level == 0 or min(counts) < 2):
            return C, None
        if min(counts) < 2:
            raise InputError(
                f"each class of the source needs 2 different rows for cross-validation, "
                f"{classes[int(np.argmin(counts))]!r} has {min(counts)}; leave the class out or "
                f'use method="em"'
            )
        fold, folds = spread(codes, keys, min(self.folds, *counts))
        answers, scores = np.empty(len(codes), dtype=np.intp), np.empty(len(codes))
        theirs: list[tuple[NDArray[np.intp], Array]] = []
        scored = self.level > 0
        for part in range(folds):
            train, held = np.flatnonzero(fold != part), np.flatnonzero(fold == part)
            weight = None if source.weight is None else source.weight[train]
            rows = Rows(door.take(source.X, train), source.labels[train], None, weight)
            judge = fit_model(self._base(), rows, seed)
            answers[held], own = _judged(judge, door.take(source.X, held), classes, scored)
            scored = scored and own is not None
            if own is not None:
                scores[held] = own
                place, score = _judged(judge, target.X, classes, scored)
                theirs.append((place, np.asarray(score)))
        np.add.at(C, (answers, codes), share)
        p = None
        if scored:
            middle = np.array([weighted_median(scores[answers == c], share[answers == c])
                               if (answers == c).any() else 0.0 for c in range(k)])  # fmt: skip
            cells, mu = np.zeros((2 * k, k)), np.zeros(2 * k)
            np.add.at(cells, (2 * answers + (scores > middle[answers]), codes), share)
            for place, score in theirs:
                np.add.at(mu, 2 * place + (score > middle[place]), 1.0 / (m * folds))
            used = (mu > 0) | cells.any(1)
            if used.sum() > k:
                p = unexplained(cells[used], mu[used], n, m)[1]
        if self.method == "em":
            return C, p
        least = float(np.linalg.svd(C, compute_uv=False)[-1])
        if least < SINGULAR:
            raise InputError(
                f"out-of-fold predictions on the source do not tell all classes apart (smallest "
                f'singular value {least:.2g}); use method="em" or a better base model'
            )
        return C, p

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.preprocess is not None
        return tags


def _class_weights(estimator: Any) -> list[str]:
    """Return the names of the class weights that an estimator, or a part of it, was given."""
    return [
        name
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "class_weight" and value is not None
    ]


def _judged(
    model: Any, X: Any, classes: NDArray[Any], scored: bool
) -> tuple[NDArray[np.intp], Array | None]:
    """Return predicted classes as places in ``classes``, and how sure the model is of each."""
    places = np.searchsorted(classes, model.predict(X))
    for name in ("predict_proba", "decision_function"):
        if scored and hasattr(model, name):
            values = np.asarray(getattr(model, name)(X), dtype=np.float64)
            return places, np.abs(values) if values.ndim == 1 else values.max(1)
    return places, None
