"""`MixedPreprocessor`: columns of any kind, with categories left as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.natives import as_rows
from acclimate.tables.preprocess import TabularPreprocessor
from acclimate.validation import match_columns


class MixedPreprocessor(TabularPreprocessor):
    """Turn all columns but categories into numbers, and pass categories on by name.

    Use it as ``preprocess=`` of a method whose base model reads categories itself, such as
    ``NeuralClassifier("tabular")``. Do not use it in front of models that take numbers alone; that
    is what `TabularPreprocessor` is for.

    Numbers, dates and text become what `TabularPreprocessor` makes of them. Each category stays one
    column, a pandas category of strings in which missing cells are "(missing)".

    Parameters
    ----------
    categorical, text, drop, text_components, max_vocabulary, encoder, dtype, random_state
        As in `TabularPreprocessor`.
    max_levels : int, default=50
        Above 1. Only tells text from categories: all levels are passed on.

    Attributes
    ----------
    kinds_ : dict of str to str
        Kind of each column; further ones as in `TabularPreprocessor`.

    Raises
    ------
    InputError
        As in `TabularPreprocessor`.

    Examples
    --------
    >>> import pandas as pd
    >>> from acclimate.tables import MixedPreprocessor
    >>> frame = pd.DataFrame({"age": [30.0, None, 50.0], "ward": ["a", None, "a"]})
    >>> MixedPreprocessor().fit_transform(frame)
            age  age_missing       ward
    0 -1.224745          0.0          a
    1  0.000000          1.0  (missing)
    2  1.224745          0.0          a
    """

    def transform(self, X: Any) -> Any:
        """Return the rows as a data frame.

        Parameters
        ----------
        X : data frame or array-like of shape (n, d)
            Rows; a frame has the columns of `fit` by name, in any order.

        Returns
        -------
        data frame of shape (n, p)
            Numbers, then categories, named as in `get_feature_names_out`.
        """
        import pandas as pd

        X = as_rows(X)
        numbers = super().transform(X)
        names = self.get_feature_names_out()
        frame = pd.DataFrame(
            numbers, columns=names[: numbers.shape[1]], index=getattr(X, "index", None)
        )
        if self.category_names_:
            strings = self._strings_of(match_columns(self, X))
            for name, column in zip(self.category_names_, strings.T, strict=True):
                frame[name] = pd.Categorical(column)  # "1" and "2" are not taken for numbers
        return frame

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the columns of the result.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Accepted for scikit-learn; must equal the fitted names.
        """
        names = super().get_feature_names_out(input_features)
        return np.concatenate([names, np.asarray(self.category_names_, dtype=object)])

    def _fit_categories(self, X: Any) -> None:
        self.category_names_ = [n for n, kind in self.kinds_.items() if kind == "category"]
        # no encoder: the model behind learns the levels
