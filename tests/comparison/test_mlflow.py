"""Stores in MLflow: what is sent, with a stand-in for MLflow, and with itself where it is there."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from acclimate import Domain, compare
from acclimate.comparison.mlflow import export_mlflow
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


class Recorder(ModuleType):
    """The functions of MLflow that are called, writing down the arguments by run."""

    def __init__(self):
        super().__init__("mlflow")
        self.runs, self.open, self.set = [], [], {}

    def set_tracking_uri(self, uri):
        self.set["uri"] = uri

    def set_experiment(self, name):
        self.set["experiment"] = name

    @contextmanager
    def start_run(self, run_name=None, nested=False):
        assert nested == bool(self.open)
        run = {"name": run_name, "params": {}, "tags": {}, "metrics": [], "files": {}}
        self.runs.append(run)
        self.open.append(run)
        yield SimpleNamespace(info=SimpleNamespace(run_id=f"id-{len(self.runs)}"))
        self.open.pop()

    def log_params(self, values):
        assert all(isinstance(v, str) and len(v) <= 500 for v in values.values())
        self.open[-1]["params"] |= values

    def set_tags(self, values):
        assert all(isinstance(v, str) for v in values.values())
        self.open[-1]["tags"] |= values

    def log_metrics(self, values, step=None):
        assert all(type(v) is float for v in values.values())
        self.open[-1]["metrics"].append((step, values))

    def log_dict(self, value, name):
        self.open[-1]["files"][name] = value


@pytest.fixture
def mlflow(monkeypatch):
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, "mlflow", recorder)
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
    metrics = {k: v for _, values in run["metrics"] for k, v in values.items()}
    for verdict in found["verdicts"]:
        assert metrics[f"gain_against_{verdict['reference']}"] == verdict["gain"]
        assert metrics[f"low_against_{verdict['reference']}"] == verdict["low"]
    assert run["files"]["comparison.json"] == found


def test_each_candidate_is_a_nested_run_with_its_trials(finished, mlflow):
    path, found = finished
    export_mlflow(path)
    runs = {run["name"]: run for run in mlflow.runs[1:]}
    assert set(runs) == {row["candidate"] for row in found["table"]}
    with Store(path, read_only=True) as store:
        trials = store.table()
    for row in found["table"]:
        run = runs[row["candidate"]]
        assert run["params"]["method"] == row["method"]
        assert run["tags"]["acclimate.status"] == "done"
        assert run["metrics"][0][1]["score"] == row["score"]
        own = [t for t in trials if t["candidate"] == row["candidate"]]
        steps = [values["trial_accuracy"] for step, values in run["metrics"] if step is not None]
        assert steps == [t["scores"]["accuracy"] for t in own if "accuracy" in t["scores"]]


def test_a_store_that_has_not_finished_shows_its_trials(tmp_path, mlflow):
    path = tmp_path / "half.sqlite"
    with Store(path) as store:
        for k, status in enumerate(("done", "failed")):
            store.write(
                Record("CORAL", "CORAL", {"k": k}, 0, "abc", {}, status, {"accuracy": 0.5 + k / 4},
                       1.5, None, "out of luck" if k else None)
            )  # fmt: skip
    export_mlflow(path)
    top, candidate = mlflow.runs
    assert top["tags"]["acclimate.finished"] == "false"
    assert "comparison.json" not in top["files"]
    assert candidate["tags"] == {"acclimate.status": "failed", "acclimate.reason": "out of luck"}


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
