"""`PairedCCA` against the generalised eigenvalue problem and scikit-learn's own."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import eigh
from sklearn.cross_decomposition import CCA

from acclimate import PairedCCA
from acclimate.paired.paired_cca import FEW, MIDDLE, chosen_shrinkage
from acclimate.testing.toy_pairs import toy_pairs


@pytest.mark.parametrize("shrinkage", [0.0, 0.2, 1.0])
def test_correlations_are_those_of_the_eigenvalue_problem(shrinkage: float) -> None:
    d = toy_pairs(noise=0.5)
    A, B = d.A - d.A.mean(0), d.B - d.B.mean(0)
    n, p, q = len(A), A.shape[1], B.shape[1]

    def shrunk(X: np.ndarray) -> np.ndarray:
        S = X.T @ X / n
        return (1 - shrinkage) * S + shrinkage * np.trace(S) / len(S) * np.eye(len(S))

    cross = A.T @ B / n
    left = np.block([[np.zeros((p, p)), cross], [cross.T, np.zeros((q, q))]])
    right = np.block([[shrunk(A), np.zeros((p, q))], [np.zeros((q, p)), shrunk(B)]])
    values = eigh(left, right, eigvals_only=True)[::-1][:p]
    model = PairedCCA(shrinkage=shrinkage).fit(d.A, d.B)
    np.testing.assert_allclose(model.correlations_, values, atol=1e-10)
    for to_common, C in ((model.to_common_A_, shrunk(A)), (model.to_common_B_, shrunk(B))):
        np.testing.assert_allclose(to_common.T @ C @ to_common, np.eye(p), atol=1e-8)


def test_without_shrinkage_it_is_plain_cca() -> None:
    d = toy_pairs(n=200, noise=0.5)
    model = PairedCCA(shrinkage=0.0, components=2).fit(d.A, d.B)
    theirs = CCA(2, max_iter=5000, tol=1e-12).fit(d.A, d.B)
    mine = (d.A - model.mean_A_) @ model.to_common_A_
    for ours, other in zip(mine.T, theirs.transform(d.A).T, strict=True):
        assert abs(np.corrcoef(ours, other)[0, 1]) == pytest.approx(1.0, abs=1e-6)


def test_components_are_the_first_of_all() -> None:
    d = toy_pairs(noise=0.5)
    few, all_ = PairedCCA(components=2).fit(d.A, d.B), PairedCCA().fit(d.A, d.B)
    np.testing.assert_array_equal(few.to_common_A_, all_.to_common_A_[:, :2])
    assert PairedCCA(components=99).fit(d.A, d.B).correlations_.shape == (5,)


def test_the_shrinkage_is_chosen_by_what_is_found() -> None:
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(60, 3))
    wide = [seen @ rng.normal(size=(3, 40)) + 2.0 * rng.normal(size=(60, 40)) for _ in "AB"]
    assert chosen_shrinkage(wide[0], wide[1]) >= 0.3  # more columns of noise than pairs
    d = toy_pairs(n=400, noise=0.02)
    assert chosen_shrinkage(d.A, d.B) <= 0.1


def test_few_items_hold_none_out() -> None:
    d = toy_pairs()
    assert chosen_shrinkage(d.A[: FEW - 1], d.B[: FEW - 1]) == MIDDLE
    B = np.tile(d.B[:4], (10, 1))  # forty pairs of four captions
    assert chosen_shrinkage(d.A[:40], B) == MIDDLE
    assert PairedCCA(shrinkage=0.25).fit(d.A, d.B).shrinkage_ == 0.25
