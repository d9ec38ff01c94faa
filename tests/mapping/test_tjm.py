"""TJM against explicit eigenproblems, descent on its own objective, rows that do not count."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
import pytest
from scipy.linalg import eigh
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import rbf_kernel

import acclimate.mapping.expansion as module
from acclimate import TCA, TJM, Domain
from acclimate.adapter import Shared, sharing
from acclimate.exceptions import InputError

RNG = np.random.default_rng


def by_hand(
    K: Any, n: int, mu: float, k: int, rounds: int, unit: Any = None
) -> tuple[Any, Any, Any]:
    """W, the objective after each round, and the smoothing, with every matrix written out."""
    N = len(K)
    H = np.eye(N) - 1 / N
    e = np.concatenate([np.full(n, 1 / n), np.full(N - n, -1 / (N - n))])
    G = np.eye(N)
    values, smoothing = [], None
    for _ in range(rounds + 1):
        left = K @ np.outer(e, e) @ K + mu * G
        roots, W = eigh(K @ H @ K, left)
        W = W[:, ::-1][:, :k] / np.sqrt(roots[::-1][:k])
        norms = np.sqrt((W[:n] ** 2).sum(1))
        if smoothing is None:
            typical = np.sqrt((norms**2).mean())
            smoothing, unit = 1e-3 * typical, typical if unit is None else unit
        rounded = np.sqrt(norms**2 + smoothing**2)
        gap = ((e @ K @ W) ** 2).sum()
        values.append(gap + mu * (2 * unit * rounded.sum() + (W[n:] ** 2).sum()))
        G = np.diag(np.concatenate([unit / rounded, np.ones(N - n)]))
    return W, np.array(values), norms


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("mu", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("unit", [None, 0.5])
def test_each_round_is_the_explicit_solution(kernel: str, mu: float, unit: Any, toy: Any) -> None:
    d = toy(0)
    model = TJM(
        shrinkage=0.0, kernel=kernel, gamma=0.05, mu=mu, unit=unit, n_components=3, rounds=4
    )
    model.fit(d.X, d.y, target=Domain(d.Xt))
    X = np.concatenate([d.X, d.Xt])
    K = rbf_kernel(X, gamma=0.05) if kernel == "rbf" else X @ X.T
    W, values, norms = by_hand(K, 60, mu, 3, len(model.objectives_) - 1, unit)
    np.testing.assert_allclose(model.objectives_, values, rtol=1e-6)
    np.testing.assert_allclose(model.row_norms_, norms / norms.max(), atol=1e-5)
    Z = np.concatenate([model.transform(d.X, domain="source"), model.transform(d.Xt)])
    Ze = (K - K.mean(0)) @ W * np.sqrt(len(X))
    np.testing.assert_allclose(Z * np.sign((Z * Ze).sum(0)), Ze, atol=1e-4)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("unit", [None, 0.5])
def test_the_objective_never_rises(kernel: str, unit: Any, toy: Any) -> None:
    d = toy(1)
    model = TJM(kernel=kernel, n_components=None, unit=unit, rounds=60).fit(
        d.X, d.y, target=Domain(d.Xt)
    )
    falls = -np.diff(model.objectives_)
    assert (falls >= -1e-9 * model.objectives_[0]).all()
    assert len(falls) < 60
    assert model.objective_ == model.objectives_[-1]
    assert model.objectives_[-1] < 0.9 * model.objectives_[0]


def test_no_feasible_step_from_the_end_is_better(toy: Any) -> None:
    """Small changes of W, made to fulfil the constraint again, never lower the objective."""
    d = toy(0)
    gamma, mu, k = 0.05, 1.0, 2
    K = rbf_kernel(np.concatenate([d.X, d.Xt]), gamma=gamma)
    W, values, _ = by_hand(K, 60, mu, k, 400)
    e = np.concatenate([np.full(60, 1 / 60), np.full(45, -1 / 45)])
    unit = np.sqrt((by_hand(K, 60, mu, k, 0)[2] ** 2).mean())
    rng = RNG(0)
    for size in (1e-3, 1e-2):
        for _ in range(50):
            V = W + size * np.abs(W).max() * rng.normal(size=W.shape)
            Z = K @ V
            C = np.cov(Z.T, bias=True) * len(K)
            V = V @ np.linalg.inv(np.linalg.cholesky(C).T)
            rounded = np.sqrt((V[:60] ** 2).sum(1) + 1e-6 * unit**2)
            penalty = 2 * unit * rounded.sum() + (V[60:] ** 2).sum()
            value = ((e @ K @ V) ** 2).sum() + mu * penalty
            assert value > values[-1] - 1e-8
    model = TJM(gamma=gamma, mu=mu, unit=None, n_components=k, rounds=400)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    assert model.objective_ == pytest.approx(values[-1], rel=0.01)


def test_few_source_rows_carry_the_features(toy: Any) -> None:
    d = toy(0)
    model = TJM(shrinkage=0.0, gamma=0.3, unit=None, n_components=3, rounds=50).fit(
        d.X, d.y, target=Domain(d.Xt)
    )
    share = (model.row_norms_ > 0.05).mean()
    first = TCA(shrinkage=0.0, gamma=0.3, n_components=3).fit(d.X, d.y, target=Domain(d.Xt))
    W = first.target_model_.map.W
    dense = np.sqrt((W**2).sum(1))
    assert share < 0.3
    assert (dense > 0.05 * dense.max()).mean() > 0.9  # without reweighting, nearly all rows count


def test_row_norms_belong_to_the_rows_as_given(toy: Any) -> None:
    d = toy(0)
    order = RNG(0).permutation(60)
    plain = TJM(n_components=3).fit(d.X, d.y, target=Domain(d.Xt))
    moved = TJM(n_components=3).fit(d.X[order], d.y[order], target=Domain(d.Xt))
    np.testing.assert_allclose(moved.row_norms_, plain.row_norms_[order], rtol=1e-9)


def test_a_direction_that_tells_only_the_domains_apart_is_dropped() -> None:
    rng = RNG(0)
    X, Xt = rng.normal(size=(200, 2)) * [2, 0.5], rng.normal(size=(200, 2)) * [2, 0.5] + [0, 9]
    model = TJM(Ridge(), kernel="linear", n_components=1)
    model.fit(X, X[:, 0], target=Domain(Xt))
    assert model.score(Xt, Xt[:, 0]) > 0.95


def test_more_features_than_rows() -> None:
    rng = RNG(0)
    X, Xt = rng.normal(size=(12, 40)), rng.normal(size=(10, 40)) + 0.3
    model = TJM(kernel="linear", n_components=4).fit(X, np.arange(12) % 2, target=Domain(Xt))
    K = np.concatenate([X, Xt]) @ np.concatenate([X, Xt]).T
    values = by_hand(K, 12, model.mu, 4, len(model.objectives_) - 1, 0.5)[1]
    np.testing.assert_allclose(model.objectives_, values, rtol=1e-6)


def test_the_landmark_form_is_exact_when_every_row_is_one(
    toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    d = toy(0)
    settings: Any = {"gamma": 0.05, "n_components": 3, "rounds": 3}
    exact = TJM(**settings).fit(d.X, d.y, target=Domain(d.Xt))
    monkeypatch.setattr(module, "EXACT_ROWS", 10)
    fast = TJM(n_landmarks=105, **settings).fit(d.X, d.y, target=Domain(d.Xt))
    np.testing.assert_allclose(fast.objectives_, exact.objectives_, rtol=1e-6)
    np.testing.assert_allclose(fast.predict_proba(d.Xn), exact.predict_proba(d.Xn), atol=1e-4)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_identical_domains_and_disjoint_supports(kernel: str, toy: Any) -> None:
    d = toy(0)
    same = TJM(kernel=kernel).fit(d.X, d.y, target=Domain(d.X))
    assert same.score(d.X, d.y) > 0.95
    far = TJM(kernel=kernel).fit(d.X, d.y, target=Domain(d.Xt + 1e4))
    assert np.isfinite(far.predict_proba(d.Xt + 1e4)).all()
    with pytest.raises(InputError, match="nothing to align"):
        TJM(kernel=kernel).fit(np.ones((9, 2)), d.y[:9], target=Domain(np.ones((3, 2))))


def test_float32_stays_float32(toy: Any) -> None:
    d = toy(0)
    X, Xt, Xn = (part.astype(np.float32) for part in (d.X, d.Xt, d.Xn))
    for kernel in ("rbf", "linear"):
        model = TJM(kernel=kernel, n_components=3).fit(X, d.y, target=Domain(Xt))
        wide = TJM(kernel=kernel, n_components=3).fit(d.X, d.y, target=Domain(d.Xt))
        assert model.transform(Xn).dtype == np.float32
        assert model.objective_ == pytest.approx(wide.objective_, rel=1e-3)


def test_labelled_target_rows_join_the_model(toy: Any) -> None:
    d = toy(0)
    target = Domain(d.Xt, (d.yt + 1) % 3)  # another rule
    blind, told = (
        TJM(use_target_labels=use, random_state=0).fit(d.X, d.y, target=target)
        for use in (False, True)
    )
    assert told.objective_ == blind.objective_  # the map looks at no labels
    assert told.score(d.Xn, (d.yn + 1) % 3) > blind.score(d.Xn, (d.yn + 1) % 3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kernel": "cubic"}, "kernel must be"),
        ({"mu": np.inf}, "mu must be"),
        ({"rounds": 0}, "rounds must be"),
        ({"rounds": 1.5}, "rounds must be"),
        ({"unit": 0.0}, "unit must be"),
    ],
)
def test_wrong_settings(settings: Any, message: str, toy: Any) -> None:
    d = toy(0)
    with pytest.raises(InputError, match=message):
        TJM(**settings).fit(d.X, d.y)


@pytest.mark.parametrize("method", [TCA, TJM])
def test_methods_tried_with_other_labels_share_the_maps(
    method: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(60, 4)), rng.normal(size=(50, 4)) + 1
    y, yt = (X[:, 0] > 0).astype(int), (Xt[:, 0] > 1).astype(int)
    masks = [np.arange(50) < 20, np.arange(50) >= 30]
    model = method(n_components=3, use_target_labels=True, random_state=0).fit(X, y)
    alone = [clone(model).fit(X, y, target=Domain(Xt, yt, labelled=one)) for one in masks]
    learnt, learn = [], method._learn_maps
    monkeypatch.setattr(method, "_learn_maps", lambda *a: learnt.append(1) or learn(*a))
    with sharing(Shared()):
        tried = [copy(model).adapt(Domain(Xt, yt, labelled=one)) for one in masks]
    assert len(learnt) == 1
    for one, other in zip(tried, alone, strict=True):
        np.testing.assert_array_equal(one.predict_proba(Xt), other.predict_proba(Xt))
        assert one.objective_ == other.objective_
        assert one.n_components_ == other.n_components_
        assert one.shrinkage_ == other.shrinkage_
    if method is TJM:
        np.testing.assert_array_equal(tried[1].row_norms_, alone[1].row_norms_)
        np.testing.assert_array_equal(tried[1].objectives_, alone[1].objectives_)
    assert not np.array_equal(tried[0].predict_proba(Xt), tried[1].predict_proba(Xt))
