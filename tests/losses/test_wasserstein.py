"""The critic's gap and its slope against scipy, literal values and second derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance
from torch import nn

from acclimate.losses.wasserstein import critic_gap, gradient_penalty


def test_the_best_critic_finds_the_distance_of_scipy() -> None:
    rng = np.random.default_rng(0)
    zs, zt = rng.normal(size=40) + 5, rng.normal(size=30)
    # all of the source lies above the target, where the best critic of slope 1 is the identity
    assert zs.min() > zt.max()
    found = critic_gap(torch.tensor(zs)[:, None], torch.tensor(zt)[:, None]).item()
    assert found == pytest.approx(wasserstein_distance(zs, zt), rel=1e-6)
    weight = rng.uniform(0.5, 1.5, 40)
    weight /= weight.mean()
    found = critic_gap(
        torch.tensor(zs)[:, None], torch.tensor(zt)[:, None], torch.tensor(weight)
    ).item()
    assert found == pytest.approx(wasserstein_distance(zs, zt, weight), rel=1e-6)


def test_the_penalty_of_a_linear_critic_is_that_of_its_norm() -> None:
    torch.manual_seed(0)
    critic = nn.Linear(3, 1)
    zs, zt = torch.randn(5, 3), torch.randn(4, 3)
    value = gradient_penalty(critic, zs, zt, torch.rand(4, 1))
    w = critic.weight.detach().double().numpy().ravel()
    size = np.linalg.norm(w)
    assert value.item() == pytest.approx((size - 1) ** 2, rel=1e-5)
    value.backward()
    expected = 2 * (size - 1) * w / size
    assert critic.weight.grad is not None
    np.testing.assert_allclose(critic.weight.grad.numpy().ravel(), expected, rtol=1e-4)


def test_it_looks_at_both_domains_and_between() -> None:
    seen = []

    def square(z: torch.Tensor) -> torch.Tensor:
        seen.append(z.detach())
        return 0.5 * z.square().sum(1, keepdim=True)  # its slope is z

    zs, zt = torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    value = gradient_penalty(square, zs, zt, torch.tensor([[0.25]]))
    # lengths 5, 0, 1, and 1.25 at a quarter of the first pair
    assert value.item() == pytest.approx((16 + 1 + 0 + 0.0625) / 4)
    assert torch.equal(seen[0][-1], torch.tensor([0.75, 1.0]))


def test_the_features_get_no_gradient() -> None:
    zs, zt = torch.randn(2, 3, requires_grad=True), torch.randn(2, 3, requires_grad=True)
    critic = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    gradient_penalty(critic, zs, zt, torch.full((2, 1), 0.5)).backward()
    assert zs.grad is None
    assert zt.grad is None
