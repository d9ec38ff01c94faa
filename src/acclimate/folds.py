"""Folds for a handful of labels, and keys that stand for the order of rows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError

OFTEN = 10.0  # times that a row may stand for itself, on average

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


def as_often(counts: NDArray[np.floating[Any]], seed: int) -> NDArray[np.intp]:
    """Return positions of rows, each as often as it counts, in the order of the rows.

    It serves what cannot weigh rows: there, a row that counts as three is three rows. What a count
    has beside its whole number is drawn, so that it holds on average. Counts above `OFTEN` on
    average are brought down to it.

    Parameters
    ----------
    counts : ndarray of shape (n,)
        How often each row should be there, at least 0.
    seed : int
        Draws the rest.

    Examples
    --------
    >>> import numpy as np
    >>> as_often(np.array([2.0, 0.0, 1.0]), 0)
    array([0, 0, 2])
    """
    counts = counts * min(1.0, OFTEN / float(counts.mean()))
    whole = np.floor(counts + 1e-9)
    rest = np.cumsum(np.maximum(counts - whole, 0.0))
    steps = np.floor(rest + np.random.default_rng(seed).random())
    times = (whole + np.diff(steps, prepend=0.0)).astype(np.intp)
    return np.repeat(np.arange(len(counts)), times)


def row_keys(X: NDArray[np.floating[Any]], seed: int) -> NDArray[np.uint64]:
    """Return one pseudo-random integer a row, shape (n,), that depends on the row's values alone.

    Sorting by it shuffles the rows in a way that their order does not influence. Integer
    arithmetic wraps, so that equal rows have equal keys to the bit.
    """
    factors = np.random.default_rng(seed).integers(1, 2**63, size=X.shape[1], dtype=np.uint64)
    keys = np.zeros(len(X), dtype=np.uint64)
    step = max(1, 2**22 // max(1, X.shape[1]))  # rows at a time, so that the copy stays small
    for i in range(0, len(X), step):
        block = np.ascontiguousarray(X[i : i + step], dtype=np.float64) + 0.0  # -0 becomes 0
        bits = block.view(np.uint64)
        bits ^= bits >> np.uint64(29)  # low bits of round numbers are all zero
        keys[i : i + step] = (bits * (factors | np.uint64(1))).sum(1, dtype=np.uint64)
    keys ^= keys >> np.uint64(32)
    keys *= np.uint64(0xD6E8FEB86659FD93)
    keys ^= keys >> np.uint64(32)
    return keys
