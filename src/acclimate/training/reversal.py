"""The identity whose gradient is turned round: what sets a body against a discriminator."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, strength: Tensor) -> Tensor:
        ctx.save_for_backward(strength)
        return z.view_as(z)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (strength,) = ctx.saved_tensors
        return -strength.to(gradients[0].dtype) * gradients[0], None


class Reversal(nn.Module):
    """Pass values through, and gradients back times ``-strength`` (arXiv:1505.07818).

    The strength is a buffer: a checkpoint keeps it.

    Parameters
    ----------
    strength : float, default=1.0
        Factor on the gradient before its sign changes, at least 0.

    Examples
    --------
    >>> import torch
    >>> z = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> Reversal(0.5)(z).sum().backward()
    >>> z.grad
    tensor([-0.5000, -0.5000])
    """

    strength: Tensor

    def __init__(self, strength: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("strength", torch.tensor(float(strength)))

    def set(self, strength: float) -> None:
        """Use another strength from now on."""
        self.strength.fill_(strength)

    def forward(self, z: Tensor) -> Tensor:
        """Return ``z`` of any shape."""
        passed: Tensor = _Reverse.apply(z, self.strength.clone())  # type: ignore[no-untyped-call]
        return passed
