"""Objectives without labels against loops over rows and pairs in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from acclimate.losses.self_supervised import (
    barlow_twins,
    hidden_error,
    info_nce,
    nt_xent,
    vicreg,
)

Floats = NDArray[np.float64]


@pytest.fixture(params=[(2, 3), (7, 4), (16, 5)])
def pair(request: pytest.FixtureRequest) -> tuple[Floats, Floats]:
    """Projections of two views."""
    n, d = request.param
    rng = np.random.default_rng(n)
    a = rng.normal(size=(n, d)).astype(np.float32).astype(np.float64)
    return a, (a + 0.5 * rng.normal(size=(n, d))).astype(np.float32).astype(np.float64)


def tensors(*arrays: Floats) -> list[torch.Tensor]:
    return [torch.tensor(array, dtype=torch.float32) for array in arrays]


def cosine(u: Floats, v: Floats) -> float:
    return float(u @ v / np.sqrt(u @ u) / np.sqrt(v @ v))


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_nt_xent(pair: tuple[Floats, Floats], temperature: float) -> None:
    z, n = np.concatenate(pair), len(pair[0])
    losses = []
    for i in range(2 * n):
        others = {k: np.exp(cosine(z[i], z[k]) / temperature) for k in range(2 * n) if k != i}
        losses.append(-np.log(others[(i + n) % (2 * n)] / sum(others.values())))
    found = float(nt_xent(*tensors(*pair), temperature))
    assert found == pytest.approx(np.mean(losses), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_info_nce(pair: tuple[Floats, Floats], temperature: float) -> None:
    a, b = pair
    losses = []
    for i in range(len(a)):
        row = [np.exp(cosine(a[i], b[k]) / temperature) for k in range(len(b))]
        losses.append(-np.log(row[i] / np.mean(row)))
    found = float(info_nce(*tensors(*pair), temperature))
    assert found == pytest.approx(np.mean(losses), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("weights", [(25.0, 25.0, 1.0), (0.0, 1.0, 0.0), (0.0, 0.0, 3.0)])
def test_vicreg(pair: tuple[Floats, Floats], weights: tuple[float, float, float]) -> None:
    a, b = 0.7 * pair[0], 0.7 * pair[1]
    d = a.shape[1]
    expected = weights[0] * sum((x - y) ** 2 for x, y in zip(a.flat, b.flat, strict=True)) / a.size
    for z in (a, b):
        C = np.cov(z, rowvar=False)
        hinge = [max(0.0, 1.0 - np.sqrt(C[j, j] + 1e-4)) for j in range(d)]
        crossed = sum(C[i, j] ** 2 for i in range(d) for j in range(d) if i != j)
        expected += weights[1] * np.mean(hinge) / 2 + weights[2] * crossed / d
    assert float(vicreg(*tensors(a, b), *weights)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("redundancy", [0.005, 1.0])
def test_barlow_twins(pair: tuple[Floats, Floats], redundancy: float) -> None:
    a, b = pair
    d = a.shape[1]
    C = np.corrcoef(a, b, rowvar=False)[:d, d:]
    expected = 0.0
    for i in range(d):
        for j in range(d):
            expected += (1 - C[i, i]) ** 2 if i == j else redundancy * C[i, j] ** 2
    found = float(barlow_twins(*tensors(a, b), redundancy))
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_hidden_error() -> None:
    rng = np.random.default_rng(0)
    x, found = rng.normal(size=(2, 3, 3, 4, 5)).astype(np.float32)
    hidden = rng.random((3, 1, 4, 5)) < 0.4
    gaps = [
        (float(found[i, c, r, s]) - float(x[i, c, r, s])) ** 2
        for i in range(3) for c in range(3) for r in range(4) for s in range(5)
        if hidden[i, 0, r, s]
    ]  # fmt: skip
    ours = hidden_error(torch.tensor(found), torch.tensor(x), torch.tensor(hidden))
    assert float(ours) == pytest.approx(np.mean(gaps), rel=1e-5)


def test_rows_in_another_order_have_the_same_losses(pair: tuple[Floats, Floats]) -> None:
    order = torch.randperm(len(pair[0]), generator=torch.Generator().manual_seed(0))
    a, b = tensors(*pair)
    for loss in (
        lambda a, b: nt_xent(a, b, 0.5),
        lambda a, b: info_nce(a, b, 1.0),
        lambda a, b: vicreg(a, b, 25.0, 25.0, 1.0),
        lambda a, b: barlow_twins(a, b, 0.005),
    ):
        torch.testing.assert_close(loss(a, b), loss(a[order], b[order]), rtol=1e-4, atol=1e-5)


def test_lengths_do_not_matter_to_contrasts(pair: tuple[Floats, Floats]) -> None:
    a, b = tensors(*pair)
    torch.testing.assert_close(nt_xent(a, b, 0.5), nt_xent(3.0 * a, 0.5 * b, 0.5))
    torch.testing.assert_close(info_nce(a, b, 1.0), info_nce(3.0 * a, 0.5 * b, 1.0))
