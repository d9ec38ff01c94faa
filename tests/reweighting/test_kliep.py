"""The likelihood against scipy's optimum, its certificate, and the choice of the width."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize
from sklearn.linear_model import LinearRegression

from acclimate import Domain
from acclimate.exceptions import InputError
from acclimate.reweighting.kliep import KLIEP, fit_width, maximise


def kernels(seed: int, b: int = 7) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X, Xt = rng.normal(size=(40, 2)), rng.normal((0.7, 0.0), 0.8, size=(25, 2))
    S, T = (np.exp(-((A[:, None] - Xt[None, :b]) ** 2).sum(2)) for A in (X, Xt))
    return S.mean(0), T


@pytest.mark.parametrize("seed", range(3))
def test_the_likelihood_is_scipys_optimum(seed: int) -> None:
    mean, T = kernels(seed)
    mine = maximise(mean, T)
    best = minimize(
        lambda a: (-np.log(T @ a).mean(), -(T / (T @ a)[:, None]).mean(0)),
        np.full(len(mean), 1 / mean.sum()), jac=True, method="SLSQP",
        bounds=[(0, None)] * len(mean), constraints=[LinearConstraint(mean[None], 1, 1)],
        options={"ftol": 1e-14, "maxiter": 1000},
    )  # fmt: skip
    assert mine.likelihood == pytest.approx(-best.fun, abs=1e-6)
    assert mine.likelihood == pytest.approx(np.log(T @ mine.theta).mean(), abs=1e-10)
    assert mine.gap < 1e-5
    assert mean @ mine.theta == pytest.approx(1.0, abs=1e-12)
    assert (mine.theta >= 0).all()


def data(n: int = 300, m: int = 250) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 1))
    return X, X[:, 0] ** 2, rng.normal(0.8, 0.6, size=(m, 1))


def test_weights_are_near_the_true_ratio_and_help_a_line() -> None:
    X, y, Xt = data()
    model = KLIEP(LinearRegression(), random_state=0).fit(X, y, target=Domain(Xt))
    x = X[:, 0]
    true = np.exp(-((x - 0.8) ** 2) / 0.72 + x**2 / 2)
    assert np.corrcoef(model.weights_, true)[0, 1] > 0.9
    assert model.score(Xt, Xt[:, 0] ** 2) > model.source_model_.score(Xt, Xt[:, 0] ** 2) + 0.1
    assert model.fit_.gap < 1e-4


def test_the_width_is_chosen_and_order_changes_nothing() -> None:
    X, y, Xt = data(80, 60)
    plain = KLIEP(LinearRegression(), widths=(0.01, 0.7, 50.0), random_state=0)
    plain.fit(X, y, target=Domain(Xt))
    assert plain.width_ == 0.7
    order = np.random.default_rng(3).permutation(len(X))
    moved = KLIEP(LinearRegression(), widths=(0.01, 0.7, 50.0), random_state=0)
    moved.fit(X[order], y[order], target=Domain(Xt[::-1]))
    np.testing.assert_allclose(moved.weights_, plain.weights_[order], rtol=1e-4, atol=1e-6)


def test_domains_that_do_not_meet_are_an_error() -> None:
    X, y, Xt = data()
    assert fit_width(np.full((3, 2), 1e9), np.zeros((2, 2)), 1.0) is None
    with pytest.raises(InputError, match="the domains do not meet"):
        KLIEP(LinearRegression(), widths=(0.1,)).fit(X, y, target=Domain(Xt + 500))
    with pytest.raises(InputError, match="2 rows of the target"):
        KLIEP(LinearRegression()).fit(X, y, target=Domain(Xt[:1]))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"widths": (-1.0,)}, "widths .* got -1.0"),
        ({"centres": 0}, "centres .* got 0"),
        ({"folds": 1}, "folds .* got 1"),
    ],
)
def test_wrong_settings_are_errors(settings: dict[str, Any], words: str) -> None:
    X, y, Xt = data()
    with pytest.raises(InputError, match=words):
        KLIEP(LinearRegression(), **settings).fit(X, y, target=Domain(Xt))
