"""Given class shares move answers for target rows, in every method and behind every door."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import LinearSVC

import acclimate
from acclimate import CORAL, KMM, Domain, LabelShift, Pooled, SourceOnly
from acclimate.exceptions import InputError


def mean(model: Any, X: Any) -> float:
    return float(model.predict_proba(X)[:, 1].mean())


@pytest.mark.parametrize("method", [SourceOnly, CORAL])
def test_answers_are_multiplied_by_new_over_old_shares(method: Any, toy: Any) -> None:
    d = toy(0)
    p = np.bincount(d.y) / len(d.y)
    plain = method(random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    shared = method(random_state=0).fit(d.X, d.y, target=Domain(d.Xt, class_shares={1: 0.9}))
    s = p * 0.1 / (1 - p[1])
    s[1] = 0.9
    wanted = plain.predict_proba(d.Xn) * (0.98 * s + 0.02 / len(p)) / p
    wanted /= wanted.sum(1, keepdims=True)
    np.testing.assert_allclose(shared.predict_proba(d.Xn), wanted, rtol=1e-10)
    assert shared.predict(d.Xn).tolist() == wanted.argmax(1).tolist()
    scores = shared.decision_function(d.Xn)
    best = scores > 0 if scores.ndim == 1 else scores.argmax(1)
    assert np.asarray(best, dtype=int).tolist() == wanted.argmax(1).tolist()
    np.testing.assert_array_equal(  # rows of the source stay
        shared.predict_proba(d.Xn, domain="source"), plain.predict_proba(d.Xn, domain="source")
    )


def test_a_range_around_what_is_implied_moves_nothing(toy: Any) -> None:
    d = toy(0)
    plain = CORAL(random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    implied = mean(plain, d.Xt)
    for low, high in ((implied - 0.1, implied + 0.1), (0.0, 1.0)):
        target = Domain(d.Xt, class_shares={1: (low, high)})
        same = CORAL(random_state=0).fit(d.X, d.y, target=target)
        np.testing.assert_array_equal(same.predict_proba(d.Xn), plain.predict_proba(d.Xn))
    ends = [{1: (implied + 0.1, implied + 0.2)}, {1: implied + 0.1}]
    one, other = (plain.adapt(Domain(d.Xt, class_shares=e)).predict_proba(d.Xn) for e in ends)
    np.testing.assert_array_equal(one, other)


def test_shares_of_one_target_leave_no_trace_at_the_next(toy: Any) -> None:
    d = toy(0)
    plain = CORAL(random_state=0).fit(d.X, d.y, target=Domain(d.Xt)).predict_proba(d.Xn)
    model = CORAL(random_state=0).fit(d.X, d.y, target=Domain(d.Xt, class_shares={1: 0.9}))
    np.testing.assert_array_equal(model.adapt(Domain(d.Xt)).predict_proba(d.Xn), plain)


def test_label_shift_takes_the_shares_for_its_estimate(toy: Any) -> None:
    d = toy(0)
    model = LabelShift(random_state=0).fit(d.X, d.y, target=Domain(d.Xt, class_shares={1: 0.8}))
    p = np.bincount(d.y) / len(d.y)
    s = p * 0.2 / (1 - p[1])
    s[1] = 0.8
    q = 0.98 * s + 0.02 / len(p)
    np.testing.assert_allclose(model.target_priors_, q, rtol=1e-12)
    weights = (q / p)[d.y]
    oracle = LogisticRegression(max_iter=1000).fit(d.X, d.y, weights / weights.mean())
    np.testing.assert_allclose(model.predict_proba(d.Xn), oracle.predict_proba(d.Xn), atol=1e-5)


def test_a_reweighting_method_counts_the_shares_of_its_weights(toy: Any) -> None:
    d = toy(0)
    plain = KMM(random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    p = np.bincount(d.y, weights=plain.weights_) / plain.weights_.sum()
    shared = KMM(random_state=0).fit(d.X, d.y, target=Domain(d.Xt, class_shares={1: 0.9}))
    ratio = shared.class_ratio_ * p
    assert ratio[1] == pytest.approx(0.98 * 0.9 + 0.02 / len(p))


def test_a_saved_model_moves_its_answers_and_can_be_moved_again(toy: Any, tmp_path: Any) -> None:
    d = toy(0)
    model = SourceOnly(random_state=0).fit(d.X, d.y, target=Domain(d.Xt, class_shares={1: 0.9}))
    loaded = acclimate.load(model.save(tmp_path / "m.acclimate"))
    np.testing.assert_array_equal(loaded.predict_proba(d.Xn), model.predict_proba(d.Xn))
    other = Domain(d.Xt, class_shares={1: 0.2})
    np.testing.assert_array_equal(
        loaded.adapt(other).predict_proba(d.Xn), model.adapt(other).predict_proba(d.Xn)
    )
    assert loaded.trained_on_["target"]["class_shares"] == {"1": 0.2}


def test_where_shares_cannot_be_used_it_is_said(toy: Any) -> None:
    d = toy(0)
    given = Domain(d.Xt, d.yt, class_shares={1: 0.9})
    with pytest.raises(InputError, match="learns from target labels"):
        Pooled().fit(d.X, d.y, target=given)
    with pytest.raises(InputError, match="LinearSVC gives none"):
        SourceOnly(LinearSVC()).fit(d.X, d.y, target=Domain(d.Xt, class_shares={1: 0.9}))
    LabelShift(LinearSVC()).fit(d.X, d.y, target=Domain(d.Xt, class_shares={1: 0.9}))
    with pytest.raises(InputError, match="this is a regression"):
        SourceOnly(Ridge()).fit(d.X, d.X[:, 0], target=Domain(d.Xt, class_shares={1: 0.9}))
    with pytest.raises(InputError, match="which the source lacks"):
        SourceOnly().fit(d.X, d.y, target=Domain(d.Xt, class_shares={"ill": 0.9}))
