"""What accuracy to expect on the target, where no target row has a label."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.validators.calibration import apply_temperature, fit_temperature
from acclimate.validators.candidate import Evidence
from acclimate.validators.risks import LABELS, candidate_weights, missing, need

Floats = NDArray[np.floating[Any]]


def thresholded_confidence(evidence: Evidence, *, score: str = "entropy") -> float:
    r"""Estimate the accuracy by average thresholded confidence (ATC).

    Use it where the inputs shift and the model is equally sure of what it knows in both domains. Do
    not use it where labels change their meaning, or for a model that adapted to the target and is
    sure of everything there.

    .. math:: \frac{1}{m} \sum_{j \in T} [s(p_j) \ge t], \quad
        t : \frac{1}{n} \sum_{i \in S} [s(p_i) \ge t] = \mathrm{accuracy}_S

    Parameters
    ----------
    evidence : Evidence
        With source rows, of a classification.
    score : {"entropy", "confidence"}, default="entropy"
        s: minus the entropy, or the largest probability.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    InputError
        There are no source rows, it is a regression, or there is no such score.

    Notes
    -----
    Deviation from the paper: where several source rows lie on the threshold, the share of them that
    makes the source accuracy exact is counted, and the same share of target rows that lie on it.

    References
    ----------
    Garg, Balakrishnan, Lipton, Neyshabur and Sedghi, "Leveraging unlabeled data to predict
    out-of-distribution performance", arXiv:2201.04234.

    Examples
    --------
    >>> from acclimate.validators.estimates import Evidence, thresholded_confidence
    >>> source = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]]
    >>> known = Evidence(source, [0, 0, 1, 1], [[0.85, 0.15], [0.5, 0.5], [0.5, 0.5]])
    >>> round(thresholded_confidence(known), 6)  # one of three is as sure as the right ones
    0.333333
    """
    right = _right(evidence)
    if score not in ("entropy", "confidence"):
        raise InputError(f"score must be 'entropy' or 'confidence', got {score!r}")
    of_source, of_target = _sureness(evidence.source_proba, evidence.target_proba, score)
    correct = int(right.sum())
    if correct == 0:
        return 0.0
    threshold = np.partition(of_source, -correct)[-correct]
    above, level = int((of_source > threshold).sum()), int((of_source == threshold).sum())
    share = (correct - above) / level
    return float((of_target > threshold).mean() + share * (of_target == threshold).mean())


def difference_of_confidences(evidence: Evidence) -> float:
    r"""Estimate the accuracy by the difference of confidences (DoC).

    Use it like `thresholded_confidence`; it is smoother with few rows. Do not use it for a model
    that adapted to the target and is sure of everything there.

    .. math:: \mathrm{accuracy}_S - (\overline{\max p}_S - \overline{\max p}_T)

    Parameters
    ----------
    evidence : Evidence
        With source rows, of a classification.

    Returns
    -------
    float
        Held between 0 and 1.

    Raises
    ------
    InputError
        There are no source rows, or it is a regression.

    Notes
    -----
    Deviation from the paper: the difference is taken as it is. There, a regression over many known
    shifts may give it a slope.

    References
    ----------
    Guillory, Shankar, Ebrahimi, Darrell and Schmidt, "Predicting with confidence on unseen
    distributions", arXiv:2107.03315.

    Examples
    --------
    >>> from acclimate.validators.estimates import Evidence, difference_of_confidences
    >>> known = Evidence([[0.9, 0.1], [0.9, 0.1]], [0, 0], [[0.6, 0.4]])
    >>> round(difference_of_confidences(known), 6)
    0.7
    """
    right = _right(evidence)
    on_source = evidence.source_proba.max(axis=1).mean(dtype=np.float64)
    on_target = evidence.target_proba.max(axis=1).mean(dtype=np.float64)
    return float(np.clip(right.mean() - (on_source - on_target), 0.0, 1.0))


def weighted_accuracy(evidence: Evidence, *, bound: float | None = None) -> float:
    r"""Estimate the accuracy by importance weighting with bounded weights.

    Use it where only the inputs shift and the domains overlap. Do not use it where a few rows have
    all the weight, even so.

    .. math:: \sum_i v_i [\hat y_i = y_i] \Big/ \sum_i v_i, \quad v_i = \min(w_i, b \, \bar w)

    Parameters
    ----------
    evidence : Evidence
        With source rows, and weights or features.
    bound : float, default=None
        b, in units of the mean weight, above 0. None means the square root of the number of rows.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    InputError
        The evidence lacks something, all weights are 0, or the bound is not above 0.

    Notes
    -----
    A temperature changes no prediction, so it does not change this estimate.

    References
    ----------
    Ionides, "Truncated importance sampling", doi:10.1198/106186008X320456.

    Examples
    --------
    >>> from acclimate.validators.estimates import Evidence, weighted_accuracy
    >>> weighted_accuracy(Evidence([[0.9, 0.1]] * 2, [0, 1], [[0.5, 0.5]], weights=[3.0, 1.0]))
    0.738...
    """
    right = _right(evidence)
    w = candidate_weights(evidence)
    if w.max() <= 0:
        raise InputError("all weights are 0; estimate them anew, or take another estimate")
    b = np.sqrt(len(w)) if bound is None else bound
    if not b > 0:
        raise InputError(f"bound must be above 0, got {bound!r}")
    held = np.minimum(w, b * w.mean())
    return float((held * right).sum() / held.sum())


@dataclass(frozen=True)
class Estimator:
    """One row of `ESTIMATORS`.

    Parameters
    ----------
    name : str
        Its name.
    compute : callable
        Evidence to an accuracy.
    needs : tuple of str
        Fields of `Evidence` that must be there. ``"weights"`` is also met by features.
    paper : str
        DOI or arXiv id.
    avoid : str
        When not to use it.
    """

    name: str
    compute: Callable[[Evidence], float]
    needs: tuple[str, ...]
    paper: str
    avoid: str


_ROWS = (
    Estimator(
        "thresholded_confidence", thresholded_confidence, LABELS, "arXiv:2201.04234",
        "labels change their meaning, or the model was trained to be sure on the target",
    ),
    Estimator(
        "difference_of_confidences", difference_of_confidences, LABELS, "arXiv:2107.03315",
        "labels change their meaning, or the model was trained to be sure on the target",
    ),
    Estimator(
        "weighted_accuracy", weighted_accuracy, (*LABELS, "weights"),
        "doi:10.1198/106186008X320456", "the domains hardly overlap, or there are many features",
    ),
)  # fmt: skip
ESTIMATORS: Mapping[str, Estimator] = MappingProxyType({row.name: row for row in _ROWS})


def estimate_accuracy(
    evidence: Evidence, names: Iterable[str] | None = None, *, calibrate: bool = True
) -> dict[str, float]:
    """Estimate the accuracy of one candidate on the target in several ways.

    Use it to tell a user what to expect. Do not use it to choose among candidates, which is what
    `validators.validate` and `panel` are for, nor as a replacement for some labelled target rows:
    no estimate without labels sees that labels have changed their meaning.

    Temperature scaling comes first: one temperature, fitted on the held-out source rows, is applied
    to both domains.

    Parameters
    ----------
    evidence : Evidence
        What is known of the candidate; a classification, with source rows.
    names : iterable of str, default=None
        Estimators out of `ESTIMATORS`. None means all that the evidence allows.
    calibrate : bool, default=True
        Whether to scale temperatures.

    Returns
    -------
    dict from str to float
        Accuracies between 0 and 1.

    Raises
    ------
    InputError
        There is no such estimator, it is a regression, or the evidence lacks what one needs.

    Examples
    --------
    >>> from acclimate.validators.estimates import Evidence, estimate_accuracy
    >>> known = Evidence([[0.9, 0.1], [0.7, 0.3]] * 4, [0, 0, 0, 1] * 2, [[0.9, 0.1]])
    >>> {name: round(value, 2) for name, value in estimate_accuracy(known).items()}
    {'thresholded_confidence': 1.0, 'difference_of_confidences': 0.85}
    """
    chosen: list[Estimator] = []
    for name in ESTIMATORS if names is None else names:
        if name not in ESTIMATORS:
            raise InputError(f"there is no estimator {name!r}; choose from {list(ESTIMATORS)}")
        row = ESTIMATORS[name]
        if names is None and "weights" in missing(evidence, row.needs):
            continue
        need(evidence, name, row.needs)
        chosen.append(row)
    _right(evidence)
    if calibrate:
        t = fit_temperature(evidence.source_proba, evidence.source_labels)
        evidence = replace(
            evidence,
            source_proba=apply_temperature(evidence.source_proba, t),
            target_proba=apply_temperature(evidence.target_proba, t),
        )
    return {row.name: row.compute(evidence) for row in chosen}


def _right(evidence: Evidence) -> NDArray[np.bool_]:
    """Return which held-out source rows are predicted right, shape (n,)."""
    need(evidence, "an estimate", LABELS)
    if evidence.regression:
        raise InputError("accuracy is estimated for classes, and this evidence is of a regression")
    right: NDArray[np.bool_] = evidence.source_proba.argmax(axis=1) == evidence.source_labels
    return right


def _sureness(source: Floats, target: Floats, score: str) -> tuple[Floats, Floats]:
    """Return the score of each row of both domains, shapes (n,) and (m,)."""
    from scipy.special import entr

    if score == "confidence":
        return source.max(axis=1), target.max(axis=1)
    # sorted, so that relabelled classes give the same sums to the bit
    by_row = [-np.sort(entr(p.astype(np.float64)), axis=1).sum(axis=1) for p in (source, target)]
    return by_row[0], by_row[1]
