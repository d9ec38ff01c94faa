"""What the page shows of answers: confusion, curves, residuals, missed rows, importance."""

from __future__ import annotations

import math
from typing import Any

from acclimate.report.charts import Point, Series, line_chart
from acclimate.report.compared import Compared
from acclimate.report.compared_answers import AnswersOf, Importances, MissedRows
from acclimate.report.figures import figure
from acclimate.report.scatter import Mark, Marks, scatter_chart
from acclimate.report.thumbnails import image_source
from acclimate.report.wording import NOTHING, count, finite, percent, points, sentence

_SHARES = 6  # classes up to which a cell has its share as well
_COLUMNS = 30  # whose importance is in the page
Chart = dict[str, Any]


def called(side: AnswersOf) -> str:
    """Return what a side is called.

    Examples
    --------
    >>> called(AnswersOf("chosen", "CORAL")), called(AnswersOf("reference", "TargetOnly"))
    ('CORAL (picked)', 'TargetOnly (reference)')
    """
    words = {"chosen": "picked", "reference": "reference"}.get(side.who)
    alone = side.candidate in ("Committee", "best reference")  # nobody picks these
    if words is None or alone:
        return side.candidate
    return f"{side.candidate} ({words})"


def titled(side: AnswersOf) -> str:
    """Start with a capital letter, but for the name of a file."""
    return sentence(called(side)) if side.who in ("chosen", "reference") else called(side)


def confusion(found: Compared) -> list[dict[str, Any]]:
    """Return the confusion matrix of each side: cells with counts and shares of the true class."""
    shown = found.answers
    if shown is None or not shown.classes:
        return []
    return [
        {
            "title": titled(side), "classes": shown.classes,
            "rows": [
                _confused(name, row, place, len(shown.classes) <= _SHARES)
                for place, (name, row) in enumerate(
                    zip(shown.classes, side.confusion, strict=False)
                )
            ],
        }
        for side in shown.sides if side.confusion
    ]  # fmt: skip


def _confused(name: str, row: tuple[float, ...], place: int, shares: bool) -> dict[str, Any]:
    rows = sum(row)
    total = rows if rows else math.nan  # no row is of this class
    cells = [
        {
            "words": rows_words(one), "share": round(100 * one / total, 1) if rows else 0.0,
            "percent": percent(one / total, 0) if shares and rows else "", "right": k == place,
        }
        for k, one in enumerate(row)
    ]  # fmt: skip
    return {"name": name, "cells": cells, "recall": percent(row[place] / total)}


def rows_words(rows: float) -> str:
    """Write a mean number of rows.

    Examples
    --------
    >>> rows_words(12.0), rows_words(1.3333)
    ('12', '1.3')
    """
    return count(round(rows)) if abs(rows - round(rows)) < 0.05 else f"{rows:,.1f}"


def curves(found: Compared) -> list[Chart]:
    """Draw the curves of both sides, or the residuals."""
    shown = found.answers
    if shown is None:
        return []
    drawn = [_roc(found), _precision_recall(found), _residuals(found)]
    return [one for one in drawn if one is not None]


def _roc(found: Compared) -> Chart | None:
    shown = found.answers
    lines = [] if shown is None else [
        Series(f"{called(side)}: area {side.auc or 0.0:.3f}", _hundred(side.roc), style, False)
        for style, side in enumerate(shown.sides) if side.roc
    ]  # fmt: skip
    if shown is None or not lines:
        return None
    lines.append(Series("by chance", [Point(0, 0), Point(100, 100)], 2, False))
    of = (
        "Each class against the others"
        if shown.positive is None else f"Found: rows of {shown.positive}"
    )  # fmt: skip
    return figure(
        "ROC", f"{of}. The mean over the folds. Up and to the left is better.", lines, line_chart,
        chart_id="roc", series=lines, x_label="false alarms, % of the other rows",
        y_label="found, %",
    )  # fmt: skip


def _precision_recall(found: Compared) -> Chart | None:
    shown = found.answers
    lines, of = [], "the class" if shown is None else shown.positive or "the class"
    for style, side in enumerate(() if shown is None else shown.sides):
        best: dict[float, float] = {}  # at the same recall nobody takes the lower precision
        for recall, precision in side.precision_recall:
            best[recall] = max(precision, best.get(recall, 0.0))
        if best:
            label = f"{called(side)}: mean precision {side.average_precision or 0.0:.3f}"
            lines.append(Series(label, _hundred(tuple(best.items())), style, False))
    if shown is None or not lines:
        return None
    if shown.share is not None:
        chance = 100 * shown.share
        lines.append(Series("by chance", [Point(0, chance), Point(100, chance)], 2, False))
    return figure(
        "Precision and recall",
        f"Found: rows of {of}. Precision: how many of the rows that are said to be {of} are. Up "
        "and to the right is better.",
        lines, line_chart, chart_id="precision-recall", series=lines, x_label="found, %",
        y_label="precision, %",
    )  # fmt: skip


def _hundred(pairs: tuple[tuple[float, float], ...]) -> list[Point]:
    return [Point(100 * x, 100 * y) for x, y in pairs]


def _residuals(found: Compared) -> Chart | None:
    shown = found.answers
    sets = [] if shown is None else [
        Marks(
            f"{called(side)}: error {side.error or 0.0:.4g}",
            [Mark(*pair) for pair in side.residuals], style, hollow=style > 0,
        )
        for style, side in enumerate(shown.sides) if side.residuals
    ]  # fmt: skip
    if not sets:
        return None
    return figure(
        "Residuals",
        "The truth minus what is said, for at most 300 rows. A model without fault has no pattern "
        "here. The error is the root of the mean square.",
        sets, scatter_chart, chart_id="residuals", sets=sets, many=True,
        x_label="what is said", y_label="truth minus what is said",
    )  # fmt: skip


def missed(found: Compared) -> dict[str, Any] | None:
    """Return the rows that both sides miss, and how they are called."""
    rows = None if found.answers is None else found.answers.missed
    if found.answers is None or rows is None:
        return None
    counted, names = rows.called()
    sides = [called(side) for side in found.answers.sides]
    values = not found.answers.classes
    return {
        "rows": [
            {"name": name, "picture": image_source(picture), **one}
            for name, one, picture in zip(
                names, missed_rows(rows), rows.thumbnails or (None,) * len(names), strict=False
            )
        ],
        "all": rows.rows, "counted": counted, "values": values, "pictures": bool(rows.thumbnails),
        "sides": sides or ["picked", "reference"],
        "titles": [titled(side) for side in found.answers.sides] or ["Picked", "Reference"],
    }  # fmt: skip


def missed_rows(rows: MissedRows) -> list[dict[str, Any]]:
    """Return what is true of missed rows and what each side says, in words."""
    none = (None,) * len(rows.truth)
    columns = [
        [_sure(one, p) for one, p in zip(said, sure or none, strict=False)]
        for said, sure in (
            (rows.said, rows.confidence), (rows.reference_said, rows.reference_confidence),
        )
        if said
    ]  # fmt: skip
    said = zip(*columns, strict=False)
    return [
        {"truth": _said(truth), "said": one} for truth, one in zip(rows.truth, said, strict=False)
    ]


def _said(value: Any) -> str:
    number = finite(value)
    return str(value) if number is None else f"{number:.4g}"


def _sure(value: Any, confidence: float | None) -> str:
    return _said(value) if confidence is None else f"{_said(value)}, {percent(confidence, 0)}"


def importance(found: Importances | None) -> dict[str, Any] | None:
    """Return the importance of the columns, the most important first."""
    if found is None or not found.columns:
        return None
    unit = "points of accuracy" if found.score == "accuracy" else "hundredths of R2"
    return {
        "held_out": found.held_out, "unit": unit, "all": len(found.columns),
        "target_rows": count(found.target_rows), "source_rows": count(found.source_rows),
        "source": any(one.source is not None for one in found.columns),
        "rows": [
            {
                "name": one.column, "target": fall_words(one.target, one.target_spread),
                "target_key": one.target, "source": fall_words(one.source, one.source_spread),
                "source_key": one.source,
            }
            for one in found.columns[:_COLUMNS]
        ],
    }  # fmt: skip


def fall_words(fall: float | None, deviation: float | None) -> str:
    """Write how far a score falls, with the deviation over shuffles."""
    if fall is None:
        return NOTHING
    return f"{points(fall)} ± {points(deviation).removeprefix('+')}"
