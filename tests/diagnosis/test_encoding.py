"""Numbers for rows of two domains: by hand, and independent of the order of rows."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from acclimate.diagnosis import summaries
from acclimate.diagnosis.encoding import encode, exact_keys, image_grid, sampling_order
from acclimate.diagnosis.placement import image_boxes


def test_columns_become_numbers() -> None:
    before = pd.DataFrame(
        {"a": [1.0, np.nan], "b": ["x", "y"], "when": pd.to_datetime(["2020"] * 2)}
    )
    now = pd.DataFrame({"a": [3.0], "b": [None], "when": pd.to_datetime(["2021"])})
    found = encode(summaries.as_columns(before)[1], summaries.as_columns(now)[1])
    assert found.names == ("a", "b=x", "b=y")
    assert found.source == pytest.approx(np.array([[1, 1, 0], [np.nan, 0, 1]]), nan_ok=True)
    assert found.target == pytest.approx(np.array([[3, np.nan, np.nan]]), nan_ok=True)


def test_cells_of_many_kinds_are_told_apart_by_their_texts() -> None:
    """1, "1" and 1.0 are one level; a gap is none, and no level is made of it."""
    before = {"a": pd.Series([1, "1", None, "x", "x", 2.0], dtype=object)}
    found = encode(before, {"a": pd.Series(["2.0", None, "1.0"], dtype=object)})
    assert found.names == ("a=1", "a=2", "a=x")
    expected = [[1, 0, 0], [1, 0, 0], [np.nan] * 3, [0, 0, 1], [0, 0, 1], [0, 1, 0]]
    np.testing.assert_array_equal(found.source, np.array(expected))
    np.testing.assert_array_equal(found.target, np.array([[0, 1, 0], [np.nan] * 3, [1, 0, 0]]))


def test_texts_become_lengths() -> None:
    texts = np.array([f"{'x' * (i % 40)}{i}" for i in range(200)], dtype=object)[:, None]
    columns = summaries.as_columns(texts)[1]
    found = encode(columns, columns)
    assert found.names == ("x0",)
    assert found.source[5, 0] == 6


def test_only_dates_leave_nothing() -> None:
    columns = {"when": pd.Series(pd.to_datetime(["2020", "2021"]))}
    assert encode(columns, columns).source.shape == (2, 0)


@pytest.mark.parametrize("shape", [(16, 16), (28, 20), (3, 17, 33), (5, 5)])
def test_the_grid_is_of_means(shape: tuple[int, ...]) -> None:
    X = np.random.default_rng(0).normal(size=(4, *shape))
    grid = image_grid(X)
    plain = X.reshape(4, -1, *shape[-2:]).mean(axis=1)
    edges = (np.unique(np.linspace(0, s, min(8, s) + 1).round().astype(int)) for s in shape[-2:])
    rows, columns = (list(itertools.pairwise(e)) for e in edges)
    expected = [[plain[i, a:b, c:d].mean() for a, b in rows for c, d in columns] for i in range(4)]
    assert grid == pytest.approx(np.array(expected))


def test_boxes_by_hand() -> None:
    X = np.zeros((3, 10, 20))
    X[0, 2:6, 5:15] = 1.0
    X[1] = 1.0 - X[0]  # dark on light
    boxes = image_boxes(X)
    for i in (0, 1):
        assert boxes["height"][i] == 0.4
        assert boxes["width"][i] == 0.5
        assert boxes["middle_row"][i] == 0.4
        assert boxes["middle_column"][i] == 0.5
    assert boxes["height"][2] == 0.0
    assert boxes["middle_row"][2] == 0.5
    assert image_boxes(np.repeat(X[:, None], 3, axis=1))["width"] == pytest.approx(boxes["width"])


def test_keys_tell_rows_apart_by_their_cells() -> None:
    frame = pd.DataFrame({"n": [1, 2, 1, 1], "s": ["a", "a", "a", None]})
    floats = pd.DataFrame({"n": [1.0, np.nan], "s": ["a", "a"]})
    keys, other = (exact_keys(summaries.as_columns(f)[1]) for f in (frame, floats))
    assert keys[0] == keys[2] == other[0]
    assert len({*keys.tolist(), *other.tolist()}) == 4


def test_a_sample_is_fair_to_rows_that_repeat_and_ignores_their_order() -> None:
    rng = np.random.default_rng(1)
    X = (rng.random(4000) < 0.3).astype(float)
    keys = exact_keys({"x": X})
    first = X[sampling_order(keys)[:1000]]
    assert first.mean() == pytest.approx(X.mean(), abs=0.05)
    order = rng.permutation(4000)
    again = X[order][sampling_order(keys[order])[:1000]]
    assert (first == again).all()
