"""A committee's answers are weighted means of its members' own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.svm import LinearSVC

import acclimate
from acclimate import CORAL, Committee, Domain, Pooled, SourceOnly, SourcePrediction, TargetOnly
from acclimate.adapter import Shared, sharing
from acclimate.exceptions import InputError


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
