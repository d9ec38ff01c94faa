"""Losses on labelled rows against literal values, plain numpy and finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from acclimate.losses.supervised import cross_entropy, squared_error


def test_cross_entropy_of_known_probabilities() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)], [math.log(3.0), 0.0]])  # 1/4 against 3/4
    y = torch.tensor([1, 1])
    expected = -(math.log(0.75) + math.log(0.25)) / 2
    assert cross_entropy(logits, y).item() == pytest.approx(expected, abs=1e-6)


def test_cross_entropy_is_the_log_of_the_number_of_classes_for_equal_logits() -> None:
    loss = cross_entropy(torch.zeros(3, 7), torch.tensor([0, 3, 6]))
    assert loss.item() == pytest.approx(math.log(7.0), abs=1e-6)


def test_cross_entropy_weighs_rows_and_divides_by_their_number() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)], [math.log(3.0), 0.0]])
    y, weight = torch.tensor([1, 1]), torch.tensor([0.5, 1.5])
    expected = -(0.5 * math.log(0.75) + 1.5 * math.log(0.25)) / 2
    assert cross_entropy(logits, y, weight).item() == pytest.approx(expected, abs=1e-6)


def test_squared_error_by_hand() -> None:
    values, y = torch.tensor([[1.0], [3.0]]), torch.tensor([2.0, 0.0])
    assert squared_error(values, y).item() == pytest.approx((1 + 9) / 2)
    weight = torch.tensor([1.5, 0.5])
    assert squared_error(values, y, weight).item() == pytest.approx((1.5 + 4.5) / 2)


@pytest.mark.parametrize("loss", [cross_entropy, squared_error])
def test_weights_of_one_change_nothing_and_weight_zero_drops_a_row(
    loss: Callable[..., Tensor],
) -> None:
    torch.manual_seed(0)
    scores = torch.randn(4, 3 if loss is cross_entropy else 1)
    y = torch.tensor([0, 2, 1, 0])
    assert loss(scores, y, torch.ones(4)).item() == pytest.approx(loss(scores, y).item(), rel=1e-6)
    weight = torch.tensor([0.0, 4 / 3, 4 / 3, 4 / 3])
    dropped = loss(scores[1:], y[1:])
    assert loss(scores, y, weight).item() == pytest.approx(dropped.item(), rel=1e-6)


def _cross_entropy64(logits: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    top = logits.max(1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True))
    return float(-(weight * logs[np.arange(len(y)), y]).mean())


def _squared_error64(values: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    return float((weight * (values[:, 0] - y) ** 2).mean())


@pytest.mark.parametrize(
    ("loss", "oracle", "width"),
    [(cross_entropy, _cross_entropy64, 3), (squared_error, _squared_error64, 1)],
)
def test_value_and_gradient_agree_with_finite_differences(
    loss: Callable[..., Tensor], oracle: Callable[..., float], width: int
) -> None:
    rng = np.random.default_rng(0)
    scores, weight = rng.normal(size=(5, width)), rng.uniform(0.1, 2.0, 5)
    y = rng.integers(0, 3, 5)
    leaf = torch.tensor(scores, dtype=torch.float32, requires_grad=True)
    value = loss(leaf, torch.tensor(y), torch.tensor(weight, dtype=torch.float32))
    value.backward()
    assert value.item() == pytest.approx(oracle(scores, y, weight), rel=1e-5)
    slope = np.zeros_like(scores)
    for place in np.ndindex(scores.shape):
        up, down = scores.copy(), scores.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        slope[place] = (oracle(up, y, weight) - oracle(down, y, weight)) / 2e-5
    assert leaf.grad is not None
    np.testing.assert_allclose(leaf.grad.numpy(), slope, atol=1e-6)


@pytest.mark.parametrize("loss", [cross_entropy, squared_error])
def test_bf16_scores_are_summed_in_float32(loss: Callable[..., Tensor]) -> None:
    scores = torch.ones(2, 2 if loss is cross_entropy else 1, dtype=torch.bfloat16)
    value = loss(scores, torch.tensor([0, 1]))
    assert value.dtype == torch.float32
    assert value.shape == ()
