"""Charts of a comparison: label efficiency, cost, calibration, training, features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from acclimate.report.charts import Point, Series, line_chart
from acclimate.report.figures import Record, figure, label_points, records, said
from acclimate.report.scatter import Mark, Marks, scatter_chart
from acclimate.report.svg import STYLES
from acclimate.report.wording import count, finite, percent, sentence

Chart = dict[str, Any]
_REST = ("step", "epoch", "seconds", "rate")  # figures of an epoch that are no losses
_OWN = {"domain_accuracy": "Discriminator accuracy", "a_distance": "Proxy A-distance",
        "validation": "Validation score"}  # fmt: skip
_WHAT = {
    "domain-accuracy": "How often the discriminator names the domain rightly; 0.5 is chance.",
    "a-distance": "How far apart the domains are for the discriminator: 0 alike, 2 told apart.",
    "validation": "Without target labels; higher is better. The best epoch is kept.",
}  # fmt: skip
_OTHERS = "other classes"


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
        x_label="seconds for one fit (log scale)",
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
        kept = finite(run.get("best_epoch"))
        flag = None if kept is None else (kept, "kept")
        charts = []
        for key, title, unit, group in (
            ("losses", "Losses", "mean loss", {n: n for n in losses}),
            *((n.replace("_", "-"), t, t[:1].lower() + t[1:], {n: t}) for n, t in _OWN.items()),
        ):
            lines = [
                Series(label, _by_epoch(epochs, n), k) for k, (n, label) in enumerate(group.items())
            ]
            lines = [line for line in lines if line.points]
            if lines:
                charts.append(
                    figure(
                        title, _WHAT.get(key, "Mean over an epoch."), lines, line_chart,
                        chart_id=f"training-{number}-{key}", series=lines, x_label="epoch",
                        y_label=unit, flag=flag,
                    )
                )  # fmt: skip
        if charts:
            note = said(run, "note") or _kept(run, len(epochs))
            found.append({"title": said(run, "candidate", "Training"), "charts": charts,
                          "note": note})  # fmt: skip
    return found


def _kept(run: Record, epochs: int) -> str:
    """Say which weights were kept, why training ended, and which fit this is."""
    best, told = finite(run.get("best_epoch")), []
    if best is not None:
        told.append(
            "No epoch scored better than the start, so the weights before the first step were kept."
            if best == 0
            else f"The weights after epoch {count(best)} of {epochs} were kept: they scored best."
        )
    elif "best_epoch" in run:
        told.append(f"The weights after the last of {epochs} epochs were kept.")
    why = {
        "patience": "Training ended when the score no longer rose.",
        "collapse": "Training was stopped, since it had collapsed.",
        "not finite": "Training was stopped at a loss that was not finite.",
    }.get(said(run, "stopped"))
    fits = finite(run.get("fits")) or 1
    told += [] if why is None else [why]
    told += [f"This is the first of its {count(fits)} fits."] if fits > 1 else []
    return " ".join(told)


def features(result: Record) -> list[Chart]:
    """Draw rows of both domains in two dimensions of a feature space, by domain and by class."""
    pictures = records(result, "features")
    styles = _class_styles(pictures)
    charts = []
    for number, picture in enumerate(pictures, start=1):
        axes = {
            "many": True, "x_label": said(picture, "x_label", "first direction"),
            "y_label": said(picture, "y_label", "second direction"),
        }  # fmt: skip
        title = said(picture, "title", "Features")
        points = {side: _points(picture, side) for side in ("source", "target")}
        sets = [
            Marks(side, [p for p in some if p is not None], style)
            for style, (side, some) in enumerate(points.items())
            if any(p is not None for p in some)
        ]
        if not sets:
            continue
        note = said(picture, "note") or _spread(picture)
        charts.append(
            figure(title, note, sets, scatter_chart, chart_id=f"features-{number}", sets=sets,
                   **axes)
        )  # fmt: skip
        sets = _by_class(picture, points, styles)
        if sets:
            keys = [Marks(name, (), style) for name, style in styles.items()]
            who = said(picture, "predicted_by", "the model")
            charts.append(
                figure(
                    f"{title}, by class",
                    "The same points. Filled or bold: source rows by their label. Hollow or thin: "
                    f"target rows by what {who} predicts for them.",
                    keys, scatter_chart, chart_id=f"features-{number}-class", sets=sets, **axes,
                )
            )  # fmt: skip
    return charts


def _points(picture: Record, side: str) -> list[Mark | None]:
    """Return the points of a domain; None where one has no place."""
    rows = picture.get(side)
    found: list[Mark | None] = []
    for pair in rows if isinstance(rows, Sequence) else []:
        x = y = None
        if isinstance(pair, Sequence) and len(pair) == 2:
            x, y = finite(pair[0]), finite(pair[1])
        found.append(None if x is None or y is None else Mark(x, y))
    return found


def _spread(picture: Record) -> str:
    """Say what the two directions are, and how much of the variance they hold."""
    share, width = finite(picture.get("share")), finite(picture.get("width"))
    if share is None or width is None:
        return ""
    return (
        f"The first two principal directions over both domains together hold {percent(share, 0)} "
        f"of the variance of {count(width)} features."
    )


def _class_styles(pictures: Sequence[Record]) -> dict[str, int]:
    """Give the most frequent classes a style each, the same in all pictures."""
    names = Counter(
        str(name) for p in pictures for side in ("source", "target")
        for name in p.get(f"{side}_classes") or ()
    )  # fmt: skip
    first = [name for name, _ in names.most_common(STYLES if len(names) <= STYLES else STYLES - 1)]
    styles = {name: k for k, name in enumerate(sorted(first, key=_natural))}
    return styles if len(names) <= STYLES else styles | {_OTHERS: STYLES - 1}


def _natural(name: str) -> tuple[int, float, str]:
    """Sort 2 before 10."""
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name


def _by_class(
    picture: Record, points: Mapping[str, Sequence[Mark | None]], styles: Mapping[str, int]
) -> list[Marks]:
    sets = []
    for side, some in points.items():
        names = picture.get(f"{side}_classes")
        if not isinstance(names, Sequence) or len(names) != len(some):
            continue
        whose = [name if (name := str(n)) in styles else _OTHERS for n in names]
        for name, style in styles.items():
            mine = [p for p, who in zip(some, whose, strict=True) if who == name and p is not None]
            if mine:
                sets.append(Marks(f"{name}, {side}", mine, style, hollow=side == "target"))
    return sets


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
