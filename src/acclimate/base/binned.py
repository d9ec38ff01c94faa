"""Columns as boosting reads them: levels of categories, and bins of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST_BINS = 255  # of a column, as in scikit-learn's histograms
MOST_ROWS = 10_000  # with more, scikit-learn puts rows aside to stop early, and bins the others
WEIGHED = (1, 9)  # scikit-learn from which bins are of weighted rows
LEVELS = 254  # of a category, the most frequent; the histograms have no place for more


def weighted_edges(column: Floats, weight: Floats) -> Floats | None:
    """Return the edges of a column's bins, shape (b,); None where all its values have one.

    Bin i holds the values above edge i - 1 and up to edge i. The edges are the weighted percentiles
    that scikit-learn's histogram boosting takes, to the bit. It sorts the column anew for each of
    the 254; here they come from one sort. None also where the values are too few for percentiles,
    or a bin would be empty: scikit-learn then does it.

    Parameters
    ----------
    column : ndarray of shape (n,)
        Values; gaps are NaN.
    weight : ndarray of shape (n,)
        Weights of the rows, above 0.

    Examples
    --------
    >>> x = np.arange(512.0)
    >>> weighted_edges(x, np.ones(512))[:3]
    array([2., 4., 6.])
    """
    seen = ~np.isnan(column)
    x, w = column[seen], weight[seen]
    order = np.argsort(x)
    x, w = x[order], w[order]
    if len(x) <= MOST_BINS or 1 + np.count_nonzero(np.diff(x)) <= MOST_BINS:
        return None
    again = np.argsort(x[:, None], axis=0)[:, 0]  # equal values in the order of scikit-learn
    total = np.cumsum(w[again])
    rank = np.linspace(0, 100, MOST_BINS + 1)[1:-1] / 100 * total[-1]
    place = np.minimum(np.searchsorted(total, rank), len(x) - 1)
    after = np.minimum(place + 1, len(x) - 1)
    inside = total[place] - rank > np.finfo(np.float64).eps
    edges = np.unique(np.where(inside, x[place], (x[place] + x[after]) / 2))
    filled = np.bincount(np.searchsorted(edges, x), minlength=len(edges) + 1)
    return edges if filled[: len(edges)].all() else None


def edges_of(
    X: Floats, levels: Sequence[Any] | None, weight: Floats | None
) -> list[Floats | None] | None:
    """Return the edges of each column; None where scikit-learn takes the values as they are.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows; gaps are NaN.
    levels : sequence of (ndarray or None), of length d, or None
        Levels of categories, which have no bins.
    weight : ndarray of shape (n,) or None
        Weights of the rows. Without them there is nothing to hasten.
    """
    if weight is None or len(X) > MOST_ROWS or not (weight > 0).all() or not weighs():
        return None
    known = levels or [None] * X.shape[1]
    edges = [
        None if own is not None else weighted_edges(column, weight)
        for column, own in zip(X.T, known, strict=True)
    ]
    return edges if any(one is not None for one in edges) else None


def weighs() -> bool:
    """Tell whether this scikit-learn takes weighted percentiles for the bins of weighted rows."""
    major, minor, *_ = sklearn.__version__.split(".")
    return (int(major), int(minor)) >= WEIGHED


def as_bins(X: Floats, edges: Sequence[Floats | None]) -> Floats:
    """Return rows with the number of its bin in place of a value, where a column has edges.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows; gaps are NaN, and stay.
    edges : sequence of (ndarray or None), of length d
        Of `weighted_edges`.
    """
    out = X.copy()
    for j, known in enumerate(edges):
        if known is not None:
            seen = ~np.isnan(X[:, j])
            out[seen, j] = np.searchsorted(known, X[seen, j])
    return out


def levels_of(column: Any) -> NDArray[Any] | None:
    """Return the levels of a category, the most frequent first; None for a column of numbers."""
    if not hasattr(column.dtype, "categories") and column.dtype.kind in "biuf":
        return None
    counts = column.astype(object).value_counts()
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return np.array([str(level) for level, n in ordered[:LEVELS] if n], dtype=object)


def codes_of(column: Any, known: NDArray[Any] | None) -> Floats:
    """Return numbers, or the codes of levels; other levels, and gaps, are NaN."""
    if known is None:
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    place = {level: float(code) for code, level in enumerate(known.tolist())}
    column = column if hasattr(column.dtype, "categories") else column.astype("category")
    table = np.array([place.get(str(level), np.nan) for level in column.cat.categories] + [np.nan])
    return np.asarray(table[column.cat.codes.to_numpy()])
