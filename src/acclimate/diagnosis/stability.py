"""The population stability index of a column, and its bins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 10


def stability_index(before: NDArray[np.float64], now: NDArray[np.float64], m: int) -> float:
    """Return sum (q - p) log(q / p) over bins, shares kept above half a row, shape () from (k,)."""
    p, q = np.maximum(before, 0.5 / m), np.maximum(now, 0.5 / m)
    return float(((q - p) * np.log(q / p)).sum())


def bin_ends(upto: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return which of a summary's values end a bin of the stability index, the last one left out.

    Few values have a bin each, such as 0 and 1. Of many, ten bins; a value that holds the share of
    a bin by itself, such as the 0 of amounts, is one.
    """
    last = len(upto) - 1
    if last <= BINS:
        return np.arange(last)
    atoms = np.flatnonzero(upto - below >= 1.0 / BINS)
    tenths = np.linspace(0, last, BINS + 1).round().astype(int)[1:-1]
    places = np.unique(np.concatenate([tenths, atoms, atoms - 1]))
    return places[(places >= 0) & (places < last)]
