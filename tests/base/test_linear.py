"""Linear models: gradients, the penalty towards given parameters, and its limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import check_grad, minimize
from sklearn.linear_model import LogisticRegression

from acclimate.adapter import default_classifier
from acclimate.base.linear import fit_towards, logistic_loss, softmax_loss
from acclimate.base.svm import squared_hinge_loss
from acclimate.base.wide import fit_wide

CASES = [(softmax_loss, 3, 3), (logistic_loss, 1, 2), (squared_hinge_loss, 3, 3),
         (squared_hinge_loss, 1, 2)]  # fmt: skip
EACH_LOSS = pytest.mark.parametrize(("loss", "k", "classes"), CASES)


def problem(k: int, classes: int, d: int = 3, n: int = 30) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    codes = np.arange(n) % classes
    X = rng.normal(size=(n, d)) + np.eye(classes, d)[codes]
    return X, codes, rng.normal(size=(k, d)), rng.normal(size=k)


def by_hand(loss: Any, theta: Any, X: Any, codes: Any, W0: Any, strength: float) -> float:
    """Return the objective, row by row and without any of the package's code."""
    k, d = W0.shape
    W, b = theta[: k * d].reshape(k, d), theta[k * d :]
    total = 0.5 * strength * np.sum((W - W0) ** 2)
    for x, code in zip(X, codes, strict=True):
        f = W @ x + b
        if loss is softmax_loss:
            total -= np.log(np.exp(f[code]) / np.exp(f).sum())
        elif loss is logistic_loss:
            p = 1 / (1 + np.exp(-f[0]))
            total -= np.log(p if code == 1 else 1 - p)
        elif k == 1:
            total += max(0.0, 1 - (2 * code - 1) * f[0]) ** 2
        else:
            total += sum(max(0.0, 1 - (1 if j == code else -1) * f[j]) ** 2 for j in range(k))
    return float(total)


@EACH_LOSS
def test_gradients_are_those_of_the_losses(loss: Any, k: int, classes: int) -> None:
    rng = np.random.default_rng(1)
    codes = np.arange(6) % classes
    scores = rng.normal(size=6 * k)
    error = check_grad(
        lambda s: loss(s.reshape(6, k), codes)[0],
        lambda s: loss(s.reshape(6, k), codes)[1].ravel(),
        scores,
    )
    assert error < 1e-5


@pytest.mark.parametrize("loss", [softmax_loss, logistic_loss])
def test_large_scores_do_not_overflow(loss: Any) -> None:
    k = 1 if loss is logistic_loss else 2
    value, gradient = loss(np.full((2, k), 1e4) * np.arange(1, k + 1), np.array([0, 1]))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@EACH_LOSS
@pytest.mark.parametrize("strength", [0.3, 5.0])
def test_against_a_solver_without_gradients(
    loss: Any, k: int, classes: int, strength: float
) -> None:
    X, codes, W0, b0 = problem(k, classes)
    W, b = fit_towards(X, codes, W0, b0, strength, loss)
    found = by_hand(loss, np.concatenate([W.ravel(), b]), X, codes, W0, strength)
    free = minimize(
        lambda t: by_hand(loss, t, X, codes, W0, strength),
        np.zeros(W.size + b.size), method="BFGS", options={"gtol": 1e-4},
    )  # fmt: skip
    assert found <= free.fun + 1e-6
    np.testing.assert_allclose(W, free.x[: W.size].reshape(W.shape), atol=2e-3)


@pytest.mark.parametrize(("loss", "k", "classes"), CASES[:2])
@pytest.mark.parametrize("strength", [0.1, 2.0])
def test_from_zero_it_is_logistic_regression(
    loss: Any, k: int, classes: int, strength: float
) -> None:
    X, codes, W0, b0 = problem(k, classes)
    W, b = fit_towards(X, codes, np.zeros_like(W0), np.zeros_like(b0), strength, loss)
    theirs = LogisticRegression(C=1 / strength, tol=1e-10, max_iter=10000).fit(X, codes)
    np.testing.assert_allclose(W, theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(
        b - b.mean(), theirs.intercept_ - theirs.intercept_.mean(), atol=1e-4
    )


@EACH_LOSS
def test_a_huge_pull_keeps_the_coefficients(loss: Any, k: int, classes: int) -> None:
    X, codes, W0, b0 = problem(k, classes)
    W, _ = fit_towards(X, codes, W0, b0, 1e9, loss)
    np.testing.assert_allclose(W, W0, atol=1e-6)


def test_a_tiny_pull_forgets_them() -> None:
    X, codes, W0, b0 = problem(3, 3)
    far, _ = fit_towards(X, codes, W0 + 3, b0, 1e-4, softmax_loss)
    near, _ = fit_towards(X, codes, np.zeros_like(W0), b0, 1e-4, softmax_loss)
    proba_far, proba_near = X @ far.T, X @ near.T  # scores up to a shift that all classes share
    spread = [p - p.mean(1, keepdims=True) for p in (proba_far, proba_near)]
    np.testing.assert_allclose(spread[0], spread[1], atol=0.05)


def test_sparse_rows_give_the_same() -> None:
    X, codes, W0, b0 = problem(3, 3)
    dense = fit_towards(X, codes, W0, b0, 1.0, softmax_loss)
    sparse = fit_towards(sp.csr_array(X), codes, W0, b0, 1.0, softmax_loss)
    np.testing.assert_allclose(sparse[0], dense[0], atol=1e-6)


@EACH_LOSS
def test_a_column_in_small_units_ends_at_the_minimum_in_few_steps(
    loss: Any, k: int, classes: int
) -> None:
    """The minimum is that of the solver in singular vectors, which Newton's method ends."""
    X, codes, W0, b0 = problem(k, classes, d=8, n=40)
    X = np.column_stack([1000 * (8 + X[:, 0]), X[:, 1:]])
    seen = []

    def counted(*given: Any) -> Any:
        seen.append(1)
        return loss(*given)

    reached = [
        loss(X @ W.T + b, codes)[0] + 0.5 * np.sum((W - W0) ** 2)
        for W, b in (
            fit_towards(X, codes, W0, b0, 1.0, counted), fit_wide(X, codes, W0, b0, 1.0, loss)
        )
    ]  # fmt: skip
    assert reached[0] == pytest.approx(reached[1], rel=1e-6)
    assert len(seen) < 700


def test_given_parameters_do_not_change() -> None:
    X, codes, W0, b0 = problem(3, 3)
    W_before, b_before = W0.copy(), b0.copy()
    fit_towards(X, codes, W0, b0, 1.0, softmax_loss)
    assert np.array_equal(W0, W_before)
    assert np.array_equal(b0, b_before)


def test_the_default_is_logistic_regression() -> None:
    assert isinstance(default_classifier(), LogisticRegression)


def test_a_column_of_zeros_without_a_penalty_stays_where_it_was() -> None:
    X, codes, W0, b0 = problem(3, 3)
    X[:, 0] = 0.0
    W, b = fit_towards(X, codes, W0, b0, 0.0, softmax_loss)
    np.testing.assert_allclose(W[:, 0], W0[:, 0], rtol=1e-12)
    assert np.isfinite(b).all()
    assert np.isfinite(W).all()
