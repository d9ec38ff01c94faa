"""`Domain`: one frozen value that nothing can slice."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from acclimate import Domain


def test_it_is_frozen() -> None:
    domain = Domain(np.zeros((3, 2)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        domain.X = np.ones((3, 2))  # type: ignore[misc]


def test_it_is_compared_by_identity() -> None:
    X = np.zeros((3, 2))
    first, second = Domain(X), Domain(X)
    assert first == first
    assert first != second
    assert len({first, second}) == 2


@pytest.mark.parametrize("name", ["__len__", "shape", "__array__", "__getitem__", "__iter__"])
def test_it_does_not_look_like_an_array(name: str) -> None:
    assert not hasattr(Domain(np.zeros((3, 2))), name)


def test_it_keeps_what_it_was_given() -> None:
    X, y, labelled = np.zeros((3, 2)), [0, 1, 0], [True, False, True]
    domain = Domain(X, y, labelled=labelled, class_names=["a", "b"], name="ward B")
    assert domain.X is X
    assert domain.y is y
    assert domain.labelled is labelled
    assert domain.class_names == ["a", "b"]
    assert domain.name == "ward B"


def test_only_inputs_and_labels_are_positional() -> None:
    with pytest.raises(TypeError, match="positional"):
        Domain(np.zeros((3, 2)), [0, 1, 0], [True, False, True])  # type: ignore[misc]


@pytest.mark.parametrize(
    ("domain", "text"),
    [
        (Domain(np.zeros((3, 2))), "Domain(X: (3, 2), y: none)"),
        (Domain([[1.0]], [1], name="b"), "Domain('b', X: list, y: given)"),
        (Domain(np.zeros((2, 1)), [0, 1], labelled=[True, False]),
         "Domain(X: (2, 1), y: partly given)"),
    ],
)  # fmt: skip
def test_its_text_says_what_is_in_it(domain: Domain, text: str) -> None:
    assert repr(domain) == text
