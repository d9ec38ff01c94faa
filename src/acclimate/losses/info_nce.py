"""Pairs compared within a batch: each item is to be nearest to its own partner."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def symmetric_info_nce(
    za: Tensor, zb: Tensor, temperature: float, same: Tensor | None = None
) -> Tensor:
    """Return InfoNCE in both directions, of pairs (za[i], zb[i]) (arXiv:2103.00020).

    With ``S`` the cosine similarities over the temperature, it is the mean of the cross-entropy of
    each row and of each column of S, its own partner being the right answer.

    Parameters
    ----------
    za, zb : Tensor of shape (b, d)
        What the two sides become; row i of both is one pair.
    temperature : float
        Above 0.
    same : bool Tensor of shape (b, b), default=None
        Where item i of A and item j of B belong together though they are no pair of this batch,
        such as two pictures with one caption. These are neither right nor wrong: they are left out.

    Returns
    -------
    Tensor of shape ()

    Examples
    --------
    >>> z = torch.eye(2)
    >>> bool(symmetric_info_nce(z, z, 0.1) < symmetric_info_nce(z, z.flip(0), 0.1))
    True
    """
    logits = F.normalize(za, dim=1) @ F.normalize(zb, dim=1).T / temperature  # (b, b)
    if same is not None:
        own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
        logits = logits.masked_fill(same & ~own, float("-inf"))
    right = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, right) + F.cross_entropy(logits.T, right)) / 2
