"""`JDOT` against brute force over assignments, and on data changed in a known way."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from acclimate import JDOT, Domain
from acclimate.exceptions import InputError
from acclimate.mapping import transport
from acclimate.mapping.jdot import carry, joint_cost, loss_table
from acclimate.mapping.pot_loading import pot
from acclimate.mapping.soft_labels import fit_soft
from acclimate.mapping.transport import Cost

RNG = np.random.default_rng


def test_a_small_regression_is_the_best_of_all_assignments() -> None:
    """With equal masses a plan is a permutation: try all, with the best line for each."""
    rng = RNG(0)
    x, xt = rng.normal(size=(6, 1)), rng.normal(size=(6, 1)) * 1.2 + 3
    y = 2 * x[:, 0] + 0.1 * rng.normal(size=6)
    alpha = 0.7
    model = JDOT(LinearRegression(), alpha=alpha, rounds=50, shrinkage=0.0).fit(
        x, y, target=Domain(xt)
    )
    u, w = x - x.mean(), xt - xt.mean()
    D = (u - w.T) ** 2
    best = np.inf
    for order in permutations(range(6)):
        at = list(order)
        error = 1.0 - np.corrcoef(xt[at, 0], y)[0, 1] ** 2  # of the best line, over the variance
        best = min(best, alpha * D[range(6), at].mean() / D.mean() + error)
    assert model.objectives_[-1] == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("regression", [True, False])
def test_the_objective_never_rises_where_the_model_minimises_it(regression: bool, toy: Any) -> None:
    d = toy(3, classes=None if regression else 3)
    base = LinearRegression() if regression else LogisticRegression(C=1e6, max_iter=5000, tol=1e-8)
    objectives = JDOT(base, alpha=0.5, rounds=20).fit(d.X, d.y, target=Domain(d.Xt)).objectives_
    assert len(objectives) > 1
    assert (np.diff(objectives) < 1e-3 * objectives[:-1]).all()
    assert objectives[-1] <= objectives[0]


def test_labels_are_carried_by_the_plan() -> None:
    P = np.array([[0.2, 0.0, 0.1], [0.0, 0.3, 0.1], [0.0, 0.1, 0.2]])
    b = P.sum(0)
    shares = carry(P, np.array([0, 1, 0]), b, np.array(["x", "y"]))
    np.testing.assert_allclose(shares, [[1, 0], [0.25, 0.75], [0.75, 0.25]])
    values = carry(P, np.array([5.0, 1.0, 3.0]), b, None)
    np.testing.assert_allclose(values[:, 0], [5, (0.3 + 0.3) / 0.4, (0.5 + 0.1 + 0.6) / 0.4])


def test_losses_of_each_kind_of_model(toy: Any) -> None:
    d = toy(0)
    soft = LogisticRegression(max_iter=1000).fit(d.X, d.y)
    table = loss_table(soft, d.Xt, soft.classes_)
    assert table.shape == (3, len(d.Xt))
    np.testing.assert_allclose(table, -np.log(np.maximum(soft.predict_proba(d.Xt).T, 1e-6)))
    hard = LinearSVC().fit(d.X, d.y)
    scores = hard.decision_function(d.Xt)
    expected = [
        [sum(max(0, 1 - (1 if k == c else -1) * row[k]) for k in range(3)) for row in scores]
        for c in range(3)
    ]
    np.testing.assert_allclose(loss_table(hard, d.Xt, hard.classes_), expected)
    two = LinearSVC().fit(d.X, d.y == 1)
    scores = two.decision_function(d.Xt)
    np.testing.assert_allclose(
        loss_table(two, d.Xt, two.classes_)[1], 2 * np.maximum(0, 1 - scores), atol=1e-12
    )

    class Mute(KNeighborsClassifier):  # type: ignore[misc]
        predict_proba = property()

    mute = Mute().fit(d.X, d.y)
    np.testing.assert_array_equal(
        loss_table(mute, d.Xt, mute.classes_), mute.predict(d.Xt) != np.arange(3)[:, None]
    )


def test_the_joint_cost_is_inputs_plus_loss() -> None:
    rng = RNG(0)
    cost = Cost(rng.normal(size=(5, 2)), rng.normal(size=(7, 2)))
    y, Z = rng.normal(size=5), rng.normal(size=(7, 3))
    model = LinearRegression().fit(rng.normal(size=(9, 3)), rng.normal(size=9))
    a = np.array([0.1, 0.3, 0.2, 0.2, 0.2])
    spread = a @ (y - a @ y) ** 2
    expected = cost.of() + (y[:, None] - model.predict(Z)) ** 2 / spread
    np.testing.assert_allclose(joint_cost(cost, model, Z, y, a, None).of(), expected, atol=1e-12)


@pytest.mark.parametrize(
    "base",
    [LogisticRegression(max_iter=1000), LinearSVC(), RidgeClassifier(), KNeighborsClassifier(3),
     DecisionTreeClassifier(random_state=0)],
    ids=lambda base: type(base).__name__,
)  # fmt: skip
def test_any_classifier_follows_a_turn_and_a_move(base: Any) -> None:
    """Four classes at the corners of a square, turned by 15 degrees and moved."""
    rng = RNG(0)
    corners = np.array([[0, 0], [6, 0], [0, 6], [6, 6]])
    y, yt = np.arange(80) % 4, np.arange(100) % 4
    t = np.deg2rad(15)
    turn = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    X = rng.normal(size=(80, 2)) + corners[y]
    Xt = (rng.normal(size=(100, 2)) + corners[yt] - 3) @ turn + 20
    called = np.array(["d", "-1", "a", "b"])
    model = JDOT(base, random_state=0).fit(X, called[y], target=Domain(Xt))
    assert model.score(Xt, called[yt]) > 0.9
    assert model.score(X, called[y], domain="source") > 0.9


def test_soft_labels_repeat_rows_with_their_shares_as_weights() -> None:
    X = RNG(0).normal(size=(4, 2))
    shares = np.array([[0.7, 0.3], [0.995, 0.005], [0.0, 1.0], [0.5, 0.5]])
    model = fit_soft(LogisticRegression(), X, shares, np.array([3, 9]), 0)
    rows = [0, 0, 1, 2, 3, 3]
    w = np.array([0.7, 0.3, 0.995, 1.0, 0.5, 0.5])
    expected = LogisticRegression().fit(
        X[rows], np.array([3, 9, 3, 9, 3, 9]), sample_weight=w * 4 / w.sum()
    )
    np.testing.assert_allclose(model.coef_, expected.coef_)


def test_without_weights_the_largest_share_decides_and_no_class_is_lost() -> None:
    X = np.arange(4.0)[:, None]
    shares = np.array([[0.9, 0.1, 0.0], [0.4, 0.6, 0.0], [0.8, 0.0, 0.2], [1.0, 0.0, 0.0]])
    model = fit_soft(KNeighborsClassifier(1), X, shares, np.array(["p", "q", "r"]), 0)
    assert model.classes_.tolist() == ["p", "q", "r"]
    assert sorted(zip(model._fit_X[:, 0].tolist(), model._y.tolist(), strict=True)) == [
        (0.0, 0), (1.0, 1), (2.0, 0), (2.0, 2), (3.0, 0)
    ]  # fmt: skip


def test_a_move_of_the_target_moves_the_model(toy: Any) -> None:
    d = toy(0, classes=None)
    here = JDOT(LinearRegression(), shrinkage=0.0).fit(d.X, d.y, target=Domain(d.Xt))
    away = JDOT(LinearRegression(), shrinkage=0.0).fit(d.X, d.y, target=Domain(d.Xt + 100))
    np.testing.assert_allclose(away.predict(d.Xn + 100), here.predict(d.Xn), atol=1e-6)
    np.testing.assert_allclose(away.objectives_, here.objectives_, rtol=1e-6)


def test_permuted_and_relabelled_rows_change_nothing_else(toy: Any) -> None:
    d = toy(0)
    plain = JDOT(random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    s, t = RNG(1).permutation(len(d.X)), RNG(2).permutation(len(d.Xt))
    called = np.array([5, -1, 0])
    moved = JDOT(random_state=0).fit(d.X[s], called[d.y][s], target=Domain(d.Xt[t]))
    assert np.array_equal(moved.predict(d.Xn), called[plain.predict(d.Xn)])
    np.testing.assert_allclose(moved.objectives_, plain.objectives_, rtol=1e-4)


def test_weights_are_repeated_rows(toy: Any) -> None:
    d = toy(0, classes=None)
    w = RNG(0).integers(0, 4, len(d.X))
    weighted = JDOT(Ridge()).fit(d.X, d.y, target=Domain(d.Xt), sample_weight=w.astype(float))
    repeated = JDOT(Ridge()).fit(np.repeat(d.X, w, axis=0), np.repeat(d.y, w), target=Domain(d.Xt))
    np.testing.assert_allclose(weighted.predict(d.Xn), repeated.predict(d.Xn), rtol=1e-6)


def test_identical_domains_keep_their_labels(toy: Any) -> None:
    d = toy(0)
    model = JDOT().fit(d.X, d.y, target=Domain(d.X))
    assert model.score(d.X, d.y) == pytest.approx(
        LogisticRegression(max_iter=1000).fit(d.X, d.y).score(d.X, d.y), abs=0.02
    )


def test_more_features_than_rows() -> None:
    rng = RNG(0)
    y, yt = np.arange(30) % 2, np.arange(24) % 2
    X, Xt = rng.normal(size=(30, 60)), rng.normal(size=(24, 60)) + 2
    X[:, 0] += 15 * y
    Xt[:, 0] += 15 * yt
    assert JDOT().fit(X, y, target=Domain(Xt)).score(Xt, yt) == 1.0


def test_two_rounds_by_hand(toy: Any) -> None:
    d = toy(1, classes=None)
    model = JDOT(LinearRegression(), rounds=2, alpha=2.0, shrinkage=0.0).fit(
        d.X, d.y, target=Domain(d.Xt)
    )
    X, Z = d.X - d.X.mean(0), d.Xt - d.Xt.mean(0)
    D = 2.0 * cdist(X, Z, "sqeuclidean") / cdist(X, Z, "sqeuclidean").mean()
    C, objectives = D, []
    for _ in range(2):
        P = pot().emd([], [], C)
        line = LinearRegression().fit(d.Xt, P.T @ d.y * len(d.Xt))
        C = D + (d.y[:, None] - line.predict(d.Xt)) ** 2 / d.y.var()
        objectives.append((P * C).sum())
    np.testing.assert_allclose(model.objectives_, objectives, rtol=1e-9)
    np.testing.assert_allclose(model.predict(d.Xn), line.predict(d.Xn), rtol=1e-8)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 0.0}, "alpha must be above 0, got 0.0"),
        ({"rounds": 0}, "rounds must be at least 1, got 0"),
    ],
)
def test_wrong_settings(settings: Any, message: str, toy: Any) -> None:
    d = toy(0)
    with pytest.raises(InputError, match=message):
        JDOT(**settings).fit(d.X, d.y)


def test_between_the_source_model_and_the_papers(toy: Any) -> None:
    """The objective is the mean of both; with 1 the model is the source's."""
    d = toy(1, classes=None)
    s, n, m = 0.25, len(d.X), len(d.Xt)
    model = JDOT(LinearRegression(), rounds=1, shrinkage=s).fit(d.X, d.y, target=Domain(d.Xt))
    C = cdist(d.X - d.X.mean(0), d.Xt - d.Xt.mean(0), "sqeuclidean")
    P = pot().emd([], [], C)
    w = np.concatenate([np.full(m, (1 - s) / m), np.full(n, s / n)])
    labels = np.concatenate([P.T @ d.y * m, d.y])
    line = LinearRegression().fit(np.vstack([d.Xt, d.X]), labels, sample_weight=w)
    np.testing.assert_allclose(model.predict(d.Xn), line.predict(d.Xn), rtol=1e-8)
    there = (P * (C / C.mean() + (d.y[:, None] - line.predict(d.Xt)) ** 2 / d.y.var())).sum()
    here = ((d.y - line.predict(d.X)) ** 2).mean() / d.y.var()
    assert model.objectives_[0] == pytest.approx((1 - s) * there + s * here, rel=1e-9)
    for base, y in ((LinearRegression(), d.y), (LogisticRegression(), (d.y > 0).astype(int))):
        same = JDOT(base, shrinkage=1.0).fit(d.X, y, target=Domain(d.Xt))
        np.testing.assert_allclose(same.predict(d.Xn), same.source_model_.predict(d.Xn), rtol=1e-9)


@pytest.mark.parametrize("regression", [False, True])
def test_plans_that_add_pairs_end_at_the_objective_of_plans_of_all(
    monkeypatch: pytest.MonkeyPatch, regression: bool
) -> None:
    rng = RNG(5)
    X, Xt = rng.normal(size=(150, 4)), rng.normal(size=(130, 4)) * 1.5 + 1
    y = X[:, 0] if regression else (X[:, 0] > 0).astype(int)
    base = Ridge() if regression else RidgeClassifier()
    model = JDOT(base, shrinkage=0).fit(X, y, target=Domain(Xt))
    monkeypatch.setattr(transport, "DENSE_PAIRS", 0)
    other = JDOT(base, shrinkage=0).fit(X, y, target=Domain(Xt))
    assert len(model.objectives_) > 2
    assert other.objectives_.min() == pytest.approx(model.objectives_.min(), rel=1e-4)
