"""A tuned threshold: no label of a fold moves it there, and noise gains nothing by it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, matthews_corrcoef
from sklearn.svm import LinearSVC

from acclimate import Comparison, Domain, compare
from acclimate.comparison.answers import Answers, free_of_labels, from_parts
from acclimate.comparison.design import Design, make_design
from acclimate.comparison.judge import BEST, Judge
from acclimate.comparison.measured import held, score_of
from acclimate.comparison.problem import Problem, check_problem
from acclimate.comparison.tuned import blend_by_threshold, by_threshold, threshold_on, tuned
from acclimate.comparison.weighed import blend, weights_in_folds
from acclimate.exceptions import InputError
from acclimate.report.compared import Compared

Maker = Callable[..., SimpleNamespace]
CLASSES = np.array(["no", "yes"])
GRID = np.linspace(0.05, 0.95, 19)


def _problem(labels: Any, metric: Any = "f1") -> Problem:
    X = np.arange(float(len(labels)))[:, None]
    found = check_problem(
        (X, labels), Domain(X, labels), estimators=None, domains=None, groups=None, margin=0.01,
        confidence=0.95, metric=metric, positive="yes",
    )  # fmt: skip
    return tuned(found, "tuned")


def _labels(m: int, share: float, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return CLASSES[rng.permutation(np.arange(m) < share * m).astype(int)]


def _design(labels: Any, repeats: int = 1, weights: Any = None) -> Design:
    return make_design(
        labels, np.arange(len(labels)), classify=True, folds=5, repeats=repeats, seed=0,
        weights=weights,
    )  # fmt: skip


def _arrays(chance: Any) -> dict[str, Any]:
    proba = np.column_stack([1 - chance, chance])
    return {"answers": CLASSES[proba.argmax(axis=1)], "proba": proba, "classes": CLASSES}


def _free(design: Design, seed: int, skill: float = 0.0) -> Answers:
    """Return a candidate that sees no label, with log odds of ``skill`` more for "yes"."""
    noise = np.random.default_rng(seed).normal(size=len(design.labels))
    one = _arrays(expit(skill * (design.labels == "yes") - 1.5 + noise))
    return free_of_labels(design, one["answers"], one["proba"], CLASSES)


def _fitted(design: Design, seed: int, skill: float = 0.0, base: float = -1.5) -> Answers:
    """Return a candidate that is another model for each part of the design."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=len(design.labels)) + skill * (design.labels == "yes") + base
    parts = {
        part: _arrays(expit(own + 0.5 * rng.normal(size=len(own)))[design.left_out(*part)])
        for part in design.parts()
    }
    return from_parts(design, parts, CLASSES)


def _flipped(design: Design, r: int, i: int) -> Design:
    """Return the design with other labels in a fold; what models say is as before."""
    mine = design.fold_of[r] == i
    return replace(
        design, labels=np.where(mine, np.where(design.labels == "yes", "no", "yes"), design.labels)
    )


@pytest.mark.parametrize("make", [_free, _fitted])
@pytest.mark.parametrize("metric", ["f1", "balanced_accuracy", None])
def test_labels_of_a_fold_change_no_answer_in_it(make: Any, metric: Any) -> None:
    labels = _labels(60, 0.25)
    design = _design(labels, repeats=2)
    problem, one = _problem(labels, metric), make(design, 1, 1.0)
    before = by_threshold(problem, design, one)
    changed = 0
    for r, i in ((0, 2), (1, 4)):
        other = _flipped(design, r, i)
        after = by_threshold(problem, other, one)
        mine = design.fold_of[r] == i
        np.testing.assert_array_equal(before.outer[r, mine], after.outer[r, mine])
        both = zip(
            held(problem, design, before, r, i)[0], held(problem, other, after, r, i)[0],
            strict=True,
        )  # fmt: skip
        for a, b in both:  # nor of what picks for the fold
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(before.inner[r, i], after.inner[r, i])
        changed += int((before.outer[r, ~mine] != after.outer[r, ~mine]).sum())
    assert changed > 0


def test_labels_of_a_fold_change_no_answer_of_the_committee_in_it() -> None:
    labels = _labels(60, 0.25)
    design, problem = _design(labels), _problem(labels)
    done = {"a": _free(design, 1, 1.0), "b": _fitted(design, 2, 0.5), "c": _fitted(design, 3)}
    others = 0
    for i in range(2):
        said = []
        for one in (design, _flipped(design, 0, i)):
            # losses are read from the labels again, as judging does
            again = {name: _again(one, table) for name, table in done.items()}
            weights = weights_in_folds(one, again)
            table = blend(one, again, weights, CLASSES)
            said.append(blend_by_threshold(problem, one, again, weights, table)[0][0])
        mine = design.fold_of[0] == i
        np.testing.assert_array_equal(said[0][mine], said[1][mine])
        others += int((said[0][~mine] != said[1][~mine]).sum())
    assert others > 0


def _again(design: Design, one: Answers) -> Answers:
    """Return what was said, scored by the labels of a design."""
    assert one.proba is not None
    if one.parts is None:
        return free_of_labels(design, one.outer[0], one.proba[0], CLASSES)
    return from_parts(design, one.parts, CLASSES)


@pytest.mark.parametrize("make", [_free, _fitted])
def test_answers_are_by_the_threshold_of_the_other_folds(make: Any) -> None:
    labels = _labels(50, 0.3)
    weights = np.random.default_rng(3).uniform(0.5, 1.5, 50)
    design, problem = _design(labels, 2, weights), _problem(labels)
    one = make(design, 1, 1.0)
    found = by_threshold(problem, design, one)
    assert one.proba is not None
    assert found.parts is not None
    for r, i in ((0, 1), (1, 3)):
        mine = design.fold_of[r] == i
        chances = np.full(50, np.nan)  # of models without fold i and the row's own
        for j in range(5):
            if j == i:
                continue
            pair = (min(i, j), max(i, j))
            rows = np.flatnonzero(design.left_out(r, pair))
            own = design.fold_of[r, rows] == j
            said = one.proba[r, rows] if one.parts is None else one.parts[r, pair]["proba"]
            chances[rows[own]] = said[own, 1]
        others = np.flatnonzero(~mine)
        proba = np.column_stack([1 - chances, chances])
        value = threshold_on(problem, design, proba[others], others)
        wanted = np.where(one.proba[r, mine, 1] >= value, "yes", "no")
        np.testing.assert_array_equal(found.outer[r, mine], wanted)
        j = (i + 1) % 5
        rest = np.flatnonzero(~np.isin(design.fold_of[r], (i, j)))
        value = threshold_on(problem, design, proba[rest], rest)
        here = design.fold_of[r] == j
        part = found.parts[r, (min(i, j), max(i, j))]
        in_part = design.fold_of[r, design.left_out(r, (min(i, j), max(i, j)))] == j
        wanted = np.where(chances[here] >= value, "yes", "no")
        np.testing.assert_array_equal(part["answers"][in_part], wanted)
        np.testing.assert_allclose(
            found.inner[r, i, here], (wanted == labels[here]) * weights[here]
        )
    assert found.proba is one.proba


def test_without_probabilities_answers_stay() -> None:
    labels = _labels(40, 0.3)
    design = _design(labels)
    bare = free_of_labels(design, labels, None, CLASSES)
    assert by_threshold(_problem(labels), design, bare) is bare


@pytest.mark.slow
def test_noise_gains_nothing() -> None:
    """Balanced accuracy of answers without any information is a half, wherever they are cut."""
    scores, naive, words = [], [], []
    for seed in range(40):
        labels = _labels(60, 0.3, seed)
        design, problem = _design(labels), _problem(labels, "balanced_accuracy")
        done = {f"{seed}{k}": _free(design, 100 * seed + k) for k in range(4)}
        names = list(done)
        variants = {"TargetOnly": names[:1], "SourceOnly": names[1:2], "Pooled": names[2:3]}
        judge = Judge(problem, design, done, variants, committee=True)
        scores += [score_of(problem, design, judge.picked)[0]]
        words += [judge.against[BEST].word]
        one = done[names[3]]
        assert one.proba is not None
        value = threshold_on(problem, design, one.proba[0], np.arange(60))
        said = np.where(one.proba[:, :, 1] >= value, "yes", "no")
        naive += [score_of(problem, design, (said, one.proba))[0]]
    error = np.std(scores) / np.sqrt(len(scores))
    assert abs(np.mean(scores) - 0.5) < 3 * error
    assert np.mean(naive) > 0.55  # the best threshold of the rows themselves
    assert words.count("helps") <= 2


def test_f1_rises_where_classes_are_uneven() -> None:
    labels = _labels(300, 0.15)
    design, problem = _design(labels), _problem(labels)
    done = {"a": _fitted(design, 0, 2.0, -3.0), "b": _fitted(design, 1, 2.0, -3.0)}
    variants = {"TargetOnly": ["a"], "SourceOnly": ["b"], "Pooled": []}
    at_half, best = (
        Judge(one, design, done, variants, committee=True)
        for one in (replace(problem, tuned=False), problem)
    )
    before, after = (score_of(problem, design, one.picked)[0] for one in (at_half, best))
    assert after > before + 0.05
    assert best.verdict(best.picked, at_half.picked).word == "helps"
    for name in ("TargetOnly", "SourceOnly"):  # references are cut as well
        lower, higher = (
            score_of(problem, design, one.references[name])[0] for one in (at_half, best)
        )
        assert higher > lower
    np.testing.assert_array_equal(at_half.references["Constant"][0], best.references["Constant"][0])
    assert best.weights == at_half.weights
    row = best.each()["a"]
    assert row.threshold is not None
    assert 0 < row.threshold < 0.5
    assert at_half.each()["a"].threshold is None


def test_every_pair_of_folds_has_answers_of_its_own() -> None:
    labels = _labels(40, 0.4)
    design, problem = _design(labels), _problem(labels)
    found = by_threshold(problem, design, _free(design, 0, 1.0))
    assert found.parts is not None
    assert set(found.parts) == {(0, pair) for pair in combinations(range(5), 2)}


def _uneven(seed: int = 0, n: int = 160, m: int = 90) -> SimpleNamespace:
    rng = np.random.default_rng(seed)
    X, Xt = rng.normal(size=(n, 2)), rng.normal(size=(m, 2))
    y = np.where(X[:, 0] + rng.normal(size=n) > 1.3, "yes", "no")
    yt = np.where(Xt[:, 0] + 0.5 * Xt[:, 1] + rng.normal(size=m) > 1.3, "yes", "no")
    return SimpleNamespace(X=X, y=y, Xt=Xt, yt=yt)


QUICK: dict[str, Any] = {"methods": ["CORAL"], "folds": 3, "repeats": 1, "n_jobs": 1}


@pytest.mark.slow
def test_the_model_of_a_tuned_comparison_answers_by_its_threshold(tmp_path: Path) -> None:
    d = _uneven()
    path = tmp_path / "s.sqlite"
    found = compare(
        (d.X, d.y), Domain(d.Xt, d.yt), metric="f1", threshold="tuned", store=path, **QUICK
    )
    told = found.details.threshold
    assert told is not None
    assert told.positive == "yes"
    recommended = next(row for row in found.details.table if row.recommended)
    assert recommended.threshold == told.value
    words = " ".join(str(found).split())
    assert f"answers 'yes' from a probability of {told.value:.3g} on" in words
    assert found.details.label_curve == ()
    model = found.best_model()
    assert model.threshold_ == {"positive": "yes", "value": told.value}
    yes = model.predict_proba(d.Xt)[:, 1] >= told.value
    np.testing.assert_array_equal(model.predict(d.Xt) == "yes", yes)
    plain = found.to_dict()
    assert plain["run"]["settings"]["threshold"] == "tuned"
    assert Compared.from_dict(json.loads(json.dumps(plain))) == found.details
    assert Comparison.read(path).details.threshold == told
    page = found.report(tmp_path / "r.html").read_text()
    assert told.sentence.replace("'", "&#39;") in page
    again = compare((d.X, d.y), Domain(d.Xt, d.yt), metric="f1", **QUICK)
    assert again.details.threshold is None
    assert "threshold" not in again.to_dict()
    assert again.best_model().threshold_ is None
    scores = [
        next(row.score for row in one.details.table if row.method == "TargetOnly")
        for one in (again, found)
    ]
    assert scores[0] != scores[1]


def test_one_model_is_picked_and_judged_by_thresholds() -> None:
    d = _uneven(1)
    base = {"logistic": LogisticRegression(), "svc": LinearSVC()}
    found = compare(
        (d.X, d.y), Domain(d.Xt, d.yt), estimator=base, committee=False, threshold="tuned", **QUICK
    )
    rows = {row.candidate: row for row in found.details.table}
    assert rows["TargetOnly/svc"].threshold is None
    assert rows["TargetOnly/logistic"].threshold is not None
    chosen = rows[str(found.recommendation.candidate)]
    told = found.details.threshold
    assert (None if told is None else told.value) == chosen.threshold


def test_a_scorer_of_scikit_learn_has_a_threshold() -> None:
    labels = _labels(60, 0.2)
    design, problem = _design(labels), _problem(labels, "matthews_corrcoef")
    one = _free(design, 0, 2.0)
    assert one.proba is not None
    value = threshold_on(problem, design, one.proba[0], np.arange(60))
    said = one.proba[0, :, 1] >= value
    best = max(matthews_corrcoef(labels == "yes", one.proba[0, :, 1] >= t) for t in GRID)
    assert matthews_corrcoef(labels == "yes", said) > best - 0.05  # of fewer places


def test_what_cannot_be_is_said(shifted: Maker) -> None:
    d = shifted()
    target = Domain(d.Xt, d.yt)
    three = np.arange(60) % 3
    cases: list[tuple[Any, dict[str, Any], str]] = [
        (target, {"threshold": 0.3}, "must be 'tuned' or None, got 0.3; a fitted model takes"),
        (target, {"threshold": "best"}, "must be 'tuned' or None, got 'best'"),
        (target, {"threshold": "tuned", "metric": "auc"}, "AUC is of probabilities"),
        (target, {"threshold": "tuned", "metric": "neg_log_loss"}, "log loss is of probabilities"),
        (target, {"threshold": "tuned", "metric": "roc_auc_ovo"}, "roc_auc_ovo is of prob"),
        (Domain(d.Xt), {"threshold": "tuned"}, "needs target labels"),
        (Domain(d.Xt, three), {"threshold": "tuned"}, "for two classes, and there are 3"),
    ]
    for goal, asked, words in cases:
        with pytest.raises(InputError, match=words):
            compare((d.X, d.y), goal, n_jobs=1, **asked)
    with pytest.raises(InputError, match="this is a regression"):
        compare((d.X, d.X[:, 0]), Domain(d.Xt, d.Xt[:, 0]), threshold="tuned", n_jobs=1)


def test_on_few_labels_nothing_is_tuned(shifted: Maker) -> None:
    d = shifted()
    some = np.zeros(60, dtype=bool)
    some[:6] = True
    target = Domain(d.Xt, d.yt, labelled=some)
    found = compare((d.X, d.y), target, threshold="tuned", **QUICK)
    assert "no threshold is tuned on them" in found.sentence()
    assert found.details.threshold is None
    assert f1_score(d.yt, found.best_model().predict(d.Xt)) >= 0
