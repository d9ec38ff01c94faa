"""`TeacherThroughPairs`: the student learns what the teacher says, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from acclimate import CORAL, Domain, TeacherThroughPairs
from acclimate.exceptions import DomainTypeError, InputError
from acclimate.testing.toy_pairs import toy_pairs


class Says:
    """A teacher that says what it was told."""

    def __init__(self, labels: Any) -> None:
        self.labels = labels

    def predict(self, X: Any) -> Any:
        return self.labels


def test_it_is_the_student_fitted_on_the_teachers_labels() -> None:
    d = toy_pairs(noise=0.5)
    teacher = LogisticRegression().fit(d.A, d.y)
    model = TeacherThroughPairs(teacher, LogisticRegression(C=0.3)).fit(d.An, d.Bn)
    by_hand = LogisticRegression(C=0.3).fit(d.Bn, teacher.predict(d.An))
    np.testing.assert_array_equal(model.labels_, teacher.predict(d.An))
    np.testing.assert_array_equal(model.predict_proba(d.B), by_hand.predict_proba(d.B))
    np.testing.assert_array_equal(model.predict(d.B), by_hand.predict(d.B))
    assert model.score(d.B, d.y) == by_hand.score(d.B, d.y)
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])


def test_known_labels_of_b_join_the_pairs() -> None:
    d = toy_pairs(noise=0.5)
    y = d.yn.astype(float)
    y[5:] = np.nan
    model = TeacherThroughPairs(Says(d.y), LogisticRegression()).fit(
        d.A, d.B, target=Domain(d.Bn, y)
    )
    by_hand = LogisticRegression().fit(np.vstack([d.B, d.Bn[:5]]), np.concatenate([d.y, d.yn[:5]]))
    np.testing.assert_allclose(model.predict_proba(d.Bn), by_hand.predict_proba(d.Bn))
    assert model.trained_on_ == {"pairs": 60, "labelled": 5}
    marked = Domain(d.Bn, d.yn, labelled=np.arange(30) < 5)
    again = TeacherThroughPairs(Says(d.y), LogisticRegression()).fit(d.A, d.B, target=marked)
    np.testing.assert_allclose(again.predict_proba(d.Bn), by_hand.predict_proba(d.Bn))


def test_values_are_taught_as_well() -> None:
    d = toy_pairs(n=200)
    model = TeacherThroughPairs(Ridge().fit(d.A, d.v)).fit(d.A, d.B)
    assert model.score(d.Bn, d.vn) > 0.9
    assert not hasattr(model, "predict_proba")


def test_a_teacher_may_itself_be_adapted() -> None:
    d = toy_pairs(n=200)
    moved = d.A * 3 + 7
    teacher = CORAL(random_state=0).fit(d.A, d.y, target=Domain(moved))
    model = TeacherThroughPairs(teacher).fit(moved, d.B)
    np.testing.assert_array_equal(model.labels_, teacher.predict(moved))
    assert model.score(d.Bn, d.yn) > 0.8


def test_the_worth_of_pairs_falls_with_the_teacher() -> None:
    d = toy_pairs(n=300, m=300)
    rng = np.random.default_rng(0)
    scores = []
    for wrong in (0.0, 0.45, 0.9):
        labels = np.where(rng.random(300) < wrong, rng.integers(0, 3, 300), d.y)
        student = DecisionTreeClassifier(random_state=0)
        scores.append(TeacherThroughPairs(Says(labels), student).fit(d.A, d.B).score(d.Bn, d.yn))
    assert scores[0] > scores[1] > scores[2]


def test_a_clone_keeps_the_teacher_fitted_and_the_settings() -> None:
    d = toy_pairs()
    teacher = LogisticRegression().fit(d.A, d.y)
    model = clone(TeacherThroughPairs(teacher, LogisticRegression(), random_state=3))
    assert model.teacher is teacher
    assert model.random_state == 3
    assert model.fit(d.A, d.B).score(d.Bn, d.yn) > 0.7


def test_the_seed_reaches_the_student() -> None:
    d = toy_pairs()
    for _ in range(2):
        model = TeacherThroughPairs(Says(d.y), DecisionTreeClassifier(), random_state=5)
        model.fit(d.A, d.B)
        assert model.student_.random_state is not None


def test_frames_reach_the_student_as_frames() -> None:
    d = toy_pairs()
    frame = pd.DataFrame(d.B, columns=[f"b{i}" for i in range(7)])
    student = LogisticRegression()
    target = Domain(pd.DataFrame(d.Bn, columns=frame.columns), d.yn)
    model = TeacherThroughPairs(Says(d.y), student).fit(d.A, frame, target=target)
    assert model.student_.feature_names_in_.tolist() == list(frame.columns)
    assert model.predict(frame).shape == (60,)


def test_texts_are_taught_with_and_without_known_ones() -> None:
    texts = pd.Series(["a good one", "bad indeed", "good", "so bad"] * 5)
    places = np.arange(20)[:, None]
    student = make_pipeline(CountVectorizer(), LogisticRegression())
    teacher = Says(np.array(["up", "down"] * 10))
    model = TeacherThroughPairs(teacher, student).fit(places, texts)
    assert model.predict(["good", "bad"]).tolist() == ["up", "down"]
    known = Domain(["fine", "poor"], ["up", "down"])
    for given in (texts, texts.tolist()):
        model = TeacherThroughPairs(teacher, student).fit(places, given, target=known)
        assert model.predict(pd.Series(["fine", "poor"])).tolist() == ["up", "down"]


@pytest.mark.parametrize(
    ("teacher", "words"),
    [
        (None, "needs a teacher"),
        (LogisticRegression(), "the teacher is not fitted"),
        (Says(np.zeros(60)), "gives all 60 pairs the label"),
        (Says(np.zeros((60, 2))), "one label an item"),
    ],
)
def test_a_teacher_that_cannot_teach(teacher: Any, words: str) -> None:
    d = toy_pairs()
    with pytest.raises(InputError, match=words):
        TeacherThroughPairs(teacher).fit(d.A, d.B)


def test_a_target_is_a_domain_with_labels_of_the_same_shape() -> None:
    d = toy_pairs()
    model = TeacherThroughPairs(Says(d.y))
    with pytest.raises(DomainTypeError):
        model.fit(d.A, d.B, target=d.Bn)
    with pytest.raises(InputError, match="has no labels"):
        model.fit(d.A, d.B, target=Domain(d.Bn))
    with pytest.raises(InputError, match=r"shape \(7,\).*\(5,\)"):
        model.fit(d.A, d.B, target=Domain(d.An, d.yn))


def test_its_summary_says_what_pairs_are_worth(tmp_path: Any) -> None:
    from acclimate import load

    d = toy_pairs()
    model = TeacherThroughPairs(LogisticRegression().fit(d.A, d.y)).fit(d.A, d.B)
    assert "pairs that were made by class carry the labels" in model.summary()
    again = load(model.save(tmp_path / "m.acclimate"))
    assert again.card_["summary"] == model.summary()
    assert again.card_["method"] == "TeacherThroughPairs"
