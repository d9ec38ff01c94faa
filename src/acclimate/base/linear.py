"""Linear models f_theta, and how to fit one with a penalty towards given parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

Array = NDArray[np.floating[Any]]

FLAT = 0.1  # second derivative of a loss in a score, roughly: what coordinates are scaled by


def softmax_loss(
    scores: Array, codes: NDArray[np.intp], weight: Array | None = None
) -> tuple[float, Array]:
    """Return the summed cross-entropy and its gradient in the scores.

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        Scores before softmax.
    codes : integer ndarray of shape (n,)
        Class codes.
    weight : ndarray of shape (n,), default=None
        Weights of the rows; None is 1 each.

    Returns
    -------
    loss : float
        Sum over the rows.
    gradient : ndarray of shape (n, k)
        Derivative of the loss in the scores.
    """
    rows = np.arange(len(codes))
    losses = -log_softmax(scores, axis=1)[rows, codes]
    gradient: Array = softmax(scores, axis=1)
    gradient[rows, codes] -= 1.0
    return weighted(losses, gradient, weight)


def weighted(losses: Array, gradient: Array, weight: Array | None) -> tuple[float, Array]:
    """Return the weighted sum of the rows' losses, and its gradient of shape (n, k)."""
    if weight is None:
        return float(losses.sum()), gradient
    return float(weight @ losses), gradient * weight[:, None]


def logistic_loss(
    scores: Array, codes: NDArray[np.intp], weight: Array | None = None
) -> tuple[float, Array]:
    """Return the summed log-loss of two classes and its gradient in the scores, both (n, 1)."""
    signed = np.where(codes == 1, 1.0, -1.0)[:, None]
    margins = signed * scores
    losses = np.logaddexp(0.0, -margins)[:, 0]
    return weighted(losses, -signed * np.exp(-np.logaddexp(0.0, margins)), weight)


def squared_loss(scores: Array, y: Array) -> tuple[float, Array]:
    """Return the summed squared error and its gradient in the scores of shape (n, 1)."""
    error = scores - y[:, None]
    return float((error**2).sum()), 2.0 * error


def fit_towards(
    X: Any,
    codes: NDArray[np.intp],
    W0: Array,
    b0: Array,
    strength: float,
    loss: Callable[..., tuple[float, Array]],
    *,
    intercept: bool = True,
    weight: Array | None = None,
) -> tuple[Array, Array]:
    """Minimise ``sum_i w_i loss(x_i W' + b, y_i) + strength / 2 * ||W - W0||^2`` over W and b.

    The intercept is not penalised. The problem is convex; L-BFGS solves it from (W0, b0), in
    coordinates scaled to one curvature: else a column in units a thousand times smaller takes
    thousands of steps.

    Parameters
    ----------
    X : array or sparse matrix of shape (m, d)
        Target rows.
    codes : integer ndarray of shape (m,)
        Class codes.
    W0 : ndarray of shape (k, d)
        Source coefficients.
    b0 : ndarray of shape (k,)
        Source intercepts.
    strength : float, above 0
        Pull towards the source.
    loss : callable
        ``loss(scores, codes, weight) -> (sum, gradient)``, as `softmax_loss`.
    intercept : bool, default=True
        Whether b moves. Otherwise it stays b0.
    weight : ndarray of shape (m,), default=None
        Weights w of the rows; None is 1 each.

    Returns
    -------
    W : ndarray of shape (k, d)
        Coefficients.
    b : ndarray of shape (k,)
        Intercepts.
    """
    k, d = W0.shape
    weights = np.ones(X.shape[0]) if weight is None else weight
    squares = X.multiply(X) if hasattr(X, "tocsr") else np.square(X, dtype=np.float64)
    bend = np.append(FLAT * np.asarray(weights @ squares) + strength, FLAT * weights.sum())
    bend[(bend == 0.0) | ~np.isfinite(bend)] = 1.0  # a column of zeros without a penalty
    scale = np.concatenate([np.tile(bend[:-1], k), np.repeat(bend[-1], k)]) ** -0.5

    def objective(theta: Array) -> tuple[float, Array]:
        W, b = apart(theta * scale)
        value, slope = loss(np.asarray(X @ W.T) + b, codes, weight)
        pull = W - W0
        gradient = np.concatenate(
            [(np.asarray(slope.T @ X) + strength * pull).ravel(), slope.sum(0) * intercept]
        )
        return value + 0.5 * strength * float((pull**2).sum()), gradient * scale

    def apart(theta: Array) -> tuple[Array, Array]:
        return theta[: k * d].reshape(k, d), theta[k * d :]

    start = np.concatenate([W0.ravel(), b0]).astype(np.float64)
    best = minimize(
        objective, start / scale, jac=True, method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 20000, "gtol": 1e-7, "ftol": 1e-14},
    )  # fmt: skip
    return apart(best.x * scale)
