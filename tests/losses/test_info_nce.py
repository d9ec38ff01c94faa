"""InfoNCE in both directions, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from acclimate.losses.info_nce import symmetric_info_nce


def by_hand(
    za: np.ndarray, zb: np.ndarray, temperature: float, left: set[tuple[int, int]]
) -> float:
    a, b = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (za, zb))
    S, n = a @ b.T / temperature, len(za)
    total = 0.0
    for i in range(n):
        row = [np.exp(S[i, j]) for j in range(n) if (i, j) not in left]
        column = [np.exp(S[j, i]) for j in range(n) if (j, i) not in left]
        total += np.log(sum(row)) + np.log(sum(column)) - 2 * S[i, i]
    return float(total / (2 * n))


@pytest.mark.parametrize("temperature", [0.07, 1.0])
@pytest.mark.parametrize("left", [set(), {(0, 3), (3, 0), (1, 2)}])
def test_value_is_that_of_the_formula(temperature: float, left: set[tuple[int, int]]) -> None:
    rng = np.random.default_rng(0)
    za, zb = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    same = torch.eye(5, dtype=torch.bool)
    for place in left:
        same[place] = True
    value = symmetric_info_nce(torch.tensor(za), torch.tensor(zb), temperature, same)
    assert value.item() == pytest.approx(by_hand(za, zb, temperature, left), abs=1e-12)


def test_without_a_mask_all_others_are_wrong() -> None:
    rng = np.random.default_rng(1)
    za, zb = rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    found = symmetric_info_nce(torch.tensor(za), torch.tensor(zb), 0.5).item()
    assert found == pytest.approx(by_hand(za, zb, 0.5, set()), abs=1e-12)


def test_gradients_are_those_of_finite_differences() -> None:
    rng = np.random.default_rng(2)
    arrays = [rng.normal(size=(4, 3)), rng.normal(size=(4, 3))]
    za, zb = (torch.tensor(z, requires_grad=True) for z in arrays)
    same = torch.zeros(4, 4, dtype=torch.bool)
    same[0, 1] = True
    symmetric_info_nce(za, zb, 0.3, same).backward()
    for number, leaf in enumerate((za, zb)):
        assert leaf.grad is not None
        for place in np.ndindex(4, 3):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [z.copy() for z in arrays]
                moved[number][place] += step
                ends.append(by_hand(moved[0], moved[1], 0.3, {(0, 1)}))
            slope = (ends[0] - ends[1]) / 2e-6
            assert leaf.grad[place].item() == pytest.approx(slope, abs=1e-7)
