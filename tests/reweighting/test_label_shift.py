"""Known shares are recovered; each estimator against an independent computation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from acclimate import Domain
from acclimate.exceptions import InputError, TransferWarning
from acclimate.reweighting.label_shift import LabelShift, black_box, target_priors, unexplained

CENTRES = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])


def drawn(counts: tuple[int, int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    y = np.repeat(np.arange(3), counts)
    return CENTRES[y] + np.random.default_rng(seed).normal(size=(len(y), 2)), y


@pytest.mark.parametrize("method", ["bbse", "em"])
@pytest.mark.parametrize("names", [np.array([-1, 4, 2]), np.array(["c", "a", "b"])], ids=str)
def test_known_shares_are_recovered(method: str, names: Any) -> None:
    X, y = drawn((400, 300, 300), 0)
    Xt, yt = drawn((100, 700, 200), 1)
    model = LabelShift(method=method, random_state=0).fit(X, names[y], target=Domain(Xt))
    order = np.searchsorted(model.classes_, names)
    np.testing.assert_allclose(model.target_priors_[order], [0.1, 0.7, 0.2], atol=0.04)
    np.testing.assert_allclose(
        model.class_weights_[order], np.array([0.25, 7 / 3, 2 / 3]), atol=0.14
    )
    for c in range(3):  # rows carry the weight of their own class
        np.testing.assert_allclose(
            model.weights_[y == c], model.class_weights_[order[c]], rtol=1e-9
        )
    assert model.score(Xt, names[yt]) > model.source_model_.score(Xt, names[yt])


def test_black_box_is_the_inverse_where_that_is_positive() -> None:
    C = np.array([[0.3, 0.05, 0.02], [0.02, 0.25, 0.03], [0.01, 0.02, 0.3]])
    w = np.array([0.5, 2.0, 0.8])
    np.testing.assert_allclose(black_box(C, C @ w), w, rtol=1e-10)
    negative = black_box(C, C @ np.array([-0.5, 2.0, 0.8]))
    assert (negative >= 0).all()
    assert negative[0] == 0


@pytest.mark.filterwarnings("ignore:Values in x were outside bounds")  # the reference's steps
def test_expectation_maximisation_reaches_the_likelihoods_maximum() -> None:
    rng = np.random.default_rng(0)
    posterior, shares = rng.dirichlet([0.4, 0.8, 0.4], size=50), np.array([0.5, 0.2, 0.3])

    def loss(q: np.ndarray) -> float:
        return -float(np.log(posterior @ (q / shares)).sum())

    best = minimize(
        loss, shares, method="SLSQP", bounds=[(1e-9, 1)] * 3, options={"ftol": 1e-13},
        constraints=[LinearConstraint(np.ones((1, 3)), 1, 1)],
    )  # fmt: skip
    mine = target_priors(posterior, shares)
    assert loss(mine) <= best.fun + 1e-7
    np.testing.assert_allclose(mine, best.x, atol=1e-4)


def test_no_shift_gives_weights_near_one() -> None:
    X, y = drawn((300, 200, 100), 0)
    model = LabelShift(random_state=0).fit(X, y, target=Domain(drawn((300, 200, 100), 5)[0]))
    np.testing.assert_allclose(model.class_weights_, 1.0, atol=0.15)


def test_a_class_that_is_gone_is_still_known() -> None:
    X, y = drawn((300, 200, 100), 0)
    model = LabelShift(random_state=0).fit(X, y, target=Domain(drawn((300, 200, 0), 5)[0]))
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.predict_proba(X).shape == (600, 3)
    assert model.class_weights_[2] < 0.1


def test_the_order_of_rows_changes_nothing() -> None:
    X, y = drawn((40, 30, 30), 0)
    Xt, _ = drawn((10, 50, 10), 1)
    order = np.random.default_rng(3).permutation(len(X))
    plain = LabelShift(random_state=0).fit(X, y, target=Domain(Xt))
    moved = LabelShift(random_state=0).fit(X[order], y[order], target=Domain(Xt[::-1]))
    np.testing.assert_allclose(moved.class_weights_, plain.class_weights_, rtol=1e-9)


def test_what_cannot_work_says_so() -> None:
    X, y = drawn((40, 30, 30), 0)
    target = Domain(X)
    with pytest.raises(InputError, match="got 'bbs'"):
        LabelShift(method="bbs").fit(X, y)
    with pytest.raises(InputError, match=r"folds .* got 1"):
        LabelShift(folds=1).fit(X, y)
    with pytest.raises(InputError, match="LinearRegression is a regressor"):
        LabelShift(LinearRegression()).fit(X, y * 1.0)
    with pytest.raises(InputError, match="LinearSVC lacks"):
        LabelShift(LinearSVC(), method="em").fit(X, y)
    with pytest.raises(InputError, match="2 different rows"):
        LabelShift().fit(X[:71], y[:71], target=target)
    with pytest.raises(InputError, match="do not tell all classes apart"):
        LabelShift().fit(np.ones((100, 1)) * (np.arange(100)[:, None] % 10), y, target=Domain(
            np.ones((5, 1))))  # fmt: skip


def test_the_statistic_is_chi_squared_where_classes_shift_alone() -> None:
    rng = np.random.default_rng(0)
    columns = rng.dirichlet(np.ones(8), size=3).T  # cells of each class, shape (8, 3)
    source, wanted = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
    found = []
    for _ in range(400):
        cells = (
            np.stack(
                [rng.multinomial(600 * s, c) for s, c in zip(source, columns.T, strict=True)], 1
            )
            / 600
        )
        mu = rng.multinomial(500, columns @ wanted) / 500
        found.append(unexplained(cells, mu, 600, 500))
    statistics, p = np.array(found).T
    assert statistics.mean() == pytest.approx(5.0, rel=0.15)  # 8 cells, 3 classes
    assert (p < 0.01).mean() <= 0.03
    mu = rng.multinomial(500, np.roll(columns @ wanted, 3)) / 500
    assert unexplained(cells, mu, 600, 500)[1] < 1e-3


@pytest.mark.parametrize("method", ["bbse", "em"])
def test_inputs_that_change_are_found_and_leave_the_weights_alone(method: str) -> None:
    X, y = drawn((300, 300, 300), 0)
    rng = np.random.default_rng(2)
    fair, _ = drawn((100, 500, 200), 1)
    model = LabelShift(method=method, random_state=0).fit(X, y, target=Domain(fair))
    assert model.fit_ > 0.01
    assert model.weight_report_.share < 0.95
    noisy = fair + 2.0 * rng.normal(size=fair.shape)
    with pytest.warns(TransferWarning, match="no class shares explain"):
        model.fit(X, y, target=Domain(noisy))
    assert model.fit_ < 0.01
    np.testing.assert_array_equal(model.weights_, 1.0)
    np.testing.assert_allclose(model.predict_proba(fair), model.source_model_.predict_proba(fair))
    forced = LabelShift(method=method, level=0, random_state=0).fit(X, y, target=Domain(noisy))
    assert forced.fit_ is None
    np.testing.assert_allclose(forced.target_priors_, model.target_priors_)
    assert np.ptp(forced.weights_) > 0


@pytest.mark.parametrize("method", ["bbse", "em"])
def test_class_weights_of_the_base_model_do_not_undo_the_correction(method: str) -> None:
    rng = np.random.default_rng(0)

    def draw(*counts: int) -> tuple[Any, Any]:
        y = np.repeat([0, 1], counts)
        return rng.normal(size=(len(y), 1)) + 2 * y[:, None], y

    (X, y), (Xt, yt) = draw(700, 300), draw(950, 50)
    weighed = LogisticRegression(class_weight="balanced")
    plain = LabelShift(LogisticRegression(), method=method, random_state=0)
    model = LabelShift(weighed, method=method, random_state=0).fit(X, y, target=Domain(Xt))
    plain.fit(X, y, target=Domain(Xt))
    np.testing.assert_allclose(model.target_priors_, plain.target_priors_, atol=0.03)
    assert model.score(Xt, yt) > plain.score(Xt, yt) - 0.01
    source = LogisticRegression(class_weight="balanced").fit(X, y)
    np.testing.assert_array_equal(model.predict(X, domain="source"), source.predict(X))
