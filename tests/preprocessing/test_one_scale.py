"""`OneScale`: means off, and one number for all columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

import acclimate
from acclimate import Domain, EachDomain, OneScale, SourceOnly


def test_the_mean_variance_is_one_and_directions_stay() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4)) * [1e-9, 1, 2, 3] + 7
    found = OneScale().fit_transform(X)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-12)
    assert found.var(0).mean() == pytest.approx(1)
    ratio = np.linalg.norm(X[1:] - X[0], axis=1) / np.linalg.norm(found[1:] - found[0], axis=1)
    np.testing.assert_allclose(ratio, ratio[0])  # all distances by one number


def test_a_column_that_is_still_in_the_source_does_not_outweigh_others_in_the_target() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=80), 1e-4 * rng.normal(size=80)])
    Xt = np.column_stack([rng.normal(size=40), rng.normal(size=40)])
    one, each = (np.abs(step.fit(X).transform(Xt)).max() for step in (OneScale(), StandardScaler()))
    assert one < 10 < 1000 < each


def test_weights_are_rows() -> None:
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(20, 3)), rng.integers(1, 4, size=20)
    one, two = OneScale().fit(X, sample_weight=weight), OneScale().fit(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(one.mean_, two.mean_)
    assert one.scale_ == pytest.approx(two.scale_)


def test_rows_that_are_equal_have_scale_one() -> None:
    assert (OneScale().fit_transform(np.full((3, 2), 5.0)) == 0).all()


def test_it_is_fitted_on_each_domain_and_saved(toy: Any, tmp_path: Path) -> None:
    d = toy(0)
    step = EachDomain(OneScale(), least_rows=2)
    model = SourceOnly(preprocess=step).fit(d.X, d.y, target=Domain(d.Xt + 90))
    plain = SourceOnly(preprocess=step).fit(d.X, d.y, target=Domain(d.Xt))
    assert (model.predict(d.Xt + 90) == plain.predict(d.Xt)).all()
    again = acclimate.load(model.save(tmp_path / "m.acclimate"))
    assert (again.predict(d.Xt) == model.predict(d.Xt)).all()
