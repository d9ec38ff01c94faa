"""From a file as a German spreadsheet writes it to predictions, in five commands."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import acclimate as library
from acclimate.cli import commands
from acclimate.cli.options import FILE, KINDS


def ward(rows: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    """Return patients: the label hangs on two numbers, and on a word of the note."""
    rng = np.random.default_rng(seed)
    bmi, dose = rng.normal(27 + shift, 4, rows).round(2), rng.normal(3, 1, rows).round(3)
    seen = pd.Timestamp("1990-01-01") + pd.to_timedelta(rng.integers(0, 3000, rows), unit="D")
    sick = (bmi - 27 - shift) / 4 + (dose - 3) + rng.normal(0, 0.4, rows) > 0
    return pd.DataFrame(
        {
            "patient": [f"{seed}-{k:05d}" for k in rng.permutation(rows)],
            "bmi": bmi,
            "dose": dose,
            "weight": [f"{kg:.1f} kg".replace(".", ",") for kg in rng.normal(80, 9, rows)],
            "seen": [f"{day.month}/{day.day}/{day.year}" for day in seen],
            "note": [f"feels {'dizzy' if s else 'fine'} after {k} days"
                     for s, k in zip(sick, rng.integers(1, 400, rows), strict=True)],
            "sick": np.where(sick, "yes", "no"),
        }
    )  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with files that are parted by semicolons."""
    monkeypatch.chdir(tmp_path)
    there = ward(200, 2, 2.0)
    there.loc[40:, "sick"] = None
    files = {"here": ward(300, 1), "there": there, "test": ward(200, 3, 2.0),
             "new": ward(150, 4, 2.0).drop(columns="sick")}  # fmt: skip
    for name, rows in files.items():
        rows.to_csv(f"{name}.csv", sep=";", decimal=",", index=False)
    return tmp_path


def test_five_commands(desk, acclimate):
    code, out, err = acclimate("columns", "here.csv", "there.csv", "--label", "sick", "--json")
    assert (code, err) == (0, "")
    kinds = {name: {one["name"]: one["kind"] for one in facts}
             for name, facts in json.loads(out).items()}  # fmt: skip
    expected = {"patient": "category", "bmi": "number", "dose": "number", "weight": "number",
                "seen": "datetime", "note": "text", "sick": "label"}  # fmt: skip
    assert kinds == {"here.csv": expected, "there.csv": expected}
    facts = {one["name"]: one for one in json.loads(out)["here.csv"]}
    assert facts["patient"]["option"] == "--id patient"
    assert "kg" in facts["weight"]["written"]
    assert facts["seen"]["written"] == "%m/%d/%Y"
    steps = (
        ("fit", "here.csv", "--target", "there.csv", "--label", "sick", "--id", "patient",
         "--no-estimate", "--out", "m.acclimate"),
        ("evaluate", "m.acclimate", "test.csv"),
        ("check", "m.acclimate", "new.csv"),
        ("predict", "m.acclimate", "new.csv", "--out", "p.csv"),
    )  # fmt: skip
    for step in steps:
        code, _, err = acclimate(*step)
        assert (code, err) == (0, ""), step
    found, rows = pd.read_csv("p.csv"), ward(150, 4, 2.0)
    assert found["patient"].tolist() == rows["patient"].tolist()
    assert (found["prediction"] == rows["sick"]).mean() > 0.9


def test_the_same_rows_in_every_kind_of_file_give_the_same_predictions(desk, acclimate):
    """Booleans, dates, decimals and codes with a gap, however a program wrote them."""
    rng = np.random.default_rng(0)
    n = 120
    days = pd.to_timedelta(rng.integers(0, 900, n), unit="D")
    rows = pd.DataFrame({
        "code": rng.integers(1, 4, n), "smoker": rng.random(n) < 0.5,
        "bmi": rng.normal(size=n).round(2), "seen": pd.to_datetime("2020-01-01") + days,
    })  # fmt: skip
    rows["sick"] = ((rows.code == 2) ^ rows.smoker).astype(int)
    rows.to_csv("fit.csv", index=False)
    common = ("--label", "sick", "--categorical", "code", "--out", "m.acclimate")
    assert acclimate("fit", "fit.csv", *common)[0] == 0
    gap = rows.assign(code=rows.code.astype(float), smoker=rows.smoker.astype(float))
    gap.loc[0, ["code", "smoker"]] = np.nan  # as pandas writes it
    texts = rows.assign(
        smoker=rows.smoker.map({True: "true", False: "false"}),
        seen=rows.seen.dt.strftime("%d.%m.%Y"),
        code=rows.code.astype(str),
    )
    rows.to_parquet("a.parquet")
    rows.to_feather("b.feather")
    rows.to_excel("c.xlsx", index=False)
    gap.to_csv("d.csv", index=False)
    gap.to_parquet("e.parquet")
    texts.to_parquet("f.parquet")
    texts.to_csv("g.csv", sep=";", decimal=",", index=False)
    texts.assign(sick=rows.sick == 1).to_csv("h.csv", sep="|", index=False)
    answers = library.load("m.acclimate").predict(rows.drop(columns="sick"))
    assert (answers == rows["sick"]).mean() > 0.6
    for path in sorted(desk.glob("[a-h].*")):
        code, _, err = acclimate("predict", "m.acclimate", path.name, "--out", "p.csv")
        assert (code, err) == (0, ""), path.name
        found = pd.read_csv("p.csv")["prediction"].to_numpy()
        start = 1 if path.name[0] in "de" else 0
        assert (found[start:] == answers[start:]).all(), path.name
        code, out, err = acclimate("evaluate", "m.acclimate", path.name, "--json")
        assert (code, err) == (0, ""), path.name
        assert json.loads(out)["score"] == pytest.approx((found == rows["sick"]).mean()), path.name
        assert acclimate("check", "m.acclimate", path.name)[0] == 0, path.name


def test_guesses_are_overruled(desk, acclimate):
    lines = ["id;when;much;zip;kind;sick"]
    lines += [
        f"{k};{k % 12 + 1}/{k % 11 + 1}/1990;1,{k:03d};{k % 7};x?y{k % 3};{k % 2}"
        for k in range(60)
    ]
    Path("doubt.csv").write_text("\n".join(lines) + "\n")
    _, out, err = acclimate("columns", "doubt.csv", "--label", "sick", "--json")
    assert "%m/%d/%Y and %d/%m/%Y" in err
    assert "--date when=%d/%m/%Y" in err
    plain = {one["name"]: one for one in json.loads(out)["doubt.csv"]}
    assert plain["much"]["examples"][1] == "1.001"
    _, out, err = acclimate(
        "columns", "doubt.csv", "--label", "sick", "--decimal", ".", "--date", "when=%d/%m/%Y",
        "--categorical", "zip", "--text", "kind", "--id", "id", "--json",
    )  # fmt: skip
    assert err == ""
    found = {one["name"]: one for one in json.loads(out)["doubt.csv"]}
    assert found["much"]["examples"][1] == "1001"
    assert (plain["when"]["examples"][1], found["when"]["examples"][1]) == (
        "1990-02-02",
        "1990-02-02",
    )
    assert (plain["when"]["examples"][2], found["when"]["examples"][2]) == (
        "1990-03-03",
        "1990-03-03",
    )
    kinds = {name: one["kind"] for name, one in found.items()}
    assert kinds == {"when": "datetime", "much": "number", "zip": "category", "kind": "text",
                     "id": "identifier", "sick": "label"}  # fmt: skip


def test_an_odd_cell_is_named_with_the_option_that_helps(desk, acclimate):
    rows = ward(100, 5).drop(columns=["patient", "note", "weight", "seen"])
    rows.astype({"bmi": str}).assign(bmi=["?", *rows.bmi.astype(str)[1:]]).to_csv(
        "odd.csv", index=False
    )
    _, _, err = acclimate("fit", "odd.csv", "--label", "sick", "--out", "m.acclimate")
    assert "'bmi' mixes types" in err
    assert "--missing '?'" in err
    code, out, err = acclimate(
        "fit", "odd.csv", "--label", "sick", "--missing", "?", "--out", "m.acclimate"
    )
    assert (code, err) == (0, "")
    assert "2 number (bmi, dose)" in " ".join(out.split())
    assert acclimate("predict", "m.acclimate", "odd.csv", "--out", "p.csv")[0] == 0
    rows.astype({"bmi": str}).assign(bmi=["-", *rows.bmi.astype(str)[1:]]).to_csv(
        "new.csv", index=False
    )
    for command in (("predict", "--out", "p.csv"), ("evaluate",)):
        code, _, err = acclimate(command[0], "m.acclimate", "new.csv", *command[1:])
        assert code == 2
        assert "'bmi'" in err
        assert "'-'" in err
    assert (
        acclimate("predict", "m.acclimate", "new.csv", "--missing", "-", "--out", "p.csv")[0] == 0
    )


def test_an_undeclared_identifier_is_named(desk, acclimate):
    _, _, err = acclimate("fit", "here.csv", "--label", "sick", "--out", "m.acclimate")
    assert "'patient' has 300 different values in 300 rows" in err
    assert "--id patient" in err
    assert err.count("\n") == 1


def test_every_command_that_reads_files_takes_the_options():
    known = {command.name: command for command in commands.app.registered_commands}

    def options(name: str) -> set[str]:
        return set(inspect.signature(known[name].callback).parameters)

    for name in ("columns", "fit", "compare", "diagnose", "rank"):
        assert {*FILE, *KINDS, "id", "drop", "label", "config"} <= options(name), name
    for name in ("predict", "evaluate", "check", "adapt"):
        assert {*FILE, "config"} <= options(name), name
    for name in ("fit", "compare", "diagnose", "rank"):
        assert "task" in options(name), name


def test_the_report_has_the_same_table(desk, acclimate):
    code, _, err = acclimate(
        "compare", "--source", "here.csv", "--target", "there.csv", "--label", "sick", "--id",
        "patient", "--drop", "note", "--method", "SourceOnly", "--repeats", "1", "--folds", "3",
        "--jobs", "1", "--report", "r.html",
    )  # fmt: skip
    assert (code, err) == (0, "")
    page = Path("r.html").read_text()
    assert "How each column was read" in page
    assert "decimal &#39;,&#39;, unit &#39;kg&#39;" in page
    assert "--date seen=FORMAT" in page
