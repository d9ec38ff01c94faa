"""Figures about the chosen candidate, held against plain computations."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import r2_score

from acclimate.comparison.design import Design, make_design
from acclimate.comparison.measures import by_part, calibration, gains, pareto, score_interval


def _design(y: np.ndarray) -> Design:
    return make_design(
        y, np.arange(len(y)), classify=y.dtype.kind != "f", folds=4, repeats=2, seed=0
    )


def test_scores_are_accuracy_and_r2() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    answers = np.array([y, np.where(rng.random(40) < 0.8, y, 1 - y)])
    score, low, high = score_interval(_design(y), answers, 0.95)
    assert score == pytest.approx((answers == y).mean())
    assert 0 <= low < score < high <= 1
    values = rng.normal(size=40)
    guesses = values + 0.3 * rng.normal(size=(2, 40))
    score, low, high = score_interval(_design(values), guesses, 0.95)
    assert score == pytest.approx(np.mean([r2_score(values, one) for one in guesses]))
    assert low < score < high <= 1


def test_all_right_is_no_certainty() -> None:
    y = np.arange(20) % 2
    score, low, high = score_interval(_design(y), np.array([y, y]), 0.95)
    assert (score, high) == (1.0, 1.0)
    assert low < 0.97


def test_the_mean_gain_of_values_is_the_difference_of_r2() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(size=30)
    a, b = y + 0.2 * rng.normal(size=(2, 30)), y + 0.6 * rng.normal(size=(2, 30))
    expected = np.mean([r2_score(y, one) - r2_score(y, two) for one, two in zip(a, b, strict=True)])
    assert gains(_design(y), a, b).mean() == pytest.approx(expected)


def test_a_group_that_loses_is_named() -> None:
    y = np.arange(120) % 2
    group = np.repeat(["x", "y", "z"], 40)
    reference = np.array([y, y])
    candidate = reference.copy()
    candidate[:, 80:110] = 1 - candidate[:, 80:110]
    rows = {
        row.name: row for row in by_part(_design(y), candidate, reference, group, {}, 0.01, 0.95)
    }
    assert [row.harmed for row in rows.values()] == [False, False, True]
    assert rows["z"].rows == 40
    assert rows["z"].candidate == pytest.approx(0.25)
    assert rows["z"].gain == pytest.approx(-0.75)
    assert rows["z"].high < 0
    assert rows["x"].low <= 0 <= rows["x"].high


def test_a_part_of_one_row_has_no_interval() -> None:
    y = np.arange(20) % 2
    group = np.array(["a"] * 19 + ["b"])
    row = by_part(_design(y), np.array([y, y]), np.array([1 - y] * 2), group, {}, 0.01, 0.95)[1]
    assert (row.rows, row.low, row.harmed) == (1, None, False)


def test_temperature_scaling_mends_what_is_too_sure() -> None:
    rng = np.random.default_rng(2)
    y = np.arange(400) % 2
    design = _design(y)
    logits = 1.2 * (2 * y - 1) + rng.normal(size=(2, 400)) * 1.5
    sure = 1 / (1 + np.exp(-4 * logits))
    found = calibration(design, np.stack([1 - sure, sure], axis=2), np.array([0, 1]))
    assert found.temperature > 2
    assert found.ece_scaled < 0.5 * found.ece
    assert sum(one.rows for one in found.bins) == 800
    gap = sum(one.rows * abs(one.accuracy - one.confidence) for one in found.bins)
    assert found.ece == pytest.approx(gap / 800, abs=1e-6)


def test_the_pareto_set_is_that_of_a_plain_loop() -> None:
    points = np.random.default_rng(3).integers(0, 5, size=(60, 3)).astype(float)
    rows = [(float(a), float(b), float(c)) for a, b, c in points]
    expected = [
        not any(
            x[0] >= one[0] and x[1] <= one[1] and x[2] <= one[2] and x != one for x in rows
        )
        for one in rows
    ]  # fmt: skip
    assert pareto(rows) == expected
    assert pareto([]) == []
