"""What a comparison says: of a constant, of itself, of the task, of what it falls back on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from acclimate import Domain, compare
from acclimate.report.compared import Compared, RowsToLabel
from acclimate.report.compared_parts import BodyProbed
from acclimate.report.comparison_page import render_comparison
from acclimate.report.comparison_view import comparison_view
from acclimate.report.screen import as_text

Maker = Callable[..., SimpleNamespace]
WORSE = "still worse than always saying 'no' (80.0 %)"


def _flat(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def uneven() -> Compared:
    """80 of 100 are 'no', and no column says who is not. The source says 'yes' of everybody."""
    rng = np.random.default_rng(3)
    X, Xt = rng.normal(size=(200, 4)), rng.normal(size=(100, 4))
    y = np.where(np.arange(200) % 20 == 0, "no", "yes")
    yt = np.where(np.arange(100) % 5 == 0, "yes", "no")
    base = LogisticRegression(C=100.0, class_weight="balanced")
    found = compare(
        (X, y), Domain(Xt, yt), estimator=base, methods=["SourcePrediction"], committee=True,
        repeats=1, folds=3, n_jobs=1,
    )  # fmt: skip
    return found.details


def test_helps_does_not_stand_alone_in_any_form(uneven: Compared) -> None:
    (said,) = [one for one in uneven.verdicts if one.reference == "SourceOnly"]
    used = replace(said, word="helps", candidate_score=0.7, but=f"and is {WORSE}")
    found = replace(uneven, verdicts=(used,))
    text = _flat(as_text(comparison_view(found), "here"))
    assert f"helps, and is {WORSE} against SourceOnly" in text
    page = _flat(render_comparison(found)).replace("&#39;", "'")
    assert f"and is {WORSE}" in page


def test_a_constant_is_counted_for_each_candidate(uneven: Compared) -> None:
    for row in uneven.table:
        for gain in (row.against_target_only, row.against_source_only):
            if gain is not None and gain.word == "helps":
                assert bool(gain.but) == (row.score is not None and row.score <= 0.8)
    again = Compared.from_dict(uneven.to_dict())
    assert again.verdicts == uneven.verdicts


def test_every_verdict_names_both_sides(uneven: Compared) -> None:
    for said in uneven.verdicts:
        who = "committee" if uneven.members else "what the folds picked"
        assert who in said.sentence.lower()
    assert "the committee" in uneven.sentence.lower()


def test_a_reference_that_is_picked_is_not_as_good_as_itself(shifted: Maker) -> None:
    """A source whose labels are the wrong way round: the target alone is picked in every fold."""
    d = shifted(shift=0.0)
    found = compare(
        (d.X, 1 - d.y), Domain(d.Xt, d.yt), estimator=LogisticRegression(), methods=[], repeats=1,
        folds=3, n_jobs=1, committee=False,
    )  # fmt: skip
    words = {one.reference: one.word for one in found.details.verdicts}
    assert words["TargetOnly"] == "the same model"
    assert words["SourceOnly"] == "helps"
    assert "In every fold training on the target alone was picked itself" in _flat(str(found))
    assert "as good as" not in _flat(str(found))
    assert "as good as" not in found.sentence()
    assert "are the same model: there is nothing to compare" in found.sentence()


def test_a_member_of_all_weight_is_the_reference_itself(shifted: Maker) -> None:
    d = shifted(shift=0.0)
    found = compare(
        (d.X, 1 - d.y), Domain(d.Xt, d.yt), estimator=LogisticRegression(), methods=[],
        committee=True, repeats=1, folds=3, n_jobs=1,
    )  # fmt: skip
    words = {one.reference: one.word for one in found.details.verdicts}
    assert words["TargetOnly"] == words["best reference"] == "the same model"
    assert "is itself the best of" in found.recommendation.reason
    assert "not shown to beat TargetOnly" not in found.sentence()


def test_the_fallback_has_its_own_name(shifted: Maker) -> None:
    """Ten labels and a source without any shift: the source model is the better reference."""
    d = shifted(shift=0.0, n=400, m=300)
    known = np.zeros(300, dtype=bool)
    known[:10] = True
    found = compare(
        (d.X, d.y), Domain(d.Xt, d.yt, labelled=known), estimator=LogisticRegression(),
        methods=[], repeats=1, folds=3, n_jobs=1, committee=False,
    ).details  # fmt: skip
    scores = {row.candidate: row.score for row in found.table}
    assert scores["SourceOnly"] > scores["TargetOnly"]
    advice = found.recommendation
    assert advice.candidate == "SourceOnly"
    assert "TargetOnly" not in advice.headline()
    assert advice.headline() in found.sentence
    assert "of the references SourceOnly has the best score" in advice.reason


@pytest.mark.parametrize(("labels", "why"), [(None, "the labels are 2 different whole"), (1, "")])
def test_the_task_is_told_where_it_was_guessed(shifted: Maker, labels: Any, why: str) -> None:
    d = shifted()
    more: dict[str, Any] = {} if labels is None else {"task": "classification"}
    found = compare(
        (d.X, d.y), Domain(d.Xt, d.yt), methods=[], repeats=1, folds=3, n_jobs=1, **more
    )
    text = _flat(str(found))
    assert ("Taken as a classification, since the labels are 2 different whole" in text) == bool(
        why
    )
    assert ("classification, since" in render_comparison(found.details)) == bool(why)


def test_a_committee_without_labels_says_that_nothing_can_be_weighed(shifted: Maker) -> None:
    d = shifted()
    for asked in (True, False):
        found = compare(
            (d.X, d.y), Domain(d.Xt), estimator=LogisticRegression(), methods=[], committee=asked,
            n_jobs=1,
        )  # fmt: skip
        lines = _flat("\n".join(str(found).split("\n")[:6]))
        assert ("nothing can be weighed, so there is no committee" in lines) == asked
        assert ("Without target labels nothing can be weighed" in found.sentence()) == asked


@pytest.mark.parametrize("advised", ["Committee", "TargetOnly"])
def test_the_committee_is_never_cut_off_whatever_its_score(uneven: Compared, advised: str) -> None:
    rows = [row for row in uneven.table if row.status == "done"]
    last = sorted(rows, key=lambda row: row.method == "Committee")
    many = [replace(last[0], candidate=f"one of many {k}", recommended=False) for k in range(60)]
    last = [replace(row, recommended=row.candidate == advised) for row in last]
    body = BodyProbed(sentence="A network that is probed says so in one line. " * 3)
    found = replace(uneven, table=(*many, *last), bodies=(body,) * 8)
    lines = as_text(comparison_view(found), "here").split("\n")
    assert len(lines) <= 40
    heads = next(k for k, line in enumerate(lines) if line.split()[:2] == ["candidate", "accuracy"])
    shown = [line.split()[0] for line in lines[heads + 2 :] if line.strip()]
    assert shown[0] == "Committee"
    if advised != "Committee" and len(shown) > 1 and shown[1] != "...":
        assert shown[1] == advised


def test_who_did_not_finish_for_one_reason_stands_in_one_line(uneven: Compared) -> None:
    one = replace(uneven.table[0], recommended=False, reason="the time was over")
    names = [f"Pooled/linear, balance 0.{k}" for k in range(20)]
    rows = [replace(one, candidate=name, status="stopped") for name in names]
    rows.insert(3, replace(one, candidate="TCA", status="failed", reason="out of luck"))
    found = replace(uneven, table=(*uneven.table, *rows))
    text = _flat(as_text(comparison_view(found), "here"))
    assert f"Did not finish: {'; '.join(names)}. The time was over" in text
    assert "Failed: TCA. Out of luck" in text


def test_rows_to_label_name_whom_they_tell_apart(uneven: Compared) -> None:
    label = RowsToLabel(rows=2, positions=(3, 5), candidates=("CORAL", "SourceOnly"))
    text = _flat(as_text(comparison_view(replace(uneven, to_label=label)), "here"))
    assert "To settle CORAL against SourceOnly alone, label 2 rows on which they disagree" in text
