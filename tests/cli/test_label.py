"""`acclimate label`: from no label to a model, by the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import acclimate as library

ROWS = ("--label", "sick", "--id", "patient")


def bare() -> Any:
    """Write the other clinic without labels; return what the labels are, by patient."""
    whole = pd.read_csv("test.csv").head(150)
    whole.drop(columns="sick").to_csv("bare.csv", index=False)
    return whole.set_index("patient")["sick"]


def fill(truth: Any) -> None:
    asked = pd.read_csv("to_label.csv", dtype=str, keep_default_na=False)
    assert (asked["sick"] == "").all()
    asked["sick"] = truth[asked["patient"]].to_numpy()
    asked.to_csv("to_label.csv", index=False)


@pytest.mark.slow
def test_from_no_label_to_a_model(shelf: Path, acclimate: Any) -> None:
    truth = bare()
    pd.read_csv("here.csv").head(150).to_csv("here.csv", index=False)
    files = ("--source", "here.csv", "--target", "bare.csv", *ROWS, "--jobs", "1")
    code, out, err = acclimate("compare", *files, "--method", "CORAL", "--store", "a.sqlite")
    assert code == 0, err
    assert "acclimate label" in " ".join(out.split())
    code, out, err = acclimate("label", "bare.csv", "--rows", "24", *ROWS, "--out", "to_label.csv")
    assert code == 0, err
    assert "24 rows of 150" in out
    code, _, err = acclimate("label", "bare.csv", *ROWS, "--out", "to_label.csv")
    assert code == 2
    assert "may hold labels" in err  # never written over
    fill(truth)
    code, out, err = acclimate(
        "compare", *files, "--labels", "to_label.csv", "--estimator", "linear", "--method",
        "TargetOnly", "--method", "SourceOnly", "--method", "Pooled", "--store", "b.sqlite",
        "--out", "best.acclimate",
    )  # fmt: skip
    assert code == 0, err
    code, out, err = acclimate("resume", "b.sqlite", "--jobs", "1")
    assert code == 0, err
    code, _, err = acclimate("fit", "here.csv", *ROWS, "--out", "here.acclimate")
    assert code == 0, err
    code, _, err = acclimate(
        "adapt", "here.acclimate", "bare.csv", "--labels", "to_label.csv", "--out", "m.acclimate"
    )
    assert code == 0, err
    assert library.load("m.acclimate").trained_on_["target"]["labelled"] == 24
    code, _, err = acclimate("predict", "m.acclimate", "bare.csv", "--out", "p.csv")
    assert code == 0, err
    said = pd.read_csv("p.csv").set_index("patient")
    assert np.mean(said.iloc[:, 0] == truth[said.index]) > 0.7


def test_a_sheet_that_changed_since_stops_resume(shelf: Path, acclimate: Any) -> None:
    truth = bare()
    code, _, err = acclimate("label", "bare.csv", *ROWS, "--out", "to_label.csv")
    assert code == 0, err
    fill(truth)
    code, _, err = acclimate(
        "compare", "--source", "here.csv", "--target", "bare.csv", *ROWS, "--jobs", "1",
        "--labels", "to_label.csv", "--estimator", "linear", "--method", "TargetOnly",
        "--method", "SourceOnly", "--store", "b.sqlite", "--trials", "1",
    )  # fmt: skip
    assert code == 0, err
    pd.read_csv("to_label.csv").head(10).to_csv("to_label.csv", index=False)
    code, _, err = acclimate("resume", "b.sqlite", "--jobs", "1")
    assert code == 2
    assert "labels file" in err
    assert "has changed since" in err
