"""Folds for a handful of labels."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


def few_label_folds(
    y: NDArray[Any],
    *,
    classify: bool,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    key: NDArray[Any] | None = None,
) -> list[Fold]:
    """Split a few labelled rows into training and held-out rows, again and again.

    Each row is held out once a repeat. For classes, folds are stratified; a class with fewer rows
    than folds has each of its rows in another fold, and a class with one row is unknown while that
    row is held out. Where every class has one row, one row is left out at a time.

    Parameters
    ----------
    y : ndarray of shape (m,)
        Labels or values.
    classify : bool
        Whether ``y`` holds classes.
    folds : int, default=5
        Folds a repeat, at least 2; no more than there are rows in the largest class.
    repeats : int, default=1
        How often to split anew, at least 1.
    seed : int, default=0
        Seeds the splits.
    key : ndarray of shape (m,), default=None
        A number for each row. Splits then depend on it, and not on the order of the rows.

    Returns
    -------
    list of (train, held)
        Integer arrays of positions. Empty where there are fewer than 2 rows.

    Raises
    ------
    InputError
        ``folds`` or ``repeats`` is too small.

    Examples
    --------
    >>> import numpy as np
    >>> parts = few_label_folds(np.array([0, 0, 1, 1]), classify=True)
    >>> len(parts), [len(held) for _, held in parts]
    (2, [2, 2])
    """
    from sklearn.model_selection import LeaveOneOut, RepeatedKFold, RepeatedStratifiedKFold

    if folds < 2:
        raise InputError(f"folds must be at least 2, got {folds!r}")
    if repeats < 1:
        raise InputError(f"repeats must be at least 1, got {repeats!r}")
    m = len(y)
    if m < 2:
        return []
    order = np.arange(m) if key is None else np.argsort(key, kind="stable")
    largest = int(np.unique(y, return_counts=True)[1].max()) if classify else m
    splitter: Any
    if largest < 2:
        splitter = LeaveOneOut()
    else:
        kind = RepeatedStratifiedKFold if classify else RepeatedKFold
        splitter = kind(n_splits=min(folds, largest), n_repeats=repeats, random_state=seed)
    with warnings.catch_warnings():
        # a class with fewer rows than folds is what this function is for
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        parts = list(splitter.split(order, y[order]))
    return [(order[train], order[held]) for train, held in parts]
