"""A model that answers a class from some probability on, for rows of the target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.svm import LinearSVC

import acclimate
from acclimate import CORAL, Committee, Domain, Pooled, SourceOnly, TargetOnly
from acclimate.exceptions import InputError
from acclimate.persistence import read_card


def _words(d: Any) -> Any:
    return np.array(["no", "yes"])[d.y], np.array(["no", "yes"])[d.yt]


def _committee() -> Any:
    return Committee([("pooled", Pooled()), ("alone", TargetOnly())], weights=[3, 1])


@pytest.mark.parametrize("make", [SourceOnly, CORAL, TargetOnly, _committee])
def test_predictions_are_by_the_threshold_and_all_else_stays(make: Any, toy: Any) -> None:
    d = toy(0, classes=2)
    y, yt = _words(d)
    model = make().fit(d.X, y, target=Domain(d.Xt, yt))
    proba = model.predict_proba(d.Xn)
    value = float(np.quantile(proba[:, 1], 0.8))  # half of the rows are of each class
    cut = model.with_threshold(value, "yes")
    wanted = np.where(proba[:, 1] >= value, "yes", "no")
    assert wanted.tolist() != model.predict(d.Xn).tolist()
    assert cut.predict(d.Xn).tolist() == wanted.tolist()
    other = model.with_threshold(value, "no").predict(d.Xn)
    assert other.tolist() == np.where(proba[:, 0] >= value, "no", "yes").tolist()
    np.testing.assert_array_equal(cut.predict_proba(d.Xn), proba)
    np.testing.assert_array_equal(cut.decision_function(d.Xn), model.decision_function(d.Xn))
    for method in ("predict", "predict_proba"):
        mine, before = (getattr(one, method)(d.X, domain="source") for one in (cut, model))
        np.testing.assert_array_equal(mine, before)
    assert model.threshold_ is None
    assert f"It answers 'yes' from a probability of {value:.3g} on." in cut.summary()
    assert "answers" not in model.summary()
    assert cut.score(d.Xn, wanted) == 1


def test_it_comes_after_given_class_shares(toy: Any) -> None:
    d = toy(0, classes=2)
    moved = CORAL().fit(d.X, d.y, target=Domain(d.Xt, class_shares={1: 0.9}))
    cut = moved.with_threshold(0.97, 1)
    wanted = (moved.predict_proba(d.Xn)[:, 1] >= 0.97).astype(int)
    assert 0 < wanted.sum() < len(wanted)
    assert cut.predict(d.Xn).tolist() == wanted.tolist()
    with pytest.raises(InputError, match="chosen at other class shares"):
        cut._with_shares({1: 0.5})


def test_a_new_target_forgets_it(toy: Any) -> None:
    d = toy(0, classes=2)
    model = CORAL().fit(d.X, d.y, target=Domain(d.Xt))
    plain, cut = model.predict(d.Xn), model.with_threshold(0.99, 1)
    assert cut.adapt(Domain(d.Xt)).threshold_ is None
    assert cut.predict(d.Xn).tolist() == plain.tolist()
    again = model.with_threshold(0.99, 1)
    assert again.fit(d.X, d.y).threshold_ is None
    assert not hasattr(clone(model.with_threshold(0.99, 1)), "threshold_")


@pytest.mark.parametrize("make", [CORAL, _committee])
def test_a_saved_model_keeps_it_and_the_card_tells(make: Any, toy: Any, tmp_path: Any) -> None:
    d = toy(0, classes=2)
    y, yt = _words(d)
    cut = make().fit(d.X, y, target=Domain(d.Xt, yt)).with_threshold(0.8, "yes")
    path = cut.save(tmp_path / "m.acclimate")
    loaded = acclimate.load(path)
    assert loaded.threshold_ == {"positive": "yes", "value": 0.8}
    assert loaded.predict(d.Xn).tolist() == cut.predict(d.Xn).tolist()
    assert read_card(path)["threshold"] == "answers 'yes' from a probability of 0.8 on"
    del cut.threshold_  # as in a file of an earlier version
    loaded = acclimate.load(cut.save(tmp_path / "old.acclimate"))
    assert loaded.predict(d.Xn).tolist() == cut.predict(d.Xn).tolist()
    assert "threshold" not in read_card(tmp_path / "old.acclimate")
    assert "answers" not in loaded.summary()


def test_classes_are_told_by_their_names(toy: Any) -> None:
    d = toy(0, classes=2)
    model = SourceOnly().fit(d.X, d.y, class_names=["healthy", "ill"])
    assert model.with_threshold(0.25, 1).threshold_words() == (
        "answers 'ill' from a probability of 0.25 on"
    )
    assert model.threshold_words() == ""


def test_what_cannot_be_is_said(toy: Any) -> None:
    d = toy(0, classes=2)
    model = SourceOnly().fit(d.X, d.y)
    for value in (0.0, 1.0, 1.2, -0.1, float("nan"), True, "0.3", None):
        with pytest.raises(InputError, match="between 0 and 1, got"):
            model.with_threshold(value, 1)
    with pytest.raises(InputError, match=r"one of two classes, got 'yes' of \[0, 1\]"):
        model.with_threshold(0.3, "yes")
    three = SourceOnly().fit(d.X, np.arange(len(d.y)) % 3)
    with pytest.raises(InputError, match=r"one of two classes, got 1 of \[0, 1, 2\]"):
        three.with_threshold(0.3, 1)
    for base, y in ((LinearSVC(), d.y), (Ridge(), d.X[:, 0])):
        with pytest.raises(InputError, match="gives none; choose another base model"):
            SourceOnly(base).fit(d.X, y).with_threshold(0.3, 1)
