"""Answers of a comparison as data frames, for plots and tables of your own."""

from __future__ import annotations

from typing import Any

from acclimate.exceptions import InputError
from acclimate.report.compared import Compared
from acclimate.report.compared_answers import AnswersOf, AnswersShown, Importances

WHO = ("chosen", "reference")
CURVES = {
    "roc": ("false_positive_rate", "true_positive_rate"),
    "precision_recall": ("recall", "precision"),
}


def _shown(found: Compared) -> AnswersShown:
    if found.answers is None:
        raise InputError(
            "this comparison holds no answers: its target had no labels, or an earlier version "
            "wrote it. Compare again with labels in the target"
        )
    return found.answers


def _side(shown: AnswersShown, who: str) -> AnswersOf:
    if who not in WHO:
        raise InputError(f"who must be one of {WHO}, got {who!r}")
    return next((one for one in shown.sides if one.who == who), AnswersOf(who))


def confusion(found: Compared, who: str) -> Any:
    """Return the confusion matrix of a side as a frame."""
    import pandas as pd

    shown = _shown(found)
    side = _side(shown, who)
    if not shown.classes:
        raise InputError("a regression has no confusion matrix; residuals() has its errors")
    names = list(shown.classes)
    index, columns = pd.Index(names, name="true"), pd.Index(names, name="said")
    return pd.DataFrame(list(side.confusion), index=index, columns=columns)


def curve(found: Compared, kind: str) -> Any:
    """Return the points of a curve of both sides as a frame."""
    import pandas as pd

    if kind not in CURVES:
        raise InputError(f"kind must be one of {tuple(CURVES)}, got {kind!r}")
    shown = _shown(found)
    rows = [
        (side.who, side.candidate, *pair)
        for side in shown.sides
        for pair in getattr(side, kind)
    ]  # fmt: skip
    if not rows:
        why = (
            "it is of one class, positive=" if len(shown.classes) > 2 and kind != "roc"
            else "they give no probabilities of classes"
        )  # fmt: skip
        raise InputError(f"there is no {kind} curve of these answers: {why}")
    return pd.DataFrame(rows, columns=["who", "candidate", *CURVES[kind]])


def residuals(found: Compared) -> Any:
    """Return the residuals of both sides as a frame."""
    import pandas as pd

    shown = _shown(found)
    if shown.classes:
        raise InputError("classes have no residuals; confusion() counts the mistakes")
    rows = [
        (side.who, side.candidate, said, said + rest, rest)
        for side in shown.sides for said, rest in side.residuals
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["who", "candidate", "said", "true", "residual"])


def missed(found: Compared) -> Any:
    """Return the rows that both sides miss as a frame."""
    import pandas as pd

    rows = _shown(found).missed
    columns = {} if rows is None else {
        "row": list(rows.positions), "called": rows.called()[1], "true": list(rows.truth),
        "said": list(rows.said), "confidence": list(rows.confidence),
        "reference_said": list(rows.reference_said),
        "reference_confidence": list(rows.reference_confidence),
    }  # fmt: skip
    return pd.DataFrame(columns)


def calibration(found: Compared) -> Any:
    """Return the bins of the reliability curves as a frame."""
    import pandas as pd

    _shown(found)
    rows = [
        (one.who, one.candidate, place.confidence, place.accuracy, place.rows)
        for one in found.calibration for place in one.bins
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["who", "candidate", "confidence", "accuracy", "rows"])


def importance(found: Importances) -> Any:
    """Return the importance of the columns as a frame; what holds for all of it is in ``attrs``."""
    import pandas as pd

    frame = pd.DataFrame(
        [
            (one.column, one.target, one.target_spread, one.source, one.source_spread)
            for one in found.columns
        ],
        columns=["column", "target", "target_spread", "source", "source_spread"],
    )
    frame.attrs |= {
        "score": found.score, "held_out": found.held_out, "target_rows": found.target_rows,
        "source_rows": found.source_rows,
    }  # fmt: skip
    return frame
