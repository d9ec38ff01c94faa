"""Several validators as one: candidates are ranked by a weighted mean of their ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.validators.candidate import Evidence
from acclimate.validators.registry import VALIDATORS, validate
from acclimate.validators.risks import candidate_weights

Floats = NDArray[np.float64]
Scores = Mapping[str, Mapping[str, float]]  # candidate -> validator -> value

LEAST = 0.01  # share of all weight below which a validator is not worth its cost

# Fitted by `python benchmarks/validators.py --fit`: classes on simulated shifts of optdigits and
# pendigits, values on wine.
CLASSES: Mapping[str, float] = MappingProxyType(
    {
        "agreement": 0.295,
        "circular": 0.275,
        "diversity": 0.233,
        "mixval": 0.069,
        "nuclear_norm": 0.057,
        "information_maximisation": 0.055,
        "importance_weighted": 0.015,
    }
)
VALUES: Mapping[str, float] = MappingProxyType(
    {"agreement": 0.557, "circular": 0.370, "source_score": 0.060, "dev": 0.013}
)


@dataclass(frozen=True)
class PanelRanking:
    """Candidates in the order in which they are trusted on the target.

    Parameters
    ----------
    names : tuple of str
        The candidates, the best first. Those that are level keep the order they were given in.
    scores : tuple of float
        Weighted mean rank of each, between -0.5 and 0.5; 0 is the middle.
    used : dict from str to float
        Weight of each validator that took part; they add up to 1.
    values : dict from str to dict
        Value of each validator for each candidate, by candidate.
    """

    names: tuple[str, ...]
    scores: tuple[float, ...]
    used: dict[str, float]
    values: dict[str, dict[str, float]]

    @property
    def best(self) -> str:
        """The first candidate."""
        return self.names[0]


def score_candidates(
    evidence: Mapping[str, Evidence], *, weights: Mapping[str, float] | None = None
) -> PanelRanking:
    """Rank candidates for one target, without target labels.

    Use it to order a table of methods, or of the settings of one. Do not take the first for a
    recommendation: on three data sets that the weights were not fitted on, it was 0.5, 6 and 11
    points below the best candidate on average (``benchmarks/validators.py``). A few target labels
    tell more.

    Parameters
    ----------
    evidence : mapping from str to Evidence
        What is known of each candidate, on the same source and target rows. Where ``consensus`` is
        missing it is made here, from the predictions of all.
    weights : mapping from str to float, default=None
        Weight of each validator, at least 0. None means `CLASSES` for classification and `VALUES`
        for regression.

    Returns
    -------
    PanelRanking

    Raises
    ------
    InputError
        There are no candidates, they are on different rows, or no validator has a weight.

    Examples
    --------
    >>> from acclimate.validators.candidate import Evidence
    >>> from acclimate.validators.panel import score_candidates
    >>> source, labels, target = [[0.9, 0.1], [0.1, 0.9]], [0, 1], [[0.8, 0.2], [0.3, 0.7]]
    >>> right = Evidence(source, labels, target)
    >>> wrong = Evidence(source, [1, 0], [[0.5, 0.5], [0.5, 0.5]])
    >>> score_candidates({"wrong": wrong, "right": right}).names
    ('right', 'wrong')
    """
    if not evidence:
        raise InputError("there are no candidates; give at least one")
    shapes = {known.target_proba.shape for known in evidence.values()}
    if len(shapes) > 1:
        raise InputError(f"candidates must predict the same target rows, got shapes {shapes}")
    shared = consensus([known.target_proba for known in evidence.values()])
    values = {
        name: validate(known if known.consensus is not None else replace(known, consensus=shared))
        for name, known in _with_weights(evidence).items()
    }
    if weights is None:
        weights = VALUES if shared.ndim == 1 else CLASSES
    return combine(values, weights)


def _with_weights(evidence: Mapping[str, Evidence]) -> dict[str, Evidence]:
    """Estimate the weights of candidates that share their features once, not for each."""
    made: dict[tuple[int, int], Any] = {}
    out = {}
    for name, known in evidence.items():
        features = (known.source_features, known.target_features)
        if known.weights is None and all(part is not None for part in features):
            key = (id(features[0]), id(features[1]))
            if key not in made:
                made[key] = candidate_weights(known)
            known = replace(known, weights=made[key])
        out[name] = known
    return out


def consensus(predictions: Sequence[Any]) -> NDArray[Any]:
    """Return what all candidates say together, for `Evidence.consensus`.

    Parameters
    ----------
    predictions : sequence of ndarray of shape (m, k) or (m,)
        ``target_proba`` of each candidate.

    Returns
    -------
    ndarray of shape (m, k) or (m,)
        Mean probabilities; for regression medians, which one absurd candidate does not move.
    """
    table = np.stack([np.asarray(p) for p in predictions])
    together: NDArray[Any] = table.mean(axis=0) if table.ndim == 3 else np.median(table, axis=0)
    return together


def combine(values: Scores, weights: Mapping[str, float]) -> PanelRanking:
    r"""Rank candidates by the weighted mean of the ranks that validators give them.

    .. math:: s_c = \sum_v w_v \Bigl( \frac{\mathrm{rank}_v(c) - 1}{C - 1} - \frac12 \Bigr)

    with weights that add up to 1 over the validators that are there, mean ranks for ties, and the
    middle for a candidate that a validator has no value for.

    Parameters
    ----------
    values : mapping from str to mapping from str to float
        Value of each validator for each candidate.
    weights : mapping from str to float
        Weight of each validator, at least 0.

    Returns
    -------
    PanelRanking

    Raises
    ------
    InputError
        There are no candidates, a weight is below 0, or none is above 0 for the validators there.

    References
    ----------
    Young, "Optimal voting rules", doi:10.1257/jep.9.1.51, on rules that add up ranks (Borda).

    Examples
    --------
    >>> from acclimate.validators.panel import combine
    >>> combine({"a": {"dev": -0.3, "snd": 2.0}, "b": {"dev": -0.1, "snd": 1.0}},
    ...         {"dev": 3.0, "snd": 1.0}).names
    ('b', 'a')
    """
    if not values:
        raise InputError("there are no candidates; give at least one")
    low = {name: weight for name, weight in weights.items() if not weight >= 0}
    if low:
        raise InputError(f"weights must be at least 0, got {low}")
    names = list(values)
    present = [v for v, w in weights.items() if w > 0 and any(v in values[c] for c in names)]
    if not present:
        raise InputError(
            "none of the validators with a weight has a value; weights are there for "
            f"{list(weights)}, values for {sorted({v for c in names for v in values[c]})}"
        )
    share = np.array([weights[v] for v in present])
    share = share / share.sum()
    scores = ranks(values, present) @ share
    order = np.argsort(-scores.round(12), kind="stable")
    return PanelRanking(
        tuple(names[i] for i in order),
        tuple(float(scores[i]) for i in order),
        dict(zip(present, share.tolist(), strict=True)),
        {name: dict(values[name]) for name in names},
    )


def ranks(values: Scores, validators: Sequence[str]) -> Floats:
    """Return the rank of each candidate by each validator, scaled to [-0.5, 0.5].

    Parameters
    ----------
    values : mapping from str to mapping from str to float
        Value of each validator for each candidate.
    validators : sequence of str
        Columns of the result.

    Returns
    -------
    ndarray of shape (candidates, validators)
        0 where a value is missing.
    """
    from scipy.stats import rankdata

    cells = [[float(row.get(v, np.nan)) for v in validators] for row in values.values()]
    table = np.array(cells).reshape(len(values), len(validators))
    out = np.zeros_like(table)
    for column, known in zip(table.T, out.T, strict=True):
        there = np.isfinite(column)
        if there.sum() > 1:
            # rounded, so that values that differ by rounding alone are level
            place = rankdata(column[there].round(12)) - 1
            known[there] = place / (there.sum() - 1) - 0.5
    return out


def fit_weights(
    tasks: Sequence[tuple[Scores, Mapping[str, float]]],
    validators: Sequence[str] | None = None,
    *,
    ridge: float = 0.1,
) -> dict[str, float]:
    r"""Fit weights on tasks whose target labels are known.

    .. math:: \min_{w \ge 0} \frac1T \sum_t \frac{1}{C_t} \| R_t w - r_t \|^2 + \lambda \|w\|^2

    with R the ranks by each validator and r those by the true score. What has less than a hundredth
    of all weight is dropped, and the rest scaled to add up to 1.

    Parameters
    ----------
    tasks : sequence of (values, true scores)
        For each task the values as in `combine`, and the true score of each candidate.
    validators : sequence of str, default=None
        None means all of `VALIDATORS`.
    ridge : float, default=0.1
        lambda, at least 0. It spreads weight over validators that say the same. Of 0 to 1, 0.1 did
        best on the data sets that were left out (``benchmarks/validators.py --fit``).

    Returns
    -------
    dict from str to float
        Weights above 0, the largest first.

    Raises
    ------
    InputError
        There are no tasks, or no validator agrees with the truth.
    """
    from scipy.optimize import nnls

    if not tasks:
        raise InputError("weights are fitted on tasks; give at least one")
    names = list(VALIDATORS if validators is None else validators)
    rows: list[Any] = []
    goal: list[Any] = []
    for values, truth in tasks:
        scale = 1.0 / np.sqrt(len(values) * len(tasks))
        rows.append(scale * ranks(values, names))
        true = {name: {"true": truth[name]} for name in values}
        goal.append(scale * ranks(true, ["true"])[:, 0])
    rows.append(np.sqrt(ridge) * np.eye(len(names)))
    goal.append(np.zeros(len(names)))
    w, _ = nnls(np.concatenate(rows), np.concatenate(goal))
    if w.sum() <= 0:
        raise InputError("no validator agrees with the true scores on these tasks")
    w = np.where(w < LEAST * w.sum(), 0.0, w)
    found = {name: float(v) for name, v in zip(names, w / w.sum(), strict=True) if v > 0}
    return dict(sorted(found.items(), key=lambda item: -item[1]))
