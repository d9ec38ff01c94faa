"""Two, one or no label of a class: a comparison answers, and settles nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from acclimate import Comparison, Domain, compare
from acclimate.comparison.answers import free_of_labels
from acclimate.comparison.design import make_design
from acclimate.comparison.weighed import always, weights_in_folds
from acclimate.exceptions import InputError
from acclimate.report.comparison_page import render_comparison

METHODS = ("CORAL", "SourcePrediction")


def _domains(classes: int, seed: int = 0) -> SimpleNamespace:
    """Return classes at corners; the target is moved a little."""
    rng = np.random.default_rng(seed)
    names = np.array(["a", "b", "c"])[:classes]
    y, yt = (names[np.arange(rows) % classes] for rows in (150, 60))
    X, Xt = (rng.normal(size=(len(one), 3)) for one in (y, yt))
    for k, name in enumerate(names):
        X[y == name, k], Xt[yt == name, k] = X[y == name, k] + 3, Xt[yt == name, k] + 3.5
    return SimpleNamespace(X=X, y=y, Xt=Xt, yt=yt)


def _known(yt: Any, counts: dict[str, int]) -> Any:
    """Return a mask with so many labels of each class."""
    known = np.zeros(len(yt), dtype=bool)
    for name, n in counts.items():
        known[np.flatnonzero(yt == name)[:n]] = True
    return known


def _compare(d: SimpleNamespace, known: Any, **settings: Any) -> Comparison:
    more: dict[str, Any] = {"estimator": LogisticRegression(), "methods": METHODS} | settings
    target = Domain(d.Xt, d.yt, labelled=known)
    return compare((d.X, d.y), target, repeats=2, n_jobs=1, **more)


def _check(found: Comparison, words: str) -> None:
    """Nothing is settled, the first line says why, and there is a model."""
    lines = " ".join(str(found).split())
    assert lines.startswith(f"Not settled, since {words}")
    assert "too few to train, to choose and to judge: use " in lines
    assert found.sentence().startswith(f"Not settled, since {words}")
    assert found.recommendation.action == "not settled"
    for said in found.details.verdicts:
        assert said.word in ("not settled", "the same model")
    for row in found.details.table:
        for gain in (row.against_target_only, row.against_source_only):
            assert gain is None or gain.word == "not settled"
    assert "Not settled, since" in render_comparison(found.details)


SOME = [
    ({"a": 2, "b": 12}, True),
    ({"a": 1, "b": 12}, False),
    ({"b": 12}, False),
    ({"a": 2, "b": 2}, True),
    ({"a": 1, "b": 1}, False),
    ({"b": 3}, False),
    ({"a": 3, "b": 4}, True),
]


@pytest.mark.parametrize("committee", [False, True])
@pytest.mark.parametrize(("counts", "learns"), SOME)
def test_two_classes(counts: dict[str, int], learns: bool, committee: bool) -> None:
    d = _domains(2)
    found = _compare(d, _known(d.yt, counts), committee=committee)
    total = sum(counts.values())
    told = " and ".join(f"{counts.get(one, 0) or 'none'} of '{one}'" for one in "ab")
    _check(found, f"{total} target labels ({told})")
    done = {row.method for row in found.details.table if row.status == "done"}
    assert {"SourceOnly", "CORAL"} <= done
    assert ({"TargetOnly", "SourcePrediction"} <= done) == learns
    assert found.details.reference == ("TargetOnly" if learns else "SourceOnly")
    assert ("TargetOnly" in {one.method for one in found.details.excluded}) != learns
    assert found.best_model().score(d.Xt, d.yt) > 0.6


@pytest.mark.parametrize(
    ("counts", "settles"),
    [
        ({"a": 2, "b": 12, "c": 12}, True), ({"a": 1, "b": 12, "c": 12}, True),
        ({"b": 12, "c": 12}, True), ({"a": 2, "b": 2, "c": 12}, False),
        ({"a": 1, "b": 1, "c": 12}, False), ({"c": 12}, False), ({"a": 1, "b": 1, "c": 1}, False),
        ({"b": 3}, False),
    ],
)  # fmt: skip
def test_three_classes(counts: dict[str, int], settles: bool) -> None:
    """Two classes with three labels are enough for a verdict, as they have always been."""
    d = _domains(3)
    found = _compare(d, _known(d.yt, counts))
    if settles:
        assert found.recommendation.too_few is None
        assert not str(found).startswith("Not settled")
    else:
        _check(found, f"{sum(counts.values())} target labels (")
    assert found.best_model().score(d.Xt, d.yt) > 0.5


def test_classes_without_names_are_counted_where_there_are_many() -> None:
    rng = np.random.default_rng(0)
    y, yt = np.arange(120) % 6, np.arange(60) % 6
    X = np.eye(6)[y] + 0.1 * rng.normal(size=(120, 6))
    Xt = np.eye(6)[yt] + 0.1 * rng.normal(size=(60, 6))
    known = np.arange(60) < 10  # two labels of four classes, one of the others
    found = _compare(SimpleNamespace(X=X, y=y, Xt=Xt, yt=yt), known)
    _check(found, "10 target labels in 6 of 6 classes")


@pytest.mark.parametrize("labels", [2, 3, 7])
@pytest.mark.parametrize("committee", [False, True])
def test_a_regression(labels: int, committee: bool) -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(100, 2)), rng.normal(size=(40, 2)) + 1
    d = SimpleNamespace(X=X, y=X[:, 0], Xt=Xt, yt=Xt[:, 0] + 0.1 * rng.normal(size=40))
    known = np.arange(40) < labels
    found = _compare(d, known, estimator=Ridge(), methods=["SourcePrediction"],
                     committee=committee)  # fmt: skip
    _check(found, f"{labels} target labels are too few")
    assert (found.details.reference == "TargetOnly") == (labels > 2)
    assert found.best_model().score(Xt, d.yt) > 0.5


@pytest.mark.parametrize(
    ("labels", "same", "words"),
    [(1, False, "1 target label is too few"), (9, True, "the 9 target labels are all 2")],
)
def test_what_can_judge_nothing_is_an_estimate(labels: int, same: bool, words: str) -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(100, 2)), rng.normal(size=(40, 2))
    yt = np.full(40, 2.0) if same else Xt[:, 0]
    d = SimpleNamespace(X=X, y=X[:, 0], Xt=Xt, yt=yt)
    found = _compare(d, np.arange(40) < labels, estimator=Ridge(), methods=["CORAL"])
    assert found.estimate
    assert str(found).startswith(f"Not settled, since {words}")


def test_one_label_of_a_class_alone_is_an_estimate() -> None:
    d = _domains(2)
    found = _compare(d, _known(d.yt, {"a": 1}))
    assert (found.estimate, found.recommendation.action) == (True, "not settled")


@pytest.mark.parametrize(
    ("metric", "counts", "defined"),
    [
        ("AUC", {"b": 5}, False), ("AUC", {"a": 1, "b": 5}, False),
        ("average precision", {"b": 5}, False), ("F1", {"a": 1, "b": 5}, True),
        ("log loss", {"b": 5}, True), ("balanced accuracy", {"a": 1, "b": 5}, True),
    ],
)  # fmt: skip
def test_a_metric_that_few_labels_do_not_define_gives_way(
    metric: str, counts: dict[str, int], defined: bool
) -> None:
    d = _domains(2)
    found = _compare(d, _known(d.yt, counts), metric=metric, methods=["CORAL"])
    assert (found.details.score == "accuracy") != defined
    headline = found.recommendation.headline()
    assert headline.startswith("Not settled, since ")
    assert (f"; {metric} is not defined on them" in headline) != defined


def test_one_label_and_a_metric_are_an_estimate() -> None:
    d = _domains(2)
    found = _compare(d, _known(d.yt, {"a": 1}), metric="F1")
    assert (found.estimate, found.details.score) == (True, "accuracy")


def test_one_row_at_a_time_whatever_the_order() -> None:
    y, key = np.array([0, 0, 1, 1, 1]), np.array([3, 1, 0, 4, 2])
    design = make_design(y, np.arange(5), classify=True, folds=5, repeats=3, seed=0, key=key)
    assert (design.few, design.repeats, design.folds) == (True, 1, 5)
    order = np.array([4, 2, 0, 1, 3])
    moved = make_design(
        y[order], np.arange(5), classify=True, folds=5, repeats=3, seed=0, key=key[order]
    )
    np.testing.assert_array_equal(design.fold_of[:, order], moved.fold_of)


def test_a_label_has_no_part_in_what_weighs_for_it() -> None:
    """Change the label of a row: the weights of its fold stay."""
    y = np.array([0, 0, 1, 1])
    for row in range(4):
        other = y.copy()
        other[row] = 1 - other[row]
        found = []
        for labels in (y, other):
            design = make_design(labels, np.arange(4), classify=True, folds=5, repeats=1, seed=0)
            classes = np.array([0, 1])
            tables = {}
            for name, p in (("one", [0.9, 0.2, 0.4, 0.7]), ("two", [0.6, 0.6, 0.1, 0.9])):
                proba = np.column_stack([p, 1 - np.array(p)])
                tables[name] = free_of_labels(design, y, proba, classes)
            found.append(weights_in_folds(design, tables)[0, design.fold_of[0, row]])
        assert found[0] == found[1]


def test_the_constant_of_two_rows_is_the_other_row() -> None:
    y = np.array([0, 1])
    design = make_design(y, np.arange(2), classify=True, folds=3, repeats=1, seed=0)
    table = always(design, y)
    np.testing.assert_array_equal(table.outer, [[1, 0]])
    assert np.isnan(table.inner).all()


def test_no_label_at_all_is_no_design() -> None:
    with pytest.raises(InputError, match="1 target labels cannot train and judge"):
        make_design(np.array([0]), np.arange(1), classify=True, folds=3, repeats=1, seed=0)


def test_pooled_rows_learn_from_labels_of_one_class() -> None:
    """The source knows the other class, so a target of nearly one class is no reason to give up."""
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(200, 3)), rng.normal(size=(120, 3))
    y = np.where(X[:, 0] + 0.5 * rng.normal(size=200) > 0, "b", "a")
    yt = np.where(rng.random(120) < 0.05, "a", "b")  # whatever the source says
    known = _known(yt, {"a": 1, "b": 40})
    target = Domain(Xt, yt, labelled=known)
    found = compare(
        (X, y), target, estimator={"logistic": LogisticRegression()}, methods=["Pooled"],
        committee=True, n_jobs=1,
    )  # fmt: skip
    assert found.recommendation.action == "not settled"
    done = {row.candidate: row for row in found.details.table if row.status == "done"}
    assert any(name.startswith("Pooled") for name in done)
    tried = {row.method for row in found.details.excluded}
    assert "TargetOnly" in tried
    rest = ~known
    source = done["SourceOnly"].score
    assert source is not None
    assert source < 0.7
    assert np.mean(found.best_model().predict(Xt[rest]) == yt[rest]) > 0.85
