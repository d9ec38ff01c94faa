"""TrAdaBoostR2 against the two stages written out in plain numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

import acclimate
from acclimate import Domain, TrAdaBoostR2
from acclimate.exceptions import InputError
from acclimate.folds import few_label_folds, row_keys
from acclimate.reweighting.tradaboost_r2 import WeightedMedian, boost, fade, relative_errors

RNG = np.random.default_rng


def half_right(seed: int = 0, m: int = 20) -> tuple[Any, ...]:
    """Return a source whose first half follows the target's relation, the target, and new rows."""
    rng = RNG(seed)
    X, Xt, Xn = (rng.uniform(-2, 2, size=(n, 2)) for n in (120, m, 300))

    def relation(Z: Any) -> Any:
        return Z[:, 0] ** 2 + Z[:, 1]

    y = np.where(np.arange(120) < 60, relation(X), 3 - relation(X))
    return X, y + 0.1 * rng.normal(size=120), Xt, relation(Xt), Xn, relation(Xn)


# --- the algorithm once more, with a base model in closed form and no code of the package ---------


def ridge(X: Any, y: Any, w: Any) -> Any:
    """Weighted ridge regression with penalty 1 and weights of mean 1."""
    w = w / w.mean()
    mean, level = w @ X / w.sum(), w @ y / w.sum()
    Z = (X - mean) * np.sqrt(w)[:, None]
    slope = np.linalg.solve(Z.T @ Z + np.eye(X.shape[1]), Z.T @ ((y - level) * np.sqrt(w)))
    return lambda A: (A - mean) @ slope + level


def adaboost_r2(X: Any, y: Any, w: Any, n: int, rounds: int) -> Any:
    kept = w > 0
    n, X, y, w = int(kept[:n].sum()), X[kept], y[kept], w[kept] / w.sum()
    found = []
    for _ in range(rounds):
        h = ridge(X, y, w)
        e = abs(h(X) - y) / abs(h(X) - y).max()
        loss = (w * e).sum()
        if loss >= 0.5:
            found = found or [(1.0, h)]
            break
        beta = loss / (1 - loss)
        found.append((np.log(1 / beta), h))
        mass = w[n:].sum()
        w = w.copy()
        w[n:] *= beta ** (1 - e[n:])
        w[n:] *= mass / w[n:].sum()
    votes = np.array([v for v, _ in found])

    def median(A: Any) -> Any:
        answers = []
        for values in np.array([h(A) for _, h in found]).T:
            total = 0.0
            for i in np.argsort(values):
                total += votes[i]
                if total >= votes.sum() / 2:
                    answers.append(values[i])
                    break
        return np.array(answers)

    return median


def two_stages(X: Any, y: Any, n: int, steps: int, rounds: int, folds: Any) -> tuple[Any, ...]:
    m = len(y) - n
    w = np.full(n + m, 1 / (n + m))
    errors, models, shares = [], [], []
    for t in range(1, steps + 1):
        squares = []
        for train, held in folds:
            rows = np.r_[np.arange(n), n + train]
            v = w[rows].copy()
            v[n:] *= w[n:].sum() / v[n:].sum()
            h = adaboost_r2(X[rows], y[rows], v, n, rounds)
            squares.append((h(X[n + held]) - y[n + held]) ** 2)
        errors.append(np.concatenate(squares).mean())
        models.append(adaboost_r2(X, y, w, n, rounds))
        shares.append(w[:n].sum() / w.sum())
        if t == steps:
            break
        e = abs(ridge(X[w > 0], y[w > 0], w[w > 0])(X) - y)
        e = e / e.max()
        goal = m / (n + m) + t / (steps - 1) * (1 - m / (n + m))
        low, high = 0.0, 1.0  # of beta; the target's share falls with it
        for _ in range(200):
            beta = (low + high) / 2
            source = (w[:n] * beta ** e[:n]).sum()
            low, high = (beta, high) if w[n:].sum() / (source + w[n:].sum()) > goal else (low, beta)
        w = np.r_[w[:n] * beta ** e[:n] * (goal < 1), w[n:]]
        w = w / w.sum()
    best = int(np.argmin(errors))
    return errors, shares, best, models[best]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_is_the_algorithm_written_out(seed: int) -> None:
    rng = RNG(seed)
    X, Xt, Xn = rng.normal(size=(40, 3)), rng.normal(size=(15, 3)), rng.normal(size=(30, 3))
    slope = np.array([1.0, -1.0, 0.5])
    y = np.where(np.arange(40) < 20, X @ slope, X @ slope[::-1]) + 0.3 * rng.normal(size=40)
    yt = Xt @ slope + 0.3 * rng.normal(size=15)
    model = TrAdaBoostR2(Ridge(1.0), steps=5, rounds=6, folds=3, random_state=0)
    model.fit(X, y, target=Domain(Xt, yt))
    seed2 = model._stage_seed(2)
    keys = row_keys(np.column_stack([Xt, yt]), seed2)
    folds = few_label_folds(yt, classify=False, folds=3, seed=seed2, key=keys)
    errors, shares, best, h = two_stages(np.r_[X, Xt], np.r_[y, yt], 40, 5, 6, folds)
    np.testing.assert_allclose(model.cv_errors_, errors, rtol=1e-7)
    np.testing.assert_allclose(model.source_share_, shares, atol=1e-10)
    assert model.step_ == best
    np.testing.assert_allclose(model.predict(Xn), h(Xn), rtol=1e-7)


# --- its parts ------------------------------------------------------------------------------------


def test_fading_reaches_the_share_with_one_beta() -> None:
    rng = RNG(0)
    w, e, n = rng.random(12) + 0.1, rng.random(12), 8
    w *= 12 / w.sum()
    for share in (0.5, 0.9, 0.999, 1.0):
        after = fade(w, e, n, share)
        assert after[n:].sum() / after.sum() == pytest.approx(share, abs=1e-12)
        assert after.mean() == pytest.approx(1.0)
        np.testing.assert_allclose(after[n:] / w[n:], after[n] / w[n])
        if share < 1.0:
            beta = (after[:n] / w[:n] / (after[n] / w[n])) ** (1 / e[:n])
            np.testing.assert_allclose(beta, beta[0], rtol=1e-6)
            assert 0 < beta[0] < 1


def test_rows_without_error_shrink_alike_where_no_beta_is_small_enough() -> None:
    w = np.ones(6)
    after = fade(w, np.array([0.0, 0.0, 0.5, 1.0, 0.2, 0.2]), 4, 0.8)
    np.testing.assert_allclose(after / after[5], [0.25, 0.25, 0.0, 0.0, 1.0, 1.0])


def test_relative_errors_look_at_rows_that_count() -> None:
    predicted, y = np.array([1.0, 5.0, 2.0]), np.array([0.0, 0.0, 0.0])
    assert relative_errors(predicted, y, np.ones(3)).tolist() == [0.2, 1.0, 0.4]
    assert relative_errors(predicted, y, np.array([1.0, 0.0, 1.0])).tolist() == [0.5, 1.0, 1.0]
    assert relative_errors(y, y, np.ones(3)).tolist() == [0.0, 0.0, 0.0]


class Answers:
    """A fitted model with given answers."""

    def __init__(self, *values: float) -> None:
        self.values = values

    def predict(self, X: Any) -> Any:
        return np.array(self.values)


def test_the_median_is_that_of_the_votes() -> None:
    models = [Answers(3.0, 0.0), Answers(1.0, 5.0), Answers(2.0, 9.0)]
    assert WeightedMedian(models, np.array([1.0, 1.0, 1.0])).predict([0, 0]).tolist() == [2.0, 5.0]
    assert WeightedMedian(models, np.array([9.0, 1.0, 1.0])).predict([0, 0]).tolist() == [3.0, 0.0]


def test_a_model_without_error_answers_alone() -> None:
    X, y = np.arange(8.0)[:, None], np.arange(8.0) ** 2
    found = boost(DecisionTreeRegressor(random_state=0), X, y, np.ones(8), 4, 5, 0)
    assert len(found.models) == 1
    assert found.predict(X).tolist() == y.tolist()


# --- what it is for -------------------------------------------------------------------------------


def test_it_beats_the_target_alone_and_all_rows_pooled() -> None:
    alone, pooled, fading = [], [], []
    for seed in range(4):
        rng = RNG(seed)
        X, Xt, Xn = (rng.normal(size=(n, 10)) for n in (100, 15, 300))
        slope = rng.normal(size=10)
        y, yt = X @ slope + rng.normal(size=100), Xt @ slope + rng.normal(size=15)
        y[70:] = 12 + 3 * X[70:, 0]
        model = TrAdaBoostR2(Ridge(), steps=6, rounds=4).fit(X, y, target=Domain(Xt, yt))
        fading.append(model.score(Xn, Xn @ slope))
        alone.append(Ridge().fit(Xt, yt).score(Xn, Xn @ slope))
        both = Ridge().fit(np.concatenate([X, Xt]), np.concatenate([y, yt]))
        pooled.append(both.score(Xn, Xn @ slope))
        assert 0 < model.step_ < 5
        assert model.weights_[:70].mean() > 3 * model.weights_[70:].mean()
    assert np.mean(fading) > max(np.mean(alone), np.mean(pooled)) + 0.03


def test_a_contrary_source_is_left_behind() -> None:
    X, _, Xt, yt, Xn, yn = half_right(m=60)
    y = 10 - 5 * (X[:, 0] ** 2 + X[:, 1])
    model = TrAdaBoostR2(random_state=0, steps=5, rounds=5).fit(X, y, target=Domain(Xt, yt))
    assert model.step_ >= 3
    assert model.source_share_[-1] == 0.0
    assert model.score(Xn, yn) > 0.6


def test_units_of_the_target_values_change_nothing() -> None:
    X, y, Xt, yt, Xn, _ = half_right()
    plain = TrAdaBoostR2(random_state=0, steps=3, rounds=3).fit(X, y, target=Domain(Xt, yt))
    other = TrAdaBoostR2(random_state=0, steps=3, rounds=3).fit(
        X, 1024 * y, target=Domain(Xt, 1024 * yt)
    )
    assert other.step_ == plain.step_
    np.testing.assert_allclose(other.predict(Xn), 1024 * plain.predict(Xn), rtol=1e-9)


def test_estimators_without_weights_get_drawn_rows() -> None:
    X, y, Xt, yt, Xn, yn = half_right(m=40)
    model = TrAdaBoostR2(KNeighborsRegressor(3), random_state=0, steps=4, rounds=5)
    assert model.fit(X, y, target=Domain(Xt, yt)).score(Xn, yn) > 0.6


def test_one_label_pools_all_rows() -> None:
    X, y, Xt, yt, Xn, _ = half_right()
    known = np.arange(len(yt)) == 3
    model = TrAdaBoostR2(steps=3, rounds=2, random_state=0)
    model.fit(X, y, target=Domain(Xt, yt, labelled=known))
    assert model.step_ == 0
    assert np.isnan(model.cv_errors_).all()
    assert np.isfinite(model.predict(Xn)).all()


def test_rows_of_weight_zero_are_not_there() -> None:
    X, y, Xt, yt, Xn, _ = half_right()
    keep = RNG(1).random(len(X)) < 0.6
    make = lambda: TrAdaBoostR2(steps=3, rounds=3, random_state=0)  # noqa: E731
    weighted = make().fit(X, y, sample_weight=keep * 1.0, target=Domain(Xt, yt))
    dropped = make().fit(X[keep], y[keep], target=Domain(Xt, yt))
    np.testing.assert_allclose(weighted.predict(Xn), dropped.predict(Xn), rtol=1e-9)
    assert not weighted.weights_[~keep].any()


def test_a_saved_model_answers_the_same(tmp_path: Any) -> None:
    X, y, Xt, yt, Xn, _ = half_right()
    model = TrAdaBoostR2(Ridge(), steps=3, rounds=2).fit(X, y, target=Domain(Xt, yt))
    loaded = acclimate.load(model.save(tmp_path / "m"))
    assert np.array_equal(loaded.predict(Xn), model.predict(Xn))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"steps": 1}, "steps .* got 1"),
        ({"rounds": 0}, "rounds .* got 0"),
        ({"folds": 1}, "folds .* got 1"),
        ({"estimator": LogisticRegression()}, "use TrAdaBoost for classes"),
    ],
)
def test_wrong_settings_are_errors(settings: dict[str, Any], words: str) -> None:
    X, y, Xt, *_ = half_right()
    with pytest.raises(InputError, match=words):
        TrAdaBoostR2(**settings).fit(X, (y > 1).astype(int), target=Domain(Xt, np.arange(20) % 2))
