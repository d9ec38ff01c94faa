"""A comparison by a metric: picks, verdicts and words are by it, and no label judges itself."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, mean_absolute_error, roc_auc_score
from sklearn.svm import LinearSVC

from acclimate import Domain, compare
from acclimate.comparison.answers import Answers, free_of_labels
from acclimate.comparison.design import Design, make_design
from acclimate.comparison.judge import Judge
from acclimate.comparison.measured import rescored, score_of, without_order
from acclimate.comparison.problem import Problem, check_problem
from acclimate.comparison.weighed import always
from acclimate.exceptions import InputError

Maker = Callable[..., SimpleNamespace]


def _problem(labels: Any, **asked: Any) -> Problem:
    X = np.arange(float(len(labels)))[:, None]
    return check_problem(
        (X, labels), Domain(X, labels), estimators=None, domains=None, groups=None, margin=0.01,
        confidence=0.95, **asked,
    )  # fmt: skip


def _design(labels: Any, repeats: int = 2) -> Design:
    return make_design(
        labels, np.arange(len(labels)), classify=True, folds=5, repeats=repeats, seed=0
    )


def _candidate(design: Design, seed: int, skill: float) -> Answers:
    noise = np.random.default_rng(seed).normal(size=len(design.labels))
    p = 1 / (1 + np.exp(2 - skill * design.labels - noise))
    proba = np.column_stack([1 - p, p])
    return free_of_labels(design, proba.argmax(axis=1), proba, np.arange(2))


def test_inner_scores_are_the_metric_of_the_other_folds() -> None:
    labels = (np.arange(60) % 4 == 0).astype(int)
    design = _design(labels)
    one = _candidate(design, 0, 1.0)
    found = rescored(_problem(labels, metric="f1"), design, one)
    for r, i in ((0, 0), (1, 3)):
        rows = design.fold_of[r] != i
        assert np.isnan(found.inner[r, i, ~rows]).all()
        wanted = f1_score(labels[rows], one.outer[r, rows])
        assert found.inner[r, i, rows].mean() == pytest.approx(wanted)


def test_picks_in_a_fold_do_not_read_its_labels() -> None:
    labels = (np.arange(60) % 4 == 0).astype(int)
    design = _design(labels)
    done = {str(k): _candidate(design, k, 0.3 * k) for k in range(4)}
    held = np.flatnonzero(design.fold_of[0] == 2)
    changed = labels.copy()
    changed[held] = 1 - changed[held]
    other = Design(design.known, changed, design.fold_of, True)
    for metric in ("auc", "f1", "log_loss"):
        before, after = (
            [
                rescored(problem, one, table).inner[0, 2]
                for table in done.values()
            ]
            for problem, one in (
                (_problem(labels, metric=metric, positive=1), design),
                (_problem(changed, metric=metric, positive=1), other),
            )
        )  # fmt: skip
        np.testing.assert_array_equal(before, after)


def test_what_ranks_better_is_picked_by_its_rank() -> None:
    labels = (np.arange(100) % 5 == 0).astype(int)
    design = _design(labels)
    none = np.random.default_rng(1).random(100)
    lazy = free_of_labels(  # right on four rows of five, without any order
        design, np.zeros(100, int), np.column_stack([1 - 0.1 * none, 0.1 * none]), np.arange(2)
    )
    keen = _candidate(design, 0, 3.0)
    keen = free_of_labels(design, np.ones(100, int), keen.proba[0], np.arange(2))  # type: ignore[index]
    done = {"lazy": lazy, "keen": keen}
    variants = {"TargetOnly": ["lazy"], "SourceOnly": ["keen"]}
    assert Judge(_problem(labels), design, done, variants).final == "lazy"
    by_rank = Judge(_problem(labels, metric="auc"), design, done, variants)
    assert by_rank.final == "keen"
    assert set(by_rank.choices.values()) == {"keen"}
    assert by_rank.against["TargetOnly"].word == "helps"
    assert by_rank.against["TargetOnly"].score == "AUC"


def test_the_committee_weighs_alike_by_any_metric() -> None:
    labels = (np.arange(60) % 3 == 0).astype(int)
    design = _design(labels)
    done = {name: _candidate(design, k, 1.0) for k, name in enumerate(("a", "b", "c"))}
    variants = {"TargetOnly": ["a"], "SourceOnly": ["b"], "Pooled": []}
    weights = [
        Judge(_problem(labels, metric=metric), design, done, variants, committee=True).weights
        for metric in (None, "auc", "f1")
    ]
    assert weights[0] == weights[1] == weights[2]


def test_always_the_same_answer_has_no_order() -> None:
    labels = (np.arange(63) % 5 == 0).astype(int)
    design = _design(labels)
    same = always(design, np.arange(2))
    for metric, wanted in (("auc", 0.5), ("average_precision", labels.mean())):
        problem = _problem(labels, metric=metric)
        table = without_order(problem, (same.outer, same.proba))
        assert score_of(problem, design, table)[0] == pytest.approx(wanted)


def test_a_comparison_by_auc(shifted: Maker) -> None:
    d = shifted()
    base = {"logistic": LogisticRegression(), "svc": LinearSVC()}
    found = compare(
        (d.X, d.y), Domain(d.Xt, d.yt), estimator=base, methods=["CORAL"], metric="auc",
        positive=1, folds=3, repeats=1, n_jobs=1,
    )  # fmt: skip
    details = found.details
    assert details.score == "AUC"
    assert details.score_note == "AUC is of the class '1', as asked"
    assert {row.estimator for row in details.table} == {"logistic", None}  # of the committee
    left = {one.method: one.reason for one in details.excluded}
    assert left["TargetOnly/svc"] == "it gives no probabilities, which AUC needs"
    assert details.verdicts[0].score == "AUC"
    assert "points of AUC" in found.sentence() or "level with" in found.sentence()
    assert "AUC" in str(found)
    with pytest.raises(InputError, match="AUC needs probabilities, and TargetOnly gives none"):
        compare((d.X, d.y), Domain(d.Xt, d.yt), estimator=LinearSVC(), metric="auc", n_jobs=1)
    with pytest.raises(InputError, match="metric AUC needs target labels"):
        compare((d.X, d.y), Domain(d.Xt), metric="auc", n_jobs=1)


def test_a_comparison_by_mae_ranks_the_smaller_first() -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(80, 2)), rng.normal(size=(40, 2))
    y, yt = 100 * X[:, 0], 100 * Xt[:, 0] + 50 * Xt[:, 1] + rng.normal(size=40)
    found = compare(
        (X, y), Domain(Xt, yt), methods=["CORAL"], metric="mae", folds=3, repeats=1, n_jobs=1
    )
    rows = [row.score for row in found.details.table]
    assert rows == sorted(rows)
    assert found.recommendation.candidate == "TargetOnly"
    assert found.details.margin == pytest.approx(0.01 * yt.std())
    against = next(one for one in found.details.verdicts if one.reference == "SourceOnly")
    assert against.word == "helps"
    assert against.gain is not None
    assert against.gain > 10
    assert "of MAE" in str(found)
    model = found.best_model()
    assert mean_absolute_error(yt, model.predict(Xt)) < 5


def test_uneven_classes_are_told_with_two_more_scores() -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(120, 2)), rng.normal(size=(60, 2))
    y, yt = (X[:, 0] > 0.9).astype(int), (Xt[:, 0] + Xt[:, 1] > 1.2).astype(int)
    found = compare((X, y), Domain(Xt, yt), methods=["CORAL"], folds=3, repeats=1, n_jobs=1)
    details = found.details
    assert details.uneven is not None
    assert f"{100 * (1 - yt.mean()):.0f} % of the labelled target rows are '0'" in details.uneven
    source = next(row for row in details.table if row.method == "SourceOnly")
    model = LogisticRegression(max_iter=1000).fit((X - X.mean(0)) / X.std(0), y)
    wanted = roc_auc_score(yt, model.decision_function((Xt - X.mean(0)) / X.std(0)))
    assert source.auc == pytest.approx(wanted, abs=0.05)  # pairs of one fold, not all
    assert source.balanced_accuracy is not None
    assert "balanced accuracy" in str(found)
    even = compare(
        (X, y), Domain(Xt, np.arange(60) % 2), methods=["CORAL"], folds=3, repeats=1, n_jobs=1
    ).details
    assert even.uneven is None
    assert all(row.auc is None for row in even.table)
