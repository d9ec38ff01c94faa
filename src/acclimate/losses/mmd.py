"""Maximum mean discrepancy with several Gaussian kernels, of features or of features and more."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from acclimate.exceptions import InputError

WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # squared widths, in units of the mean squared distance


def kernels(x: Tensor, widths: Sequence[float] = WIDTHS) -> Tensor:
    """Return the mean of Gaussian kernels between all rows.

    Each is ``exp(-||x_i - x_j||^2 / (w u))``, where u is the mean squared distance of different
    rows. No gradient goes through u.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Rows, n at least 2.
    widths : sequence of float, default=(0.25, 0.5, 1.0, 2.0, 4.0)
        Squared widths w, above 0.

    Returns
    -------
    Tensor of shape (n, n)
        In float32, 1 on the diagonal.

    Examples
    --------
    >>> kernels(torch.tensor([[0.0], [1.0]]), widths=(1.0,))  # exp(-1) beside the diagonal
    tensor([[1.0000, 0.3679],
            [0.3679, 1.0000]])
    """
    x = x.float()
    x = x - x.detach().mean(0)  # distances do not change, and lose fewer digits
    squares = x.square().sum(1)
    D = (squares[:, None] + squares - 2.0 * x @ x.T).clamp_min(0.0)
    n = len(x)
    # the diagonal is zero but for rounding, which a gradient would blow up
    D = D * (1.0 - torch.eye(n, device=x.device))
    u = (D.detach().sum() / (n * (n - 1))).clamp_min(1e-12)
    total = torch.zeros_like(D)
    for w in widths:
        total = total + torch.exp(-D / (w * u))
    return total / len(widths)


def squared_mmd(K: Tensor, n: int, weight: Tensor | None = None) -> Tensor:
    """Return the squared MMD of the first n rows and the others, leaving out rows with themselves.

    It is the unbiased estimate: its mean is 0 where both domains are equal, and it may be below 0.

    Parameters
    ----------
    K : Tensor of shape (n + m, n + m)
        Kernel of all rows, source first; n and m at least 2.
    n : int
        Number of source rows.
    weight : Tensor of shape (n,), default=None
        Weights of the source rows, at least 0, on any scale; two or more above 0.

    Returns
    -------
    Tensor of shape ()

    Examples
    --------
    >>> squared_mmd(torch.tensor([[1.0, 0.5, 0.1, 0.1], [0.5, 1.0, 0.1, 0.1],
    ...                           [0.1, 0.1, 1.0, 0.5], [0.1, 0.1, 0.5, 1.0]]), 2)
    tensor(0.8000)
    """
    m = len(K) - n
    if weight is None:
        weight = torch.ones(n, device=K.device)
    a = weight / weight.sum()
    own = K[:n, :n] - torch.diag(K[:n, :n].diagonal())
    other = K[n:, n:].sum() - K[n:, n:].diagonal().sum()
    within = a @ own @ a / (1.0 - a.square().sum())
    return within + other / (m * (m - 1)) - 2.0 * (a @ K[:n, n:].mean(1))


def mmd(
    zs: Tensor, zt: Tensor, weight: Tensor | None = None, widths: Sequence[float] = WIDTHS
) -> Tensor:
    """Return the squared multi-kernel MMD of features (arXiv:1502.02791).

    Parameters
    ----------
    zs, zt : Tensor of shape (b_s, d) and (b_t, d)
        Features of both domains, two rows of each at least.
    weight : Tensor of shape (b_s,), default=None
        Weights of the source rows.
    widths : sequence of float
        As in `kernels`.
    """
    return squared_mmd(kernels(torch.cat([zs, zt]), widths), len(zs), weight)


def joint_mmd(
    source: Sequence[Tensor],
    target: Sequence[Tensor],
    weight: Tensor | None = None,
    widths: Sequence[Sequence[float]] = (WIDTHS,),
) -> Tensor:
    """Return the squared MMD under the product of one kernel a layer (arXiv:1605.06636).

    Parameters
    ----------
    source, target : sequence of Tensor of shapes (b_s, d_l) and (b_t, d_l)
        What each layer l made of a batch.
    weight : Tensor of shape (b_s,), default=None
        Weights of the source rows.
    widths : sequence of sequence of float
        Squared widths of each layer's kernel; the last one serves the layers that follow.
    """
    K: Tensor | None = None
    for number, (s, t) in enumerate(zip(source, target, strict=True)):
        layer = kernels(torch.cat([s, t]), widths[min(number, len(widths) - 1)])
        K = layer if K is None else K * layer
    if K is None:
        raise InputError("source and target hold no layer; give at least the features")
    return squared_mmd(K, len(source[0]), weight)
