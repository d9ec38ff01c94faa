"""Candidates: what fits the need, by the catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from acclimate import CORAL, Domain, FineTune, TargetOnly, compare
from acclimate.catalogue import CATALOGUE, methods
from acclimate.comparison.bases import default_estimators
from acclimate.comparison.candidates import LOSES, Need, choose, describe
from acclimate.comparison.halving import thinned
from acclimate.exceptions import InputError

LINEAR = {"linear": LogisticRegression()}


def _names(need: Need, **more: Any) -> list[str]:
    return [c.name for c in choose(need, LINEAR, None, 0, **more)[0]]


def test_with_labels_every_fitting_row_is_there_and_the_baselines_come_last() -> None:
    found, excluded = choose(Need("classification", True), LINEAR, None, 0)
    assert [c.name for c in found[-2:]] == ["SourceOnly", "TargetOnly"]
    assert found[0].name == "JointObjective"
    assert {c.row.name for c in found} | {e.method for e in excluded} == {
        row.name for row in CATALOGUE
    }
    for c in found:
        assert "classification" in c.row.tasks
        assert c.row.kind == "tabular"
        assert c.uses_labels == (c.row.target_labels == "required" or c.name.endswith(" + labels"))
        assert c.model.random_state == 0


def test_optional_labels_are_tried_with_and_without() -> None:
    found = choose(Need("classification", True), LINEAR, None, 0, ["CORAL"])[0]
    switches = {c.name: c.model.use_target_labels for c in found if c.row.name == "CORAL"}
    assert switches == {"CORAL": False, "CORAL + labels": True}


def test_without_labels_nothing_that_needs_them_is_tried() -> None:
    found, excluded = choose(Need("classification", False), LINEAR, None, 0)
    assert all(c.row.target_labels != "required" and not c.uses_labels for c in found)
    reasons = {e.method: e.reason for e in excluded}
    assert reasons["TargetOnly"] == "it needs target labels"


def test_what_loses_on_tables_is_tried_there_by_name_or_with_labels_only() -> None:
    losing = {row.name for row in methods(task="classification") if row.loses_on_tables}
    assert "CORAL" in losing
    table = Need("classification", False, table=True)
    found, excluded = choose(table, LINEAR, None, 0)
    assert {e.method for e in excluded if e.reason == LOSES} == losing
    assert not losing & {c.row.name for c in found}
    assert "CORAL" in {c.row.name for c in choose(table, LINEAR, None, 0, ["CORAL"])[0]}
    for need in (replace(table, table=False), replace(table, labels=True)):
        assert losing <= {c.row.name for c in choose(need, LINEAR, None, 0)[0]}


def test_networks_only_where_they_are_allowed() -> None:
    reasons = {e.method: e.reason for e in choose(Need("classification", True), LINEAR, None, 0)[1]}
    assert "networks=True" in reasons["DANN"]
    need = Need("classification", True, networks=True)
    models = default_estimators(need)
    assert list(models) == ["linear", "network"]
    found = choose(need, models, None, 0)[0]
    names = [c.name for c in found]
    assert {"DANN/network", "FineTune/linear", "FineTune/network", "CORAL/linear"} <= set(names)
    assert "CORAL/network" not in names
    assert "DANN/linear" not in names
    assert [c.dear for c in found] == [c.estimator == "network" for c in found]


def test_networks_for_few_labels_take_part_last_and_only_where_these_are_few() -> None:
    views = ["PseudoLabel", "MeanTeacher", "FixMatch", "FlexMatch"]
    many = Need("classification", False, networks=True)
    few = replace(many, few_labels=True)
    models = default_estimators(few)
    found = [c for c in choose(few, models, None, 0)[0] if c.dear and not c.baseline]
    assert [c.row.name for c in found[-4:]] == views
    found, excluded = choose(many, models, None, 0)
    assert not {c.row.name for c in found} & set(views)
    reasons = {e.method: e.reason for e in excluded}
    assert all("name it in methods" in reasons[name] for name in views)
    asked = choose(many, models, None, 0, ["FixMatch"])[0]
    assert "FixMatch/network" in [c.name for c in asked]
    with pytest.raises(InputError, match="networks=True"):
        choose(replace(few, networks=False), LINEAR, None, 0, ["FixMatch"])


@pytest.mark.parametrize(
    ("labelled", "rows", "few"), [(20, 200, True), (20, 199, False), (1001, 20_000, False)]
)
def test_few_labels_are_counted_in_both_domains(
    labelled: int, rows: int, few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Asked(Exception):
        pass

    needs: list[Need] = []

    def ask(need: Need, *_: Any, **__: Any) -> Any:
        needs.append(need)
        raise Asked

    monkeypatch.setattr("acclimate.comparison.compare.choose", ask)
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(labelled - 10, 2)), rng.normal(size=(rows + 10, 2))
    target = Domain(Xt, np.arange(len(Xt)) % 2, labelled=np.arange(len(Xt)) < 10)
    with pytest.raises(Asked):
        compare((X, np.arange(len(X)) % 2), target)
    assert needs[0].few_labels is few


def test_several_sources_are_told_apart_where_the_method_can() -> None:
    found = choose(Need("classification", True, several=True), LINEAR, None, 0)[0]
    assert {c.several for c in found} == {True, False}
    assert all(c.several == c.row.several_sources for c in found)


def test_baselines_take_part_whatever_is_asked_for() -> None:
    assert _names(Need("regression", True), names=["CORAL"])[-2:] == ["SourceOnly", "TargetOnly"]
    with pytest.raises(InputError, match="no method 'Coral'"):
        _names(Need("regression", True), names=["Coral"])
    with pytest.raises(InputError, match="LabelShift cannot be compared here: it does no"):
        _names(Need("regression", True), names=["LabelShift"])


def test_images_need_networks() -> None:
    with pytest.raises(InputError, match="networks=True"):
        default_estimators(Need("classification", True, images=True))
    assert isinstance(default_estimators(Need("regression", True))["linear"], Ridge)


def test_equal_settings_are_described_alike_and_others_are_not() -> None:
    def pipe(C: float) -> Any:
        return make_pipeline(StandardScaler(), LogisticRegression(C=C))

    assert describe(pipe(1.0)) == describe(pipe(1.0))
    assert describe(pipe(1.0)) != describe(pipe(2.0))
    assert describe(np.arange(3)) == describe(np.arange(3))
    assert describe(np.arange(3)) != describe(np.arange(4))
    assert describe(len) == "builtins.len"
    assert describe({"a": (np.float32(0.5), float("inf"), None)}) == {"a": [0.5, "inf", None]}


def test_a_thinned_network_takes_fewer_steps_and_is_another_candidate() -> None:
    need = Need("classification", True, networks=True)
    found = choose(need, default_estimators(need), None, 0, ["DANN", "CORAL"])[0]
    by_name = {c.name: c for c in found}
    deep, shallow = by_name["DANN/network"], by_name["CORAL/linear"]
    thin = thinned(deep, 1 / 9)
    assert (deep.model.estimator.min_steps, thin.model.estimator.min_steps) == ("auto", 111)
    assert thin.config != deep.config
    assert thinned(deep, 0.001).model.estimator.min_steps == 20
    assert thinned(shallow, 1 / 9).config == shallow.config


def test_methods_of_the_users_own_take_part_next_to_their_row() -> None:
    own = {
        "strong": FineTune(Ridge(), strength=9.0),
        "seeded": CORAL(Ridge(), use_target_labels=True, random_state=3),
        "reference": TargetOnly(Ridge(alpha=5.0)),
    }
    found = choose(Need("regression", True), {"r": Ridge()}, None, 7, ["CORAL", "FineTune"], own)[0]
    assert [c.name for c in found] == [
        "FineTune", "strong", "CORAL", "CORAL + labels", "seeded", "SourceOnly", "TargetOnly",
        "reference",
    ]  # fmt: skip
    by_name = {c.name: c for c in found}
    assert (by_name["strong"].model.strength, by_name["strong"].model.random_state) == (9.0, 7)
    assert (by_name["seeded"].uses_labels, by_name["seeded"].model.random_state) == (True, 3)
    assert (by_name["reference"].baseline, by_name["strong"].estimator) == (True, "Ridge")
    assert len({str(c.config) for c in found}) == len(found)


@pytest.mark.parametrize(
    ("own", "labels", "words"),
    [
        ({"CORAL": CORAL()}, True, "'CORAL' already"),
        ({"a": LogisticRegression()}, True, "got LogisticRegression; base models go into"),
        ({"a": CORAL}, True, "must be a method"),
        ({"a": CORAL(Ridge())}, True, "its base model is for regression"),
        ({"a": FineTune(LogisticRegression())}, False, "it needs target labels"),
    ],
)
def test_what_cannot_take_part_is_refused_by_name(own: Any, labels: bool, words: str) -> None:
    with pytest.raises(InputError, match=words):
        choose(Need("classification", labels), LINEAR, None, 0, ["CORAL"], own)


def test_images_are_no_rows_of_features_until_something_makes_some() -> None:
    need = Need("classification", True, images=True, networks=True)
    models = default_estimators(need)
    reasons = {e.method: e.reason for e in choose(need, models, None, 0)[1]}
    assert "maps rows of features" in reasons["CORAL"]
    assert "linear base model" in reasons["ParameterTransfer"]
    assert "batch norm" in reasons["AdaBN"]
    with pytest.raises(InputError, match="CORAL cannot be compared here: it maps rows"):
        choose(need, models, None, 0, ["CORAL"])
    with pytest.raises(InputError, match="'mine' cannot be compared here: it maps rows"):
        choose(need, models, None, 0, [], {"mine": CORAL()})
    made = choose(need, LINEAR, StandardScaler(), 0, ["CORAL", "ParameterTransfer"])[0]
    assert {"CORAL", "CORAL + labels", "ParameterTransfer"} <= {c.name for c in made}


def test_at_equal_trust_what_keeps_no_rows_comes_first() -> None:
    need = Need("classification", labels=True)
    bases = {"svm": SVC(), "linear": LogisticRegression()}
    names = [c.name for c in choose(need, bases, None, 0, ["CORAL", "TCA"])[0]]
    mine = [name for name in names if name.startswith(("CORAL", "TCA"))]
    assert mine[0].startswith("CORAL/linear")
    assert names.index("CORAL/linear") < names.index("CORAL/svm")
    assert names.index("CORAL/linear") < names.index("TCA/linear")
    assert names.index("SourceOnly/linear") < names.index("SourceOnly/svm")
