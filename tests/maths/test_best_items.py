"""The search in a gallery, block by block, against sorting everything."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.maths import best_items as search
from acclimate.maths.best_items import best_items, similarities, unit


def blocks(gallery: np.ndarray, size: int) -> list[np.ndarray]:
    return [gallery[i : i + size] for i in range(0, len(gallery), size)]


@pytest.mark.parametrize("size", [1, 3, 7, 50, 100])
@pytest.mark.parametrize("k", [1, 5, 50])
def test_blocks_find_what_sorting_finds(size: int, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "ROWS", 4)
    rng = np.random.default_rng(0)
    queries, gallery = rng.normal(size=(11, 3)), rng.normal(size=(50, 3))
    gallery[[7, 20, 33]] = gallery[41]  # ties across blocks
    expected = np.argsort(-np.round(queries @ gallery.T, 9), axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(best_items(queries, blocks(gallery, size), k), expected)


def test_all_alike_come_in_their_order() -> None:
    found = best_items(np.ones((2, 3)), blocks(np.ones((9, 3)), 2), 4)
    assert found.tolist() == [[0, 1, 2, 3]] * 2


def test_rounding_is_no_order() -> None:
    rng = np.random.default_rng(3)
    queries, item = rng.normal(size=(20, 257)), rng.normal(size=257)
    noisy = item + 1e-14 * rng.normal(size=(30, 257))
    assert (best_items(queries, [noisy], 30) == np.arange(30)).all()


def test_units_have_length_1_and_zeros_stay() -> None:
    Z = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_array_equal(unit(Z), [[0.6, 0.8], [0.0, 0.0]])
    np.testing.assert_array_equal(similarities(Z, Z), [[25.0, 0.0], [0.0, 0.0]])
