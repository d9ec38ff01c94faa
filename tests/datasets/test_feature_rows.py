"""Features kept by content: computed once, told apart, bounded, and gone on without."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acclimate.datasets import feature_rows
from acclimate.datasets.feature_rows import forget, kept_features


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACCLIMATE_HOME", str(tmp_path))
    monkeypatch.setattr(feature_rows, "FILE", "features.sqlite")
    forget()


class Counting:
    """Twice the sum of a row and its first number; counts the rows it is asked for."""

    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, X: Any) -> Any:
        self.rows += len(X)
        flat = X.reshape(len(X), -1).astype(np.float32)
        return np.column_stack([2 * flat.sum(1), flat[:, 0]])


def images(n: int = 20) -> Any:
    return np.random.default_rng(0).integers(0, 255, size=(n, 4, 4), dtype=np.uint8)


@pytest.mark.parametrize("disk", [True, False])
def test_rows_are_computed_once(disk: bool) -> None:
    X, make = images(), Counting()
    first = kept_features("e", X, make, disk=disk)
    np.testing.assert_array_equal(first, Counting()(X))
    first[:] = -1  # what is kept is a copy
    again = kept_features("e", X, make, disk=disk)
    np.testing.assert_array_equal(again, Counting()(X))
    assert make.rows == 20
    forget()  # another process
    kept_features("e", X, make, disk=disk)
    assert make.rows == (20 if disk else 40)


def test_a_part_in_another_order_needs_the_new_rows_alone() -> None:
    X, make = images(), Counting()
    kept_features("e", X[:10], make, disk=True)
    order = np.random.default_rng(1).permutation(20)
    found = kept_features("e", X[order], make, disk=True)
    np.testing.assert_array_equal(found, Counting()(X[order]))
    assert make.rows == 20


def test_encoders_types_and_shapes_are_told_apart() -> None:
    X, make = images(), Counting()
    for name, rows in (
        ("e", X), ("f", X), ("e", X.astype(np.int16)), ("e", X.reshape(20, 2, 8)),
    ):  # fmt: skip
        before = make.rows
        kept_features(name, rows, make, disk=True)
        assert make.rows == before + 20


def test_the_file_stays_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(feature_rows, "MOST", 200_000)
    rng = np.random.default_rng(0)
    wide = lambda X: np.repeat(X[:, :1].astype(np.float32), 500, axis=1)  # noqa: E731
    for _ in range(8):
        kept_features("e", rng.normal(size=(50, 3)), wide, disk=True)
    last = rng.normal(size=(50, 3))
    kept_features("e", last, wide, disk=True)
    assert (tmp_path / "features.sqlite").stat().st_size < 500_000
    forget()
    make = Counting()
    with closing(sqlite3.connect(tmp_path / "features.sqlite")) as file, file:
        assert 0 < file.execute("SELECT count(*) FROM feature").fetchone()[0] <= 100
    kept_features("e", last[-5:], make, disk=True)
    assert make.rows == 0  # the newest are still there


def test_a_broken_file_is_gone_on_without(tmp_path: Path) -> None:
    (tmp_path / "features.sqlite").write_bytes(b"no database at all, whatever it was" * 99)
    X, make = images(), Counting()
    np.testing.assert_array_equal(kept_features("e", X, make, disk=True), Counting()(X))


def test_a_folder_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ACCLIMATE_HOME", str(tmp_path / "file"))
    X, make = images(), Counting()
    np.testing.assert_array_equal(kept_features("e", X, make, disk=True), Counting()(X))
