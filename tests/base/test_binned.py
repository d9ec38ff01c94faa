"""Boosting on weighted rows is scikit-learn's, whoever takes the percentiles."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.utils.stats import _weighted_percentile

from acclimate.base.binned import as_bins, edges_of, weighs, weighted_edges
from acclimate.base.sized import BoostingClassifier, BoostingRegressor, effective_rows

RANKS = np.linspace(0, 100, 256)[1:-1]


weighed = pytest.mark.skipif(not weighs(), reason="bins of this scikit-learn have no weights")


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(700, 5))
    X[:, 1] = X[:, 1].round(1)  # few values: percentiles are not for it
    X[:, 2] = X[:, 2].round(2)  # equal values beyond 255 different ones
    X[rng.random(X.shape) < 0.05] = np.nan
    weight = np.where(np.arange(700) < 600, 0.4 / 600, 0.6 / 100) * 700
    y = (np.nan_to_num(X[:, 0]) * np.nan_to_num(X[:, 2]) > 0.1).astype(int)
    return X, y, weight


@weighed
@pytest.mark.parametrize("kind", ["two weights", "ones", "drawn"])
def test_edges_are_the_weighted_percentiles(rows, kind):
    X, _, weight = rows
    weight = {"two weights": weight, "ones": np.ones(700),
              "drawn": np.random.default_rng(1).gamma(1.0, size=700)}[kind]  # fmt: skip
    for j in (0, 3, 4) if kind == "ones" else (0, 2, 3, 4):
        seen = ~np.isnan(X[:, j])
        order = np.argsort(X[seen, j])
        x, w = X[seen, j][order], weight[seen][order]
        expected = [_weighted_percentile(x, w, rank, average=True) for rank in RANKS]
        np.testing.assert_array_equal(weighted_edges(X[:, j], weight), np.unique(expected))
    assert weighted_edges(X[:, 1], weight) is None


def test_an_empty_bin_is_left_to_scikit_learn(rows):
    assert weighted_edges(rows[0][:, 2], np.ones(700)) is None


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (BoostingClassifier, HistGradientBoostingClassifier),
        (BoostingRegressor, HistGradientBoostingRegressor),
    ],
)
def test_answers_are_scikit_learns_to_the_bit(rows, ours, theirs):
    X, y, weight = rows
    model = ours(rounds=20, random_state=0).fit(X, y, sample_weight=weight)
    assert (model.edges_ is not None) is weighs()
    settings = model._settings(effective_rows(len(X), weight), 0)
    other = theirs(**settings).fit(X, y, sample_weight=weight)
    new = np.random.default_rng(2).normal(scale=2.0, size=(500, 5))
    new[::7, 3] = np.nan
    new[:100, :] = X[:100]
    name = "predict_proba" if hasattr(other, "predict_proba") else "predict"
    np.testing.assert_array_equal(getattr(model, name)(new), getattr(other, name)(new))


@weighed
def test_categories_stay_codes(rows):
    X, y, weight = rows
    frame = pd.DataFrame({"a": X[:, 0], "ward": pd.Categorical(np.where(X[:, 4] > 0, "x", "y"))})
    model = BoostingClassifier(rounds=20, random_state=0).fit(frame, y, sample_weight=weight)
    assert model.edges_[0] is not None
    assert model.edges_[1] is None
    codes = model._read(frame, reset=False)
    other = HistGradientBoostingClassifier(**model._settings(effective_rows(700, weight), 0))
    other.fit(codes, y, sample_weight=weight)
    np.testing.assert_array_equal(model.predict_proba(frame), other.predict_proba(codes))


def test_values_on_an_edge_are_in_the_bin_below():
    edges = np.array([1.0, 2.0])
    X = np.array([[0.5], [1.0], [1.5], [2.0], [9.0], [np.nan]])
    np.testing.assert_array_equal(as_bins(X, [edges])[:, 0], [0, 0, 1, 1, 2, np.nan])


@pytest.mark.parametrize("version", ["1.7.2", "1.8.0", "1.9.1", "2.0.dev0"])
def test_a_scikit_learn_that_weighs_no_bins_takes_its_own(rows, version, monkeypatch):
    monkeypatch.setattr("sklearn.__version__", version)
    X, _, weight = rows
    assert (edges_of(X, None, weight) is None) is (version < "1.9")
