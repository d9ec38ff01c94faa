"""ADDA: the target's body moves, and nothing that answers source rows does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from acclimate import ADDA, Domain, NeuralClassifier, NeuralRegressor
from acclimate.deep import Plan, Run
from acclimate.exceptions import InputError

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 150, "batch_size": 32,
    "learning_rate": 0.01, "random_state": 0,
}  # fmt: skip
LONGER = QUICK | {"min_steps": 300, "batch_size": 64}


class Seen(ADDA):
    """Keeps its run."""

    def _plan(self, run: Run) -> Plan:
        self.run = run
        return super()._plan(run)


@pytest.mark.parametrize("network", ["mlp", "mlp-norm"])
@pytest.mark.parametrize("classes", [3, None])
def test_only_the_targets_body_moves(classes: int | None, network: str, toy: Any) -> None:
    d = toy(classes=classes)
    base = (NeuralClassifier if classes else NeuralRegressor)(network, **QUICK)
    model = ADDA(base, random_state=0).fit(d.X, d.y)
    before = {k: v.clone() for k, v in model.source_model_.network_.state_dict().items()}
    answers = model.predict(d.Xn)
    model.adapt(Domain(d.Xt))
    for key, value in model.source_model_.network_.state_dict().items():
        assert torch.equal(value, before[key])
    np.testing.assert_array_equal(model.predict(d.Xn, domain="source"), answers)
    after = model.target_model_.network_.state_dict()
    assert all(torch.equal(after[k], before[k]) for k in after if k.startswith("head."))
    weights = [k for k in after if k.endswith("weight") and k.startswith("body.")]
    assert not any(torch.equal(after[k], before[k]) for k in weights)


def test_it_unlearns_what_the_target_moves(moved: Any) -> None:
    d = moved
    model = ADDA(NeuralClassifier(**LONGER), rate=1.0, random_state=0)
    before = model.fit(d.X, d.y).score(d.Xt, d.yt)
    assert before < 0.75
    assert model.adapt(Domain(d.Xt)).score(d.Xt, d.yt) > before + 0.1


def test_the_rate_is_that_of_the_targets_body(toy: Any) -> None:
    d = toy()
    model = Seen(NeuralClassifier(**QUICK), rate=1e-12, random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    for one, two in zip(
        model.target_model_.network_.parameters(), model.source_model_.network_.parameters(),
        strict=True,
    ):  # fmt: skip
        torch.testing.assert_close(one, two, rtol=0.0, atol=1e-6)
    assert model.history_ is not None
    losses = [epoch["domain"] for epoch in model.history_.epochs]
    assert losses[-1] < losses[0]  # the discriminator learns all the same


@pytest.mark.filterwarnings("ignore:.*never told the domains apart")
@pytest.mark.parametrize("network", ["mlp", "mlp-norm"])
def test_equal_domains_are_not_told_apart_by_how_a_body_is_run(network: str, toy: Any) -> None:
    d = toy()
    base = NeuralClassifier(network, **LONGER | {"dropout": 0.5})
    model = ADDA(base, rate=1e-12, validator=None, random_state=0)
    model.fit(d.X, d.y, target=Domain(d.X))
    assert model.history_ is not None
    assert model.history_.epochs[-1]["domain_accuracy"] < 0.65


def test_several_sources_have_a_score_each(toy: Any) -> None:
    d = toy()
    model = Seen(NeuralClassifier(**QUICK), random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt), domains=np.arange(60) % 3)
    assert model.run.net.critic[-1].out_features == 4


def test_a_discriminator_without_units_is_refused(toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match="hidden"):
        ADDA(hidden=(0,)).fit(d.X, d.y)
