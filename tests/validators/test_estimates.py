"""Estimated accuracies: exact where the paper's assumption holds, literal values, any order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from acclimate.exceptions import InputError
from acclimate.validators.calibration import apply_temperature, fit_temperature
from acclimate.validators.candidate import Evidence
from acclimate.validators.estimates import (
    ESTIMATORS,
    difference_of_confidences,
    estimate_accuracy,
    thresholded_confidence,
    weighted_accuracy,
)


def two(confidence: Any) -> Any:
    sure = np.asarray(confidence, dtype=float)
    return np.stack([sure, 1 - sure], axis=1)


def random_evidence(seed: int = 0, n: int = 60, m: int = 45) -> Evidence:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([1, 1, 1], size=n)
    y = np.array([rng.choice(3, p=row) for row in p])
    w = rng.gamma(1.0, size=n)
    return Evidence(p, y, rng.dirichlet([2, 1, 1], size=m), weights=w)


@pytest.mark.parametrize("score", ["entropy", "confidence"])
def test_atc_is_exact_where_sure_rows_are_right(score: str) -> None:
    # Right exactly where confidence is above 0.8, in both domains.
    rng = np.random.default_rng(0)
    source, target = rng.uniform(0.5, 1, 1000), rng.uniform(0.5, 0.9, 700)
    known = Evidence(two(source), (source <= 0.8).astype(int), two(target))
    exact = (target > 0.8).mean()
    found = thresholded_confidence(known, score=score)
    # the threshold is the least sure right source row; no row lies between it and 0.8
    between = ((target > 0.8) & (target < source[source > 0.8].min())).mean()
    assert found == pytest.approx(exact - between, abs=1e-12)
    assert found == pytest.approx(exact, abs=0.005)


def test_atc_of_the_source_is_its_accuracy() -> None:
    known = random_evidence()
    right = (known.source_proba.argmax(1) == known.source_labels).mean()
    same = Evidence(known.source_proba, known.source_labels, known.source_proba)
    assert thresholded_confidence(same) == pytest.approx(right)
    assert difference_of_confidences(same) == pytest.approx(right)
    level = Evidence(two([0.7] * 8), [0, 0, 0, 0, 0, 0, 1, 1], two([0.7] * 5))
    assert thresholded_confidence(level) == pytest.approx(0.75)  # all rows lie on the threshold


def test_atc_against_a_search_over_thresholds() -> None:
    known = random_evidence(1)
    entropy = lambda p: (p * np.log(p)).sum(axis=1)  # noqa: E731
    of_source, of_target = entropy(known.source_proba), entropy(known.target_proba)
    accuracy = (known.source_proba.argmax(1) == known.source_labels).mean()
    best = min(of_source, key=lambda t: abs((of_source >= t).mean() - accuracy))
    assert thresholded_confidence(known) == pytest.approx((of_target >= best).mean())


def test_atc_where_nothing_or_all_is_right() -> None:
    assert thresholded_confidence(Evidence(two([0.9, 0.8]), [1, 1], two([0.9]))) == 0
    assert thresholded_confidence(Evidence(two([0.9, 0.8]), [0, 0], two([0.85, 0.6]))) == 0.5


def test_doc_literal_and_held_in_bounds() -> None:
    source = two([0.9, 0.7])
    assert difference_of_confidences(Evidence(source, [0, 1], two([0.6]))) == pytest.approx(0.3)
    assert difference_of_confidences(Evidence(source, [1, 1], two([0.6]))) == 0
    assert difference_of_confidences(Evidence(source, [0, 0], two([0.9]))) == 1


def test_weighted_accuracy_against_loops() -> None:
    known = random_evidence(2)
    right = known.source_proba.argmax(1) == known.source_labels
    for bound in (0.5, 2.0, 100.0):
        most = bound * sum(known.weights) / 60
        top = sum(min(w, most) * r for w, r in zip(known.weights, right, strict=True))
        expected = top / sum(min(w, most) for w in known.weights)
        assert weighted_accuracy(known, bound=bound) == pytest.approx(expected)
    assert weighted_accuracy(known) == weighted_accuracy(known, bound=np.sqrt(60))


def test_weighted_accuracy_finds_the_target_accuracy() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=20000)
    w = norm.pdf(x, 0.7) / norm.pdf(x)
    known = Evidence(two(np.full(20000, 0.8)), (x > 0.5).astype(int), two([0.8]), weights=w)
    assert weighted_accuracy(known) == pytest.approx(norm.cdf(0.5, 0.7), abs=0.02)
    assert abs((x <= 0.5).mean() - norm.cdf(0.5, 0.7)) > 0.2


def test_temperatures_come_first() -> None:
    known = random_evidence(4)
    t = fit_temperature(known.source_proba, known.source_labels)
    scaled = Evidence(
        apply_temperature(known.source_proba, t), known.source_labels,
        apply_temperature(known.target_proba, t), weights=known.weights,
    )  # fmt: skip
    found = estimate_accuracy(known)
    assert list(found) == list(ESTIMATORS)
    assert found == estimate_accuracy(scaled, calibrate=False)
    assert found != estimate_accuracy(known, calibrate=False)
    # too sure a model is found out: stated confidence alone says 0.99
    sure = Evidence(two([0.99] * 10), [0] * 7 + [1] * 3, two([0.99] * 4))
    assert estimate_accuracy(sure)["difference_of_confidences"] == pytest.approx(0.7)


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_rows_and_classes_in_any_order(name: str) -> None:
    known = random_evidence(5)
    rng = np.random.default_rng(6)
    rows, targets, classes = rng.permutation(60), rng.permutation(45), rng.permutation(3)
    names = np.array(["c", "a", "b"])
    moved = Evidence(
        known.source_proba[rows][:, classes], names[known.source_labels[rows]],
        known.target_proba[targets][:, classes], weights=known.weights[rows],
        classes=names[classes],
    )  # fmt: skip
    first, second = estimate_accuracy(known, [name]), estimate_accuracy(moved, [name])
    assert second[name] == pytest.approx(first[name], abs=1e-5)


def test_without_weights_two_estimates_are_left() -> None:
    bare = Evidence(two([0.9, 0.7]), [0, 1], two([0.6]))
    assert list(estimate_accuracy(bare)) == [
        "thresholded_confidence", "difference_of_confidences"
    ]  # fmt: skip
    with pytest.raises(InputError, match="weighted_accuracy needs weights"):
        estimate_accuracy(bare, ["weighted_accuracy"])


def test_errors() -> None:
    known = Evidence(two([0.9, 0.7]), [0, 1], two([0.6]), weights=[0.0, 0.0])
    with pytest.raises(InputError, match="all weights are 0"):
        weighted_accuracy(known)
    with pytest.raises(InputError, match="bound"):
        weighted_accuracy(Evidence(two([0.9]), [0], two([0.6]), weights=[1.0]), bound=0)
    with pytest.raises(InputError, match="no estimator 'guess'"):
        estimate_accuracy(known, ["guess"])
    with pytest.raises(InputError, match="'entropy' or 'confidence'"):
        thresholded_confidence(known, score="margin")
    with pytest.raises(InputError, match="regression"):
        estimate_accuracy(Evidence([1.0], [1.0], [2.0]))
    with pytest.raises(InputError, match="source_proba"):
        estimate_accuracy(Evidence(None, None, two([0.6])))
