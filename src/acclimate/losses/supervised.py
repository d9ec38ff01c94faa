"""Losses on labelled rows: cross-entropy and squared error, weighted or not."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def cross_entropy(logits: Tensor, y: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the mean of ``weight * -log softmax(logits)[y]``.

    Parameters
    ----------
    logits : Tensor of shape (b, k)
        Scores before softmax.
    y : Tensor of shape (b,), int64
        Class codes.
    weight : Tensor of shape (b,), default=None
        Row weights, 1 on average over the data; None means 1.

    Returns
    -------
    Tensor of shape ()
        In float32, whatever the precision of the logits.
    """
    if weight is None:
        return F.cross_entropy(logits.float(), y)
    return (weight * F.cross_entropy(logits.float(), y, reduction="none")).mean()


def squared_error(values: Tensor, y: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the mean of ``weight * (values - y) ** 2``.

    Parameters
    ----------
    values : Tensor of shape (b, 1)
        Predictions.
    y : Tensor of shape (b,)
        Targets.
    weight : Tensor of shape (b,), default=None
        Row weights, 1 on average over the data; None means 1.

    Returns
    -------
    Tensor of shape ()
    """
    squares = (values.float().squeeze(1) - y).square()
    return squares.mean() if weight is None else (weight * squares).mean()
