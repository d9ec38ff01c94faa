"""Losses of discriminators between domains. Domain 0 .. k - 1 are sources, the last is the target.

A discriminator has one score where there is one source, the log-odds of *source*; with k sources it
has k + 1 scores, one a domain.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def domain_loss(
    source: Tensor,
    target: Tensor,
    ids: Tensor | None = None,
    weight: Tensor | None = None,
    target_weight: Tensor | None = None,
) -> Tensor:
    """Return the mean of both sides' mean ``-log p(own domain)``.

    Parameters
    ----------
    source, target : Tensor of shape (b_s, 1) and (b_t, 1), or (b_s, k + 1) and (b_t, k + 1)
        Scores of the discriminator.
    ids : Tensor of shape (b_s,), int64, default=None
        Which source each row comes from, where there are several.
    weight : Tensor of shape (b_s,), default=None
        Weights of the source rows, 1 on average over the data.
    target_weight : Tensor of shape (b_t,), default=None
        Weights of the target rows, 1 on average.

    Returns
    -------
    Tensor of shape ()
        Log 2 where the discriminator does not know at all.

    Examples
    --------
    >>> round(domain_loss(torch.zeros(2, 1), torch.zeros(3, 1)).item(), 4)
    0.6931
    """
    source, target = source.float(), target.float()
    if source.shape[1] == 1:
        first = F.softplus(-source.squeeze(1))
        second = F.softplus(target.squeeze(1))
    else:
        own = torch.zeros(len(source), dtype=torch.int64) if ids is None else ids
        last = torch.full((len(target),), target.shape[1] - 1, device=target.device)
        first = F.cross_entropy(source, own.to(source.device), reduction="none")
        second = F.cross_entropy(target, last, reduction="none")
    if weight is not None:
        first = weight * first
    if target_weight is not None:
        second = target_weight * second
    return 0.5 * (first.mean() + second.mean())


def passing_loss(target: Tensor) -> Tensor:
    """Return the mean ``-log(1 - p(target))`` of target rows: small where they pass for source.

    Parameters
    ----------
    target : Tensor of shape (b_t, 1) or (b_t, k + 1)
        Scores of the discriminator.

    Returns
    -------
    Tensor of shape ()

    Examples
    --------
    >>> round(passing_loss(torch.zeros(3, 1)).item(), 4)
    0.6931
    """
    target = target.float()
    if target.shape[1] == 1:
        return F.softplus(-target).mean()
    # any of the sources will do
    return (target.logsumexp(1) - target[:, :-1].logsumexp(1)).mean()


def domain_accuracy(source: Tensor, target: Tensor) -> Tensor:
    """Return how often source and target are told apart, the mean of both sides' shares.

    Parameters
    ----------
    source, target : Tensor of shape (b_s, 1) and (b_t, 1), or (b_s, k + 1) and (b_t, k + 1)
        Scores of the discriminator. Which of several sources a row is from does not count.

    Returns
    -------
    Tensor of shape ()
        0.5 is chance; a score of exactly 0 counts half.

    Examples
    --------
    >>> domain_accuracy(torch.tensor([[1.0], [-1.0]]), torch.tensor([[-2.0]]))
    tensor(0.7500)
    """

    def odds(scores: Tensor) -> Tensor:
        if scores.shape[1] == 1:
            return scores.squeeze(1)
        return scores[:, :-1].amax(1) - scores[:, -1]

    return 0.5 + 0.25 * (odds(source).sign().float().mean() - odds(target).sign().float().mean())


def proxy_a_distance(accuracy: float) -> float:
    """Return ``2 (1 - 2 err)``: 0 where domains cannot be told apart, 2 where always.

    Ben-David et al., "Analysis of representations for domain adaptation", 2006.

    >>> proxy_a_distance(0.75)
    1.0
    """
    return 2.0 * (1.0 - 2.0 * (1.0 - accuracy))
