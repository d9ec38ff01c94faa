"""Out-of-fold odds, against classifiers fitted by hand; folds that do not depend on row order."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import LinearSVC

from acclimate import Domain
from acclimate.exceptions import InputError
from acclimate.folds import row_keys
from acclimate.reweighting.discriminator import DomainDiscriminator, odds_weights
from acclimate.reweighting.ratio import matrix, median_distance, spread
from acclimate.tables import batches


def shifted(seed: int = 0, n: int = 120, m: int = 80) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    X, Xt = rng.normal(size=(n, 2)), rng.normal((1.0, 0.0), size=(m, 2))
    return X, (X[:, 1] > X[:, 0] ** 2 / 2).astype(int), Xt


def test_weights_are_out_of_fold_odds() -> None:
    X, y, Xt = shifted()
    judge = LogisticRegression(C=2.0)
    model = DomainDiscriminator(discriminator=judge, folds=3, random_state=0)
    model.fit(X, y, target=Domain(Xt))
    seed = model._stage_seed(2)
    both, side = np.concatenate([X, Xt]), np.repeat([0, 1], [len(X), len(Xt)])
    fold, _ = spread(side * 2, row_keys(both, seed), 3)
    expected = np.empty(len(X))
    for i in range(len(X)):
        train = fold != fold[i]
        fitted = LogisticRegression(C=2.0).fit(both[train], side[train])
        log_odds = float((X[i : i + 1] @ fitted.coef_.T + fitted.intercept_)[0, 0])
        expected[i] = np.exp(log_odds) * (side[train] == 0).sum() / side[train].sum()
    np.testing.assert_allclose(model.weights_, expected / expected.mean(), rtol=1e-6)


def test_odds_are_right_for_known_densities() -> None:
    # N(0, 1) against N(1, 1), three source rows to two of the target: w = exp(x - 1/2)
    x = np.linspace(-2, 3, 7)
    p = 2 * np.exp(-((x - 1) ** 2) / 2)
    p = p / (p + 3 * np.exp(-(x**2) / 2))
    np.testing.assert_allclose(odds_weights(p, 30, 20, 1e-9), np.exp(x - 0.5), rtol=1e-12)


def test_the_order_of_rows_changes_nothing() -> None:
    X, y, Xt = shifted()
    order = np.random.default_rng(3).permutation(len(X))
    plain = DomainDiscriminator(random_state=0).fit(X, y, target=Domain(Xt))
    moved = DomainDiscriminator(random_state=0).fit(X[order], y[order], target=Domain(Xt[::-1]))
    np.testing.assert_allclose(moved.weights_, plain.weights_[order], rtol=1e-4)


def test_identical_domains_get_equal_weights() -> None:
    X, y, _ = shifted(n=400)
    w = DomainDiscriminator(random_state=0).fit(X, y, target=Domain(X)).weights_
    np.testing.assert_allclose(w, 1.0, atol=1e-6)


def test_disjoint_domains_fall_back_to_equal_weights() -> None:
    X, y, Xt = shifted()
    model = DomainDiscriminator(random_state=0, clip=0.01).fit(X, y, target=Domain(Xt + 1000))
    # folds differ a little in n / m
    np.testing.assert_allclose(model.weights_, 1.0, atol=0.02)
    assert model.weight_report_.share > 0.99


def test_regression_and_estimators_without_weights_work() -> None:
    X, _, Xt = shifted()
    y = X[:, 0] ** 2
    Xn = np.random.default_rng(9).normal((1.0, 0.0), size=(200, 2))
    far = LinearRegression().fit(X, y)
    near = DomainDiscriminator(LinearRegression(), random_state=0).fit(X, y, target=Domain(Xt))
    assert near.score(Xn, Xn[:, 0] ** 2) > far.score(Xn, Xn[:, 0] ** 2) + 0.1
    drawn = DomainDiscriminator(KNeighborsRegressor(), random_state=0)
    assert np.isfinite(drawn.fit(X, y, target=Domain(Xt)).predict(Xt)).all()


def test_more_features_than_rows_work() -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(20, 60)), rng.normal(size=(15, 60)) + 0.1
    w = DomainDiscriminator(random_state=0).fit(X, np.arange(20) % 2, target=Domain(Xt)).weights_
    assert np.isfinite(w).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"folds": 1}, "folds .* got 1"),
        ({"clip": 0.5}, "clip .* got 0.5"),
        ({"min_effective": 0.5}, "min_effective .* got 0.5"),
        ({"discriminator": LinearSVC()}, "LinearSVC has none"),
    ],
)
def test_wrong_settings_are_errors(settings: dict[str, object], words: str) -> None:
    X, y, Xt = shifted()
    with pytest.raises(InputError, match=words):
        DomainDiscriminator(**settings).fit(X, y, target=Domain(Xt))  # type: ignore[arg-type]


@pytest.mark.parametrize("batched", [False, True])
def test_weights_are_spread_as_the_setting_says(batched: bool) -> None:
    X, y, Xt = shifted(n=200, m=150)
    plain = GaussianNB(var_smoothing=0.0)
    model = DomainDiscriminator(plain, discriminator=plain, min_effective=190, random_state=0)
    if batched:
        model.fit_batches(batches(X, y, batch_rows=60), batches(Xt, batch_rows=60))
        both, side = np.concatenate([X, Xt]), np.repeat([0, 1], [200, 150])
        fold = row_keys(both, model._stage_seed(2)) % np.uint64(5)
        w = np.empty(200)
        for k in range(5):
            train, held = fold != k, fold[:200] == k
            judge = GaussianNB(var_smoothing=0.0).fit(both[train], side[train])
            m = side[train].sum()
            w[held] = odds_weights(judge.predict_proba(X[held])[:, 1], train.sum() - m, m, 1e-3)
        w /= w.mean()
    else:
        model.fit(X, y, target=Domain(Xt))
        bare = DomainDiscriminator(plain, discriminator=plain, min_effective=None, random_state=0)
        w = bare.fit(X, y, target=Domain(Xt)).weights_
        assert bare.weight_report_.effective_rows < 190
    t = np.sqrt((200 / 190 - 1) / w.var())
    assert model.mixing_ == pytest.approx(t, rel=1e-9)
    expected = plain.fit(X, y, sample_weight=1 - t + t * w)
    np.testing.assert_allclose(model.predict_proba(Xt), expected.predict_proba(Xt), rtol=1e-8)


def test_too_few_different_rows_are_an_error() -> None:
    X, y, _ = shifted()
    with pytest.raises(InputError, match="2 different rows in each domain"):
        DomainDiscriminator().fit(X, y, target=Domain(np.ones((5, 2))))


def test_keys_depend_on_values_alone() -> None:
    X = np.round(np.random.default_rng(0).normal(size=(2000, 3)), 1)
    keys = row_keys(X, 0)
    assert len(np.unique(keys)) == len(np.unique(X, axis=0))
    assert np.array_equal(row_keys(X[::-1], 0), keys[::-1])
    assert np.array_equal(row_keys(np.array([[0.0, 1]]), 5), row_keys(np.array([[-0.0, 1]]), 5))
    assert not np.array_equal(row_keys(X, 1), keys)


def test_folds_are_even_in_each_stratum_and_keep_equal_rows_together() -> None:
    keys = row_keys(np.random.default_rng(0).integers(0, 30, size=(90, 1)).astype(float), 0)
    strata = np.arange(90) % 2
    fold, folds = spread(strata, keys, 4)
    assert folds == 4
    for k in (0, 1):
        firsts = np.unique(keys[strata == k], return_index=True)[1]
        assert np.ptp(np.bincount(fold[strata == k][firsts], minlength=4)) <= 1
    for key in np.unique(keys):
        assert len(np.unique(fold[(keys == key) & (strata == 0)])) <= 1


def test_the_median_distance_copes_with_rows_that_are_equal() -> None:
    same = np.ones((6, 2))
    assert median_distance(same, same, 0) == 1.0
    assert median_distance(np.array([[0.0], [1.0]]), np.array([[3.0]]), 0) == 2.0


def test_text_is_refused_with_a_way_out() -> None:
    with pytest.raises(InputError, match="encode them in preprocess"):
        matrix(np.array([["a", "b"]], dtype=object), "source")


@pytest.mark.parametrize("size", [17, 60, 500])
def test_batches_end_in_the_state_of_all_rows(size: int) -> None:
    X, y, Xt = shifted(n=200, m=150)
    plain = GaussianNB(var_smoothing=0.0)  # what it adds to variances depends on the first batch
    model = DomainDiscriminator(plain, discriminator=plain, folds=3, random_state=0)
    model.fit_batches(batches(X, y, batch_rows=size), batches(Xt, batch_rows=size))
    both, side = np.concatenate([X, Xt]), np.repeat([0, 1], [200, 150])
    fold = row_keys(both, model._stage_seed(2)) % np.uint64(3)
    w = np.empty(200)
    for k in range(3):
        train, held = fold != k, fold[:200] == k
        judge = GaussianNB(var_smoothing=0.0).fit(both[train], side[train])
        m = side[train].sum()
        w[held] = odds_weights(judge.predict_proba(X[held])[:, 1], train.sum() - m, m, 1e-3)
    expected = GaussianNB(var_smoothing=0.0).fit(X, y, sample_weight=w / w.mean())
    np.testing.assert_allclose(model.predict_proba(Xt), expected.predict_proba(Xt), rtol=1e-8)
    np.testing.assert_allclose(
        model.source_model_.predict_proba(Xt), plain.fit(X, y).predict_proba(Xt), rtol=1e-8
    )
    assert not hasattr(model, "weights_")


def test_batches_need_models_that_take_them() -> None:
    X, y, Xt = shifted()
    with pytest.raises(InputError, match="Give discriminator one that has"):
        DomainDiscriminator(GaussianNB()).fit_batches([(X, y)], [Xt])
    with pytest.raises(InputError, match="rows of both domains"):
        DomainDiscriminator(GaussianNB(), discriminator=GaussianNB()).fit_batches([(X, y)], [])
