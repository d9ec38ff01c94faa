"""Logistic regressions of all folds at once: each pass over the rows serves every fold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from acclimate.reweighting.ratio import Array

STEPS = 1000
TOLERANCE = 1e-4  # of the largest entry of the gradient, as in scikit-learn


def log_odds(
    X: Array, side: NDArray[Any], fold: NDArray[Any], folds: int, rows: Array | None = None
) -> Array:
    """Return the log odds of each row for side 1, from a model that did not see the row's fold.

    The model of fold k minimises ``||w||^2 / 2 + sum of the logistic losses`` over the rows of the
    other folds, with features scaled to mean 0 and variance 1 over all rows, and an intercept. The
    sum of these objectives, each divided by its number of rows, is minimised at once by L-BFGS, so
    that two matrix products give the gradients of all models.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows of both sides.
    side : ndarray of shape (n,)
        0 or 1.
    fold : ndarray of shape (n,)
        Fold of each row, from 0.
    folds : int
        Number of folds; each leaves rows of both sides.
    rows : ndarray of shape (n,), default=None
        How many rows each row stands for; None is one each.

    Returns
    -------
    ndarray of shape (n,)
        Log odds.
    """
    n, d = X.shape
    c = np.ones(n) if rows is None else rows
    total = float(c.sum())
    mean = X.mean(0, dtype=np.float64) if rows is None else c @ X / total
    Z: Array = X - mean.astype(X.dtype)
    square = np.einsum("ij,ij->j", Z, Z, dtype=np.float64) if rows is None else c @ Z**2
    spread = np.sqrt(square / total)
    flat = spread <= 10 * np.finfo(X.dtype).eps * np.abs(mean)  # constant but for rounding
    Z /= np.where(flat, 1.0, spread).astype(X.dtype)
    shares = np.array([c[fold != k].sum() for k in range(folds)], dtype=np.float64)
    seen = fold[:, None] != np.arange(folds)
    counts = seen * c[:, None] / shares  # (n, folds): rows that a model sees
    labels = side.astype(np.float64)[:, None]

    def objective(flat_w: Array) -> tuple[float, Array]:
        W = flat_w.reshape(d + 1, folds)
        t = (W[:d].T.astype(Z.dtype) @ Z.T).T + W[d]  # twice as fast as Z W: few columns
        loss = float((counts * (np.logaddexp(0.0, t) - labels * t)).sum())
        loss += 0.5 * float((W[:d] ** 2 / shares).sum())
        residual = counts * (expit(t) - labels)
        gradient = np.empty_like(W)
        gradient[:d] = (residual.T.astype(Z.dtype) @ Z).T + W[:d] / shares
        gradient[d] = residual.sum(0)
        return loss, gradient.ravel()

    found = minimize(
        objective, np.zeros((d + 1) * folds), jac=True, method="L-BFGS-B",
        options={"maxiter": STEPS, "gtol": TOLERANCE, "ftol": 1e-14, "maxcor": 10},
    )  # fmt: skip
    W = found.x.reshape(d + 1, folds)
    t = np.asarray(Z @ W[:d].astype(Z.dtype) + W[d], dtype=np.float64)
    own: Array = t[np.arange(n), fold]
    return own
