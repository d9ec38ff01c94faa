"""Transferability scores that read how far the classes lie apart in the features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acclimate.arrays import as_codes, as_features, one_hot
from acclimate.exceptions import InputError
from acclimate.maths.ridge import gram

Floats = NDArray[np.float64]


def h_score(features: ArrayLike, labels: ArrayLike, *, shrink: bool = True) -> float:
    r"""Score features by the share of their variance that lies between the classes.

    Use it for a fast ranking of encoders. Do not use it with ``shrink=False`` where there are not
    many more rows than features: the covariance is then noise, and the score says more is better.

    .. math:: (1 - a) \operatorname{tr}\bigl(\Sigma_a^{-1} \operatorname{cov}(E[f | y])\bigr), \quad
              \Sigma_a = (1 - a) \Sigma + a \frac{\operatorname{tr} \Sigma}d I

    with the covariance of the features shrunk by the factor a of Ledoit and Wolf; a = 0 without
    ``shrink``. Higher is better, and at most the number of classes minus 1.

    Parameters
    ----------
    features : array-like of shape (n, d)
        Features of the labelled target rows.
    labels : array-like of shape (n,)
        Their classes.
    shrink : bool, default=True
        Whether to shrink the covariance.

    Returns
    -------
    float

    Raises
    ------
    InputError
        Features or labels cannot be used.

    Notes
    -----
    Both covariances are divided by n, where public code divides one by n and one by n - 1. Features
    that do not vary count for nothing (a pseudo-inverse is used).

    References
    ----------
    Bao and others, "An information-theoretic approach to transferability in task transfer
    learning", arXiv:2212.10082. Ibrahim, Ponomareva and Mazumder, "Newer is not always better:
    rethinking transferability metrics, their peculiarities, stability and performance",
    arXiv:2110.06893, for the shrinkage.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate.transferability.criteria import h_score
    >>> y = np.arange(40) % 2
    >>> round(h_score(np.c_[y, np.arange(40)], y, shrink=False), 3)
    1.0
    """
    from scipy.linalg import eigh

    F = as_features(features)
    codes, classes = as_codes(labels, len(F))
    centred = F - F.mean(axis=0, dtype=np.float64).astype(F.dtype)
    means, shares = class_means(centred, codes, len(classes))
    between = means * np.sqrt(shares)[:, None]  # (k, d); its Gram matrix is cov(E[f | y])
    factor = 0.0
    if shrink:
        from sklearn.covariance import ledoit_wolf_shrinkage

        factor = float(ledoit_wolf_shrinkage(centred, assume_centered=True))
    values, vectors = eigh(gram(centred) / len(F))
    values = np.maximum(values, 0.0)
    shrunk = (1.0 - factor) * values + factor * values.mean()
    kept = shrunk > shrunk.max() * np.finfo(F.dtype).eps * F.shape[1]
    along = np.square(between @ vectors[:, kept]).sum(axis=0)
    return float((1.0 - factor) * (along / shrunk[kept]).sum())


def transrate(
    features: ArrayLike, labels: ArrayLike, *, eps: float = 1e-4, centre_classes: bool = True
) -> float:
    r"""Score features by what the labels save when they are coded with a given distortion.

    Use it to rank layers or encoders of like scale. Do not use it to compare features of different
    scales: it grows with the scale. Standardise them first. Nor with fewer rows than features: it
    then counts rows.

    .. math:: R(Z) - \sum_c \frac{n_c}n R(Z_c), \quad
              R(Z) = \tfrac12 \log\det\bigl(I + \tfrac1{n \epsilon} Z^T Z\bigr)

    with the centred features Z and the rows Z_c of class c, centred by class. Higher is better.

    Parameters
    ----------
    features : array-like of shape (n, d)
        Features of the labelled target rows.
    labels : array-like of shape (n,)
        Their classes.
    eps : float, default=1e-4
        Distortion, above 0, in squared units of the features.
    centre_classes : bool, default=True
        Whether each class is coded around its own mean. False is the paper's listing.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    InputError
        Features or labels cannot be used, or ``eps`` is out of range.

    Notes
    -----
    Two deviations from the paper's listing. It codes each class around the mean of all rows: two
    balanced classes then have the same second moments as all rows however far apart they lie, and
    score 0. It averages over classes with equal weights; here each has its share of the rows. The
    determinant is that of the smaller Gram matrix.

    References
    ----------
    Huang, Huang, Rong, Yang and Wei, "Frustratingly easy transferability estimation",
    arXiv:2106.09545.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate.transferability.criteria import transrate
    >>> y = np.arange(100) % 2
    >>> noise = np.random.default_rng(0).normal(size=(100, 3))
    >>> transrate(noise + 5 * y[:, None], y) > transrate(noise, y)
    True
    """
    if not 0.0 < eps < np.inf:
        raise InputError(f"eps must be finite and above 0, got {eps!r}")
    F = as_features(features).astype(np.float64)
    codes, classes = as_codes(labels, len(F))
    Z = F - F.mean(axis=0)
    inner = Z - class_means(Z, codes, len(classes))[0][codes] if centre_classes else Z
    order = np.argsort(codes, kind="stable")
    parts = np.split(inner[order], np.cumsum(np.bincount(codes, minlength=len(classes)))[:-1])
    within = sum(len(part) / len(Z) * coding_rate(part, eps) for part in parts)
    return coding_rate(Z, eps) - within


def coding_rate(Z: Floats, eps: float) -> float:
    """Return ``1/2 log det(I + Z^T Z / (n eps))`` in nats.

    Parameters
    ----------
    Z : ndarray of shape (n, d)
        Centred features.
    eps : float
        Distortion.
    """
    n, d = Z.shape
    inner = Z @ Z.T if n < d else Z.T @ Z
    inner *= 1.0 / (n * eps)
    inner[np.diag_indices_from(inner)] += 1.0
    return 0.5 * float(np.linalg.slogdet(inner)[1])


def gbc(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    covariance: str = "spherical",
    components: int | None = 64,
) -> float:
    r"""Score features by how little the classes overlap when each is taken for a Gaussian.

    Use it for features with one cloud a class. Do not use it where a class has several modes, or
    few rows.

    .. math:: -\sum_{i \ne j} \exp(-D_{ij}), \quad D_{ij} = \frac18 \sum_k
              \frac{(\mu_{ik} - \mu_{jk})^2}{\bar v_k} + \frac12 \sum_k
              \log\frac{\bar v_k}{\sqrt{v_{ik} v_{jk}}}

    over ordered pairs of classes, with variances :math:`v` and their mean :math:`\bar v` over the
    pair. At most 0; higher is better.

    Parameters
    ----------
    features : array-like of shape (n, d)
        Features of the labelled target rows.
    labels : array-like of shape (n,)
        Their classes.
    covariance : {"spherical", "diagonal"}, default="spherical"
        One variance for each class, or one for each class and feature.
    components : int or None, default=64
        Principal components to keep, at least 1; None keeps the features as they are.

    Returns
    -------
    float

    Raises
    ------
    InputError
        Features, labels or settings cannot be used.

    Notes
    -----
    Deviation: a variance below 1e-6 of the mean variance is raised to that, so that a class of one
    row or a constant feature gives no division by zero.

    References
    ----------
    Pandy, Agostinelli, Uijlings, Ferrari and Mensink, "Transferability estimation using
    Bhattacharyya class separability", arXiv:2111.12780.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate.transferability.criteria import gbc
    >>> y = np.arange(100) % 2
    >>> noise = np.random.default_rng(0).normal(size=(100, 3))
    >>> gbc(noise, y) < gbc(noise + 5 * y[:, None], y) <= 0
    True
    """
    if covariance not in ("spherical", "diagonal"):
        raise InputError(f'covariance must be "spherical" or "diagonal", got {covariance!r}')
    F = as_features(features).astype(np.float64)
    codes, classes = as_codes(labels, len(F))
    Z = principal(F, components)
    means, shares = class_means(Z, codes, len(classes))
    counts = np.maximum(shares * len(Z), 1.0)[:, None]
    variances = one_hot(codes, len(classes)).T @ np.square(Z - means[codes]) / counts
    if covariance == "spherical":
        variances = np.broadcast_to(variances.mean(axis=1, keepdims=True), variances.shape)
    variances = np.maximum(variances, 1e-6 * max(float(Z.var(axis=0).mean()), 1e-300))
    logs = np.log(variances)
    total = 0.0
    for i in range(len(classes) - 1):  # one class against all later ones, so no k x k x d array
        mid = 0.5 * (variances[i] + variances[i + 1 :])
        far = np.square(means[i] - means[i + 1 :]) / mid / 8.0
        wide = 0.5 * (np.log(mid) - 0.5 * (logs[i] + logs[i + 1 :]))
        total -= 2.0 * float(np.exp(-(far + wide).sum(axis=1)).sum())
    return total


def parc(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    components: int | None = 32,
    rows: int = 500,
    random_state: int = 0,
) -> float:
    r"""Score features by whether rows that differ in class differ in features, too.

    Use it where features of very different kinds are compared. Do not use it with many rows a
    class and few classes alone: all it sees of the labels is whether two rows share one.

    Spearman's rank correlation, over pairs of rows, of :math:`1 - r(f_i, f_j)` and
    :math:`1 - r(e_i, e_j)`: r is Pearson's correlation, of the features of two rows and of their
    one-hot labels. From -1 to 1; higher is better.

    Parameters
    ----------
    features : array-like of shape (n, d)
        Features of the labelled target rows.
    labels : array-like of shape (n,)
        Their classes.
    components : int or None, default=32
        Principal components to keep, at least 2; None keeps the features as they are.
    rows : int, default=500
        Rows to sample where there are more, at least 3. The cost grows with its square.
    random_state : int, default=0
        Seeds the sample.

    Returns
    -------
    float

    Raises
    ------
    InputError
        Features, labels or settings cannot be used, or fewer than 2 features are left.

    Notes
    -----
    Deviation: the paper multiplies by 100.

    References
    ----------
    Bolya, Mittapalli and Hoffman, "Scalable diverse model selection for accessible transfer
    learning", arXiv:2111.06977.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate.transferability.criteria import parc
    >>> y = np.arange(60) % 3
    >>> round(parc(np.eye(3)[y], y, components=None), 6)
    1.0
    """
    from scipy.spatial.distance import pdist
    from scipy.stats import spearmanr

    if rows < 3:
        raise InputError(f"rows must be at least 3, got {rows!r}")
    F = as_features(features).astype(np.float64)
    codes, _ = as_codes(labels, len(F))
    if len(F) > rows:
        chosen = np.sort(np.random.default_rng(random_state).choice(len(F), rows, replace=False))
        F, codes = F[chosen], codes[chosen]
    Z = principal(F, components)
    if Z.shape[1] < 2:
        raise InputError("parc correlates the features of two rows, so it needs at least 2")
    apart = pdist(Z - Z.mean(axis=1, keepdims=True), "cosine")
    apart = np.where(np.isnan(apart), 1.0, apart)  # a row of equal features correlates with none
    other = pdist(codes[:, None], "hamming")
    if np.ptp(apart) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(spearmanr(apart, other).statistic)


def class_means(
    F: NDArray[Any], codes: NDArray[np.intp], k: int
) -> tuple[Floats, NDArray[np.float64]]:
    """Return the mean of each class, shape (k, d), and the shares of the classes, shape (k,)."""
    from scipy.sparse import csr_matrix

    counts = np.bincount(codes, minlength=k)
    pick = csr_matrix((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(k, len(codes)))
    sums: Floats = pick @ F
    return sums / np.maximum(counts, 1)[:, None], counts / len(codes)


def principal(F: Floats, components: int | None) -> Floats:
    """Return the first principal components, shape (n, k); all features where they are fewer.

    Where features are fewer than components, nothing is turned.
    """
    if components is None:
        return F
    if components < 1:
        raise InputError(f"components must be at least 1 or None, got {components!r}")
    if F.shape[1] <= components:
        return F
    from scipy.linalg import eigh

    Z = F - F.mean(axis=0)
    n, d = Z.shape
    small = min(n, d)
    keep = (max(small - components, 0), small - 1)
    values, vectors = eigh(Z @ Z.T if n < d else Z.T @ Z, subset_by_index=keep)
    values, vectors = values[::-1], vectors[:, ::-1]
    turned: Floats = vectors * np.sqrt(np.maximum(values, 0.0)) if n < d else Z @ vectors
    # the sign is free; let the largest coordinate be positive
    largest = np.abs(turned).argmax(axis=0)
    turned *= np.where(turned[largest, np.arange(turned.shape[1])] < 0, -1.0, 1.0)
    return turned
