"""Layers that run by hand: the gradients of autograd, the weights of the loop without them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from acclimate import DANN, MCD, Domain, FineTune, NeuralClassifier, NeuralRegressor
from acclimate.losses import supervised
from acclimate.training.batch import Data
from acclimate.training.dropout import POOL, Dropout, masks
from acclimate.training.fused import Tape, dense
from acclimate.training.loop import train
from acclimate.training.network import Network
from acclimate.training.terms import Phase, Settings, Term

BODIES: dict[str, Callable[[], nn.Module]] = {
    "relu": lambda: nn.Sequential(nn.Flatten(), nn.Linear(6, 5), nn.ReLU()),
    "dropout": lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU(), Dropout(0.3)),
    "dropout of torch": lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Dropout(0.3)),
    "dropout alone": lambda: nn.Sequential(nn.Linear(6, 5), Dropout(0.3)),
    "no bias, nothing": lambda: nn.Sequential(nn.Linear(6, 5, bias=False), nn.Linear(5, 5)),
    "nested": lambda: nn.Sequential(
        nn.Flatten(), nn.Sequential(nn.Linear(6, 7), nn.ReLU(), Dropout(0.5)),
        nn.Sequential(nn.Linear(7, 5), nn.ReLU()),
    ),
}  # fmt: skip


def _network(name: str, dtype: torch.dtype = torch.float64) -> Network:
    torch.manual_seed(0)
    return Network(BODIES[name](), nn.Linear(5, 3)).to(dtype).train()


def _loss(z: Tensor, logits: Tensor) -> Tensor:
    return logits.logsumexp(1).mean() + (z * z.cos()).sum() + (logits[:, 0] * z[:, 1]).sum()


def _gradients(network: Network, x: Tensor, by_hand: bool) -> list[Tensor]:
    network.zero_grad()
    network.train()  # masks drawn ahead are dropped
    torch.manual_seed(1)
    tape = Tape()
    if by_hand:
        with tape:
            outputs = [network(part) for part in x.split(4)]
        assert len(tape.runs) == len(outputs)
    else:
        outputs = [network(part) for part in x.split(4)]
    tape.backward(sum((_loss(*o) for o in outputs), torch.zeros(())))
    return [p.grad.clone() for p in network.parameters() if p.grad is not None]


@pytest.mark.parametrize(
    ("dtype", "atol"), [(torch.float64, 1e-12), (torch.float32, 1e-6)], ids=["double", "single"]
)
@pytest.mark.parametrize("name", BODIES)
def test_gradients_are_those_of_autograd(name: str, dtype: torch.dtype, atol: float) -> None:
    network, x = _network(name, dtype), torch.randn(10, 6, dtype=dtype)
    ours, theirs = (_gradients(network, x, by_hand) for by_hand in (True, False))
    assert len(ours) == len(list(network.parameters()))
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=atol, atol=atol)


def test_gradients_are_those_of_finite_differences() -> None:
    network, x, h = _network("nested"), torch.randn(10, 6).double(), 1e-6
    network.body[1][2].p = 0.0
    ours = _gradients(network, x, by_hand=True)

    def total() -> float:
        with torch.no_grad():
            return float(sum(_loss(*network(part)) for part in x.split(4)))

    for p, found in zip(network.parameters(), ours, strict=True):
        for i in range(p.numel()):
            flat = p.data.view(-1)
            flat[i] += h
            above = total()
            flat[i] -= 2 * h
            below = total()
            flat[i] += h
            assert abs((above - below) / (2 * h) - float(found.view(-1)[i])) < 1e-6


def test_a_loss_of_features_alone_leaves_the_head_where_it_is() -> None:
    network, tape = _network("relu"), Tape()
    with tape:
        z, _ = network(torch.randn(4, 6).double())
    tape.backward(z.square().sum())
    assert network.head.weight.grad is None
    assert network.body[1].weight.grad is not None
    assert network.body[1].weight.grad.any()


def test_frozen_layers_get_no_gradient() -> None:
    network, x = _network("nested"), torch.randn(4, 6).double()
    for p in network.body[1].parameters():
        p.requires_grad_(False)
    ours, theirs = (_gradients(network, x, by_hand) for by_hand in (True, False))
    assert network.body[1][0].weight.grad is None
    assert len(ours) == len(theirs) == 4
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-12)


class _Doubled(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return 2.0 * super().forward(x)


@pytest.mark.parametrize(
    "body",
    [
        lambda: nn.Sequential(nn.Linear(6, 5), nn.Tanh()),
        lambda: nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU()),
        lambda: nn.Sequential(_Doubled(6, 5), nn.ReLU()),
        lambda: nn.Sequential(nn.ReLU(), nn.Linear(6, 5)),
        lambda: nn.utils.parametrizations.weight_norm(nn.Linear(6, 5)),
    ],
    ids=["unknown layer", "batch norm", "subclass", "relu first", "parametrised"],
)
def test_other_layers_run_as_ever(body: Callable[[], nn.Module]) -> None:
    network, tape = Network(body(), nn.Linear(5, 3)).train(), Tape()
    with tape:
        network(torch.randn(4, 6))
    assert not tape.runs


def test_hooks_are_called() -> None:
    called = []
    network = _network("relu", torch.float32)
    network.body[1].register_forward_hook(lambda *_: called.append("layer"))
    with Tape() as tape:
        network(torch.randn(4, 6))
    assert called == ["layer"]
    assert not tape.runs
    network = _network("relu", torch.float32)
    network.head.weight.register_hook(lambda g: called.append("weight"))
    with Tape() as tape:
        loss = network(torch.randn(4, 6))[1].sum()
    tape.backward(loss)
    assert called == ["layer", "weight"]


@pytest.mark.parametrize("how", ["no_grad", "eval", "input", "autocast", "closed"])
def test_where_gradients_go_elsewhere_layers_run_as_ever(how: str) -> None:
    network, x, tape = _network("relu", torch.float32), torch.randn(4, 6), Tape()
    network.train(how != "eval")
    x.requires_grad_(how == "input")
    with (
        tape,
        torch.autocast("cpu", torch.bfloat16, enabled=how == "autocast"),
        torch.set_grad_enabled(how != "no_grad"),
    ):
        if how == "closed":
            Tape.open = None
        network(x)
    assert not tape.runs
    assert Tape.open is None


def test_a_head_that_is_replaced_is_seen_in_the_next_epoch() -> None:
    network, x = _network("relu"), torch.randn(4, 6).double()
    with Tape():
        network(x)
    network.head = nn.Linear(5, 2).double()
    network.train()
    with Tape():
        assert network(x)[1].shape == (4, 2)
    assert dense(network.body, network.head) is not None


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("rows", "classes"), [(30, 3), (4, 7)])
def test_slope_of_cross_entropy(rows: int, classes: int, weighted: bool) -> None:
    torch.manual_seed(0)
    logits = (3 * torch.randn(rows, classes)).requires_grad_()
    y, weight = torch.randint(classes, (rows,)), torch.rand(rows) if weighted else None
    loss = supervised.cross_entropy(logits, y, weight)
    (wanted,) = torch.autograd.grad(loss, logits)
    value, slope = supervised.cross_entropy_slope(logits, y, weight)
    torch.testing.assert_close(value, loss.detach(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(slope, wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("weighted", [False, True])
def test_slope_of_squared_error(weighted: bool) -> None:
    torch.manual_seed(0)
    values = torch.randn(9, 1, requires_grad=True)
    y, weight = torch.randn(9), torch.rand(9) if weighted else None
    loss = supervised.squared_error(values, y, weight)
    (wanted,) = torch.autograd.grad(loss, values)
    value, slope = supervised.squared_error_slope(values, y, weight)
    torch.testing.assert_close(value, loss.detach(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(slope, wanted, rtol=1e-6, atol=1e-7)


def _fitted(name: str, X: NDArray[np.float32], y: NDArray[np.int64]) -> Network:
    base = {"hidden": (8, 6), "dropout": 0.2, "min_steps": 0, "batch_size": 16, "random_state": 0}
    if name == "classifier":
        return NeuralClassifier(**base).fit(X, y).network_
    if name == "weighted":
        balanced = NeuralClassifier(class_weight="balanced", **base)
        return balanced.fit(X, y, sample_weight=1.0 + np.arange(len(y))).network_
    if name == "regressor":
        return NeuralRegressor(**base).fit(X, X[:, 0] * y).network_
    if name == "head":
        model = FineTune(NeuralClassifier(**base), strategy="head", random_state=0)
        return model.fit(X, y, target=Domain(X + 1, y)).target_model_.network_
    method = {"DANN": DANN, "MCD": MCD}[name](NeuralClassifier(**base), random_state=0)
    return method.fit(X, y, target=Domain(X + 1)).target_model_.network_


@pytest.mark.parametrize("name", ["classifier", "weighted", "regressor", "head", "DANN", "MCD"])
def test_the_loop_ends_with_the_weights_of_autograd(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(70, 5)).astype(np.float32)
    y = (X[:, 0] + X[:, 1] > 0).astype(np.int64) + (X[:, 2] > 1)
    ours = _fitted(name, X, y)
    ran = []
    monkeypatch.setattr(Network, "by_hand", lambda self, x: ran.append(len(x)))
    theirs = _fitted(name, X, y)
    assert ran
    for (key, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=0.0, atol=2e-5, msg=key)


def test_masks_follow_each_other_whatever_their_shapes() -> None:
    shapes = [(300, 100), (300, 100), (7, 3), (300, 100), (40, 20), (40, 20), (0, 5), (300, 100)]
    torch.manual_seed(0)
    layer = Dropout(0.3)
    ours = [layer(torch.ones(shape)) for shape in shapes]
    torch.manual_seed(0)
    pool, used = masks(POOL, 0.3, torch.device("cpu")), 0
    for shape, mine in zip(shapes, ours, strict=True):
        n = shape[0] * shape[1]
        if used + n > len(pool):
            pool, used = masks(POOL, 0.3, torch.device("cpu")), 0
        assert torch.equal(mine, pool[used : used + n].view(shape))
        used += n


def test_a_phase_runs_the_batches_that_it_reads() -> None:
    seen: list[tuple[str, int]] = []
    network = nn.Linear(2, 1)

    def forward(net: nn.Module, batch: SimpleNamespace) -> SimpleNamespace:
        seen.append((names[len(seen)], batch.domain))
        return SimpleNamespace(z=net(batch.x))

    names = ["both", "both", "source", "target"] * 2
    loss = {
        "both": lambda s, t: s.z.sum() + t.z.sum(),
        "source": lambda s, t: s.z.sum() if t is None else None,
        "target": lambda s, t: t.z.sum() if s is None else None,
    }
    reads = {"both": (True, True), "source": (True, False), "target": (False, True)}
    phases = [Phase([Term(n, loss[n])], [network], reads=reads[n]) for n in loss]
    source, target = Data(torch.ones(6, 2)), Data(torch.ones(6, 2), domain=1)
    train(
        network, phases, source, target, settings=Settings(2, 3), seed=0, forward=forward,
        join=lambda net, s, t: None,
    )  # fmt: skip
    assert [domain for _, domain in seen] == [0, 1, 0, 1] * 2
