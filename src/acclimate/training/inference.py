"""Running a network without gradients, in batches."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from acclimate.training.batch import as_float
from acclimate.training.device import autocast, fast_products


def infer(
    network: nn.Module, x: Tensor, *, batch_size: int = 1024, precision: str = "float32",
    device: torch.device | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Run a `Network` without gradients, in batches.

    Parameters
    ----------
    network : nn.Module
        Returns features and logits. It is run in evaluation mode, and left in the mode it had.
    x : Tensor of shape (m, ...)
        Inputs, on any device.
    batch_size : int, default=1024
        Rows at a time.
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
