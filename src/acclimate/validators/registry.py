"""How good is a candidate on the target, where no target row has a label?

Each validator gives one number a candidate: higher is better. `VALIDATORS` lists them with what
each needs and when not to use it; `validate` computes all that the evidence allows. None is good
everywhere, so `panel` combines several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from acclimate.exceptions import InputError
from acclimate.validators.candidate import Evidence
from acclimate.validators.confidence import (
    diversity,
    entropy,
    information_maximisation,
    mano,
    nuclear_norm,
    snd,
)
from acclimate.validators.risks import (
    LABELS,
    candidate_weights,
    dev,
    feature_weights,
    importance_weighted,
    missing,
    need,
    source_score,
)

__all__ = [
    "VALIDATORS",
    "Evidence",
    "Validator",
    "agreement",
    "circular",
    "dev",
    "diversity",
    "entropy",
    "feature_weights",
    "importance_weighted",
    "information_maximisation",
    "mano",
    "mixval",
    "nuclear_norm",
    "snd",
    "source_score",
    "validate",
]


def circular(evidence: Evidence) -> float:
    r"""Return how well the reverse model does on held-out source rows.

    Use it to compare methods of any kind. Do not use it where each fit is dear, or the target lacks
    classes. See `reruns.reverse_predictions`, which makes what is scored here.

    .. math:: \frac{1}{n} \sum_i [\hat y^{\leftarrow}_i = y_i]

    Parameters
    ----------
    evidence : Evidence
        With source labels and ``reverse_labels``.

    Returns
    -------
    float
        Accuracy, or minus the mean squared error.

    References
    ----------
    Bruzzone and Marconcini, "Domain adaptation problems: a DASVM classification technique and a
    circular validation strategy", doi:10.1109/TPAMI.2009.57.
    """
    need(evidence, "circular", ("source_labels", "reverse_labels"))
    truth, found = evidence.source_labels, evidence.reverse_labels
    if evidence.regression:
        return 0.0 - float(np.square(found - truth).mean(dtype=np.float64))
    return float((found == truth).mean())


def mixval(evidence: Evidence) -> float:
    r"""Return how often a mixture of two target rows is given the class of the larger share.

    Use it for pictures and measurements. Do not use it for codes or words, nor to compare linear
    models. See `reruns.mixed_predictions`, which makes what is scored here.

    .. math:: \tfrac12 \Bigl( \mathrm{mean}_{\hat y_a = \hat y_b} [\hat y_{ab} = \hat y_a] +
        \mathrm{mean}_{\hat y_a \ne \hat y_b} [\hat y_{ab} = \hat y_a] \Bigr)

    Parameters
    ----------
    evidence : Evidence
        With ``mixed``.

    Returns
    -------
    float
        Between 0 and 1. Where there are no pairs of one kind, that mean is 0 for pairs of two
        classes: such a model knows one class only.

    Notes
    -----
    Deviation from the paper: the two means are averaged, not the ranks that candidates have by
    each of them, so that the value of a candidate does not depend on the others.

    References
    ----------
    Hu, Liang, Liew, Xue, Bai and Wang, "Mixed samples as probes for unsupervised model selection in
    domain adaptation", NeurIPS 2023 (no DOI).
    """
    need(evidence, "mixval", ("mixed",))
    mixed = evidence.mixed
    assert mixed is not None  # noqa: S101 - need has seen to it
    right = mixed.answers == mixed.expected
    within = right[mixed.same].mean() if mixed.same.any() else 0.0
    between = right[~mixed.same].mean() if not mixed.same.all() else 0.0
    return float(within + between) / 2


def agreement(evidence: Evidence) -> float:
    r"""Return how often the candidate predicts what all candidates together predict.

    Use it where most candidates are decent and differ. Do not use it where the good one stands
    alone: it rewards the majority.

    .. math:: \frac{1}{m} \sum_i [\arg\max p_i = \arg\max \bar p_i]

    Parameters
    ----------
    evidence : Evidence
        With ``consensus``.

    Returns
    -------
    float
        A share, or minus the mean squared distance for regression.

    References
    ----------
    Hu, Luo, Liang and Foo, "Simplifying and stabilizing model selection in unsupervised domain
    adaptation", NeurIPS 2023 workshop on distribution shifts (no DOI).
    """
    need(evidence, "agreement", ("consensus",))
    own, mean = evidence.target_proba, evidence.consensus
    if evidence.regression:
        return 0.0 - float(np.square(own - mean).mean(dtype=np.float64))
    return float((own.argmax(axis=1) == mean.argmax(axis=1)).mean())


@dataclass(frozen=True)
class Validator:
    """One row of `VALIDATORS`.

    Parameters
    ----------
    name : str
        Its name.
    compute : callable
        Evidence to a number; higher is better.
    needs : tuple of str
        Fields of `Evidence` that must be there. ``"weights"`` is also met by features.
    refit : bool
        Whether the candidate must be fitted or run again to make the evidence.
    regression : bool
        Whether it works for regression too.
    paper : str
        DOI, arXiv id, or where it was published.
    avoid : str
        When not to use it.
    """

    name: str
    compute: Callable[[Evidence], float]
    needs: tuple[str, ...]
    refit: bool
    regression: bool
    paper: str
    avoid: str


_ROWS = (
    Validator(
        "source_score", source_score, LABELS, False, True, "arXiv:2208.07360",
        "the shift is large: what adapts well often loses on the source",
    ),
    Validator(
        "importance_weighted", importance_weighted, (*LABELS, "weights"), False, True,
        "Journal of Machine Learning Research 8, 985-1005 (2007)",
        "the domains hardly overlap, or there are many features",
    ),
    Validator(
        "dev", dev, (*LABELS, "weights"), False, True, "arXiv:2606.04665",
        "there are few source rows, or the domains hardly overlap",
    ),
    Validator(
        "circular", circular, ("source_labels", "reverse_labels"), True, True,
        "doi:10.1109/TPAMI.2009.57", "each fit is dear, or the target lacks classes",
    ),
    Validator(
        "agreement", agreement, ("consensus",), False, True,
        "NeurIPS 2023 workshop on distribution shifts",
        "most candidates are bad in the same way, or there are fewer than four",
    ),
    Validator(
        "entropy", lambda e: entropy(e.target_proba), (), False, False, "arXiv:1711.10288",
        "a candidate may predict one class everywhere",
    ),
    Validator(
        "diversity", lambda e: diversity(e.target_proba), (), False, False, "arXiv:2208.07360",
        "the target's classes are far from equally frequent",
    ),
    Validator(
        "information_maximisation", lambda e: information_maximisation(e.target_proba), (), False,
        False, "arXiv:2208.07360", "the target's classes are far from equally frequent",
    ),
    Validator(
        "nuclear_norm", lambda e: nuclear_norm(e.target_proba), (), False, False,
        "arXiv:2003.12237", "the target has rare classes or lacks some",
    ),
    Validator(
        "snd", lambda e: snd(e.target_proba), (), False, False, "arXiv:2108.10860",
        "candidates are of different kinds, or one may predict one class everywhere",
    ),
    Validator(
        "mano", lambda e: mano(e.target_proba, e.target_logits), (), False, False,
        "arXiv:2405.18979", "candidates are of different kinds",
    ),
    Validator(
        "mixval", mixval, ("mixed",), True, False, "NeurIPS 2023, Mixed samples as probes",
        "a mixture of two inputs is no input, or the candidates are linear",
    ),
)  # fmt: skip
VALIDATORS: Mapping[str, Validator] = MappingProxyType({row.name: row for row in _ROWS})


def validate(evidence: Evidence, names: Iterable[str] | None = None) -> dict[str, float]:
    """Score one candidate by several validators; higher is better for each of them.

    Use it to compare candidates for one target, on the same rows. Do not read the values as
    accuracies: `estimates.estimate_accuracy` does that.

    Parameters
    ----------
    evidence : Evidence
        What is known of the candidate.
    names : iterable of str, default=None
        Validators out of `VALIDATORS`. None means all that the evidence allows.

    Returns
    -------
    dict from str to float
        In the order of `VALIDATORS`, or of ``names``.

    Raises
    ------
    InputError
        There is no such validator, or the evidence lacks what a named one needs.

    Examples
    --------
    >>> from acclimate.validators.registry import Evidence, validate
    >>> sure = Evidence(None, None, [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> validate(sure, ["entropy", "mano"])
    {'entropy': 0.0, 'mano': 0.840896...}
    """
    if names is None:
        chosen = [row for row in _ROWS if not missing(evidence, row.needs)
                  and (row.regression or not evidence.regression)]  # fmt: skip
    else:
        chosen = []
        for name in names:
            if name not in VALIDATORS:
                raise InputError(f"there is no validator {name!r}; choose from {list(VALIDATORS)}")
            row = VALIDATORS[name]
            need(evidence, name, row.needs)
            if evidence.regression and not row.regression:
                raise InputError(f"{name} needs classes, and this evidence is of a regression")
            chosen.append(row)
    if evidence.weights is None and any("weights" in row.needs for row in chosen):
        evidence = replace(evidence, weights=candidate_weights(evidence))  # once for all of them
    return {row.name: row.compute(evidence) for row in chosen}
