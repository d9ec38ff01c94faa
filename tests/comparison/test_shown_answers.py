"""What answers look like, against scikit-learn and plain loops."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import (
    auc,
    average_precision_score,
    confusion_matrix,
    mean_squared_error,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from acclimate import Comparison, Domain, compare
from acclimate.comparison import shown_answers as module
from acclimate.comparison.design import Design, make_design
from acclimate.comparison.shown_answers import AnswersShown, Side, shown_answers
from acclimate.exceptions import AcclimateError, InputError
from acclimate.judging.importance import falls
from acclimate.report.compared import Compared


def _design(y: np.ndarray, weights: np.ndarray | None = None) -> Design:
    return make_design(
        y, np.arange(len(y)) + 7, classify=y.dtype.kind != "f", folds=4, repeats=2, seed=0,
        weights=weights,
    )  # fmt: skip


def _side(who: str, y: np.ndarray, k: int, seed: int, right: float = 2.0) -> Side:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(2, len(y), k))
    logits[:, np.arange(len(y)), y] += right
    proba = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    return Side(who, who.upper(), proba.argmax(axis=-1), proba)


def _labels(m: int, k: int) -> np.ndarray:
    return np.concatenate([np.arange(m) % k, np.zeros(m // 2, dtype=int)])


def _shown(
    y: np.ndarray, k: int, weights: np.ndarray | None = None
) -> tuple[AnswersShown, Side, Side]:
    sides = _side("chosen", y, k, 1), _side("reference", y, k, 2, 1.0)
    names = {c: f"class {c}" for c in range(k)}
    return shown_answers(_design(y, weights), sides, np.arange(k), names), *sides


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [2, 4])
def test_confusion_and_areas_are_those_of_scikit_learn(k: int, weighted: bool) -> None:
    y = _labels(80, k)
    w = np.random.default_rng(3).uniform(0.5, 1.5, len(y)) if weighted else np.ones(len(y))
    shown, *sides = _shown(y, k, w if weighted else None)
    twice, both = np.tile(y, 2), np.tile(w, 2)
    for found, side in zip(shown.sides, sides, strict=True):
        assert (found.who, found.candidate) == (side.who, side.candidate)
        flat = side.answers.ravel()
        expected = confusion_matrix(twice, flat, sample_weight=both) / 2
        np.testing.assert_allclose(found.confusion, expected, atol=1e-6)
        scores = side.proba.reshape(-1, k)
        areas = [roc_auc_score(twice == c, scores[:, c], sample_weight=both) for c in range(k)]
        if k > 2:
            assert found.auc == pytest.approx(np.mean(areas))
            assert (found.average_precision, found.precision_recall) == (None, ())
            continue
        assert found.auc == pytest.approx(areas[1])
        assert found.average_precision == pytest.approx(
            average_precision_score(twice == 1, scores[:, 1], sample_weight=both)
        )
    assert shown.classes == tuple(f"class {c}" for c in range(k))
    assert shown.positive == ("class 1" if k == 2 else None)
    if k == 2:
        assert shown.share == pytest.approx(np.average(y == 1, weights=w))


def test_points_of_the_curves_lie_on_those_of_scikit_learn() -> None:
    y = _labels(200, 2)
    shown, side, _ = _shown(y, 2)
    twice, scores = np.tile(y, 2), side.proba.reshape(-1, 2)[:, 1]
    off, on, _ = roc_curve(twice, scores, drop_intermediate=False)
    whole = {(round(a, 4), round(b, 4)) for a, b in zip(off, on, strict=True)}
    points = shown.sides[0].roc
    assert set(points) <= whole
    assert (points[0][0], points[-1]) == (0.0, (1.0, 1.0))
    assert 50 < len(points) <= 101
    area = auc(*np.array(points).T)
    assert area == pytest.approx(shown.sides[0].auc, abs=0.01)
    precision, recall, _ = precision_recall_curve(twice, scores)
    whole = {(round(a, 4), round(b, 4)) for a, b in zip(recall, precision, strict=True)}
    assert set(shown.sides[0].precision_recall) <= whole


def test_the_mean_curve_of_many_classes_has_the_mean_area() -> None:
    shown, *_ = _shown(_labels(300, 5), 5)
    side = shown.sides[0]
    assert auc(*np.array(side.roc).T) == pytest.approx(side.auc, abs=0.01)


def test_without_probabilities_there_are_no_curves() -> None:
    y = _labels(40, 2)
    sides = [_side(who, y, 2, 1)._replace(proba=None) for who in ("chosen", "reference")]
    shown = shown_answers(_design(y), sides, np.arange(2), {})
    assert (shown.sides[0].roc, shown.sides[0].auc) == ((), None)
    assert set(shown.missed.confidence) <= {None}
    assert shown.classes == ("0", "1")


def test_rows_that_both_miss_are_those_of_a_plain_loop() -> None:
    y = _labels(1500, 3)
    shown, one, two = _shown(y, 3)
    expected = {}
    for row, truth in enumerate(y):
        said = []
        for s in (one, two):
            votes = np.bincount(s.answers[:, row], minlength=3)
            level = np.flatnonzero(votes == votes.max())  # the more probable of these
            said.append(level[s.proba[:, row, level].mean(axis=0).argmax()])
        if truth not in said:
            expected[row + 7] = (one.proba[:, row, said[0]].mean(), truth, *said)
    found = shown.missed
    assert found.rows == len(expected)
    assert len(found.positions) == 20 < len(expected)
    assert list(found.confidence) == sorted(found.confidence, reverse=True)
    assert found.confidence[0] == pytest.approx(max(expected.values())[0], abs=1e-4)
    for place, position in enumerate(found.positions):
        sure, truth, said, other = expected[position]
        assert found.confidence[place] == pytest.approx(sure, abs=1e-4)
        assert found.truth[place] == f"class {truth}"
        assert (found.said[place], found.reference_said[place]) == (
            f"class {said}", f"class {other}",
        )  # fmt: skip


def test_rare_classes_share_the_last_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLASSES", 3)
    y = np.repeat([0, 1, 2, 3], [30, 8, 40, 9])
    shown, side, _ = _shown(y, 4)
    assert shown.classes == ("class 0", "class 2", "other classes")
    merged = np.array([0, 2, 1, 2])  # old class to place
    expected = confusion_matrix(np.tile(merged[y], 2), merged[side.answers].ravel()) / 2
    np.testing.assert_allclose(shown.sides[0].confusion, expected)


def test_residuals_and_the_largest_errors() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=50)
    sides = [
        Side(who, who, y + rng.normal(size=(2, 50)) * scale, None)
        for who, scale in (("chosen", 0.5), ("reference", 1.0))
    ]
    shown = shown_answers(_design(y), sides, None, {})
    for found, side in zip(shown.sides, sides, strict=True):
        expected = mean_squared_error(np.tile(y, 2), side.answers.ravel()) ** 0.5
        assert found.error == pytest.approx(expected)
        said, rest = np.array(found.residuals).T
        np.testing.assert_allclose(said + rest, y, atol=1e-5)
        np.testing.assert_allclose(said, side.answers[0], rtol=1e-5)
    errors = np.minimum(*(np.abs(side.answers - y).mean(axis=0) for side in sides))
    assert list(shown.missed.positions) == (np.argsort(-errors)[:20] + 7).tolist()
    assert shown.missed.truth[0] == pytest.approx(y[errors.argmax()], rel=1e-5)
    assert shown.classes == ()


@pytest.fixture(scope="module")
def found(shifted: Callable[..., SimpleNamespace]) -> Comparison:
    d = shifted(n=60, m=40, shift=1.0)
    y, yt = (np.where(one == 1, "ill", "well") for one in (d.y, d.yt))
    known = np.arange(40) >= 10
    target = Domain(d.Xt, yt, labelled=known)
    return compare((d.X, y), target, methods=["CORAL"], repeats=1, n_jobs=1)


def test_frames_of_a_comparison_agree_with_its_table(found: Comparison) -> None:
    matrix = found.confusion()
    assert list(matrix.index) == list(matrix.columns) == ["ill", "well"]
    assert (matrix.index.name, matrix.columns.name) == ("true", "said")
    assert matrix.to_numpy().sum() == pytest.approx(30)
    reference = found.confusion("reference")
    scores = {r.candidate: r.score for r in found.details.table}
    name = found.details.answers.sides[1].candidate
    assert np.trace(reference.to_numpy()) / 30 == pytest.approx(scores[name])
    assert found.details.verdicts[0].candidate_score == pytest.approx(
        np.trace(matrix.to_numpy()) / 30
    )
    curve = found.curve("precision_recall")
    assert list(curve.columns) == ["who", "candidate", "recall", "precision"]
    assert set(curve.who) == {"chosen", "reference"}
    missed = found.missed()
    assert missed.row.between(10, 39).all(), "only labelled rows, by their place in the target"
    assert (missed.true != missed.said).all()
    assert found.calibration().groupby("who").rows.sum().tolist() == [30, 30]
    assert Compared.from_dict(found.to_dict()) == found.details


def test_what_there_is_not_is_refused(found: Comparison) -> None:
    with pytest.raises(InputError, match=r"who must be one of .* got 'me'"):
        found.confusion("me")
    with pytest.raises(InputError, match=r"kind must be one of .* got 'lift'"):
        found.curve("lift")
    with pytest.raises(InputError, match="classes have no residuals"):
        found.residuals()
    with pytest.raises(InputError, match="holds no answers"):
        Comparison(Compared()).missed()


def test_a_notebook_shows_the_answers_and_a_terminal_does_not(found: Comparison) -> None:
    assert "rows of each true class by what it says" in found._repr_html_()
    assert "true class" not in str(found)


def test_no_value_of_a_feature_is_kept(
    found: Comparison, shifted: Callable[..., SimpleNamespace]
) -> None:
    d = shifted(n=60, m=40, shift=1.0)
    text = json.dumps(found.to_dict()["answers"])
    assert not [value for value in d.Xt.ravel() if f"{value:.5g}" in text]


def test_importance_is_of_the_one_final_model(
    shifted: Callable[..., SimpleNamespace], tmp_path: Path
) -> None:
    d = shifted(n=60, m=60, shift=1.0)
    target = Domain(d.Xt[:40], d.yt[:40], labelled=np.arange(40) >= 10)
    found = compare((d.X, d.y), target, methods=["CORAL"], repeats=1, n_jobs=1,
                    store=tmp_path / "s.sqlite")  # fmt: skip
    model = found.best_model()
    fresh = found.importance((d.Xt[40:], d.yt[40:]), repeats=3)
    assert found.best_model() is model
    assert fresh.attrs == {"score": "accuracy", "held_out": True, "target_rows": 20,
                           "source_rows": 60}  # fmt: skip
    expected = falls(model, d.Xt[40:], d.yt[40:], repeats=3)
    assert dict(zip(fresh.column, fresh.target, strict=True)) == {
        name: fall for name, (fall, _) in expected.items()
    }
    expected = falls(model, d.X, d.y, domain="source", repeats=3)
    assert dict(zip(fresh.column, fresh.source_spread, strict=True)) == {
        name: spread for name, (_, spread) in expected.items()
    }
    assert fresh.column[0] == "x0", "the column that the classes differ in"
    own = found.importance()
    assert (own.attrs["held_out"], own.attrs["target_rows"]) == (False, 30)
    assert "rows that trained it" in found._repr_html_()
    page = found.report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Columns that matter" in page
    assert Compared.from_dict(found.to_dict()).importance.held_out is False
    read = Comparison.read(tmp_path / "s.sqlite")
    with pytest.raises(AcclimateError, match="holds no data"):
        read.importance()
    assert "importance" not in read.to_dict()
    with pytest.raises(InputError, match="needs labelled target rows"):
        found.importance(Domain(d.Xt))


def test_what_loses_to_always_the_same_answer_is_not_unbeaten() -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(80, 2)), rng.normal(size=(60, 2))
    y, yt = (X[:, 0] > 0).astype(int), np.arange(60) % 4 == 0  # labels of noise
    found = compare((X, y), Domain(Xt, yt.astype(int)), methods=["CORAL"], repeats=1, n_jobs=1)
    assert found.details.constant == pytest.approx(0.75)
    rows = found.details.table
    assert any(row.score <= 0.75 for row in rows)
    assert all(row.score > 0.75 for row in rows if row.pareto)
    assert found.details.pareto == tuple(row.candidate for row in rows if row.pareto)
