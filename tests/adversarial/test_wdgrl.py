"""WDGRL: the critic measures, the features follow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance
from torch import nn

from acclimate import WDGRL, Domain, NeuralClassifier, NeuralRegressor
from acclimate.deep import Plan, Run
from acclimate.exceptions import InputError
from acclimate.training import loop
from acclimate.training.terms import Phase, Settings

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 150, "batch_size": 32,
    "learning_rate": 0.01, "random_state": 0,
}  # fmt: skip
LONGER = QUICK | {"min_steps": 300, "batch_size": 64}


class Seen(WDGRL):
    """Keeps its run and its plan."""

    def _plan(self, run: Run) -> Plan:
        self.run, self.plan = run, super()._plan(run)
        return self.plan


def weights(module: Any) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


def gap(model: Any) -> float:
    """Return what the critic says of all rows of both domains."""
    run = model.run
    with torch.no_grad():
        s, t = (model.plan.forward(run.net, side.batch(torch.arange(len(side))))
                for side in (run.source, run.target))  # fmt: skip
    return float(s.critic.mean() - t.critic.mean())


def test_each_part_moves_its_own(toy: Any) -> None:
    d = toy()
    model = Seen(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y, target=Domain(d.Xt + 1))
    run = model.run
    assert model.plan.phases[0].repeat == 5
    for number, still, moved, sign in (
        (0, run.base, run.net.critic, 1.0), (1, run.net.critic, run.base, -1.0),
    ):  # fmt: skip
        phase = model.plan.phases[number]
        wanted = [term for term in phase.terms if term.name in ("critic", "distance")]
        before, start = (weights(still), weights(moved)), gap(model)
        loop.train(run.net, [Phase(wanted, phase.modules)], run.source, run.target, seed=0,
                   settings=Settings(20, 32, learning_rate=0.01),
                   forward=model.plan.forward)  # fmt: skip
        assert torch.equal(weights(still), before[0])
        assert not torch.equal(weights(moved), before[1])
        assert sign * (gap(model) - start) > 0.0


def test_the_critic_finds_the_distance_of_scipy() -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(200, 1)), rng.normal(size=(200, 1)) + 2.0
    still = nn.Sequential(nn.Identity(), nn.Linear(1, 2))  # the feature is the input
    base = NeuralClassifier(still, min_steps=200, batch_size=32, learning_rate=0.01)
    model = Seen(base, validator=None, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    distance = wasserstein_distance(X[:, 0], Xt[:, 0])
    # the penalty lets the slope rise to the maximum of distance s - 10 (s - 1)^2
    assert gap(model) == pytest.approx(distance * (1 + distance / 20), rel=0.03)


@pytest.mark.parametrize("classes", [3, None])
def test_features_come_closer(classes: int | None, toy: Any) -> None:
    d = toy(n=100, m=100, classes=classes)
    Xt, base = d.Xt + 1, (NeuralClassifier if classes else NeuralRegressor)(**QUICK)
    far, near = (
        WDGRL(base, strength=strength, critic_steps=2, validator=None, random_state=0)
        .fit(d.X, d.y, target=Domain(Xt))
        for strength in (0.0, 1.0)
    )  # fmt: skip
    sizes = []
    for model in (far, near):
        z, zt = (model.target_model_.infer(rows)[0].numpy() for rows in (d.X, Xt))
        z, zt = z / z.std(), zt / z.std()
        sizes.append(np.mean([wasserstein_distance(z[:, j], zt[:, j]) for j in range(16)]))
    assert sizes[1] < 0.7 * sizes[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [("strength", -1.0), ("penalty", 0.0), ("critic_steps", 0), ("hidden", (0,))],
)
def test_settings_out_of_range_are_refused(name: str, value: Any, toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match=name):
        WDGRL(**{name: value}).fit(d.X, d.y)


def test_it_unlearns_what_the_target_moves(moved: Any) -> None:
    d = moved
    model = WDGRL(NeuralClassifier(**LONGER), strength=1.0, critic_steps=2, random_state=0)
    before = model.fit(d.X, d.y).score(d.Xt, d.yt)
    assert before < 0.75
    assert model.adapt(Domain(d.Xt)).score(d.Xt, d.yt) > 0.9
