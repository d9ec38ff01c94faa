"""Weights of rows where one domain has classes that the other lacks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize


def class_weights(logits: Tensor, shares: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return how much more frequent each class is in the target than in the source.

    The class weights of PADA (arXiv:1808.04205), the mean predicted distribution of the target,
    over the classes' shares of the source.

    Parameters
    ----------
    logits : Tensor of shape (m, k)
        Scores of target rows before softmax.
    shares : Tensor of shape (k,)
        Shares of the classes in the source, 1 in sum.
    weight : Tensor of shape (m,), default=None
        Weights of the target rows, at least 0, on any scale; None means equal ones.

    Returns
    -------
    Tensor of shape (k,)
        At least 0, and 1 on average over the source rows. 0 for a class without source rows.

    Examples
    --------
    >>> class_weights(torch.tensor([[50.0, 0.0], [0.0, 0.0]]), torch.tensor([0.5, 0.5]))
    tensor([1.5000, 0.5000])
    """
    p = logits.float().softmax(1)
    q = p.mean(0) if weight is None else (weight / weight.sum()) @ p
    q = torch.where(shares > 0, q, 0.0)
    return q / q.sum() / torch.where(shares > 0, shares, 1.0)


def class_centres(z: Tensor, y: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the mean of each class, and a map under which rows spread alike around them.

    Of the directions of the features: each row is scaled to length 1 first.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features of source rows.
    y : Tensor of shape (n,), int64
        Their class codes.
    k : int
        Number of classes.

    Returns
    -------
    centres : Tensor of shape (k, d), float64
        NaN for a class without rows.
    whiten : Tensor of shape (d, d), float64
        ``W`` with ``W W' = C^-1``, where C is the covariance within classes, shrunk by the rule of
        Ledoit and Wolf towards a multiple of the identity.

    Examples
    --------
    >>> z = torch.tensor([[0.6, 0.8], [1.2, -1.6], [-3.0, 0.0], [-1.0, 0.0]])
    >>> class_centres(z, torch.tensor([0, 0, 1, 1]), 2)[0].round(decimals=4)
    tensor([[ 0.6000,  0.0000],
            [-1.0000,  0.0000]], dtype=torch.float64)
    """
    from sklearn.covariance import ledoit_wolf

    z = normalize(z.double())
    sums = torch.zeros(k, z.shape[1], dtype=z.dtype).index_add_(0, y, z)
    centres = sums / torch.bincount(y, minlength=k)[:, None]
    C = torch.from_numpy(ledoit_wolf((z - centres[y]).numpy(), assume_centered=True)[0])
    values, vectors = torch.linalg.eigh(C)
    # directions in which no row of the source moves say nothing of its classes, but of new ones
    floor = max(1e-6 * float(values[-1]), 1e-12)
    return centres, vectors / values.clamp_min(floor).sqrt()


def nearest_centre(z: Tensor, centres: Tensor, whiten: Tensor) -> Tensor:
    """Return the log of each row's squared Mahalanobis distance to the nearest class centre.

    Rows are scaled to length 1 first.

    Parameters
    ----------
    z : Tensor of shape (m, d)
        Features.
    centres, whiten : Tensor of shape (k, d) and (d, d)
        Those of `class_centres`. Centres that are NaN are passed over.

    Returns
    -------
    Tensor of shape (m,), float64

    Examples
    --------
    >>> eye = torch.eye(2, dtype=torch.float64)
    >>> nearest_centre(torch.tensor([[3.0, 0.0]]), 2.0 * eye, eye)  # (1, 0) to (2, 0): 1
    tensor([0.], dtype=torch.float64)
    """
    there = centres[~centres.isnan().any(1)] @ whiten
    mine = normalize(z.double()) @ whiten
    return 2.0 * torch.cdist(mine, there).amin(1).clamp_min(1e-12).log()


def two_groups(values: Tensor) -> tuple[float, float]:
    """Split numbers into a lower and an upper group with the least variance within (Otsu).

    Parameters
    ----------
    values : Tensor of shape (m,)
        Finite, m at least 2.

    Returns
    -------
    threshold : float
        Half way between the groups.
    slope : float
        How fast the odds of the lower group fall at the threshold, where both groups are normal
        with the variance within: distance of the means over that variance. 0 where all are equal.

    Examples
    --------
    >>> two_groups(torch.tensor([0.0, 2.0, 8.0, 10.0]))
    (5.0, 8.0)
    """
    v = values.double().sort().values
    m = len(v)
    n = torch.arange(1, m, dtype=v.dtype)
    sums = v.cumsum(0)
    low, high = sums[:-1] / n, (sums[-1] - sums[:-1]) / (m - n)
    between = (high - low).square() * n * (m - n) / m**2
    i = int(between.argmax())
    within = float((v.var(correction=0) - between[i]).clamp_min(1e-12))
    gap = float(high[i] - low[i])
    return float(v[i] + v[i + 1]) / 2.0, gap / within


def knownness(values: Tensor, threshold: float, slope: float) -> Tensor:
    """Return row weights that fall from rows near the source's classes to rows far away.

    Parameters
    ----------
    values : Tensor of shape (m,)
        Distances, as `nearest_centre` gives them.
    threshold, slope : float
        Those of `two_groups`.

    Returns
    -------
    Tensor of shape (m,), float32
        ``sigmoid(slope (threshold - value))``, at least 0.01 so that a batch of far rows still has
        a mean, over their mean.

    Examples
    --------
    >>> knownness(torch.tensor([0.0, 5.0, 10.0]), 5.0, 8.0)  # 1, 0.5 and 0.01, over their mean
    tensor([1.9868, 0.9934, 0.0199])
    """
    w = torch.sigmoid(slope * (threshold - values.double())).clamp_min(0.01).float()
    return w / w.mean()
