"""Validators that read held-out source rows: the source score, IWCV and DEV."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.folds import few_label_folds, row_keys
from acclimate.validators.candidate import Evidence

Floats = NDArray[np.floating[Any]]
LABELS = ("source_proba", "source_labels")


def source_score(evidence: Evidence) -> float:
    r"""Return accuracy on held-out source rows, or minus the mean squared error.

    Use it to sort out models that have lost what the source teaches. Do not use it alone: a method
    that adapts well often loses on the source.

    .. math:: \frac{1}{n} \sum_i [\hat y_i = y_i]

    Parameters
    ----------
    evidence : Evidence
        With source rows.

    Returns
    -------
    float

    References
    ----------
    Musgrave, Belongie and Lim, "Three new validators and a large-scale benchmark ranking for
    unsupervised domain adaptation", arXiv:2208.07360.
    """
    loss = float(_losses(evidence, "error").mean())
    return (0.0 if evidence.regression else 1.0) - loss


def importance_weighted(evidence: Evidence, *, loss: str = "error") -> float:
    r"""Return minus the importance-weighted risk (IWCV).

    Use it where only the inputs shift, in few dimensions, and the domains overlap. Do not use it
    where the domains hardly overlap: a few rows then have all the weight.

    .. math:: -\frac{1}{n} \sum_i w_i \, \ell(f(x_i), y_i), \quad w = p_T(x) / p_S(x)

    Parameters
    ----------
    evidence : Evidence
        With source rows, and weights or features.
    loss : {"error", "log"}, default="error"
        0 for a right answer and 1 for a wrong one, or minus the logarithm of the probability of the
        right class. Regression has squared errors.

    Returns
    -------
    float
        With true weights, minus the target risk on average.

    Raises
    ------
    InputError
        The evidence lacks something, or there is no such loss.

    References
    ----------
    Sugiyama, Krauledat and Mueller, "Covariate shift adaptation by importance weighted cross
    validation", Journal of Machine Learning Research 8, 985-1005, 2007 (no DOI).

    Examples
    --------
    >>> from acclimate.validators.risks import Evidence, importance_weighted
    >>> importance_weighted(Evidence([[0.9, 0.1]] * 2, [0, 1], [[0.5, 0.5]], weights=[1.0, 3.0]))
    -1.5
    """
    return 0.0 - float((candidate_weights(evidence) * _losses(evidence, loss)).mean())


def dev(evidence: Evidence, *, loss: str = "error") -> float:
    r"""Return minus the risk of deep embedded validation (DEV): IWCV with a control variate.

    Use it like `importance_weighted`, with features of the candidate. Its variance is lower where
    losses and weights go together. Do not use it with few source rows: the control variate is
    estimated from them, and can be larger than the risk.

    .. math:: -\Bigl(\frac{1}{n} \sum_i w_i \ell_i + \eta \, (\bar w - 1)\Bigr), \quad
        \eta = -\mathrm{Cov}(w \ell, w) / \mathrm{Var}(w)

    Parameters
    ----------
    evidence : Evidence
        With source rows, and weights or features. Weights scaled to a mean of 1 give the value of
        `importance_weighted`.
    loss : {"error", "log"}, default="error"
        As in `importance_weighted`.

    Returns
    -------
    float

    Raises
    ------
    InputError
        The evidence lacks something, or there is no such loss.

    References
    ----------
    You, Wang, Long and Jordan, "Towards accurate model selection in deep unsupervised domain
    adaptation", arXiv:2606.04665.

    Examples
    --------
    >>> from acclimate.validators.risks import Evidence, dev
    >>> dev(Evidence([[0.9, 0.1]] * 2, [1, 1], [[0.5, 0.5]], weights=[1.0, 3.0]))
    -1.0
    """
    w = candidate_weights(evidence)
    risks = w * _losses(evidence, loss)
    spread = w - w.mean()
    variance = float(np.square(spread).sum())
    eta = -float((risks * spread).sum()) / variance if variance > 0 else 0.0
    return 0.0 - float(risks.mean() + eta * (w.mean() - 1.0))


def feature_weights(
    source_features: Floats, target_features: Floats, *, folds: int = 5, seed: int = 0
) -> Floats:
    """Estimate p_target / p_source at the source rows, by a classifier that tells them apart.

    Parameters
    ----------
    source_features, target_features : ndarray of shape (n, d) and (m, d)
        At least 2 rows each.
    folds : int, default=5
        The weight of a row comes from a classifier that did not see it.
    seed : int, default=0
        Seeds the folds, which do not depend on the order of rows.

    Returns
    -------
    ndarray of shape (n,)
        Odds of a logistic regression on standardised features, times n / m; probabilities are held
        in [0.001, 0.999].
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    n, m = len(source_features), len(target_features)
    if min(n, m) < 2:
        raise InputError(f"weights need 2 rows of each domain, got {n} and {m}")
    both = np.concatenate([source_features, target_features])
    side = np.repeat([0, 1], [n, m])
    key = row_keys(both, seed)
    p = np.zeros(n + m)
    for train, held in few_label_folds(side, classify=True, folds=folds, seed=seed, key=key):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        p[held] = model.fit(both[train], side[train]).predict_proba(both[held])[:, 1]
    held_in = np.clip(p[:n], 1e-3, 1 - 1e-3)
    weights: Floats = held_in / (1 - held_in) * (n / m)
    return weights


def missing(evidence: Evidence, needs: Iterable[str]) -> list[str]:
    """Return which fields are not there. Features of both domains stand in for weights."""
    features = evidence.source_features is not None and evidence.target_features is not None
    return [
        name
        for name in needs
        if getattr(evidence, name) is None and not (name == "weights" and features)
    ]


def need(evidence: Evidence, name: str, needs: Iterable[str]) -> None:
    """Raise where the evidence lacks what a validator of this name needs."""
    lacking = missing(evidence, needs)
    if lacking:
        raise InputError(f"{name} needs {' and '.join(lacking)} in the evidence")


def candidate_weights(evidence: Evidence) -> Floats:
    """Return the weights of the source rows, given or estimated from features, shape (n,)."""
    need(evidence, "an importance-weighted score", (*LABELS, "weights"))
    if evidence.weights is not None:
        given: Floats = evidence.weights.astype(np.float64)
        return given
    return feature_weights(evidence.source_features, evidence.target_features)


def _losses(evidence: Evidence, loss: str) -> Floats:
    """Return the loss of each held-out source row, shape (n,)."""
    need(evidence, "a score on the source", LABELS)
    if loss not in ("error", "log"):
        raise InputError(f"loss must be 'error' or 'log', got {loss!r}")
    p, y = evidence.source_proba, evidence.source_labels
    losses: Floats
    if evidence.regression:
        losses = np.square(p.astype(np.float64) - y)
    elif loss == "error":
        losses = (p.argmax(axis=1) != y).astype(np.float64)
    else:
        own = np.take_along_axis(p, y[:, None], axis=1)[:, 0].astype(np.float64)
        losses = -np.log(np.maximum(own, np.finfo(p.dtype).tiny))
    return losses
