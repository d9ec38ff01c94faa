"""`TabularPreprocessor`: columns of any kind to a matrix of numbers.

Longer than other files: fit and transform treat each kind in the same order, side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from acclimate import columns as cells
from acclimate.exceptions import InputError
from acclimate.natives import LARGEST, as_rows, check_numbers
from acclimate.refusing import as_input_error
from acclimate.settings import COUNT, SEVERAL, TRANSFORMER, Constraints, Each, OneOf, check_settings
from acclimate.tables.labels import check_columns
from acclimate.validation import match_columns
from acclimate.written import Written

Array = NDArray[np.floating[Any]]
_TIME = ("seconds", "month", "weekday", "hour")


def standardise(X: Array, fill: Array, mean: Array, scale: Array) -> tuple[Array, Any]:
    """Return ``(X - mean) / scale`` with ``fill`` in place of NaN, and where NaN was.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Numbers, with NaN where missing. Not changed.
    fill, mean, scale : ndarray of shape (p,)
        One value a column; ``scale`` above 0.

    Returns
    -------
    Z : ndarray of shape (n, p)
        In the memory order of ``X``.
    missing : ndarray of bool of shape (n, p), or None
        None where nothing was missing.
    """
    Z = X - mean
    Z /= scale
    if np.isfinite(Z.sum()):  # one pass without a mask: NaN and infinity would both show
        return Z, None
    missing = np.isnan(X)
    rows, places = np.nonzero(missing)
    Z[rows, places] = ((fill - mean) / scale)[places]
    return Z, missing


class TabularPreprocessor(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn a data frame with columns of any kind into a matrix of numbers.

    Use it as ``preprocess=`` of any method, where it is fitted on the source rows alone. Do not use
    it for images, nor for columns whose scale itself tells the domains apart.

    Each column is treated by its kind, which `fit` finds out and `kinds_` shows:

    - *number* (also strings that are all numbers, with marks or a unit): median in place of missing
      values, an indicator column where values were missing in `fit`, then mean 0 and variance 1.
    - *boolean*: 0 and 1, then as a number.
    - *datetime* (also strings that are all dates of one form): seconds since 1970, month, weekday
      and hour, each as a number. What lies before or after all that `fit` saw counts as the first
      or the last of it: time goes on, and a line through one month says nothing of the next.
    - *category* (strings and pandas categories, and columns that mix types, which a warning
      names): one column a level, 0 or 1. Missing is a level of its own where it occurred in `fit`.
      A level not seen in `fit` gives 0. Beyond ``max_levels`` the rare ones share one column.
    - *text*: more distinct values than ``max_levels``, or than half of the rows, and three words or
      more in the mean cell. TF-IDF with 1 + log(tf), reduced to ``text_components`` numbers by a
      truncated SVD; or what ``encoder`` makes of it.
    - *constant*: left out, as is a column without any value.

    An array is taken as columns of numbers. Columns are matched by name: others are ignored.

    Parameters
    ----------
    categorical : sequence of str, default=()
        Columns that are categories, whatever they look like.
    text : sequence of str, default=()
        Columns that are text, whatever they look like.
    drop : sequence of str, default=()
        Columns to leave out.
    max_levels : int, default=50
        Levels of a category that get a column of their own, above 1.
    text_components : int, default=50
        Numbers that a text column becomes, above 0.
    max_vocabulary : int, default=20000
        Words of a text column that are kept, the most frequent ones; at least 1.
    encoder : transformer, default=None
        What makes numbers of the texts of a column, fitted on each text column by itself, such as
        `TextEncoder`. None is TF-IDF.
    dtype : {"float64", "float32"}, default="float64"
        Type of the result.
    random_state : int, default=0
        Seeds the truncated SVD.

    Attributes
    ----------
    kinds_ : dict of str to str
        Kind of each column.
    fill_, mean_, scale_ : ndarray of shape (p,)
        Median, mean and standard deviation of the number columns.
    indicated_ : ndarray of int
        Number columns that have an indicator.
    date_places_ : ndarray of int
        Number columns that are made of dates.
    date_range_ : ndarray of shape (2, q)
        The least and the largest value of each of these.
    encoder_ : OneHotEncoder or None
        Levels of the categories.
    written_ : dict of str to dict
        How the texts of columns of numbers and dates are written, where that is unusual.
    texts_ : dict of str to Pipeline or transformer
        TF-IDF and SVD of each text column, or the encoder, fitted.
    n_features_in_ : int
        Columns seen in `fit`.
    feature_names_in_ : ndarray of str
        Their names, where they have names.

    Raises
    ------
    InputError
        A column holds infinity or is missing, no column varies, or no column is text although
        there is an encoder.

    Notes
    -----
    Numbers are standardised in one pass over the block instead of scikit-learn's SimpleImputer and
    StandardScaler, which gives the same figures. This keeps batches of large files fast.

    References
    ----------
    Manning, Raghavan, Schuetze, "Introduction to Information Retrieval", 2008,
    doi:10.1017/CBO9780511809071 (TF-IDF, latent semantic indexing).

    Examples
    --------
    >>> import pandas as pd
    >>> from acclimate.tables import TabularPreprocessor
    >>> frame = pd.DataFrame({"age": [30.0, None, 50.0], "ward": ["a", "b", "a"]})
    >>> step = TabularPreprocessor().fit(frame)
    >>> list(step.get_feature_names_out())
    ['age', 'age_missing', 'ward_a', 'ward_b']
    >>> step.transform(pd.DataFrame({"ward": ["c"], "age": [40.0]}))
    array([[0., 0., 0., 0.]])
    """

    encoder: Any = None  # a file of an earlier version has no setting

    _parameter_constraints: ClassVar[Constraints] = {
        **{name: [Each(str, of="names")] for name in ("categorical", "text", "drop")},
        "max_levels": [SEVERAL],
        "text_components": [COUNT],
        "max_vocabulary": [COUNT],
        "encoder": [TRANSFORMER, None],
        "dtype": [OneOf("float64", "float32")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        categorical: Sequence[str] = (),
        text: Sequence[str] = (),
        drop: Sequence[str] = (),
        max_levels: int = 50,
        text_components: int = 50,
        max_vocabulary: int = 20000,
        encoder: Any = None,
        dtype: str = "float64",
        random_state: int = 0,
    ) -> None:
        self.categorical = categorical
        self.text = text
        self.drop = drop
        self.max_levels = max_levels
        self.text_components = text_components
        self.max_vocabulary = max_vocabulary
        self.encoder = encoder
        self.dtype = dtype
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn kinds, medians, levels and vocabularies.

        Parameters
        ----------
        X : data frame or array-like of shape (n, d)
            Rows that the method may see.
        y : object, default=None
            Ignored.
        """
        check_settings(self)
        self.encoder_ = None
        X = self._checked(X, reset=True)
        names = self._names()
        self.kinds_: dict[str, str] = dict.fromkeys(names, "number")
        if hasattr(X, "columns"):
            listed = [*self.categorical, *self.text, *self.drop]
            check_columns(listed, names, "the frame")
            self.written_: dict[str, dict[str, str]] = {}
            self.kinds_ = {name: self._kind(name, X.iloc[:, j]) for j, name in enumerate(names)}
        numbers = self._numbers_of(X, self._places("number", "boolean", "datetime"))
        self._fit_dates(numbers)
        self._fit_numbers(numbers)
        self._fit_categories(X)
        self._fit_texts(X)
        if not len(self.get_feature_names_out()):
            if len(X) < 2:
                raise InputError("at least 2 rows are needed to learn from, got n_samples = 1")
            raise InputError(f"no column varies, so there is nothing to learn from: {names[:8]}")
        return self

    def transform(self, X: Any) -> Array:
        """Return the rows as numbers.

        Parameters
        ----------
        X : data frame or array-like of shape (n, d)
            Rows; a frame has the columns of `fit` by name, in any order.

        Returns
        -------
        ndarray of shape (n, p)
            Columns in the order of `get_feature_names_out`.
        """
        check_is_fitted(self, "kinds_")
        X = self._checked(match_columns(self, as_rows(X)), reset=False)
        numbers = self._numbers_of(X, self._places("number", "boolean", "datetime"))
        dates = getattr(self, "date_places_", ())  # files of earlier versions have none
        if len(dates):
            numbers[:, dates] = numbers[:, dates].clip(*self.date_range_)
        if self.kept_ is not None:
            Z, missing = standardise(numbers[:, self.kept_], self.fill_, self.mean_, self.scale_)
        else:
            Z, missing = standardise(numbers, self.fill_, self.mean_, self.scale_)
        blocks = [Z]
        if len(self.indicated_):
            if missing is None and self.kept_ is None:
                blocks.append(np.zeros((len(Z), len(self.indicated_))))
            else:
                blocks.append(np.isnan(numbers[:, self.indicated_]).astype(np.float64))
        if self.encoder_ is not None:
            blocks.append(self.encoder_.transform(self._strings_of(X)))
        for name, step in self.texts_.items():
            part = step.transform(self._text_of(X, name))
            blocks.append(part.toarray() if hasattr(part, "toarray") else part)
        out: Array = blocks[0] if len(blocks) == 1 else np.hstack(blocks)
        return out.astype(self.dtype, copy=False)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the columns of the result.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Accepted for scikit-learn; must equal the fitted names.
        """
        check_is_fitted(self, "texts_")
        fitted = self._names()
        if input_features is not None and list(input_features) != fitted:
            raise ValueError("input_features is not equal to feature_names_in_")
        names = [self.number_names_[j] for j in self._kept_places()]
        names += [f"{self.number_names_[j]}_missing" for j in self.indicated_]
        if self.encoder_ is not None:
            names += list(self.encoder_.get_feature_names_out(self.category_names_))
        for name, step in self.texts_.items():
            if name in self._widths():
                names += [f"{name}_text{k}" for k in range(self._widths()[name])]
            elif "svd" in step.named_steps:
                names += [f"{name}_text{k}" for k in range(step["svd"].n_components)]
            else:
                names += [f"{name}_{word}" for word in step["tfidf"].get_feature_names_out()]
        return np.asarray(names, dtype=object)

    def text_features(self, X: Any) -> Array | None:
        """Return what the encoder makes of the text columns, shape (n, p); None without one.

        Parameters
        ----------
        X : data frame of shape (n, d)
            Rows. Where one of the text columns is missing, the result is None.
        """
        check_is_fitted(self, "texts_")
        X = as_rows(X)
        names = list(self._widths())
        if not names or not set(names) <= set(getattr(X, "columns", ())):
            return None
        return np.hstack([self.texts_[name].transform(_filled(X[name])) for name in names])

    # --- inside -----------------------------------------------------------------------------

    def _widths(self) -> dict[str, int]:
        """Return the numbers that each encoded column becomes; files of before have none."""
        return getattr(self, "text_widths_", {})

    def _checked(self, X: Any, *, reset: bool) -> Any:
        """Return a frame as it is, anything else as a float64 array of shape (n, d)."""
        X = as_rows(X)
        if hasattr(X, "columns"):
            if not len(X):
                raise InputError(f"the frame has no rows: {list(X.columns)[:8]}")
            return validate_data(self, X, reset=reset, skip_check_array=True)
        names = getattr(self, "feature_names_in_", None)
        if not reset and names is not None:
            import pandas as pd

            with as_input_error(X, "X"):
                X = validate_data(self, X, reset=False, skip_check_array=True)
            return pd.DataFrame(np.asarray(X), columns=names)
        check_numbers(X)
        with as_input_error(X, "X"):
            return validate_data(
                self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan"
            )

    def _names(self) -> list[str]:
        names = getattr(self, "feature_names_in_", None)
        return [f"x{j}" for j in range(self.n_features_in_)] if names is None else list(names)

    def _kind(self, name: str, column: Any) -> str:
        if name in self.drop:
            return "dropped"
        if name in self.categorical:
            return "category" if column.nunique(dropna=False) > 1 else "constant"
        if name in self.text:
            return "text"
        kind, written, doubt = cells.understood(column, self.max_levels)
        if written is not None:
            self.written_[name] = asdict(written)
        cells.warn_of([doubt])
        return "constant" if kind == "category" and column.nunique(dropna=False) < 2 else kind

    def _written(self, j: int) -> Written | None:
        """Return how texts of a column were written in `fit`; None where that was not unusual."""
        found = getattr(self, "written_", {}).get(list(self.kinds_)[j])
        return None if found is None else Written(**found)

    def _places(self, *kinds: str) -> list[int]:
        return [j for j, kind in enumerate(self.kinds_.values()) if kind in kinds]

    def _kept_places(self) -> NDArray[np.intp]:
        return np.arange(len(self.number_names_)) if self.kept_ is None else self.kept_

    def _numbers_of(self, X: Any, places: list[int]) -> Array:
        """Return the number block, shape (n, p), NaN where missing, infinity refused."""
        if not hasattr(X, "columns"):
            return np.asarray(X)
        block = X if len(places) == X.shape[1] else X.iloc[:, places]
        plain = all(
            isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in set(block.dtypes)
        )
        if plain and not self._places("datetime"):
            numbers: Array = block.to_numpy(dtype=np.float64)
        elif not places:
            numbers = np.empty((len(X), 0))
        else:
            kinds = list(self.kinds_.values())
            numbers = np.column_stack([
                (cells.time_parts if kinds[j] == "datetime" else cells.as_numbers)(
                    block.iloc[:, i], self._written(j)
                )
                for i, j in enumerate(places)
            ])  # fmt: skip
        if not np.isfinite(numbers.sum()) and np.isinf(numbers).any():
            row, column = np.argwhere(np.isinf(numbers))[0]
            raise InputError(
                f"column {self._number_names()[column]!r} holds {numbers[row, column]} in row "
                f"{X.index[row]!r}; make it missing"
            )
        return numbers

    def _number_names(self) -> list[str]:
        names: list[str] = []
        for name, kind in self.kinds_.items():
            if kind == "datetime":
                names += [f"{name}_{part}" for part in _TIME]
            elif kind in ("number", "boolean"):
                names.append(name)
        return names

    def _fit_dates(self, numbers: Array) -> None:
        kinds = [kind for kind in self.kinds_.values() if kind in ("number", "boolean", "datetime")]
        dated = [[kind == "datetime"] * (len(_TIME) if kind == "datetime" else 1) for kind in kinds]
        self.date_places_ = np.flatnonzero(np.concatenate([[], *dated]))
        dates = numbers[:, self.date_places_]
        seen = ~np.isnan(dates)
        self.date_range_ = np.stack([
            dates.min(axis=0, where=seen, initial=np.inf),
            dates.max(axis=0, where=seen, initial=-np.inf),
        ])  # fmt: skip
        self.date_range_[:, ~seen.any(axis=0)] = 0.0

    def _fit_numbers(self, numbers: Array) -> None:
        self.number_names_ = self._number_names()
        missing = np.isnan(numbers)
        some = ~missing.all(axis=0)
        fill = np.zeros(numbers.shape[1])
        fill[some] = np.nanmedian(numbers[:, some], axis=0) if some.any() else 0.0
        filled = np.where(missing, fill, numbers)
        varies = filled.max(axis=0) > filled.min(axis=0)
        kept = np.flatnonzero(varies)
        self.kept_ = None if varies.all() else kept
        self.fill_ = fill[kept]
        filled = filled[:, kept]
        peak = np.abs(filled).max(axis=0, initial=0.0)
        unit = np.where(peak > LARGEST, peak, 1.0)
        self.mean_ = (filled / unit).mean(axis=0) * unit
        self.scale_ = (filled / unit).std(axis=0) * unit
        self.scale_[self.scale_ == 0.0] = 1.0  # the spread underflows
        times = {f"{n}_{part}" for n, k in self.kinds_.items() if k == "datetime"
                 for part in _TIME[1:]}  # fmt: skip
        once = np.array([name not in times for name in self.number_names_], dtype=bool)
        self.indicated_ = np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0) & once)

    def _fit_categories(self, X: Any) -> None:
        from sklearn.preprocessing import OneHotEncoder

        self.category_names_ = [n for n, kind in self.kinds_.items() if kind == "category"]
        if self.category_names_:
            self.encoder_ = OneHotEncoder(
                handle_unknown="ignore", max_categories=self.max_levels + 1, sparse_output=False
            ).fit(self._strings_of(X))

    def _fit_texts(self, X: Any) -> None:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import Pipeline

        self.texts_: dict[str, Any] = {}
        self.text_widths_: dict[str, int] = {}
        names = [n for n, kind in self.kinds_.items() if kind == "text"]
        if self.encoder is not None and not names:
            raise InputError(
                f"an encoder reads texts, and none of the columns {self._names()[:8]} is text; "
                f"name one with text=[...], on the command line --text COLUMN"
            )
        for name in names:
            words = self._text_of(X, name)
            if self.encoder is not None:
                self.texts_[name] = clone(self.encoder).fit(words)
                self.text_widths_[name] = int(self.texts_[name].transform(words[:1]).shape[1])
                continue
            tfidf = TfidfVectorizer(sublinear_tf=True, max_features=self.max_vocabulary)
            try:
                matrix = tfidf.fit_transform(words)
            except ValueError:  # not one word of two letters
                self.kinds_[name] = "constant"
                continue
            step = Pipeline([("tfidf", tfidf)])
            size = min(self.text_components, len(words) - 1)
            if 0 < size < matrix.shape[1]:
                svd = TruncatedSVD(size, random_state=self.random_state).fit(matrix)
                step = Pipeline([("tfidf", tfidf), ("svd", svd)])
            self.texts_[name] = step

    def _strings_of(self, X: Any) -> NDArray[np.object_]:
        parts = [
            cells.as_strings(X.iloc[:, j], cells.MISSING_LEVEL) for j in self._places("category")
        ]
        if self.encoder_ is not None:  # each as it was written in `fit`
            known = self.encoder_.categories_
            parts = [cells.matched(part, own) for part, own in zip(parts, known, strict=True)]
        return np.column_stack(parts)

    def _text_of(self, X: Any, name: str) -> Any:
        return _filled(X.iloc[:, self._names().index(name)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def _filled(column: Any) -> Any:
    """Return a column of texts, empty where it is missing."""
    return column.astype(object).where(column.notna(), "").astype(str)
