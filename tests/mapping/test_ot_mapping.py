"""`OTMapping` on data whose answer is known, and on data changed in a known way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier

import acclimate
from acclimate import Domain, LinearMonge, OTMapping
from acclimate.exceptions import InputError
from acclimate.mapping import ot_mapping
from acclimate.mapping.pot_loading import pot

RNG = np.random.default_rng
KINDS = ("none", "entropic", "classes")
EACH = pytest.mark.parametrize("kind", KINDS)


def fitted(d: Any, kind: str, **settings: Any) -> OTMapping:
    """Return the paper's map of a toy, all the way."""
    model = OTMapping(regularisation=kind, random_state=0, **{"shrinkage": 0.0} | settings)
    return model.fit(d.X, d.y, target=Domain(d.Xt))


def test_with_equal_numbers_each_row_goes_to_its_own(toy: Any) -> None:
    d = toy(0, n=45)
    model = fitted(d, "none")
    i, j = linear_sum_assignment(cdist(d.X, d.Xt, "sqeuclidean"))
    np.testing.assert_allclose(model.transform(d.X, domain="source")[i], d.Xt[j], atol=1e-12)
    squared = ((d.X[i] - d.Xt[j]) ** 2).sum(1).mean()
    assert model.transport_cost_ == pytest.approx(squared, rel=1e-9)


def test_the_exact_map_is_pots(toy: Any) -> None:
    d = toy(1)
    expected = pot().da.EMDTransport().fit(Xs=d.X, Xt=d.Xt).transform(Xs=d.X)
    np.testing.assert_allclose(fitted(d, "none").transform(d.X, domain="source"), expected)


def test_the_entropic_map_is_pots(toy: Any) -> None:
    d = toy(1)
    model = fitted(d, "entropic", epsilon=0.1)
    scale = d.X.var(0).sum() + d.Xt.var(0).sum()
    theirs = pot().da.SinkhornTransport(reg_e=0.1 * scale, tol=1e-12, max_iter=5000)
    theirs.fit(Xs=d.X, Xt=d.Xt)
    np.testing.assert_allclose(
        model.transform(d.X, domain="source"), theirs.transform(Xs=d.X), atol=1e-7
    )
    cost = float((theirs.coupling_ * cdist(d.X, d.Xt, "sqeuclidean")).sum())
    assert model.transport_cost_ == pytest.approx(cost, rel=1e-7)


@EACH
def test_a_row_maps_the_same_alone_and_permuted(kind: str, toy: Any) -> None:
    d = toy(0)
    model = fitted(d, kind)
    whole = model.transform(d.X, domain="source")
    exact = {"rtol": 0, "atol": 0} if kind != "entropic" else {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(model.transform(d.X[::-1], domain="source")[::-1], whole, **exact)
    alone = [model.transform(d.X[i : i + 1], domain="source")[0] for i in range(len(d.X))]
    np.testing.assert_allclose(alone, whole, **exact)
    order = RNG(1).permutation(len(d.X))
    turn = RNG(2).permutation(len(d.Xt))
    moved = OTMapping(regularisation=kind, shrinkage=0.0, random_state=0)
    moved.fit(d.X[order], d.y[order], target=Domain(d.Xt[turn]))
    np.testing.assert_allclose(moved.transform(d.X, domain="source"), whole, rtol=1e-10)


def test_a_training_row_that_is_left_out_maps_nearly_the_same_by_the_entropic_map() -> None:
    rng = RNG(0)
    X, Xt = rng.normal(size=(400, 2)), rng.normal(size=(400, 2)) * 2 + 5
    y = (X[:, 0] > 0).astype(int)
    whole = OTMapping(regularisation="entropic").fit(X, y, target=Domain(Xt))
    fewer = OTMapping(regularisation="entropic").fit(X[20:], y[20:], target=Domain(Xt))
    new = fewer.transform(X[:20], domain="source")
    assert np.abs(new - whole.transform(X[:20], domain="source")).max() < 0.3
    assert np.abs(new - (2 * X[:20] + 5)).mean() < 0.5


def test_new_rows_move_with_the_nearest(toy: Any) -> None:
    d = toy(0)
    model = fitted(d, "none")
    near = d.X + 1e-6
    np.testing.assert_allclose(
        model.transform(near, domain="source"),
        model.transform(d.X, domain="source") + 1e-6,
        atol=1e-9,
    )


@EACH
def test_equal_rows_go_to_one_place(kind: str, toy: Any) -> None:
    d = toy(0)
    twice = OTMapping(regularisation=kind, shrinkage=0.0).fit(
        np.repeat(d.X, 2, axis=0), np.repeat(d.y, 2), target=Domain(np.repeat(d.Xt, 3, axis=0))
    )
    np.testing.assert_allclose(
        twice.transform(d.X, domain="source"),
        fitted(d, kind).transform(d.X, domain="source"),
        atol=1e-7,
    )


@EACH
def test_weights_are_repeated_rows(kind: str, toy: Any) -> None:
    d = toy(0)
    w = RNG(0).integers(0, 4, len(d.X))
    weighted = OTMapping(regularisation=kind).fit(
        d.X, d.y, target=Domain(d.Xt), sample_weight=w.astype(float)
    )
    repeated = OTMapping(regularisation=kind).fit(
        np.repeat(d.X, w, axis=0), np.repeat(d.y, w), target=Domain(d.Xt)
    )
    np.testing.assert_allclose(
        weighted.transform(d.X, domain="source"), repeated.transform(d.X, domain="source"),
        atol=1e-8,
    )  # fmt: skip


@EACH
def test_a_move_of_the_target_moves_the_rows_along(kind: str, toy: Any) -> None:
    d = toy(0)
    away = OTMapping(regularisation=kind, shrinkage=0.0, random_state=0)
    away.fit(d.X, d.y, target=Domain(d.Xt + 1000))
    np.testing.assert_allclose(
        away.transform(d.X, domain="source"),
        fitted(d, kind).transform(d.X, domain="source") + 1000,
        atol=1e-6,
    )


@EACH
def test_relabelled_classes_change_the_names_alone(kind: str, toy: Any) -> None:
    d = toy(0)
    called = np.array([7, -1, 2])  # -1 is a class like any other
    model = OTMapping(shrinkage=0.0, regularisation=kind, random_state=0)
    model.fit(d.X, called[d.y], target=Domain(d.Xt))
    assert np.array_equal(model.predict(d.Xn), called[fitted(d, kind).predict(d.Xn)])
    assert -1 in model.predict(d.Xn)


def test_identical_domains_are_left_alone(toy: Any) -> None:
    d = toy(0)
    model = OTMapping(regularisation="none").fit(d.X, d.y, target=Domain(d.X))
    np.testing.assert_allclose(model.transform(d.X, domain="source"), d.X, atol=1e-12)
    assert model.transport_cost_ == pytest.approx(0.0, abs=1e-9)
    assert np.array_equal(model.predict(d.Xn), LogisticRegression(max_iter=1000)
                          .fit(d.X, d.y).predict(d.Xn))  # fmt: skip


@EACH
def test_disjoint_supports_and_more_features_than_rows(kind: str) -> None:
    rng = RNG(0)
    y, yt = np.arange(30) % 2, np.arange(24) % 2
    X, Xt = rng.normal(size=(30, 60)), rng.normal(size=(24, 60)) + 100
    X[:, 0] += 15 * y
    Xt[:, 0] += 15 * yt
    model = OTMapping(regularisation=kind).fit(X, y, target=Domain(Xt))
    assert model.score(Xt, yt) == 1.0


def test_a_shift_that_no_affine_map_undoes() -> None:
    """Two classes on a line; the target bends it by an arctangent and turns it."""
    rng = RNG(0)
    X = np.column_stack([rng.uniform(-4, 4, 300), rng.normal(size=300) * 0.05])
    y = (np.abs(X[:, 0]) > 2).astype(int)
    Xt = np.column_stack([3 * np.arctan(X[:, 0]) + 20, X[:, 1] + 0.1 * X[:, 0]])
    tree = DecisionTreeClassifier(random_state=0)
    affine = LinearMonge(tree).fit(X, y, target=Domain(Xt)).score(Xt, y)
    for kind in ("none", "entropic"):
        model = OTMapping(tree, regularisation=kind).fit(X, y, target=Domain(Xt))
        assert model.score(Xt, y) > max(0.9, affine + 0.1)


def test_classes_stay_apart(toy: Any) -> None:
    """Pure target rows: the entropic plan mixes, the class penalty does not."""
    rng = RNG(0)
    y = np.arange(80) % 2
    X = rng.normal(size=(80, 2)) + 2.5 * y[:, None]
    Xt = rng.normal(size=(70, 2)) + 2.5 * (np.arange(70) % 2)[:, None]
    settings = {"epsilon": 0.1, "class_strength": 1.0}
    gaps = []
    for kind in ("entropic", "classes"):
        model = OTMapping(shrinkage=0.0, regularisation=kind, **settings).fit(
            X, y, target=Domain(Xt)
        )
        Z = model.transform(X, domain="source")
        gaps.append(np.linalg.norm(Z[y == 1].mean(0) - Z[y == 0].mean(0)))
    assert gaps[1] > gaps[0] * 1.05


@EACH
def test_known_target_labels_forbid_other_classes(kind: str) -> None:
    """The target swaps the places of two classes: labels say so, inputs cannot."""
    rng = RNG(0)
    y, yt = np.arange(60) % 2, np.arange(50) % 2
    X, Xt = rng.normal(size=(60, 2)) * 0.3, rng.normal(size=(50, 2)) * 0.3
    X[:, 0] += 4 * y
    Xt[:, 0] += 4 * (1 - yt)
    known = np.arange(50) < 40
    blind = OTMapping(shrinkage=0.0, regularisation=kind).fit(X, y, target=Domain(Xt))
    assert blind.score(Xt, yt) < 0.1
    told = OTMapping(regularisation=kind, use_target_labels=True)
    told.fit(X, y, target=Domain(Xt, yt, labelled=known))
    assert told.score(Xt, yt) > 0.95
    Z = told.transform(X, domain="source")
    assert Z[y == 1, 0].mean() < 1 < Z[y == 0, 0].mean()


def test_all_labels_known_with_other_shares_than_the_sources() -> None:
    rng = RNG(0)
    y, yt = np.arange(40) % 2, np.r_[np.zeros(30, int), np.ones(10, int)]
    X, Xt = rng.normal(size=(40, 2)) + 3 * y[:, None], rng.normal(size=(40, 2)) + 3 * yt[:, None]
    for kind in KINDS:
        model = OTMapping(regularisation=kind, use_target_labels=True)
        model.fit(X, y, target=Domain(Xt, yt))
        assert model.score(Xt, yt) > 0.8


@pytest.mark.parametrize("kind", ["none", "entropic"])
def test_regression_follows_a_bend(kind: str) -> None:
    rng = RNG(0)
    x = rng.uniform(0, 1, (300, 1))
    model = OTMapping(Ridge(1e-3), regularisation=kind, epsilon=0.005)
    model.fit(x, x[:, 0] ** 2, target=Domain(x**2 * 3 + 7))
    assert model.score(x**2 * 3 + 7, x[:, 0] ** 2) > 0.98


def test_labelled_target_rows_join_a_regression(toy: Any) -> None:
    d = toy(0, classes=None)
    model = OTMapping(Ridge(), use_target_labels=True).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    without = OTMapping(Ridge()).fit(d.X, d.y, target=Domain(d.Xt))
    assert model.score(d.Xn, d.yn) > without.score(d.Xn, d.yn)


@pytest.mark.parametrize("kind", ["entropic", "classes"])
def test_above_max_rows_a_draw_stands_for_all(kind: str) -> None:
    rng = RNG(0)
    y = np.arange(300) % 2
    X, Xt = rng.normal(size=(300, 3)) + 3 * y[:, None], rng.normal(size=(250, 3)) * 2 + 9
    Xt += 6 * (np.arange(250) % 2)[:, None]
    part = OTMapping(regularisation=kind, max_rows=120, random_state=0)
    part.fit(X, y, target=Domain(Xt))
    whole = OTMapping(regularisation=kind, random_state=0).fit(X, y, target=Domain(Xt))
    assert part.score(Xt, np.arange(250) % 2) > 0.95
    assert part.transport_cost_ == pytest.approx(whole.transport_cost_, rel=0.15)
    order = rng.permutation(300)
    again = OTMapping(regularisation=kind, max_rows=120, random_state=0)
    again.fit(X[order], y[order], target=Domain(Xt[::-1]))
    np.testing.assert_allclose(
        again.transform(X, domain="source"), part.transform(X, domain="source"), rtol=1e-6
    )


@EACH
def test_float32_stays_float32_and_agrees(kind: str, toy: Any) -> None:
    d = toy(0)
    single = OTMapping(shrinkage=0.0, regularisation=kind)
    single.fit(d.X.astype(np.float32), d.y, target=Domain(d.Xt.astype(np.float32)))
    Z = single.transform(d.X.astype(np.float32), domain="source")
    assert Z.dtype == np.float32
    close = 1e-3 if kind == "classes" else 2e-4  # ten rounds pass rounding on
    np.testing.assert_allclose(Z, fitted(d, kind).transform(d.X, domain="source"), atol=close)


@EACH
def test_a_saved_map_maps_source_rows_the_same(kind: str, toy: Any, tmp_path: Any) -> None:
    d = toy(0)
    model = fitted(d, kind)
    loaded = acclimate.load(model.save(tmp_path / "m.acclimate"))
    for rows in (d.X, d.Xn):
        assert np.array_equal(
            loaded.transform(rows, domain="source"), model.transform(rows, domain="source")
        )


def test_each_of_several_sources_has_its_own_plan(toy: Any) -> None:
    d = toy(0)
    ids = np.arange(len(d.X)) % 2
    X = d.X + 50 * ids[:, None]
    model = OTMapping().fit(X, d.y, domains=ids, target=Domain(d.Xt))
    assert set(model.transport_cost_) == {0, 1}
    alone = OTMapping().fit(X[ids == 1], d.y[ids == 1], target=Domain(d.Xt))
    assert model.transport_cost_[1] == pytest.approx(alone.transport_cost_)
    assert model.score(d.Xn, d.yn) > 0.9


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"regularisation": "l2"}, 'regularisation must be "none", "entropic" or "classes"'),
        ({"epsilon": 0.0}, 'epsilon must be above 0 or "auto", got 0.0'),
        ({"class_strength": -1.0}, "class_strength must be at least 0, got -1.0"),
        ({"max_rows": 0}, "max_rows must be at least 1, got 0"),
    ],
)
def test_wrong_settings(settings: Any, message: str, toy: Any) -> None:
    d = toy(0)
    with pytest.raises(InputError, match=message):
        OTMapping(**settings).fit(d.X, d.y)


def test_classes_need_classes(toy: Any) -> None:
    d = toy(0, classes=None)
    with pytest.raises(InputError, match="Ridge is a regressor"):
        OTMapping(Ridge(), regularisation="classes").fit(d.X, d.y)


def test_one_row_on_a_side_works(toy: Any) -> None:
    d = toy(0)
    for kind in KINDS:
        model = OTMapping(regularisation=kind, shrinkage=0.0).fit(d.X, d.y, target=Domain(d.Xt[:1]))
        np.testing.assert_allclose(
            model.transform(d.X, domain="source"), np.repeat(d.Xt[:1], 60, axis=0), atol=1e-9
        )


def test_the_plan_is_not_kept(toy: Any) -> None:
    d = toy(0, n=90, m=80)
    model = fitted(d, "entropic")
    sizes = [v.size for v in vars(model.target_model_.map).values() if hasattr(v, "size")]
    held = vars(model._source_after.map).values()
    sizes += [v.size for v in held if isinstance(v, np.ndarray)]
    assert max(sizes) <= 90 * d.X.shape[1]
    assert ot_mapping.FORBIDDEN > 1


def test_the_automatic_strength_is_a_share_of_what_a_plan_can_change() -> None:
    rng = RNG(0)
    X, Xt = rng.normal(size=(50, 5)), 2 * rng.normal(size=(40, 5)) + 3
    y = np.arange(50) % 2
    A, B = X - X.mean(0), Xt - Xt.mean(0)
    C = cdist(A, B, "sqeuclidean")
    apart = C - C.mean(0) - C.mean(1)[:, None] + C.mean()  # what is left without rows and columns
    expected = 0.15 * np.median(np.abs(apart)) / C.mean()
    model = OTMapping().fit(X, y, target=Domain(Xt))
    assert model.epsilon_ == pytest.approx(expected, rel=1e-9)
    same = OTMapping(epsilon=model.epsilon_).fit(X, y, target=Domain(Xt))
    np.testing.assert_array_equal(same.transform(X, domain="source"),
                                  model.transform(X, domain="source"))  # fmt: skip
    scaled = OTMapping().fit(9 * X, y, target=Domain(9 * Xt))
    assert scaled.epsilon_ == pytest.approx(expected, rel=1e-9)
    exact = OTMapping(regularisation="none").fit(X, y, target=Domain(Xt))
    assert not hasattr(exact, "epsilon_")


def test_one_row_far_away_does_not_blur_the_others() -> None:
    rng = RNG(1)
    X, Xt = rng.normal(size=(80, 20)), rng.normal(size=(60, 20))
    y = np.arange(80) % 2
    plain = OTMapping().fit(X, y, target=Domain(Xt))
    before = Xt.var(0).sum() + X.var(0).sum()
    Xt[0] = 40.0
    far = OTMapping().fit(X, y, target=Domain(Xt))
    after = Xt.var(0).sum() + X.var(0).sum()
    assert after > 10 * before  # the mean cost
    assert far.epsilon_ * after < 3 * plain.epsilon_ * before
    assert np.isfinite(far.transform(X, domain="source")).all()


@EACH
def test_a_part_of_the_way(kind: str, toy: Any) -> None:
    d = toy(0)
    whole, part = (
        fitted(d, kind, shrinkage=s).transform(d.Xn, domain="source") for s in (0.0, 0.3)
    )
    np.testing.assert_allclose(part, 0.3 * d.Xn + 0.7 * whole, rtol=1e-12, atol=1e-12)
    stays = fitted(d, kind, shrinkage=1.0)
    assert np.array_equal(stays.transform(d.X, domain="source"), d.X)
    assert np.array_equal(stays.predict_proba(d.Xn), stays.source_model_.predict_proba(d.Xn))


def test_labels_of_the_target_and_plain_shifts_leave_the_papers_map(toy: Any) -> None:
    d = toy(0)
    model = OTMapping(use_target_labels=True).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    assert model.shrinkage_ == 0.0
    assert OTMapping().fit(d.X, d.y, target=Domain(d.Xt + 50)).shrinkage_ == 0.0
