"""Splitting a network into body and head, and the built-in networks."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from acclimate.exceptions import InputError
from acclimate.training.batch import Data
from acclimate.training.network import (
    Network,
    cnn,
    forward,
    is_convolutional,
    mlp,
    new_head,
    output_width,
)
from acclimate.training.networks import NETWORKS
from acclimate.training.networks_norm import Residual
from acclimate.training.norm import norms
from acclimate.training.splitting import check_split, split


class _Nested(nn.Module):
    """A module as users write them: the head sits inside, beside another linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Dropout(0.5))
        self.top = nn.ModuleDict({"answer": nn.Linear(6, 3), "unused": nn.Linear(6, 2)})

    def forward(self, x: Tensor) -> Tensor:
        return self.top["answer"](self.trunk(x))


@pytest.mark.parametrize(
    ("module", "head"),
    [
        (nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)), None),
        (nn.Linear(4, 3), None),
        (_Nested(), "top.answer"),
    ],
)
def test_split_is_the_same_function_on_a_copy(module: nn.Module, head: str | None) -> None:
    if isinstance(module, nn.Linear):
        module = nn.Sequential(module)
    x = torch.randn(5, 4)
    before = copy.deepcopy(module.state_dict())
    net = split(module, head)
    check_split(net, module, x)
    module.eval(), net.eval()
    z, logits = net(x)
    assert torch.equal(logits, module(x))
    assert torch.equal(logits, net.head(z))
    with torch.no_grad():
        net.head.weight.zero_()
        net.head.bias.zero_()
    assert all(torch.equal(module.state_dict()[key], value) for key, value in before.items())


def test_split_of_a_network_is_a_deep_copy() -> None:
    net = mlp((4,), 3, (8,), 0.0)
    again = split(net)
    assert again is not net
    assert again.head.weight.data_ptr() != net.head.weight.data_ptr()
    assert torch.equal(again.head.weight, net.head.weight)


def test_an_unknown_head_is_named_with_the_layers_there_are() -> None:
    with pytest.raises(InputError, match=r"no head 'top\.anser' .*'top\.answer'"):
        split(_Nested(), "top.anser")
    with pytest.raises(InputError, match="no head ''"):
        split(nn.Sequential(nn.Conv2d(1, 2, 3)))


@pytest.mark.parametrize(
    ("module", "head"),
    [
        (nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 3), nn.Softmax(1)), None),
        (_Nested(), None),  # the last linear layer is not the one that answers
        (nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 3)), "0"),
    ],
)
def test_a_module_that_does_not_end_with_its_head_is_refused(
    module: nn.Module, head: str | None
) -> None:
    module.train()
    with pytest.raises(InputError, match="does not end with its head"):
        check_split(split(module, head), module, torch.randn(2, 4))
    assert module.training


def test_output_width_and_new_head() -> None:
    assert output_width(nn.Linear(4, 7)) == 7
    assert output_width(nn.Sequential(nn.Linear(4, 7), nn.ReLU(), nn.Linear(7, 2))) == 2
    with pytest.raises(InputError, match="ReLU"):
        output_width(nn.ReLU())
    head = new_head(nn.Linear(4, 7, bias=False), 3)
    assert (head.in_features, head.out_features, head.bias) == (4, 3, None)
    with pytest.raises(InputError, match="Sequential"):
        new_head(nn.Sequential(nn.Linear(4, 7)), 3)


def test_mlp_layers() -> None:
    net = mlp((2, 3), 5, (8, 7), 0.25)
    kinds = [type(layer).__name__ for layer in net.body]  # type: ignore[union-attr]
    assert kinds == ["Flatten", *["Linear", "ReLU", "Dropout"] * 2]
    z, logits = net(torch.randn(4, 2, 3))
    assert (z.shape, logits.shape) == ((4, 7), (4, 5))
    assert sum(p.numel() for p in net.parameters()) == (6 * 8 + 8) + (8 * 7 + 7) + (7 * 5 + 5)
    assert not is_convolutional(net)


@pytest.mark.parametrize("shape", [(28, 28), (3, 10, 13), (16, 16)])
def test_cnn_takes_images_with_and_without_channels(shape: tuple[int, ...]) -> None:
    net = cnn(shape, 5, (16,), 0.0)
    z, logits = net(torch.randn(2, *shape))
    assert (z.shape, logits.shape) == ((2, 16), (2, 5))
    assert is_convolutional(net)


@pytest.mark.parametrize("shape", [(784,), (9, 28), (1, 2, 28, 28)])
def test_cnn_refuses_other_rows(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match='use network="mlp"'):
        cnn(shape, 5, (16,), 0.0)


def test_forward_carries_the_batch() -> None:
    data = Data(torch.randn(6, 4), torch.arange(6) % 3, torch.ones(6), 1)
    batch = data.batch(torch.tensor([5, 0]))
    net: Network = mlp((4,), 3, (8,), 0.0)
    out = forward(net, batch)
    assert torch.equal(out.logits, net(batch.x)[1])
    assert out.z.shape == (2, 8)
    for name in ("x", "y", "weight", "index", "domain", "views"):
        assert getattr(out, name) is getattr(batch, name)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("mlp-norm", (4,)), ("mlp-norm", (3, 5)), ("cnn-norm", (12, 10)), ("cnn-norm", (3, 28, 28)),
     ("resnet", (12, 10)), ("resnet", (3, 28, 28))],
)  # fmt: skip
def test_networks_with_batch_norm(name: str, shape: tuple[int, ...]) -> None:
    net = NETWORKS[name](shape, 5, (7, 6), 0.1)
    z, logits = net(torch.randn(4, *shape))
    assert (z.shape, logits.shape) == ((4, 6), (4, 5))
    assert len(norms(net)) >= 2
    whole = torch.randn(64, *shape)
    z, _ = net.train()(whole)
    z.sum().backward()
    assert all(p.grad is not None for p in net.body.parameters())


@pytest.mark.parametrize("name", ["cnn-norm", "resnet"])
def test_small_images_are_refused_by_name(name: str) -> None:
    with pytest.raises(InputError, match=f'network="{name}" needs images'):
        NETWORKS[name]((9, 28), 5, (7,), 0.1)


def test_a_residual_block_adds_to_its_input() -> None:
    block = Residual(3, 3).eval()
    with torch.no_grad():
        block.second.weight.zero_()
    x = torch.randn(2, 3, 6, 6)
    torch.testing.assert_close(block(x), x.relu())
    assert Residual(3, 4, 2)(x).shape == (2, 4, 3, 3)


def test_resnet_has_less_than_half_of_the_weights_of_the_cnn() -> None:
    sizes = [
        sum(p.numel() for p in NETWORKS[name]((28, 28), 10, (128,), 0.2).parameters())
        for name in ("resnet", "cnn")
    ]
    assert sizes[0] < 0.5 * sizes[1]


@pytest.mark.parametrize("name", ["cnn", "cnn-norm", "resnet"])
def test_channels_last_are_named_with_the_way_out(name: str) -> None:
    for channels in (1, 3, 4):
        with pytest.raises(InputError, match=r"theirs last; give X\.transpose\(0, 3, 1, 2\)"):
            NETWORKS[name]((28, 30, channels), 5, (7,), 0.1)
    NETWORKS[name]((28, 12, 14), 5, (7,), 0.1)  # 28 channels
