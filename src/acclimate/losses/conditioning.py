"""Features joined with predictions, for discriminators that are conditioned on both."""

from __future__ import annotations

import torch
from torch import Tensor

from acclimate.losses.information import entropy


def outer(z: Tensor, p: Tensor) -> Tensor:
    """Return the products of all features with all class shares (arXiv:1705.10667).

    Parameters
    ----------
    z : Tensor of shape (b, d)
        Features.
    p : Tensor of shape (b, k)
        Predicted distributions.

    Returns
    -------
    Tensor of shape (b, k d)

    Examples
    --------
    >>> outer(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.25, 0.75]]))
    tensor([[0.2500, 0.5000, 0.7500, 1.5000]])
    """
    return (p[:, :, None] * z[:, None, :]).flatten(1)


def random_outer(z: Tensor, p: Tensor, mix_z: Tensor, mix_p: Tensor) -> Tensor:
    """Return products of random mixtures: inner products are those of `outer`, on average.

    Parameters
    ----------
    z : Tensor of shape (b, d)
        Features.
    p : Tensor of shape (b, k)
        Predicted distributions.
    mix_z, mix_p : Tensor of shape (d, r) and (k, r)
        Standard normal draws.

    Returns
    -------
    Tensor of shape (b, r)
    """
    products: Tensor = (z @ mix_z) * (p @ mix_p) / mix_z.shape[1] ** 0.5
    return products


def certainty(logits: Tensor) -> Tensor:
    """Return row weights ``1 + exp(-H)``, 1 on average, for predictions of entropy H.

    No gradient goes through them.

    Parameters
    ----------
    logits : Tensor of shape (b, k)
        Scores before softmax.

    Returns
    -------
    Tensor of shape (b,)

    Examples
    --------
    >>> certainty(torch.tensor([[50.0, 0.0], [0.0, 0.0]]))  # 2 and 1.5, over their mean
    tensor([1.1429, 0.8571])
    """
    w = 1.0 + torch.exp(-entropy(logits.detach()))
    return w / w.mean()
