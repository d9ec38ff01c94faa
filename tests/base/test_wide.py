"""A pull towards given parameters with more features than rows, against all the features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize, newton_krylov
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score

import acclimate.base.wide as wide
from acclimate.base.linear import fit_towards, logistic_loss, softmax_loss
from acclimate.base.penalised import PENALTIES, LinearClassifier
from acclimate.base.svm import squared_hinge_loss
from acclimate.base.wide import curvature, fit_wide, is_wide

LOSSES = [(softmax_loss, 3), (logistic_loss, 1), (squared_hinge_loss, 1), (squared_hinge_loss, 3)]
NAMES = ["softmax", "logistic", "hinge", "hinge of three"]


def rows(k: int, d: int = 40, n: int = 18, scale: float = 1.0) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    X = scale * (rng.normal(size=(n, d)) * np.geomspace(0.1, 3, d) + 0.5)
    codes = rng.permutation(np.arange(n) % max(k, 2))
    return X, codes, 0.3 * rng.normal(size=(k, d)), rng.normal(size=k), rng.uniform(0.5, 2, n)


def slopes(X: Any, codes: Any, W0: Any, W: Any, b: Any, strength: float, loss: Any, w: Any) -> Any:
    """Return the gradient of the objective in all d coefficients and the intercepts."""
    slope = loss(X @ W.T + b, codes, w)[1]
    return slope.T @ X + strength * (W - W0), slope.sum(0)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("strength", [0.01, 1.0, 1000.0])
@pytest.mark.parametrize(("loss", "k"), LOSSES, ids=NAMES)
def test_it_is_the_minimum_over_all_coefficients(
    loss: Any, k: int, strength: float, weighted: bool
) -> None:
    X, codes, W0, b0, w = rows(k)
    w = w if weighted else None
    W, b = fit_wide(X, codes, W0, b0, strength, loss, weight=w)
    in_W, in_b = slopes(X, codes, W0, W, b, strength, loss, w)  # convex: 0 is the minimum
    # the objective bends by `strength` at least, so no coefficient is further from its own than
    assert np.linalg.norm(in_W) / strength < 1e-8
    assert np.abs(in_b).max() < 1e-8


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("loss", "k"), LOSSES, ids=NAMES)
def test_it_agrees_with_a_solver_in_all_dimensions(loss: Any, k: int, intercept: bool) -> None:
    X, codes, W0, b0, w = rows(k)

    def objective(theta: Any) -> Any:
        W, b = theta[: W0.size].reshape(W0.shape), theta[W0.size :]
        value = loss(X @ W.T + b, codes, w)[0] + 0.5 * 2.0 * np.sum((W - W0) ** 2)
        in_W, in_b = slopes(X, codes, W0, W, b, 2.0, loss, w)
        return value, np.concatenate([in_W.ravel(), in_b * intercept])

    theta = np.concatenate([W0.ravel(), b0])
    for _ in range(3):  # from where it stopped, without its memory, to the last digits
        theta = minimize(
            objective, theta, jac=True, method="L-BFGS-B",
            options={"maxiter": 20000, "maxfun": 50000, "gtol": 1e-12, "ftol": 0, "maxcor": 50},
        ).x  # fmt: skip
    if np.abs(objective(theta)[1]).max() > 1e-9:  # an older search ends where values are level
        theta = newton_krylov(lambda theta: objective(theta)[1], theta, f_tol=1e-9)
    W, b = fit_wide(X, codes, W0, b0, 2.0, loss, intercept=intercept, weight=w)
    np.testing.assert_allclose(W.ravel(), theta[: W0.size], atol=1e-8)
    np.testing.assert_allclose(b, theta[W0.size :], atol=1e-7)
    plain = fit_towards(X, codes, W0, b0, 2.0, loss, intercept=intercept, weight=w)
    np.testing.assert_allclose(W, plain[0], atol=1e-5)
    assert intercept or np.array_equal(b, b0)


@pytest.mark.parametrize(("loss", "k"), LOSSES, ids=NAMES)
def test_without_newton_it_is_near(loss: Any, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    X, codes, W0, b0, _ = rows(k)
    exact, _ = fit_wide(X, codes, W0, b0, 1.0, loss)
    monkeypatch.setattr(wide, "LARGEST", 0)
    near, _ = fit_wide(X, codes, W0, b0, 1.0, loss)
    np.testing.assert_allclose(near, exact, atol=1e-5)


@pytest.mark.parametrize(("loss", "k"), LOSSES, ids=NAMES)
def test_second_derivatives_are_those_of_the_losses(loss: Any, k: int) -> None:
    rng = np.random.default_rng(0)
    scores, codes = rng.normal(size=(5, k)), np.array([0, 1, 0, 1, 1]) * (k > 1)
    w, step = rng.uniform(1, 2, 5), 1e-6
    found = curvature(loss, scores, codes, w)
    for j in range(k):
        ahead, back = (loss(scores + s * step * np.eye(k)[j], codes, w)[1] for s in (1, -1))
        np.testing.assert_allclose(found[:, :, j], (ahead - back) / (2 * step), atol=1e-5)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_steep_and_flat_rows(scale: float) -> None:
    X, codes, W0, b0, _ = rows(3, scale=scale)
    W, b = fit_wide(X, codes, W0, b0, 0.1, softmax_loss)
    in_W, in_b = slopes(X, codes, W0, W, b, 0.1, softmax_loss, None)
    assert np.abs(in_W).max() < 1e-8 * max(scale, 1.0)
    assert np.abs(in_b).max() < 1e-9


def test_labels_of_one_class_end() -> None:
    X, _, W0, b0, _ = rows(1)
    W, b = fit_wide(X, np.ones(len(X), dtype=int), W0, b0, 1.0, logistic_loss)
    assert np.isfinite(W).all()
    assert (X @ W.T + b > 0).all()


def test_what_is_wide() -> None:
    from scipy.sparse import csr_array

    assert is_wide(np.zeros((2, 3)))
    assert not is_wide(np.zeros((3, 3)))
    assert not is_wide(csr_array(np.zeros((2, 3))))


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("rows", [120, 320])
def test_a_linear_classifier_of_many_columns_is_that_of_scikit_learn(
    classes: int, rows: int
) -> None:
    rng = np.random.default_rng(classes)
    y = np.arange(rows) % classes
    X = rng.normal(size=(rows, 260)) + 5.0 + 0.4 * np.eye(classes, 260)[y]
    weight = rng.uniform(0.5, 2.0, size=rows)
    model = LinearClassifier(random_state=0).fit(X, y, sample_weight=weight)
    same = LogisticRegression(C=model.C_, tol=1e-8, max_iter=5000).fit(X, y, weight)
    np.testing.assert_allclose(model.predict_proba(X), same.predict_proba(X), atol=1e-3)
    np.testing.assert_allclose(model.coef_, same.coef_, atol=1e-3)


def test_a_penalty_chosen_in_turned_rows_is_that_of_held_out_rows() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    X = rng.normal(size=(90, 240)) + 0.7 * np.eye(3, 240)[y]
    model = LinearClassifier(random_state=0).fit(X, y)
    split = StratifiedKFold(5, shuffle=True, random_state=0)
    losses = [
        -cross_val_score(
            LogisticRegression(C=C, tol=1e-8, max_iter=5000), X, y, cv=split, scoring="neg_log_loss"
        ).mean()
        for C in PENALTIES
    ]
    assert PENALTIES[int(np.argmin(losses))] == model.C_
