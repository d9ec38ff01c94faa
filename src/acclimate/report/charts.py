"""Charts as inline SVG text: pure functions of the data, without a plotting library.

Colours are classes (`s0` to `s7`) that the page's style sheet fills for light and dark. Series
differ in dash pattern and marker too, bars in hatching, so that no reader has to tell colours
apart. Every chart is an image with a title and a description that holds its figures in words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from acclimate.exceptions import InputError
from acclimate.report.scales import Scale, linear_ticks, log_ticks
from acclimate.report.svg import (
    DASHES,
    STYLES,
    WIDE,
    Size,
    axis_name,
    document,
    fill,
    hatches,
    label,
    marker,
    nothing,
    plain,
    text,
    x_axis,
    y_axis,
)
from acclimate.report.wording import MINUS, count, sentence

_EACH = 30  # points of a line that are marked and told one by one


class Point(NamedTuple):
    """One mark: where it is, and the interval of y where there is one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Series:
    """A named line; `style` chooses colour, dash and marker, the same for a method everywhere.

    Curves of many steps are clearer without markers.
    """

    label: str
    points: Sequence[Point]
    style: int = 0
    marked: bool = True


@dataclass(frozen=True)
class Bars:
    """A named set of bars, one value a group; None leaves a gap."""

    label: str
    values: Sequence[float | None]
    style: int = 0


def line_chart(
    series: Sequence[Series],
    *,
    chart_id: str,
    title: str,
    x_label: str,
    y_label: str,
    x_log: bool = False,
    x_ticks: Sequence[float] | None = None,
    flag: tuple[float, str] | None = None,
    size: Size = WIDE,
) -> str:
    """Draw lines with interval bands; a lone interval becomes an error bar.

    For curves over label counts (`x_log=True`) and for learning curves over epochs. Not for
    categories: use `bar_chart`.

    Parameters
    ----------
    series : sequence of Series
        Points in any order. Points that are not finite, or not above 0 on a logarithmic axis, are
        left out, and the description says how many.
    chart_id : str
        Unique in the page: letters, digits and hyphens.
    title, x_label, y_label : str
        Plain text; it is escaped here.
    x_log : bool, default=False
        Logarithmic x axis.
    x_ticks : sequence of float, default=None
        Where the x axis is labelled; None chooses round values.
    flag : pair of (float, str), default=None
        A place on the x axis to mark with an upright line, and its name.
    size : Size, default=WIDE
        Pixels of the drawing.

    Returns
    -------
    str
        One `<svg role="img">` with `<title>` and `<desc>`.

    Raises
    ------
    InputError
        If `chart_id` cannot be an id.

    Examples
    --------
    >>> svg = line_chart([Series("copy", [Point(50, 51.0, 48.0, 54.0), Point(100, 60.0)])],
    ...                  chart_id="a", title="Accuracy", x_label="labels", y_label="%", x_log=True)
    >>> "copy: 51 (48 to 54) at 50, 60 at 100." in svg
    True
    """
    drawn = [
        Series(s.label, _placeable(s.points, x_log), s.style % STYLES, s.marked) for s in series
    ]
    lost = sum(len(s.points) for s in series) - sum(len(s.points) for s in drawn)
    drawn = [s for s in drawn if s.points]
    description = f"{y_label} by {x_label}. " + " ".join(_in_words(s) for s in drawn)
    if lost:
        description += f" {lost} points have no place on these axes and are left out."
    if not drawn:
        return document(chart_id, title, f"{description} Nothing to draw.", nothing(size), size)
    if flag is not None:
        description += f" {sentence(flag[1])}: {count(flag[0])}."

    every = [p for s in drawn for p in s.points]
    xs = [p.x for p in every]
    levels = [v for p in every for v in (p.low, p.y, p.high) if v is not None]
    y_ticks = linear_ticks(min(levels), max(levels))
    if x_ticks is None:
        x_ticks = log_ticks(min(xs), max(xs)) if x_log else _whole(linear_ticks(min(xs), max(xs)))
    x_ticks = [t for t in x_ticks if t > 0 or not x_log]
    ends = [*xs, *x_ticks, *([] if flag is None else [flag[0]])]
    across = Scale(min(ends), max(ends), size.left + 10, size.width - size.right - 10, x_log)
    up = Scale(y_ticks[0], y_ticks[-1], size.height - size.bottom, size.top)

    body = [y_axis(up, y_ticks, y_label, size), x_axis(across, x_ticks, x_label, size)]
    if flag is not None:
        body.append(_flag(across(flag[0]), flag[1], size))
    body += [_intervals(s, across, up) for s in drawn]
    body += [_line(s, across, up) for s in drawn]
    return document(chart_id, title, description, "".join(body), size)


def bar_chart(
    groups: Sequence[str],
    bars: Sequence[Bars],
    *,
    chart_id: str,
    title: str,
    x_label: str,
    y_label: str,
    size: Size = WIDE,
) -> str:
    """Draw grouped upright bars that start at zero.

    Parameters
    ----------
    groups : sequence of str
        Names below the axis.
    bars : sequence of Bars
        Each with one value a group.
    chart_id, title, x_label, y_label, size
        As in `line_chart`.

    Returns
    -------
    str
        One `<svg role="img">` with `<title>` and `<desc>`.

    Raises
    ------
    InputError
        If a set of bars has not one value a group, or `chart_id` cannot be an id.

    Examples
    --------
    >>> svg = bar_chart(["50"], [Bars("source", [52.0])], chart_id="b", title="Probe",
    ...                 x_label="labels", y_label="%")
    >>> "source: 52 at 50." in svg
    True
    """
    for b in bars:
        if len(b.values) != len(groups):
            raise InputError(
                f"bars {b.label!r} have {len(b.values)} values for {len(groups)} groups; "
                "give one value a group, None where there is none"
            )
    known = [v for b in bars for v in b.values if v is not None and math.isfinite(v)]
    words = []
    for b in bars:
        pairs = [(v, g) for v, g in zip(b.values, groups, strict=True) if v is not None]
        told = [f"{plain(v)} at {g}" for v, g in pairs if math.isfinite(v)]
        words.append(f"{b.label}: {', '.join(told) or 'no figures'}.")
    description = f"{y_label} by {x_label}. " + " ".join(words)
    if not known:
        return document(chart_id, title, description, nothing(size), size)

    digits = 0 if all(v == round(v) for v in known) else 1
    y_ticks = linear_ticks(min(0.0, *known), max(0.0, *known))
    up = Scale(y_ticks[0], y_ticks[-1], size.height - size.bottom, size.top)
    step = (size.width - size.left - size.right) / len(groups)
    width = min(0.76 * step / len(bars), 44.0)
    body = [
        y_axis(up, y_ticks, y_label, size),
        f"<defs>{hatches(chart_id, [b.style for b in bars])}</defs>",
    ]
    for g, name in enumerate(groups):
        middle = size.left + (g + 0.5) * step
        body.append(label(middle, size.height - size.bottom + 17, name))
        for k, b in enumerate(bars):
            value = b.values[g]
            if value is None or not math.isfinite(value):
                continue
            left = middle + (k - len(bars) / 2) * width
            top, bottom = sorted((up(value), up(0.0)))
            note = f"{b.label}, {name}: {plain(value)}"
            body.append(
                f'<rect class="bar s{b.style % STYLES}" x="{left + 1:.2f}" y="{top:.2f}" '
                f'width="{width - 2:.2f}" height="{bottom - top:.2f}" '
                f'fill="{fill(chart_id, b.style)}"><title>{text(note)}</title></rect>'
            )
            if width >= 26:
                figure = f"{value:.{digits}f}".replace("-", MINUS)
                body.append(label(left + width / 2, top - 5, figure, "value"))
    body.append(axis_name(x_label, size))
    return document(chart_id, title, description, "".join(body), size)


def interval_glyph(
    gain: float, low: float, high: float, *, limit: float, margin: float = 0.01
) -> str:
    """Draw a gain and its interval against zero in the width of a table cell.

    The figures stand beside it as text, so it is hidden from screen readers. `limit` is the gain at
    either end of the scale, the same in all rows of a table; what lies beyond is cut at the edge.

    Examples
    --------
    >>> 'cx="60.00"' in interval_glyph(0.0, -0.01, 0.01, limit=0.1)
    True
    """
    scale = Scale(-limit, limit, 4.0, 116.0)
    a, b, middle = (min(max(scale(v), 2.0), 118.0) for v in (low, high, gain))
    edge = min(scale(margin), 118.0) - 60.0
    return (
        '<svg class="glyph" viewBox="0 0 120 18" aria-hidden="true" focusable="false">'
        f'<rect class="margin" x="{60 - edge:.2f}" y="1" width="{2 * edge:.2f}" height="16"/>'
        '<path class="zero" d="M60 1V17"/>'
        f'<path class="whisker" d="M{a:.2f} 9H{b:.2f}M{a:.2f} 5.5V12.5M{b:.2f} 5.5V12.5"/>'
        f'<circle class="dot" cx="{middle:.2f}" cy="9" r="3.6"/></svg>'
    )


def line_key(style: int, marked: bool = True) -> str:
    """Return the legend's sample of a line: its dash, and its marker where it has any."""
    kind = style % STYLES
    return (
        '<svg class="key" viewBox="0 0 36 14" aria-hidden="true" focusable="false">'
        f'<path class="line s{kind}" stroke-dasharray="{DASHES[kind] or "none"}" d="M1 7H35"/>'
        f"{marker(kind, 18, 7) if marked else ''}</svg>"
    )


def mark_key(style: int, hollow: bool = False) -> str:
    """Return the legend's sample of points without a line: their marker."""
    return (
        '<svg class="key" viewBox="0 0 36 14" aria-hidden="true" focusable="false">'
        f"{marker(style, 18, 7, hollow=hollow)}</svg>"
    )


def bar_key(style: int, key_id: str) -> str:
    """Return the legend's sample of a bar: its hatching."""
    kind = style % STYLES
    return (
        '<svg class="key" viewBox="0 0 36 14" aria-hidden="true" focusable="false">'
        f"<defs>{hatches(key_id, [kind])}</defs>"
        f'<rect class="bar s{kind}" x="5" y="1" width="26" height="12" '
        f'fill="{fill(key_id, kind)}"/></svg>'
    )


def _placeable(points: Sequence[Point], x_log: bool) -> list[Point]:
    kept = []
    for p in points:
        if not (math.isfinite(p.x) and math.isfinite(p.y)) or (x_log and p.x <= 0):
            continue
        bounds = (p.low, p.high)
        whole = all(b is not None and math.isfinite(b) for b in bounds)
        kept.append(p if whole else Point(p.x, p.y))
    return sorted(kept)


def _flag(x: float, words: str, size: Size) -> str:
    left = x < (size.left + size.width - size.right) / 2
    return (
        f'<path class="flag" d="M{x:.2f} {size.top}V{size.height - size.bottom}"/>'
        f'<text class="value" x="{x:.2f}" y="{size.top - 4}" '
        f'text-anchor="{"start" if left else "end"}">{text(words)}</text>'
    )


def _in_words(series: Series) -> str:
    told = []
    some = series.points
    if len(some) > _EACH:  # nobody listens to a hundred figures
        low, high = (choose(some, key=lambda p: p.y) for choose in (min, max))
        ends = (("from", some[0]), ("to", some[-1]), ("lowest", low), ("highest", high))
        told = [f"{word} {plain(p.y)} at {count(p.x)}" for word, p in ends]
        return f"{series.label}: {', '.join(told)}."
    for p in some:
        between = "" if p.low is None else f" ({plain(p.low)} to {plain(p.high or 0.0)})"
        told.append(f"{plain(p.y)}{between} at {count(p.x)}")
    return f"{series.label}: {', '.join(told)}."


def _whole(ticks: Sequence[float]) -> list[float]:
    """Keep whole numbers: epochs have no halves."""
    return [t for t in ticks if t == round(t)] or list(ticks)


def _intervals(series: Series, across: Scale, up: Scale) -> str:
    ranged = [(across(p.x), up(p.low), up(p.high)) for p in series.points
              if p.low is not None and p.high is not None]  # fmt: skip
    if len(ranged) > 1:
        there = [f"{x:.2f} {high:.2f}" for x, _, high in ranged]
        back = [f"{x:.2f} {low:.2f}" for x, low, _ in reversed(ranged)]
        return f'<path class="band s{series.style}" d="M{"L".join(there + back)}z"/>'
    return "".join(
        f'<path class="whisker s{series.style}" '
        f'd="M{x:.2f} {low:.2f}V{high:.2f}M{x - 4:.2f} {low:.2f}h8M{x - 4:.2f} {high:.2f}h8"/>'
        for x, low, high in ranged
    )


def _line(series: Series, across: Scale, up: Scale) -> str:
    kind = series.style
    way = "L".join(f"{across(p.x):.2f} {up(p.y):.2f}" for p in series.points)
    dash = DASHES[kind] or "none"
    parts = [f'<path class="line s{kind}" stroke-dasharray="{dash}" d="M{way}"/>']
    for p in series.points[:: -(-len(series.points) // _EACH)] if series.marked else ():
        note = _in_words(Series(series.label, [p]))
        parts.append(marker(kind, across(p.x), up(p.y), note))
    return "".join(parts)
