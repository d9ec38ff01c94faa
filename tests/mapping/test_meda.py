"""MEDA against a dense solution of the paper's formula, and its graph and probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import cosine_similarity, rbf_kernel

import acclimate.mapping.expansion as module
from acclimate import GFK, MEDA, Domain
from acclimate.exceptions import InputError
from acclimate.mapping.graph import neighbour_laplacian
from acclimate.mapping.scores import to_simplex

RNG = np.random.default_rng


def laplacian(Z: Any, p: int) -> Any:
    """Written out, from all similarities."""
    S = cosine_similarity(Z)
    W = np.zeros_like(S)
    for i in range(len(Z)):
        near = np.argsort(np.where(np.arange(len(Z)) == i, -np.inf, S[i]))[::-1][:p]
        W[i, near] = np.maximum(S[i, near], 0)
    W = np.maximum(W, W.T)
    root = 1 / np.sqrt(W.sum(1))
    return np.eye(len(Z)) - root[:, None] * W * root


def means(y: Any, pseudo: Any, balance: float) -> Any:
    n, m = len(y), len(pseudo)
    e = np.concatenate([np.full(n, 1 / n), np.full(m, -1 / m)])
    M = (1 - balance) * np.outer(e, e)
    for c in np.intersect1d(y, pseudo):
        a, b = (y == c) / (y == c).sum(), (pseudo == c) / (pseudo == c).sum()
        M = M + balance * np.outer(np.concatenate([a, -b]), np.concatenate([a, -b]))
    return M / np.linalg.norm(M)


def features(model: Any, d: Any) -> Any:
    """Manifold features of the training rows and of new ones."""
    gfk = GFK(n_components=model.n_components, shrinkage=0.0).fit(d.X, d.y, target=Domain(d.Xt))
    Z = np.concatenate([gfk.transform(d.X, domain="source"), gfk.transform(d.Xt)])
    return Z, gfk.transform(d.Xn), gfk.transform(d.X, domain="source")


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("balance", [0.0, 0.4, None])
@pytest.mark.parametrize("known", [0, 9])
def test_alpha_is_the_papers_formula(kernel: str, balance: Any, known: int, toy: Any) -> None:
    d = toy(2)
    d.Xt = d.Xt + RNG(0).normal(size=d.Xt.shape) * 2  # so that labels change between rounds
    settings: Any = {"ridge": 0.3, "align": 5.0, "smooth": 0.7, "n_neighbors": 4}
    model = MEDA(kernel=kernel, gamma=0.2, balance=balance, use_target_labels=known > 0, **settings)
    mask = np.arange(45) < known if known else None
    wrong = (d.yt + 1) % 3
    model.fit(d.X, d.y, target=Domain(d.Xt, wrong, labelled=mask))
    Z, Zn, Zs = features(model, d)
    K = rbf_kernel(Z, gamma=0.2) if kernel == "rbf" else Z @ Z.T
    A = np.diag(np.concatenate([np.ones(60), np.arange(45) < known]))
    M = means(d.y, model.pseudo_labels_, model.balance_)
    Y = np.eye(3)[np.concatenate([d.y, model.pseudo_labels_])]
    left = (A + 5.0 * M + 0.7 * laplacian(Z, 4)) @ K + 0.3 * np.eye(105)
    alpha = np.linalg.solve(left, A @ Y)
    for rows, side in ((Zn, "target"), (Zs, "source")):
        expected = (rbf_kernel(rows, Z, gamma=0.2) if kernel == "rbf" else rows @ Z.T) @ alpha
        X = d.Xn if side == "target" else d.X
        np.testing.assert_allclose(model.decision_function(X, domain=side), expected, atol=1e-8)
    if known:
        assert np.array_equal(model.pseudo_labels_[:known], wrong[:known])


def test_alpha_minimises_the_objective(toy: Any) -> None:
    """A search over coefficients, from the objective's definition, ends at the same f."""
    d = toy(0, n=15, m=12)
    model = MEDA(gamma=0.2, balance=0.5, n_neighbors=3).fit(d.X, d.y, target=Domain(d.Xt))
    Z, Zn, _ = features(model, d)
    K, L = rbf_kernel(Z, gamma=0.2), laplacian(Z, 3)
    M = means(d.y, model.pseudo_labels_, 0.5)
    y = (d.y == 0).astype(float)
    ridge, align, smooth = model.ridge, model.align, model.smooth

    def objective(a: Any) -> tuple[float, Any]:
        f = K @ a
        error = np.concatenate([f[:15] - y, np.zeros(12)])
        penalty = align * M @ f + smooth * L @ f
        value = error @ error + ridge * a @ f + f @ penalty
        return value, 2 * (K @ (error + penalty) + ridge * f)

    found = minimize(
        objective, np.zeros(27), jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 5000}
    )
    expected = rbf_kernel(Zn, Z, gamma=0.2) @ found.x
    np.testing.assert_allclose(model.decision_function(d.Xn)[:, 0], expected, atol=1e-5)


def test_weights_of_source_rows_count() -> None:
    """Integer weights do what repeated rows do to the sum of squares."""
    rng = RNG(0)
    y = np.arange(40) % 2
    X = rng.normal(size=(40, 3)) + y[:, None]
    Xt = rng.normal(size=(30, 3)) + np.arange(30)[:, None] % 2
    w = rng.integers(1, 4, size=40).astype(float)
    model = MEDA(gamma=0.2, n_components=3, align=0.0, smooth=0.0)
    model.fit(X, y, sample_weight=w, target=Domain(Xt))
    mean = np.average(X, axis=0, weights=w)
    gfk = GFK(n_components=3, shrinkage=0.0).fit(X, y, sample_weight=w, target=Domain(Xt))
    Zs, Zt = gfk.transform(X, domain="source"), gfk.transform(Xt)
    np.testing.assert_allclose(gfk.transform(mean[None], domain="source"), 0, atol=1e-12)
    K = rbf_kernel(Zs, gamma=0.2)
    alpha = np.linalg.solve(K + 0.1 * np.diag(1.0 / w), np.eye(2)[y])
    scores = rbf_kernel(Zt, Zs, gamma=0.2) @ alpha
    np.testing.assert_allclose(model.decision_function(Xt), scores[:, 1] - scores[:, 0], atol=1e-9)


@pytest.mark.parametrize("balance", [0.4, None])
def test_landmarks_are_exact_when_every_row_is_one(
    balance: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    d = toy(0)
    exact = MEDA(gamma=0.2, balance=balance).fit(d.X, d.y, target=Domain(d.Xt))
    monkeypatch.setattr(module, "EXACT_ROWS", 10)
    fast = MEDA(gamma=0.2, balance=balance, n_landmarks=105).fit(d.X, d.y, target=Domain(d.Xt))
    assert fast.target_model_.model.map.W.shape == (105, 3)
    np.testing.assert_allclose(
        fast.decision_function(d.Xn), exact.decision_function(d.Xn), atol=1e-5
    )
    few = MEDA(gamma=0.2, n_landmarks=40).fit(d.X, d.y, target=Domain(d.Xt))
    assert (few.predict(d.Xn) == exact.predict(d.Xn)).mean() > 0.9


def test_the_order_of_rows_leaves_pseudo_labels_in_their_rows(toy: Any) -> None:
    d = toy(0)
    d.Xt = d.Xt + RNG(0).normal(size=d.Xt.shape) * 2
    s, t = RNG(1).permutation(60), RNG(2).permutation(45)
    plain = MEDA(random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    moved = MEDA(random_state=0).fit(d.X[s], d.y[s], target=Domain(d.Xt[t]))
    assert np.array_equal(moved.pseudo_labels_, plain.pseudo_labels_[t])
    np.testing.assert_array_equal(moved.predict_proba(d.Xn), plain.predict_proba(d.Xn))


@pytest.mark.parametrize("names", [[2, 0, 1], [-1, 5, 0], ["well", "ill", "dead"]], ids=str)
def test_pseudo_labels_follow_the_names_of_the_classes(names: Any, toy: Any) -> None:
    d = toy(0)
    d.Xt = d.Xt + RNG(0).normal(size=d.Xt.shape) * 2
    called = np.array(names)
    plain = MEDA(random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    model = MEDA(random_state=0).fit(d.X, called[d.y], target=Domain(d.Xt))
    assert np.array_equal(model.pseudo_labels_, called[plain.pseudo_labels_])
    assert model.balance_ == pytest.approx(plain.balance_)


def test_known_labels_are_matched_by_name(toy: Any) -> None:
    d = toy(0)
    other = np.array([7, 9, 8])  # of a, b, c
    model = MEDA(use_target_labels=True).fit(
        d.X, d.y, class_names=["a", "b", "c"],
        target=Domain(d.Xt, other[d.yt], class_names={7: "a", 8: "c", 9: "b"}),
    )  # fmt: skip
    assert model.score(d.Xn, other[d.yn]) > 0.9


def test_identical_domains_disjoint_supports_and_equal_rows(toy: Any) -> None:
    d = toy(0)
    same = MEDA().fit(d.X, d.y, target=Domain(d.X))
    assert same.score(d.X, d.y) > 0.95
    np.testing.assert_allclose(
        same.predict_proba(d.X), same.predict_proba(d.X, domain="source"), atol=1e-9
    )
    far = MEDA().fit(d.X, d.y, target=Domain(d.Xt + 1e4))
    assert far.score(d.Xn + 1e4, d.yn) > 0.9  # each domain's mean is taken away
    with pytest.raises(InputError, match="all rows of the target are equal"):
        MEDA().fit(d.X, d.y, target=Domain(np.ones((5, 4))))


def test_more_features_than_rows() -> None:
    rng = RNG(0)
    y = np.arange(14) % 2
    X, Xt = rng.normal(size=(14, 40)) + 2 * y[:, None], rng.normal(size=(10, 40)) + 2 * y[:10, None]
    for kernel in ("rbf", "linear"):
        model = MEDA(kernel=kernel).fit(X, y, target=Domain(Xt + 3))
        assert model.score(Xt + 3, y[:10]) == 1.0


def test_float32_stays_float32(toy: Any) -> None:
    d = toy(0)
    X, Xt, Xn = (part.astype(np.float32) for part in (d.X, d.Xt, d.Xn))
    wide = MEDA().fit(d.X, d.y, target=Domain(d.Xt))
    model = MEDA().fit(X, d.y, target=Domain(Xt))
    assert model.decision_function(Xn).dtype == np.float32
    assert model.predict_proba(Xn).dtype == np.float32
    np.testing.assert_allclose(model.decision_function(Xn), wide.decision_function(d.Xn), atol=1e-3)


def test_the_laplacian_is_the_dense_one() -> None:
    Z = RNG(0).normal(size=(30, 3))
    for p in (1, 5, 29, 100):
        L = neighbour_laplacian(Z, p).toarray()
        np.testing.assert_allclose(L, laplacian(Z, min(p, 29)), atol=1e-12)
        assert np.linalg.eigvalsh(L).min() > -1e-12
    Z[3] = 0.0  # no direction, so like nothing
    assert not neighbour_laplacian(Z, 5).toarray()[3].any()
    assert neighbour_laplacian(np.ones((6, 2)), 2).shape == (6, 6)


def test_probabilities_are_the_nearest_point_of_the_simplex() -> None:
    S = RNG(0).normal(size=(20, 4)) * 1.5
    P = to_simplex(S)
    np.testing.assert_allclose(P.sum(1), 1.0, rtol=1e-12)
    for s, p in zip(S, P, strict=True):
        found = minimize(
            lambda q, s=s: ((q - s) ** 2).sum(), np.full(4, 0.25), bounds=[(0, 1)] * 4,
            constraints={"type": "eq", "fun": lambda q: q.sum() - 1}, options={"ftol": 1e-14},
        )  # fmt: skip
        np.testing.assert_allclose(p, found.x, atol=1e-5)
    assert np.array_equal(P.argmax(1), S.argmax(1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kernel": "cubic"}, "kernel must be"),
        ({"ridge": 0.0}, "ridge must be"),
        ({"align": -1.0}, "align must be"),
        ({"smooth": np.inf}, "smooth must be"),
        ({"balance": 2.0}, r"balance must be in \[0, 1\]"),
        ({"n_neighbors": 0}, "n_neighbors must be"),
        ({"n_landmarks": 0}, "n_landmarks must be"),
        ({"rounds": 0}, "rounds must be"),
        ({"n_components": 0}, "n_components must be"),
        ({"estimator": Ridge()}, "compares classes, and Ridge is a regressor"),
    ],
)
def test_wrong_settings(settings: Any, message: str, toy: Any) -> None:
    d = toy(0)
    with pytest.raises(InputError, match=message):
        MEDA(**settings).fit(d.X, d.y)
