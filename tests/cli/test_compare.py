"""`acclimate compare`, `resume` and `report`, on small files."""

from __future__ import annotations

import importlib
import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from acclimate import Comparison, cli
from acclimate.selection.store import Store

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
    """Return a function that has a comparison stopped, as Ctrl-C does, when fits have ended."""
    real = MODULE.compare

    def after(fits):
        """Stop after so many; None stops no more."""
        if fits is None:
            monkeypatch.setattr(MODULE, "compare", real)
            return

        def compare(*arguments, progress, **settings):
            def tell(done, planned, last):
                progress(done, planned, last)
                if done >= fits:
                    raise KeyboardInterrupt

            return real(*arguments, progress=tell, **settings)

        monkeypatch.setattr(MODULE, "compare", compare)

    return after


def test_a_recommendation_with_its_evidence(clinics, acclimate):
    code, out, err = acclimate("compare", *FILES, *QUICK, "--report", "out.html")
    assert (code, err) == (0, "")
    assert sorted(p.name for p in Path().glob("compare-*")) == ["compare-here-some.sqlite"]
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
    assert found["source"]["features"] == 3, "ids, labels and sources are no inputs"


def test_without_labels_it_is_an_estimate_with_rows_to_label(clinics, acclimate):
    code, out, err = acclimate(
        "compare", "--source", "here.csv", "--target", "bare.csv", "--label", "sick", "--id",
        "patient", *QUICK, "--report", "out.html",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "an estimate without labels" in " ".join(out.split())
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


def refused(result, *words):
    """Check that a command ended with one line that has these words."""
    code, out, err = result
    assert (code, out) == (cli.EXIT_INPUT, ""), (out, err)
    assert err.count("\n") == 1, err
    for word in words:
        assert word in err, (word, err)


def test_ctrl_c_leaves_a_report_and_a_store_that_goes_on(clinics, acclimate, stops):
    stops(4)
    code, out, err = acclimate(
        "compare", *FILES, *QUICK, "--store", "run.sqlite", "--report", "half.html"
    )
    assert code == cli.EXIT_STOPPED
    assert "Not the whole run" in out
    assert "acclimate resume run.sqlite" in err
    page = Path("half.html").read_text(encoding="utf-8")
    assert "4 fits have ended" in page
    assert acclimate("report", "run.sqlite", "--out", "later.html")[0] == 0
    assert "4 fits have ended" in Path("later.html").read_text(encoding="utf-8")
    stops(None)
    code, out, err = acclimate("resume", "run.sqlite", "--jobs", "1", "--json")
    assert (code, err) == (0, "")
    gone_on = json.loads(out)
    assert gone_on["trials"]["reused"] == 4
    assert gone_on["run"]["command"].startswith("acclimate compare --source here.csv")
    _, out, _ = acclimate("compare", *FILES, *QUICK, "--store", "fresh.sqlite", "--json")
    fresh = json.loads(out)
    assert gone_on["verdicts"] == fresh["verdicts"]
    assert gone_on["recommendation"] == fresh["recommendation"]


def test_the_report_of_a_finished_store(clinics, acclimate):
    acclimate("compare", *FILES, *QUICK, "--store", "run.sqlite", "--report", "out.html")
    code, out, err = acclimate("report", "run.sqlite", "--out", "again/out.html")
    assert (code, err) == (0, "")
    assert "again/out.html" in out
    assert Path("again/out.html").read_bytes() == Path("out.html").read_bytes()
    assert json.loads(acclimate("report", "run.sqlite", "--out", "x.html", "--json")[1])["table"]


def test_resume_refuses_files_that_are_gone_or_changed(clinics, acclimate, stops):
    stops(2)
    acclimate("compare", *FILES, *QUICK, "--store", "run.sqlite")
    rows = pd.read_csv("some.csv")
    rows.head(50).to_csv("some.csv", index=False)
    refused(acclimate("resume", "run.sqlite"), "some.csv", "has changed")
    Path("some.csv").unlink()
    refused(acclimate("resume", "run.sqlite"), "some.csv", "is gone")
    refused(acclimate("resume", "none.sqlite"), "none.sqlite")
    with Store("python.sqlite"):
        pass
    refused(acclimate("resume", "python.sqlite"), "was not written by acclimate compare")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--budget", "soon"), ("--budget", "'soon'", "10m")),
        (("--budget", "-3m"), ("--budget",)),
        (("--method", "CORL"), ("CORL",)),
        (("--estimator", "logistics"), ("'logistics'", "logistic")),
        (("--group", "wards"), ("'wards'", "ward")),
        (("--sources", "clinic"), ("'clinic'",)),
        (("--report", "some.csv"), ("some.csv", "input")),
        (("--folds", "2"), ("folds",)),
        (("--source", "hare.csv"), ("hare.csv",)),
    ],
)
def test_what_cannot_be_used_is_one_line(clinics, acclimate, options, words):
    before = Path("some.csv").read_bytes()
    refused(acclimate("compare", *FILES, *QUICK, *options), *words)
    assert Path("some.csv").read_bytes() == before


def test_a_limit_of_trials_is_kept(clinics, acclimate):
    code, out, err = acclimate("compare", *FILES, "--repeats", "1", "--folds", "3", "--jobs", "1",
                               "--method", "CORAL", "--method", "KMM", "--trials", "1",
                               "--budget", "10m", "--json")  # fmt: skip
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["budget"]["trials"] == 1
    assert found["budget"]["seconds"] == 600
    assert found["budget"]["stopped"]
