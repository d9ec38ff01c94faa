"""Do stated probabilities hold? Temperature scaling, calibration error and Brier score."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acclimate.arrays import as_classes
from acclimate.exceptions import InputError

Floats = NDArray[np.floating[Any]]

LOWEST, HIGHEST = 0.05, 20.0  # temperatures; perfect predictions would have none that is best


def fit_temperature(proba: ArrayLike, labels: ArrayLike) -> float:
    r"""Find the temperature that makes held-out probabilities most likely.

    Use it before probabilities are read as chances. Do not use it on the rows that the model was
    fitted on: it is too sure of those. It keeps every prediction's class.

    .. math:: \min_T -\frac{1}{n} \sum_i \log \mathrm{softmax}(\log p_i / T)_{y_i}

    Parameters
    ----------
    proba : array-like of shape (n, k)
        Predicted probabilities of held-out rows.
    labels : array-like of shape (n,)
        Their labels, as column numbers.

    Returns
    -------
    float
        Between 0.05 and 20; above 1 where the model was too sure.

    Raises
    ------
    InputError
        These are no probabilities, or a label is no column.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", arXiv:1706.04599.

    Examples
    --------
    >>> from acclimate.validators.calibration import fit_temperature
    >>> sure = [[0.9, 0.1]] * 4
    >>> round(fit_temperature(sure, [0, 0, 0, 1]), 3)  # log 9 / log 3
    2.0
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    p, y = as_classes(proba), _codes(proba, labels)
    z = _logs(p)
    own = z[np.arange(len(y)), y]

    def loss(log_t: float) -> float:
        inverse = np.exp(-log_t)  # the loss is convex in it, so it has one valley in log T
        return float((logsumexp(inverse * z, axis=1) - inverse * own).mean())

    found = minimize_scalar(
        loss, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded", options={"xatol": 1e-7}
    )
    return float(np.exp(found.x))


def apply_temperature(proba: ArrayLike, temperature: float) -> Floats:
    """Return softmax(log p / temperature), shape (n, k) and dtype of the probabilities.

    Parameters
    ----------
    proba : array-like of shape (n, k)
        Probabilities.
    temperature : float
        Above 0; 1 changes nothing, more makes them flatter.

    Returns
    -------
    ndarray of shape (n, k)

    Raises
    ------
    InputError
        These are no probabilities, or the temperature is not above 0.

    Examples
    --------
    >>> from acclimate.validators.calibration import apply_temperature
    >>> apply_temperature([[0.9, 0.1]], 2.0).round(6)
    array([[0.75, 0.25]])
    """
    from scipy.special import softmax

    if not 0 < temperature < np.inf:
        raise InputError(f"temperature must be above 0 and finite, got {temperature!r}")
    p = as_classes(proba)
    scaled: Floats = softmax(_logs(p) / temperature, axis=1).astype(p.dtype)
    return scaled


def calibration_error(proba: ArrayLike, labels: ArrayLike, *, bins: int = 15) -> float:
    r"""Return the expected calibration error (ECE).

    Use it to see whether a model is as sure as it is right. Do not use it to choose a model: one
    that gives the class shares everywhere is calibrated.

    .. math:: \sum_b \frac{n_b}{n} \, | \mathrm{accuracy}_b - \mathrm{confidence}_b |

    over bins of equal width, each open on the left.

    Parameters
    ----------
    proba : array-like of shape (n, k)
        Predicted probabilities of held-out rows.
    labels : array-like of shape (n,)
        Their labels, as column numbers.
    bins : int, default=15
        At least 1.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    InputError
        These are no probabilities, a label is no column, or there are no bins.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", arXiv:1706.04599.

    Examples
    --------
    >>> from acclimate.validators.calibration import calibration_error
    >>> round(calibration_error([[0.9, 0.1]] * 4, [0, 0, 0, 1]), 6)
    0.15
    """
    if bins < 1:
        raise InputError(f"bins must be at least 1, got {bins!r}")
    p, y = as_classes(proba), _codes(proba, labels)
    sure = p.max(axis=1).astype(np.float64)
    # minus accuracy, since only the absolute difference counts
    excess = sure - (p.argmax(axis=1) == y)
    place = np.clip(np.ceil(sure * bins).astype(np.intp) - 1, 0, bins - 1)
    return float(np.abs(np.bincount(place, weights=excess, minlength=bins)).sum() / len(y))


def brier(proba: ArrayLike, labels: ArrayLike) -> float:
    r"""Return the Brier score: the mean squared distance from the truth. Lower is better.

    Use it to compare probabilities as a whole. Do not use it where only the predicted class counts.

    .. math:: \frac{1}{n} \sum_i \sum_c (p_{ic} - [y_i = c])^2

    Parameters
    ----------
    proba : array-like of shape (n, k)
        Predicted probabilities of held-out rows.
    labels : array-like of shape (n,)
        Their labels, as column numbers.

    Returns
    -------
    float
        Between 0 and 2.

    Raises
    ------
    InputError
        These are no probabilities, or a label is no column.

    References
    ----------
    Brier, "Verification of forecasts expressed in terms of probability",
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Examples
    --------
    >>> from acclimate.validators.calibration import brier
    >>> brier([[0.5, 0.5], [1.0, 0.0]], [0, 0])
    0.25
    """
    p, y = as_classes(proba).astype(np.float64), _codes(proba, labels)
    p[np.arange(len(y)), y] -= 1.0
    return float(np.square(p).sum(axis=1).mean())


def _logs(p: Floats) -> Floats:
    """Return logarithms in float64; a probability of 0 counts as the smallest of its type."""
    logs: Floats = np.log(np.maximum(p, np.finfo(p.dtype).tiny).astype(np.float64))
    return logs


def _codes(proba: ArrayLike, labels: ArrayLike) -> NDArray[np.intp]:
    y, (n, k) = np.asarray(labels), np.shape(proba)
    if y.shape != (n,) or y.dtype.kind not in "biu":
        raise InputError(
            f"labels must be whole numbers of shape ({n},), got {y.dtype} of shape {y.shape}"
        )
    y = y.astype(np.intp)
    if y.min() < 0 or y.max() >= k:
        raise InputError(f"labels must be columns 0 to {k - 1}, got {y.min()} to {y.max()}")
    return y
