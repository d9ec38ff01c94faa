"""Rows left out by one Newton step, against refits without each row."""

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression

from acclimate.base.left_out import left_out_losses
from acclimate.base.penalised import LinearClassifier


def _rows(classes: int, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(classes)
    X = rng.normal(size=(n, 4))
    z = X @ rng.normal(size=(4, classes)) + rng.gumbel(size=(n, classes))
    return X, z.argmax(axis=1)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_one_newton_step_is_near_a_refit(classes: int, weighted: bool) -> None:
    X, codes = _rows(classes)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(X)) if weighted else None
    model = LogisticRegression(C=0.1, tol=1e-10, max_iter=5000).fit(X, codes, weight)
    said = left_out_losses(X, codes, model.coef_, model.intercept_, 0.1, weight)
    fitted = model.predict_log_proba(X)[np.arange(len(X)), codes]
    truth = np.empty(len(X))
    for i in range(len(X)):
        rest = np.arange(len(X)) != i
        again = LogisticRegression(C=0.1, tol=1e-10, max_iter=5000).fit(
            X[rest], codes[rest], None if weight is None else weight[rest]
        )
        truth[i] = -again.predict_log_proba(X[[i]])[0, codes[i]]
    moved = np.abs(truth + fitted).max()
    assert np.abs(said - truth).max() < 0.05 * moved  # a second order is left
    assert np.corrcoef(said, truth)[0, 1] > 0.9999


def test_a_common_move_of_all_scores_changes_nothing() -> None:
    X, codes = _rows(3)
    model = LogisticRegression(C=1.0).fit(X, codes)
    one = left_out_losses(X, codes, model.coef_, model.intercept_, 1.0)
    two = left_out_losses(X, codes, model.coef_, model.intercept_ + 5.0, 1.0)
    np.testing.assert_allclose(one, two, rtol=1e-6)
    z = X @ model.coef_.T + model.intercept_
    assert (one >= logsumexp(z, axis=1) - z[np.arange(len(X)), codes]).mean() > 0.95


@pytest.mark.parametrize("classes", [2, 3])
def test_folds_and_rows_in_turn_choose_alike(classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    X, codes = _rows(classes, 300)
    in_turn = LinearClassifier().fit(X, codes).C_
    monkeypatch.setattr("acclimate.base.penalised.MOST_NUMBERS", 0)
    in_folds = LinearClassifier(random_state=0, folds=10).fit(X, codes).C_
    assert max(in_turn, in_folds) / min(in_turn, in_folds) < 4  # at most a step apart


def test_rows_may_be_permuted() -> None:
    X, codes = _rows(3)
    order = np.random.default_rng(1).permutation(len(X))
    one, two = LinearClassifier().fit(X, codes), LinearClassifier().fit(X[order], codes[order])
    assert one.C_ == two.C_
    np.testing.assert_allclose(one.coef_, two.coef_, atol=1e-3)
