"""How well frozen features suit a labelled target, from the labels alone and without training.

Show them beside a probe (`acclimate.transferability.probes`), never alone: over 715 000 set-ups no
single score was best (arXiv:2204.01403). `acclimate.rank` does that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acclimate.arrays import as_codes, as_features, as_values, check_task, one_hot
from acclimate.exceptions import InputError
from acclimate.transferability.evidence import log_evidence
from acclimate.transferability.probes import knn_probe, linear_probe
from acclimate.transferability.separability import gbc, h_score, parc, transrate

__all__ = [
    "gbc",
    "h_score",
    "knn_probe",
    "leep",
    "linear_probe",
    "logme",
    "nce",
    "parc",
    "transrate",
]


def logme(features: ArrayLike, labels: ArrayLike, *, task: str = "classification") -> float:
    r"""Score features by the evidence of a Bayesian linear model of the labels. Higher is better.

    Use it to rank encoders or layers where a probe of each would take too long. Do not use it to
    compare label sets: it depends on how many classes there are. Do not read it as an accuracy.

    For each output y, the log evidence :math:`\log p(y | F, \alpha, \beta)` of
    :math:`y = F w + e`, with :math:`w \sim N(0, \alpha^{-1} I)` and :math:`e \sim N(0, \beta^{-1}
    I)`, is maximised over :math:`\alpha` and :math:`\beta` and divided by the rows:

    .. math:: \frac n2 \log\frac\beta{2\pi} - \frac\beta2 \|Fm - y\|^2 - \frac\alpha2 \|m\|^2
              - \frac12 \sum_{i \le r} \log(1 + \beta s_i / \alpha)

    with the posterior mean m and the r squared singular values :math:`s_i` of F above 0. The score
    is the mean over outputs: one for each class against the rest, or the columns of a regression.

    Parameters
    ----------
    features : array-like of shape (n, d)
        Features of the labelled target rows. float32 stays so, which halves the work.
    labels : array-like of shape (n,), or (n, c) for a regression
        Their labels or values.
    task : {"classification", "regression"}, default="classification"
        What the labels are.

    Returns
    -------
    float
        Mean log evidence a row, in nats. It can be above 0, since it is a density.

    Raises
    ------
    InputError
        Features or labels cannot be used; the message shows the value.

    Notes
    -----
    The evidence is exact whatever the rank. In :math:`\frac d2 \log\alpha - \frac12 \log|A|`, the
    d - r directions without features cancel; code that leaves them in one term and not in the other
    lets noise outrank informative features as soon as there are fewer rows than features.

    Deviation: the paper finds alpha and beta by a fixed-point iteration that stops at a small
    change. Here beta is eliminated in closed form and the evidence maximised over alpha / beta by a
    grid and finer grids, for all outputs at once. So it is the maximum to rounding, also where
    there are two hills. The Gram matrix of the smaller side is decomposed, and the features are
    read twice only. Labels that the features fit exactly have no largest evidence: the score is
    then large, and set by rounding.

    References
    ----------
    You, Liu, Wang and Long, "LogME: practical assessment of pre-trained models for transfer
    learning", arXiv:2102.11005.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate.transferability.criteria import logme
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(100) % 2
    >>> good, noise = rng.normal(size=(2, 100, 8))
    >>> good[:, 0] += 3 * y
    >>> logme(good, y) > logme(noise, y)
    True
    """
    F = as_features(features)
    if check_task(task):
        codes, classes = as_codes(labels, len(F))
        Y = one_hot(codes, len(classes))
    else:
        Y = as_values(labels, len(F))
    return float(log_evidence(F, Y).mean() / len(F))


def leep(source_probabilities: ArrayLike, labels: ArrayLike) -> float:
    r"""Score a source classifier by how well its class probabilities predict the target labels.

    Use it where all that is known of a source model is its output. Do not use it on features
    without a source head; nor to compare target label sets.

    With source classes z and probabilities :math:`\theta_z(x)`, the joint shares are
    :math:`P(y, z) = \frac1n \sum_{i: y_i = y} \theta_z(x_i)`, and the score is

    .. math:: \frac1n \sum_i \log \sum_z P(y_i | z)\, \theta_z(x_i)

    the mean log-likelihood of the expected empirical predictor. At most 0; higher is better.

    Parameters
    ----------
    source_probabilities : array-like of shape (n, k_source)
        What the source model says of the target rows; each row sums to 1.
    labels : array-like of shape (n,)
        Target classes.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    InputError
        A row is no distribution, or the labels cannot be used.

    References
    ----------
    Nguyen, Hassner, Seeger and Archambeau, "LEEP: a new measure to evaluate transferability of
    learned representations", arXiv:2002.12462.

    Examples
    --------
    >>> from acclimate.transferability.criteria import leep
    >>> leep([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], ["a", "a", "b"])
    0.0
    """
    theta = as_features(source_probabilities, "source_probabilities").astype(np.float64)
    sums = theta.sum(axis=1)
    bad = np.flatnonzero((theta < 0).any(axis=1) | (np.abs(sums - 1.0) > 1e-3))
    if len(bad):
        row = int(bad[0])
        raise InputError(
            f"source_probabilities must be at least 0 and sum to 1 in each row; row {row} sums to "
            f"{sums[row]:.4g} and has a smallest value of {theta[row].min():.4g}"
        )
    codes, classes = as_codes(labels, len(theta), least=1)
    joint = one_hot(codes, len(classes)).T @ theta / len(theta)  # (k, k_source)
    share = joint.sum(axis=0)
    given = np.divide(joint, share, out=np.zeros_like(joint), where=share > 0)
    expected = np.einsum("nz,nz->n", theta, given[codes])
    return float(np.log(expected).mean()) + 0.0


def nce(source_labels: ArrayLike, labels: ArrayLike) -> float:
    r"""Score a source labelling of the target rows: minus the conditional entropy of the labels.

    Use it where the rows carry labels of both tasks, or a source model gives hard labels. Do not
    use it where probabilities are known: `leep` sees more.

    .. math:: -H(Y | Z) = \sum_{y, z} P(y, z) \log \frac{P(y, z)}{P(z)}

    with empirical shares. At most 0; higher is better.

    Parameters
    ----------
    source_labels : array-like of shape (n,)
        Source classes of the target rows.
    labels : array-like of shape (n,)
        Target classes of the same rows.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    InputError
        The labels cannot be used.

    References
    ----------
    Tran, Nguyen and Hassner, "Transferability and hardness of supervised classification tasks",
    arXiv:1908.08142.

    Examples
    --------
    >>> from acclimate.transferability.criteria import nce
    >>> round(nce([0, 0, 1, 1], ["a", "b", "c", "c"]), 4)
    -0.3466
    """
    z, of_source = as_codes(source_labels, np.size(source_labels), "source_labels", least=1)
    y, of_target = as_codes(labels, len(z), least=1)
    joint = np.zeros((len(of_target), len(of_source)))
    np.add.at(joint, (y, z), 1.0 / len(z))
    return -conditional_entropy(joint) + 0.0


def conditional_entropy(joint: NDArray[np.float64]) -> float:
    """Return H(Y | Z) in nats.

    Parameters
    ----------
    joint : ndarray of shape (k, k_source)
        Shares of pairs (y, z), which sum to 1.
    """
    from scipy.special import xlogy

    return float(xlogy(joint.sum(axis=0), joint.sum(axis=0)).sum() - xlogy(joint, joint).sum())
