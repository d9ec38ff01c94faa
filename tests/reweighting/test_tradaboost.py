"""TrAdaBoost against the paper's formulas worked by hand, and where its rounds must lead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

import acclimate
from acclimate import Domain, JointObjective, SourceOnly, TrAdaBoost
from acclimate.exceptions import InputError
from acclimate.reweighting.tradaboost import Votes, reweigh, second_half, source_rate, vote

RNG = np.random.default_rng


class Script(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Predict the sign of x, whatever the rows."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Script:
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return self.classes_[(np.asarray(X)[:, 0] > 0).astype(int)]


def mixed(seed: int = 0, m: int = 40, classes: int = 2) -> tuple[Any, ...]:
    """Return a source whose first half follows the target's rule, the target, and new rows."""
    rng = RNG(seed)
    centres = 3.0 * np.eye(classes, 3)

    def draw(n: int) -> tuple[Any, Any]:
        y = np.arange(n) % classes
        return rng.normal(size=(n, 3)) + centres[y], y

    good, bad, target, new = draw(60), draw(60), draw(m), draw(400)
    X = np.concatenate([good[0], bad[0]])
    y = np.concatenate([good[1], (bad[1] + 1) % classes])
    return X, y, *target, *new


def test_two_rounds_by_hand() -> None:
    # Four source rows, of which the base model misses the last two; five target rows, of which it
    # misses the last. It never changes, so that weights alone move.
    X = np.array([[1.0], [-1.0], [2.0], [-2.0]])
    y = np.array([1, 0, 0, 1])
    Xt = np.array([[1.0], [3.0], [-1.0], [-3.0], [5.0]])
    yt = np.array([1, 1, 0, 0, 0])
    model = TrAdaBoost(Script(), rounds=2, balance=0.5, rate=1.0).fit(X, y, target=Domain(Xt, yt))
    # e_1 = 1/5, so that beta_1 = e / (1 - e) = 1/4 and the missed target row counts 4 times
    beta = 1 / (1 + np.sqrt(2 * np.log(4) / 2))
    source = np.array([1, 1, beta, beta]) / 8
    target = np.array([1, 1, 1, 1, 4]) / 10
    total = source.sum() + target.sum()
    np.testing.assert_allclose(model.errors_, [1 / 5, 1 / 2], rtol=1e-12)
    np.testing.assert_allclose(model.source_share_, [1 / 2, source.sum() / total], rtol=1e-12)
    np.testing.assert_allclose(model.weights_, 9 * source / total, rtol=1e-12)
    np.testing.assert_allclose(model.target_weights_, 9 * target / total, rtol=1e-12)
    w = np.concatenate([source, target])
    assert model.weight_report_.effective_rows == pytest.approx(w.sum() ** 2 / (w**2).sum())
    assert model.weight_report_.tail == pytest.approx(9 * 4 / 10 / total)
    # the second round is at chance and has no vote; the first is in the half from ceil(2 / 2) = 1
    np.testing.assert_allclose(model.target_model_.votes, [1.0])


def test_the_update_is_the_papers_for_two_classes() -> None:
    w = RNG(0).random(7)
    missed = np.array([1, 0, 1, 0, 1, 0, 1], dtype=bool)
    n, error, rounds = 4, 0.3, 10
    beta, beta_t = 1 / (1 + np.sqrt(2 * np.log(n) / rounds)), error / (1 - error)
    expected = np.where(missed, w * np.r_[np.full(4, beta), np.full(3, 1 / beta_t)], w)
    found = reweigh(w, missed, n, source_rate(n, rounds), vote(error, 2, 100))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    slow = reweigh(w, missed, n, source_rate(n, rounds), vote(error, 2, 100), rate=0.5)
    np.testing.assert_allclose(slow[4:] / w[4:], np.sqrt(expected[4:] / w[4:]), rtol=1e-12)


def test_more_classes_are_at_chance_later() -> None:
    assert vote(0.6, 2, 50) == 0.0
    assert vote(0.6, 3, 50) == pytest.approx(np.log(0.4 / 0.6 * 2))
    assert vote(2 / 3, 3, 50) == 0.0
    assert vote(1.0, 3, 50) == 0.0
    assert vote(0.0, 4, 25) == pytest.approx(np.log(49 * 3))


def test_without_a_vote_the_whole_source_fades() -> None:
    after = reweigh(np.ones(5), np.array([1, 0, 0, 1, 1], dtype=bool), 3, 0.5, 0.0)
    assert after.tolist() == [0.5, 0.5, 0.5, 1.0, 1.0]


def test_the_second_half_votes() -> None:
    assert second_half(np.ones(5)).tolist() == [2, 3, 4]
    assert second_half(np.ones(4)).tolist() == [1, 2, 3]
    assert second_half(np.ones(1)).tolist() == [0]
    assert second_half(np.zeros(3)).tolist() == [2]


class Says:
    """A fitted model with one answer."""

    def __init__(self, *label: Any) -> None:
        self.label = label

    def predict(self, X: Any) -> Any:
        return np.resize(np.array(self.label), len(X))


def test_hard_votes_are_counted() -> None:
    jury = Votes(
        [Says("a"), Says("c"), Says("b")], np.array([2.0, 3.0, 2.0]), np.array(list("abc"))
    )
    np.testing.assert_allclose(jury.predict_proba(np.zeros((2, 1))), [[2 / 7, 2 / 7, 3 / 7]] * 2)
    assert jury.predict(np.zeros((2, 1))).tolist() == ["c", "c"]
    two = Votes([Says(0), Says(1)], np.array([1.0, 3.0]), np.array([0, 1]))
    assert two.decision_function(np.zeros((1, 1))).tolist() == [0.5]


def test_a_model_that_never_misses_ends_the_rounds() -> None:
    X = np.array([[1.0], [-1.0], [2.0], [-2.0]])
    y = np.array([1, 0, 1, 0])
    model = TrAdaBoost(Script(), rounds=9).fit(X, y, target=Domain(X[:2] * 3, y[:2]))
    assert model.errors_.tolist() == [0.0]
    assert len(model.target_model_.models) == 1
    assert model.predict([[-9.0], [9.0]]).tolist() == [0, 1]


def test_a_perfect_strong_model_does_not_stop_the_source_from_fading() -> None:
    X, y, Xt, yt, *_ = mixed(m=12)
    model = TrAdaBoost(DecisionTreeClassifier(max_depth=6, random_state=0), rounds=8)
    model.fit(X, y, target=Domain(Xt, yt))
    assert len(model.errors_) == 8 or model.errors_[-1] == 0.0
    assert np.isfinite(model.target_model_.votes).all()
    assert np.isfinite(model.weights_).all()
    assert model.source_share_[-1] < model.source_share_[0]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("base", [LogisticRegression(), DecisionTreeClassifier(max_depth=2)])
def test_source_rows_that_disagree_lose_their_weight(classes: int, base: Any) -> None:
    X, y, Xt, yt, Xn, yn = mixed(classes=classes)
    target = Domain(Xt, yt)
    model = TrAdaBoost(base, rounds=10, balance=0.5, random_state=0).fit(X, y, target=target)
    assert model.weights_[:60].mean() > 1.5 * model.weights_[60:].mean()
    assert model.score(Xn, yn) > SourceOnly(base, random_state=0).fit(X, y).score(Xn, yn) + 0.1
    pooled = JointObjective(base, random_state=0, balance=0.2).fit(X, y, target=target)
    assert model.score(Xn, yn) > pooled.score(Xn, yn) - 0.03


def test_an_agreeing_source_is_better_than_few_target_rows() -> None:
    gains = []
    for seed in range(3):
        X, y, Xt, yt, Xn, yn = mixed(seed, m=6)
        model = TrAdaBoost(random_state=0).fit(X[:60], y[:60], target=Domain(Xt, yt))
        gains.append(model.score(Xn, yn) - LogisticRegression().fit(Xt, yt).score(Xn, yn))
    assert np.mean(gains) > 0


@pytest.mark.parametrize("base", [KNeighborsClassifier(3), LinearSVC()])
def test_estimators_without_weights_or_probabilities_work(base: Any) -> None:
    X, y, Xt, yt, Xn, yn = mixed(m=60)
    model = TrAdaBoost(base, rounds=5, balance=0.5, random_state=0)
    model.fit(X, y, target=Domain(Xt, yt))
    assert model.score(Xn, yn) > 0.8
    proba = model.target_model_.predict_proba(Xn)
    assert np.array_equal(model.classes_[proba.argmax(1)], model.predict(Xn))
    np.testing.assert_allclose(proba.sum(1), 1.0)


def test_rows_of_weight_zero_are_not_there() -> None:
    X, y, Xt, yt, Xn, _ = mixed()
    keep = RNG(1).random(len(X)) < 0.6
    weighted = TrAdaBoost(random_state=0).fit(X, y, sample_weight=keep * 1.0, target=Domain(Xt, yt))
    dropped = TrAdaBoost(random_state=0).fit(X[keep], y[keep], target=Domain(Xt, yt))
    np.testing.assert_allclose(weighted.predict_proba(Xn), dropped.predict_proba(Xn), atol=1e-4)
    np.testing.assert_allclose(weighted.weights_[keep], dropped.weights_, rtol=1e-3)
    assert not weighted.weights_[~keep].any()


def test_classes_are_matched_by_name() -> None:
    X, y, Xt, yt, Xn, _ = mixed()
    plain = TrAdaBoost(random_state=0).fit(X, y, target=Domain(Xt, yt))
    code = np.array([7, 5])
    named = TrAdaBoost(random_state=0).fit(
        X, y, class_names=["well", "ill"],
        target=Domain(Xt, code[yt], class_names={7: "well", 5: "ill"}),
    )  # fmt: skip
    assert named.classes_.tolist() == [5, 7]
    assert np.array_equal(named.predict(Xn), code[plain.predict(Xn)])
    with pytest.raises(InputError, match="TrAdaBoost needs the same classes"):
        TrAdaBoost().fit(X, y, target=Domain(Xt, yt + 1))


def test_a_saved_jury_answers_the_same(tmp_path: Any) -> None:
    X, y, Xt, yt, Xn, _ = mixed(classes=3)
    model = TrAdaBoost(rounds=4, random_state=0).fit(X, y, target=Domain(Xt, yt))
    loaded = acclimate.load(model.save(tmp_path / "m"))
    assert np.array_equal(loaded.predict_proba(Xn), model.predict_proba(Xn))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rounds": 0}, "rounds .* got 0"),
        ({"balance": 1.0}, "balance .* got 1.0"),
        ({"rate": 0.0}, "rate .* got 0.0"),
        ({"estimator": LinearRegression()}, "use TrAdaBoostR2"),
    ],
)
def test_wrong_settings_are_errors(settings: dict[str, Any], words: str) -> None:
    X, y, Xt, yt, *_ = mixed()
    with pytest.raises(InputError, match=words):
        TrAdaBoost(**settings).fit(X, y.astype(float), target=Domain(Xt, yt))
