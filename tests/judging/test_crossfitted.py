"""The interval of cross-fitted gains: by hand, and by what it must not do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from acclimate.exceptions import InputError
from acclimate.judging.active import draw_rows
from acclimate.judging.crossfitted import cross_fitted_interval, rows_to_settle
from acclimate.judging.verdict import verdict


def test_one_repeat_is_students_interval_and_a_tenth_more_variance() -> None:
    x = np.array([0.1, 0.4, -0.2, 0.3, 0.0, 0.5])
    mean, low, high = cross_fitted_interval(x[None], 5)
    expected = stats.t.interval(0.95, 5, x.mean(), stats.sem(x) * np.sqrt(1.1))
    np.testing.assert_allclose([mean, low, high], [x.mean(), *expected])


def test_repeats_that_answer_alike_show_that_no_label_trains() -> None:
    x = np.random.default_rng(0).normal(size=(1, 30))
    found = cross_fitted_interval(np.repeat(x, 3, axis=0), 5)
    expected = stats.t.interval(0.95, 29, x.mean(), stats.sem(x[0]))
    np.testing.assert_allclose(found, [x.mean(), *expected])
    moved = np.repeat(x, 3, axis=0)
    moved[0, 0] += 1e-9
    ratio = np.ptp(cross_fitted_interval(moved, 5)[1:]) / np.ptp(expected)
    assert ratio == pytest.approx(np.sqrt(1.1), abs=1e-6)


def test_movement_from_repeat_to_repeat_is_not_averaged_away() -> None:
    rng = np.random.default_rng(1)
    rows, noise = rng.normal(size=40), rng.normal(size=(50, 40))
    _, low, high = cross_fitted_interval(rows + noise, 5)
    _, still_low, still_high = cross_fitted_interval((rows + noise).mean(axis=0)[None], 5)
    assert high - low > 1.2 * (still_high - still_low)


def test_many_tables_at_once() -> None:
    x = np.random.default_rng(2).integers(-1, 2, size=(4, 3, 20)).astype(float)
    together = np.array(cross_fitted_interval(x, 4, bounded=True))
    for place, table in enumerate(x):
        np.testing.assert_allclose(
            together[:, place], cross_fitted_interval(table, 4, bounded=True)
        )


def test_a_few_rows_that_agree_are_no_certainty() -> None:
    mean, low, high = cross_fitted_interval(np.ones((2, 5)), 5, bounded=True)
    assert (mean, high) == (1.0, 1.0)
    assert low < 0.5


def test_the_plan_is_where_the_interval_settles() -> None:
    x = np.random.default_rng(3).choice([-1.0, 0.0, 1.0], p=[0.1, 0.75, 0.15], size=(2, 100))
    rows = rows_to_settle(x, 5, margin=0.01)
    assert rows is not None
    gain, variance = abs(x.mean()), x.var(axis=1, ddof=1).mean() * 1.1
    for size, settled in ((rows, True), (rows - 2, False)):
        half = stats.t.ppf(0.975, size - 1) * np.sqrt(variance / size)
        assert (half <= max(gain, 0.01 - gain)) == settled


def test_the_verdict_takes_folds() -> None:
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 200)
    right = rng.random((3, 200)) < 0.9
    wrong = rng.random((3, 200)) < 0.6
    said = verdict(y, np.where(right, y, 1 - y), np.where(wrong, y, 1 - y), folds=5)
    ends = cross_fitted_interval(right.astype(float) - wrong, 5, bounded=True)
    np.testing.assert_allclose([said.gain, said.low, said.high], ends)
    assert (said.word, said.folds) == ("helps", 5)
    assert "200 labelled rows, cross-fitted in 5 folds, 3 times" in said.sentence()
    assert "draw of the 200 labelled rows" in said.covers
    assert said.to_dict()["folds"] == 5
    with pytest.raises(InputError, match="folds must be at least 2"):
        verdict(y, y, y, folds=1)


def test_a_verdict_on_folds_plans_labelled_rows() -> None:
    rng = np.random.default_rng(5)
    y = np.zeros(60, dtype=int)
    sides = [(rng.random((1, 60)) < share).astype(int) for share in (0.30, 0.35)]
    said = verdict(y, *sides, folds=5)
    assert said.word == "not settled"
    assert said.settles_at is not None
    assert said.settles_at.rows is not None
    assert said.settles_at.draws is None
    assert "labelled rows would settle it" in said.sentence()


def test_weights_give_the_weighted_mean_and_only_their_ratios_count() -> None:
    rng = np.random.default_rng(6)
    x = rng.integers(-1, 2, size=(3, 50)).astype(float)
    w = rng.uniform(0.2, 3.0, 50)
    mean, low, high = cross_fitted_interval(x, 5, bounded=True, weights=w)
    assert mean == pytest.approx(np.average(x.mean(axis=0), weights=w))
    assert low < mean < high
    again = cross_fitted_interval(x, 5, bounded=True, weights=7 * w)
    np.testing.assert_allclose(again, (mean, low, high))
    plain = cross_fitted_interval(x, 5, bounded=True)
    np.testing.assert_allclose(
        cross_fitted_interval(x, 5, bounded=True, weights=np.full(50, 3.0)), plain
    )


def test_a_weighted_verdict_is_about_the_whole_target() -> None:
    """Rows drawn where two models differ, and weighted: the gain is that of a plain sample."""
    rng = np.random.default_rng(7)
    y = rng.integers(0, 2, 4000)
    one = np.where(rng.random(4000) < 0.9, y, 1 - y)
    two = np.where(rng.random(4000) < 0.8, y, 1 - y)
    true = (one == y).mean() - (two == y).mean()
    draw = draw_rows((one != two).astype(float), 1000)
    mine = draw.positions
    said = verdict(y[mine], one[mine], two[mine], folds=5, weights=draw.weights)
    unweighted = verdict(y[mine], one[mine], two[mine], folds=5)
    assert said.gain == pytest.approx(true, abs=0.02)
    assert said.candidate_score == pytest.approx((one == y).mean(), abs=0.04)
    assert unweighted.gain > 2 * true
    assert said.low <= true <= said.high
    with pytest.raises(InputError, match="weights take folds"):
        verdict(y[mine], one[mine], two[mine], weights=draw.weights)
    with pytest.raises(InputError, match="above 0"):
        verdict(y[mine], one[mine], two[mine], folds=5, weights=0 * draw.weights)
