"""Features of bodies and layers, and random twins."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from acclimate import NeuralClassifier
from acclimate.exceptions import InputError
from acclimate.training.features import LAYERS, body_features, layer_features, random_twin
from acclimate.training.network import Network


def small(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 3))


def rows(n: int = 20, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, *(shape or (4,)))).astype(np.float32)


def test_features_are_what_the_body_returns() -> None:
    net, X = small().train(), rows()
    found = body_features(net, X, batch_size=7)
    expected = copy.deepcopy(net).eval()(torch.from_numpy(X)).detach().numpy()
    assert found == pytest.approx(expected, abs=1e-6)
    assert net.training
    assert net[2].training


def test_the_body_of_a_network_is_taken() -> None:
    X = rows()
    body = small()
    found = body_features(Network(body, nn.Linear(3, 2)), X)
    assert found == pytest.approx(body_features(body, X))
    model = NeuralClassifier(min_steps=5, random_state=0).fit(X, np.arange(20) % 2)
    assert body_features(model.network_, X) == pytest.approx(model.infer(X)[0].numpy(), abs=1e-6)


def test_layers_by_name() -> None:
    net, X = small(), rows()
    found = layer_features(net, X, batch_size=9)
    assert list(found) == ["0 (Linear)", "1 (ReLU)", "3 (Linear)"]
    assert found["1 (ReLU)"] == pytest.approx(np.maximum(found["0 (Linear)"], 0))
    assert found["3 (Linear)"] == pytest.approx(body_features(net, X), abs=1e-6)
    assert not net[0]._forward_hooks


def test_maps_are_pooled_and_pixels_are_scaled() -> None:
    net = nn.Sequential(nn.Conv2d(1, 5, 3), nn.ReLU())
    X = np.random.default_rng(0).integers(0, 256, (6, 1, 10, 10)).astype(np.uint8)
    found = body_features(net, X)
    maps = net(torch.from_numpy(X / np.float32(255))).detach().numpy()
    by_hand = maps.reshape(6, 5, 2, 4, 2, 4).mean(axis=(3, 5)).reshape(6, 20)
    assert found == pytest.approx(by_hand, abs=1e-6)
    assert set(layer_features(net, X)) == {"0 (Conv2d)", "1 (ReLU)"}


def test_sequences_become_their_mean() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    X = rows(5, 7, 8)
    expected = layer(torch.from_numpy(X)).mean(1).detach().numpy()
    assert body_features(layer, X) == pytest.approx(expected, abs=1e-5)


def test_deep_networks_are_thinned_out() -> None:
    deep = nn.Sequential(*[nn.Linear(4, 4) for _ in range(40)])
    found = layer_features(deep, rows())
    assert len(found) == LAYERS
    assert list(found)[-1] == "39 (Linear)"


def test_a_twin_has_the_shape_and_nothing_else() -> None:
    net = nn.Sequential(nn.Linear(4, 50), nn.BatchNorm1d(50), nn.ReLU(), nn.Linear(50, 3))
    with torch.no_grad():
        for p in net.parameters():
            p.fill_(7.0)
        net[1].running_mean.fill_(5.0)
    before = copy.deepcopy(net.state_dict())
    state = torch.get_rng_state()
    twin = random_twin(net, 1)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(
        torch.equal(a, b) for a, b in zip(before.values(), net.state_dict().values(), strict=True)
    )
    assert not (twin[0].weight == 7).any()
    assert twin[1].running_mean.abs().max() == 0
    assert (twin[1].weight == 1).all()
    # He's uniform weights have the variance 2 / fan_in
    assert twin[3].weight.var().item() == pytest.approx(2 / 50, rel=0.3)
    again, other = random_twin(net, 1), random_twin(net, 2)
    assert torch.equal(again[0].weight, twin[0].weight)
    assert not torch.equal(other[0].weight, twin[0].weight)


def test_parameters_without_a_layer_are_shuffled() -> None:
    class Token(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token = nn.Parameter(torch.arange(100.0))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.token[:4]

    twin = random_twin(Token(), 0)
    assert not torch.equal(twin.token, torch.arange(100.0))
    assert torch.equal(twin.token.sort().values, torch.arange(100.0))


def test_attention_draws_anew() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    twin = random_twin(layer, 0)
    for name, p in layer.named_parameters():
        if p.dim() > 1:
            assert not torch.equal(p, dict(twin.named_parameters())[name])


def test_a_body_that_returns_no_tensor_is_refused() -> None:
    class Pair(nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return x, x

    with pytest.raises(InputError, match="one tensor"):
        body_features(Pair(), rows())
    with pytest.raises(InputError, match="no layer"):
        layer_features(nn.Sequential(nn.Flatten()), rows())
