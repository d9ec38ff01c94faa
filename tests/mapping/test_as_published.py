"""`as_published` against the recipe of published code, with every matrix written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import eigh
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.svm import LinearSVC

import acclimate
from acclimate import BDA, GFK, JDA, MEDA, TCA, TJM, Domain

RNG = np.random.default_rng
NEAREST = make_pipeline(Normalizer(), KNeighborsClassifier(1))


def gaps(y: Any, pseudo: Any, m: int, first: float, second: float) -> Any:
    """M as outer products, scaled to a Frobenius norm of one."""
    n = len(y)
    e = np.concatenate([np.full(n, 1 / n), np.full(m, -1 / m)])
    M = first * np.outer(e, e)
    for c in [] if pseudo is None else np.intersect1d(y, pseudo):
        a, b = (y == c) / (y == c).sum(), (pseudo == c) / (pseudo == c).sum()
        M = M + second * np.outer(np.concatenate([a, -b]), np.concatenate([a, -b]))
    return M / np.linalg.norm(M)


def recipe(d: Any, K: Any, mu: float, k: int, solutions: int, balance: Any, joint: bool) -> Any:
    """Features and labels of the target: eigenvectors of length one, rows of features as well."""
    n, N = len(d.X), len(K)
    m, H = N - n, np.eye(N) - 1 / N
    first, second = (1.0, 1.0) if balance is None else (1 - balance, balance)
    first *= len(np.unique(d.y))
    G, pseudo = np.ones(N), None
    for _ in range(solutions):
        M = gaps(d.y, None if joint else pseudo, m, first, second)
        _, W = eigh(K @ H @ K, K @ M @ K + mu * np.diag(G))
        W = W[:, ::-1][:, :k]
        W = W / np.linalg.norm(W, axis=0)
        if joint:
            G[:n] = 1 / np.sqrt((W[:n] ** 2).sum(1))
        Z = K @ W
        used, U = pseudo, Z / np.linalg.norm(Z, axis=1, keepdims=True)
        pseudo = KNeighborsClassifier(1).fit(U[:n], d.y).predict(U[n:])
    return Z, used, pseudo


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("name", ["TCA", "JDA", "BDA", "TJM"])
def test_components(name: str, kernel: str, toy: Any) -> None:
    d = toy(3)
    d.Xt = d.Xt + RNG(0).normal(size=d.Xt.shape) * 2  # so that labels change between rounds
    X = np.concatenate([d.X, d.Xt])
    K = rbf_kernel(X, gamma=0.05) if kernel == "rbf" else X @ X.T
    settings: Any = {"kernel": kernel, "gamma": 0.05, "mu": 0.5, "n_components": 3}
    settings |= {"shrinkage": 0.0, "as_published": True}
    model: Any = {
        "TCA": lambda: TCA(NEAREST, **settings),
        "JDA": lambda: JDA(NEAREST, rounds=3, **settings),
        "BDA": lambda: BDA(NEAREST, rounds=3, balance=0.3, **settings),
        "TJM": lambda: TJM(NEAREST, rounds=3, unit=1.0, **settings),
    }[name]()
    model.fit(d.X, d.y, target=Domain(d.Xt))
    rounds = {"TCA": 0, "TJM": 3}.get(name) if name in ("TCA", "TJM") else model.n_rounds_
    balance = 0.3 if name == "BDA" else None
    Ze, used, labels = recipe(d, K, 0.5, 3, rounds + 1, balance, name == "TJM")
    Z = np.concatenate([model.transform(d.X, domain="source"), model.transform(d.Xt)])
    np.testing.assert_allclose(Z * np.sign((Z * Ze).sum(0)), Ze, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(model.predict(d.Xt), labels)
    if name in ("JDA", "BDA"):
        assert rounds > 1
        np.testing.assert_array_equal(model.pseudo_labels_, used)


def test_gfk_takes_no_mean_away(toy: Any) -> None:
    d = toy(0)
    plain = GFK(n_components=2, shrinkage=0.0).fit(d.X, d.y, target=Domain(d.Xt))
    model = GFK(n_components=2, shrinkage=0.0, as_published=True)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    zero = np.zeros((1, d.X.shape[1]))
    for rows, side in ((d.X, "source"), (d.Xn, "target")):
        expected = plain.transform(rows, domain=side) - plain.transform(zero, domain=side)
        np.testing.assert_allclose(model.transform(rows, domain=side), expected, atol=1e-8)


@pytest.mark.parametrize("balance", [0.4, None])
def test_meda_is_the_recipe(balance: Any, toy: Any) -> None:
    """Rows of length one, nearest neighbours at the start, M_0 three times, then the formula."""
    d = toy(2)
    model = MEDA(
        KNeighborsClassifier(1), n_components=3, gamma=0.5, ridge=0.1, align=10.0, smooth=1.0,
        n_neighbors=4, rounds=4, balance=balance, as_published=True,
    ).fit(d.X, d.y, target=Domain(d.Xt))  # fmt: skip
    gfk = GFK(n_components=3, shrinkage=0.0, as_published=True)
    gfk.fit(d.X, d.y, target=Domain(d.Xt))
    sides = ((d.X, "source"), (d.Xt, "target"), (d.Xn, "target"))
    S, T, new = (gfk.transform(rows, domain=side) for rows, side in sides)
    S, T, new = (Z / np.linalg.norm(Z, axis=1, keepdims=True) for Z in (S, T, new))
    U, n, m = np.concatenate([S, T]), len(S), len(T)
    C = U @ U.T
    near = np.argsort(np.where(np.eye(n + m), -np.inf, C), axis=1)[:, ::-1][:, :4]
    W = np.zeros_like(C)
    np.put_along_axis(W, near, np.maximum(np.take_along_axis(C, near, 1), 0), 1)
    W = np.maximum(W, W.T)
    root = 1 / np.sqrt(W.sum(1))
    L = np.eye(n + m) - root[:, None] * W * root
    K = np.exp(-0.5 * np.maximum(2 - 2 * C, 0))
    A = np.diag(np.concatenate([np.ones(n), np.zeros(m)]))
    b, Y = model.balance_, np.eye(3)[np.concatenate([d.y, np.zeros(m, int)])]
    M = gaps(d.y, model.pseudo_labels_, m, 3 * (1 - b), b)
    alpha = np.linalg.solve((A + 10.0 * M + L) @ K + 0.1 * np.eye(n + m), A @ Y)
    expected = np.exp(-0.5 * np.maximum(2 - 2 * new @ U.T, 0)) @ alpha
    np.testing.assert_allclose(model.decision_function(d.Xn), expected, atol=1e-7)
    assert balance is None or b == balance


def test_unit_rows_leave_zeros_and_types() -> None:
    from acclimate.mapping.mapped import unit_rows

    Z = np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)
    np.testing.assert_allclose(unit_rows(Z), [[0.6, 0.8], [0.0, 0.0]], rtol=1e-6)
    assert unit_rows(Z).dtype == np.float32


def test_coral_adds_the_identity_where_variances_are_one() -> None:
    """Half of the identity in both covariances is the paper's whole one, but for a factor."""
    rng = RNG(0)
    X, Xt = (rng.normal(size=(80, 4)) @ rng.normal(size=(4, 4)) for _ in range(2))
    y = np.arange(80) % 2
    model = acclimate.make("CORAL", settings="paper", estimator=LinearSVC())
    model.fit(X, y, target=Domain(Xt))
    S, T = ((Z - Z.mean(0)) / Z.std(0) for Z in (X, Xt))
    Cs, Ct = (np.cov(Z.T, bias=True) + np.eye(4) for Z in (S, T))
    roots = [eigh(C) for C in (Cs, Ct)]
    (s, U), (t, V) = roots
    expected = S @ (U / np.sqrt(s)) @ U.T @ (V * np.sqrt(t)) @ V.T
    np.testing.assert_allclose(model.transform(X, domain="source"), expected, atol=1e-8)
