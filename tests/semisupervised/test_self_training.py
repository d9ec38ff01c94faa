"""SelfTraining: its rounds and its guard against computations by hand, and what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

import acclimate
from acclimate import Domain, SelfTraining
from acclimate.exceptions import InputError
from acclimate.semisupervised.self_training import mean_and_error
from acclimate.transfer.label_folds import row_key


def two_clouds(seed: int, n: int = 400, apart: float = 1.1) -> tuple[Any, Any]:
    y = np.arange(n) % 2
    X = np.random.default_rng(seed).normal(size=(n, 8))
    X[:, :3] += apart * (2 * y[:, None] - 1)
    return X, y


def by_hand(X: Any, y: Any, free: Any, threshold: float, rounds: int) -> Any:
    """Return the model of the last round, and the labels that it was fitted on."""
    model = GaussianNB().fit(X, y)
    labels: dict[int, int] = {}
    for _ in range(rounds):
        found = {}
        for i, p in enumerate(model.predict_proba(free)):
            if p.max() >= threshold:
                found[i] = int(model.classes_[p.argmax()])
        if found == labels:
            break
        labels = found
        rows = [free[i] for i in labels]
        model = GaussianNB().fit(np.vstack([X, *rows]), [*y, *labels.values()])
    return model, labels


@pytest.mark.parametrize("rounds", [1, 4])
def test_rounds_are_those_by_hand(rounds: int) -> None:
    X, y = two_clouds(0, 90)
    model = SelfTraining(GaussianNB(), threshold=0.95, rounds=rounds, guard=False)
    model.fit(X[:12], y[:12], target=Domain(X[12:]))
    wanted, labels = by_hand(X[:12], y[:12], X[12:], 0.95, rounds)
    np.testing.assert_allclose(model.predict_proba(X), wanted.predict_proba(X), rtol=1e-9)
    np.testing.assert_array_equal(np.flatnonzero(model.given_), sorted(labels))
    np.testing.assert_array_equal(model.labels_, wanted.predict(X[12:]))
    assert model.fell_back_ is False


def test_the_guard_is_that_of_cross_validation_by_hand() -> None:
    X, y = two_clouds(1, 120)
    Xs, ys, free = X[:20], y[:20], X[20:]
    model = SelfTraining(GaussianNB(), folds=4, repeats=2, random_state=0)
    model.fit(Xs, ys, target=Domain(free))
    seed = model._stage_seed(2)
    order = np.argsort(row_key(Xs, seed), kind="stable")
    gains = np.zeros(20)
    for train, held in RepeatedStratifiedKFold(n_splits=4, n_repeats=2, random_state=seed).split(
        Xs, ys[order]
    ):
        train, held = order[train], order[held]
        alone = GaussianNB().fit(Xs[train], ys[train])
        trained, _ = by_hand(Xs[train], ys[train], free, 0.9, 5)
        gains[held] += trained.predict(Xs[held]) == ys[held]
        gains[held] -= alone.predict(Xs[held]) == ys[held]
    gains /= 2
    assert model.gain_ == pytest.approx(gains.mean())
    assert model.gain_error_ == pytest.approx(gains.std(ddof=1) / np.sqrt(20))


def test_it_is_kept_where_it_helps_and_says_so() -> None:
    X, y = two_clouds(1)
    model = SelfTraining(GaussianNB(), repeats=3, random_state=0)
    model.fit(X[:12], y[:12], target=Domain(X[12:]))
    assert model.fell_back_ is False
    assert model.gain_ > model.gain_error_ > 0
    assert model.score(X, y) > model.source_model_.score(X, y) + 0.03
    assert f"gains {100 * model.gain_:+.1f} points on held-out labels" in model.summary()
    assert "Fell back" not in model.summary()


def test_it_falls_back_where_it_does_not_help_and_says_so(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 6)), rng.integers(0, 2, size=300)  # nothing to be learnt
    model = SelfTraining(GaussianNB(), threshold=0.6, random_state=0)
    model.fit(X[:40], y[:40], target=Domain(X[40:], name="ward B"))
    assert model.fell_back_ is True
    assert not model.given_.any()
    np.testing.assert_array_equal(
        model.predict_proba(X), GaussianNB().fit(X[:40], y[:40]).predict_proba(X)
    )
    assert "adapted to the target 'ward B'. Fell back to the model of" in model.summary()
    loaded = acclimate.load(model.save(tmp_path / "m"))
    assert loaded.summary() == model.summary()
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_without_labels_to_hold_out_it_falls_back() -> None:
    X, y = two_clouds(2, 60)
    model = SelfTraining(GaussianNB(), random_state=0).fit(X[:2], y[:2], target=Domain(X[2:]))
    assert model.fell_back_ is True
    assert np.isnan(model.gain_)
    assert "no held-out labels to compare on" in model.summary()


def test_labels_of_the_domain_judge_and_count() -> None:
    X, y = two_clouds(3, 200)
    wrong = 1 - y  # a source that is always wrong about the target
    known = np.arange(200) < 60
    goal = Domain(X, y, labelled=known)
    base = LogisticRegression()
    model = SelfTraining(base, use_target_labels=True, random_state=0)
    model.fit(X[:10], wrong[:10], target=goal)
    pooled = LogisticRegression().fit(
        np.concatenate([X[:10], X[:60]]), np.concatenate([wrong[:10], y[:60]])
    )
    if model.fell_back_:
        np.testing.assert_allclose(model.predict_proba(X), pooled.predict_proba(X), rtol=1e-6)
    assert not model.given_[:60].any()  # these have theirs
    assert model.score(X, y) > 0.9
    plain = SelfTraining(base, random_state=0).fit(X[:10], wrong[:10], target=goal)
    assert plain.score(X, y) < 0.3


def test_the_error_of_a_weighted_mean() -> None:
    values = np.array([1.0, 0.0, 0.0, 1.0, 1.0])
    mean, error = mean_and_error(values, np.full(5, 2.0))
    assert (mean, error) == pytest.approx((0.6, values.std(ddof=1) / np.sqrt(5)))
    assert mean_and_error(values, np.array([1.0, 1.0, 0.0, 0.0, 0.0]))[0] == 0.5
    assert np.isnan(mean_and_error(values[:1], np.ones(1))).all()


def test_values_are_refused() -> None:
    X, y = two_clouds(4, 40)
    with pytest.raises(InputError, match="SelfTraining is about classes, and Ridge"):
        SelfTraining(Ridge()).fit(X, y.astype(float))
    with pytest.raises(InputError, match="SelfTraining needs predict_proba, LinearSVC has none"):
        SelfTraining(LinearSVC()).fit(X, y)
