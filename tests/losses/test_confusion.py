"""Losses of target predictions against loops, scipy, literal values and finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import entropy

from acclimate.losses.confusion import (
    class_confusion,
    fixed_norm_loss,
    norm_loss,
    nuclear_norm_loss,
)


def confusion_by_hand(logits: Any, temperature: float, weight: Any = None) -> float:
    p = softmax(logits / temperature, axis=1)
    b, k = p.shape
    w = 1 + np.exp(-entropy(p, axis=1)) if weight is None else weight
    w = b * w / w.sum()
    total = 0.0
    for first in range(k):
        row = [sum(w[i] * p[i, first] * p[i, j] for i in range(b)) for j in range(k)]
        total += 1.0 - row[first] / sum(row)
    return total / k


def nuclear_by_hand(logits: Any) -> float:
    return -float(np.linalg.norm(softmax(logits, axis=1), "nuc")) / len(logits)


def slopes(value: Callable[[Any], float], x: Any) -> Any:
    found = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        found[place] = (value(up) - value(down)) / 2e-5
    return found


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_confusion_is_that_of_loops(temperature: float) -> None:
    logits = 3 * np.random.default_rng(0).normal(size=(8, 4))
    found = class_confusion(torch.tensor(logits), temperature).item()
    assert found == pytest.approx(confusion_by_hand(logits, temperature), rel=1e-5)


def test_confusion_by_hand() -> None:
    assert class_confusion(1e3 * torch.eye(3), 1.0).item() == 0.0  # sure of each class
    # a row says 3/4, 1/4: C is [[9, 3], [3, 1]] / 16, with rows 3/4, 1/4
    row = torch.tensor([[math.log(3.0), 0.0]])
    assert class_confusion(row, 1.0).item() == pytest.approx((1 / 4 + 3 / 4) / 2)


def test_given_weights_are_factors_on_those_of_confusion() -> None:
    logits = 3 * np.random.default_rng(5).normal(size=(6, 3))
    given = np.array([0.0, 1.0, 2.0, 0.5, 1.0, 3.0])
    own = 1 + np.exp(-entropy(softmax(logits / 2.5, axis=1), axis=1))
    found = class_confusion(torch.tensor(logits), 2.5, torch.tensor(given).float()).item()
    assert found == pytest.approx(confusion_by_hand(logits, 2.5, own * given), rel=1e-5)
    rest = class_confusion(torch.tensor(logits[1:]), 2.5, torch.tensor(given[1:]).float()).item()
    assert found == pytest.approx(rest, rel=1e-5)


def test_no_gradient_goes_through_the_row_weights() -> None:
    logits = np.random.default_rng(1).normal(size=(5, 3))
    weight = 1 + np.exp(-entropy(softmax(logits / 2.5, axis=1), axis=1))
    leaf = torch.tensor(logits, dtype=torch.float32, requires_grad=True)
    class_confusion(leaf).backward()
    expected = slopes(lambda x: confusion_by_hand(x, 2.5, weight), logits)
    assert leaf.grad is not None
    np.testing.assert_allclose(leaf.grad.numpy(), expected, atol=2e-5)


@pytest.mark.parametrize("rows", [3, 9])
def test_nuclear_norm_is_numpys(rows: int) -> None:
    logits = np.random.default_rng(2).normal(size=(rows, 4))
    leaf = torch.tensor(logits, dtype=torch.float32, requires_grad=True)
    value = nuclear_norm_loss(leaf)
    value.backward()
    assert value.item() == pytest.approx(nuclear_by_hand(logits), rel=1e-5)
    assert leaf.grad is not None
    np.testing.assert_allclose(leaf.grad.numpy(), slopes(nuclear_by_hand, logits), atol=5e-5)


def test_the_nuclear_norm_is_bounded_where_all_are_one_class() -> None:
    one = torch.zeros(9, 4)
    one[:, 0] = 1e3
    assert nuclear_norm_loss(one).item() == pytest.approx(-1 / 3)  # sqrt(9) / 9
    spread = 1e3 * torch.eye(4)[torch.arange(8) % 4]
    assert nuclear_norm_loss(spread).item() == pytest.approx(-math.sqrt(4 / 8))


def test_lengths_grow_by_the_step() -> None:
    z = torch.tensor([[3.0, 4.0], [0.0, 2.0]], requires_grad=True)
    value = norm_loss(z, 0.5)
    value.backward()
    assert value.item() == pytest.approx(0.25)
    # d/dz (|z| - c)^2 / b at |z| = c - 0.5 is -z / |z| / 2
    assert z.grad is not None
    expected = -torch.tensor([[0.6, 0.8], [0.0, 1.0]]) / 2
    torch.testing.assert_close(z.grad, expected)


def test_no_row_is_pushed_beyond_the_limit() -> None:
    z = torch.tensor([[3.0, 4.0], [0.0, 2.0], [0.0, 6.0]], requires_grad=True)
    value = norm_loss(z, 1.0, limit=5.5)
    value.backward()
    assert value.item() == pytest.approx((0.5**2 + 1.0 + 0.0) / 3)
    assert z.grad is not None
    expected = -2 * torch.tensor([[0.6 * 0.5, 0.8 * 0.5], [0.0, 1.0], [0.0, 0.0]]) / 3
    torch.testing.assert_close(z.grad, expected)


def test_a_mean_length_is_drawn_to_the_radius() -> None:
    z = np.random.default_rng(3).normal(size=(6, 3))

    def by_hand(x: Any) -> float:
        return float((np.linalg.norm(x, axis=1).mean() - 7.0) ** 2)

    leaf = torch.tensor(z, dtype=torch.float32, requires_grad=True)
    value = fixed_norm_loss(leaf, 7.0)
    value.backward()
    assert value.item() == pytest.approx(by_hand(z), rel=1e-5)
    assert leaf.grad is not None
    np.testing.assert_allclose(leaf.grad.numpy(), slopes(by_hand, z), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("loss", [norm_loss, fixed_norm_loss])
def test_weights_repeat_rows(loss: Any) -> None:
    torch.manual_seed(0)
    z = torch.randn(3, 2, requires_grad=True)
    twice = torch.cat([z[:1], z[:1], z[1:2]])
    weight = torch.tensor([2.0, 1.0, 0.0])
    ours, theirs = loss(z, 2.0, weight), loss(twice, 2.0)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    one, other = (torch.autograd.grad(value, z, retain_graph=True)[0] for value in (ours, theirs))
    torch.testing.assert_close(one, other)
