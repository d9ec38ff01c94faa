"""Dropout whose masks are drawn from whole random words."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

WORD = 1 << 16  # values of a 16-bit lane
LANES = 4  # lanes in a 64-bit random number
POOL = 1 << 16  # masks drawn at once; small layers would spend their time on the calls


class Ahead:
    """Masks drawn ahead, as many at once as fill a pool."""

    def __init__(self) -> None:
        self.pool, self.used = torch.empty(0), 0
        self.shape = torch.Size()
        self.ready: list[Tensor] = []  # views of the pool in that shape, the next one last

    def next(self, shape: torch.Size, p: float) -> Tensor:
        """Return a float32 mask of zeros with probability ``p``, from where the last one ended."""
        n = shape.numel()
        if n == 0:
            return torch.empty(shape)
        if not self.ready or shape != self.shape:
            if self.used + n > len(self.pool):
                self.pool, self.used = masks(max(n, POOL), p, torch.device("cpu")), 0
            count = (len(self.pool) - self.used) // n
            views = self.pool[self.used : self.used + count * n].view(-1, *shape).unbind(0)
            self.shape, self.ready = shape, [*reversed(views)]
        self.used += n
        return self.ready.pop()


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
        self._ahead: Ahead | None = None

    def train(self, mode: bool = True) -> Dropout:
        """Set the mode and drop the masks drawn ahead."""
        self._ahead = None
        super().train(mode)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` of any shape, some units set to zero while training."""
        if not self.training or self.p == 0.0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.p)
        return x * self.mask(x)

    def mask(self, x: Tensor) -> Tensor:
        """Return the next mask, of the shape and type of ``x``, which is on the CPU."""
        if self._ahead is None:
            self._ahead = Ahead()
        mask = self._ahead.next(x.shape, self.p)
        return mask if x.dtype is torch.float32 else mask.to(x.dtype)

    def extra_repr(self) -> str:
        """Show the share."""
        return f"p={self.p}"


def masks(n: int, p: float, device: torch.device) -> Tensor:
    """Return ``n`` draws of 0 with probability ``p``, else ``1 / (1 - p)``, float32, shape (n,)."""
    words = torch.empty(-(-n // LANES), dtype=torch.int64, device=device)
    words.random_(-(1 << 63), None)  # all 64 bits; the default leaves the sign bit at 0
    dropped = _dropped(p)
    # in place, since a comparison that makes booleans takes eight times as long
    kept = words.view(torch.int16)[:n].ge_(dropped - WORD // 2)
    return kept.to(torch.float32).mul_(WORD / (WORD - dropped))


def noise(layer: nn.Module, x: Tensor) -> tuple[Tensor, float]:
    """Return what dropout multiplies ``x`` with now, and the number that it holds beside 0.

    Parameters
    ----------
    layer : Dropout or nn.Dropout
        In training mode. Draws what it would draw if it were called.
    x : Tensor
        On the CPU.
    """
    share: float = layer.p  # type: ignore[assignment]
    if isinstance(layer, Dropout):
        return layer.mask(x), float(np.float32(WORD / (WORD - _dropped(share))))  # masks' own type
    scale = 1.0 / (1.0 - share) if share < 1.0 else 0.0
    return torch.empty_like(x).bernoulli_(1.0 - share).mul_(scale), scale


def _dropped(p: float) -> int:
    """Return how many of the values of a lane drop a unit."""
    return min(round(p * WORD), WORD - 1)
