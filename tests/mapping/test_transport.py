"""Exact transport against linear programming, assignment, and POT's dense solver."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment, linprog
from scipy.spatial.distance import cdist

from acclimate.exceptions import MissingExtraError
from acclimate.mapping import transport
from acclimate.mapping.pot_loading import pot
from acclimate.mapping.transport import Cost, NearestMove, exact_plan, merge_rows

RNG = np.random.default_rng


def masses(rng: Any, n: int) -> Any:
    w = rng.random(n) + 0.1
    return w / w.sum()


def problem(seed: int, n: int, m: int, d: int, classes: int = 0) -> tuple[Cost, Any, Any]:
    rng = RNG(seed)
    X, Z = rng.normal(size=(n, d)), rng.normal(size=(m, d)) * 1.5 + 1
    codes = rng.integers(0, classes, n) if classes else None
    table = rng.random((classes, m)) * 5 if classes else None
    return Cost(X, Z, codes, table), masses(rng, n), masses(rng, m)


@pytest.fixture
def sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make small problems go the way of large ones, in several blocks and several rounds."""
    monkeypatch.setattr(transport, "DENSE_PAIRS", 0)
    monkeypatch.setattr(transport, "START_ROWS", 15)
    monkeypatch.setattr(transport, "NEAREST", 4)
    monkeypatch.setattr(transport, "BLOCK_PAIRS", 5000)


def test_costs_are_squared_distances_and_the_table() -> None:
    cost, _, _ = problem(0, 7, 9, 3, classes=2)
    expected = cdist(cost.X, cost.Z, "sqeuclidean") + cost.table[cost.codes]
    np.testing.assert_allclose(cost.of(), expected, atol=1e-12)
    np.testing.assert_allclose(cost.of(slice(2, 5)), expected[2:5], atol=1e-12)
    i, j = np.array([0, 6, 3]), np.array([8, 2, 2])
    np.testing.assert_allclose(cost.pairs(i, j), expected[i, j], atol=1e-12)
    a, b = masses(RNG(1), 7), masses(RNG(2), 9)
    assert cost.mean(a, b) == pytest.approx(a @ expected @ b)
    assert cost.single().of().dtype == np.float32


def test_the_plan_of_equal_masses_is_the_best_assignment() -> None:
    cost, _, _ = problem(0, 30, 30, 4)
    plan = exact_plan(cost, np.full(30, 1 / 30), np.full(30, 1 / 30))
    i, j = linear_sum_assignment(cost.of())
    np.testing.assert_allclose(plan.matrix.toarray()[i, j], 1 / 30)
    assert plan.cost == pytest.approx(cost.of()[i, j].mean(), rel=1e-12)


def best_by_linprog(cost: Cost, a: Any, b: Any) -> float:
    n, m = cost.shape
    rows = np.kron(np.eye(n), np.ones(m))
    columns = np.kron(np.ones(n), np.eye(m))
    found = linprog(cost.of().ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.r_[a, b])
    return float(found.fun)


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("shape", [(8, 13, 2), (13, 8, 30)], ids=str)
def test_the_plan_is_that_of_linear_programming(shape: Any, classes: int) -> None:
    cost, a, b = problem(1, *shape, classes=classes)
    plan = exact_plan(cost, a, b)
    assert plan.cost == pytest.approx(best_by_linprog(cost, a, b), rel=1e-9)
    assert plan.bound == pytest.approx(plan.cost, rel=1e-9)
    assert (plan.u[:, None] + plan.v - cost.of()).max() < 1e-9


@pytest.mark.usefixtures("sparse")
@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("shape", [(200, 150, 2), (90, 260, 40), (60, 60, 100)], ids=str)
def test_adding_pairs_ends_at_the_optimum_of_all_pairs(shape: Any, classes: int) -> None:
    cost, a, b = problem(2, *shape, classes=classes)
    plan, dense = exact_plan(cost, a, b), transport._dense_plan(cost, a, b)
    assert plan.cost == pytest.approx(dense.cost, rel=1e-6)
    assert plan.bound == pytest.approx(dense.cost, rel=1e-5)
    assert plan.cost >= dense.cost * (1 - 1e-12)
    np.testing.assert_allclose(plan.matrix.sum(1), a, atol=1e-12)
    np.testing.assert_allclose(plan.matrix.sum(0), b, atol=1e-12)
    assert plan.matrix.nnz < sum(shape[:2])


@pytest.mark.usefixtures("sparse")
def test_equal_rows_and_equal_masses_are_solved_too() -> None:
    """Ties everywhere: rows on a grid, many of them equal."""
    rng = RNG(3)
    X, Z = rng.integers(0, 3, (120, 3)) * 1.0, rng.integers(1, 4, (120, 3)) * 1.0
    a = np.full(120, 1 / 120)
    plan = exact_plan(Cost(X, Z), a, a)
    i, j = linear_sum_assignment(cdist(X, Z, "sqeuclidean"))
    assert plan.cost == pytest.approx(((X[i] - Z[j]) ** 2).sum() / 120, rel=1e-9)


@pytest.mark.usefixtures("sparse")
def test_supports_that_are_far_apart_are_no_harder() -> None:
    cost, a, b = problem(4, 80, 70, 3)
    far = Cost(cost.X, cost.Z + 30)
    plan, dense = exact_plan(far, a, b), transport._dense_plan(far, a, b)
    assert plan.cost == pytest.approx(dense.cost, rel=1e-6)


@pytest.mark.usefixtures("sparse")
@pytest.mark.parametrize("gap", [1e-7, 1e-3])
def test_a_plan_that_begins_with_the_pairs_of_another_is_as_good(gap: float) -> None:
    cost, a, b = problem(6, 200, 150, 20, classes=3)
    near, rng = transport.Near(), RNG(7)
    for _ in range(3):  # labels cost another amount each time
        table = rng.uniform(0, 3, (3, 150))
        cost = Cost(cost.X, cost.Z, cost.codes, table)
        plan, dense = exact_plan(cost, a, b, near=near, gap=gap), transport._dense_plan(cost, a, b)
        assert dense.cost * (1 - 1e-12) <= plan.cost <= dense.cost * (1 + gap + 1e-6)
        assert plan.bound == pytest.approx(dense.cost, rel=gap + 1e-5)
        np.testing.assert_allclose(plan.matrix.sum(1), a, atol=1e-12)
        np.testing.assert_allclose(plan.matrix.sum(0), b, atol=1e-12)
        kept = near.keys
        assert kept is not None
        rows, columns = plan.matrix.nonzero()
        assert np.isin(rows * 150 + columns, kept).all()


@pytest.mark.slow
def test_a_large_problem_has_the_cost_of_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "DENSE_PAIRS", 0)
    cost, a, b = problem(5, 1500, 1300, 50)
    plan, dense = exact_plan(cost, a, b), transport._dense_plan(cost, a, b)
    assert plan.cost == pytest.approx(dense.cost, rel=1e-7)
    assert plan.bound == pytest.approx(dense.cost, rel=1e-6)


def test_merged_rows_come_in_an_order_of_their_own() -> None:
    X = np.array([[1.0, 2.0], [0.0, 5.0], [1.0, 2.0], [-0.0, 5.0], [3.0, 3.0]])
    first, group = merge_rows(X)
    assert len(first) == 3
    assert np.array_equal(X[first][group], X)
    order = np.array([4, 3, 2, 1, 0])
    other, _ = merge_rows(X[order])
    assert np.array_equal(X[order][other], X[first])
    apart, group = merge_rows(X, np.array([0, 0, 1, 0, 0]))
    assert len(apart) == 4
    assert group[0] != group[2]


def test_a_new_row_moves_like_its_nearest_and_a_known_one_exactly() -> None:
    X = RNG(0).normal(size=(20, 3)) * 1e4
    first, _ = merge_rows(X)
    rows, moved = X[first], RNG(1).normal(size=(20, 3))
    move = NearestMove(rows, moved)
    assert np.array_equal(move(rows[::-1]), moved[::-1])
    new = rows[:5] + 1.0
    np.testing.assert_allclose(move(new), moved[:5] + 1.0, atol=1e-9)
    mixed = np.concatenate([new, rows[7:9]])
    assert np.array_equal(move(mixed)[5:], moved[7:9])


def test_pot_is_imported_without_tensor_libraries() -> None:
    code = (
        "import os, sys, acclimate\n"
        "before = dict(os.environ)\n"
        "from acclimate.mapping.pot_loading import pot\n"
        "pot().emd([], [], [[0.0, 1.0], [1.0, 0.0]])\n"
        "assert dict(os.environ) == before\n"
        "print([m for m in ('torch', 'jax', 'tensorflow', 'matplotlib') if m in sys.modules])\n"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("POT_")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True, text=True, check=True, env=env,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_without_pot_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from acclimate import JDOT, OTMapping

    monkeypatch.setitem(sys.modules, "ot", None)
    X, y = RNG(0).normal(size=(10, 2)), np.arange(10) % 2
    for model in (OTMapping(regularisation="none"), JDOT()):
        with pytest.raises(MissingExtraError, match=r'pip install "acclimate\[ot\]"'):
            model.fit(X, y)
    OTMapping().fit(X, y)
    with pytest.raises(MissingExtraError):
        pot()
