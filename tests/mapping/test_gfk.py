"""The closed form of the geodesic flow kernel against integration along the geodesic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm, logm, null_space, subspace_angles
from sklearn.linear_model import Ridge

from acclimate import GFK, Domain
from acclimate.exceptions import InputError
from acclimate.mapping.gfk import geodesic_factor

RNG = np.random.default_rng


def axes(seed: int, d: int, k: int) -> Any:
    return np.linalg.qr(RNG(seed).normal(size=(d, k)))[0]


def integrated(Ps: Any, Pt: Any) -> Any:
    """Integrate projections along the geodesic of the Grassmannian, made by matrix exponentials.

    The geodesic from projection p to q is ``exp(t X) p exp(-t X)`` with
    ``exp(2 X) = (1 - 2 q)(1 - 2 p)``.
    """
    eye = np.eye(len(Ps))
    p, q = Ps @ Ps.T, Pt @ Pt.T
    X = np.real(logm((eye - 2 * q) @ (eye - 2 * p))) / 2
    nodes, weights = np.polynomial.legendre.leggauss(20)
    total = np.zeros_like(eye)
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        total += weight * expm(node * X) @ p @ expm(-node * X)
    np.testing.assert_allclose(expm(X) @ p @ expm(-X), q, atol=1e-8)
    return total


@pytest.mark.parametrize(("d", "k"), [(7, 3), (6, 1), (5, 3), (4, 4)], ids=str)
def test_the_closed_form_is_the_integral(d: int, k: int) -> None:
    Ps, Pt = axes(0, d, k), axes(1, d, k)
    F, angles = geodesic_factor(Ps, Pt)
    assert F.shape == (d, 2 * k)
    np.testing.assert_allclose(F @ F.T, integrated(Ps, Pt), atol=1e-8)
    np.testing.assert_allclose(np.sort(angles), np.sort(subspace_angles(Ps, Pt)), atol=1e-7)


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-6, 0.3])
def test_small_angles(angle: float) -> None:
    Ps = np.eye(4)[:, :2]
    Pt = Ps.copy()
    Pt[0, 0], Pt[2, 0] = np.cos(angle), np.sin(angle)
    F, angles = geodesic_factor(Ps, Pt)
    np.testing.assert_allclose(np.sort(angles), [0.0, angle], atol=1e-15)
    np.testing.assert_allclose(F @ F.T, integrated(Ps, Pt), atol=1e-9)


def test_a_right_angle_weighs_both_sides_alike() -> None:
    F, angles = geodesic_factor(np.eye(2)[:, :1], np.eye(2)[:, 1:])
    np.testing.assert_allclose(angles, np.pi / 2)
    G = F @ F.T
    np.testing.assert_allclose(np.diag(G), 0.5)
    assert abs(G[0, 1]) == pytest.approx(1 / np.pi)


def test_the_bases_do_not_matter_and_the_ends_may_be_swapped() -> None:
    Ps, Pt = axes(0, 7, 3), axes(1, 7, 3)
    turn = np.linalg.qr(RNG(2).normal(size=(3, 3)))[0]
    plain, turned, swapped = (
        F @ F.T
        for F in (
            geodesic_factor(Ps, Pt)[0],
            geodesic_factor(Ps @ turn, Pt @ turn.T)[0],
            geodesic_factor(Pt, Ps)[0],
        )
    )
    np.testing.assert_allclose(turned, plain, atol=1e-10)
    np.testing.assert_allclose(swapped, plain, atol=1e-10)
    outside = null_space(np.hstack([Ps, Pt]).T)
    np.testing.assert_allclose(plain @ outside, 0, atol=1e-10)


def test_features_have_the_kernels_inner_products(toy: Any) -> None:
    d = toy(0)
    model = GFK(n_components=2, shrinkage=0.0).fit(d.X, d.y, target=Domain(d.Xt))
    Ps = np.linalg.svd(d.X - d.X.mean(0))[2][:2].T
    Pt = np.linalg.svd(d.Xt - d.Xt.mean(0))[2][:2].T
    S, T = d.X - d.X.mean(0), d.Xn - d.Xt.mean(0)
    inner = model.transform(d.X, domain="source") @ model.transform(d.Xn).T
    np.testing.assert_allclose(inner, S @ integrated(Ps, Pt) @ T.T, atol=1e-7)


def test_a_moved_regression_is_undone() -> None:
    rng = RNG(0)
    X, Xt = rng.normal(size=(300, 3)), rng.normal(size=(300, 3))
    slope = np.array([1.0, -1.0, 0.5])
    model = GFK(Ridge(), n_components=3).fit(X, X @ slope, target=Domain(Xt + 9))
    assert model.score(Xt + 9, Xt @ slope) > 0.95


def test_more_features_than_rows_and_float32() -> None:
    rng = RNG(0)
    X, Xt = rng.normal(size=(12, 40)), rng.normal(size=(10, 40)) + 3
    X, Xt = X.astype(np.float32), Xt.astype(np.float32)
    model = GFK(n_components=3, shrinkage=0.0).fit(X, np.arange(12) % 2, target=Domain(Xt))
    assert model.transform(Xt).shape == (10, 6)
    assert model.transform(Xt).dtype == np.float32


def test_wrong_settings(toy: Any) -> None:
    d = toy(0)
    with pytest.raises(InputError, match="n_components must be at least 1 or None, got 0"):
        GFK(n_components=0).fit(d.X, d.y)
    with pytest.raises(InputError, match="varies along 4 axes only"):
        GFK(n_components=5).fit(d.X, d.y, target=Domain(d.Xt))
