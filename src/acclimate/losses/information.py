"""How sure predictions are, each by itself and all together."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def entropy(logits: Tensor) -> Tensor:
    """Return the entropy of each row's predicted distribution, in nats.

    Parameters
    ----------
    logits : Tensor of shape (b, k)
        Scores before softmax.

    Returns
    -------
    Tensor of shape (b,)
        Between 0 and ``log k``, in float32.

    Examples
    --------
    >>> import torch
    >>> entropy(torch.zeros(1, 2))  # log 2
    tensor([0.6931])
    """
    log_p = F.log_softmax(logits.float(), dim=1)
    return -(log_p.exp() * log_p).sum(1)


def information_loss(logits: Tensor) -> Tensor:
    """Return the mean entropy of the rows less the entropy of their mean distribution.

    Its negative is the mutual information of rows and predicted classes: it is largest where each
    row is sure and all classes occur equally often.

    Parameters
    ----------
    logits : Tensor of shape (b, k)
        Scores before softmax.

    Returns
    -------
    Tensor of shape ()
        Between ``-log k`` and 0.

    Examples
    --------
    >>> import torch
    >>> information_loss(torch.tensor([[50.0, 0.0], [0.0, 50.0]]))  # - log 2
    tensor(-0.6931)
    """
    p = F.softmax(logits.float(), dim=1)
    mean = p.mean(0)
    # a class that nobody has contributes nothing
    return entropy(logits).mean() + (mean * mean.clamp_min(1e-12).log()).sum()
