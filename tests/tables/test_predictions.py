"""Batches of large files, and predictions into a file: order, types, nothing half written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather
from sklearn.linear_model import Ridge

from acclimate import SourceOnly, tables
from acclimate.exceptions import InputError, OutputError
from acclimate.tables import TabularPreprocessor

N = 1000


@pytest.fixture
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    data = pd.DataFrame(
        {
            "name": [f"{k:05d}" for k in rng.permutation(N)],
            "a": rng.normal(size=N).round(5),
            "k": rng.integers(0, 9, N).astype(float),
            "ward": rng.choice(["x", "y"], N),
            "flag": rng.random(N) < 0.5,
        }
    )
    data.loc[700:, "k"] = np.nan  # only later batches have gaps
    data.loc[800:, "ward"] = "new"
    return data


@pytest.fixture
def model(rows: pd.DataFrame) -> SourceOnly:
    X = rows.drop(columns="name")
    y = np.where(X["a"] + (X["ward"] == "x") > 0.5, "sick", "well")
    return SourceOnly(preprocess=TabularPreprocessor()).fit(X[:600], y[:600])


def save(rows: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        rows.to_parquet(path, row_group_size=130)
    elif path.suffix == ".arrow":
        feather.write_feather(pa.Table.from_pandas(rows), path, chunksize=130)
    else:
        rows.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", ["r.csv", "r.csv.gz", "r.parquet", "r.arrow"])
@pytest.mark.parametrize("size", [1, 64, 5000])
def test_batches_are_the_file(tmp_path: Path, rows: pd.DataFrame, name: str, size: int) -> None:
    rows = rows.head(100) if size == 1 else rows
    path = save(rows, tmp_path / name)
    types = {"name": "string"}
    batches = list(tables.stream(path, batch_rows=size, types=types))
    assert [len(b) for b in batches[:-1]] == [size] * (len(batches) - 1)
    assert all((b.dtypes == batches[0].dtypes).all() for b in batches)
    whole = pd.concat(batches)
    pd.testing.assert_frame_equal(whole, rows, check_dtype=False, check_index_type=False)
    some = next(tables.stream(path, batch_rows=size, columns=["k", "a"]))
    assert list(some) == ["k", "a"]


def test_a_later_block_that_breaks_the_types_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    lines = [f"{i},text{i}" for i in range(200_000)]
    lines[190_000] = "oops,text"
    path.write_text("a,b\n" + "\n".join(lines) + "\n")
    with pytest.raises(InputError, match=r"line 190002: column 'a' holds double .* 'oops'"):
        list(tables.stream(path, batch_rows=1000))
    lines[190_000] = "1,2,3"
    path.write_text("a,b\n" + "\n".join(lines) + "\n")
    with pytest.raises(InputError, match=r"line 190002: 3 cells where the header has 2"):
        list(tables.stream(path, batch_rows=1000))


@pytest.mark.parametrize("name", ["r.csv", "r.parquet", "r.arrow"])
@pytest.mark.parametrize("out", ["p.csv", "p.tsv", "p.parquet"])
def test_a_streamed_file_is_predicted_as_one_in_memory(
    tmp_path: Path, rows: pd.DataFrame, model: SourceOnly, name: str, out: str
) -> None:
    shuffled = rows[list(rows.columns)[::-1]].assign(extra="ignored")
    path = save(shuffled, tmp_path / name)
    told: list[int] = []
    done = tables.predict_file(
        model, path, tmp_path / out, id="name", proba=True, batch_rows=64, tell=told.append
    )
    assert done == N
    assert told == [*range(64, N, 64), N]
    got = tables.read(tmp_path / out, text=["name"]).X
    assert list(got) == ["name", "prediction", "p_sick", "p_well"]
    X = rows.drop(columns="name")
    assert got["name"].tolist() == rows["name"].tolist()
    assert got["prediction"].tolist() == model.predict(X).tolist()
    np.testing.assert_allclose(got[["p_sick", "p_well"]], model.predict_proba(X), rtol=1e-9)


def test_without_identifiers_rows_are_counted(
    tmp_path: Path, rows: pd.DataFrame, model: SourceOnly
) -> None:
    out = tmp_path / "p.csv"
    tables.predict_file(model, save(rows, tmp_path / "r.csv"), out, batch_rows=300)
    assert pd.read_csv(out)["row"].tolist() == list(range(1, N + 1))


def test_arrays_are_predicted_in_one_go(tmp_path: Path) -> None:
    X = np.arange(20.0).reshape(10, 2)
    model = SourceOnly().fit(X, np.arange(10) > 4)
    np.savez(tmp_path / "x.npz", X=X, who=np.arange(10)[::-1])
    assert tables.predict_file(model, tmp_path / "x.npz", tmp_path / "p.parquet", id="who") == 10
    got = pd.read_parquet(tmp_path / "p.parquet")
    assert got["who"].tolist() == list(range(10))[::-1]
    assert got["prediction"].tolist() == model.predict(X).tolist()


def test_wrong_calls_write_nothing(tmp_path: Path, rows: pd.DataFrame, model: SourceOnly) -> None:
    out = tmp_path / "p.csv"
    out.write_text("what was there\n")
    path = save(rows.drop(columns="ward"), tmp_path / "r.csv")
    with pytest.raises(InputError, match=r"r\.csv has no column 'ward'"):
        tables.predict_file(model, path, out)
    path = save(rows, tmp_path / "r.csv")
    with pytest.raises(InputError, match="no id column 'nam'; did you mean 'name'"):
        tables.predict_file(model, path, out, id="nam")
    with pytest.raises(InputError, match="input file itself"):
        tables.predict_file(model, path, path)
    with pytest.raises(InputError, match="must end in"):
        tables.predict_file(model, path, tmp_path / "p.txt")
    with pytest.raises(InputError, match="batch_rows must be above 0"):
        tables.predict_file(model, path, out, batch_rows=0)
    with pytest.raises(OutputError, match="cannot write"):
        tables.predict_file(model, path, path / "p.csv")
    rows.head(0).to_csv(path, index=False)
    with pytest.raises(InputError, match="no rows"):
        tables.predict_file(model, path, out)
    assert out.read_text() == "what was there\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.csv", "r.csv"]


def _break(rows: int) -> None:
    if rows >= 300:
        raise KeyboardInterrupt


def _full(rows: int) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(("tell", "error"), [(_break, KeyboardInterrupt), (_full, OutputError)])
def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path,
    rows: pd.DataFrame,
    model: SourceOnly,
    tell: Callable[[int], None],
    error: type[BaseException],
) -> None:
    out, path = tmp_path / "p.csv", save(rows, tmp_path / "r.csv")
    out.write_text("what was there\n")
    with pytest.raises(error):
        tables.predict_file(model, path, out, batch_rows=100, tell=tell)
    assert out.read_text() == "what was there\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.csv", "r.csv"]


def test_a_bad_cell_far_down_leaves_nothing(
    tmp_path: Path, rows: pd.DataFrame, model: SourceOnly
) -> None:
    path = save(rows.astype({"a": object}), tmp_path / "r.csv")
    text = path.read_text().replace(f",{rows['a'][900]},", ",abc,")
    path.write_text(text)
    with pytest.raises(InputError, match=r"line 902: column 'a' .* 'abc'"):
        tables.predict_file(model, path, tmp_path / "p.csv", batch_rows=100)
    assert [p.name for p in tmp_path.iterdir()] == ["r.csv"]
    assert tables.predict_file(model, path, tmp_path / "p.csv", missing=["abc"]) == N


def test_the_most_probable_classes_come_first(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame({"a": rng.normal(size=90)}), np.repeat(["x", "y", "z"], 30)
    model = SourceOnly().fit(X + np.repeat([0.0, 2.0, 4.0], 30)[:, None], y)
    path, out = save(X * 3, tmp_path / "r.csv"), tmp_path / "p.parquet"
    tables.predict_file(model, path, out, top=2, batch_rows=40)
    found, shares = pd.read_parquet(out), model.predict_proba(X * 3)
    assert list(found) == ["row", "prediction", "top_1", "top_1_p", "top_2", "top_2_p"]
    assert found["top_1"].tolist() == found["prediction"].tolist()
    order = np.sort(shares, axis=1)[:, ::-1]
    np.testing.assert_allclose(found[["top_1_p", "top_2_p"]], order[:, :2])
    assert found["top_2"].tolist() == model.classes_[np.argsort(-shares, axis=1)[:, 1]].tolist()
    tables.predict_file(model, path, out, top=9, proba=True)
    found = pd.read_parquet(out)
    np.testing.assert_allclose(found[["top_1_p", "top_2_p", "top_3_p"]].sum(axis=1), 1)
    np.testing.assert_allclose(found["top_1_p"], found[["p_x", "p_y", "p_z"]].max(axis=1))
    with pytest.raises(InputError, match="top must be at least 0, got -1"):
        tables.predict_file(model, path, out, top=-1)
    values = SourceOnly(Ridge()).fit(X, X["a"].to_numpy())
    with pytest.raises(InputError, match="leave out top"):
        tables.predict_file(values, path, out, top=1)
