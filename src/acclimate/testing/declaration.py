"""What a row says of its class is well formed, and the class keeps to it."""

from __future__ import annotations

import inspect

from acclimate.catalogue import find
from acclimate.testing.cases import Case, check, require


@check()
def the_row_is_well_formed(case: Case) -> None:
    """Its words are among those that are known."""
    row = case.row
    known = (
        ("kind", ("tabular", "image", "paired", "pretrain")),
        ("target_labels", ("ignored", "optional", "required")),
        ("base", ("any", "linear", "batch norm")),
    )
    for name, words in known:
        value = getattr(row, name)
        require(value in words, f"{name} must be one of {list(words)}, got {value!r}")
    tasks = set(row.tasks)
    fits = tasks and tasks <= {"classification", "regression"}
    require(fits, f"tasks must name classification, regression or both, got {row.tasks!r}")
    listed = find(row.name)
    require(listed in (None, row), f"the catalogue says of {row.name!r} other things: {listed}")


@check(target_labels="optional")
def optional_labels_come_with_the_switch(case: Case) -> None:
    """``use_target_labels=False`` is a setting of methods that may see labels."""
    parameters = inspect.signature(type(case.method)).parameters
    switch = parameters.get("use_target_labels")
    require(switch is not None, "its constructor lacks use_target_labels=False")
    require(switch is None or switch.default is False, "use_target_labels is not False by default")


@check(target_labels=("ignored", "required"))
def no_switch_where_labels_are_settled(case: Case) -> None:
    """Where the row decides, no setting pretends to."""
    parameters = inspect.signature(type(case.method)).parameters
    require("use_target_labels" not in parameters, "its row should say target_labels='optional'")


@check(task="classification", partial_classes=True)
def partial_is_a_setting(case: Case) -> None:
    """``partial=`` is there where it is ticked."""
    require("partial" in case.method.get_params(deep=False), "it lacks the setting partial")


@check(task="classification", open_classes=True)
def unknown_is_a_setting(case: Case) -> None:
    """``unknown=`` is there where it is ticked."""
    require("unknown" in case.method.get_params(deep=False), "it lacks the setting unknown")
