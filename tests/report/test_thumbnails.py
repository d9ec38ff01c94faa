"""Small copies of the pictures that are missed: the right ones, in one page, from nowhere else."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from acclimate.cli import stores
from acclimate.comparison.trials.store import Store
from acclimate.report import render_comparison
from acclimate.report.answer_view import answer_tables
from acclimate.report.compared import Compared
from acclimate.report.compared_answers import AnswersOf, AnswersShown, MissedRows
from acclimate.report.evaluation_page import render_evaluation
from acclimate.report.screen import rich_table
from acclimate.report.thumbnails import (
    SIDE,
    bytes_of,
    image_source,
    pictured,
    thumbnails,
    with_thumbnails,
)
from acclimate.report.view import View
from acclimate.report.view_page import render_fragment
from acclimate.tables import Table

HOSTILE = '"><img src=x onerror=alert(1)>'


def opened(text):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))).astype(int)


def missed(X, **more):
    rows = MissedRows(2, (3, 1), truth=("a", "b"), said=("b", "a"), confidence=(0.9, 0.7), **more)
    return pictured(rows, X)


def shown_of(rows):
    side = AnswersOf("model", "m.acclimate", ((1.0, 1.0), (1.0, 2.0)))
    return AnswersShown(classes=("a", HOSTILE), sides=(side,), missed=rows)


@pytest.mark.parametrize("shape", [(20, 30), (1, 20, 30), (3, 20, 30)])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_a_copy_looks_like_its_row(shape, kind):
    X = np.zeros((5, *shape), np.uint8)
    X[3] = 200
    X[3, ..., :15] = 40
    X = X if kind is np.uint8 else (X / 255).astype(kind)
    first, second = map(opened, missed(X).thumbnails)
    assert first.shape == ((20, 30, 3) if shape[0] == 3 else (20, 30))
    np.testing.assert_allclose(first[:, 2:13], 40, atol=4)
    np.testing.assert_allclose(first[:, 17:], 200, atol=4)
    assert second.max() < 4


def test_colours_are_in_their_place_and_large_pictures_become_small():
    X = np.zeros((2, 3, 50, 400), np.uint8)
    X[1, 0] = 250
    (copy,) = map(opened, thumbnails(X, [1]))
    assert copy.shape == (SIDE * 50 // 400, SIDE, 3)
    np.testing.assert_allclose(copy, np.broadcast_to([250, 0, 0], copy.shape), atol=4)


@pytest.mark.parametrize("X", [
    np.zeros((5, 4)), np.zeros((5, 4, 4), np.uint8), np.zeros((5, 2, 20, 20), np.uint8),
    np.full((5, 20, 20), 7.0), np.full((5, 20, 20), np.nan), [[1, 2]] * 5,
])  # fmt: skip
def test_rows_that_are_no_pictures_have_no_copies(X):
    assert thumbnails(X, [0, 1]) == ()
    assert not isinstance(X, np.ndarray) or bytes_of(X) is None
    assert missed(X).thumbnails == ()


def test_a_record_gives_a_page_pictures_and_nothing_else():
    assert image_source(HOSTILE) == image_source("https://example.org/x.png") == ""
    rows = missed(np.full((5, 20, 20), 90, np.uint8), ids=("x/1.png", HOSTILE), id_name="file")
    found = {
        "model": HOSTILE, "file": "rows", "rows": 5, "metric": "accuracy", "score": 0.6,
        "low": 0.2, "high": 0.9, "read": "5 pictures",
        "recall": [{"class": HOSTILE, "rows": 3, "score": 0.7, "low": 0.1, "high": 0.9,
                    "said": {"a": 1, HOSTILE: 2}}],
        "against": {"word": "helps", "sentence": HOSTILE},
    }  # fmt: skip
    page = render_evaluation(found, shown_of(rows))
    sources = re.findall(r'<img [^>]*src="([^"]*)"', page)
    assert sources == [image_source(one) for one in rows.thumbnails]
    assert HOSTILE not in page
    assert "x/1.png" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    bad = MissedRows(1, (0,), truth=("a",), said=("b",), confidence=(0.9,), thumbnails=(HOSTILE,))
    assert "<img" not in render_evaluation(found, shown_of(bad))


def test_the_report_of_a_comparison_and_a_notebook_show_them(comparisons):
    result = comparisons["labelled"]
    rows = missed(np.full((5, 20, 20), 90, np.uint8))
    found = Compared.from_dict(
        result | {"answers": Compared(answers=shown_of(rows)).to_dict()["answers"]}
    )
    assert found.answers.missed == rows
    assert render_comparison(found).count('<img class="thumbnail" src="data:image/jpeg;') == 2
    html = render_fragment(View(tuple(answer_tables(found)), "test"), 10, "elsewhere")
    assert html.count('<img src="data:image/jpeg;base64,') == 2
    none = Compared.from_dict(result | {
        "answers": {"classes": ["a", "b"], "missed": {"rows": 1, "positions": [1], "truth": ["a"],
                                                      "said": ["b"], "confidence": [0.5]}},
    })  # fmt: skip
    assert "<img" not in render_comparison(none)


def test_a_store_holds_the_copies_unless_no_rows_are_to_be_kept(tmp_path):
    X = np.full((5, 20, 20), 90, np.uint8)
    rows = MissedRows(2, (3, 1), truth=("a", "b"), said=("b", "a"), confidence=(0.9, 0.7))
    found = with_thumbnails(Compared(answers=shown_of(rows)), X)
    assert found.answers.missed == missed(X)
    assert with_thumbnails(Compared(), X) == Compared()
    table = Table(X, path=tmp_path, ids=np.array([f"x/{k}.png" for k in range(5)]))
    for no_rows, copies in ((False, 2), (True, 0)):
        path = tmp_path / f"{no_rows}.sqlite"
        with Store(path) as store:
            store.set_meta("comparison", found.to_dict())
        stores.name_rows(path, table, None, "as asked", no_rows=no_rows)
        kept = stores.read(path)[0].answers.missed
        assert kept.called()[1] == ["x/3.png", "x/1.png"]
        assert len(kept.thumbnails) == copies


def test_the_page_of_an_evaluation_fits_a_phone_and_asks_nobody(show):
    rows = missed(np.full((5, 20, 20), 90, np.uint8), ids=("W" * 200, "b"), id_name="file")
    found = {"model": "m", "file": "f", "rows": 5, "metric": "accuracy", "score": 0.6, "low": 0.2,
             "high": 0.9, "recall": []}  # fmt: skip
    page = show(render_evaluation(found, shown_of(rows)), 360, 740)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("img.thumbnail").count() == 2
    assert page.locator("img.thumbnail").first.evaluate("one => one.naturalWidth") == 20


@pytest.mark.parametrize("classes", [2, 12, 13, 20])
def test_confusion_fits_a_terminal(classes):
    names = tuple(f"long class name {k}" for k in range(classes))
    counts = np.random.default_rng(0).integers(0, 400 if classes > 18 else 40, (classes, classes))
    side = AnswersOf("model", "m", tuple(map(tuple, counts.astype(float).tolist())))
    (table,) = answer_tables(Compared(answers=AnswersShown(classes=names, sides=(side,))))
    file = io.StringIO()
    Console(file=file, width=80).print(rich_table(table))
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    off = counts - np.diag(np.diag(counts))
    if classes == 20:  # no room: what is confused most comes first
        assert table.heads == ("true class", "taken for", ">rows")
        true, said = np.unravel_index(off.argmax(), off.shape)
        assert [cell.text for cell in table.rows[0]] == [names[true], names[said], str(off.max())]
        return
    for row, said in zip(table.rows, counts.tolist(), strict=True):
        assert [cell.text.replace("·", "0") for cell in row[1:-1]] == [str(n) for n in said]
        seen = "".join(file.getvalue().split())  # a name may be folded, figures are not
        assert "".join(cell.text for cell in row[1:]).replace(" ", "") in seen
