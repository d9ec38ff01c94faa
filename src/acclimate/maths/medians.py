"""The median of values that count more than once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def weighted_median(values: Array, counts: Array) -> float:
    """Return the median of values each of which is there ``counts`` times.

    Parameters
    ----------
    values : ndarray of shape (n,)
        At least one.
    counts : ndarray of shape (n,)
        At least 0, on any scale.

    Examples
    --------
    >>> import numpy as np
    >>> weighted_median(np.array([5.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0]))
    2.0
    """
    if (counts == counts[0]).all():
        return float(np.median(values))
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(counts[order])
    # where half is reached between two values, the median lies in the middle of them
    low, high = (np.searchsorted(reached, 0.5 * reached[-1] * f) for f in (1 - 1e-12, 1 + 1e-12))
    return float(values[order[low]] + values[order[min(high, len(values) - 1)]]) / 2
