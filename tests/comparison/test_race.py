"""The race: no fold's own labels drop anything in it; what is cut short is not half judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from acclimate import Domain, SourceOnly, compare
from acclimate.comparison.answers import from_parts
from acclimate.comparison.candidates import Need, choose
from acclimate.comparison.design import Design, make_design
from acclimate.comparison.labelled import Found, WithLabels
from acclimate.comparison.problem import Problem, check_problem
from acclimate.comparison.thinning import thin
from acclimate.comparison.trials import shared
from acclimate.comparison.trials.pool import Pool
from acclimate.comparison.trials.records import Spec
from acclimate.comparison.trials.runner import Limits, Trials
from acclimate.comparison.trials.store import Store

Maker = Callable[..., SimpleNamespace]
BASES = {
    "good": LogisticRegression(), "fair": LogisticRegression(C=0.1),
    "poor": LogisticRegression(C=1e-9),
}  # fmt: skip


def _problem(d: SimpleNamespace, labels: Any) -> Problem:
    return check_problem(
        (d.X, d.y), Domain(d.Xt, labels), estimators=BASES, domains=None, groups=None, margin=0.01,
        confidence=0.95,
    )  # fmt: skip


def _raced(
    problem: Problem, design: Design, folder: Path, limits: Limits
) -> tuple[WithLabels, Found]:
    folder.mkdir()
    (folder / "data").mkdir()
    place = shared.write(problem.values(), folder / "data")
    need = Need("classification", True)
    tried, _ = choose(need, BASES, None, 0, ["Pooled", "SourcePrediction"])
    with Store(folder / "s.sqlite") as store, Pool(place, n_jobs=1) as pool:
        run = Trials(store, pool, "data", 0, limits, problem.names, lambda *_: {})
        bench = WithLabels(run, problem, tried, design, committee=True)
        bench.run()
        return bench, bench.judge()


def _design(problem: Problem) -> Design:
    return make_design(
        problem.known_labels, problem.known, classify=True, folds=4, repeats=1, seed=0
    )


def test_what_a_fold_drops_does_not_depend_on_its_own_labels(
    shifted: Maker, tmp_path: Path
) -> None:
    d = shifted(shift=0.0, m=120)
    problem = _problem(d, d.yt)
    design = _design(problem)
    one, _ = _raced(problem, design, tmp_path / "one", Limits(None, None))
    held = design.fold_of[0] == 2
    turned = np.where(held, 1 - d.yt, d.yt)
    other = Design(design.known, turned, design.fold_of, True)
    two, _ = _raced(_problem(d, turned), other, tmp_path / "two", Limits(None, None))
    assert one.allowed[0, 2] == two.allowed[0, 2]
    assert any(one.allowed[0, i] != two.allowed[0, i] for i in (0, 1, 3))
    assert "TargetOnly/poor" not in one.allowed[0, 2]
    assert one.stopped["TargetOnly/poor"] == "clearly behind on the first folds"


def test_what_is_dropped_has_no_weight_where_it_runs_to_the_end(
    shifted: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    d = shifted(shift=0.0, m=120)
    problem = _problem(d, d.yt)
    _, raced = _raced(problem, _design(problem), tmp_path / "raced", Limits(None, None))
    monkeypatch.setattr(
        "acclimate.comparison.race.clearly_behind", lambda x, _: np.zeros(len(x), bool)
    )
    bench, whole = _raced(problem, _design(problem), tmp_path / "whole", Limits(None, None))
    assert not bench.stopped
    assert raced.members == pytest.approx(whole.members)
    assert len(whole.each) > len(raced.each)


def test_a_limit_leaves_only_what_was_finished(shifted: Maker, tmp_path: Path) -> None:
    d = shifted(shift=0.0, m=120)
    problem = _problem(d, d.yt)
    bench, found = _raced(problem, _design(problem), tmp_path / "short", Limits(None, 40))
    usable = {name for names in bench.allowed.values() for name in names}
    for name in usable:
        table = bench.partial(name)
        assert table is not None
        for (r, i), names in bench.allowed.items():
            if name in names:
                assert table.ran is None or table.ran[r, i]
    assert any("budget" in reason for reason in bench.stopped.values())
    assert set(found.members) <= usable


def test_parts_that_were_not_run_are_not_there() -> None:
    design = make_design(np.arange(12) % 2, np.arange(12), classify=True, folds=3, repeats=1,
                         seed=0)  # fmt: skip
    rows = design.left_out(0, (1,))
    proba = np.tile([0.25, 0.75], (rows.sum(), 1))
    arrays = {"answers": np.ones(rows.sum(), int), "proba": proba, "classes": np.arange(2)}
    found = from_parts(design, {(0, (1,)): arrays}, np.arange(2))
    assert found.ran is not None
    assert found.ran.tolist() == [[False, True, False]]
    assert not found.whole
    np.testing.assert_array_equal(np.isnan(found.outer_loss[0]), ~rows)


@pytest.mark.slow
def test_what_runs_past_the_time_is_given_up(
    shifted: Maker, tmp_path: Path, misbehaving: ModuleType
) -> None:
    d = shifted()
    (tmp_path / "data").mkdir()
    place = shared.write(
        {"source_X": d.X, "source_y": d.y, "target_X": d.Xt, "target_y": d.yt}, tmp_path / "data"
    )
    slow = Spec("slow", "slow", misbehaving.Sleeps(), "stage one of slow")
    quick = [Spec(f"{i}", f"{i}", SourceOnly(random_state=i), f"stage {i}") for i in range(2)]
    with Pool(place, n_jobs=2) as pool:
        assert list(pool.run([slow], until=time.monotonic() + 5)) == []
        assert [one.status for one in pool.run(quick)] == ["done", "done"]


def test_a_sample_has_labels_first_and_keeps_places(shifted: Maker) -> None:
    d = shifted(n=500, m=400)
    labelled = np.arange(400) % 4 == 0
    problem = check_problem(
        (d.X, d.y), Domain(d.Xt, d.yt, labelled=labelled), estimators=BASES, domains=None,
        groups=np.arange(400), margin=0.01, confidence=0.95,
    )  # fmt: skip
    assert thin(problem, 900, 0) is problem
    small = thin(problem, 240, 0)
    assert len(small.known) == 100
    assert small.source_rows == 140
    assert small.place is not None
    np.testing.assert_array_equal(small.target.X, d.Xt[small.place])
    np.testing.assert_array_equal(small.known_labels, d.yt[small.place[small.known]])
    assert small.groups is not None
    assert small.groups.tolist() == [str(one) for one in small.place.tolist()]
    fewer = thin(problem, 120, 0)
    assert (len(fewer.known), fewer.source_rows) == (60, 60)
    again = thin(problem, 120, 0)
    np.testing.assert_array_equal(fewer.source.X, again.source.X)


@pytest.mark.slow
def test_a_table_too_large_for_its_time_is_said_to_be(shifted: Maker) -> None:
    d = shifted(n=3000, m=3000)
    labelled = np.arange(3000) < 40
    target = Domain(d.Xt, d.yt, labelled=labelled)
    found = compare(
        (d.X, d.y), target, estimator=LogisticRegression(), methods=["Pooled"], budget=8, n_jobs=1
    )
    sample = found.details.budget.sample
    assert sample is not None
    assert sample.source_tried < sample.source_rows == 3000
    assert f"chosen on {sample.source_tried:,} of 3,000 source rows" in found.sentence()
    assert found.best_model().trained_on_["source"]["rows"] == sample.source_fitted
    assert all(row < 3000 for row in found.missed().row)


def test_what_cannot_be_run_through_is_stopped_before_it_takes_time(
    shifted: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    d = shifted(shift=0.0, m=120)
    problem = _problem(d, d.yt)

    def foreseen(self: WithLabels, candidate: Any) -> float:
        return 1e4 if candidate.name == "Pooled/fair" else 0.0

    monkeypatch.setattr(WithLabels, "foreseen", foreseen)
    bench, found = _raced(problem, _design(problem), tmp_path / "slow", Limits(600.0, None))
    assert "do not go into the budget" in bench.stopped["Pooled/fair"]
    assert bench.results()["Pooled/fair"] == []
    assert "Pooled/fair" not in found.members
    assert "Pooled/good" in found.each


def test_boosting_is_left_out_where_one_fit_takes_much_of_the_time(
    shifted: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from acclimate.base.sized import BoostingClassifier

    monkeypatch.setitem(BASES, "boosting", BoostingClassifier())
    monkeypatch.setattr("acclimate.comparison.labelled.BOOSTED", 1.0)
    d = shifted(shift=0.0, m=120)
    problem = _problem(d, d.yt)
    bench, found = _raced(problem, _design(problem), tmp_path / "wide", Limits(600.0, None))
    assert "does not go into the budget" in bench.stopped["SourceOnly/boosting"]
    assert not any("boosting" in name and "TargetOnly" not in name for name in found.each)
