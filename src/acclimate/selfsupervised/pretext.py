"""`Pretext`: what a way of pretraining without labels is. It says what to look at and minimise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from sklearn.base import BaseEstimator
from torch import Tensor, nn

from acclimate.exceptions import InputError
from acclimate.training.augment import AUGMENTATIONS, Augmentation, augmentation
from acclimate.training.batch import Batch
from acclimate.training.network import Image, he

Change = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Start:
    """What a way of pretraining starts from.

    Attributes
    ----------
    shape : tuple of int
        Shape of a row, as the body reads it.
    width : int
        Number d of features.
    """

    shape: tuple[int, ...]
    width: int

    @property
    def flat(self) -> bool:
        """Whether rows are no images."""
        return len(self.shape) < 2


@dataclass(frozen=True)
class PretextTask:
    """What a way of pretraining hands to the loop.

    Parameters
    ----------
    loss : callable
        ``loss(seen) -> scalar``, of what ``forward`` returned for a batch of one domain. Of two
        domains the mean is minimised: rows are compared within their own.
    forward : callable
        ``forward(net, batch)``. ``net.body`` is the body; ``net.head`` is this ``head``.
    head : nn.Module
        What stands on the body while pretraining, and is thrown away.
    views : callable
        Changes rows; see `acclimate.training.loop.train`.
    """

    loss: Callable[[Any], Tensor]
    forward: Callable[[Any, Batch], Any]
    head: nn.Module
    views: Callable[[Batch], Batch]


class Pretext(BaseEstimator, ABC):  # type: ignore[misc]
    """Base class of the ways to pretrain; it holds settings, and `pretrain` runs it."""

    @abstractmethod
    def task(self, start: Start) -> PretextTask:
        """Return what to train. Runs seeded, so that fresh weights are reproducible.

        Parameters
        ----------
        start : Start
            What the body reads and returns.

        Raises
        ------
        InputError
            These rows are none for this way.
        """


def projector(width: int, hidden: int, outputs: int) -> nn.Sequential:
    """Return the head that views are compared behind: two layers, batch norm and ReLU between.

    Parameters
    ----------
    width, hidden, outputs : int
        Features of the body, units between, and columns of a projection.
    """
    return he(
        nn.Sequential(
            nn.Linear(width, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(),
            nn.Linear(hidden, outputs),
        )
    )  # fmt: skip


def project(net: Any, batch: Batch) -> SimpleNamespace:
    """Send the two views of a batch through body and head: ``a`` and ``b``, (b, d) each.

    They go together, so that batch norm treats them alike.
    """
    a, b = net.head(net.body(torch.cat(batch.views))).chunk(2)
    return SimpleNamespace(a=a, b=b)


def change_of(augment: Any, start: Start, flat_share: float) -> Change:
    """Return how a view is made: what ``augment`` says, and of flat rows columns from others.

    Parameters
    ----------
    augment : str, callable or "auto"
        "auto" is "zoom,colour" for images, and of flat rows a share of the columns is swapped.
    start : Start
        What the rows are.
    flat_share : float in (0, 1)
        That share, see `acclimate.training.augment.swapped`.
    """
    if callable(augment):
        given: Change = augment
        return given
    if start.flat:
        if augment != "auto":
            raise InputError(
                f'augment="{augment}" changes images, and these are rows of shape {start.shape}; '
                f'use "auto", which takes some columns from other rows'
            )
        return Augmentation(swap=flat_share)
    found: Augmentation = augmentation("zoom,colour" if augment == "auto" else augment)
    return found


def image_rows(start: Start, name: str) -> tuple[int, int, int]:
    """Return channels, height and width of images; raise where rows are none.

    Parameters
    ----------
    start : Start
        What the rows are.
    name : str
        Who asks.
    """
    if len(start.shape) not in (2, 3):
        raise InputError(
            f"{name} needs images of shape (n, h, w) or (n, c, h, w), got rows of shape "
            f"{start.shape}; for tables use SCARF, SimCLR, VICReg or BarlowTwins"
        )
    channels = 1 if len(start.shape) == 2 else start.shape[0]
    return channels, start.shape[-2], start.shape[-1]


def with_channels(x: Tensor) -> Tensor:
    """Return images with an axis of channels, (b, c, h, w)."""
    found: Tensor = Image()(x)
    return found


WORDS = tuple(AUGMENTATIONS)
