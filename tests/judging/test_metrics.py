"""Metrics: scikit-learn's values, derivatives as contributions, and what must not change them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle
from sklearn.metrics import make_scorer

from acclimate import verdict
from acclimate.exceptions import InputError
from acclimate.judging.crossfitted import cross_fitted_interval
from acclimate.judging.influence import area_under_roc, jackknife
from acclimate.judging.metrics import METRICS, majority, metric_of, positive_of
from acclimate.judging.paired import constant_score, lines, margin_of, paired
from acclimate.judging.scored import Metric, Scored

CLASS = [one for one in METRICS.values() if one.task == "classification"]


def _scored(classes: int, weighted: bool = False, seed: int = 0, rows: int = 80) -> Scored:
    rng = np.random.default_rng(seed)
    truth = np.minimum(rng.geometric(0.6, rows) - 1, classes - 1)
    proba = rng.dirichlet(np.ones(classes), rows).round(1) + 0.01
    proba /= proba.sum(axis=1, keepdims=True)
    w = rng.uniform(0.5, 2.0, rows) if weighted else None
    return Scored(
        truth, proba.argmax(axis=1), proba, np.arange(classes), 1 if classes == 2 else None,
        None if w is None else w / w.mean(),
    )  # fmt: skip


def _wanted(key: str, s: Scored) -> float:
    """Return the value by scikit-learn."""
    t, a, p, w, shown = s.truth, s.answers, s.proba, s.weights, s.shown
    assert p is not None
    codes = list(range(p.shape[1]))
    each: dict[str, Any] = {
        "accuracy": lambda: oracle.accuracy_score(t, a, sample_weight=w),
        "balanced_accuracy": lambda: oracle.balanced_accuracy_score(t, a, sample_weight=w),
        **{
            key: partial(
                getattr(oracle, f"{key}_score"),
                t,
                a,
                labels=shown,
                average="macro",
                sample_weight=w,
            )
            for key in ("f1", "precision", "recall")
        },
        "auc": lambda: np.mean(
            [oracle.roc_auc_score(t == c, p[:, c], sample_weight=w) for c in shown]
        ),
        "average_precision": lambda: np.mean(
            [oracle.average_precision_score(t == c, p[:, c], sample_weight=w) for c in shown]
        ),
        "log_loss": lambda: oracle.log_loss(t, p, labels=codes, sample_weight=w),
        "brier": lambda: oracle.brier_score_loss(
            t, p[:, 1] if len(codes) == 2 else p, labels=codes, sample_weight=w
        ),
    }
    return float(each[key]())


@pytest.mark.parametrize("metric", CLASS, ids=lambda one: one.key)
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_value_is_that_of_scikit_learn(metric: Metric, classes: int, weighted: bool) -> None:
    s = _scored(classes, weighted)
    assert metric.value(s) == pytest.approx(_wanted(metric.key, s), abs=1e-12)


@pytest.mark.parametrize("key", ["r2", "mae", "rmse"])
def test_the_value_of_numbers_is_that_of_scikit_learn(key: str) -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=50)
    answers = y + rng.normal(size=50)
    names = {"r2": "r2_score", "mae": "mean_absolute_error", "rmse": "root_mean_squared_error"}
    wanted = getattr(oracle, names[key])(y, answers)
    assert METRICS[key].value(Scored(y, answers)) == pytest.approx(wanted)


@pytest.mark.parametrize("metric", [m for m in CLASS if not m.by_rows], ids=lambda m: m.key)
@pytest.mark.parametrize("classes", [2, 3])
def test_contributions_are_derivatives_by_the_weights(metric: Metric, classes: int) -> None:
    s = _scored(classes)
    parts, rows, step = metric.parts(s), len(s.truth), 1e-6
    value = _wanted(metric.key, s)
    for row in range(0, rows, 11):
        w = np.ones(rows)
        w[row] += step
        moved = _wanted(metric.key, replace(s, weights=w))
        assert parts[row] - value == pytest.approx(rows * (moved - value) / step, abs=1e-3)


@pytest.mark.parametrize("key", ["r2", "rmse"])
def test_contributions_of_numbers_are_near_the_jackknife(key: str) -> None:
    rng = np.random.default_rng(1)
    y = rng.uniform(-1, 1, 2000)
    s = Scored(y, y + rng.uniform(-1, 1, 2000))
    parts = METRICS[key].parts(s)
    left = jackknife(lambda rows: METRICS[key].value(s.take(rows)), 2000, 2000)
    np.testing.assert_allclose(parts, left, atol=0.01 * parts.std())


def test_contributions_move_with_their_rows() -> None:
    order = np.random.default_rng(2).permutation(80)
    s = _scored(3)
    for metric in CLASS:
        np.testing.assert_allclose(
            metric.parts(s.take(order)), metric.parts(s)[order], atol=1e-9, err_msg=metric.key
        )


def test_names_of_classes_do_not_matter() -> None:
    s = _scored(3)
    turn = np.array([2, 0, 1])
    assert s.proba is not None
    other = replace(
        s, truth=turn[s.truth], answers=turn[s.answers], proba=s.proba[:, np.argsort(turn)]
    )
    for metric in CLASS:
        np.testing.assert_allclose(metric.parts(s), metric.parts(other), atol=1e-12)


def test_only_the_order_of_probabilities_counts_for_ranks() -> None:
    s = _scored(2)
    assert s.proba is not None
    p = s.proba[:, 1] ** 3
    bent = replace(s, proba=np.column_stack([1 - p, p]))
    for metric in METRICS.values():
        if metric.task == "classification" and metric.proba:
            same = np.allclose(metric.parts(s), metric.parts(bent), atol=1e-12)
            assert same == metric.ranks


def test_area_of_folds_counts_pairs_of_one_fold() -> None:
    rng = np.random.default_rng(3)
    truth, folds = rng.random(60) < 0.3, np.arange(60) % 4
    scores = rng.normal(size=60).round(1) + truth + 10.0 * folds  # a model a fold, far apart
    won = pairs = 0.0
    for i in np.flatnonzero(truth):
        for j in np.flatnonzero(~truth & (folds == folds[i])):
            won += float(scores[i] > scores[j]) + 0.5 * float(scores[i] == scores[j])
            pairs += 1
    parts = area_under_roc(truth, scores, np.ones(60), folds)
    assert parts.mean() == pytest.approx(won / pairs)
    calm = area_under_roc(truth, scores - 10.0 * folds, np.ones(60), folds)
    np.testing.assert_allclose(parts, calm, atol=1e-9)


def test_a_model_without_order_has_an_area_of_a_half_in_folds() -> None:
    truth = np.arange(60) % 5 == 0
    folds = np.repeat(np.arange(4), 15)
    said = np.array([truth[folds != f].mean() for f in folds])
    ones = np.ones(60)
    assert area_under_roc(truth, said, ones, folds).mean() == pytest.approx(0.5)


def test_a_jackknife_of_the_mean_gives_the_values() -> None:
    x = np.random.default_rng(4).normal(size=30)
    np.testing.assert_allclose(jackknife(lambda rows: float(x[rows].mean()), 30), x)


def test_a_jackknife_by_blocks_keeps_the_variance() -> None:
    x = np.random.default_rng(5).normal(size=4000)
    parts = jackknife(lambda rows: float(x[rows].mean()), 4000, 200)
    assert parts.mean() == pytest.approx(x.mean())
    assert parts.var() == pytest.approx(x.var(), rel=0.25)


def test_scorers_of_scikit_learn_are_metrics() -> None:
    s = _scored(2)
    for name, function in {
        "matthews_corrcoef": oracle.matthews_corrcoef, "jaccard": oracle.jaccard_score,
    }.items():  # fmt: skip
        assert metric_of(name, "classification").value(s) == pytest.approx(
            function(s.truth, s.answers)
        )
    turned = metric_of("jaccard", "classification").value(replace(s, positive=0))
    assert turned == pytest.approx(oracle.jaccard_score(s.truth, s.answers, pos_label=0))
    assert metric_of("roc_auc", "classification") is METRICS["auc"]
    assert metric_of("neg_root_mean_squared_error", "regression") is METRICS["rmse"]
    own = make_scorer(oracle.fbeta_score, beta=2, pos_label="b")
    named = replace(s, classes=np.array(["a", "b"]))
    assert metric_of(own, "classification").value(named) == pytest.approx(
        oracle.fbeta_score(s.truth, s.answers, beta=2)
    )
    losing = make_scorer(oracle.log_loss, greater_is_better=False, response_method="predict_proba")
    found = metric_of(losing, "classification")
    assert found.proba
    assert found.value(s) == pytest.approx(-oracle.log_loss(s.truth, s.proba))


@pytest.mark.parametrize(
    ("wanted", "task", "words"),
    [
        ("auk", "classification", "there is no metric 'auk'. For a classification: accuracy"),
        ("mae", "classification", "MAE is a metric for a regression"),
        ("auc", "regression", "AUC is a metric for a classification"),
        (3, "regression", r"scorer\(estimator, X, y\), got 3"),
    ],
)
def test_what_is_no_metric_is_refused(wanted: Any, task: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        metric_of(wanted, task)


def test_a_scorer_that_does_not_fit_is_told() -> None:
    y = np.random.default_rng(6).normal(size=20)
    with pytest.raises(InputError, match="jaccard cannot be computed from answers of 20 rows"):
        verdict(y, y + 1, y + 2, task="regression", metric="jaccard")


def test_rows_of_one_class_define_no_area() -> None:
    proba = np.array([[0.2, 0.8]] * 4)
    with pytest.raises(InputError, match="AUC is not defined on these 4 rows"):
        verdict(
            np.ones(4, int), np.ones(4, int), np.zeros(4, int), metric="auc",
            candidate_proba=proba, reference_proba=proba, classes=[0, 1],
        )  # fmt: skip
    with pytest.raises(InputError, match="AUC needs probabilities, and the candidate gives none"):
        verdict([0, 1], [0, 1], [0, 1], metric="auc")


def test_the_positive_class_is_the_rarer_or_as_named() -> None:
    labels, classes = np.array(["no", "yes", "no"]), np.array(["no", "yes"])
    assert positive_of(labels, classes) == 1
    assert positive_of(labels[::-1][:1], classes) == 1  # none is rarer than one
    assert positive_of(labels, classes, "no") == 0
    assert positive_of(np.array([0, 1]), np.array([0, 1]), "1") == 1
    assert positive_of(np.array([0, 1, 2]), np.array([0, 1, 2])) is None
    assert majority(labels) == ("no", pytest.approx(2 / 3))
    with pytest.raises(InputError, match="positive='maybe' is no class"):
        positive_of(labels, classes, "maybe")


def test_gains_are_better_above_zero_and_turn_with_the_sides() -> None:
    rng = np.random.default_rng(7)
    y = rng.normal(size=60) * 100
    good, bad = y + 5 * rng.normal(size=(2, 60)), y + 50 * rng.normal(size=(2, 60))
    for key in ("mae", "rmse", "r2"):
        said = verdict(y, good, bad, task="regression", metric=key, folds=5)
        back = verdict(y, bad, good, task="regression", metric=key, folds=5)
        assert (said.word, back.word) == ("helps", "hurts")
        np.testing.assert_allclose([said.gain, said.low], [-back.gain, -back.high])
    assert said.score == "R2"
    said = verdict(y, good, bad, task="regression", metric="mae", folds=5)
    assert said.candidate_score < said.reference_score
    assert said.gain == pytest.approx(said.reference_score - said.candidate_score)
    assert said.margin == pytest.approx(0.01 * y.std())
    assert "of MAE better than the reference" in said.sentence()


def test_the_verdict_by_a_metric_is_the_interval_of_its_contributions() -> None:
    s = _scored(2, rows=120)
    t = _scored(2, rows=120, seed=9)
    assert s.proba is not None
    assert t.proba is not None
    both = [METRICS["f1"].parts(one) for one in (s, replace(s, answers=t.answers))]
    ends = cross_fitted_interval((both[0] - both[1])[None], 5, few=True)
    positive = 0 if (s.truth == 0).sum() < 60 else 1
    said = verdict(s.truth, s.answers, t.answers, metric="f1", folds=5, positive=1, classes=[0, 1])
    np.testing.assert_allclose([said.gain, said.low, said.high], ends)
    assert said.gain == pytest.approx(
        oracle.f1_score(s.truth, s.answers) - oracle.f1_score(s.truth, t.answers)
    )
    assert positive == 1


def test_one_line_without_folds_has_the_same_quantile() -> None:
    s, t = _scored(2, rows=40), _scored(2, rows=40, seed=9)
    said = verdict(s.truth, s.answers, t.answers, metric="f1", positive=1, classes=[0, 1])
    both = [METRICS["f1"].parts(one) for one in (s, replace(s, answers=t.answers))]
    ends = cross_fitted_interval((both[0] - both[1])[None], 10**12, few=True)
    np.testing.assert_allclose([said.gain, said.low, said.high], ends)


def test_accuracy_by_name_is_the_verdict_without_a_metric() -> None:
    s, t = _scored(2), _scored(2, seed=1)
    plain = verdict(s.truth, s.answers, t.answers, folds=5)
    assert verdict(s.truth, s.answers, t.answers, folds=5, metric="accuracy") == plain


def test_equal_areas_on_few_rows_settle_nothing() -> None:
    y = np.array([0, 1, 0, 1, 0])
    proba = np.column_stack([1 - y, y]).astype(float)
    other = 0.5 + 0.3 * (proba - 0.5)
    said = verdict(y, y, y, metric="auc", folds=5, candidate_proba=proba, reference_proba=other)
    assert said.word == "not settled"
    assert said.high > 0.3


def test_a_constant_has_the_score_of_its_shares() -> None:
    y = np.array([0, 0, 0, 1])
    (line,) = lines(METRICS["log_loss"], y, y[None], np.eye(2)[y], np.array([0, 1]))
    assert constant_score(METRICS["auc"], line) == 0.5
    assert constant_score(METRICS["average_precision"], line) == 0.25
    assert constant_score(METRICS["balanced_accuracy"], line) == 0.5
    assert constant_score(METRICS["brier"], line) == pytest.approx(0.25 * 0.75)
    assert constant_score(METRICS["rmse"], Scored(y.astype(float), y)) == pytest.approx(y.std())
    worse = verdict(y, [0, 0, 0, 0], [1, 1, 1, 0], metric="balanced_accuracy")
    assert worse.constant is not None
    assert worse.constant.score == 0.5


def test_a_weighted_gain_is_that_of_repeated_rows() -> None:
    s, t = _scored(2), _scored(2, seed=3)
    s = replace(s, folds=None)
    times = np.random.default_rng(8).integers(1, 4, 80)
    rows = np.repeat(np.arange(80), times)
    for key in ("f1", "auc", "average_precision", "balanced_accuracy", "log_loss"):
        both = [s, replace(s, answers=t.answers, proba=t.proba)]
        heavy = [replace(one, weights=times / times.mean()) for one in both]
        found = paired(METRICS[key], heavy[:1], heavy[1:]).scores
        wanted = paired(METRICS[key], *([one.take(rows)] for one in both)).scores
        assert found == pytest.approx(wanted)


def test_the_margin_of_errors_is_a_share_of_their_unit() -> None:
    y = np.random.default_rng(9).normal(size=50)
    assert margin_of(METRICS["rmse"], 0.02, 1000 * y) == pytest.approx(20 * y.std())
    assert margin_of(METRICS["log_loss"], 0.02, y) == 0.02
