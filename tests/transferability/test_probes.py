"""Probes against scikit-learn's, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import RidgeCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler

from acclimate.exceptions import InputError
from acclimate.folds import row_keys
from acclimate.judging.intervals import nadeau_bengio_interval
from acclimate.maths import ridge
from acclimate.transferability import probes
from acclimate.transferability.probes import knn_probe, linear_probe, probe_folds


def blobs(seed: int = 0, n: int = 90, d: int = 6, gap: float = 1.5) -> tuple:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    F = rng.normal(size=(n, d))
    F[:, :3] += gap * np.eye(3)[y]
    return F, y


@pytest.mark.parametrize(("n", "d"), [(90, 6), (40, 60)])
def test_ridge_is_that_of_scikit_learn(n: int, d: int) -> None:
    F, y = blobs(1, n, d)
    new, _ = blobs(2, 20, d)
    Y = np.eye(3)[y]
    ours = probes.ridge_predictions(F, Y, new)
    scaler = StandardScaler().fit(F)
    theirs = RidgeCV(n * ridge.PENALTIES).fit(scaler.transform(F), Y)
    assert ours == pytest.approx(theirs.predict(scaler.transform(new)), abs=1e-7)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_linear_probe_scores_held_out_rows(task: str) -> None:
    F, y = blobs(3)
    labels = y if task == "classification" else F[:, 0] + 0.3 * F[:, 4] ** 2
    parts = probe_folds(row_keys(F, 0), labels, task, 5, 2, 0)
    scores = []
    for train, held in parts:
        scaler = StandardScaler().fit(F[train])
        Y = np.eye(3)[y[train]] if task == "classification" else labels[train]
        model = RidgeCV(len(train) * ridge.PENALTIES).fit(scaler.transform(F[train]), Y)
        answers = model.predict(scaler.transform(F[held]))
        if task == "classification":
            scores.append((answers.argmax(1) == y[held]).mean())
        else:
            scores.append(1 - np.square(answers - labels[held]).mean() / labels.var())
    result = linear_probe(F, labels, task=task)
    assert result.folds == pytest.approx(tuple(scores), abs=1e-9)
    score, low, high = nadeau_bengio_interval(scores, 72, 18)
    assert (result.score, result.low, result.high) == pytest.approx((score, low, min(high, 1.0)))


def test_the_neighbours_are_those_of_scikit_learn() -> None:
    F, y = blobs(4)
    parts = probe_folds(row_keys(F, 0), y, "classification", 5, 2, 0)
    expected = [
        KNeighborsClassifier(5).fit(F[train], y[train]).score(F[held], y[held])
        for train, held in parts
    ]
    assert knn_probe(F, y).folds == pytest.approx(tuple(expected))
    values = F[:, 0] * 2
    expected = [
        1
        - np.square(KNeighborsRegressor(3).fit(F[a], values[a]).predict(F[b]) - values[b]).mean()
        / values.var()
        for a, b in probe_folds(row_keys(F, 0), values, "regression", 5, 1, 0)
    ]
    got = knn_probe(F, values, neighbors=3, task="regression", repeats=1)
    assert got.folds == pytest.approx(tuple(expected))


def test_pairs_are_judged_on_the_same_folds() -> None:
    F, y = blobs(5)
    parts = probe_folds(row_keys(F, 0), y, "classification", 5, 2, 0)
    noise = np.random.default_rng(0).normal(size=F.shape)
    good, bad = linear_probe(F, y, parts=parts), linear_probe(noise, y, parts=parts)
    gain, low, high = good.above(bad)
    assert gain == pytest.approx(good.score - bad.score)
    assert 0 < low < gain < high
    with pytest.raises(InputError, match="cannot be paired"):
        good.above(linear_probe(F, y, repeats=1))


@pytest.mark.parametrize("probe", [linear_probe, knn_probe])
def test_names_of_classes_and_order_of_rows_change_nothing(probe: object) -> None:
    F, y = blobs(6)
    order = np.random.default_rng(1).permutation(len(y))
    score = probe(F, y)
    assert probe(F[order], np.array(["a", "b", "c"])[y[order]]) == score


def test_a_rotation_changes_the_neighbours_not_at_all() -> None:
    F, y = blobs(7)
    turn = stats.ortho_group.rvs(F.shape[1], random_state=0)
    parts = probe_folds(row_keys(F, 0), y, "classification", 5, 2, 0)
    assert knn_probe(F @ turn, y, parts=parts) == knn_probe(F, y, parts=parts)


def test_a_scale_or_a_constant_column_changes_the_linear_probe_not_at_all() -> None:
    F, y = blobs(8)
    parts = probe_folds(row_keys(F, 0), y, "classification", 5, 2, 0)
    plain = linear_probe(F, y, parts=parts)
    changed = np.c_[F * np.logspace(-3, 3, F.shape[1]) + 7.0, np.full(len(F), 3.0)]
    assert linear_probe(changed, y, parts=parts).folds == pytest.approx(plain.folds)


def test_noise_probes_at_chance_and_information_does_not() -> None:
    noise = np.random.default_rng(9).normal(size=(300, 400))
    y = np.arange(300) % 3
    assert linear_probe(noise, y).low < 1 / 3 < linear_probe(noise, y).high
    F, y = blobs(9, 300)
    assert linear_probe(F, y).low > 0.5


def test_a_class_of_one_row_is_no_obstacle() -> None:
    F, y = blobs(10, 30)
    y = y.copy()
    y[0] = 9
    assert 0 <= linear_probe(F, y).score <= 1


@pytest.mark.parametrize(
    "call",
    [
        lambda F, y: knn_probe(F, y, neighbors=0),
        lambda F, y: linear_probe(F, y, task="other"),
        lambda F, y: linear_probe(F, y[:-1]),
        lambda F, y: linear_probe(F, y, folds=1),
        lambda F, y: linear_probe(F, np.zeros(len(y)), task="regression"),
        lambda F, y: linear_probe(F, y, confidence=1.0),
    ],
)
def test_bad_inputs_are_refused(call: object) -> None:
    with pytest.raises(InputError):
        call(*blobs(11))
