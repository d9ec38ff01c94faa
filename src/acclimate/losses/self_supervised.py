"""Objectives that need no labels: two views of a row agree, or hidden parts of it are found."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from acclimate.losses.covariance import covariance


def nt_xent(a: Tensor, b: Tensor, temperature: float) -> Tensor:
    """Return the normalised temperature-scaled cross-entropy of SimCLR (arXiv:2002.05709).

    With s the cosine of two projections over the temperature, it is the mean over all 2 b of them
    of ``-log(exp(s_ij) / sum_k exp(s_ik))``, where j is the other view of i's row and k runs over
    all but i itself.

    Parameters
    ----------
    a, b : Tensor of shape (b, d)
        Projections of both views; row i of both is of the same input.
    temperature : float
        Above 0.

    Returns
    -------
    Tensor of shape ()

    Examples
    --------
    >>> one = torch.eye(2)
    >>> round(float(nt_xent(one, one, 1.0)), 4)  # cosines 1, 0 and 0: log(e + 2) - 1
    0.5514
    """
    n = len(a)
    z = F.normalize(torch.cat([a, b]).float(), dim=1)
    s = z @ z.T / temperature  # (2 b, 2 b)
    s.fill_diagonal_(-torch.inf)
    other = torch.arange(2 * n, device=z.device).roll(n)
    return F.cross_entropy(s, other)


def info_nce(a: Tensor, b: Tensor, temperature: float) -> Tensor:
    """Return the contrast of each row of ``a`` with the rows of ``b`` (arXiv:2106.15147).

    With s the cosine over the temperature, the mean of ``-log(exp(s_ii) / mean_k exp(s_ik))``.

    Parameters
    ----------
    a, b : Tensor of shape (b, d)
        Projections of inputs and of their corrupted copies.
    temperature : float
        Above 0.

    Returns
    -------
    Tensor of shape ()

    Examples
    --------
    >>> same = torch.ones(3, 2)
    >>> abs(float(info_nce(same, same, 1.0))) < 1e-6
    True
    """
    left, right = F.normalize(a.float(), dim=1), F.normalize(b.float(), dim=1)
    s = left @ right.T / temperature  # (b, b)
    return (s.logsumexp(1) - s.diagonal()).mean() - torch.tensor(float(len(a))).log().to(s.device)


def vicreg(
    a: Tensor, b: Tensor, invariance: float, variance: float, decorrelation: float
) -> Tensor:
    """Return the loss of VICReg (arXiv:2105.04906), on the scale of its authors' program.

    ``invariance`` times the mean squared gap of the views; plus ``variance`` times
    ``mean_j max(0, 1 - sqrt(Var(z_j) + 1e-4))``, the mean of both views; plus ``decorrelation``
    times the sum of squares of the covariances of different columns over d, of both views.

    Parameters
    ----------
    a, b : Tensor of shape (b, d)
        Projections of both views, b at least 2.
    invariance, variance, decorrelation : float
        Weights of the three, at least 0.

    Returns
    -------
    Tensor of shape ()

    Examples
    --------
    >>> z = torch.tensor([[1.0], [-1.0]])  # variance 2: wide enough
    >>> float(vicreg(z, z + 2.0, 25.0, 25.0, 1.0))
    100.0
    """
    a, b = a.float(), b.float()
    loss = invariance * F.mse_loss(a, b)
    for z in (a, b):
        C = covariance(z)
        spread = (C.diagonal() + 1e-4).sqrt()
        crossed = C.square().sum() - C.diagonal().square().sum()
        loss = loss + variance * F.relu(1.0 - spread).mean() / 2.0
        loss = loss + decorrelation * crossed / z.shape[1]
    return loss


def barlow_twins(a: Tensor, b: Tensor, redundancy: float) -> Tensor:
    """Return the loss of Barlow Twins (arXiv:2103.03230).

    With C the correlations between the columns of both views over the batch, it is
    ``sum_i (1 - C_ii)^2 + redundancy * sum_{i != j} C_ij^2``.

    Parameters
    ----------
    a, b : Tensor of shape (b, d)
        Projections of both views, b at least 2.
    redundancy : float
        Weight of the second part, at least 0.

    Returns
    -------
    Tensor of shape ()

    Examples
    --------
    >>> z = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])  # two columns that say the same
    >>> round(float(barlow_twins(z, z, 0.5)), 3)
    1.0
    """
    left, right = _standardised(a.float()), _standardised(b.float())
    C = left.T @ right / len(a)
    own = C.diagonal()
    crossed = C.square().sum() - own.square().sum()
    return (1.0 - own).square().sum() + redundancy * crossed


def _standardised(z: Tensor) -> Tensor:
    """Return columns of mean 0 and variance 1 over the batch, as batch norm makes them."""
    z = z - z.mean(0)
    return z / (z.square().mean(0) + 1e-5).sqrt()


def hidden_error(found: Tensor, x: Tensor, hidden: Tensor) -> Tensor:
    """Return the mean squared error over the hidden pixels (arXiv:2111.06377).

    Parameters
    ----------
    found, x : Tensor of shape (b, c, h, w)
        Pixels as they were found, and as they are.
    hidden : bool Tensor of shape (b, 1, h, w)
        Which were hidden; at least one.

    Returns
    -------
    Tensor of shape ()

    Examples
    --------
    >>> x = torch.zeros(1, 1, 1, 2)
    >>> hidden_error(torch.tensor([[[[3.0, 5.0]]]]), x, torch.tensor([[[[True, False]]]]))
    tensor(9.)
    """
    gaps = (found.float() - x.float()).square() * hidden
    return gaps.sum() / (hidden.sum() * x.shape[1])
