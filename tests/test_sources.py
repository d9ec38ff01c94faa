"""Several sources: how like the target each is, and what that does to the methods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import acclimate
from acclimate import Domain
from acclimate.catalogue import methods
from acclimate.exceptions import InputError
from acclimate.sources import row_weights, source_similarity, split
from acclimate.testing import quick_settings
from acclimate.validation import Rows

RNG = np.random.default_rng
MAPS = ("CORAL", "LinearMonge", "SubspaceAlignment")
WEIGHTS = ("DomainDiscriminator", "KMM", "KLIEP", "ULSIF", "RULSIF", "NearestNeighborWeights")
METHODS = MAPS + WEIGHTS


def make(name: str, *args: Any, **settings: Any) -> Any:
    row = next(row for row in methods() if row.name == name)
    return row.load()(*args, **(quick_settings(row) | {"random_state": 0} | settings))


def two_sources(seed: int = 0) -> tuple[Any, Any, Any, Any, Any]:
    """One source like the target, and a larger one elsewhere that labels the other way round."""
    rng = RNG(seed)
    X, far = rng.normal(size=(80, 2)), rng.normal((0.0, 2.5), (1.0, 0.3), size=(120, 2))
    Xt = rng.normal((0.2, 0.0), size=(90, 2))
    y = np.concatenate([X[:, 0] > 0, far[:, 0] < 0]).astype(int)
    ids = np.repeat(["near", "far"], [80, 120])
    return np.concatenate([X, far]), y, ids, Xt, (Xt[:, 0] > 0).astype(int)


def test_similarity_is_the_formula_worked_out_by_loops() -> None:
    rng = RNG(0)
    sources = [rng.normal(size=(7, 2)) * [1, 40], rng.normal(size=(5, 2)) * [1, 40] + [2, 0]]
    target = rng.normal(size=(6, 2)) * [1, 40]
    weights = [None, np.array([1.0, 0.0, 2.0, 1.0, 1.0])]
    spread = [X.var(0) for X in (sources[0], target)]
    p = weights[1] / weights[1].sum()
    mean = (p[:, None] * sources[1]).sum(0)
    spread.append((p[:, None] * (sources[1] - mean) ** 2).sum(0))
    scale = np.sqrt(np.mean(spread, axis=0))
    width2 = min(
        np.median([((x - z) ** 2 / scale**2).sum() for x in X for z in target])
        for X in (sources[0], sources[1][weights[1] > 0])
    )

    def k(x: Any, z: Any) -> float:
        return float(np.exp(-((x - z) ** 2 / scale**2).sum() / (2 * width2)))

    expected = []
    for X, w in zip(sources, weights, strict=True):
        w = np.ones(len(X)) if w is None else w
        w = w / w.sum()
        t = np.full(len(target), 1 / len(target))
        here = list(zip(X, w, strict=True))
        there = list(zip(target, t, strict=True))
        ss = sum(a * b * k(x, z) for x, a in here for z, b in here)
        tt = sum(a * b * k(x, z) for x, a in there for z, b in there)
        st = sum(a * b * k(x, z) for x, a in here for z, b in there)
        expected.append(1 - (ss + tt - 2 * st) / (ss + tt))
    np.testing.assert_allclose(source_similarity(sources, target, weights), expected, rtol=1e-10)


def test_similarity_knows_its_ends() -> None:
    X = RNG(0).normal(size=(60, 3))
    same, far = source_similarity([X, X + 50], X)
    assert same == pytest.approx(1.0, abs=1e-12)
    assert far < 1e-9
    assert source_similarity([X * 0, X * 0], X * 0).tolist() == [1.0, 1.0]
    distant = source_similarity([X + 500, X + 900], X)
    assert 0 < distant[1] < distant[0] < 1


def test_similarity_does_not_depend_on_order_or_units() -> None:
    rng = RNG(1)
    sources = [rng.normal(size=(1500, 2)), rng.normal(size=(300, 2)) + 1]
    target = rng.normal(size=(1200, 2)) + 0.2
    first = source_similarity(sources, target)
    moved = source_similarity([X[::-1] for X in sources], target[rng.permutation(1200)])
    np.testing.assert_allclose(moved, first, rtol=1e-10)
    np.testing.assert_allclose(source_similarity(sources[::-1], target)[::-1], first, rtol=1e-10)
    scaled = source_similarity([s * [1, 1024] for s in sources], target * [1, 1024], seed=0)
    np.testing.assert_allclose(scaled, first, atol=0.02)  # other rows are drawn
    small = [X[:800] for X in sources]
    np.testing.assert_allclose(
        source_similarity([X * [1, 1000.0] + 7 for X in small], target[:800] * [1, 1000.0] + 7),
        source_similarity(small, target[:800]), rtol=1e-8,
    )  # fmt: skip


def test_rows_count_by_their_source_whatever_its_size() -> None:
    ids = np.array([3, 1, 1, 3, 1, 1])
    parts = split(Rows(np.zeros((6, 1)), np.zeros(6), domains=ids))
    assert [(part.id, part.index.tolist()) for part in parts] == [(1, [1, 2, 4, 5]), (3, [0, 3])]
    np.testing.assert_allclose(
        row_weights(parts, {1: 0.2, 3: 0.8}), np.array([0.8, 0.2, 0.2, 0.8, 0.2, 0.2]) / 0.4
    )
    assert split(Rows(np.zeros((2, 1)), np.zeros(2), domains=np.array(["a", "a"]))) == []


def test_all_methods_that_are_marked_are_tested_here() -> None:
    marked = {
        row.name for row in methods() if row.several_sources
        and row.family in ("mapping", "reweighting")
    }  # fmt: skip
    assert marked >= set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_an_unlike_source_counts_less_and_that_is_better_than_pooling(name: str) -> None:
    X, y, ids, Xt, yt = two_sources()
    pooled = LogisticRegression().fit(X, y).score(Xt, yt)
    model = make(name).fit(X, y, domains=ids, target=Domain(Xt))
    similarity = model.source_similarity_
    assert similarity["near"] > 0.9
    assert similarity["far"] < 0.5
    assert model.score(Xt, yt) > pooled + 0.2
    if name in MAPS:  # a map of the pooled rows has nothing that tells the sources apart
        assert model.score(Xt, yt) > make(name).fit(X, y, target=Domain(Xt)).score(Xt, yt) + 0.2


@pytest.mark.parametrize("name", METHODS)
def test_one_id_is_one_source_to_the_bit(name: str, toy: Any) -> None:
    d = toy(0)
    plain = make(name).fit(d.X, d.y, target=Domain(d.Xt))
    one = make(name).fit(d.X, d.y, domains=["Oslo"] * len(d.X), target=Domain(d.Xt))
    assert np.array_equal(one.predict_proba(d.Xn), plain.predict_proba(d.Xn))
    assert not hasattr(one, "source_similarity_")


@pytest.mark.parametrize("name", METHODS)
def test_other_ids_change_nothing(name: str, toy: Any) -> None:
    d = toy(0)
    ids = np.arange(len(d.X)) % 3
    d.X[ids == 1] += 0.5
    first = make(name).fit(d.X, d.y, domains=ids, target=Domain(d.Xt))
    called = np.array(["b", "c", "a"])
    other = make(name).fit(d.X, d.y, domains=called[ids], target=Domain(d.Xt))
    np.testing.assert_allclose(
        other.predict_proba(d.Xn), first.predict_proba(d.Xn), rtol=1e-6, atol=1e-8
    )
    for i in range(3):
        assert other.source_similarity_[str(called[i])] == pytest.approx(
            first.source_similarity_[i], rel=1e-10
        )
    order = RNG(0).permutation(len(d.X))
    moved = make(name).fit(d.X[order], d.y[order], domains=ids[order], target=Domain(d.Xt))
    np.testing.assert_allclose(moved.predict_proba(d.Xn), first.predict_proba(d.Xn), atol=1e-4)


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_are_each_sources_own_times_similarity_and_effective_share(
    name: str, toy: Any
) -> None:
    d = toy(0)
    ids = np.arange(len(d.X)) % 2
    d.X[ids == 1] += 1.0
    model = make(name).fit(d.X, d.y, domains=ids, target=Domain(d.Xt))
    w = np.empty(len(d.X))
    for i in (0, 1):
        alone = make(name).fit(d.X[ids == i], d.y[ids == i], target=Domain(d.Xt))
        share = alone.weights_.sum() ** 2 / (alone.weights_**2).sum() / (ids == i).sum()
        w[ids == i] = alone.weights_ * share * model.source_similarity_[i]
    np.testing.assert_allclose(model.weights_, w / w.mean(), rtol=1e-9)
    expected = LogisticRegression(max_iter=1000).fit(d.X, d.y, sample_weight=model.weights_)
    np.testing.assert_allclose(model.predict_proba(d.Xn), expected.predict_proba(d.Xn))


@pytest.mark.parametrize("name", ["CORAL", "LinearMonge"])
def test_each_source_gets_a_map_of_its_own(name: str, toy: Any) -> None:
    d = toy(0)
    ids = np.where(np.arange(len(d.X)) % 2, "Oslo", "Lima")
    d.X[ids == "Oslo"] *= [3.0, 1.0, 0.5, 2.0]
    model = make(name).fit(d.X, d.y, domains=ids, target=Domain(d.Xt))
    Z = np.empty_like(d.X)
    for source in ("Oslo", "Lima"):
        rows = ids == source
        alone = make(name).fit(d.X[rows], d.y[rows], target=Domain(d.Xt))
        np.testing.assert_allclose(model.map_matrix_[source], alone.map_matrix_)
        Z[rows] = alone.transform(d.X[rows], domain="source")
    w = np.vectorize(model.source_similarity_.get)(ids)
    expected = LogisticRegression(max_iter=1000).fit(Z, d.y, sample_weight=w / w.mean())
    np.testing.assert_allclose(model.predict_proba(d.Xn), expected.predict_proba(d.Xn), rtol=1e-6)
    stage_one = LogisticRegression(max_iter=1000).fit(d.X, d.y)
    assert np.array_equal(model.predict(d.Xn, domain="source"), stage_one.predict(d.Xn))
    with pytest.raises(InputError, match="each of several sources has a map of its own"):
        model.transform(d.X, domain="source")


def test_aligned_subspaces_have_the_same_axes(toy: Any) -> None:
    d = toy(0, n=90)
    ids = np.arange(90) % 2
    d.X[ids == 1, 2:] *= 0.01
    model = make("SubspaceAlignment", shrinkage=0.0).fit(d.X, d.y, domains=ids, target=Domain(d.Xt))
    shapes = {M.shape for M in model.alignment_.values()}
    assert shapes == {(model.n_components_, model.n_components_)}
    assert model.transform(d.Xn).shape == (len(d.Xn), model.n_components_)
    with pytest.raises(InputError, match="n_components is 9"):
        make("SubspaceAlignment", n_components=9).fit(d.X, d.y, domains=ids, target=Domain(d.Xt))


def test_an_estimator_without_weights_gets_rows_drawn_by_them() -> None:
    X, y, ids, Xt, _ = two_sources()
    for name in ("KMM", "CORAL"):
        model = make(name, KNeighborsClassifier(5)).fit(X, y, domains=ids, target=Domain(Xt))
        if name == "KMM":
            Z, w = X, model.weights_
        else:
            Z, w = np.empty_like(X), np.vectorize(model.source_similarity_.get)(ids)
            for source in ("near", "far"):
                rows = ids == source
                alone = make(name).fit(X[rows], y[rows], target=Domain(Xt))
                Z[rows] = alone.transform(X[rows], domain="source")
        drawn = RNG(model._stage_seed(2)).choice(len(w), size=len(w), p=w / w.sum())
        expected = KNeighborsClassifier(5).fit(Z[drawn], y[drawn])
        np.testing.assert_allclose(model.predict_proba(Xt), expected.predict_proba(Xt))


def test_a_second_target_leaves_no_trace_of_the_first(toy: Any) -> None:
    d = toy(0)
    ids = np.arange(len(d.X)) % 2
    model = make("SubspaceAlignment").fit(d.X, d.y, target=Domain(d.Xt))
    assert isinstance(model.n_components_, int)
    model.fit(d.X, d.y, domains=ids, target=Domain(d.Xt))
    assert set(model.alignment_) == {0, 1}
    model.fit(d.X, d.y, target=Domain(d.Xt))
    assert not hasattr(model, "source_similarity_")
    kmm = make("KMM").fit(d.X, d.y, target=Domain(d.Xt))
    kmm.fit(d.X, d.y, domains=ids, target=Domain(d.Xt))
    assert set(kmm.solution_) == {0, 1}


def test_what_is_wrong_with_a_source_is_said_with_its_name(toy: Any) -> None:
    d = toy(0)
    ids = np.where(np.arange(len(d.X)) == 7, "Bern", "Rome")
    with pytest.raises(InputError, match="source 'Bern': the source has n_samples=1"):
        make("CORAL").fit(d.X, d.y, domains=ids, target=Domain(d.Xt))
    ids = np.where(np.arange(len(d.X)) % 2, "Bern", "Rome")
    with pytest.raises(InputError, match="all rows of the source 'Bern' have weight 0"):
        make("KMM").fit(
            d.X, d.y, domains=ids, sample_weight=(ids == "Rome") * 1.0, target=Domain(d.Xt)
        )


def test_rows_of_weight_zero_do_not_count(toy: Any) -> None:
    d = toy(0)
    ids = np.arange(len(d.X)) % 2
    keep = RNG(1).random(len(d.X)) < 0.7
    weighted = make("CORAL", shrinkage=0.0).fit(
        d.X, d.y, domains=ids, sample_weight=keep * 1.0, target=Domain(d.Xt)
    )
    dropped = make("CORAL", shrinkage=0.0).fit(
        d.X[keep], d.y[keep], domains=ids[keep], target=Domain(d.Xt)
    )
    for i in (0, 1):
        assert weighted.source_similarity_[i] == pytest.approx(dropped.source_similarity_[i])
        np.testing.assert_allclose(weighted.map_matrix_[i], dropped.map_matrix_[i], atol=1e-9)


def test_a_saved_model_of_several_sources_answers_the_same(toy: Any, tmp_path: Any) -> None:
    d = toy(0)
    ids = np.where(np.arange(len(d.X)) % 2, "Oslo", "Lima")
    for name in ("CORAL", "KMM", "SubspaceAlignment"):
        model = make(name).fit(d.X, d.y, domains=ids, target=Domain(d.Xt))
        loaded = acclimate.load(model.save(tmp_path / name))
        assert loaded.source_similarity_ == model.source_similarity_
        assert np.array_equal(loaded.predict_proba(d.Xn), model.predict_proba(d.Xn))
