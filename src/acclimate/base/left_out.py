"""What a logistic regression says of each row once that row is left out, without a refit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp, softmax

Floats = NDArray[np.float64]
_RIDGE = 1e-10  # of the Hessian: scores of all classes may move together where nothing holds them


def left_out_losses(
    X: Floats,
    codes: NDArray[np.intp],
    coef: Floats,
    intercept: Floats,
    C: float,
    weight: Floats | None = None,
) -> Floats:
    """Return the log loss of each row under the model that was fitted without it, shape (n,).

    The model minimises ``C * sum_i w_i l_i(X_i theta) + ||coef||^2 / 2``. Leaving row i out moves
    its scores z_i by one Newton step to ``z_i + (I - A_i W_i)^{-1} A_i g_i`` with g_i and W_i the
    gradient and the Hessian of its loss by its scores, ``A_i = C w_i X_i H^{-1} X_i'`` and H the
    Hessian of the objective. That is exact for a quadratic loss.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.
    codes : ndarray of shape (n,)
        Classes as 0, 1, ...
    coef : ndarray of shape (k, d)
        Of the fitted model; k is 1 for two classes.
    intercept : ndarray of shape (k,)
    C : float, above 0
        Inverse of the penalty.
    weight : ndarray of shape (n,), default=None
        Weights of the rows; None means 1.

    References
    ----------
    Rad and Maleki, "A scalable estimate of the extra-sample prediction error via approximate
    leave-one-out", arXiv:1801.10243.

    Examples
    --------
    >>> import numpy as np
    >>> X, codes = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0, 1, 0, 1])
    >>> left_out_losses(X, codes, np.zeros((1, 1)), np.zeros(1), 1e-9).round(2)
    array([1.08, 1.08, 1.08, 1.08])
    """
    n, k = len(X), len(coef)
    rows = np.column_stack([X, np.ones(n)])
    d = rows.shape[1]
    w = np.ones(n) if weight is None else weight
    z = X @ coef.T + intercept
    if k == 1:
        p = expit(z)
        g, W = p - codes[:, None], (p * (1.0 - p))[:, :, None]
    else:
        p = softmax(z, axis=1)
        g = p - (codes[:, None] == np.arange(k))
        W = p[:, :, None] * np.eye(k) - p[:, :, None] * p[:, None, :]
    H = np.empty((k, d, k, d))
    for a in range(k):
        for b in range(a, k):
            H[a, :, b, :] = (rows * (C * w * W[:, a, b])[:, None]).T @ rows
            H[b, :, a, :] = H[a, :, b, :].T
    H = H.reshape(k * d, k * d)
    held = np.tile(np.append(np.ones(d - 1), 0.0), k)  # the intercept has no penalty
    H[np.diag_indices(k * d)] += held + _RIDGE * C * w.sum()
    inverse = np.linalg.inv(H).reshape(k, d, k, d)
    A = np.empty((n, k, k))
    for a in range(k):
        for b in range(k):
            A[:, a, b] = C * w * np.einsum("nd,nd->n", rows @ inverse[a, :, b, :], rows)
    moved = np.linalg.solve(np.eye(k) - A @ W, A @ g[:, :, None])[:, :, 0]
    z = z + moved
    if k == 1:
        sign = 1.0 - 2.0 * codes
        losses: Floats = np.logaddexp(0.0, sign * z[:, 0])
        return losses
    out: Floats = logsumexp(z, axis=1) - z[np.arange(n), codes]
    return out
