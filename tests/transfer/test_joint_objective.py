"""The joint objective against direct weighted fits, and its limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from acclimate import Domain, JointObjective, NeuralClassifier, NeuralRegressor, SourceOnly
from acclimate.exceptions import InputError

SIZES = [(60, 15), (15, 60), (20, 20)]


def domains(toy: Any, n: int, m: int, classes: int | None = 3) -> Any:
    return toy(1, n=n, m=m, classes=classes)


def weights(n: int, m: int, balance: float) -> Any:
    return np.concatenate(
        [np.full(n, (1 - balance) * (n + m) / n), np.full(m, balance * (n + m) / m)]
    )


@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize("balance", [0.2, 0.5, 0.9])
@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(C=0.3), LinearSVC(random_state=0), SVC(C=2.0),
        RandomForestClassifier(5, random_state=0), Ridge(alpha=2.0), LinearRegression(),
    ],
    ids=lambda m: type(m).__name__,
)  # fmt: skip
def test_it_is_the_weighted_fit(toy: Any, model: Any, balance: float, n: int, m: int) -> None:
    from sklearn.base import clone, is_regressor

    d = domains(toy, n, m, None if is_regressor(model) else 3)
    joint = JointObjective(model, balance=balance).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    v = weights(n, m, balance)
    assert v.sum() == pytest.approx(n + m)
    direct = clone(model).fit(np.vstack([d.X, d.Xt]), np.concatenate([d.y, d.yt]), sample_weight=v)
    assert np.array_equal(joint.predict(d.Xn), direct.predict(d.Xn))
    if hasattr(direct, "coef_") and not isinstance(model, SVC):
        assert np.array_equal(joint.target_model_.coef_, direct.coef_)


def test_source_weights_count_within_the_source(toy: Any) -> None:
    d = domains(toy, 30, 10)
    w = np.random.default_rng(0).integers(0, 4, size=30)
    target = Domain(d.Xt, d.yt)
    weighted = JointObjective(balance=0.5).fit(d.X, d.y, sample_weight=w, target=target)
    v = np.concatenate([0.5 * w / w.sum(), np.full(10, 0.05)]) * (w.sum() + 10)
    direct = LogisticRegression(max_iter=1000).fit(
        np.vstack([d.X, d.Xt]), np.concatenate([d.y, d.yt]), sample_weight=v
    )
    np.testing.assert_allclose(weighted.target_model_.coef_, direct.coef_, atol=1e-3)


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_the_ends_of_the_balance_are_source_only_and_target_only(toy: Any, n: int, m: int) -> None:
    d = domains(toy, n, m, None)
    ends = {1e-9: LinearRegression().fit(d.X, d.y), 1 - 1e-9: LinearRegression().fit(d.Xt, d.yt)}
    for balance, end in ends.items():
        joint = JointObjective(LinearRegression(), balance=balance)
        joint.fit(d.X, d.y, target=Domain(d.Xt, d.yt))
        np.testing.assert_allclose(joint.predict(d.Xn), end.predict(d.Xn), atol=1e-5)


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_the_ends_for_a_penalised_classifier(toy: Any, n: int, m: int) -> None:
    d = domains(toy, n, m)
    for balance, X, y in ((1e-9, d.X, d.y), (1 - 1e-9, d.Xt, d.yt)):
        joint = JointObjective(LogisticRegression(tol=1e-8, max_iter=5000), balance=balance)
        joint.fit(d.X, d.y, target=Domain(d.Xt, d.yt))
        # one side alone, weighing as much against the penalty as both together
        end = LogisticRegression(C=(n + m) / len(y), tol=1e-8, max_iter=5000).fit(X, y)
        np.testing.assert_allclose(joint.predict_proba(d.Xn), end.predict_proba(d.Xn), atol=1e-4)


def test_doubling_all_rows_of_one_side_changes_nothing_without_a_penalty(toy: Any) -> None:
    d = domains(toy, 30, 20, None)
    once = JointObjective(LinearRegression()).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    twice = JointObjective(LinearRegression()).fit(
        np.vstack([d.X, d.X]), np.tile(d.y, 2), target=Domain(d.Xt, d.yt)
    )
    np.testing.assert_allclose(twice.predict(d.Xn), once.predict(d.Xn), atol=1e-9)


# --- classes --------------------------------------------------------------------------------------


def test_classes_are_matched_by_name(toy: Any) -> None:
    d = domains(toy, 60, 30)
    names, other = {0: "a", 1: "b", 2: "c"}, {5: "c", 6: "a", 7: "b"}
    code = {"a": 6, "b": 7, "c": 5}
    renamed = np.array([code[names[label]] for label in d.yt])
    plain = JointObjective().fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    named = JointObjective().fit(
        d.X, d.y, class_names=names, target=Domain(d.Xt, renamed, class_names=other)
    )
    assert named.classes_.tolist() == [5, 6, 7]
    expected = [code[names[label]] for label in plain.predict(d.Xn)]
    assert named.predict(d.Xn).tolist() == expected
    np.testing.assert_allclose(named.predict_proba(d.Xn), plain.predict_proba(d.Xn)[:, [2, 0, 1]])
    assert set(named.predict(d.Xn, domain="source").tolist()) <= {0, 1, 2}


def test_other_classes_are_refused(toy: Any) -> None:
    d = domains(toy, 60, 30)
    with pytest.raises(InputError, match=r"the target has 3, the source has \[0, 1, 2\]"):
        JointObjective().fit(d.X, d.y, target=Domain(d.Xt, d.yt + 1))
    with pytest.raises(InputError, match=r"\['a', 'b', 'c'\], the target's \['a', 'b', 'd'\]"):
        JointObjective().fit(
            d.X, d.y, class_names=["a", "b", "c"],
            target=Domain(d.Xt, d.yt, class_names=["a", "b", "d"]),
        )  # fmt: skip


def test_a_class_without_a_target_row_stays_known(toy: Any) -> None:
    d = domains(toy, 60, 30)
    seen = d.yt < 2
    model = JointObjective().fit(d.X, d.y, target=Domain(d.Xt[seen], d.yt[seen]))
    assert model.classes_.tolist() == [0, 1, 2]
    assert (model.predict(d.Xn) == 2).any()


# --- forms of data --------------------------------------------------------------------------------


def test_frames_out_of_the_preprocessing_work(toy: Any) -> None:
    d = domains(toy, 40, 20)
    X, Xt = pd.DataFrame(d.X, columns=list("abcd")), pd.DataFrame(d.Xt, columns=list("abcd"))
    scaler = StandardScaler().set_output(transform="pandas")
    framed = JointObjective(preprocess=scaler).fit(X, d.y, target=Domain(Xt, d.yt))
    plain = JointObjective(preprocess=StandardScaler()).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    new = pd.DataFrame(d.Xn, columns=list("abcd"))
    np.testing.assert_allclose(framed.predict_proba(new), plain.predict_proba(d.Xn))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"balance": 0.0}, r"balance must be in \(0, 1\), got 0.0"),
        ({"balance": 1.0}, r"SourceOnly and TargetOnly are its ends"),
        ({"start": "target"}, "start must be"),
        ({"solver": "newton"}, "solver must be .*\"textbook\", got 'newton'"),
        ({"step": 0.0}, "step must be above 0"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"estimator": KNeighborsClassifier()}, "KNeighborsClassifier takes no sample_weight"),
    ],
)
def test_wrong_settings(toy: Any, settings: Any, message: str) -> None:
    d = toy()
    with pytest.raises(InputError, match=message):
        JointObjective(**settings).fit(d.X, d.y)


# --- networks -------------------------------------------------------------------------------------


def small(kind: Any = NeuralClassifier, **settings: Any) -> Any:
    values = {"hidden": (8,), "dropout": 0.0, "min_steps": 150, "batch_size": 16, "verbose": False}
    return kind(**(values | settings))


def flat(model: Any) -> Any:
    return torch.cat([p.detach().ravel() for p in model.network_.parameters()]).double().numpy()


@pytest.mark.parametrize("solver", ["gradient-descent", "textbook"])
@pytest.mark.parametrize("kind", [NeuralClassifier, NeuralRegressor])
def test_a_full_batch_step_of_a_network(toy: Any, kind: Any, solver: str) -> None:
    n, m = 30, 11
    d = domains(toy, n, m, 3 if kind is NeuralClassifier else None)
    joint = JointObjective(
        small(kind), solver=solver, step=0.3, steps=1, balance=0.2, random_state=0
    ).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    source = joint.source_model_.copy_fitted()
    net = source.network_.double()

    def mean_loss(X: Any, y: Any) -> Any:
        logits = net(torch.from_numpy(X.astype(np.float32)).double())[1]
        codes = source._codes(y)
        if kind is NeuralClassifier:
            return torch.nn.functional.cross_entropy(logits, codes)
        return ((logits[:, 0] - codes) ** 2).mean()

    first, second = mean_loss(d.X, d.y), mean_loss(d.Xt, d.yt)
    objective = 0.8 * first + 0.2 * second
    if solver == "textbook":
        objective = (n * first + m * second) / (n + m)
    objective.backward()
    slope = torch.cat([p.grad.ravel() for p in net.parameters()]).numpy()
    np.testing.assert_allclose(
        flat(joint.target_model_), flat(joint.source_model_) - 0.3 * slope, atol=2e-6
    )
    assert np.abs(slope).max() > 1e-3


@pytest.mark.parametrize("start", ["source", "scratch"])
def test_a_network_learns_both_domains(toy: Any, start: str) -> None:
    d = toy(0, n=120, m=60)
    joint = JointObjective(small(min_steps=400), start=start, random_state=0)
    joint.fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    assert joint.score(d.Xn, d.yn) > 0.85
    assert (joint.target_model_.predict(d.X) == d.y).mean() > 0.85
    assert set(joint.target_model_.history_.epochs[0]) == {"step", "source", "target"}


def test_the_balance_of_a_network_has_the_right_ends(toy: Any) -> None:
    d = toy(0, n=80, m=40)
    flipped = Domain(d.Xt, (d.yt + 1) % 3)  # no model can serve both
    scores = {}
    for balance in (0.01, 0.99):
        joint = JointObjective(small(), balance=balance, random_state=0)
        scores[balance] = joint.fit(d.X, d.y, target=flipped).score(d.Xn, (d.yn + 1) % 3)
    assert scores[0.01] < 0.3
    assert scores[0.99] > 0.8


def test_scratch_and_source_start_elsewhere(toy: Any) -> None:
    d = toy(0)
    target = Domain(d.Xt, d.yt)
    far = {}
    for start in ("source", "scratch"):
        joint = JointObjective(
            small(), start=start, solver="gradient-descent", step=1e-9, steps=1, random_state=0
        ).fit(d.X, d.y, target=target)
        far[start] = np.abs(flat(joint.target_model_) - flat(joint.source_model_)).max()
    assert far["source"] < 1e-6
    assert far["scratch"] > 0.1


def test_the_source_model_stays_what_it_was(toy: Any) -> None:
    d = toy(0)
    joint = JointObjective(small(), random_state=0).fit(d.X, d.y)
    before = flat(joint.source_model_)
    joint.adapt(Domain(d.Xt, d.yt))
    assert np.array_equal(flat(joint.source_model_), before)
    alone = SourceOnly(small(), random_state=0).fit(d.X, d.y)
    assert np.array_equal(joint.predict(d.Xn, domain="source"), alone.predict(d.Xn))


def test_source_rows_of_weight_zero_are_not_counted(toy: Any) -> None:
    d = toy(0)
    keep = np.random.default_rng(0).random(len(d.X)) < 0.6
    target = Domain(d.Xt, d.yt)
    for base in (small(), LogisticRegression()):
        weighted = JointObjective(base, random_state=0)
        weighted.fit(d.X, d.y, sample_weight=keep.astype(float), target=target)
        dropped = JointObjective(base, random_state=0).fit(d.X[keep], d.y[keep], target=target)
        np.testing.assert_allclose(
            weighted.predict_proba(d.Xn), dropped.predict_proba(d.Xn), atol=1e-4
        )
