"""`predict` and `check` over a folder of Parquet files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from acclimate import cli

from .conftest import clinic


@pytest.fixture
def months(model: Path) -> Path:
    """Return a folder of three months; in the last one people are younger."""
    folder = model.parent / "months"
    folder.mkdir()
    for k in range(2):
        clinic(300, 10 + k, there=True).to_parquet(folder / f"{k}.parquet")
    clinic(300, 12, there=False).to_parquet(folder / "2.parquet")
    return folder


def test_a_folder_is_predicted_checked_and_gone_on_with(
    model: Path, months: Path, acclimate: Any
) -> None:
    code, out, err = acclimate("predict", model, months, "--out", "said", "--proba")
    assert (code, err) == (0, "")
    assert "Wrote 900 predictions to 3 files in said" in out
    acclimate("predict", model, months / "1.parquet", "--out", "one.parquet", "--proba")
    pd.testing.assert_frame_equal(pd.read_parquet("said/1.parquet"), pd.read_parquet("one.parquet"))
    Path("said/1.parquet").unlink()
    code, out, _ = acclimate("predict", model, months, "--out", "said", "--proba")
    assert "Kept 2 files that were there and newer" in out
    assert "Wrote 300 predictions to 1 files" in out
    code, out, err = acclimate("check", model, months, "--out", "found", "--json")
    assert (code, err) == (cli.EXIT_DRIFTED, "")
    found = json.loads(out)
    assert {name: one["exit_code"] for name, one in found["files"].items()} == {
        "0.parquet": 0, "1.parquet": 0, "2.parquet": cli.EXIT_DRIFTED,
    }  # fmt: skip
    code, out, _ = acclimate("check", model, months / "2.parquet", "--json")
    assert json.loads(out) == found["files"]["2.parquet"]
    written = json.loads(Path("found/2.json").read_text())
    assert written == found["files"]["2.parquet"]
    Path("found/0.json").write_text(json.dumps(written))  # as a finding that is kept
    os.utime("found/0.json")
    code, out, _ = acclimate("check", model, months, "--out", "found")
    assert code == cli.EXIT_DRIFTED
    assert "3 findings were there and newer" in out
    assert out.count("drifted") == 2
    code, out, _ = acclimate("check", model, months, "--out", "found", "--alpha", "0.02", "--json")
    assert json.loads(out)["files"]["0.parquet"]["exit_code"] == 0  # asked anew


def test_one_bad_file_is_one_line_and_the_others_are_done(
    model: Path, months: Path, acclimate: Any
) -> None:
    (months / "1.parquet").write_bytes(b"no table")
    for command in ("predict", "check"):
        code, _, err = acclimate(command, model, months, "--out", command)
        assert code == cli.EXIT_INPUT
        assert err.count("\n") == 1
        assert "1 of 3 files failed, the others are done; 1.parquet: " in err
        assert len(list(Path(command).iterdir())) == 2


def test_what_is_no_folder_of_files(model: Path, acclimate: Any) -> None:
    code, _, err = acclimate("check", model, "new.csv", "--out", "found")
    assert code == cli.EXIT_INPUT
    assert "--out is for a folder of Parquet files" in err
    code, _, err = acclimate(
        "predict", model, "new.csv", "--out", "a.csv", "--cluster", "tcp://x:1"
    )
    assert code == cli.EXIT_INPUT
    assert "--cluster is for a folder of Parquet files" in err
