"""`excess_share` against sums over pairs and all splits, and on samples of known distance."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from acclimate.maths.excess import Looked, excess_share

RNG = np.random.default_rng


def energy(X: np.ndarray, Z: np.ndarray) -> float:
    """Return the energy distance from the means over all pairs."""
    return float(2 * cdist(X, Z).mean() - cdist(X, X).mean() - cdist(Z, Z).mean())


def test_chance_is_the_mean_over_all_splits() -> None:
    rng = RNG(0)
    X, Z = rng.normal(size=(4, 3)), rng.normal(size=(3, 3)) + 4
    pooled, everyone = np.vstack([X, Z]), set(range(7))
    splits = [(list(s), list(everyone - set(s))) for s in combinations(range(7), 4)]
    chance = np.mean([energy(pooled[s], pooled[t]) for s, t in splits])
    assert excess_share(X, Z) == pytest.approx(1 - chance / energy(X, Z), rel=1e-12)


def test_counts_are_repeated_rows_and_order_is_nothing() -> None:
    rng = RNG(0)
    X, Z = rng.normal(size=(80, 3)), rng.normal(size=(60, 3)) + 0.5
    counts = rng.integers(0, 4, size=80)
    repeated = np.repeat(X, counts, axis=0)
    expected = excess_share(repeated, Z)
    assert excess_share(X, Z, counts.astype(float)) == pytest.approx(expected, rel=1e-9)
    assert excess_share(rng.permutation(repeated), Z[::-1]) == pytest.approx(expected, rel=1e-9)
    few = excess_share(X, Z, most=20)
    assert few != excess_share(X, Z)
    assert excess_share(X[::-1], rng.permutation(Z), most=20) == pytest.approx(few, rel=1e-9)


@pytest.mark.parametrize("size", [1, 7, 30, 200])
def test_batches_keep_the_rows_that_are_looked_at(size: int) -> None:
    X, Z = RNG(0).normal(size=(2, 100, 3))
    found = Looked(5, most=30)
    for i in range(0, 100, size):
        found.add(X[i : i + size])
    assert found.X.shape == (30, 3)
    expected = excess_share(X, Z + 0.5, seed=5, most=30)
    assert excess_share(found.X, Z + 0.5, seed=5, most=30) == expected


def test_two_draws_have_nothing_and_a_distance_nearly_all() -> None:
    shares = []
    for seed in range(20):
        X, Z = RNG(seed).normal(size=(2, 100, 30))
        shares.append(excess_share(X, Z))
        assert excess_share(X, Z + 1.0) > 0.9
    assert np.mean(shares) < 0.1


def test_equal_samples_have_nothing() -> None:
    X = RNG(0).normal(size=(10, 2))
    assert excess_share(X, X) == 0.0
    assert excess_share(np.ones((3, 2)), np.ones((4, 2))) == 0.0
    assert excess_share(np.zeros((1, 2)), np.ones((1, 2))) == pytest.approx(0.0)
