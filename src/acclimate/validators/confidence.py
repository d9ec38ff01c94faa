"""Validators that read a candidate's predictions for the target, and nothing else.

Each takes probabilities of shape (m, k), one row a target row, and returns one number: higher is
better. They compare candidates for one target; values for different targets mean nothing side by
side. All but `diversity` reward confidence, right or wrong, so none of them sees a model that is
sure and mistaken.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acclimate.arrays import as_classes
from acclimate.exceptions import InputError

Floats = NDArray[np.floating[Any]]

_CELLS = 2**22  # of a block of similarities: 32 MB


def entropy(proba: ArrayLike) -> float:
    r"""Return minus the mean entropy of the predictions.

    Use it beside `diversity`, or take `information_maximisation`. Do not use it alone: a model that
    predicts one class everywhere has the best value there is.

    .. math:: \frac{1}{m} \sum_i \sum_c p_{ic} \log p_{ic}

    Parameters
    ----------
    proba : array-like of shape (m, k)
        Predicted probabilities of target rows.

    Returns
    -------
    float
        Between minus log k and 0, in nats.

    Raises
    ------
    InputError
        These are no probabilities.

    References
    ----------
    Morerio, Cavazza and Murino, "Minimal-entropy correlation alignment for unsupervised deep domain
    adaptation", arXiv:1711.10288.

    Examples
    --------
    >>> from acclimate.validators.confidence import entropy
    >>> round(entropy([[1.0, 0.0], [0.5, 0.5]]), 6)  # half of log 2
    -0.346574
    """
    return 0.0 - float(_entropies(as_classes(proba)).mean(dtype=np.float64))


def diversity(proba: ArrayLike) -> float:
    r"""Return the entropy of the mean prediction, 1 where all classes are equally frequent.

    Use it to find a model that has collapsed to a few classes. Do not use it where the target's
    classes are far from equally frequent: the true shares are not the best value then.

    .. math:: -\frac{1}{\log k} \sum_c \bar p_c \log \bar p_c

    Parameters
    ----------
    proba : array-like of shape (m, k)
        Predicted probabilities of target rows, of at least 2 classes.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    InputError
        These are no probabilities.

    References
    ----------
    Musgrave, Belongie and Lim, "Three new validators and a large-scale benchmark ranking for
    unsupervised domain adaptation", arXiv:2208.07360.

    Examples
    --------
    >>> from acclimate.validators.confidence import diversity
    >>> diversity([[1.0, 0.0], [0.0, 1.0]]), diversity([[1.0, 0.0], [1.0, 0.0]])
    (1.0, 0.0)
    """
    p = as_classes(proba)
    shares = p.mean(axis=0, dtype=np.float64)
    return float(_entropies(shares[None])[0] / np.log(p.shape[1])) + 0.0


def information_maximisation(proba: ArrayLike) -> float:
    r"""Return the mutual information of inputs and predictions.

    Use it as the first validator that needs predictions alone: it asks for sure predictions *and*
    for all classes. Do not use it where the target's classes are far from equally frequent.

    .. math:: H(\bar p) - \frac{1}{m} \sum_i H(p_i)

    Parameters
    ----------
    proba : array-like of shape (m, k)
        Predicted probabilities of target rows.

    Returns
    -------
    float
        Between 0 and log k, in nats.

    Raises
    ------
    InputError
        These are no probabilities.

    References
    ----------
    Musgrave, Belongie and Lim, "Three new validators and a large-scale benchmark ranking for
    unsupervised domain adaptation", arXiv:2208.07360.

    Examples
    --------
    >>> from acclimate.validators.confidence import information_maximisation
    >>> round(information_maximisation([[1.0, 0.0], [0.0, 1.0]]), 6)  # log 2
    0.693147
    """
    p = as_classes(proba)
    shares = p.mean(axis=0, dtype=np.float64)
    return float(_entropies(shares[None])[0] - _entropies(p).mean(dtype=np.float64))


def nuclear_norm(proba: ArrayLike) -> float:
    r"""Return the nuclear norm of the predictions (BNM), as a share of the largest there is.

    Use it like `information_maximisation`; it is gentler on rare classes. Do not use it where the
    target has rare classes or lacks some.

    .. math:: \|P\|_* / \sqrt{m \min(m, k)}

    Parameters
    ----------
    proba : array-like of shape (m, k)
        Predicted probabilities of target rows.

    Returns
    -------
    float
        Between 0 and 1; 1 for sure predictions, all classes equally often.

    Raises
    ------
    InputError
        These are no probabilities.

    Notes
    -----
    Deviation from the paper, which takes the norm of a batch: it is that of all rows, and scaled,
    so that the number of rows does not matter.

    References
    ----------
    Cui, Wang, Zhuo, Li, Huang and Tian, "Towards discriminability and diversity: batch nuclear-norm
    maximization under label insufficient situations", arXiv:2003.12237.

    Examples
    --------
    >>> from acclimate.validators.confidence import nuclear_norm
    >>> round(nuclear_norm([[1.0, 0.0], [0.0, 1.0]]), 6)
    1.0
    """
    from scipy.linalg import svdvals

    p = as_classes(proba)
    m, k = p.shape
    return float(svdvals(p).sum(dtype=np.float64) / np.sqrt(m * min(m, k)))


def snd(proba: ArrayLike, *, temperature: float = 0.05) -> float:
    r"""Return the soft neighbourhood density: how many neighbours each prediction has.

    Use it for networks, to choose hyperparameters of one method. Do not use it alone, nor to
    compare unlike methods: a model that predicts one class everywhere has the best value.

    .. math:: \frac{1}{m} \sum_i H(P_i), \quad
        P_{ij} = \frac{e^{\langle f_i, f_j \rangle / \tau}}
        {\sum_{l \ne i} e^{\langle f_i, f_l \rangle / \tau}}, \quad f_i = p_i / \|p_i\|

    Parameters
    ----------
    proba : array-like of shape (m, k)
        Predicted probabilities of at least 2 target rows.
    temperature : float, default=0.05
        tau, above 0.

    Returns
    -------
    float
        Between 0 and log(m - 1), in nats.

    Raises
    ------
    InputError
        These are no probabilities, there are fewer than 2 rows, or the temperature is not above 0.

    Notes
    -----
    Time grows with m^2 k. Memory does not: similarities are made in blocks of rows. The number of
    rows sets the level, so compare candidates on the same rows.

    References
    ----------
    Saito, Kim, Teterwak, Sclaroff, Darrell and Saenko, "Tune it the right way: unsupervised
    validation of domain adaptation via soft neighborhood density", arXiv:2108.10860.

    Examples
    --------
    >>> from acclimate.validators.confidence import snd
    >>> round(snd([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]), 6)  # log 2
    0.693147
    """
    p = as_classes(proba)
    m = len(p)
    if m < 2:
        raise InputError(f"a neighbourhood needs at least 2 rows, got {m}")
    if not 0 < temperature < np.inf:
        raise InputError(f"temperature must be above 0 and finite, got {temperature!r}")
    unit = p / np.linalg.norm(p, axis=1, keepdims=True)
    scaled = unit / temperature
    total = 0.0
    step = max(1, _CELLS // m)
    for start in range(0, m, step):
        similar = scaled[start : start + step] @ unit.T  # (block, m)
        rows = np.arange(len(similar))
        similar[rows, start + rows] = -np.inf
        similar -= similar.max(axis=1, keepdims=True)
        share = np.exp(similar)
        similar[rows, start + rows] = 0.0  # 0 times minus infinity is NaN
        mass = share.sum(axis=1, dtype=np.float64)
        mean = np.einsum("ij,ij->i", share, similar) / mass
        total += float((np.log(mass) - mean).sum())
    return total / m


def mano(proba: ArrayLike, logits: ArrayLike | None = None, *, order: float = 4.0) -> float:
    r"""Return the matrix norm of the predictions (MaNo).

    Use it for networks whose softmax is close to uniform on the target, with their logits. Do not
    use it to compare models of different kinds: what is confident for one is doubt for the other.

    .. math:: \Bigl( \frac{1}{m k} \sum_{ic} \sigma(q_i)_c^{\,r} \Bigr)^{1/r}

    with sigma the softmax where the mean cross-entropy to uniform is above 5, and else its second
    Taylor polynomial, ``1 + q + q^2 / 2``, divided by its sum.

    Parameters
    ----------
    proba : array-like of shape (m, k)
        Predicted probabilities of target rows.
    logits : array-like of shape (m, k), default=None
        What the network gives before softmax. Without them sigma is the softmax.
    order : float, default=4.0
        r, at least 1.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    InputError
        These are no probabilities, the logits have another shape, or the order is below 1.

    Notes
    -----
    Deviations from the paper: without logits there is no Taylor polynomial, since logarithms of
    probabilities are known up to a constant for each row only. From the public code: the polynomial
    is not lowered by its smallest entry, as in the paper.

    References
    ----------
    Xie, Odonnat, Feofanov, Deng, Zhang and An, "MaNo: exploiting matrix norm for unsupervised
    accuracy estimation under distribution shifts", arXiv:2405.18979.

    Examples
    --------
    >>> from acclimate.validators.confidence import mano
    >>> mano([[0.5, 0.5], [0.5, 0.5]])
    0.5
    """
    p = as_classes(proba)
    if not order >= 1:
        raise InputError(f"order must be at least 1, got {order!r}")
    if logits is not None:
        from scipy.special import log_softmax

        q = np.asarray(logits)
        if q.shape != p.shape:
            raise InputError(f"logits must have shape {p.shape}, got {q.shape}")
        if -log_softmax(q, axis=1).mean(dtype=np.float64) <= 5.0:
            taylor = 1 + q + q * q / 2  # never below 1/2
            p = taylor / taylor.sum(axis=1, keepdims=True)
    return float((p**order).mean(dtype=np.float64) ** (1 / order))


def _entropies(p: Floats) -> Floats:
    """Return the entropy of each row in nats, shape (m,) from (m, k)."""
    from scipy.special import entr

    rows: Floats = entr(p).sum(axis=1)
    return rows
