"""Files of every kind in, and one clear error for each way a file can be wrong."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import feather

from acclimate import tables
from acclimate.exceptions import AcclimateWarning, DataNotFoundError, InputError, MissingExtraError


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {"age": [40.5, 50.0, np.nan], "ward": ["a", "b", "a"], "sick": ["no", "yes", "no"]}
    )


def write(folder: Path, text: str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_table_format_gives_the_same_table(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.csv.gz", index=False)
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    frame.to_csv(tmp_path / "semi.csv", index=False, sep=";")
    frame.to_parquet(tmp_path / "t.parquet")
    feather.write_feather(pa.Table.from_pandas(frame), tmp_path / "t.feather")
    memory = tables.as_table(pa.Table.from_pandas(frame), label="sick")
    for name in ("t.csv", "t.csv.gz", "t.tsv", "semi.csv", "t.parquet", "t.feather"):
        table = tables.read(tmp_path / name, label="sick")
        pd.testing.assert_frame_equal(table.X, frame[["age", "ward"]], check_dtype=False)
        pd.testing.assert_frame_equal(table.X, memory.X, check_dtype=False)
        assert table.y is not None
        assert table.y.tolist() == ["no", "yes", "no"]
        assert table.labelled is None
        assert table.path == tmp_path / name


def test_identifiers_keep_their_zeros_and_dropped_columns_go(tmp_path: Path) -> None:
    path = write(tmp_path, "id,a,b,y\n007,1,2,0\n010,3,4,1\n")
    table = tables.read(path, label="y", id="id", drop=["b"])
    assert list(table.X) == ["a"]
    assert table.ids.tolist() == ["007", "010"]


@pytest.mark.parametrize(
    ("cells", "kind"), [(["1", "", "0"], "i"), (["x", "", "yy"], "U"), (["1.5", "", "2"], "f"),
                        (["true", "", "false"], "b")]
)  # fmt: skip
def test_a_partly_labelled_file(tmp_path: Path, cells: list[str], kind: str) -> None:
    path = write(tmp_path, "a,y\n" + "".join(f"{i},{c}\n" for i, c in enumerate(cells)))
    table = tables.read(path, label="y")
    assert table.y is not None
    assert table.y.dtype.kind == kind
    assert table.labelled is not None
    assert table.labelled.tolist() == [True, False, True]
    X, y = table.labelled_rows()
    assert X["a"].tolist() == [0, 2]
    expected = {"i": [1, 0], "U": ["x", "yy"], "f": [1.5, 2.0], "b": [True, False]}[kind]
    assert y.tolist() == expected
    assert "partly given" in repr(table.domain())


def test_an_empty_label_column_is_an_unlabelled_table(tmp_path: Path) -> None:
    table = tables.read(write(tmp_path, "a,y\n1,\n2,\n"), label="y")
    assert table.y is None
    assert table.labelled is None
    with pytest.raises(InputError, match=r"rows\.csv has no labels"):
        table.labelled_rows()


WRONG = {
    "empty": ("", "is empty"),
    "no rows": ("a,y\n", "columns but no rows"),
    "twice": ("a,b,a,y\n1,2,3,4\n", "two columns called 'a', number 1 and number 3"),
    "no label": ("a,disease\n1,2\n", "no label column 'diseas'; did you mean 'disease'"),
    "ragged": ("a,y\n1,2\n3\n4,5\n", "line 3: 1 cells where the header has 2: '3'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_one_clear_error(tmp_path: Path, what: str) -> None:
    text, message = WRONG[what]
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=message):
        tables.read(path, label="diseas" if what == "no label" else "y")


def test_ways_out_of_mixed_types(tmp_path: Path) -> None:
    path = write(tmp_path, "a,y\n1,0\n2,1\n?,0\n4,1\n")
    with pytest.warns(AcclimateWarning, match=r"'a' mixes types.*'\?'.*missing=") as said:
        levels = tables.read(path, label="y").X["a"]
    assert len(said) == 1
    assert levels.tolist() == ["1", "2", "?", "4"]
    assert tables.TabularPreprocessor().fit(levels.to_frame()).kinds_ == {"a": "category"}
    numbers = tables.read(path, label="y", missing=["?"]).X["a"]
    assert numbers.isna().tolist() == [False, False, True, False]
    assert tables.read(path, label="y", text=["a"]).X["a"].tolist() == ["1", "2", "?", "4"]


def test_a_wrong_encoding_shows_its_line_and_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("a,b\n1,tea\n2,café\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"not in UTF8: line 3 of column 'b'.*encoding='latin-1'"):
        tables.read(path)
    assert tables.read(path, encoding="latin-1").X["b"].tolist() == ["tea", "café"]
    path.write_bytes("é,b\n1,2\n".encode("latin-1"))
    with pytest.raises(InputError, match="byte 0xe9"):
        tables.read(path)
    path.write_bytes("a,b\n1,2\n".encode("utf-16"))
    with pytest.raises(InputError, match="UTF-16"):
        tables.read(path)
    path.write_bytes("a,b\n1,2\n".encode("utf-8-sig"))
    assert list(tables.read(path).X) == ["a", "b"]


def test_a_file_that_is_not_there_or_not_what_it_says(tmp_path: Path) -> None:
    write(tmp_path, "a\n1\n", "ward.csv")
    with pytest.raises(DataNotFoundError, match=r"did you mean 'ward\.csv'"):
        tables.read(tmp_path / "wrad.csv")
    with pytest.raises(InputError, match="cannot be read as parquet"):
        tables.read(write(tmp_path, "a\n1\n", "not.parquet"))
    with pytest.raises(InputError, match="ending that is not known"):
        tables.read(write(tmp_path, "a\n1\n", "rows.dat"))
    np.savez(tmp_path / "objects.npz", X=np.array([{}, {}], dtype=object))
    with pytest.raises(InputError, match="archive of plain arrays"):
        tables.read(tmp_path / "objects.npz")


def test_npz(tmp_path: Path) -> None:
    X, y = np.arange(12.0).reshape(4, 3), np.array([0, 1, 0, 1])
    np.savez(tmp_path / "a.npz", X=X, y=y, other=y[::-1])
    table = tables.read(tmp_path / "a.npz")
    np.testing.assert_array_equal(table.X, X)
    np.testing.assert_array_equal(table.y, y)
    np.testing.assert_array_equal(tables.read(tmp_path / "a.npz", label="other").y, y[::-1])
    with pytest.raises(InputError, match="no label array 'othr'; did you mean 'other'"):
        tables.read(tmp_path / "a.npz", label="othr")
    np.savez(tmp_path / "b.npz", X=X, y=y[:2])
    with pytest.raises(InputError, match=r"4 rows, but the labels have shape \(2,\)"):
        tables.read(tmp_path / "b.npz")


def _idx(array: np.ndarray) -> bytes:
    sizes = b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def test_idx_finds_its_labels(tmp_path: Path) -> None:
    X = np.arange(24).reshape(2, 3, 4)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(_idx(X))
    assert tables.read(tmp_path / "t10k-images-idx3-ubyte").y is None
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(_idx(np.array([7, 9])))
    table = tables.read(tmp_path / "t10k-images-idx3-ubyte")
    np.testing.assert_array_equal(table.X, X)
    assert table.y is not None
    assert table.y.tolist() == [7, 9]
    (tmp_path / "x.idx3-ubyte.gz").write_bytes(gzip.compress(_idx(X)))
    table = tables.read(tmp_path / "x.idx3-ubyte.gz", label="t10k-labels-idx1-ubyte")
    assert table.X.dtype == np.uint8
    assert table.y is not None
    assert table.y.tolist() == [7, 9]


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = {}
    for name in ("dog/2.png", "cat/b.png", "cat/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        pixels[name] = rng.integers(0, 256, (4, 5), dtype=np.uint8)
        Image.fromarray(pixels[name]).save(tmp_path / name)
    table = tables.read(tmp_path)
    assert table.ids.tolist() == ["cat/a.png", "cat/b.png", "dog/2.png"]
    assert table.y is not None
    assert table.y.tolist() == ["cat", "cat", "dog"]
    np.testing.assert_array_equal(table.X, [pixels[name] for name in table.ids])
    colour = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    Image.fromarray(colour).save(tmp_path / "dog" / "3.png")
    table = tables.read(tmp_path)
    assert table.X.shape == (4, 3, 4, 5)
    np.testing.assert_array_equal(table.X[3], colour.transpose(2, 0, 1))
    np.testing.assert_array_equal(table.X[0], np.stack([pixels["cat/a.png"]] * 3))
    Image.fromarray(colour[:, :4]).save(tmp_path / "dog" / "4.png")
    with pytest.raises(InputError, match=r"one size: cat/a\.png is 5 x 4 pixels, dog/4\.png is 4"):
        tables.read(tmp_path)


def test_a_label_typo_shows_row_and_what_was_meant(tmp_path: Path) -> None:
    table = tables.read(write(tmp_path, "a,y\n1,sick\n2,\n3,helthy\n"), label="y")
    with pytest.raises(InputError, match=r"row 3 of ward B .* 'helthy'; did you mean 'healthy'"):
        tables.check_known_labels(
            table.y, ["healthy", "sick"], labelled=table.labelled, where="ward B"
        )
    tables.check_known_labels(table.y, ["helthy", "sick"], labelled=table.labelled)


def test_excel_is_read_and_names_its_extra_where_that_is_missing(
    tmp_path: Path, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.xlsx"
    frame.to_excel(path, index=False)
    table = tables.read(path)
    assert list(table.X.columns) == list(frame.columns)
    assert len(table.X) == len(frame)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtraError, match=r'openpyxl.*pip install "acclimate\[excel\]"'):
        tables.read(path)


def test_a_header_too_long_for_a_name_is_shown_by_its_start(tmp_path: Path) -> None:
    path = write(tmp_path, "a" * 131073 + ",b\n1,2\n")
    with pytest.raises(InputError, match=r"rows\.csv: the header in line 1.*'aaaa"):
        tables.read(path)


def test_import_loads_neither_pandas_nor_arrow() -> None:
    code = (
        "import sys, acclimate.tables; "
        "print([m for m in ('pandas', 'pyarrow', 'sklearn', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["rows.arrows", "rows.arrow"])
def test_a_stream_of_arrow_is_read_whole_and_in_batches(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"a": [1.5, 2.5, 3.5], "b": ["x", "y", None]})
    table = pa.Table.from_pandas(frame)
    with pa.ipc.new_stream(tmp_path / name, table.schema) as stream:
        for batch in table.to_batches(max_chunksize=2):
            stream.write_batch(batch)
    expected = tables.as_table(frame).X
    pd.testing.assert_frame_equal(tables.read(tmp_path / name).X, expected)
    pieces = list(tables.stream(tmp_path / name, batch_rows=2))
    assert [len(one) for one in pieces] == [2, 1]
    assert pd.concat(pieces)["a"].tolist() == [1.5, 2.5, 3.5]
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cannot be read as arrow"):
        tables.read(tmp_path / name)
