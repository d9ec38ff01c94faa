"""The report of `acclimate evaluate`: how good a model is, what it confuses, and what it misses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acclimate.report import answer_figures
from acclimate.report.compared import Compared
from acclimate.report.compared_answers import AnswersShown
from acclimate.report.html import render
from acclimate.report.plain import json_safe
from acclimate.report.wording import count, percent, score, score_range, sentence

_COLUMNS = 30  # whose importance is in the page


def render_evaluation(found: Mapping[str, Any], shown: AnswersShown) -> str:
    """Render an evaluation as one HTML page that needs no network.

    Parameters
    ----------
    found : mapping
        What ``acclimate evaluate --json`` prints.
    shown : AnswersShown
        What the answers look like.

    Examples
    --------
    >>> found = {"model": "m", "file": "f.csv", "rows": 2, "metric": "accuracy", "score": 0.5,
    ...          "low": 0.1, "high": 0.9, "recall": []}
    >>> "50.0 %" in render_evaluation(found, AnswersShown())
    True
    """
    share = found["metric"] == "accuracy"
    against = found.get("against")
    wrapped = Compared(answers=shown)
    title = f"{found['model']} on {count(found['rows'])} labelled rows of {found['file']}"
    facts = [("Accuracy" if share else "R2", *_scored(found))]
    facts += [
        (sentence(one["metric"]), score(one["score"], one["metric"]),
         score_range(one["low"], one["high"], one["metric"]))
        for one in found.get("also", ())
    ]  # fmt: skip
    unknown = [
        f"Not scored: {count(len(rows))} of the class {name!r}, which the model does not know."
        for name, rows in found.get("unknown_labels", {}).items()
    ]
    seen = found.get("seen")
    page = {
        "title": title, "facts": facts,
        "read": found.get("read"),
        "verdict": None if against is None else (against["word"], against["sentence"]),
        "notes": [
            *(f"{sentence(one)}." for one in (found.get("uneven"), found.get("note")) if one),
            *unknown,
            *([f"Careful: {seen}. These figures are too good; use other rows."] if seen else []),
        ],
        "recall": [_recall(one) for one in found.get("recall", ())],
        "confusion": answer_figures.confusion(wrapped),
        "curves": answer_figures.curves(wrapped),
        "missed": answer_figures.missed(wrapped),
        "importance": [_importance(one) for one in found.get("importance", ())[:_COLUMNS]],
        "columns": len(found.get("importance", ())),
        "unit": "points of accuracy" if share else "hundredths of R2",
        "beside": None if against is None else against.get("reference"),
        "raw": json_safe(found),
    }  # fmt: skip
    return render("evaluation.html.j2", page=page)


def _scored(row: Mapping[str, Any]) -> tuple[str, str]:
    title = "accuracy" if row.get("metric", "accuracy") == "accuracy" else "R2"
    return score(row["score"], title), score_range(row["low"], row["high"], title)


def _importance(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a column: how far the score falls without it, beside the fall of the reference."""
    return {
        "name": row["column"],
        "fall": answer_figures.fall_words(row["fall"], row["spread"]), "key": row["fall"],
        "reference": "" if row["reference_fall"] is None else answer_figures.fall_words(
            row["reference_fall"], row["reference_spread"]
        ),
        "reference_key": row["reference_fall"],
    }  # fmt: skip


def _recall(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a class: how often it is found, and what it is taken for, the most frequent first."""
    wrong = sorted(
        ((n, name) for name, n in row["said"].items() if name != row["class"]), reverse=True
    )
    return {
        "name": row["class"], "rows": row["rows"], "recall": percent(row["score"]),
        "key": row["score"], "between": score_range(row["low"], row["high"], "accuracy"),
        "taken": ", ".join(f"{name} ({count(n)})" for n, name in wrong),
    }  # fmt: skip
