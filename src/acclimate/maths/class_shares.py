"""Class probabilities moved to other class shares, and the shares that some given ones mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SOFT = 0.02  # of given shares that goes to all classes alike, so that no class is ruled out
_HALVINGS = 200


def moved(proba: NDArray[Any], ratio: Floats) -> Floats:
    """Return ``P_ik r_k`` with each row scaled to a sum of 1, shape (m, k).

    These are the probabilities that the same model would give, had it learned from classes whose
    shares are r times those it saw (Saerens, Latinne and Decaestecker,
    doi:10.1162/089976602753284446).

    Parameters
    ----------
    proba : ndarray of shape (m, k)
        Class probabilities.
    ratio : ndarray of shape (k,)
        New over old share of each class, above 0.

    >>> moved(np.array([[0.5, 0.5]]), np.array([3.0, 1.0]))
    array([[0.75, 0.25]])
    """
    joint = np.asarray(proba, dtype=np.float64) * ratio
    total = joint.sum(axis=1, keepdims=True)
    scaled: Floats = joint / np.maximum(total, np.finfo(np.float64).tiny)
    return scaled


def shares_of(y: NDArray[Any], weight: NDArray[Any] | None = None) -> Floats:
    """Return the share of each class of labels (n,), in sorted order, shape (k,).

    >>> shares_of(np.array(["a", "b", "b", "b"]))
    array([0.25, 0.75])
    """
    codes = np.unique(y, return_inverse=True)[1]
    counts = np.bincount(codes, weights=weight)
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def towards_even(shares: Floats, part: float) -> Floats:
    """Return ``(1 - part) s + part / k``, shape (k,).

    >>> towards_even(np.array([1.0, 0.0]), 0.02)
    array([0.99, 0.01])
    """
    mixed: Floats = (1.0 - part) * shares + part / len(shares)
    return mixed


def full_shares(low: Floats, high: Floats, known: Floats, implied: Floats) -> Floats | None:
    """Return the share of each class that given ones mean, shape (k,); None where nothing moves.

    A class whose implied share is outside its limits goes to the nearest one. Classes without
    limits, and those that are within theirs, share the rest as in ``known``. Where the limits leave
    no rest or too much, implied shares are scaled as a whole and cut at the limits.

    Parameters
    ----------
    low, high : ndarray of shape (k,)
        Limits, equal where a share is exact; NaN for classes of which nothing is said.
    known : ndarray of shape (k,)
        Shares that the model learned from, above 0.
    implied : ndarray of shape (k,)
        Shares that its answers imply.

    >>> nan = np.nan
    >>> known, implied = np.array([0.2, 0.2, 0.6]), np.array([0.3, 0.3, 0.4])
    >>> full_shares(np.array([0.6, nan, nan]), np.array([0.8, nan, nan]), known, implied)
    array([0.6, 0.1, 0.3])
    """
    named = ~np.isnan(low)
    exact = named & (low == high)
    fixed = exact | (named & ((implied < low) | (implied > high)))
    if not fixed.any():
        return None
    shares: Floats = np.clip(implied, low, high)  # NaN where nothing is said
    rest = 1.0 - float(shares[fixed].sum())
    if fixed.all() and abs(rest) < 1e-9:
        return shares
    if fixed.all() or rest < 0.0:
        return _scaled(np.where(named, low, 0.0), np.where(named, high, 1.0), implied)
    shares[~fixed] = rest * known[~fixed] / known[~fixed].sum()
    return shares


def _scaled(low: Floats, high: Floats, implied: Floats) -> Floats:
    """Return ``clip(t implied, low, high)`` for the t at which its sum is 1, shape (k,)."""
    start = np.maximum(implied, 1e-12)
    below, above = 0.0, float((1.0 / start).max())
    for _ in range(_HALVINGS):
        t = (below + above) / 2
        below, above = (t, above) if np.clip(t * start, low, high).sum() < 1 else (below, t)
    found: Floats = np.clip(above * start, low, high)
    return found


def log_scores(proba: Floats) -> Floats:
    """Return log odds of the second of two classes, shape (m,); else log probabilities, (m, k).

    >>> log_scores(np.array([[0.5, 0.5]]))
    array([0.])
    """
    logs = np.log(np.maximum(proba, np.finfo(np.float64).tiny))
    scores: Floats = logs[:, 1] - logs[:, 0] if logs.shape[1] == 2 else logs
    return scores
