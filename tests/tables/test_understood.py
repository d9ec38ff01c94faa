"""Text tables as programs of all countries write them: read whole and in batches alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from acclimate import tables
from acclimate.exceptions import AcclimateWarning, InputError
from acclimate.tables.understood import Reading

FILES = {
    "decimal commas": ("a;b\n1,5;x\n-2,25;y\n", {"a": [1.5, -2.25]}),
    "tabs": ("a\tb\n1,5\tx\n2,25\ty\n", {"a": [1.5, 2.25]}),
    "bars": ("a|b\n1.5|x\n2|y\n", {"a": [1.5, 2.0]}),
    "a comma in a name": ('"a, in kg";b\n1,5;x\n2,5;y\n', {"a, in kg": [1.5, 2.5]}),
    "points as thousands": ("a;b\n1,5;1.234\n2,5;12.345\n", {"a": [1.5, 2.5], "b": [1234, 12345]}),
    "points beside commas": ("a;b\n1,5;1.25\n2,5;12.5\n", {"a": [1.5, 2.5], "b": [1.25, 12.5]}),
    "both marks": ("a;b\n1.234,5;x\n2,5;y\n", {"a": [1234.5, 2.5]}),
    "quoted thousands": ('a,b\n"1,234,567",x\n"12,345",y\n', {"a": [1234567, 12345]}),
    "quoted decimals": ('a,b\n"1,5",x\n"12,25",y\n', {"a": [1.5, 12.25]}),
    "units": ("a,b\n70 kg,x\n71.5kg,y\n", {"a": [70, 71.5]}),
    "units with commas": ("a;b\n70,5 kg;x\n71 kg;y\n", {"a": [70.5, 71]}),
    "money": ('a,b\n$5,x\n"$1,200.50",y\n', {"a": [5, 1200.5]}),
    "American days": ("a,b\n9/30/1990,x\n1/2/1991,y\n", {"a": ["1990-09-30", "1991-01-02"]}),
    "European days": ("a,b\n30/9/1990,x\n1/2/1991,y\n", {"a": ["1990-09-30", "1991-02-01"]}),
    "German days": ("a;b\n30.9.1990;x\n1.2.1991;y\n", {"a": ["1990-09-30", "1991-02-01"]}),
    "the clock": (
        "a,b\n9/30/1990 14:05,x\n1/2/1991 3:00,y\n",
        {"a": ["1990-09-30T14:05", "1991-01-02T03:00"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_what_texts_mean(tmp_path: Path, name: str, ending: str) -> None:
    text, expected = FILES[name]
    path = tmp_path / "rows.csv"
    path.write_text(text)
    if ending == "parquet":  # the same cells, as texts in a file that knows types
        mark = max(",;\t|", key=text.splitlines()[0].replace("a, in kg", "").count)
        frame = pd.read_csv(path, sep=mark, dtype=str)
        path = tmp_path / "rows.parquet"
        frame.to_parquet(path)
        if name in ("points as thousands",):
            return  # nothing in such a file says that commas are decimal marks
    whole = tables.read(path).X
    (part,) = tables.stream(path)
    for frame in (whole, part):
        for column, values in expected.items():
            if isinstance(values[0], str):
                values = pd.to_datetime(values).to_numpy()
            assert (frame[column].to_numpy() == np.asarray(values)).all(), frame


def test_a_doubt_is_told_and_decided_by_the_option(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a;d\n1,234;3/4/1990\n5,678;5/6/1990\n")
    with pytest.warns(AcclimateWarning) as said:
        X = tables.read(path).X
    words = sorted(str(one.message) for one in said)
    assert len(words) == 2
    assert "decimal='.' (--decimal .)" in words[0]
    assert "date=['d=%d/%m/%Y'] (--date d=%d/%m/%Y)" in words[1]
    assert X["a"].tolist() == [1.234, 5.678]
    assert X["d"].dt.month.tolist() == [3, 5]
    X = tables.read(path, decimal=".", date=["d=%d/%m/%Y"]).X
    assert X["a"].tolist() == [1234, 5678]
    assert X["d"].dt.month.tolist() == [4, 6]


def test_what_another_file_showed_decides(tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("d,n\n13/4/1990,1\n5/6/1990,2\n")
    second.write_text("d,n\n3/4/1990,1\n5/6/1990,2\n")
    known = Reading().like(tables.read(first))
    for name, unit in (("kg", "kg"), ("lb", "lb")):
        (tmp_path / f"{name}.csv").write_text(f"w,n\n70 {unit},1\n80 {unit},2\n")
    kilos = Reading().like(tables.read(tmp_path / "kg.csv"))
    with pytest.raises(InputError, match="'w' was written in 'kg' before and is in 'lb' now"):
        tables.read(tmp_path / "lb.csv", how=kilos)
    assert tables.read(second, how=known).X["d"].dt.month.tolist() == [4, 6]


def test_declared_kinds(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("zip,words,n\n007,1,5\n008,2,x\n008,1,\n")
    table = tables.read(path, categorical=["zip"], text=["words"], missing=["x"])
    assert table.X["zip"].tolist() == ["007", "008", "008"]
    assert table.X["words"].tolist() == ["1", "2", "1"]
    assert table.X["n"].isna().tolist() == [False, True, True]
    with pytest.raises(InputError, match=r"'n' is declared as numbers, but row 1 holds 'x'"):
        tables.read(path, number=["n"])
    with pytest.raises(InputError, match="did you mean 'words'"):
        tables.read(path, text=["word"])
    with pytest.raises(InputError, match="declared as two kinds"):
        tables.read(path, text=["n"], number=["n"])
    with pytest.raises(InputError, match="decimal must be one character"):
        tables.read(path, decimal="")
    with pytest.raises(InputError, match="no encoding 'utf-9'"):
        tables.read(path, encoding="utf-9")


def test_a_cell_of_a_later_batch_that_does_not_fit_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = [f"{k % 90},5 kg;{k}" for k in range(200_000)]
    rows[150_000] = "heavy;0"
    path.write_text("\n".join(["a;k", *rows]) + "\n")
    with pytest.raises(
        InputError, match=r"line 150002: column 'a' holds numbers.*'heavy'.*--missing"
    ):
        list(tables.stream(path))
    total = sum(len(batch) for batch in tables.stream(path, missing=["heavy"]))
    assert total == 200_000


def test_identifiers_are_found_among_texts_and_whole_numbers(tmp_path: Path) -> None:
    from acclimate.tables.understood import likely_identifiers

    path = tmp_path / "rows.csv"
    rng = np.random.default_rng(0)
    pd.DataFrame({
        "name": [f"p{k}" for k in range(50)], "number": range(100, 150),
        "value": rng.normal(size=50),
        "ward": ["a", "b"] * 25, "note": [f"some words of {k}" for k in range(50)],
    }).to_csv(path, index=False)  # fmt: skip
    found = likely_identifiers(tables.read(path))
    assert len(found) == 2
    assert "'name'" in found[0]
    assert "'number'" in found[1]


def test_numbers_as_names_of_columns(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    path = tmp_path / "rows.xlsx"
    pd.DataFrame({2019: ["1,5", "2,25"], "b": ["x", "?"]}).to_excel(path, index=False)
    X = tables.read(path, missing=["?"]).X
    assert X["2019"].tolist() == [1.5, 2.25]
    assert X["b"].isna().tolist() == [False, True]
