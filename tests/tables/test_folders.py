"""Folders of Parquet files: one result a file, and what is done is not done again."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from acclimate import SourceOnly
from acclimate.exceptions import InputError
from acclimate.tables import predict_file, predict_folder


@pytest.fixture
def model() -> Any:
    X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
    return SourceOnly().fit(X, ["low", "low", "high", "high"])


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    folder = tmp_path / "rows"
    folder.mkdir()
    for k, month in enumerate(("april", "may", "june")):
        values = np.random.default_rng(k).normal(1.5, 2.0, 5 + k)
        frame = pd.DataFrame({"name": [f"{month} {i}" for i in range(5 + k)], "a": values})
        frame.to_parquet(folder / f"{month}.parquet")
    (folder / "_SUCCESS").write_text("")
    (folder / "_part.parquet").write_text("no data")
    (folder / ".may.parquet.1-2.part").write_text("half")
    (folder / "read.me").write_text("not a table")
    return folder


@pytest.mark.parametrize("spread", [False, True])
def test_each_file_is_predicted_as_by_itself(model: Any, rows: Path, spread: bool) -> None:
    out, told = rows.parent / "out", []
    with ThreadPoolExecutor(2) as pool:
        done = predict_folder(
            model, rows, out, id="name", proba=True, executor=pool if spread else None,
            tell=lambda now, all: told.append((now, all)),
        )  # fmt: skip
    assert done.rows == {"april.parquet": 5, "june.parquet": 7, "may.parquet": 6}
    assert (done.kept, done.failed) == ((), {})
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert sorted(p.name for p in out.iterdir()) == sorted(done.rows)
    for name in done.rows:
        predict_file(model, rows / name, rows.parent / "one.parquet", id="name", proba=True)
        expected = pd.read_parquet(rows.parent / "one.parquet")
        pd.testing.assert_frame_equal(pd.read_parquet(out / name), expected)


def test_what_is_there_and_newer_is_not_done_again(model: Any, rows: Path) -> None:
    out = rows.parent / "out"
    names = ("april.parquet", "june.parquet", "may.parquet")
    predict_folder(model, rows, out)
    assert predict_folder(model, rows, out).kept == names
    (out / "june.parquet").unlink()
    later = (out / "may.parquet").stat().st_mtime + 5
    os.utime(rows / "may.parquet", (later, later))  # new rows came
    os.utime(out / "april.parquet", (later, later))
    done = predict_folder(model, rows, out)
    assert (sorted(done.rows), done.kept) == (["june.parquet", "may.parquet"], names[:1])
    again = predict_folder(model, rows, out, since=later + 1)  # the model is newer
    assert sorted(again.rows) == list(names)
    for name in names:
        os.utime(out / name, (later, later))
    assert predict_folder(model, rows, out).kept == names
    assert predict_folder(model, rows, out, proba=True).kept == ()  # other columns
    assert predict_folder(model, rows, out, proba=True, id="name").kept == ()


def test_a_file_that_is_only_half_there_does_not_count(model: Any, rows: Path) -> None:
    out = rows.parent / "out"
    predict_folder(model, rows, out)
    whole = (out / "may.parquet").read_bytes()
    (out / "may.parquet").write_bytes(whole[: len(whole) // 2])
    (out / ".june.parquet.1-2.part").write_bytes(whole)
    done = predict_folder(model, rows, out)
    assert list(done.rows) == ["may.parquet"]
    assert (out / "may.parquet").read_bytes() == whole


def test_one_that_fails_does_not_stop_the_others(model: Any, rows: Path) -> None:
    (rows / "april.parquet").write_bytes(b"no table")
    pd.DataFrame({"b": [1.0]}).to_parquet(rows / "june.parquet")
    done = predict_folder(model, rows, rows.parent / "out")
    assert list(done.rows) == ["may.parquet"]
    assert "cannot be read as parquet" in done.failed["april.parquet"]
    assert "'a'" in done.failed["june.parquet"]
    again = predict_folder(model, rows, rows.parent / "out")
    assert (again.kept, list(again.failed)) == (("may.parquet",), list(done.failed))


def test_folders_that_cannot_be(model: Any, rows: Path) -> None:
    with pytest.raises(InputError, match="choose another"):
        predict_folder(model, rows, rows)
    with pytest.raises(InputError, match="out is a file"):
        predict_folder(model, rows, rows / "read.me")
    with pytest.raises(InputError, match="has no Parquet file"):
        predict_folder(model, rows.parent, rows.parent / "out")
