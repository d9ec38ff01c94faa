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
    positive = 1 if k == 2 else None
    return shown_answers(_design(y, weights), sides, np.arange(k), names, positive), *sides


def _in_folds(truth: np.ndarray, row: np.ndarray, fold: np.ndarray, w: np.ndarray) -> float:
    """Return the area over the pairs of rows of one fold."""
    areas, pairs = [], []
    for one in np.unique(fold):
        rows = fold == one
        areas.append(roc_auc_score(truth[rows], row[rows], sample_weight=w[rows]))
        pairs.append(w[rows & truth].sum() * w[rows & ~truth].sum())
    return float(np.average(areas, weights=pairs))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [2, 4])
def test_confusion_and_areas_are_those_of_scikit_learn(k: int, weighted: bool) -> None:
    y = _labels(80, k)
    w = np.random.default_rng(3).uniform(0.5, 1.5, len(y)) if weighted else np.ones(len(y))
    shown, *sides = _shown(y, k, w if weighted else None)
    twice, both, folds = np.tile(y, 2), np.tile(w, 2), _design(y).fold_of
    for found, side in zip(shown.sides, sides, strict=True):
        assert (found.who, found.candidate) == (side.who, side.candidate)
        flat = side.answers.ravel()
        expected = confusion_matrix(twice, flat, sample_weight=both) / 2
        np.testing.assert_allclose(found.confusion, expected, atol=1e-6)
        areas, precisions = (
            [
                np.mean(
                    [metric(y == c, *row) for row in zip(side.proba[..., c], folds, strict=True)]
                )
                for c in range(k)
            ]
            for metric in (
                lambda truth, row, fold: _in_folds(truth, row, fold, w),
                lambda truth, row, _: average_precision_score(truth, row, sample_weight=w),
            )
        )
        if k > 2:
            assert found.auc == pytest.approx(np.mean(areas))
            assert (found.average_precision, found.precision_recall) == (None, ())
            continue
        assert found.auc == pytest.approx(areas[1])
        assert found.average_precision == pytest.approx(precisions[1])
    assert shown.classes == tuple(f"class {c}" for c in range(k))
    assert shown.positive == ("class 1" if k == 2 else None)
    if k == 2:
        assert shown.share == pytest.approx(np.average(y == 1, weights=w))


def test_one_model_has_the_curves_of_scikit_learn() -> None:
    y = _labels(200, 2)
    side = _side("chosen", y, 2, 1)
    side = side._replace(answers=side.answers[:1], proba=side.proba[:1])
    design = Design(np.arange(300), y, np.zeros((1, 300), dtype=int), True)
    found = shown_answers(design, [side], np.arange(2), {}, 1).sides[0]
    scores = side.proba[0, :, 1]
    off, on, _ = roc_curve(y, scores, drop_intermediate=False)
    whole = {(round(a, 4), round(b, 4)) for a, b in zip(off, on, strict=True)}
    assert set(found.roc) <= whole
    assert (found.roc[0], found.roc[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert found.auc == pytest.approx(roc_auc_score(y, scores))
    assert auc(*np.array(found.roc).T) == pytest.approx(found.auc, abs=1e-3)
    precision, recall, _ = precision_recall_curve(y, scores)
    whole = {(round(a, 4), round(b, 4)) for a, b in zip(recall, precision, strict=True)}
    assert set(found.precision_recall) <= whole
    assert 50 < len(found.precision_recall) <= 102


@pytest.mark.parametrize("k", [2, 5])
def test_the_curve_of_folds_is_their_mean(k: int) -> None:
    """Scores of two folds come from two models, and what separates these is no order of rows."""
    y = _labels(300, k)
    design = _design(y)
    side = _side("chosen", y, k, 1)
    tilted = side.proba * (1 + design.fold_of[..., None])
    shown = shown_answers(
        design, [side._replace(proba=tilted)], np.arange(k), {}, 1 if k == 2 else None
    )
    expected = []
    for c in [1] if k == 2 else range(k):
        mean, pairs = 0.0, 0
        for fold, proba in zip(design.fold_of, side.proba, strict=True):
            for one in np.unique(fold):
                rows = fold == one
                off, on, _ = roc_curve(y[rows] == c, proba[rows, c])
                both = (y[rows] == c).sum() * (y[rows] != c).sum()
                mean, pairs = mean + both * np.interp([0.0, 0.25, 0.5], off, on), pairs + both
        expected.append(mean / pairs)
    roc = np.array(shown.sides[0].roc)
    assert roc[0].tolist() == [0, 0]
    assert roc[-1].tolist() == [1, 1]
    found = np.interp([1e-9, 0.25, 0.5], *roc.T)
    np.testing.assert_allclose(found, np.mean(expected, axis=0), atol=1e-4)
    assert auc(*roc.T) == pytest.approx(shown.sides[0].auc, abs=0.01)


def test_of_more_classes_one_can_be_asked_for() -> None:
    y = _labels(120, 3)
    side = _side("chosen", y, 3, 1)
    shown = shown_answers(_design(y), [side], np.arange(3), {2: "two"}, 2)
    rows = zip(side.proba[..., 2], _design(y).fold_of, strict=True)
    expected = np.mean([_in_folds(y == 2, *one, np.ones(len(y))) for one in rows])
    assert shown.sides[0].auc == pytest.approx(expected)
    assert shown.sides[0].precision_recall
    assert (shown.positive, shown.share) == ("two", pytest.approx(np.mean(y == 2)))
    # a class without a labelled row has no curve
    shown = shown_answers(_design(y), [side], np.arange(3), {}, 9)
    assert shown.sides[0].roc == ()


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
    return compare((d.X, y), target, methods=["CORAL"], repeats=1, n_jobs=1, committee=False)


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


def test_the_area_is_the_score_of_a_comparison_by_it(
    shifted: Callable[..., SimpleNamespace],
) -> None:
    d = shifted(n=60, m=50, shift=1.0)
    found = compare(
        (d.X, d.y), Domain(d.Xt, d.yt), methods=["CORAL"], repeats=2, n_jobs=1, metric="auc",
        positive=0, committee=False,
    )  # fmt: skip
    shown = found.details.answers
    assert shown.positive == "0"
    scores = {row.candidate: row.score for row in found.details.table}
    assert shown.sides[1].auc == pytest.approx(scores[shown.sides[1].candidate])
    assert shown.sides[0].auc == pytest.approx(found.details.verdicts[0].candidate_score)


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
    found = compare(
        (X, y), Domain(Xt, yt.astype(int)), methods=["CORAL"], repeats=1, n_jobs=1, committee=False
    )
    assert found.details.constant == pytest.approx(0.75)
    rows = found.details.table
    assert any(row.score <= 0.75 for row in rows)
    assert all(row.score > 0.75 for row in rows if row.pareto)
    assert found.details.pareto == tuple(row.candidate for row in rows if row.pareto)
