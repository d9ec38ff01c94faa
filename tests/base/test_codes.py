"""The network for tables: how columns are read, and that methods build on it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import acclimate
from acclimate import (
    CORAL,
    DANN,
    SHOT,
    Domain,
    FineTune,
    JointObjective,
    NeuralClassifier,
    NeuralRegressor,
    SourceOnly,
    TargetOnly,
    rank,
)
from acclimate.base.codes import learn_columns
from acclimate.exceptions import InputError
from acclimate.tables import MixedPreprocessor, default_preprocess

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 150, "batch_size": 64,
    "learning_rate": 0.03, "random_state": 0,
}  # fmt: skip


def quick(cls: Any = NeuralClassifier, **changes: Any) -> Any:
    return cls("tabular", **(QUICK | changes))


def table(n: int = 200, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Two categories whose exclusive or is the label, and a number that says nothing."""
    rng = np.random.default_rng(seed)
    ward, drug = rng.integers(0, 2, n), rng.integers(0, 2, n)
    frame = pd.DataFrame({
        "ward": pd.Series(np.array(["north", "south"])[ward], dtype=object),
        "age": rng.normal(50, 20, n),
        "drug": pd.Categorical(np.array(["old", "new"])[drug]),
    })  # fmt: skip
    return frame, ward ^ drug


def target(n: int = 80) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the same question, with a drug nobody has seen and a ward that is missing."""
    frame, y = table(n, seed=1)
    frame["drug"] = frame["drug"].astype(object)
    frame.loc[0, "ward"], frame.loc[1, "drug"] = None, "newest"
    return frame, y


def test_codes_follow_the_rows_and_numbers_are_standardised() -> None:
    frame = pd.DataFrame({"a": ["y", "x", "y"], "n": [1.0, 2.0, 6.0], "b": [None, "u", "v"]})
    known = learn_columns(frame, "auto")
    assert known.sizes == {0: 3, 2: 4}
    expected = [[1, (1 - 3) / np.std([1, 2, 6]), 1], [2, -1 / np.std([1, 2, 6]), 2],
                [1, 3 / np.std([1, 2, 6]), 3]]  # fmt: skip
    np.testing.assert_allclose(known.encode(frame), expected, rtol=1e-6)
    other = pd.DataFrame({"a": ["z", None], "n": [3.0, 3.0], "b": ["w", None]})
    np.testing.assert_array_equal(known.encode(other), [[0, 0, 0], [0, 0, 1]])


def test_whole_numbers_are_the_same_category_with_and_without_a_gap() -> None:
    known = learn_columns(pd.DataFrame({"a": [3, 1, 2]}), ["a"])
    with_gap = known.encode(pd.DataFrame({"a": [1.0, np.nan, 2.0, 3.0, 7.0]}))
    np.testing.assert_array_equal(with_gap[:, 0], [2, 0, 3, 1, 0])


@pytest.mark.parametrize("categories", [[0, 2], [-3, "x2"]])
def test_columns_of_an_array_are_named_by_position(categories: list[Any]) -> None:
    X = np.array([[7.0, 0.5, 1.0], [9.0, 1.5, 1.0], [7.0, 2.5, 2.0]])
    assert learn_columns(X, categories).sizes == {0: 3, 2: 3}
    assert learn_columns(X, "auto").sizes == {}


def test_an_exclusive_or_of_two_categories_is_learnt() -> None:
    frame, y = table()
    assert quick().fit(frame, y).score(*table(seed=2)) == 1.0
    coded = np.column_stack([pd.factorize(frame["ward"])[0], frame["age"],
                             pd.factorize(frame["drug"])[0]])  # fmt: skip
    assert quick(categories=[0, 2]).fit(coded, y).score(coded, y) == 1.0


def test_regression_is_learnt() -> None:
    frame, y = table()
    model = quick(NeuralRegressor, min_steps=400).fit(frame, 100.0 + 7.0 * y)
    assert model.score(frame, 100.0 + 7.0 * y) > 0.95


@pytest.mark.filterwarnings("ignore:Downcasting")  # of replace in pandas 2
def test_what_categories_are_called_changes_nothing() -> None:
    (frame, y), (other, _) = table(), target()
    names = {"north": "B", "south": "A", "old": 12, "new": 3}
    renamed, far = (f.astype({"drug": object}).replace(names) for f in (frame, other))
    one = DANN(quick(random_state=None), random_state=0).fit(frame, y, target=Domain(other))
    base = quick(random_state=None, categories=["ward", "drug"])
    two = DANN(base, random_state=0).fit(renamed, y, target=Domain(far))
    np.testing.assert_array_equal(one.predict_proba(other), two.predict_proba(far))


def test_the_order_of_columns_in_a_frame_does_not_matter() -> None:
    frame, y = table()
    model = quick().fit(frame, y)
    turned = frame[["drug", "ward", "age"]]
    np.testing.assert_array_equal(model.predict_proba(frame), model.predict_proba(turned))


def test_rows_of_weight_zero_leave_no_trace() -> None:
    frame, y = table()
    more = pd.concat([frame, frame.iloc[:20].assign(ward="ghost", age=1e6)], ignore_index=True)
    weight = np.r_[np.ones(len(frame)), np.zeros(20)]
    one = quick().fit(frame, y, sample_weight=np.ones(len(frame)))
    two = quick().fit(more, np.r_[y, 1 - y[:20]], sample_weight=weight)
    np.testing.assert_array_equal(one.predict_proba(frame), two.predict_proba(frame))


@pytest.mark.parametrize(
    ("method", "labels", "settings"),
    [(SourceOnly, False, {}), (TargetOnly, True, {}), (DANN, False, {}), (SHOT, False, {}),
     (JointObjective, True, {}), (FineTune, True, {"strategy": "full"}),
     (FineTune, True, {"strategy": "head"}), (FineTune, True, {"strategy": "gradual"}),
     (FineTune, True, {"strategy": "surgical"}), (FineTune, True, {"strategy": "lora"})],
)  # fmt: skip
def test_methods_read_frames_and_are_saved(
    method: Any, labels: bool, settings: dict[str, Any], tmp_path: Path
) -> None:
    (frame, y), (other, yt) = table(), target()
    domain = Domain(other, yt if labels else None)
    model = method(quick(random_state=None), random_state=0, **settings)
    model.fit(frame, y, target=domain)
    assert model.score(other, yt) > 0.9
    again = acclimate.load(model.save(tmp_path / "m.acclimate"))
    copied = pickle.loads(pickle.dumps(model))
    for one in (again, copied):
        np.testing.assert_array_equal(model.predict_proba(other), one.predict_proba(other))
    twice = clone(model).fit(frame, y).adapt(domain)
    np.testing.assert_array_equal(model.predict_proba(other), twice.predict_proba(other))


def test_other_columns_go_through_a_preprocessor(tmp_path: Path) -> None:
    frame, y = table()
    frame = frame.assign(day=pd.date_range("2020-01-01", periods=len(frame)))
    frame.loc[3, "age"] = np.nan
    with pytest.raises(InputError, match=r"'age' holds nan in row 3.*MixedPreprocessor"):
        quick().fit(frame.drop(columns="day"), y)
    with pytest.raises(InputError, match=r"'day' holds dates.*MixedPreprocessor"):
        quick().fit(frame.fillna({"age": 0.0}), y)
    step = default_preprocess(frame, quick())
    assert type(step) is MixedPreprocessor
    model = SourceOnly(quick(), preprocess=step).fit(frame, y)
    assert model.source_model_.columns_.sizes.keys() == {5, 6}
    assert model.score(frame, y) == 1.0
    again = acclimate.load(model.save(tmp_path / "m.acclimate"))
    np.testing.assert_array_equal(again.predict_proba(frame), model.predict_proba(frame))


def test_numbers_that_stand_for_categories_go_through_a_preprocessor() -> None:
    frame, y = table()
    frame["ward"] = frame["ward"].map({"north": 3.0, "south": 7.0})
    frame.loc[:1, "ward"] = np.nan
    step = MixedPreprocessor(categorical=["ward"])
    model = SourceOnly(quick(), preprocess=step).fit(frame, y)
    assert model.source_model_.columns_.sizes == {1: 4, 2: 3}


def test_ranking_reads_the_columns_as_the_network_does() -> None:
    frame, y = table()
    model = quick().fit(frame, y)
    assert rank({"it": model}, frame, y).best.probe.score > 0.99


def test_what_cannot_be_read_is_refused(toy: Callable[..., Any]) -> None:
    frame, y = table()
    with pytest.raises(InputError, match=r"names the column 'wards'; there are \['ward'"):
        quick(categories=["wards"]).fit(frame, y)
    with pytest.raises(InputError, match=r'must be "auto" or a list of columns, got \'ward\''):
        quick(categories="ward").fit(frame, y)
    with pytest.raises(InputError, match=r'categories are for network="tabular"'):
        NeuralClassifier(categories=[0]).fit(toy().X, toy().y)
    with pytest.raises(InputError, match=r'rows of shape \(3, 4\); for images use network="cnn"'):
        quick().fit(np.zeros((6, 3, 4)), np.arange(6) % 2)
    with pytest.raises(InputError, match="the frame has no rows"):
        quick().fit(frame[:0], y[:0])
    with pytest.raises(ValueError, match="could not convert string to float"):
        CORAL(quick()).fit(frame, y, target=Domain(frame))  # it calculates on rows
