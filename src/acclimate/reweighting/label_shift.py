"""`LabelShift`: the shares of the classes differ between the domains, and nothing else does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from acclimate import validation as door
from acclimate.adapter import fit_model
from acclimate.exceptions import InputError
from acclimate.folds import row_keys
from acclimate.reweighting.ratio import Array, matrix, spread
from acclimate.templates import WeighAdapter
from acclimate.validation import Rows, check_count

SETTLED = 1e-10  # largest change of a prior at which expectation maximisation stops
STEPS = 10_000
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


class LabelShift(WeighAdapter):
    """Weigh source rows by the ratio of class shares, p_target(y) / p_source(y).

    Use it when the classes are more or less frequent in the target, but each class looks the same
    in both domains: a disease that spreads, a fraud that becomes rare. Do not use it where the
    inputs of a class change, as with a new camera: wrong predictions are then read as other shares.
    Nor for regression.

    With "bbse", ratios w solve ``C w = mu``: C is the confusion matrix of out-of-fold predictions
    on the source, mu the shares of predicted classes on the target. With "em", target shares q
    maximise ``sum_j log sum_y q_y p(y | x_j) / p_source(y)`` over the target rows.

    Parameters
    ----------
    estimator : classifier, default=None
        The base model. None means ``LogisticRegression(max_iter=1000)``.
    method : {"bbse", "em"}, default="bbse"
        "bbse" needs predictions alone, and no calibration. "em" needs ``predict_proba``, and varies
        less where the probabilities are calibrated.
    folds : int, default=5
        Folds of the source for "bbse", at least 2. Fewer where a class has fewer different rows.
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
        Estimated class shares of the target.
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

    Notes
    -----
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

    def __init__(
        self,
        estimator: Any = None,
        *,
        method: str = "bbse",
        folds: int = 5,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.method = method
        self.folds = folds

    def _fit_source(self, source: Rows, seed: int) -> Any:
        if self.method not in ("bbse", "em"):
            raise InputError(f'method must be "bbse" or "em", got {self.method!r}')
        check_count(2, folds=self.folds)
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

    def _weights(self, source: Rows, target: Rows, seed: int) -> Array:
        model = self.source_model_
        classes = model.classes_
        codes = np.searchsorted(classes, source.labels)
        shares = np.bincount(codes, minlength=len(classes)) / len(codes)
        if self.method == "em":
            priors = target_priors(model.predict_proba(target.X), shares)
        else:
            predicted = np.searchsorted(classes, model.predict(target.X))
            mu = np.bincount(predicted, minlength=len(classes)) / len(predicted)
            priors = black_box(self._confusion(source, codes, classes, seed), mu) * shares
        if not priors.any():
            raise InputError("no class of the source explains the predictions on the target")
        self.target_priors_ = priors / priors.sum()
        self.class_weights_ = self.target_priors_ / shares
        ratio: Array = np.maximum(self.class_weights_, 1e-3)[codes]
        return ratio

    def _confusion(
        self, source: Rows, codes: NDArray[np.intp], classes: NDArray[Any], seed: int
    ) -> Array:
        """Return ``C[i, j]`` from out-of-fold predictions, shape (k, k)."""
        k = len(classes)
        keys = row_keys(matrix(source.X, "source"), seed)
        counts = [len(np.unique(keys[codes == c])) for c in range(k)]
        if min(counts) < 2:
            raise InputError(
                f"each class of the source needs 2 different rows for cross-validation, "
                f"{classes[int(np.argmin(counts))]!r} has {min(counts)}; leave the class out or "
                f'use method="em"'
            )
        fold, folds = spread(codes, keys, min(self.folds, *counts))
        C = np.zeros((k, k))
        for part in range(folds):
            train, held = np.flatnonzero(fold != part), np.flatnonzero(fold == part)
            weight = None if source.weight is None else source.weight[train]
            rows = Rows(door.take(source.X, train), source.labels[train], None, weight)
            answers = fit_model(self._base(), rows, seed).predict(door.take(source.X, held))
            np.add.at(C, (np.searchsorted(classes, answers), codes[held]), 1.0 / len(codes))
        least = float(np.linalg.svd(C, compute_uv=False)[-1])
        if least < SINGULAR:
            raise InputError(
                f"out-of-fold predictions on the source do not tell all classes apart (smallest "
                f'singular value {least:.2g}); use method="em" or a better base model'
            )
        return C

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.preprocess is not None
        tags.input_tags.sparse = False
        return tags
