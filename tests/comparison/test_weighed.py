"""The committee: no judged row has a part in its weights, and noise shows no gain."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from acclimate import Committee, Domain, compare
from acclimate.comparison.answers import Answers, free_of_labels
from acclimate.comparison.design import Design, make_design
from acclimate.comparison.weighed import blend, constant, final_weights, weights_in_folds
from acclimate.judging.weighing import committee_weights

Maker = Callable[..., SimpleNamespace]


def _design(m: int = 30, repeats: int = 2) -> Design:
    labels = np.arange(m) % 3
    return make_design(labels, np.arange(m), classify=True, folds=5, repeats=repeats, seed=0)


def _noise(design: Design, seed: int) -> Answers:
    """Return a candidate whose answers have nothing to do with the labels."""
    proba = np.random.default_rng(seed).dirichlet(np.ones(3), len(design.labels))
    return free_of_labels(design, proba.argmax(1), proba, np.arange(3))


def test_weights_of_a_fold_do_not_read_its_labels() -> None:
    design = _design()
    candidates = {str(k): _noise(design, k) for k in range(4)}
    before = weights_in_folds(design, candidates)
    held = design.fold_of[1] == 2
    changed = design.labels.copy()
    changed[held] = (changed[held] + 1) % 3
    other = Design(design.known, changed, design.fold_of, True)
    after = weights_in_folds(other, {
        str(k): free_of_labels(other, c.outer[0], c.proba[0], np.arange(3))  # type: ignore[index]
        for k, c in candidates.items()
    })  # fmt: skip
    assert before[1, 2] == after[1, 2]
    assert before[1, 0] != after[1, 0]


def test_answers_are_the_weighted_means_of_the_fold() -> None:
    design = _design()
    candidates = {str(k): _noise(design, k) for k in range(3)}
    weights = weights_in_folds(design, candidates)
    outer, proba = blend(design, candidates, weights, np.arange(3))
    assert proba is not None
    row = 7
    for r in range(design.repeats):
        i = int(design.fold_of[r, row])
        others = design.fold_of[r] != i
        losses = []
        for one in candidates.values():
            assert one.proba is not None
            p = one.proba[r, others, design.labels[others]]
            losses.append(-np.log(np.maximum(p, 1e-3)).sum())
        w = committee_weights(losses)
        wanted = sum(a * c.proba[r, row] for a, c in zip(w, candidates.values(), strict=True))  # type: ignore[index]
        np.testing.assert_allclose(proba[r, row], wanted)
        assert outer[r, row] == wanted.argmax()


def test_the_constant_answer_is_the_majority_of_the_other_folds() -> None:
    labels = np.array([0] * 12 + [1] * 8)
    design = make_design(labels, np.arange(20), classify=True, folds=5, repeats=1, seed=0)
    same = constant(design, np.array([0, 1]))
    assert (same.outer == 0).all()
    assert np.nanmean(same.inner) == pytest.approx(0.6)


@pytest.mark.parametrize("seed", range(3))
def test_labels_of_pure_noise_show_no_gain(seed: int) -> None:
    """Among many candidates of chance, picking on the judged rows would read well above chance."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 200)
    design = make_design(labels, np.arange(200), classify=True, folds=5, repeats=2, seed=seed)
    candidates = {}
    for k in range(40):
        proba = rng.dirichlet(np.ones(2), 200)
        candidates[str(k)] = free_of_labels(design, proba.argmax(1), proba, np.arange(2))
    best = max((one.outer[0] == labels).mean() for one in candidates.values())
    outer, _ = blend(design, candidates, weights_in_folds(design, candidates), np.arange(2))
    honest = (outer == labels).mean()
    assert abs(honest - 0.5) < 3 * 0.5 / np.sqrt(200)
    assert best > honest


def test_final_weights_are_of_the_outer_losses() -> None:
    design = _design()
    candidates = {str(k): _noise(design, k) for k in range(3)}
    losses = [one.outer_loss.sum(axis=1).mean() for one in candidates.values()]
    found = final_weights(design, candidates)
    wanted = committee_weights(losses)
    assert list(found.values()) == pytest.approx(wanted[wanted > 0].tolist())


def test_compare_recommends_a_committee_that_answers_as_its_members(shifted: Maker) -> None:
    d = shifted(shift=1.0)
    base = {"a": LogisticRegression(C=0.1), "b": LogisticRegression(C=10.0)}
    found = compare(
        (d.X, d.y), Domain(d.Xt, d.yt), estimator=base, methods=["Pooled", "SourcePrediction"],
        committee=True, repeats=1, folds=3, n_jobs=1,
    )  # fmt: skip
    members = found.details.members
    assert sum(one.weight for one in members) == pytest.approx(1.0)
    assert [one.weight for one in members] == sorted((m.weight for m in members), reverse=True)
    references = {said.reference for said in found.details.verdicts}
    assert references == {"TargetOnly", "SourceOnly", "Pooled", "Constant", "best reference"}
    (row,) = [row for row in found.details.table if row.candidate == "Committee"]
    assert row.score is not None
    if found.recommendation.candidate == "Committee":
        model = found.best_model()
        assert isinstance(model, Committee)
        assert set(dict(model.members)) == {one.candidate for one in members}
    again = compare(
        (d.X, d.y), Domain(d.Xt, d.yt), estimator=base, methods=["Pooled", "SourcePrediction"],
        committee=True, repeats=1, folds=3, n_jobs=1,
    )  # fmt: skip
    assert again.details.members == members


def test_plain_frames_need_nothing_else() -> None:
    """Text, categories and gaps: what the command line does, in Python."""
    rng = np.random.default_rng(0)

    def frame(n: int) -> Any:
        made = pd.DataFrame({"ward": rng.choice(["north", "south", "west"], n)})
        made["age"] = np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n))
        return made, np.where((made.ward == "north") ^ (made.age > 0), "ill", "well")

    (X, y), (Xt, yt) = frame(120), frame(40)
    found = compare((X, y), Domain(Xt, yt), methods=["CORAL"], repeats=1, folds=3, n_jobs=1)
    assert {row.status for row in found.details.table} == {"done"}
