"""Batches of files and arrays: what they hold, again and again, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from acclimate import tables
from acclimate.exceptions import InputError
from acclimate.tables.streaming import ahead


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "long.parquet"
    columns = {"a": np.arange(10.0), "b": -np.arange(10.0), "y": list("uvuvuvuvuv")}
    parquet.write_table(pa.table(columns), path, row_group_size=3)
    return path


def test_a_file_is_read_again_and_again(path: Path) -> None:
    source = tables.batches(path, label="y", batch_rows=4)
    for _ in range(2):
        parts = list(source)
        assert [X.num_rows for X, _ in parts] == [4, 4, 2]
        assert [X.column_names for X, _ in parts] == [["a", "b"]] * 3
        assert np.concatenate([X.column("a").to_numpy() for X, _ in parts]).tolist() == [*range(10)]
        assert np.concatenate([y for _, y in parts]).tolist() == list("uvuvuvuvuv")
    chosen = tables.batches(path, columns=["b"])
    assert [X.column_names for X in chosen] == [["b"]]


def test_arrays_and_memory_maps_are_cut(tmp_path: Path) -> None:
    X = np.arange(10.0).reshape(5, 2)
    np.save(tmp_path / "X.npy", X)
    parts = list(
        tables.batches(np.load(tmp_path / "X.npy", mmap_mode="r"), [*"aabba"], batch_rows=2)
    )
    assert np.concatenate([rows for rows, _ in parts]).tolist() == X.tolist()
    assert [labels for _, labels in parts] == [["a", "a"], ["b", "b"], ["a"]]


def test_a_long_file_is_not_read_ahead_as_a_whole(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "long.parquet"
    parquet.write_table(pa.table({"a": rng.normal(size=2_000_000)}), path, row_group_size=50_000)
    before = pa.total_allocated_bytes()
    for i, _ in enumerate(tables.stream(path, batch_rows=20_000)):
        assert pa.total_allocated_bytes() - before < path.stat().st_size / 4
        if i == 5:
            break


def test_what_is_read_ahead_comes_in_order_and_fails_at_its_turn() -> None:
    made = []

    def source() -> Iterator[int]:
        for i in range(4):
            made.append(i)
            yield i
        raise OSError("the disk is gone")

    rest = ahead(source())
    for i in range(4):
        assert next(rest) == i
        assert len(made) <= i + 2
    with pytest.raises(OSError, match="gone"):
        next(rest)
    made.clear()
    first = ahead(source())
    assert next(first) == 0
    first.close()
    assert len(made) <= 2


def test_what_does_not_fit_is_an_error(path: Path) -> None:
    with pytest.raises(InputError, match="no column 'z'"):
        tables.batches(path, label="z")
    with pytest.raises(InputError, match="among the columns"):
        tables.batches(path, label="y", columns=["a", "y"])
    with pytest.raises(InputError, match="batch_rows must be above 0, got 0"):
        tables.batches(path, batch_rows=0)
    with pytest.raises(InputError, match="2 rows but 1 labels"):
        tables.batches(np.ones((2, 2)), [1])
    with pytest.raises(InputError, match="are for files"):
        tables.batches(np.ones((2, 2)), label="y")
    with pytest.raises(InputError, match="y is for arrays"):
        tables.batches(path, [1])
