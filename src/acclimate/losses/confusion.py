"""Losses of target predictions alone: which classes are confused, and how many are predicted."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from acclimate.losses.information import entropy


def class_confusion(
    logits: Tensor, temperature: float = 2.5, weight: Tensor | None = None
) -> Tensor:
    """Return how often pairs of classes are confused: minimum class confusion (arXiv:1912.03699).

    With ``p = softmax(logits / temperature)`` and row weights w proportional to
    ``1 + exp(-H(p_i))``, b in sum, the class correlation is ``C = p' diag(w) p``. Its rows are
    scaled to sum 1, and the loss is the mean over classes of what is off the diagonal.

    Parameters
    ----------
    logits : Tensor of shape (b, k)
        Scores of target rows before softmax.
    temperature : float, default=2.5
        Above 0. More makes predictions softer.
    weight : Tensor of shape (b,), default=None
        Factors on w, on any scale; None means 1.

    Returns
    -------
    Tensor of shape ()
        Between 0 and ``1 - 1 / k``.

    Examples
    --------
    >>> round(class_confusion(torch.zeros(3, 4)).item(), 4)
    0.75
    """
    scaled = logits.float() / temperature
    p = scaled.softmax(1)
    w = 1.0 + torch.exp(-entropy(scaled).detach())
    if weight is not None:
        w = weight * w
    w = w * (len(w) / w.sum())
    C = (p * w[:, None]).T @ p  # (k, k)
    C = C / C.sum(1, keepdim=True).clamp_min(1e-12)
    return (C.sum() - C.diagonal().sum()) / len(C)


def nuclear_norm_loss(logits: Tensor) -> Tensor:
    """Return minus the nuclear norm of the predictions over the batch size (arXiv:2003.12237).

    The norm is large where rows are sure and many classes are predicted.

    Parameters
    ----------
    logits : Tensor of shape (b, k)
        Scores of target rows before softmax.

    Returns
    -------
    Tensor of shape ()
        Between ``-sqrt(min(b, k) / b)`` and 0.

    Examples
    --------
    >>> round(nuclear_norm_loss(1e3 * torch.eye(4)).item(), 4)  # four classes, each sure
    -1.0
    """
    p = logits.float().softmax(1)
    norm: Tensor = torch.linalg.svdvals(p).sum()
    return -norm / len(p)


def norm_loss(
    z: Tensor, step: float, weight: Tensor | None = None, limit: float = math.inf
) -> Tensor:
    """Return how far the lengths of features are from ``step`` more than now (arXiv:1811.07456).

    Parameters
    ----------
    z : Tensor of shape (b, d)
        Features.
    step : float
        How much longer each row shall be.
    weight : Tensor of shape (b,), default=None
        Row weights, 1 on average over the data.
    limit : float, default=inf
        Length that no row is pushed beyond. Rows that are longer stay as they are.

    Returns
    -------
    Tensor of shape ()
        ``step ** 2`` far below the limit; its gradient pushes rows outwards.

    Examples
    --------
    >>> norm_loss(torch.tensor([[3.0, 4.0]]), 1.0)
    tensor(1.)
    """
    length: Tensor = torch.linalg.vector_norm(z.float(), dim=1)
    now = length.detach()
    wanted = torch.maximum(now, (now + step).clamp_max(limit))
    squares = (length - wanted).square()
    return squares.mean() if weight is None else (weight * squares).mean()


def fixed_norm_loss(z: Tensor, radius: float, weight: Tensor | None = None) -> Tensor:
    """Return the squared distance of the mean length of features from ``radius``.

    The hard form of `norm_loss`.

    Parameters
    ----------
    z : Tensor of shape (b, d)
        Features.
    radius : float
        Wanted mean length.
    weight : Tensor of shape (b,), default=None
        Row weights, 1 on average over the data.

    Returns
    -------
    Tensor of shape ()

    Examples
    --------
    >>> fixed_norm_loss(torch.tensor([[3.0, 4.0]]), 7.0)
    tensor(4.)
    """
    length: Tensor = torch.linalg.vector_norm(z.float(), dim=1)
    mean = length.mean() if weight is None else (weight * length).mean()
    return (mean - radius).square()
