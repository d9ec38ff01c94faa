"""Ranking: informative before random before noise; useless sources are called that."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from acclimate import Domain, FineTune, NeuralClassifier, rank
from acclimate.exceptions import InputError
from acclimate.folds import row_keys
from acclimate.judging.intervals import nadeau_bengio_interval
from acclimate.transferability.criteria import leep, linear_probe, logme
from acclimate.transferability.probes import probe_folds


def hidden(seed: int = 0, n: int = 240) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return inputs, labels that only a product tells, and that product with noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 8))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    return X, y, np.c_[np.tanh(3 * X[:, 0] * X[:, 1]), rng.normal(size=(n, 3))]


def test_informative_features_come_first_and_noise_is_useless() -> None:
    X, y, good = hidden()
    noise = np.random.default_rng(1).normal(size=(240, 4))
    result = rank({"noise": noise, "product": good}, X, y)
    assert [c.name for c in result.candidates] == ["product", "noise"]
    assert result.best.useless is False
    assert result.candidates[1].useless is True
    assert result.sentence().startswith("'product' probes at 0.9")
    assert "No better than a random body: 'noise'." in result.sentence()
    assert "Useless here" in result.candidates[1].sentence()


def test_figures_are_those_of_the_probe_and_the_scores() -> None:
    X, y, good = hidden(1)
    result = rank({"product": good, "inputs": X}, X, y, random_bodies=2)
    best = result.best
    assert best.scores["logme"] == pytest.approx(logme(good, y))
    parts = probe_folds(row_keys(X, 0), y, "classification", 5, 2, 0)
    alone = linear_probe(X, y, parts=parts)
    assert result.inputs.folds == pytest.approx(alone.folds)
    gains = np.array(best.probe.folds) - np.array(best.random.folds)
    expected = nadeau_bengio_interval(gains, best.probe.n_train, best.probe.n_test)
    assert (best.gain, best.low, best.high) == pytest.approx(tuple(expected))
    assert best.useless == (best.low <= 0)


def test_order_of_rows_changes_nothing() -> None:
    X, y, good = hidden(2)
    order = np.random.default_rng(0).permutation(240)
    a = rank({"product": good}, X, y)
    b = rank({"product": good[order]}, X[order], np.array(["n", "y"])[y[order]])
    assert a.best.probe.folds == pytest.approx(b.best.probe.folds)
    assert a.best.gain == pytest.approx(b.best.gain)


def test_matrices_alone_are_ranked_without_a_random_body() -> None:
    _, y, good = hidden(3)
    result = rank({"product": good, "noise": np.random.default_rng(2).normal(size=(240, 2))}, y=y)
    assert result.best.name == "product"
    assert result.best.random is None
    assert result.inputs is None
    assert "no inputs were given" in result.sentence()


@pytest.mark.slow
def test_candidates_of_every_kind() -> None:
    X, y, _ = hidden(4)
    rng = np.random.default_rng(3)
    Xs = rng.normal(size=(200, 8))
    ys = (Xs[:, 0] > 0).astype(int)
    fast = {"min_steps": 20, "epochs": 1, "random_state": 0}
    net = NeuralClassifier(**fast).fit(Xs, ys)
    model = LogisticRegression().fit(Xs, ys)
    method = FineTune(NeuralClassifier(**fast)).fit(Xs, ys)
    result = rank(
        {
            "function": lambda rows: rows[:, :2] ** 2,
            "transformer": PCA(3).fit(Xs),
            "classifier": model,
            "network": net,
            "module": net.network_,
            "method": method,
            "source": Domain(Xs, ys),
        },
        Domain(X, y),
        scores=("logme", "h_score", "transrate", "gbc", "parc", "leep"),
        repeats=1,
        random_bodies=1,
    )
    by_name = {c.name: c for c in result.candidates}
    assert len(by_name) == 7
    assert by_name["transformer"].width == 3
    assert by_name["network"].width == by_name["module"].width == net.hidden[-1]
    assert by_name["network"].probe == by_name["module"].probe
    assert by_name["classifier"].scores["leep"] == pytest.approx(leep(model.predict_proba(X), y))
    assert set(by_name["function"].scores) == {"logme", "h_score", "transrate", "gbc", "parc"}
    probes = [c.probe.score for c in result.candidates]
    assert probes == sorted(probes, reverse=True)


@pytest.mark.slow
def test_a_learned_body_beats_its_random_twin_and_a_useless_one_does_not() -> None:
    rng = np.random.default_rng(5)
    Xs = rng.normal(size=(3000, 10))
    task = Xs[:, 0] * Xs[:, 1] + 0.5 * Xs[:, 2] * Xs[:, 3] > 0
    other = rng.random(3000) < 0.5
    settings = {"hidden": (32, 8), "min_steps": 1500, "random_state": 0}
    X = rng.normal(size=(300, 10))
    y = (X[:, 0] * X[:, 1] + 0.5 * X[:, 2] * X[:, 3] > 0).astype(int)
    result = rank(
        {
            "same task": NeuralClassifier(**settings).fit(Xs, task),
            "coin": NeuralClassifier(**settings).fit(Xs, other),
        },
        X,
        y,
    )
    assert result.best.name == "same task"
    assert result.best.useless is False
    assert result.candidates[1].useless is True


def test_layers_are_ranked_on_their_own() -> None:
    X, y, _ = hidden(6)
    net = NeuralClassifier(hidden=(16, 8), min_steps=300, random_state=0).fit(X, y)
    result = rank({"net": net}, X, y, layers=True, random_bodies=1, repeats=1)
    names = {c.name for c in result.candidates}
    assert names == {"net: 1 (Linear)", "net: 2 (ReLU)", "net: 4 (Linear)", "net: 5 (ReLU)"}
    assert result.best.name != "net: 1 (Linear)"  # a linear map of the inputs tells no product


def test_regression_is_ranked_by_r2() -> None:
    X, _, good = hidden(7)
    y = good[:, 0] + 0.1 * X[:, 2]
    result = rank({"noise": good[:, 1:], "product": good}, X, y, scores=("logme", "gbc"))
    assert result.task == "regression"
    assert result.best.name == "product"
    assert result.best.probe.score > 0.9
    assert set(result.best.scores) == {"logme"}


def test_frames_and_partly_labelled_targets() -> None:
    X, y, good = hidden(8)
    frame = pd.DataFrame(X).add_prefix("c").assign(level=np.where(y == 1, "a", "b"))
    frame.iloc[3, 0] = np.nan
    result = rank({"product": lambda f: (f["c0"] * f["c1"]).fillna(0).to_numpy()}, frame, y)
    assert result.inputs.score == 1.0  # the level gives it away
    assert "no candidate is needed" in result.sentence()
    known = np.arange(240) < 100
    partly = rank({"product": good}, Domain(X, np.where(known, y, -1), labelled=known))
    assert partly.rows == 100
    assert partly.best.probe == rank({"product": good[:100]}, X[:100], y[:100]).best.probe


def test_many_rows_are_sampled() -> None:
    X, y, good = hidden(9)
    result = rank({"product": good}, X, y, rows=100)
    assert result.rows == 100
    assert result == rank({"product": good}, X, y, rows=100)
    assert result.best.probe.score > 0.8


def test_results_are_plain_and_can_be_shown() -> None:
    X, y, good = hidden(10)
    result = rank({"product": good, "inputs": X}, X, y, random_bodies=1)
    plain = json.loads(json.dumps(result.to_dict()))
    assert plain["sentence"] == result.sentence()
    assert plain["candidates"][0]["name"] == "product"
    assert result.table().row_count == 3


@pytest.mark.parametrize(
    ("candidates", "settings", "message"),
    [
        ({}, {}, "candidates is empty"),
        ({"a": np.zeros((5, 2))}, {}, "a has 5 rows"),
        ({"a": 3}, {}, "'a': int is no features"),
        ({"a": lambda X: X[:3]}, {}, "'a': it gave shape"),
        ({"a": lambda X: np.full((240, 2), np.nan)}, {}, "'a': features must be finite"),
        ({"a": lambda X: X}, {"scores": ("best",)}, "unknown scores"),
        ({"a": lambda X: X}, {"rows": 5}, "rows must be"),
        ({"a": lambda X: X}, {"random_bodies": 0}, "random_bodies"),
        ({"a": Domain(np.zeros((5, 8)))}, {}, "'a': a source needs labels"),
    ],
)
def test_bad_inputs_are_refused(candidates: dict, settings: dict, message: str) -> None:
    X, y, _ = hidden(11)
    with pytest.raises(InputError, match=message):
        rank(candidates, X, y, **settings)


def test_missing_labels_and_inputs_are_refused() -> None:
    X, y, good = hidden(12)
    with pytest.raises(InputError, match="needs labels"):
        rank({"a": good}, X)
    with pytest.raises(InputError, match="X is needed"):
        rank({"a": lambda X: X}, y=y)
    with pytest.raises(InputError, match="leave y out"):
        rank({"a": good}, Domain(X, y), y)
