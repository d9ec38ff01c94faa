"""What a column is, how its cells are written, and what equals what: by hand."""

from __future__ import annotations

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

from acclimate import Domain, SourceOnly, columns, compare, diagnose, rank, written
from acclimate.arrays import task_of
from acclimate.diagnosis.drift import check, summarise
from acclimate.exceptions import AcclimateWarning, InputError
from acclimate.tables import TabularPreprocessor, check_known_labels

KINDS = {
    "whole numbers": ([1, 2, 3], "number"),
    "decimals": ([decimal.Decimal("1.5"), None, decimal.Decimal("2")], "number"),
    "true and false": ([True, None, False], "boolean"),
    "true and false as text": (["true", "FALSE", "true"], "boolean"),
    "days": ([datetime.date(2020, 1, 5), None, datetime.date(9999, 12, 31)], "datetime"),
    "days as text": (["2020-01-05", "2021-02-06"], "datetime"),
    "American days": (["9/30/1990", "1/2/1991"], "datetime"),
    "German days": (["30.9.1990", "1.2.1991"], "datetime"),
    "named months": (["12 Jan 2020", "3 Feb 2021"], "datetime"),
    "no day": (["1.2.3", "4.5.6"], "category"),
    "decimal commas": (["1,5", "20,25", None], "number"),
    "thousands": (["1,234,567", "12,345", "7"], "number"),
    "points as thousands": (["1.234.567,5", "2,25"], "number"),
    "units": (["70 kg", "71.5kg", "80"], "number"),
    "money": (["$5", "-$1,200.50"], "number"),
    "two units": (["70 kg", "150 lb"], "category"),
    "codes": (["A1", "B2"], "category"),
    "codes with one letter": (["12a", "13a"], "category"),
    "nothing": ([None, None], "constant"),
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds(name: str) -> None:
    cells, kind = KINDS[name]
    assert columns.kind_of(pd.Series(cells, dtype=object, name="a")) == kind
    assert columns.kind_of(np.array(cells, dtype=object)) == kind


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1,5", None, "-20,25"], [1.5, np.nan, -20.25]),
        (["1,234,567", "7"], [1234567, 7]),
        (["1.234,5", "2"], [1234.5, 2]),
        (["1 234,5", "12\u00a0345"], [1234.5, 12345]),
        (["70 kg", "71.5kg"], [70, 71.5]),
        (["-$5", "$1,200.50"], [-5, 1200.5]),
        (["10%", "20 %"], [10, 20]),
        (["1e5", "-.5", "+3", "4."], [1e5, -0.5, 3, 4]),
        ([decimal.Decimal("1.5"), None], [1.5, np.nan]),
        (["true", "False"], [1, 0]),
        ([True, None], [1, np.nan]),
    ],
)
def test_numbers_however_they_are_written(cells: list[object], numbers: list[float]) -> None:
    found = columns.as_numbers(pd.Series(cells, dtype=object, name="a"))
    np.testing.assert_array_equal(found, numbers)


def test_a_doubt_is_decided_by_how_the_column_was_written_before() -> None:
    cells = ["1,234", "5,678"]
    plain = written.recognise(cells)
    assert plain is not None
    assert (plain.thousands, plain.other) == (",", "decimals")
    comma = written.recognise(cells, guess=",")
    assert comma is not None
    assert (comma.decimal, comma.other) == (",", "thousands")
    for like in (plain, comma):
        again = written.recognise(cells, like=like)
        assert again is not None
        assert (again.decimal, again.thousands, again.other) == (like.decimal, like.thousands, "")
    days = written.recognise(["3/4/1990"])
    assert days is not None
    assert (days.format, days.other) == ("%m/%d/%Y", "%d/%m/%Y")
    first = written.Written("datetime", format="%d/%m/%Y")
    assert written.recognise(["3/4/1990"], like=first) == first
    assert written.recognise(["3/14/1990"], like=first) != first


def test_a_frame_with_a_doubt_is_read_as_in_fit() -> None:
    step = TabularPreprocessor().fit(
        pd.DataFrame({"a": ["1,234", "5,6"], "d": ["5/14/1990", "1/2/1990"]})
    )
    Z = step.transform(pd.DataFrame({"a": ["1,234", "1,234"], "d": ["3/4/1990", "4/3/1990"]}))
    assert step.kinds_ == {"a": "number", "d": "datetime"}
    value = (1.234 - step.mean_[0]) / step.scale_[0]
    np.testing.assert_allclose(Z[:, 0], value)
    month = list(step.get_feature_names_out()).index("d_month")
    assert Z[1, month] > Z[0, month]


@pytest.mark.parametrize(
    ("texts", "known", "found"),
    [
        (["1.0", "2", None], ["1", "2"], ["1", "2", None]),
        (["1", "0"], ["False", "True"], ["True", "False"]),
        (["true", "FALSE"], ["1.0", "0.0"], ["1.0", "0.0"]),
        (["2020-01-05", "x"], ["2020-01-05 00:00:00"], ["2020-01-05 00:00:00", "x"]),
        (["7", "8"], ["007", "07"], ["7", "8"]),  # either could be meant
        (["7"], ["007", "8"], ["007"]),
    ],
)
def test_what_equals_what(texts: list[str], known: list[str], found: list[str]) -> None:
    assert columns.matched(np.array(texts, dtype=object), known).tolist() == found


SAME = [
    ([1, 2, 3, 1], [1.0, np.nan, 2.0, 3.0]),
    (["1", "2", "3", "1"], [1.0, np.nan, 2.0, 3.0]),
    ([True, False, True, True], ["true", None, "false", "true"]),
    (["true", "false", "true", "true"], [1.0, None, 0.0, 1.0]),
    ([0, 1, 0, 1], [False, True, None, True]),
    ([datetime.date(2020, 1, k) for k in (1, 2, 3, 4)], ["2020-01-01", None, "2020-01-02", "x"]),
]


@pytest.mark.parametrize(("before", "now"), SAME)
def test_a_category_is_the_same_in_every_type(before: list[object], now: list[object]) -> None:
    frame = pd.DataFrame({"a": pd.Series(before), "n": range(4)})
    step = TabularPreprocessor(categorical=["a"], drop=["n"]).fit(frame)
    Z = step.transform(pd.DataFrame({"a": pd.Series(now), "n": range(4)}))
    assert Z.sum(axis=1).tolist() == [
        float(cell is not None and cell == cell and cell != "x") for cell in now
    ]
    levels = pd.DataFrame({"a": pd.Series(before).astype(str).astype("category")})
    report = check(summarise(levels), pd.DataFrame({"a": pd.Series(now)}))
    assert set(report.columns[0].new_levels) <= {"x"}


def test_a_yes_no_column_is_read_from_floats_texts_and_booleans_alike() -> None:
    X = pd.DataFrame({"smoker": [True, False, True, False], "n": [1.0, 2.0, 3.0, 5.0]})
    model = SourceOnly(preprocess=TabularPreprocessor()).fit(X, ["a", "b", "a", "b"])
    for cells in ([1.0, 0.0, 1.0, 0.0], [1, 0, 1, 0], ["true", "false", "TRUE", "0"]):
        assert (model.predict(X.assign(smoker=cells)) == model.predict(X)).all()


@pytest.mark.parametrize(
    ("labels", "classes"),
    [([1.0, 0.0], [0, 1]), ([True, False], [0, 1]), (["1", "0"], [0, 1]), (["true"], [True, False]),
     ([decimal.Decimal(1)], [0, 1])],
)  # fmt: skip
def test_labels_are_known_in_every_type(labels: list[object], classes: list[object]) -> None:
    check_known_labels(np.array(labels), classes)
    with pytest.raises(InputError, match="unknown label"):
        check_known_labels(np.array([*labels, "other"], dtype=object), classes)


def test_a_mixed_column_warns_with_examples_and_the_way_out() -> None:
    frame = pd.DataFrame({"a": ["1", "2", "old", "?", "5"], "b": range(5)})
    with pytest.warns(
        AcclimateWarning, match=r"'a' mixes types .* 2 of 5 .*'old', '\?'.*--missing"
    ):
        step = TabularPreprocessor().fit(frame)
    assert step.kinds_["a"] == "category"


def test_one_rule_for_the_task() -> None:
    assert task_of(["a", "b"])[0] == "classification"
    assert task_of([True, False]) == ("classification", "the labels are true and false")
    assert task_of(np.arange(20.0))[0] == "classification"
    assert task_of(np.arange(21))[0] == "regression"
    assert task_of(np.arange(21), "classification") == ("classification", "as asked")
    assert task_of([1, 2], "regression")[0] == "regression"
    for labels, task, message in (
        (["a"], "regression", "got a"), ([0.5], "classification", "0.5"),
        ([1], "clustering", "clustering"), ([np.nan, 1.0], None, "finite"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=message):
            task_of(labels, task)


def test_whole_numbers_are_a_regression_for_every_function() -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(300, 2)), rng.normal(size=(100, 2)) + 1
    y, yt = ((1000 * (150 + 20 * side[:, 0])).astype(int) for side in (X, Xt))
    source, target = Domain(X, y), Domain(Xt, yt)
    assert "class_distance" not in diagnose(source, target).figures
    assert rank({"first": Xt[:, :1]}, target).task == "regression"
    found = compare(source, target, methods=["CORAL"], repeats=1, n_jobs=1).to_dict()
    assert (found["task"], found["score"]) == ("regression", "R2")
    assert found["task_reason"] == f"the labels are {len(set(y))} different whole numbers"
    few = Domain(X, y // 20000), Domain(Xt, yt // 20000)
    found = compare(*few, methods=["CORAL"], task="regression", repeats=1, n_jobs=1).to_dict()
    assert (found["task"], found["task_reason"]) == ("regression", "as asked")
    with pytest.raises(InputError, match="task is 'regression', but the estimators"):
        compare(*few, estimator=LogisticRegression(), task="regression")


@pytest.mark.skipif(pd.__version__ < "3", reason="pandas 2 counts nanoseconds, up to 2262")
def test_days_of_the_year_9999_and_lists_in_cells() -> None:
    frame = pd.DataFrame({"d": ["12/31/9999", "1/1/2000"], "n": [1, 2]})
    seconds = columns.time_parts(frame["d"])[:, 0]
    assert seconds.tolist() == [253402214400.0, 946684800.0]
    with pytest.raises(InputError, match="'a' holds cells of type list"):
        TabularPreprocessor().fit(pd.DataFrame({"a": [[1], [2]], "n": [1, 2]}))


def test_decimals_in_arrows_memory_keep_their_gaps() -> None:
    cells = [decimal.Decimal("1.00"), None, decimal.Decimal("2.50")]
    column = pd.Series(cells, dtype=pd.ArrowDtype(pa.decimal128(10, 2)), name="price")
    np.testing.assert_array_equal(columns.as_numbers(column), [1.0, np.nan, 2.5])
