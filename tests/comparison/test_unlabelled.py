"""Without target labels: an estimate that says so, and rows to label."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acclimate import Domain, compare
from acclimate.exceptions import InputError
from acclimate.validators.known_errors import MEAN as ESTIMATE_ERROR
from acclimate.validators.known_errors import accuracy_between, gain_error

Maker = Callable[..., SimpleNamespace]
QUICK: dict[str, Any] = {"methods": ["CORAL", "LinearMonge"], "n_jobs": 1}
RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "validators.json"


def test_it_is_an_estimate_and_says_so(shifted: Maker) -> None:
    d = shifted()
    found = compare((d.X, d.y), Domain(d.Xt), **QUICK)
    details = found.to_dict()
    assert found.estimate
    assert details["verdicts"] == details["choices"] == details["label_curve"] == []
    guess = details["estimated"]
    assert set(guess["accuracy"]) == {"SourceOnly", "CORAL", "LinearMonge"}
    assert all(0 <= value <= 1 for value in guess["accuracy"].values())
    assert guess["error"] == ESTIMATE_ERROR
    assert guess["gain"] is not None
    assert "Estimate without target labels" in found.sentence()
    assert found.recommendation.action == "do not transfer"
    assert found.recommendation.method == "SourceOnly"
    assert found.best_model().predict(d.Xt).shape == (60,)
    assert json.loads(json.dumps(details, allow_nan=False)) == details


def test_rows_to_label_are_rows_of_the_target(shifted: Maker) -> None:
    d = shifted(m=400)
    asked = compare((d.X, d.y), Domain(d.Xt), **QUICK).to_dict()["to_label"]
    positions = np.array(asked["positions"])
    assert len(positions) == len(np.unique(positions)) == asked["rows"] == len(asked["weights"])
    assert positions.min() >= 0
    assert positions.max() < 400
    assert np.sum(asked["weights"]) / asked["rows"] == pytest.approx(1, abs=0.5)


def test_labels_that_come_later_find_what_still_holds(shifted: Maker, tmp_path: Path) -> None:
    d = shifted()
    path = tmp_path / "run.sqlite"
    before = compare((d.X, d.y), Domain(d.Xt), store=path, **QUICK).to_dict()
    after = compare(
        (d.X, d.y), Domain(d.Xt, d.yt), store=path, folds=3, repeats=1, **QUICK
    ).to_dict()  # fmt: skip
    assert before["trials"]["reused"] == 0
    assert after["trials"]["reused"] == len(before["to_label"]["candidates"]) == 2
    alone = compare((d.X, d.y), Domain(d.Xt, d.yt), folds=3, repeats=1, **QUICK).to_dict()
    assert [v["gain"] for v in after["verdicts"]] == [v["gain"] for v in alone["verdicts"]]


def test_regression_is_ranked_and_not_estimated() -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(120, 3)), rng.normal(size=(50, 3)) + 1
    details = compare((X, X @ [1.0, 2.0, 0.0]), Domain(Xt), **QUICK).to_dict()
    assert details["estimated"]["gain"] is None
    assert details["estimated"]["word"] == "not settled"
    assert all(row["rank_score"] is not None for row in details["table"])


def test_the_trial_budget_leaves_the_baseline(shifted: Maker) -> None:
    d = shifted()
    details = compare((d.X, d.y), Domain(d.Xt), trials=1, **QUICK).to_dict()
    rows = {row["candidate"]: row for row in details["table"]}
    assert rows["SourceOnly"]["status"] == "done"
    assert rows["LinearMonge"]["status"] == "stopped"


def test_the_interval_obeys_the_confidence(shifted: Maker, tmp_path: Path) -> None:
    """At a half it is narrow, at 99 % wide; and a word by it recommends nothing."""
    d = shifted()
    store = tmp_path / "run.sqlite"
    found = {
        level: compare((d.X, d.y), Domain(d.Xt), confidence=level, store=store, **QUICK)
        for level in (0.05, 0.5, 0.95, 0.99)
    }
    guesses = {level: one.details.estimated for level, one in found.items()}
    for level, guess in guesses.items():
        assert guess is not None
        assert guess.high - guess.gain == pytest.approx(gain_error(level))
        assert guess.gain - guess.low == pytest.approx(gain_error(level))
        assert set(guess.between) == set(guess.accuracy)
        for name, value in guess.accuracy.items():
            assert guess.between[name] == pytest.approx(accuracy_between(value, level))
        assert f"{100 * level:g} % of them" in found[level].sentence()
        assert found[level].recommendation.action == "do not transfer"
        assert found[level].recommendation.method == "SourceOnly"
    assert guesses[0.99].high - guesses[0.99].low > 2 * (guesses[0.5].high - guesses[0.5].low)
    trials = found[0.99].details.trials
    assert trials.reused == trials.planned  # the same, read another way


@pytest.mark.skipif(not RESULTS.is_file(), reason="the benchmarks' results are not here")
def test_the_known_error_is_that_of_the_benchmark() -> None:
    """Of the estimated differences to the source model, over all candidates and shifts."""
    errors = []
    for case in json.loads(RESULTS.read_text(encoding="utf-8"))["fit"]:
        if case["regression"]:
            continue
        rows = case["estimates"]["rows"].items()
        guess = {name: np.mean([x for x in row if x is not None]) for name, row in rows}
        base = next(name for name in guess if name.startswith("SourceOnly"))
        for name in set(guess) - {base}:
            true = case["truth"][name] - case["truth"][base]
            errors.append(abs(guess[name] - guess[base] - true))
    assert np.mean(errors) == pytest.approx(ESTIMATE_ERROR, abs=0.02)
    assert np.quantile(errors, 0.95) == pytest.approx(gain_error(0.95), abs=0.05)
    for level in (0.25, 0.5, 0.75, 0.9, 0.98, 0.99):
        assert np.quantile(errors, level) == pytest.approx(gain_error(level), abs=0.002)


@pytest.mark.slow
def test_dear_candidates_are_thinned_and_ranked_without_labels(
    shifted: Maker, tmp_path: Path
) -> None:
    from acclimate import NeuralClassifier
    from acclimate.comparison.trials.store import Store

    d = shifted(n=600)
    networks = {
        name: NeuralClassifier(
            hidden=(size,), epochs=1, min_steps=40, batch_size=32, verbose=False
        )
        for name, size in (("small", 4), ("large", 16))
    }  # fmt: skip
    path = tmp_path / "run.sqlite"
    details = compare(
        (d.X, d.y), Domain(d.Xt), estimator=networks, networks=True, trials=100, n_jobs=1,
        methods=["DANN", "DeepCORAL"], store=path,
    ).to_dict()  # fmt: skip
    status = {row["candidate"]: row["status"] for row in details["table"]}
    deep = [name for name in status if name.startswith(("DANN", "DeepCORAL"))]
    assert len(deep) == 4
    # a third of four, rounded up, and a third of those
    assert sum(status[name] == "done" for name in deep) == 1
    with Store(path, read_only=True) as store:
        steps = [row["config"]["candidate"]["model"]["estimator"]["min_steps"]
                 for row in store.table() if row["candidate"] in deep]  # fmt: skip
    assert set(steps) == {20, 40}  # a ninth and a third of 40 are below the least


def test_the_reference_is_the_best_ranked_source_model(shifted: Callable[..., Any]) -> None:
    """A base model that learns nothing is no reference because it was named first."""
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression

    d = shifted(shift=0.3)
    bases = {"dummy": DummyClassifier(strategy="prior"), "linear": LogisticRegression()}
    found = compare((d.X, d.y), Domain(d.Xt), estimator=bases, methods=[], n_jobs=1).to_dict()
    assert found["recommendation"]["candidate"] == "SourceOnly/linear"
    assert found["estimated"]["gain"] == 0
    assert set(found["estimated"]["validators"]) == {"SourceOnly/dummy", "SourceOnly/linear"}


@pytest.mark.slow
def test_class_shares_reach_every_trial_and_the_model(shifted: Maker, tmp_path: Path) -> None:
    d = shifted()
    path = tmp_path / "run.sqlite"
    plain = compare((d.X, d.y), Domain(d.Xt), store=path, **QUICK)
    target = Domain(d.Xt, class_shares={1: 0.9})
    given = compare((d.X, d.y), target, store=path, **QUICK)
    assert given.to_dict()["trials"]["reused"] == 0  # another question
    before, after = (one.best_model().predict_proba(d.Xt)[:, 1].mean() for one in (plain, given))
    assert after > before
    for y, words in ((d.yt, "or the labels"), (None, "which the source lacks")):
        wrong = Domain(d.Xt, y, class_shares={1: 0.9} if y is not None else {"ill": 0.9})
        with pytest.raises(InputError, match=words):
            compare((d.X, d.y), wrong, **QUICK)


@pytest.mark.slow
def test_a_committee_of_source_models_is_recommended(shifted: Maker) -> None:
    d = shifted(n=90, m=40)
    found = compare((d.X, d.y), Domain(d.Xt), n_jobs=1, trials=60)
    assert found.recommendation.candidate == "Committee of source models"
    assert found.recommendation.action == "not settled"
    assert "nothing tells without labels" in str(found.recommendation.reason)
    assert "What share of the target is '0'? In the source it is 50 %." in found.sentence()
    details = found.to_dict()
    assert len(details["table"]) > 10  # the panel stays as a table
    assert found.recommendation.candidate in details["to_label"]["candidates"]
    model = found.best_model()
    assert [name for name, _ in model.members][2:] == ["lda", "trees", "boosting"]
    given = compare(
        (d.X, d.y), Domain(d.Xt, class_shares={0: 0.3}), n_jobs=1, trials=1,
        methods=["CORAL"],
    )  # fmt: skip
    assert "What share" not in given.sentence()
