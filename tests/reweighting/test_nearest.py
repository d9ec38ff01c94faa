"""Counts against all distances; equal rows share; the order of rows does not matter."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from acclimate import Domain
from acclimate.exceptions import InputError
from acclimate.reweighting.nearest import NearestNeighborWeights, cell_counts


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 2)), rng.normal((1.0, 0.0), 0.7, size=(90, 2))


def test_counts_are_those_of_all_distances() -> None:
    X, Xt = data()
    nearest = ((Xt[:, None] - X) ** 2).sum(2).argmin(1)
    assert np.array_equal(cell_counts(X, Xt), np.bincount(nearest, minlength=len(X)))


def test_equal_rows_share_and_nothing_is_lost() -> None:
    X, Xt = data()
    twice = np.concatenate([X, X[:10]])
    counts = cell_counts(twice, Xt)
    assert counts.sum() == pytest.approx(len(Xt))
    np.testing.assert_allclose(counts[:10], cell_counts(X, Xt)[:10] / 2)
    assert np.array_equal(counts[:10], counts[60:])


def test_the_order_of_rows_changes_nothing() -> None:
    X, Xt = data()
    order = np.random.default_rng(3).permutation(len(X))
    assert np.array_equal(cell_counts(X[order], Xt[::-1]), cell_counts(X, Xt)[order])


def test_weights_help_a_line() -> None:
    X, Xt = data()
    model = NearestNeighborWeights(LinearRegression()).fit(X, X[:, 0] ** 2, target=Domain(Xt))
    y = Xt[:, 0] ** 2
    assert model.score(Xt, y) > model.source_model_.score(Xt, y) + 0.1
    assert model.weights_.mean() == pytest.approx(1.0)


def test_identical_domains_get_equal_weights() -> None:
    X, _ = data()
    model = NearestNeighborWeights(LinearRegression()).fit(X, X[:, 0], target=Domain(X))
    assert (model.weights_ == 1).all()


def test_a_negative_smoothing_is_an_error() -> None:
    X, _ = data()
    with pytest.raises(InputError, match="smoothing must be at least 0, got -1"):
        NearestNeighborWeights(LinearRegression(), smoothing=-1).fit(X, X[:, 0])
