"""Support vector machines against liblinear and against a primal solved on its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import LinearSVC

from acclimate.base.linear import fit_towards
from acclimate.base.svm import corrected_dual, squared_hinge_loss


def rows(n: int = 30, d: int = 2) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    signs = np.where(np.arange(n) % 2, 1.0, -1.0)
    return rng.normal(size=(n, d)) + 0.7 * signs[:, None], signs


@pytest.mark.parametrize("classes", [2, 3])
def test_squared_hinge_is_liblinears(classes: int) -> None:
    rng = np.random.default_rng(1)
    codes = np.arange(40) % classes
    X = rng.normal(size=(40, 3)) + np.eye(3)[codes]
    k = 1 if classes == 2 else classes
    W, b = fit_towards(X, codes, np.zeros((k, 3)), np.zeros(k), 2.0, squared_hinge_loss)
    # liblinear penalises the intercept; a large scale makes that vanish
    theirs = LinearSVC(C=0.5, dual=False, intercept_scaling=1000, tol=1e-10, max_iter=100000)
    theirs.fit(X, codes)
    np.testing.assert_allclose(W, theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(b, theirs.intercept_, atol=1e-4)


@pytest.mark.parametrize("C", [0.1, 1.0, 10.0])
def test_the_duality_gap_closes(C: float) -> None:
    X, signs = rows()
    margins = np.random.default_rng(2).normal(size=len(X))
    weights, gap = corrected_dual(rbf_kernel(X) + 1.0, signs, margins, C)
    assert gap + 1e-9 >= 0.0
    assert gap < 1e-4 * C * len(X)
    assert ((weights * signs >= 0) & (weights * signs <= C)).all()


@pytest.mark.parametrize("C", [0.2, 1.0])
def test_correcting_nothing_is_an_svm(C: float) -> None:
    X, signs = rows()
    weights, _ = corrected_dual(X @ X.T + 1.0, signs, np.zeros(len(X)), C)
    # liblinear's hinge loss with a penalised intercept: the same primal
    theirs = LinearSVC(C=C, loss="hinge", dual=True, tol=1e-9, max_iter=1000000, random_state=0)
    theirs.fit(X, signs)
    np.testing.assert_allclose(weights @ X, theirs.coef_[0], atol=1e-3)
    assert weights.sum() == pytest.approx(theirs.intercept_[0], abs=1e-3)


def test_against_the_primal_with_slacks() -> None:
    X, signs = rows(n=16)
    f = np.random.default_rng(3).normal(size=16)
    C, Z = 0.7, np.column_stack([X, np.ones(16)])
    weights, _ = corrected_dual(Z @ Z.T, signs, f, C)
    v = Z.T @ weights

    def primal(u: Any) -> float:
        return float(0.5 * u @ u + C * np.maximum(0, 1 - signs * (f + Z @ u)).sum())

    def with_slacks(t: Any) -> float:
        return float(0.5 * t[:3] @ t[:3] + C * t[3:].sum())

    above = LinearConstraint(np.hstack([signs[:, None] * Z, np.eye(16)]), 1 - signs * f, np.inf)
    best = minimize(
        with_slacks, np.concatenate([np.zeros(3), np.full(16, 5.0)]), method="SLSQP",
        bounds=[(None, None)] * 3 + [(0, None)] * 16, constraints=[above],
        options={"maxiter": 1000, "ftol": 1e-12},
    )  # fmt: skip
    assert best.success
    assert primal(v) == pytest.approx(best.fun, abs=1e-4)
    np.testing.assert_allclose(v, best.x[:3], atol=1e-2)


def test_rows_that_are_already_right_need_no_correction() -> None:
    X, signs = rows()
    weights, gap = corrected_dual(rbf_kernel(X) + 1.0, signs, 2.0 * signs, 1.0)
    assert np.array_equal(weights, np.zeros(len(X)))
    assert gap == 0.0
