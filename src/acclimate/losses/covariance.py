"""Distance between the covariances of two domains."""

from __future__ import annotations

from torch import Tensor


def covariance(z: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the weighted covariance of rows, shape (d, d).

    Parameters
    ----------
    z : Tensor of shape (b, d)
        Features, b at least 2.
    weight : Tensor of shape (b,), default=None
        Row weights, at least 0, on any scale; None means equal ones.

    Returns
    -------
    Tensor of shape (d, d)
        In float32. With equal weights it divides by b - 1. Weights w that sum to 1 divide by
        ``1 - sum(w ** 2)``, which is the same then.
    """
    left, right = _centred(z.float(), weight)
    return left.T @ right


def _centred(z: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return two matrices (b, d) of which ``left.T @ right`` is the covariance."""
    if weight is None:
        left = z - z.mean(0)
        return left, left / (len(z) - 1)
    share = (weight / weight.sum())[:, None]
    left = z - (share * z).sum(0)
    return left, share * left / (1.0 - share.square().sum())


def coral(zs: Tensor, zt: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return ``||C_s - C_t||_F^2 / (4 d^2)``, the CORAL loss (arXiv:1607.01719).

    Parameters
    ----------
    zs, zt : Tensor of shape (b_s, d) and (b_t, d)
        Features of both domains.
    weight : Tensor of shape (b_s,), default=None
        Weights of the source rows.

    Returns
    -------
    Tensor of shape ()

    Examples
    --------
    >>> import torch
    >>> z = torch.tensor([[1.0], [-1.0]])  # variance 2
    >>> coral(z, 2.0 * z)  # against 8: 6^2 / 4
    tensor(9.)
    """
    gap = _for_symmetric(zs.float(), weight) - _for_symmetric(zt.float(), None)
    return gap.square().sum() / (4.0 * zs.shape[1] ** 2)


def _for_symmetric(z: Tensor, weight: Tensor | None) -> Tensor:
    """Return the covariance with a gradient that holds where that of the loss is symmetric.

    The two factors then get the same gradient, so one of them is asked and counted twice. That
    saves a third of the products.
    """
    left, right = _centred(z, weight)
    product = left.T @ right.detach()
    return 2.0 * product - product.detach()
