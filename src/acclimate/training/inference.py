"""Running a network without gradients, in batches."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from acclimate.training.batch import as_float
from acclimate.training.device import autocast, fast_products
from acclimate.training.network import is_convolutional


def rows_at_once(network: nn.Module) -> int:
    """Return how many rows go through a network at once where nothing is trained.

    On a CPU, what convolutions leave behind of more than 256 images falls out of the cache, and
    takes up to twice as long. A module that knows better says so in an attribute of this name.
    """
    usual = 256 if is_convolutional(network) else 1024
    return min(getattr(module, "rows_at_once", usual) for module in network.modules())


def infer(
    network: nn.Module, x: Tensor, *, batch_size: int | None = None, precision: str = "float32",
    device: torch.device | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Run a `Network` without gradients, in batches.

    Parameters
    ----------
    network : nn.Module
        Returns features and logits. It is run in evaluation mode, and left in the mode it had.
    x : Tensor of shape (m, ...)
        Inputs, on any device.
    batch_size : int, default=None
        Rows at a time; None is what `rows_at_once` says.
    precision : {"float32", "bf16"}, default="float32"
        Number format inside the network.
    device : torch.device, default=None
        Where the network is; None means where ``x`` is.

    Returns
    -------
    features : Tensor of shape (m, d), float32
        On the CPU.
    logits : Tensor of shape (m, k), float32
        On the CPU.
    """
    where = x.device if device is None else device
    batch_size = rows_at_once(network) if batch_size is None else batch_size
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    pairs = []
    try:
        with torch.inference_mode(), fast_products(where, batch_size), autocast(where, precision):
            for rows in x.split(batch_size):
                z, logits = network(as_float(rows.to(where)))
                pairs.append((z.float().cpu(), logits.float().cpu()))
    finally:  # in training, some modules may be frozen and others not
        for module, mode in modes:
            module.training = mode
    return torch.cat([z for z, _ in pairs]), torch.cat([logits for _, logits in pairs])
