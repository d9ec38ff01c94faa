"""`--metric` and `--positive` on the command line and in the configuration file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, roc_auc_score
from typer.testing import CliRunner

from acclimate import load
from acclimate.cli import app

runner = CliRunner()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, n in (("here", 150), ("there", 60), ("new", 80)):
        X = rng.normal(size=(n, 3)).round(3)
        y = np.where(X[:, 0] + 0.5 * rng.normal(size=n) > 0.8, "yes", "no")
        pd.DataFrame(X, columns=list("abc")).assign(y=y).to_csv(
            tmp_path / f"{name}.csv", index=False
        )
    return tmp_path


def _run(*words: str) -> str:
    found = runner.invoke(app, list(words))
    assert found.exit_code == 0, found.output
    return found.output


@pytest.mark.slow
def test_a_comparison_and_a_model_are_judged_by_the_metric(files: Path) -> None:
    config = files / "run.toml"
    config.write_text('metric = "auc"\npositive = "no"\n')
    model, store = files / "m.acclimate", files / "s.sqlite"
    out = json.loads(_run(
        "compare", "--source", str(files / "here.csv"), "--target", str(files / "there.csv"),
        "--label", "y", "--method", "CORAL", "--folds", "3", "--repeats", "1", "--jobs", "1",
        "--store", str(store), "--out", str(model), "--config", str(config), "--json",
    ))  # fmt: skip
    assert out["score"] == "AUC"
    assert out["score_note"] == "AUC is of the class 'no', as asked"
    assert out["run"]["settings"]["metric"] == "auc"
    rows = pd.read_csv(files / "new.csv")
    alone = files / "alone.acclimate"
    _run("fit", str(files / "here.csv"), "--target", str(files / "there.csv"), "--label", "y",
         "--method", "TargetOnly", "--out", str(alone))  # fmt: skip
    found = json.loads(_run("evaluate", str(model), str(files / "new.csv"), "--metric", "f1",
                            "--against", str(alone), "--json"))  # fmt: skip
    also = {row["metric"]: row["score"] for row in found["also"]}
    fitted = load(model)
    said, proba = fitted.predict(rows[list("abc")]), fitted.predict_proba(rows[list("abc")])
    assert also["F1"] == pytest.approx(f1_score(rows.y, said, pos_label="yes"))
    assert also["AUC"] == pytest.approx(roc_auc_score(rows.y == "yes", proba[:, 1]))
    assert found["against"]["score"] == "F1"
    shown = _run("evaluate", str(model), str(files / "new.csv"), "--metric", "brier")
    assert "Brier score" in shown
    assert "balanced accuracy" in shown
    assert "of these rows are 'no'" in shown
    again = _run("resume", str(store), "--jobs", "1")
    assert "AUC is of the class 'no', as asked" in again


def test_a_metric_that_is_none_lists_the_names(files: Path) -> None:
    found = runner.invoke(app, [
        "compare", "--source", str(files / "here.csv"), "--target", str(files / "there.csv"),
        "--label", "y", "--metric", "auk", "--store", str(files / "s.sqlite"),
    ])  # fmt: skip
    assert found.exit_code != 0
    text = " ".join(str(found.exception or found.output).split())
    assert "there is no metric 'auk'" in text
    assert "balanced_accuracy" in text


@pytest.mark.slow
def test_a_tuned_threshold_goes_into_the_model(files: Path) -> None:
    model, store, out = files / "m.acclimate", files / "s.sqlite", files / "out.csv"
    said = _run(
        "compare", "--source", str(files / "here.csv"), "--target", str(files / "there.csv"),
        "--label", "y", "--method", "CORAL", "--folds", "3", "--repeats", "1", "--jobs", "1",
        "--metric", "f1", "--threshold", "tuned", "--store", str(store), "--out", str(model),
    )  # fmt: skip
    fitted = load(model)
    value = fitted.threshold_["value"]
    words = f"answers 'yes' from a probability of {value:.3g} on"
    assert words in " ".join(said.split())
    assert words in " ".join(_run("show", str(model)).split())
    _run("predict", str(model), str(files / "new.csv"), "--out", str(out), "--proba")
    answers = pd.read_csv(out)
    assert answers.prediction.tolist() == np.where(answers.p_yes >= value, "yes", "no").tolist()
    again = json.loads(_run("resume", str(store), "--jobs", "1", "--json"))
    assert again["threshold"]["value"] == value
    assert "--threshold tuned" in again["run"]["command"]
    found = runner.invoke(app, [
        "compare", "--source", str(files / "here.csv"), "--target", str(files / "there.csv"),
        "--label", "y", "--threshold", "0.3", "--store", str(files / "t.sqlite"),
    ])  # fmt: skip
    assert found.exit_code != 0
    assert "threshold must be 'tuned' or None, got '0.3'" in str(found.exception or found.output)
