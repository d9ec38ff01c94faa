"""How much two heads disagree on the same rows."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def discrepancy(first: Tensor, second: Tensor) -> Tensor:
    """Return the mean absolute difference of two predicted distributions (arXiv:1712.02560).

    Parameters
    ----------
    first, second : Tensor of shape (b, k)
        Scores of both heads before softmax.

    Returns
    -------
    Tensor of shape ()
        Between 0 and ``2 / k``.

    Examples
    --------
    >>> import torch
    >>> discrepancy(torch.tensor([[50.0, 0.0]]), torch.tensor([[0.0, 50.0]]))
    tensor(1.)
    """
    return (first.float().softmax(1) - second.float().softmax(1)).abs().mean()


def margin_disparity(
    source: Tensor, source_other: Tensor, target: Tensor, target_other: Tensor, margin: float,
    weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the loss that makes a second head agree on the source and disagree on the target.

    With ``q`` the class that the first head predicts, it is the mean of ``-margin * log p'_q`` over
    source rows and of ``-log(1 - p'_q)`` over target rows, where p' is the second head's
    distribution (arXiv:1904.05801). No gradient goes through q.

    Parameters
    ----------
    source, target : Tensor of shape (b_s, k) and (b_t, k)
        Scores of the first head.
    source_other, target_other : Tensor of shape (b_s, k) and (b_t, k)
        Scores of the second head.
    margin : float
        Factor on the source side, at least 1: the exponential of the paper's margin.
    weight : Tensor of shape (b_s,), default=None
        Weights of the source rows, 1 on average over the data.

    Returns
    -------
    Tensor of shape ()

    Examples
    --------
    >>> import torch
    >>> zeros = torch.zeros(1, 2)  # both sides: log 2
    >>> round(margin_disparity(zeros, zeros, zeros, zeros, 4.0).item(), 4)
    3.4657
    """
    same = F.cross_entropy(source_other.float(), source.argmax(1), reduction="none")
    if weight is not None:
        same = weight * same
    log_p = F.log_softmax(target_other.float(), dim=1)
    chosen = F.one_hot(target.argmax(1), log_p.shape[1]).bool()
    # log(1 - p_q) as the log of the others' sum keeps its digits where p_q is near 1
    rest = log_p.masked_fill(chosen, float("-inf")).logsumexp(1)
    return margin * same.mean() - rest.mean()
