"""What `acclimate fit` says of a model by the target's labels: cross-validated, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acclimate.exceptions import AcclimateError

if TYPE_CHECKING:
    from acclimate.domain import Domain

FEW = 10  # fewer labelled target rows than this allow no estimate


def cross_validated(model: Any, X: Any, y: Any, target: Domain) -> dict[str, Any] | None:
    """Return scores on labelled target rows while they are held out; None where that is too few.

    Parameters
    ----------
    model : Adapter
        Fitted on the source. It is not changed.
    X, y : array-like
        Source rows.
    target : Domain
        The target.

    Returns
    -------
    dict or None
        The number of rows, the metric, and the score of the method and of both baselines.
    """
    import numpy as np
    from sklearn.base import clone

    from acclimate import SourceOnly, TargetOnly
    from acclimate.refits.pick import held_out_scores

    if target.y is None or not model._sees_target_labels():
        return None
    labelled = len(target.y) if target.labelled is None else int(np.sum(target.labelled))
    if labelled < FEW:
        return None
    arms = {"this model": model}
    for name, cls in (("source only", SourceOnly), ("target only", TargetOnly)):
        if not isinstance(model, cls):
            settings = {"preprocess": model.preprocess, "random_state": model.random_state}
            arms[name] = cls(clone(model._base()), **settings)
    try:
        found = held_out_scores(arms, X, y, target)
    except AcclimateError:  # the source may not know the target's classes, for one
        return None
    if not found.shape[1]:
        return None
    regression = model._regression()
    means = {name: float(row.mean()) for name, row in zip(arms, found, strict=True)}
    if regression:
        means = {name: float(np.sqrt(-mean)) for name, mean in means.items()}
    return {
        "kind": "5-fold cross-validation on the labelled target rows",
        "metric": "root mean squared error" if regression else "accuracy",
        "rows": int(found.shape[1]),
        "scores": means,
    }


def estimate_words(scores: dict[str, Any] | None) -> str:
    """Return cross-validated scores in words."""
    if scores is None:
        return ""
    share = scores["metric"] == "accuracy"
    shown = ", ".join(
        f"{name} {value:.1%}" if share else f"{name} {value:.4g}"
        for name, value in scores["scores"].items()
    )
    return f"{scores['metric']} {shown}; {scores['kind']} ({scores['rows']:,} rows, a rough figure)"
