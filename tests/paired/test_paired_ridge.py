"""`PairedRidge` against ridge regression of scikit-learn and sums by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.preprocessing import StandardScaler

from acclimate import PairedRidge
from acclimate.maths.ridge import PENALTIES
from acclimate.testing.toy_pairs import toy_pairs


def test_similarities_are_the_sum_of_both_directions() -> None:
    d = toy_pairs(n=40, noise=0.5)
    a, b = StandardScaler().fit(d.A), StandardScaler().fit(d.B)
    A, B = a.transform(d.A), b.transform(d.B)

    def regression(X: np.ndarray, Y: np.ndarray) -> Ridge:
        losses = []
        for penalty in PENALTIES:
            # the mean is left out with the row, as its leverage says
            model = Ridge(alpha=len(X) * penalty)
            losses.append(np.square(cross_val_predict(model, X, Y, cv=LeaveOneOut()) - Y).mean())
        return Ridge(alpha=len(X) * PENALTIES[int(np.argmin(losses))]).fit(X, Y)

    there, back = regression(A, B), regression(B, A)

    def cosines(P: np.ndarray, Q: np.ndarray) -> np.ndarray:
        P, Q = (Z / np.linalg.norm(Z, axis=1, keepdims=True) for Z in (P, Q))
        return P @ Q.T

    An, Bn = a.transform(d.An), b.transform(d.Bn)
    expected = cosines(there.predict(An), Bn) + cosines(An, back.predict(Bn))
    model = PairedRidge().fit(d.A, d.B)
    found = model.transform(d.An) @ model.transform(d.Bn, given="B").T
    np.testing.assert_allclose(found, expected, atol=1e-8)
    assert model.penalties_ == pytest.approx((there.alpha / 40, back.alpha / 40))


def test_swapped_sides_swap_given() -> None:
    d = toy_pairs(noise=0.5)
    one, two = PairedRidge().fit(d.A, d.B), PairedRidge().fit(d.B, d.A)
    np.testing.assert_array_equal(
        one.retrieve(d.An, d.Bn, k=7), two.retrieve(d.An, d.Bn, k=7, given="B")
    )


def test_units_of_columns_do_not_matter() -> None:
    d = toy_pairs(noise=0.5)
    plain = PairedRidge().fit(d.A, d.B)
    a, b = np.array([1.0, 100.0, 0.01, 5.0, 1e3]), np.linspace(0.5, 9, 7)
    other = PairedRidge().fit(d.A * a - 3, d.B * b + 8)
    np.testing.assert_allclose(
        other.transform(d.An * a - 3), plain.transform(d.An), rtol=1e-6, atol=1e-8
    )


def test_more_columns_than_pairs_and_still_columns() -> None:
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(60, 2))
    A = np.hstack([seen @ rng.normal(size=(2, 80)), np.ones((60, 3))])
    B = seen @ rng.normal(size=(2, 90))
    model = PairedRidge().fit(A[:40], B[:40])
    assert (model.retrieve(A[40:], B[40:], k=1)[:, 0] == np.arange(20)).all()


def test_one_way_alone_is_drawn_to_the_mean() -> None:
    """Why both directions: of noisy pairs, the sum finds more partners than one regression."""
    found = []
    for seed in range(8):
        d = toy_pairs(seed, n=40, m=60, shared=4, noise=1.0)
        model = PairedRidge().fit(d.A, d.B)
        both = model.transform(d.An), model.transform(d.Bn, given="B")
        width = d.B.shape[1]
        one_way = both[0][:, :width] @ both[1][:, :width].T
        own = np.arange(60)
        found.append([(S.argmax(1) == own).mean() for S in (both[0] @ both[1].T, one_way)])
    means = np.mean(found, axis=0)
    assert means[0] >= means[1]
