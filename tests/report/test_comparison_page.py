"""The page of a comparison: its HTML, and the page in a real browser without a network."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from acclimate.exceptions import InputError
from acclimate.report import render_comparison
from acclimate.report.compared import Compared
from acclimate.report.comparison_figures import cost, features, styles_of, training
from acclimate.report.scales import fine_log_ticks
from acclimate.report.scatter import Mark, Marks, scatter_chart
from acclimate.report.svg import WIDE
from acclimate.report.wording import points

HOSTILE = "</script><img src=x onerror=alert(1)>"
VOID = {"meta", "link", "br", "img", "hr", "input"}
KINDS = ("labelled", "unlabelled", "regression")


class Page(HTMLParser):
    """Collects tags, text and scripts, and fails on a tag that is not balanced."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.text, self.scripts = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        (self.scripts if self.open and self.open[-1] == "script" else self.text).append(data)

    def named(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(params=[*KINDS, "everything"])
def result(request, comparisons, everything):
    return everything if request.param == "everything" else comparisons[request.param]


def test_tags_are_balanced_ids_unique_and_headings_in_order(result, comparisons):
    page = Page(render_comparison(result, diagnosis=comparisons["diagnosis"]))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in page.tags:
        assert set((attrs.get("aria-labelledby") or "").split()) <= set(ids)
        if (attrs.get("href") or "").startswith("#"):
            assert attrs["href"][1:] in ids
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(b <= a + 1 for a, b in pairwise(levels))
    assert len(page.named("caption")) == len(page.named("table")) > 0
    assert all(th.get("scope") in {"col", "row"} for th in page.named("th"))
    assert len(page.named("img")) == 0


def test_nothing_is_asked_from_the_network(result, comparisons):
    html = render_comparison(result, diagnosis=comparisons["diagnosis"])
    for tag, attrs in Page(html).tags:
        assert tag not in {"iframe", "object", "embed", "img", "base"}
        for name, value in attrs.items():
            if name in {"src", "href", "srcset", "action", "poster", "data", "xlink:href"}:
                assert value.startswith(("#", "data:,")), (tag, name, value)
    assert not re.search(r"https?:|@import", html)


def test_the_page_carries_its_figures_and_the_diagnosis(result, comparisons):
    page = Page(render_comparison(result, diagnosis=comparisons["diagnosis"]))
    assert json.loads(page.scripts[0]) == result | {"diagnosis": comparisons["diagnosis"]}


def test_recommendation_and_verdicts_come_before_everything_else(result):
    html = render_comparison(result)
    first = html.index("<nav")
    top = html[:first]
    assert f"use {result['recommendation']['candidate']}" in top
    told = result["verdicts"] or [result["estimated"]]
    for verdict in told:
        assert verdict["word"] in top
        assert f"<strong>{points(verdict['gain'])}</strong>" in top
        assert f"{points(verdict['low'])} to {points(verdict['high'])}" in top
    assert first < html.index('class="chart"')


def test_every_candidate_is_in_the_table_with_its_figures(result):
    html = render_comparison(result)
    body = html.split('id="candidates-caption"')[1].split("</table>")[0]
    rows = body.split("<tbody>")[1].split("</tr>")[:-1]
    assert len(rows) == len(result["table"])
    for row, text in zip(result["table"], rows, strict=True):
        assert f"<strong>{row['candidate']}</strong>" in text
        score = row["score"] if row["score"] is not None else row["rank_score"]
        if score is not None:
            assert f'data-value="{score}"' in text
        if row["status"] != "done":
            assert row["reason"] in text
        assert ("recommended</span>" in text) == row["recommended"]


def test_a_reference_is_not_held_against_itself(comparisons):
    html = render_comparison(comparisons["labelled"])
    rows = html.split('id="candidates-caption"')[1].split("<tbody>")[1].split("</tr>")
    own = next(row for row in rows if "<strong>TargetOnly</strong>" in row)
    assert own.count('class="verdict') == 1, "against SourceOnly alone"


def test_scores_of_a_regression_are_no_percentages(comparisons):
    html = render_comparison(comparisons["regression"])
    best = comparisons["regression"]["table"][0]
    assert f">{best['score']:.3f}<" in html
    assert "Calibration" not in html
    assert "Who loses" not in html


def test_without_labels_it_is_called_an_estimate_and_says_what_to_label(comparisons):
    result = comparisons["unlabelled"]
    html = render_comparison(result)
    assert ">The estimate<" in html
    assert "The verdict<" not in html
    section = html.split('id="without-labels"')[1]
    assert result["estimated"]["note"] in section
    shown = re.search(r"<code>([\d, ]+) and (\d+) more", section)
    places = [int(p) for p in shown[1].split(",")]
    assert places == result["to_label"]["positions"][: len(places)]
    assert len(places) + int(shown[2]) == len(result["to_label"]["positions"])


def test_harm_is_said_in_the_first_screen_and_in_its_section(everything):
    html = render_comparison(everything)
    top, rest = html.split("<nav", 1)
    assert "Classes that lose against TargetOnly" in top
    assert f"ill {points(-0.031)}" in top
    assert "loses</span>" in rest
    assert "By group" in rest


def test_what_is_needed_to_run_it_again_is_at_the_end(everything):
    end = render_comparison(everything).split('id="again"')[1]
    run = everything["run"]
    assert "<dt>Source file</dt><dd>here.csv</dd>" in end
    for need in (run["command"], "StandardScaler", "9f2c4a6e", "numpy 2.4.0", run["created"],
                 f"acclimate {everything['version']}", "<dt>Seed</dt><dd>0</dd>"):  # fmt: skip
        assert need in end
    assert "it trains a network" in render_comparison(everything)


def test_training_has_losses_discriminator_and_distance(everything):
    (run,) = training(Compared.from_dict(everything))
    titles = [chart["title"] for chart in run["charts"]]
    assert titles == ["Losses", "Discriminator accuracy", "Proxy A-distance"]
    described = ET.fromstring(run["charts"][2]["wide"]).find("desc").text
    assert "1.2 at 1, 0.8 at 2, 0.4 at 3" in described
    losses = ET.fromstring(run["charts"][0]["wide"]).find("desc").text
    assert "task: 1 at 1, 0.5 at 2, 0.333 at 3." in losses
    assert "step" not in losses


def test_the_epoch_whose_weights_were_kept_is_marked_and_said(everything):
    run = everything["training"][0]
    del run["note"]
    run |= {"best_epoch": 2, "stopped": "patience", "fits": 18}
    (shown,) = training(Compared.from_dict(everything))
    assert "after epoch 2 of 3 were kept" in shown["note"]
    assert "no longer rose" in shown["note"]
    assert "first of its 18 fits" in shown["note"]
    for chart in shown["charts"]:
        for name in ("wide", "narrow"):
            drawn = ET.fromstring(chart[name])
            (flag,) = [p for p in drawn.iter("path") if p.get("class") == "flag"]
            at = float(re.match(r"M(\S+) ", flag.get("d"))[1])
            marks = [p.get("transform") for p in drawn.iter("path")
                     if "mark" in p.get("class", "")]  # fmt: skip
            assert any(m.startswith(f"translate({at:.2f} ") for m in marks), "on its epoch"
            assert drawn.find("desc").text.endswith("Kept: 2.")
    run |= {"best_epoch": 0, "stopped": "done", "fits": 1}
    assert training(Compared.from_dict(everything))[0]["note"] == (
        "No epoch scored better than the start, so the weights before the first step were kept."
    )


def test_a_long_training_is_told_in_a_few_figures(everything):
    run = everything["training"][0]
    run["epochs"] = [{"step": k, "task": abs(k - 70) / 100} for k in range(1, 101)]
    (chart,) = training(Compared.from_dict(everything))[0]["charts"]
    drawn = ET.fromstring(chart["wide"])
    told = drawn.find("desc").text
    assert "task: from 0.69 at 1, to 0.3 at 100, lowest 0 at 70, highest 0.69 at 1." in told
    marks = [p for p in drawn.iter("path") if "mark" in p.get("class", "")]
    assert 10 <= len(marks) <= 30
    (line,) = [p for p in drawn.iter("path") if "line" in p.get("class", "").split()]
    assert line.get("d").count("L") == 99


def test_classes_have_one_look_in_every_picture_and_targets_are_hollow(everything):
    everything["features"] = [
        {"title": title, "source": [[0, 0], [1, 1]], "target": [[2, 2]], "share": 0.625, "width": 9,
         "source_classes": ["ill", "well"], "target_classes": [guess], "predicted_by": "CORAL"}
        for title, guess in (("Before", "well"), ("After", "ill"))
    ]  # fmt: skip
    charts = features(Compared.from_dict(everything))
    assert [c["title"] for c in charts] == [
        "Before",
        "Before, by class",
        "After",
        "After, by class",
    ]
    assert "hold 62 % of the variance of 9 features" in charts[0]["note"]
    assert "what CORAL predicts" in charts[1]["note"]
    for chart, guess in ((charts[1], "well"), (charts[3], "ill")):
        assert [key["label"] for key in chart["legend"]] == ["Ill", "Well"]
        drawn = ET.fromstring(chart["wide"])
        told = drawn.find("desc").text
        assert f"{guess}, target: 1 points." in told
        looks = [p.get("class") for p in drawn.iter("path") if "mark" in p.get("class", "")]
        style = {"ill": "s0", "well": "s1"}[guess]
        assert sorted(looks) == sorted(["mark s0", "mark s1", f"mark hollow {style}"])


def test_more_classes_than_styles_share_the_last(everything):
    names = [str(k) for k in range(12)]
    everything["features"] = [{
        "title": "t", "source": [[k, k] for k in range(24)], "source_classes": names * 2,
        "target": [[0, 1]], "target_classes": ["11"],
    }]  # fmt: skip
    chart = features(Compared.from_dict(everything))[1]
    assert len(chart["legend"]) == 8
    assert chart["legend"][-1]["label"] == "Other classes"
    told = ET.fromstring(chart["wide"]).find("desc").text
    assert sum(int(n) for n in re.findall(r"(\d+) points", told)) == 25


def test_points_of_a_picture_lie_on_their_pixels():
    sets = [Marks("a", [Mark(0, 0), Mark(10, 100)]), Marks("b", [Mark(5, 50)], 1, hollow=True)]
    drawn = ET.fromstring(
        scatter_chart(sets, chart_id="m", title="T", x_label="x", y_label="y", many=True)
    )
    ways = {p.get("class"): p.get("d") for p in drawn.iter("path") if "mark" in p.get("class", "")}
    left, right = WIDE.left + 10, WIDE.width - WIDE.right - 10
    base = WIDE.height - WIDE.bottom
    places = [tuple(map(float, m)) for m in re.findall(r"M(\S+) ([\d.]+)m", ways["mark s0"])]
    assert places == [(left, base), (right, WIDE.top)]
    middle = re.match(r"M(\S+) ([\d.]+)m", ways["mark hollow s1"])
    assert float(middle[1]) == pytest.approx((left + right) / 2, abs=0.1)
    assert float(middle[2]) == pytest.approx((base + WIDE.top) / 2, abs=0.1)


def test_features_of_another_than_the_recommended_candidate_are_said_to_be(everything):
    everything["features"][0]["candidate"] = "DANN"
    assert "These are those of DANN" in render_comparison(everything)
    everything["features"][0]["candidate"] = everything["recommendation"]["candidate"]
    assert "These are those of" not in render_comparison(everything)


def test_what_nothing_beats_has_a_table_with_its_costs(comparisons):
    result = comparisons["labelled"]
    for k, row in enumerate(result["table"]):
        row |= {"pareto": k < 2, "peak_mb": 0.25 if k else 12.4}
    html = render_comparison(result)
    body = html.split('id="pareto-caption"')[1].split("</table>")[0]
    rows = body.split("<tbody>")[1].split("</tr>")[:-1]
    assert len(rows) == 2
    for row, text, memory in zip(result["table"], rows, ("12 MB", "&lt; 1 MB"), strict=False):
        assert row["candidate"] in text
        assert f'data-value="{row["score"]}"' in text
        assert memory in text or memory.replace("&lt;", "<") in text


def test_rows_to_label_are_called_as_a_person_finds_them(comparisons):
    result = comparisons["unlabelled"]
    label = result["to_label"]
    label |= {"file_rows": [p + 2 for p in label["positions"]],
              "file_rows_counted": "as a spreadsheet counts: row 1 is the header"}  # fmt: skip
    html = render_comparison(result)
    assert "Rows of the target, counted as a spreadsheet counts" in html
    assert f"<code>{label['positions'][0] + 2}, " in html
    label |= {"ids": [f"t-{p}" for p in label["positions"]], "id_name": "patient"}
    html = render_comparison(result)
    assert "Rows of the target, by patient:" in html
    assert f"<code>t-{label['positions'][0]}, " in html


def test_features_are_drawn_by_domain(everything):
    (chart,) = features(Compared.from_dict(everything))
    described = ET.fromstring(chart["wide"]).find("desc").text
    assert "source: 2 points. target: 1 points." in described


def test_the_recommended_candidate_has_the_first_style_and_its_name_in_the_picture(comparisons):
    result = comparisons["labelled"]
    name = result["recommendation"]["candidate"]
    assert styles_of(Compared.from_dict(result))[name] == 0
    chart = cost(Compared.from_dict(result))
    drawn = ET.fromstring(chart["wide"])
    texts = [t.text for t in drawn.iter("text")]
    assert name in texts
    assert len([p for p in drawn.iter("path") if "mark" in p.get("class", "")]) == len(
        [row for row in result["table"] if row["seconds"] is not None]
    )


def test_a_scatter_puts_points_on_their_pixels_and_no_two_names_touch():
    marks = [Mark(0.1, 50, "here"), Mark(10, 90, "there", 80, 95), Mark(10, 90.1, "beside")]
    svg = scatter_chart(
        [Marks("all", marks, named=True)], chart_id="s", title="T", x_label="s", y_label="%",
        x_log=True,
    )  # fmt: skip
    found = re.findall(r'class="mark[^"]*" transform="translate\((\S+) (\S+)\)"', svg)
    left, right = WIDE.left + 10, WIDE.width - WIDE.right - 10
    base = WIDE.height - WIDE.bottom
    ticks = (50, 100)
    for mark, (x, y) in zip(marks, found, strict=True):
        assert float(x) == pytest.approx(
            left + (right - left) * math.log10(mark.x / 0.1) / 2, abs=1
        )
        share = (mark.y - ticks[0]) / (ticks[1] - ticks[0])
        assert float(y) == pytest.approx(base - (base - WIDE.top) * share, abs=0.01)
    names = re.findall(r'class="value"[^>]*>(\w+)<', svg)
    assert names == ["here", "there"], "the third would lie on the second"
    assert "there 90 (80 to 95) at 10" in svg


@pytest.mark.parametrize(("low", "high"), [(0.018, 0.06), (1.0, 1.0), (0.003, 700.0), (20, 45)])
def test_log_ticks_enclose_the_data(low, high):
    ticks = fine_log_ticks(low, high)
    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert 2 <= len(ticks) <= 8
    assert ticks == sorted(set(ticks))


@pytest.mark.parametrize("part", [
    "verdicts", "table", "classes", "groups", "calibration", "label_curve", "pareto", "excluded",
    "trials", "budget", "design", "source", "target", "store", "recommendation", "sentence",
    "estimated", "to_label", "margin", "confidence", "version", "training", "features", "run",
])  # fmt: skip
def test_a_missing_part_leaves_its_section_out(everything, part):
    for result in (everything | {part: None}, {k: v for k, v in everything.items() if k != part}):
        text = " ".join(Page(render_comparison(result)).text)
        assert "None" not in text


def test_missing_figures_are_dashes_and_never_nan(everything):
    everything["table"][0] |= {"score": math.nan, "seconds": None, "peak_mb": math.inf}
    everything["verdicts"][0] |= {"gain": None, "low": math.nan}
    everything["classes"][0] |= {"gain": None, "low": None, "reference": math.nan}
    everything["label_curve"][0]["score"] = None
    html = render_comparison(everything)
    assert not re.search(r"\bnan\b|\binf\b", html.split("<script")[0], re.I)
    json.loads(Page(html).scripts[0], parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([], "mapping, got list"),
        ({"schema": 2, "kind": "comparison"}, "schema 2"),
        ({"schema": 1}, "kind None"),
    ],
)
def test_what_is_no_comparison_gets_one_clear_error(wrong, message):
    with pytest.raises(InputError, match=message):
        render_comparison(wrong)


def test_hostile_text_adds_no_tag(everything, hostile):
    found = Page(render_comparison(hostile))
    assert len(found.named("script")) == 2
    assert not found.named("img")
    assert not any(name.startswith("on") for _, attrs in found.tags for name in attrs)
    assert "".join(found.text).count(HOSTILE) >= 20


# --- in a browser ---------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(360, 740), (1440, 900)])
def test_the_verdict_is_in_the_first_screen_and_nothing_is_wider(
    show, result, width, height, scheme
):
    page = show(render_comparison(result), width, height, color_scheme=scheme)
    for part in (page.locator("h1"), page.locator(".lead .verdict").first):
        box = part.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    card, table = (page.locator(part).bounding_box() for part in (".lead", ".lead .glance"))
    assert table["x"] + table["width"] <= card["x"] + card["width"], "the table leaves its card"
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_names_stay_text_and_do_not_widen_a_phone(show, hostile):
    hostile["classes"][0]["name"] += "W" * 300
    hostile["recommendation"]["candidate"] += "W" * 300
    page = show(render_comparison(hostile), 360, 740)
    assert page.locator("img").count() == 0
    assert page.locator("#harm tbody th").first.inner_text().startswith(HOSTILE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_table_sorts_and_what_failed_stays_last(show, everything):
    page = show(render_comparison(everything))
    table = page.locator("#candidates table.sortable")
    for column, name in ((2, "Accuracy"), (5, "Time")):
        head = table.locator("thead th").nth(column - 1)
        for direction in ("ascending", "descending"):
            head.get_by_role("button", name=name).press("Enter")
            assert head.get_attribute("aria-sort") == direction
            cells = table.locator(f"tbody tr > :nth-child({column})")
            values = cells.evaluate_all("cells => cells.map(c => c.dataset.value)")
            known = [float(v) for v in values if v]
            assert known == sorted(known, reverse=direction == "descending")
            assert values[-2:] == ["", ""]
            assert len(values) == len(everything["table"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_points_and_the_flag_can_be_told_from_the_page(show, everything, scheme):
    everything["training"][0]["best_epoch"] = 2
    everything["features"][0] |= {"source_classes": ["a", "b"], "target_classes": ["a", "b"]}
    page = show(render_comparison(everything), 360, 740, color_scheme=scheme)
    look = "e => [getComputedStyle(e).fill, getComputedStyle(e).stroke]"
    read = page.locator("#features .narrow").last
    solid = read.locator(".mark.s0:not(.hollow)").first.evaluate(look)
    hollow = read.locator(".mark.s0.hollow").first.evaluate(look)
    assert (hollow[0], hollow[1]) == ("none", solid[0])
    card = page.locator("figure").first.evaluate("e => getComputedStyle(e).backgroundColor")
    assert card not in (solid[0], page.locator(".narrow .flag").first.evaluate(look)[1])
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_scripts_everything_is_there(show, everything):
    page = show(render_comparison(everything), java_script_enabled=False)
    assert page.locator("button:visible").count() == 0
    assert page.locator(".chart:visible").count() == 7
    assert page.get_by_text("Every candidate").first.is_visible()


def test_the_first_tab_stop_skips_to_the_content(show, comparisons):
    page = show(render_comparison(comparisons["labelled"]))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
