from __future__ import annotations

import numpy as np
import pytest
import torch

from acclimate.losses.policy_gradient import clipped_objective


@pytest.mark.parametrize("clip", [0.1, 0.2, 0.5])
def test_it_is_the_mean_of_the_smaller_of_both(clip):
    rng = np.random.default_rng(0)
    now, before, advantage = rng.normal(size=(3, 50))
    ratio = np.exp(now - before)
    expected = np.mean(
        [min(r * a, np.clip(r, 1 - clip, 1 + clip) * a) for r, a in zip(ratio, advantage)]  # noqa: B905
    )
    found = clipped_objective(*map(torch.from_numpy, (now, before, advantage)), clip)
    np.testing.assert_allclose(found.item(), expected, rtol=1e-12)


def test_at_the_old_policy_it_is_the_plain_gradient():
    """Its gradient by the log probability is the advantage over the number of rows."""
    rng = np.random.default_rng(1)
    log_p, advantage = (torch.from_numpy(one) for one in rng.normal(size=(2, 20)))
    now = log_p.clone().requires_grad_()
    clipped_objective(now, log_p, advantage, 0.2).backward()
    np.testing.assert_allclose(now.grad, advantage / 20, rtol=1e-12)


@pytest.mark.parametrize(
    ("moved", "advantage", "stops"),
    [(0.5, 1.0, True), (0.5, -1.0, False), (-0.5, -1.0, True), (-0.5, 1.0, False)],
)
def test_beyond_the_clip_only_the_way_back_has_a_gradient(moved, advantage, stops):
    now = torch.tensor([moved], requires_grad=True)
    clipped_objective(now, torch.zeros(1), torch.tensor([advantage]), 0.2).backward()
    assert (now.grad.item() == 0.0) is stops
