"""Losses of rows without a label that a network, or another view of the row, has labelled."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def confident(guide: Tensor, threshold: float | Tensor = 0.0) -> tuple[Tensor, Tensor]:
    """Return the class of each row and whether its probability reaches the threshold.

    Parameters
    ----------
    guide : Tensor of shape (b, k)
        Scores before softmax.
    threshold : float or Tensor of shape (k,), default=0.0
        Least probability; a tensor has one for each class.

    Returns
    -------
    codes : Tensor of shape (b,), int64
        The most probable class, without a gradient.
    sure : Tensor of shape (b,), bool

    Examples
    --------
    >>> confident(torch.tensor([[0.0, 3.0], [1.0, 0.0]]), 0.9)
    (tensor([1, 0]), tensor([ True, False]))
    """
    p, codes = guide.detach().float().softmax(1).max(1)
    least = threshold[codes] if isinstance(threshold, Tensor) else threshold
    return codes, p >= least


def pseudo_label_loss(logits: Tensor, guide: Tensor, threshold: float | Tensor = 0.0) -> Tensor:
    """Return the cross-entropy with the guide's own labels, of rows that it is sure of.

    It is ``1/b sum_i [max q_i >= threshold] * -log softmax(logits_i)[argmax q_i]`` with
    ``q = softmax(guide)``: rows below the threshold count as 0 and are part of b (FixMatch,
    arXiv:2001.07685). No gradient goes through q.

    Parameters
    ----------
    logits : Tensor of shape (b, k)
        Scores before softmax that learn.
    guide : Tensor of shape (b, k)
        Scores before softmax that teach; may be the same.
    threshold : float or Tensor of shape (k,), default=0.0
        Least probability of a label that counts; a tensor has one for each class.

    Returns
    -------
    Tensor of shape ()
        In float32, at least 0.

    Examples
    --------
    >>> guide = torch.tensor([[9.0, 0.0], [0.1, 0.0]])
    >>> pseudo_label_loss(torch.zeros(2, 2), guide, 0.9)  # half of log 2
    tensor(0.3466)
    """
    codes, sure = confident(guide, threshold)
    return (sure * F.cross_entropy(logits.float(), codes, reduction="none")).mean()


def consistency_loss(logits: Tensor, guide: Tensor) -> Tensor:
    """Return the mean squared distance of two predicted distributions of each row.

    It is ``1/b sum_i ||softmax(logits_i) - softmax(guide_i)||^2`` (Mean Teacher,
    arXiv:1703.01780, up to the factor 1 / k). No gradient goes through the guide.

    Parameters
    ----------
    logits : Tensor of shape (b, k)
        Scores before softmax that learn.
    guide : Tensor of shape (b, k)
        Scores before softmax that teach.

    Returns
    -------
    Tensor of shape ()
        Between 0 and 2.

    Examples
    --------
    >>> consistency_loss(torch.tensor([[99.0, 0.0]]), torch.tensor([[0.0, 99.0]]))
    tensor(2.)
    """
    gap = logits.float().softmax(1) - guide.detach().float().softmax(1)
    return gap.square().sum(1).mean()


def class_thresholds(learnt: Tensor, classes: int, threshold: float) -> Tensor:
    """Return a threshold for each class, lower where few rows are known as it (FlexMatch).

    With n_c the rows last known as class c and n_0 those never known, it is
    ``threshold * b / (2 - b)`` for ``b = n_c / max(n_1, ..., n_k, n_0)`` (arXiv:2110.08263).

    Parameters
    ----------
    learnt : Tensor of shape (m,), int64
        Class of each row when it was last known, -1 where it never was.
    classes : int
        Number k of classes.
    threshold : float
        That of the class with the most rows.

    Returns
    -------
    Tensor of shape (k,)
        Between 0 and ``threshold``.

    Examples
    --------
    >>> class_thresholds(torch.tensor([0, 0, 1, -1]), 2, 0.9)
    tensor([0.9000, 0.3000])
    """
    counts = torch.bincount(learnt + 1, minlength=classes + 1).float()
    share = counts[1:] / counts.max().clamp_min(1.0)
    return threshold * share / (2.0 - share)
