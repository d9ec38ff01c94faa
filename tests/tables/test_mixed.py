"""Categories pass on by name, all else as the ordinary preprocessing makes it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from acclimate.tables import MixedPreprocessor, TabularPreprocessor


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "ward": rng.choice(["a", "b", None], 30), "age": rng.normal(size=30),
        "day": pd.date_range("2020-01-01", periods=30), "same": "x",
        "code": rng.integers(0, 3, 30),
    })  # fmt: skip


def test_numbers_are_those_of_the_ordinary_step() -> None:
    X = frame()
    plain = TabularPreprocessor(categorical=["code"]).fit(X)
    mixed = MixedPreprocessor(categorical=["code"]).fit(X)
    made = mixed.transform(X)
    assert list(made.columns) == list(mixed.get_feature_names_out())
    numbers = made.drop(columns=["ward", "code"])
    np.testing.assert_array_equal(numbers, plain.transform(X)[:, : numbers.shape[1]])
    assert "same" not in made


def test_categories_are_text_and_the_index_stays() -> None:
    X = frame().set_index(pd.RangeIndex(100, 130))
    step = MixedPreprocessor(categorical=["code"]).fit(X)
    made = step.transform(X[["code", "day", "age", "same", "ward"]][5:])
    assert list(made.index) == list(range(105, 130))
    assert set(made["code"]) == {"0", "1", "2"}
    assert set(made["ward"]) == {"a", "b", "(missing)"}
    assert list(step.transform(X.assign(ward="new"))["ward"]) == ["new"] * 30


def test_a_frame_of_numbers_stays_numbers() -> None:
    X = frame()[["age"]]
    made = MixedPreprocessor().fit_transform(X)
    assert list(made.columns) == ["age"]
    assert abs(float(made["age"].mean())) < 1e-12
