"""What the page and a notebook show of answers."""

from __future__ import annotations

import re

import pytest

from acclimate import Comparison
from acclimate.report import render_comparison
from acclimate.report.answer_figures import curves
from acclimate.report.compared import Compared

HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def answered(comparisons):
    """Return a labelled comparison with answers of two classes and with importance."""
    result = comparisons["labelled"]
    sides = [
        {
            "who": who, "candidate": name, "confusion": [[30.0, 4.5], [7.0, 12.0]],
            "roc": [[0, 0], [0.1, 0.6], [1, 1]],
            "precision_recall": [[0, 1], [0.5, 0.8], [0.5, 0.6], [1, 0.4]],
            "auc": 0.75, "average_precision": 0.7,
        }
        for who, name in (("chosen", "CORAL"), ("reference", "TargetOnly"))
    ]  # fmt: skip
    result["answers"] = {
        "classes": ["well", "ill"], "positive": "ill", "share": 0.355, "sides": sides,
        "missed": {
            "rows": 3, "positions": [4, 9], "truth": ["ill", "well"], "said": ["well", "ill"],
            "reference_said": ["well", "ill"], "confidence": [0.9, None],
            "reference_confidence": [0.8, None],
        },
    }  # fmt: skip
    result["constant"] = 0.642
    result["importance"] = {
        "held_out": True, "target_rows": 50, "source_rows": 80,
        "columns": [{"column": "age", "target": 0.12, "target_spread": 0.01, "source": -0.001,
                     "source_spread": 0.002}],
    }  # fmt: skip
    return result


@pytest.fixture
def valued(comparisons):
    """Return a comparison of a regression with residuals."""
    result = comparisons["regression"]
    result["answers"] = {
        "sides": [
            {"who": who, "candidate": who, "residuals": [[1.0, 0.5], [2.0, -0.5]], "error": 0.5}
            for who in ("chosen", "reference")
        ],
        "missed": {"rows": 1, "positions": [3], "truth": [1.5], "said": [1.0],
                   "reference_said": [0.9], "confidence": [None], "reference_confidence": [None]},
    }  # fmt: skip
    return result


def test_matrices_rows_and_importance_are_in_the_page(answered):
    html = render_comparison(answered)
    section = html.split('<section id="answers"')[1].split("</section>")[0]
    assert section.count('class="confusion"') == 2
    assert re.findall(r'class="number (right|wrong)" style="--share: ([\d.]+)%"', section)[:4] == [
        ("right", "87.0"), ("wrong", "13.0"), ("wrong", "36.8"), ("right", "63.2"),
    ]  # fmt: skip
    assert ">4.5<" in section
    assert "There are 3; these are the surest mistakes" in section
    assert '<tr><th scope="row">4</th><td>ill</td><td>well, 90 %</td><td>well, 80 %</td>' in section
    assert "Rows of the target, counted from 0." in section
    section = html.split('<section id="importance"')[1].split("</section>")[0]
    assert "+12.0 ± 1.0" in section
    assert "The target rows trained nothing." in section
    answered["importance"]["held_out"] = False
    assert "These rows trained the model" in render_comparison(answered)


def test_rows_have_the_names_of_their_file(answered):
    answered["answers"]["missed"] |= {
        "ids": ["p-4", "p-9"], "id_name": "patient", "file_rows": [6, 11],
    }  # fmt: skip
    html = render_comparison(answered)
    assert "Rows of the target, by patient." in html
    assert '<th scope="row">p-9</th>' in html


def test_the_curves_are_drawn_with_their_areas(answered):
    roc, both = curves(Compared.from_dict(answered))
    assert [key["label"] for key in roc["legend"]] == [
        "CORAL (picked): area 0.750", "TargetOnly (reference): area 0.750", "By chance",
    ]  # fmt: skip
    assert "CORAL (picked): area 0.750: 0 at 0, 60 at 10, 100 at 100." in roc["wide"]
    assert "mark" not in roc["wide"], "a curve of many steps has no markers"
    assert "mean precision 0.700: 100 at 0, 80 at 50, 40 at 100." in both["wide"]
    assert "By chance: 35.5 at 0, 35.5 at 100.".lower() in both["wide"].lower()


def test_residuals_and_the_largest_errors_are_those_of_values(valued):
    html = render_comparison(valued)
    (chart,) = curves(Compared.from_dict(valued))
    assert chart["title"] == "Residuals"
    assert "The largest errors of both" in html
    assert 'class="confusion"' not in html
    assert '1.5</td><td class="number">1</td><td class="number">0.9</td>' in html


def test_the_line_below_the_unbeaten_says_who_is_left_out(answered):
    scores = [row["score"] for row in answered["table"]]
    answered["constant"] = sorted(scores)[1]
    html = render_comparison(answered)
    assert "2 candidates do no better and are left out here." in html
    answered["constant"] = min(scores) - 0.01
    assert "every candidate does better." in render_comparison(answered)
    answered["constant"] = None
    assert "Always the same answer" not in render_comparison(answered)


@pytest.mark.parametrize("part", ["sides", "missed", "classes", "positive", "share"])
def test_a_missing_part_of_the_answers_is_left_out(answered, part):
    answered["answers"][part] = None
    html = render_comparison(answered)
    assert "None" not in re.sub(r"<script.*?</script>|<style.*?</style>", "", html, flags=re.S)
    Comparison(Compared.from_dict(answered))._repr_html_()


def test_a_notebook_folds_the_answers_away(answered):
    html = Comparison(Compared.from_dict(answered))._repr_html_()
    for title in ("CORAL (picked), rows of each true class", "Areas under the curves, of ill",
                  "Rows that both miss (3), counted from 0"):  # fmt: skip
        assert f"<summary>{title}" in html


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1440, "dark")])
@pytest.mark.parametrize("kind", ["classes", "values", "hostile"])
def test_nothing_is_wider_than_the_screen_and_hostile_text_stays_text(
    show, answered, valued, kind, width, scheme
):
    if kind == "hostile":
        answered["answers"] |= {"classes": [HOSTILE + "W" * 200, "ill"], "positive": HOSTILE}
        answered["answers"]["sides"][0]["candidate"] = HOSTILE
        answered["answers"]["missed"]["truth"][0] = HOSTILE
        answered["importance"]["columns"][0]["column"] = HOSTILE
    html = render_comparison(valued if kind == "values" else answered)
    page = show(html, width, 900, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("img").count() == 0
    if kind != "values":
        look = "e => getComputedStyle(e).backgroundColor"
        right, wrong = (page.locator(f".confusion .{one}").first for one in ("right", "wrong"))
        assert right.evaluate(look) != wrong.evaluate(look) != "rgba(0, 0, 0, 0)"


def test_a_class_without_a_labelled_row_has_no_recall(answered):
    answered["answers"]["sides"][0]["confusion"] = [[30.0, 4.5], [0.0, 0.0]]
    section = render_comparison(answered).split('<section id="answers"')[1].split("</table>")[0]
    assert section.split("<tr>")[-1].endswith(
        '<td class="number">–</td></tr>\n      </tbody>\n    '
    )
    assert "nan" not in section
