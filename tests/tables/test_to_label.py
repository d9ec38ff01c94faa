"""Rows to label: drawn plainly, written as a sheet, and found again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from acclimate import tables
from acclimate.exceptions import InputError
from acclimate.tables.to_label import draw_plain, filled, sheet


@pytest.fixture
def there(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "patient": [f"p{k:03d}" for k in rng.permutation(60)], "age": rng.integers(20, 80, 60),
        "pressure": rng.normal(130, 15, 60).round(1), "ward": rng.choice(["north", "west"], 60),
        "admitted": pd.date_range("2026-01-05", periods=60).strftime("%d/%m/%Y"),
    })  # fmt: skip
    frame.loc[3, "pressure"] = np.nan
    path = tmp_path / "there.csv"
    frame.to_csv(path, index=False)
    return path


def answered(table: Any, path: Path, *, id: str | None = "patient", rows: int = 12) -> Any:
    """Write a sheet in which every second row says yes; return the places and the sheet."""
    places = draw_plain(table, rows, 0)
    asked = sheet(table, places, id=id, label="sick")
    asked["sick"] = ["yes", "no"] * (rows // 2)
    asked.to_csv(path, index=False)
    return places, asked


def test_the_draw_is_plain_and_of_rows_without_a_label(there: Path) -> None:
    table = tables.read(there, id="patient")
    counts = np.zeros(60)
    for seed in range(600):
        counts[draw_plain(table, 12, seed)] += 1
    assert counts.min() > 120 - 5 * 9.8  # binomial(600, 1/5): standard deviation 9.8
    assert counts.max() < 120 + 5 * 9.8
    known = np.arange(60) < 40
    half = tables.Table(table.X, np.repeat(["yes"], 60), labelled=known)
    assert draw_plain(half, 30, 0).tolist() == list(range(40, 60))
    with pytest.raises(InputError, match="label in every row"):
        draw_plain(tables.Table(table.X, np.repeat(["yes"], 60)), 3, 0)


@pytest.mark.parametrize("id", ["patient", None])
def test_labels_come_back_to_their_rows(there: Path, tmp_path: Path, id: str | None) -> None:
    table = tables.read(there, id=id)
    places, asked = answered(table, tmp_path / "sheet.csv", id=id)
    shuffled = asked.sample(frac=1, random_state=1)  # a person may sort the sheet
    shuffled.to_csv(tmp_path / "sheet.csv", index=False)
    found = filled(table, tmp_path / "sheet.csv", id=id, label="sick", classes=["no", "yes"])
    assert found.labelled is not None
    assert np.flatnonzero(found.labelled).tolist() == places.tolist()
    assert found.y is not None
    assert found.y[places].tolist() == ["yes", "no"] * 6


def test_rows_are_found_by_identifier_in_another_order(there: Path, tmp_path: Path) -> None:
    _, asked = answered(tables.read(there, id="patient"), tmp_path / "sheet.csv")
    said = dict(zip(asked["patient"], asked["sick"], strict=True))
    pd.read_csv(there).sample(frac=1, random_state=2).to_csv(there, index=False)
    table = tables.read(there, id="patient")
    found = filled(table, tmp_path / "sheet.csv", id="patient", label="sick")
    assert found.y is not None
    names = np.asarray(table.ids)[found.labelled]
    assert dict(zip(names, found.y[found.labelled], strict=True)) == said


def test_a_spreadsheet_may_write_numbers_in_its_own_way(there: Path, tmp_path: Path) -> None:
    table = tables.read(there)
    places, asked = answered(table, tmp_path / "sheet.csv", id=None)
    asked["pressure"] = [one and f"{float(one):.3f}" for one in asked["pressure"]]
    asked["age"] = [f" {one} " for one in asked["age"]]
    asked.to_csv(tmp_path / "sheet.csv", index=False, sep=";", encoding="utf-8-sig")
    found = filled(table, tmp_path / "sheet.csv", id=None, label="sick")
    assert found.labelled is not None
    assert found.labelled.sum() == len(places)


def test_labels_join_those_that_are_there(there: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(there)
    table = tables.read(there, id="patient")
    places, _ = answered(table, tmp_path / "sheet.csv")
    frame["sick"] = ""
    frame.loc[places[0], "sick"] = "yes"  # as the sheet says
    other = next(k for k in range(60) if k not in places)
    frame.loc[other, "sick"] = "no"
    frame.to_csv(there, index=False)
    table = tables.read(there, id="patient", label="sick")
    found = filled(table, tmp_path / "sheet.csv", id="patient", label="sick")
    assert found.labelled is not None
    assert np.flatnonzero(found.labelled).tolist() == sorted([*places.tolist(), other])
    frame.loc[places[0], "sick"] = "no"
    frame.to_csv(there, index=False)
    table = tables.read(there, id="patient", label="sick")
    with pytest.raises(InputError, match=r"sheet.csv says 'yes' of row \d+, and there.csv .*'no'"):
        filled(table, tmp_path / "sheet.csv", id="patient", label="sick")


@pytest.mark.parametrize(
    ("labels", "values"), [(["1", "0"] * 6, [1, 0]), (["1.5", "2"] * 6, [1.5, 2.0])]
)
def test_numbers_stay_numbers(
    there: Path, tmp_path: Path, labels: list[str], values: list[float]
) -> None:
    table = tables.read(there)
    places, asked = answered(table, tmp_path / "sheet.csv", id=None)
    asked.assign(sick=labels).to_csv(tmp_path / "sheet.csv", index=False)
    found = filled(table, tmp_path / "sheet.csv", id=None, label="sick")
    assert found.y is not None
    assert found.y[places[:2]].tolist() == values
    assert found.y.dtype.kind == ("i" if values == [1, 0] else "f")


def test_what_is_wrong_is_named(there: Path, tmp_path: Path) -> None:
    table = tables.read(there, id="patient")
    path = tmp_path / "sheet.csv"
    _, asked = answered(table, path)

    def refused(changed: pd.DataFrame, match: str) -> None:
        changed.to_csv(path, index=False)
        with pytest.raises(InputError, match=match):
            filled(table, path, id="patient", label="sick", classes=["no", "yes"])

    first = asked["patient"].iloc[0]
    refused(asked.assign(patient=["p999", *asked["patient"][1:]]), "'p999' is no row of there.csv")
    refused(pd.concat([asked, asked.iloc[:1]]), f"'{first}' stands there twice")
    refused(asked.assign(ward=["moon", *asked["ward"][1:]]), f"{first}.*'ward' is 'moon'")
    refused(asked.assign(sick=""), "no label yet; fill in its column 'sick'")
    refused(asked.assign(sick=["yess", *asked["sick"][1:]]), "'yess'; did you mean 'yes'")
    refused(asked.drop(columns="patient"), "no column of identifiers 'patient'")
    refused(asked.drop(columns="sick"), "no label column 'sick'")
    with pytest.raises(InputError, match=r"--id COLUMN.*first column is 'patient'"):
        filled(tables.read(there), path, id=None, label="sick")
    frame = pd.read_csv(there)
    frame.loc[1, "patient"] = frame.loc[0, "patient"]
    frame.to_csv(there, index=False)
    with pytest.raises(InputError, match="stands in 2 rows"):
        answered(tables.read(there, id="patient"), path)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("(row),sick\n2,1,3\n3,1\n", "more cells than the first line has names"),
        ("(row),sick\n2,1,3\n3,1,4\n", "more cells than the first line has names"),
        ("(row),sick\n2,1\n3,1,4\n", "more cells than the first line has names"),
        ('(row),sick\n2,"yes\n3,no\n', "a quotation mark stays open"),
        ("(row),sick\n2,größe\n", "not in UTF-8; save it as CSV UTF-8"),
        ("(row);sick\n2;1,5\n3;2\n", "the label '1,5'; write '1.5'"),
    ],
)
def test_a_sheet_that_cannot_be_read_is_told(
    there: Path, tmp_path: Path, text: str, match: str
) -> None:
    path = tmp_path / "sheet.csv"
    path.write_bytes(text.encode("cp1252"))  # as spreadsheets write it
    with pytest.raises(InputError, match=match):
        filled(tables.read(there), path, id=None, label="sick")


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["1_2", "1_3"], None),  # Python reads 12 and 13
        (["01", "1"], ["01", "1"]),  # two classes of the source, one number
        (["True", "False"], ["True", "False"]),
    ],
)
def test_labels_that_look_like_numbers_stay_texts(
    there: Path, tmp_path: Path, labels: list[str], classes: list[str] | None
) -> None:
    path = tmp_path / "sheet.csv"
    given = "\n".join(f"{row},{text.upper()}" for row, text in enumerate(labels, start=1))
    path.write_text(f"(row),sick\n{given}\n", encoding="utf-8")
    found = filled(tables.read(there), path, id=None, label="sick", classes=classes)
    assert found.y is not None
    assert found.y[:2].tolist() == labels


def test_a_label_is_written_as_those_that_are_there(there: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(there)
    frame["sick"] = [True, False, *[None] * 58]
    frame.to_csv(there, index=False)
    path = tmp_path / "sheet.csv"
    path.write_text("(row),sick\n3,TRUE\n4,FALSE\n", encoding="utf-8")
    found = filled(tables.read(there, label="sick"), path, id=None, label="sick")
    assert found.y is not None
    assert found.y[:4].tolist() == ["True", "False", "True", "False"]
