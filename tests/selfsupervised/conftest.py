"""Small images and tables with something in them to learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from acclimate.catalogue import Row


def _rows(row: Row, n: int = 48, seed: int = 0) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return rows that a way of pretraining reads, and labels: images, or a table."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    if row.name == "SCARF":
        return rng.normal(size=(n, 6)) + 2.0 * y[:, None], y
    X = (80 * rng.random((n, 12, 12))).astype(np.uint8)
    X[y == 1, 2:6, 2:10] = 250
    X[y == 0, 2:10, 2:6] = 250
    return X, y


@pytest.fixture
def rows_for() -> Callable[..., tuple[NDArray[Any], NDArray[np.int64]]]:
    """Return what makes rows that a way of pretraining reads, and their labels."""
    return _rows


@pytest.fixture
def images() -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return images of two shapes."""
    return _rows(Row(name="SimCLR"), 60)
