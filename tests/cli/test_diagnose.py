"""`acclimate diagnose` and `acclimate rank`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from acclimate import cli, diagnose, tables


def test_what_differs_comes_worst_first(shelf, acclimate):
    code, out, err = acclimate("diagnose", "here.csv", "test.csv", "--label", "sick", "--id",
                               "patient")  # fmt: skip
    assert (code, err) == (0, "")
    assert "shifted" in out.splitlines()[0]
    assert "'age'" in out
    assert "reweighting" in out
    assert max(map(len, out.splitlines())) <= 80


def test_json_is_what_python_gives(shelf, acclimate):
    code, out, err = acclimate("diagnose", "here.csv", "test.csv", "--label", "sick", "--id",
                               "patient", "--json")  # fmt: skip
    assert (code, err) == (0, "")
    sides = [tables.read(p, label="sick", id="patient") for p in ("here.csv", "test.csv")]
    want = json.loads(json.dumps(diagnose(*(side.domain() for side in sides)).to_dict()))
    found = json.loads(out)
    assert found["findings"] == want["findings"]
    assert found["word"] == want["word"]
    assert found["figures"]["a_distance"] == want["figures"]["a_distance"]


def test_the_same_rows_are_no_shift(shelf, acclimate):
    rows = pd.read_csv("here.csv")
    rows.iloc[::2].to_csv("a.csv", index=False)
    rows.iloc[1::2].to_parquet("b.parquet")
    code, out, _ = acclimate("diagnose", "a.csv", "b.parquet", "--label", "sick", "--id",
                             "patient")  # fmt: skip
    assert code == 0
    assert out.startswith("= no shift found")


def test_a_file_without_labels_and_a_missing_column_are_findings(shelf, acclimate):
    pd.read_csv("new.csv").drop(columns="ward").to_csv("less.csv", index=False)
    code, out, err = acclimate("diagnose", "here.csv", "less.csv", "--label", "sick", "--id",
                               "patient", "--json")  # fmt: skip
    assert (code, err) == (0, "")
    kinds = [f["kind"] for f in json.loads(out)["findings"]]
    assert "missing column" in kinds


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("diagnose", "here.csv", "there.csvv"), "there.csvv"),
        (("diagnose", "here.csv", "new.csv", "--label", "sic"), "'sic'"),
        (("diagnose", "here.csv", "new.csv", "--alpha", "2"), "alpha"),
        (("rank", "new.csv", "here.csv", "--label", "sick"), "'sick'"),
        (("rank", "test.csv", "new.csv", "--label", "sick"), "'sick'"),
        (("rank", "test.csv", "here.csv", "m.acclimate", "--label", "sick"), "not both"),
    ],
)
def test_what_cannot_be_used_is_one_line(shelf, acclimate, command, words):
    code, out, err = acclimate(*command)
    assert (code, out) == (cli.EXIT_INPUT, "")
    assert err.count("\n") == 1
    assert words in err


def test_a_saved_model_is_ranked_by_its_probe(model, acclimate):
    code, out, err = acclimate("rank", "test.csv", model, "--label", "sick", "--id", "patient",
                               "--json")  # fmt: skip
    assert (code, err) == (0, "")
    (found,) = json.loads(out)["candidates"]
    assert found["name"] == "there.acclimate"
    assert 0.5 < found["probe"]["score"] <= 1


@pytest.mark.slow
def test_sources_are_ranked(shelf, acclimate):
    rows = pd.read_csv("here.csv")
    rng = np.random.default_rng(0)
    rows.assign(sick=rng.permutation(rows["sick"])).to_csv("noise.csv", index=False)
    code, out, err = acclimate("rank", "test.csv", "here.csv", "noise.csv", "--label", "sick",
                               "--id", "patient", "--json")  # fmt: skip
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert {c["name"] for c in found["candidates"]} == {"here.csv", "noise.csv"}
    assert Path("here.csv").exists()
    code, out, _ = acclimate("rank", "test.csv", "here.csv", "--label", "sick", "--id", "patient")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
