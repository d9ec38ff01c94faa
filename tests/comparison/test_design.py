"""The folds: what judges a row, and what chose for it, was trained without it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from acclimate.comparison.answers import (
    Answers,
    aligned,
    assemble,
    choose_in_folds,
    free_of_labels,
    from_parts,
)
from acclimate.comparison.design import Design, make_design
from acclimate.exceptions import InputError


def _design(labels: Any, folds: int = 4, repeats: int = 2, **more: Any) -> Design:
    labels = np.asarray(labels)
    settings: dict[str, Any] = {"classify": labels.dtype.kind != "f", "seed": 0} | more
    return make_design(labels, np.arange(len(labels)) * 3, folds=folds, repeats=repeats, **settings)


def test_each_row_is_held_out_once_a_repeat_and_classes_are_spread() -> None:
    design = _design(np.arange(40) % 2)
    assert (design.repeats, design.folds) == (2, 4)
    for line in design.fold_of:
        assert np.bincount(line).tolist() == [10] * 4
        assert np.bincount(line[design.labels == 1]).tolist() == [5] * 4
    assert (design.fold_of[0] != design.fold_of[1]).any()


def test_each_repeat_takes_the_folds_and_their_pairs() -> None:
    parts = list(_design(np.arange(40) % 2).parts())
    assert len(parts) == len(set(parts)) == 2 * (4 + 6)
    assert list(_design(np.arange(40) % 2).parts(1)) == parts[:10]


def test_a_pair_that_leaves_one_class_is_left_out() -> None:
    design = _design([0] * 20 + [1] * 3, folds=3, repeats=1)
    pairs = [out for _, out in design.parts() if len(out) == 2]
    assert len(pairs) == 3
    for out in pairs:
        assert len(np.unique(design.labels[~design.left_out(0, out)])) == 2


def test_folds_follow_the_key_and_not_the_order() -> None:
    y = np.arange(30) % 2
    key = np.random.default_rng(0).permutation(30)
    order = np.random.default_rng(1).permutation(30)
    one, two = _design(y, key=key), _design(y[order], key=key[order])
    np.testing.assert_array_equal(one.fold_of[:, order], two.fold_of)


@pytest.mark.parametrize(
    ("labels", "folds", "message"),
    [([0], 3, "1 target labels cannot train"), ([0, 1] * 10, 2, "folds must be at least 3")],
)
def test_what_cannot_be_laid_out_is_refused(labels: list[int], folds: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        _design(labels, folds=folds)


@pytest.mark.parametrize(
    ("labels", "few"),
    [([0, 1] * 3, True), ([0] * 20 + [1] * 2, True), ([0] * 5 + [1] * 3, False)],
)
def test_too_few_labels_are_laid_out_and_called_so(labels: list[int], few: bool) -> None:
    design = _design(labels, folds=3)
    assert design.few == few
    for line in design.fold_of:
        assert set(line.tolist()) == set(range(design.folds))


def _fitted(design: Design, X: np.ndarray, y: np.ndarray) -> Answers:
    """Cross-fit naive Bayes on the labels of the design, as a candidate would be."""
    parts = {}
    for r, out in design.parts():
        left = design.left_out(r, out)
        model = GaussianNB().fit(X[~left], y[~left])
        parts[r, out] = {
            "answers": model.predict(X[left]), "proba": model.predict_proba(X[left]),
            "classes": model.classes_,
        }  # fmt: skip
    return from_parts(design, parts, np.unique(y))


def test_tables_hold_what_a_plain_loop_gives() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(36) % 3
    X = rng.normal(size=(36, 2)) + y[:, None]
    design = _design(y)
    table = _fitted(design, X, y)
    for r in range(2):
        for i in range(4):
            mine = design.fold_of[r] == i
            model = GaussianNB().fit(X[~mine], y[~mine])
            np.testing.assert_array_equal(table.outer[r, mine], model.predict(X[mine]))
            assert table.proba is not None
            np.testing.assert_allclose(table.proba[r, mine], model.predict_proba(X[mine]))
            assert np.isnan(table.inner[r, i, mine]).all()
            for j in set(range(4)) - {i}:
                other = design.fold_of[r] == j
                model = GaussianNB().fit(X[~mine & ~other], y[~mine & ~other])
                right = model.predict(X[other]) == y[other]
                np.testing.assert_array_equal(table.inner[r, i, other], right)


def test_labels_of_a_fold_have_no_part_in_what_is_picked_for_it() -> None:
    """Change every label of a fold: inner scores of that fold, and so its pick, stay."""
    rng = np.random.default_rng(1)
    y = np.arange(36) % 2
    X = rng.normal(size=(36, 4)) + 0.7 * y[:, None]
    design = _design(y)
    flipped = y.copy()
    mine = design.fold_of[0] == 2
    flipped[mine] = 1 - flipped[mine]
    other = Design(design.known, flipped, design.fold_of, True)
    before, after = (
        {"two": _fitted(d, X[:, :2], d.labels), "four": _fitted(d, X, d.labels)}
        for d in (design, other)
    )
    for name in before:
        np.testing.assert_array_equal(before[name].inner[0, 2], after[name].inner[0, 2])
        np.testing.assert_array_equal(before[name].outer[0, mine], after[name].outer[0, mine])
    picks = [choose_in_folds(d, tables, 0.0) for d, tables in ((design, before), (other, after))]
    assert picks[0][0, 2] == picks[1][0, 2]


def test_the_better_is_picked_and_its_answers_are_taken() -> None:
    y = np.arange(24) % 2
    design = _design(y, folds=3, repeats=1)
    tables = {
        "wrong": free_of_labels(design, 1 - y, None),
        "right": free_of_labels(design, y, None),
    }
    picks = choose_in_folds(design, tables, 1.0)
    assert set(picks.values()) == {"right"}
    answers, proba = assemble(design, tables, picks)
    np.testing.assert_array_equal(answers, y[None])
    assert proba is None
    allowed = {cell: ["wrong"] for cell in picks}
    assert set(choose_in_folds(design, tables, 1.0, allowed).values()) == {"wrong"}


def test_what_is_level_goes_to_the_first() -> None:
    y = np.arange(24) % 2
    design = _design(y, folds=3, repeats=1)
    one, two = y.copy(), y.copy()
    one[0], two[1] = 1 - one[0], 1 - two[1]
    tables = {name: free_of_labels(design, a, None) for name, a in (("a", one), ("b", two))}
    assert set(choose_in_folds(design, tables, 1.0).values()) == {"a"}


def test_probabilities_get_a_column_for_each_class() -> None:
    wide = aligned(np.array([[0.3, 0.7]]), np.array(["b", "d"]), np.array(["a", "b", "c", "d"]))
    np.testing.assert_allclose(wide, [[0.0, 0.3, 0.0, 0.7]])
