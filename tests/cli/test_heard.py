"""What a command tells: quiet, verbose, plain lines without a terminal, errors as JSON."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import acclimate as library
from acclimate import SourceOnly, cli
from acclimate.cli import console
from acclimate.cli.heard import _loud

COMPARE = (
    "compare", "--source", "here.csv", "--target", "some.csv", "--label", "sick", "--id", "patient",
    "--method", "CORAL", "--repeats", "1", "--folds", "3", "--jobs", "1", "--store", "run.sqlite",
)  # fmt: skip


@pytest.fixture
def clinics(shelf: Path) -> Path:
    pd.read_csv("here.csv").head(120).to_csv("here.csv", index=False)
    pd.read_csv("test.csv").head(60).to_csv("some.csv", index=False)
    return shelf


@pytest.mark.slow
def test_verbose_is_a_line_a_fit_and_quiet_is_none(clinics: Path, acclimate: Any) -> None:
    code, out, err = acclimate(*COMPARE, "--json", "--verbose")
    assert code == 0
    planned = json.loads(out)["trials"]["planned"]
    lines = err.splitlines()
    assert len(lines) == planned
    assert all(line.startswith("acclimate: ") and " fits: " in line for line in lines)
    assert lines[-1].startswith(f"acclimate: {planned} of {planned} fits: ")
    code, _, err = acclimate(*COMPARE, "--json")
    assert (code, err) == (0, "")


def test_without_a_terminal_progress_is_a_plain_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    with console.Status("comparing") as status:
        for second in range(0, 100, 10):
            now[0] = float(second)
            status.tell(f"{second} fits")
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [f"acclimate: {n} fits" for n in (30, 60, 90)]
    with _loud(True, False), console.Status("comparing") as status:
        now[0] = 500.0
        status.tell("500 fits")
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_quiet_leaves_notes_out_and_no_error(clinics: Path, acclimate: Any) -> None:
    rows = pd.read_csv("here.csv").drop(columns="patient")
    rows.insert(0, "number", range(len(rows)))  # is taken for an identifier, with a note
    rows.to_csv("noted.csv", index=False)
    fit = ("fit", "noted.csv", "--label", "sick", "--out", "noted.acclimate")
    loud, quiet = acclimate(*fit), acclimate(*fit, "--quiet")
    assert loud[0] == quiet[0] == 0
    assert "note" in loud[2]
    assert quiet[2] == ""
    code, _, err = acclimate("fit", "none.csv", "--label", "sick", "--out", "x", "--quiet")
    assert code == cli.EXIT_INPUT
    assert "none.csv" in err
    code, _, err = acclimate(*fit, "--quiet", "--verbose")
    assert code == cli.EXIT_INPUT
    assert "exclude each other" in err


def test_an_error_of_check_is_json_where_json_was_asked_for(clinics: Path, acclimate: Any) -> None:
    acclimate("fit", "here.csv", "--label", "sick", "--id", "patient", "--out", "here.acclimate")
    code, out, err = acclimate("check", "here.acclimate", "none.csv", "--json")
    assert code == cli.EXIT_INPUT
    found = json.loads(out)
    assert found["exit_code"] == cli.EXIT_INPUT
    assert "none.csv" in found["error"]
    assert err == f"acclimate: {found['error']}\n"
    code, out, _ = acclimate("check", "here.acclimate", "none.csv")
    assert (code, out) == (cli.EXIT_INPUT, "")


@pytest.fixture
def foreign() -> Iterator[str]:
    """Return the name of an estimator of another package, which is importable meanwhile."""
    module = types.ModuleType("some_package")

    class Estimator(LogisticRegression):  # type: ignore[misc]
        pass

    Estimator.__module__, Estimator.__qualname__ = module.__name__, "Estimator"
    module.Estimator = Estimator  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    yield "some_package.Estimator"
    del sys.modules[module.__name__]


def test_a_type_that_is_trusted_by_name_is_loaded(
    clinics: Path, acclimate: Any, foreign: str
) -> None:
    rows = pd.read_csv("here.csv")[["age", "sick"]].dropna()
    base = sys.modules["some_package"].Estimator()
    model = SourceOnly(base).fit(rows[["age"]], rows["sick"])
    library.save(model, "foreign.acclimate")
    predict = ("predict", "foreign.acclimate", "some.csv", "--out", "answers.csv")
    code, _, err = acclimate(*predict)
    assert code == cli.EXIT_INPUT
    assert f"--trusted {foreign}" in err
    assert acclimate(*predict, "--trusted", foreign)[0] == 0
    assert len(pd.read_csv("answers.csv")) == 60
