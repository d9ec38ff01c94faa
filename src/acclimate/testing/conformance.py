"""scikit-learn's own checks, and ours where those cannot hold."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import DataConversionWarning, SkipTestWarning

from acclimate.domain import Domain
from acclimate.testing.cases import Case, check, require, same

WEIGHTS = (
    "a target's rows carry no weights, and solvers and batches see repeated rows otherwise; "
    "weights_of_zero_drop_rows checks the meaning"
)
SUBSETS = "float32 matrix products round by batch size; predictions_of_subsets checks to 1e-4"
NOISE = (
    "the labels of this check are noise, and a method that reads class shares off predictions says "
    "that no model tells the classes apart"
)
LEAST = 50  # of scikit-learn's checks that must have run


def _may_fail(case: Case) -> dict[str, str]:
    """Return the checks that may fail, with the reason."""
    reasons = {
        "check_sample_weight_equivalence_on_dense_data": WEIGHTS,
        "check_sample_weight_equivalence_on_sparse_data": WEIGHTS,
    }
    if case.row.name == "LabelShift":
        reasons |= dict.fromkeys(
            ("check_estimator_sparse_array", "check_estimator_sparse_matrix"), NOISE
        )
    if case.row.network:
        reasons["check_methods_subset_invariance"] = SUBSETS
    return reasons


def _shifted(X: Any) -> Any:
    """Return rows like X but moved; what cannot be moved comes back as it is, to be refused."""
    if sp.issparse(X):
        return X * 1.25
    if hasattr(X, "iloc"):
        return X + 0.25
    values = np.asarray(X)
    return values + 0.25 if values.dtype.kind in "iufb" else X


@contextmanager
def _with_target(case: Case) -> Iterator[Any]:
    """Give an estimator of a subclass whose ``fit`` makes a target out of X."""
    parent: Any = type(case.method)

    class WithTarget(parent):  # type: ignore[misc]
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            target = case.domain(_shifted(X), y)
            return super().fit(X, y, target=target, sample_weight=sample_weight)

    name = f"{parent.__name__}{case.task}WithTarget"
    WithTarget.__name__ = WithTarget.__qualname__ = name
    globals()[name] = WithTarget  # pickle looks a class up by its name
    try:
        yield WithTarget(**case.make().get_params(deep=False))
    finally:
        del globals()[name]


def _run(estimator: Any, case: Case) -> None:
    from sklearn.utils.estimator_checks import check_estimator

    with warnings.catch_warnings():
        # scikit-learn skips what needs a library that is not installed, and passes column vectors
        warnings.simplefilter("ignore", SkipTestWarning)
        warnings.simplefilter("ignore", DataConversionWarning)
        results = check_estimator(estimator, on_fail=None, expected_failed_checks=_may_fail(case))
    failed = [r for r in results if r["status"] == "failed"]
    words = "; ".join(f"{r['check_name']}: {r['exception']}" for r in failed)
    require(not failed, f"of scikit-learn's checks fail {words}")
    passed = sum(r["status"] == "passed" for r in results)
    require(passed >= LEAST, f"only {passed} of scikit-learn's checks ran")


@check()
def sklearn_checks_without_target(case: Case) -> None:
    """scikit-learn's checks of an estimator, on stage one."""
    _run(case.make(), case)


@check()
def sklearn_checks_with_target(case: Case) -> None:
    """scikit-learn's checks of an estimator, on both stages."""
    with _with_target(case) as estimator:
        _run(estimator, case)


@check()
def a_target_can_be_made_in_a_subclass(case: Case) -> None:
    """What the check above relies on."""
    d = case.data()
    require(isinstance(case.domain(_shifted(d.X), d.y), Domain), "the target is no Domain")
    with _with_target(case) as estimator:
        adapted = estimator.fit(d.X, d.y).adapted_
    require(adapted is case.row.alters, f"adapted_ is {adapted}")


@check()
def weights_of_zero_drop_rows(case: Case) -> None:
    """A row of weight 0 is no row."""
    d = case.data()
    keep = np.random.default_rng(1).random(len(d.X)) < 0.7
    weighted = case.make().fit(d.X, d.y, sample_weight=keep.astype(float))
    dropped = case.make().fit(d.X[keep], d.y[keep])
    if case.row.network:  # rows of weight 0 are left out before a batch is drawn
        require(same(weighted, dropped, d.Xn), "rows of weight 0 change the network")
        return
    rtol, atol = (1e-6, 0.0) if case.regression else (1e-7, 1e-4)
    np.testing.assert_allclose(
        case.answers(weighted, d.Xn), case.answers(dropped, d.Xn), rtol=rtol, atol=atol
    )


@check()
def predictions_of_subsets(case: Case) -> None:
    """A row is answered as it is among others."""
    d = case.data()
    model = case.fitted(d)
    whole = case.answers(model, d.Xn)
    parts = np.concatenate([case.answers(model, d.Xn[i : i + 1]) for i in range(len(d.Xn))])
    np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-4)
