"""The common checks, `acclimate.testing.checks`, on every row and each task that it ticks."""

from __future__ import annotations

from typing import Any

import pytest

from acclimate.testing import Case, Check


def test_check(case: Case, check: Check) -> None:
    check.run(case)


@pytest.mark.rows(kind="paired")
def test_check_on_pairs(case: Case, check: Check) -> None:
    check.run(case)


@pytest.mark.rows(task="classification")
def test_classifiers_give_probabilities_and_scores(case: Any) -> None:
    """The checks look at these where they are there; on the fast base models they all are."""
    model = case.fitted()
    assert hasattr(model, "predict_proba")
    assert hasattr(model, "decision_function")
