"""Batch norm between domains: whose statistics a network uses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from acclimate.exceptions import InputError
from acclimate.training.batch import as_float
from acclimate.training.device import autocast, fast_products
from acclimate.training.inference import infer, rows_at_once

PASSES = 2  # each makes one more layer exact; after two, the others are off by rounding's size


def norms(network: nn.Module, frozen: Collection[nn.Module] = ()) -> list[_BatchNorm]:
    """Return the batch-norm layers that may take new statistics, in order of registration.

    Left out are those inside ``frozen`` modules, those whose own scale and shift are frozen, and
    those that keep no statistics.
    """
    held = {layer for module in frozen for layer in module.modules()}
    return [
        layer
        for layer in network.modules()
        if isinstance(layer, _BatchNorm)
        and layer not in held
        and layer.running_mean is not None
        and (layer.weight is None or layer.weight.requires_grad)
    ]


def need_norms(network: nn.Module, name: str) -> list[_BatchNorm]:
    """Return what `norms` returns; raise where there is none, for a method called ``name``."""
    layers = norms(network)
    if not layers:
        images = any(isinstance(layer, nn.Conv2d) for layer in network.modules())
        word, others = ("cnn-norm", '"resnet"') if images else ("mlp-norm", 'another of "-norm"')
        raise InputError(
            f"{name} needs a network with batch norm, and this one has none that may move; use "
            f'NeuralClassifier("{word}") (--estimator {word}), {others} or a module with batch norm'
        )
    return layers


def still_norms(network: nn.Module) -> list[nn.Module]:
    """Return batch-norm layers whose scale and shift are frozen: their statistics must not move."""
    return [
        layer
        for layer in network.modules()
        if isinstance(layer, _BatchNorm)
        and layer.weight is not None
        and not layer.weight.requires_grad
    ]


def reestimate(
    network: nn.Module,
    x: Tensor,
    *,
    layers: Sequence[_BatchNorm] | None = None,
    batch_size: int | None = None,
    passes: int = PASSES,
    precision: str = "float32",
) -> None:
    """Set the running statistics of batch norm to mean and variance over rows ``x``, in place.

    In the first pass each layer's inputs are those of training, where the layers below normalise
    by batch; in the next, the layers below use what the pass before found. Moments are pooled over
    batches, so the size of a batch does not matter where ``passes`` is at least the number of
    layers. The variance is that of n - 1, as in torch.

    Parameters
    ----------
    network : nn.Module
        Any module of one input. Weights do not move; modes are left as they were.
    x : Tensor of shape (m, ...)
        Rows of one domain, on the network's device. A single row has no variance, and changes
        nothing.
    layers : sequence of batch-norm layers, default=None
        Which ones; None is all that `norms` returns.
    batch_size : int, default=None
        Rows at a time; None is what `acclimate.training.inference.rows_at_once` says.
    passes : int, default=2
        Passes over the rows.
    precision : {"float32", "bf16"}, default="float32"
        Number format inside the network.

    References
    ----------
    Li et al., "Revisiting batch normalization for practical domain adaptation", arXiv:1603.04779.
    """
    layers = norms(network) if layers is None else layers
    if not layers or len(x) < 2:
        return
    batch_size = rows_at_once(network) if batch_size is None else batch_size
    parts = -(-len(x) // batch_size)  # of nearly equal size: a part of one row has no variance
    passes = min(passes, len(layers))  # one layer is exact at once
    with torch.no_grad(), fast_products(x.device, batch_size), autocast(x.device, precision):
        for number in range(passes):
            heard = _Heard(layers)
            # each pass makes one more layer exact; where that reaches the last one, whatever lies
            # behind it is found again in the next pass
            wanted = number + 1 if passes == len(layers) else len(layers)
            with _modes(network, layers if number == 0 else ()), heard:
                for rows in x.tensor_split(parts):
                    with suppress(_Enough):
                        network(as_float(rows))
                    heard.end_after(wanted)
            heard.write()


def infer_by_batch(
    network: nn.Module,
    x: Tensor,
    layers: Sequence[_BatchNorm],
    *,
    batch_size: int | None = None,
    precision: str = "float32",
) -> tuple[Tensor, Tensor]:
    """Run a `Network` on rows that batch norm normalises by themselves, without gradients.

    One pass, where `reestimate` and then `infer` take two or more. Neither weights nor statistics
    change.

    Parameters
    ----------
    network : nn.Module
        Returns features and logits.
    x : Tensor of shape (m, ...)
        Rows of one domain, on the network's device.
    layers : sequence of batch-norm layers
        Those that normalise by the rows; the others use their statistics. A single row has no
        variance, and all do.
    batch_size : int, default=None
        About how many rows are normalised together, at most; None is what
        `acclimate.training.inference.rows_at_once` says. Each part takes rows from all over ``x``.
    precision : {"float32", "bf16"}, default="float32"
        Number format inside the network.

    Returns
    -------
    features, logits : Tensor of shape (m, d) and (m, k), float32
        On the CPU.
    """
    if not layers or len(x) < 2:
        return infer(network, x, precision=precision)
    batch_size = rows_at_once(network) if batch_size is None else batch_size
    parts = min(-(-len(x) // batch_size), len(x) // 2)
    found: list[tuple[Tensor, Tensor]] = []
    with (
        torch.inference_mode(), fast_products(x.device, batch_size), autocast(x.device, precision),
        _modes(network, layers),
    ):  # fmt: skip
        for part in range(parts):
            z, logits = network(as_float(x[part::parts]))
            found.append((z.float().cpu(), logits.float().cpu()))
    order = torch.cat([torch.arange(len(x))[part::parts] for part in range(parts)]).argsort()
    return torch.cat([z for z, _ in found])[order], torch.cat([o for _, o in found])[order]


class _Moments:
    """Count, mean and centred sum of squares of each channel, pooled over batches."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: Tensor | float = 0.0
        self.squares: Tensor | float = 0.0

    def add(self, h: Tensor) -> None:
        """Take in values of shape (b, c, ...)."""
        n = h.numel() // h.shape[1]
        found = torch.zeros(2, h.shape[1], device=h.device)
        # the kernel of batch norm finds moments several times faster than `torch.var_mean`
        functional.batch_norm(h, found[0], found[1], training=True, momentum=1.0)
        mean, variance = found.double()  # of n - 1
        variance = variance * (n - 1) / n
        gap = mean - self.mean
        total = self.count + n
        self.squares = self.squares + variance * n + gap**2 * (self.count * n / total)
        self.mean = self.mean + gap * (n / total)
        self.count = total

    def write(self, layer: _BatchNorm) -> None:
        """Put mean and variance into the buffers of a layer that saw any values."""
        if self.count < 2 or layer.running_mean is None or layer.running_var is None:
            return
        layer.running_mean.copy_(torch.as_tensor(self.mean))
        layer.running_var.copy_(torch.as_tensor(self.squares) / (self.count - 1))


class _Enough(Exception):
    """All that is wanted of these rows was heard."""


class _Heard:
    """The moments of what enters each layer, while it is open.

    The first rows go through the whole network and show in which order the layers run. After that
    a pass may end early.

    Parameters
    ----------
    layers : sequence of batch-norm layers
        Those to listen to.
    """

    def __init__(self, layers: Sequence[_BatchNorm]) -> None:
        self.sums = {layer: _Moments() for layer in layers}
        self.order: list[_BatchNorm] = []
        self.last: _BatchNorm | None = None

    def end_after(self, wanted: int) -> None:
        """End passes at the layer that runs as number ``wanted``; never where one runs twice."""
        if self.last is None and len(set(self.order)) == len(self.order) >= wanted:
            del self.order[wanted:]
            self.last = self.order[-1]

    def write(self) -> None:
        """Put the moments into the layers that heard all rows."""
        for layer in set(self.order):
            self.sums[layer].write(layer)

    def _hear(self, layer: Any, inputs: tuple[Tensor, ...]) -> None:
        self.sums[layer].add(inputs[0])
        if self.last is None:
            self.order.append(layer)
        elif layer is self.last:
            raise _Enough

    def __enter__(self) -> Self:
        self.handles = [layer.register_forward_pre_hook(self._hear) for layer in self.sums]
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self.handles:
            handle.remove()


@contextmanager
def _modes(network: nn.Module, by_batch: Collection[_BatchNorm]) -> Iterator[None]:
    """Set evaluation mode, but these layers normalise by batch and leave their statistics alone."""
    before = [(module, module.training) for module in network.modules()]
    network.eval()
    for layer in by_batch:
        layer.training = True
        layer.track_running_stats = False
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode
        for layer in by_batch:
            layer.track_running_stats = True
