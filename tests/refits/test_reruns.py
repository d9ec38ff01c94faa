"""Circular validation prefers the right candidate; mixtures are made of the right pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from acclimate import CORAL, Domain, SourceOnly
from acclimate.exceptions import InputError, TransferWarning
from acclimate.refits.reruns import gather, mixed_predictions, reverse_predictions
from acclimate.validators.candidate import Evidence, Mixed
from acclimate.validators.registry import circular, mixval


def shifted(seed: int = 0, n: int = 200) -> tuple[Any, Any, Any, Any]:
    """Return two classes along a line, and a target that lies 3 further on: 2 apart, 0.3 wide."""
    rng = np.random.default_rng(seed)
    y, yt = rng.integers(0, 2, n), rng.integers(0, 2, n)
    X = rng.normal(2 * y, 0.3)[:, None]
    return X, y, rng.normal(2 * yt + 3, 0.3)[:, None], yt


def stay(X: Any, y: Any, other: Any) -> Any:
    return LogisticRegression().fit(X, y).predict


def move(X: Any, y: Any, other: Any) -> Any:
    model = LogisticRegression().fit(X - X.mean(), y)
    return lambda rows: model.predict(rows - other.mean())


def turn(X: Any, y: Any, other: Any) -> Any:
    """Move, and then lose half of the rows' classes."""
    good = move(X, y, other)
    return lambda rows: np.where(np.arange(len(rows)) % 2, good(rows), 1 - good(rows))


def test_the_right_candidate_wins() -> None:
    X, y, Xt, yt = shifted()
    X, y, held, y_held = X[:150], y[:150], X[150:], y[150:]
    scores, truth = {}, {}
    for method in (stay, move, turn):
        back = reverse_predictions(method, X, y, Xt, held)
        proba = np.full((50, 2), 0.5)
        scores[method] = circular(Evidence(proba, y_held, proba, reverse_labels=back))
        truth[method] = (method(X, y, Xt)(Xt) == yt).mean()
    assert truth[move] > 0.95  # otherwise this is no test
    assert max(truth[stay], truth[turn]) < 0.6
    assert scores[move] > 0.95
    assert max(scores[stay], scores[turn]) < 0.7


def test_an_adapter_is_refitted_as_a_callable_would_be() -> None:
    X, y, Xt, _ = shifted(1)
    model = CORAL(LogisticRegression(), random_state=0).fit(X, y, target=Domain(Xt))
    before = model.predict(Xt)

    def by_hand(A: Any, a: Any, B: Any) -> Any:
        return CORAL(LogisticRegression(), random_state=0).fit(A, a, target=Domain(B)).predict

    expected = reverse_predictions(by_hand, X, y, Xt, X[:20])
    fitted = reverse_predictions(model, X, y, Domain(Xt), X[:20])
    fresh = reverse_predictions(CORAL(LogisticRegression(), random_state=0), X, y, Domain(Xt),
                                X[:20])  # fmt: skip
    np.testing.assert_array_equal(fitted, expected)
    np.testing.assert_array_equal(fresh, expected)
    np.testing.assert_array_equal(model.predict(Xt), before)  # the candidate is left alone


def test_target_labels_are_not_read() -> None:
    X, y, Xt, yt = shifted(2)
    model = SourceOnly(LogisticRegression(), random_state=0)
    bare = reverse_predictions(model, X, y, Domain(Xt), X[:20])
    labelled = reverse_predictions(model, X, y, Domain(Xt, 1 - yt), X[:20])
    np.testing.assert_array_equal(bare, labelled)


def test_one_predicted_class_is_predicted_everywhere() -> None:
    X, y, Xt, _ = shifted(3)
    names = np.array(["no", "yes"])[y]
    assert set(reverse_predictions(stay, X, names, Xt + 10, X[:5])) == {"yes"}
    adapter = SourceOnly(LogisticRegression(), random_state=0)
    assert set(reverse_predictions(adapter, X, names, Domain(Xt + 10), X[:5])) == {"yes"}


def test_regression_goes_round_too() -> None:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(50, 2))
    y = X @ [1.0, -2.0]
    adapter = SourceOnly(LinearRegression(), random_state=0)
    back = reverse_predictions(adapter, X, y, Domain(X + 1), X[:10])
    np.testing.assert_allclose(back, y[:10], atol=1e-8)
    assert circular(Evidence(y[:10], y[:10], y, reverse_labels=back + 2)) == pytest.approx(-4)


def test_an_adapter_needs_a_domain() -> None:
    with pytest.raises(InputError, match=r"Domain\(X\)"):
        reverse_predictions(SourceOnly(), [[0.0]], [0], np.zeros((2, 1)), [[0.0]])


# --- all at once --------------------------------------------------------------------------------


def test_gather_collects_what_the_method_says() -> None:
    X, y, Xt, yt = shifted(7)
    names = np.array(["yes", "no"])[y]
    train, held = slice(0, 150), slice(150, None)
    model = CORAL(LogisticRegression(), random_state=0)
    model.fit(X[train], names[train], target=Domain(Xt))
    found = gather(
        model, X[train], names[train], Domain(Xt, yt), X[held], names[held], weights=np.ones(50)
    )
    np.testing.assert_array_equal(found.source_proba, model.predict_proba(X[held], domain="source"))
    np.testing.assert_array_equal(found.target_proba, model.predict_proba(Xt))
    np.testing.assert_array_equal(found.source_labels, np.searchsorted(["no", "yes"], names[held]))
    back = reverse_predictions(model, X[train], names[train], Domain(Xt), X[held])
    np.testing.assert_array_equal(found.reverse_labels, np.searchsorted(["no", "yes"], back))
    pairs = mixed_predictions(model.predict_proba, Xt)
    assert found.mixed is not None
    np.testing.assert_array_equal(found.mixed.answers, pairs.answers)
    short = gather(
        model,
        X[train],
        names[train],
        Domain(Xt),
        X[held],
        names[held],
        circular=False,
        mixed=False,
    )
    assert short.reverse_labels is None
    assert short.mixed is None


def test_gather_of_a_frame_and_of_a_regression() -> None:
    X, y, Xt, _ = shifted(8)
    frame, other = pd.DataFrame(X, columns=["a"]), pd.DataFrame(Xt, columns=["a"])
    model = SourceOnly(LogisticRegression(), random_state=0).fit(frame, y, target=Domain(other))
    assert gather(model, frame, y, Domain(other), frame, y).mixed is None
    line = SourceOnly(LinearRegression(), random_state=0).fit(X, X[:, 0], target=Domain(Xt))
    found = gather(line, X, X[:, 0], Domain(Xt), X[:5], X[:5, 0])
    assert found.regression
    np.testing.assert_allclose(found.target_proba, Xt[:, 0])
    np.testing.assert_allclose(found.reverse_labels, X[:5, 0], atol=1e-8)


class Choosy(SourceOnly):
    """A method that needs two rows of each class, as those with cross-validation do."""

    def fit(self, X: Any, y: Any, **other: Any) -> Any:
        if np.unique(y, return_counts=True)[1].min() < 2:
            raise InputError("each class needs two rows")
        return super().fit(X, y, **other)


def test_gather_goes_without_a_reverse_model_that_cannot_be_fitted() -> None:
    X, y, Xt, _ = shifted(10)
    Xt = np.concatenate([Xt + 5, [[-1.0]]])  # class 1 everywhere, but for one row
    model = Choosy(LogisticRegression(), random_state=0).fit(X, y, target=Domain(Xt))
    with pytest.warns(TransferWarning, match="Choosy cannot be fitted on its own predictions"):
        assert gather(model, X, y, Domain(Xt), X, y).reverse_labels is None


def test_gather_refuses_what_has_no_evidence() -> None:
    X, y, Xt, _ = shifted(9)
    with pytest.raises(InputError, match="fitted"):
        gather(SourceOnly(), X, y, Domain(Xt), X, y)
    model = SourceOnly(LinearSVC(), random_state=0).fit(X, y, target=Domain(Xt))
    with pytest.raises(InputError, match="no probabilities"):
        gather(model, X, y, Domain(Xt), X, y)


# --- mixtures -----------------------------------------------------------------------------------


def test_pairs_are_mixed_with_the_share() -> None:
    seen = []

    def predict(rows: Any) -> Any:
        seen.append(rows)
        return (rows[:, 0] > 0).astype(int)

    X = np.array([[-3.0, 1.0], [1.0, 2.0], [4.0, 4.0], [-1.0, 0.0]])
    mixed = mixed_predictions(predict, X, share=0.7)
    rows, mixtures = seen
    np.testing.assert_array_equal(rows, X)
    partners = (mixtures - 0.7 * X) / 0.3
    place = [int(np.abs(X - p).sum(axis=1).argmin()) for p in partners]
    np.testing.assert_allclose(X[place], partners, atol=1e-12)
    assert sorted(place) == [0, 1, 2, 3]
    assert all(i != j for i, j in enumerate(place))
    np.testing.assert_array_equal(mixed.answers, mixtures[:, 0] > 0)
    np.testing.assert_array_equal(mixed.same, (X[:, 0] > 0) == (X[place, 0] > 0))


def test_pairs_do_not_depend_on_the_order_of_rows() -> None:
    rng = np.random.default_rng(5)
    X, order = rng.normal(size=(30, 3)), rng.permutation(30)
    predict = lambda rows: np.stack([rows[:, 0] < 0, rows[:, 0] >= 0], 1) * 1.0  # noqa: E731
    first, second = mixed_predictions(predict, X), mixed_predictions(predict, X[order])
    np.testing.assert_array_equal(second.answers, first.answers[order])
    np.testing.assert_array_equal(second.same, first.same[order])


def score(mixed: Mixed) -> float:
    return mixval(Evidence(None, None, [[0.5, 0.5]], mixed=mixed))


def test_mixval_literal_values() -> None:
    answers, expected = np.array([0, 1, 1, 0]), np.array([0, 1, 0, 1])
    # right, right | wrong, wrong: one of each kind of pair
    assert score(Mixed(answers, expected, np.array([True, False, True, False]))) == 0.5
    # all pairs of one class are right, all of two classes are wrong
    assert score(Mixed(answers, expected, np.array([True, True, False, False]))) == 0.5
    # (2/3 + 0) / 2
    same = np.array([True, True, True, False])
    assert score(Mixed(answers, expected, same)) == pytest.approx(1 / 3)
    # a model that knows one class only
    assert score(Mixed(np.zeros(3), np.zeros(3), np.ones(3, bool))) == 0.5


def test_mixval_prefers_a_boundary_between_clusters() -> None:
    rng = np.random.default_rng(6)
    Xt = (np.repeat([3.0, 5.0], 50) + rng.normal(0, 0.03, 100))[:, None]
    between = mixed_predictions(lambda rows: (rows[:, 0] > 4).astype(int), Xt)
    through = mixed_predictions(lambda rows: (rows[:, 0] > 3).astype(int), Xt)
    assert score(between) == 1
    assert score(through) < 0.9


@pytest.mark.parametrize(
    ("X", "share", "message"),
    [
        ([[1.0], [2.0]], 0.5, "share"),
        ([[1.0]], 0.55, "at least 2 rows"),
        ([1.0, 2.0], 0.55, "at least 2 rows"),
        ([["a"], ["b"]], 0.55, "numbers"),
    ],
)
def test_what_cannot_be_mixed_is_refused(X: Any, share: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        mixed_predictions(lambda rows: np.zeros(len(rows)), X, share=share)
