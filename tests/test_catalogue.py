"""The catalogue is complete, and what it says is well formed."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path
from statistics import fmean
from types import ModuleType

import pytest

import acclimate
from acclimate.catalogue import CATALOGUE, PRETRAINING, Row, find, methods

HEADINGS = ("Parameters", "Attributes", "Raises", "References", "Examples")
EACH_ROW = pytest.mark.parametrize("row", [*CATALOGUE, *PRETRAINING], ids=lambda row: row.name)


def modules() -> list[ModuleType]:
    """Every module of the package that can be imported without running a program."""
    found = pkgutil.walk_packages(acclimate.__path__, "acclimate.")
    return [importlib.import_module(m.name) for m in found if not m.name.endswith("__main__")]


def adapters() -> set[type]:
    """Every public class of the package that is an adapter and can be made."""
    return {
        value
        for module in modules()
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, acclimate.Adapter)
        and not inspect.isabstract(value)
        and not name.startswith("_")
        and value.__module__.startswith("acclimate.")
    }


@EACH_ROW
def test_every_row_loads(row: Row) -> None:
    cls = row.load()
    assert cls.__name__ == row.name
    assert cls.__module__ == row.module
    assert getattr(acclimate, row.name) is cls
    assert row.name in acclimate.__all__


def test_every_public_adapter_has_a_row() -> None:
    assert {cls.__name__ for cls in adapters() if "row" not in vars(cls)} == {
        row.name for row in CATALOGUE if issubclass(row.load(), acclimate.Adapter)
    }


def test_what_loses_on_tables_was_measured() -> None:
    path = Path(__file__).parents[1] / "benchmarks" / "results" / "table_methods.json"
    found: dict[str, dict[str, list[float]]] = {}
    for shift, row in json.loads(path.read_text()).items():
        for name, value in row.items():
            if isinstance(value, float) and name != "SourceOnly":
                tables = found.setdefault(name, {})
                tables.setdefault(shift.split(",")[0], []).append(value - row["SourceOnly"])
    lost = {
        name for name, tables in found.items() if fmean(map(fmean, tables.values())) < -0.01
    }  # fmt: skip
    assert {row.name for row in CATALOGUE if row.loses_on_tables} == lost


def test_names_are_unique() -> None:
    names = [row.name for row in (*CATALOGUE, *PRETRAINING)]
    assert len(names) == len(set(names))


@EACH_ROW
def test_every_row_is_filled_in(row: Row) -> None:
    assert row.kind in ("tabular", "image", "paired", "pretrain")
    assert row.tasks
    assert set(row.tasks) <= {"classification", "regression"}
    assert row.target_labels in ("ignored", "optional", "required")
    assert re.fullmatch(r"doi:10\.\d{4,}/\S+|arXiv:\d{4}\.\d{4,5}", row.paper)
    assert row.avoid
    assert row.cost


@EACH_ROW
def test_every_default_constructor_runs(row: Row) -> None:
    row.load()()


@EACH_ROW
def test_optional_labels_come_with_the_switch(row: Row) -> None:
    parameters = inspect.signature(row.load()).parameters
    if row.target_labels == "optional":
        assert parameters["use_target_labels"].default is False
    else:
        assert "use_target_labels" not in parameters


@EACH_ROW
def test_docstrings_have_the_headings_in_order(row: Row) -> None:
    text = inspect.cleandoc(row.load().__doc__ or "")
    places = [text.find(f"{word}\n{'-' * len(word)}") for word in HEADINGS]
    assert -1 not in places, f"missing: {HEADINGS[places.index(-1)]}"
    assert places == sorted(places)
    number = row.paper.split(":", 1)[1]
    assert number in text, "the paper of the row is not among the references"


@EACH_ROW
def test_docstrings_name_every_parameter(row: Row) -> None:
    text = inspect.cleandoc(row.load().__doc__ or "")
    section = text.split("Parameters\n----------", 1)[1].split("Attributes\n", 1)[0]
    documented = {
        name
        for line in re.findall(r"^(\w[\w, ]*) : ", section, flags=re.MULTILINE)
        for name in line.split(", ")
    }
    assert documented == set(inspect.signature(row.load()).parameters)


def test_a_row_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        CATALOGUE[0].name = "Other"  # type: ignore[misc]


def test_methods_filters() -> None:
    assert methods() == list(CATALOGUE)
    assert methods(kind="pretrain") == list(PRETRAINING)
    assert {row.kind for row in PRETRAINING} == {"pretrain"}
    assert all(row.family == "transfer" for row in methods(family="transfer"))
    assert "TargetOnly" in [row.name for row in methods(target_labels="required")]
    assert "SourceOnly" not in [row.name for row in methods(target_labels="required")]
    assert all("regression" in row.tasks for row in methods(task="regression"))


def test_find() -> None:
    row = find("SourceOnly")
    assert row is not None
    assert row.name == "SourceOnly"
    assert find("Nothing") is None
