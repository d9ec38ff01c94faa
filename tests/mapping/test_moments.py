"""Moments in one pass against NumPy and scikit-learn on all rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf
from threadpoolctl import ThreadpoolController

from acclimate.exceptions import InputError
from acclimate.mapping import moments as module
from acclimate.mapping.mapped import moments
from acclimate.mapping.moments import Moments


def rows(n: int = 500, d: int = 6, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.gamma(2.0, size=(n, d)) @ rng.normal(size=(d, d)) + 5 * rng.normal(size=d)


def fourth(X: np.ndarray) -> float:
    return float((((X - X.mean(0)) ** 2).sum(1) ** 2).sum())


@pytest.mark.parametrize("cuts", [[], [1], [250], [3, 4, 499], list(range(1, 500))])
def test_batches_of_any_size_give_the_moments_of_all_rows(cuts: list[int]) -> None:
    X = rows()
    found = Moments()
    for part in np.split(X, cuts):
        found.add(part)
    mean, C = found.covariance(name="source")
    np.testing.assert_allclose(mean, X.mean(0), rtol=1e-12)
    np.testing.assert_allclose(C, np.cov(X.T, bias=True), rtol=1e-11)
    share = ledoit_wolf(X)[1]
    expected = (1 - share) * C + share * np.trace(C) / 6 * np.eye(6)
    np.testing.assert_allclose(found.covariance(name="s", shrinkage="auto")[1], expected, rtol=1e-9)


@pytest.mark.parametrize("double", [False, True])
def test_columns_rows_and_both_orders_in_memory_are_the_same(double: bool) -> None:
    X = rows(n=20_000, d=130)  # more than one block
    reference = np.cov(X.T, bias=True)
    for form in (X, np.asfortranarray(X), list(np.ascontiguousarray(X.T)), X[::-1], X[:, ::-1]):
        _, C = Moments(double=double).add(form).covariance(name="source")
        flipped = form.strides[1] < 0 if isinstance(form, np.ndarray) else False
        np.testing.assert_allclose(C[::-1, ::-1] if flipped else C, reference, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_of_one_batch_are_those_of_many(
    monkeypatch: pytest.MonkeyPatch, dtype: type
) -> None:
    """Blocks of 64 rows, eight about one centre, the last ones in part."""
    monkeypatch.setattr(module, "LEAST", 64)
    monkeypatch.setattr(module, "MOST", 64)
    X = rows(n=1300).astype(dtype)
    X = X[np.argsort(X[:, 0])]
    digits = 1e-4 if dtype is np.float32 else 1e-10
    for form in (X, np.asfortranarray(X), list(np.ascontiguousarray(X.T))):
        found = Moments().add(form)
        wide = X.astype(np.float64)
        np.testing.assert_allclose(
            found.scatter / 1300, np.cov(wide.T, bias=True), rtol=digits, atol=digits
        )
        assert found._fourth == pytest.approx(fourth(wide), rel=digits)


def test_sorted_rows_and_large_means_cost_no_digits() -> None:
    X = rows(n=3000)
    X = X[np.argsort(X[:, 0])] + 1e7  # each batch is far from the mean of those before it
    found = Moments()
    for part in np.split(X, 30):
        found.add(part)
    exact = X - 1e7
    np.testing.assert_allclose(
        found.covariance(name="source")[1], np.cov(exact.T, bias=True), rtol=1e-7
    )
    assert found._fourth == pytest.approx(fourth(exact), rel=1e-7)
    drift = np.concatenate([rows(500), rows(500, seed=1) * 1e-3 + 1e4])
    found = Moments().add(drift[:500]).add(drift[500:])
    np.testing.assert_allclose(found.scatter / 1000, np.cov(drift.T, bias=True), rtol=1e-11)
    assert found._fourth == pytest.approx(fourth(drift), rel=1e-11)


def test_float32_products_are_close_and_can_be_exact() -> None:
    X = rows(n=40_000, d=20).astype(np.float32)
    reference = np.cov(X.T.astype(np.float64), bias=True)
    scale = np.sqrt(np.outer(np.diag(reference), np.diag(reference)))
    error = np.abs(Moments().add(X).covariance(name="s")[1] - reference) / scale
    assert error.max() < 2e-6
    _, C = Moments(double=True).add(X).covariance(name="s")
    np.testing.assert_allclose(C, reference, rtol=1e-10, atol=1e-10)


def test_values_whose_squares_leave_float32_are_taken_in_float64() -> None:
    X = (rows() * 1e12).astype(np.float32)
    _, C = Moments().add(X).covariance(name="s")
    np.testing.assert_allclose(C, np.cov(X.T.astype(np.float64), bias=True), rtol=1e-6)


def test_constant_features_have_no_variance() -> None:
    X = rows()
    X[:, 2] = 123.456
    found = Moments().add(X[:100]).add(X[100:])
    assert np.abs(found.scatter[2]).max() < 1e-20  # of the rounding of the mean, squared


def test_weighted_moments_shrink_like_scikit_learn() -> None:
    X, rng = rows(), np.random.default_rng(1)
    w = rng.integers(0, 4, size=len(X))
    expected = ledoit_wolf(np.repeat(X, w, axis=0))[0]  # a weight of 3 is a row three times
    np.testing.assert_allclose(moments(X, w, name="s", shrinkage="auto")[1], expected, rtol=1e-10)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gaps_are_errors(value: float, dtype: type) -> None:
    X = rows().astype(dtype)
    X[77, 3] = value
    with pytest.raises(InputError, match="NaN or infinity"):
        Moments().add(X)


def test_other_numbers_of_features_and_too_few_rows_are_errors() -> None:
    with pytest.raises(InputError, match="5 features, the first one had 6"):
        Moments().add(rows()).add(rows(d=5))
    with pytest.raises(InputError, match="n_samples=1"):
        Moments().add(rows(n=1)).covariance(name="source")
    with pytest.raises(InputError, match="all rows of the source are equal"):
        Moments().add(np.ones((5, 2))).covariance(name="source")


@pytest.mark.parametrize(("columns", "threads"), [(3, 1), (200, 2)])
def test_narrow_products_hold_blas_to_one_thread_and_let_it_go(
    columns: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools = ThreadpoolController()
    seen: list[int] = []

    def products(*given: Any) -> Any:
        seen.append(pools.select(user_api="blas").info()[0]["num_threads"])
        return plain(*given)

    plain = module._products
    monkeypatch.setattr(module, "_products", products)
    with pools.limit(limits=2, user_api="blas"):
        before = pools.select(user_api="blas").info()[0]["num_threads"]
        Moments().add(np.random.default_rng(0).normal(size=(50, columns)))
        assert pools.select(user_api="blas").info()[0]["num_threads"] == before
    assert set(seen) == {min(threads, before)}
