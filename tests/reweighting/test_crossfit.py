"""All folds at once against scikit-learn, one fold at a time."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from acclimate.reweighting.crossfit import log_odds


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("d", "folds"), [(3, 2), (30, 5)])
def test_each_row_is_judged_by_a_model_of_the_other_folds(
    d: int, folds: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acclimate.reweighting.crossfit.TOLERANCE", 1e-7)
    rng = np.random.default_rng(0)
    side = rng.integers(2, size=400)
    X = (rng.normal(size=(400, d)) * rng.uniform(0.1, 50, size=d) + 1e3).astype(dtype)
    X[:, 0] += (3 * side * X[:, 0].std()).astype(dtype)
    X[:, 1] = 7.3  # constant
    fold = rng.integers(folds, size=400)
    found = log_odds(X, side, fold, folds)
    Z = StandardScaler().fit_transform(X.astype("f8"))
    for k in range(folds):
        judge = LogisticRegression(tol=1e-8, max_iter=5000).fit(Z[fold != k], side[fold != k])
        expected = judge.decision_function(Z[fold == k])
        tolerance = 2e-3 if dtype == "f4" else 1e-4
        np.testing.assert_allclose(found[fold == k], expected, atol=tolerance, rtol=tolerance)


def test_a_row_does_not_judge_itself() -> None:
    rng = np.random.default_rng(1)
    X, side, fold = rng.normal(size=(60, 2)), np.arange(60) % 2, np.arange(60) // 2 % 3
    changed = side.copy()
    changed[fold == 1] = 1 - changed[fold == 1]  # what the held rows are called
    first, second = log_odds(X, side, fold, 3), log_odds(X, changed, fold, 3)
    np.testing.assert_allclose(first[fold == 1], second[fold == 1], atol=1e-3)
    assert np.abs(first[fold != 1] - second[fold != 1]).max() > 0.05
