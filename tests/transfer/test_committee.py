"""A committee's answers are weighted means of its members' own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import acclimate
from acclimate import CORAL, Committee, Domain, Pooled, SourceOnly, SourcePrediction, TargetOnly
from acclimate.adapter import Shared, sharing
from acclimate.exceptions import InputError
from acclimate.transfer.committee import source_members


def test_answers_are_weighted_means(toy: Any) -> None:
    d = toy(0)
    target = Domain(d.Xt, d.yt)
    parts = [CORAL(random_state=0), Pooled(random_state=0), TargetOnly(random_state=0)]
    both = Committee([(str(i), one) for i, one in enumerate(parts)], weights=[1, 2, 1])
    both.fit(d.X, d.y, target=target)
    for domain in ("target", "source"):
        own = [one.fit(d.X, d.y, target=target).predict_proba(d.Xn, domain=domain) for one in parts]
        wanted = (own[0] + 2 * own[1] + own[2]) / 4
        np.testing.assert_allclose(both.predict_proba(d.Xn, domain=domain), wanted, atol=1e-12)
        assert both.predict(d.Xn, domain=domain).tolist() == wanted.argmax(1).tolist()


def test_values_too_and_a_saved_committee(toy: Any, tmp_path: Any) -> None:
    d = toy(0, classes=None)
    both = Committee([("s", SourcePrediction(Ridge())), ("t", TargetOnly(Ridge()))], random_state=0)
    both.fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    path = both.save(tmp_path / "m.acclimate")
    loaded = acclimate.load(path)
    np.testing.assert_allclose(loaded.predict(d.Xn), both.predict(d.Xn), rtol=1e-12)
    again = loaded.adapt(Domain(d.Xt, d.yt))  # none of the members needs the source
    np.testing.assert_allclose(again.predict(d.Xn), both.predict(d.Xn), rtol=1e-12)


def test_labels_reach_only_members_that_may_see_them(toy: Any) -> None:
    d = toy(0)
    both = Committee([("s", SourceOnly()), ("c", CORAL())], random_state=0)
    one = both.fit(d.X, d.y, target=Domain(d.Xt, d.yt)).predict_proba(d.Xn)
    other = both.fit(d.X, d.y, target=Domain(d.Xt, d.yt[::-1])).predict_proba(d.Xn)
    np.testing.assert_array_equal(one, other)


def test_stage_one_is_learnt_once_for_all_members(toy: Any) -> None:
    d = toy(0)
    both = Committee([("s", SourceOnly()), ("c", CORAL()), ("p", Pooled())], random_state=0)
    both.fit(d.X, d.y)
    models = {id(one.source_model_) for _, one in both.source_model_.members}
    assert len(models) == 1


def test_sharing_changes_no_answer(toy: Any) -> None:
    d = toy(0)
    target = Domain(d.Xt, d.yt)
    methods = [Pooled(random_state=0), CORAL(random_state=0), TargetOnly(random_state=1)]
    alone = [m.fit(d.X, d.y, target=target).predict_proba(d.Xn) for m in methods]
    with sharing(Shared()):
        shared = [m.fit(d.X, d.y, target=target).predict_proba(d.Xn) for m in methods]
    for one, other in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("members", "weights", "words"),
    [
        ([], None, "needs a member"),
        ([("a", Ridge())], None, "must be a method such as Pooled"),
        ([("a", CORAL())], [1.0, 2.0], "weights must be 1 numbers"),
        ([("a", CORAL())], [0.0], "sum above 0"),
        ([("a", CORAL(LinearSVC()))], None, "gives no probabilities"),
    ],
)
def test_what_cannot_be_used_is_refused(toy: Any, members: Any, weights: Any, words: str) -> None:
    d = toy(0)
    with pytest.raises(InputError, match=words):
        Committee(members, weights=weights).fit(d.X, d.y, target=Domain(d.Xt, d.yt))


def test_without_members_five_source_models_move_to_more_even_shares(toy: Any) -> None:
    d = toy(0)
    rare = np.flatnonzero((d.y != 1) | (np.arange(len(d.y)) % 4 == 0))
    X, y = d.X[rare], d.y[rare]
    both = Committee(preprocess=StandardScaler(), random_state=0).fit(X, y, target=Domain(d.Xt))
    scale = StandardScaler().fit(X)
    small = {"max_iter": 60, "max_leaf_nodes": 8, "learning_rate": 0.1}
    leaf = {"min_samples_leaf": max(3, min(20, round(len(y) / 20)))}
    seed = both.source_model_.members[3][1].source_model_.random_state
    models = [
        LogisticRegression(max_iter=1000),
        LogisticRegression(C=0.1, max_iter=1000),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
        ExtraTreesClassifier(100, min_samples_leaf=2, random_state=seed),
        HistGradientBoostingClassifier(**small, **leaf, random_state=seed),
    ]
    Z, Zn = scale.transform(X), scale.transform(d.Xn)
    mean = np.mean([one.fit(Z, y).predict_proba(Zn) for one in models], axis=0)
    p = np.bincount(y) / len(y)
    wanted = mean * (0.75 * p + 0.25 / len(p)) / p
    wanted /= wanted.sum(1, keepdims=True)
    np.testing.assert_allclose(both.predict_proba(d.Xn), wanted, atol=1e-8)
    np.testing.assert_allclose(both.predict_proba(d.Xn, domain="source"), mean, atol=1e-8)


@pytest.mark.slow
def test_a_saved_committee_with_shares(toy: Any, tmp_path: Any) -> None:
    d = toy(0)
    target = Domain(d.Xt, class_shares={1: (0.7, 0.8)})
    both = Committee(random_state=0).fit(d.X, d.y, target=target)
    assert both.class_ratio_ is not None
    loaded = acclimate.load(both.save(tmp_path / "m.acclimate"))
    np.testing.assert_allclose(loaded.predict_proba(d.Xn), both.predict_proba(d.Xn), rtol=1e-12)
    again = loaded.adapt(Domain(d.Xt, class_shares={1: 0.1}))
    fresh = both.adapt(Domain(d.Xt, class_shares={1: 0.1}))
    np.testing.assert_allclose(again.predict_proba(d.Xn), fresh.predict_proba(d.Xn), rtol=1e-12)


def test_rows_with_weights_do_without_the_member_that_takes_none(toy: Any) -> None:
    d = toy(0)
    both = Committee(random_state=0).fit(d.X, d.y, sample_weight=np.linspace(0.5, 2, len(d.y)))
    names = [name for name, _ in both.source_model_.members]
    assert names == ["logistic", "logistic, C 0.1", "trees", "boosting"]
    assert sum(both.source_model_.weights) == pytest.approx(1)


def test_source_members_for_values(toy: Any) -> None:
    d = toy(0, classes=None)
    members = source_members("regression")
    both = Committee(members, random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    own = [one.predict(d.Xn) for _, one in both.target_model_.members]
    np.testing.assert_allclose(both.predict(d.Xn), np.mean(own, axis=0), rtol=1e-10)
