"""Losses of discriminators against scikit-learn and literal values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, log_loss

from acclimate.losses.adversarial import (
    domain_accuracy,
    domain_loss,
    passing_loss,
    proxy_a_distance,
)


def test_by_hand() -> None:
    source = torch.tensor([[math.log(3.0)]])  # source with 3/4
    target = torch.tensor([[0.0], [math.log(3.0)]])  # target with 1/2 and 1/4
    expected = 0.5 * (-math.log(0.75) + (math.log(2.0) + math.log(4.0)) / 2)
    assert domain_loss(source, target).item() == pytest.approx(expected, rel=1e-6)
    assert domain_loss(torch.zeros(1, 4), torch.zeros(2, 4)).item() == pytest.approx(math.log(4.0))


def test_two_scores_that_differ_by_the_log_odds_give_the_same() -> None:
    torch.manual_seed(0)
    source, target = torch.randn(5, 1), torch.randn(3, 1)
    wide = [torch.cat([scores, torch.zeros_like(scores)], 1) for scores in (source, target)]
    assert domain_loss(*wide).item() == pytest.approx(domain_loss(source, target).item(), rel=1e-6)
    assert domain_accuracy(*wide).item() == domain_accuracy(source, target).item()


def test_several_sources_are_scikit_learns_log_loss() -> None:
    torch.manual_seed(0)
    source, target, ids = torch.randn(6, 3), torch.randn(6, 3), torch.tensor([0, 1, 1, 0, 0, 1])
    p = torch.cat([source, target]).softmax(1).double().numpy()
    truth = [*ids.tolist(), *[2] * 6]
    expected = log_loss(truth, p / p.sum(1, keepdims=True), labels=[0, 1, 2])
    assert domain_loss(source, target, ids).item() == pytest.approx(expected, rel=1e-5)
    guess = np.where(p.argmax(1) == 2, 1, 0)
    expected = balanced_accuracy_score([0] * 6 + [1] * 6, guess)
    assert domain_accuracy(source, target).item() == pytest.approx(expected)


def test_weights_count_on_the_source_alone() -> None:
    source, target = torch.tensor([[1.0], [-2.0]]), torch.tensor([[0.5]])
    weighted = domain_loss(source, target, weight=torch.tensor([2.0, 0.0]))
    assert weighted.item() == pytest.approx(domain_loss(source[:1], target).item(), rel=1e-6)


def test_accuracy_is_balanced() -> None:
    source, target = torch.ones(9, 1), torch.ones(1, 1)  # all called source
    assert domain_accuracy(source, target).item() == 0.5
    assert domain_accuracy(torch.zeros(2, 1), torch.zeros(3, 1)).item() == 0.5


@pytest.mark.parametrize(("accuracy", "distance"), [(0.5, 0.0), (1.0, 2.0), (0.75, 1.0)])
def test_proxy_a_distance(accuracy: float, distance: float) -> None:
    assert proxy_a_distance(accuracy) == pytest.approx(distance)


def test_weights_count_on_the_target_too() -> None:
    source, target = torch.tensor([[1.0]]), torch.tensor([[0.5], [-2.0]])
    weighted = domain_loss(source, target, target_weight=torch.tensor([2.0, 0.0]))
    assert weighted.item() == pytest.approx(domain_loss(source, target[:1]).item(), rel=1e-6)


def test_passing_for_the_source_by_hand() -> None:
    target = torch.tensor([[0.0], [math.log(3.0)]])  # source with 1/2 and 3/4
    expected = (math.log(2.0) + math.log(4 / 3)) / 2
    assert passing_loss(target).item() == pytest.approx(expected, rel=1e-6)
    wide = torch.cat([target, torch.zeros_like(target)], 1)
    assert passing_loss(wide).item() == pytest.approx(expected, rel=1e-6)
    many = torch.tensor([[1.0, 2.0, 3.0]])
    p = many.softmax(1)[0]
    assert passing_loss(many).item() == pytest.approx(-math.log(p[0] + p[1]), rel=1e-6)


def test_a_target_that_is_seen_through_keeps_a_gradient() -> None:
    scores = torch.tensor([[0.0, 0.0, 200.0]], requires_grad=True)
    value = passing_loss(scores)
    value.backward()
    assert value.item() == pytest.approx(200.0 - math.log(2.0), rel=1e-5)
    torch.testing.assert_close(scores.grad, torch.tensor([[-0.5, -0.5, 1.0]]))
