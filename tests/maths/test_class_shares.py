"""Moved probabilities are Bayes' rule with another prior; full shares keep what was said."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from acclimate.exceptions import InputError
from acclimate.maths.class_shares import full_shares, moved
from acclimate.shares import check_class_shares, parse_shares

NAN = np.nan
LABELS = np.array(["sick", "tired", "well"])


def test_moving_is_bayes_rule_with_the_other_prior() -> None:
    x = np.linspace(-3, 5, 40)
    dense = norm.pdf(x[:, None], loc=[0.0, 1.0, 3.0])
    old, new = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.2, 0.7])
    before, after = (dense * p / (dense * p).sum(1, keepdims=True) for p in (old, new))
    np.testing.assert_allclose(moved(before, new / old), after, rtol=1e-12)


def test_a_range_moves_to_its_nearest_end_only() -> None:
    known = np.array([0.2, 0.2, 0.6])
    low, high = np.array([0.3, NAN, NAN]), np.array([0.5, NAN, NAN])
    for implied, wanted in ((0.1, 0.3), (0.9, 0.5)):
        rest = (1 - implied) / 2
        found = full_shares(low, high, known, np.array([implied, rest, rest]))
        assert found is not None
        np.testing.assert_allclose(found, [wanted, (1 - wanted) / 4, 3 * (1 - wanted) / 4])
    assert full_shares(low, high, known, np.array([0.4, 0.3, 0.3])) is None


def test_ranges_of_all_classes_leave_a_sum_of_one_inside_each() -> None:
    low, high = np.array([0.2, 0.3, 0.1]), np.array([0.4, 0.6, 0.3])
    found = full_shares(low, high, np.full(3, 1 / 3), np.array([0.05, 0.9, 0.05]))
    assert found is not None
    assert found.sum() == pytest.approx(1.0, abs=1e-9)
    assert (found >= low - 1e-9).all()
    assert (found <= high + 1e-9).all()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sick": 0.7, "well": 0.4}, "have the sum 1.1 or more"),
        ({"sick": 0.2, "well": 0.2, "tired": 0.2}, "have the sum 0.6 or less"),
        ({"ill": 0.7}, "'ill', which the source lacks"),
        ({"sick": -0.1}, "from 0 to 1"),
        ({"sick": (0.8, 0.6)}, "from 0 to 1"),
        ({"sick": "much"}, "from 0 to 1"),
        ({}, "must be a mapping"),
        (0.7, "must be a mapping"),
    ],
)
def test_shares_that_cannot_be_are_one_error(given: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_class_shares(given, LABELS)


def test_classes_are_found_by_label_name_and_text() -> None:
    names = {0: "well", 1: "sick"}
    for key in (1, "sick", "1", np.int64(1)):
        limits = check_class_shares({key: 0.7}, np.array([0, 1]), names)
        np.testing.assert_array_equal(limits.low, [NAN, 0.7])
    with pytest.raises(InputError, match="twice"):
        check_class_shares({1: 0.7, "sick": 0.7}, np.array([0, 1]), names)


def test_options_of_the_command_line() -> None:
    assert parse_shares(["a=b=0.1"]) == {"a=b": 0.1}
    for wrong in ("sick", "=0.7", "sick=much", "sick=0.6.."):
        with pytest.raises(InputError, match="--share takes"):
            parse_shares([wrong])
    with pytest.raises(InputError, match="once"):
        parse_shares(["a=0.1", "a=0.2"])
