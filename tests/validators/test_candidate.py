"""The evidence: labels become column numbers, and what does not fit is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from acclimate.exceptions import InputError
from acclimate.validators.candidate import Evidence

P = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]


def test_labels_of_any_kind_become_columns() -> None:
    words = Evidence(P, ["b", "a", "b"], P, classes=["b", "a"], reverse_labels=["a", "a", "b"])
    assert words.source_labels.tolist() == [0, 1, 0]
    assert words.reverse_labels.tolist() == [1, 1, 0]
    sparse = Evidence(P, [7, -1, -1], P, classes=[7, -1])
    assert sparse.source_labels.tolist() == [0, 1, 1]


def test_replacing_a_field_keeps_the_labels() -> None:
    words = Evidence(P, ["b", "a", "b"], P, classes=["b", "a"])
    assert replace(words, weights=[1, 2, 3]).source_labels.tolist() == [0, 1, 0]


def test_float32_stays() -> None:
    known = Evidence(np.array(P, np.float32), [0, 1, 0], np.array(P, np.float32))
    assert known.source_proba.dtype == known.target_proba.dtype == np.float32


def test_regression_has_one_dimension() -> None:
    known = Evidence([1.0, 2.0], [1.5, 2.5], [3.0], reverse_labels=[1.0, 1.0])
    assert known.regression
    assert known.source_labels.tolist() == [1.5, 2.5]
    assert not Evidence(P, [0, 1, 0], P).regression


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"source_labels": None}, "together"),
        ({"source_labels": [0, 1]}, r"source_labels must have shape \(3,\)"),
        ({"source_labels": [0, 1, 2]}, "none of the 2 classes"),
        ({"classes": ["a", "b", "c"]}, "classes must have shape"),
        ({"source_proba": [[1.0], [1.0], [1.0]]}, r"source_proba must have shape \(3, 2\)"),
        ({"weights": [1, 1]}, "weights must have shape"),
        ({"weights": [1, 1, -1]}, "at least 0"),
        ({"weights": [1, 1, np.inf]}, "finite"),
        ({"consensus": P[:2]}, "consensus must have shape"),
        ({"target_logits": P[:2]}, "target_logits must have shape"),
        ({"source_features": [[1.0]]}, "source_features must have shape"),
        ({"target_features": [1.0, 2.0, 3.0]}, "target_features must have shape"),
        ({"reverse_labels": [0, 1]}, "reverse_labels must have shape"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Evidence(**{"source_proba": P, "source_labels": [0, 1, 0], "target_proba": P, **given})


def test_source_fields_need_source_rows() -> None:
    with pytest.raises(InputError, match="weights needs source_proba"):
        Evidence(None, None, P, weights=[1.0])
