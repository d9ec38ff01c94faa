"""`acclimate compare`, `resume` and `report`, on small files."""

from __future__ import annotations

import importlib
import json
import shlex
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import acclimate as library
from acclimate import Comparison, cli
from acclimate.comparison.trials.store import Store

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


@pytest.mark.slow
def test_nothing_is_imported_beside_trials_of_this_process(clinics, acclimate, monkeypatch):
    """A thread in the midst of an import shows a half of a module, and a trial fails by it."""
    threads, real = set(), importlib.import_module

    def watched(name, package=None):
        threads.add((name, threading.current_thread() is threading.main_thread()))
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", watched)
    code, _, err = acclimate(
        "compare", *FILES, *QUICK, "--trials", "1", "--report", "out.html", "--out", "m.acclimate"
    )
    assert code == 0, err
    assert ("skops.io", True) in threads
    assert {main for _, main in threads} == {True}


def test_a_recommendation_with_its_evidence(clinics, acclimate):
    code, out, err = acclimate("compare", *FILES, *QUICK, "--report", "out.html")
    assert (code, err) == (0, "")
    assert sorted(p.name for p in Path().glob("compare-*")) == ["compare-here-some.sqlite"]
    found = Comparison.read("compare-here-some.sqlite")
    advice = found.recommendation
    assert advice.candidate in out.splitlines()[0]
    assert ("Do not transfer" in out) == (advice.action == "do not transfer")
    for verdict in found.to_dict()["verdicts"]:
        if verdict["word"] == "the same model":  # nothing was compared, so there is no gain
            assert f"the same model as {verdict['reference']}: there is nothing to" in out
            continue
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


def test_groups_and_what_nothing_beats_fit_the_terminal(clinics, acclimate):
    code, out, err = acclimate("compare", *FILES, *QUICK, "--group", "ward")
    assert (code, err) == (0, "")
    found = Comparison.read("compare-here-some.sqlite").to_dict()
    assert max(map(len, out.splitlines())) <= 80
    part = out.split("By group")[1]
    for group in found["groups"]:
        (line,) = [line for line in part.splitlines() if f" {group['name']} " in line]
        assert f"{100 * group['gain']:+.1f}" in line
        assert f"{100 * group['low']:+.1f} to {100 * group['high']:+.1f}" in line
    if len(found["pareto"]) > 1:
        part = out.split("Not beaten in accuracy, time and memory at once")[1].split("By group")[0]
        assert all(name in part for name in found["pareto"])


def test_the_recommended_model_is_saved_fitted_on_all_rows(clinics, acclimate):
    code, out, err = acclimate("compare", *FILES, *QUICK, "--out", "best.acclimate")
    assert (code, err) == (0, "")
    found = Comparison.read("compare-here-some.sqlite")
    name, words = found.recommendation.candidate, " ".join(out.split())
    assert f"Saved best.acclimate: {name}, fitted on all rows." in words
    kept = found.recommendation.action == "do not transfer"
    assert ("It is the reference: transfer is not recommended" in words) == kept
    model = library.load("best.acclimate")
    assert type(model).__name__ == found.recommendation.method
    card = json.loads(acclimate("show", "best.acclimate", "--json")[1])
    assert card["verdict"] == found.sentence()
    assert card["scores"]["scores"]["this model"] == next(
        row["score"] for row in found.table() if row["recommended"]
    )
    assert {one["role"]: one["rows"] for one in card["files"]} == {"source": 120, "target": 60}
    tables = [library.tables.read(p, label="sick", id="patient") for p in ("here.csv", "some.csv")]
    again = clone(model).fit(
        *tables[0].labelled_rows(), target=tables[1].domain(class_names={"no": "no", "yes": "yes"}),
        class_names={"no": "no", "yes": "yes"},
    )  # fmt: skip
    rows = pd.read_csv("new.csv").drop(columns="patient")
    np.testing.assert_allclose(model.predict_proba(rows), again.predict_proba(rows))
    assert acclimate("predict", "best.acclimate", "new.csv", "--out", "p.csv")[0] == 0
    assert pd.read_csv("p.csv")["prediction"].tolist() == model.predict(rows).tolist()


def test_without_labels_the_source_model_is_saved_and_said_to_be_the_reference(clinics, acclimate):
    code, out, err = acclimate(
        "compare", "--source", "here.csv", "--target", "bare.csv", "--label", "sick", "--id",
        "patient", *QUICK, "--out", "best.acclimate",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "SourceOnly, fitted on all rows. It is the reference" in " ".join(out.split())
    assert type(library.load("best.acclimate")).__name__ == "SourceOnly"


def test_json_is_the_result_with_how_to_run_it_again(clinics, acclimate):
    code, out, err = acclimate("compare", *FILES, *QUICK, "--store", "run.sqlite", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    run = found.pop("run")
    kept = Comparison.read("run.sqlite").to_dict()
    assert kept.pop("run").items() <= run.items()
    assert found == kept
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
    assert "on which they disagree, by patient: t3-" in " ".join(out.split())
    assert "Without target labels" in Path("out.html").read_text(encoding="utf-8")


def test_rows_to_label_are_found_again_in_the_file(clinics, acclimate):
    bare = pd.read_csv("bare.csv")
    bare.to_parquet("bare.parquet")
    common = ("--source", "here.csv", "--label", "sick", *QUICK, "--json")
    labels = {
        name: json.loads(acclimate("compare", "--target", name, *options, *common)[1])["to_label"]
        for name, options in (
            ("bare.csv", ("--id", "patient")), ("bare.parquet", ("--id", "patient")),
        )
    }  # fmt: skip
    for label in labels.values():
        assert label["ids"] == bare["patient"].iloc[label["positions"]].tolist()
        assert label["id_name"] == "patient"
    label = labels["bare.csv"]
    lines = Path("bare.csv").read_text(encoding="utf-8").splitlines()
    assert "row 1 is the header" in label["file_rows_counted"]
    for row, name in zip(label["file_rows"], label["ids"], strict=True):
        assert lines[row - 1].startswith(f"{name},")
    label = labels["bare.parquet"]
    assert label["file_rows_counted"] == "from 1"
    assert label["file_rows"] == [position + 1 for position in label["positions"]]
    assert Comparison.read("compare-here-bare.sqlite").details.to_label.ids


def test_rows_without_ids_have_their_numbers_in_the_file(clinics, acclimate):
    code, out, err = acclimate(
        "compare", "--source", "here.csv", "--target", "bare.csv", "--label", "sick", "--drop",
        "patient", *QUICK,
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "as a spreadsheet counts: row 1 is the header" in " ".join(out.split())


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
        "compare", *FILES, *QUICK, "--store", "run.sqlite", "--report", "half.html", "--out",
        "best.acclimate",
    )  # fmt: skip
    assert code == cli.EXIT_STOPPED
    assert not Path("best.acclimate").exists()
    assert "Not the whole run" in out
    assert "acclimate resume run.sqlite --out best.acclimate" in err
    page = Path("half.html").read_text(encoding="utf-8")
    assert "4 fits have ended" in page
    assert acclimate("report", "run.sqlite", "--out", "later.html")[0] == 0
    assert "4 fits have ended" in Path("later.html").read_text(encoding="utf-8")
    stops(None)
    code, out, err = acclimate(
        "resume", "run.sqlite", "--jobs", "1", "--json", "--out", "best.acclimate"
    )
    assert (code, err) == (0, "")
    best = type(library.load("best.acclimate")).__name__
    assert best == json.loads(out)["recommendation"]["method"]
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
        (("--out", "some.csv"), ("some.csv", "input")),
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


@pytest.mark.slow
def test_a_committee_is_asked_for_shown_saved_and_resumed(clinics, acclimate):
    settings = ("--estimator", "linear", "--estimator", "trees",
                "--method", "SourcePrediction", *QUICK[2:])  # fmt: skip
    code, out, err = acclimate("compare", *FILES, *settings, "--report", "out.html",
                               "--out", "m.acclimate")  # fmt: skip
    assert (code, err) == (0, "")
    found = Comparison.read("compare-here-some.sqlite").details
    assert found.members
    assert "against best reference" in out
    assert max(map(len, out.splitlines())) <= 80
    page = Path("out.html").read_text(encoding="utf-8")
    assert "--single" not in page
    if found.answers_together:
        assert "Together they are the committee:" in out
        assert "Who answers in the committee" in page
        for one in found.members:
            assert f"{100 * one.weight:.0f} %" in out
    code, out, err = acclimate("predict", "m.acclimate", "bare.csv", "--out", "said.csv")
    assert (code, err) == (0, "")
    assert len(pd.read_csv("said.csv")) == 60
    code, out, err = acclimate("adapt", "m.acclimate", "bare.csv", "--out", "n.acclimate")
    assert (code, "label" in err) == (2, True)
    assert acclimate("resume", "compare-here-some.sqlite")[0] == 0
    again = Comparison.read("compare-here-some.sqlite").details
    assert (again.members, again.trials.reused) == (found.members, again.trials.done)


def test_one_model_is_asked_for_also_in_the_file(clinics, acclimate):
    _, out, _ = acclimate("compare", *FILES, "--print-config")
    assert "single = false" in out.splitlines()
    Path("c.toml").write_text("single = true\n", encoding="utf-8")
    _, out, _ = acclimate("compare", *FILES, "--config", "c.toml", "--print-config")
    assert "single = true" in out.splitlines()
