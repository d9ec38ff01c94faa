"""Cross products and ridge regression, exact and in blocks."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


BLOCK = 4096  # rows of float32 that are multiplied before they are added up in float64


EXACT = 2e10  # products up to this many operations are made in float64


def gram(F: NDArray[Any]) -> Floats:
    """Return ``F.T @ F`` in float64, shape (d, d).

    Parameters
    ----------
    F : ndarray of shape (n, d)
        Features.
    """
    return moments(F, np.zeros((len(F), 0)))[0]


def moments(F: NDArray[Any], Y: Floats) -> tuple[Floats, Floats]:
    """Return ``F.T @ F`` and ``F.T @ Y`` in float64, shapes (d, d) and (d, c).

    Large float32 features are multiplied in float32, a block of centred rows at a time, and added
    up in float64: half the work of casting them all, with an error near that of one block. The
    mean goes back in float64.

    Parameters
    ----------
    F : ndarray of shape (n, d)
        Features.
    Y : ndarray of shape (n, c)
        Outputs.
    """
    n, d = F.shape
    if not _coarse(F):
        A = F.astype(np.float64, copy=False)
        return A.T @ A, A.T @ Y
    mean = F.mean(axis=0, dtype=np.float64).astype(np.float32)
    total, cross = np.zeros((d, d)), np.zeros((d, Y.shape[1]))
    tail = np.zeros(d)  # what rounding the mean to float32 leaves
    ones = np.ones(BLOCK, dtype=np.float32)
    for start in range(0, n, BLOCK):
        rows = slice(start, start + BLOCK)
        centred = F[rows] - mean
        total += centred.T @ centred
        cross += centred.T @ Y[rows].astype(np.float32)
        tail += ones[: len(centred)] @ centred
    wide = mean.astype(np.float64)
    outer = np.outer(tail + 0.5 * n * wide, wide)
    return total + outer + outer.T, cross + np.outer(wide, Y.sum(axis=0))


def _coarse(F: NDArray[Any]) -> bool:
    """Return whether `moments` multiplies in float32."""
    return F.dtype == np.float32 and float(F.size) * min(F.shape) > EXACT


PENALTIES = np.logspace(-6, 4, 21)  # of standardised features, a row


class Ridge(NamedTuple):
    """A ridge regression: ``((x - mean) * scale) @ weights + centre``.

    Parameters
    ----------
    mean, scale : ndarrays of shape (d,)
        Of the training rows; the scale of a column that does not vary is 0.
    weights : ndarray of shape (d, c)
        Of standardised rows.
    centre : ndarray of shape (c,)
        Mean of the outputs.
    penalty : float
        What was chosen, of standardised features, a row.
    """

    mean: Floats
    scale: Floats
    weights: Floats
    centre: Floats
    penalty: float


def ridge_predictions(X: NDArray[Any], Y: Floats, new: NDArray[Any]) -> Floats:
    """Return predictions of ridge regression whose penalty leave-one-out errors choose.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Training rows.
    Y : ndarray of shape (n, c)
        Outputs.
    new : ndarray of shape (m, d)
        Rows to predict.

    Returns
    -------
    ndarray of shape (m, c)
    """
    found = fit_ridge(X, Y)
    answers: Floats = ((new - found.mean) * found.scale) @ found.weights + found.centre
    return answers


def fit_ridge(X: NDArray[Any], Y: Floats) -> Ridge:
    """Return the ridge regression whose penalty leave-one-out errors choose.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Training rows.
    Y : ndarray of shape (n, c)
        Outputs.
    """
    from scipy.linalg import eigh

    n, d = X.shape
    mean = X.mean(axis=0, dtype=np.float64)
    deviation = X.std(axis=0, dtype=np.float64)
    varies = deviation > 1e-7 * np.maximum(np.abs(mean), 1e-300)
    scale = np.where(varies, 1.0 / np.where(varies, deviation, 1.0), 0.0)
    Z = ((X - mean) * scale).astype(X.dtype)
    centre = Y.mean(axis=0)
    R = Y - centre
    s, V = eigh(gram(Z.T if n < d else Z), check_finite=False)
    kept = s > max(s[-1], 1e-300) * np.finfo(X.dtype).eps * max(n, d)
    s, V = s[kept], V[:, kept]
    U = V if n < d else (Z @ V.astype(Z.dtype)) / np.sqrt(s)  # (n, r), left singular vectors
    along = U.T @ R  # (r, c)
    squares = np.square(U)
    errors = []
    for penalty in n * PENALTIES:
        shrunk = s / (s + penalty)
        leverage = squares @ shrunk + 1.0 / n
        missed = (R - U @ (along * shrunk[:, None])) / np.maximum(1.0 - leverage, 1e-9)[:, None]
        errors.append(np.square(missed).mean())
    best = float(PENALTIES[int(np.argmin(errors))])
    weights = Z.T @ (U @ (along / (s + n * best)[:, None]))  # (d, c)
    return Ridge(mean, scale, weights, centre, best)
