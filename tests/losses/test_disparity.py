"""Disagreement of two heads against numpy, literal values and finite differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax

from acclimate.losses.disparity import discrepancy, margin_disparity


def by_hand(s: Any, s2: Any, t: Any, t2: Any, margin: float, weight: Any = None) -> float:
    w = np.ones(len(s)) if weight is None else weight
    ps, pt = softmax(s2, axis=1), softmax(t2, axis=1)
    source = [w[i] * -math.log(ps[i, int(np.argmax(s[i]))]) for i in range(len(s))]
    target = [-math.log(1.0 - pt[i, int(np.argmax(t[i]))]) for i in range(len(t))]
    return margin * float(np.mean(source)) + float(np.mean(target))


def scores(rng: Any) -> list[Any]:
    return [rng.normal(size=shape) for shape in ((6, 3), (6, 3), (4, 3), (4, 3))]


def tensors(arrays: Any) -> list[torch.Tensor]:
    return [torch.tensor(a, dtype=torch.float32, requires_grad=True) for a in arrays]


def test_discrepancy_is_numpys() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 5, 4))
    found = discrepancy(torch.tensor(a), torch.tensor(b)).item()
    expected = np.abs(softmax(a, axis=1) - softmax(b, axis=1)).sum() / 20
    assert found == pytest.approx(expected, rel=1e-5)
    assert discrepancy(torch.tensor(a), torch.tensor(a) + 3.0).item() == pytest.approx(0, abs=1e-7)
    far = 1e3 * torch.eye(4)
    assert discrepancy(far, far.roll(1, 0)).item() == pytest.approx(2 / 4)


@pytest.mark.parametrize("weighted", [False, True])
def test_margin_disparity_is_that_of_loops(weighted: bool) -> None:
    rng = np.random.default_rng(1)
    arrays = scores(rng)
    weight = rng.uniform(0, 2, 6) if weighted else None
    given = None if weight is None else torch.tensor(weight, dtype=torch.float32)
    found = margin_disparity(*tensors(arrays), 3.0, given).item()
    assert found == pytest.approx(by_hand(*arrays, 3.0, weight), rel=1e-5)


def test_gradients_are_those_of_finite_differences() -> None:
    arrays = scores(np.random.default_rng(2))
    leaves = tensors(arrays)
    margin_disparity(*leaves, 2.0).backward()
    for number in (0, 2):  # the first head is asked for a class, and hears nothing
        assert leaves[number].grad is None
    for number in (1, 3):
        slope = np.zeros(arrays[number].shape)
        for place in np.ndindex(*slope.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [a.copy() for a in arrays]
                moved[number][place] += step
                ends.append(by_hand(*moved, 2.0))
            slope[place] = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(leaves[number].grad.numpy(), slope, atol=2e-5)


def test_full_agreement_on_the_target_stays_finite() -> None:
    sure = torch.tensor([[60.0, 0.0, 0.0]], requires_grad=True)
    value = margin_disparity(sure, sure, sure, sure, 1.0)
    assert value.item() == pytest.approx(60.0 - math.log(2.0), rel=1e-6)
    value.backward()
    assert sure.grad is not None
    assert torch.isfinite(sure.grad).all()
