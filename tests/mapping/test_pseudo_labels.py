"""JDA and BDA against the explicit eigenproblem for their pseudo-labels, and what labels may do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import eigh
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel
from sklearn.neighbors import KNeighborsClassifier

import acclimate.mapping.expansion as module
from acclimate import BDA, JDA, TCA, Domain
from acclimate.exceptions import InputError

RNG = np.random.default_rng
METHODS = (JDA, BDA)


def matrix(y: Any, pseudo: Any, *, balance: Any = None, weighted: bool = False) -> Any:
    """M from its definition, as outer products of indicators."""
    n, m = len(y), len(pseudo)
    e = np.concatenate([np.full(n, 1 / n), np.full(m, -1 / m)])
    first, second = (1.0, 1.0) if balance is None else (1 - balance, balance)
    M = first * np.outer(e, e)
    for c in np.intersect1d(y, pseudo):
        a, b = (y == c) / (y == c).sum(), (pseudo == c) / (pseudo == c).sum()
        if weighted:
            a, b = a * np.sqrt((y == c).mean()), b * np.sqrt((pseudo == c).mean())
        e = np.concatenate([a, -b])
        M = M + second * np.outer(e, e)
    return M


def least(K: Any, M: Any, mu: float, k: int) -> float:
    N = len(K)
    H = np.eye(N) - 1 / N
    roots = eigh(K @ H @ K, K @ M @ K + mu * np.eye(N), eigvals_only=True)
    return float((1 / roots[::-1][:k]).sum())


def gram(kernel: Any, d: Any) -> Any:
    X = np.concatenate([d.X, d.Xt])
    if callable(kernel):
        return kernel(X)
    return rbf_kernel(X, gamma=0.05) if kernel == "rbf" else X @ X.T


@pytest.mark.parametrize("kernel", ["rbf", "linear", polynomial_kernel])
@pytest.mark.parametrize("rounds", [1, 10])
def test_jda_is_optimal_for_its_pseudo_labels(kernel: Any, rounds: int, toy: Any) -> None:
    d = toy(3)
    d.Xt = d.Xt + RNG(0).normal(size=d.Xt.shape) * 2  # so that labels change between rounds
    model = JDA(kernel=kernel, gamma=0.05, mu=1.0, n_components=3, rounds=rounds)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    M = matrix(d.y, model.pseudo_labels_)
    assert model.objective_ == pytest.approx(least(gram(kernel, d), M, 1.0, 3), rel=1e-6)


@pytest.mark.parametrize("balance", [0.0, 0.3, 1.0, None])
@pytest.mark.parametrize("weighted", [False, True])
def test_bda_is_optimal_for_its_pseudo_labels(balance: Any, weighted: bool, toy: Any) -> None:
    d = toy(0)
    model = BDA(balance=balance, weighted=weighted, gamma=0.05, mu=0.1, n_components=4)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    assert model.balance_ == balance or balance is None
    M = matrix(d.y, model.pseudo_labels_, balance=model.balance_, weighted=weighted)
    assert model.objective_ == pytest.approx(least(gram("rbf", d), M, 0.1, 4), rel=1e-6)


def test_bda_in_the_middle_is_jda_with_twice_the_penalty(toy: Any) -> None:
    d = toy(0)
    bda = BDA(balance=0.5, mu=1.0, n_components=4).fit(d.X, d.y, target=Domain(d.Xt))
    jda = JDA(mu=2.0, n_components=4).fit(d.X, d.y, target=Domain(d.Xt))
    assert np.array_equal(bda.pseudo_labels_, jda.pseudo_labels_)
    np.testing.assert_allclose(bda.predict_proba(d.Xn), jda.predict_proba(d.Xn), atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_settled_pseudo_labels_are_the_models_own_answers(method: Any, toy: Any) -> None:
    d = toy(0)
    model = method(shrinkage=0.0, random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    assert model.n_rounds_ < 10
    assert np.array_equal(model.pseudo_labels_, model.predict(d.Xt))


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_rows_leaves_pseudo_labels_in_their_rows(method: Any, toy: Any) -> None:
    d = toy(0)
    d.Xt = d.Xt + RNG(0).normal(size=d.Xt.shape) * 2
    s, t = RNG(1).permutation(60), RNG(2).permutation(45)
    plain = method(random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    moved = method(random_state=0).fit(d.X[s], d.y[s], target=Domain(d.Xt[t]))
    assert np.array_equal(moved.pseudo_labels_, plain.pseudo_labels_[t])
    assert moved.objective_ == plain.objective_


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("names", [[2, 0, 1], [-1, 5, 0], ["well", "ill", "dead"]], ids=str)
def test_pseudo_labels_follow_the_names_of_the_classes(method: Any, names: Any, toy: Any) -> None:
    d = toy(0)
    d.Xt = d.Xt + RNG(0).normal(size=d.Xt.shape) * 2
    called = np.array(names)
    plain = method(random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    model = method(random_state=0).fit(d.X, called[d.y], target=Domain(d.Xt))
    assert np.array_equal(model.pseudo_labels_, called[plain.pseudo_labels_])
    assert model.objective_ == pytest.approx(plain.objective_, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_known_labels_replace_pseudo_labels(method: Any, toy: Any) -> None:
    d = toy(0)
    known = np.arange(45) % 3 == 1
    wrong = (d.yt + 1) % 3  # what no model would answer
    model = method(shrinkage=0.0, use_target_labels=True).fit(
        d.X, d.y, target=Domain(d.Xt, wrong, labelled=known)
    )
    assert np.array_equal(model.pseudo_labels_[known], wrong[known])
    free = method(shrinkage=0.0).fit(d.X, d.y, target=Domain(d.Xt, wrong, labelled=known))
    assert np.array_equal(
        free.pseudo_labels_, method(shrinkage=0.0).fit(d.X, d.y, target=Domain(d.Xt)).predict(d.Xt)
    )
    right = method(shrinkage=0.0, use_target_labels=True).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    assert np.array_equal(right.pseudo_labels_, d.yt)
    assert right.score(d.Xn, d.yn) >= free.score(d.Xn, d.yn)


def test_known_labels_are_matched_by_name(toy: Any) -> None:
    d = toy(0)
    other = np.array([7, 9, 8])  # of a, b, c
    model = JDA(use_target_labels=True, random_state=0).fit(
        d.X, d.y, class_names=["a", "b", "c"],
        target=Domain(d.Xt, other[d.yt], class_names={7: "a", 8: "c", 9: "b"}),
    )  # fmt: skip
    assert np.array_equal(model.pseudo_labels_, d.yt)
    assert model.score(d.Xn, other[d.yn]) > 0.9


def test_classes_that_move_in_opposite_ways_need_more_than_equal_means() -> None:
    """The domains' means agree from the start; only class means tell the two features apart."""
    rng = RNG(0)
    y = np.arange(600) % 2
    side = 2.0 * y - 1.0
    X = rng.normal(size=(600, 2)) * 0.7 + np.column_stack([2 * side, 3 * side])
    Xt = rng.normal(size=(600, 2)) * 0.7 + np.column_stack([2 * side, -1 * side])
    means, both = (
        method(kernel="linear", n_components=1, mu=1e-3).fit(X, y, target=Domain(Xt)).score(Xt, y)
        for method in (TCA, JDA)
    )
    assert means < 0.8
    assert both > 0.95


@pytest.mark.parametrize("method", METHODS)
def test_a_class_that_the_target_lacks_does_no_harm(method: Any, toy: Any) -> None:
    d = toy(0)
    two = d.yt < 2
    model = method(random_state=0).fit(d.X, d.y, target=Domain(d.Xt[two]))
    assert set(model.pseudo_labels_) <= {0, 1}
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.score(d.X, d.y, domain="source") > 0.95


@pytest.mark.parametrize("method", METHODS)
def test_more_features_than_rows(method: Any) -> None:
    rng = RNG(0)
    y = np.arange(14) % 2
    X, Xt = rng.normal(size=(14, 40)) + 2 * y[:, None], rng.normal(size=(10, 40)) + 2 * y[:10, None]
    model = method(kernel="linear", mu=1.0, n_components=3).fit(X, y, target=Domain(Xt + 0.3))
    assert model.score(Xt + 0.3, y[:10]) == 1.0
    balance = getattr(model, "balance_", None)
    K = np.concatenate([X, Xt + 0.3]) @ np.concatenate([X, Xt + 0.3]).T
    M = matrix(y, model.pseudo_labels_, balance=balance)
    assert model.objective_ == pytest.approx(least(K, M, 1.0, 3), rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_identical_domains_and_disjoint_supports(method: Any, kernel: str, toy: Any) -> None:
    d = toy(0)
    same = method(kernel=kernel, random_state=0).fit(d.X, d.y, target=Domain(d.X))
    assert np.array_equal(same.predict(d.X), same.predict(d.X, domain="source"))
    assert same.score(d.X, d.y) > 0.95
    far = method(kernel=kernel, random_state=0).fit(d.X, d.y, target=Domain(d.Xt + 1e4))
    assert np.isfinite(far.predict_proba(d.Xt + 1e4)).all()
    with pytest.raises(InputError, match="nothing to align"):
        method(kernel=kernel, gamma=1.0).fit(
            np.ones((9, 2)), d.y[:9], target=Domain(np.ones((3, 2)))
        )


@pytest.mark.parametrize("method", METHODS)
def test_many_rows_use_landmarks(method: Any, toy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    d = toy(0, n=150, m=150)
    exact = method(random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    monkeypatch.setattr(module, "EXACT_ROWS", 100)
    fast = method(n_landmarks=100, random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    assert (fast.predict(d.Xn) == exact.predict(d.Xn)).mean() > 0.95
    order = RNG(0).permutation(150)
    moved = method(n_landmarks=100, random_state=0)
    moved.fit(d.X[order], d.y[order], target=Domain(d.Xt))
    assert moved.objective_ == fast.objective_  # the same landmarks


@pytest.mark.parametrize("method", METHODS)
def test_float32_stays_float32(method: Any, toy: Any) -> None:
    d = toy(0)
    X, Xt, Xn = (part.astype(np.float32) for part in (d.X, d.Xt, d.Xn))
    for kernel in ("rbf", "linear"):
        model = method(kernel=kernel, n_components=3).fit(X, d.y, target=Domain(Xt))
        wide = method(kernel=kernel, n_components=3).fit(d.X, d.y, target=Domain(d.Xt))
        assert model.transform(Xn).dtype == np.float32
        assert np.array_equal(model.predict(Xn), wide.predict(d.Xn))


def test_any_classifier_gives_the_labels(toy: Any) -> None:
    d = toy(0)
    model = JDA(KNeighborsClassifier(1), shrinkage=0.0, mu=1.0).fit(d.X, d.y, target=Domain(d.Xt))
    assert np.array_equal(model.pseudo_labels_, model.predict(d.Xt))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kernel": "cubic"}, "kernel must be"),
        ({"mu": 0.0}, "mu must be"),
        ({"n_components": 0}, "n_components must be"),
        ({"rounds": 0}, "rounds must be"),
        ({"estimator": Ridge()}, "compares classes, and Ridge is a regressor"),
    ],
)
def test_wrong_settings(method: Any, settings: Any, message: str, toy: Any) -> None:
    d = toy(0)
    with pytest.raises(InputError, match=message):
        method(**settings).fit(d.X, d.y)


def test_a_balance_outside_its_range(toy: Any) -> None:
    d = toy(0)
    for value in (-0.1, 1.1, "half"):
        with pytest.raises(InputError, match=r"balance must be in \[0, 1\]"):
            BDA(balance=value).fit(d.X, d.y)
