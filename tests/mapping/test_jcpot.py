"""`JCPOT` against POT's solver, and on target shifts whose class shares are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier

from acclimate import JCPOT, Domain
from acclimate.exceptions import ConvergenceWarning, InputError
from acclimate.mapping import jcpot
from acclimate.mapping.jcpot import class_shares
from acclimate.mapping.pot_loading import pot

RNG = np.random.default_rng
CENTRES = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])


def draw(rng: Any, counts: Any) -> tuple[Any, Any]:
    y = np.repeat(np.arange(len(counts)), counts)
    return rng.normal(size=(len(y), 2)) + CENTRES[y], y


@pytest.mark.parametrize("shares", [(10, 60, 130), (120, 60, 20), (66, 67, 67)], ids=str)
@pytest.mark.parametrize("several", [False, True])
def test_known_shares_are_found(shares: Any, several: bool) -> None:
    rng = RNG(0)
    parts = [draw(rng, c) for c in ((80, 40, 40), (30, 60, 90), (50, 50, 50))]
    X, y = (np.concatenate(p) for p in zip(*parts, strict=True))
    ids = np.repeat(["p", "q", "r"], [len(p[1]) for p in parts]) if several else None
    Xt, yt = draw(rng, shares)
    model = JCPOT().fit(X, y, domains=ids, target=Domain(Xt))
    np.testing.assert_allclose(model.target_priors_, np.array(shares) / 200, atol=0.04)
    assert model.target_priors_.sum() == pytest.approx(1.0)
    pooled = LogisticRegression(max_iter=1000).fit(X, y).score(Xt, yt)
    assert model.score(Xt, yt) > pooled - 0.01
    assert model.score(Xt, yt) > 0.95


@pytest.mark.parametrize("epsilon", [8.0, 2.0])
def test_the_shares_are_pots(epsilon: float) -> None:
    rng = RNG(1)
    parts = [draw(rng, (20, 10, 15)), draw(rng, (10, 15, 9))]
    Xt, _ = draw(rng, (5, 10, 35))
    costs = [cdist(X, Xt, "sqeuclidean") for X, _ in parts]
    kinds = [y for _, y in parts]
    weights = [1.0 / np.bincount(y)[y] for y in kinds]
    h, potentials = class_shares(
        costs, kinds, weights, np.full(50, 1 / 50), epsilon, tolerance=1e-12
    )
    theirs, log = pot().bregman.jcpot_barycenter(
        [X for X, _ in parts], [y.copy() for y in kinds], Xt, reg=epsilon, numItermax=100_000,
        stopThr=1e-12, log=True,
    )  # fmt: skip
    np.testing.assert_allclose(h, theirs, atol=1e-7)
    for C, f, P in zip(costs, potentials, log["gamma"], strict=True):
        ours = np.exp((f[:, None] - C) / epsilon)
        ours /= ours.sum(0) * 50
        np.testing.assert_allclose(ours, P / P.sum(0) / 50, atol=1e-7)


def test_a_far_source_row_and_a_small_epsilon_do_not_underflow() -> None:
    rng = RNG(2)
    X, y = draw(rng, (30, 30, 30))
    X[0] = [500.0, 500.0]
    Xt, _ = draw(rng, (20, 20, 50))
    h, potentials = class_shares(
        [cdist(X, Xt, "sqeuclidean")], [y], [np.full(90, 1 / 30)], np.full(90, 1 / 90), 0.5
    )
    assert np.isfinite(potentials[0]).all()
    np.testing.assert_allclose(h.sum(), 1.0)


def test_a_permutation_and_other_names_change_nothing_else() -> None:
    rng = RNG(3)
    X, y = draw(rng, (30, 50, 40))
    Xt, _ = draw(rng, (60, 20, 20))
    ids = np.arange(len(y)) % 2
    model = JCPOT(random_state=0).fit(X, y, domains=ids, target=Domain(Xt))
    order, called = rng.permutation(len(y)), np.array([-1, 9, 4])
    moved = JCPOT(random_state=0).fit(
        X[order], called[y][order], domains=1 - ids[order], target=Domain(Xt[::-1])
    )
    back = np.searchsorted(np.sort(called), called)
    np.testing.assert_allclose(moved.target_priors_[back], model.target_priors_, atol=1e-4)
    assert np.array_equal(moved.predict(Xt), called[model.predict(Xt)])


def test_weights_are_repeated_rows() -> None:
    rng = RNG(4)
    X, y = draw(rng, (30, 30, 30))
    Xt, _ = draw(rng, (10, 20, 50))
    w = rng.integers(0, 3, 90)
    weighted = JCPOT().fit(X, y, target=Domain(Xt), sample_weight=w.astype(float))
    repeated = JCPOT().fit(np.repeat(X, w, axis=0), np.repeat(y, w), target=Domain(Xt))
    np.testing.assert_allclose(weighted.target_priors_, repeated.target_priors_, atol=1e-6)


def test_sources_count_alike_whatever_their_size() -> None:
    rng = RNG(5)
    X, y = draw(rng, (30, 30, 30))
    Z, z = draw(rng, (20, 60, 40))
    Xt, _ = draw(rng, (60, 20, 20))
    small = JCPOT().fit(
        np.concatenate([X, Z]), np.r_[y, z], domains=np.repeat([0, 1], [90, 120]), target=Domain(Xt)
    )
    # the first source three times over is the same source
    large = JCPOT().fit(
        np.concatenate([X, X, X, Z]), np.r_[y, y, y, z], domains=np.repeat([0, 1], [270, 120]),
        target=Domain(Xt),
    )  # fmt: skip
    np.testing.assert_allclose(large.target_priors_, small.target_priors_, atol=1e-6)


def test_above_max_rows_a_draw_stands_for_all() -> None:
    rng = RNG(6)
    X, y = draw(rng, (200, 200, 200))
    Xt, yt = draw(rng, (50, 100, 350))
    model = JCPOT(max_rows=250, random_state=0).fit(X, y, target=Domain(Xt))
    np.testing.assert_allclose(model.target_priors_, [0.1, 0.2, 0.7], atol=0.06)
    assert model.trained_on_["target"]["rows"] == 500
    assert model.score(Xt, yt) > 0.95


def test_an_estimator_without_weights_gets_the_largest_class() -> None:
    rng = RNG(7)
    X, y = draw(rng, (30, 30, 30))
    Xt, yt = draw(rng, (10, 20, 50))
    model = JCPOT(KNeighborsClassifier(3)).fit(X, y, target=Domain(Xt))
    assert model.score(Xt, yt) > 0.9


def test_identical_domains_keep_their_shares_and_labels() -> None:
    X, y = draw(RNG(11), (20, 30, 70))
    model = JCPOT().fit(X, y, target=Domain(X))
    np.testing.assert_allclose(model.target_priors_, [20 / 120, 30 / 120, 70 / 120], atol=0.02)
    assert model.score(X, y) == pytest.approx(model.score(X, y, domain="source"), abs=0.02)


def test_more_features_than_rows() -> None:
    rng = RNG(8)
    y, yt = np.arange(30) % 2, np.r_[np.zeros(16, int), np.ones(8, int)]
    X, Xt = rng.normal(size=(30, 60)), rng.normal(size=(24, 60))
    X[:, 0] += 15 * y
    Xt[:, 0] += 15 * yt
    model = JCPOT().fit(X, y, target=Domain(Xt))
    assert model.score(Xt, yt) == 1.0
    np.testing.assert_allclose(model.target_priors_, [2 / 3, 1 / 3], atol=0.05)


def test_a_source_without_a_class_is_an_error() -> None:
    rng = RNG(9)
    X, y = draw(rng, (10, 10, 10))
    ids = np.where(y == 2, "Oslo", np.where(np.arange(30) % 2, "Oslo", "Lima"))
    with pytest.raises(InputError, match=r"source 'Lima' has no row of class 2"):
        JCPOT().fit(X, y, domains=ids, target=Domain(X))
    JCPOT().fit(X, y, domains=ids)  # nothing is wrong before there is a target


def test_a_regressor_is_an_error(toy: Any) -> None:
    d = toy(0, classes=None)
    with pytest.raises(InputError, match="Ridge is a regressor"):
        JCPOT(Ridge()).fit(d.X, d.y)


def test_shares_that_still_move_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jcpot, "STEPS", 1)
    rng = RNG(10)
    X, y = draw(rng, (10, 10, 10))
    with pytest.warns(ConvergenceWarning, match="still move"):
        JCPOT(max_steps=None).fit(X, y, target=Domain(X))


def test_steps_lead_from_the_first_scaling_to_the_papers_shares() -> None:
    rng = RNG(11)
    X, y = draw(rng, (20, 20, 20))
    Xt, _ = draw(rng, (5, 10, 35))
    C, b = cdist(X, Xt, "sqeuclidean"), np.full(50, 1 / 50)
    settings: Any = ([C], [y], [np.full(60, 1 / 20)], b, 2.0)
    K = np.exp(-C / 2.0)
    first = np.bincount(y, (K / K.sum(0) / 50).sum(1))  # what each class gets from the columns
    np.testing.assert_allclose(class_shares(*settings, max_steps=1)[0], first, rtol=1e-9)
    last = class_shares(*settings)[0]
    gaps = [np.abs(class_shares(*settings, max_steps=k)[0] - last).max() for k in (1, 5, 200)]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 1e-4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilon": -1.0}, "epsilon must be above 0, got -1.0"),
        ({"epsilon": "auto"}, "epsilon must be a number above 0, got 'auto'"),
        ({"max_steps": 0}, "max_steps must be at least 1 or None, got 0"),
        ({"max_rows": 2.5}, "max_rows must be a whole number of at least 1"),
    ],
)
def test_wrong_settings(settings: Any, message: str, toy: Any) -> None:
    d = toy(0)
    with pytest.raises(InputError, match=message):
        JCPOT(**settings).fit(d.X, d.y)
