"""Inputs of two domains as numbers that can be compared, and rows told apart by their values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate import columns as cells
from acclimate.diagnosis import summaries
from acclimate.exceptions import InputError
from acclimate.folds import row_keys

Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]

LEVELS = 10  # most frequent levels of a category that get a column of their own
DIRECTIONS = 64  # of features that stand for images or texts
GRID = 8  # side of the grid of means that stands for an image


@dataclass(frozen=True)
class Encoded:
    """Rows of both domains as numbers, with NaN where missing.

    Parameters
    ----------
    source : ndarray of shape (n, d)
    target : ndarray of shape (m, d)
    names : tuple of str
        What each number is.
    """

    source: Floats
    target: Floats
    names: tuple[str, ...]


def encode(source: Mapping[str, Any], target: Mapping[str, Any]) -> Encoded:
    """Turn columns that both domains have into numbers.

    Numbers stay, the 10 levels that are most frequent over both domains become 0 or 1, texts their
    number of letters. Dates are left out, since time always goes on.

    Parameters
    ----------
    source, target : mapping from str to column
        What `summaries.as_columns` returned, with the same names.
    """
    pairs: list[tuple[str, Floats, Floats]] = []
    for name, before in source.items():
        kind, now = cells.kind_of(before), target[name]
        if kind in ("number", "boolean"):
            pairs.append((name, cells.as_measured(before), cells.as_measured(now)))
        elif kind != "datetime":
            codes, levels = cells.as_levels(before)
            others, theirs = cells.as_levels(now)
            theirs = cells.matched(theirs, levels[np.unique(codes[codes >= 0])].tolist())
            pairs += _levels(name, (codes, levels), (others, theirs))
    n, m = (len(next(iter(side.values()), ())) for side in (source, target))
    if not pairs:
        return Encoded(np.zeros((n, 0)), np.zeros((m, 0)), ())
    names = tuple(name for name, _, _ in pairs)
    return Encoded(
        np.column_stack([a for _, a, _ in pairs]), np.column_stack([b for _, _, b in pairs]), names
    )


def _levels(
    name: str,
    before: tuple[NDArray[np.intp], NDArray[np.object_]],
    now: tuple[NDArray[np.intp], NDArray[np.object_]],
) -> list[tuple[str, Floats, Floats]]:
    """Return the numbers of a category, or of texts, whose sides are as `cells.as_levels` gives."""
    counts: Counter[str] = Counter()
    for codes, levels in (before, now):
        seen = np.bincount(codes[codes >= 0], minlength=len(levels))
        for place in np.flatnonzero(seen).tolist():
            counts[levels[place]] += int(seen[place])
    top = sorted(counts, key=lambda level: (-counts[level], level))[:LEVELS]
    if len(counts) > summaries.LEVELS and sum(counts[level] for level in top) < counts.total() / 2:
        letters = [summaries.letters(levels) for _, levels in (before, now)]
        return [(name, _spread(before[0], letters[0]), _spread(now[0], letters[1]))]
    return [
        (
            f"{name}={level}",
            _spread(before[0], (before[1] == level).astype(float)),
            _spread(now[0], (now[1] == level).astype(float)),
        )
        for level in top
    ]


def _spread(codes: NDArray[np.intp], values: Floats) -> Floats:
    """Return the value of each cell, shape (n,), NaN where the code is -1."""
    return np.append(values, np.nan)[codes]


def encode_images(X: NDArray[Any], Z: NDArray[Any]) -> Encoded | None:
    """Return grids of means, and the colours; None where one side's images are below the grid.

    Parameters
    ----------
    X, Z : ndarray of shape (n, ..., h, w) and (m, ..., h', w')
        Images of both domains.
    """
    grids = [image_grid(side) for side in (X, Z)]
    if grids[0].shape[1] != grids[1].shape[1]:
        return None
    names = [f"cell {i}" for i in range(grids[0].shape[1])]
    colours = [summaries.colour_figures(side) for side in (X, Z)]
    if all(colours):
        names += colours[0]
        grids = [
            np.column_stack([grid, *means.values()])
            for grid, means in zip(grids, colours, strict=True)
        ]
    return Encoded(grids[0], grids[1], tuple(names))


def encode_features(features: Any, others: Any, rows: tuple[int, int]) -> Encoded:
    """Return features of an encoder in their main directions, checked.

    Parameters
    ----------
    features, others : array-like of shape (n, d) and (m, d)
        Of the source and of the target.
    rows : (int, int)
        How many there must be.
    """
    F, T = (np.asarray(one, dtype=np.float64) for one in (features, others))
    if F.ndim != 2 or T.ndim != 2 or F.shape[1] != T.shape[1]:
        raise InputError(f"features must have shape (n, d) and (m, d), got {F.shape} and {T.shape}")
    for name, n, found in (("source", rows[0], F), ("target", rows[1], T)):
        if len(found) != n:
            raise InputError(f"the {name} has {n} rows and {len(found)} of features")
    F, T = main_directions(F, T)
    return Encoded(F, T, tuple(f"direction {i}" for i in range(F.shape[1])))


def beside(first: Encoded, second: Encoded) -> Encoded:
    """Return the numbers of both, those of the first in front; equally many rows on each side."""
    return Encoded(
        np.hstack([first.source, second.source]), np.hstack([first.target, second.target]),
        first.names + second.names,
    )  # fmt: skip


def image_grid(X: NDArray[Any]) -> Floats:
    """Return the means of an 8 x 8 grid over images of any size, shape (n, 64).

    Parameters
    ----------
    X : ndarray of shape (n, ..., h, w)
        Images. Channels are averaged.
    """
    flat = X.reshape(len(X), -1, *X.shape[-2:])
    rows, columns = (_edges(side) for side in X.shape[-2:])
    plain = flat.mean(axis=1, dtype=np.float64)
    bands = np.add.reduceat(plain, rows[:-1], axis=1)
    cells = np.add.reduceat(bands, columns[:-1], axis=2)
    sizes = np.outer(np.diff(rows), np.diff(columns))
    means: Floats = (cells / sizes).reshape(len(X), -1)
    return means


def main_directions(F: Floats, T: Floats) -> tuple[Floats, Floats]:
    """Return rows of two domains in the main directions of both together, at most 64.

    Parameters
    ----------
    F, T : ndarray of shape (n, d) and (m, d)
        Features. Each domain has half of the weight.
    """
    middle = (F.mean(axis=0) + T.mean(axis=0)) / 2.0
    F, T = F - middle, T - middle
    moments = F.T @ F / len(F) + T.T @ T / len(T)
    axes = np.linalg.eigh(moments)[1][:, ::-1][:, :DIRECTIONS]  # (d, k)
    return F @ axes, T @ axes


def _edges(side: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, side, min(GRID, side) + 1).round().astype(np.intp))


def exact_keys(columns: Mapping[str, Any]) -> Keys:
    """Return one integer a row, the same for rows whose cells are all equal, shape (n,).

    Parameters
    ----------
    columns : mapping from str to column
        Numbers, categories and dates; missing cells equal each other.
    """
    parts = []
    for column in columns.values():
        if cells.kind_of(column) in ("number", "boolean"):
            parts.append(row_keys(cells.as_measured(column)[:, None], 0))
        else:
            from pandas.util import hash_array

            codes, different = cells.as_levels(column)
            texts = [text.encode(errors="surrogatepass") for text in different.tolist()]
            parts.append(hash_array(np.array([*texts, None], dtype=object))[codes])
    # as exact whole numbers below 2^53, so that a row of keys can be hashed as numbers are
    halves = [part >> np.uint64(11) for part in parts] + [
        part & np.uint64(2**11 - 1) for part in parts
    ]
    return row_keys(np.column_stack(halves).astype(np.float64), 1)


def sampling_order(keys: Keys) -> NDArray[np.intp]:
    """Return positions in a random order that depends on the rows' values alone, shape (n,).

    Equal rows are spread over the order as if they were different, so its first part is a sample.
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(keys)])
    turn = np.arange(len(keys)) - np.repeat(starts, sizes)
    mixed = row_keys(
        np.column_stack([(ordered >> np.uint64(11)).astype(np.float64), turn.astype(np.float64)]), 2
    )
    return order[np.argsort(mixed, kind="stable")]


def as_text(y: NDArray[Any], known: NDArray[np.str_] | None = None) -> NDArray[np.str_]:
    """Return classes as texts, shape (n,), written as the known ones where they are the same."""
    texts = cells.as_strings(y)
    if known is not None:
        texts = cells.matched(texts, known.tolist())
    return texts.astype(str)
