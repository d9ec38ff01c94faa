"""MDD: the second head against the body, and what it is for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from acclimate import MDD, Domain, NeuralClassifier
from acclimate.deep import Plan, Run
from acclimate.exceptions import InputError
from acclimate.training.schedules import sigmoid_ramp

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 150, "batch_size": 32,
    "learning_rate": 0.01, "random_state": 0,
}  # fmt: skip
LONGER = QUICK | {"min_steps": 300, "batch_size": 64}


class Seen(MDD):
    """Keeps its run and its plan."""

    def _plan(self, run: Run) -> Plan:
        self.run, self.plan = run, super()._plan(run)
        return self.plan


def test_the_body_works_against_the_second_head_alone(toy: Any) -> None:
    d = toy()
    model = Seen(NeuralClassifier(**QUICK), validator=None, random_state=0)  # the last epoch
    model.fit(d.X, d.y, target=Domain(d.Xt))
    run, slopes = model.run, []
    assert run.net.reversal.strength.item() == pytest.approx(0.1 * sigmoid_ramp(149 / 150))
    for strength in (0.5, -1.0):  # a reversal of -1 is none
        run.net.reversal.set(strength)
        for p in run.net.parameters():
            p.grad = None
        pair = [model.plan.forward(run.net, side.batch(torch.arange(len(side))))
                for side in (run.source, run.target)]  # fmt: skip
        model.plan.phases[0].terms[-1].loss(*pair).backward()
        assert all(p.grad is None for p in run.base.head.parameters())
        slopes.append([[p.grad.clone() for p in part.parameters()]
                       for part in (run.base.body, run.net.second)])  # fmt: skip
    for mine, plain in zip(slopes[0][0], slopes[1][0], strict=True):
        torch.testing.assert_close(mine, -0.5 * plain)
    for mine, plain in zip(slopes[0][1], slopes[1][1], strict=True):
        torch.testing.assert_close(mine, plain)


def test_it_unlearns_what_the_target_moves(moved: Any) -> None:
    d = moved
    model = MDD(NeuralClassifier(**LONGER), random_state=0)
    before = model.fit(d.X, d.y).score(d.Xt, d.yt)
    assert before < 0.75
    assert model.adapt(Domain(d.Xt)).score(d.Xt, d.yt) > 0.9


def test_without_strength_the_body_never_hears_of_the_target(toy: Any) -> None:
    d = toy()
    settings = {"strength": 0.0, "validator": None, "random_state": 0}
    one, two = (
        MDD(NeuralClassifier(**QUICK), **settings).fit(d.X, d.y, target=Domain(Xt))
        for Xt in (d.Xt, d.Xt - 4)
    )
    assert np.array_equal(one.predict_proba(d.Xn), two.predict_proba(d.Xn))


@pytest.mark.parametrize(
    ("name", "value"), [("strength", -1.0), ("margin", 0.5), ("hidden", (0,))]
)  # fmt: skip
def test_settings_out_of_range_are_refused(name: str, value: Any, toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match=name):
        MDD(**{name: value}).fit(d.X, d.y)
