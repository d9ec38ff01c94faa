"""A comparison's records: JSON and back, and what older or later versions wrote."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace

import pytest

from acclimate import Comparison
from acclimate.comparison.trials.store import Store
from acclimate.exceptions import InputError
from acclimate.report.compared import CandidateRow, Compared, Recommendation, RowsToLabel

KINDS = ("labelled", "unlabelled", "regression")


def holds(whole, part):
    """Return whether everything of a part is in the whole, at the same place."""
    if isinstance(part, dict):
        return all(key in whole and holds(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(holds, whole, part))
    return whole == part


@pytest.mark.parametrize("kind", KINDS)
def test_json_there_and_back_is_the_same_value(comparisons, kind):
    found = Compared.from_dict(comparisons[kind])
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert Compared.from_dict(json.loads(text)) == found
    assert holds(found.to_dict(), comparisons[kind]), "nothing of what was written is lost"
    assert found.recommendation == Recommendation(**comparisons[kind]["recommendation"])


def test_every_optional_part_is_read_too(everything):
    assert holds(Compared.from_dict(everything).to_dict(), everything)


def test_records_do_not_change(comparisons):
    found = Compared.from_dict(comparisons["labelled"])
    with pytest.raises(FrozenInstanceError):
        found.table[0].score = 1.0


def test_members_of_a_committee_are_no_candidates_that_were_late(comparisons):
    """What there was no time for is counted among the candidates, so no count falls below 0."""
    found = Compared.from_dict(comparisons["labelled"])
    late = replace(found.table[0], reason="the budget was spent before the first trial")
    committees = [replace(late, candidate=f"C{i}", method="Committee") for i in range(5)]
    others = [replace(late, candidate=f"M{i}") for i in range(3)]
    told = replace(found, table=(found.table[0], *others, *committees)).within
    assert told.endswith("1 of 4 candidates finished in the time")


def test_a_store_of_an_older_version_is_read(comparisons, tmp_path):
    """Before bodies, training, pictures and file rows there were none of their keys."""
    old = comparisons["unlabelled"]
    for key in ("bodies", "training", "features", "run"):
        old.pop(key, None)
    with Store(tmp_path / "old.sqlite") as store:
        store.set_meta("comparison", old)
    found = Comparison.read(tmp_path / "old.sqlite")
    assert found.recommendation.candidate == old["recommendation"]["candidate"]
    assert found.details.bodies == ()
    assert found.details.to_label.ids is None
    assert holds(found.to_dict(), old)


def test_keys_of_a_later_minor_version_are_left_out(comparisons):
    result = comparisons["labelled"]
    result["table"][0]["emissions"] = 3.0
    assert Compared.from_dict(result | {"weather": "fine"}).table[0].candidate == "CORAL"


def test_a_later_schema_and_wrong_types_are_refused(comparisons, tmp_path):
    with Store(tmp_path / "new.sqlite") as store:
        store.set_meta("comparison", comparisons["labelled"] | {"schema": 2})
    with pytest.raises(InputError, match="schema 2"):
        Comparison.read(tmp_path / "new.sqlite")
    with pytest.raises(InputError, match=r"no Compared.*margin"):
        Compared.from_dict(comparisons["labelled"] | {"margin": "wide"})


def test_a_reference_has_no_gain_over_itself(comparisons):
    found = Compared.from_dict(comparisons["labelled"])
    own = next(row for row in found.table if row.method == "TargetOnly")
    assert own.against("TargetOnly") is None
    assert own.against("SourceOnly").word == "helps"


def test_figures_that_json_cannot_hold_are_null():
    found = Compared(table=(CandidateRow("a", score=float("nan"), seconds=float("inf")),))
    row = found.to_dict()["table"][0]
    assert (row["score"], row["seconds"]) == (None, None)


def test_rows_to_label_are_called_by_what_is_known_of_them():
    rows = RowsToLabel(2, (3, 5), file_rows=(5, 7), file_rows_counted="from 1")
    assert rows.called() == ("counted from 1", ["5", "7"])
    assert replace(rows, ids=(8, "b"), id_name="nr").called() == ("by nr", ["8", "b"])
