"""One step of gradient descent against finite differences, and where many steps end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.svm import LinearSVC

from acclimate import Domain, JointObjective
from acclimate.exceptions import InputError
from acclimate.transfer.descent import loss_of, textbook_step

N, M = 30, 12


def cross_entropy(scores: Any, y: Any) -> float:
    if scores.shape[1] == 1:
        scores = np.column_stack([np.zeros(len(scores)), scores])
    return float(
        sum(np.log(np.exp(s).sum()) - s[label] for s, label in zip(scores, y, strict=True))
    )


def squared_hinge(scores: Any, y: Any) -> float:
    if scores.shape[1] == 1:
        return float(
            sum(max(0, 1 - (2 * c - 1) * s[0]) ** 2 for s, c in zip(scores, y, strict=True))
        )
    return float(
        sum(
            max(0, 1 - (1 if k == c else -1) * s[k]) ** 2
            for s, c in zip(scores, y, strict=True)
            for k in range(len(s))
        )
    )


def squared(scores: Any, y: Any) -> float:
    return float(((scores[:, 0] - y) ** 2).sum())


MODELS = [
    pytest.param(LogisticRegression(), 2, cross_entropy, id="logistic"),
    pytest.param(LogisticRegression(), 3, cross_entropy, id="softmax"),
    pytest.param(LinearRegression(), 0, squared, id="linear"),
    pytest.param(Ridge(), 0, squared, id="ridge"),
    pytest.param(LinearSVC(), 2, squared_hinge, id="svm"),
    pytest.param(LinearSVC(), 3, squared_hinge, id="svm of three"),
]


def rows(classes: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(N, 3)), rng.normal(size=(M, 3)) + 0.5
    if classes == 0:
        w = np.array([1.0, -2.0, 0.5])
        return X, X @ w + rng.normal(size=N), Xt, Xt @ w[::-1] + 1
    return X, np.arange(N) % classes, Xt, np.arange(M)[::-1] % classes


def parameters(model: Any) -> Any:
    W = np.atleast_2d(model.coef_)
    return np.column_stack([W, np.broadcast_to(model.intercept_, len(W))])


def numeric(function: Any, theta: Any, h: float = 1e-5) -> Any:
    slope = np.zeros_like(theta)
    for place in np.ndindex(theta.shape):
        up, down = theta.copy(), theta.copy()
        up[place] += h
        down[place] -= h
        slope[place] = (function(up) - function(down)) / (2 * h)
    return slope


@pytest.mark.parametrize(("model", "classes", "loss"), MODELS)
@pytest.mark.parametrize("solver", ["textbook", "gradient-descent"])
def test_one_step_agrees_with_finite_differences(
    model: Any, classes: int, loss: Any, solver: str
) -> None:
    X, y, Xt, yt = rows(classes)
    alpha, balance = 0.3, 0.2
    joint = JointObjective(model, solver=solver, step=alpha, steps=1, balance=balance)
    joint.fit(X, y, target=Domain(Xt, yt))
    theta = parameters(joint.source_model_)

    def objective(t: Any) -> float:
        first = loss(X @ t[:, :-1].T + t[:, -1], y)
        second = loss(Xt @ t[:, :-1].T + t[:, -1], yt)
        if solver == "textbook":
            return (first + second) / (N + M)
        return (1 - balance) * first / N + balance * second / M

    expected = theta - alpha * numeric(objective, theta)
    np.testing.assert_allclose(parameters(joint.target_model_), expected, rtol=1e-6, atol=1e-7)
    assert np.abs(expected - theta).max() > 1e-4


def test_the_textbook_factor() -> None:
    theta, first, second = np.array([1.0, 2.0]), np.array([3.0, -1.0]), np.array([1.0, 5.0])
    # sums over rows: the gradient of the pooled mean
    sums = textbook_step(theta, N * first, M * second, 0.1, N, M)
    np.testing.assert_allclose(sums, theta - 0.1 * (N * first + M * second) / (N + M))
    # means over rows: a step on their average, (n + m) / 2 times shorter
    means = textbook_step(theta, first, second, 0.1, N, M)
    np.testing.assert_allclose(means, theta - 0.1 / ((N + M) / 2) * (first + second) / 2)


def test_textbook_is_gradient_descent_with_the_balance_of_the_rows() -> None:
    X, y, Xt, yt = rows(3)
    models = [
        JointObjective(LogisticRegression(), solver=solver, balance=M / (N + M), step=0.2, steps=7)
        for solver in ("textbook", "gradient-descent")
    ]
    first, second = (m.fit(X, y, target=Domain(Xt, yt)).target_model_ for m in models)
    np.testing.assert_allclose(parameters(first), parameters(second), rtol=1e-12)


@pytest.mark.parametrize("start", ["source", "scratch"])
def test_many_steps_end_at_the_weighted_least_squares(start: str) -> None:
    X, y, Xt, yt = rows(0)
    settings = {"balance": 0.3, "solver": "gradient-descent", "start": start, "steps": 3000}
    joint = JointObjective(LinearRegression(), **settings).fit(X, y, target=Domain(Xt, yt))
    root = np.sqrt(np.concatenate([np.full(N, 0.7 / N), np.full(M, 0.3 / M)]))[:, None]
    A = np.column_stack([np.vstack([X, Xt]), np.ones(N + M)])
    direct = np.linalg.lstsq(root * A, root[:, 0] * np.concatenate([y, yt]), rcond=None)[0]
    np.testing.assert_allclose(parameters(joint.target_model_)[0], direct, atol=1e-8)


@pytest.mark.parametrize(("model", "classes", "loss"), MODELS)
def test_the_default_step_never_goes_uphill(model: Any, classes: int, loss: Any) -> None:
    X, y, Xt, yt = rows(classes)
    X, Xt = 10 * X, 10 * Xt  # no fixed step fits every scale
    values = []
    for steps in (1, 2, 3, 10, 30):
        joint = JointObjective(
            model, solver="gradient-descent", steps=steps, start="scratch", balance=0.5
        )
        t = parameters(joint.fit(X, y, target=Domain(Xt, yt)).target_model_)
        values.append(
            loss(X @ t[:, :-1].T + t[:, -1], y) / N + loss(Xt @ t[:, :-1].T + t[:, -1], yt) / M
        )
    assert (np.diff(values) < 1e-12).all()


def test_a_sparse_matrix_and_its_array_give_the_same() -> None:
    import scipy.sparse as sp

    X, y, Xt, yt = rows(3)
    dense = JointObjective(LogisticRegression(), solver="gradient-descent", steps=20)
    sparse = JointObjective(LogisticRegression(), solver="gradient-descent", steps=20)
    dense.fit(X, y, target=Domain(Xt, yt))
    sparse.fit(sp.csr_array(X), y, target=Domain(sp.csr_array(Xt), yt))
    # the source models are fitted by different code and agree to their tolerance
    np.testing.assert_allclose(
        parameters(sparse.target_model_), parameters(dense.target_model_), atol=1e-3
    )


@pytest.mark.parametrize("kind", [LogisticRegression, LinearSVC])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_model_without_intercept_stays_without(kind: Any, classes: int) -> None:
    X, y, Xt, yt = rows(classes)
    model = kind(fit_intercept=False)
    joint = JointObjective(model, solver="gradient-descent", steps=5).fit(
        X, y, target=Domain(Xt, yt)
    )
    assert not np.any(joint.target_model_.intercept_)


def test_a_step_that_is_too_long_is_an_error() -> None:
    X, y, Xt, yt = rows(0)
    joint = JointObjective(Ridge(), solver="gradient-descent", step=100.0)
    with pytest.raises(InputError, match="shorter step"):
        joint.fit(X, y, target=Domain(Xt, yt))


def test_other_estimators_are_refused() -> None:
    with pytest.raises(InputError, match=r'not for RandomForestClassifier; use solver="auto"'):
        loss_of(RandomForestClassifier())
