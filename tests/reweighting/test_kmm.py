"""The quadratic program against scipy, its certificate, and what the weights do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, linprog, minimize
from sklearn.linear_model import LinearRegression
from sklearn.metrics.pairwise import rbf_kernel

from acclimate import Domain
from acclimate.exceptions import ConvergenceWarning, InputError
from acclimate.reweighting.kmm import KMM, linear_minimum, project, solve


def program(seed: int = 0, n: int = 40, m: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X, Xt = rng.normal(size=(n, 2)), rng.normal((1.0, 0.0), 0.6, size=(m, 2))
    return rbf_kernel(X, gamma=0.5), rbf_kernel(X, Xt, gamma=0.5).sum(1) * n / m


@pytest.mark.parametrize(("bound", "epsilon"), [(1000.0, 0.8), (3.0, 0.0), (1.5, 0.1)])
def test_the_objective_is_scipys_and_the_gap_is_honest(bound: float, epsilon: float) -> None:
    K, kappa = program()
    n = len(K)
    mine = solve(K, kappa, bound, epsilon, 1e-9, 50_000)
    best = minimize(
        lambda w: (0.5 * w @ K @ w - kappa @ w, K @ w - kappa), np.ones(n), jac=True,
        method="SLSQP", bounds=Bounds(0, bound), options={"maxiter": 2000, "ftol": 1e-13},
        constraints=[LinearConstraint(np.ones((1, n)), n * (1 - epsilon), n * (1 + epsilon))],
    )  # fmt: skip
    assert mine.objective == pytest.approx(0.5 * mine.w @ K @ mine.w - kappa @ mine.w, rel=1e-12)
    assert mine.objective <= best.fun + 1e-6 * abs(best.fun)
    assert mine.gap <= 1e-9 * abs(mine.objective)
    assert best.fun >= mine.objective - mine.gap - 1e-9
    rough = solve(K, kappa, bound, epsilon, 1e-9, 3)
    assert rough.objective - mine.objective <= rough.gap


def test_the_karush_kuhn_tucker_conditions_hold() -> None:
    K, kappa = program(1)
    w = solve(K, kappa, 3.0, 0.0, 1e-10, 100_000).w
    g = K @ w - kappa
    assert w.mean() == pytest.approx(1.0, abs=1e-10)
    assert (w >= 0).all()
    assert (w <= 3.0).all()
    inside = (w > 1e-6) & (w < 3.0 - 1e-6)
    multiplier = g[inside].mean()
    scale = np.abs(kappa).max()
    assert np.ptp(g[inside]) < 1e-4 * scale
    assert (g[w == 0] > multiplier - 1e-4 * scale).all()
    assert (g[w == 3.0] < multiplier + 1e-4 * scale).all()


@pytest.mark.parametrize("seed", range(6))
def test_the_projection_is_the_nearest_feasible_point(seed: int) -> None:
    rng = np.random.default_rng(seed)
    v = rng.normal(size=9) * 3
    low, high = [(4.0, 5.0), (0.0, 1.0), (9.0, 18.0)][seed % 3]
    w = project(v, 2.0, low, high)
    best = minimize(
        lambda u: ((u - v) @ (u - v), 2 * (u - v)), np.full(9, 0.5), jac=True, method="SLSQP",
        bounds=Bounds(0, 2), constraints=[LinearConstraint(np.ones((1, 9)), low, high)],
        options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    np.testing.assert_allclose(w, best.x, atol=1e-5)
    assert low - 1e-9 <= w.sum() <= high + 1e-9


@pytest.mark.parametrize("limits", [(2.0, 5.0), (0.0, 1.5), (6.0, 30.0)])
def test_the_linear_minimum_is_linprogs(limits: tuple[float, float]) -> None:
    g = np.random.default_rng(0).normal(size=8)
    best = linprog(
        g, A_ub=np.array([np.ones(8), -np.ones(8)]), b_ub=[limits[1], -limits[0]], bounds=(0, 2)
    )
    assert linear_minimum(g, 2.0, *limits) == pytest.approx(best.fun, abs=1e-9)


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 2))
    return X, X[:, 0] ** 2, rng.normal((1.0, 0.0), 0.6, size=(100, 2))


def test_weights_follow_the_density_ratio_and_help_a_line() -> None:
    X, y, Xt = data()
    model = KMM(LinearRegression()).fit(X, y, target=Domain(Xt))
    assert model.score(Xt, Xt[:, 0] ** 2) > model.source_model_.score(Xt, Xt[:, 0] ** 2) + 0.1
    moved = np.average(X, axis=0, weights=model.weights_)
    assert np.abs(moved - Xt.mean(0)).max() < 0.1
    assert model.weights_.mean() == pytest.approx(1.0)


def test_blocks_of_target_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, Xt = data()
    whole = KMM(LinearRegression()).fit(X, y, target=Domain(Xt)).weights_
    monkeypatch.setattr("acclimate.reweighting.kmm.BLOCK", 7)
    np.testing.assert_allclose(
        KMM(LinearRegression()).fit(X, y, target=Domain(Xt)).weights_, whole, atol=1e-8
    )


@pytest.mark.parametrize("kernel", ["linear", rbf_kernel], ids=["linear", "callable"])
def test_other_kernels_work(kernel: Any) -> None:
    X, y, Xt = data()
    model = KMM(LinearRegression(), kernel=kernel).fit(X, y, target=Domain(Xt))
    assert np.abs(np.average(X, axis=0, weights=model.weights_)[0]) > 0.5


def test_float32_stays_and_agrees() -> None:
    X, y, Xt = data()
    single = KMM(LinearRegression()).fit(X.astype("f4"), y, target=Domain(Xt.astype("f4")))
    double = KMM(LinearRegression()).fit(X, y, target=Domain(Xt))
    assert single.solution_.objective == pytest.approx(double.solution_.objective, rel=1e-4)


def test_domains_far_apart_still_give_a_feasible_point() -> None:
    X, y, Xt = data()
    model = KMM(LinearRegression(), width=1.0).fit(X, y, target=Domain(Xt + 500))
    assert np.isfinite(model.weights_).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kernel": "cubic"}, "kernel .* got 'cubic'"),
        ({"width": 0.0}, "width .* got 0.0"),
        ({"bound": 0.5}, "bound .* got 0.5"),
        ({"epsilon": -1}, "epsilon .* got -1"),
        ({"max_steps": 0}, "max_steps .* got 0"),
        ({"kernel": lambda a, b: a}, "kernel must return finite values of shape"),
    ],
)
def test_wrong_settings_are_errors(settings: dict[str, Any], words: str) -> None:
    X, y, Xt = data()
    with pytest.raises(InputError, match=words):
        KMM(LinearRegression(), **settings).fit(X, y, target=Domain(Xt))


def test_too_few_steps_warn() -> None:
    X, y, Xt = data()
    with pytest.warns(ConvergenceWarning, match="after 2 steps"):
        KMM(LinearRegression(), max_steps=2).fit(X, y, target=Domain(Xt))
