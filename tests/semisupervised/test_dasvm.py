"""DASVM: what one exchange does, row by row, and where the exchanges lead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC

import acclimate
from acclimate import DASVM, Domain
from acclimate.exceptions import ConvergenceWarning, InputError
from acclimate.semisupervised.dasvm import Exchange, OneVsRest, exchange, one_vs_rest

RNG = np.random.default_rng


def turned(X: Any, degrees: float, centre: Any = (0.0, 0.0)) -> Any:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return (X - centre) @ np.array([[c, s], [-s, c]]) + centre


def blobs(seed: int, n: int, classes: int, degrees: float = 0.0) -> tuple[Any, Any]:
    """Return classes on a circle of radius 3, turned about its centre."""
    y = np.arange(n) % classes
    angle = 2 * np.pi * y / classes
    X = 3 * np.column_stack([np.cos(angle), np.sin(angle)]) + 0.6 * RNG(seed).normal(size=(n, 2))
    return turned(X, degrees), y


# --- one exchange ---------------------------------------------------------------------------------


def binary(*f: float) -> Any:
    return np.column_stack([-np.array(f), np.array(f)])


def test_rows_nearest_the_margin_come_and_the_farthest_go() -> None:
    codes = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    scores = binary(-3.0, -2.0, -1.0, 0.5, 0.7, 1.0, 2.0, 4.0)
    scores_t = binary(-2.0, -0.9, -0.1, 0.2, 0.8, 1.1, 5.0, -1.4)
    start = Exchange(np.ones(8, dtype=bool), np.full(8, -1))
    after = exchange(start, codes, scores, scores_t, 4, False)
    # a quarter of each class: one of the four on either side
    assert after.label.tolist() == [-1, 0, -1, -1, -1, 1, -1, -1]
    assert np.flatnonzero(~after.kept).tolist() == [0, 7]
    # the second round adds the next nearest and removes the next farthest
    again = exchange(after, codes, scores, scores_t, 4, False)
    assert again.label.tolist() == [-1, 0, -1, -1, 1, 1, -1, 0]
    assert np.flatnonzero(~again.kept).tolist() == [0, 1, 6, 7]
    # the last takes all that is left
    last = exchange(again, codes, scores, scores_t, 4, True)
    assert last.label.tolist() == [0, 0, 0, 1, 1, 1, 1, 0]
    assert not last.kept.any()


def test_a_row_whose_label_changed_loses_it_and_comes_again_later() -> None:
    codes = np.array([0, 0, 1, 1])
    scores = binary(-2.0, -1.0, 1.0, 2.0)
    state = Exchange(np.ones(4, dtype=bool), np.array([0, -1, -1]))
    after = exchange(state, codes, scores, binary(1.0, 0.5, -1.0), 2, False)
    assert after.label.tolist() == [-1, 1, 0]
    assert exchange(after, codes, scores, binary(1.0, 0.5, -1.0), 2, False).label[0] == 1


def test_source_rows_on_the_wrong_side_go_by_the_side_they_are_on() -> None:
    codes = np.array([0, 0, 1, 1])
    state = Exchange(np.ones(4, dtype=bool), np.array([0, 0, 1, 1]))
    after = exchange(state, codes, binary(-1.0, 3.0, 1.0, 2.0), binary(-1.0, -1, 1, 1), 4, False)
    assert after.kept.tolist() == [False, False, True, True]


def test_a_class_without_target_rows_keeps_its_source_rows() -> None:
    codes = np.array([0, 0, 0, 1, 1, 1])
    scores, scores_t = binary(-3.0, -2.0, -1.0, 1.0, 2.0, 3.0), binary(-1.0, -2.0, -3.0)
    after = exchange(Exchange(np.ones(6, bool), np.full(3, -1)), codes, scores, scores_t, 3, True)
    assert after.label.tolist() == [0, 0, 0]
    assert after.kept.tolist() == [False, False, False, True, False, False]
    # and has some back where its target rows lose their label
    gone = Exchange(np.zeros(6, bool), np.array([1, 1, 0]))
    back = exchange(gone, codes, scores, binary(-1.0, -1.0, -1.0), 3, False)
    assert back.kept.tolist() == [False, False, False, True, False, False]


def test_classes_come_by_the_highest_score() -> None:
    scores_t = np.array([[0.9, 0.2, -1.0], [2.0, 1.8, 0.0], [-1.0, -0.5, -0.7], [-2, -2, 1.0]])
    codes, scores = np.array([0, 1, 2]), 2 * np.eye(3)
    after = exchange(Exchange(np.ones(3, bool), np.full(4, -1)), codes, scores, scores_t, 2, False)
    assert after.label.tolist() == [0, -1, 1, 2]


def test_the_machines_are_scikit_learns() -> None:
    X, y = blobs(0, 90, 3)
    w = RNG(1).random(90) + 0.1
    found = one_vs_rest(SVC(C=2.0), X, y, w, np.array(["a", "b", "c"]), 0)
    for c in range(3):
        even = np.where(y == c, 3 / 2, 3 / 4)  # both sides weigh the same where classes do
        one = SVC(C=2.0).fit(X, y == c, sample_weight=even * w)
        np.testing.assert_allclose(found.scores(X)[:, c], one.decision_function(X), atol=1e-9)
    two = one_vs_rest(SVC(), X[y < 2], y[y < 2], None, np.array([5, 9]), 0)
    plain = SVC().fit(X[y < 2], y[y < 2])
    np.testing.assert_allclose(two.decision_function(X), plain.decision_function(X), atol=1e-9)
    assert set(two.predict(X)) == {5, 9}
    assert not hasattr(two, "predict_proba")
    proba = one_vs_rest(LogisticRegression(), X, y, None, np.arange(3), 0).predict_proba(X)
    np.testing.assert_allclose(proba.sum(1), 1.0)


def test_probabilities_do_without_the_weights_of_the_rest() -> None:
    X, y = blobs(0, 600, 3)
    base = LogisticRegression(C=np.inf)
    proba = one_vs_rest(base, X, y, None, np.arange(3), 0).predict_proba(X)
    plain = [base.fit(X, y == c).predict_proba(X)[:, 1].mean() for c in range(3)]
    np.testing.assert_allclose(proba.mean(0), plain, atol=0.02)
    drawn = one_vs_rest(KNeighborsClassifier(), X, y, None, np.arange(3), 0)
    np.testing.assert_array_equal(  # takes no weights, and rows are not drawn for it
        drawn.scores(X)[:, 0], 2 * KNeighborsClassifier().fit(X, y == 0).predict_proba(X)[:, 1] - 1
    )


def test_probabilities_of_nothing_are_equal() -> None:
    class Never:
        def predict_proba(self, X: Any) -> Any:
            return np.tile([1.0, 0.0], (len(X), 1))

    model = OneVsRest([Never(), Never(), Never()], np.arange(3))
    np.testing.assert_allclose(model.predict_proba(np.zeros((2, 1))), 1 / 3)


# --- where it leads -------------------------------------------------------------------------------


def test_turned_moons_are_recovered() -> None:
    base = SVC(C=10.0, gamma=1.0)
    for seed in (0, 1):
        X, y = make_moons(200, noise=0.08, random_state=seed)
        Xt = turned(make_moons(200, noise=0.08, random_state=seed + 50)[0], 30, (0.5, 0.25))
        Xn, yn = make_moons(400, noise=0.08, random_state=seed + 90)
        Xn = turned(Xn, 30, (0.5, 0.25))
        model = DASVM(base).fit(X, y, target=Domain(Xt))
        assert base.fit(X, y).score(Xn, yn) < 0.94
        assert model.score(Xn, yn) > 0.98


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_turned_classes_are_recovered(classes: int) -> None:
    degrees = {2: 75, 3: 50, 5: 22}[classes]
    X, y = blobs(0, 40 * classes, classes)
    Xt, _ = blobs(1, 40 * classes, classes, degrees)
    Xn, yn = blobs(2, 100 * classes, classes, degrees)
    model = DASVM().fit(X, y, target=Domain(Xt))
    assert model.score(Xn, yn) > 0.97
    assert model.score(Xn, yn) > SVC().fit(X, y).score(Xn, yn) + 0.02
    assert not model.kept_.any()
    assert model.rounds_ >= 10
    assert model.changes_[-1] <= 0.01


@pytest.mark.parametrize("classes", [2, 3])
def test_identical_domains_give_what_the_source_gives(classes: int) -> None:
    X, y = blobs(0, 80 * classes, classes)
    Xn, _ = blobs(1, 200 * classes, classes)
    model = DASVM().fit(X, y, target=Domain(X))
    assert (model.predict(Xn) == SVC().fit(X, y).predict(Xn)).mean() > 0.99
    labels = SVC().fit(X, y).predict(X)
    assert (model.labels_ == labels).mean() > 0.99


def test_the_end_is_a_machine_on_the_labels_it_gave() -> None:
    X, y = blobs(0, 120, 2)
    Xt, _ = blobs(1, 120, 2, 40)
    model = DASVM(SVC(C=3.0), tolerance=0.0).fit(X, y, target=Domain(Xt))
    again = SVC(C=3.0).fit(Xt, model.labels_)
    np.testing.assert_allclose(model.decision_function(X), again.decision_function(X), atol=1e-3)


def test_the_shrunk_end_has_a_share_of_the_source() -> None:
    X, y = blobs(0, 120, 2)
    Xt, _ = blobs(1, 120, 2, 40)
    model = DASVM(SVC(C=3.0), tolerance=0.0, shrinkage=0.3).fit(X, y, target=Domain(Xt))
    again = SVC(C=3.0).fit(
        np.vstack([X, Xt]), np.append(y, model.labels_), sample_weight=np.repeat([0.3, 0.7], 120)
    )
    np.testing.assert_allclose(model.decision_function(X), again.decision_function(X), atol=1e-3)
    assert model.shrinkage_ == 0.3
    whole = DASVM(shrinkage=1.0).fit(X, y, target=Domain(Xt))
    first = whole.source_model_.decision_function(Xt)
    np.testing.assert_array_equal(whole.decision_function(Xt), first)


def test_two_draws_of_one_domain_keep_the_source_machines() -> None:
    X, Z = RNG(0).normal(size=(2, 60, 40))
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    model = DASVM().fit(X, y, target=Domain(Z))
    assert model.shrinkage_ > 0.8
    assert np.mean(model.predict(Z) == model.source_model_.predict(Z)) > 0.9


def test_order_and_names_change_nothing() -> None:
    X, y = blobs(0, 90, 3)
    Xt, _ = blobs(1, 75, 3, 40)
    plain = DASVM().fit(X, y, target=Domain(Xt))
    s, t = RNG(2).permutation(90), RNG(3).permutation(75)
    moved = DASVM().fit(X[s], y[s], target=Domain(Xt[t]))
    assert np.array_equal(moved.labels_, plain.labels_[t])
    np.testing.assert_allclose(moved.decision_function(Xt), plain.decision_function(Xt), atol=5e-3)
    called = np.array(["pear", "apple", "fig"])
    named = DASVM().fit(X, called[y], target=Domain(Xt))
    assert np.array_equal(named.labels_, called[plain.labels_])
    assert np.array_equal(named.predict(X), called[plain.predict(X)])


def test_a_class_that_the_target_lacks_is_still_known() -> None:
    X, y = blobs(0, 120, 3)
    Xt, yt = blobs(1, 120, 3)
    model = DASVM().fit(X, y, target=Domain(Xt[yt != 2]))
    assert set(np.unique(y[model.kept_])) == {2}
    assert (model.predict(Xt) == yt).mean() > 0.9


@pytest.mark.parametrize(
    "base", [LogisticRegression(), LinearSVC(), RandomForestClassifier(20, random_state=0)]
)
def test_other_base_models_work(base: Any) -> None:
    X, y = blobs(0, 120, 3)
    Xt, yt = blobs(1, 120, 3, 25)
    model = DASVM(base, max_rounds=100, tolerance=0.05).fit(X, y, target=Domain(Xt))
    assert model.score(Xt, yt) > 0.95


def test_rows_of_weight_zero_are_not_there() -> None:
    X, y = blobs(0, 90, 3)
    Xt, _ = blobs(1, 90, 3, 30)
    keep = RNG(4).random(90) < 0.7
    weighted = DASVM().fit(X, y, sample_weight=keep * 1.0, target=Domain(Xt))
    dropped = DASVM().fit(X[keep], y[keep], target=Domain(Xt))
    assert np.array_equal(weighted.labels_, dropped.labels_)
    assert weighted.kept_.shape == (90,)


def test_labels_that_never_rest_warn() -> None:
    X, y = blobs(0, 60, 3)
    Xt, _ = blobs(1, 60, 3, 60)
    with pytest.warns(ConvergenceWarning, match=r"still change after 2 rounds"):
        DASVM(rounds=2, max_rounds=2, tolerance=0.0).fit(X, y, target=Domain(Xt))


def test_sparse_rows_and_files(tmp_path: Any) -> None:
    import scipy.sparse as sp

    X, y = blobs(0, 60, 2)
    Xt, _ = blobs(1, 60, 2, 30)
    dense = DASVM().fit(X, y, target=Domain(Xt))
    sparse = DASVM().fit(sp.csr_matrix(X), y, target=Domain(sp.csr_matrix(Xt)))
    assert np.array_equal(sparse.labels_, dense.labels_)
    loaded = acclimate.load(dense.save(tmp_path / "m"))
    assert np.array_equal(loaded.decision_function(Xt), dense.decision_function(Xt))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rounds": 0}, "rounds .* got 0"),
        ({"max_rounds": 5}, "max_rounds .* at least 10, got 5"),
        ({"tolerance": 1.0}, "tolerance .* got 1.0"),
        ({"estimator": Ridge()}, "Ridge is a regressor"),
    ],
)
def test_wrong_settings_are_errors(settings: dict[str, Any], words: str) -> None:
    X, y = blobs(0, 30, 2)
    with pytest.raises(InputError, match=words):
        DASVM(**settings).fit(X, y.astype(float))
