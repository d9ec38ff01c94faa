"""The layer that turns gradients round."""

from __future__ import annotations

import torch
from torch import nn

from acclimate.training.reversal import Reversal


def test_values_pass_and_gradients_come_back_reversed_and_scaled() -> None:
    layer, z = Reversal(0.25), torch.randn(3, 2, requires_grad=True)
    out = layer(z)
    assert torch.equal(out, z)
    slope = torch.randn(3, 2)
    out.backward(slope)
    assert torch.equal(z.grad, -0.25 * slope)


def test_a_strength_that_is_set_later_counts_later() -> None:
    layer, z = Reversal(0.0), torch.ones(1, requires_grad=True)
    out = layer(z)
    layer.set(1.0)  # between forward and backward
    out.backward()
    assert z.grad.item() == 0.0
    layer(z).backward()
    assert z.grad.item() == -1.0


def test_the_strength_is_state_and_no_parameter() -> None:
    layer = Reversal(0.5)
    assert [*layer.parameters()] == []
    again = Reversal()
    again.load_state_dict(layer.state_dict())
    assert again.strength.item() == 0.5


def test_what_is_behind_learns_and_what_is_before_unlearns() -> None:
    torch.manual_seed(0)
    body, critic, x = nn.Linear(2, 2), nn.Linear(2, 1), torch.randn(5, 2)
    critic(Reversal(2.0)(body(x))).sum().backward()
    turned = [p.grad.clone() for p in (*body.parameters(), *critic.parameters())]
    body.zero_grad(), critic.zero_grad()
    critic(body(x)).sum().backward()
    plain = [p.grad for p in (*body.parameters(), *critic.parameters())]
    for number, (a, b) in enumerate(zip(turned, plain, strict=True)):
        torch.testing.assert_close(a, -2.0 * b if number < 2 else b)
