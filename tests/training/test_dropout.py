"""Dropout: the share, the scale, and where it is silent."""

from __future__ import annotations

import pytest
import torch

from acclimate.training.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.2, 0.5, 0.9])
def test_share_and_scale(p: float) -> None:
    torch.manual_seed(0)
    n = 200_000
    out = Dropout(p)(torch.ones(n))
    dropped = round(p * 65536) / 65536
    assert set(out.tolist()) == {0.0, out.max().item()}
    assert out.max().item() == pytest.approx(1 / (1 - dropped), rel=1e-6)
    share = (out == 0).float().mean().item()
    assert abs(share - p) < 5 * (p * (1 - p) / n) ** 0.5  # five standard errors


def test_each_unit_has_a_mask_of_its_own() -> None:
    """One random word serves four units, so neighbours must not share a fate."""
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(40_000)) > 0).float().view(-1, 4)
    correlation = torch.corrcoef(kept.T)
    assert (correlation - torch.eye(4)).abs().max() < 0.05  # five standard errors


@pytest.mark.parametrize("shape", [(1,), (3,), (5, 7), (2, 3, 4, 5)])
def test_any_shape_and_the_gradient_of_what_is_kept(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    x = torch.rand(shape).add(0.1).requires_grad_()
    out = Dropout(0.5)(x)
    out.sum().backward()
    assert out.shape == shape
    torch.testing.assert_close(x.grad, out.detach() / x.detach())


def test_silent_in_evaluation_and_at_zero() -> None:
    x = torch.rand(4)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x


def test_the_mask_follows_the_seed() -> None:
    layer, x = Dropout(0.5), torch.ones(64)
    masks = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        masks.append(layer.train()(x))  # setting the mode drops the masks drawn ahead
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])
