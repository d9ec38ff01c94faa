"""TCA against the explicit generalised eigenproblem that it solves without forming."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.spatial.distance import pdist
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel

import acclimate.mapping.expansion as module
from acclimate import TCA, Domain
from acclimate.exceptions import InputError
from acclimate.maths.kernels import make_kernel

RNG = np.random.default_rng


def explicit(K: Any, n: int, mu: float, k: int) -> tuple[Any, Any]:
    """W and the objective, with L and H written out."""
    N = len(K)
    side = np.concatenate([np.full(n, 1 / n), np.full(N - n, -1 / (N - n))])
    H = np.eye(N) - 1 / N
    left = K @ np.outer(side, side) @ K + mu * np.eye(N)
    roots, W = eigh(K @ H @ K, left)
    W = W[:, ::-1][:, :k] / np.sqrt(roots[::-1][:k])
    return W, np.trace(W.T @ left @ W)


def test_more_features_than_rows_use_the_dual(toy: Any) -> None:
    rng = RNG(0)
    X, Xt = rng.normal(size=(12, 40)), rng.normal(size=(10, 40)) + 0.3
    model = TCA(kernel="linear", n_components=4).fit(X, np.arange(12) % 2, target=Domain(Xt))
    K = np.concatenate([X, Xt]) @ np.concatenate([X, Xt]).T
    assert model.objective_ == pytest.approx(explicit(K, 12, model.mu, 4)[1], rel=1e-6)


def test_many_rows_use_landmarks(toy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    d = toy(0, n=200, m=200)
    exact = TCA(shrinkage=0.0, n_components=4).fit(d.X, d.y, target=Domain(d.Xt))
    monkeypatch.setattr(module, "EXACT_ROWS", 100)
    fast = TCA(shrinkage=0.0, n_components=4, n_landmarks=150, random_state=0)
    fast.fit(d.X, d.y, target=Domain(d.Xt))
    assert fast.objective_ == pytest.approx(exact.objective_, rel=0.02)
    assert fast.transform(d.Xn).shape == (200, 4)


def test_many_rows_can_use_random_waves(toy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    d = toy(0, n=200, m=200)
    waves: dict[str, Any] = {
        "gamma": 0.05, "n_landmarks": 600, "approximation": "fourier", "random_state": 0
    }  # fmt: skip
    exact = TCA(gamma=0.05, n_components=4).fit(d.X, d.y, target=Domain(d.Xt))
    monkeypatch.setattr(module, "EXACT_ROWS", 100)
    fast = TCA(n_components=4, **waves)
    fast.fit(d.X, d.y, target=Domain(d.Xt))
    assert fast.objective_ == pytest.approx(exact.objective_, rel=0.1)
    order = RNG(0).permutation(200)
    moved = TCA(n_components=4, **waves)
    moved.fit(d.X[order], d.y[order], target=Domain(d.Xt))
    np.testing.assert_allclose(moved.predict(d.Xn), fast.predict(d.Xn))


def test_new_rows_are_mapped_as_the_old_ones(toy: Any) -> None:
    """Features of the rows seen come from K itself, in their order, with mean 0 and variance 1."""
    d = toy(0)
    model = TCA(shrinkage=0.0, gamma=0.05, n_components=5).fit(d.X, d.y, target=Domain(d.Xt))
    X = np.concatenate([d.X, d.Xt])
    K = rbf_kernel(X, gamma=0.05)
    W, _ = explicit(K, 60, model.mu, 5)
    Z = np.concatenate([model.transform(d.X, domain="source"), model.transform(d.Xt)])
    Ze = (K - K.mean(0)) @ W * np.sqrt(len(X))
    np.testing.assert_allclose(Z * np.sign((Z * Ze).sum(0)), Ze, atol=1e-5)
    np.testing.assert_allclose(Z.var(0), 1.0, rtol=1e-6)


def test_the_default_is_thirty_features_of_a_wide_kernel(toy: Any) -> None:
    d = toy(0, n=100, m=100)
    X = np.concatenate([d.X, d.Xt])
    squared = pdist(X, "sqeuclidean")
    K = rbf_kernel(X, gamma=0.01 / np.median(squared[squared > 0]))
    model = TCA().fit(d.X, d.y, target=Domain(d.Xt))
    assert model.n_components_ <= 30
    expected = explicit(K, 100, model.mu, model.n_components_)[1]
    assert model.objective_ == pytest.approx(expected, rel=1e-6)
    assert TCA().get_params()["n_components"] == 30


def test_none_drops_features_of_small_eigenvalues(toy: Any) -> None:
    d = toy(0)
    model = TCA(gamma=0.05, n_components=None).fit(d.X, d.y, target=Domain(d.Xt))
    K = rbf_kernel(np.concatenate([d.X, d.Xt]), gamma=0.05)
    least = [explicit(K, 60, model.mu, k)[1] for k in range(31)]
    inverse = np.diff(least)
    assert model.n_components_ == int((inverse[0] / inverse >= 0.01).sum())
    assert model.objective_ == pytest.approx(least[model.n_components_], rel=1e-6)


def test_a_callable_kernel(toy: Any) -> None:
    d = toy(0)
    model = TCA(kernel=polynomial_kernel, n_components=3).fit(d.X, d.y, target=Domain(d.Xt))
    K = polynomial_kernel(np.concatenate([d.X, d.Xt]))
    assert model.objective_ == pytest.approx(explicit(K, 60, model.mu, 3)[1], rel=1e-6)
    with pytest.raises(InputError, match="must return finite values of shape"):
        TCA(kernel=lambda X, Z: X[:, :1]).fit(d.X, d.y, target=Domain(d.Xt))


def test_the_median_heuristic() -> None:
    X = np.array([[0.0], [0.0], [1.0], [3.0]])
    # squared distances of different rows: 1, 9, 1, 9, 4
    assert make_kernel("rbf", None, X, RNG(0)).gamma == pytest.approx(1 / 4)


def test_a_direction_that_tells_only_the_domains_apart_is_dropped() -> None:
    rng = RNG(0)
    X, Xt = rng.normal(size=(200, 2)) * [2, 0.5], rng.normal(size=(200, 2)) * [2, 0.5] + [0, 9]
    model = TCA(Ridge(), kernel="linear", n_components=1)
    model.fit(X, X[:, 0], target=Domain(Xt))
    assert model.score(Xt, Xt[:, 0]) > 0.95


def test_float32_stays_float32(toy: Any) -> None:
    d = toy(0)
    X, Xt, Xn = (part.astype(np.float32) for part in (d.X, d.Xt, d.Xn))
    for kernel in ("rbf", "linear"):
        model = TCA(kernel=kernel, n_components=3).fit(X, d.y, target=Domain(Xt))
        wide = TCA(kernel=kernel, n_components=3).fit(d.X, d.y, target=Domain(d.Xt))
        assert model.transform(Xn).dtype == np.float32
        assert model.objective_ == pytest.approx(wide.objective_, rel=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kernel": "cubic"}, "kernel must be"),
        ({"gamma": 0.0}, "gamma must be"),
        ({"mu": 0.0}, "mu must be"),
        ({"n_components": 0}, "n_components must be"),
        ({"n_landmarks": 0}, "n_landmarks must be"),
        ({"approximation": "sine"}, "approximation must be"),
        ({"approximation": "fourier", "kernel": "linear"}, 'is for kernel="rbf" alone'),
    ],
)
def test_wrong_settings(settings: Any, message: str, toy: Any) -> None:
    d = toy(0)
    with pytest.raises(InputError, match=message):
        TCA(**settings).fit(d.X, d.y)


@pytest.mark.parametrize("settings", [{}, {"gamma": 1.0}, {"kernel": "linear"}], ids=str)
@pytest.mark.parametrize("d", [2, 30])
@pytest.mark.parametrize("value", [0.0, 0.3])
def test_equal_rows_are_refused(settings: Any, d: int, value: float) -> None:
    X = np.full((10, d), value)
    with pytest.raises(InputError, match="nothing to align"):
        TCA(**settings).fit(X, np.arange(10) % 2, target=Domain(X))


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_identical_domains_and_disjoint_supports(kernel: str, toy: Any) -> None:
    """Equal domains give kernel principal components; far ones still give finite features."""
    d = toy(0)
    same = TCA(kernel=kernel, gamma=0.05, n_components=2).fit(d.X, d.y, target=Domain(d.X))
    X = np.concatenate([d.X, d.X])
    K = rbf_kernel(X, gamma=0.05) if kernel == "rbf" else X @ X.T
    H = np.eye(len(X)) - 1 / len(X)
    top = np.linalg.eigvalsh(K @ H @ K)[::-1][:2]
    assert same.objective_ == pytest.approx(same.mu * (1 / top).sum(), rel=1e-9)
    assert np.array_equal(same.transform(d.X), same.transform(d.X, domain="source"))
    far = TCA(kernel=kernel).fit(d.X, d.y, target=Domain(d.Xt + 1e4))
    assert np.isfinite(far.predict_proba(d.Xt + 1e4)).all()
