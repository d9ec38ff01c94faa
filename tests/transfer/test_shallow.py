"""Fine-tuning without a network, against direct solutions of the penalised problem."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR

from acclimate.exceptions import InputError
from acclimate.transfer.shallow import CorrectedRegressor, CorrectedSVC, continue_from
from acclimate.validation import Rows


def regression(m: int = 25, d: int = 3) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(60, d)), rng.normal(size=(m, d)) + 0.5
    w = np.linspace(1, 2, d)
    return X, X @ w + 1, Xt, Xt @ (w + 0.7) - 2 + 0.3 * rng.normal(size=m)


def classification(classes: int, m: int = 30) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    y, yt = np.arange(90) % classes, np.arange(m) % classes
    centres = 1.5 * rng.normal(size=(classes, 3))
    X = centres[y] + rng.normal(size=(90, 3))
    return X, y, centres[yt][:, [1, 0, 2]] + rng.normal(size=(m, 3)), yt


@pytest.mark.parametrize("strength", [None, 0.5, 20.0])
@pytest.mark.parametrize("model", [Ridge(alpha=3.0), LinearRegression()], ids=["ridge", "plain"])
def test_least_squares_solves_the_penalised_problem(model: Any, strength: float | None) -> None:
    X, y, Xt, yt = regression()
    source = model.fit(X, y)
    pull = strength or getattr(model, "alpha", 1.0)
    found = CorrectedRegressor(source, strength).fit(Xt, yt)
    # min |yt - Xt w - b|^2 + pull |w - w0|^2 as one least-squares problem in (w, b)
    d = Xt.shape[1]
    A = np.vstack([np.column_stack([Xt, np.ones(len(Xt))]), np.sqrt(pull) * np.eye(d, d + 1)])
    target = np.concatenate([yt, np.sqrt(pull) * source.coef_])
    direct = np.linalg.lstsq(A, target, rcond=None)[0]
    np.testing.assert_allclose(found.coef_, direct[:d], atol=1e-8)
    np.testing.assert_allclose(found.predict(X), X @ direct[:d] + direct[d], atol=1e-8)


def test_a_linear_svr_solves_the_penalised_problem() -> None:
    X, y, Xt, yt = regression(m=14)
    source = SVR(kernel="linear", C=2.0, epsilon=0.1, tol=1e-8).fit(X, y)
    found = CorrectedRegressor(source).fit(Xt, yt)
    w0, (m, d) = source.coef_[0], Xt.shape

    def objective(t: Any) -> float:  # t = (w, b, slacks)
        return float(0.5 * np.sum((t[:d] - w0) ** 2) + 2.0 * t[d + 1 :].sum())

    A = np.column_stack([Xt, np.ones(m)])
    limits = [
        LinearConstraint(np.hstack([A, np.eye(m)]), yt - 0.1, np.inf),
        LinearConstraint(np.hstack([-A, np.eye(m)]), -yt - 0.1, np.inf),
    ]
    start = np.concatenate([w0, [0.0], np.full(m, 10.0)])
    best = minimize(
        objective, start, method="SLSQP", constraints=limits,
        bounds=[(None, None)] * (d + 1) + [(0, None)] * m, options={"maxiter": 2000, "ftol": 1e-13},
    )  # fmt: skip
    assert best.success
    np.testing.assert_allclose(found.coef_[0], best.x[:d], atol=2e-3)


def test_a_kernel_regression_keeps_the_sources_kernel() -> None:
    X, y, Xt, yt = regression()
    source = SVR(C=5.0, gamma="scale").fit(X, y)
    Xt = 3 * Xt  # its variance alone would give another width
    fixed = SVR(C=5.0, gamma=1 / (X.shape[1] * X.var()))
    expected = source.predict(Xt) + fixed.fit(Xt, yt - source.predict(Xt)).predict(Xt)
    found = CorrectedRegressor(source).fit(Xt, yt)
    np.testing.assert_allclose(found.predict(Xt), expected, atol=1e-9)


@pytest.mark.parametrize(
    "model", [Ridge(), LinearRegression(), SVR(), SVR(kernel="linear")],
    ids=["ridge", "plain", "rbf", "linear svr"],
)  # fmt: skip
def test_a_huge_pull_keeps_the_regression_up_to_its_intercept(model: Any) -> None:
    X, y, Xt, yt = regression()
    source = model.fit(X, y)
    found = CorrectedRegressor(source, 1e9).fit(Xt, yt)
    change = found.predict(X) - source.predict(X)
    np.testing.assert_allclose(change, change[0], atol=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly"])
def test_a_huge_pull_keeps_the_svm(classes: int, kernel: str) -> None:
    X, y, Xt, yt = classification(classes)
    source = SVC(kernel=kernel, break_ties=classes > 2).fit(X, y)
    found = CorrectedSVC(source, 1e9).fit(Xt, yt)
    np.testing.assert_allclose(found.decision_function(Xt), source.decision_function(Xt), atol=1e-5)
    assert np.array_equal(found.predict(Xt), source.predict(Xt))


@pytest.mark.parametrize("classes", [2, 3])
def test_a_small_pull_fits_the_target(classes: int) -> None:
    X, y, Xt, yt = classification(classes)
    source = SVC().fit(X, y)
    found = CorrectedSVC(source, 0.01).fit(Xt, yt)
    assert found.score(Xt, yt) > source.score(Xt, yt) + 0.1
    assert found.score(Xt, yt) > 0.9


def test_a_corrected_linear_svm_solves_its_primal() -> None:
    X, y, Xt, yt = classification(2, m=16)
    source = SVC(kernel="linear", C=1.0).fit(X, y)
    found = CorrectedSVC(source, 2.0).fit(Xt, yt)
    f, signs = source.decision_function(Xt), np.where(yt == 1, 1.0, -1.0)
    Z = np.column_stack([Xt, np.ones(16)])
    limits = LinearConstraint(np.hstack([signs[:, None] * Z, np.eye(16)]), 1 - signs * f, np.inf)
    best = minimize(
        lambda t: 0.5 * t[:4] @ t[:4] + 0.5 * t[4:].sum(),
        np.concatenate([np.zeros(4), np.full(16, 9.0)]), method="SLSQP", constraints=[limits],
        bounds=[(None, None)] * 4 + [(0, None)] * 16, options={"maxiter": 2000, "ftol": 1e-13},
    )  # fmt: skip
    assert best.success
    np.testing.assert_allclose(found.decision_function(Xt), f + Z @ best.x[:4], atol=5e-3)


def test_a_pair_of_classes_without_target_rows_keeps_its_decision() -> None:
    X, y, Xt, yt = classification(3)
    source = SVC(decision_function_shape="ovo").fit(X, y)
    found = CorrectedSVC(source).fit(Xt[yt < 2], yt[yt < 2])
    assert found.coefficients_[:, 0].any()
    assert not found.coefficients_[:, 1:].any()  # class 2 stays what the source knows of it


@pytest.mark.parametrize(
    "model",
    [LogisticRegression(), LinearSVC(), SVC(), SVC(kernel="poly", decision_function_shape="ovo")],
    ids=["logistic", "linear svm", "svm", "ovo"],
)
@pytest.mark.parametrize("classes", [2, 3])
def test_continuing_leaves_the_source_model_alone(model: Any, classes: int) -> None:
    X, y, Xt, yt = classification(classes)
    source = model.fit(X, y)
    before, state = copy.deepcopy(source), set(vars(source))
    moved = continue_from(source, Rows(Xt, yt), None)
    assert set(vars(source)) == state
    assert np.array_equal(source.decision_function(Xt), before.decision_function(Xt))
    assert moved.score(Xt, yt) >= source.score(Xt, yt)


@pytest.mark.parametrize(
    "model",
    [Ridge(), SVR(), LinearSVR(random_state=0, max_iter=100000)],
    ids=lambda m: type(m).__name__,
)
def test_continuing_a_regression_leaves_it_alone(model: Any) -> None:
    X, y, Xt, yt = regression()
    source = model.fit(X, y)
    before = source.predict(Xt)
    moved = continue_from(source, Rows(Xt, yt), None)
    assert np.array_equal(source.predict(Xt), before)
    assert moved.score(Xt, yt) > source.score(Xt, yt)


@pytest.mark.parametrize(
    "model",
    [LogisticRegression(fit_intercept=False), LinearSVC(fit_intercept=False)],
    ids=["logistic", "linear svm"],
)
def test_a_classifier_without_intercept_stays_without(model: Any) -> None:
    X, y, Xt, yt = classification(3)
    moved = continue_from(model.fit(X, y), Rows(Xt, yt), 0.1)
    assert not np.any(moved.intercept_)
    assert np.abs(moved.coef_ - model.coef_).max() > 0.1
    two = yt != 1
    moved = continue_from(model, Rows(Xt[two], yt[two]), 0.1)
    assert np.array_equal(moved.coef_[1], model.coef_[1])  # the class without rows
    assert np.shape(moved.intercept_) == np.shape(model.intercept_)


@pytest.mark.parametrize(
    "model",
    [Ridge(fit_intercept=False), LinearRegression(fit_intercept=False)],
    ids=lambda m: type(m).__name__,
)
def test_a_regression_without_intercept_stays_without(model: Any) -> None:
    X, y, Xt, yt = regression()
    moved = continue_from(model.fit(X, y), Rows(Xt, yt), None)
    assert moved.predict(np.zeros((1, 3))) == pytest.approx([0.0])


def test_an_svm_with_a_kernel_of_its_own() -> None:
    X, y, Xt, yt = classification(2)
    named = continue_from(SVC(kernel="linear").fit(X, y), Rows(Xt, yt), None)
    called = continue_from(SVC(kernel=lambda a, b: a @ b.T).fit(X, y), Rows(Xt, yt), None)
    np.testing.assert_allclose(called.decision_function(Xt), named.decision_function(Xt), atol=1e-6)


def test_what_cannot_be_continued() -> None:
    X, y, Xt, yt = classification(2)
    with pytest.raises(InputError, match=r"cannot start RandomForestClassifier .*LogisticRegr"):
        continue_from(RandomForestClassifier(3).fit(X, y), Rows(Xt, yt), None)
    given = SVC(kernel="precomputed").fit(X @ X.T, y)
    with pytest.raises(InputError, match="precomputed"):
        continue_from(given, Rows(X @ X.T, y), None)
