"""Which preprocessing a table gets where the user chose none."""

from __future__ import annotations

from typing import Any

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
