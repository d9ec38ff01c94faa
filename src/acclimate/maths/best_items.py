"""The most similar items of a gallery, found block by block, with ties by their place."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROWS = 1024  # queries and items at a time: a block of similarities stays in the cache
DIGITS = 9  # similarities that agree so far are ties: products round by where a row stands


def unit(Z: Array) -> Array:
    """Return rows of length 1, shape (n, d); a row of zeros stays one.

    Parameters
    ----------
    Z : ndarray of shape (n, d)
    """
    length = np.linalg.norm(Z, axis=1, keepdims=True)
    found: Array = np.divide(Z, length, out=np.zeros_like(Z), where=length > 1e-12)
    return found


def similarities(queries: Array, items: Array) -> Array:
    """Return inner products with ties made equal, shape (n, m).

    Parameters
    ----------
    queries : ndarray of shape (n, d)
    items : ndarray of shape (m, d)
    """
    found: Array = np.round(queries @ items.T, DIGITS)
    return found


def best_items(queries: Array, blocks: Iterable[Array], k: int) -> NDArray[np.intp]:
    """Return the places of the items with the largest inner products, shape (n, k), best first.

    Of items that are equally similar the earlier one comes first. No matrix of all queries and
    items is made.

    Parameters
    ----------
    queries : ndarray of shape (n, d)
    blocks : iterable of ndarray of shape (b, d)
        The gallery in order, k items in all at least.
    k : int
        At least 1.

    Examples
    --------
    >>> best_items(np.array([[1.0, 0.0]]), [np.eye(2), np.eye(2)], 3)
    array([[0, 2, 1]])
    """
    n, seen = len(queries), 0
    values: Array = np.empty((n, 0))
    places: NDArray[np.intp] = np.empty((n, 0), dtype=np.intp)
    for block in blocks:
        width = min(k, values.shape[1] + len(block))
        next_values, next_places = np.empty((n, width)), np.empty((n, width), dtype=np.intp)
        for start in range(0, n, ROWS):
            rows = slice(start, start + ROWS)
            found = similarities(queries[rows], block)
            held = np.concatenate([values[rows], found], axis=1)  # earlier items stand first
            least = np.partition(held, held.shape[1] - width, axis=1)[:, held.shape[1] - width]
            before = values.shape[1]
            for i, (row, limit) in enumerate(zip(held, least, strict=True), start):
                open_ = np.flatnonzero(row >= limit)
                kept = open_[np.argsort(-row[open_], kind="stable")[:width]]
                next_values[i] = row[kept]
                earlier = kept < before
                next_places[i] = np.where(earlier, 0, kept - before + seen)
                next_places[i, earlier] = places[i, kept[earlier]]
        values, places = next_values, next_places
        seen += len(block)
    return places
