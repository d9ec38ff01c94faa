"""AdaBN: the statistics are the target's, to the digits that numpy finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from acclimate import AdaBN, Domain, NeuralClassifier, NeuralRegressor
from acclimate.exceptions import InputError


def network(shape: tuple[int, ...], outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(shape[0], 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, outputs)
    )


QUICK: dict[str, Any] = {
    "network": network, "epochs": 1, "min_steps": 100, "batch_size": 32, "random_state": 0,
}  # fmt: skip


def test_statistics_are_those_of_the_target_rows(toy: Any) -> None:
    d = toy()
    model = AdaBN(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    first, layer = model.target_model_.network_.body[:2]
    W, b = (p.detach().numpy().astype(np.float64) for p in (first.weight, first.bias))
    inputs = d.Xt @ W.T + b
    np.testing.assert_allclose(layer.running_mean, inputs.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer.running_var, inputs.var(0, ddof=1), rtol=1e-5)


def test_weights_stay_and_so_does_the_source_model(toy: Any) -> None:
    d = toy()
    model = AdaBN(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y)
    source = {k: v.clone() for k, v in model.source_model_.network_.state_dict().items()}
    model.adapt(Domain(d.Xt + 3))
    for key, value in model.source_model_.network_.state_dict().items():
        assert torch.equal(value, source[key])
    for name, p in model.target_model_.network_.named_parameters():
        assert torch.equal(p, model.source_model_.network_.get_parameter(name))


def test_a_target_that_is_moved_and_stretched_is_read_as_before(toy: Any) -> None:
    d = toy(n=300, m=300)
    model = AdaBN(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y, target=Domain(d.X))
    level = model.score(d.X, d.y)
    moved = AdaBN(NeuralClassifier(**QUICK), random_state=0)
    moved.fit(d.X, d.y, target=Domain(d.X + 7))
    assert moved.score(d.X + 7, d.y) == pytest.approx(level, abs=0.01)
    assert moved.score(d.X + 7, d.y, domain="source") < level


def test_a_network_without_batch_norm_is_refused(toy: Any) -> None:
    d = toy()
    plain = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    with pytest.raises(InputError, match=r"needs a network with batch norm.*mlp-norm"):
        AdaBN(NeuralClassifier(plain, min_steps=9)).fit(d.X, d.y, target=Domain(d.Xt))


def test_values_of_a_target_that_is_moved_and_stretched_are_read_as_before(toy: Any) -> None:
    d = toy(n=300, m=300, classes=None)
    base = NeuralRegressor(**(QUICK | {"min_steps": 400}))
    here = AdaBN(base, random_state=0).fit(d.X, d.y, target=Domain(d.X))
    moved = AdaBN(base, random_state=0).fit(d.X, d.y, target=Domain(3 * d.X + 7))
    level = here.score(d.X, d.y)
    assert level > 0.9
    assert moved.score(3 * d.X + 7, d.y) == pytest.approx(level, abs=0.01)
    assert moved.score(3 * d.X + 7, d.y, domain="source") < 0


def test_the_network_to_take_is_named_for_pictures() -> None:
    X, y = np.zeros((6, 12, 12)), np.arange(6) % 2
    base = NeuralClassifier("cnn", min_steps=1, hidden=(2,))
    with pytest.raises(
        InputError, match=r'NeuralClassifier\("cnn-norm"\) \(--estimator cnn-norm\)'
    ):
        AdaBN(base).fit(X, y, target=Domain(X))
