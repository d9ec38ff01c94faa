"""Joint costs against scipy and finite differences."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial.distance import cdist
from scipy.special import log_softmax

from acclimate.losses.pair_costs import joint_cost, label_costs, square_distances


def test_parts_are_scipys() -> None:
    rng = np.random.default_rng(0)
    zs, zt = rng.normal(size=(5, 3)) + 100, rng.normal(size=(4, 3)) + 100
    y, logits = np.array([0, 2, 1, 1, 0]), rng.normal(size=(4, 3))
    features = square_distances(torch.tensor(zs), torch.tensor(zt)).numpy()
    np.testing.assert_allclose(features, cdist(zs, zt, "sqeuclidean"), atol=1e-4)
    labels = label_costs(torch.tensor(y), torch.tensor(logits)).numpy()
    expected = [[-log_softmax(logits[j])[y[i]] for j in range(4)] for i in range(5)]
    np.testing.assert_allclose(labels, expected, rtol=1e-5)
    both = joint_cost(*map(torch.tensor, (zs, y, zt, logits)), 0.5, 2.0).numpy()
    np.testing.assert_allclose(both, 0.5 * features + 2.0 * labels, rtol=1e-5)


def test_gradients_are_those_of_finite_differences() -> None:
    rng = np.random.default_rng(1)
    zs, zt, logits = rng.normal(size=(3, 2)), rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    y, plan = np.array([0, 1, 1]), rng.random((3, 4))

    def value(*parts: np.ndarray) -> float:
        a, b, c = parts
        labels = -log_softmax(c, axis=1).T[y]
        return float((plan * (0.3 * cdist(a, b, "sqeuclidean") + 0.7 * labels)).sum())

    arrays = [zs, zt, logits]
    leaves = [torch.tensor(x, dtype=torch.float32, requires_grad=True) for x in arrays]
    cost = joint_cost(leaves[0], torch.tensor(y), leaves[1], leaves[2], 0.3, 0.7)
    (torch.tensor(plan) * cost).sum().backward()
    for number, leaf in enumerate(leaves):
        slope = np.zeros(leaf.shape)
        for place in np.ndindex(*leaf.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [x.copy() for x in arrays]
                moved[number][place] += step
                ends.append(value(*moved))
            slope[place] = (ends[0] - ends[1]) / 2e-5
        assert leaf.grad is not None
        np.testing.assert_allclose(leaf.grad.numpy(), slope, atol=2e-5)
