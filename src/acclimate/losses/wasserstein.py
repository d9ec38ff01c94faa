"""The Wasserstein distance of two domains, by a critic of bounded slope."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def critic_gap(source: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the mean of the critic on source rows less that on target rows.

    Parameters
    ----------
    source, target : Tensor of shape (b_s, 1) and (b_t, 1)
        The critic's values.
    weight : Tensor of shape (b_s,), default=None
        Weights of the source rows, 1 on average over the data.

    Returns
    -------
    Tensor of shape ()

    Examples
    --------
    >>> critic_gap(torch.tensor([[1.0], [3.0]]), torch.tensor([[0.5]]))
    tensor(1.5000)
    """
    values = source.float().squeeze(1)
    return (values if weight is None else weight * values).mean() - target.float().mean()


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], zs: Tensor, zt: Tensor, share: Tensor
) -> Tensor:
    """Return the mean of ``(||gradient of the critic|| - 1)^2`` (arXiv:1707.01217).

    The gradient is taken at the features of both domains and at points between pairs of them.

    Parameters
    ----------
    critic : callable
        Maps features (b, d) to values (b, 1).
    zs, zt : Tensor of shape (b_s, d) and (b_t, d)
        Features; the first rows of the larger batch are paired.
    share : Tensor of shape (min(b_s, b_t), 1)
        Where between each pair, in [0, 1].

    Returns
    -------
    Tensor of shape ()
        It can be differentiated by the critic's weights.

    Examples
    --------
    >>> z = torch.zeros(2, 3)
    >>> gradient_penalty(lambda z: 3.0 * z[:, :1], z, z, torch.full((2, 1), 0.5))
    tensor(4.)
    """
    b = len(share)
    between = share * zs[:b] + (1.0 - share) * zt[:b]
    points = torch.cat([zs, zt, between]).detach().float().requires_grad_()
    with torch.enable_grad():
        values = critic(points)
        (slope,) = torch.autograd.grad(values.sum(), points, create_graph=True)
    penalty: Tensor = (slope.norm(dim=1) - 1.0).square().mean()
    return penalty
