"""Schedules against literal values."""

from __future__ import annotations

import math

import pytest

from acclimate.training.schedules import SCHEDULES, linear, sigmoid_ramp, warmed_up


@pytest.mark.parametrize(
    ("name", "start", "middle", "end"),
    [
        ("constant", 1.0, 1.0, 1.0),
        ("linear", 1.0, 0.5, 0.0),
        ("cosine", 1.0, 0.5, 0.0),
        ("inverse", 1.0, 6**-0.75, 11**-0.75),
    ],
)
def test_literal_values(name: str, start: float, middle: float, end: float) -> None:
    values = [SCHEDULES[name](progress) for progress in (0.0, 0.5, 1.0)]
    assert values == pytest.approx([start, middle, end], abs=1e-15)


def test_cosine_a_quarter_of_the_way() -> None:
    assert SCHEDULES["cosine"](0.25) == pytest.approx((2 + math.sqrt(2)) / 4)


def test_every_schedule_is_listed_here() -> None:
    assert set(SCHEDULES) == {"constant", "linear", "cosine", "inverse"}


def test_sigmoid_ramp_rises_from_zero_to_almost_one() -> None:
    assert sigmoid_ramp(0.0) == 0.0
    assert sigmoid_ramp(0.5) == pytest.approx(math.tanh(2.5))
    assert sigmoid_ramp(1.0) == pytest.approx(math.tanh(5.0))


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_warm_up_rises_to_the_peak_without_a_jump(name: str, share: float) -> None:
    rate = warmed_up(SCHEDULES[name], share)
    assert rate(0.0) == 0.0
    assert rate(share / 2) == pytest.approx(0.5)
    assert rate(share - 1e-9) == pytest.approx(1.0, abs=1e-6)
    assert rate(share) == pytest.approx(1.0)
    assert rate(share + 1e-9) == pytest.approx(1.0, abs=1e-6)
    assert rate(1.0) == pytest.approx(SCHEDULES[name](1.0), abs=1e-12)


def test_no_warm_up_is_the_schedule_itself() -> None:
    assert warmed_up(linear, 0.0) is linear
