"""The committee: no judged row has a part in its weights, and noise shows no gain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from acclimate import Committee, Domain, Pooled, compare
from acclimate.comparison.answers import Answers, free_of_labels
from acclimate.comparison.bases import strong_estimators
from acclimate.comparison.candidates import Candidate, Need, choose
from acclimate.comparison.design import Design, make_design
from acclimate.comparison.judge import Judge
from acclimate.comparison.last_fit import refit
from acclimate.comparison.problem import Problem, check_problem
from acclimate.comparison.summary import _advise_committee
from acclimate.comparison.weighed import always, blend, final_weights, weights_in_folds
from acclimate.judging.weighing import committee_weights
from acclimate.validation import Rows

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
    same = always(design, np.array([0, 1]))
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


def test_the_unit_of_squared_errors_is_of_the_other_folds() -> None:
    """One far label in the fold that is judged changes none of the weights for that fold."""
    rng = np.random.default_rng(0)
    labels = rng.normal(size=30)
    design = make_design(labels, np.arange(30), classify=False, folds=5, repeats=1, seed=0)
    said = {str(k): labels + rng.normal(scale=0.5 + k / 5, size=30) for k in range(3)}
    changed = np.where(np.arange(30) == 4, 100.0, labels)
    other = Design(design.known, changed, design.fold_of, False)
    fold = int(design.fold_of[0, 4])
    before, after = (
        weights_in_folds(one, {name: free_of_labels(one, y, None) for name, y in said.items()})
        for one in (design, other)
    )
    assert before[0, fold] == after[0, fold]
    assert before[0, (fold + 1) % 5] != after[0, (fold + 1) % 5]
    outside = design.fold_of[0] != fold
    wanted = committee_weights([
        np.square(y - labels)[outside].sum() / labels[outside].var() for y in said.values()
    ])  # fmt: skip
    assert list(before[0, fold].values()) == pytest.approx(wanted[wanted > 0].tolist())


def _problem(labels: Any) -> Problem:
    X = np.arange(float(len(labels)))[:, None]
    return check_problem(
        (X, labels), Domain(X, labels), estimators=None, domains=None, groups=None,
        margin=0.01, confidence=0.95,
    )  # fmt: skip


def _judge(right: dict[str, float], variants: dict[str, list[str]], seed: int = 0) -> Judge:
    """Return a judge over candidates that are right on a share of 60 labels, and sure of it."""
    rng = np.random.default_rng(seed)
    labels = np.arange(60) % 2
    design = make_design(labels, np.arange(60), classify=True, folds=5, repeats=1, seed=0)
    done = {}
    for name, share in right.items():
        said = np.where(rng.permutation(60) < share * 60, labels, 1 - labels)
        proba = np.where(np.eye(2)[said] > 0, 0.8, 0.2)
        done[name] = free_of_labels(design, said, proba, np.arange(2))
    return Judge(_problem(labels), design, done, variants, committee=True)


REFERENCES = {"TargetOnly": ["TargetOnly"], "SourceOnly": ["SourceOnly"], "Pooled": []}


def test_the_best_reference_is_the_best_and_not_the_first_that_is_level() -> None:
    judge = _judge({"SourceOnly": 0.85, "TargetOnly": 0.8}, REFERENCES)
    design, best = judge.design, judge.references["best reference"][0]
    for i in range(design.folds):
        mine = design.fold_of[0] == i
        right = {
            name: (judge.done[name].outer[0] == design.labels)[~mine].sum()
            for name in ("TargetOnly", "SourceOnly")
        }
        picked = max(right, key=right.__getitem__)
        assert (best[0, mine] == judge.done[picked].outer[0, mine]).all()
    assert judge.fallback == "SourceOnly"


@pytest.mark.parametrize("score", [0.6, 0.9])
def test_the_constant_answer_has_its_score(score: float) -> None:
    judge = _judge({"SourceOnly": score, "TargetOnly": score}, REFERENCES)
    same = judge.references["Constant"][0]
    assert judge.constant == pytest.approx((same == judge.design.labels).mean())


def _run(d: SimpleNamespace, **settings: Any) -> Any:
    return compare(
        (d.X, d.y), Domain(d.Xt, d.yt), committee=True, repeats=1, folds=3, n_jobs=1, **settings
    )


def test_without_probabilities_one_is_picked_and_the_sentence_says_against_what(
    shifted: Maker,
) -> None:
    found = _run(shifted(shift=1.0), estimator=LinearSVC(), methods=["Pooled"]).details
    assert found.members == ()
    (said,) = [one for one in found.verdicts if one.reference == "TargetOnly"]
    assert f"{100 * abs(said.gain):.1f} points" in found.sentence or "level with" in found.sentence
    assert "training on the target alone" in found.sentence


def test_a_committee_of_target_models_alone_is_no_transfer(shifted: Maker) -> None:
    """A source whose labels are the wrong way round has no part in what answers."""
    d = shifted(shift=0.0)
    base = {"a": LogisticRegression(C=0.1), "b": LogisticRegression(C=10.0)}
    found = _run(SimpleNamespace(X=d.X, y=1 - d.y, Xt=d.Xt, yt=d.yt), estimator=base, methods=[])
    assert all(one.candidate.startswith("TargetOnly") for one in found.details.members)
    assert found.recommendation.action == "do not transfer"


def test_one_member_is_recommended_by_its_name(shifted: Maker) -> None:
    d = shifted(shift=0.0)
    flipped = SimpleNamespace(X=d.X, y=1 - d.y, Xt=d.Xt, yt=d.yt)
    found = _run(flipped, estimator=LogisticRegression(), methods=[])
    assert [one.candidate for one in found.details.members] == ["TargetOnly"]
    assert found.recommendation.candidate == "TargetOnly"
    assert type(found.best_model()).__name__ == "TargetOnly"


def test_fine_tuning_is_tried_only_on_what_it_can_go_on_with() -> None:
    need = Need("classification", labels=True)
    models = strong_estimators(need)
    candidates, _ = choose(need, models, None, 0, ["FineTune"], variants=True)
    tuned = {c.estimator for c in candidates if c.row.name == "FineTune"}
    assert tuned == {"linear", "boosting"}
    assert set(models) - tuned == {"trees", "forest"}


class Told(Pooled):
    """Keeps what it is told of the sources."""

    def _fit_source(self, source: Rows, seed: int) -> Any:
        self.told_ = source.domains
        return super()._fit_source(source, seed)


def test_each_member_is_told_the_sources_as_it_was_judged(shifted: Maker) -> None:
    d = shifted(shift=1.0)
    ids = np.arange(len(d.y)) % 2
    problem = check_problem(
        (d.X, d.y), Domain(d.Xt, d.yt), estimators=None, domains=ids, groups=None, margin=0.01,
        confidence=0.95,
    )  # fmt: skip
    one = type("One", (Told,), {"row": replace(Told._row(), several_sources=False)})
    members = [
        Candidate("a", Told._row(), "", Told(), True, True),
        Candidate("b", one._row(), "", one(), True, False),
    ]
    model: Any = refit(problem, members, {"a": 0.5, "b": 0.5})
    (_, first), (_, second) = model.source_model_.members
    np.testing.assert_array_equal(first.told_, ids)
    assert second.told_ is None


def _verdict(word: str, gain: float) -> Any:
    return SimpleNamespace(word=word, gain=gain, but="")


@pytest.mark.parametrize(
    ("source", "best", "action", "candidate"),
    [
        ("helps", "helps", "transfer", "Committee"),
        ("not settled", "helps", "not settled", "Committee"),
        ("not settled", "makes no difference", "not settled", "Committee"),
        ("hurts", "helps", "do not transfer", "TargetOnly"),
        ("helps", "hurts", "do not transfer", "TargetOnly"),
    ],
)
def test_what_is_advised_follows_from_every_reference(
    source: str, best: str, action: str, candidate: str
) -> None:
    """A reference that is picked by chance is easier to beat than one that is always there."""
    need = Need("classification", labels=True)
    models = {"a": LogisticRegression(), "b": LogisticRegression(C=2.0)}
    candidates, _ = choose(need, models, None, 0, ["Pooled"])
    gains = {"helps": 0.1, "hurts": -0.1}
    found: Any = SimpleNamespace(
        against={
            "TargetOnly": _verdict("helps", 0.1), "SourceOnly": _verdict(source, 0.0),
            "best reference": _verdict(best, gains.get(best, 0.0)),
        },
        members={"Pooled/a": 0.5, "SourceOnly/b": 0.5}, fallback="TargetOnly/a", each={},
    )  # fmt: skip
    advice = _advise_committee(candidates, found)
    assert advice.action == action
    assert str(advice.candidate).startswith(candidate)
    assert ("but not SourceOnly alone" in str(advice.reason)) == (
        (source, best) == ("not settled", "helps")
    )
