"""Entropic transport against a plain loop in the logarithm, and against POT."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from acclimate.exceptions import ConvergenceWarning
from acclimate.mapping import sinkhorn as module
from acclimate.mapping.pot_loading import pot
from acclimate.mapping.sinkhorn import Barycentre, sinkhorn, sinkhorn_classes

RNG = np.random.default_rng


def problem(seed: int, n: int = 25, m: int = 40, d: int = 3) -> tuple[Any, ...]:
    rng = RNG(seed)
    X, Z = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.5
    a, b = rng.random(n) + 0.1, rng.random(m) + 0.1
    return X, Z, cdist(X, Z, "sqeuclidean"), a / a.sum(), b / b.sum()


def log_loop(C: Any, a: Any, b: Any, epsilon: float, steps: int = 3000) -> Any:
    f, g = np.zeros(len(a)), np.zeros(len(b))
    for _ in range(steps):
        g = epsilon * (np.log(b) - logsumexp((f[:, None] - C) / epsilon, axis=0))
        f = epsilon * (np.log(a) - logsumexp((g - C) / epsilon, axis=1))
    return np.exp((f[:, None] + g - C) / epsilon)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_rows_do_not_underflow(dtype: Any) -> None:
    rng = RNG(0)
    X, Z = rng.normal(size=(60, 30)), rng.normal(size=(60, 30)) * np.exp(rng.normal(size=(60, 1)))
    Z[0] = 60.0
    C = cdist(X, Z, "sqeuclidean").astype(dtype)
    a = np.full(60, 1 / 60)
    P = sinkhorn(C, a, a, 1e-3 * float(C.mean())).plan()
    np.testing.assert_allclose(P.sum(1), a, atol=1e-6)
    np.testing.assert_allclose(P.sum(0), a, atol=1e-4)


@pytest.mark.parametrize("epsilon", [5.0, 0.5, 0.1])
def test_the_plan_is_that_of_a_plain_loop(epsilon: float) -> None:
    _, _, C, a, b = problem(0)
    P = sinkhorn(C, a, b, epsilon, tolerance=1e-13).plan()
    expected = log_loop(C, a, b, epsilon)
    np.testing.assert_allclose(P, expected, atol=1e-8)
    np.testing.assert_allclose(P.sum(1), a, atol=1e-12)
    np.testing.assert_allclose(P.sum(0), b, atol=1e-8)

    def objective(Q: Any) -> float:
        return float((Q * C).sum() + epsilon * (Q * np.log(Q)).sum())

    assert objective(P) == pytest.approx(objective(expected), rel=1e-9)
    assert objective(P) < objective(np.outer(a, b))


@pytest.mark.slow
def test_longer_steps_are_taken_and_end_at_the_same_plan(monkeypatch: Any) -> None:
    """Two far clusters of other sizes on each side: plain steps are slow there."""
    X, Z, _, a, b = problem(1, 30, 30)
    X[:12] += 4
    Z[:20] += 4
    C = cdist(X, Z, "sqeuclidean")
    taken = []
    power = module._power

    def spied(errors: Any, before: float) -> float:
        taken.append(power(errors, before))
        return taken[-1]

    monkeypatch.setattr(module, "_power", spied)
    P = sinkhorn(C, a, b, 1.0).plan()
    assert max(taken) > 1.0
    np.testing.assert_allclose(P, log_loop(C, a, b, 1.0, 8000), atol=1e-8)


def test_a_small_epsilon_underflows_nowhere() -> None:
    X, Z, _, a, b = problem(2)
    C = cdist(X * 30, Z * 30 + 500, "sqeuclidean")
    P = sinkhorn(C, a, b, 400.0).plan()
    assert np.isfinite(P).all()
    np.testing.assert_allclose(P.sum(0), b, atol=1e-8)
    cost = float((P * C).sum())
    best = float(pot().emd2(a, b, C))
    assert best < cost < best + 400.0 * np.log(len(a) * len(b))


def test_float32_agrees_with_float64() -> None:
    _, _, C, a, b = problem(3, 60, 70)
    P = sinkhorn(C.astype(np.float32), a, b, 0.3).plan()
    assert P.dtype == np.float32
    np.testing.assert_allclose(P, sinkhorn(C, a, b, 0.3).plan(), atol=1e-6)


def test_one_row_takes_all() -> None:
    C = RNG(0).random((1, 5))
    b = np.full(5, 0.2)
    np.testing.assert_allclose(sinkhorn(C, np.ones(1), b, 0.01).plan(), b[None], atol=1e-12)
    np.testing.assert_allclose(sinkhorn(C.T, b, np.ones(1), 0.01).plan(), b[:, None], atol=1e-12)


def test_a_solver_that_stops_early_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEPS", 2)
    _, _, C, a, b = problem(4)
    with pytest.warns(ConvergenceWarning, match=r"wrong place after 2 steps; a larger epsilon"):
        sinkhorn(C, a, b, 0.01)


def test_the_map_of_any_row_extends_the_plan() -> None:
    X, Z, C, a, b = problem(5)
    kernel = sinkhorn(C, a, b, 0.2)
    P, g = kernel.plan(), kernel.potentials()[1]
    Y = RNG(6).normal(size=(len(Z), 2))
    move = Barycentre(np.zeros(3), Z, g, 0.2, Y)
    np.testing.assert_allclose(move(X), (P @ Y) / a[:, None], atol=1e-9)
    shifted = Barycentre(np.full(3, 7.0), Z, g, 0.2, Y)
    np.testing.assert_allclose(shifted(X + 7.0), move(X), atol=1e-9)
    assert move(X.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("strength", [0.05, 0.5])
def test_the_class_penalty_is_pots(strength: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """POT measures mass, ours measures shares: with equal masses 1 / m they differ by m^0.5."""
    _, _, C, _, _ = problem(7, 30, 24)
    n, m = C.shape
    y = np.arange(n) % 3
    a, b = np.full(n, 1 / n), np.full(m, 1 / m)
    monkeypatch.setattr(module, "FLOOR", 1e-3 * m)  # POT adds 0.001 to the mass
    P = sinkhorn_classes(C, y, a, b, 0.5, strength)[0].plan()
    expected = pot().da.sinkhorn_lpl1_mm(
        a, y, b, C, 0.5, eta=strength * m**-0.5, numInnerItermax=5000, stopInnerThr=1e-12
    )
    np.testing.assert_allclose(P, expected, atol=1e-6)
    assert np.abs(P - sinkhorn(C, a, b, 0.5).plan()).max() > 1e-4


def test_the_class_penalty_lowers_its_objective_and_the_mixing() -> None:
    _, _, C, a, b = problem(8, 40, 30)
    y = np.arange(40) % 2

    def shares(P: Any) -> Any:
        return np.array([P[y == c].sum(0) for c in (0, 1)]) / b

    def objective(P: Any, strength: float) -> float:
        penalty = (b * (shares(P) + module.FLOOR) ** 0.5).sum()
        return float((P * C).sum() + 0.3 * (P * np.log(P)).sum() + strength * penalty)

    plain = sinkhorn(C, a, b, 0.3).plan()
    none = sinkhorn_classes(C, y, a, b, 0.3, 0.0)[0].plan()
    np.testing.assert_allclose(none, plain, atol=1e-12)
    P = sinkhorn_classes(C, y, a, b, 0.3, 2.0)[0].plan()
    assert objective(P, 2.0) < objective(plain, 2.0)
    assert shares(P).max(0).mean() > shares(plain).max(0).mean()
