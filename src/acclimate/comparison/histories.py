"""What networks went through in the trials, epoch by epoch: kept small, shown for a few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acclimate.comparison.trials import Result

SHOWN = 4  # candidates whose training is part of the result
_DIGITS = 5  # significant digits that are kept: curves are looked at, not computed with


def of_model(model: Any) -> dict[str, Any] | None:
    """Return what the training of a fitted method's network recorded, as plain values.

    That of stage two, or of the source network where the method trains nothing after it.

    Parameters
    ----------
    model : Adapter
        Fitted.

    Returns
    -------
    dict or None
        ``epochs``, a list of mappings from name to figure; ``best_epoch``, from 1, whose weights
        were kept, 0 for those before the first step and None for the last; ``stopped``, why
        training ended. None where no network was trained.
    """
    after = model.source_model_ if model.target_model_ is None else model.target_model_
    inner = getattr(after, "model", None)  # behind a map of features, or of labels
    for holder in (model, after, inner):
        if hasattr(holder, "history_"):
            break
    history = getattr(holder, "history_", None)
    if history is None or not history.epochs:
        return None
    return {
        "epochs": [
            {name: float(f"{value:.{_DIGITS}g}") for name, value in epoch.items()}
            for epoch in history.epochs
        ],
        "best_epoch": history.best_epoch,
        "stopped": history.stopped,
    }


def shown(
    rows: Sequence[Mapping[str, Any]], results: Mapping[str, Sequence[Result]]
) -> list[dict[str, Any]]:
    """Return the training of the recommended candidate and of the best others that had any.

    Parameters
    ----------
    rows : sequence of mapping
        The table of candidates, best first.
    results : mapping from str to sequence of Result
        Trials by candidate. The first of each is shown, and ``fits`` says of how many.
    """
    found: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda row: not row["recommended"]):
        mine = results.get(row["candidate"], ())
        trained = next((r.record.training for r in mine if r.record.training), None)
        if trained is not None and row["status"] == "done" and len(found) < SHOWN:
            found.append({"candidate": row["candidate"], "fits": len(mine), **trained})
    return found
