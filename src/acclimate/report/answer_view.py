"""What a notebook shows of answers beside the candidates: tables, which it folds away."""

from __future__ import annotations

import math

from acclimate.report.answer_figures import called, importance, missed, rows_words
from acclimate.report.compared import Compared
from acclimate.report.compared_answers import AnswersOf
from acclimate.report.view import Cell, Table
from acclimate.report.wording import NOTHING, percent, sentence

_CLASSES = 12  # more columns are for the page


def answer_tables(found: Compared) -> list[Table]:
    """Return confusion matrices, areas with calibration, and the rows that both sides miss."""
    return [*_confusion(found), *_areas(found), *_missed(found), *_importance(found)]


def _confusion(found: Compared) -> list[Table]:
    shown = found.answers
    if shown is None or not 0 < len(shown.classes) <= _CLASSES:
        return []
    tables = []
    for side in shown.sides:
        rows = []
        for place, (name, row) in enumerate(zip(shown.classes, side.confusion, strict=False)):
            recall = row[place] / (sum(row) or math.nan)
            cells = [Cell(rows_words(one), strong=k == place, key=one) for k, one in enumerate(row)]
            rows.append((Cell(name), *cells, Cell(percent(recall), key=recall)))
        heads = ("true class", *(f">{name}" for name in shown.classes), ">recall")
        title = f"{_title(side)}, rows of each true class by what it says:"
        tables.append(Table(heads, tuple(rows), title, "classes"))
    return tables


def _areas(found: Compared) -> list[Table]:
    shown, errors = found.answers, {one.who: one.ece for one in found.calibration}
    if shown is None or all(side.auc is None for side in shown.sides):
        return []
    rows = []
    calibrated = bool(found.calibration)
    for side in shown.sides:
        same = any(one.who == side.who and one.candidate == side.candidate
                   for one in found.calibration)  # fmt: skip
        rows.append((
            Cell(_title(side)), _area(side.auc), _area(side.average_precision),
            *([Cell(percent(errors.get(side.who)) if same else NOTHING)] if calibrated else []),
        ))  # fmt: skip
    of = "" if shown.positive is None else f", of {shown.positive}"
    heads = ["answers", ">ROC area", ">mean precision"]
    heads += [">calibration error"] if calibrated else []
    return [Table(tuple(heads), tuple(rows), f"Areas under the curves{of}:", "answers")]


def _title(side: AnswersOf) -> str:
    """Start with a capital letter, but for the name of a file."""
    return sentence(called(side)) if side.who in ("chosen", "reference") else called(side)


def _area(value: float | None) -> Cell:
    return Cell(NOTHING if value is None else f"{value:.3f}", key=value)


def _missed(found: Compared) -> list[Table]:
    told = missed(found)
    if told is None or not told["rows"]:
        return []
    rows = tuple(
        (Cell(row["name"]), Cell(row["truth"]), *map(Cell, row["said"])) for row in told["rows"]
    )
    both = len(told["sides"]) > 1
    if told["values"]:
        what = f"The largest errors{' of both' if both else ''}"
    else:
        what = f"Rows that {'both miss' if both else 'it misses'} ({told['all']})"
    title = f"{what}, {told['counted']}:"
    return [Table(("row", "true", *told["sides"][: len(rows[0]) - 2]), rows, title, "rows")]


def _importance(found: Compared) -> list[Table]:
    told = importance(found.importance)
    if told is None:
        return []
    both = told["source"]
    rows = tuple(
        (
            Cell(row["name"]), Cell(row["target"], key=row["target_key"]),
            *([Cell(row["source"], key=row["source_key"])] if both else []),
        )
        for row in told["rows"]
    )  # fmt: skip
    whose = "held-out rows" if told["held_out"] else "rows that trained it"
    title = f"Fall of the score without each column, in {told['unit']}, on {whose}:"
    return [Table(("column", ">target", *([">source"] if both else [])), rows, title, "columns")]
