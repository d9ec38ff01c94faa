"""The quadratic program against scipy, its certificate, and what the weights do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics.pairwise import rbf_kernel

from acclimate import Domain
from acclimate.exceptions import ConvergenceWarning, InputError
from acclimate.reweighting.kmm import KMM, nystrom


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 2))
    return X, X[:, 0] ** 2, rng.normal((1.0, 0.0), 0.6, size=(100, 2))


def test_weights_follow_the_density_ratio_and_help_a_line() -> None:
    X, y, Xt = data()
    model = KMM(LinearRegression(), min_effective=None).fit(X, y, target=Domain(Xt))
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
    model = KMM(LinearRegression(), kernel=kernel, min_effective=None)
    model.fit(X, y, target=Domain(Xt))
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
        ({"n_landmarks": 0}, "n_landmarks .* got 0"),
        ({"min_effective": 0}, "min_effective .* got 0"),
        ({"approximation": "sine"}, "approximation .* got 'sine'"),
        ({"approximation": "fourier", "kernel": "linear"}, 'is for kernel="rbf" alone'),
        ({"kernel": lambda a, b: a}, "kernel must return finite values of shape"),
    ],
)
def test_wrong_settings_are_errors(settings: dict[str, Any], words: str) -> None:
    X, y, Xt = data()
    with pytest.raises(InputError, match=words):
        KMM(LinearRegression(), **settings).fit(X, y, target=Domain(Xt))


@pytest.mark.parametrize("wanted", [5, 60, 149, 1000])
def test_weights_are_spread_until_enough_rows_are_effective(wanted: int) -> None:
    X, y, Xt = data()
    plain = KMM(LinearRegression(), min_effective=None).fit(X, y, target=Domain(Xt))
    even = KMM(LinearRegression(), min_effective=wanted).fit(X, y, target=Domain(Xt))
    assert plain.mixing_ == 1.0
    np.testing.assert_allclose(plain.weights_, plain.solution_.w * 150 / plain.solution_.w.sum())
    t = even.mixing_
    np.testing.assert_allclose(even.weights_, 1 - t + t * plain.weights_, rtol=1e-9, atol=1e-12)
    left, found = plain.weight_report_.effective_rows, even.weight_report_.effective_rows
    assert found == pytest.approx(max(left, min(wanted, 150)), rel=1e-9)


def test_the_default_wants_ten_rows_a_feature_and_no_more_than_nine_tenths() -> None:
    rng = np.random.default_rng(0)
    for d, wanted in ((4, 50.0), (40, 135.0)):
        X, Xt = rng.normal(size=(150, d)), rng.normal(0.8, 0.5, size=(100, d))
        model = KMM(LinearRegression()).fit(X, X[:, 0], target=Domain(Xt))
        assert model.mixing_ < 1.0
        assert model.weight_report_.effective_rows == pytest.approx(wanted, rel=1e-9)


def test_too_few_steps_warn() -> None:
    X, y, Xt = data()
    with pytest.warns(ConvergenceWarning, match="after 1 steps"):
        KMM(LinearRegression(), max_steps=1).fit(X, y, target=Domain(Xt))


def test_landmarks_that_are_all_rows_give_the_kernel_itself() -> None:
    X, _, Xt = data()

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(rbf_kernel(a, b, gamma=0.5))

    Z = np.concatenate([X, Xt])
    F, Ft = nystrom(kernel, Z, X), nystrom(kernel, Z, Xt)
    np.testing.assert_allclose(F @ F.T, kernel(X, X), atol=1e-9)
    np.testing.assert_allclose(F @ Ft.T, kernel(X, Xt), atol=1e-9)


@pytest.mark.parametrize(
    ("approximation", "number", "slack"), [("landmarks", 60, 1e-4), ("fourier", 4000, 1e-2)]
)
def test_features_come_near_the_optimum_of_the_whole_kernel(
    approximation: str, number: int, slack: float
) -> None:
    X, y, Xt = data()
    settings: dict[str, Any] = {"width": 1.0, "tolerance": 1e-8}
    exact = KMM(LinearRegression(), **settings, n_landmarks=None).fit(X, y, target=Domain(Xt))
    few = KMM(
        LinearRegression(), **settings, n_landmarks=number, approximation=approximation,
        random_state=0,
    )  # fmt: skip
    few.fit(X, y, target=Domain(Xt))
    n, m = len(X), len(Xt)
    K, kappa = rbf_kernel(X, gamma=0.5), rbf_kernel(X, Xt, gamma=0.5).sum(1) * n / m

    def objective(w: np.ndarray) -> float:
        return float(0.5 * w @ K @ w - kappa @ w)

    best = objective(exact.solution_.w)
    assert best <= objective(few.solution_.w) <= best + slack * abs(best)


def test_landmarks_are_chosen_above_a_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, Xt = data()
    target = Domain(Xt)
    exact = (
        KMM(LinearRegression(), n_landmarks=None, random_state=0).fit(X, y, target=target).weights_
    )
    few = KMM(LinearRegression(), n_landmarks=20, random_state=0).fit(X, y, target=target).weights_
    assert np.array_equal(
        KMM(LinearRegression(), random_state=0).fit(X, y, target=target).weights_, exact
    )
    monkeypatch.setattr("acclimate.reweighting.kmm.EXACT_ROWS", 120)  # fewer than the source has
    monkeypatch.setattr("acclimate.reweighting.kmm.LANDMARKS", 20)
    assert np.array_equal(
        KMM(LinearRegression(), random_state=0).fit(X, y, target=target).weights_, few
    )
    assert not np.array_equal(few, exact)


def test_large_means_cost_no_digits() -> None:
    X, y, Xt = data()
    near = KMM(LinearRegression()).fit(X, y, target=Domain(Xt))
    far = KMM(LinearRegression()).fit(X + 1e6, y, target=Domain(Xt + 1e6))
    assert far.solution_.objective == pytest.approx(near.solution_.objective, rel=1e-6)
