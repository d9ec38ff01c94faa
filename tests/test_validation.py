"""Checks at the public door: what passes, and what the error says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator

from acclimate import SourceOnly, diagnose
from acclimate import validation as door
from acclimate.domain import Domain
from acclimate.exceptions import DomainTypeError, InputError
from acclimate.validation import Rows


class TestRows:
    def test_labelled_rows_follow_the_labels(self) -> None:
        X = np.arange(8.0).reshape(4, 2)
        rows = Rows(X, np.array(["a", "b"]), np.array([3, 1]))
        assert rows.labelled_X.tolist() == [[6.0, 7.0], [2.0, 3.0]]
        assert rows.labels.tolist() == ["a", "b"]

    def test_all_rows_are_labelled_without_positions(self) -> None:
        X = np.arange(4.0).reshape(2, 2)
        assert Rows(X, np.array([0, 1])).labelled_X is X

    def test_labels_that_were_withheld_are_an_error(self) -> None:
        with pytest.raises(InputError, match="no labels"):
            _ = Rows(np.zeros((2, 1))).labels

    def test_names_declare_classes_that_do_not_occur(self) -> None:
        named = Rows(np.zeros((2, 1)), np.array([0, 2]), class_names={2: "c", 0: "a", 1: "b"})
        assert named.classes.tolist() == [0, 1, 2]
        assert Rows(np.zeros((2, 1)), np.array([2, 0])).classes.tolist() == [0, 2]


def test_rows_of_frames_are_taken_by_position() -> None:
    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2, 3]}, index=[9, 8, 7])
    assert door.take(frame, np.array([2, 0]))["a"].tolist() == [3, 1]
    assert door.take(np.array([[1], [2], [3]]), np.array([2, 0])).tolist() == [[3], [1]]


def test_a_domain_passes_as_target() -> None:
    domain = Domain(np.zeros((1, 1)))
    assert door.check_target(domain) is domain


@pytest.mark.parametrize("wrong", [None, [[0.0]], np.zeros((1, 1)), "x", Domain])
def test_no_other_target_passes(wrong: Any) -> None:
    with pytest.raises(DomainTypeError, match=rf"got {type(wrong).__name__}\. Write fit\(X, y"):
        door.check_target(wrong)


@pytest.mark.parametrize("word", ["Target", "", None, 1])
def test_the_word_for_the_domain(word: Any) -> None:
    assert door.check_domain_word("source") == "source"
    with pytest.raises(InputError, match=rf'must be "target" or "source", got {word!r}'):
        door.check_domain_word(word)


class TestInputs:
    def check(self, X: Any, **changes: Any) -> Any:
        settings = {"reset": True, "raw": False, "finite": True, "sparse": False}
        return door.check_inputs(BaseEstimator(), X, **(settings | changes))

    def test_images_pass(self) -> None:
        images = np.zeros((3, 5, 5), dtype=np.uint8)
        assert self.check(images).dtype == np.uint8

    def test_missing_values_pass_only_where_they_may(self) -> None:
        X = np.array([[np.nan], [1.0]])
        assert np.isnan(self.check(X, finite=False)[0, 0])
        with pytest.raises(ValueError, match="NaN"):
            self.check(X)
        with pytest.raises(ValueError, match="infinity"):
            self.check(np.array([[np.inf], [1.0]]), finite=False)

    def test_sparse_matrices_become_csr(self) -> None:
        X = sp.random_array((4, 3), density=0.5, format="coo", random_state=0)
        assert self.check(X, sparse=True).format == "csr"
        with pytest.raises(TypeError, match=r"[Ss]parse"):
            self.check(X)

    def test_a_raw_frame_stays_a_frame(self) -> None:
        import pandas as pd

        frame = pd.DataFrame({"sex": ["f", "m"], "age": [50, 60]})
        assert self.check(frame, raw=True) is frame

    def test_columns_are_matched_by_name(self) -> None:
        import pandas as pd

        fitted = BaseEstimator()
        frame = pd.DataFrame({"a": [1.0], "b": [2.0]})
        door.check_inputs(fitted, frame, reset=True, raw=False, finite=True, sparse=False)
        again = door.check_inputs(
            fitted, pd.DataFrame({"c": [9.0], "b": [2.0], "a": [1.0]}),
            reset=False, raw=False, finite=True, sparse=False,
        )  # fmt: skip
        assert again.tolist() == [[1.0, 2.0]]
        with pytest.raises(InputError, match=r"Missing column: 'b'; the frame has \['a'\]"):
            door.match_columns(fitted, pd.DataFrame({"a": [1.0]}))

    def test_few_of_many_missing_columns_are_listed(self) -> None:
        import pandas as pd

        fitted = BaseEstimator()
        fitted.feature_names_in_ = np.array([f"c{i}" for i in range(9)], dtype=object)
        with pytest.raises(InputError, match="'c0', 'c1', 'c2', 'c3', 'c4' and 4 more"):
            door.match_columns(fitted, pd.DataFrame({"x": [1.0]}))


class TestLabels:
    def check(self, y: Any, *, regression: bool = False, n: int | None = None) -> Any:
        return door.check_labels(BaseEstimator(), y, regression=regression, n=n)

    def test_text_and_numbers_pass(self) -> None:
        assert self.check(["b", "a"]).tolist() == ["b", "a"]
        assert self.check([1, 2], regression=True).tolist() == [1, 2]

    def test_numbers_with_fractions_are_no_classes(self) -> None:
        with pytest.raises(ValueError, match="continuous"):
            self.check([0.5, 1.5])

    def test_two_columns_are_refused(self) -> None:
        with pytest.raises(ValueError, match="1d"):
            self.check([[0, 1], [1, 0]])

    def test_the_count_must_agree(self) -> None:
        with pytest.raises(InputError, match="X has 3 rows but y has 2"):
            self.check([0, 1], n=3)

    def test_one_class(self) -> None:
        door.check_two_classes(np.array([0, 1]), "source")
        with pytest.raises(InputError, match=r"the target labels have 1 class, \['a'\]"):
            door.check_two_classes(np.array(["a", "a"]), "target")


class TestClassNames:
    def test_a_sequence_names_integers(self) -> None:
        assert door.check_class_names(["shirt", "coat"]) == {0: "shirt", 1: "coat"}
        assert door.check_class_names({"s": "shirt"}) == {"s": "shirt"}
        assert door.check_class_names(None) is None

    def test_equal_names_are_refused(self) -> None:
        with pytest.raises(InputError, match=r"must differ from each other, got \['a', 'a'\]"):
            door.check_class_names(["a", "a"])

    def test_text_is_refused(self) -> None:
        with pytest.raises(InputError, match="got the text 'ab'"):
            door.check_class_names("ab")

    def test_every_label_needs_a_name(self) -> None:
        door.check_named(np.array([0, 1]), {0: "a", 1: "b", 2: "c"}, "source")
        with pytest.raises(InputError, match="the target has the label 2, which class_names"):
            door.check_named(np.array([0, 2]), {0: "a", 1: "b"}, "target")


class TestWeights:
    X = np.zeros((3, 1))

    def test_they_pass(self) -> None:
        assert door.check_weight([0, 1, 2], self.X).tolist() == [0.0, 1.0, 2.0]  # type: ignore[union-attr]
        assert door.check_weight(None, self.X) is None

    @pytest.mark.parametrize("wrong", [[-1, 1, 1], [1, 1], [np.nan, 1, 1], [[1, 1, 1]]])
    def test_wrong_ones_are_refused(self, wrong: Any) -> None:
        with pytest.raises(ValueError, match=r"[Nn]egative|shape|NaN|1D"):
            door.check_weight(wrong, self.X)

    def test_all_zero_is_refused(self) -> None:
        with pytest.raises(ValueError, match="zero"):  # newer versions of scikit-learn say it first
            door.check_weight([0, 0, 0], self.X)


@pytest.mark.parametrize("wrong", [[1, 2], [[1], [2], [3]]])
def test_source_ids_are_one_a_row(wrong: Any) -> None:
    assert door.check_ids(["a", "b", "a"], 3).tolist() == ["a", "b", "a"]  # type: ignore[union-attr]
    with pytest.raises(InputError, match="3 ids, got shape"):
        door.check_ids(wrong, 3)


class TestMask:
    def test_positions_of_known_labels(self) -> None:
        assert door.check_mask([False, True, True], 3).tolist() == [1, 2]  # type: ignore[union-attr]
        assert door.check_mask([True, True], 2) is None
        assert door.check_mask(None, 2) is None

    @pytest.mark.parametrize("wrong", [[0, 1], [True], [[True, False]]])
    def test_it_must_be_boolean_and_one_a_row(self, wrong: Any) -> None:
        with pytest.raises(InputError, match=r"boolean mask of shape \(2,\)"):
            door.check_mask(wrong, 2)

    def test_nothing_known_is_refused(self) -> None:
        with pytest.raises(InputError, match="marks none of the 2 rows"):
            door.check_mask([False, False], 2)


def test_a_column_that_was_renamed_is_named_with_its_old_name():
    X = pd.DataFrame({"blood_pressure": [1.0, 2.0, 3.0, 4.0], "age": [1.0, 0.0, 2.0, 1.0]})
    model = SourceOnly().fit(X, [0, 0, 1, 1])
    with pytest.raises(InputError, match="'BloodPressure' looks like 'blood_pressure': rename it"):
        model.predict(X.rename(columns={"blood_pressure": "BloodPressure"}))
    with pytest.raises(InputError, match=r"has \['ward', 'age'\]$"):
        model.predict(X.rename(columns={"blood_pressure": "ward"}))
    found = diagnose(X, X.rename(columns={"blood_pressure": "blood pressure"})).words()
    assert any("'blood pressure' looks like 'blood_pressure'" in words for words in found)
