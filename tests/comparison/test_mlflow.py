"""Stores in MLflow: what is sent, with a stand-in for MLflow, and with itself where it is there."""

from __future__ import annotations

import html
import re
import sys
from collections import namedtuple
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from acclimate import Domain, compare
from acclimate.comparison.mlflow import LiveMLflow, export_mlflow
from acclimate.comparison.trials.store import Record, Store
from acclimate.exceptions import InputError, MissingExtraError


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the store of a small comparison, and its result."""
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(80, 2)), rng.normal(size=(40, 2)) + np.array([2.0, 0.0])
    y, yt = (X[:, 0] > 0).astype(int), (Xt[:, 0] > 2).astype(int)
    path = tmp_path_factory.mktemp("store") / "run.sqlite"
    found = compare(
        (X, y), Domain(Xt, yt), methods=["CORAL"], repeats=1, folds=3, n_jobs=1, store=path
    )
    return path, found.to_dict()


_FOUND_BY = ("acclimate.store", "acclimate.part", "mlflow.parentRunId")
Param = namedtuple("Param", "key value")
RunTag = namedtuple("RunTag", "key value")
Metric = namedtuple("Metric", "key value timestamp step")


class Recorder(ModuleType):
    """The functions of MLflow that are called, writing down the arguments by run."""

    def __init__(self):
        super().__init__("mlflow")
        self.runs, self.set, self.calls = [], {}, 0
        self.entities = SimpleNamespace(Param=Param, RunTag=RunTag, Metric=Metric)

    def set_tracking_uri(self, uri):
        self.set["uri"] = uri

    def set_experiment(self, name):
        self.set["experiment"] = name
        return SimpleNamespace(experiment_id="7")

    def MlflowClient(self):
        return self

    def search_runs(self, experiments, where, page_token=None):
        assert experiments == ["7"]
        identity = re.fullmatch(r"tags.`acclimate.store` = '(.*)'", where)[1]
        mine = [r for r in self.runs if r["tags"]["acclimate.store"] == identity]
        start = int(page_token or 0)  # two a page
        found = Page(
            SimpleNamespace(
                info=SimpleNamespace(run_id=run["id"]),
                data=SimpleNamespace(
                    tags=run["tags"], params=run["params"],
                    metrics={k: v for values in run["metrics"] for k, v in values.items()},
                ),
            )
            for run in mine[start : start + 2]
        )  # fmt: skip
        found.token = str(start + 2) if start + 2 < len(mine) else None
        return found

    def create_run(self, experiment, tags, run_name):
        assert experiment == "7"
        run = {"name": run_name, "params": {}, "tags": dict(tags), "metrics": [], "files": {}}
        run |= {"id": f"id-{len(self.runs) + 1}", "status": None}
        self.runs.append(run)
        return SimpleNamespace(info=SimpleNamespace(run_id=run["id"]))

    def run(self, identifier):
        return next(run for run in self.runs if run["id"] == identifier)

    def log_batch(self, identifier, params, tags, metrics):
        self.calls += 1
        run = self.run(identifier)
        assert max(len(params), len(tags), len(metrics)) <= 100
        assert all(isinstance(one.value, str) and len(one.value) <= 500 for one in params)
        assert not {one.key for one in params} & set(run["params"])  # MLflow refuses a change
        assert all(isinstance(one.value, str) for one in tags)
        assert all(type(one.value) is float for one in metrics)
        run["params"] |= {one.key: one.value for one in params}
        run["tags"] |= {one.key: one.value for one in tags}
        run["metrics"].append({one.key: one.value for one in metrics})

    def log_dict(self, identifier, value, name):
        self.run(identifier)["files"][name] = value

    log_text = log_dict

    def set_terminated(self, identifier, status):
        self.run(identifier)["status"] = status

    def below(self, parent):
        return [r for r in self.runs if r["tags"].get("mlflow.parentRunId") == parent["id"]]


class Page(list):
    token = None


@pytest.fixture
def mlflow(monkeypatch):
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, "mlflow", recorder)
    monkeypatch.setitem(sys.modules, "mlflow.entities", recorder.entities)
    return recorder


def test_the_run_has_settings_recommendation_and_gains(finished, mlflow):
    path, found = finished
    assert export_mlflow(path, experiment="clinic", tracking_uri="there") == "id-1"
    assert mlflow.set == {"uri": "there", "experiment": "clinic"}
    run = mlflow.runs[0]
    assert run["name"] == "run.sqlite"
    assert run["params"]["folds"] == "3"
    assert run["tags"]["acclimate.action"] == found["recommendation"]["action"]
    assert run["tags"]["acclimate.sentence"] == found["sentence"]
    metrics = {k: v for values in run["metrics"] for k, v in values.items()}
    for verdict in found["verdicts"]:
        assert metrics[f"gain_against_{verdict['reference']}"] == verdict["gain"]
        assert metrics[f"low_against_{verdict['reference']}"] == verdict["low"]
    assert run["files"]["comparison.json"] == found
    assert found["sentence"] in html.unescape(run["files"]["report.html"])
    assert run["status"] == "FINISHED"


def test_each_candidate_is_a_nested_run_with_its_trials(finished, mlflow):
    path, found = finished
    export_mlflow(path)
    runs = {run["name"]: run for run in mlflow.below(mlflow.runs[0])}
    assert set(runs) == {row["candidate"] for row in found["table"]}
    with Store(path, read_only=True) as store:
        trials = store.table()
    for row in found["table"]:
        run = runs[row["candidate"]]
        assert run["params"]["method"] == row["method"]
        assert run["tags"]["acclimate.status"] == "done"
        assert run["metrics"][0]["score"] == row["score"]
        own = [t for t in trials if t["candidate"] == row["candidate"]]
        steps = [
            values["accuracy"]
            for one in mlflow.below(run) for values in one["metrics"] if "accuracy" in values
        ]  # fmt: skip
        assert steps == [t["scores"]["accuracy"] for t in own if "accuracy" in t["scores"]]


def test_a_trial_has_the_methods_settings_its_fold_and_its_repeat(finished, mlflow):
    path, _ = finished
    export_mlflow(path)
    runs = {run["name"]: run for run in mlflow.below(mlflow.runs[0])}
    assert runs["CORAL"]["params"]["shrinkage"] == "auto"
    assert runs["CORAL"]["params"]["estimator.max_iter"] == "1000"
    trials = mlflow.below(runs["CORAL + labels"])
    assert {one["params"]["shrinkage"] for one in trials} == {"auto"}
    assert {one["params"]["use_target_labels"] for one in trials} == {"true"}
    assert {one["params"]["repeat"] for one in trials} == {"0"}
    held = {"0", "1", "2", "0, 1", "0, 2", "1, 2"}  # one judges, two leave one that chooses
    assert {one["params"]["fold"] for one in trials} == held
    (alone,) = mlflow.below(runs["CORAL"])  # which sees no labels: one fit for all folds
    assert alone["params"]["fold"] == "none"


def test_once_more_is_not_a_second_set(finished, mlflow):
    path, _ = finished
    one = export_mlflow(path)
    runs, calls = len(mlflow.runs), mlflow.calls
    assert export_mlflow(path) == one
    assert (len(mlflow.runs), mlflow.calls) == (runs, calls)


def test_trials_are_written_as_they_end_and_an_export_completes_them(tmp_path, mlflow):
    rng = np.random.default_rng(1)
    X, Xt = rng.normal(size=(60, 2)), rng.normal(size=(30, 2)) + 1.0
    y, yt = (X[:, 0] > 0).astype(int), (Xt[:, 0] > 1).astype(int)
    path, seen = tmp_path / "run.sqlite", []
    live = LiveMLflow(path, experiment="ward", run_name="live")

    def watch(done, planned, trial):
        live(done, planned, trial)
        seen.append([run["status"] for run in mlflow.runs if "fold" in run["params"]])

    settings = {"methods": ["CORAL"], "repeats": 1, "folds": 3, "n_jobs": 1, "store": path}
    found = compare((X, y), Domain(Xt, yt), progress=watch, **settings)
    assert [len(ended) for ended in seen] == list(range(1, len(seen) + 1))
    assert {one for ended in seen for one in ended} == {"FINISHED"}
    top = mlflow.runs[0]
    assert (top["name"], top["status"]) == ("live", None)
    assert top["tags"]["acclimate.finished"] == "false"
    number = len(mlflow.runs)
    compare((X, y), Domain(Xt, yt), progress=LiveMLflow(path, experiment="ward"), **settings)
    assert len(mlflow.runs) == number  # it goes on with the same runs
    assert export_mlflow(path, experiment="ward") == top["id"]
    assert [run["name"] for run in mlflow.runs[number:]] == ["Committee"]  # which has no trial
    assert top["tags"]["acclimate.sentence"] == found.sentence()
    assert {run["status"] for run in mlflow.runs} == {"FINISHED"}


def test_a_server_that_is_lost_ends_no_comparison(tmp_path, mlflow, caplog):
    def lose(*arguments, **settings):
        raise OSError("no route to host")

    mlflow.create_run = lose
    rng = np.random.default_rng(1)
    X, Xt = rng.normal(size=(60, 2)), rng.normal(size=(30, 2)) + 1.0
    found = compare(
        (X, (X[:, 0] > 0).astype(int)), Domain(Xt, (Xt[:, 0] > 1).astype(int)), methods=["CORAL"],
        repeats=1, folds=3, n_jobs=1, store=tmp_path / "run.sqlite",
        progress=LiveMLflow(tmp_path / "run.sqlite"),
    )  # fmt: skip
    assert found.details.trials.failed == 0
    told = [one.message for one in caplog.records if one.levelname == "WARNING"]
    assert len(told) == 1
    assert "no route to host" in told[0]


def test_settings_that_changed_are_said_in_tags(finished, mlflow):
    path, _ = finished
    export_mlflow(path)
    with Store(path) as store:
        settings = store.meta("settings")
        store.set_meta("settings", settings | {"budget": 60.0})
    try:
        export_mlflow(path)
    finally:
        with Store(path) as store:
            store.set_meta("settings", settings)
    assert mlflow.runs[0]["params"]["budget"] == "null"
    assert mlflow.runs[0]["tags"]["now.budget"] == "60.0"


def test_a_store_that_has_not_finished_shows_its_trials(tmp_path, mlflow):
    path = tmp_path / "half.sqlite"
    with Store(path) as store:
        for k, status in enumerate(("done", "failed")):
            store.write(
                Record("CORAL", "CORAL", {"k": k}, 0, "abc", {}, status, {"accuracy": 0.5 + k / 4},
                       1.5, None, "out of luck" if k else None)
            )  # fmt: skip
    export_mlflow(path)
    top, candidate = mlflow.runs[:2]
    assert top["tags"]["acclimate.finished"] == "false"
    assert "comparison.json" not in top["files"]
    tags = {key: one for key, one in candidate["tags"].items() if key not in _FOUND_BY}
    assert tags == {"acclimate.status": "failed", "acclimate.reason": "out of luck"}
    assert sorted(run["status"] for run in mlflow.below(candidate)) == ["FAILED", "FINISHED"]


def test_an_empty_store_and_none_at_all_are_refused(tmp_path, mlflow):
    with Store(tmp_path / "empty.sqlite"):
        pass
    with pytest.raises(InputError, match="no trials yet"):
        export_mlflow(tmp_path / "empty.sqlite")
    with pytest.raises(InputError, match="there is no store"):
        export_mlflow(tmp_path / "none.sqlite")
    assert mlflow.runs == []


def test_without_mlflow_the_message_has_the_command(finished, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError, match=r'pip install "acclimate\[mlflow\]"'):
        export_mlflow(finished[0])


def test_a_model_needs_rows_for_its_signature_and_a_comparison_its_store(finished, mlflow):
    with pytest.raises(InputError, match="needs example="):
        export_mlflow(finished[0], model=object())
    rng = np.random.default_rng(1)
    X, Xt = rng.normal(size=(60, 2)), rng.normal(size=(30, 2)) + 1.0
    found = compare(
        (X, (X[:, 0] > 0).astype(int)), Domain(Xt, (Xt[:, 0] > 1).astype(int)), methods=["CORAL"],
        repeats=1, folds=3, n_jobs=1,
    )  # fmt: skip
    with pytest.raises(InputError, match=r"compare\(\.\.\., store=\)"):
        export_mlflow(found)
    assert mlflow.runs == []
