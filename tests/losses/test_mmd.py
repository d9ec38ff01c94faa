"""The mean discrepancies against loops, literal values and finite differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist, squareform

from acclimate.exceptions import InputError
from acclimate.losses.mmd import WIDTHS, joint_mmd, kernels, mmd, squared_mmd


def by_hand(layers: Any, n: int, weight: Any = None, widths: Any = (WIDTHS,), u: Any = None) -> Any:
    """Return the unbiased estimate by loops over pairs, with scipy's distances."""
    K: Any = 1.0
    for number, x in enumerate(layers):
        D = squareform(pdist(x, "sqeuclidean"))
        unit = pdist(x, "sqeuclidean").mean() if u is None else u[number]
        K = K * np.mean([np.exp(-D / (w * unit)) for w in widths[min(number, len(widths) - 1)]], 0)
    a = np.ones(n) if weight is None else weight
    m = len(K) - n
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    within = sum(a[i] * a[j] * K[i, j] for i, j in pairs) / sum(a[i] * a[j] for i, j in pairs)
    others = [K[n + i, n + j] for i in range(m) for j in range(m) if i != j]
    across = sum(a[i] * K[i, n + j] for i in range(n) for j in range(m)) / (sum(a) * m)
    return within + np.mean(others) - 2.0 * across


def given(weight: Any) -> Any:
    return None if weight is None else torch.tensor(weight, dtype=torch.float32)


def test_kernels_by_hand() -> None:
    # squared distances 1, 9, 4; their mean is 14 / 3
    K = kernels(torch.tensor([[0.0], [1.0], [3.0]]), (1.0, 2.0))
    for (i, j), squared in {(0, 1): 1.0, (0, 2): 9.0, (1, 2): 4.0}.items():
        ratio = squared * 3 / 14
        expected = (math.exp(-ratio) + math.exp(-ratio / 2)) / 2
        assert K[i, j].item() == pytest.approx(expected, rel=1e-6)
    assert K.diagonal().tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("weighted", [False, True])
def test_value_is_that_of_loops(weighted: bool) -> None:
    rng = np.random.default_rng(0)
    zs, zt = rng.normal(size=(7, 3)) + 50, 2 * rng.normal(size=(5, 3)) + 51
    weight = rng.uniform(0.1, 2.0, 7) if weighted else None
    found = mmd(torch.tensor(zs), torch.tensor(zt), given(weight)).item()
    assert found == pytest.approx(by_hand([np.vstack([zs, zt])], 7, weight), abs=1e-5)


def test_several_layers_multiply() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(11, 3)), rng.dirichlet(np.ones(4), size=11)
    widths = ((0.5, 2.0), (1.0,))
    sides = [[torch.tensor(x[part]) for x in (first, second)] for part in (slice(6), slice(6, 11))]
    found = joint_mmd(*sides, None, widths).item()
    assert found == pytest.approx(by_hand([first, second], 6, None, widths), abs=1e-5)
    alone = joint_mmd([sides[0][0]], [sides[1][0]])
    assert alone.item() == pytest.approx(mmd(sides[0][0], sides[1][0]).item(), abs=1e-7)
    with pytest.raises(InputError, match="no layer"):
        joint_mmd([], [])


@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_are_those_of_finite_differences(weighted: bool) -> None:
    rng = np.random.default_rng(2)
    zs, zt = rng.normal(size=(5, 2)), rng.normal(size=(4, 2)) + 1
    weight = rng.uniform(0.1, 2.0, 5) if weighted else None
    unit = [pdist(np.vstack([zs, zt]), "sqeuclidean").mean()]  # held fixed
    leaves = [torch.tensor(z, dtype=torch.float32, requires_grad=True) for z in (zs, zt)]
    mmd(*leaves, given(weight)).backward()
    for number, leaf in enumerate(leaves):
        slope = np.zeros(leaf.shape)
        for place in np.ndindex(*leaf.shape):
            ends = []
            for step in (1e-5, -1e-5):
                pair = [zs.copy(), zt.copy()]
                pair[number][place] += step
                ends.append(by_hand([np.vstack(pair)], 5, weight, u=unit))
            slope[place] = (ends[0] - ends[1]) / 2e-5
        assert leaf.grad is not None
        np.testing.assert_allclose(leaf.grad.numpy(), slope, atol=2e-5)


def test_equal_rows_have_finite_gradients() -> None:
    z = torch.zeros(3, 2, requires_grad=True)
    mmd(z, torch.zeros(4, 2)).backward()
    assert z.grad is not None
    assert torch.equal(z.grad, torch.zeros(3, 2))


def test_the_mean_over_equal_domains_is_zero() -> None:
    rng = np.random.default_rng(3)
    draws = torch.tensor(rng.normal(size=(300, 12, 2)))
    values = np.array([mmd(rows[:6], rows[6:]).item() for rows in draws])
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(len(values))
    assert (values < 0).any()


def test_weight_zero_drops_a_row_and_order_does_not_matter() -> None:
    torch.manual_seed(0)
    K = kernels(torch.randn(9, 3))
    weight = torch.tensor([0.0, 1.0, 1.0, 1.0])
    assert squared_mmd(K, 4, weight).item() == pytest.approx(squared_mmd(K[1:, 1:], 3).item())
    order = torch.tensor([2, 0, 3, 1, 8, 5, 4, 7, 6])
    assert squared_mmd(K[order][:, order], 4).item() == pytest.approx(squared_mmd(K, 4).item())
