"""Augmentation of images, spectrograms and rows on the tensor: a batch at once, on any device."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from acclimate.exceptions import InputError
from acclimate.training.batch import Batch


@dataclass(frozen=True)
class Augmentation:
    """Turn, scale, move, mirror, colour, erase and blur with noise, each image by its own draw.

    Sizes are drawn evenly between minus and plus the limit. Outside the image, its edge goes on.
    Draws come from torch's generator, which training seeds. ``time`` and ``bands`` are for
    spectrograms, whose rows are frequencies and whose columns are times; ``swap`` alone is for rows
    of a table.

    Parameters
    ----------
    degrees : float, default=0.0
        Largest angle, either way.
    scale : float in [0, 1), default=0.0
        Largest share by which an image grows or shrinks.
    shift : float in [0, 1), default=0.0
        Largest move in each direction, as a share of the side.
    flip : bool, default=False
        Whether each image is mirrored left to right with probability 1/2. Not for digits or text.
    colour : float in [0, 1), default=0.0
        Largest share by which contrast, brightness and each channel of its own become more or less.
    noise : float, default=0.0
        Standard deviation of normal noise on each pixel, at least 0.
    erase : float in [0, 1), default=0.0
        Largest sides, as shares of the image's, of a box that its mean covers (cutout,
        arXiv:1708.04552).
    time : float in [0, 1), default=0.0
        Largest move along the last axis alone, as a share of it.
    bands : float in [0, 1), default=0.0
        Largest widths, as shares of the sides, of a band of rows and one of columns that the mean
        covers (SpecAugment, arXiv:1904.08779).
    swap : float in [0, 1), default=0.0
        Share of the cells that are taken from another row of the batch, each from its own column
        (arXiv:2106.15147).
    zoom : float in [0, 1), default=0.0
        Largest share of the area that is cut away: what stays is a crop anywhere in the image, of
        its shape, enlarged to its size.

    Examples
    --------
    >>> import torch
    >>> images = torch.rand(5, 28, 28)
    >>> Augmentation(degrees=10.0, shift=0.1)(images).shape
    torch.Size([5, 28, 28])
    >>> torch.equal(Augmentation()(images), images)
    True
    """

    degrees: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    flip: bool = False
    colour: float = 0.0
    noise: float = 0.0
    erase: float = 0.0
    time: float = 0.0
    bands: float = 0.0
    swap: float = 0.0
    zoom: float = 0.0

    def __call__(self, x: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return images of the shape and type of ``x``, (b, h, w) or (b, c, h, w), or rows.

        Cells are swapped for those of rows drawn by ``weight``, shape (b,); None means 1.
        """
        if self.swap:
            x = swapped(x, self.swap, weight)
            if self == Augmentation(swap=self.swap):
                return x
        if x.dim() not in (3, 4):
            raise InputError(
                f"augment needs images of shape (n, h, w) or (n, c, h, w), got rows of shape "
                f"{tuple(x.shape[1:])}; use augment=None"
            )
        images = x.unsqueeze(1) if x.dim() == 3 else x
        warped = self.degrees or self.scale or self.shift or self.flip or self.time or self.zoom
        if warped:
            images = warp(images, self._matrices(len(x), x.device).to(x.dtype))
        if self.colour:
            images = self._coloured(images)
        if self.erase:
            down, across = spans(images, self.erase)
            images = covered(images, down & across)
        if self.bands:
            down, across = spans(images, self.bands)
            images = covered(images, down | across)
        if self.noise:
            images = images + self.noise * torch.randn_like(images)
        return images.squeeze(1) if x.dim() == 3 else images

    def _coloured(self, images: Tensor) -> Tensor:
        """Change contrast around each image's mean, then all channels together and each alone."""
        n, channels = images.shape[:2]
        draw = 1.0 + self.colour * (2.0 * torch.rand(n, channels + 2, device=images.device) - 1.0)
        draw = draw.to(images.dtype)
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        images = mean + (images - mean) * draw[:, 0].view(n, 1, 1, 1)
        own = draw[:, 2:] if channels > 1 else torch.ones_like(draw[:, 2:])
        return images * (draw[:, 1:2] * own).view(n, channels, 1, 1)

    def _matrices(self, n: int, device: torch.device) -> Tensor:
        """Draw matrices from places in the new image to places in the old, shape (n, 2, 3)."""
        draw = 2.0 * torch.rand(5, n, device=device) - 1.0
        angle = draw[0] * math.radians(self.degrees)
        size = 1.0 / (1.0 + self.scale * draw[1])
        side = torch.where(draw[2] < 0.0, -1.0, 1.0) if self.flip else torch.ones_like(angle)
        cos, sin = angle.cos() * size, angle.sin() * size
        # places are in [-1, 1], so a move by a share of the side is twice that share
        across = 2.0 * max(self.shift, self.time) * draw[3]
        rows = [cos * side, -sin * side, across, sin, cos, 2.0 * self.shift * draw[4]]
        matrices = torch.stack(rows, 1).view(n, 2, 3)
        return inside(matrices, self.zoom) if self.zoom else matrices


def warp(images: Tensor, matrices: Tensor) -> Tensor:
    """Return each image seen through its affine map, with linear interpolation.

    Parameters
    ----------
    images : Tensor of shape (b, c, h, w)
        Floats. Outside, the edge goes on.
    matrices : Tensor of shape (b, 2, 3)
        From a place (x, y, 1) of the new image to a place of the old one; places lie in [-1, 1].

    Returns
    -------
    Tensor of shape (b, c, h, w)
    """
    grid = F.affine_grid(matrices, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def spans(images: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Draw a stretch of rows and one of columns for each image, each anywhere within its sides.

    Parameters
    ----------
    images : Tensor of shape (b, c, h, w)
    share : float in [0, 1)
        Largest length, as a share of the side; lengths are drawn evenly from 0 on.

    Returns
    -------
    down : Tensor of shape (b, 1, h, 1), bool
    across : Tensor of shape (b, 1, 1, w), bool
    """
    n, _, h, w = images.shape
    draw = torch.rand(2, 2, n, 1, device=images.device)
    found = []
    for (size, place), side in zip(draw, (h, w), strict=True):
        length = size * share
        start = place * (1.0 - length)
        middle = (torch.arange(side, device=images.device) + 0.5) / side
        found.append((start <= middle) & (middle < start + length))
    return found[0].view(n, 1, h, 1), found[1].view(n, 1, 1, w)


def covered(images: Tensor, where: Tensor) -> Tensor:
    """Return images with each one's mean where ``where`` is true, shape (b, c, h, w)."""
    return torch.where(where, images.mean(dim=(1, 2, 3), keepdim=True), images)


def swapped(x: Tensor, share: float, weight: Tensor | None = None) -> Tensor:
    """Return rows of which a share of the cells come from other rows, each from its own column.

    Parameters
    ----------
    x : Tensor of shape (b, d)
        Numbers, or codes of categories.
    share : float in [0, 1)
        Chance of each cell.
    weight : Tensor of shape (b,), default=None
        How often a row gives its cells, on any scale; None means equally often.

    Returns
    -------
    Tensor of shape (b, d)
    """
    if x.dim() != 2:
        raise InputError(
            f"swap changes rows of shape (n, d), got rows of shape {tuple(x.shape[1:])}; images "
            f'take words such as "crop" and "strong"'
        )
    if weight is None or bool((weight == weight[0]).all()):  # the same draws as without weights
        other = torch.randint(len(x), x.shape, device=x.device)
    else:
        other = weight.multinomial(x.numel(), replacement=True).view(x.shape)
    return torch.where(torch.rand(x.shape, device=x.device) < share, x.gather(0, other), x)


def inside(matrices: Tensor, zoom: float) -> Tensor:
    """Return maps that look at a crop anywhere in what each map looks at.

    Parameters
    ----------
    matrices : Tensor of shape (b, 2, 3)
        As in `warp`.
    zoom : float in [0, 1)
        Largest share of the area that is cut away. Shares are drawn evenly, and so are places.

    Returns
    -------
    Tensor of shape (b, 2, 3)
    """
    draw = torch.rand(3, len(matrices), device=matrices.device)
    side = (1.0 - zoom * draw[0]).sqrt()
    middle = (2.0 * draw[1:] - 1.0) * (1.0 - side)  # (2, b)
    place = (matrices[:, :, :2] @ middle.T.unsqueeze(2)) + matrices[:, :, 2:]
    return torch.cat([matrices[:, :, :2] * side.view(-1, 1, 1), place], 2)


AUGMENTATIONS: dict[str, Augmentation] = {
    "affine": Augmentation(degrees=15.0, scale=0.1, shift=0.1),
    "crop": Augmentation(shift=0.1),
    "crop-flip": Augmentation(shift=0.1, flip=True),
    "flip": Augmentation(flip=True),
    "colour": Augmentation(colour=0.3),
    "noise": Augmentation(noise=0.1),
    "erase": Augmentation(erase=0.5),
    "time": Augmentation(time=0.1),
    "bands": Augmentation(bands=0.3),
    "zoom": Augmentation(zoom=0.7),
    "strong": Augmentation(degrees=30.0, scale=0.2, shift=0.15, colour=0.4, erase=0.5),
}
OF_ROWS: dict[str, Augmentation] = {
    "swap": Augmentation(swap=0.1),
    "swap-strong": Augmentation(swap=0.3),
}
WORDS = AUGMENTATIONS | OF_ROWS


def augmentation(words: str) -> Augmentation:
    """Return what one or several words of `WORDS`, with commas between, do together.

    Examples
    --------
    >>> augmentation("crop, flip") == AUGMENTATIONS["crop-flip"]
    True
    """
    some = [WORDS[one.strip()] for one in words.split(",")]
    return Augmentation(
        **{f.name: max(getattr(one, f.name) for one in some) for f in fields(Augmentation)}
    )


def changing(augment: Any) -> Callable[[Tensor], Tensor]:
    """Return what words, a callable or None, which leaves rows as they are, do to a tensor."""
    if augment is None:
        return lambda x: x
    change: Callable[[Tensor], Tensor] = (
        augmentation(augment) if isinstance(augment, str) else augment
    )
    return change


def views(
    augment: Any, then: Callable[[Batch], Batch] | None = None
) -> Callable[[Batch], Batch] | None:
    """Return the loop's ``views`` for the setting ``augment``, and ``then`` after it."""
    if augment is None:
        return then
    change = changing(augment)

    def changed(batch: Batch) -> Batch:
        batch = replace(batch, x=change(batch.x))
        return batch if then is None else then(batch)

    return changed


def two_views(change: Callable[[Tensor], Tensor]) -> Callable[[Batch], Batch]:
    """Return the loop's ``views`` that puts two draws of ``change`` into ``views`` of a batch."""

    def seen(batch: Batch) -> Batch:
        return replace(batch, views=(change(batch.x), change(batch.x)))

    return seen
