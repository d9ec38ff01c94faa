"""What a network went through: from the trial into the store, and from there into the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acclimate import CORAL, DANN, AdaBN, Domain, NeuralClassifier, SourceOnly, compare
from acclimate.comparison import shown
from acclimate.comparison.trials import seen
from acclimate.comparison.trials.store import Record, Store
from acclimate.report.compared import CandidateRow
from acclimate.report.plain import json_safe

Maker = Callable[..., SimpleNamespace]
SMALL: dict[str, Any] = {"hidden": (8,), "epochs": 1, "min_steps": 30, "verbose": False}


def test_the_history_of_stage_two_is_kept_with_the_epoch_whose_weights_are(shifted: Maker) -> None:
    d = shifted()
    model = DANN(NeuralClassifier(**SMALL), random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    found = seen.of_model(model)
    assert found is not None
    assert model.history_ is not None
    assert (found["best_epoch"], found["stopped"]) == (model.history_.best_epoch, "done")
    for mine, theirs in zip(found["epochs"], model.history_.epochs, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-4)
    assert {"task", "domain", "domain_accuracy", "a_distance", "validation"} <= set(mine)


def test_where_stage_two_trains_nothing_there_is_the_source_network_or_nothing(
    shifted: Maker,
) -> None:
    d = shifted()
    normed = NeuralClassifier("mlp-norm", **SMALL)
    plain = SourceOnly(normed).fit(d.X, d.y)
    found = seen.of_model(plain)
    assert found is not None
    assert len(found["epochs"]) == len(plain.source_model_.history_.epochs)
    assert seen.of_model(AdaBN(normed).fit(d.X, d.y, target=Domain(d.Xt))) is None
    assert seen.of_model(CORAL().fit(d.X, d.y, target=Domain(d.Xt))) is None


def test_the_recommended_candidate_comes_first_and_only_a_few_follow() -> None:
    names = ["a", "b", "c", "d", "e", "f"]
    rows = [CandidateRow(n, recommended=n == "d", status="failed" if n == "b" else "done")
            for n in names]  # fmt: skip
    trained = {"epochs": [{"loss": 1.0}], "best_epoch": None, "stopped": "done"}
    results = {
        n: [SimpleNamespace(record=Record(n, n, {}, 0, "", {}, "done", training=given))
            for given in (None, trained)]
        for n in names
    }  # fmt: skip
    found = shown.shown_training(rows, results)  # type: ignore[arg-type]
    assert [one.candidate for one in found] == ["d", "a", "c", "e"]
    assert json_safe(found[0]) == {"candidate": "d", "fits": 2, **trained}


def test_each_trial_of_a_network_has_its_training_in_the_store(
    shifted: Maker, tmp_path: Path
) -> None:
    d = shifted()
    path = tmp_path / "run.sqlite"
    found = compare(
        (d.X, d.y), Domain(d.Xt, d.yt, labelled=np.arange(60) < 30), networks=True, store=path,
        estimator=NeuralClassifier(**SMALL), methods=["DANN"], folds=3, repeats=1, n_jobs=1,
    ).to_dict()  # fmt: skip
    with Store(path, read_only=True) as store:
        rows = [row for row in store.table() if "probe" not in row["config"]]
    assert all(row["training"]["epochs"] for row in rows if row["status"] == "done")
    assert found["training"]
    for one in found["training"]:
        mine = [row["training"]["epochs"] for row in rows if row["candidate"] == one["candidate"]]
        assert one["epochs"] in mine
    assert found["run"]["settings"]["folds"] == 3
    assert found["run"]["data"] == rows[0]["data"]
    assert set(found["run"]["versions"]) >= {"acclimate", "numpy", "torch"}
