"""Light augmentation of images on the tensor: a whole batch at once, on any device."""

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
    """Turn, scale, move, mirror, colour and blur with noise, each image by its own draw.

    Sizes are drawn evenly between minus and plus the limit. Outside the image, its edge goes on.
    Draws come from torch's generator, which training seeds.

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

    def __call__(self, x: Tensor) -> Tensor:
        """Return images of the shape and type of ``x``, (b, h, w) or (b, c, h, w)."""
        if x.dim() not in (3, 4):
            raise InputError(
                f"augment needs images of shape (n, h, w) or (n, c, h, w), got rows of shape "
                f"{tuple(x.shape[1:])}; use augment=None"
            )
        images = x.unsqueeze(1) if x.dim() == 3 else x
        if self.degrees or self.scale or self.shift or self.flip:
            images = warp(images, self._matrices(len(x), x.device).to(x.dtype))
        if self.colour:
            images = self._coloured(images)
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
        move = 2.0 * self.shift * draw[3:]
        rows = [cos * side, -sin * side, move[0], sin, cos, move[1]]
        return torch.stack(rows, 1).view(n, 2, 3)


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


AUGMENTATIONS: dict[str, Augmentation] = {
    "affine": Augmentation(degrees=15.0, scale=0.1, shift=0.1),
    "crop": Augmentation(shift=0.1),
    "crop-flip": Augmentation(shift=0.1, flip=True),
    "flip": Augmentation(flip=True),
    "colour": Augmentation(colour=0.3),
    "noise": Augmentation(noise=0.1),
}


def augmentation(words: str) -> Augmentation:
    """Return what one or several words of `AUGMENTATIONS`, with commas between, do together.

    Examples
    --------
    >>> augmentation("crop, flip") == AUGMENTATIONS["crop-flip"]
    True
    """
    some = [AUGMENTATIONS[one.strip()] for one in words.split(",")]
    return Augmentation(
        **{f.name: max(getattr(one, f.name) for one in some) for f in fields(Augmentation)}
    )


def views(
    augment: Any, then: Callable[[Batch], Batch] | None = None
) -> Callable[[Batch], Batch] | None:
    """Return the loop's ``views`` for the setting ``augment``, and ``then`` after it."""
    if augment is None:
        return then
    change = augmentation(augment) if isinstance(augment, str) else augment

    def changed(batch: Batch) -> Batch:
        batch = replace(batch, x=change(batch.x))
        return batch if then is None else then(batch)

    return changed
