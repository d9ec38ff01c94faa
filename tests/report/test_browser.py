"""The page in a real browser, without a network."""

from __future__ import annotations

import pytest

from acclimate.report import render_demo

HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def visit(show):
    """Open a result as a page."""
    return lambda result, *sizes, **settings: show(render_demo(result), *sizes, **settings)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(360, 740), (1440, 900)])
def test_verdicts_are_in_the_first_screen_and_nothing_is_wider(visit, demo, width, height, scheme):
    page = visit(demo, width, height, color_scheme=scheme)
    for case in range(2):
        box = page.locator(".card").nth(case).locator(".verdict").first.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_mode_is_dark(visit, demo):
    read = "getComputedStyle(document.body).backgroundColor"
    light = visit(demo, color_scheme="light").evaluate(read)
    dark = visit(demo, color_scheme="dark").evaluate(read)
    assert (light, dark) == ("rgb(248, 248, 246)", "rgb(19, 22, 25)")


def test_hostile_names_stay_text_and_do_not_widen_a_phone(visit, hostile_demo):
    long = "W" * 300
    hostile_demo["cases"][0]["arms"][0]["label"] += long
    hostile_demo["cases"][1]["title"] = long
    page = visit(hostile_demo, 360, 740)
    assert page.locator("img").count() == 0
    assert page.get_by_text(HOSTILE, exact=True).first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def column(page, number):
    cells = page.locator("table.sortable").first.locator(f"tbody tr > :nth-child({number})")
    return cells.evaluate_all("cells => cells.map(c => c.dataset.value)")


def test_a_table_sorts_by_click(visit, demo):
    page = visit(demo)
    table = page.locator("table.sortable").first
    head = table.locator("thead th").nth(3)
    rows = table.locator("tbody tr").count()
    assert head.get_attribute("aria-sort") is None
    head.get_by_role("button", name="Gain").click()
    gains = [float(v) for v in column(page, 4)]
    assert head.get_attribute("aria-sort") == "ascending"
    assert gains == sorted(gains)
    head.get_by_role("button").click()
    gains = [float(v) for v in column(page, 4)]
    assert head.get_attribute("aria-sort") == "descending"
    assert gains == sorted(gains, reverse=True)
    assert len(gains) == rows == len(demo["cases"][0]["verdicts"])


def test_a_table_sorts_by_keyboard_and_missing_figures_stay_last(visit, demo):
    page = visit(demo)
    table = page.locator("table.sortable").first
    button = table.locator("thead th").nth(6).get_by_role("button")
    for key, down in (("Enter", False), ("Space", True)):
        button.focus()
        page.keyboard.press(key)
        known = [float(v) for v in column(page, 7) if v]
        assert known == sorted(known, reverse=down)
        assert column(page, 7)[: len(known)] == [v for v in column(page, 7) if v]
    table.locator("thead th").nth(0).get_by_role("button").click()
    assert table.locator("th[aria-sort]").count() == 1


def test_the_first_tab_stop_skips_to_the_content(visit, demo):
    page = visit(demo)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.locator(".skip").bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_without_scripts_everything_is_there_and_no_button_is_dead(visit, demo):
    page = visit(demo, java_script_enabled=False)
    assert page.locator("button:visible").count() == 0
    assert page.locator(".chart:visible").count() == 8
    assert page.get_by_text("Every verdict").first.is_visible()


def test_one_of_the_two_sizes_of_a_chart_is_shown(visit, demo):
    page = visit(demo, 360, 740)
    assert page.locator(".chart:visible").count() == 8
    assert page.locator(".wide .chart:visible").count() == 0


def test_the_figures_can_be_saved(visit, demo, tmp_path):
    page = visit(demo)
    with page.expect_download() as found:
        page.get_by_role("button", name="Save the figures as JSON").click()
    assert found.value.suggested_filename == "figures.json"
