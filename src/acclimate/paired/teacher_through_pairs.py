"""`TeacherThroughPairs`: a model of one modality teaches another through unlabelled pairs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from acclimate.adapter import seeded
from acclimate.base.words import estimator as base_model
from acclimate.catalogue import Row, row_of
from acclimate.domain import Domain
from acclimate.exceptions import InputError
from acclimate.natives import as_rows
from acclimate.paired.given_pairs import check_lengths, count
from acclimate.preprocessing.one_scale import OneScale
from acclimate.refusing import as_input_error
from acclimate.settings import ESTIMATOR, Constraints, check_settings, drawn_seed
from acclimate.validation import check_target, check_target_labels, take


def _gives_probabilities(model: TeacherThroughPairs) -> bool:
    return hasattr(model.student_, "predict_proba")


class TeacherThroughPairs(BaseEstimator):  # type: ignore[misc]
    """Let a fitted model of modality A label pairs, and teach a model of modality B with them.

    Use it where modality A has a good model and B has few labels or none, and pairs are cheap:
    sounds beside written text, one scene seen by two sensors. The source model may be one that was
    itself adapted. Do not use it where the teacher is wrong about the A of these pairs: its errors
    are learnt. Where you could label the pairs' A by hand, compare that.

    The student minimises its own loss on ``(B_i, teacher(A_i))``, together with rows of B whose
    labels are known, where there are some. A pair is worth at most a label times the teacher's
    accuracy on it, for its errors are learnt, too: on spoken digits, 200 pairs under a teacher of
    97.6 % gained 5.2 points over 50 labels, where 200 labels gained 7.1
    (``benchmarks/spoken_digits.py``). **Pairs that were made by class carry the labels**: who pairs
    any picture of a seven with any spoken seven has labelled both. Figures from such pairs say what
    the labels are worth, not what pairs that came by themselves would be.

    Parameters
    ----------
    teacher : fitted model with ``predict``, default=None
        Of modality A; it is neither fitted nor changed. A method of acclimate answers for its
        target. It has to be given.
    student : estimator or None, default=None
        Of modality B, cloned. None is a linear model that chooses its penalty, behind one scale for
        all columns. For images, texts and sounds put an encoder in front:
        ``make_pipeline(FrozenBody(), LogisticRegression())``.
    random_state : int, RandomState instance or None, default=None
        Seeds the student.

    Attributes
    ----------
    student_ : estimator
        Fitted on rows of B.
    labels_ : ndarray of shape (n,)
        What the teacher said of each pair.
    classes_ : ndarray of shape (n_classes,)
        Of a classifier.

    Raises
    ------
    InputError
        A setting cannot be used, the teacher is missing or not fitted, the sides have different
        lengths, or the teacher gives all pairs one label.

    Notes
    -----
    A saved file holds the teacher, too.

    References
    ----------
    Gupta, Hoffman and Malik, "Cross modal distillation for supervision transfer", arXiv:1507.00448.
    Aytar, Vondrick and Torralba, "SoundNet", arXiv:1610.09001. Deviation: the teacher's labels, and
    not its features or probabilities, so that any two models will do.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from acclimate import TeacherThroughPairs
    >>> A = np.linspace(-1, 1, 40)[:, None]
    >>> teacher = LogisticRegression().fit(A, A[:, 0] > 0)
    >>> B = np.hstack([np.cos(A), -5 * A])  # the other modality, without a label
    >>> TeacherThroughPairs(teacher).fit(A, B).predict([[0.8, -3.0], [0.8, 3.0]])
    array([ True, False])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "teacher": [HasMethods("predict"), None],
        "student": [ESTIMATOR, None],
        "random_state": ["random_state"],
    }

    def __init__(self, teacher: Any = None, student: Any = None, *, random_state: Any = None):
        self.teacher = teacher
        self.student = student
        self.random_state = random_state

    def fit(self, A: Any, B: Any, *, target: Any = None) -> Self:
        """Label pairs by the teacher and fit the student.

        Parameters
        ----------
        A : array-like of n items
            What the teacher reads.
        B : array-like of n items
            What the student reads; item i of both is one pair.
        target : Domain, default=None
            Further items of B, some or all with a label; those with one are learnt from, too.
        """
        check_settings(self)
        n = check_lengths(A, B, 1)
        if self.teacher is None:
            raise InputError(
                "TeacherThroughPairs needs a teacher: a fitted model of A, such as "
                "SourceOnly().fit(X, y)"
            )
        with as_input_error(A, "A", only=ValueError):
            try:
                labels = np.asarray(self.teacher.predict(A))
            except NotFittedError as error:
                raise InputError(
                    f"the teacher is not fitted ({error}); fit it on labelled items of A first"
                ) from error
        if labels.shape != (n,):
            raise InputError(
                f"the teacher must give one label an item, got {labels.shape} for {n} items"
            )
        rows, y = _read(B, "B"), labels
        regression = self._regression(labels)
        if target is not None:
            rows, y = self._with_known(rows, labels, check_target(target), regression)
        if not regression and len(np.unique(y)) < 2:
            raise InputError(
                f"the teacher gives all {n} pairs the label {labels[0]!r}; a student needs at "
                f"least 2 classes. Check that A is what the teacher was fitted on"
            )
        student = self.student
        if student is None:
            task = "regression" if regression else "classification"
            student = make_pipeline(OneScale(), base_model("linear", task))
        with as_input_error(rows, "B", only=ValueError):
            self.student_ = seeded(student, drawn_seed(self.random_state)[0]).fit(rows, y)
        self.labels_ = labels
        if hasattr(self.student_, "classes_"):
            self.classes_: NDArray[Any] = self.student_.classes_
        self.trained_on_ = {"pairs": n, "labelled": len(y) - n}
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return labels or values of items of B, shape (m,)."""
        check_is_fitted(self)
        answers: NDArray[Any] = self.student_.predict(_read(X, "X"))
        return answers

    @available_if(_gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return class probabilities of items of B, shape (m, n_classes)."""
        check_is_fitted(self)
        found: NDArray[Any] = self.student_.predict_proba(_read(X, "X"))
        return found

    def score(self, X: Any, y: Any) -> float:
        """Return accuracy, or R squared of values, on items of B."""
        check_is_fitted(self)
        return float(self.student_.score(_read(X, "X"), y))

    def summary(self) -> str:
        """Return a plain sentence on what was fitted, and on what pairs are worth."""
        check_is_fitted(self)
        known = self.trained_on_["labelled"]
        beside = f" and {known} known labels" if known else ""
        student = getattr(self.student_, "steps", [("", self.student_)])[-1][1]
        return (
            f"TeacherThroughPairs: {type(student).__name__} of B, taught by "
            f"{type(self.teacher).__name__} of A through {self.trained_on_['pairs']} pairs{beside}."
            " Pairs are worth labels times the teacher's accuracy; pairs that were made by class "
            "carry the labels."
        )

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        card: Mapping[str, Any] | None = None,
        extras: Mapping[str, Any] | None = None,
        rows: str = "warn",
    ) -> Path:
        """Write student and teacher into one file; see `acclimate.save`.

        Parameters
        ----------
        path : path-like
            The file. ``.acclimate`` is the usual ending.
        card : mapping, default=None
            Entries for the model card, such as scores. What pairs are worth is there already.
        extras : mapping, default=None
            Anything else that JSON can hold.
        rows : {"warn", "refuse"}, default="warn"
            What to do where a model keeps rows that it was fitted on.
        """
        from acclimate.persistence import save

        told = {"summary": self.summary()} if hasattr(self, "student_") else {}
        return save(self, path, card={**told, **(card or {})}, extras=extras, rows=rows)

    @classmethod
    def _row(cls) -> Row:
        return row_of(cls)

    def _regression(self, labels: NDArray[Any]) -> bool:
        says = self.teacher if self.student is None else self.student
        if not hasattr(says, "__sklearn_tags__"):  # any object that predicts
            return bool(type_of_target(labels) == "continuous")
        return bool(is_regressor(says))

    def _with_known(
        self, B: Any, labels: NDArray[Any], target: Domain, regression: bool
    ) -> tuple[Any, NDArray[Any]]:
        """Return the pairs' rows of B and the labelled ones behind them, with all labels."""
        X = _read(target.X, "the target")
        n = count(X, "the target")
        if target.y is None:
            raise InputError("the target has no labels; leave it out, or give Domain(B, y)")
        y, index = check_target_labels(target, n, regression=regression, estimator=self)
        if hasattr(B, "iloc") and hasattr(X, "iloc"):
            import pandas as pd

            X = X if index is None else take(X, index)
            return pd.concat([B, X], ignore_index=True), np.concatenate([labels, y])
        mine, theirs = _array(B), _array(X)
        theirs = theirs if index is None else theirs[index]
        if mine.shape[1:] != theirs.shape[1:]:
            raise InputError(
                f"items of B have the shape {mine.shape[1:]}, and those of the target "
                f"{theirs.shape[1:]}; both must be of B"
            )
        return np.concatenate([mine, theirs]), np.concatenate([labels, y])

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "student_")

    def __sklearn_clone__(self) -> TeacherThroughPairs:
        # a clone of the teacher would not be fitted
        return type(self)(
            self.teacher, None if self.student is None else clone(self.student),
            random_state=self.random_state,
        )  # fmt: skip


def _read(X: Any, name: str) -> Any:
    """Return items as an estimator reads them; a column, such as one of texts, as an array."""
    return X.to_numpy() if hasattr(X, "to_numpy") and X.ndim == 1 else as_rows(X, name)


def _array(X: Any) -> NDArray[Any]:
    """Return items as an array, shape (n, ...), or (n,) of objects where they have many lengths."""
    if len({np.shape(one) for one in X}) < 2:
        return np.asarray(X)
    found = np.empty(len(X), dtype=object)
    found[:] = list(X)
    return found
