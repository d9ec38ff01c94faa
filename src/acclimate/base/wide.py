"""A penalty towards given parameters where features outnumber rows, solved in as many numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, softmax

from acclimate.base.linear import FLAT, logistic_loss, softmax_loss

Array = NDArray[np.floating[Any]]
Loss = Callable[..., tuple[float, Array]]

LARGEST = 1500  # parameters up to which Newton's method goes on to the last digit
NEWTON_STEPS = 100
SMALLEST = 1e-8  # share of a step of Newton's method below which the search along it ends


def is_wide(X: Any) -> bool:
    """Tell whether rows are dense and fewer than their features."""
    return not hasattr(X, "tocsr") and len(X) < X.shape[1]


def curvature(
    loss: Loss, scores: Array, codes: NDArray[np.intp], weight: Array | None = None
) -> Array:
    """Return the second derivatives of each row's loss in its scores, shape (n, k, k).

    Parameters
    ----------
    loss : {softmax_loss, logistic_loss, squared_hinge_loss}
        Of `acclimate.base.linear` and `acclimate.base.svm`.
    scores : ndarray of shape (n, k)
        At which to take them.
    codes, weight : ndarrays of shape (n,)
        As in `fit_wide`.
    """
    k = scores.shape[1]
    if loss is softmax_loss:
        P: Array = softmax(scores, axis=1)
        found = P[:, :, None] * (np.eye(k) - P[:, None, :])
    elif loss is logistic_loss:
        found = (expit(scores) * expit(-scores))[:, :, None]
    else:
        inside = loss(scores, codes)[1] != 0  # a row beyond its margin has none
        found = 2.0 * inside[:, :, None] * np.eye(k)
    return found if weight is None else found * weight[:, None, None]


def fit_wide(
    X: Array,
    codes: NDArray[np.intp],
    W0: Array,
    b0: Array,
    strength: float,
    loss: Loss,
    *,
    intercept: bool = True,
    weight: Array | None = None,
) -> tuple[Array, Array]:
    """Solve the problem of `acclimate.base.linear.fit_towards` where rows are fewer than features.

    ``sum_i w_i loss(x_i W' + b, y_i) + strength / 2 * ||W - W0||^2``: off the span of the rows the
    penalty alone speaks, so ``W = W0 + C V'`` with V the right singular vectors of X, and the
    penalty is ``||C||^2``. That is the same problem in n numbers a class instead of d. L-BFGS
    comes near it, in coordinates scaled to one curvature; Newton's method ends it.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Target rows, n < d.
    codes : integer ndarray of shape (n,)
        Class codes.
    W0, b0 : ndarrays of shapes (k, d) and (k,)
        Source coefficients and intercepts.
    strength : float, above 0
        Pull towards the source.
    loss : callable
        `softmax_loss`, `logistic_loss` or `acclimate.base.svm.squared_hinge_loss`.
    intercept : bool, default=True
        Whether b moves. Otherwise it stays b0.
    weight : ndarray of shape (n,), default=None
        Weights w of the rows; None is 1 each.

    Returns
    -------
    W : ndarray of shape (k, d)
        Coefficients.
    b : ndarray of shape (k,)
        Intercepts.

    Examples
    --------
    >>> X, W0 = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), np.zeros((1, 3))
    >>> W, b = fit_wide(X, np.array([0, 1]), W0, np.zeros(1), 1.0, logistic_loss)
    >>> W.round(2).tolist(), round(abs(float(b[0])), 6)
    ([[-0.4, 0.4, 0.0]], 0.0)
    """
    X = np.asarray(X, dtype=np.float64)
    U, S, V = np.linalg.svd(X, full_matrices=False)
    Z, penalty = U * S, np.full(len(S), strength)
    if intercept:
        Z, penalty = np.column_stack([Z, np.ones(len(Z))]), np.append(penalty, 0.0)
    offset = X @ W0.T + b0
    T = fit_scaled(Z, codes, offset, penalty, loss, weight=weight)
    if T.size <= LARGEST:

        def objective(T: Array) -> tuple[float, Array]:
            """Return value and gradient in T."""
            return penalised(T, Z, codes, offset, penalty, loss, weight)

        def bend(T: Array) -> Array:
            """Return the second derivatives in T."""
            return hessian(Z, offset + Z @ T.T, codes, weight, penalty, loss)

        T = newton(T, objective, bend)
    moved = T[:, : len(S)] @ V
    return W0 + moved, b0 + T[:, -1] if intercept else b0.copy()


def penalised(
    T: Array, Z: Array, codes: NDArray[np.intp], offset: Array, penalty: Array, loss: Loss,
    weight: Array | None,
) -> tuple[float, Array]:  # fmt: skip
    """Return ``sum_i w_i loss(offset_i + Z_i T', y_i) + sum penalty T^2 / 2``, and its gradient.

    Parameters
    ----------
    T : ndarray of shape (k, r)
        Coefficients of Z.
    Z, codes, offset, penalty, loss, weight
        As in `fit_scaled`.
    """
    value, slope = loss(offset + Z @ T.T, codes, weight)
    return value + 0.5 * float((penalty * T**2).sum()), slope.T @ Z + penalty * T


def fit_scaled(
    Z: Array,
    codes: NDArray[np.intp],
    offset: Array,
    penalty: Array,
    loss: Loss,
    *,
    weight: Array | None = None,
    start: Array | None = None,
    gtol: float = 1e-7,
    ftol: float = 1e-14,
) -> Array:
    """Return the minimum of `penalised` by L-BFGS, in coordinates scaled to one curvature.

    That is quick where the columns of Z do not go together.

    Parameters
    ----------
    Z : ndarray of shape (n, r)
        Rows.
    codes, weight : ndarrays of shape (n,)
        As in `fit_wide`.
    offset : ndarray of shape (n, k)
        Scores where T is 0.
    penalty : ndarray of shape (r,)
        Of each column, at least 0.
    loss : callable
        As in `fit_wide`.
    start : ndarray of shape (k, r), default=None
        Where to begin; None is 0.
    gtol, ftol : float
        Largest slope in scaled coordinates, and share of the value won by a step, at which it ends.

    Returns
    -------
    ndarray of shape (k, r)
    """
    shape = offset.shape[1], Z.shape[1]
    scale = 1.0 / np.sqrt(FLAT * (Z**2).sum(axis=0) + penalty)

    def scaled(theta: Array) -> tuple[float, Array]:
        """Return value and gradient in ``T / scale``."""
        T = theta.reshape(shape) * scale
        value, gradient = penalised(T, Z, codes, offset, penalty, loss, weight)
        return value, (gradient * scale).ravel()

    best = minimize(
        scaled, np.zeros(shape[0] * shape[1]) if start is None else (start / scale).ravel(),
        jac=True, method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 20000, "gtol": gtol, "ftol": ftol},
    )  # fmt: skip
    found: Array = best.x.reshape(shape) * scale
    return found


def hessian(
    Z: Array,
    scores: Array,
    codes: NDArray[np.intp],
    weight: Array | None,
    penalty: Array,
    loss: Loss,
) -> Array:
    """Return the second derivatives of the penalised loss in (k, r) coefficients of Z.

    Parameters
    ----------
    Z : ndarray of shape (n, r)
        Rows.
    scores : ndarray of shape (n, k)
        At which to take them.
    codes, weight : ndarrays of shape (n,)
        As in `fit_wide`.
    penalty : ndarray of shape (r,)
        Of each column.
    loss : callable
        As in `fit_wide`.

    Returns
    -------
    ndarray of shape (k * r, k * r)
    """
    k, r = scores.shape[1], Z.shape[1]
    bends = curvature(loss, scores, codes, weight)
    found = np.zeros((k, r, k, r))
    for i in range(k):
        for j in range(i + 1):
            if loss is softmax_loss or i == j:
                found[i, :, j] = Z.T @ (Z * bends[:, i, j, None])
                found[j, :, i] = found[i, :, j]
        found[i, :, i] += np.diag(penalty)
    if loss is softmax_loss:  # all its scores may move by one number, and need not
        found[:, penalty == 0.0, :, penalty == 0.0] += 1.0
    return found.reshape(k * r, k * r)


def newton(
    T: Array, objective: Callable[[Array], tuple[float, Array]], bend: Callable[[Array], Array]
) -> Array:
    """Return the minimum of a convex function by Newton's method, halving steps that go uphill.

    Parameters
    ----------
    T : ndarray
        The start, any shape.
    objective : callable
        Value and gradient, the latter of T's shape.
    bend : callable
        Second derivatives, shape (T.size, T.size).
    """
    value, gradient = objective(T)
    for _ in range(NEWTON_STEPS):
        H = bend(T)
        H[np.diag_indices_from(H)] += 1e-13 * H.diagonal().max()  # saturated losses are flat
        step = -np.linalg.solve(H, gradient.ravel()).reshape(T.shape)
        fall, share = float((gradient * step).sum()), 1.0
        ahead = objective(T + step)
        if -fall <= np.finfo(float).eps * abs(value):  # no digit of the value is left to gain
            if np.abs(ahead[1]).max() > 0.5 * np.abs(gradient).max():
                return T
        else:
            while ahead[0] > value + 1e-4 * share * fall and share > SMALLEST:
                share /= 2.0
                ahead = objective(T + share * step)
            if share <= SMALLEST:
                return T
        T = T + share * step
        value, gradient = ahead
    return T
