"""The interval for a gain of cross-fitted predictions: the same labels train and judge."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from acclimate.judging.intervals import Interval

Floats = NDArray[np.float64]
OVERLAP = 0.4  # share of 1/(K-1) that is added for training rows that folds share


def cross_fitted_interval(
    differences: Floats,
    folds: int,
    confidence: float = 0.95,
    *,
    bounded: bool = False,
    weights: Floats | None = None,
    few: bool = False,
) -> tuple[Floats, Floats, Floats]:
    r"""Interval for the mean gain where each row is judged by models trained without it.

    Use it for repeated cross-validation, in which each of N labelled rows is held out once in each
    of R repeats. Do not use it where all models are scored on rows that none was trained on: there
    `gain_interval` is right, and narrower.

    The gain is the mean over rows and repeats. With :math:`s_r^2` the variance over the rows of
    repeat r, the half-width is

    .. math::
        h = t_{N-1} \sqrt{\Bigl(1 + \frac{0.4}{K-1}\Bigr) \frac{1}{R} \sum_r \frac{s_r^2}{N}}

    so it takes no credit for averaging over repeats. All repeats share the same N labels. What
    another draw of labels would change moves the answers within a row from repeat to repeat, and
    that movement is in :math:`s_r^2`; averaging it away would leave the draw of labels out. The
    factor stands for training rows that folds share; 1/(K-1) is held-out rows over training rows.
    Where several repeats answer alike on every row, no label trains or chooses, and it is 1.

    Parameters
    ----------
    differences : ndarray of shape (..., R, N)
        Gain of each row in each repeat; N at least 2.
    folds : int
        Folds K of each repeat, at least 2.
    confidence : float in (0, 1), default 0.95
    bounded : bool, default False
        Whether every gain lies in [-1, 1]; then two pseudo rows, +1 and -1, are added, as in
        `gain_interval`.
    weights : ndarray of shape (N,), default None
        Importance weights of the rows, where they are no plain sample; only their ratios count.
    few : bool, default False
        Whether few rows may carry most of the variance, as those of a rare class do in scores that
        are no means over rows. The degrees of freedom are then those of `degrees_of`.

    Returns
    -------
    tuple of three ndarrays of shape (...)
        The mean, and the low and high ends.

    Notes
    -----
    Nadeau and Bengio correct the variance over J splits by ``1/J + n_test/n_train``. Their first
    term shrinks with every repeat; here the row variance of one whole repeat takes its place, which
    is known from N values and not from J. It holds much of what shared training rows add, so 0.4 of
    their second term is left: no unbiased estimate of this variance exists (Bengio and Grandvalet),
    and 0.4 was chosen on simulated pairs so that a wrong "helps" stays below 5 % in the hardest
    cell, and gains that are there are seen (``benchmarks/choose_calibration.py``).

    References
    ----------
    Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52,
    doi:10.1023/A:1024068626366.
    Bayle, Bayle, Janson and Mackey (2020), Cross-validation confidence intervals for test error,
    arXiv:2007.12671.
    """
    largest = 1.0
    if weights is not None:
        share = weights / weights.mean()
        differences, largest = differences * share, float(share.max())
    mean = differences.mean(axis=(-2, -1))
    if bounded:
        pair = np.broadcast_to([largest, -largest], (*differences.shape[:-1], 2))
        differences = np.concatenate([differences, pair], axis=-1)
    rows = differences.shape[-1]
    variance = _variance(differences, folds) / rows
    degrees = degrees_of(differences) if few else rows - 1
    half = np.sqrt(variance) * stdtrit(degrees, (1 + confidence) / 2)
    centre = differences.mean(axis=(-2, -1))
    low, high = np.minimum(centre - half, mean), np.maximum(centre + half, mean)
    if bounded:
        low, high = np.maximum(low, -1.0), np.minimum(high, 1.0)
    return mean, low, high


def degrees_of(differences: Floats) -> Floats:
    r"""Return the degrees of freedom of a variance that few rows may carry.

    With N rows of kurtosis k they are :math:`2 N / (k - 1)`, which is what the variance of the
    variance says, between 2 and N - 1: N - 1 for normal values.

    Parameters
    ----------
    differences : ndarray of shape (..., R, N)

    Returns
    -------
    ndarray of shape (...)

    Examples
    --------
    >>> print(degrees_of(np.array([[1.0, -1.0] * 10])))
    19.0
    >>> print(degrees_of(np.array([[0.0] * 19 + [1.0]])).round(1))
    2.3
    """
    rows = differences.shape[-1]
    away = differences - differences.mean(axis=-1, keepdims=True)
    second, fourth = (np.mean(away**power, axis=(-2, -1)) for power in (2, 4))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 2.0 * rows / (fourth / second**2 - 1.0)
    degrees: Floats = np.clip(
        np.nan_to_num(found, nan=rows - 1.0), min(2.0, rows - 1.0), rows - 1.0
    )
    return degrees


def widened(interval: Interval, differences: Floats, confidence: float) -> Interval:
    """Return an interval of N - 1 degrees of freedom as one of `degrees_of`.

    Parameters
    ----------
    interval : Interval
    differences : ndarray of shape (D, N)
    confidence : float in (0, 1)
    """
    degrees = np.array([float(degrees_of(differences)), differences.shape[1] - 1.0])
    few, many = stdtrit(degrees, (1 + confidence) / 2).tolist()
    estimate, low, high = interval
    return Interval(
        estimate,
        estimate - (estimate - low) * few / many,
        estimate + (high - estimate) * few / many,
    )


def rows_to_settle(
    differences: Floats, folds: int, margin: float, confidence: float = 0.95
) -> int | None:
    """Estimate how many labelled rows would settle a gain of the size seen; None where none would.

    Parameters
    ----------
    differences : ndarray of shape (R, N)
        Gains of a table that is not settled.
    folds, margin, confidence
        As in `cross_fitted_interval` and `verdict`.
    """
    gain = abs(float(differences.mean()))
    goal = max(gain, margin - gain)
    spread = float(_variance(differences, folds))
    if goal <= 0 or spread <= 0:
        return None
    rows = least = int(differences.shape[1])
    for _ in range(50):  # the quantile depends on the rows, by little
        need = spread * (float(stdtrit(rows - 1, (1 + confidence) / 2)) / goal) ** 2
        if need > 1e9:
            return None
        before, rows = rows, max(ceil(need), 2)
        if rows == before:
            break
    return max(rows, least + 1)


def _variance(differences: Floats, folds: int) -> Floats:
    """Variance of one row in one repeat, with what is added for training rows that folds share."""
    variance: Floats = differences.var(axis=-1, ddof=1).mean(axis=-1)
    still = (differences == differences[..., :1, :]).all(axis=(-2, -1))
    still = still & (differences.shape[-2] > 1)
    return np.where(still, variance, variance * (1 + OVERLAP / (folds - 1)))


def first_level(table: NDArray[Any], errors: float) -> int:
    """Return the first candidate that is level with the best.

    Parameters
    ----------
    table : ndarray of shape (candidates, rows)
        Scores of each row, higher is better.
    errors : float
        Standard errors of the paired difference within which a candidate counts as level.

    Returns
    -------
    int
        Position in the table.
    """
    behind = table[table.mean(axis=1).argmax()] - table
    rows = table.shape[1]
    error = behind.std(axis=1, ddof=1) / np.sqrt(rows) if rows > 1 else np.zeros(len(table))
    return int(np.flatnonzero(behind.mean(axis=1) <= errors * error + 1e-12)[0])
