"""Pictures of features: principal directions of what a model makes of rows, and whose they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from acclimate import CORAL, KMM, Domain, compare
from acclimate.comparison.shown import shown_pictures
from acclimate.comparison.trials.seen import POINTS, flat, take_pictures
from acclimate.comparison.trials.store import Record
from acclimate.report.compared import CandidateRow

Maker = Callable[..., SimpleNamespace]
QUICK: dict[str, Any] = {"repeats": 1, "folds": 3, "n_jobs": 1}


def _distances(points: Any) -> Any:
    return np.linalg.norm(points[:, None] - points[None], axis=2)


def test_points_are_the_first_two_singular_directions_of_both_domains() -> None:
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(40, 6)) * [5, 3, 1, 1, 1, 1], rng.normal(size=(30, 6)) + 2
    (a, b), share, width = flat(A, B, seed=0)
    both = np.concatenate([A, B])
    U, s, _ = np.linalg.svd(both - both.mean(0), full_matrices=False)
    np.testing.assert_allclose(np.abs(np.concatenate([a, b])), np.abs(U[:, :2] * s[:2]), atol=1e-9)
    assert share == pytest.approx((s[:2] ** 2).sum() / (s**2).sum())
    assert width == 6


def test_turning_and_moving_the_features_changes_no_distance() -> None:
    rng = np.random.default_rng(1)
    A, B = rng.normal(size=(20, 4)) * [4, 3, 1, 1], rng.normal(size=(25, 4))
    Q = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    plain, turned = (
        np.concatenate(flat(x, y, seed=0)[0]) for x, y in ((A, B), (A @ Q + 7, B @ Q + 7))
    )
    np.testing.assert_allclose(_distances(plain), _distances(turned), atol=1e-9)


@pytest.mark.parametrize("shape", [(10, 1), (10, 3, 2), (10, 2)])
def test_few_columns_and_images_are_laid_flat(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    (a, b), share, width = flat(rng.normal(size=shape), rng.normal(size=shape), seed=0)
    assert a.shape == b.shape == (10, 2)
    assert width == np.prod(shape[1:])
    assert 0 < share <= 1


def test_features_that_do_not_vary_hold_nothing() -> None:
    (a, _), share, _ = flat(np.ones((4, 3)), np.ones((5, 3)), seed=0)
    assert share == 0
    np.testing.assert_allclose(a, 0, atol=1e-9)


def test_a_map_is_drawn_before_and_after_with_what_it_predicts(shifted: Maker) -> None:
    d = shifted()
    model = CORAL(preprocess=StandardScaler(), random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    scaler = StandardScaler().fit(d.X)
    found = take_pictures(model, d.X, d.y, d.Xt)
    (before, _), *_ = flat(scaler.transform(d.X), scaler.transform(d.Xt), seed=0)
    np.testing.assert_allclose(found["picture_before_source"], before, atol=1e-5)
    (_, after), share, _ = flat(
        model.transform(d.X, domain="source"), model.transform(d.Xt), seed=0
    )
    np.testing.assert_allclose(found["picture_after_target"], after, atol=1e-5)
    assert found["picture_after_share"][0] == pytest.approx(share)
    assert found["picture_source_classes"].tolist() == d.y.tolist()
    assert found["picture_after_target_classes"].tolist() == model.predict(d.Xt).tolist()
    source = model.source_model_.predict(scaler.transform(d.Xt))
    assert found["picture_before_target_classes"].tolist() == source.tolist()
    assert source.tolist() != model.predict(d.Xt).tolist()


def test_weights_change_no_feature(shifted: Maker) -> None:
    d = shifted()
    found = take_pictures(KMM().fit(d.X, d.y, target=Domain(d.Xt)), d.X, d.y, d.Xt)
    assert "picture_after_source" not in found
    assert not found["picture_changes"][0]


def test_a_regression_has_no_classes(shifted: Maker) -> None:
    d = shifted()
    model = CORAL(Ridge()).fit(d.X, d.X[:, 0], target=Domain(d.Xt))
    assert not any("classes" in name for name in take_pictures(model, d.X, d.X[:, 0], d.Xt))


def test_at_most_so_many_points_are_drawn(shifted: Maker) -> None:
    d = shifted(n=POINTS + 50, m=POINTS - 50)
    found = take_pictures(CORAL().fit(d.X, d.y, target=Domain(d.Xt)), d.X, d.y, d.Xt)
    assert len(found["picture_before_source"]) == len(found["picture_source_classes"]) == POINTS
    assert len(found["picture_before_target"]) == POINTS - 50


def test_networks_of_one_feature_space_are_drawn_each_by_its_own(shifted: Maker) -> None:
    from acclimate import DANN, NeuralClassifier, TargetOnly

    d = shifted()
    small = NeuralClassifier("mlp-norm", hidden=(8,), epochs=1, min_steps=20, verbose=False)
    model = DANN(small, random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    found = take_pictures(model, d.X, d.y, d.Xt)
    pair = [
        side.infer(x)[0] for side, x in ((model._source_after, d.X), (model.target_model_, d.Xt))
    ]
    np.testing.assert_allclose(found["picture_after_source"], flat(*pair, seed=0)[0][0], atol=1e-3)
    alone = TargetOnly(small, random_state=0).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    found = take_pictures(alone, d.X, d.y, d.Xt)
    pair = [alone.target_model_.infer(x)[0] for x in (d.X, d.Xt)]
    np.testing.assert_allclose(found["picture_after_source"], flat(*pair, seed=0)[0][0], atol=1e-3)


def _result(changes: bool) -> Any:
    arrays = {
        "picture_before_source": np.zeros((2, 2)), "picture_before_target": np.ones((1, 2)),
        "picture_before_share": np.array([0.5, 3.0]), "picture_before_what": np.array(["inputs"]),
        "picture_before_target_classes": np.array([1]), "picture_source_classes": np.array([0, 1]),
        "picture_changes": np.array([changes]),
    }  # fmt: skip
    record = Record("a", "CORAL", {}, 0, "", {}, "done")
    return SimpleNamespace(arrays=arrays, record=record)


def test_a_baseline_gives_way_to_the_best_method_that_changes_features() -> None:
    rows = [
        CandidateRow(name, method, status="done", recommended=method == chosen)
        for chosen in ("TargetOnly",)
        for name, method in (("FT", "FineTune"), ("TargetOnly", "TargetOnly"), ("C", "CORAL"))
    ]
    results = {"FT": [_result(False)], "TargetOnly": [_result(False)], "C": [_result(True)]}
    (picture,) = shown_pictures(rows, results, lambda label: f"class {label}")
    assert picture.candidate == "C"
    assert picture.source_classes == ("class 0", "class 1")
    assert picture.title == "Before: inputs"
    rows = [replace(row, recommended=row.candidate == "FT") for row in rows]
    (picture,) = shown_pictures(rows, results, str)
    assert picture.title == "Inputs, which FT does not change"
    assert picture.predicted_by == "FT"


def test_a_comparison_holds_the_pictures_also_from_its_store(shifted: Maker, tmp_path: Any) -> None:
    d = shifted()
    target = Domain(d.Xt, np.array(["well", "ill"])[d.yt])
    runs = [
        compare((d.X, np.array(["well", "ill"])[d.y]), target, methods=["CORAL"],
                store=tmp_path / "run.sqlite", **QUICK).to_dict()
        for _ in range(2)
    ]  # fmt: skip
    assert runs[1]["trials"]["reused"] == runs[1]["trials"]["done"]
    assert runs[0]["features"] == runs[1]["features"]
    before, after = runs[0]["features"]
    assert (before["stage"], after["stage"]) == ("before", "after")
    assert after["title"].startswith("After CORAL")
    assert set(before["target_classes"]) <= {"well", "ill"}
    assert len(before["source"]) == len(before["source_classes"]) == 120
    assert runs[0]["training"] == []


def test_features_with_gaps_leave_the_trial_as_good(shifted: Maker) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    d = shifted()
    d.X[::7, 2] = np.nan
    found = compare(
        (d.X, d.y), Domain(d.Xt), estimator=HistGradientBoostingClassifier(max_iter=5),
        preprocess=None, methods=["SourceOnly"], **QUICK,
    ).to_dict()  # fmt: skip
    assert found["features"] == []
    assert found["trials"]["failed"] == 0
