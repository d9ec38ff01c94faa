"""Temperature against a grid, calibration error and Brier score against loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import brier_score_loss

from acclimate.exceptions import InputError
from acclimate.validators.calibration import (
    apply_temperature,
    brier,
    calibration_error,
    fit_temperature,
)


def overconfident(factor: float, n: int = 400, seed: int = 0) -> tuple[Any, Any]:
    """Labels are drawn from softmax(z); the model states softmax(factor z)."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 1.5, size=(n, 4))
    y = np.array([rng.choice(4, p=p) for p in softmax(z, axis=1)])
    return softmax(factor * z, axis=1), y


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
def test_temperature_against_a_grid(factor: float) -> None:
    p, y = overconfident(factor)
    z = np.log(p)

    def loss(t: float) -> float:
        return -float(np.log(softmax(z / t, axis=1)[np.arange(len(y)), y]).mean())

    near = min(np.exp(np.linspace(np.log(0.05), np.log(20), 200)), key=loss)
    best = min(np.linspace(near / 1.05, near * 1.05, 400), key=loss)
    assert fit_temperature(p, y) == pytest.approx(best, rel=5e-4)


def test_temperature_undoes_overconfidence() -> None:
    p, y = overconfident(4.0, n=5000)
    t = fit_temperature(p, y)
    assert t == pytest.approx(4, rel=0.1)
    assert calibration_error(p, y) > 0.15
    assert calibration_error(apply_temperature(p, t), y) < 0.03


def test_perfect_predictions_stay_in_the_bounds() -> None:
    # all right: the likelihood rises up to the bound, by less than rounding from 0.07 on
    assert 0.05 <= fit_temperature([[0.9, 0.1], [0.1, 0.9]], [0, 1]) < 0.07
    assert fit_temperature([[0.9, 0.1], [0.1, 0.9]], [1, 0]) == pytest.approx(20, rel=1e-3)
    assert np.isfinite(fit_temperature([[1.0, 0.0], [0.0, 1.0]], [0, 0]))


def test_apply_temperature_literal_and_invariants() -> None:
    p, _ = overconfident(1.0)
    np.testing.assert_allclose(apply_temperature(p, 1.0), p, rtol=1e-12)
    np.testing.assert_allclose(
        apply_temperature([[0.64, 0.36]], 2.0), [[0.8, 0.6]] / np.float64(1.4)
    )
    np.testing.assert_array_equal(apply_temperature(p, 7.0).argmax(1), p.argmax(1))
    assert apply_temperature(p.astype(np.float32), 2.0).dtype == np.float32


@pytest.mark.parametrize("bins", [1, 7, 15])
def test_calibration_error_against_loops(bins: int) -> None:
    p, y = overconfident(2.0)
    total = 0.0
    for b in range(bins):
        rows = [i for i in range(len(y)) if b / bins < max(p[i]) <= (b + 1) / bins]
        if rows:
            sure = np.mean([max(p[i]) for i in rows])
            right = np.mean([p[i].argmax() == y[i] for i in rows])
            total += len(rows) / len(y) * abs(right - sure)
    assert calibration_error(p, y, bins=bins) == pytest.approx(total, abs=1e-12)


def test_brier_against_scikit_learn() -> None:
    p, y = overconfident(2.0)
    two = p[:, :2] / p[:, :2].sum(axis=1, keepdims=True)
    # scikit-learn has one column for two classes, so half of the sum over both
    assert brier(two, y % 2) == pytest.approx(2 * brier_score_loss(y % 2, two[:, 1]))
    assert brier(p, y) == pytest.approx(np.square(p - np.eye(4)[y]).sum() / len(y))


def test_rows_and_classes_in_any_order() -> None:
    p, y = overconfident(3.0)
    rng = np.random.default_rng(1)
    rows, classes = rng.permutation(len(y)), rng.permutation(4)
    moved, labels = p[rows][:, classes], np.argsort(classes)[y[rows]]
    for score in (fit_temperature, calibration_error, brier):
        assert score(moved, labels) == pytest.approx(score(p, y), rel=1e-6)


def test_errors() -> None:
    p = [[0.9, 0.1], [0.1, 0.9]]
    with pytest.raises(InputError, match="columns 0 to 1, got 0 to 2"):
        fit_temperature(p, [0, 2])
    with pytest.raises(InputError, match=r"shape \(2,\)"):
        brier(p, [0])
    with pytest.raises(InputError, match="whole numbers"):
        calibration_error(p, ["a", "b"])
    with pytest.raises(InputError, match="temperature"):
        apply_temperature(p, 0.0)
    with pytest.raises(InputError, match="bins"):
        calibration_error(p, [0, 1], bins=0)
