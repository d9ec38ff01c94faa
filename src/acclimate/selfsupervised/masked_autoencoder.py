"""`MaskedAutoencoder`: find the patches of an image that were hidden."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from acclimate.losses.self_supervised import hidden_error
from acclimate.selfsupervised.pretext import Pretext, PretextTask, Start, image_rows, with_channels
from acclimate.settings import COUNT, INNER_SHARE, Constraints
from acclimate.training.batch import Batch
from acclimate.training.network import he


class MaskedAutoencoder(Pretext):
    """Find the pixels of hidden patches of an image from those that are left.

    Use it for small images where changes that keep the label are not known. Do not use it for large
    ones: its decoder has a weight for each pixel and unit. Its features are for training on, and
    probe lower than those of `SimCLR`.

    Minimises the mean squared error over the hidden pixels.

    Parameters
    ----------
    patch : int, default=4
        Side of a patch in pixels, at least 1.
    share : float in (0, 1), default=0.6
        Share of the patches that are hidden; at least one is, and one is not.
    hidden : int, default=256
        Units of the decoder, at least 1.

    Attributes
    ----------
    There are none: `pretrain` keeps what is learnt.

    Raises
    ------
    InputError
        A value cannot be used, or rows are no images.

    Notes
    -----
    Simplified for small images and any body. Deviations: the body is no transformer, so hidden
    patches are black and not left out, and it costs as much as whole images; the decoder is a
    perceptron on the features, and sees no patch by itself; pixels are not scaled by patch.

    References
    ----------
    He et al., "Masked autoencoders are scalable vision learners", arXiv:2111.06377.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import MaskedAutoencoder, pretrain
    >>> images = np.random.default_rng(0).random((32, 12, 12))
    >>> encoder = pretrain(images, method=MaskedAutoencoder(patch=3), min_steps=2, epochs=1)
    >>> encoder.transform(images).shape
    (32, 128)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "patch": [COUNT],
        "share": [INNER_SHARE],
        "hidden": [COUNT],
    }

    def __init__(self, *, patch: int = 4, share: float = 0.6, hidden: int = 256) -> None:
        self.patch = patch
        self.share = share
        self.hidden = hidden

    def task(self, start: Start) -> PretextTask:
        """Return images with patches hidden, and the error of what is found in their place.

        Parameters
        ----------
        start : Start
            What the body reads and returns.
        """
        shape = image_rows(start, "MaskedAutoencoder")
        pixels = shape[0] * shape[1] * shape[2]
        head = he(
            nn.Sequential(
                nn.Linear(start.width, self.hidden), nn.ReLU(),
                nn.Linear(self.hidden, pixels), nn.Unflatten(1, shape),
            )
        )  # fmt: skip
        patch, share = self.patch, self.share

        def masked(batch: Batch) -> Batch:
            hidden = hidden_patches(len(batch.x), shape[1:], patch, share, batch.x.device)
            kept = ~hidden if batch.x.dim() == 4 else ~hidden.squeeze(1)
            return replace(batch, views=(batch.x * kept, hidden))

        return PretextTask(lambda s: hidden_error(s.found, s.x, s.hidden), _forward, head, masked)


def hidden_patches(
    n: int, sides: tuple[int, int], patch: int, share: float, device: torch.device
) -> Tensor:
    """Draw which pixels are hidden, bool (n, 1, h, w): in each image as many patches.

    Parameters
    ----------
    n : int
        Images.
    sides : (h, w)
        Their sides. Patches at the right and lower edge may be cut.
    patch : int
        Side of a patch.
    share : float in (0, 1)
        Share of the patches that are hidden.
    device : torch.device
        Where to draw.
    """
    h, w = sides
    rows, columns = -(-h // patch), -(-w // patch)
    every = rows * columns
    count = min(max(1, round(share * every)), max(1, every - 1))
    order = torch.rand(n, every, device=device).argsort(1)
    grid = (order < count).view(n, 1, rows, columns)
    return grid.repeat_interleave(patch, 2).repeat_interleave(patch, 3)[:, :, :h, :w]


def _forward(net: Any, batch: Batch) -> SimpleNamespace:
    seen, hidden = batch.views
    return SimpleNamespace(found=net.head(net.body(seen)), x=with_channels(batch.x), hidden=hidden)
