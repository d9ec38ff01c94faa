"""TENT: scale and shift of batch norm move, and nothing else does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from acclimate import TENT, Domain, NeuralClassifier
from acclimate.exceptions import InputError
from acclimate.losses.information import entropy
from acclimate.training.norm import norms

QUICK: dict[str, Any] = {
    "network": "mlp-norm", "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 200,
    "batch_size": 32, "learning_rate": 0.01, "random_state": 0,
}  # fmt: skip


def test_only_scale_and_shift_move(toy: Any) -> None:
    d = toy()
    model = TENT(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    before, after = model.source_model_.network_, model.target_model_.network_
    mine = {id(p) for layer in norms(after) for p in layer.parameters()}
    assert mine
    for (_, p), (_, q) in zip(before.named_parameters(), after.named_parameters(), strict=True):
        assert torch.equal(p, q) != (id(q) in mine)


def test_predictions_become_surer(toy: Any) -> None:
    d = toy(n=200, m=200)
    model = TENT(NeuralClassifier(**QUICK), validator=None, random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    assert model.history_ is not None
    values = [epoch["entropy"] for epoch in model.history_.epochs]
    assert values[-1] < values[0]
    proba = model.predict_proba(d.Xt)
    found = entropy(torch.from_numpy(np.log(proba + 1e-12))).mean().item()
    assert found == pytest.approx(values[-1], abs=0.1)


@pytest.mark.filterwarnings("ignore::acclimate.exceptions.ConvergenceWarning")
def test_a_network_without_batch_norm_is_refused(toy: Any) -> None:
    d = toy()
    base = NeuralClassifier(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)), min_steps=9)
    with pytest.raises(InputError, match=r"needs a network with batch norm.*mlp-norm"):
        TENT(base).fit(d.X, d.y, target=Domain(d.Xt))
