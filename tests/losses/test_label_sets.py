"""Weights for domains whose classes differ: literal values, numpy, sklearn and brute force."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist, mahalanobis
from scipy.special import softmax
from sklearn.covariance import LedoitWolf

from acclimate.losses.label_sets import (
    class_centres,
    class_weights,
    knownness,
    nearest_centre,
    two_groups,
)


def unit(z: np.ndarray) -> Any:
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def test_class_weights_by_hand() -> None:
    # predictions (3/4, 1/4) and (1/4, 3/4), the source holds the first class three times as often
    logits = torch.tensor([[math.log(3.0), 0.0], [0.0, math.log(3.0)]])
    found = class_weights(logits, torch.tensor([0.75, 0.25]))
    assert found.tolist() == pytest.approx([0.5 / 0.75, 0.5 / 0.25])
    found = class_weights(logits, torch.tensor([0.75, 0.25]), torch.tensor([3.0, 1.0]))
    assert found.tolist() == pytest.approx([(9 + 1) / 16 / 0.75, (3 + 3) / 16 / 0.25])


def test_class_weights_are_one_on_average_over_the_source() -> None:
    rng = np.random.default_rng(0)
    logits, shares = rng.normal(size=(20, 4)), np.array([0.1, 0.2, 0.3, 0.4])
    found = class_weights(torch.tensor(logits), torch.tensor(shares)).numpy()
    assert shares @ found == pytest.approx(1.0)
    np.testing.assert_allclose(found, softmax(logits, 1).mean(0) / shares, rtol=1e-6)


def test_a_class_without_source_rows_has_no_weight() -> None:
    found = class_weights(torch.zeros(3, 3), torch.tensor([0.5, 0.5, 0.0]))
    assert found.tolist() == [1.0, 1.0, 0.0]


def test_distances_are_scipys() -> None:
    rng = np.random.default_rng(1)
    y = np.arange(60) % 3
    z = 5 * np.eye(3)[y] + rng.normal(size=(60, 3)) @ np.diag([1.0, 0.3, 2.0])
    new = 3 * rng.normal(size=(8, 3))
    u = unit(z)
    means = np.array([u[y == c].mean(0) for c in range(3)])
    inverse = np.linalg.inv(LedoitWolf(assume_centered=True).fit(u - means[y]).covariance_)
    expected = [min(mahalanobis(row, mean, inverse) for mean in means) ** 2 for row in unit(new)]
    found = nearest_centre(torch.tensor(new), *class_centres(torch.tensor(z), torch.tensor(y), 3))
    np.testing.assert_allclose(found.exp().numpy(), expected, rtol=1e-8)


def test_lengths_and_absent_classes_do_not_count() -> None:
    rng = np.random.default_rng(2)
    z, y = torch.tensor(rng.normal(size=(30, 4))), torch.arange(30) % 2
    new = torch.tensor(rng.normal(size=(5, 4)))
    plain = nearest_centre(new, *class_centres(z, y, 2))
    longer = nearest_centre(7 * new, *class_centres(z * torch.arange(1.0, 31.0)[:, None], y, 2))
    np.testing.assert_allclose(longer, plain, rtol=1e-9)
    np.testing.assert_allclose(nearest_centre(new, *class_centres(z, y, 5)), plain, rtol=1e-12)


def test_two_groups_have_the_least_variance_within() -> None:
    v = np.random.default_rng(3).gamma(2.0, size=40)
    threshold, slope = two_groups(torch.tensor(v))
    sides = [v[v <= threshold], v[v > threshold]]
    within = sum(len(s) * s.var() for s in sides) / len(v)
    for cut in np.sort(v)[:-1]:
        other = [v[v <= cut], v[v > cut]]
        assert within <= sum(len(s) * s.var() for s in other) / len(v) + 1e-12
    assert threshold == pytest.approx((sides[0].max() + sides[1].min()) / 2)
    assert slope == pytest.approx((sides[1].mean() - sides[0].mean()) / within)


def test_equal_numbers_form_no_groups() -> None:
    same = torch.full((4,), 2.0)
    threshold, slope = two_groups(same)
    assert (threshold, slope) == (2.0, 0.0)
    assert not (same > threshold).any()
    assert knownness(same, threshold, slope).tolist() == [1.0] * 4


def test_knownness_falls_and_is_one_on_average() -> None:
    v = torch.linspace(-3.0, 3.0, 9)
    w = knownness(v, 0.0, 2.0).numpy()
    odds = 1 / (1 + np.exp(2.0 * v.numpy()))
    np.testing.assert_allclose(w, np.maximum(odds, 0.01) / np.maximum(odds, 0.01).mean(), rtol=1e-6)
    assert w.mean() == pytest.approx(1.0)
    assert w.min() > 0


def test_rows_of_a_new_direction_are_far() -> None:
    rng = np.random.default_rng(4)
    y = np.arange(80) % 2
    z = np.eye(4)[y] + 0.05 * rng.normal(size=(80, 4))
    new = np.eye(4)[[0, 1, 2, 3]]
    far = nearest_centre(torch.tensor(new), *class_centres(torch.tensor(z), torch.tensor(y), 2))
    assert cdist(new[2:], z).min() > 1
    assert far[2:].min() > far[:2].max() + 3
