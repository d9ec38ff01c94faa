"""Advice follows from the figures, and each reason shows them."""

from __future__ import annotations

from typing import Any

import pytest

from acclimate.diagnosis.advice import advise


def figures(**changes: Any) -> dict[str, Any]:
    plain = {
        "source_rows": 5000, "target_rows": 3000, "target_labels": 0, "classes": 2,
        "inputs_shifted": True, "a_distance": 1.2, "a_distance_after_scaling": 1.1,
        "inside": 0.95, "effective_share": 0.4,
    }  # fmt: skip
    return plain | changes


def verdicts(shifted: bool = True, **changes: Any) -> dict[str, bool]:
    return {item.family: item.suits for item in advise(shifted, figures(**changes))}


@pytest.mark.parametrize(
    ("changes", "family", "suits"),
    [
        ({}, "reweighting", True),
        ({"inside": 0.5}, "reweighting", False),
        ({"effective_share": 0.01}, "reweighting", False),
        ({"inside": None}, "reweighting", False),
        ({"inside": 0.5, "explained_by_classes": True}, "reweighting", True),
        ({}, "mapping", False),
        ({"a_distance_after_scaling": 0.3}, "mapping", True),
        ({"a_distance_after_scaling": 0.3, "explained_by_classes": True}, "mapping", False),
        ({"a_distance": 0.1, "a_distance_after_scaling": 0.0}, "mapping", False),
        ({}, "invariant", True),
        ({"target_rows": 100}, "invariant", False),
        ({"explained_by_classes": True}, "invariant", False),
        ({"inputs_shifted": False}, "invariant", False),
        ({"inputs_shifted": False}, "reweighting", False),
        ({}, "fine-tuning", False),
        ({"target_labels": 20}, "fine-tuning", True),
        ({"classes_only_in_target": ["new"]}, "fine-tuning", True),
        ({"no_common_class": True}, "do not transfer", True),
        ({"chance": 0.6, "target_score": 0.5}, "do not transfer", True),
        ({"a_distance": 2.0, "inside": 0.0}, "do not transfer", True),
    ],
)  # fmt: skip
def test_each_rule(changes: dict[str, Any], family: str, suits: bool) -> None:
    assert verdicts(**changes)[family] is suits


def test_nothing_is_advised_where_nothing_shifted() -> None:
    assert verdicts(shifted=False) == {"nothing": True, "fine-tuning": False}


def test_transfer_is_not_advised_against_without_a_reason() -> None:
    assert "do not transfer" not in verdicts()
    assert "do not transfer" not in verdicts(chance=0.5, target_score=0.8)


def test_what_suits_comes_first_and_reasons_have_figures() -> None:
    found = advise(True, figures(a_distance_after_scaling=0.3))
    order = [item.suits for item in found]
    assert order == sorted(order, reverse=True)
    mapping = next(item for item in found if item.family == "mapping")
    assert "1.20 before, 0.30 after" in mapping.reason
