"""The best threshold: against brute force, and against scikit-learn's tuned threshold."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TunedThresholdClassifierCV

from acclimate.judging.metrics import metric_of
from acclimate.judging.scored import Scored
from acclimate.judging.threshold import _BY_COUNTS, best_threshold, counts_at, thresholds
from acclimate.maths.at_threshold import codes_at

METRICS = (
    "accuracy", "balanced_accuracy", "f1", "precision", "recall", "matthews_corrcoef", "f1_macro",
)  # fmt: skip


def _line(seed: int, n: int = 40, share: float = 0.3, **more: Any) -> Scored:
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < share).astype(np.intp)
    chance = np.round(1 / (1 + np.exp(1.0 - truth - rng.normal(size=n))), 2)  # some are equal
    return Scored(
        truth, truth, np.column_stack([1 - chance, chance]), np.array(["no", "yes"]), 1, **more
    )


def _at(line: Scored, metric: str, value: float) -> float:
    assert line.proba is not None
    assert line.positive is not None
    said = replace(line, answers=codes_at(line.proba, line.positive, value))
    return metric_of(metric, "classification").value(said)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("weighted", [False, True])
def test_nothing_scores_better_than_the_best(name: str, weighted: bool) -> None:
    w = np.random.default_rng(9).uniform(0.2, 2.0, 40) if weighted else None
    line = _line(int(weighted), weights=w)
    best = best_threshold(metric_of(name, "classification"), line)
    known = [0.0, *sorted(set(line.proba[:, 1].tolist())), 1.0]  # type: ignore[index]
    tried = [(a + b) / 2 for a, b in pairwise(known)] + [0.5]
    score = {one: _at(line, name, one) for one in tried}
    top = max(score.values())
    wanted = min((abs(one - 0.5), one) for one in tried if score[one] > top - 1e-12)
    assert best == pytest.approx(wanted[1])
    assert max(_at(line, name, one) for one in np.linspace(0.01, 0.99, 25)) <= top + 1e-12


@pytest.mark.parametrize("name", METRICS[:5])
def test_all_at_once_is_each_by_itself(name: str) -> None:
    for seed, positive, share in ((0, 1, 0.3), (1, 0, 0.3), (2, 1, 0.0)):
        w = np.random.default_rng(seed).uniform(0.2, 2.0, 40)
        line = replace(_line(seed, share=share, weights=w), positive=positive)
        found = thresholds(line.proba[:, positive])  # type: ignore[index]
        each = [_at(line, name, value) for value in found]
        np.testing.assert_allclose(_BY_COUNTS[name](counts_at(line, found)), each, atol=1e-12)


def test_the_other_class_has_the_other_threshold() -> None:
    line = _line(4)
    other = Scored(1 - line.truth, line.truth, line.proba[:, ::-1], line.classes, 0)  # type: ignore[index]
    for name in ("f1", "balanced_accuracy"):
        metric = metric_of(name, "classification")
        assert best_threshold(metric, other) == pytest.approx(best_threshold(metric, line))


def test_what_orders_alike_is_answered_alike() -> None:
    line = _line(5)
    chance = line.proba[:, 1] ** 3  # type: ignore[index]
    moved = Scored(line.truth, line.truth, np.column_stack([1 - chance, chance]), line.classes, 1)
    metric = metric_of("f1", "classification")
    a, b = (best_threshold(metric, one) for one in (line, moved))
    assert _at(line, "f1", a) == pytest.approx(_at(moved, "f1", b))


def test_level_thresholds_give_the_one_next_to_a_half() -> None:
    metric = metric_of("accuracy", "classification")
    apart = np.array([0.1, 0.2, 0.9])
    truth = np.array([0, 0, 1])
    line = Scored(truth, truth, np.column_stack([1 - apart, apart]), np.arange(2), 1)
    assert best_threshold(metric, line) == 0.5
    truth = np.zeros(3, dtype=int)  # nothing is of the class
    for name in ("f1", "recall", "precision"):
        none = Scored(truth, truth, line.proba, np.arange(2), 1)
        assert best_threshold(metric_of(name, "classification"), none) == 0.5


def test_of_many_places_a_hundred_are_tried() -> None:
    chance = np.random.default_rng(0).random(5000) ** 2
    found = thresholds(chance)
    assert len(found) == 101
    assert 0 < found.min() < found.max() < 1
    shares = [(chance < value).mean() for value in found]
    assert np.abs(np.diff(shares)).max() < 0.012


def test_scikit_learn_finds_no_better_one() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    y = (X[:, 0] + rng.normal(size=120) > 1.5).astype(int)
    model = LogisticRegression().fit(X, y)
    for name in ("f1", "balanced_accuracy"):
        theirs = TunedThresholdClassifierCV(
            model, scoring=name, thresholds=120, cv="prefit", refit=False
        ).fit(X, y)
        line = Scored(y, y, model.predict_proba(X), np.arange(2), 1)
        ours = best_threshold(metric_of(name, "classification"), line, most=120)
        assert _at(line, name, ours) >= theirs.best_score_ - 1e-12
        assert _at(line, name, theirs.best_threshold_) == pytest.approx(theirs.best_score_)
