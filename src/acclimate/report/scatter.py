"""Points without lines: a score against seconds, or rows of two domains as features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from acclimate.report.scales import Scale, fine_log_ticks, linear_ticks
from acclimate.report.svg import (
    STYLES,
    WIDE,
    Size,
    document,
    dots,
    marker,
    nothing,
    plain,
    text,
    x_axis,
    y_axis,
)
from acclimate.report.wording import count

_LETTER = 7.2  # a wide average letter of the 12-pixel system font
_LINE = 13.0  # height of a line of that font


class Mark(NamedTuple):
    """One point with its name, and the interval of y where there is one."""

    x: float
    y: float
    name: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Marks:
    """A set of points that look alike.

    Parameters
    ----------
    label : str
        Name in the legend.
    points : sequence of Mark
    style : int, default=0
        Colour and marker.
    named : bool, default=False
        Write names beside the points, where there is room.
    hollow : bool, default=False
        Draw outlines only; for hundreds of points.
    """

    label: str
    points: Sequence[Mark]
    style: int = 0
    named: bool = False
    hollow: bool = False


def scatter_chart(
    sets: Sequence[Marks],
    *,
    chart_id: str,
    title: str,
    x_label: str,
    y_label: str,
    x_log: bool = False,
    many: bool = False,
    size: Size = WIDE,
) -> str:
    """Draw points. Their names are tooltips, and stand beside them in sets that are `named`.

    Parameters
    ----------
    sets : sequence of Marks
        Points that are not finite, or not above 0 on a logarithmic axis, are left out.
    chart_id, title, x_label, y_label, x_log, size
        As in `charts.line_chart`.
    many : bool, default=False
        Hundreds of points: drawn small, and described by their number instead of one by one.

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
    >>> svg = scatter_chart([Marks("best", [Mark(0.5, 90.0, "CORAL")])], chart_id="a", title="Cost",
    ...                     x_label="seconds", y_label="accuracy, %", x_log=True)
    >>> "best: CORAL 90 at 0.5." in svg
    True
    """
    drawn = [replace(s, points=_placeable(s.points, x_log)) for s in sets]
    lost = sum(len(s.points) for s in sets) - sum(len(s.points) for s in drawn)
    drawn = [s for s in drawn if s.points]
    description = f"{y_label} by {x_label}. " + " ".join(_in_words(s, many) for s in drawn)
    if lost:
        description += f" {lost} points have no place on these axes and are left out."
    if not drawn:
        return document(chart_id, title, f"{description} Nothing to draw.", nothing(size), size)
    points = [p for s in drawn for p in s.points]
    xs = [p.x for p in points]
    y_ticks = linear_ticks(*_range([v for p in points for v in (p.low, p.y, p.high)]))
    x_ticks = fine_log_ticks(min(xs), max(xs)) if x_log else linear_ticks(min(xs), max(xs))
    across = Scale(
        min(x_ticks[0], *xs), max(x_ticks[-1], *xs), size.left + 10, size.width - size.right - 10,
        x_log,
    )  # fmt: skip
    up = Scale(y_ticks[0], y_ticks[-1], size.height - size.bottom, size.top)
    body = [y_axis(up, y_ticks, y_label, size), x_axis(across, x_ticks, x_label, size)]
    body += [_whisker(p, s.style, across, up) for s in drawn for p in s.points if p.low is not None]
    for s in reversed(drawn):  # the first set is the one that matters: it lies on top
        if many:
            places = [(across(p.x), up(p.y)) for p in s.points]
            marks = dots(s.style, places, "mark hollow" if s.hollow else "mark")
        else:
            marks = "".join(marker(s.style, across(p.x), up(p.y), _told(p)) for p in s.points)
        body.append(f'<g class="{"dots many" if many else "dots"}">{marks}</g>')
    body.append(_names(drawn, across, up, size))
    return document(chart_id, title, description, "".join(body), size)


def _placeable(points: Sequence[Mark], x_log: bool) -> list[Mark]:
    kept = []
    for p in points:
        if not (math.isfinite(p.x) and math.isfinite(p.y)) or (x_log and p.x <= 0):
            continue
        whole = all(b is not None and math.isfinite(b) for b in (p.low, p.high))
        kept.append(p if whole else Mark(p.x, p.y, p.name))
    return kept


def _range(values: Sequence[float | None]) -> tuple[float, float]:
    known = [v for v in values if v is not None]
    return min(known), max(known)


def _told(p: Mark) -> str:
    between = "" if p.low is None else f" ({plain(p.low)} to {plain(p.high or 0.0)})"
    return f"{p.name} {plain(p.y)}{between} at {count(float(f'{p.x:.3g}'))}".strip()


def _in_words(s: Marks, many: bool) -> str:
    if many:
        return f"{s.label}: {count(len(s.points))} points."
    return f"{s.label}: {', '.join(_told(p) for p in s.points)}."


def _whisker(p: Mark, style: int, across: Scale, up: Scale) -> str:
    low, high = up(p.low or 0.0), up(p.high or 0.0)
    way = f"M{across(p.x):.2f} {low:.2f}V{high:.2f}"
    return f'<path class="whisker faint s{style % STYLES}" d="{way}"/>'


def _names(sets: Sequence[Marks], across: Scale, up: Scale, size: Size) -> str:
    """Write names right or left of their points; one that would touch another is left out."""
    marks = [(across(p.x), up(p.y)) for s in sets for p in s.points]
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in marks]
    parts = []
    for s in sets:
        if not s.named:
            continue
        for p in s.points:
            x, y = across(p.x), up(p.y)
            words = p.name if len(p.name) <= 24 else p.name[:23] + "\N{HORIZONTAL ELLIPSIS}"
            width = _LETTER * len(words)
            for anchor, left in (("start", x + 8), ("end", x - 8 - width)):
                box = (left, y - _LINE / 2, left + width, y + _LINE / 2)
                inside = box[0] >= size.left and box[2] <= size.width
                if inside and not any(_touch(box, other) for other in taken):
                    taken.append(box)
                    edge = box[0] if anchor == "start" else box[2]
                    parts.append(
                        f'<text class="value" x="{edge:.2f}" y="{y + 4:.2f}" '
                        f'text-anchor="{anchor}">{text(words)}</text>'
                    )
                    break
    return "".join(parts)


def _touch(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
