"""Folds for a few labels, and the choice of a method on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from acclimate import Domain, FineTune, SourceOnly, TargetOnly
from acclimate.exceptions import InputError
from acclimate.folds import few_label_folds
from acclimate.judging.crossfitted import first_level
from acclimate.refits.pick import held_out_scores, pick

# --- folds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("y", [[0, 1], [0] * 9 + [1], [0, 1, 2], [0, 0, 1, 1, 2], [1] * 7], ids=str)
@pytest.mark.parametrize("repeats", [1, 3])
def test_each_row_is_held_out_once_a_repeat(y: list[int], repeats: int) -> None:
    parts = few_label_folds(np.array(y), classify=True, repeats=repeats)
    held = np.concatenate([held for _, held in parts])
    once = max(np.bincount(y)) < 2  # one row a class: leaving one out has no repeats
    assert sorted(held) == sorted([*range(len(y))] * (1 if once else repeats))
    for train, out in parts:
        assert sorted([*train, *out]) == [*range(len(y))]


def test_folds_are_stratified() -> None:
    y = np.repeat([0, 1], [40, 10])
    for _, held in few_label_folds(y, classify=True, repeats=2):
        assert np.bincount(y[held]).tolist() == [8, 2]


def test_rows_of_a_rare_class_lie_in_different_folds() -> None:
    y = np.repeat([0, 1], [20, 2])
    for train, _ in few_label_folds(y, classify=True, repeats=5):
        assert (y[train] == 1).any()


def test_folds_follow_the_key_and_not_the_order() -> None:
    rng = np.random.default_rng(0)
    key, y = rng.normal(size=30), rng.integers(0, 3, 30)
    order = rng.permutation(30)
    first = few_label_folds(y, classify=True, seed=3, key=key)
    second = few_label_folds(y[order], classify=True, seed=3, key=key[order])
    for (_, a), (_, b) in zip(first, second, strict=True):
        assert set(key[a]) == set(key[order][b])


def test_regression_and_single_rows() -> None:
    assert len(few_label_folds(np.linspace(0, 1, 3), classify=False)) == 3
    assert few_label_folds(np.zeros(1), classify=False) == []
    with pytest.raises(InputError, match="folds must be at least 2"):
        few_label_folds(np.zeros(4), classify=False, folds=1)


# --- the rule -------------------------------------------------------------------------------------


def test_the_rule_against_numbers_by_hand() -> None:
    best = np.array([1.0, 1, 1, 1, 1, 1, 1, 1])
    near = np.array([1.0, 1, 1, 1, 1, 1, 1, 0])  # behind by 1/8; its standard error is 1/8, too
    far = np.array([1.0, 1, 1, 1, 0, 0, 0, 0])  # behind by 1/2; standard error 0.19
    assert first_level(np.array([far, near, best]), 1.0) == 1
    assert first_level(np.array([far, near, best]), 0.99) == 2
    assert first_level(np.array([far, near, best]), 0.0) == 2
    assert first_level(np.array([far, near, best]), 2.7) == 0
    assert first_level(np.array([best, best]), 0.0) == 0


def test_a_constant_lag_is_never_level() -> None:
    assert first_level(np.array([np.full(5, 0.8), np.full(5, 0.9)]), 100.0) == 1


# --- picking --------------------------------------------------------------------------------------


def lines(flipped: bool, m: int = 20) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(200, 2)), rng.normal(size=(m, 2))
    y, yt = (X[:, 0] > 0).astype(int), (Xt[:, 0] > 0).astype(int)
    return X, y, Xt, 1 - yt if flipped else yt


BASELINES = {"source only": SourceOnly(), "target only": TargetOnly()}


def test_scores_agree_with_a_loop_by_hand() -> None:
    X, y, Xt, yt = lines(False)
    _, scores = pick(BASELINES, X, y, Domain(Xt, yt), repeats=2, random_state=4)
    source, right = LogisticRegression(max_iter=1000).fit(X, y), []
    for train, held in few_label_folds(yt, classify=True, repeats=2, seed=4):
        alone = LogisticRegression(max_iter=1000).fit(Xt[train], yt[train])
        right.extend(alone.predict(Xt[held]) == yt[held])
    assert scores["target only"] == pytest.approx(np.mean(right))
    assert scores["source only"] == pytest.approx((source.predict(Xt) == yt).mean())


@pytest.mark.parametrize(("flipped", "name"), [(False, "source only"), (True, "target only")])
def test_the_better_baseline_is_picked(flipped: bool, name: str) -> None:
    X, y, Xt, yt = lines(flipped)
    for order in (1, -1):
        candidates = dict(list(BASELINES.items())[::order])
        # errors=0: the best mean, whatever the order
        assert pick(candidates, X, y, Domain(Xt, yt), errors=0)[0] == name


def test_the_first_of_equals_is_picked() -> None:
    X, y, Xt, yt = lines(False)
    twins = {"b": SourceOnly(), "a": SourceOnly()}
    assert pick(twins, X, y, Domain(Xt, yt))[0] == "b"


def test_a_regression_is_picked_by_squared_error() -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(50, 2)), rng.normal(size=(12, 2))
    methods = {"source only": SourceOnly(Ridge()), "target only": TargetOnly(Ridge())}
    name, scores = pick(methods, X, X[:, 0], Domain(Xt, -Xt[:, 0]))
    assert name == "target only"
    truth = SourceOnly(Ridge()).fit(X, X[:, 0]).predict(Xt)
    assert scores["source only"] == pytest.approx(-np.mean((truth + Xt[:, 0]) ** 2))


def test_candidates_stay_as_they_are() -> None:
    X, y, Xt, yt = lines(False)
    tuner = FineTune(LogisticRegression(), head="copy").fit(X, y, class_names=["a", "b"])
    target = Domain(Xt, yt, class_names=["a", "b"])
    fresh = TargetOnly()
    tuner.adapt(Domain(Xt[:8], yt[:8], class_names=["a", "b"]))
    before = tuner.target_model_
    pick({"tuned": tuner, "alone": fresh}, X, y, target)
    assert tuner.target_model_ is before
    assert not hasattr(fresh, "source_model_")
    # fitted candidates need no source rows
    table = held_out_scores({"tuned": tuner}, None, None, target)
    assert table.shape == (1, 20)


def test_frames_and_unlabelled_rows() -> None:
    X, y, Xt, yt = lines(False)
    mask = np.arange(len(yt)) % 2 == 0
    target = Domain(pd.DataFrame(Xt, columns=["p", "q"]), yt, labelled=mask)
    framed = pick(BASELINES, pd.DataFrame(X, columns=["p", "q"]), y, target)
    wrong = Domain(Xt, np.where(mask, yt, 1 - yt), labelled=mask)  # unknown labels are never read
    assert framed == pick(BASELINES, X, y, wrong)


def test_labels_that_allow_no_fold() -> None:
    X, y, Xt, yt = lines(False)
    pair = [int(np.flatnonzero(yt == k)[0]) for k in (0, 1)]
    assert pick(BASELINES, X, y, Domain(Xt[pair], yt[pair])) == ("source only", {})


def test_wrong_input() -> None:
    X, y, Xt, yt = lines(False)
    with pytest.raises(InputError, match="candidates is empty"):
        pick({}, X, y, Domain(Xt, yt))
    with pytest.raises(InputError, match="needs target labels"):
        pick(BASELINES, X, y, Domain(Xt))
    with pytest.raises(InputError, match="errors must be at least 0, got -1"):
        pick(BASELINES, X, y, Domain(Xt, yt), errors=-1)
