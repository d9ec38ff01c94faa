"""The discrepancy against double sums, closed forms, and its own random features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics.pairwise import linear_kernel, polynomial_kernel, rbf_kernel

from acclimate.exceptions import InputError
from acclimate.maths.discrepancy import mmd
from acclimate.maths.kernels import gaussian
from acclimate.maths.landmarks import frequencies, waves


def samples(n: int = 70, m: int = 50, d: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, d)), 1.5 * rng.normal(size=(m, d)) + 0.5


def by_hand(kernel: Any, X: np.ndarray, Z: np.ndarray, unbiased: bool) -> float:
    n, m = len(X), len(Z)
    K, L, M = kernel(X, X), kernel(Z, Z), kernel(X, Z)
    if unbiased:
        pairs = sum(K[i, j] for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
        pairs += sum(L[i, j] for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
        return float(pairs - 2 * M.mean())
    return float(K.mean() + L.mean() - 2 * M.mean())


def test_the_kernel_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    X, Z = rng.normal(size=(30, 4)), rng.normal(size=(20, 4))
    np.testing.assert_allclose(gaussian(X, Z, 0.3), rbf_kernel(X, Z, gamma=0.3), atol=1e-14)
    single = gaussian(X.astype("f4"), Z.astype("f4"), 0.3)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, rbf_kernel(X, Z, gamma=0.3), atol=2e-6)


@pytest.mark.parametrize("unbiased", [False, True])
@pytest.mark.parametrize("block", [7, 1024])
def test_it_is_the_double_sum(unbiased: bool, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acclimate.maths.discrepancy.BLOCK", block)
    X, Z = samples()

    def rbf(A: np.ndarray, B: np.ndarray) -> np.ndarray:
        return np.asarray(rbf_kernel(A, B, gamma=0.4))

    for kernel, oracle in (("rbf", rbf), ("linear", linear_kernel)):
        found = mmd(X, Z, kernel=kernel, gamma=0.4, unbiased=unbiased)
        assert found == pytest.approx(by_hand(oracle, X, Z, unbiased), rel=1e-10)
    found = mmd(X, Z, kernel=polynomial_kernel, unbiased=unbiased)
    assert found == pytest.approx(by_hand(polynomial_kernel, X, Z, unbiased), rel=1e-10)


def test_it_is_the_closed_form_of_two_gaussians() -> None:
    # N(0, 1) and N(2, 1), gamma 1/2: E k(x, z) = sqrt(1 / 3) exp(-gap^2 / 6)
    rng = np.random.default_rng(1)
    X, Z = rng.normal(size=(6000, 1)), rng.normal(size=(6000, 1)) + 2
    exact = 2 / np.sqrt(3) * (1 - np.exp(-4 / 6))
    assert mmd(X, Z, gamma=0.5, unbiased=True) == pytest.approx(exact, rel=0.03)


def test_random_features_come_near_and_are_chosen_above_a_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, Z = samples(400, 300)
    exact = mmd(X, Z, gamma=0.4)
    near = mmd(X, Z, gamma=0.4, features=40_000)
    assert near == pytest.approx(exact, rel=0.05)
    assert near != exact
    monkeypatch.setattr("acclimate.maths.discrepancy.EXACT_ROWS", 350)
    monkeypatch.setattr("acclimate.maths.discrepancy.FEATURES", 40_000)
    assert mmd(X, Z, gamma=0.4) == near
    assert mmd(X, Z, gamma=0.4, features=None) == exact


def test_landmarks_are_exact_where_every_row_is_one_and_stay_below() -> None:
    X, Z = samples(60, 50)
    exact = mmd(X, Z, gamma=0.4)
    all_rows = mmd(X, Z, gamma=0.4, features=120, approximation="landmarks")
    assert all_rows == pytest.approx(exact, rel=1e-7)
    values = [mmd(X, Z, gamma=0.4, features=k, approximation="landmarks") for k in (4, 20, 60)]
    assert 0 <= max(values) <= exact * (1 + 1e-7)
    cubic = lambda a, b: (a @ b.T + 1) ** 3  # noqa: E731
    few = mmd(X, Z, kernel=cubic, features=90, approximation="landmarks")
    assert few == pytest.approx(mmd(X, Z, kernel=cubic), rel=1e-6)  # its rank is 20


def test_orthogonal_waves_are_nearer_than_independent_ones() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 16))
    K = np.exp(-0.03 * ((X[:, None] - X) ** 2).sum(2))
    ours, plain = [], []
    for seed in range(5):
        W = frequencies(16, 64, 0.03, np.random.default_rng(seed))
        Q = W[:, :16] / np.linalg.norm(W[:, :16], axis=0)
        np.testing.assert_allclose(Q.T @ Q, np.eye(16), atol=1e-12)
        ours.append(((waves(X, W) @ waves(X, W).T - K) ** 2).mean())
        free = np.random.default_rng(seed).normal(size=(16, 64)) * np.sqrt(0.06)
        plain.append(((waves(X, free) @ waves(X, free).T - K) ** 2).mean())
    assert np.mean(ours) < 0.6 * np.mean(plain)
    many = waves(X, frequencies(16, 20_000, 0.03, rng))
    np.testing.assert_allclose(many @ many.T, K, atol=0.03)


def test_order_and_origin_change_nothing() -> None:
    X, Z = samples()
    value = mmd(X, Z, gamma=0.4)
    assert mmd(Z, X, gamma=0.4) == pytest.approx(value, rel=1e-12)
    assert mmd(X[::-1], Z[::-1], gamma=0.4) == pytest.approx(value, rel=1e-12)
    assert mmd(X + 1e5, Z + 1e5, gamma=0.4) == pytest.approx(value, rel=1e-6)
    assert mmd(X, X) == pytest.approx(0.0, abs=1e-15)
    single = mmd(X.astype("f4"), Z.astype("f4"), gamma=0.4)
    assert single == pytest.approx(value, rel=1e-4)


def test_the_width_is_the_median_distance() -> None:
    X = np.array([[0.0], [1.0]])
    # squared distances above 0 are 1 (twice), 9 (twice), 4 and 16: the median is 6.5
    Z = np.array([[4.0], [1.0]])
    from scipy.spatial.distance import pdist

    squared = pdist(np.concatenate([X, Z]), "sqeuclidean")
    gamma = 1 / np.median(squared[squared > 0])
    assert mmd(X, Z) == pytest.approx(mmd(X, Z, gamma=float(gamma)), rel=1e-12)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kernel": "cubic"}, "kernel .* got 'cubic'"),
        ({"gamma": 0.0}, "gamma .* got 0.0"),
        ({"features": 0}, "features .* got 0"),
        ({"approximation": "sine"}, "approximation .* got 'sine'"),
        ({"features": 5, "kernel": lambda a, b: a @ b.T}, 'for kernel="rbf" alone'),
        ({"features": 5, "unbiased": True}, "unbiased needs the kernel itself"),
        ({"kernel": lambda a, b: a}, "finite values of shape"),
    ],
)
def test_wrong_settings_are_errors(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        mmd(*samples(), **settings)


def test_wrong_rows_are_errors() -> None:
    X, Z = samples()
    with pytest.raises(InputError, match="3 features, Z has 2"):
        mmd(X, Z[:, :2])
    with pytest.raises(InputError, match="needs 2 rows"):
        mmd(X[:1], Z, unbiased=True)
    with pytest.raises(InputError, match="finite rows"):
        mmd(X, np.full((3, 3), np.nan))
