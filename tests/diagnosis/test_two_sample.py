"""Two-sample tests against brute force, known distributions, and literal values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics.pairwise import rbf_kernel

from acclimate.diagnosis import two_sample
from acclimate.diagnosis.two_sample import (
    a_distance,
    domain_probabilities,
    effective_share,
    mmd_test,
    overlap,
    scale_apart,
    shares_test,
    standardise,
    target_shares,
)
from acclimate.exceptions import InputError


def test_standardise_by_hand() -> None:
    source = np.array([[1.0, 5.0, 2.0], [3.0, 5.0, np.nan]])
    target = np.array([[5.0, 5.0, 4.0]])
    X, Z = standardise(source, target)
    # the constant column is gone, and the last column tells of the gap
    root = np.sqrt(1.5)
    assert X == pytest.approx(np.array([[-root, -1.0, 0.0], [0.0, 0.0, 1.0]]))  # noqa: SIM300
    assert Z == pytest.approx(np.array([[root, 1.0, 0.0]]))  # noqa: SIM300


def test_standardise_holds_far_values_in() -> None:
    X, _ = standardise(np.r_[np.zeros(999), 1e9][:, None], np.zeros((10, 1)))
    assert X.max() == two_sample.FAR


def test_scaling_apart_leaves_indicators_alone() -> None:
    rng = np.random.default_rng(0)
    source = np.c_[rng.normal(5, 2, 100), rng.integers(0, 2, 100)]
    target = np.c_[rng.normal(-1, 9, 80), rng.integers(0, 2, 80)]
    target[3, 0] = np.nan
    X, Z = scale_apart(source, target)
    assert np.nanmean(Z[:, 0]) == pytest.approx(0, abs=0.05)
    assert np.nanstd(X[:, 0]) == pytest.approx(1, abs=0.05)
    assert (Z[5, 0] - X[5, 0]) % 0.25 == 0
    assert (X[:, 1] == source[:, 1]).all()
    assert np.isnan(Z[3, 0])


def brute_mmd(X: np.ndarray, Z: np.ndarray) -> float:
    both = np.concatenate([X, Z])
    squared = ((both[:, None] - both[None]) ** 2).sum(-1)
    gamma = 1 / np.median(squared[np.triu_indices(len(both), 1)])
    n, m = len(X), len(Z)
    a, b, c = rbf_kernel(X, X, gamma), rbf_kernel(Z, Z, gamma), rbf_kernel(X, Z, gamma)
    return (a.sum() - n) / (n * (n - 1)) + (b.sum() - m) / (m * (m - 1)) - 2 * c.mean()


def test_the_discrepancy_by_brute_force() -> None:
    rng = np.random.default_rng(1)
    X, Z = rng.normal(size=(40, 3)), rng.normal(size=(25, 3)) + 0.7
    found = mmd_test(X, Z)
    assert found.value == pytest.approx(brute_mmd(X, Z), abs=1e-12)
    assert found.p == 1 / 500
    # the permuted values, with the same generator
    both, generator = np.concatenate([X, Z]), np.random.default_rng(0)
    order = generator.permutation(65)
    sides = np.zeros(65, dtype=bool)
    sides[order[:40]] = True
    assert found.low < brute_mmd(both[sides], both[~sides]) < found.value


@pytest.mark.slow
def test_the_discrepancy_keeps_its_level() -> None:
    rng = np.random.default_rng(2)
    p = [mmd_test(rng.normal(size=(40, 2)), rng.normal(size=(30, 2)), s).p for s in range(200)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_the_discrepancy_of_equal_rows_is_nothing() -> None:
    assert mmd_test(np.zeros((5, 2)), np.zeros((4, 2))).p == 1.0


def test_the_a_distance_by_hand() -> None:
    # 3 of 4 source rows and 1 of 2 target rows are right: 2 (2 * 0.625 - 1) = 0.5
    found = a_distance(np.array([0.1, 0.2, 0.3, 0.9]), np.array([0.4, 0.8]))
    assert found.value == pytest.approx(0.5)
    assert found.low == 0.0
    assert found.p == pytest.approx(stats.norm.sf(0.125 / np.sqrt(0.0625 * (1 / 4 + 1 / 2))))
    far = a_distance(np.zeros(500), np.ones(400))
    assert far.value == far.high == 2.0
    assert far.low > 1.9
    assert a_distance(np.full(9, 0.5), np.full(9, 0.5)).value == 0.0


def test_weights_count_as_rows() -> None:
    p, w = np.array([0.1, 0.9, 0.2]), np.array([1.0, 2.0, 0.0])
    target = np.array([0.7, 0.3])
    assert a_distance(p, target, w).value == pytest.approx(
        a_distance(np.array([0.1, 0.9, 0.9]), target).value
    )


def test_the_interval_of_the_a_distance_holds_the_truth() -> None:
    # a threshold on one normal: the best error for a gap of 1 is norm.cdf(-0.5)
    truth = 2 * (1 - 2 * stats.norm.cdf(-0.5))
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        X, Z = rng.normal(size=150), rng.normal(1, size=100)
        found = a_distance((X > 0.5).astype(float), (Z > 0.5).astype(float))
        held += found.low <= truth <= found.high
    assert held / 400 > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 400)


def test_the_classifier_finds_a_difference_of_spread_alone() -> None:
    rng = np.random.default_rng(4)
    X, Z = standardise(rng.normal(size=(300, 2)), rng.normal(size=(300, 2)) * [1, 4])
    found = a_distance(*domain_probabilities(X, Z))
    assert found.low > 0.3
    assert found.p < 1e-6


def test_weights_undo_other_shares_of_two_groups() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.random(600) < 0.5, rng.random(500) < 0.85
    X, Z = standardise(rng.normal(size=(600, 2)) + 3 * a[:, None],
                       rng.normal(size=(500, 2)) + 3 * b[:, None])  # fmt: skip
    plain = a_distance(*domain_probabilities(X, Z))
    w = np.where(a, 0.85 / 0.5, 0.15 / 0.5)
    weighed = a_distance(*domain_probabilities(X, Z, w), w)
    assert plain.p < 1e-6
    assert weighed.p > 0.01


def test_the_effective_share_by_hand() -> None:
    assert effective_share(np.full(10, 0.5)) == pytest.approx(1.0)
    assert effective_share(np.array([0.5, 0.0])) == pytest.approx(
        (1.0 + 1 / 999) ** 2 / 2 / (1 + 1 / 999**2) * (1 + 1 / 999) / 2
    )
    assert effective_share(np.full(10, 0.001)) < 0.002


def test_overlap_by_brute_force() -> None:
    rng = np.random.default_rng(6)
    X = rng.normal(size=(200, 2))
    Z = np.r_[rng.normal(size=(60, 2)), rng.normal(size=(40, 2)) + 50]
    found = overlap(X, Z)

    def fifth(rows: np.ndarray) -> np.ndarray:
        return np.sort(((rows[:, None] - X[None, :100]) ** 2).sum(-1) ** 0.5, axis=1)[:, 4]

    limit = np.sort(fifth(X[100:]))[98]  # the 99th of 100
    assert found.inside == pytest.approx((fifth(Z) <= limit).mean())
    assert found.inside <= 0.6
    assert found.p < 1e-6
    with pytest.raises(InputError, match="20 source rows"):
        overlap(X[:19], Z)


def test_class_shares_by_scipy() -> None:
    a, b = np.array([50, 30, 20]), np.array([20, 40, 40])
    distance, p = shares_test(a, b)
    assert distance == pytest.approx(0.3)
    assert p == pytest.approx(stats.chi2_contingency([a, b]).pvalue)
    assert shares_test(np.array([5, 0]), np.array([7, 0])) == (0.0, 1.0)
    assert shares_test(np.array([0, 0]), np.array([7, 0])) == (0.0, 1.0)


def test_rare_classes_are_pooled() -> None:
    a, b = np.r_[100, 100, np.ones(20, int)], np.r_[100, 100, np.ones(20, int)]
    assert shares_test(a, b)[1] == pytest.approx(1.0)
    _, p = shares_test(np.r_[100, np.zeros(30, int)], np.r_[100, np.ones(30, int)])
    assert p < 1e-6


def test_target_shares_solve_the_confusion() -> None:
    source, target = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.2, 0.7])
    given = np.array([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.1, 0.2, 0.7]])  # p(said | true)
    found = target_shares(given * source, given @ target, source)
    assert found == pytest.approx(target, abs=1e-9)
    assert target_shares(np.full((3, 3), 1 / 9), np.full(3, 1 / 3), source) is None
