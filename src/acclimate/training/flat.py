"""One flat buffer for all parameters of a module, so that an optimiser step is one kernel."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def _slot(parameter: Tensor, piece: Tensor) -> Tensor:
    """View a flat piece in the shape and memory order of ``parameter``.

    The very strides count: weights of one input channel are contiguous and channels_last at once,
    and only their strides tell a convolution which of the two its output takes.
    """
    return piece.as_strided(parameter.shape, parameter.stride())


def _plain(parameter: Tensor) -> bool:
    return parameter.is_contiguous() or (
        parameter.dim() == 4 and parameter.is_contiguous(memory_format=torch.channels_last)
    )


class FlatParameters:
    """Parameters of some modules laid out in one buffer, with their gradients in another.

    Parameters are grouped by dtype and device. One that is shared with another tensor, or laid out
    in an unusual way, stays as it is and is stepped on its own.

    Parameters
    ----------
    parameters : list of nn.Parameter
        Trainable parameters, each once.
    """

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self.parameters = parameters
        self.flat: list[nn.Parameter] = []
        self._moved: list[nn.Parameter] = []
        groups: dict[tuple[torch.dtype, torch.device], list[nn.Parameter]] = {}
        storages = [p.untyped_storage().data_ptr() for p in parameters]
        alone: list[nn.Parameter] = []
        for p, storage in zip(parameters, storages, strict=True):
            if _plain(p) and storages.count(storage) == 1 and p.numel() > 0:
                groups.setdefault((p.dtype, p.device), []).append(p)
            else:
                alone.append(p)
        for (dtype, device), members in groups.items():
            size = sum(p.numel() for p in members)
            buffer = torch.empty(size, dtype=dtype, device=device)
            gradient = torch.zeros(size, dtype=dtype, device=device)
            start = 0
            for p in members:
                stop = start + p.numel()
                place = _slot(p, buffer[start:stop])
                place.copy_(p.detach())
                p.data = place
                p.grad = _slot(p, gradient[start:stop])
                start = stop
            whole = nn.Parameter(buffer)
            whole.grad = gradient
            self.flat.append(whole)
            self._moved.extend(members)
        self.alone = alone
        self.stepped = self.flat + alone

    def zero_grad(self) -> None:
        """Set every gradient to zero in place; views into the buffer stay views."""
        for p in self.stepped:
            if p.grad is not None:
                p.grad.zero_()

    def release(self) -> None:
        """Give each parameter memory of its own again and drop the gradients."""
        for p in self._moved:
            p.data = p.data.clone()
            p.grad = None
        for p in self.alone:
            p.grad = None
