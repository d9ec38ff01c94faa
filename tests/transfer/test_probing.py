"""Probes: what moves, and that a random body is random."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from acclimate import NeuralClassifier
from acclimate.transfer.probing import probe, random_body_probe


def fitted(toy: Any, **settings: Any) -> tuple[Any, Any]:
    d = toy()
    base = NeuralClassifier(
        hidden=(8,), dropout=0.0, min_steps=60, batch_size=32, random_state=0, **settings
    )
    return d, base.fit(d.X, d.y)


def test_a_probe_moves_the_head_alone(toy: Any) -> None:
    d, model = fitted(toy)
    moved = model.copy_fitted()
    probe(moved, d.Xt, d.yt, 50, seed=0)
    assert torch.equal(moved.network_.body[1].weight, model.network_.body[1].weight)
    assert not torch.equal(moved.network_.head.weight, model.network_.head.weight)


def test_the_body_of_a_users_module_is_random_too(toy: Any) -> None:
    module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    before = module[0].weight.detach().clone()
    d, model = fitted(toy, network=module)
    one, two = (random_body_probe(model, d.Xt, d.yt, seed) for seed in (1, 2))
    for probed in (one, two):
        weight = probed.network_.body[0].weight
        assert not torch.equal(weight, before)
        assert not torch.equal(weight, model.network_.body[0].weight)
    assert not torch.equal(one.network_.body[0].weight, two.network_.body[0].weight)
    assert torch.equal(module[0].weight, before)
    again = random_body_probe(model, d.Xt, d.yt, 1)
    np.testing.assert_array_equal(again.predict_proba(d.Xt), one.predict_proba(d.Xt))
