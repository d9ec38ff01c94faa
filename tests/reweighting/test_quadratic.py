"""The quadratic program against scipy and linprog, its certificate, and the solver by columns."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, linprog, minimize
from sklearn.metrics.pairwise import rbf_kernel

from acclimate.reweighting.quadratic import linear_minimum, project, solve, solve_by_columns


def program(seed: int = 0, n: int = 40, m: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X, Xt = rng.normal(size=(n, 2)), rng.normal((1.0, 0.0), 0.6, size=(m, 2))
    return rbf_kernel(X, gamma=0.5), rbf_kernel(X, Xt, gamma=0.5).sum(1) * n / m


@pytest.mark.parametrize(("bound", "epsilon"), [(1000.0, 0.8), (3.0, 0.0), (1.5, 0.1)])
def test_the_objective_is_scipys_and_the_gap_is_honest(bound: float, epsilon: float) -> None:
    K, kappa = program()
    n = len(K)
    limits = (n * (1 - epsilon), n * (1 + epsilon))
    mine = solve(K, kappa, bound, limits, 1e-9, 50_000)
    best = minimize(
        lambda w: (0.5 * w @ K @ w - kappa @ w, K @ w - kappa), np.ones(n), jac=True,
        method="SLSQP", bounds=Bounds(0, bound), options={"maxiter": 2000, "ftol": 1e-13},
        constraints=[LinearConstraint(np.ones((1, n)), n * (1 - epsilon), n * (1 + epsilon))],
    )  # fmt: skip
    assert mine.objective == pytest.approx(0.5 * mine.w @ K @ mine.w - kappa @ mine.w, rel=1e-12)
    assert mine.objective <= best.fun + 1e-6 * abs(best.fun)
    assert mine.gap <= 1e-9 * abs(mine.objective)
    assert best.fun >= mine.objective - mine.gap - 1e-9
    rough = solve(K, kappa, bound, limits, 1e-9, 3)
    assert rough.objective - mine.objective <= rough.gap


def test_the_karush_kuhn_tucker_conditions_hold() -> None:
    K, kappa = program(1)
    w = solve(K, kappa, 3.0, (40.0, 40.0), 1e-10, 100_000).w
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


@pytest.mark.parametrize(
    ("bound", "limits"),
    [(1e4, (8.0, 240.0)), (1e4, (120.0, 120.0)), (2.5, (0.0, 1e9)), (1e4, (0.0, 80.0))],
    ids=["free", "sum", "bound", "upper"],
)
def test_columns_lead_to_the_optimum_of_the_whole_matrix(
    bound: float, limits: tuple[float, float]
) -> None:
    K, kappa = program(2, n=120, m=80)
    asked: list[int] = []

    def column(index: np.ndarray) -> np.ndarray:
        asked.extend(index.tolist())
        return K[:, index]

    mine = solve_by_columns(column, kappa, bound, limits, 1e-6, 1000)
    whole = solve(K, kappa, bound, limits, 1e-7, 50_000)
    assert mine.gap <= 1e-6 * abs(mine.objective)
    assert abs(mine.objective - whole.objective) <= 1e-6 * abs(whole.objective)
    assert mine.objective == pytest.approx(0.5 * mine.w @ K @ mine.w - kappa @ mine.w, rel=1e-10)
    assert mine.w.min() >= 0
    assert mine.w.max() <= bound + 1e-9
    assert limits[0] - 1e-6 <= mine.w.sum() <= limits[1] + 1e-6
    if bound > 1000 and limits[1] > 200:  # few rows end above 0, and few were looked at
        assert len(set(asked)) < 120


def test_more_rows_above_zero_than_the_direct_method_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acclimate.reweighting.quadratic.DIRECT", 40)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 30))
    K = rbf_kernel(X, gamma=0.02)
    kappa = K @ rng.uniform(0.5, 1.5, size=200)  # the optimum has every weight above 0
    mine = solve_by_columns(lambda index: K[:, index], kappa, 1e4, (0.0, 1e4), 1e-6, 1000)
    assert (mine.w > 0).all()
    assert mine.gap <= 1e-6 * abs(mine.objective)


def test_a_matrix_that_is_not_definite_still_gives_a_feasible_point() -> None:
    K = np.ones((100, 100))  # rank one
    found = solve_by_columns(lambda i: K[:, i], np.full(100, 100.0), 5.0, (90.0, 110.0), 1e-8, 50)
    assert found.w.sum() == pytest.approx(100.0, abs=1e-3)
    assert found.gap <= 1e-8 * abs(found.objective)
