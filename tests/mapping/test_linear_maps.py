"""The closed forms of the linear maps against what they promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.optimize import minimize
from sklearn.linear_model import Ridge

from acclimate import CORAL, Domain, LinearMonge, SubspaceAlignment
from acclimate.exceptions import InputError
from acclimate.mapping.coral import recolour
from acclimate.mapping.linear_monge import monge_matrix
from acclimate.mapping.mapped import moments, principal_axes
from acclimate.mapping.subspace_alignment import align

RNG = np.random.default_rng
METHODS = (CORAL, LinearMonge, SubspaceAlignment)


def covariance(seed: int, d: int, rank: int) -> Any:
    B = RNG(seed).normal(size=(d, rank))
    return B @ B.T


def best_of_rank(C: Any, rank: int) -> Any:
    U, s, Vt = np.linalg.svd(C)
    return (U[:, :rank] * s[:rank]) @ Vt[:rank]


@pytest.mark.parametrize(("ranks"), [(6, 6), (3, 6), (6, 3), (3, 3), (2, 4)], ids=str)
def test_coral_reaches_the_targets_covariance_at_any_rank(ranks: tuple[int, int]) -> None:
    Cs, Ct = covariance(0, 6, ranks[0]), covariance(1, 6, ranks[1])
    A = recolour(Cs, Ct)
    np.testing.assert_allclose(A.T @ Cs @ A, best_of_rank(Ct, min(ranks)), atol=1e-10)


def test_coral_is_the_papers_formula_at_full_rank() -> None:
    Cs, Ct = covariance(0, 5, 5), covariance(1, 5, 5)
    expected = np.linalg.inv(sqrtm(Cs)) @ sqrtm(Ct)
    np.testing.assert_allclose(recolour(Cs, Ct), expected, atol=1e-8)


def test_mapped_source_rows_have_the_targets_moments(toy: Any) -> None:
    d = toy(0)
    for method in (CORAL, LinearMonge):
        model = method(shrinkage=0.0).fit(d.X, d.y, target=Domain(d.Xt))
        Z = model.transform(d.X, domain="source")
        np.testing.assert_allclose(Z.mean(0), d.Xt.mean(0), atol=1e-10)
        np.testing.assert_allclose(np.cov(Z.T, bias=True), np.cov(d.Xt.T, bias=True), atol=1e-9)
        assert np.array_equal(model.transform(d.Xn), d.Xn)


def test_coral_without_means_ignores_a_move(toy: Any) -> None:
    d = toy(0)
    here = CORAL(align_means=False).fit(d.X, d.y, target=Domain(d.Xt))
    there = CORAL(align_means=False).fit(d.X, d.y, target=Domain(d.Xt + 6))
    np.testing.assert_allclose(here.map_matrix_, there.map_matrix_, atol=1e-9)
    np.testing.assert_allclose(
        here.transform(d.X, domain="source"), d.X @ here.map_matrix_, atol=1e-12
    )


def test_shrinkage_is_ledoit_and_wolfs() -> None:
    from sklearn.covariance import ledoit_wolf

    X = RNG(0).normal(size=(12, 20)) * np.linspace(1, 3, 20)
    mean, C = moments(X, name="source", shrinkage="auto")
    np.testing.assert_allclose(mean, X.mean(0))
    np.testing.assert_allclose(C, ledoit_wolf(X)[0], atol=1e-12)


def test_integer_weights_are_repeated_rows() -> None:
    X, w = RNG(0).normal(size=(30, 3)) + 2, RNG(1).integers(0, 4, size=30)
    for a, b in zip(
        moments(X, w, name="source"), moments(np.repeat(X, w, axis=0), name="source"), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_float32_loses_no_digits_to_a_large_mean() -> None:
    X = (RNG(0).normal(size=(9000, 3)) + 1000).astype(np.float32)
    exact = np.cov(X.astype(np.float64).T, bias=True)
    np.testing.assert_allclose(moments(X, name="source")[1], exact, atol=1e-9)


def test_the_monge_map_pushes_one_gaussian_onto_the_other() -> None:
    Cs, Ct = covariance(0, 6, 6), covariance(1, 6, 6)
    A = monge_matrix(Cs, Ct)
    np.testing.assert_allclose(A @ Cs @ A, Ct, atol=1e-9)
    np.testing.assert_allclose(A, A.T, atol=1e-12)
    assert np.linalg.eigvalsh(A).min() > 0
    root = sqrtm(Cs)
    inverse = np.linalg.inv(root)
    np.testing.assert_allclose(A, inverse @ sqrtm(root @ Ct @ root) @ inverse, atol=1e-7)


def test_the_monge_map_is_pots() -> None:
    from acclimate.mapping.pot_loading import pot

    rng = RNG(4)
    ms, mt = rng.normal(size=(2, 5))
    Cs, Ct = covariance(0, 5, 5), covariance(1, 5, 5)
    A, b = pot().gaussian.bures_wasserstein_mapping(ms, mt, Cs, Ct)
    np.testing.assert_allclose(monge_matrix(Cs, Ct), A, atol=1e-7)
    X, Xt = rng.normal(size=(60, 5)) @ A, 2 * rng.normal(size=(50, 5)) + 3
    model = LinearMonge(shrinkage=0.0).fit(X, np.arange(60) % 2, target=Domain(Xt))
    A, b = pot().gaussian.empirical_bures_wasserstein_mapping(X, Xt, reg=0.0)
    np.testing.assert_allclose(model.transform(X, domain="source"), X @ A + b, atol=1e-7)


def test_no_other_map_between_the_gaussians_is_cheaper() -> None:
    """Every map with A' Cs A = Ct is the Monge map times a turn; a search over turns finds none."""
    Cs, Ct = covariance(0, 2, 2), covariance(1, 2, 2)
    root = sqrtm(Cs)

    def cost(A: Any) -> float:
        move = A - np.eye(2)
        return float(np.trace(move @ Cs @ move.T))

    def turned(angle: Any) -> float:
        c, s = np.cos(angle[0]), np.sin(angle[0])
        return cost(sqrtm(Ct) @ np.array([[c, -s], [s, c]]) @ np.linalg.inv(root))

    found = min(minimize(turned, [start]).fun for start in (0.0, 2.0, 4.0))
    assert cost(monge_matrix(Cs, Ct)) == pytest.approx(found, abs=1e-8)


def test_a_singular_monge_map_is_exact_on_the_range_of_the_source() -> None:
    Cs = covariance(0, 5, 3)
    U = np.linalg.svd(Cs)[0][:, :3]
    Ct = covariance(1, 5, 5)
    A = monge_matrix(Cs, Ct)
    np.testing.assert_allclose(U.T @ A @ Cs @ A @ U, U.T @ Ct @ U, atol=1e-9)
    np.testing.assert_allclose(A @ (np.eye(5) - U @ U.T), 0, atol=1e-9)


def test_identical_domains_are_left_alone(toy: Any) -> None:
    d = toy(0)
    for method in (CORAL, LinearMonge):
        model = method().fit(d.X, d.y, target=Domain(d.X))
        np.testing.assert_allclose(model.map_matrix_, np.eye(4), atol=1e-9)
    model = SubspaceAlignment(n_components=4).fit(d.X, d.y, target=Domain(d.X))
    np.testing.assert_allclose(model.alignment_, np.eye(4), atol=1e-9)


def test_the_alignment_is_the_least_squares_solution() -> None:
    Ps = np.linalg.qr(RNG(0).normal(size=(7, 3)))[0]
    Pt = np.linalg.qr(RNG(1).normal(size=(7, 3)))[0]
    np.testing.assert_allclose(align(Ps, Pt), np.linalg.lstsq(Ps, Pt, rcond=None)[0], atol=1e-12)


@pytest.mark.parametrize("shape", [(40, 6), (5, 9)], ids=str)
def test_principal_axes_are_scikit_learns(shape: tuple[int, int]) -> None:
    from sklearn.decomposition import PCA

    X = RNG(0).normal(size=shape) * np.linspace(1, 4, shape[1]) + 3
    mean, variances, P = principal_axes(X, None, name="source")
    r = min(shape[0] - 1, shape[1])
    pca = PCA(n_components=r).fit(X)
    np.testing.assert_allclose(mean, pca.mean_)
    np.testing.assert_allclose(
        variances * shape[0] / (shape[0] - 1), pca.explained_variance_, rtol=1e-9
    )
    np.testing.assert_allclose(np.abs(P.T @ pca.components_.T), np.eye(r), atol=1e-7)


def test_the_default_keeps_95_percent_of_both_variances() -> None:
    X = RNG(0).normal(size=(300, 4)) * [10.0, 10.0, 0.1, 0.1]
    Xt = RNG(1).normal(size=(300, 4)) * [10.0, 10.0, 10.0, 0.1]
    model = SubspaceAlignment().fit(X, X[:, 0] > 0, target=Domain(X))
    assert model.n_components_ == 2
    assert model.adapt(Domain(Xt)).n_components_ == 3


@pytest.mark.parametrize("method", METHODS)
def test_more_features_than_rows(method: Any) -> None:
    rng = RNG(0)
    X, Xt = rng.normal(size=(20, 50)), rng.normal(size=(15, 50)) * 3 + 1
    y = np.arange(20) % 2
    X[:, :3] += 4 * y[:, None]
    Xt[:, :3] += 12 * (np.arange(15) % 2)[:, None]
    model = method().fit(X, y, target=Domain(Xt))
    assert (model.predict(Xt) == np.arange(15) % 2).mean() > 0.9


@pytest.mark.parametrize("method", METHODS)
def test_a_stretched_and_moved_regression_is_undone(method: Any, toy: Any) -> None:
    rng = RNG(0)
    X, Xn = rng.normal(size=(400, 3)) * [3, 2, 1], rng.normal(size=(400, 3)) * [3, 2, 1]
    slope = np.array([1.0, -1.0, 0.5])
    model = method(Ridge()).fit(X, X @ slope, target=Domain(Xn + 20))
    assert model.score(Xn + 20, Xn @ slope) > 0.95
    assert Ridge().fit(X, X @ slope).score(Xn + 20, Xn @ slope) < 0.5


@pytest.mark.parametrize("method", METHODS)
def test_float32_stays_float32(method: Any, toy: Any) -> None:
    d = toy(0)
    model = method().fit(d.X.astype(np.float32), d.y, target=Domain(d.Xt.astype(np.float32)))
    assert model.transform(d.Xn.astype(np.float32)).dtype == np.float32
    assert model.transform(d.X.astype(np.float32), domain="source").dtype == np.float32


@pytest.mark.parametrize("method", METHODS)
def test_target_labels_join_only_when_asked(method: Any, toy: Any) -> None:
    d = toy(0)
    names = {0: "a", 1: "b", 2: "c"}
    other = {5: "c", 6: "a", 7: "b"}
    code = np.array([6, 7, 5])
    plain = method(use_target_labels=True).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    renamed = method(use_target_labels=True).fit(
        d.X, d.y, class_names=names, target=Domain(d.Xt, code[d.yt], class_names=other)
    )
    assert renamed.predict(d.Xn).tolist() == code[plain.predict(d.Xn)].tolist()
    without = method().fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    assert not np.allclose(plain.predict_proba(d.Xn), without.predict_proba(d.Xn), atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_what_cannot_be_aligned_is_refused(method: Any, toy: Any) -> None:
    d = toy(0)
    with pytest.raises(InputError, match="n_samples=1"):
        method().fit(d.X, d.y, target=Domain(d.Xt[:1]))
    with pytest.raises(InputError, match="all rows of the target are equal"):
        method().fit(d.X, d.y, target=Domain(np.full((9, 4), 0.3)))
    with pytest.raises(ValueError, match="infinity"):
        method().fit(d.X, d.y, target=Domain(np.where(d.Xt > 2, np.inf, d.Xt)))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (CORAL(shrinkage=2.0), "shrinkage must be"),
        (LinearMonge(shrinkage="some"), "shrinkage must be"),
        (SubspaceAlignment(n_components=0), "n_components must be at least 1 or None, got 0"),
        (SubspaceAlignment(n_components=9), "varies along 4 axes only"),
    ],
)
def test_wrong_settings(model: Any, message: str, toy: Any) -> None:
    d = toy(0)
    with pytest.raises(InputError, match=message):
        model.fit(d.X, d.y, target=Domain(d.Xt))
