"""DeepJDOT: its plan, its cost, and what it is for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment, linprog

from acclimate import DeepJDOT, Domain, NeuralClassifier
from acclimate.exceptions import InputError
from acclimate.invariant.deep_jdot import cheapest
from acclimate.losses.pair_costs import joint_cost

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 150, "batch_size": 32,
    "learning_rate": 0.01, "random_state": 0,
}  # fmt: skip
LONGER = QUICK | {"min_steps": 300, "batch_size": 64}


def test_the_plan_is_that_of_linear_programming() -> None:
    rng = np.random.default_rng(0)
    C, weight = rng.random((5, 4)), rng.uniform(0.1, 2.0, 5)
    plan = cheapest(torch.tensor(C, requires_grad=True), torch.tensor(weight)).numpy()
    mass = weight / weight.sum()
    sums = np.vstack([np.kron(np.eye(5), np.ones(4)), np.kron(np.ones(5), np.eye(4))])
    best = linprog(C.ravel(), A_eq=sums, b_eq=np.concatenate([mass, np.full(4, 0.25)]))
    assert (plan * C).sum() == pytest.approx(best.fun, rel=1e-6)
    np.testing.assert_allclose(plan.sum(1), mass, atol=1e-9)
    np.testing.assert_allclose(plan.sum(0), 0.25, atol=1e-9)


def test_costs_that_are_not_finite_are_left_to_the_loop() -> None:
    plan = cheapest(torch.tensor([[np.nan, 1.0], [1.0, 2.0]]))
    assert torch.equal(plan, torch.full((2, 2), 0.25))


def test_it_unlearns_what_the_target_moves(moved: Any) -> None:
    d = moved
    model = DeepJDOT(NeuralClassifier(**LONGER), strength=1.0, random_state=0)
    before = model.fit(d.X, d.y).score(d.Xt, d.yt)
    assert before < 0.75
    assert model.adapt(Domain(d.Xt)).score(d.Xt, d.yt) > 0.9


def _cost(z: Any, y: Any, zt: Any, logits: Any) -> Any:
    cost = joint_cost(z, torch.tensor(y, dtype=torch.int64), zt, logits, 0.001, 0.1)
    rows, columns = linear_sum_assignment(cost)  # the exact plan of equal masses
    return cost[rows, columns].mean()


def test_the_recorded_loss_is_that_of_all_rows() -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(64, 3)), 2 * rng.normal(size=(64, 3)) + 1
    base = NeuralClassifier(**QUICK | {"batch_size": 64, "min_steps": 0})
    model = DeepJDOT(base, rate=1e-12, validator=None, random_state=0)  # one step, of all rows
    model.fit(X, X[:, 0] > 0, target=Domain(Xt))
    (z, _logits), (zt, logits_t) = (model.source_model_.infer(rows) for rows in (X, Xt))
    assert model.history_ is not None
    expected = _cost(z, X[:, 0] > 0, zt, logits_t).item()
    assert model.history_.epochs[0]["transport"] == pytest.approx(expected, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "value"), [("strength", -1.0), ("alpha", -1.0), ("alpha", np.inf)]
)
def test_settings_out_of_range_are_refused(name: str, value: Any, toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match=name):
        DeepJDOT(**{name: value}).fit(d.X, d.y)


def test_no_cost_at_all_is_refused(toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match="both 0"):
        DeepJDOT(alpha=0.0, strength=0.0).fit(d.X, d.y)
