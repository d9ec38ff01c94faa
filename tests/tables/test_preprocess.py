"""Columns of any kind to numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from acclimate import Domain, SourceOnly
from acclimate.exceptions import AcclimateWarning, InputError
from acclimate.tables import TabularPreprocessor, default_preprocess


@pytest.fixture
def mixed() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 120
    words = np.array(["pain", "rest", "chest", "acute", "mild", "cough", "fever"])
    frame = pd.DataFrame(
        {
            "age": rng.normal(50, 10, n),
            "visits": rng.integers(0, 9, n),
            "smokes": rng.random(n) < 0.5,
            "ward": rng.choice(["a", "b", "c"], n),
            "note": [" ".join(rng.choice(words, 6)) for _ in range(n)],
            "seen": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "code": rng.integers(0, 5, n).astype(str),
            "same": 3.0,
        }
    )
    frame.loc[::7, "age"] = np.nan
    frame.loc[::11, "ward"] = None
    return frame


def test_check_estimator() -> None:
    checks = check_estimator(TabularPreprocessor(), on_fail=None, on_skip=None)
    failed = [c["check_name"] for c in checks if c["status"] == "failed"]
    assert failed == []
    assert len(checks) >= 40


def test_numbers_equal_imputer_and_scaler() -> None:
    rng = np.random.default_rng(1)
    X, new = rng.normal(size=(50, 6)) * 10 + 3, rng.normal(size=(20, 6))
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:, 0] = np.arange(50)
    new[rng.random(new.shape) < 0.2] = np.nan
    step = TabularPreprocessor().fit(X)
    imputer = SimpleImputer(strategy="median", add_indicator=True).fit(X)
    scaler = StandardScaler().fit(imputer.transform(X)[:, :6])
    for rows in (X, new):
        filled = imputer.transform(rows)
        expected = np.hstack([scaler.transform(filled[:, :6]), filled[:, 6:]])
        np.testing.assert_allclose(step.transform(rows), expected, atol=1e-12)


def test_kinds_names_and_shape(mixed: pd.DataFrame) -> None:
    step = TabularPreprocessor(text_components=4).fit(mixed)
    assert step.kinds_ == {
        "age": "number", "visits": "number", "smokes": "boolean", "ward": "category",
        "note": "text", "seen": "datetime", "code": "number", "same": "number",
    }  # fmt: skip
    names = step.get_feature_names_out().tolist()
    Z = step.transform(mixed)
    assert Z.shape == (120, len(names))
    assert np.isfinite(Z).all()
    assert names[-4:] == ["note_text0", "note_text1", "note_text2", "note_text3"]
    assert {"ward_(missing)", "age_missing", "seen_weekday"} <= set(names)
    assert "same" not in names
    assert TabularPreprocessor(dtype="float32").fit_transform(mixed).dtype == np.float32


def test_order_of_columns_and_extra_ones_do_not_matter(mixed: pd.DataFrame) -> None:
    step = TabularPreprocessor().fit(mixed)
    shuffled = mixed[list(mixed.columns)[::-1]].assign(extra="x")
    np.testing.assert_array_equal(step.transform(shuffled), step.transform(mixed))
    with pytest.raises(InputError, match="Missing column: 'ward'"):
        step.transform(mixed.drop(columns="ward"))


def test_rows_are_treated_one_by_one(mixed: pd.DataFrame) -> None:
    step = TabularPreprocessor().fit(mixed)
    order = np.random.default_rng(0).permutation(len(mixed))
    np.testing.assert_allclose(
        step.transform(mixed.iloc[order]), step.transform(mixed)[order], atol=1e-12
    )
    one = np.vstack([step.transform(mixed.iloc[[i]]) for i in range(10)])
    np.testing.assert_allclose(one, step.transform(mixed.iloc[:10]), atol=1e-12)


def test_time_goes_on_and_counts_as_the_last_that_was_seen() -> None:
    frame = pd.DataFrame({
        "seen_month": np.arange(60.0),  # a number, whatever it is called
        "seen": pd.date_range("2026-01-05", periods=60), "never": pd.NaT,
    })  # fmt: skip
    step = TabularPreprocessor().fit(frame)
    later = frame.assign(seen=frame["seen"] + pd.Timedelta(days=400), seen_month=900.0)
    Z, names = step.transform(later), step.get_feature_names_out().tolist()
    last = step.transform(frame).max(axis=0)
    for name in ("seen_seconds", "seen_weekday"):
        assert Z[:, names.index(name)].max() == last[names.index(name)]
    assert (Z[:, names.index("seen_seconds")] == last[names.index("seen_seconds")]).all()
    assert Z[0, 0] > 10 * last[0], "numbers are not held"
    early = step.transform(frame.assign(seen=frame["seen"].where(frame.index > 5)))
    assert np.isfinite(early).all(), "a gap is filled in as before"


def test_an_unseen_level_is_zero_everywhere() -> None:
    step = TabularPreprocessor().fit(pd.DataFrame({"ward": ["a", "b", "a"]}))
    new = pd.DataFrame({"ward": ["a", "z", None]})
    np.testing.assert_array_equal(step.transform(new), [[1, 0], [0, 0], [0, 0]])


def test_rare_levels_share_a_column() -> None:
    ward = pd.DataFrame({"ward": ["a"] * 9 + ["b"] * 8 + ["c", "d", "e"]})
    step = TabularPreprocessor(max_levels=2).fit(ward)
    Z = step.transform(pd.DataFrame({"ward": ["a", "c", "e", "z"]}))
    np.testing.assert_array_equal(Z, [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]])


def test_categories_by_choice_read_whole_numbers_alike() -> None:
    step = TabularPreprocessor(categorical=["zip"]).fit(pd.DataFrame({"zip": [10, 20, 10]}))
    np.testing.assert_array_equal(
        step.transform(pd.DataFrame({"zip": [20.0, np.nan]})), [[0, 1], [0, 0]]
    )


@pytest.mark.parametrize(
    ("cells", "odd"),
    [
        ([1, 2, "x"], "x"),
        (["1", "?", "3", "4"], r"\?"),
        (["9/30/1990", "1/2/1991", "then"], "then"),
    ],
)
def test_a_column_that_mixes_types_is_of_categories(cells: list[object], odd: str) -> None:
    step = TabularPreprocessor()
    with pytest.warns(AcclimateWarning, match=rf"'a' mixes types.*1 of {len(cells)} .*'{odd}'"):
        step.fit(pd.DataFrame({"a": cells}))
    assert step.kinds_ == {"a": "category"}
    np.testing.assert_array_equal(step.transform(pd.DataFrame({"a": cells})).sum(axis=1), 1)


def test_infinity_and_other_errors_name_row_and_value() -> None:
    step = TabularPreprocessor().fit(pd.DataFrame({"a": [1.0, 2.0]}))
    with pytest.raises(InputError, match="'a' held numbers when fitted, but row 0 holds 'x'"):
        step.transform(pd.DataFrame({"a": ["x"]}))
    with pytest.raises(InputError, match="'a' holds inf in row 1"):
        step.transform(pd.DataFrame({"a": [1.0, np.inf]}))
    with pytest.raises(InputError, match="no column varies"):
        TabularPreprocessor().fit(pd.DataFrame({"a": [1.0, 1.0]}))
    with pytest.raises(InputError, match="did you mean 'ward'"):
        TabularPreprocessor(drop=["wrad"]).fit(pd.DataFrame({"ward": ["a", "b"]}))


def test_a_column_without_values_later_is_imputed(mixed: pd.DataFrame) -> None:
    step = TabularPreprocessor().fit(mixed)
    new = mixed.iloc[:3].assign(age=None, ward=None, note=None, seen=pd.NaT, smokes=None)
    assert np.isfinite(step.transform(new)).all()


def test_nothing_of_the_target_is_learned(mixed: pd.DataFrame) -> None:
    y = np.arange(120) % 2
    target = Domain(mixed.assign(age=mixed["age"] + 1000, ward="z"))
    model = SourceOnly(preprocess=default_preprocess(mixed)).fit(mixed, y, target=target)
    alone = TabularPreprocessor().fit(mixed)
    np.testing.assert_array_equal(model.preprocess_.transform(mixed), alone.transform(mixed))


def test_it_is_saved_without_pickle(mixed: pd.DataFrame) -> None:
    step = clone(TabularPreprocessor(text_components=3)).fit(mixed)
    data = skops.io.dumps(step)
    types = skops.io.get_untrusted_types(data=data)
    assert types == ["acclimate.tables.preprocess.TabularPreprocessor"]
    back = skops.io.loads(data, trusted=types)
    np.testing.assert_array_equal(back.transform(mixed), step.transform(mixed))


def test_heart_disease_with_gaps(fetch) -> None:
    data = fetch("heart_disease")
    X, y = data.domain_rows("cleveland")
    Xt, yt = data.domain_rows("switzerland")
    step = default_preprocess(X)
    model = SourceOnly(LogisticRegression(max_iter=1000), preprocess=step)
    model.fit(X, y, target=Domain(Xt))
    assert model.score(X, y, domain="source") > 0.8
    shuffled = Xt[list(Xt.columns)[::-1]]
    np.testing.assert_array_equal(model.predict(shuffled), model.predict(Xt))
    assert model.preprocess_.number_names_ == list(X.columns)
    assert len(yt) == 123


def test_what_is_no_date_is_told_without_a_warning_of_pandas() -> None:
    step = TabularPreprocessor().fit(pd.DataFrame({"day": pd.date_range("2024-01-01", periods=9)}))
    with pytest.raises(InputError, match=r"column 'day' held dates when fitted: .*hello"):
        step.transform(pd.DataFrame({"day": ["hello", "2024-01-05"]}))
