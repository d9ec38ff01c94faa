"""What goes into the loop: tensors of one domain, batches of them, and the order of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acclimate.exceptions import InputError


@dataclass(frozen=True)
class Batch:
    """Rows of one domain, as a method's ``forward`` receives them.

    Parameters
    ----------
    x : Tensor of shape (b, ...)
        Inputs as float; whole-number pixels arrive divided by 255.
    y : Tensor of shape (b,) or None
        Class codes (int64) or target values (float).
    weight : Tensor of shape (b,) or None
        Weight of each row, 1 on average over the data.
    index : Tensor of shape (b,)
        Position of each row in its data, for pseudo-labels and memory banks.
    domain : int
        0 for the source, 1 and up for targets or further sources.
    views : tuple of Tensor
        Augmented versions of ``x``, where the method makes any.
    """

    x: Tensor
    y: Tensor | None
    weight: Tensor | None
    index: Tensor
    domain: int = 0
    views: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class Data:
    """All rows of one domain on the network's device.

    Parameters
    ----------
    x : Tensor of shape (n, ...)
        Inputs, float or uint8 pixels.
    y : Tensor of shape (n,) or None
        Class codes or target values.
    weight : Tensor of shape (n,) or None
        Weight of each row.
    domain : int, default=0
        Number of the domain.
    """

    x: Tensor
    y: Tensor | None = None
    weight: Tensor | None = None
    domain: int = 0

    def __len__(self) -> int:
        return len(self.x)

    def batch(self, index: Tensor) -> Batch:
        """Return the rows at ``index`` of shape (b,)."""
        return Batch(
            as_float(self.x.index_select(0, index)),
            None if self.y is None else self.y.index_select(0, index),
            None if self.weight is None else self.weight.index_select(0, index),
            index,
            self.domain,
        )

    def with_labels(self, y: Tensor) -> Data:
        """Return the same rows with other labels, such as pseudo-labels, shape (n,)."""
        return replace(self, y=y)


def scaled(weight: NDArray[Any] | None, device: torch.device) -> Tensor | None:
    """Return row weights as the losses take them: 1 on average, shape (n,)."""
    if weight is None:
        return None
    return torch.from_numpy((weight / weight.mean()).astype(np.float32)).to(device)


CHUNK_BYTES = 1 << 20  # gathered at once: more would be fresh memory pages each time, and slower


def batches(data: Data, order: Iterator[Tensor], count: int) -> Iterator[Batch]:
    """Yield ``count`` batches, gathering several of them at once.

    One large gather and one division cost less than many small ones. A chunk is gathered when its
    first batch is due, so labels that change between calls are seen.

    Parameters
    ----------
    data : Data
        Rows to draw from.
    order : iterator of Tensor
        Index batches, each of shape (b,).
    count : int
        Batches to yield.
    """
    row_bytes = 4 * max(data.x[0].numel(), 1)
    while count > 0:
        indices = [next(order)]
        room = CHUNK_BYTES // row_bytes - len(indices[0])
        while len(indices) < count and room > 0:
            indices.append(next(order))
            room -= len(indices[-1])
        chunk = data.batch(torch.cat(indices) if len(indices) > 1 else indices[0])
        sizes = [len(index) for index in indices]
        count -= len(sizes)
        nothing = [None] * len(sizes)
        labels = nothing if chunk.y is None else chunk.y.split(sizes)
        weights = nothing if chunk.weight is None else chunk.weight.split(sizes)
        for x, y, weight, index in zip(chunk.x.split(sizes), labels, weights, indices, strict=True):
            yield Batch(x, y, weight, index, data.domain)


def as_float(x: Tensor) -> Tensor:
    """Return float inputs unchanged and uint8 pixels as float32 in [0, 1]."""
    return x.to(torch.float32).div_(255.0) if x.dtype == torch.uint8 else x


def as_fitted(X: NDArray[Any], pixels: bool | None) -> NDArray[Any]:
    """Return inputs on the scale that a network was fitted on, whatever type they come in.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
        Inputs.
    pixels : bool or None
        Whether the fit saw uint8, which is divided by 255. None leaves the inputs as they are.

    Raises
    ------
    InputError
        The fit saw pixels, and these are fractions up to 1: on which scale is anybody's guess.
    """
    if pixels is None or pixels == (X.dtype == np.uint8):
        return X
    numbers = X.astype(np.float32)
    if not pixels:
        return numbers
    if numbers.size and numbers.max() <= 1.0 and (numbers != np.round(numbers)).any():
        raise InputError(
            f"the network was fitted on uint8 pixels from 0 to 255, and these rows are {X.dtype} "
            f"of at most {float(numbers.max()):.3g}; give pixels from 0 to 255, as uint8 or not"
        )
    return numbers / np.float32(255.0)


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Return the number of batches that one pass over ``n`` rows takes.

    A last batch of a single row is left out where there are others: it has no variance, which
    batch norm needs.
    """
    full, rest = divmod(n, batch_size)
    return full + (1 if rest > 1 or full == 0 else 0)


def shuffled(
    n: int, batch_size: int, generator: torch.Generator, device: torch.device
) -> Iterator[Tensor]:
    """Yield index batches without end: pass after pass, each in a fresh order.

    The order is drawn on the CPU, so that it is the same on every device, and moved once a pass.
    """
    batch_size = min(batch_size, n)
    steps = steps_per_epoch(n, batch_size)
    while True:
        order = torch.randperm(n, generator=generator, device=generator.device).to(device)
        yield from order.split(batch_size)[:steps]


def endless(
    n: int, batch_size: int, generator: torch.Generator, device: torch.device
) -> Iterator[Tensor]:
    """Yield index batches without end, every one of them full.

    Passes follow each other without a seam: where one ends inside a batch, the next begins there.
    Means and covariances of a short last batch would be noise.

    >>> g = torch.Generator().manual_seed(0)
    >>> order = endless(5, 3, g, torch.device("cpu"))
    >>> [len(next(order)) for _ in range(4)]
    [3, 3, 3, 3]
    """
    batch_size = min(batch_size, n)
    rest = torch.empty(0, dtype=torch.int64, device=device)
    while True:
        order = torch.randperm(n, generator=generator, device=generator.device).to(device)
        rows = torch.cat([rest, order])
        full = len(rows) // batch_size * batch_size
        yield from rows[:full].split(batch_size)
        rest = rows[full:]
