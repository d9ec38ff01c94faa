"""scikit-learn's own checks on every tabular row, and our own where those cannot hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.utils.estimator_checks import check_estimator

from acclimate import Domain

WEIGHTS = (
    "a target's rows carry no weights, and solvers and batches see repeated rows otherwise; "
    "test_weights_of_zero_drop_rows checks the meaning"
)
SUBSETS = "float32 matrix products round by batch size; test_predictions_of_subsets checks to 1e-4"


def expected_failures(case: Any) -> dict[str, str]:
    """Return the checks that may fail, with the reason."""
    reasons = {
        "check_sample_weight_equivalence_on_dense_data": WEIGHTS,
        "check_sample_weight_equivalence_on_sparse_data": WEIGHTS,
    }
    if case.row.network:
        reasons["check_methods_subset_invariance"] = SUBSETS
    return reasons


def shifted(X: Any) -> Any:
    """Return rows like X but moved; what cannot be moved comes back as it is, to be refused."""
    if sp.issparse(X):
        return X * 1.25
    if hasattr(X, "iloc"):
        return X + 0.25
    values = np.asarray(X)
    return values + 0.25 if values.dtype.kind in "iufb" else X


def with_target(case: Any) -> Any:
    """Return an estimator of a subclass whose ``fit`` makes a target out of X."""

    class WithTarget(case.row.load()):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            target = case.domain(shifted(X), y)
            return super().fit(X, y, target=target, sample_weight=sample_weight)

    name = f"{case.row.name}{case.task}WithTarget"
    WithTarget.__name__ = WithTarget.__qualname__ = name
    globals()[name] = WithTarget  # pickle looks a class up by its name
    return WithTarget(**case.make().get_params(deep=False))


# scikit-learn's checks skip what needs a library that is not installed, and pass column vectors.
CHECKS_WARN = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.SkipTestWarning",
    "ignore::sklearn.exceptions.DataConversionWarning",
)


def run_checks(estimator: Any, case: Any) -> None:
    results = check_estimator(estimator, expected_failed_checks=expected_failures(case))
    passed = [r["check_name"] for r in results if r["status"] == "passed"]
    failed = [r["check_name"] for r in results if r["status"] == "failed"]
    assert not failed
    assert len(passed) >= 50, f"only {len(passed)} checks ran"


@CHECKS_WARN
def test_sklearn_checks_without_target(case: Any) -> None:
    run_checks(case.make(), case)


@CHECKS_WARN
def test_sklearn_checks_with_target(case: Any) -> None:
    run_checks(with_target(case), case)


def test_weights_of_zero_drop_rows(case: Any, same: Any) -> None:
    d = case.data()
    keep = np.random.default_rng(1).random(len(d.X)) < 0.7
    weighted = case.make().fit(d.X, d.y, sample_weight=keep.astype(float))
    dropped = case.make().fit(d.X[keep], d.y[keep])
    if case.row.network:  # rows of weight 0 are left out before a batch is drawn
        assert same(weighted, dropped, d.Xn)
    elif case.regression:
        np.testing.assert_allclose(weighted.predict(d.Xn), dropped.predict(d.Xn), rtol=1e-6)
    else:
        np.testing.assert_allclose(
            weighted.predict_proba(d.Xn), dropped.predict_proba(d.Xn), atol=1e-4
        )


def test_predictions_of_subsets(case: Any) -> None:
    d = case.data()
    model = case.fitted(d)
    word = "predict" if case.regression else "predict_proba"
    whole = getattr(model, word)(d.Xn)
    parts = np.concatenate([getattr(model, word)(d.Xn[i : i + 1]) for i in range(len(d.Xn))])
    np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-4)


def test_target_is_a_domain_in_the_subclass(case: Any) -> None:
    d = case.data()
    assert isinstance(case.domain(shifted(d.X), d.y), Domain)
    model = with_target(case).fit(d.X, d.y)
    assert model.adapted_ is case.row.alters
