"""Results show themselves: a line, one screen, a notebook, a data frame, one offline page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from acclimate import Comparison, diagnose, verdict
from acclimate.diagnosis.drift import ColumnDrift
from acclimate.diagnosis.findings import Advice, Diagnosis, Finding
from acclimate.report.compared import CandidateRow, Compared
from acclimate.report.compared_parts import Gain, Part
from acclimate.report.comparison_page import render_comparison
from acclimate.transferability.probes import ProbeScore
from acclimate.transferability.ranked import Ranked, Ranking

HOSTILE = "</script><img src=x onerror=alert(1)>"
LONG = "W" * 300
KINDS = ("labelled", "unlabelled", "regression", "many", "diagnosis", "ranking", "verdict")


def many_candidates(found):
    """Return a comparison with a hundred candidates, fifty groups, and names that do not fit."""
    gain = Gain("helps", 0.1, 0.05, 0.15)
    rows = [CandidateRow(f"Method {k} {LONG if k % 3 == 0 else HOSTILE}", "M", status="done",
                         score=0.9, score_low=0.8, score_high=0.95, seconds=0.1 * k, peak_mb=k,
                         against_target_only=gain, pareto=True) for k in range(100)]  # fmt: skip
    rows += [CandidateRow(f"f{k}", status="failed", reason=f"no luck {LONG}") for k in range(30)]
    groups = [Part(f"group {k}", 10, 0.5, 0.6, 0.1, -0.1, 0.3) for k in range(50)]
    return replace(found, table=tuple(rows), groups=tuple(groups))


def many_columns():
    """Return a diagnosis of three hundred columns and forty findings."""
    columns = tuple(
        ColumnDrift(f"column {k} {HOSTILE}", "number", "shifted" if k < 200 else "same",
                    0.9 - k / 400, 0.1, 0.001, 0.0, 0.1)
        for k in range(300)
    )  # fmt: skip
    findings = tuple(
        Finding("values", f"Finding {k}: " + "many words " * 20, 0.9) for k in range(40)
    )
    advice = tuple(Advice(f"family {k}", k < 3, "For a long reason. " * 9) for k in range(7))
    return Diagnosis("shifted", 4000, 2000, 0.05, findings, advice, columns)


def ranking():
    """Return a ranking of thirty candidates, one of them useless."""
    probe = ProbeScore(0.8, 0.7, 0.9, (0.8, 0.8), 80, 20)
    ranked = tuple(
        Ranked(f"body {k} {HOSTILE}", 512, probe, probe, 0.1, 0.05, 0.15, k == 3,
               {"logme": 0.5, "h_score": 0.25})
        for k in range(30)
    )  # fmt: skip
    return Ranking(ranked, probe, "classification", 100, 0.95)


def hurt():
    """Return a verdict in which fifteen of thirty classes lose."""
    y = np.arange(3000) % 30
    names = {k: f"class {k} {HOSTILE}" for k in range(30)}
    worse = np.where(np.arange(3000) % 2 == 0, (y + 1) % 30, y)
    return verdict(y, [worse, worse], [y, y], class_names=names)


@pytest.fixture(params=KINDS)
def shown(request, comparisons):
    """Return one result of each kind, small and large."""
    made = {"diagnosis": many_columns, "ranking": ranking, "verdict": hurt}.get(request.param)
    if made is not None:
        return made()
    if request.param == "many":
        return Comparison(many_candidates(Compared.from_dict(comparisons["labelled"])))
    return Comparison(Compared.from_dict(comparisons[request.param]))


def words(html):
    """Return what a reader sees, without styles and scripts."""
    html = re.sub(r"<(style|script).*?</\1>", "", html, flags=re.S)
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", html).split()))


def test_print_fits_one_screen_and_repr_one_line(shown):
    lines = str(shown).split("\n")
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert lines[0].strip()
    assert "\n" not in repr(shown)
    assert repr(shown).startswith(f"<{type(shown).__name__}: ")
    assert len(repr(shown)) < 80


def test_print_says_how_much_more_there_is():
    text = str(many_columns())
    listed = len(re.findall(r"^\s*column \d+", text, re.M))
    assert f"... and {300 - listed} more columns, with to_frame() or report(path)" in text
    assert re.search(r"and \d+ more findings", text)


@pytest.mark.slow
def test_a_diagnosis_of_data_fits_and_says_the_worst_first(rng_sides):
    found = diagnose(*rng_sides)
    text = str(found)
    assert len(text) < 3500
    assert " ".join(found.findings[0].words.split()) in " ".join(text.split())
    assert found.word in text.split("\n")[0]


@pytest.fixture
def rng_sides():
    """Return two domains of 50 columns, a third of which moved."""
    rng = np.random.default_rng(0)
    X, Z = rng.normal(size=(200, 50)), rng.normal(size=(150, 50))
    return X, Z + np.where(np.arange(50) % 3 == 0, 1.0, 0.0)


def test_a_notebook_gets_text_without_scripts_ids_or_foreign_tags(shown):
    html = shown._repr_html_()
    tags = set(re.findall(r"<(\w+)", html))
    assert tags <= {"div", "style", "p", "ul", "li", "strong", "span", "table", "thead", "tbody",
                    "tr", "th", "td", "details", "summary"}  # fmt: skip
    assert not re.search(r"\bid=|https?:|@import|onerror=[^&]*>", re.sub("&[^;]+;", "&", html))
    style = html.split("<style>")[1].split("</style>")[0]
    assert all(line.startswith(".acclimate-view") for line in style.strip().split("\n"))
    assert words(html).split()[0] in str(shown)


def test_the_notebook_says_what_the_terminal_says(comparisons):
    found = Comparison(Compared.from_dict(comparisons["labelled"]))
    seen, printed = words(found._repr_html_()), str(found)
    assert found.recommendation.headline() in seen
    for row in found.details.table:
        assert row.candidate in seen
        assert f"{100 * row.score:.1f} %" in seen
        assert f"{100 * row.score:.1f} %" in printed
    for gain in found.details.verdicts:
        assert f"{gain.word} against {gain.reference}: {100 * gain.gain:+.1f} points" in seen
        assert f"{gain.word} against {gain.reference}: {100 * gain.gain:+.1f} points" in printed


def test_frames_have_a_row_for_each_thing_that_was_judged(comparisons):
    found = Comparison(Compared.from_dict(comparisons["labelled"]))
    frame = found.to_frame()
    assert frame["candidate"].tolist() == [row.candidate for row in found.details.table]
    assert frame["score"].tolist() == [row.score for row in found.details.table]
    gains = [getattr(row.against_source_only, "gain", None) for row in found.details.table]
    np.testing.assert_allclose(frame["against_source_only_gain"], np.array(gains, dtype=float))
    moved = many_columns().to_frame()["shift"]
    assert len(moved) == 300
    assert moved.is_monotonic_decreasing
    ranked = ranking().to_frame()
    assert ranked["scores_logme"].tolist() == [0.5] * 30
    assert ranked["useless"].sum() == 1
    (row,) = hurt().to_frame().to_dict("records")
    assert (row["word"], row["gain"], len(row["harmed_classes"])) == ("hurts", -0.5, 15)


def test_a_report_is_one_offline_file_with_its_figures(shown, tmp_path):
    path = shown.report(tmp_path / "new" / "report.html")
    html = path.read_text(encoding="utf-8")
    assert html.startswith("<!DOCTYPE html>")
    assert not re.search(r"https?:|@import|<img|<link rel=.stylesheet", html)
    figures = re.search(r'<script type="application/json" id="figures">(.*?)</script>', html, re.S)
    kept = json.loads(figures[1])
    want = json.loads(json.dumps(shown.to_dict()))
    assert kept == want
    assert len(re.findall(r"<h1", html)) == 1


def test_a_report_holds_every_row_of_every_table(tmp_path):
    html = many_columns().report(tmp_path / "d.html").read_text(encoding="utf-8")
    assert html.count('<th scope="row"') == 300
    assert html.count("<li>Finding") == 40


def test_the_report_of_a_comparison_takes_a_diagnosis(comparisons, tmp_path):
    found = Comparison(Compared.from_dict(comparisons["labelled"]))
    html = found.report(tmp_path / "c.html", diagnosis=many_columns()).read_text(encoding="utf-8")
    assert "What differs between source and target" in html
    assert "What differs" not in found.report(tmp_path / "d.html").read_text(encoding="utf-8")


# --- in a browser ---------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_views_are_no_wider_than_the_screen(show, shown, tmp_path, width, scheme):
    page = show(shown.report(tmp_path / "r.html").read_text(encoding="utf-8"), width,
                color_scheme=scheme)  # fmt: skip
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cell = '<!DOCTYPE html><meta name="viewport" content="width=device-width"><link rel="icon" '
    page = show(f'{cell}href="data:,"><body>{shown._repr_html_()}', width, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("method", ["Committee", "TargetOnly"])
def test_members_are_shown_where_they_answer_together(comparisons, method):
    members = [{"candidate": "Pooled/trees", "weight": 0.75}, {"candidate": "mine", "weight": 0.25}]
    advice = {"action": "not settled", "candidate": method, "method": method}
    found = Comparison(Compared.from_dict(
        comparisons["labelled"] | {"members": members, "recommendation": advice}
    ))  # fmt: skip
    texts = str(found), found._repr_html_(), render_comparison(found.details)
    assert all(("75 %" in text) == (method == "Committee") for text in texts)
    assert "its mean weight over the folds" in texts[-1]
