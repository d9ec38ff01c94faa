"""What it costs to take a source row for a target row: features and labels together."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def square_distances(zs: Tensor, zt: Tensor) -> Tensor:
    """Return the squared distances of all pairs of rows.

    Parameters
    ----------
    zs, zt : Tensor of shape (b_s, d) and (b_t, d)
        Features.

    Returns
    -------
    Tensor of shape (b_s, b_t)
        In float32, at least 0.

    Examples
    --------
    >>> import torch
    >>> square_distances(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[25.,  1.]])
    """
    zs, zt = zs.float(), zt.float()
    centre = zt.detach().mean(0)  # distances do not change, and lose fewer digits
    zs, zt = zs - centre, zt - centre
    product = zs @ zt.T
    return (zs.square().sum(1)[:, None] + zt.square().sum(1) - 2.0 * product).clamp_min(0.0)


def label_costs(y: Tensor, logits: Tensor) -> Tensor:
    """Return ``-log p_j(y_i)`` for each source label and each target prediction.

    Parameters
    ----------
    y : Tensor of shape (b_s,), int64
        Class codes of source rows.
    logits : Tensor of shape (b_t, k)
        Scores of target rows before softmax.

    Returns
    -------
    Tensor of shape (b_s, b_t)

    Examples
    --------
    >>> import torch
    >>> label_costs(torch.tensor([0, 1]), torch.zeros(1, 2))
    tensor([[0.6931],
            [0.6931]])
    """
    return -F.log_softmax(logits.float(), dim=1).T[y]


def joint_cost(
    zs: Tensor, y: Tensor, zt: Tensor, logits: Tensor, features: float, labels: float
) -> Tensor:
    """Return ``features * ||z_i - z_j||^2 + labels * -log p_j(y_i)`` (arXiv:1803.10081).

    Parameters
    ----------
    zs, zt : Tensor of shape (b_s, d) and (b_t, d)
        Features of both domains.
    y : Tensor of shape (b_s,), int64
        Class codes of source rows.
    logits : Tensor of shape (b_t, k)
        Scores of target rows before softmax.
    features, labels : float
        Weights of the two parts, at least 0.

    Returns
    -------
    Tensor of shape (b_s, b_t)
    """
    return features * square_distances(zs, zt) + labels * label_costs(y, logits)
