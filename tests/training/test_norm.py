"""Statistics of batch norm against numpy."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from acclimate.training.network import Network
from acclimate.training.norm import (
    infer_by_batch,
    norms,
    reestimate,
    still_norms,
)


def _net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3), nn.BatchNorm1d(3),
        nn.Dropout(0.5),
    )  # fmt: skip


def _numpy(net: nn.Sequential, x: np.ndarray) -> list[np.ndarray]:
    """Return mean and variance of each layer's inputs, layer by layer, in float64."""
    w = {k: v.detach().double().numpy() for k, v in net.state_dict().items()}
    h = x @ w["0.weight"].T + w["0.bias"]
    found = [h.mean(0), h.var(0, ddof=1)]
    h = (h - found[0]) / np.sqrt(found[1] + 1e-5) * w["1.weight"] + w["1.bias"]
    h = np.maximum(h, 0) @ w["3.weight"].T + w["3.bias"]
    return [*found, h.mean(0), h.var(0, ddof=1)]


@pytest.mark.parametrize("size", [7, 16, 1000])
def test_statistics_are_numpys_whatever_the_batch_size(size: int) -> None:
    net, x = _net(), np.random.default_rng(0).normal(3.0, 2.0, size=(50, 4))
    before = copy.deepcopy(net)
    reestimate(net, torch.tensor(x, dtype=torch.float32), batch_size=size)
    found = [net[1].running_mean, net[1].running_var, net[4].running_mean, net[4].running_var]
    for mine, expected in zip(found, _numpy(net, x), strict=True):
        np.testing.assert_allclose(mine.numpy(), expected, rtol=1e-5, atol=1e-5)
    for (name, p), q in zip(net.named_parameters(), before.parameters(), strict=True):
        assert torch.equal(p, q), name
    assert [m.training for m in net.modules()] == [m.training for m in before.modules()]
    assert all(m.track_running_stats for m in net.modules() if isinstance(m, nn.BatchNorm1d))


def test_images_are_pooled_over_pixels_and_uint8_is_read_as_pixels() -> None:
    net = nn.Sequential(nn.BatchNorm2d(2))
    x = torch.randint(0, 256, (9, 2, 5, 4), dtype=torch.uint8)
    reestimate(net, x, batch_size=4)
    values = x.numpy().astype(np.float64) / 255
    np.testing.assert_allclose(net[0].running_mean, values.mean((0, 2, 3)), rtol=1e-5)
    flat = values.transpose(1, 0, 2, 3).reshape(2, -1)
    np.testing.assert_allclose(net[0].running_var, flat.var(1, ddof=1), rtol=1e-5)


def test_the_order_of_rows_does_not_matter(statistics: Any) -> None:
    one, x = _net(), torch.randn(40, 4)
    other = copy.deepcopy(one)
    reestimate(one, x, batch_size=15)
    reestimate(other, x.flip(0), batch_size=15)
    for a, b in zip(statistics(one).values(), statistics(other).values(), strict=True):
        torch.testing.assert_close(a, b)


def test_one_row_and_no_layer_change_nothing(statistics: Any) -> None:
    net = _net()
    before = statistics(net)
    reestimate(net, torch.randn(1, 4))
    assert all(torch.equal(value, before[key]) for key, value in statistics(net).items())
    reestimate(nn.Sequential(nn.Linear(4, 2)), torch.randn(5, 4))


def test_a_last_batch_of_one_row_does_not_fail() -> None:
    net, x = _net(), torch.randn(33, 4)
    reestimate(net, x, batch_size=16)
    np.testing.assert_allclose(net[1].running_mean, _numpy(net, x.double().numpy())[0], rtol=1e-4)


def test_frozen_layers_keep_their_statistics() -> None:
    net = _net()
    net[1].weight.requires_grad_(False)
    assert norms(net) == [net[4]]
    assert still_norms(net) == [net[1]]
    assert norms(net, [net[4]]) == []
    before = net[1].running_mean.clone()
    reestimate(net, torch.randn(20, 4) + 3)
    assert torch.equal(net[1].running_mean, before)
    assert not torch.equal(net[4].running_mean, torch.zeros(3))


@pytest.mark.parametrize("size", [1000, 20])
def test_rows_that_normalise_themselves_are_those_of_training(size: int) -> None:
    body, x = _net()[:5], torch.randn(50, 4) * 3 + 1
    net = Network(body, nn.Linear(3, 2))
    before = {k: v.clone() for k, v in net.state_dict().items()}
    expected = torch.empty(50, 3)
    parts = -(-50 // size)
    with torch.no_grad():
        for part in range(parts):  # of rows from all over, so that their order hardly matters
            expected[part::parts] = copy.deepcopy(body).train()(x[part::parts])
    z, logits = infer_by_batch(net.eval(), x, norms(net), batch_size=size)
    torch.testing.assert_close(z, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(logits, net.head(expected).detach(), rtol=1e-5, atol=1e-5)
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert not net.training


def test_a_layer_that_does_not_follow_the_rows_uses_its_statistics() -> None:
    net = Network(_net()[:5].eval(), nn.Identity())
    x = torch.randn(9, 4) * 3 + 1
    z, _ = infer_by_batch(net, x, [])
    torch.testing.assert_close(z, net.body(x).detach())
    z, _ = infer_by_batch(net, x[:1], norms(net))  # one row has no variance
    torch.testing.assert_close(z, net.body(x[:1]).detach())


@pytest.mark.parametrize("passes", [1, 2])
def test_passes_that_end_early_find_what_whole_ones_do(passes: int) -> None:
    class Twice(nn.Module):  # a layer that runs twice hears everything, so no pass ends early
        def __init__(self, net: nn.Sequential) -> None:
            super().__init__()
            self.net, self.runs = net, 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.runs += len(x)
            h = self.net[:3](x)
            return self.net[3:](self.net[1](h))

    x = torch.randn(40, 4) * 2 + 1
    net = Twice(_net())
    reestimate(net, x, batch_size=10, passes=passes)
    assert net.runs == 40 * passes
    first = _net()[0](x).detach()
    if passes == 1:
        both = torch.cat([first, torch.cat([
            torch.relu((p - p.mean(0)) / (p.var(0, correction=0) + 1e-5).sqrt())
            for p in first.split(10)
        ])])  # fmt: skip
        torch.testing.assert_close(net.net[1].running_mean, both.mean(0), rtol=1e-4, atol=1e-5)
    seen: list[int] = []
    plain = _net()
    plain[2].register_forward_hook(lambda *_: seen.append(2))
    plain[5].register_forward_hook(lambda *_: seen.append(5))
    reestimate(plain, x, batch_size=10, passes=passes)
    # the first part shows the order; in the first of two passes the rest ends at the first layer
    assert (seen.count(2), seen.count(5)) == ((4, 1) if passes == 1 else (5, 2))
