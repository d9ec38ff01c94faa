"""Layer groups: their order, what belongs together, and that nothing is left out."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from acclimate.training.layers import Own, layer_groups, layer_names
from acclimate.training.network import Network, cnn, mlp


def names(body: nn.Module, head: nn.Module | None = None) -> list[list[str]]:
    network = Network(body, head or nn.Linear(2, 2))
    return [layer_names(network, group) for group in layer_groups(network)]


class Blocks(nn.Module):
    """A body with a parameter and a buffer of its own, blocks in a list, and a norm at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, 4))
        self.register_buffer("seen", torch.zeros(()))
        self.stem = nn.Linear(4, 4)
        self.blocks = nn.ModuleList([nn.Linear(4, 4), nn.TransformerEncoderLayer(4, 2, 8)])
        self.norm = nn.LayerNorm(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.seen += 1
        return x


class TestGroups:
    def test_sequential(self) -> None:
        body = nn.Sequential(
            nn.BatchNorm1d(4), nn.Linear(4, 8), nn.BatchNorm1d(8), nn.PReLU(8), nn.Dropout(0.1),
            nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2), nn.LayerNorm(2)),
        )  # fmt: skip
        assert names(body) == [
            ["body.0", "body.1", "body.2", "body.3"],
            ["body.5.0"],
            ["body.5.2", "body.5.3"],
            ["head"],
        ]

    def test_a_module_of_one_s_own(self) -> None:
        assert names(Blocks()) == [
            ["body", "body.stem"], ["body.blocks.0"], ["body.blocks.1", "body.norm"], ["head"],
        ]  # fmt: skip

    def test_built_in_networks(self) -> None:
        hidden = layer_groups(mlp((4,), 3, (8, 8, 8), 0.2))
        assert [len(group) for group in hidden] == [1, 1, 1, 1]
        kinds = [[type(m).__name__ for m in g] for g in layer_groups(cnn((12, 12), 3, (8,), 0.0))]
        assert kinds == [["Conv2d"], ["Conv2d"], ["Linear"], ["Linear"]]

    def test_a_body_without_weights(self) -> None:
        assert names(nn.Flatten()) == [["head"]]
        assert names(nn.BatchNorm1d(4)) == [["body"], ["head"]]

    def test_a_body_of_one_layer(self) -> None:
        assert names(nn.Linear(4, 2)) == [["body"], ["head"]]

    def test_a_layer_that_runs_twice_is_in_one_group(self) -> None:
        shared = nn.Linear(4, 4)
        assert names(nn.Sequential(shared, nn.ReLU(), shared)) == [["body.0"], ["head"]]

    @pytest.mark.parametrize("make", [Blocks, lambda: cnn((12, 12), 3, (8,), 0.2).body])
    def test_every_parameter_is_in_one_group(self, make: type[nn.Module]) -> None:
        network = Network(make(), nn.Linear(8, 3))
        found = [p for group in layer_groups(network) for m in group for p in m.parameters()]
        assert {id(p) for p in found} == {id(p) for p in network.parameters()}
        assert len(found) == len(set(map(id, found)))


def test_a_body_s_own_mode_is_set_without_its_children() -> None:
    body = Blocks()
    own = layer_groups(Network(body, nn.Linear(4, 2)))[0][0]
    assert isinstance(own, Own)
    assert [p is body.token for p in own.parameters()] == [True]
    body.train()
    own.eval()
    body(torch.zeros(1))
    assert not body.training
    assert body.stem.training
    assert float(body.seen) == 0.0
