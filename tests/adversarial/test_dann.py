"""DANN: what moves which way, and what it is for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from acclimate import DANN, Domain, NeuralClassifier, NeuralRegressor
from acclimate.deep import Plan, Run
from acclimate.exceptions import InputError
from acclimate.training.schedules import sigmoid_ramp

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 300, "batch_size": 32,
    "learning_rate": 0.01, "random_state": 0,
}  # fmt: skip


class Seen(DANN):
    """Keeps its run, and the strength after each step."""

    def _plan(self, run: Run) -> Plan:
        from dataclasses import replace

        self.run, self.strengths = run, []
        plan = super()._plan(run)

        def after(net: Any, progress: float) -> None:
            assert plan.after_step is not None
            plan.after_step(net, progress)
            self.strengths.append(net.reversal.strength.item())

        return replace(plan, after_step=after)


def test_the_strength_follows_the_papers_ramp(toy: Any) -> None:
    d = toy()
    model = Seen(NeuralClassifier(**QUICK), strength=0.5, random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    expected = [0.5 * sigmoid_ramp(step / 300) for step in range(300)]
    np.testing.assert_allclose(model.strengths, expected, rtol=1e-6)


def test_without_strength_the_body_never_hears_of_the_target(toy: Any) -> None:
    d = toy()
    settings = {"strength": 0.0, "validator": None, "random_state": 0}
    one = DANN(NeuralClassifier(**QUICK), **settings).fit(d.X, d.y, target=Domain(d.Xt))
    two = DANN(NeuralClassifier(**QUICK), **settings).fit(d.X, d.y, target=Domain(d.Xt - 4))
    assert np.array_equal(one.predict_proba(d.Xn), two.predict_proba(d.Xn))


def test_the_domains_become_hard_to_tell_apart_and_the_target_easier(toy: Any) -> None:
    d = toy(n=200, m=200)
    Xt, told, scores = d.Xt + 1, [], []
    for strength in (0.0, 1.0):
        model = DANN(NeuralClassifier(**QUICK), strength=strength, validator=None, random_state=0)
        model.fit(d.X, d.y, target=Domain(Xt))
        assert model.history_ is not None
        told.append(np.mean([epoch["domain_accuracy"] for epoch in model.history_.epochs[-10:]]))
        scores.append(model.score(Xt, d.yt))
    assert told[1] < told[0] - 0.05
    assert scores[1] > scores[0]


@pytest.mark.parametrize("classes", [3, None])
def test_history_has_every_figure(classes: int | None, toy: Any) -> None:
    d = toy(classes=classes)
    base = (NeuralClassifier if classes else NeuralRegressor)(**QUICK)
    model = DANN(base, random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    assert model.history_ is not None
    for epoch in model.history_.epochs:
        assert epoch["a_distance"] == pytest.approx(4 * epoch["domain_accuracy"] - 2)
        assert 0.0 < epoch["domain"] < 3.0
        assert ("validation" in epoch) == (classes is not None)


def test_several_sources_have_a_score_each(toy: Any) -> None:
    d = toy()
    model = Seen(NeuralClassifier(**QUICK), random_state=0)
    ids = np.array(["Oslo", "Lima", "Rome"])[np.arange(60) % 3]
    model.fit(d.X, d.y, target=Domain(d.Xt), domains=ids)
    assert model.run.net.critic[-1].out_features == 4
    one = Seen(NeuralClassifier(**QUICK), random_state=0)
    one.fit(d.X, d.y, target=Domain(d.Xt), domains=np.zeros(60))
    plain = Seen(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    assert np.array_equal(one.predict_proba(d.Xn), plain.predict_proba(d.Xn))


def test_the_discriminator_is_not_saved(toy: Any) -> None:
    d = toy()
    model = DANN(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    names = [name for name, _ in model.target_model_.network_.named_parameters()]
    assert all(name.startswith(("body.", "head.")) for name in names)


def test_alike_domains_give_a_warning_and_the_run_goes_on() -> None:
    from acclimate.exceptions import ConvergenceWarning

    rng = np.random.default_rng(0)
    X, Xt = rng.random((2, 2000, 4))
    base = NeuralClassifier(**QUICK | {"min_steps": 300, "batch_size": 128})
    model = DANN(base, random_state=0)
    with pytest.warns(ConvergenceWarning, match="never told the domains apart"):
        model.fit(X, X[:, 0] > 0.5, target=Domain(Xt))
    assert model.history_ is not None
    # stopping would leave weights of the highest rate
    assert model.history_.stopped == "done"
    assert model.history_.epochs[-1]["step"] == 300


@pytest.mark.parametrize(
    ("name", "value"), [("strength", -1.0), ("strength", np.inf), ("hidden", (0,)),
                        ("hidden", (2.5,))]
)  # fmt: skip
def test_settings_out_of_range_are_refused(name: str, value: Any, toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match=name):
        DANN(**{name: value}).fit(d.X, d.y)


def test_batch_norm_with_an_adversary(toy: Any, statistics: Any) -> None:
    d = toy()

    def normed(shape: Any, outputs: int) -> nn.Module:
        return nn.Sequential(
            nn.Linear(shape[0], 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, outputs)
        )

    model = DANN(NeuralClassifier(normed, **QUICK), random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    values = statistics(model.target_model_.network_).values()
    assert all(torch.isfinite(value).all() for value in values)
    assert model.score(d.Xn, d.yn) > 0.8
