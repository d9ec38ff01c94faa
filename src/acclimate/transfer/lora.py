"""Low-rank adaptation: linear layers move by a product of two thin matrices."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from acclimate.exceptions import InputError
from acclimate.training.device import seeded
from acclimate.training.layers import Own, has_own_state
from acclimate.transfer.tuning import Tuning


class LowRank(nn.Module):
    """Add ``scale * B A`` to a weight matrix.

    Parameters
    ----------
    weight : Tensor of shape (outputs, inputs)
        The matrix that is adapted. It is not kept.
    rank : int
        Rows of A and columns of B; no more than the smaller side of the matrix.
    scale : float
        Factor of the product.
    """

    def __init__(self, weight: Tensor, rank: int, scale: float) -> None:
        super().__init__()
        outputs, inputs = weight.shape
        rank = min(rank, outputs, inputs)
        like: dict[str, Any] = {"dtype": weight.dtype, "device": weight.device}
        self.A = nn.Parameter(torch.randn(rank, inputs, **like) / math.sqrt(inputs))
        self.B = nn.Parameter(torch.zeros(outputs, rank, **like))
        self.scale = scale

    def forward(self, weight: Tensor) -> Tensor:
        """Return the adapted matrix, shape (outputs, inputs)."""
        return weight + self.scale * (self.B @ self.A)


def adaptable(body: nn.Module) -> list[tuple[str, nn.Linear]]:
    """Return the linear layers of a body by name, but for those that the user froze."""
    return [
        (name, m)
        for name, m in body.named_modules()
        if isinstance(m, nn.Linear) and m.weight.requires_grad
    ]


@contextlib.contextmanager
def adapters(body: nn.Module, rank: int, scale: float) -> Iterator[list[LowRank]]:
    """Give linear layers of ``body`` an adapter, and merge them into its weights at the end.

    Layers that the user froze get none.

    At first the function is unchanged, since B is zero. Afterwards the layers are plain
    `nn.Linear` again, each with ``W + scale * B A`` as its weight.

    Parameters
    ----------
    body : nn.Module
        Changed in place.
    rank : int
        Rank of the adapters, at least 1.
    scale : float
        Factor of the product.

    Yields
    ------
    list of LowRank
        The adapters, in the order of the layers.
    """
    layers = [m for _, m in adaptable(body)]
    orders = [list(layer._parameters) for layer in layers]
    added = [LowRank(layer.weight.detach(), rank, scale) for layer in layers]
    for layer, adapter in zip(layers, added, strict=True):
        parametrize.register_parametrization(layer, "weight", adapter)
    try:
        yield added
    finally:
        for layer, order in zip(layers, orders, strict=True):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
            for name in order:  # removing puts the weight last
                layer._parameters[name] = layer._parameters.pop(name)


def lora(tuning: Tuning) -> list[str]:
    """Tune low-rank adapters of the body's linear layers, and the head (arXiv:2106.09685).

    Minimises the loss over ``A``, ``B`` and the head, where each weight matrix is
    ``W + alpha / rank * B A`` and ``W`` stands still. A is normal with variance ``1 / inputs``, B
    is zero. All else in the body is frozen, buffers included. At the end the products are merged,
    so the network has its old shape and cost.

    Deviations: every linear layer of the body gets an adapter, not attention's alone, and the head
    moves as a whole.
    """
    net = tuning.network
    linear = [name for name, _ in adaptable(net.body)]
    if not linear:
        raise InputError(
            f'strategy="lora" adapts nn.Linear layers, but the body, {type(net.body).__name__}, '
            f'has none that may move; use "full" or "head"'
        )
    alpha = 2.0 * tuning.rank if tuning.alpha is None else tuning.alpha
    where = next(net.parameters()).device
    with contextlib.ExitStack() as stack:
        with seeded(tuning.model.seed_, where):
            added = stack.enter_context(adapters(net.body, tuning.rank, alpha / tuning.rank))
        frozen = [
            Own(m) for m in net.body.modules() if has_own_state(m) and not isinstance(m, LowRank)
        ]
        tuning.train(tuning.steps, frozen=frozen)
        del added
    return [*(f"body.{name}" if name else "body" for name in linear), "head"]
