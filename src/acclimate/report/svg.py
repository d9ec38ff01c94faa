"""Parts of an SVG drawing as text: escaping, frame, axes, markers, dashes and hatching."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import escape

from acclimate.exceptions import InputError
from acclimate.report.scales import Scale, readable
from acclimate.report.wording import MINUS, short_count

STYLES = 8
DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 4", "5 2 1 2 1 2", "1 4", "4 4")
_CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])
_LETTER = 6.6  # an average letter of the 12-pixel system font, for fitting tick labels


@dataclass(frozen=True)
class Size:
    """The drawing in pixels, and the margins round the plot."""

    width: int
    height: int
    left: int = 60  # the name of the axis, and ticks such as -0.05
    right: int = 14
    top: int = 14
    bottom: int = 46


WIDE = Size(500, 300)
NARROW = Size(330, 270)


def text(value: object) -> str:
    """Escape text for HTML and SVG, and drop control characters, which no reader can see.

    Examples
    --------
    >>> text('<b a="1">')
    '&lt;b a=&#34;1&#34;&gt;'
    """
    return str(escape(str(value).translate(_CONTROLS)))


def plain(value: float) -> str:
    """Write a figure in words: one decimal, three below 1."""
    digits = 3 if 0 < abs(value) < 1 else 1
    number = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return ("0" if number in ("-0", "") else number).replace("-", MINUS)


def document(chart_id: str, title: str, description: str, body: str, size: Size) -> str:
    """Wrap a drawing with its title and description, which screen readers speak."""
    if not chart_id.replace("-", "").isalnum() or not chart_id.isascii():
        raise InputError(f"chart_id {chart_id!r} cannot be an id; use letters, digits and hyphens")
    return (
        f'<svg class="chart" role="img" viewBox="0 0 {size.width} {size.height}" '
        f'aria-labelledby="{chart_id}-title {chart_id}-desc" focusable="false">'
        f'<title id="{chart_id}-title">{text(title)}</title>'
        f'<desc id="{chart_id}-desc">{text(description)}</desc>{body}</svg>'
    )


def label(x: float, y: float, words: str, look: str = "tick") -> str:
    """Return text centred on x."""
    return f'<text class="{look}" x="{x:.2f}" y="{y:.2f}" text-anchor="middle">{text(words)}</text>'


def nothing(size: Size) -> str:
    """Return the drawing of a chart without data."""
    return label(size.width / 2, size.height / 2, "No figures to draw")


def axis_name(words: str, size: Size) -> str:
    """Return the name below the x axis."""
    return label((size.left + size.width - size.right) / 2, size.height - 8, words, "axis-name")


def y_axis(up: Scale, ticks: Sequence[float], name: str, size: Size) -> str:
    """Return the grid, the tick labels and the name of the y axis."""
    parts = []
    for t in ticks:
        y = up(t)
        look = "zero" if t == 0 else "grid"  # what lies below zero must be seen at once
        parts.append(f'<path class="{look}" d="M{size.left} {y:.2f}H{size.width - size.right}"/>')
        parts.append(
            f'<text class="tick" x="{size.left - 7}" y="{y + 4:.2f}" text-anchor="end">'
            f"{text(short_count(t))}</text>"
        )
    middle = (size.top + size.height - size.bottom) / 2
    parts.append(
        f'<text class="axis-name" transform="translate(12 {middle:.2f}) rotate(-90)" '
        f'text-anchor="middle">{text(name)}</text>'
    )
    return "".join(parts)


def x_axis(across: Scale, ticks: Sequence[float], name: str, size: Size) -> str:
    """Return the base line, the ticks and the name of the x axis."""
    base = size.height - size.bottom
    parts = [f'<path class="base" d="M{size.left} {base}H{size.width - size.right}"/>']
    names = [short_count(t) for t in ticks]
    places = [across(t) for t in ticks]
    shown = readable(places, [_LETTER * len(n) for n in names])
    for x, words, show in zip(places, names, shown, strict=True):
        parts.append(f'<path class="base" d="M{x:.2f} {base}v5"/>')
        if show:
            parts.append(label(x, base + 18, words))
    parts.append(axis_name(name, size))
    return "".join(parts)


def marker(style: int, x: float, y: float, note: str = "", *, hollow: bool = False) -> str:
    """Return the marker of a style, centred on (x, y), with `note` as its tooltip."""
    shapes = (
        "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",  # circle
        "M-3.6 -3.6h7.2v7.2h-7.2z",  # square
        "M0 -4.8L4.6 3.4H-4.6z",  # triangle
        "M0 -5L5 0L0 5L-5 0z",  # diamond
        "M0 4.8L4.6 -3.4H-4.6z",  # triangle, point down
        "M-4 -4L4 4M-4 4L4 -4",  # cross
        "M0 -5V5M-5 0H5",  # plus
        "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",  # ring
    )
    kind = style % STYLES
    look = "mark open" if kind >= 5 else "mark hollow" if hollow else "mark"
    inner = f"<title>{text(note)}</title>" if note else ""
    place = f"translate({x:.2f} {y:.2f})"
    return f'<path class="{look} s{kind}" transform="{place}" d="{shapes[kind]}">{inner}</path>'


def dots(style: int, places: Iterable[tuple[float, float]], look: str = "mark") -> str:
    """Return small markers of a style as one path: hundreds of points stay a light page."""
    shapes = (
        "m-2.3 0a2.3 2.3 0 1 0 4.6 0a2.3 2.3 0 1 0-4.6 0z",
        "m-2.1-2.1h4.2v4.2h-4.2z",
        "m0-3l2.9 5h-5.8z",
        "m0-3.1l3.1 3.1l-3.1 3.1l-3.1-3.1z",
        "m0 3l2.9-5h-5.8z",
        "m-2.4-2.4l4.8 4.8m-4.8 0l4.8-4.8",
        "m0-3.1v6.2m-3.1-3.1h6.2",
        "m-2.3 0a2.3 2.3 0 1 0 4.6 0a2.3 2.3 0 1 0-4.6 0z",
    )  # circle, square, triangle, diamond, triangle, cross, plus, ring: as in `marker`
    kind = style % STYLES
    look += " open" if kind >= 5 else ""
    way = "".join(f"M{x:.1f} {y:.1f}{shapes[kind]}" for x, y in places)
    return f'<path class="{look} s{kind}" d="{way}"/>'


def fill(owner: str, style: int) -> str:
    """Return the fill of a style: plain for the first, stripes for the others."""
    return "currentColor" if style % STYLES == 0 else f"url(#{owner}-hatch-{style % STYLES})"


def hatches(owner: str, styles: Iterable[int]) -> str:
    """Return patterns of stripes, each style at its own angle and spacing."""
    parts = []
    for kind in sorted({style % STYLES for style in styles} - {0}):
        gap = 5 + 2 * (kind // 4)
        parts.append(
            f'<pattern id="{owner}-hatch-{kind}" patternUnits="userSpaceOnUse" width="{gap}" '
            f'height="{gap}" patternTransform="rotate({45 * kind})">'
            f'<path class="hatch s{kind}" d="M0 0V{gap}"/></pattern>'
        )
    return "".join(parts)
