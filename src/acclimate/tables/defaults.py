"""Which preprocessing a table gets where the user chose none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from acclimate import columns as cells
from acclimate.exceptions import InputError
from acclimate.tables.preprocess import TabularPreprocessor


def default_preprocess(
    X: Any, estimator: Any = None, **settings: Any
) -> TabularPreprocessor | None:
    """Return the preprocessing for these inputs: None for images, which networks take as they are.

    Parameters
    ----------
    X : data frame or ndarray of shape (n, ...)
        Inputs.
    estimator : estimator, default=None
        The base model. One that reads categories itself gets them as they are.
    **settings : object
        Settings of `TabularPreprocessor`.

    Returns
    -------
    TabularPreprocessor or None
        Not fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate.tables import default_preprocess
    >>> default_preprocess(np.zeros((2, 3)))
    TabularPreprocessor()
    >>> default_preprocess(np.zeros((2, 28, 28), dtype="uint8")) is None
    True
    """
    if getattr(X, "ndim", 2) > 2:
        return None
    if hasattr(X, "columns") and estimator is not None:
        from sklearn.utils import get_tags

        from acclimate.tables.mixed import MixedPreprocessor

        if get_tags(estimator).input_tags.categorical:
            return MixedPreprocessor(**settings)
    return TabularPreprocessor(**settings)


def text_columns(X: Any, declared: Sequence[str] = ()) -> list[str]:
    """Return the columns of text of a frame, at least one.

    Parameters
    ----------
    X : data frame of shape (n, d)
        Rows.
    declared : sequence of str, default=()
        Columns that are text, whatever they look like.

    Raises
    ------
    InputError
        No column is text.

    Examples
    --------
    >>> import pandas as pd
    >>> from acclimate.tables.defaults import text_columns
    >>> text_columns(pd.DataFrame({"age": [1, 2], "note": ["he slept well", "she did not sleep"]}))
    ['note']
    """
    found = [
        str(name)
        for j, name in enumerate(X.columns)
        if name in declared or cells.kind_of(X.iloc[:, j]) == "text"
    ]
    if not found:
        raise InputError(
            f"an encoder reads texts, and none of the columns {list(X.columns)[:8]} has many cells "
            f"of three words or more; name one with {cells.way_out('text', 'COLUMN')}"
        )
    return found
