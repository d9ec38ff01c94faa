"""`EachDomain`: the target's own statistics, against computations by hand."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, QuantileTransformer, StandardScaler

import acclimate
from acclimate import (
    CORAL,
    MEDA,
    Domain,
    EachDomain,
    FeatureAugmentation,
    Pooled,
    SourceOnly,
    TargetOnly,
    methods,
)
from acclimate.exceptions import InputError
from acclimate.preprocessing.each_domain import shrunk
from acclimate.preprocessing.steps import by_domain, fit_step, for_target
from acclimate.validation import Rows

K = EachDomain().shrink


def by_hand(Xs: Any, Xt: Any, k: float, x: Any) -> Any:
    a = len(Xt) / (len(Xt) + k)
    mean = a * Xt.mean(0) + (1 - a) * Xs.mean(0)
    return (x - mean) / np.sqrt(a * Xt.var(0) + (1 - a) * Xs.var(0))


@pytest.mark.parametrize("k", [0.0, 3.0, 1e12])
def test_mean_and_variance_are_drawn_towards_the_source(toy: Any, k: float) -> None:
    d = toy(0)
    step = EachDomain(shrink=k).fit(d.X)
    found = step.refitted(d.Xt).transform(d.Xt)
    np.testing.assert_allclose(found, by_hand(d.X, d.Xt, k, d.Xt), atol=1e-9)
    np.testing.assert_allclose(step.transform(d.X), StandardScaler().fit_transform(d.X))
    if k == 0:
        np.testing.assert_allclose(found, StandardScaler().fit_transform(d.Xt), atol=1e-12)
    if k == 1e12:
        np.testing.assert_allclose(found, step.transform(d.Xt), atol=1e-6)


def test_a_method_reads_each_domain_by_its_own(toy: Any) -> None:
    d = toy(0)
    model = SourceOnly(preprocess=EachDomain()).fit(d.X, d.y, target=Domain(d.Xt))
    plain = LogisticRegression(max_iter=1000).fit(StandardScaler().fit_transform(d.X), d.y)
    scaled = by_hand(d.X, d.Xt, K, d.Xt)
    np.testing.assert_allclose(model.predict_proba(d.Xt), plain.predict_proba(scaled), atol=1e-6)
    near = plain.predict_proba(StandardScaler().fit_transform(d.X))
    np.testing.assert_allclose(model.predict_proba(d.X, domain="source"), near, atol=1e-6)
    few = model.predict_proba(d.Xt[:3])  # new rows are read by what was learnt, not by their own
    np.testing.assert_allclose(few, model.predict_proba(d.Xt)[:3])


NAMES = [
    row.name for row in methods(kind="tabular") if not row.network and row.family != "label shift"
]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_scaling_each_domain_by_hand(name: str, toy: Any) -> None:
    """With no pull to the source it is the same as two scalers in front of the method."""
    row = next(row for row in methods() if row.name == name)
    cls = row.load()
    d = toy(1, classes=None if "classification" not in row.tasks else 3)
    yt = d.yt if row.target_labels == "required" else None
    scaled = [StandardScaler().fit_transform(X) for X in (d.X, d.Xt)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one = cls(preprocess=EachDomain(shrink=0), random_state=0)
        one.fit(d.X, d.y, target=Domain(d.Xt, yt))
        two = cls(random_state=0).fit(scaled[0], d.y, target=Domain(scaled[1], yt))
    agree = one.predict(d.Xt) == two.predict(scaled[1])
    if one._regression():
        np.testing.assert_allclose(one.predict(d.Xt), two.predict(scaled[1]), rtol=1e-6)
    else:  # the last digit of a scaled row may tip a row between two classes
        assert agree.mean() > 0.98
    ours, theirs = one.predict(d.X, domain="source"), two.predict(scaled[0], domain="source")
    assert np.mean(np.isclose(ours.astype(float), theirs.astype(float), rtol=1e-6)) > 0.98


@pytest.mark.parametrize(
    "model", [SourceOnly, CORAL, MEDA, Pooled, FeatureAugmentation, TargetOnly]
)
def test_earlier_targets_leave_no_trace(model: Any, toy: Any) -> None:
    d, other = toy(0), toy(5)
    b = Domain(d.Xt, d.yt)
    first = model(preprocess=EachDomain(), random_state=0).fit(d.X, d.y)
    first.adapt(Domain(other.Xt[:50] * 9 + 3, other.yt[:50])).adapt(b)
    fresh = model(preprocess=EachDomain(), random_state=0).fit(d.X, d.y, target=b)
    assert np.array_equal(first.predict(d.Xt), fresh.predict(d.Xt))
    before = first.preprocess_.transformer_.mean_
    np.testing.assert_allclose(before, d.X.mean(0))


def test_rows_without_a_label_count() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), np.arange(60) % 2
    Xt, known = rng.normal(size=(40, 2)) + 7, np.arange(40) < 6
    model = TargetOnly(preprocess=EachDomain(shrink=0)).fit(
        X, y, target=Domain(Xt, y[:40], labelled=known)
    )
    np.testing.assert_allclose(model._preprocess_after.transformer_.mean_, Xt.mean(0))


def test_each_source_by_itself(toy: Any) -> None:
    d = toy(0)
    ids = np.arange(len(d.X)) % 2
    X = d.X + 100 * ids[:, None]
    w = np.random.default_rng(0).uniform(0.5, 2, len(X))
    for weight in (None, w):
        for step in (EachDomain(shrink=0), make_pipeline(EachDomain(shrink=0), StandardScaler())):
            found = fit_step(step, Rows(X, d.y, None, weight, ids), 0)
            for i in (0, 1):
                mine = X[ids == i]
                own = StandardScaler().fit(
                    mine, sample_weight=None if weight is None else w[ids == i]
                )
                np.testing.assert_allclose(found[ids == i], own.transform(mine), atol=1e-6)
    target = Domain(d.Xt)
    model = CORAL(preprocess=EachDomain(shrink=0)).fit(X, d.y, target=target, domains=ids)
    scaled = StandardScaler().fit_transform(d.Xt)
    one, two = (StandardScaler().fit(X[ids == i]).transform(X) for i in (0, 1))
    own = np.where(ids[:, None] == 0, one, two)
    plain = CORAL().fit(own, d.y, target=Domain(scaled), domains=ids)
    np.testing.assert_allclose(model.predict_proba(d.Xt), plain.predict_proba(scaled), atol=1e-6)


def test_behind_it_a_pipeline_keeps_the_sources_fit(toy: Any) -> None:
    d = toy(0)
    step = make_pipeline(EachDomain(shrink=0), PCA(2, random_state=0))
    model = SourceOnly(preprocess=step).fit(d.X, d.y, target=Domain(d.Xt))
    pca = PCA(2, random_state=0).fit(StandardScaler().fit_transform(d.X))
    plain = LogisticRegression(max_iter=1000).fit(
        pca.transform(StandardScaler().fit_transform(d.X)), d.y
    )
    seen = pca.transform(StandardScaler().fit_transform(d.Xt))
    np.testing.assert_allclose(model.predict_proba(d.Xt), plain.predict_proba(seen), atol=1e-6)
    assert model.preprocess_ is not model._preprocess_after
    assert by_domain(step)
    assert not by_domain(make_pipeline(StandardScaler()))


def test_any_other_transformer_needs_rows_enough(toy: Any) -> None:
    d = toy(0)
    step = EachDomain(QuantileTransformer(n_quantiles=10), least_rows=30).fit(d.X)
    few, many = for_target(step, d.Xt[:29]), for_target(step, d.Xt[:30])
    np.testing.assert_allclose(few.transform(d.Xt), step.transform(d.Xt))
    own = QuantileTransformer(n_quantiles=10).fit(d.Xt[:30])
    np.testing.assert_allclose(many.transform(d.Xt), own.transform(d.Xt))


def test_weights_are_rows() -> None:
    X = np.array([[0.0], [2.0], [7.0]])
    w = np.array([1.0, 3.0, 2.0])
    often = np.repeat(X, w.astype(int), axis=0)
    for inner in (None, MinMaxScaler()):
        step = EachDomain(inner, least_rows=1).fit(X - 5, sample_weight=w)
        np.testing.assert_allclose(
            step.transform(X), EachDomain(inner).fit(often - 5).transform(X), atol=1e-12
        )
        np.testing.assert_allclose(
            step.refitted(X, w).transform(X), step.refitted(often).transform(X), atol=1e-12
        )


def test_gaps_and_constant_columns_keep_what_the_source_knows() -> None:
    X = np.array([[0.0, 1.0, 3.0], [2.0, 1.0, 5.0]])
    Xt = np.array([[np.nan, 1.0, 7.0], [np.nan, 1.0, 9.0]])
    step = EachDomain(shrink=2.0).fit(X).refitted(Xt)
    np.testing.assert_allclose(step.transformer_.mean_, [1.0, 1.0, 6.0])
    np.testing.assert_allclose(step.transformer_.scale_, [1.0, 1.0, 1.0])


@pytest.mark.parametrize("settings", [{"with_mean": False}, {"with_std": False}])
def test_halves_of_a_scaler(settings: Any) -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(30, 2)), 3 * rng.normal(size=(20, 2)) + 5
    one, two = (StandardScaler(**settings).fit(rows) for rows in (X, Xt))
    np.testing.assert_allclose(shrunk(one, two, 0.0).transform(Xt), two.transform(Xt), atol=1e-9)
    np.testing.assert_allclose(shrunk(one, two, 1e15).transform(Xt), one.transform(Xt), atol=1e-9)


def test_a_saved_model_keeps_both_fits(toy: Any, tmp_path: Path) -> None:
    d = toy(0)
    for step in (EachDomain(), make_pipeline(EachDomain(), PCA(2, random_state=0))):
        model = SourceOnly(preprocess=step).fit(d.X, d.y, target=Domain(d.Xt))
        back = acclimate.load(model.save(tmp_path / "it.acclimate"))
        for side in ("target", "source"):
            want = model.predict_proba(d.Xt, domain=side)
            np.testing.assert_array_equal(back.predict_proba(d.Xt, domain=side), want)
        back.adapt(Domain(d.Xt + 5))
        np.testing.assert_allclose(
            back.predict_proba(d.Xt + 5), model.adapt(Domain(d.Xt + 5)).predict_proba(d.Xt + 5)
        )


def test_what_cannot_be() -> None:
    words = np.array([["a"], ["b"], ["c"]], dtype=object)
    step = EachDomain(OneHotEncoder(sparse_output=False), least_rows=1).fit(words)
    with pytest.raises(InputError, match=r"shape \(3,\) of the source and of shape \(2,\)"):
        step.refitted(words[:2])
    with pytest.raises(InputError, match="shrink must be at least 0"):
        EachDomain(shrink=-1.0).fit(np.zeros((3, 1)))
    with pytest.raises(InputError, match="transformer must be an object with fit and transform"):
        EachDomain("scale").fit(np.zeros((3, 1)))
