"""Files of two clinics, and the command line as a shell sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from acclimate import cli


def clinic(rows: int, seed: int, *, there: bool) -> pd.DataFrame:
    """Return patients of a clinic. There, people are older and the device reads 10 more."""
    rng = np.random.default_rng(seed)
    age = rng.normal(62 if there else 50, 9, rows)
    pressure = rng.normal(130, 15, rows)
    ward = rng.choice(["north", "south", "west"], rows)
    risk = (age - 55) / 9 + (pressure - 130) / 15 + (ward == "west")
    sick = np.where(risk + rng.normal(0, 0.7, rows) > 0.3, "yes", "no")
    pressure = (pressure + (10 if there else 0)).round(1)
    pressure[rng.random(rows) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "patient": [f"{'t' if there else 's'}{seed}-{k:04d}" for k in rng.permutation(rows)],
            "age": age.round(1),
            "pressure": pressure,
            "ward": ward,
            "sick": sick,
        }
    )


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with the files of the README."""
    monkeypatch.chdir(tmp_path)
    clinic(400, 1, there=False).to_csv("here.csv", index=False)
    few = clinic(300, 2, there=True)
    few.loc[30:, "sick"] = np.nan
    few.to_csv("there.csv", index=False)
    clinic(500, 3, there=True).to_csv("test.csv", index=False)
    clinic(200, 4, there=True).drop(columns="sick").to_csv("new.csv", index=False)
    clinic(300, 5, there=True).drop(columns="sick").to_parquet("next_month.parquet")
    return tmp_path


Command = Callable[..., tuple[Any, str, str]]


@pytest.fixture
def acclimate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs the installed command: exit code, output and errors."""

    def run(*arguments: object) -> tuple[Any, str, str]:
        monkeypatch.setattr("sys.argv", ["acclimate", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capsys.readouterr()
        return stop.value.code, out, err

    return run


@pytest.fixture
def model(shelf: Path, acclimate: Command) -> Path:
    """Return a model file that was adapted to the other clinic."""
    code, _, err = acclimate(
        "fit", "here.csv", "--target", "there.csv", "--label", "sick", "--id", "patient",
        "--no-estimate", "--out", "there.acclimate",
    )  # fmt: skip
    assert (code, err) == (0, "")
    return shelf / "there.acclimate"
