"""Support vector machines f_theta, and how to fit one as a correction of a given one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from acclimate.base.linear import weighted

Array = NDArray[np.floating[Any]]


def squared_hinge_loss(
    scores: Array, codes: NDArray[np.intp], weight: Array | None = None
) -> tuple[float, Array]:
    """Return the summed one-against-rest squared hinge and its gradient in the scores.

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        One column a class, or one column in all for two classes.
    codes : integer ndarray of shape (n,)
        Class codes.
    weight : ndarray of shape (n,), default=None
        Weights of the rows; None is 1 each.

    Returns
    -------
    loss : float
        Sum over rows and columns.
    gradient : ndarray of shape (n, k)
        Derivative of the loss in the scores.
    """
    k = scores.shape[1]
    signs = np.where(codes[:, None] == (np.arange(k) if k > 1 else 1), 1.0, -1.0)
    slack = np.maximum(0.0, 1.0 - signs * scores)
    return weighted((slack**2).sum(1), -2.0 * signs * slack, weight)


def corrected_dual(K: Array, signs: Array, margins: Array, C: float | Array) -> tuple[Array, float]:
    """Solve the dual of an SVM that corrects a given decision function.

    The primal is ``min_v  1/2 ||v||^2 + C sum_i max(0, 1 - s_i (f(x_i) + <v, phi(x_i)>))``; its
    dual is ``min_a  1/2 a' Q a - (1 - s * f)' a`` with ``0 <= a <= C`` and
    ``Q_ij = s_i s_j K_ij``. A kernel with 1 added carries the correction's intercept.

    Parameters
    ----------
    K : ndarray of shape (m, m)
        Kernel between target rows.
    signs : ndarray of shape (m,)
        s, each -1 or +1.
    margins : ndarray of shape (m,)
        f, decision values of the given function.
    C : float, above 0, or ndarray of shape (m,)
        Weight of the slack, or of each row's.

    Returns
    -------
    coefficients : ndarray of shape (m,)
        ``s * a``: weights of the kernel columns.
    gap : float
        Duality gap, which is 0 at the optimum.
    """
    linear, most = 1.0 - signs * margins, np.broadcast_to(C, signs.shape)

    def objective(a: Array) -> tuple[float, Array]:
        image = signs * (K @ (signs * a))
        return float(0.5 * a @ image - linear @ a), image - linear

    start = np.zeros(len(signs))
    best = minimize(
        objective, start, jac=True, method="L-BFGS-B", bounds=[(0.0, c) for c in most.tolist()],
        options={"maxiter": 20000, "maxfun": 50000, "gtol": 1e-10, "ftol": 1e-15},
    )  # fmt: skip
    a = best.x
    image = signs * (K @ (signs * a))
    primal = 0.5 * a @ image + most @ np.maximum(0.0, linear - image)
    return signs * a, float(primal + best.fun)
