"""Comparisons and models in MLflow itself, kept in a file of this machine."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from acclimate import Domain, NeuralClassifier, SourceOnly, compare, export_mlflow
from acclimate.comparison.mlflow import LiveMLflow, trusted_types
from acclimate.exceptions import InputError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # MLflow's own
]
mlflow = pytest.importorskip("mlflow", reason="needs the extra 'mlflow'")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return where MLflow keeps runs; to make it takes seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder / 'runs.db'}"
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    mlflow.create_experiment("ward", artifact_location=f"file:{folder / 'files'}")
    yield uri
    mlflow.set_tracking_uri(before)


@pytest.fixture(scope="module")
def shifted():
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(90, 2)), rng.normal(size=(40, 2)) + 1.0
    y, yt = (X[:, 0] > 0).astype(int), (Xt[:, 0] > 1).astype(int)
    frame = lambda rows: pd.DataFrame(rows, columns=["age", "dose"])  # noqa: E731
    return (frame(X), y), Domain(frame(Xt), yt)


@pytest.fixture(scope="module")
def found(place, shifted, tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "run.sqlite"
    return compare(
        *shifted, methods=["CORAL"], repeats=1, folds=3, n_jobs=1, store=path,
        progress=LiveMLflow(path, experiment="ward", tracking_uri=place),
    )  # fmt: skip


def test_runs_report_and_model_are_there_once(place, found, shifted):
    top = export_mlflow(found, experiment="ward", tracking_uri=place)
    assert export_mlflow(found, experiment="ward", tracking_uri=place) == top
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("ward").experiment_id
    runs = client.search_runs([experiment])
    assert len(runs) == 1 + len(found.details.table) + found.details.trials.done
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert {one.path for one in client.list_artifacts(top)} >= {"comparison.json", "report.html"}
    assert len(client.get_metric_history(top, "gain_against_SourceOnly")) == 1
    for run in runs:
        for name in run.data.metrics:
            if name != "trials":  # which counts
                assert len(client.get_metric_history(run.info.run_id, name)) == 1
    assert len(mlflow.search_logged_models([experiment], output_format="list")) == 1
    model = mlflow.pyfunc.load_model(f"runs:/{top}/model")
    assert model.metadata.signature.inputs.input_names() == ["age", "dose"]
    Xt = shifted[1].X
    np.testing.assert_array_equal(model.predict(Xt), found.best_model().predict(Xt))
    with pytest.raises(mlflow.exceptions.MlflowException, match="dose"):
        model.predict(Xt[["age"]])


def test_the_recipe_for_its_default_format(place, found, shifted):
    model, Xt = found.best_model(), shifted[1].X
    mlflow.set_experiment("ward")
    with mlflow.start_run():
        kept = mlflow.sklearn.log_model(
            model, name="model", skops_trusted_types=trusted_types(model),
            signature=mlflow.models.infer_signature(Xt, model.predict(Xt)),
            pip_requirements=["acclimate"],
        )  # fmt: skip
    again = mlflow.sklearn.load_model(kept.model_uri)
    np.testing.assert_array_equal(again.predict_proba(Xt), model.predict_proba(Xt))
    behind = mlflow.pyfunc.load_model(kept.model_uri)
    np.testing.assert_array_equal(behind.predict(Xt), model.predict(Xt))


def test_a_network_goes_into_its_own_file(place, found, shifted):
    (X, y), target = shifted
    network = NeuralClassifier("mlp", min_steps=20, verbose=False)
    model = SourceOnly(network, random_state=0).fit(X.to_numpy(), y)
    with pytest.raises(InputError, match="export_mlflow"):
        trusted_types(model)
    rows = target.X.to_numpy()
    top = export_mlflow(
        found.details.store.path, experiment="ward", tracking_uri=place, model=model, example=rows
    )
    kept = mlflow.pyfunc.load_model(f"runs:/{top}/model")
    np.testing.assert_array_equal(kept.predict(rows), model.predict(rows))


def test_nothing_else_has_to_be_set(found, tmp_path):
    code = "import sys, acclimate; print(acclimate.export_mlflow(sys.argv[1]))"
    clean = {key: one for key, one in os.environ.items() if not key.startswith("MLFLOW_")}
    done = subprocess.run(
        [sys.executable, "-c", code, found.details.store.path],
        cwd=tmp_path, env=clean, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mlflow.db").is_file()
