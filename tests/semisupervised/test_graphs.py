"""Graph methods: against dense computations, and what must and must not change answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import pairwise_distances
from sklearn.svm import LinearSVC

import acclimate
from acclimate import HOG, Domain, LabelSpreading, PoissonLearning
from acclimate.adapter import Shared, sharing
from acclimate.exceptions import ConvergenceWarning, InputError
from acclimate.semisupervised import knn_graph
from acclimate.semisupervised.knn_graph import neighbour_weights, solved
from acclimate.semisupervised.label_spreading import spread_scores
from acclimate.semisupervised.poisson_learning import poisson_scores

METHODS = pytest.mark.parametrize("method", [LabelSpreading, PoissonLearning])


def drawn(seed: int, n: int, classes: int = 3, d: int = 4, radius: float = 3.0) -> tuple[Any, Any]:
    """Return rows of classes whose middles lie on a circle."""
    y = np.arange(n) % classes
    X = np.random.default_rng(seed).normal(size=(n, d))
    X[:, 0] += radius * np.cos(2 * np.pi * y / classes)
    X[:, 1] += radius * np.sin(2 * np.pi * y / classes)
    return X, y


def dense_weights(X: Any, k: int) -> Any:
    """Return the weights of the graph, row by row, from all distances."""
    d = pairwise_distances(X)
    V = np.zeros_like(d)
    for i in range(len(X)):
        near = [j for j in np.argsort(d[i]) if j != i][:k]
        for j in near:
            V[i, j] = np.exp(-4 * d[i, j] ** 2 / d[i, near[-1]] ** 2)
    return (V + V.T) / 2


def dense_poisson(W: Any, Y: Any, ridge: float) -> Any:
    labelled = Y.any(axis=1)
    B = np.zeros_like(Y)
    B[labelled] = Y[labelled] - Y[labelled].mean(axis=0)
    return np.linalg.solve((1 + ridge) * np.diag(W.sum(axis=1)) - W, B)


def dense_spreading(W: Any, Y: Any, alpha: float) -> Any:
    root = np.diag(W.sum(axis=1) ** -0.5)
    F = Y.copy()
    for _ in range(4000):  # the iteration of the paper
        F = alpha * root @ W @ root @ F + (1 - alpha) * Y
    return F


def one_hot(y: Any, known: int) -> Any:
    Y = np.eye(y.max() + 1)[y]
    Y[known:] = 0
    return Y


@pytest.fixture
def graph() -> Any:
    X, y = drawn(0, 80)
    d = pairwise_distances(X)
    found = np.argsort(d, axis=1)[:, 1:8]
    return X, y, neighbour_weights(np.take_along_axis(d, found, axis=1), found)


def test_weights_are_those_of_all_distances(graph: Any) -> None:
    X, _, W = graph
    np.testing.assert_allclose(W.toarray(), dense_weights(X, 7), atol=1e-12)


def test_poisson_scores_are_those_of_the_dense_system(graph: Any) -> None:
    X, y, W = graph
    wanted = dense_poisson(dense_weights(X, 7), one_hot(y, 9), 0.03)
    np.testing.assert_allclose(poisson_scores(W, one_hot(y, 9), 0.03), wanted, atol=1e-6)


def test_spread_scores_are_those_of_the_iteration(graph: Any) -> None:
    X, y, W = graph
    wanted = dense_spreading(dense_weights(X, 7), one_hot(y, 9), 0.95)
    np.testing.assert_allclose(spread_scores(W, one_hot(y, 9), 0.95), wanted, atol=1e-7)


def carried_dense(X: Any, scores: Any, new: Any, k: int) -> Any:
    d = pairwise_distances(new, X)
    found = np.zeros((len(new), scores.shape[1]))
    for i in range(len(new)):
        near = np.argsort(d[i])[:k]
        w = np.exp(-4 * d[i, near] ** 2 / d[i, near[-1]] ** 2)
        found[i] = w @ scores[near] / w.sum()
    return found / found.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize("both", [True, False], ids=["in both", "apart"])
def test_poisson_answers_are_those_of_a_dense_computation(unit: bool, both: bool) -> None:
    X, y = drawn(1, 90)
    new, _ = drawn(2, 30)
    model = PoissonLearning(n_neighbors=6, unit_columns=unit)
    model.fit(X[:12], y[:12], target=Domain(X if both else X[12:]))
    U = dense_poisson(dense_weights(X, 6), one_hot(y, 12), 0.03)
    if unit:
        U = U / np.sqrt((U**2).sum(axis=0))
    wanted = carried_dense(X, np.maximum(U, 0), new, 6)
    np.testing.assert_allclose(model.predict_proba(new), wanted, atol=1e-5)
    np.testing.assert_array_equal(model.labels_, U[0 if both else 12 :].argmax(axis=1))


def test_spreading_answers_are_those_of_a_dense_computation() -> None:
    X, y = drawn(1, 90)
    new, _ = drawn(2, 30)
    model = LabelSpreading(n_neighbors=6, alpha=0.9).fit(X[:12], y[:12], target=Domain(X))
    F = dense_spreading(dense_weights(X, 6), one_hot(y, 12), 0.9)
    np.testing.assert_allclose(model.predict_proba(new), carried_dense(X, F, new, 6), atol=1e-5)


def test_principal_components_are_those_of_all_rows() -> None:
    X, y = drawn(3, 120, d=9)
    model = PoissonLearning(n_components=5).fit(X[:12], y[:12], target=Domain(X))
    centred = X - X.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:5]
    alone = PoissonLearning(n_components=None).fit(
        (centred @ axes.T)[:12], y[:12], target=Domain(centred @ axes.T)
    )
    np.testing.assert_allclose(
        model.predict_proba(X), alone.predict_proba(centred @ axes.T), atol=1e-6
    )


@METHODS
def test_labels_of_the_domain_count_where_asked(method: Any) -> None:
    X, y = drawn(4, 90)
    few = np.arange(90) < 30
    whole = method(random_state=0).fit(X[:30], y[:30], target=Domain(X))
    goal = Domain(X, y, labelled=few)
    joint = method(random_state=0, use_target_labels=True).fit(X[:12], y[:12], target=goal)
    withheld = method(random_state=0).fit(X[:12], y[:12], target=goal)
    plain = method(random_state=0).fit(X[:12], y[:12], target=Domain(X))
    # a label that stands in both counts once
    np.testing.assert_allclose(joint.predict_proba(X), whole.predict_proba(X), atol=1e-7)
    np.testing.assert_array_equal(withheld.predict_proba(X), plain.predict_proba(X))
    assert np.abs(plain.predict_proba(X) - whole.predict_proba(X)).max() > 1e-3


@METHODS
def test_a_row_twice_in_the_target_is_one(method: Any) -> None:
    X, y = drawn(5, 60)
    once = method(random_state=0).fit(X[:9], y[:9], target=Domain(X))
    twice = method(random_state=0).fit(X[:9], y[:9], target=Domain(np.concatenate([X, X[::2]])))
    np.testing.assert_array_equal(twice.predict_proba(X), once.predict_proba(X))
    np.testing.assert_array_equal(twice.labels_[:60], once.labels_)


@METHODS
def test_the_product_is_that_of_shares_and_probabilities(method: Any) -> None:
    X, y = drawn(6, 90)
    plain = method(random_state=0).fit(X[:12], y[:12], target=Domain(X))
    both = method(random_state=0, multiply=True).fit(X[:12], y[:12], target=Domain(X))
    p = LogisticRegression(max_iter=1000).fit(X[:12], y[:12]).predict_proba(X)
    wanted = plain.predict_proba(X) * p
    wanted /= wanted.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(both.predict_proba(X), wanted, atol=1e-6)
    with pytest.raises(InputError, match="multiply=True needs predict_proba, and LinearSVC"):
        method(LinearSVC(), multiply=True).fit(X[:12], y[:12])


@METHODS
@pytest.mark.parametrize("base", [LogisticRegression(), LinearSVC()])
def test_rows_that_no_label_reaches_are_answered_by_the_base_model(method: Any, base: Any) -> None:
    X, y = drawn(7, 60)
    far = X + 50.0
    model = method(base, n_neighbors=5).fit(X[:12], y[:12], target=Domain(np.concatenate([X, far])))
    np.testing.assert_array_equal(model.predict(far), model.source_model_.predict(far))
    np.testing.assert_array_equal(model.labels_[60:], model.source_model_.predict(far))
    assert np.mean(model.labels_[:60] == y) > 0.8


def test_methods_that_share_have_one_graph() -> None:
    X, y = drawn(11, 60)
    goal, Xs, ys = Domain(X), X[:9], y[:9]
    with sharing(Shared()):
        one, other = (
            method(random_state=0).fit(Xs, ys, target=goal)
            for method in (PoissonLearning, LabelSpreading)
        )
        wider = LabelSpreading(n_neighbors=4, random_state=0).fit(Xs, ys, target=goal)
    assert one.target_model_.finder is other.target_model_.finder
    assert wider.target_model_.finder is not other.target_model_.finder
    alone = LabelSpreading(random_state=0).fit(Xs, ys, target=goal)
    np.testing.assert_array_equal(other.predict_proba(X), alone.predict_proba(X))


def test_unit_columns_give_a_class_of_few_labels_as_much_of_the_graph() -> None:
    X, y = drawn(8, 300, radius=1.8)
    labelled = np.r_[np.flatnonzero(y == 0)[:3], np.flatnonzero(y > 0)[:60]]
    with_unit, without = (
        np.bincount(
            PoissonLearning(unit_columns=unit, random_state=0)
            .fit(X[labelled], y[labelled], target=Domain(X))
            .labels_
        )
        for unit in (True, False)
    )
    assert 85 < with_unit[0] < 115  # of 100
    assert without[0] < 75


def test_probabilities_of_two_classes_are_not_only_0_and_1() -> None:
    X, y = drawn(9, 80, classes=2)
    model = PoissonLearning().fit(X[:8], y[:8], target=Domain(X))
    p = model.predict_proba(X)[:, 1]
    assert len(np.unique(p.round(3))) > 20
    np.testing.assert_array_equal(model.predict(X), (p > 0.5).astype(int))


def test_images_go_through_hog(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    images = rng.integers(0, 40, size=(60, 16, 16)).astype(np.uint8)
    images[y == 0, 4:12, 7:9] += 200
    images[y == 1, 7:9, 4:12] += 200
    step = HOG(cells=(4,), bins=(8,))
    model = PoissonLearning(preprocess=step).fit(images[:4], y[:4], target=Domain(images))
    assert model.score(images, y) == 1.0
    loaded = acclimate.load(model.save(tmp_path / "m", rows="warn"))
    np.testing.assert_array_equal(loaded.predict_proba(images), model.predict_proba(images))
    assert model.rows_held_["target"] == 60


def test_a_system_that_is_not_solved_is_told(graph: Any, monkeypatch: Any) -> None:
    _, y, W = graph
    A = csr_array(diags_array(1.03 * W.sum(axis=1)) - W)
    monkeypatch.setattr(knn_graph, "MOST_STEPS", 1)
    with pytest.warns(ConvergenceWarning, match="scores of class 0 are not exact after 1 steps"):
        solved(A, one_hot(y, 9)[:, :1])


@METHODS
def test_values_are_refused(method: Any) -> None:
    X, y = drawn(10, 30)
    with pytest.raises(InputError, match=f"{method.__name__} is about classes, and Ridge"):
        method(Ridge()).fit(X, y.astype(float))
    with pytest.raises(InputError, match="n_neighbors must be"):
        method(n_neighbors=0).fit(X, y)
