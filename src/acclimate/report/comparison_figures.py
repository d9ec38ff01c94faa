"""Charts of a comparison: label efficiency, cost, calibration, training, features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from acclimate.report.charts import Point, Series, line_chart
from acclimate.report.compared import Compared
from acclimate.report.compared_parts import Picture, Trained
from acclimate.report.figures import figure
from acclimate.report.scatter import Mark, Marks, scatter_chart
from acclimate.report.svg import STYLES
from acclimate.report.wording import count, percent, sentence, unit_of

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


def styles_of(found: Compared) -> dict[str, int]:
    """Give each candidate one style for the whole page: the recommended one has the first.

    Examples
    --------
    >>> from acclimate.report.compared import CandidateRow, Recommendation
    >>> styles_of(Compared(recommendation=Recommendation("transfer", "b"),
    ...                    table=(CandidateRow("a"), CandidateRow("b"))))
    {'b': 0, 'a': 1}
    """
    names = [found.recommendation.candidate, *(row.candidate for row in found.table)]
    return {name: k % STYLES for k, name in enumerate(dict.fromkeys(n for n in names if n))}


def score_unit(found: Compared) -> str:
    """Return the name of the score's axis: scores are drawn in hundredths, or as they are."""
    kind = unit_of(found.score).kind
    return found.score + {"share": ", %", "hundredths": ", points"}.get(kind, "")


def _factor(found: Compared) -> float:
    return 1.0 if unit_of(found.score).kind == "plain" else 100.0


def label_curve(found: Compared, styles: Mapping[str, int]) -> Chart | None:
    """Draw the score by the number of target labels."""
    rows = [r for r in found.label_curve if r.labels is not None and r.score is not None]
    lines, factor = [], _factor(found)
    for name in dict.fromkeys(r.candidate for r in rows):
        mine = [r for r in rows if r.candidate == name]
        free = all(r.sources_only for r in mine)
        label = f"{name} (sees no target label)" if free else name
        drawn = [
            Point(float(r.labels or 0), factor * (r.score or 0.0), *_times(factor, r.low, r.high))
            for r in mine
        ]
        lines.append(Series(label, drawn, styles.get(name, 0)))
    if not lines:
        return None
    ticks = sorted({p.x for line in lines for p in line.points if p.x > 0})
    return figure(
        "Label efficiency", f"Bands are {100 * found.confidence:.6g} % intervals.", lines,
        line_chart, chart_id="labels", series=lines, x_log=True, x_ticks=ticks,
        y_label=score_unit(found), x_label="target labels to train on (log scale)",
    )  # fmt: skip


def _times(
    factor: float, low: float | None, high: float | None
) -> tuple[float | None, float | None]:
    """Return both ends times a factor, or neither."""
    return (None, None) if low is None or high is None else (factor * low, factor * high)


def cost(found: Compared) -> Chart | None:
    """Draw the score against the seconds of one fit; what nothing beats has its name."""
    sets: dict[str, list[Mark]] = {"recommended": [], "not beaten": [], "others": []}
    for row in found.table:
        y = row.rank_score if found.estimate else row.score
        if row.seconds is None or y is None:
            continue
        factor = 1.0 if found.estimate else _factor(found)
        ends = (None, None) if found.estimate else _times(factor, row.score_low, row.score_high)
        kind = "recommended" if row.recommended else "not beaten" if row.pareto else "others"
        sets[kind].append(Mark(row.seconds, factor * y, row.candidate, *ends))
    drawn = [
        Marks(label, points, style, named=label != "others")
        for (label, points), style in zip(sets.items(), (0, 3, 7), strict=True)
        if points
    ]
    if sum(len(s.points) for s in drawn) < 2:
        return None
    lower = unit_of(found.score).lower and not found.estimate
    return figure(
        "Score and cost",
        f"{'Down' if lower else 'Up'} and to the left is better. Not beaten: nothing else is "
        "better in score, seconds and memory at once.",
        drawn, scatter_chart, chart_id="cost", sets=drawn, x_log=True,
        y_label="value of the validator" if found.estimate else score_unit(found),
        x_label="seconds for one fit (log scale)",
    )  # fmt: skip


def calibration(found: Compared) -> Chart | None:
    """Draw how often predictions are right against how sure the model says it is."""
    lines = []
    for row in found.calibration:
        points = [
            Point(100 * b.confidence, 100 * b.accuracy)
            for b in row.bins
            if b.confidence is not None and b.accuracy is not None
        ]
        if points:
            name = f"{row.candidate} ({row.who})"
            lines.append(Series(name, points, 0 if row.who == "chosen" else 1))
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


def calibration_rows(found: Compared) -> list[dict[str, Any]]:
    """Return the figures of the calibration, one row a model."""
    return [
        {
            "who": sentence(row.who), "candidate": row.candidate, "rows": row.rows,
            "ece": percent(row.ece), "key": row.ece, "scaled": percent(row.ece_scaled),
            "scaled_key": row.ece_scaled, "temperature": row.temperature,
        }
        for row in found.calibration
    ]  # fmt: skip


def training(found: Compared) -> list[dict[str, Any]]:
    """Draw what was measured after each epoch: losses together, other figures on their own."""
    shown = []
    for number, run in enumerate(found.training, start=1):
        names = dict.fromkeys(k for e in run.epochs for k in e if k not in _REST)
        losses = [n for n in names if n not in _OWN]
        flag = None if run.best_epoch is None else (float(run.best_epoch), "kept")
        charts = []
        for key, title, unit, group in (
            ("losses", "Losses", "mean loss", {n: n for n in losses}),
            *((n.replace("_", "-"), t, t[:1].lower() + t[1:], {n: t}) for n, t in _OWN.items()),
        ):
            lines = [
                Series(label, _by_epoch(run.epochs, n), k)
                for k, (n, label) in enumerate(group.items())
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
            note = run.note or _kept(run)
            shown.append({"title": run.candidate or "Training", "charts": charts, "note": note})
    return shown


def _kept(run: Trained) -> str:
    """Say which weights were kept, why training ended, and which fit this is."""
    epochs = len(run.epochs)
    if run.best_epoch is None:
        told = [f"The weights after the last of {epochs} epochs were kept."]
    elif run.best_epoch == 0:
        told = [
            "No epoch scored better than the start, so the weights before the first step were kept."
        ]
    else:
        told = [
            f"The weights after epoch {count(run.best_epoch)} of {epochs} were kept: they scored "
            f"best."
        ]
    why = {
        "patience": "Training ended when the score no longer rose.",
        "collapse": "Training was stopped, since it had collapsed.",
        "not finite": "Training was stopped at a loss that was not finite.",
    }.get(run.stopped or "")
    told += [] if why is None else [why]
    told += [f"This is the first of its {count(run.fits)} fits."] if run.fits > 1 else []
    return " ".join(told)


def features(found: Compared) -> list[Chart]:
    """Draw rows of both domains in two dimensions of a feature space, by domain and by class."""
    styles = _class_styles(found.features)
    charts = []
    for number, picture in enumerate(found.features, start=1):
        axes = {
            "many": True, "x_label": picture.x_label or "first direction",
            "y_label": picture.y_label or "second direction",
        }  # fmt: skip
        points = {"source": _points(picture.source), "target": _points(picture.target)}
        sets = [
            Marks(side, [p for p in some if p is not None], style)
            for style, (side, some) in enumerate(points.items())
            if any(p is not None for p in some)
        ]
        if not sets:
            continue
        charts.append(
            figure(
                picture.title, picture.note or _spread(picture), sets, scatter_chart,
                chart_id=f"features-{number}", sets=sets, **axes,
            )
        )  # fmt: skip
        sets = _by_class(picture, points, styles)
        if sets:
            keys = [Marks(name, (), style) for name, style in styles.items()]
            charts.append(
                figure(
                    f"{picture.title}, by class",
                    "The same points. Filled or bold: source rows by their label. Hollow or thin: "
                    f"target rows by what {picture.predicted_by} predicts for them.",
                    keys, scatter_chart, chart_id=f"features-{number}-class", sets=sets, **axes,
                )
            )  # fmt: skip
    return charts


def _points(rows: Sequence[tuple[float | None, ...]]) -> list[Mark | None]:
    """Return the points of a domain; None where one has no place."""
    found: list[Mark | None] = []
    for pair in rows:
        x, y = pair if len(pair) == 2 else (None, None)
        found.append(None if x is None or y is None else Mark(x, y))
    return found


def _spread(picture: Picture) -> str:
    """Say what the two directions are, and how much of the variance they hold."""
    if picture.share is None or picture.width is None:
        return ""
    return (
        f"The first two principal directions over both domains together hold "
        f"{percent(picture.share, 0)} of the variance of {count(picture.width)} features."
    )


def _class_styles(pictures: Sequence[Picture]) -> dict[str, int]:
    """Give the most frequent classes a style each, the same in all pictures."""
    names = Counter(
        name for p in pictures for side in (p.source_classes, p.target_classes)
        for name in side or ()
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
    picture: Picture, points: Mapping[str, Sequence[Mark | None]], styles: Mapping[str, int]
) -> list[Marks]:
    sets = []
    both = {"source": picture.source_classes, "target": picture.target_classes}
    for side, some in points.items():
        names = both[side]
        if names is None or len(names) != len(some):
            continue
        whose = [name if name in styles else _OTHERS for name in names]
        for name, style in styles.items():
            mine = [p for p, who in zip(some, whose, strict=True) if who == name and p is not None]
            if mine:
                sets.append(Marks(f"{name}, {side}", mine, style, hollow=side == "target"))
    return sets


def _by_epoch(epochs: Sequence[Mapping[str, float | None]], name: str) -> list[Point]:
    points = []
    for k, record in enumerate(epochs, start=1):
        y = record.get(name)
        if y is not None:
            points.append(Point(record.get("epoch") or float(k), y))
    return points
