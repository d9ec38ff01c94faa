"""Parameter transfer: the choice of strength against a loop by hand, and its ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC, LinearSVC

from acclimate import Domain, ParameterTransfer, SourceOnly, TargetOnly
from acclimate.exceptions import InputError
from acclimate.folds import few_label_folds
from acclimate.transfer.label_folds import row_key
from acclimate.transfer.parameter import STRENGTHS
from acclimate.transfer.shallow import continue_from
from acclimate.validation import Rows

MODELS = [LogisticRegression(), LinearSVC(random_state=0), SVC(), Ridge(), LinearRegression()]
NAMES = [type(model).__name__ for model in MODELS]


def is_regression(model: Any) -> bool:
    return isinstance(model, Ridge | LinearRegression)


def data(toy: Any, model: Any, m: int = 24) -> Any:
    return toy(3, m=m, classes=None if is_regression(model) else 3)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_scores_agree_with_a_loop_by_hand(toy: Any, model: Any) -> None:
    d = data(toy, model)
    moved = ParameterTransfer(model, random_state=5).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    regression, seed = is_regression(model), moved._stage_seed(2)
    parts = few_label_folds(
        d.yt, classify=not regression, folds=5, repeats=3, seed=seed, key=row_key(d.Xt, seed)
    )
    assert sorted(np.concatenate([held for _, held in parts])) == sorted([*range(24)] * 3)
    source, expected = moved.source_model_, []
    for strength in STRENGTHS:
        right: list[Any] = []
        for train, held in parts:
            X, y = d.Xt[train], d.yt[train]
            if strength == 0:
                fitted = TargetOnly(model, random_state=5).fit(d.X, d.y, target=Domain(X, y))
            elif np.isinf(strength):
                fitted = source
            else:
                fitted = continue_from(source, Rows(X, y), strength)
            error = fitted.predict(d.Xt[held]) - d.yt[held]
            right.extend(-(error**2) if regression else error == 0)
        expected.append(np.mean(right))
    np.testing.assert_allclose(moved.cv_scores_, expected, rtol=1e-9)
    assert moved.strengths_.tolist() == list(STRENGTHS)
    assert moved.strength_ == STRENGTHS[int(np.argmax(np.round(expected, 12)))]


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_the_ends_are_source_only_and_target_only(toy: Any, model: Any) -> None:
    d = data(toy, model)
    target = Domain(d.Xt, d.yt)
    for strength, end in ((np.inf, SourceOnly), (0.0, TargetOnly)):
        moved = ParameterTransfer(model, strengths=[strength], random_state=0)
        moved.fit(d.X, d.y, target=target)
        expected = end(model, random_state=0).fit(d.X, d.y, target=target)
        assert moved.strength_ == strength
        assert np.array_equal(moved.predict(d.Xn), expected.predict(d.Xn))


def test_the_default_grid_holds_both_ends() -> None:
    assert np.inf in STRENGTHS
    assert 0.0 in STRENGTHS
    assert list(STRENGTHS) == sorted(STRENGTHS, reverse=True)


def test_a_single_strength_solves_the_penalised_problem(toy: Any) -> None:
    d = toy(0, m=20)
    moved = ParameterTransfer(strengths=[2.5]).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    W0 = moved.source_model_.coef_

    def objective(theta: Any) -> float:
        W, b = theta[:12].reshape(3, 4), theta[12:]
        scores = log_softmax(d.Xt @ W.T + b, axis=1)[np.arange(20), d.yt]
        return float(-scores.sum() + 1.25 * ((W - W0) ** 2).sum())

    best = minimize(objective, np.zeros(15), options={"gtol": 1e-6})
    np.testing.assert_allclose(moved.target_model_.coef_.ravel(), best.x[:12], atol=1e-4)


def test_a_perfect_source_is_kept_and_a_false_one_left(toy: Any) -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(400, 3)), rng.normal(size=(16, 3))
    y, yt = (X[:, 0] > 0).astype(int), (Xt[:, 0] > 0).astype(int)
    kept = ParameterTransfer().fit(X, y, target=Domain(Xt, yt))
    assert kept.strength_ == np.inf
    left = ParameterTransfer().fit(X, y, target=Domain(Xt, 1 - yt))
    assert left.strength_ <= 1
    assert left.score(X, 1 - y) > 0.8


def test_equal_scores_go_to_the_stronger_pull(toy: Any) -> None:
    rng = np.random.default_rng(0)
    y, yt = np.arange(60) % 2, np.arange(20) % 2
    X = 10.0 * y[:, None] + 0.1 * rng.normal(size=(60, 2))
    Xt = 10.0 * yt[:, None] + 0.1 * rng.normal(size=(20, 2))
    moved = ParameterTransfer(strengths=[0.0, 1.0, 100.0]).fit(X, y, target=Domain(Xt, yt))
    assert moved.cv_scores_.tolist() == [1.0, 1.0, 1.0]
    assert moved.strength_ == 100.0


@pytest.mark.parametrize("labels", [[0, 1], [0, 0, 1], [0, 1, 2], [0, 0, 0, 1, 2]], ids=str)
def test_a_handful_of_labels(toy: Any, labels: list[int]) -> None:
    d = toy(0)
    yt = np.array(labels)
    Xt = np.array([d.Xt[d.yt == k][labels[:i].count(k)] for i, k in enumerate(labels)])
    moved = ParameterTransfer().fit(d.X, d.y, target=Domain(Xt, yt))
    assert np.isfinite(moved.cv_scores_).all()
    assert ((moved.cv_scores_ >= 0) & (moved.cv_scores_ <= 1)).all()
    assert moved.score(d.Xn, d.yn) > 0.6


def test_one_row_of_a_regression_keeps_the_source(toy: Any) -> None:
    d = toy(0, classes=None)
    moved = ParameterTransfer(Ridge()).fit(d.X, d.y, target=Domain(d.Xt[:1], d.yt[:1]))
    assert moved.strength_ == np.inf
    assert not moved.cv_scores_.any()


@pytest.mark.parametrize("model", MODELS[:1] + MODELS[3:4], ids=["logistic", "ridge"])
def test_the_order_of_rows_does_not_matter(toy: Any, model: Any) -> None:
    d = data(toy, model)
    order = np.random.default_rng(4).permutation(len(d.yt))
    first, second = (
        ParameterTransfer(model, random_state=1).fit(d.X, d.y, target=Domain(d.Xt[i], d.yt[i]))
        for i in (np.arange(len(order)), order)
    )
    np.testing.assert_allclose(first.cv_scores_, second.cv_scores_, rtol=1e-6)
    assert first.strength_ == second.strength_


def test_classes_are_matched_by_name(toy: Any) -> None:
    d = toy(0)
    renamed = np.array([2, 0, 1])[d.yt]
    target = Domain(d.Xt, renamed, class_names={2: "a", 0: "b", 1: "c"})
    for strengths in ([np.inf], [10.0], None):
        named = ParameterTransfer(strengths=strengths, random_state=0)
        named.fit(d.X, d.y, class_names=["a", "b", "c"], target=target)
        plain = ParameterTransfer(strengths=strengths, random_state=0)
        plain.fit(d.X, d.y, target=Domain(d.Xt, d.yt))
        assert np.array_equal(named.predict(d.Xn), np.array([2, 0, 1])[plain.predict(d.Xn)])


def test_a_class_of_its_own_is_refused(toy: Any) -> None:
    d = toy(0)
    with pytest.raises(InputError, match="ParameterTransfer needs the same classes"):
        ParameterTransfer().fit(d.X, d.y, target=Domain(d.Xt, d.yt + 1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strengths": []}, r"strengths must be a list of one or more numbers of at least 0.*\[\]"),
        ({"strengths": [-1.0]}, r"\[-1.0\]"),
        ({"strengths": [np.nan]}, "nan"),
        ({"folds": 1}, "folds must be at least 2, got 1"),
        ({"repeats": 0}, "repeats must be at least 1, got 0"),
        ({"estimator": GaussianNB()}, r"LogisticRegression, .* got GaussianNB. FineTune takes"),
        ({"estimator": LogisticRegression(class_weight="balanced")}, "class_weight='balanced'"),
    ],
)
def test_wrong_settings(toy: Any, settings: Any, message: str) -> None:
    d = toy(0)
    with pytest.raises(InputError, match=message):
        ParameterTransfer(**settings).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
