"""The loop makes every tensor on the network's device.

On a machine without a GPU, a tensor made without a device lands on the CPU like all others and
nothing shows. So the loop runs on torch's "meta" device here: whatever appears anywhere else was
made off the network's device. One thing is allowed: the order of the rows is drawn by a CPU
generator, so that it is the same on every device, and then moved.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from acclimate import NeuralClassifier
from acclimate.training.batch import Batch, Data
from acclimate.training.course import Forward
from acclimate.training.inference import infer
from acclimate.training.loop import train
from acclimate.training.network import Network, forward
from acclimate.training.terms import Phase, Settings, Term

META = torch.device("meta")
ORDER = "aten::randperm"


class Strays(TorchDispatchMode):
    """Record every operation that makes a tensor off ``device``, except the order of the rows."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.device = device
        self.found: list[str] = []
        self.orders = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        made = [out] if isinstance(out, Tensor) else out if isinstance(out, list | tuple) else []
        for tensor in made:
            if not isinstance(tensor, Tensor) or tensor.device == self.device:
                continue
            if func.name().startswith(ORDER):
                self.orders += 1
            else:
                self.found.append(f"{func.name()} on {tensor.device}, shape {tuple(tensor.shape)}")
        return out


class Figures(TorchFunctionMode):
    """Answer where the loop reads figures, which tensors on the meta device do not have."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name == "tolist" and args[0].device == META:
            return np.ones(args[0].shape).tolist()
        if name in ("__bool__", "item") and args[0].device == META:
            return True
        return func(*args, **(kwargs or {}))


def _strays(run: Forward, source: Data, target: Data, make: Callable[..., Network],
            task: Term, sides: str = "st") -> Strays:  # fmt: skip
    net = make(dropout=0.25).to(META)
    assert source.y is not None
    s = Data(source.x.to(META), source.y.to(META), torch.ones(90, device=META))
    t = Data(target.x.to(META), domain=1)
    closer = Term("closer", lambda a, b: (a.z.mean(0) - b.z.mean(0)).square().sum(), lambda p: p)
    phases = [Phase([task, closer], [net]), Phase([task], [net.head], repeat=2)]
    if sides == "s":
        phases = [Phase([task], [net])]
    with Figures(), Strays(META) as strays:
        history = train(
            net, phases, s, t if "t" in sides else None, seed=0, forward=run, frozen=[],
            settings=Settings(8, 32, "sgd", patience=2), validate=lambda network: 0.5,
            before_epoch=lambda network, progress: None, after_step=lambda network, progress: None,
        )  # fmt: skip
    assert history.epochs
    assert all(p.device == META for p in net.parameters())
    return strays


@pytest.mark.parametrize("sides", ["st", "s"])
def test_the_loop_makes_no_tensor_off_the_device(
    sides: str, source: Data, target: Data, make: Callable[..., Network], task: Term
) -> None:
    strays = _strays(forward, source, target, make, task, sides)
    assert strays.found == []
    assert strays.orders > 0  # the mode did see the loop at work


@pytest.mark.parametrize(
    "factory",
    [
        lambda: torch.zeros(()),
        lambda: torch.arange(3),
        lambda: torch.tensor([1.0, 2.0]),
        lambda: torch.empty(2),
        lambda: torch.full((2,), 0.5),
        lambda: torch.rand(2),
        lambda: torch.eye(2),
    ],
)
def test_a_tensor_made_without_a_device_is_caught(
    factory: Callable[[], Tensor], source: Data, target: Data, make: Callable[..., Network],
    task: Term,
) -> None:  # fmt: skip
    """The test above can fail: the same run with one careless line in ``forward``."""

    def careless(network: nn.Module, batch: Batch) -> SimpleNamespace:
        factory()
        return forward(network, batch)

    assert _strays(careless, source, target, make, task).found


def test_prediction_moves_rows_to_the_network_and_results_back(
    source: Data, make: Callable[..., Network]
) -> None:
    """Between the two, nothing is made anywhere else: rows in, and results to the CPU."""
    net = make().to(META)
    with Strays(META) as strays, pytest.raises(NotImplementedError, match="meta"):
        infer(net, source.x, device=META)  # results cannot leave the meta device
    assert {name.split()[0] for name in strays.found} <= {"aten::split.Tensor"}


needs_gpu = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="this machine has no CUDA device that torch sees"
)


@needs_gpu
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_training_on_a_gpu_equals_training_on_the_cpu(
    precision: str, source: Data, target: Data, make: Callable[..., Network], task: Term
) -> None:
    device = torch.device("cuda", 0)
    assert source.y is not None
    closer = Term("closer", lambda a, b: (a.z.mean(0) - b.z.mean(0)).square().sum())
    on_cpu = make()
    on_gpu = copy.deepcopy(on_cpu).to(device)
    settings = Settings(40, 32, learning_rate=0.01, precision=precision)
    train(on_cpu, [Phase([task, closer], [on_cpu])], source, target, settings=settings, seed=0)
    state = torch.cuda.get_rng_state(device)
    with Strays(device) as strays:
        train(on_gpu, [Phase([task, closer], [on_gpu])],
              Data(source.x.to(device), source.y.to(device)), Data(target.x.to(device), domain=1),
              settings=settings, seed=0)  # fmt: skip
    assert strays.found == []
    assert torch.equal(torch.cuda.get_rng_state(device), state)
    tolerance = 1e-4 if precision == "float32" else 5e-2
    for mine, theirs in zip(on_cpu.parameters(), on_gpu.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs.cpu(), rtol=0.0, atol=tolerance)


@needs_gpu
def test_the_classifier_uses_the_gpu_by_itself() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    X = rng.normal(size=(200, 3)) + 3.0 * y[:, None]
    model = NeuralClassifier(min_steps=100, random_state=0).fit(X, y)
    assert next(model.network_.parameters()).is_cuda
    assert model.score(X, y) > 0.9
