"""Labels that are not known, and classes of the source that no labelled target row has."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import acclimate
from acclimate import Domain, FineTune, NeuralClassifier, ParameterTransfer
from acclimate.exceptions import InputError, TransferWarning

GAPS = {
    "None": lambda y, few: [int(v) if k else None for v, k in zip(y, few, strict=True)],
    "NaN": lambda y, few: np.where(few, y, np.nan),
    "NA": lambda y, few: pd.Series(y, dtype="Int64").where(few),
    "NaN of objects": lambda y, few: pd.Series(y).astype(object).where(few, np.nan),
}
NAMES = {0: "cold", 1: "flu", 2: "well"}


@pytest.mark.rows(target_labels="required", task="classification")
@pytest.mark.parametrize("kind", GAPS)
def test_a_gap_is_a_label_that_is_not_known(case: Any, kind: str, same: Any) -> None:
    d = case.data()
    few = np.arange(len(d.yt)) < 24
    marked = case.make().fit(d.X, d.y, target=Domain(d.Xt, d.yt, labelled=few))
    gaps = GAPS[kind](d.yt, few)
    model = case.make().fit(d.X, d.y, target=Domain(d.Xt, gaps))
    assert same(model, marked, d.Xn)
    assert model.classes_.dtype == marked.classes_.dtype
    assert model.trained_on_["target"]["labelled"] == 24
    assert same(case.make().fit(d.X, d.y, target=Domain(d.Xt, gaps, labelled=few)), marked, d.Xn)


@pytest.mark.rows(target_labels="required", task="regression", network=False)
def test_a_gap_is_a_value_that_is_not_known(case: Any, same: Any) -> None:
    d = case.data()
    few = np.arange(len(d.yt)) < 24
    marked = case.make().fit(d.X, d.y, target=Domain(d.Xt, d.yt, labelled=few))
    model = case.make().fit(d.X, d.y, target=Domain(d.Xt, np.where(few, d.yt, np.nan)))
    assert same(model, marked, d.Xn)


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA])
def test_gaps_among_words(toy: Any, gap: Any) -> None:
    d = toy(classes=2)
    words, few = np.array(["ill", "well"]), np.arange(len(d.yt)) < 24
    y = words[d.yt].astype(object)
    y[~few] = gap
    model = ParameterTransfer().fit(d.X, words[d.y], target=Domain(d.Xt, y))
    marked = ParameterTransfer().fit(
        d.X, words[d.y], target=Domain(d.Xt, words[d.yt], labelled=few)
    )
    assert np.array_equal(model.predict_proba(d.Xn), marked.predict_proba(d.Xn))


def test_gaps_that_contradict_are_errors(toy: Any) -> None:
    d = toy(classes=2)
    y = [None, *d.yt[1:].tolist()]
    model = ParameterTransfer().fit(d.X, d.y)
    with pytest.raises(InputError, match="labelled marks row 0 of the target, whose label is None"):
        model.adapt(Domain(d.Xt, y, labelled=np.ones(len(y), dtype=bool)))
    with pytest.raises(InputError, match=r"none of the 45 target rows has a label, only gaps"):
        model.adapt(Domain(d.Xt, [None] * len(y)))


@pytest.mark.rows(target_labels="required", task="classification")
def test_minus_one_is_a_class_where_the_source_has_it(case: Any) -> None:
    d = case.data()
    marked = np.where(np.arange(len(d.yt)) < 24, d.yt, -1)
    words = r"label -1 in 21 rows.*labelled=\(y != -1\)"
    with pytest.raises(InputError, match=words):
        case.make().fit(d.X, d.y, target=Domain(d.Xt, marked))
    with pytest.raises(InputError, match=words):
        case.make().fit(d.X, d.y).adapt(Domain(d.Xt, marked))
    model = case.make().fit(d.X, d.y - 1, target=Domain(d.Xt, d.yt - 1))
    assert model.classes_.tolist() == [-1, 0, 1]


@pytest.mark.rows(target_labels=("required", "optional"), task="classification")
@pytest.mark.parametrize("named", [True, False], ids=["names", "words"])
def test_no_class_of_the_source_vanishes_without_a_word(case: Any, named: bool) -> None:
    d = case.data(n=90, m=90)
    few = (d.yt != 1) & (np.arange(90) < 45)
    words = np.array(list(NAMES.values()))
    y, yt = (d.y, d.yt) if named else (words[d.y], words[d.yt])
    names = NAMES if named else None
    extra = {"use_target_labels": True} if case.row.target_labels == "optional" else {}
    if case.row.network:
        extra["estimator"] = case.estimator().set_params(min_steps=200)
    goal = Domain(d.Xt, yt, labelled=few, class_names=names)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = case.make(**extra).fit(d.X, y, target=goal, class_names=names)
    told = [str(one.message) for one in said if "class 'flu'" in str(one.message)]
    recall = np.mean(model.predict(d.Xn[d.yn == 1]) == (1 if named else "flu"))
    assert recall > 0.3 or len(told) == 1, f"recall {recall:.2f}"


@pytest.mark.parametrize("name", ["TargetOnly", "FineTune"])
def test_the_warning_names_what_is_lost_and_the_way_out(toy: Any, name: str) -> None:
    d = toy()
    base = NeuralClassifier(hidden=(8,), min_steps=30)
    goal = Domain(d.Xt, d.yt, labelled=d.yt != 1)
    with pytest.warns(TransferWarning, match=r"source's class '1', so .* never answers it\. \w+"):
        getattr(acclimate, name)(base, random_state=0).fit(d.X, d.y, target=goal)


def test_a_network_with_a_class_that_was_kept_is_saved(toy: Any, tmp_path: Any) -> None:
    d = toy()
    base = NeuralClassifier(hidden=(8,), min_steps=200)
    goal = Domain(d.Xt, d.yt, labelled=d.yt != 1, class_names=NAMES)
    model = FineTune(base, random_state=0).fit(d.X, d.y, target=goal, class_names=NAMES)
    proba = model.predict_proba(d.Xn)
    np.testing.assert_allclose(proba.sum(1), 1.0, rtol=1e-9)
    np.testing.assert_allclose(proba[:, 1], model.predict_proba(d.Xn, domain="source")[:, 1])
    loaded = acclimate.load(model.save(tmp_path / "m"))
    assert np.array_equal(loaded.predict_proba(d.Xn), proba)
