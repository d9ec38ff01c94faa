"""`Rotation`: by how many quarter turns was an image turned?"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from acclimate.exceptions import InputError
from acclimate.losses.supervised import cross_entropy
from acclimate.selfsupervised.pretext import Pretext, PretextTask, Start, image_rows
from acclimate.settings import Constraints
from acclimate.training.batch import Batch
from acclimate.training.network import he

TURNS = 4


class Rotation(Pretext):
    """Find by how many quarter turns an image was turned.

    Use it for images that have an up and a down, such as clothes or photographs; it is the cheapest
    to understand, and needs no changes that suit the data. Do not use it where all four ways up
    are equally likely, as seen from above or under a microscope.

    Minimises the mean cross-entropy of the four turns, over all four copies of each image.

    Parameters
    ----------
    There are none.

    Attributes
    ----------
    There are none: `pretrain` keeps what is learnt.

    Raises
    ------
    InputError
        Rows are no square images.

    Notes
    -----
    Deviation: Adam in place of SGD with steps of the rate.

    References
    ----------
    Gidaris, Singh and Komodakis, "Unsupervised representation learning by predicting image
    rotations", arXiv:1803.07728.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Rotation, pretrain
    >>> images = np.random.default_rng(0).random((32, 12, 12))
    >>> pretrain(images, method=Rotation(), min_steps=2, epochs=1).transform(images).shape
    (32, 128)
    """

    _parameter_constraints: ClassVar[Constraints] = {}

    def task(self, start: Start) -> PretextTask:
        """Return all four turns of each image, and the cross-entropy of which is which.

        Parameters
        ----------
        start : Start
            What the body reads and returns.
        """
        _, h, w = image_rows(start, "Rotation")
        if h != w:
            raise InputError(
                f"Rotation needs square images, since a quarter turn swaps the sides; these are "
                f"{h} x {w}. Cut or fill them to a square, or use another method"
            )
        head = he(nn.Linear(start.width, TURNS))
        return PretextTask(lambda s: cross_entropy(s.logits, s.turns), _forward, head, _turned)


def quarter_turns(x: Tensor) -> Tensor:
    """Return images turned by 0, 1, 2 and 3 quarters, one after the other, (4 b, ..., h, w).

    >>> quarter_turns(torch.tensor([[[1, 2], [3, 4]]]))[1].tolist()
    [[2, 4], [1, 3]]
    """
    return torch.cat([torch.rot90(x, k, (-2, -1)) for k in range(TURNS)])


def _turned(batch: Batch) -> Batch:
    return replace(batch, views=(quarter_turns(batch.x),))


def _forward(net: Any, batch: Batch) -> SimpleNamespace:
    logits = net.head(net.body(batch.views[0]))
    turns = torch.arange(TURNS, device=logits.device).repeat_interleave(len(batch.x))
    return SimpleNamespace(logits=logits, turns=turns)
