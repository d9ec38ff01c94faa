"""Dropout whose masks are drawn from whole random words."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WORD = 1 << 16  # values of a 16-bit lane
LANES = 4  # lanes in a 64-bit random number
POOL = 1 << 16  # masks drawn at once; small layers would spend their time on the calls


class Dropout(nn.Module):
    """Set a share of units to zero while training, and scale up the others.

    The same as `torch.nn.Dropout`, which draws one random number a unit: on a CPU that costs more
    than the matrix products around it. Here one 64-bit number serves four units, and masks are
    drawn ahead. The share is rounded to 1/65536, and the scale follows it, so expectations are
    exact. Masks drawn ahead are dropped whenever the mode is set, so that a seed decides them.

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
        self._pool: Tensor | None = None
        self._used = 0

    def train(self, mode: bool = True) -> Dropout:
        """Set the mode and drop the masks drawn ahead."""
        self._pool = None
        super().train(mode)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` of any shape, some units set to zero while training."""
        if not self.training or self.p == 0.0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.p)
        n = x.numel()
        if self._pool is None or self._used + n > len(self._pool):
            self._pool, self._used = masks(max(n, POOL), self.p, x.device), 0
        mask = self._pool[self._used : self._used + n].view(x.shape)
        self._used += n
        return x * mask.to(x.dtype)

    def extra_repr(self) -> str:
        """Show the share."""
        return f"p={self.p}"


def masks(n: int, p: float, device: torch.device) -> Tensor:
    """Return ``n`` draws of 0 with probability ``p``, else ``1 / (1 - p)``, float32, shape (n,)."""
    words = torch.empty(-(-n // LANES), dtype=torch.int64, device=device)
    words.random_(-(1 << 63), None)  # all 64 bits; the default leaves the sign bit at 0
    dropped = min(round(p * WORD), WORD - 1)
    kept = words.view(torch.int16)[:n] >= dropped - WORD // 2
    return kept.to(torch.float32).mul_(WORD / (WORD - dropped))
