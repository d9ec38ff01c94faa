"""MCD: two heads, three parts of a step, and a mean that answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from acclimate import MCD, Domain, NeuralClassifier, load
from acclimate.adversarial.mcd import MeanHead
from acclimate.deep import Plan, Run
from acclimate.exceptions import InputError
from acclimate.training import loop
from acclimate.training.terms import Phase, Settings

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 150, "batch_size": 32,
    "learning_rate": 0.01, "random_state": 0,
}  # fmt: skip
LONGER = QUICK | {"min_steps": 300, "batch_size": 64}


class Seen(MCD):
    """Keeps its run and its plan."""

    def _plan(self, run: Run) -> Plan:
        self.run, self.plan = run, super()._plan(run)
        return self.plan


def weights(module: Any) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


@pytest.mark.parametrize(
    ("number", "still", "sign"), [(1, ["body"], 1.0), (2, ["head", "second"], -1.0)]
)
def test_each_part_moves_its_own(number: int, still: list[str], sign: float, toy: Any) -> None:
    d = toy()
    model = Seen(NeuralClassifier(**QUICK), inner_steps=4, random_state=0).fit(
        d.X, d.y, target=Domain(d.Xt)
    )
    run, phase = model.run, model.plan.phases[number]
    parts = {"body": run.base.body, "head": run.base.head, "second": run.net.second}
    before = {name: weights(part) for name, part in parts.items()}
    gap = phase.terms[-1]
    rows = [side.batch(torch.arange(len(side))) for side in (run.source, run.target)]

    def apart() -> float:
        with torch.no_grad():
            return float(gap.loss(*(model.plan.forward(run.net, batch) for batch in rows)))

    start = apart()
    settings = Settings(20, 32, learning_rate=0.01)
    phases = [Phase([gap], phase.modules)]
    loop.train(run.net, phases, run.source, run.target, seed=0, settings=settings,
               forward=model.plan.forward)  # fmt: skip
    for name, part in parts.items():
        assert torch.equal(weights(part), before[name]) == (name in still)
    assert sign * (apart() - start) > 1e-4
    assert model.plan.phases[2].repeat == 4


def test_the_mean_of_both_heads_answers(toy: Any) -> None:
    d = toy()
    model = MCD(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    head = model.target_model_.network_.head
    assert isinstance(head, MeanHead)
    z, logits = model.target_model_.infer(d.Xn)
    W, b = (0.5 * (getattr(head.first, n) + getattr(head.second, n)).detach().numpy()
            for n in ("weight", "bias"))  # fmt: skip
    np.testing.assert_allclose(logits.numpy(), z.numpy() @ W.T + b, rtol=1e-4, atol=1e-5)


def test_both_heads_are_saved(toy: Any, tmp_path: Any) -> None:
    d = toy()
    model = MCD(NeuralClassifier(**QUICK), random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    loaded = load(model.save(tmp_path / "m.acclimate"))
    np.testing.assert_array_equal(loaded.predict_proba(d.Xn), model.predict_proba(d.Xn))
    assert isinstance(loaded.target_model_.network_.head, MeanHead)


def test_it_unlearns_what_the_target_moves(moved: Any) -> None:
    d = moved
    Xt = d.Xt - np.array([0.0, 1.2, 0.0])
    model = MCD(NeuralClassifier(**LONGER), random_state=0)
    before = model.fit(d.X, d.y).score(Xt, d.yt)
    assert before < 0.93
    assert model.adapt(Domain(Xt)).score(Xt, d.yt) > 0.96


@pytest.mark.parametrize("value", [0, 1.5])
def test_part_of_a_step_is_refused(value: Any, toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match=r"inner_steps must be .*at least 1"):
        MCD(inner_steps=value).fit(d.X, d.y)
