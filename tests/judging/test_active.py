"""Rows to label: drawn with the chances that are said, and scored without bias."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from acclimate.exceptions import InputError
from acclimate.judging.active import (
    FLOOR,
    disagreement,
    draw_rows,
    rows_to_label,
    weighted_gain,
)


def test_disagreement_counts_pairs() -> None:
    answers = np.array([["a", "a", "b"], ["a", "b", "c"], ["a", "b", "a"], ["a", "b", "a"]])
    by_hand = []
    for column in answers.T:
        pairs = [one != two for one in column for two in column]
        by_hand.append(np.mean(pairs))
    np.testing.assert_allclose(disagreement(answers), by_hand)
    values = np.array([[1.0, 2.0], [3.0, 2.0]])
    np.testing.assert_allclose(disagreement(values), [1.0, 0.0])


def test_rows_are_drawn_with_the_chances_that_the_weights_say() -> None:
    scores = np.array([0.0] * 20 + [0.2] * 10 + [1.0] * 5)
    strata = np.arange(35) % 3
    times, weight = np.zeros(35), np.full(35, np.nan)
    draws = 1500
    for seed in range(draws):
        draw = draw_rows(scores, 10, strata=strata, random_state=seed)
        assert len(np.unique(draw.positions)) == 10
        times[draw.positions] += 1
        weight[draw.positions] = draw.weights
    chance = 10 / 35 / weight
    assert chance.sum() == pytest.approx(10)
    np.testing.assert_allclose(times / draws, chance, atol=4 * np.sqrt(0.25 / draws))
    share = (1 - FLOOR) * scores / scores.sum() + FLOOR / 35
    assert chance[0] / chance[20] == pytest.approx(share[0] / share[20])


def test_a_plain_draw_has_weights_of_one() -> None:
    np.testing.assert_allclose(draw_rows(np.zeros(50), 7).weights, 1.0)
    np.testing.assert_allclose(draw_rows(np.arange(50), 50).weights, 1.0)


def _simulate(rows: int, floor: float, seed: int) -> tuple[Any, float]:
    """One target, its draw, and the gain that the labels of the draw show."""
    rng = np.random.default_rng(7)
    y = rng.integers(0, 3, 2000)
    reference = np.where(rng.random(2000) < 0.75, y, (y + 1) % 3)
    candidate = np.where(
        rng.random(2000) < 0.15, np.where(rng.random(2000) < 0.95, y, 0), reference
    )
    true = (candidate == y).mean() - (reference == y).mean()
    scores = disagreement(np.array([candidate, reference]))
    draw = draw_rows(scores, rows, floor=floor, strata=candidate, random_state=seed)
    mine = draw.positions
    return weighted_gain(y[mine], candidate[mine], reference[mine], draw.weights), float(true)


@pytest.mark.slow
def test_the_estimate_has_no_bias_and_needs_fewer_labels_than_a_plain_draw() -> None:
    found: dict[float, Any] = {}
    for floor in (FLOOR, 1.0):
        runs = [_simulate(60, floor, seed) for seed in range(600)]
        gains = np.array([interval.estimate for interval, _ in runs])
        true = runs[0][1]
        covers = np.mean([interval.low <= true <= interval.high for interval, _ in runs])
        assert abs(gains.mean() - true) < 3.5 * gains.std() / np.sqrt(600)
        assert covers >= 0.94
        found[floor] = gains.std()
    assert true > 0.02
    assert found[FLOOR] < 0.5 * found[1.0]  # a quarter of the labels would do


def test_the_planned_rows_are_about_right() -> None:
    """With the planned number the standard error is about half of the gain that was planned for."""
    share = 0.2
    rows = rows_to_label(share, 0.05, 0.01)
    error = share / np.sqrt(rows * (1 - FLOOR))
    assert 1.9 < 0.05 / error < 2.1
    assert rows_to_label(1.0, 0.001, 0.01) == 1000
    assert rows_to_label(0.0, 0.5, 0.01) == 20


@pytest.mark.parametrize(
    ("scores", "rows", "floor", "message"),
    [
        ([-1.0, 0.0], 1, 0.1, "at least 0"),
        ([np.nan, 0.0], 1, 0.1, "finite"),
        ([0.0, 1.0], 3, 0.1, "between 1 and the 2 rows"),
        ([0.0, 1.0], 1, 0.0, "floor must lie"),
    ],
)
def test_wrong_values_are_refused(scores: Any, rows: int, floor: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        draw_rows(scores, rows, floor=floor)


def test_lengths_must_fit() -> None:
    with pytest.raises(InputError, match="one value for each row"):
        weighted_gain([0, 1], [0, 1], [0, 1], [1.0])
    with pytest.raises(InputError, match="at least 2 rows"):
        weighted_gain([0], [0], [0], [1.0])
