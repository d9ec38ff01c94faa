"""A weight of 3 is a row three times and a weight of 0 a row less, in every method and stage.

What cannot obey, and why:

- Networks draw batches of rows, and three rows fall into other batches than one of weight 3. Their
  answers agree on average over seeds.
- Above the number of rows from which a method draws some (500 to 20000, see its class), a row of
  weight 3 is drawn once or not at all.
- Weights that are no whole numbers reach the kernels of TCA, JDA, BDA and TJM, the graph of MEDA
  and the exchange of DASVM by draw: a row of weight 1.5 is there once or twice.
- A random forest draws rows with replacement, and of a row of weight 3 no part of it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import SVC, SVR, LinearSVC

from acclimate import Domain, FineTune, NeuralClassifier, NeuralRegressor
from acclimate.exceptions import InputError


def made(case: Any, **settings: Any) -> Any:
    """Return the method on a base model that is solved to the last digits."""
    if case.row.network:
        return case.make(**settings)
    base = case.estimator()
    if not case.regression:
        base.set_params(tol=1e-10, max_iter=5000)
    return case.make(estimator=base, **settings)


def target(case: Any, d: SimpleNamespace, known: int = 30) -> Domain:
    """Return the target, the first labels of it known where the row may read some."""
    if case.row.target_labels == "ignored":
        return Domain(d.Xt)
    return Domain(d.Xt, d.yt, labelled=np.arange(len(d.Xt)) < known)


def both(case: Any, d: SimpleNamespace, w: Any, **settings: Any) -> tuple[Any, Any]:
    """Return the method fitted with weights, and on rows repeated as often as they say."""
    rows = np.repeat(np.arange(len(d.X)), w)
    one = made(case, **settings).fit(d.X, d.y, target=target(case, d), sample_weight=w)
    return one, made(case, **settings).fit(d.X[rows], d.y[rows], target=target(case, d))


def agree(case: Any, one: Any, other: Any, X: Any) -> None:
    word = "predict" if case.regression else "predict_proba"
    for side in ("target", "source"):
        np.testing.assert_allclose(
            getattr(one, word)(X, domain=side), getattr(other, word)(X, domain=side), atol=1e-6
        )


@pytest.mark.rows(network=False)
@pytest.mark.parametrize("labels", [False, True], ids=["", "labels"])
def test_a_weight_is_a_number_of_rows(case: Any, labels: bool) -> None:
    if labels and case.row.target_labels != "optional":
        pytest.skip("the method has one way with target labels")
    d = case.data(n=72)
    w = np.random.default_rng(1).integers(0, 4, size=len(d.X))
    extra = {"use_target_labels": True} if labels else {}
    one, other = both(case, d, w, **extra)
    agree(case, one, other, d.Xn)
    for name in ("weights_", "row_norms_"):
        if hasattr(one, name):
            assert getattr(one, name).shape == w.shape
            assert not getattr(one, name)[w == 0].any()


@pytest.mark.rows(several_sources=True, network=False)
def test_a_weight_is_a_number_of_rows_of_its_source(case: Any) -> None:
    d = case.data(n=72)
    ids = np.arange(len(d.X)) // 3 % 2
    w = np.random.default_rng(1).integers(0, 4, size=len(d.X))
    rows = np.repeat(np.arange(len(d.X)), w)
    one = made(case).fit(d.X, d.y, target=target(case, d), domains=ids, sample_weight=w)
    other = made(case).fit(d.X[rows], d.y[rows], target=target(case, d), domains=ids[rows])
    agree(case, one, other, d.Xn)


def test_rows_of_weight_zero_change_nothing_on_the_target(case: Any) -> None:
    d = case.data(n=72)
    keep = np.random.default_rng(2).random(len(d.X)) < 0.7
    X, y = d.X.copy(), d.y.copy()
    X[~keep] += 9.0
    one = made(case).fit(X, y, target=target(case, d), sample_weight=keep.astype(float))
    other = made(case).fit(X[keep], y[keep], target=target(case, d))
    agree(case, one, other, d.Xn)
    assert one.trained_on_["source"]["rows"] == keep.sum()


@pytest.mark.slow
@pytest.mark.rows(network=True)
def test_a_weight_is_a_number_of_rows_on_average(case: Any) -> None:
    d = case.data(n=90, m=90)
    first = d.y == 0 if not case.regression else d.y > np.median(d.y)
    w = np.where(first, 3, 1)
    base = case.estimator().set_params(min_steps=150)
    found = np.empty((5, 2))
    for seed in range(5):
        for j, model in enumerate(both(case, d, w, estimator=base, random_state=seed)):
            answers = model.predict(d.Xn) if case.regression else model.predict_proba(d.Xn)[:, 0]
            found[seed, j] = np.mean(answers)
    error = np.sqrt(found.var(axis=0, ddof=1).sum() / 5)
    assert abs(found[:, 0].mean() - found[:, 1].mean()) <= 2 * error + 1e-3


@pytest.mark.parametrize("scaler", ["weighs", "plain"])
def test_weights_reach_the_preprocessing(scaler: str) -> None:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    from acclimate import SourceOnly

    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(60, 3)) * [3, 2, 1], rng.integers(0, 4, size=60)
    y, rows = (X[:, 1] > 0).astype(int), np.repeat(np.arange(60), w)
    step = StandardScaler() if scaler == "weighs" else PCA(2)
    one = SourceOnly(preprocess=step).fit(X, y, sample_weight=w).preprocess_
    other = SourceOnly(preprocess=step).fit(X[rows], y[rows]).preprocess_
    np.testing.assert_allclose(np.abs(one.transform(X)), np.abs(other.transform(X)), atol=1e-9)


WEIGHED = ("TargetOnly", "FineTune", "ParameterTransfer", "JointObjective")


@pytest.mark.rows(target_labels=("required", "optional"), network=False)
def test_weights_of_target_rows_are_numbers_of_rows_or_an_error(case: Any) -> None:
    d = case.data()
    w = np.random.default_rng(3).integers(0, 4, size=len(d.Xt))
    weighed = Domain(d.Xt, d.yt, sample_weight=w)
    if case.row.name not in WEIGHED:
        with pytest.raises(InputError, match="takes no weights of target rows; TargetOnly"):
            made(case).fit(d.X, d.y, target=weighed)
        return
    rows = np.repeat(np.arange(len(d.Xt)), w)
    one = made(case).fit(d.X, d.y, target=weighed)
    other = made(case).fit(d.X, d.y, target=Domain(d.Xt[rows], d.yt[rows]))
    if case.row.name == "ParameterTransfer":  # rows that are equal fall into different folds
        one.set_params(strengths=(1.0,)).adapt(weighed)
        other.set_params(strengths=(1.0,)).adapt(Domain(d.Xt[rows], d.yt[rows]))
    agree(case, one, other, d.Xn)


@pytest.mark.parametrize(
    "base",
    [
        LogisticRegression(tol=1e-10, max_iter=5000), LinearSVC(tol=1e-10, max_iter=10**6),
        SVC(tol=1e-10), Ridge(), SVR(tol=1e-10),
    ],
    ids=lambda base: type(base).__name__,
)  # fmt: skip
def test_fine_tuning_counts_weights_of_target_rows(toy: Any, base: Any) -> None:
    values = isinstance(base, Ridge | SVR)
    d = toy(classes=None if values else 2)
    y, yt = (side if values else np.array(["a", "b"])[side] for side in (d.y, d.yt))
    w = np.random.default_rng(3).integers(0, 4, size=len(d.Xt))
    rows = np.repeat(np.arange(len(d.Xt)), w)
    one = FineTune(base).fit(d.X, y, target=Domain(d.Xt, yt, sample_weight=w))
    other = FineTune(base).fit(d.X, y, target=Domain(d.Xt[rows], yt[rows]))
    word = "predict" if values else "decision_function"
    np.testing.assert_allclose(getattr(one, word)(d.Xn), getattr(other, word)(d.Xn), atol=1e-4)


@pytest.mark.parametrize("strategy", ["full", "head", "lp-ft", "surgical"])
def test_networks_weigh_target_rows(toy: Any, strategy: str) -> None:
    """Two answers to the same inputs: the one that weighs more wins."""
    d = toy(n=60, m=45, classes=2)
    X, y = np.vstack([d.Xt, d.Xt]), np.r_[d.yt, 1 - d.yt]
    w = np.r_[np.full(45, 5.0), np.ones(45)]
    base = NeuralClassifier(hidden=(8,), min_steps=150, epochs=1, dropout=0.0)
    for weight, right in ((w, d.yt), (w[::-1], 1 - d.yt)):
        target = Domain(X, y, sample_weight=weight)
        model = FineTune(base, strategy=strategy, random_state=0).fit(d.X, d.y, target=target)
        assert np.mean(model.predict(d.Xt) == right) > 0.8


def test_class_weights_of_a_network() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat(["rare", "usual"], [20, 180])
    X = rng.normal(size=(200, 1)) + 1.5 * (y == "usual")[:, None]
    quick = {"network": "mlp", "hidden": (), "min_steps": 300, "batch_size": 200, "dropout": 0.0}

    def share(**more: Any) -> float:
        model = NeuralClassifier(**quick, random_state=0).set_params(**more.pop("set", {}))
        return float(np.mean(model.fit(X, y, **more).predict(X) == "rare"))

    balanced = share(set={"class_weight": "balanced"})
    assert balanced > 2 * share()
    assert share(set={"class_weight": {"rare": 9.0}}) == pytest.approx(balanced, abs=0.02)
    assert share(sample_weight=np.where(y == "rare", 9.0, 1.0)) == pytest.approx(balanced, abs=0.02)
    # where the rows weigh the same already there is nothing to balance
    even = share(set={"class_weight": "balanced"}, sample_weight=np.where(y == "rare", 9.0, 1.0))
    assert even == pytest.approx(balanced, abs=0.02)
    target = Domain(X, y)
    plain, tuned = (
        FineTune(NeuralClassifier(**quick, class_weight=given), random_state=0, head="copy")
        .fit(X[::-1], y[::-1], target=target)
        .predict(X)
        for given in (None, "balanced")
    )
    assert np.mean(tuned == "rare") > 2 * np.mean(plain == "rare")
    for given, words in (("even", "got 'even'"), ({"odd": 1.0}, "names 'odd'")):
        with pytest.raises(InputError, match=words):
            NeuralClassifier(class_weight=given).fit(X, y)
    with pytest.raises(InputError, match="class_weight is for classes"):
        NeuralRegressor(class_weight="balanced").fit(X, X[:, 0])
