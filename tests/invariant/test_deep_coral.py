"""DeepCORAL: what it minimises, and what it is for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from acclimate import DeepCORAL, Domain, NeuralClassifier, NeuralRegressor
from acclimate.exceptions import InputError

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 200, "batch_size": 32,
    "learning_rate": 0.01, "random_state": 0,
}  # fmt: skip


def _distance(model: Any, X: Any, Xt: Any) -> float:
    """Return the paper's distance between the features of two domains, by numpy."""
    cs, ct = (np.cov(model.target_model_.infer(rows)[0].double().numpy().T) for rows in (X, Xt))
    return float(((cs - ct) ** 2).sum() / (4 * len(cs) ** 2))


@pytest.mark.parametrize("classes", [3, None])
def test_covariances_come_closer(classes: int | None, toy: Any) -> None:
    d = toy(classes=classes)
    Xt = 3 * d.Xt
    base = (NeuralClassifier if classes else NeuralRegressor)(**QUICK)
    far, near = (
        DeepCORAL(base, strength=strength, validator=None, random_state=0)
        .fit(d.X, d.y, target=Domain(Xt))
        for strength in (0.0, 10.0)
    )  # fmt: skip
    assert _distance(near, d.X, Xt) < 0.2 * _distance(far, d.X, Xt)


def test_the_recorded_distance_is_that_of_the_features() -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(64, 3)), 2 * rng.normal(size=(64, 3))
    y = X[:, 0] > 0
    base = NeuralClassifier(**QUICK | {"batch_size": 64, "min_steps": 0})
    model = DeepCORAL(base, length=1.0, rate=1e-12, random_state=0)
    model.fit(X, y, target=Domain(Xt))
    assert model.history_ is not None
    assert model.history_.epochs[0]["coral"] == pytest.approx(_distance(model, X, Xt), rel=1e-3)


def test_several_sources_count_equally() -> None:
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(48, 3)), 2 * rng.normal(size=(16, 3))])
    Xt, ids = 3 * rng.normal(size=(64, 3)), np.repeat([5, 9], [48, 16])
    base = NeuralClassifier(**QUICK | {"batch_size": 64, "min_steps": 0})
    model = DeepCORAL(base, rate=1e-12, random_state=0)
    model.fit(X, X[:, 0] > 0, target=Domain(Xt), domains=ids)
    parts = [_distance(model, X[ids == number], Xt) for number in (5, 9)]
    assert model.history_ is not None
    assert model.history_.epochs[0]["coral"] == pytest.approx(np.mean(parts), rel=1e-3)


def test_a_target_that_is_scaled_is_undone(toy: Any) -> None:
    d = toy(n=300, m=300, d=2)
    source = DeepCORAL(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y)
    angle = np.array([[0.3, 0.0], [0.0, 1.0]])
    before = source.score(d.X @ angle, d.y)
    source.adapt(Domain(d.X @ angle))
    assert source.score(d.X @ angle, d.y) > before - 0.02


def test_one_target_row_is_refused(toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match="target has 1 sample"):
        DeepCORAL(NeuralClassifier(**QUICK)).fit(d.X, d.y, target=Domain(d.Xt[:1]))


@pytest.mark.parametrize("value", [-0.1, np.inf, np.nan])
def test_a_strength_out_of_range_is_refused(value: float, toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match="strength must be at least 0"):
        DeepCORAL(strength=value).fit(d.X, d.y)


def test_strength_zero_is_training_on_the_source(toy: Any) -> None:
    d = toy()
    settings = {"strength": 0.0, "validator": None, "random_state": 0}
    one = DeepCORAL(NeuralClassifier(**QUICK), **settings).fit(d.X, d.y, target=Domain(d.Xt))
    two = DeepCORAL(NeuralClassifier(**QUICK), **settings).fit(d.X, d.y, target=Domain(9 * d.Xt))
    for a, b in zip(
        one.target_model_.network_.parameters(), two.target_model_.network_.parameters(),
        strict=True,
    ):  # fmt: skip
        assert torch.equal(a, b)
