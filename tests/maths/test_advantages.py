from __future__ import annotations

import numpy as np
import pytest

from acclimate.maths.advantages import advantages


def case(seed: int = 0, T: int = 12, N: int = 3):
    rng = np.random.default_rng(seed)
    rewards, values, following = rng.normal(size=(3, T, N))
    last = rng.random((T, N)) < 0.25
    ended = last & (rng.random((T, N)) < 0.5)
    return rewards, values, np.where(ended, 0.0, following), last


@pytest.mark.parametrize(("discount", "trace"), [(0.9, 0.8), (1.0, 1.0), (0.99, 0.0), (0.0, 0.5)])
def test_it_is_the_sum_over_the_rest_of_the_episode(discount, trace):
    rewards, values, following, last = case()
    found = advantages(rewards, values, following, last, discount, trace)
    T, N = rewards.shape
    for n in range(N):
        for t in range(T):
            total = 0.0
            for k in range(t, T):
                surprise = rewards[k, n] + discount * following[k, n] - values[k, n]
                total += (discount * trace) ** (k - t) * surprise
                if last[k, n]:
                    break
            np.testing.assert_allclose(found[t, n], total, atol=1e-12)


def test_a_trace_of_one_gives_the_discounted_return_less_the_value():
    rewards, values, _, _ = case()
    following = np.concatenate([values[1:], np.zeros((1, values.shape[1]))])
    last = np.zeros(rewards.shape, dtype=bool)
    found = advantages(rewards, values, following, last, 0.9, 1.0)
    powers = 0.9 ** np.arange(len(rewards))
    for t in range(len(rewards)):
        returned = powers[: len(rewards) - t] @ rewards[t:]
        np.testing.assert_allclose(found[t], returned - values[t], atol=1e-12)


def test_values_that_are_right_leave_no_advantage():
    rewards, _, _, _ = case()
    values = np.cumsum(rewards[::-1], axis=0)[::-1]
    following = np.concatenate([values[1:], np.zeros((1, values.shape[1]))])
    last = np.zeros(rewards.shape, dtype=bool)
    found = advantages(rewards, values, following, last, 1.0, 0.95)
    np.testing.assert_allclose(found, 0.0, atol=1e-12)


def test_what_comes_after_an_end_changes_nothing_before_it():
    rewards, values, following, last = case()
    last[5] = True
    one = advantages(rewards, values, following, last, 0.9, 0.8)
    rewards[6:] += 100.0
    other = advantages(rewards, values, following, last, 0.9, 0.8)
    np.testing.assert_array_equal(one[:6], other[:6])
    assert (one[6:] != other[6:]).all()


def test_environments_do_not_mix_and_the_input_is_left_alone():
    given = case()
    before = [one.copy() for one in given]
    together = advantages(*given, 0.9, 0.8)
    order = [2, 0, 1]
    np.testing.assert_array_equal(
        together[:, order], advantages(*(one[:, order] for one in given), 0.9, 0.8)
    )
    for one, was in zip(given, before, strict=True):
        np.testing.assert_array_equal(one, was)
