"""Closed forms against scipy and against leaving rows out one pair at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from acclimate import Domain
from acclimate.exceptions import InputError
from acclimate.reweighting.rulsif import RULSIF
from acclimate.reweighting.ulsif import ULSIF, coefficients, leave_one_out


def kernels(n: int, m: int, b: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    X, Xt = rng.normal(size=(n, 2)), rng.normal((0.7, 0.0), 0.8, size=(m, 2))
    squared = [((A[:, None] - Xt[None, :b]) ** 2).sum(2) for A in (X, Xt)]
    return np.exp(-squared[0]), np.exp(-squared[1])


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("sizes", [(14, 9), (9, 14)], ids=str)
def test_leave_one_out_is_leaving_one_out(alpha: float, sizes: tuple[int, int]) -> None:
    S, T = kernels(*sizes)
    for ridge in (1e-3, 0.3):
        losses = []
        for i in range(min(sizes)):
            theta = coefficients(np.delete(S, i, 0), np.delete(T, i, 0), alpha, ridge)
            r, r_t = S[i] @ theta, T[i] @ theta
            losses.append(alpha / 2 * r_t**2 + (1 - alpha) / 2 * r**2 - r_t)
        assert leave_one_out(S, T, alpha, ridge) == pytest.approx(np.mean(losses), rel=1e-8)


@pytest.mark.parametrize("alpha", [0.0, 0.4])
def test_coefficients_minimise_the_loss(alpha: float) -> None:
    S, T = kernels(30, 20, 3)

    def loss(theta: np.ndarray) -> float:
        r, r_t = S @ theta, T @ theta
        fit = alpha / 2 * (r_t**2).mean() + (1 - alpha) / 2 * (r**2).mean() - r_t.mean()
        return float(fit + 0.05 * theta @ theta)

    theta = coefficients(S, T, alpha, 0.1)
    assert (theta > 0).all()  # none was cut, so this is the free minimum
    eye = np.eye(3) * 1e-5
    slope = [(loss(theta + e) - loss(theta - e)) / 2e-5 for e in eye]
    np.testing.assert_allclose(slope, 0.0, atol=1e-8)


def data(n: int = 400, m: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 1))
    return X, X[:, 0] ** 2, rng.normal(0.8, 0.6, size=(m, 1))


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_weights_are_near_the_true_ratio(alpha: float) -> None:
    X, y, Xt = data(800, 800)
    w = RULSIF(LinearRegression(), alpha=alpha, random_state=0).fit(X, y, target=Domain(Xt))
    x = X[:, 0]
    p, q = np.exp(-((x - 0.8) ** 2) / 0.72) / 0.6, np.exp(-(x**2) / 2)
    true = p / (alpha * p + (1 - alpha) * q)
    assert np.corrcoef(w.weights_, true)[0, 1] > 0.97


def test_alpha_zero_is_ulsif() -> None:
    X, y, Xt = data()
    a = ULSIF(LinearRegression(), random_state=0).fit(X, y, target=Domain(Xt))
    b = RULSIF(LinearRegression(), alpha=0.0, random_state=0).fit(X, y, target=Domain(Xt))
    assert np.array_equal(a.weights_, b.weights_)
    assert a.choice_ == b.choice_
    assert a.score(Xt, Xt[:, 0] ** 2) > a.source_model_.score(Xt, Xt[:, 0] ** 2) + 0.1


@pytest.mark.parametrize("method", [ULSIF, RULSIF])
def test_the_order_of_rows_changes_nothing(method: Any) -> None:
    X, y, Xt = data(80, 60)
    order = np.random.default_rng(3).permutation(len(X))
    plain = method(LinearRegression(), random_state=0).fit(X, y, target=Domain(Xt))
    moved = method(LinearRegression(), random_state=0).fit(
        X[order], y[order], target=Domain(Xt[::-1])
    )
    np.testing.assert_allclose(moved.weights_, plain.weights_[order], rtol=1e-6, atol=1e-9)


def test_identical_domains_get_nearly_equal_weights() -> None:
    X, y, _ = data()
    model = RULSIF(LinearRegression(), random_state=0).fit(X, y, target=Domain(X))
    assert model.weight_report_.share > 0.9


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"alpha": 1.0}, "alpha .* got 1.0"),
        ({"widths": ()}, "widths must be a list of one or more"),
        ({"ridges": (1.0, 0.0)}, "ridges .* got 0.0"),
        ({"centres": 0}, "centres .* got 0"),
    ],
)
def test_wrong_settings_are_errors(settings: dict[str, Any], words: str) -> None:
    X, y, Xt = data()
    with pytest.raises(InputError, match=words):
        RULSIF(LinearRegression(), **settings).fit(X, y, target=Domain(Xt))


def test_disjoint_domains_and_single_rows_are_errors() -> None:
    X, y, Xt = data()
    with pytest.raises(InputError, match="may not overlap"):
        ULSIF(LinearRegression(), widths=(0.1,)).fit(X, y, target=Domain(Xt + 500))
    with pytest.raises(InputError, match="2 rows in each domain"):
        ULSIF(LinearRegression()).fit(X, y, target=Domain(Xt[:1]))
