"""Losses on labelled rows: cross-entropy and squared error, weighted or not."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

FEW = 4  # rows a class, from which there are few classes


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


def cross_entropy_slope(
    logits: Tensor, y: Tensor, weight: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return what `cross_entropy` returns, and its gradient in the logits, shape (b, k).

    Where classes are few, softmax runs over columns: over short rows it takes ten times as long.
    """
    scores, n = logits.detach(), len(y)
    if scores.dtype is not torch.float32:
        scores = scores.float()
    if n >= FEW * scores.shape[1]:
        gradient = scores.t().contiguous().log_softmax(0).t()
    else:
        gradient = scores.log_softmax(1)
    if weight is None:
        value = F.nll_loss(gradient, y)
    else:
        value = (weight * F.nll_loss(gradient, y, reduction="none")).mean()
    gradient.exp_().scatter_(1, y.unsqueeze(1), -1.0, reduce="add")
    gradient.mul_(1.0 / n if weight is None else (weight / n).unsqueeze(1))
    return value, gradient if scores is logits else gradient.to(logits.dtype)


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


def squared_error_slope(
    values: Tensor, y: Tensor, weight: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return what `squared_error` returns, and its gradient in the values, shape (b, 1)."""
    gap = values.detach().float().squeeze(1) - y
    pull = gap if weight is None else weight * gap
    return (pull * gap).mean(), (pull * (2.0 / len(y))).unsqueeze(1).to(values.dtype)
