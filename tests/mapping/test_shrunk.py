"""Shrinkage of alignment: its limits are the source's model and the paper's method."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

import acclimate
from acclimate import (
    BDA,
    GFK,
    JCPOT,
    JDA,
    TCA,
    TJM,
    Domain,
    OTMapping,
    SubspaceAlignment,
    tables,
)  # fmt: skip
from acclimate.exceptions import InputError
from acclimate.mapping.shrunk import MARGIN, shrinkage_of
from acclimate.maths.excess import excess_share
from acclimate.validation import Rows

KERNELS = [TCA, JDA, BDA, TJM]
AXES = [GFK, SubspaceAlignment]
FEATURES = pytest.mark.parametrize("method", [*KERNELS, *AXES])
EVERY = pytest.mark.parametrize("method", [*KERNELS, *AXES, JCPOT, OTMapping])


def test_a_tenth_by_chance_is_nothing_and_nine_are_all() -> None:
    X, Z = np.random.default_rng(0).normal(size=(2, 40, 3))
    chance = 1 - excess_share(X, Z + 0.6)
    assert MARGIN < chance < 1 - MARGIN
    expected = (chance - MARGIN) / (1 - 2 * MARGIN)
    assert shrinkage_of("auto", Rows(X), Rows(Z + 0.6), 0) == pytest.approx(expected)
    assert shrinkage_of("auto", Rows(X), Rows(Z + 9), 0) == 0.0
    assert shrinkage_of("auto", Rows(X), Rows(X), 0) == 1.0
    assert shrinkage_of(0.4, Rows(X), Rows(X), 0) == 0.4


@EVERY
def test_two_draws_of_one_domain_keep_the_source_model(method: Any) -> None:
    rng = np.random.default_rng(0)
    X, Z = rng.normal(size=(2, 60, 40))
    y = (X[:, 0] > 0).astype(int)
    model = method(random_state=0).fit(X, y, target=Domain(Z))
    assert model.shrinkage_ > 0.8
    agree = np.mean(model.predict(Z) == model.source_model_.predict(Z))
    assert agree > 0.9


@EVERY
@pytest.mark.parametrize("base", [LogisticRegression(), KNeighborsClassifier(3)])
def test_all_of_it_is_the_source_model(method: Any, base: Any, toy: Any) -> None:
    d = toy(0)
    model = method(base, shrinkage=1.0, random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    p = model.predict_proba(d.Xn)
    np.testing.assert_allclose(p, model.source_model_.predict_proba(d.Xn), atol=1e-6)


@FEATURES
def test_the_inner_product_is_a_mean_of_two(method: Any, toy: Any, tmp_path: Any) -> None:
    d, s = toy(0), 0.3
    settings = {"n_components": 3, "random_state": 0} | ({} if method in AXES else {"gamma": 0.05})
    paper = method(shrinkage=0.0, **settings).fit(d.X, d.y, target=Domain(d.Xt))
    model = method(shrinkage=s, **settings).fit(d.X, d.y, target=Domain(d.Xt))
    F, Z = paper.transform(d.Xn), model.transform(d.Xn)
    variances = [
        sum(rows.var(0).sum() for rows in pair)
        for pair in (
            (d.X, d.Xt),
            (paper.transform(d.X, domain="source"), paper.transform(d.Xt)),
        )
    ]
    unit = (variances[1] / variances[0]) ** (1 - s)
    expected = s * unit * d.Xn @ d.Xn.T + (1 - s) * F @ F.T
    np.testing.assert_allclose(Z @ Z.T, expected, rtol=1e-6, atol=1e-8)
    loaded = acclimate.load(model.save(tmp_path / "m.acclimate"))
    assert np.array_equal(loaded.transform(d.Xn), Z)


def test_one_space_goes_as_far_as_the_source_that_differs_most(toy: Any) -> None:
    d = toy(0, n=90)
    ids = np.arange(90) % 2
    d.X[ids == 1] *= 3.0
    near, far = (
        SubspaceAlignment().fit(d.X[ids == i], d.y[ids == i], target=Domain(d.Xt)).shrinkage_
        for i in (0, 1)
    )
    model = SubspaceAlignment().fit(d.X, d.y, domains=ids, target=Domain(d.Xt))
    assert far < near
    assert model.shrinkage_ == pytest.approx(far, rel=1e-9)
    whole = SubspaceAlignment(shrinkage=1.0).fit(d.X, d.y, domains=ids, target=Domain(d.Xt))
    np.testing.assert_array_equal(whole.transform(d.Xn), d.Xn)
    between = SubspaceAlignment(shrinkage=0.5).fit(d.X, d.y, domains=ids, target=Domain(d.Xt))
    assert between.transform(d.Xn).shape == (len(d.Xn), 4 + between.n_components_)


def test_batches_go_as_far_as_all_rows() -> None:
    rng = np.random.default_rng(0)
    X, Z = rng.normal(size=(2500, 3)) * [3, 2, 1], rng.normal(size=(1300, 3)) * [3, 2, 1] + 0.15
    y = (X[:, 0] > 0).astype(int)
    whole = SubspaceAlignment(GaussianNB(), random_state=0).fit(X, y, target=Domain(Z))
    parts = SubspaceAlignment(GaussianNB(), random_state=0).fit_batches(
        tables.batches(X, y, batch_rows=400), tables.batches(Z, batch_rows=90)
    )
    assert 0 < whole.shrinkage_ < 1
    assert parts.shrinkage_ == pytest.approx(whole.shrinkage_, rel=1e-9)
    a, b = whole.transform(Z), parts.transform(Z)
    np.testing.assert_allclose(a @ a.T, b @ b.T, rtol=1e-8, atol=1e-8)


def test_weights_are_repeated_rows_between(toy: Any) -> None:
    d = toy(0, classes=None)
    w = np.random.default_rng(0).integers(1, 4, len(d.X))
    weighted = TCA(Ridge(), shrinkage=0.5).fit(
        d.X, d.y, target=Domain(d.Xt), sample_weight=w.astype(float)
    )
    repeated = TCA(Ridge(), shrinkage=0.5).fit(
        np.repeat(d.X, w, axis=0), np.repeat(d.y, w), target=Domain(d.Xt)
    )
    np.testing.assert_allclose(weighted.predict(d.Xn), repeated.predict(d.Xn), rtol=1e-6)


@EVERY
def test_wrong_values(method: Any, toy: Any) -> None:
    d = toy(0)
    for value in (-0.1, 1.1, "none", None):
        with pytest.raises(InputError, match="shrinkage"):
            method(shrinkage=value).fit(d.X, d.y)
