"""CDAN: what the critic reads, what moves, and what it is for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from acclimate import CDAN, Domain, NeuralClassifier
from acclimate.adversarial import cdan
from acclimate.deep import Plan, Run
from acclimate.exceptions import InputError
from acclimate.losses.adversarial import domain_loss
from acclimate.losses.conditioning import certainty

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 150, "batch_size": 32,
    "learning_rate": 0.01, "random_state": 0,
}  # fmt: skip
LONGER = QUICK | {"min_steps": 300, "batch_size": 64}


class Seen(CDAN):
    """Keeps its run and its plan."""

    def _plan(self, run: Run) -> Plan:
        self.run, self.plan = run, super()._plan(run)
        return self.plan


def outputs(model: Any, reversal: float = 1.0) -> list[Any]:
    """Return what the plan's forward makes of all rows of both domains."""
    run = model.run
    run.net.reversal.set(reversal)
    for p in run.net.parameters():
        p.grad = None
    return [model.plan.forward(run.net, d.batch(torch.arange(len(d))))
            for d in (run.source, run.target)]  # fmt: skip


def test_the_critic_reads_every_product(toy: Any) -> None:
    d = toy()
    model = Seen(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    critic, (s, t) = model.run.net.critic, outputs(model)
    assert critic[0].in_features == 16 * 3
    for out in (s, t):
        p, z = (x.detach().numpy() for x in (out.logits.softmax(1), out.z))
        joined = np.einsum("bk,bd->bkd", p, z).reshape(len(z), -1)
        expected = critic(torch.from_numpy(joined))
        torch.testing.assert_close(out.critic, expected)
    loss = model.plan.phases[0].terms[-1].loss(s, t)
    weights = certainty(s.logits), certainty(t.logits)
    expected = domain_loss(s.critic, t.critic, None, *weights)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)


def test_the_head_hears_nothing_of_the_critic_and_the_body_the_opposite(toy: Any) -> None:
    d = toy()
    model = Seen(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    slopes = []
    for strength in (0.5, -1.0):  # a reversal of -1 is none
        s, t = outputs(model, strength)
        model.plan.phases[0].terms[-1].loss(s, t).backward()
        base = model.run.base
        assert all(p.grad is None or not p.grad.any() for p in base.head.parameters())
        slopes.append([p.grad.clone() for p in base.body.parameters()])
    for mine, plain in zip(*slopes, strict=True):
        torch.testing.assert_close(mine, -0.5 * plain)


def test_many_products_become_random_mixtures(toy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdan, "LARGEST", 47)
    monkeypatch.setattr(cdan, "MIXTURES", 40)
    d = toy()
    fits = [Seen(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
            for _ in range(2)]  # fmt: skip
    assert fits[0].run.net.critic[0].in_features == 40
    assert np.array_equal(*(fit.predict_proba(d.Xn) for fit in fits))


def test_several_sources_have_a_score_each(toy: Any) -> None:
    d = toy()
    model = Seen(NeuralClassifier(**QUICK), random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt), domains=np.arange(60) % 3)
    assert model.run.net.critic[-1].out_features == 4


def test_it_unlearns_what_the_target_moves(moved: Any) -> None:
    d = moved
    model = CDAN(NeuralClassifier(**LONGER), random_state=0)
    before = model.fit(d.X, d.y).score(d.Xt, d.yt)
    assert before < 0.75
    assert model.adapt(Domain(d.Xt)).score(d.Xt, d.yt) > 0.9


def test_without_strength_the_body_never_hears_of_the_target(toy: Any) -> None:
    d = toy()
    settings = {"strength": 0.0, "validator": None, "random_state": 0}
    one, two = (
        CDAN(NeuralClassifier(**QUICK), **settings).fit(d.X, d.y, target=Domain(Xt))
        for Xt in (d.Xt, d.Xt - 4)
    )
    assert np.array_equal(one.predict_proba(d.Xn), two.predict_proba(d.Xn))


@pytest.mark.parametrize(("name", "value"), [("strength", -1.0), ("hidden", (0,))])
def test_settings_out_of_range_are_refused(name: str, value: Any, toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match=name):
        CDAN(**{name: value}).fit(d.X, d.y)


def test_batch_norm_with_an_adversary(toy: Any) -> None:
    d = toy()
    model = CDAN(NeuralClassifier("mlp-norm", **QUICK), random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    layer = next(m for m in model.target_model_.network_.modules()
                 if isinstance(m, nn.BatchNorm1d))  # fmt: skip
    theirs = next(m for m in model.source_model_.network_.modules()
                  if isinstance(m, nn.BatchNorm1d))  # fmt: skip
    assert not torch.allclose(layer.running_mean, theirs.running_mean)
