"""Losses of rows without a label against loops in numpy, literal values and finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax

from acclimate.losses.consistency import (
    class_thresholds,
    confident,
    consistency_loss,
    pseudo_label_loss,
)

RNG = np.random.default_rng(0)
LOGITS, GUIDE = 2 * RNG.normal(size=(2, 12, 4))


def pseudo_by_hand(logits: Any, guide: Any, least: Any) -> float:
    total = 0.0
    for row, teacher in zip(logits, guide, strict=True):
        q = np.exp(teacher) / np.exp(teacher).sum()
        c = int(np.argmax(q))
        if q[c] >= (least if np.isscalar(least) else least[c]):
            total -= np.log(np.exp(row[c]) / np.exp(row).sum())
    return total / len(logits)


def consistency_by_hand(logits: Any, guide: Any) -> float:
    p, q = softmax(logits, axis=1), softmax(guide, axis=1)
    return float(np.mean([np.dot(a - b, a - b) for a, b in zip(p, q, strict=True)]))


def thresholds_by_hand(learnt: list[int], classes: int, threshold: float) -> list[float]:
    known = [sum(c == each for each in learnt) for c in range(classes)]
    most = max(*known, sum(each < 0 for each in learnt))
    return [threshold * (n / most) / (2 - n / most) for n in known]


def slopes(value: Callable[[Any], float], x: Any) -> Any:
    found = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        found[place] = (value(up) - value(down)) / 2e-5
    return found


@pytest.mark.parametrize("least", [0.0, 0.6, np.array([0.2, 0.9, 0.5, 0.99])])
def test_only_sure_rows_count_and_all_divide(least: Any) -> None:
    leaf = torch.tensor(LOGITS, dtype=torch.float32, requires_grad=True)
    guide = torch.tensor(GUIDE, dtype=torch.float32, requires_grad=True)
    threshold = least if np.isscalar(least) else torch.tensor(least, dtype=torch.float32)
    value = pseudo_label_loss(leaf, guide, threshold)
    value.backward()
    assert value.item() == pytest.approx(pseudo_by_hand(LOGITS, GUIDE, least), rel=1e-5)
    assert guide.grad is None  # the teacher does not learn
    expected = slopes(lambda x: pseudo_by_hand(x, GUIDE, least), LOGITS)
    np.testing.assert_allclose(leaf.grad, expected, atol=2e-5)


def test_some_rows_count_and_some_do_not() -> None:
    codes, sure = confident(torch.tensor(GUIDE), 0.6)
    assert 0 < int(sure.sum()) < len(sure)
    assert codes.tolist() == GUIDE.argmax(axis=1).tolist()
    assert sure.tolist() == (softmax(GUIDE, axis=1).max(axis=1) >= 0.6).tolist()


def test_own_labels_are_those_of_the_largest_score() -> None:
    expected = -log_softmax(LOGITS, axis=1).max(axis=1).mean()
    found = pseudo_label_loss(torch.tensor(LOGITS), torch.tensor(LOGITS)).item()
    assert found == pytest.approx(expected, rel=1e-5)


def test_consistency_is_that_of_loops() -> None:
    leaf = torch.tensor(LOGITS, dtype=torch.float32, requires_grad=True)
    guide = torch.tensor(GUIDE, dtype=torch.float32, requires_grad=True)
    value = consistency_loss(leaf, guide)
    value.backward()
    assert value.item() == pytest.approx(consistency_by_hand(LOGITS, GUIDE), rel=1e-5)
    assert guide.grad is None
    expected = slopes(lambda x: consistency_by_hand(x, GUIDE), LOGITS)
    np.testing.assert_allclose(leaf.grad, expected, atol=2e-5)
    assert consistency_loss(leaf, leaf + 3.0).item() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    "learnt", [[-1] * 5, [0, 0, 0, 2, 2, 1, -1], [2, -1, -1, -1, 0, 0], [1, 1, 1, 1]]
)
def test_thresholds_are_those_of_loops(learnt: list[int]) -> None:
    found = class_thresholds(torch.tensor(learnt), 3, 0.95)
    np.testing.assert_allclose(found, thresholds_by_hand(learnt, 3, 0.95), rtol=1e-6)


def test_thresholds_by_hand() -> None:
    # 4 of class 0, 2 of class 1, none of class 2: shares 1, 1/2, 0, and x / (2 - x)
    learnt = torch.tensor([0, 0, 0, 0, 1, 1])
    np.testing.assert_allclose(class_thresholds(learnt, 3, 0.9), [0.9, 0.3, 0.0], rtol=1e-6)
