from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from acclimate.exceptions import InputError
from acclimate.report import render_demo

HOSTILE = "</script><img src=x onerror=alert(1)>"
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Collects what the tests ask about, and fails on a tag that is not balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        else:
            self.text.append(data)

    def named(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def test_tags_are_balanced_and_ids_unique(demo):
    page = Page(render_demo(demo))
    assert page.open == []
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in page.tags:
        for name in (attrs.get("aria-labelledby") or "").split():
            assert name in ids
        if (attrs.get("href") or "").startswith("#"):
            assert attrs["href"][1:] in ids


def test_nothing_is_asked_from_the_network(demo):
    html = render_demo(demo)
    for tag, attrs in Page(html).tags:
        assert tag not in {"iframe", "object", "embed", "img", "base"}
        for name, value in attrs.items():
            if name in {"src", "href", "srcset", "action", "poster", "data", "xlink:href"}:
                assert value.startswith(("#", "data:,")), (tag, name, value)
    assert "@import" not in html
    assert all(goal.startswith("#") for goal in re.findall(r"url\(([^)]*)\)", html))
    assert not re.search(r"https?:", html)


def test_the_policy_allows_this_script_alone(demo):
    page = Page(render_demo(demo))
    policy = next(m["content"] for m in page.named("meta") if "http-equiv" in m)
    digest = base64.b64encode(hashlib.sha256(page.scripts[-1].encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_hostile_text_stays_text(hostile_demo):
    hostile = Page(render_demo(hostile_demo))
    assert not hostile.named("img")
    assert len(hostile.named("script")) == 2
    assert not any(name.startswith("on") for _, attrs in hostile.tags for name in attrs)
    shown = "".join(hostile.text)
    assert shown.count(HOSTILE) >= 11


def test_hostile_text_adds_no_tag(demo, hostile_demo):
    counts = []
    for result in (demo, hostile_demo):
        result["cases"] = [result["cases"][0] | {"verdicts": []}]
        counts.append([tag for tag, _ in Page(render_demo(result)).tags])
    assert counts[0] == counts[1]


def test_the_page_carries_its_figures(hostile_demo):
    page = Page(render_demo(hostile_demo))
    assert json.loads(page.scripts[0]) == hostile_demo


def test_verdicts_come_before_everything_else(demo):
    html = render_demo(demo)
    first = html.index("verdict hurts")
    assert first < html.index("<nav")
    assert first < html.index('class="chart"')
    words = re.findall(r'<ul class="sums">(.*?)</ul>', html, re.S)
    assert "hurts" in words[0]
    assert "50, 100, 500 and 1,000 labels" in words[0]
    assert "helps" in words[1]
    assert "No other strategy that was tried helps" in html


def test_a_verdict_is_never_colour_alone(demo):
    html = render_demo(demo)
    chips = re.findall(r'<span class="verdict (\w+)">(.*?)\n?</span>(?=\W)', html)
    assert chips
    words = {"helps": "helps", "hurts": "hurts", "same": "no difference", "open": "not settled"}
    for look, inner in chips:
        assert words[look] in inner


def test_headings_descend_one_by_one(demo):
    levels = [int(tag[1]) for tag, _ in Page(render_demo(demo)).tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_tables_have_captions_and_scopes(demo):
    page = Page(render_demo(demo))
    assert len(page.named("caption")) == len(page.named("table")) > 0
    assert all(th.get("scope") in {"col", "row"} for th in page.named("th"))


def test_charts_are_named_images(demo):
    charts = [a for a in Page(render_demo(demo)).named("svg") if a.get("class") == "chart"]
    assert len(charts) == 2 * (5 + 3)  # wide and narrow; the second case has no learning curves
    assert all(a["role"] == "img" and a["aria-labelledby"] for a in charts)


def test_every_accuracy_is_in_the_table(demo):
    html = render_demo(demo)
    for case in demo["cases"]:
        for r in case["results"]:
            assert f'data-value="{r["mean"]}">{100 * r["mean"]:.1f}' in html


def test_the_end_says_how_to_run_it_again(demo):
    end = render_demo(demo).split('id="again"')[1]
    for need in ("acclimate demo --quick", "0.1.0", "2.13.0", "3.11.7", "x86_64", "<dt>Seed</dt>"):
        assert need in end


@pytest.mark.parametrize("missing", [None, []])
@pytest.mark.parametrize(
    "part", ["textbook", "arms", "sizes", "results", "verdicts", "probe", "findings", "network"]
)
def test_a_missing_part_leaves_its_section_out(demo, part, missing):
    demo["cases"][0][part] = missing
    assert Page(render_demo(demo)).open == []
    del demo["cases"][0][part]
    assert Page(render_demo(demo)).open == []


def test_figures_of_strategies_that_are_not_listed_are_still_shown(demo):
    listed = render_demo(demo)
    demo["cases"][0]["arms"] = []
    html = render_demo(demo)
    assert html.count("lp-ft") > listed.count("lp-ft")
    for r in demo["cases"][0]["results"]:
        assert f'data-value="{r["mean"]}"' in html


def test_bare_results_still_make_a_page():
    for bare in (
        {"schema": 1},
        {"schema": 1, "machine": None, "seconds": None, "cases": [{}]},
        {"schema": 1, "cases": [{"verdicts": [{"word": "helps"}], "probe": [{}], "arms": [{}]}]},
    ):
        html = render_demo(bare)
        assert Page(html).open == []
        assert "None" not in html


def test_missing_figures_are_dashes_and_never_nan(demo):
    case = demo["cases"][0]
    case["results"][0]["mean"] = float("nan")
    case["results"][1]["low"] = None
    case["verdicts"][0] |= {"gain": None, "low": float("nan"), "high": float("inf")}
    case["probe"][0]["source_body"] = None
    html = render_demo(demo)
    assert Page(html).open == []
    assert not re.search(r"\bnan\b|\binf\b|NaN\b(?!\()", html.split("<script")[0], re.I)
    json.loads(Page(html).scripts[0], parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([], "mapping, got list"),
        ({"schema": 2}, "schema 2 of this demo result"),
        ({}, "schema None"),
        ({"schema": 1, "cases": "abc"}, "list of mappings"),
        ({"schema": 1, "cases": {"a": 1}}, "list of mappings"),
    ],
)
def test_a_result_that_is_none_gets_one_clear_error(wrong, message):
    with pytest.raises(InputError, match=message):
        render_demo(wrong)
