"""Going on from a source model: what can be built from it, and which of it is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from acclimate import (
    CORAL,
    Committee,
    Domain,
    FineTune,
    SourceOnly,
    TargetOnly,
    catalogue,
)
from acclimate.exceptions import AcclimateError
from acclimate.folds import few_label_folds
from acclimate.transfer.going_on import AS_IT_IS, become, pick_way, ways_on

NAMES = np.array(["no", "yes"])
LINEAR = ("FineTune", "ParameterTransfer", "SourcePrediction", "Interpolation", "TargetOnly")


def _draw(rows: int, seed: int, move: float = 0.0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 3))
    return X + move, NAMES[(X[:, 0] + 0.7 * rng.normal(size=rows) > 0).astype(int)]


@pytest.fixture
def source() -> FineTune:
    X, y = _draw(300, 0)
    base = LogisticRegression()
    return FineTune(base, preprocess=StandardScaler(), random_state=3).fit(X, y)


@pytest.mark.parametrize("name", LINEAR)
def test_another_method_goes_on_as_if_it_had_been_fitted_there(source: Any, name: str) -> None:
    (X, y), (Xt, yt) = _draw(300, 0), _draw(40, 1, move=1.0)
    row = catalogue.find(name)
    assert row is not None
    fresh = row.load()(LogisticRegression(), preprocess=StandardScaler(), random_state=3)
    expected = fresh.fit(X, y, target=Domain(Xt, yt))
    made = become(source, row).adapt(Domain(Xt, yt))
    np.testing.assert_array_equal(made.predict_proba(Xt), expected.predict_proba(Xt))
    np.testing.assert_array_equal(made.predict_proba(Xt, domain="source"), source.predict_proba(Xt))
    assert not source.adapted_


def test_what_needs_the_source_rows_cannot_go_on(source: Any) -> None:
    row = catalogue.find("CORAL")
    assert row is not None
    with pytest.raises(AcclimateError, match="CORAL needs the source rows"):
        become(source, row)


@pytest.mark.parametrize("labels", [6, 40])
def test_a_pick_by_few_labels_says_so(source: Any, labels: int) -> None:
    Xt, yt = _draw(40, 4, move=2.0)
    known = np.isin(np.arange(40), [*np.flatnonzero(yt == "no")[:3], *range(labels)])
    picked = pick_way(ways_on(source), Domain(Xt, yt, labelled=known))
    assert picked is not None
    said = replace(picked, name="FineTune").sentence()
    assert ("it may be worse than the source model as it is" in said) == (labels == 6)
    assert "by chance" not in replace(picked, name=AS_IT_IS).sentence()


def test_losses_are_those_of_a_plain_loop(source: Any) -> None:
    Xt, yt = _draw(30, 2, move=0.5)
    known = np.arange(30) % 3 > 0
    picked = pick_way(ways_on(source), Domain(Xt, yt, labelled=known))
    assert picked is not None
    rows = np.flatnonzero(known)
    parts = few_label_folds(yt[rows], classify=True, folds=5, repeats=3)
    X, y = _draw(300, 0)
    total = []
    for train, held in parts:
        fresh = TargetOnly(LogisticRegression(), preprocess=StandardScaler(), random_state=3)
        model = fresh.fit(X, y, target=Domain(Xt[rows[train]], yt[rows[train]]))
        P = model.predict_proba(Xt[rows[held]]).clip(1e-3, None)
        total += np.log(P[np.arange(len(held)), np.searchsorted(NAMES, yt[rows[held]])]).tolist()
    assert picked.losses["TargetOnly"] == pytest.approx(-np.mean(total))
    plain = log_loss(yt[rows], source.predict_proba(Xt[rows]))
    assert picked.losses[AS_IT_IS] == pytest.approx(plain)
    assert picked.losses[picked.name] == min(picked.losses.values())
    assert set(picked.losses) == {AS_IT_IS, *LINEAR}
    assert (picked.labels, picked.metric) == (20, "log loss")
    for name, loss in picked.losses.items():
        assert f"{name} {loss:.3g}" in picked.sentence()


@pytest.mark.parametrize(("labels", "repeats"), [(99, 3), (100, 1)])
def test_many_labels_are_laid_out_once(source: Any, labels: int, repeats: int) -> None:
    ways = {name: way for name, way in ways_on(source).items() if name in (AS_IT_IS, "TargetOnly")}
    picked = pick_way(ways, Domain(*_draw(labels, 4)))
    assert picked is not None
    assert (picked.repeats, picked.labels) == (repeats, labels)
    assert ("3 times" in picked.sentence()) == (repeats == 3)


def test_what_is_no_other_keeps_the_source_model(source: Any) -> None:
    Xt, yt = _draw(12, 4)
    picked = pick_way(ways_on(source), Domain(Xt, yt))
    assert picked is not None
    assert picked.name == AS_IT_IS
    np.testing.assert_array_equal(picked.model.predict_proba(Xt), source.predict_proba(Xt))


def test_a_source_that_is_wrong_is_left(source: Any) -> None:
    Xt, yt = _draw(40, 5)
    turned = np.where(yt == "no", "yes", "no")
    picked = pick_way(ways_on(source), Domain(Xt, turned))
    assert picked is not None
    assert list(picked.losses)[-1] == AS_IT_IS
    assert picked.model.adapt(Domain(Xt, turned)).score(Xt, turned) > 0.6


def test_nothing_is_changed_by_picking(source: Any) -> None:
    Xt, yt = _draw(40, 6, move=1.0)
    source.adapt(Domain(Xt, yt))
    before = source.predict_proba(Xt)
    picked = pick_way(ways_on(source), Domain(Xt, np.roll(yt, 1)))
    assert picked is not None
    np.testing.assert_array_equal(source.predict_proba(Xt), before)
    assert not picked.model.adapted_


def test_a_class_without_labels_must_be_sayable() -> None:
    rng = np.random.default_rng(0)
    y = np.array(["a", "b", "c"])[np.arange(150) % 3]
    X = rng.normal(size=(150, 3)) + 2 * np.eye(3)[np.arange(150) % 3]
    model = FineTune(LogisticRegression(), random_state=0).fit(X, y)
    some = y[:30] != "c"
    picked = pick_way(ways_on(model), Domain(X[:30], y[:30], labelled=some))
    assert picked is not None
    assert "it cannot say 'c'" in picked.left_out["TargetOnly"]
    assert {AS_IT_IS, "FineTune", "Interpolation"} <= set(picked.losses)


@pytest.mark.parametrize("labels", [["yes"], ["no", "no", "no"]])
def test_labels_that_cannot_be_held_out_pick_nothing(source: Any, labels: list[str]) -> None:
    Xt, _ = _draw(len(labels), 0)
    assert pick_way(ways_on(source), Domain(Xt, np.array(labels))) is None
    assert pick_way(ways_on(source), Domain(Xt)) is None


def test_values_are_told_apart_by_their_squared_error() -> None:
    rng = np.random.default_rng(1)
    X, Xt = rng.normal(size=(200, 2)), rng.normal(size=(30, 2))
    model = SourceOnly(Ridge(), random_state=0).fit(X, 1000 * X[:, 0])
    yt = 1000 * Xt[:, 0] + 300
    picked = pick_way(ways_on(model), Domain(Xt, yt))
    assert picked is not None
    assert picked.metric == "mean squared error"
    mean = float(np.square(model.predict(Xt) - yt).mean())
    assert picked.losses[AS_IT_IS] == pytest.approx(mean)
    assert picked.name != AS_IT_IS
    one = picked.model.adapt(Domain(Xt, yt))
    again = clone(one).fit(X, 1000 * X[:, 0], target=Domain(Xt, yt))
    assert one.score(Xt, yt) > 0.99
    assert again.score(Xt, yt) > 0.99


def test_without_probabilities_errors_are_counted() -> None:
    X, y = _draw(200, 0)
    model = FineTune(LinearSVC(), random_state=0).fit(X, y)
    Xt, yt = _draw(30, 7)
    picked = pick_way(ways_on(model), Domain(Xt, yt))
    assert picked is not None
    assert picked.metric == "share of errors"
    assert "gives none" in picked.left_out["Interpolation"]
    assert picked.losses[AS_IT_IS] == pytest.approx((model.predict(Xt) != yt).mean())


def test_a_model_of_a_method_that_needs_the_source_can_go_on_as_others() -> None:
    X, y = _draw(200, 0)
    model = CORAL(RandomForestClassifier(20, random_state=0), random_state=0).fit(X, y)
    ways = ways_on(model)
    assert "CORAL" not in ways
    Xt, yt = _draw(30, 7)
    picked = pick_way(ways, Domain(Xt, yt))
    assert picked is not None
    assert "FineTune cannot start RandomForestClassifier" in picked.left_out["FineTune"]
    assert {AS_IT_IS, "Interpolation", "SourcePrediction", "TargetOnly"} == set(picked.losses)


def test_of_a_committee_there_is_itself_and_its_source() -> None:
    X, y = _draw(200, 0)
    both = Committee([("a", SourceOnly()), ("b", TargetOnly())], random_state=0).fit(X, y)
    assert list(ways_on(both)) == [AS_IT_IS, "Committee"]
    Xt, yt = _draw(30, 7)
    picked = pick_way(ways_on(both), Domain(Xt, yt))
    assert picked is not None
    assert set(picked.losses) == {AS_IT_IS, "Committee"}


def test_own_classes_leave_the_answers_of_the_source_out(source: Any) -> None:
    ways = ways_on(source, own_classes=True)
    assert set(ways) == {"FineTune", "SourcePrediction", "TargetOnly"}
    Xt, _ = _draw(30, 8)
    picked = pick_way(ways, Domain(Xt, np.where(Xt[:, 1] > 0, "up", "down")))
    assert picked is not None
    assert picked.name in ways


@pytest.mark.slow
def test_a_network_has_its_strategies_and_what_needs_no_labels() -> None:
    from acclimate import NeuralClassifier

    X, y = _draw(200, 0)
    base = NeuralClassifier("mlp-norm", hidden=(8,), min_steps=40, random_state=0)
    model = FineTune(base, random_state=0).fit(X.astype(np.float32), y)
    ways = ways_on(model)
    assert {"FineTune", "FineTune, head", "FineTune, full", "SHOT", "TENT", "AdaBN"} <= set(ways)
    Xt, yt = _draw(30, 7, move=1.0)
    picked = pick_way(ways, Domain(Xt.astype(np.float32), yt))
    assert picked is not None
    assert {AS_IT_IS, "FineTune", "FineTune, head", "AdaBN"} <= set(picked.losses)
    assert picked.folds == 3
