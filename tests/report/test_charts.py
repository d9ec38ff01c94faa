from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from acclimate.exceptions import InputError
from acclimate.report.charts import (
    Bars,
    Point,
    Series,
    bar_chart,
    bar_key,
    interval_glyph,
    line_chart,
    line_key,
)
from acclimate.report.scales import Scale, linear_ticks, readable
from acclimate.report.svg import NARROW, STYLES, WIDE

HOSTILE = "</script><img src=x onerror=alert(1)>"


def lines(series, **changes):
    settings = {"chart_id": "c-1", "title": "T", "x_label": "labels", "y_label": "%"}
    return line_chart(series, **(settings | changes))


def bars(groups, sets, **changes):
    settings = {"chart_id": "c-1", "title": "T", "x_label": "labels", "y_label": "%"}
    return bar_chart(groups, sets, **(settings | changes))


def marks(svg):
    """Pixels of the markers, in the order drawn."""
    return [
        (float(x), float(y))
        for x, y in re.findall(r'class="mark[^"]*" transform="translate\((\S+) (\S+)\)"', svg)
    ]


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_points_land_on_their_pixels_on_a_log_axis(size):
    data = [(50.0, 40.0), (1000.0, 70.0), (60000.0, 90.0)]
    svg = lines([Series("a", [Point(*p) for p in data])], x_log=True,
                x_ticks=[50, 1000, 60000], size=size)  # fmt: skip
    # the value axis encloses 40 to 90 in steps of 10, the other one runs from 50 to 60000
    first, last = size.left + 10, size.width - size.right - 10
    base = size.height - size.bottom
    for (x, y), (px, py) in zip(data, marks(svg), strict=True):
        assert px == pytest.approx(
            first + (last - first) * math.log(x / 50) / math.log(60000 / 50), abs=0.006
        )
        assert py == pytest.approx(base - (base - size.top) * (y - 40) / 50, abs=0.006)


def test_points_land_on_their_pixels_on_a_linear_axis():
    svg = lines([Series("a", [Point(3, 0.2), Point(1, 0.1), Point(2, 0.3)])], x_ticks=[1, 2, 3])
    first, last = WIDE.left + 10, WIDE.width - WIDE.right - 10
    # drawn from left to right whatever the order given; ticks 0.1, 0.15 ... 0.3
    assert [x for x, _ in marks(svg)] == pytest.approx([first, (first + last) / 2, last], abs=0.006)
    base = WIDE.height - WIDE.bottom
    assert [y for _, y in marks(svg)] == pytest.approx(
        [base, WIDE.top, (base + WIDE.top) / 2], abs=0.006
    )


def test_band_goes_there_on_the_upper_bound_and_back_on_the_lower():
    svg = lines([Series("a", [Point(1, 5, 0, 10), Point(2, 5, 4, 6)])], x_ticks=[1, 2])
    path = re.search(r'class="band s0" d="M(.*?)z"', svg)
    assert path is not None
    got = [float(v) for pair in path[1].split("L") for v in pair.split()]
    first, last = WIDE.left + 10, WIDE.width - WIDE.right - 10
    base = WIDE.height - WIDE.bottom
    unit = (base - WIDE.top) / 10
    want = [first, WIDE.top, last, base - 6 * unit, last, base - 4 * unit, first, base]
    assert got == pytest.approx(want, abs=0.006)


def test_a_lone_interval_becomes_an_error_bar():
    svg = lines([Series("a", [Point(50, 5, 4, 6)])], x_log=True)
    assert "whisker" in svg
    assert "band" not in svg


@pytest.mark.parametrize(
    "series",
    [
        [],
        [Series("a", [])],
        [Series("a", [Point(math.nan, 1.0)])],
        [Series("a", [Point(1.0, math.inf)])],
        [Series("a", [Point(0.0, 1.0)])],
    ],
)
def test_nothing_to_draw_is_said(series):
    svg = lines(series, x_log=True)
    ET.fromstring(svg)
    assert "No figures to draw" in svg
    assert not marks(svg)


def test_what_cannot_be_placed_is_left_out_and_counted():
    series = Series("a", [Point(50, 1.0, math.nan, 2.0), Point(0, 2.0), Point(100, math.nan)])
    svg = lines([series], x_log=True)
    assert len(marks(svg)) == 1
    assert "2 points have no place" in svg
    assert "nan" not in svg.lower()


def test_one_point_sits_in_the_middle():
    svg = lines([Series("a", [Point(5, 7)])], x_ticks=[5])
    first, last = WIDE.left + 10, WIDE.width - WIDE.right - 10
    base = WIDE.height - WIDE.bottom
    assert marks(svg) == [((first + last) / 2, (base + WIDE.top) / 2)]


def test_series_differ_without_colour():
    keys = [line_key(style) for style in range(STYLES)]
    dashes = {re.search(r'stroke-dasharray="(.*?)"', key)[1] for key in keys}
    shapes = {re.search(r'(class="mark[^"]*?) s\d".* d="(.*?)"', key).groups() for key in keys}
    assert len(dashes) == len(shapes) == STYLES


def test_bars_start_at_zero_and_reach_their_value():
    svg = bars(["50", "100"], [Bars("a", [20, 40]), Bars("b", [30, None], 1)])
    root = ET.fromstring(svg)
    rects = list(root.iter("rect"))
    base = WIDE.height - WIDE.bottom
    unit = (base - WIDE.top) / 40
    got = [(float(r.get("y")), float(r.get("height"))) for r in rects]
    want = [(base - v * unit, v * unit) for v in (20, 30, 40)]
    for one, other in zip(got, want, strict=True):
        assert one == pytest.approx(other, abs=0.006)
    edges = [(float(r.get("x")), float(r.get("x")) + float(r.get("width"))) for r in rects]
    assert all(a[1] <= b[0] for a, b in pairwise(edges)), "bars overlap"
    assert rects[0].get("fill") != rects[1].get("fill")


def test_negative_bars_hang_from_zero():
    root = ET.fromstring(bars(["a"], [Bars("x", [-10.0])]))
    rect = next(root.iter("rect"))
    assert float(rect.get("y")) == pytest.approx(WIDE.top, abs=0.006)
    assert float(rect.get("height")) == pytest.approx(
        WIDE.height - WIDE.bottom - WIDE.top, abs=0.006
    )


def test_bars_without_values_and_with_too_few():
    assert "No figures to draw" in bars(["a"], [Bars("x", [None])])
    assert "No figures to draw" in bars([], [])
    with pytest.raises(InputError, match="2 values for 1 groups"):
        bars(["a"], [Bars("x", [1.0, 2.0])])


@pytest.mark.parametrize("chart_id", ["", "a b", 'a"b', "é"])
def test_an_id_that_would_break_the_page_is_refused(chart_id):
    with pytest.raises(InputError, match="cannot be an id"):
        lines([], chart_id=chart_id)


def test_hostile_text_stays_text_and_the_svg_is_well_formed():
    for svg in (
        lines([Series(HOSTILE, [Point(1, 2)])], title=HOSTILE, x_label=HOSTILE, y_label=HOSTILE),
        bars([HOSTILE], [Bars(HOSTILE, [1.0])], title=HOSTILE + "\x00\x1b"),
    ):
        root = ET.fromstring(svg)
        assert root.get("role") == "img"
        assert root.find("title").text == HOSTILE
        assert HOSTILE in root.find("desc").text
        assert "<img" not in svg


def test_every_chart_names_its_own_title_and_description():
    root = ET.fromstring(lines([Series("a", [Point(1, 2)])]))
    ids = {root.find("title").get("id"), root.find("desc").get("id")}
    assert set(root.get("aria-labelledby").split()) == ids


def test_the_description_speaks_the_figures():
    svg = lines([Series("copy", [Point(50, 51.26, 48, 54), Point(60000, 86.8)])], x_log=True)
    assert "copy: 51.3 (48 to 54) at 50, 86.8 at 60,000." in svg


@pytest.mark.parametrize(
    ("gain", "low", "high", "pixels"),
    [(0.05, 0.0, 0.1, (88.0, 60.0, 116.0)), (-0.5, -0.9, -0.1, (2.0, 2.0, 4.0))],
)
def test_glyph_puts_the_interval_against_zero(gain, low, high, pixels):
    root = ET.fromstring(interval_glyph(gain, low, high, limit=0.1))
    dot = float(root.find("circle").get("cx"))
    whisker = next(p for p in root.iter("path") if p.get("class") == "whisker").get("d")
    ends = re.match(r"M(\S+) 9H([\d.]+)", whisker)
    assert (dot, float(ends[1]), float(ends[2])) == pytest.approx(pixels, abs=0.006)


def test_keys_are_hidden_from_screen_readers_and_well_formed():
    for key in (line_key(3), bar_key(2, "k")):
        assert ET.fromstring(key).get("aria-hidden") == "true"


@pytest.mark.parametrize("low", [-3.7, 0.0, 0.061, 47.0])
@pytest.mark.parametrize("span", [1e-4, 0.3, 8.0, 12345.0])
def test_ticks_enclose_the_data_in_few_equal_steps(low, span):
    ticks = linear_ticks(low, low + span)
    steps = [b - a for a, b in pairwise(ticks)]
    assert ticks[0] <= low + 1e-9 * span
    assert ticks[-1] >= low + span * (1 - 1e-9)
    assert steps == pytest.approx([steps[0]] * len(steps), rel=1e-6)
    assert 2 <= len(ticks) <= 8


def test_scaling_the_data_scales_the_ticks():
    assert [10 * t for t in linear_ticks(0.47, 0.88)] == pytest.approx(linear_ticks(4.7, 8.8))


def test_a_log_scale_puts_the_geometric_mean_in_the_middle():
    assert Scale(50, 60000, 0, 100, log=True)(math.sqrt(50 * 60000)) == pytest.approx(50)


def test_kept_labels_do_not_touch():
    places, widths = [0, 27, 95, 122, 280], [14, 20, 20, 33, 40]
    kept = [k for k, keep in enumerate(readable(places, widths)) if keep]
    assert kept[-1] == 4
    for a, b in pairwise(kept):
        assert places[a] + widths[a] / 2 < places[b] - widths[b] / 2
