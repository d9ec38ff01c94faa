"""Entropy and mutual information against scipy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import entropy as scipy_entropy

from acclimate.losses.information import entropy, information_loss

LOGITS = np.random.default_rng(0).normal(size=(7, 4)) * 3


def test_entropy_is_scipys() -> None:
    found = entropy(torch.from_numpy(LOGITS)).numpy()
    np.testing.assert_allclose(found, scipy_entropy(softmax(LOGITS, axis=1), axis=1), rtol=1e-5)


def test_information_is_mean_entropy_less_entropy_of_the_mean() -> None:
    p = softmax(LOGITS, axis=1)
    expected = scipy_entropy(p, axis=1).mean() - scipy_entropy(p.mean(0))
    assert information_loss(torch.from_numpy(LOGITS)).item() == pytest.approx(expected, rel=1e-5)


def test_information_is_the_negative_mutual_information() -> None:
    joint = softmax(LOGITS, axis=1) / len(LOGITS)  # rows and classes
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    expected = -(joint * np.log(joint / independent)).sum()
    assert information_loss(torch.from_numpy(LOGITS)).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("scale", [0.0, 1e4])
def test_gradients_are_finite_at_the_ends(scale: float) -> None:
    logits = (torch.from_numpy(LOGITS) * scale).requires_grad_()
    information_loss(logits).backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_gradient_by_finite_differences() -> None:
    logits = torch.from_numpy(LOGITS[:3]).requires_grad_()
    information_loss(logits).backward()
    step = 1e-2  # losses are float32
    for i, k in ((0, 0), (1, 2), (2, 3)):
        ends = []
        for sign in (1, -1):
            moved = torch.from_numpy(LOGITS[:3].copy())
            moved[i, k] += sign * step
            ends.append(information_loss(moved).item())
        assert logits.grad is not None
        assert logits.grad[i, k].item() == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-4)
