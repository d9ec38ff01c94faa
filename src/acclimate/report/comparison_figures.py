"""Charts of a comparison: label efficiency, cost, calibration, training, features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from acclimate.report.charts import Point, Series, line_chart
from acclimate.report.figures import Record, figure, label_points, records, said
from acclimate.report.scatter import Mark, Marks, scatter_chart
from acclimate.report.svg import STYLES
from acclimate.report.wording import finite, percent, sentence

Chart = dict[str, Any]
_REST = ("step", "epoch", "seconds", "rate")  # figures of an epoch that are no losses
_OWN = {"domain_accuracy": "Discriminator accuracy", "a_distance": "Proxy A-distance",
        "validation": "Validation score"}  # fmt: skip


def styles_of(result: Record) -> dict[str, int]:
    """Give each candidate one style for the whole page: the recommended one has the first.

    Examples
    --------
    >>> styles_of({"recommendation": {"candidate": "b"}, "table": [{"candidate": "a"},
    ...            {"candidate": "b"}]})
    {'b': 0, 'a': 1}
    """
    advice = result.get("recommendation")
    first = said(advice, "candidate") if isinstance(advice, Mapping) else ""
    names = [first, *(said(row, "candidate") for row in records(result, "table"))]
    return {name: k % STYLES for k, name in enumerate(dict.fromkeys(n for n in names if n))}


def score_unit(result: Record) -> str:
    """Return the name of the score's axis: scores are drawn in hundredths."""
    return "R2, points" if result.get("score") == "R2" else "accuracy, %"


def label_curve(result: Record, styles: Mapping[str, int]) -> Chart | None:
    """Draw the score by the number of target labels."""
    rows = records(result, "label_curve")
    lines = []
    for name in dict.fromkeys(said(r, "candidate") for r in rows):
        mine = [r for r in rows if said(r, "candidate") == name]
        free = all(r.get("sources_only") for r in mine)
        label = f"{name} (sees no target label)" if free else name
        lines.append(Series(label, label_points(mine, "score"), styles.get(name, 0)))
    lines = [line for line in lines if line.points]
    if not lines:
        return None
    ticks = sorted({p.x for line in lines for p in line.points if p.x > 0})
    return figure(
        "Label efficiency", f"Bands are {_confidence(result)} intervals.", lines, line_chart,
        chart_id="labels", series=lines, x_log=True, x_ticks=ticks, y_label=score_unit(result),
        x_label="target labels to train on (log scale)",
    )  # fmt: skip


def cost(result: Record) -> Chart | None:
    """Draw the score against the seconds of one fit; what nothing beats has its name."""
    key, unit, factor = "score", score_unit(result), 100.0
    if result.get("estimate"):
        key, unit, factor = "rank_score", "value of the validator", 1.0
    sets: dict[str, list[Mark]] = {"recommended": [], "not beaten": [], "others": []}
    for row in records(result, "table"):
        x, y = finite(row.get("seconds")), finite(row.get(key))
        if x is None or y is None:
            continue
        low, high = finite(row.get("score_low")), finite(row.get("score_high"))
        whole = key == "score" and low is not None and high is not None
        ends = (factor * low, factor * high) if whole and low is not None and high else (None, None)
        kind = "recommended" if row.get("recommended") else "others"
        if kind == "others" and row.get("pareto"):
            kind = "not beaten"
        sets[kind].append(Mark(x, factor * y, said(row, "candidate"), *ends))
    drawn = [
        Marks(label, points, style, named=label != "others")
        for (label, points), style in zip(sets.items(), (0, 3, 7), strict=True)
        if points
    ]
    if sum(len(s.points) for s in drawn) < 2:
        return None
    return figure(
        "Score and cost",
        "Up and to the left is better. Not beaten: nothing else is better in score, seconds and "
        "memory at once.",
        drawn, scatter_chart, chart_id="cost", sets=drawn, x_log=True, y_label=unit,
        x_label="seconds for one fit and its predictions (log scale)",
    )  # fmt: skip


def calibration(result: Record) -> Chart | None:
    """Draw how often predictions are right against how sure the model says it is."""
    lines = []
    for row in records(result, "calibration"):
        points = [
            Point(100 * x, 100 * y)
            for b in records(row, "bins")
            if (x := finite(b.get("confidence"))) is not None
            and (y := finite(b.get("accuracy"))) is not None
        ]
        who = said(row, "who")
        name = f"{said(row, 'candidate')} ({who})"
        if points:
            lines.append(Series(name, points, 0 if who == "chosen" else 1))
    if not lines:
        return None
    start = min(p.x for line in lines for p in line.points)
    lines.sort(key=lambda line: line.style)
    lines.append(Series("as sure as right", [Point(start, start), Point(100, 100)], 2))
    return figure(
        "Calibration", "Below the dotted line a model is surer than it is right.", lines,
        line_chart, chart_id="calibration", series=lines, x_label="confidence, %",
        y_label="accuracy, %",
    )  # fmt: skip


def calibration_rows(result: Record) -> list[dict[str, Any]]:
    """Return the figures of the calibration, one row a model."""
    return [
        {
            "who": sentence(said(row, "who")), "candidate": said(row, "candidate"),
            "rows": row.get("rows"), "ece": percent(row.get("ece")), "key": row.get("ece"),
            "scaled": percent(row.get("ece_scaled")), "scaled_key": row.get("ece_scaled"),
            "temperature": finite(row.get("temperature")),
        }
        for row in records(result, "calibration")
    ]  # fmt: skip


def training(result: Record) -> list[dict[str, Any]]:
    """Draw what was measured after each epoch: losses together, other figures on their own."""
    found = []
    for number, run in enumerate(records(result, "training"), start=1):
        epochs = records(run, "epochs")
        names = dict.fromkeys(str(k) for e in epochs for k in e if k not in _REST)
        losses = [n for n in names if n not in _OWN]
        charts = []
        for key, title, unit, group in (
            ("losses", "Losses", "mean loss", {n: n for n in losses}),
            *((n.replace("_", "-"), t, t.lower(), {n: t}) for n, t in _OWN.items()),
        ):
            lines = [
                Series(label, _by_epoch(epochs, n), k) for k, (n, label) in enumerate(group.items())
            ]
            lines = [line for line in lines if line.points]
            if lines:
                charts.append(
                    figure(
                        title, "One mark an epoch.", lines, line_chart,
                        chart_id=f"training-{number}-{key}", series=lines, x_label="epoch",
                        y_label=unit,
                    )
                )  # fmt: skip
        if charts:
            found.append({"title": said(run, "candidate", "Training"), "charts": charts,
                          "note": said(run, "note")})  # fmt: skip
    return found


def features(result: Record) -> list[Chart]:
    """Draw rows of both domains in two dimensions of a feature space."""
    charts = []
    for number, picture in enumerate(records(result, "features"), start=1):
        sets = []
        for style, side in enumerate(("source", "target")):
            rows = picture.get(side)
            points = [
                Mark(x, y)
                for pair in (rows if isinstance(rows, Sequence) else [])
                if isinstance(pair, Sequence) and len(pair) == 2
                if (x := finite(pair[0])) is not None and (y := finite(pair[1])) is not None
            ]
            if points:
                sets.append(Marks(side, points, style))
        if sets:
            charts.append(
                figure(
                    said(picture, "title", "Features"), said(picture, "note"), sets, scatter_chart,
                    chart_id=f"features-{number}", sets=sets, many=True,
                    x_label=said(picture, "x_label", "first direction"),
                    y_label=said(picture, "y_label", "second direction"),
                )
            )  # fmt: skip
    return charts


def _by_epoch(epochs: Sequence[Record], name: str) -> list[Point]:
    points = []
    for k, record in enumerate(epochs, start=1):
        y = finite(record.get(name))
        if y is not None:
            points.append(Point(finite(record.get("epoch")) or float(k), y))
    return points


def _confidence(result: Record) -> str:
    value = finite(result.get("confidence"))
    return "95 %" if value is None else f"{100 * value:.6g} %"
