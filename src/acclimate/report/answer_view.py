"""What a notebook shows of answers beside the candidates: tables, which it folds away."""

from __future__ import annotations

import math

from acclimate.report.answer_figures import importance, missed, rows_words, titled
from acclimate.report.compared import Compared
from acclimate.report.compared_answers import AnswersOf
from acclimate.report.view import Cell, Table
from acclimate.report.wording import NOTHING, percent

_WIDTH = 80  # characters of a line in a terminal
_FOLDED = 16  # characters of a name that is folded


def answer_tables(found: Compared) -> list[Table]:
    """Return confusion matrices, areas with calibration, and the rows that both sides miss."""
    return [*_confusion(found), *_areas(found), *_missed(found), *_importance(found)]


def _confusion(found: Compared) -> list[Table]:
    shown = found.answers
    if shown is None or not shown.classes:
        return []
    return [_matrix(side, shown.classes) or _confused(side, shown.classes) for side in shown.sides]


def _matrix(side: AnswersOf, classes: tuple[str, ...]) -> Table | None:
    """Return a confusion matrix; its columns have numbers where names have no room."""
    cells = [[rows_words(one) for one in row] for row in side.confusion]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numbers = [str(k + 1) for k in range(len(classes))]
    first = max([10, *map(len, classes)])
    for heads, room in ((classes, first), (numbers, first + 3)):
        wide = sum(max(len(head), width) + 2 for head, width in zip(heads, widths, strict=False))
        if 2 + min(room, _FOLDED) + wide + len("  100.0 %") <= _WIDTH:
            break
    else:
        return None
    numbered = heads is numbers
    rows = []
    for place, (name, row) in enumerate(zip(classes, side.confusion, strict=False)):
        recall = row[place] / (sum(row) or math.nan)
        words = [
            Cell(cells[place][k] if one or k == place else "·", strong=k == place, key=one)
            for k, one in enumerate(row)
        ]
        called = f"{place + 1} {name}" if numbered else name
        rows.append((Cell(called), *words, Cell(percent(recall), key=recall)))
    title = f"{titled(side)}, rows of each true class by what it says:"
    heads = ("true class", *(f">{head}" for head in heads), ">recall")
    return Table(heads, tuple(rows), title, "classes")


def _confused(side: AnswersOf, classes: tuple[str, ...]) -> Table:
    """Return the pairs of classes that are confused most, for more classes than have room."""
    pairs = sorted(
        (
            (rows, true, said)
            for true, row in zip(classes, side.confusion, strict=False)
            for said, rows in zip(classes, row, strict=False)
            if rows and true != said
        ),
        key=lambda one: -one[0],
    )
    rows = tuple((Cell(t), Cell(s), Cell(rows_words(n), key=n)) for n, t, s in pairs)
    title = f"{titled(side)}, what is confused most:"
    return Table(("true class", "taken for", ">rows"), rows, title, "confusions")


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
            Cell(titled(side)), _area(side.auc), _area(side.average_precision),
            *([Cell(percent(errors.get(side.who)) if same else NOTHING)] if calibrated else []),
        ))  # fmt: skip
    of = "" if shown.positive is None else f", of {shown.positive}"
    heads = ["answers", ">ROC area", ">mean precision"]
    heads += [">calibration error"] if calibrated else []
    return [Table(tuple(heads), tuple(rows), f"Areas under the curves{of}:", "answers")]


def _area(value: float | None) -> Cell:
    return Cell(NOTHING if value is None else f"{value:.3f}", key=value)


def _missed(found: Compared) -> list[Table]:
    told = missed(found)
    if told is None or not told["rows"]:
        return []
    rows = tuple(
        (
            Cell(row["name"], pictures=(row["picture"],) if row["picture"] else ()),
            Cell(row["truth"]), *map(Cell, row["said"]),
        )
        for row in told["rows"]
    )  # fmt: skip
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
