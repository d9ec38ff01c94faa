"""Validators on target predictions: brute force, literal values, rows and classes in any order."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from acclimate.exceptions import InputError
from acclimate.validators import confidence
from acclimate.validators.confidence import (
    diversity,
    entropy,
    information_maximisation,
    mano,
    nuclear_norm,
    snd,
)

ALL: list[Callable[..., float]] = [
    entropy, diversity, information_maximisation, nuclear_norm, snd, mano
]  # fmt: skip


@pytest.fixture
def proba() -> Any:
    rng = np.random.default_rng(0)
    p = softmax(3 * rng.normal(size=(23, 4)), axis=1)
    p[0] = [1.0, 0.0, 0.0, 0.0]  # log 0 must not be NaN
    return p


def slow_entropy(row: Any) -> float:
    return -sum(x * math.log(x) for x in row if x > 0)


def slow_snd(p: Any, tau: float) -> float:
    total = 0.0
    for i in range(len(p)):
        weights = []
        for j in range(len(p)):
            if j != i:
                cosine = sum(a * b for a, b in zip(p[i], p[j], strict=True)) / (
                    math.sqrt(sum(a * a for a in p[i])) * math.sqrt(sum(b * b for b in p[j]))
                )
                weights.append(math.exp(cosine / tau))
        total += slow_entropy([w / sum(weights) for w in weights])
    return total / len(p)


def test_entropies_against_loops(proba: Any) -> None:
    mean = float(np.mean([slow_entropy(row) for row in proba]))
    shares = [sum(row[c] for row in proba) / len(proba) for c in range(4)]
    assert entropy(proba) == pytest.approx(-mean, abs=1e-12)
    assert diversity(proba) == pytest.approx(slow_entropy(shares) / math.log(4), abs=1e-12)
    assert information_maximisation(proba) == pytest.approx(slow_entropy(shares) - mean, abs=1e-12)


def test_snd_against_loops(proba: Any) -> None:
    assert snd(proba) == pytest.approx(slow_snd(proba.tolist(), 0.05), abs=1e-10)
    assert snd(proba, temperature=0.5) == pytest.approx(slow_snd(proba.tolist(), 0.5), abs=1e-10)


def test_snd_of_blocks_is_that_of_the_whole(proba: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = snd(proba)
    monkeypatch.setattr(confidence, "_CELLS", 5 * len(proba))  # 5 rows at a time, the last has 3
    assert snd(proba) == pytest.approx(whole, abs=1e-12)


def test_snd_never_holds_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    import tracemalloc

    p = softmax(np.random.default_rng(0).normal(size=(2000, 3)), axis=1)
    monkeypatch.setattr(confidence, "_CELLS", 100_000)
    tracemalloc.start()
    snd(p)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2000 * 2000 * 8 / 4


def test_snd_with_a_tiny_temperature_is_finite() -> None:
    # Two pairs of equal rows: each row has one neighbour, and an entropy of 0.
    assert snd([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]], temperature=1e-5) == 0.0


def test_nuclear_norm_against_eigenvalues(proba: Any) -> None:
    values = np.linalg.eigvalsh(proba.T @ proba)
    expected = np.sqrt(np.maximum(values, 0)).sum() / np.sqrt(23 * 4)
    assert nuclear_norm(proba) == pytest.approx(expected, abs=1e-7)


def test_mano_against_loops(proba: Any) -> None:
    plain = (sum(x**4 for row in proba for x in row) / proba.size) ** 0.25
    assert mano(proba) == pytest.approx(plain, abs=1e-12)
    logits = np.random.default_rng(1).normal(size=proba.shape)
    total = 0.0
    for row in logits:
        taylor = [1 + q + q * q / 2 for q in row]
        total += sum((t / sum(taylor)) ** 4 for t in taylor)
    assert mano(softmax(logits, axis=1), logits) == pytest.approx((total / logits.size) ** 0.25)


def test_mano_takes_the_softmax_of_sure_logits() -> None:
    logits = np.array([[30.0, 0.0, 0.0], [0.0, 30.0, 0.0]])  # cross-entropy to uniform is 20
    p = softmax(logits, axis=1)
    assert mano(p, logits) == mano(p)


@pytest.mark.parametrize("validator", ALL)
def test_the_order_of_rows_and_classes_does_not_matter(validator: Any, proba: Any) -> None:
    rng = np.random.default_rng(2)
    moved = proba[rng.permutation(23)][:, rng.permutation(4)]
    assert validator(moved) == pytest.approx(validator(proba), abs=1e-12)


@pytest.mark.parametrize("validator", ALL)
def test_float32_gives_the_same(validator: Any, proba: Any) -> None:
    assert validator(proba.astype(np.float32)) == pytest.approx(validator(proba), abs=2e-5)


def test_extremes() -> None:
    sure = np.eye(3)[np.arange(12) % 3]
    unsure = np.full((12, 3), 1 / 3)
    one = np.eye(3)[np.zeros(12, dtype=int)]
    assert entropy(sure) == 0
    assert entropy(unsure) == pytest.approx(-math.log(3))
    assert diversity(sure) == pytest.approx(1)
    assert diversity(one) == 0
    assert information_maximisation(sure) == pytest.approx(math.log(3))
    assert information_maximisation(one) == pytest.approx(0)
    assert information_maximisation(unsure) == pytest.approx(0, abs=1e-12)
    assert nuclear_norm(sure) == pytest.approx(1)
    assert nuclear_norm(one) == pytest.approx(1 / math.sqrt(3))
    assert snd(one) == pytest.approx(math.log(11))
    assert snd(sure) < math.log(4)  # three neighbours at most


@pytest.mark.parametrize("validator", ALL)
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([[0.7, 0.7]], "adds up to 1.4"),
        ([[1.5, -0.5]], "at least 0"),
        ([[np.nan, 1.0]], "finite"),
        ([[1.0], [1.0]], "2 classes"),
        ([0.5, 0.5], "2 classes"),
        (np.empty((0, 2)), "at least one row"),
        ([["a", "b"]], "numbers"),
    ],
)
def test_no_probabilities_are_refused(validator: Any, bad: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        validator(bad)


def test_settings_out_of_range() -> None:
    p = [[0.5, 0.5], [0.5, 0.5]]
    with pytest.raises(InputError, match="temperature"):
        snd(p, temperature=0)
    with pytest.raises(InputError, match="2 rows"):
        snd(p[:1])
    with pytest.raises(InputError, match="order"):
        mano(p, order=0.5)
    with pytest.raises(InputError, match="logits"):
        mano(p, [[1.0, 2.0]])
