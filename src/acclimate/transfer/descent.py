"""Plain gradient descent on the losses of two domains, for linear models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.base.linear import logistic_loss, softmax_loss, squared_loss
from acclimate.base.svm import squared_hinge_loss
from acclimate.exceptions import InputError

Array = NDArray[np.floating[Any]]
Loss = Callable[[Array, Any], tuple[float, Array]]

LARGEST_GRAM = 2000  # features up to which the largest eigenvalue is computed, not bounded


def textbook_step(
    theta: Array, gradient_source: Array, gradient_target: Array, alpha: float, n: float, m: float
) -> Array:
    """Return ``theta - alpha * (gradient_source + gradient_target) / (n + m)``.

    What the factor does depends on what L and L' are. Where they are *sums* over n and m rows, the
    step follows the mean over all rows pooled: a domain counts by its number of rows. Where they
    are *means*, the direction is that of their plain average, and the step is ``(n + m) / 2`` times
    shorter than ``alpha`` on that average: with thousands of rows it hardly moves.

    Parameters
    ----------
    theta : ndarray
        Parameters, any shape.
    gradient_source, gradient_target : ndarray
        Gradients of L and L' at ``theta``, of its shape.
    alpha : float, above 0
        Step.
    n, m : float
        Rows of the source and of the target.

    Returns
    -------
    ndarray
        The parameters after one step.

    Examples
    --------
    >>> import numpy as np
    >>> textbook_step(np.array([1.0]), np.array([6.0]), np.array([2.0]), 0.5, n=3, m=1)
    array([0.])
    """
    return theta - alpha * (gradient_source + gradient_target) / (n + m)


def loss_of(model: Any) -> tuple[Loss, float]:
    """Return the loss that a linear estimator minimises, and a bound of its curvature.

    Parameters
    ----------
    model : fitted estimator
        Logistic regression, linear SVM with squared hinge, linear or ridge regression.

    Returns
    -------
    loss : callable
        ``loss(scores, codes) -> (sum, gradient)``.
    curvature : float
        Largest second derivative of the loss in the scores.

    Raises
    ------
    InputError
        It is another kind of estimator.
    """
    from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
    from sklearn.svm import LinearSVC

    if isinstance(model, LogisticRegression):
        return (logistic_loss, 0.25) if len(model.coef_) == 1 else (softmax_loss, 0.5)
    if isinstance(model, LinearSVC) and model.loss == "squared_hinge":
        return squared_hinge_loss, 2.0
    if isinstance(model, LinearRegression | Ridge):
        return squared_loss, 2.0
    raise InputError(
        f"gradient descent is there for LogisticRegression, LinearSVC with squared hinge, "
        f"LinearRegression, Ridge, NeuralClassifier and NeuralRegressor, not for "
        f'{type(model).__name__}; use solver="auto"'
    )


def gradient(
    X: Any, y: NDArray[Any], weight: Array, W: Array, b: Array, loss: Loss, intercept: bool
) -> Array:
    """Return the gradient of ``sum_i weight_i * loss(x_i W' + b, y_i)`` in (W, b).

    Parameters
    ----------
    X : array or sparse matrix of shape (n, d)
        Rows.
    y : ndarray of shape (n,)
        Class codes or values.
    weight : ndarray of shape (n,)
        Weight of each row.
    W, b : ndarray of shapes (k, d) and (k,)
        Coefficients and intercepts.
    loss : callable
        ``loss(scores, y) -> (sum, gradient)``, row by row.
    intercept : bool
        Whether b moves.

    Returns
    -------
    ndarray of shape (k, d + 1)
        The last column belongs to b.
    """
    slope = weight[:, None] * loss(np.asarray(X @ W.T) + b, y)[1]
    return np.column_stack([np.asarray(slope.T @ X), slope.sum(0) * intercept])


def safe_step(X: Any, weight: Array, curvature: float) -> float:
    """Return the inverse of a bound on the curvature of ``sum_i weight_i * loss_i``.

    With it, gradient descent on a convex loss never goes uphill. The bound is ``curvature`` times
    the largest eigenvalue of ``sum_i weight_i x_i x_i'``, with a 1 added to each row for the
    intercept; with many features, times its trace.

    Parameters
    ----------
    X : array or sparse matrix of shape (n, d)
        Rows.
    weight : ndarray of shape (n,)
        Weight of each row.
    curvature : float
        Largest second derivative of the loss in the scores.
    """
    d = X.shape[1]
    if d > LARGEST_GRAM:
        squares = X.multiply(X) if hasattr(X, "multiply") else np.square(X)
        top = float(weight @ np.asarray(squares.sum(axis=1)).ravel() + weight.sum())
    else:
        scaled = X.multiply(weight[:, None]) if hasattr(X, "multiply") else weight[:, None] * X
        product = X.T @ scaled
        gram = np.zeros((d + 1, d + 1))
        gram[:d, :d] = product.toarray() if hasattr(product, "toarray") else product
        gram[d, :d] = gram[:d, d] = np.asarray(X.T @ weight)
        gram[d, d] = weight.sum()
        top = float(np.linalg.eigvalsh(gram)[-1])
    return 1.0 / (curvature * top)


def descend(
    theta: Array, advance: Callable[[Array], Array], steps: int
) -> Array:  # fmt: skip
    """Apply ``advance`` to the parameters ``steps`` times.

    Raises
    ------
    InputError
        The parameters grow without bound, because the step is too long.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            theta = advance(theta)
    if not np.isfinite(theta).all():
        raise InputError("gradient descent went to infinity; give a shorter step, or None")
    return theta
