"""Dropout whose masks are drawn from whole random words."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WORD = 1 << 16  # values of a 16-bit lane
LANES = 4  # lanes in a 64-bit random number


class Dropout(nn.Module):
    """Set a share of units to zero while training, and scale up the others.

    The same as `torch.nn.Dropout`, which draws one random number a unit: on a CPU that costs more
    than the matrix products around it. Here one 64-bit number serves four units. The share is
    rounded to 1/65536, and the scale follows it, so expectations are exact.

    Parameters
    ----------
    p : float in [0, 1)
        Share of units to drop.

    References
    ----------
    Srivastava et al., "Dropout", Journal of Machine Learning Research 15, 2014.

    Examples
    --------
    >>> import torch
    >>> layer = Dropout(0.5)
    >>> sorted(set(layer(torch.ones(100)).tolist()))
    [0.0, 2.0]
    >>> layer.eval()(torch.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` of any shape, some units set to zero while training."""
        if not self.training or self.p == 0.0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.p)
        n = x.numel()
        words = torch.empty(-(-n // LANES), dtype=torch.int64, device=x.device)
        words.random_(-(1 << 63), None)  # all 64 bits; the default leaves the sign bit at 0
        dropped = min(round(self.p * WORD), WORD - 1)
        kept = words.view(torch.int16)[:n].view(x.shape) >= dropped - WORD // 2
        return x * kept.to(x.dtype).mul_(WORD / (WORD - dropped))

    def extra_repr(self) -> str:
        """Show the share."""
        return f"p={self.p}"
