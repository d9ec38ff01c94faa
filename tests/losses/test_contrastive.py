"""The contrast of classes against the paper's formula in loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist, squareform

from acclimate.losses.contrastive import class_contrast
from acclimate.losses.mmd import WIDTHS


def by_hand(zs: Any, ys: Any, zt: Any, yt: Any, unit: float | None = None) -> float:
    """Return intra-class less inter-class discrepancy, each of them with all three parts."""
    z = np.vstack([zs, zt])
    D = squareform(pdist(z, "sqeuclidean"))
    u = pdist(z, "sqeuclidean").mean() if unit is None else unit
    K = np.mean([np.exp(-D / (w * u)) for w in WIDTHS], axis=0)
    n = len(zs)

    def discrepancy(a: int, b: int) -> float:
        s, t = np.flatnonzero(ys == a), n + np.flatnonzero(yt == b)
        parts = [np.mean([K[i, j] for i in x for j in y]) for x, y in ((s, s), (t, t), (s, t))]
        return float(parts[0] + parts[1] - 2 * parts[2])

    classes = sorted(set(ys.tolist()) & set(yt.tolist()))
    same = [discrepancy(c, c) for c in classes]
    different = [discrepancy(a, b) for a in classes for b in classes if a != b]
    return float(np.mean(same) - np.mean(different))


@pytest.mark.parametrize("classes", [[0, 1, 2], [0, 2, 5]])
def test_value_is_the_papers(classes: list[int]) -> None:
    rng = np.random.default_rng(0)
    ys, yt = rng.permutation(np.repeat(classes, [4, 3, 2])), rng.permutation(np.repeat(classes, 3))
    zs, zt = rng.normal(size=(9, 3)) + ys[:, None], rng.normal(size=(9, 3)) + yt[:, None]
    found = class_contrast(*map(torch.tensor, (zs, ys, zt, yt)), 6).item()
    assert found == pytest.approx(by_hand(zs, ys, zt, yt), abs=1e-5)


def test_classes_of_one_side_are_left_out() -> None:
    rng = np.random.default_rng(1)
    ys, yt = np.array([0, 0, 1, 1, 3]), np.array([0, 1, 1, 2, 2])
    zs, zt = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    found = class_contrast(*map(torch.tensor, (zs, ys, zt, yt)), 4).item()
    assert found == pytest.approx(by_hand(zs, ys, zt, yt), abs=1e-5)


def test_one_class_has_no_contrast() -> None:
    z = torch.randn(4, 2, requires_grad=True)
    y = torch.zeros(4, dtype=torch.int64)
    value = class_contrast(z, y, z + 1, y, 3)
    value.backward()
    assert value.item() == 0.0
    assert z.grad is not None
    assert not z.grad.any()


def test_gradients_are_those_of_finite_differences() -> None:
    rng = np.random.default_rng(2)
    ys, yt = np.array([0, 0, 1, 1]), np.array([1, 0, 1])
    arrays = [rng.normal(size=(4, 2)), rng.normal(size=(3, 2))]
    unit = float(pdist(np.vstack(arrays), "sqeuclidean").mean())
    zs, zt = (torch.tensor(x, dtype=torch.float32, requires_grad=True) for x in arrays)
    class_contrast(zs, torch.tensor(ys), zt, torch.tensor(yt), 2).backward()
    for number, leaf in enumerate((zs, zt)):
        slope = np.zeros(leaf.shape)
        for place in np.ndindex(*leaf.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [x.copy() for x in arrays]
                moved[number][place] += step
                ends.append(by_hand(moved[0], ys, moved[1], yt, unit))
            slope[place] = (ends[0] - ends[1]) / 2e-5
        assert leaf.grad is not None
        np.testing.assert_allclose(leaf.grad.numpy(), slope, atol=2e-5)
