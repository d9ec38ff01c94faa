"""The clipped objective of proximal policy optimisation."""

from __future__ import annotations

import torch
from torch import Tensor


def clipped_objective(
    log_p: Tensor, log_p_before: Tensor, advantage: Tensor, clip: float
) -> Tensor:
    """Return the mean of ``min(r A, clamp(r, 1 - clip, 1 + clip) A)``, which a policy maximises.

    r is the probability of an action now over its probability when it was taken. Once r has moved
    by ``clip`` in the direction that the advantage A asks for, there is no gradient left.

    Parameters
    ----------
    log_p, log_p_before : Tensor of shape (b,)
        Log probability of each action now, and when it was taken.
    advantage : Tensor of shape (b,)
    clip : float, above 0

    Returns
    -------
    Tensor of shape ()

    References
    ----------
    Schulman et al., arXiv:1707.06347, equation 7.

    Examples
    --------
    >>> import torch
    >>> now = torch.tensor([3.0, 0.5]).log()
    >>> clipped_objective(now, torch.zeros(2), torch.tensor([1.0, 2.0]), 0.2)  # of 1.2 and 1.0
    tensor(1.1000)
    """
    ratio = (log_p - log_p_before).exp()
    return torch.minimum(ratio * advantage, ratio.clamp(1.0 - clip, 1.0 + clip) * advantage).mean()
