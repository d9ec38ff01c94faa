"""Flat buffers: the same training as ordinary parameters, and memory handed back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from acclimate.training.flat import FlatParameters

Rule = Callable[[list[nn.Parameter]], torch.optim.Optimizer]

RULES: dict[str, Rule] = {
    "adam": lambda p: torch.optim.Adam(p, 0.01, fused=True),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1, fused=True),
    "sgd": lambda p: torch.optim.SGD(p, 0.01, momentum=0.9, nesterov=True, weight_decay=0.1),
}


def _dense() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))


def _convolutions() -> nn.Module:
    module = nn.Sequential(
        nn.Unflatten(1, (1, 6, 6)), nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 3),
        nn.Flatten(), nn.Linear(12, 3),
    )  # fmt: skip
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class _Tied(nn.Module):
    """Two parameters in one piece of memory, and one parameter used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.second = nn.Linear(6, 6)
        self.third = nn.Linear(6, 6)
        self.second.weight.data = self.first.weight.data.T
        self.third.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.third(self.second(self.first(x)))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "dense": (_dense, 6),
    "channels_last": (_convolutions, 36),
    "tied": (_Tied, 6),
}


def _train(
    module: nn.Module, x: Tensor, stepped: list[nn.Parameter], rule: Rule, zero: Callable[[], None]
) -> None:
    optimizer = rule(stepped)
    for _ in range(10):
        zero()
        module(x).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", NETWORKS)
def test_same_weights_as_ordinary_parameters(name: str, rule: str) -> None:
    build, width = NETWORKS[name]
    torch.manual_seed(0)
    ours = build()
    torch.manual_seed(0)  # built twice, since a deep copy would untie shared memory
    plain = build()
    x = torch.randn(7, width)
    flat = FlatParameters(list(ours.parameters()))
    _train(ours, x, flat.stepped, RULES[rule], flat.zero_grad)
    flat.release()
    usual = list(plain.parameters())
    _train(plain, x, usual, RULES[rule], lambda: [setattr(p, "grad", None) for p in usual])
    for (key, mine), theirs in zip(ours.named_parameters(), usual, strict=True):
        assert mine.stride() == theirs.stride(), key
        torch.testing.assert_close(mine, theirs, rtol=0.0, atol=1e-6, msg=key)


def test_one_buffer_for_each_dtype_with_gradients_as_views() -> None:
    parameters = [nn.Parameter(torch.ones(2, 3)), nn.Parameter(torch.ones(4).double()),
                  nn.Parameter(torch.ones(5))]  # fmt: skip
    flat = FlatParameters(parameters)
    assert [(p.numel(), p.dtype) for p in flat.flat] == [(11, torch.float32), (4, torch.float64)]
    (3.0 * parameters[2]).sum().backward()
    assert flat.flat[0].grad is not None
    assert flat.flat[0].grad.tolist() == [0.0] * 6 + [3.0] * 5
    with torch.no_grad():
        flat.flat[0].fill_(7.0)
    assert parameters[0].tolist() == [[7.0] * 3] * 2
    flat.zero_grad()
    assert parameters[2].grad is not None
    assert parameters[2].grad.tolist() == [0.0] * 5


def test_channels_last_weights_keep_values_and_memory_order() -> None:
    torch.manual_seed(0)
    module = _convolutions()
    before = [(p.detach().clone(), p.stride()) for p in module.parameters()]
    flat = FlatParameters(list(module.parameters()))
    assert not flat.alone
    for p, (value, stride) in zip(module.parameters(), before, strict=True):
        assert torch.equal(p, value)
        assert p.stride() == stride
        assert p.grad is not None
        assert p.grad.stride() == stride


def test_shared_memory_is_left_where_it_is() -> None:
    module = _Tied()
    storage = module.first.weight.untyped_storage().data_ptr()
    flat = FlatParameters(list(module.parameters()))
    assert {id(p) for p in flat.alone} == {id(module.first.weight), id(module.second.weight)}
    flat.release()
    assert module.second.weight.untyped_storage().data_ptr() == storage


def test_release_gives_each_parameter_memory_of_its_own() -> None:
    module = _dense()
    flat = FlatParameters(list(module.parameters()))
    inside = {p.untyped_storage().data_ptr() for p in module.parameters()}
    assert len(inside) == 1
    values = [p.detach().clone() for p in module.parameters()]
    flat.release()
    storages = [p.untyped_storage() for p in module.parameters()]
    assert len({s.data_ptr() for s in storages} | inside) == len(values) + 1
    for p, storage, value in zip(module.parameters(), storages, values, strict=True):
        assert p.grad is None
        assert storage.nbytes() == p.numel() * p.element_size()
        assert torch.equal(p, value)


def test_parameters_that_were_not_given_are_not_touched() -> None:
    module = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    frozen = module[0]
    where = [p.data_ptr() for p in frozen.parameters()]
    flat = FlatParameters(list(module[1].parameters()))
    with torch.no_grad():
        flat.flat[0].zero_()
    assert [p.data_ptr() for p in frozen.parameters()] == where
    assert all(p.grad is None for p in frozen.parameters())
    assert not any(p.any() for p in module[1].parameters())
