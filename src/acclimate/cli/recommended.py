"""The recommended model of a comparison, fitted on all rows, in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acclimate.base.words import ONE
from acclimate.cli.console import Status

if TYPE_CHECKING:
    from acclimate.report.compared import Compared


def save(
    comparison: Any, found: Compared, data: Mapping[str, Any], out: Path, no_rows: bool = False
) -> str:
    """Fit the recommended candidate on all rows and labels, and write it.

    Parameters
    ----------
    comparison : Comparison
        Holds the data.
    found : Compared
        What it found.
    data : mapping
        Both files as they were read: ``tables`` and ``asked``.
    out : Path
        The model file.
    no_rows : bool, default=False
        Whether a model that keeps rows is refused.

    Returns
    -------
    str
        Whose rows the file holds; empty where it holds none.
    """
    from acclimate.cli import fitting
    from acclimate.cli.rows import file_entry

    with Status(f"fitting {found.recommendation.candidate} on all rows"):
        model = comparison.best_model()
        files = [
            file_entry(table.path, role, table)
            for role, table in zip(("source", "target"), data["tables"], strict=True)
        ]
        fitting.save(
            model, out, _meta(found, data), files, scores_of(found), data["tables"][1],
            verdict=found.sentence, no_rows=no_rows,
        )  # fmt: skip
    return fitting.rows_words(model)


def told(found: Compared, out: Path, held: str = "") -> str:
    """Say what was saved.

    Examples
    --------
    >>> from acclimate.report.compared import Compared, Recommendation
    >>> told(Compared(recommendation=Recommendation("do not transfer", "TargetOnly")),
    ...      Path("m.acclimate"))
    'Saved m.acclimate: TargetOnly, fitted on all rows. It is the reference: transfer is not recommended.'
    """  # noqa: E501
    advice = found.recommendation
    words = f"Saved {out}: {advice.candidate}, fitted on all rows."
    if advice.action == "do not transfer" and advice.method != "Committee":
        words += " It is the reference: transfer is not recommended."
    elif advice.action == "not settled" and advice.method in ("SourceOnly", "TargetOnly"):
        words += " It is the best of the references; nothing was shown to beat it."
    elif advice.action == "not settled":
        words += " That it beats the references is not settled."
    return f"{words} It {held}." if held else words


def scores_of(found: Compared) -> dict[str, Any] | None:
    """Return the scores for the model card, of the recommended model and of both baselines."""
    names = {"SourceOnly": "source only", "TargetOnly": "target only"}
    scores: dict[str, float] = {}
    for row in found.table:
        name = "this model" if row.recommended else names.get(row.method)
        if name is not None and row.score is not None:
            scores.setdefault(name, row.score)
    if "this model" not in scores:
        return None
    return {
        "kind": f"cross-fitted on the labelled target rows, among {len(found.table)} candidates",
        "metric": found.score, "rows": None if found.target is None else found.target.labelled,
        "scores": scores,
    }  # fmt: skip


def _meta(found: Compared, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what later commands need to know of the tables, as `fit` notes it."""
    asked, table = data["asked"], data["tables"][0]
    estimator, task = str(found.recommendation.estimator or ""), str(found.task)
    images = found.source is not None and found.source.features is None
    plain = asked["method"] or found.estimate or images  # else the words of the command line
    named = asked["estimator"] or not plain
    known = {"linear": ONE[task], "network": "cnn" if images else "mlp"}
    return {
        "label": asked["label"], "id": asked["id"], "reading": table.reading.noted(),
        "task": task, "new_classes": False,
        "estimator": estimator if named else known.get(estimator, estimator),
    }  # fmt: skip
