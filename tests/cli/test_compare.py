"""`acclimate compare`, `resume` and `report`, on small files."""

from __future__ import annotations

import importlib
import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from acclimate import Comparison, Domain, cli
from acclimate.selection.store import Store

from .test_errors import fails

MODULE = importlib.import_module("acclimate.comparison.compare")
FILES = ("--source", "here.csv", "--target", "some.csv", "--label", "sick", "--id", "patient")
QUICK = ("--method", "CORAL", "--repeats", "1", "--folds", "3", "--jobs", "1")


@pytest.fixture
def clinics(shelf):
    """Return the folder of two clinics, with fewer rows."""
    pd.read_csv("here.csv").head(120).to_csv("here.csv", index=False)
    some = pd.read_csv("test.csv").head(60)
    some.to_csv("some.csv", index=False)
    some.drop(columns="sick").to_csv("bare.csv", index=False)
    return shelf


@pytest.fixture
def stops(monkeypatch):
    """Return a function after which a comparison is stopped by Ctrl-C once so many fits ended."""
    real = MODULE.compare

    def after(fits):
        def compare(*arguments, progress, **settings):
            def tell(done, planned, last):
                progress(done, planned, last)
                if done >= fits:
                    raise KeyboardInterrupt

            return real(*arguments, progress=tell, **settings)

        monkeypatch.setattr(MODULE, "compare", compare)

    yield after
    monkeypatch.setattr(MODULE, "compare", real)


def test_a_recommendation_with_its_evidence(clinics, acclimate):
    code, out, err = acclimate("compare", *FILES, *QUICK, "--report", "out.html")
    assert (code, err) == (0, "")
    found = Comparison.read("compare-here-some.sqlite")
    advice = found.recommendation
    assert advice["candidate"] in out.splitlines()[0]
    assert ("Do not transfer" in out) == (advice["action"] == "do not transfer")
    for verdict in found.details["verdicts"]:
        assert f"{verdict['word']} against {verdict['reference']}" in out
        assert f"{100 * verdict['gain']:+.1f} points" in out
    for row in found.table():
        assert row["candidate"] in out
        assert f"{100 * row['score']:.1f} %" in out
    assert max(map(len, out.splitlines())) <= 80
    assert sorted(p.name for p in Path().glob("compare-*")) == ["compare-here-some.sqlite"]
    page = Path("out.html").read_text(encoding="utf-8")
    assert "What differs between source and target" in page
    assert "acclimate compare --source here.csv --target some.csv" in page
    assert "SHA-256" in page


def test_json_is_the_result_with_how_to_run_it_again(clinics, acclimate):
    code, out, err = acclimate("compare", *FILES, *QUICK, "--store", "run.sqlite", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    run = found.pop("run")
    assert found == Comparison.read("run.sqlite").to_dict()
    assert run["settings"]["folds"] == 3
    assert set(run["versions"]) >= {"acclimate", "numpy", "scikit-learn"}
    program, *words = shlex.split(run["command"])
    assert program == "acclimate"
    with Store("run.sqlite", read_only=True) as store:
        trials = store.table()
        assert run["data"] == trials[0]["data"]
    _, out, _ = acclimate(*words, "--json")
    again = json.loads(out)
    assert again["trials"]["reused"] == len(trials)
    assert again["verdicts"] == found["verdicts"]


def test_a_column_of_groups_and_one_of_sources(clinics, acclimate):
    rows = pd.read_csv("here.csv")
    rows.assign(clinic=np.arange(len(rows)) % 2).to_csv("here.csv", index=False)
    code, out, err = acclimate(
        "compare", *FILES, *QUICK, "--group", "ward", "--sources", "clinic", "--json"
    )
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["source"]["sources"] == 2
    counts = pd.read_csv("some.csv")["ward"].value_counts()
    assert {g["name"]: g["rows"] for g in found["groups"]} == counts.to_dict()
    assert found["source"]["features"] is None or found["source"]["features"] == 3


def test_without_labels_it_is_an_estimate_with_rows_to_label(clinics, acclimate):
    code, out, err = acclimate(
        "compare", "--source", "here.csv", "--target", "bare.csv", "--label", "sick", "--id",
        "patient", *QUICK, "--report", "out.html",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "an estimate without labels" in out
    assert "rows first" in out
    assert "Without target labels" in Path("out.html").read_text(encoding="utf-8")


def test_whole_numbers_as_values(clinics, acclimate):
    for name in ("here", "some"):
        rows = pd.read_csv(f"{name}.csv")
        rows.assign(age=rows["age"].round()).to_csv(f"{name}.csv", index=False)
    code, out, err = acclimate(
        "compare", "--source", "here.csv", "--target", "some.csv", "--label", "age", "--id",
        "patient", "--task", "regression", *QUICK, "--json",
    )  # fmt: skip
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["task"], found["score"]) == ("regression", "R2")


def test_an_array_file(tmp_path, monkeypatch, acclimate):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 2))
    y = (X[:, 0] > 0).astype(int)
    np.savez("a.npz", X=X, y=y)
    np.savez("b.npz", X=X[:40] + 1, y=y[:40])
    code, out, err = acclimate("compare", "--source", "a.npz", "--target", "b.npz", *QUICK)
    assert (code, err) == (0, "")
    assert "TargetOnly" in out


def test_ctrl_c_leaves_a_report_and_a_store_that_goes_on(clinics, acclimate, stops, monkeypatch):
    stops(4)
    code, out, err = acclimate(
        "compare", *FILES, *QUICK, "--store", "run.sqlite", "--report", "half.html"
    )
    assert code == cli.EXIT_STOPPED
    assert "Not the whole run" in out
    assert "acclimate resume run.sqlite" in err
    page = Path("half.html").read_text(encoding="utf-8")
    assert "Not the whole run" in page
    assert "4 fits have ended" in page
    with Store("run.sqlite", read_only=True) as store:
        assert len(store.table()) == 4
    monkeypatch.undo()
    monkeypatch.chdir(clinics)
    code, again, _ = _run(acclimate_of(monkeypatch), "resume", "run.sqlite", "--jobs", "1",
                          "--json")  # fmt: skip
    assert code == 0
    assert json.loads(again)["trials"]["reused"] == 4


def acclimate_of(monkeypatch):
    return monkeypatch


def _run(monkeypatch, *arguments):
    import contextlib
    import io

    monkeypatch.setattr("sys.argv", ["acclimate", *arguments])
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        with pytest.raises(SystemExit) as stop:
            cli.main()
    return stop.value.code, out.getvalue(), err.getvalue()
