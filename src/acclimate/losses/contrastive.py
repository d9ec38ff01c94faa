"""Classes compared between domains: the same class is to be close, different ones far."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from acclimate.losses.mmd import WIDTHS, kernels


def class_contrast(
    zs: Tensor, ys: Tensor, zt: Tensor, yt: Tensor, classes: int, widths: Sequence[float] = WIDTHS
) -> Tensor:
    """Return the contrastive domain discrepancy (arXiv:1901.00976).

    With ``D(a, b)`` the squared MMD of class a of the source and class b of the target, it is the
    mean of ``D(c, c)`` less the mean of ``D(a, b)`` over pairs of different classes. The parts of D
    within a domain cancel out, so that kernels across the domains are left.

    Parameters
    ----------
    zs, zt : Tensor of shape (b_s, d) and (b_t, d)
        Features of both domains.
    ys, yt : Tensor of shape (b_s,) and (b_t,), int64
        Class codes; those of target rows are pseudo-labels.
    classes : int
        Number k of classes. Those that either side lacks are left out.
    widths : sequence of float
        As in `acclimate.losses.mmd.kernels`.

    Returns
    -------
    Tensor of shape ()
        0 where fewer than two classes are on both sides.

    Examples
    --------
    >>> z, y = torch.tensor([[0.0], [9.0]]), torch.tensor([0, 1])
    >>> class_contrast(z, y, z, y, 2) < 0 < class_contrast(z, y, z, 1 - y, 2)
    tensor(True)
    """
    K = kernels(torch.cat([zs, zt]), widths)[: len(zs), len(zs) :]  # (b_s, b_t)
    left, right = F.one_hot(ys, classes).float(), F.one_hot(yt, classes).float()
    counts = left.sum(0)[:, None] * right.sum(0)  # (k, k)
    both = counts.diagonal() > 0
    m = int(both.sum())
    if m < 2:
        return 0.0 * K.sum()
    means = (left.T @ K @ right / counts.clamp_min(1.0))[both][:, both]
    own = means.diagonal().sum()
    return 2.0 * ((means.sum() - own) / (m * (m - 1)) - own / m)
