"""The CORAL loss against numpy, literal values and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from acclimate.losses.covariance import coral, covariance


def _numpy(zs: np.ndarray, zt: np.ndarray, weight: np.ndarray | None = None) -> float:
    gap = np.cov(zs.T, aweights=weight) - np.cov(zt.T)
    return float((gap**2).sum() / (4 * zs.shape[1] ** 2))


def test_by_hand() -> None:
    z = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])  # covariance [[2, 0], [0, 0]]
    assert coral(z, 3.0 * z).item() == pytest.approx(16.0**2 / 16)
    assert coral(z, z + 5.0).item() == 0.0  # means do not count


@pytest.mark.parametrize("weighted", [False, True])
def test_value_is_numpys(weighted: bool) -> None:
    rng = np.random.default_rng(0)
    zs, zt = rng.normal(size=(7, 3)), 2 * rng.normal(size=(5, 3)) + 1
    weight = rng.uniform(0.1, 2.0, 7) if weighted else None
    given = None if weight is None else torch.tensor(weight, dtype=torch.float32)
    value = coral(torch.tensor(zs), torch.tensor(zt), given).item()
    assert value == pytest.approx(_numpy(zs, zt, weight), rel=1e-5)
    np.testing.assert_allclose(
        covariance(torch.tensor(zs), given).numpy(), np.cov(zs.T, aweights=weight), rtol=1e-5,
        atol=1e-6,
    )  # fmt: skip


@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_are_those_of_finite_differences(weighted: bool) -> None:
    rng = np.random.default_rng(1)
    zs, zt = rng.normal(size=(6, 3)), 2 * rng.normal(size=(4, 3))
    weight = rng.uniform(0.1, 2.0, 6) if weighted else None
    given = None if weight is None else torch.tensor(weight, dtype=torch.float32)
    leaves = [torch.tensor(z, dtype=torch.float32, requires_grad=True) for z in (zs, zt)]
    coral(*leaves, given).backward()
    for number, leaf in enumerate(leaves):
        slope = np.zeros(leaf.shape)
        for place in np.ndindex(*leaf.shape):
            ends = []
            for step in (1e-5, -1e-5):
                pair = [zs.copy(), zt.copy()]
                pair[number][place] += step
                ends.append(_numpy(*pair, weight))
            slope[place] = (ends[0] - ends[1]) / 2e-5
        assert leaf.grad is not None
        np.testing.assert_allclose(leaf.grad.numpy(), slope, atol=2e-5)


def test_weight_zero_drops_a_row() -> None:
    torch.manual_seed(0)
    zs, zt = torch.randn(5, 3), torch.randn(6, 3)
    weight = torch.tensor([0.0, 1.0, 1.0, 1.0, 1.0])
    assert coral(zs, zt, weight).item() == pytest.approx(coral(zs[1:], zt).item(), rel=1e-5)
