"""Figures of a report: charts for wide and narrow screens under one legend; those of the demo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from acclimate.report.charts import (
    Bars,
    Point,
    Series,
    bar_chart,
    bar_key,
    line_chart,
    line_key,
    mark_key,
)
from acclimate.report.scatter import Marks
from acclimate.report.svg import NARROW, WIDE
from acclimate.report.wording import count, finite, sentence

Facts = Mapping[str, Any]
Arm = Mapping[str, str]


def records(holder: Facts, key: str) -> list[Facts]:
    """Return the records of a list that may be missing."""
    return [r for r in holder.get(key) or [] if isinstance(r, Mapping)]


def said(record: Facts, key: str, default: str = "") -> str:
    """Return a field as text, or the default where it is missing or empty.

    Examples
    --------
    >>> said({"name": 7}, "name"), said({"name": None}, "name", "no name")
    ('7', 'no name')
    """
    value = record.get(key)
    return default if value is None or value == "" else str(value)


def arms_of(case: Facts) -> list[Arm]:
    """Return name, label and role of each strategy: those listed, then those only in the figures.

    Examples
    --------
    >>> arms_of({"arms": [{"name": "a"}], "results": [{"arm": "b"}]})
    [{'name': 'a', 'label': 'a', 'role': ''}, {'name': 'b', 'label': 'b', 'role': ''}]
    """
    found: dict[str, Arm] = {}
    for arm in records(case, "arms"):
        name = said(arm, "name")
        found[name] = {"name": name, "label": said(arm, "label", name), "role": said(arm, "role")}
    used = [said(r, "arm") for r in records(case, "results")]
    used += [said(v, "candidate") for v in records(case, "verdicts")]
    for name in used:
        found.setdefault(name, {"name": name, "label": name, "role": ""})
    return [arm for name, arm in found.items() if name]


def sizes_of(case: Facts) -> list[float]:
    """Return the label counts of a case in rising order."""
    given = [*(case.get("sizes") or []), *(r.get("labels") for r in records(case, "results"))]
    return sorted({s for s in map(finite, given) if s is not None})


def figure(title: str, note: str, keys: Sequence[Any], draw: Any, **common: Any) -> dict[str, Any]:
    """Draw one chart for wide and for narrow screens, with the legend they share."""
    chart_id = common.pop("chart_id")
    sizes = {"wide": WIDE, "narrow": NARROW}
    drawn = {
        name: Markup(draw(chart_id=f"{chart_id}-{name}", title=title, size=size, **common))
        for name, size in sizes.items()
    }
    samples = [_sample(k, f"{chart_id}-key-{n}") for n, k in enumerate(keys)]
    legend = [
        {"sample": Markup(s), "label": sentence(k.label)}
        for s, k in zip(samples, keys, strict=True)
    ]
    return {"title": title, "note": note, "legend": legend, **drawn}


def _sample(key: Any, key_id: str) -> str:
    """Return the legend's sample of a line, of bars or of points."""
    if isinstance(key, Bars):
        return bar_key(key.style, key_id)
    if isinstance(key, Marks):
        return mark_key(key.style, key.hollow)
    return line_key(key.style, key.marked)


def learning_curves(case: Facts, key: str) -> list[dict[str, Any]]:
    """Draw accuracy and loss by epoch for source and target, where there is a history."""
    book = case.get("textbook")
    if not isinstance(book, Mapping):
        return []
    found = []
    for what, factor, unit in (("accuracy", 100.0, "accuracy, %"), ("loss", 1.0, "loss")):
        lines = []
        for style, side in enumerate(("source", "target")):
            marks = [
                Point(x, y * factor)
                for h in records(book, f"{side}_history")
                if (x := finite(h.get("epoch"))) is not None
                and (y := finite(h.get(what))) is not None
            ]
            if marks:
                lines.append(Series(f"{said(case, side, side)} ({side})", marks, style))
        if lines:
            epochs = sorted({p.x for s in lines for p in s.points})
            found.append(
                figure(
                    f"Learning curves: {what}", "One mark an epoch.", lines, line_chart,
                    chart_id=f"{key}-{what}", series=lines, x_label="epoch", y_label=unit,
                    x_ticks=epochs,
                )
            )  # fmt: skip
    return found


def label_points(rows: Iterable[Facts], middle: str) -> list[Point]:
    """Return label counts against percent, with the interval where it is complete."""
    marks = []
    for r in rows:
        x, y = finite(r.get("labels")), finite(r.get(middle))
        low, high = finite(r.get("low")), finite(r.get("high"))
        if x is None or y is None:
            continue
        bounds = (None, None) if low is None or high is None else (100 * low, 100 * high)
        marks.append(Point(x, 100 * y, *bounds))
    return marks


def label_curves(
    case: Facts, key: str, first: str, names: Mapping[str, str], styles: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Draw the headline candidate with its baselines, then each candidate's gain.

    Candidates often lie on top of each other; their differences from the reference do not.
    """
    results, verdicts = records(case, "results"), records(case, "verdicts")
    roles = {a["name"]: a["role"] for a in arms_of(case)}
    judged = {said(v, "candidate") for v in verdicts}
    shown = [n for n in names if n == first or n not in judged or roles[n] not in ("candidate", "")]

    def lines(rows: Sequence[Facts], by: str, middle: str, group: Iterable[str]) -> list[Series]:
        made = [
            Series(names[n], label_points([r for r in rows if said(r, by) == n], middle), styles[n])
            for n in group
        ]
        return [s for s in made if s.points]

    found: list[dict[str, Any]] = []
    for title, unit, series in (
        ("Accuracy of the recipe and its baselines", "accuracy, %",
         lines(results, "arm", "mean", shown)),
        ("Gain over the reference", "gain, points", lines(verdicts, "candidate", "gain", names)),
    ):  # fmt: skip
        if series:
            found.append(
                figure(
                    title, "Bands are 95 % intervals.", series, line_chart,
                    chart_id=f"{key}-labels-{len(found)}", series=series, x_log=True,
                    x_ticks=[s for s in sizes_of(case) if s > 0], y_label=unit,
                    x_label="target labels (log scale)",
                )
            )  # fmt: skip
    return found


def probe_figure(case: Facts, key: str) -> dict[str, Any] | None:
    """Draw the probe of the source body beside a random one, with its verdicts."""
    rows = records(case, "probe")
    if not rows:
        return None
    bars = [
        Bars(label, [None if (v := finite(r.get(k))) is None else 100 * v for r in rows], style)
        for style, (label, k) in enumerate(
            [("source body", "source_body"), ("random body", "random_body")]
        )
    ]
    chart = figure(
        "Probe accuracy", "Higher is better.", bars, bar_chart,
        chart_id=f"{key}-probe", groups=[count(r.get("labels")) for r in rows], bars=bars,
        x_label="target labels", y_label="accuracy, %",
    )  # fmt: skip
    told = [
        {
            "labels": r.get("labels"),
            "word": said(r, "word", "no verdict"),
            "sentence": said(r, "sentence"),
        }
        for r in rows
    ]
    return {"chart": chart, "rows": told}
