"""The intervals behind the verdict: oracles, limits and coverage."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from acclimate.exceptions import InputError
from acclimate.judging.intervals import (
    crossed_interval,
    crossed_variances,
    gain_interval,
    nadeau_bengio_interval,
    r2_contributions,
    settlement,
)


def _crossed(
    rng: np.random.Generator, shape: tuple[int, int, int], spread: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Tables of shape (R, D, N) with true mean 0."""
    tables, draws, rows = shape
    return (
        spread[0] * rng.normal(size=(tables, draws, 1))
        + spread[1] * rng.normal(size=(tables, 1, rows))
        + spread[2] * rng.normal(size=shape)
    )


def test_components_against_explicit_loops() -> None:
    x = np.random.default_rng(0).normal(size=(4, 7))
    draws, rows = x.shape
    mean = sum(x[d, n] for d in range(draws) for n in range(rows)) / (draws * rows)
    of_draw = [sum(x[d]) / rows for d in range(draws)]
    of_row = [sum(x[:, n]) / draws for n in range(rows)]
    ms_draws = rows * sum((a - mean) ** 2 for a in of_draw) / (draws - 1)
    ms_rows = draws * sum((b - mean) ** 2 for b in of_row) / (rows - 1)
    left = sum(
        (x[d, n] - of_draw[d] - of_row[n] + mean) ** 2 for d in range(draws) for n in range(rows)
    )
    ms_left = left / ((draws - 1) * (rows - 1))
    expected = np.array([ms_draws, ms_rows, ms_left]) / (draws * rows)
    np.testing.assert_allclose(crossed_variances(x), expected, rtol=1e-12)


def test_half_width_adds_each_part_with_its_own_quantile() -> None:
    x = _crossed(np.random.default_rng(10), (1, 4, 7), (0.2, 1.0, 0.5))[0]
    var = crossed_variances(x)
    assert var.rows > var.residual
    of_draws = stats.t.ppf(0.975, 3) ** 2 * var.draws
    of_rows = stats.t.ppf(0.975, 6) ** 2 * (var.rows - var.residual)
    mean, _, high = gain_interval(x)
    assert high - mean == pytest.approx(np.sqrt(of_draws + of_rows))


def test_components_are_unbiased_for_the_variance_of_the_mean() -> None:
    spread = (0.4, 1.5, 0.8)
    x = _crossed(np.random.default_rng(1), (40_000, 3, 8), spread)
    var = crossed_variances(x)
    truth = spread[0] ** 2 / 3 + spread[1] ** 2 / 8 + spread[2] ** 2 / 24
    assert (var.draws + var.rows - var.residual).mean() == pytest.approx(truth, rel=0.02)
    assert x.mean(axis=(1, 2)).var() == pytest.approx(truth, rel=0.03)


def test_one_draw_is_the_t_interval_of_the_rows() -> None:
    x = np.random.default_rng(2).normal(0.3, 1, 30)
    expected = stats.ttest_1samp(x, 0).confidence_interval(0.9)
    _, low, high = gain_interval(x, 0.9)
    assert (low, high) == pytest.approx((expected.low, expected.high))


def test_draws_that_agree_on_each_row_add_nothing() -> None:
    x = np.random.default_rng(3).normal(0.3, 1, 30)
    assert gain_interval(np.tile(x, (4, 1))) == pytest.approx(gain_interval(x))


def test_rows_that_agree_in_each_draw_are_the_t_interval_of_the_draws() -> None:
    x = np.array([0.1, 0.4, 0.9])
    expected = stats.ttest_1samp(x, 0).confidence_interval(0.95)
    _, low, high = gain_interval(np.repeat(x[:, None], 200, axis=1))
    assert (low, high) == pytest.approx((expected.low, expected.high))


def test_many_draws_and_rows_approach_the_normal_interval() -> None:
    x = _crossed(np.random.default_rng(4), (1, 400, 3000), (1.0, 5.0, 0.5))[0]
    mean, low, high = gain_interval(x)
    var = crossed_variances(x)
    normal = 1.959964 * np.sqrt(var.draws + var.rows - var.residual)
    assert high - mean == pytest.approx(normal, rel=0.01)
    assert mean - low == pytest.approx(normal, rel=0.01)


@pytest.mark.parametrize("draws", [1, 3])
def test_scaling_shifting_and_confidence(draws: int) -> None:
    x = np.random.default_rng(5).normal(size=(draws, 20))
    mean, low, high = gain_interval(x)
    assert gain_interval(-3 * x) == pytest.approx((-3 * mean, -3 * high, -3 * low))
    assert gain_interval(x + 2) == pytest.approx((mean + 2, low + 2, high + 2))
    assert gain_interval(x, 0.99).high > high > gain_interval(x, 0.8).high


@pytest.mark.parametrize("rows", [100, 1000])
@pytest.mark.parametrize("draws", [1, 3, 5, 10])
def test_coverage_under_crossed_effects(draws: int, rows: int) -> None:
    mixes = [(0.0, 1.0, 0.0), (0.0, 1.0, 1.0), (0.05, 1.0, 0.5), (0.3, 1.0, 0.3), (1.0, 0.3, 0.3)]
    # Several cells are exact at 95 %: replications keep the noise of a rate well below a point.
    tables = 10_000 if rows == 100 else 5000
    rng = np.random.default_rng(draws * rows)
    covered, helped = np.zeros(len(mixes)), np.zeros(len(mixes))
    for part in np.array_split(np.arange(tables), 20):
        a = rng.standard_normal((part.size, draws, 1), dtype=np.float32)
        b = rng.standard_normal((part.size, 1, rows), dtype=np.float32)
        e = rng.standard_normal((part.size, draws, rows), dtype=np.float32)
        for index, (of_draw, of_row, of_cell) in enumerate(mixes):
            # One draw: the gain of that draw is what the interval can cover.
            x = of_row * b + of_cell * e + (of_draw * a if draws > 1 else 0)
            _, low, high = crossed_interval(x)
            covered[index] += ((low <= 0) & (high >= 0)).sum()
            helped[index] += (low > 0).sum()
    assert np.all(covered / tables >= 0.94), covered / tables
    assert np.all(helped / tables <= 0.03), helped / tables


def test_two_draws_cover_where_they_dominate() -> None:
    x = _crossed(np.random.default_rng(6), (4000, 2, 100), (2.0, 1.0, 1.0))
    _, low, high = crossed_interval(x)
    assert ((low <= 0) & (high >= 0)).mean() >= 0.94


@pytest.mark.parametrize(("rows", "up"), [(30, 0.05), (100, 0.01), (30, 0.97)])
def test_the_pseudo_pair_restores_coverage_of_rare_disagreements(rows: int, up: float) -> None:
    x = (np.random.default_rng(rows).random((4000, 1, rows)) < up).astype(float)
    _, low, high = crossed_interval(x, bounded=True)
    _, plain_low, plain_high = crossed_interval(x)
    assert ((low <= up) & (high >= up)).mean() >= 0.94
    assert ((plain_low <= up) & (plain_high >= up)).mean() < 0.94
    assert np.all(low <= x.mean(axis=(1, 2)))
    assert np.all(high >= x.mean(axis=(1, 2)))


def test_the_pseudo_pair_against_counts() -> None:
    gained, lost, n = 12, 5, 60
    x = np.r_[np.ones(gained), -np.ones(lost), np.zeros(n - gained - lost)]
    centre = (gained - lost) / (n + 2)
    spread = np.sqrt(gained + lost + 2 - (gained - lost) ** 2 / (n + 2))
    half = stats.t.ppf(0.975, n + 1) * spread / np.sqrt((n + 1) * (n + 2))
    interval = gain_interval(x, bounded=True)
    assert interval == pytest.approx(((gained - lost) / n, centre - half, centre + half))


def test_a_settling_size_settles_it() -> None:
    x = _crossed(np.random.default_rng(7), (1, 4, 200), (0.05, 1.0, 0.3))[0]
    x += 0.1 - x.mean()
    plan = settlement(x, margin=0.01)
    assert plan.rows is not None
    rows = plan.rows
    # Repeating the rows keeps row and residual variances as they are, but for degrees of freedom.
    tiled = np.tile(x, (1, int(np.ceil(1.3 * rows / 200))))
    assert gain_interval(tiled).low > 0
    assert gain_interval(np.tile(x, (1, max(1, int(0.4 * rows / 200))))).low < 0


def test_a_small_gain_settles_inside_the_margin() -> None:
    x = np.random.default_rng(11).normal(size=(1, 500))
    x += 0.02 - x.mean()
    rows = settlement(x, margin=0.1).rows
    assert rows is not None
    # The half-width has to fall from about 0.088 to 0.1 - 0.02, which takes a fifth more rows.
    wide = stats.t.ppf(0.975, rows - 1) * x.std(ddof=1) / np.sqrt(rows)
    assert wide == pytest.approx(0.08, rel=0.005)


def test_settling_needs_draws_where_draws_dominate() -> None:
    x = np.repeat([[0.0], [0.2], [0.35]], 50, axis=1)
    plan = settlement(x, margin=0.01)
    assert plan.rows is None
    assert plan.draws is not None
    assert 3 < plan.draws < 20
    assert settlement(x[:1] + np.eye(1, 50), margin=0.01).draws is None


def test_settling_may_need_both() -> None:
    x = _crossed(np.random.default_rng(8), (1, 3, 50), (1.0, 2.0, 0.0))[0]
    plan = settlement(x - x.mean() + 0.01, margin=0.01)
    assert (plan.rows, plan.draws) == (None, None)
    assert plan.together is not None
    assert plan.together[0] > 3
    assert plan.together[1] > 50


def test_r2_contributions_average_to_the_gain_and_cover_it() -> None:
    rng = np.random.default_rng(9)
    # Population: y has variance 4, errors have variances 1 and 2, so the gain is 0.25.
    covered = 0
    for _ in range(4000):
        y = rng.normal(0, 2, 150)
        candidate, reference = y + rng.normal(size=(1, 150)), y + 2**0.5 * rng.normal(size=(1, 150))
        parts = r2_contributions(y, candidate, reference)
        lost = ((reference - y) ** 2).sum() - ((candidate - y) ** 2).sum()
        assert parts.mean() == pytest.approx(lost / ((y - y.mean()) ** 2).sum())
        _, low, high = gain_interval(parts)
        covered += low <= 0.25 <= high
    assert covered / 4000 >= 0.94


def test_nadeau_bengio_against_its_formula_and_the_plain_t() -> None:
    gains = [0.02, 0.05, -0.01, 0.03, 0.04]
    mean = sum(gains) / 5
    s2 = sum((g - mean) ** 2 for g in gains) / 4
    half = stats.t.ppf(0.95, 4) * (s2 * (1 / 5 + 20 / 80)) ** 0.5
    assert nadeau_bengio_interval(gains, 80, 20, 0.9) == pytest.approx(
        (mean, mean - half, mean + half)
    )
    plain = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
    no_overlap = nadeau_bengio_interval(gains, 10**12, 1)
    assert no_overlap[1:] == pytest.approx((plain.low, plain.high))


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        (lambda: gain_interval([0.1]), r"\(1,\)"),
        (lambda: gain_interval(np.zeros((2, 2, 2))), r"\(2, 2, 2\)"),
        (lambda: gain_interval([0.1, np.inf]), r"inf at index \(0, 1\)"),
        (lambda: gain_interval([0.1, -1.5], bounded=True), r"-1\.5"),
        (lambda: gain_interval([0.1, 0.2], 1.0), r"confidence.*1\.0"),
        (lambda: nadeau_bengio_interval([0.1], 9, 1), r"\(1,\)"),
        (lambda: nadeau_bengio_interval([0.1, np.nan], 9, 1), r"nan at index \(1,\)"),
        (lambda: nadeau_bengio_interval([0.1, 0.2], 0, 1), "got 0 and 1"),
    ],
)
def test_bad_input_is_refused_with_its_value(call: Callable[[], object], shown: str) -> None:
    with pytest.raises(InputError, match=shown):
        call()
