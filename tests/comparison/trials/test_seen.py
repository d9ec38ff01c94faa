"""The body of a source network is held against random ones, and what is found is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from acclimate import Domain, FineTune, NeuralClassifier, SourceOnly, compare, rank
from acclimate.comparison.trials import seen

torch = pytest.importorskip("torch")


def _network() -> NeuralClassifier:
    return NeuralClassifier(hidden=(64,), min_steps=600, random_state=0, verbose=False)


def _waves(n: int, seed: int) -> tuple[Any, Any]:
    """Return 10 columns and two classes that no linear model sees: the sign of a product."""
    X = np.random.default_rng(seed).normal(size=(n, 10))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def test_the_probe_is_that_of_rank() -> None:
    """`rank` is the independent computation; its candidate is a copy without the method."""
    X, y = _waves(600, 0)
    model = SourceOnly(_network(), random_state=0).fit(X, y)
    found = seen.table(model, X[:150] + 0.1, y[:150])
    judged = rank(
        {"body": model.source_model_.network_}, X[:150] + 0.1, y[:150], random_state=model.seed_
    ).best
    assert judged.random is not None
    np.testing.assert_array_equal(found["probe"], judged.probe.folds)
    np.testing.assert_allclose(found["random"].mean(axis=0), judged.random.folds, atol=1e-12)
    assert found["sizes"].tolist() == [judged.probe.n_train, judged.probe.n_test, 150, 64]


@pytest.mark.parametrize("related", [True, False])
def test_a_comparison_says_what_the_body_is_worth(related: bool) -> None:
    X, y = _waves(2500, 0)
    if not related:
        y = (X[:, 9] > 0).astype(int)
    Xt, yt = _waves(150, 2)
    found = compare(
        (X, y), Domain(Xt, yt), estimator=_network(), methods=[], repeats=1, folds=3, n_jobs=1
    ).to_dict()
    (body,) = found["bodies"]
    assert body["candidate"] == "SourceOnly"
    assert body["useless"] is not related
    assert body["gain"] == pytest.approx(body["probe"] - body["random"])
    assert body["low"] <= body["gain"] <= body["high"]
    words = "better than a random one" if related else "nothing that it learned is seen to help"
    assert words in body["sentence"]
    assert body["sentence"] in found["sentence"]


def test_only_networks_and_only_with_labels(shifted: Any) -> None:
    d = shifted()
    quick: dict[str, Any] = {"methods": [], "repeats": 1, "folds": 3, "n_jobs": 1}
    assert compare((d.X, d.y), Domain(d.Xt, d.yt), **quick).to_dict()["bodies"] == []
    bare = compare((d.X, d.y), Domain(d.Xt), estimator=_network(), **quick).to_dict()
    assert bare["bodies"] == []


def test_a_recipe_of_the_users_own_is_judged(shifted: Any) -> None:
    """A head copied onto classes that swapped places, with too few steps to unlearn it, hurts."""
    d = shifted(n=300, m=120, shift=0.0)
    poor = FineTune(_network().set_params(min_steps=0, epochs=1, learning_rate=1e-5),
                    strategy="full", head="copy")  # fmt: skip
    found = compare(
        (d.X, d.y), Domain(d.Xt, 1 - d.yt), estimator=_network(), methods=["FineTune"],
        candidates={"recipe": poor}, repeats=1, folds=3, n_jobs=1, committee=False,
    )  # fmt: skip
    rows = {row["candidate"]: row for row in found.table()}
    assert set(rows) == {"recipe", "FineTune", "SourceOnly", "TargetOnly"}
    assert rows["recipe"]["against_target_only"]["word"] == "hurts"
    assert (rows["recipe"]["method"], rows["recipe"]["uses_target_labels"]) == ("FineTune", True)
    assert rows["recipe"]["estimator"] == "NeuralClassifier"
    assert poor.random_state is None
