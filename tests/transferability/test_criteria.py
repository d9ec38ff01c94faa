"""Transferability scores against brute force, literal values, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

from acclimate.exceptions import InputError
from acclimate.maths import ridge
from acclimate.transferability import evidence
from acclimate.transferability.criteria import (
    gbc,
    h_score,
    leep,
    logme,
    nce,
    parc,
    transrate,
)


def exact_evidence(F: np.ndarray, y: np.ndarray) -> float:
    """Maximise log N(y; 0, F F^T / alpha + I / beta) over both precisions, a row."""
    n = len(F)
    K = F.astype(np.float64) @ F.T.astype(np.float64)

    def minus(p: np.ndarray) -> float:
        a, b = np.exp(np.clip(p, -30, 30))
        L = np.linalg.cholesky(K / a + np.eye(n) / b)
        z = np.linalg.solve(L, y)
        return 0.5 * z @ z + np.log(np.diag(L)).sum() + 0.5 * n * np.log(2 * np.pi)

    starts = [(a, b) for a in (-4.0, 2.0, 8.0) for b in (0.0, 3.0)]
    tight = {"xatol": 1e-6, "fatol": 1e-9, "maxiter": 2000}
    best = min(minimize(minus, s, method="Nelder-Mead", options=tight).fun for s in starts)
    return -best / n


def field_fixed_point(F: np.ndarray, y: np.ndarray) -> float:
    """Return the score of code that keeps d/2 log(alpha) but sums log|A| over rank alone."""
    n, d = F.shape
    U, root, _ = np.linalg.svd(F, full_matrices=False)
    s, z = root**2, U.T @ y
    left = y @ y - z @ z
    alpha = beta = 1.0
    for _ in range(100):
        t = alpha / beta
        gamma = (s / (s + t)).sum()
        m2 = (s * z**2 / (t + s) ** 2).sum()
        res2 = (z**2 / (1 + s / t) ** 2).sum() + left
        alpha, beta = gamma / (m2 + 1e-5), (n - gamma) / (res2 + 1e-5)
        if abs(alpha / beta - t) / t <= 1e-3:
            break
    total = d / 2 * np.log(alpha) + n / 2 * np.log(beta) - 0.5 * np.log(alpha + beta * s).sum()
    return (total - beta / 2 * res2 - alpha / 2 * m2 - n / 2 * np.log(2 * np.pi)) / n


def informative(rng: np.random.Generator, n: int, d: int, k: int = 3) -> tuple:
    y = np.arange(n) % k
    F = rng.normal(size=(n, d))
    F[:, :k] += 2.5 * np.eye(k)[y]
    return F, y


SHAPES = [(50, 512), (60, 8), (40, 40), (120, 30)]


@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_logme_is_the_exact_evidence(n: int, d: int) -> None:
    F, y = informative(np.random.default_rng(n + d), n, d)
    exact = np.mean([exact_evidence(F, (y == c).astype(float)) for c in range(3)])
    assert logme(F, y) == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize(("n", "d"), [(50, 512), (90, 12)])
def test_logme_of_a_regression_is_the_exact_evidence(n: int, d: int) -> None:
    rng = np.random.default_rng(1)
    F = rng.normal(size=(n, d))
    Y = F[:, :2] @ np.array([[1.0, 0.5], [0.0, 2.0]]) + 0.5 * rng.normal(size=(n, 2))
    exact = np.mean([exact_evidence(F, Y[:, j]) for j in range(2)])
    assert logme(F, Y, task="regression") == pytest.approx(exact, abs=1e-6)


def test_logme_of_one_constant_feature_by_hand() -> None:
    # y = 1 four times with F = 1: Q = t 4 / (t + 4), so the evidence is unbounded in beta; with
    # values 0 and 2, explained = 4 and left = 4, and L(t) has its top where it must.
    y = np.array([0.0, 2.0, 0.0, 2.0])
    t = np.exp(np.linspace(-20, 20, 400_001))
    Q = 4 + 4 * t / (t + 4)
    by_hand = (2 * np.log(4 / (2 * np.pi * Q)) - 2 - 0.5 * np.log1p(4 / t)).max() / 4
    assert logme(np.ones((4, 1)), y, task="regression") == pytest.approx(by_hand, abs=1e-8)


@pytest.mark.parametrize("rank", [1, 5])
def test_logme_of_features_of_low_rank(rank: int) -> None:
    rng = np.random.default_rng(2)
    F = rng.normal(size=(50, rank)) @ rng.normal(size=(rank, 100))
    y = (F[:, 0] + 0.5 * rng.normal(size=50) > 0).astype(int)
    exact = np.mean([exact_evidence(F, (y == c).astype(float)) for c in range(2)])
    assert logme(F, y) == pytest.approx(exact, abs=1e-6)


def test_with_fewer_rows_than_features_noise_does_not_outrank_information() -> None:
    rng = np.random.default_rng(3)
    n, d = 50, 512
    few, y = informative(rng, n, 16, k=2)
    noise = 0.01 * rng.normal(size=(n, d))
    assert logme(few, y) > logme(noise, y)
    # the same two under the code that drops a term: the order is wrong, and by far
    target = (y == 1).astype(float)
    wrong = field_fixed_point(noise, target)
    assert wrong > field_fixed_point(few, target)
    assert wrong - exact_evidence(noise, target) > 10


def test_zeros_for_features_leave_the_plain_variance() -> None:
    y = np.array([1.0, -1.0, 2.0, -2.0])
    flat = np.zeros((4, 3))
    assert logme(flat, y, task="regression") == pytest.approx(
        -0.5 * np.log(2 * np.pi * 2.5) - 0.5, abs=1e-12
    )


@pytest.mark.parametrize(("decades", "noise", "falls_back"), [(3, 0.1, True), (1, 9.0, False)])
def test_float32_blocks_agree_with_float64(
    decades: int, noise: float, falls_back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    n, d = 6000, 64
    hidden = rng.normal(size=(n, d))
    scales = np.logspace(0, -decades, d)
    F = (hidden * scales @ stats.ortho_group.rvs(d, random_state=0) + 1.0).astype(np.float32)
    y = hidden[:, -1] + noise * rng.normal(size=n)  # the direction of the smallest scale
    wide = logme(F.astype(np.float64), y, task="regression")
    monkeypatch.setattr(ridge, "EXACT", 0.0)
    monkeypatch.setattr(ridge, "BLOCK", 1000)
    exact = F.T.astype(np.float64) @ F.astype(np.float64)
    assert np.abs(evidence.gram(F) - exact).max() < 1e-6 * np.abs(exact).max()
    casts = []
    spectrum = evidence.spectrum
    monkeypatch.setattr(evidence, "spectrum", lambda F, Y: casts.append(F.dtype) or spectrum(F, Y))
    assert logme(F, y, task="regression") == pytest.approx(wide, abs=2e-6)
    assert (np.float64 in casts) == falls_back


def test_units_that_never_fire_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    F, y = informative(np.random.default_rng(18), 400, 12)
    F = np.abs(F).astype(np.float32)
    score = logme(F, y)
    dead = np.zeros((400, 3), dtype=np.float32)
    assert logme(np.c_[F, dead], y) == pytest.approx(score, abs=1e-9)
    monkeypatch.setattr(ridge, "EXACT", 0.0)
    casts = []
    spectrum = evidence.spectrum
    monkeypatch.setattr(evidence, "spectrum", lambda F, Y: casts.append(F.dtype) or spectrum(F, Y))
    assert logme(np.c_[F, dead], y) == pytest.approx(score, abs=2e-6)
    assert casts == [np.float32]


def test_labels_that_are_fitted_exactly_give_a_finite_score() -> None:
    rng = np.random.default_rng(5)
    F = rng.normal(size=(40, 3))
    score = logme(F, F @ [1.0, 2.0, 3.0], task="regression")
    assert np.isfinite(score)
    assert score > 5


def test_many_classes_are_done_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    F, y = informative(np.random.default_rng(6), 70, 20, k=7)
    at_once = logme(F, y)
    monkeypatch.setattr(evidence, "CELLS", 1)
    assert logme(F, y) == pytest.approx(at_once, abs=1e-12)


# --- the other scores ---------------------------------------------------------------------------


def test_leep_by_brute_force() -> None:
    rng = np.random.default_rng(0)
    theta = rng.dirichlet(np.ones(4), size=30)
    y = rng.integers(0, 3, 30)
    total = 0.0
    for i in range(30):
        expected = 0.0
        for z in range(4):
            joint = sum(theta[j, z] for j in range(30) if y[j] == y[i]) / 30
            expected += joint / (theta[:, z].sum() / 30) * theta[i, z]
        total += np.log(expected)
    assert leep(theta, y) == pytest.approx(total / 30, abs=1e-12)


def test_leep_of_a_source_that_knows_nothing_is_minus_the_entropy() -> None:
    y = np.array([0, 0, 0, 1])
    assert leep(np.full((4, 5), 0.2), y) == pytest.approx(-stats.entropy([0.75, 0.25]), abs=1e-12)


def test_nce_by_entropies() -> None:
    rng = np.random.default_rng(1)
    z, y = rng.integers(0, 4, 50), rng.integers(0, 3, 50)
    pairs = stats.entropy(np.unique(4 * y + z, return_counts=True)[1])
    assert nce(z, y) == pytest.approx(stats.entropy(np.bincount(z)) - pairs, abs=1e-12)


def test_leep_of_hard_probabilities_is_at_least_nce() -> None:
    # the paper's property: LEEP with hard outputs is NCE
    rng = np.random.default_rng(2)
    z, y = rng.integers(0, 4, 60), rng.integers(0, 3, 60)
    assert leep(np.eye(4)[z], y) == pytest.approx(nce(z, y), abs=1e-12)


@pytest.mark.parametrize("shrink", [True, False])
def test_h_score_by_matrices(shrink: bool) -> None:
    from sklearn.covariance import LedoitWolf

    F, y = informative(np.random.default_rng(3), 90, 6)
    G = np.array([F[y == label].mean(axis=0) for label in y])
    fit = LedoitWolf().fit(F)
    a = fit.shrinkage_ if shrink else 0.0
    cov = fit.covariance_ if shrink else np.cov(F.T, bias=True)
    expected = (1 - a) * np.trace(np.linalg.inv(cov) @ np.cov(G.T, bias=True))
    assert h_score(F, y, shrink=shrink) == pytest.approx(expected, rel=1e-10)


def test_h_score_shrinks_where_features_outnumber_rows() -> None:
    rng = np.random.default_rng(4)
    y = np.arange(40) % 2
    noise = rng.normal(size=(40, 200))
    assert h_score(noise, y, shrink=False) == pytest.approx(1.0, abs=1e-6)  # says perfect
    assert h_score(noise, y) < 0.5


@pytest.mark.parametrize(("n", "d"), [(60, 5), (30, 50)])
@pytest.mark.parametrize("centred", [True, False])
def test_transrate_by_determinants(n: int, d: int, centred: bool) -> None:
    F, y = informative(np.random.default_rng(5), n, d)
    Z = F - F.mean(axis=0)

    def rate(A: np.ndarray) -> float:
        return 0.5 * np.log(np.linalg.eigvalsh(np.eye(d) + A.T @ A / (len(A) * 0.1))).sum()

    parts = [Z[y == c] - (Z[y == c].mean(axis=0) if centred else 0.0) for c in range(3)]
    expected = rate(Z) - sum(len(p) / n * rate(p) for p in parts)
    assert transrate(F, y, eps=0.1, centre_classes=centred) == pytest.approx(expected, rel=1e-9)


def test_transrate_sees_two_classes_that_lie_opposite() -> None:
    rng = np.random.default_rng(6)
    y = np.arange(400) % 2
    F = rng.normal(size=(400, 2)) + 10 * y[:, None]
    assert abs(transrate(F, y, centre_classes=False)) < 0.05  # the listing calls it nothing
    assert transrate(F, y) > 1


@pytest.mark.parametrize("covariance", ["spherical", "diagonal"])
def test_gbc_by_pairs(covariance: str) -> None:
    F, y = informative(np.random.default_rng(7), 60, 4)
    total = 0.0
    for i in range(3):
        for j in range(3):
            if i == j:
                continue
            a, b = F[y == i], F[y == j]
            va, vb = a.var(axis=0), b.var(axis=0)
            if covariance == "spherical":
                va, vb = np.full(4, va.mean()), np.full(4, vb.mean())
            S = np.diag((va + vb) / 2)
            gap = a.mean(axis=0) - b.mean(axis=0)
            distance = gap @ np.linalg.inv(S) @ gap / 8 + 0.5 * np.log(
                np.linalg.det(S) / np.sqrt(va.prod() * vb.prod())
            )
            total -= np.exp(-distance)
    assert gbc(F, y, covariance=covariance) == pytest.approx(total, rel=1e-10)


def test_gbc_reduces_by_principal_components() -> None:
    from sklearn.decomposition import PCA

    F, y = informative(np.random.default_rng(8), 50, 30)
    reduced = PCA(5, svd_solver="full").fit_transform(F)
    assert gbc(F, y, components=5) == pytest.approx(gbc(reduced, y, components=None), rel=1e-8)
    wide = np.random.default_rng(9).normal(size=(20, 80))
    labels = np.arange(20) % 2
    reduced = PCA(5, svd_solver="full").fit_transform(wide)
    assert gbc(wide, labels, components=5) == pytest.approx(
        gbc(reduced, labels, components=None), rel=1e-8
    )


def test_parc_by_correlations() -> None:
    F, y = informative(np.random.default_rng(10), 40, 6)
    pairs = np.triu_indices(40, 1)
    of_features = (1 - np.corrcoef(F))[pairs]
    of_labels = np.round((1 - np.corrcoef(np.eye(3)[y]))[pairs], 9)  # ties stay ties
    expected = stats.spearmanr(of_features, of_labels).statistic
    assert parc(F, y) == pytest.approx(expected, abs=1e-12)


def test_parc_samples_rows_and_says_the_same_for_a_seed() -> None:
    F, y = informative(np.random.default_rng(11), 400, 6)
    assert parc(F, y, rows=100) == parc(F, y, rows=100)
    assert parc(F, y, rows=100) == pytest.approx(parc(F, y), abs=0.1)


# --- what must hold for all of them -------------------------------------------------------------

SCORES = {"logme": logme, "h_score": h_score, "transrate": transrate, "gbc": gbc, "parc": parc}


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize(("n", "d"), [(150, 10), (60, 100)])
def test_noise_ranks_below_information(name: str, n: int, d: int) -> None:
    if name == "transrate" and n < d:
        pytest.skip("its docstring says not to")
    rng = np.random.default_rng(12)
    F, y = informative(rng, n, d)
    assert SCORES[name](F, y) > SCORES[name](rng.normal(size=(n, d)), y)


@pytest.mark.parametrize("name", SCORES)
def test_names_of_classes_and_order_of_rows_change_nothing(name: str) -> None:
    rng = np.random.default_rng(13)
    F, y = informative(rng, 90, 12)
    score = SCORES[name](F, y)
    order = rng.permutation(90)
    names = np.array(["z", "a", "m"])[y]
    assert SCORES[name](F, names) == pytest.approx(score, rel=1e-9)
    assert SCORES[name](F[order], y[order]) == pytest.approx(score, rel=1e-9)


@pytest.mark.parametrize("name", ["logme", "h_score", "transrate", "gbc"])
@pytest.mark.parametrize(("n", "d"), [(90, 12), (40, 70)])
def test_a_rotation_changes_nothing(name: str, n: int, d: int) -> None:
    F, y = informative(np.random.default_rng(14), n, d)
    turn = stats.ortho_group.rvs(d, random_state=0)
    assert SCORES[name](F @ turn, y) == pytest.approx(SCORES[name](F, y), rel=1e-8)


def test_source_classes_may_be_in_any_order() -> None:
    rng = np.random.default_rng(15)
    theta, y = rng.dirichlet(np.ones(4), size=30), np.arange(30) % 3
    assert leep(theta[:, [2, 0, 3, 1]], y) == pytest.approx(leep(theta, y), abs=1e-12)
    assert nce(theta.argmax(1), y) == pytest.approx(nce(9 - theta.argmax(1), y), abs=1e-12)


@pytest.mark.parametrize("name", SCORES)
def test_float32_gives_the_same_score(name: str) -> None:
    F, y = informative(np.random.default_rng(16), 90, 12)
    exact = SCORES[name](F.astype(np.float32).astype(np.float64), y)
    assert SCORES[name](F.astype(np.float32), y) == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.zeros((3, 2)), [0, 1], r"shape \(3,\)"),
        (np.zeros(3), [0, 1, 0], "shape"),
        (np.array([[1.0], [np.nan], [2.0]]), [0, 1, 0], "finite, got nan"),
        (np.array([["a"], ["b"]]), [0, 1], "numbers"),
        (np.zeros((3, 2)), [1, 1, 1], "1 class"),
        (np.zeros((3, 2)), [0.5, 1.0, 2.0], "0.5, no class"),
    ],
)
def test_bad_inputs_are_refused(name: str, features: object, labels: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SCORES[name](features, labels)


def test_bad_settings_are_refused() -> None:
    F, y = informative(np.random.default_rng(17), 30, 4)
    for call in (
        lambda: logme(F, y, task="ranking"),
        lambda: leep(F, y),
        lambda: transrate(F, y, eps=0.0),
        lambda: gbc(F, y, covariance="full"),
        lambda: gbc(F, y, components=0),
        lambda: parc(F, y, rows=2),
        lambda: parc(F[:, :1], y),
        lambda: logme(F, ["a"] * 30, task="regression"),
    ):
        with pytest.raises(InputError):
            call()
