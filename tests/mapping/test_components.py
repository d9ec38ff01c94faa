"""The shared solver against the explicit generalised eigenproblem, which it never forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import eigh
from sklearn.metrics.pairwise import rbf_kernel

import acclimate.mapping.components as solver
import acclimate.mapping.expansion as module
from acclimate.mapping.components import reduce, solve_dual, solve_primal
from acclimate.mapping.expansion import Expansion
from acclimate.mapping.gaps import class_gaps, mean_gap
from acclimate.mapping.mapped import in_own_order, own_order
from acclimate.maths.kernels import Kernel, KernelMap
from acclimate.maths.landmarks import whiten
from acclimate.validation import Rows

RNG = np.random.default_rng
CODES = np.concatenate([np.arange(40) % 3, np.arange(30) % 3])


def explicit(K: Any, M: Any, mu: float, k: int, G: Any = None) -> tuple[Any, Any]:
    """W and the objective, with M, H and G written out."""
    N = len(K)
    H = np.eye(N) - 1 / N
    left = K @ M @ K + mu * (np.eye(N) if G is None else np.diag(G))
    roots, W = eigh(K @ H @ K, left)
    W = W[:, ::-1][:, :k] / np.sqrt(roots[::-1][:k])
    return W, np.trace(W.T @ left @ W)


def rows(n: int = 40, m: int = 30, d: int = 5) -> Any:
    rng = RNG(0)
    return np.concatenate([rng.normal(size=(n, d)), rng.normal(size=(m, d)) * 1.5 + 0.7])


def factor(kind: str) -> Any:
    whole = mean_gap(40, 30)
    return whole if kind == "means" else np.hstack([whole, class_gaps(CODES, 40)])


def weights(scaled: bool) -> Any:
    return RNG(1).uniform(0.2, 20.0, size=70) if scaled else None


@pytest.mark.parametrize("kind", ["means", "classes"])
@pytest.mark.parametrize("mu", [0.1, 1.0, 50.0])
@pytest.mark.parametrize("lanczos", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_the_dual_reaches_the_optimum(
    kind: str, mu: float, lanczos: bool, scaled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solver, "DENSE", 0 if lanczos else 600)
    K, E, G = rbf_kernel(rows(), gamma=0.1), factor(kind), weights(scaled)
    scale = None if G is None else 1 / np.sqrt(G)
    W, roots = solve_dual(K, E, mu, 6, scale=scale)
    expected, least = explicit(K, E @ E.T, mu, 6, G)
    penalty = ((W**2).sum(1) * (1.0 if G is None else G)).sum()
    value = ((E.T @ K @ W) ** 2).sum() + mu * penalty  # from the definition
    assert value == pytest.approx(least, rel=1e-6)
    assert float((1 / roots).sum()) == pytest.approx(least, rel=1e-6)
    Z, Ze = K @ W, K @ expected
    centred = Z - Z.mean(0)
    np.testing.assert_allclose(centred.T @ centred, np.eye(6), atol=1e-7)
    np.testing.assert_allclose(Z * np.sign((Z * Ze).sum(0)), Ze, atol=1e-6)


@pytest.mark.parametrize("kind", ["means", "classes"])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("d", [3, 5])
def test_the_primal_is_the_dual_with_a_linear_kernel(kind: str, scaled: bool, d: int) -> None:
    X, E, G = rows(d=d), factor(kind), weights(scaled)
    K = X @ X.T
    scale = None if G is None else 1 / np.sqrt(G)
    P, roots, C = solve_primal(reduce(X, scale), E, 1.0, 3)
    expected, least = explicit(K, E @ E.T, 1.0, 3, G)
    assert float((1 / roots).sum()) == pytest.approx(least, rel=1e-6)
    Z, Ze = X @ P, K @ expected
    signs = np.sign((Z * Ze).sum(0))
    np.testing.assert_allclose(Z * signs, Ze, atol=1e-7)
    W = X @ C if G is None else (X @ C) / G[:, None]
    np.testing.assert_allclose(K @ W, Z, atol=1e-9)
    np.testing.assert_allclose(W * signs, expected, atol=1e-7)


def test_a_start_changes_nothing_but_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "DENSE", 0)
    K, E = rbf_kernel(rows(), gamma=0.1), factor("classes")
    plain = solve_dual(K, E, 1.0, 6)[1]
    np.testing.assert_allclose(solve_dual(K, E, 1.0, 6, start=np.ones(70))[1], plain, rtol=1e-8)
    np.testing.assert_allclose(solve_dual(K, E, 1.0, 6, seed=3)[1], plain, rtol=1e-8)


@pytest.mark.parametrize("scaled", [False, True])
def test_the_landmark_form_is_exact_when_every_row_is_one(
    scaled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, E, G = rows(), factor("classes"), weights(scaled)
    scale = None if G is None else 1 / np.sqrt(G)
    monkeypatch.setattr(module, "EXACT_ROWS", 10)
    form = Expansion(Kernel("rbf", 0.1), X, 70, 0)
    assert not form.is_kernel
    P, roots, W = form.solve(E, 1.0, 5, scale)
    K = rbf_kernel(X, gamma=0.1)
    least = explicit(K, E @ E.T, 1.0, 5, G)[1]
    assert float((1 / roots).sum()) == pytest.approx(least, rel=1e-6)
    np.testing.assert_allclose(form.map(P)(X), form.features(P), atol=1e-9)
    np.testing.assert_allclose(K @ W, form.features(P), atol=1e-7)


def test_whitened_landmarks_give_back_the_kernel() -> None:
    X = rows()
    kernel = Kernel("rbf", 0.1)
    F = KernelMap(kernel, X, whiten(kernel(X, X)))(X)
    np.testing.assert_allclose(F @ F.T, rbf_kernel(X, gamma=0.1), atol=1e-9)


@pytest.mark.parametrize("scaled", [False, True])
def test_random_waves_come_near_the_kernels_objective(
    scaled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, E, G = rows(), factor("classes"), weights(scaled)
    scale = None if G is None else 1 / np.sqrt(G)
    monkeypatch.setattr(module, "EXACT_ROWS", 10)
    least = explicit(rbf_kernel(X, gamma=0.1), E @ E.T, 1.0, 5, G)[1]
    errors = []
    for number in (10, 60, 600):
        form = Expansion(Kernel("rbf", 0.1), X, number, 0, "fourier")
        assert not form.is_kernel
        P, roots, _ = form.solve(E, 1.0, 5, scale)
        errors.append(abs(float((1 / roots).sum()) / least - 1))
        np.testing.assert_allclose(form.map(P)(X), form.features(P), atol=1e-9)
        np.testing.assert_allclose(form.map(P)(X[7:8]), form.features(P)[7:8], atol=1e-9)
    assert errors[2] < errors[0]
    assert errors[2] < 0.05


def test_memory_is_linear_in_the_rows_above_the_limit() -> None:
    X = RNG(0).normal(size=(module.EXACT_ROWS + 1, 2))
    form = Expansion(Kernel("rbf", 0.1), X, 20, 0)
    assert form.matrix.shape[0] == len(X)
    assert form.matrix.shape[1] <= 20
    assert Expansion(Kernel("linear", 0.0), X, 20, 0).matrix.shape == X.shape


def test_the_own_order_takes_labels_and_weights_along() -> None:
    rng = RNG(0)
    X = rng.normal(size=(9, 2))
    y, w = X[:, 0] * 10, X[:, 1] ** 2
    known = np.array([7, 2, 4])
    for place in (None, known):
        held = slice(None) if place is None else place
        moved = in_own_order(Rows(X, y[held], place, w), 0)
        np.testing.assert_array_equal(moved.X, X[own_order(X, 0)])
        np.testing.assert_array_equal(moved.labelled_X[:, 0] * 10, moved.labels)
        np.testing.assert_array_equal(moved.X[:, 1] ** 2, moved.weight)
        assert sorted(moved.labels) == sorted(y[held])
    again = in_own_order(Rows(X[::-1], y[::-1]), 0)
    np.testing.assert_array_equal(again.X, X[own_order(X, 0)])
