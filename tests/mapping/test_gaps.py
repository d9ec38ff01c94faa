"""Factors of means against matrices written out, and the proxy distance against leaving out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from acclimate.mapping.bda import balanced
from acclimate.mapping.gaps import class_gaps, estimate_balance, mean_gap, proxy_distance

RNG = np.random.default_rng


def test_the_means_factor_is_the_papers_matrix() -> None:
    n, m = 4, 3
    M0 = np.block([
        [np.full((n, n), 1 / n**2), np.full((n, m), -1 / (n * m))],
        [np.full((m, n), -1 / (n * m)), np.full((m, m), 1 / m**2)],
    ])  # fmt: skip
    E = mean_gap(n, m)
    np.testing.assert_allclose(E @ E.T, M0, atol=1e-15)


def by_loops(codes: Any, n: int, weighted: bool) -> Any:
    """Sum of M_c over the classes that both domains have, one entry at a time."""
    N = len(codes)
    M = np.zeros((N, N))
    for c in set(codes[:n]) & set(codes[n:]):
        size = [(codes[:n] == c).sum(), (codes[n:] == c).sum()]
        share = [size[0] / n, size[1] / (N - n)]
        for i in range(N):
            for j in range(N):
                if codes[i] == codes[j] == c:
                    a, b = int(i >= n), int(j >= n)
                    sign = 1 if a == b else -1
                    weight = np.sqrt(share[a] * share[b]) if weighted else 1.0
                    M[i, j] = sign * weight / (size[a] * size[b])
    return M


@pytest.mark.parametrize("weighted", [False, True])
def test_the_class_factors_are_the_papers_matrices(weighted: bool) -> None:
    codes = np.array([0, 1, 1, 2, 4, 4, 4, 0, 1, 1, 1, 3, 4])  # 2 is the source's, 3 the target's
    E = class_gaps(codes, 7, weighted=weighted)
    assert E.shape == (13, 3)
    np.testing.assert_allclose(E @ E.T, by_loops(codes, 7, weighted), atol=1e-15)
    M0 = mean_gap(7, 6) @ mean_gap(7, 6).T
    F = balanced(0.3, codes, 7, weighted=weighted)
    expected = 0.7 * M0 + 0.3 * by_loops(codes, 7, weighted)
    np.testing.assert_allclose(F @ F.T, expected, atol=1e-15)


def test_no_class_in_common_gives_no_column() -> None:
    assert class_gaps(np.array([0, 0, 1, 1]), 2).shape == (4, 0)


def left_out(Z: Any, n: int) -> float:
    """Fit the classifier anew without each row, and count its mistakes."""
    N, d = Z.shape
    side = np.where(np.arange(N) < n, 1.0, -1.0)
    w = np.where(np.arange(N) < n, 0.5 / n, 0.5 / (N - n))
    X = np.column_stack([(Z - Z.mean(0)) / Z.std(0), np.ones(N)])
    wrong = np.zeros(N)
    ridge = 0.01 * np.diag([1.0] * d + [0.0])
    for i in range(N):
        keep = np.arange(N) != i
        A = (X[keep] * w[keep, None]).T @ X[keep] + ridge
        beta = np.linalg.solve(A, X[keep].T @ (w[keep] * side[keep]))
        wrong[i] = X[i] @ beta * side[i] <= 0
    return 2 * (1 - (wrong[:n].mean() + wrong[n:].mean()))


@pytest.mark.parametrize("move", [0.0, 0.5, 1.0, 9.0])
def test_the_proxy_distance_leaves_each_row_out(move: float) -> None:
    rng = RNG(0)
    Z = np.concatenate([rng.normal(size=(40, 3)), rng.normal(size=(25, 3)) + move])
    assert proxy_distance(Z, 40) == pytest.approx(max(0.0, left_out(Z, 40)), abs=1e-12)


def test_the_proxy_distance_of_constant_and_few_rows() -> None:
    assert proxy_distance(np.ones((6, 2)), 3) == 0.0
    Z = np.concatenate([np.zeros((2, 40)), np.ones((2, 40))]) + RNG(0).normal(size=(4, 40)) * 0.01
    assert 0.0 <= proxy_distance(Z, 2) <= 2.0


def test_the_balance_sees_where_the_difference_is() -> None:
    """Classes that moved apart in opposite ways leave the domains alike, and the reverse."""
    rng = RNG(0)
    codes = np.tile([0, 1], 200)
    Z = rng.normal(size=(400, 2))
    side = np.where(np.arange(400) < 200, 0.0, 3.0)
    crossed = Z + np.column_stack([side * np.where(codes == 0, 1, -1), 0 * side])
    assert estimate_balance(crossed, codes, 200) > 0.9
    assert 0.4 < estimate_balance(Z + side[:, None], codes, 200) < 0.6  # both, alike
    assert estimate_balance(np.zeros((400, 2)), codes, 200) == 0.5
    called = np.array([5, 2])[codes]
    assert estimate_balance(crossed, called, 200) == estimate_balance(crossed, codes, 200)
