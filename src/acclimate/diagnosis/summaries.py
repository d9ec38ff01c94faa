"""What is kept of the inputs that a model was adapted to: small, and ready for JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acclimate.arrays import channels_first
from acclimate.columns import as_measured, as_moments, as_strings, kind_of
from acclimate.exceptions import InputError
from acclimate.natives import LARGEST, as_rows

QUANTILES = 64
LEVELS = 50
COLUMNS = 256
VERSION = 1


def summarise(X: Any) -> dict[str, Any]:
    """Return a summary of inputs that `acclimate.diagnosis.drift.check` compares later ones with.

    Use it on the rows of the target that a model was adapted to. The summary has no rows in it,
    but rare levels of a category are in it by name.

    - numbers and booleans: count, share of missing values, mean, standard deviation, and the exact
      share of values up to each of 64 quantiles;
    - categories: shares of the 50 most frequent levels, share of missing values;
    - texts (more than 50 levels, and fewer than half of the rows in the 50 most frequent ones):
      numbers of letters, as a number;
    - dates: first and last. They are not tested, since time always goes on;
    - images: brightness (mean pixel), contrast (standard deviation of pixels) and the mean of each
      of 9 regions, as numbers; of colour also by how much each channel lies above the mean of the
      three.

    Parameters
    ----------
    X : data frame, or ndarray of shape (n, d) or (n, ...)
        Inputs, before any preprocessing. Channels of images may come last.

    Returns
    -------
    dict
        ``{"version", "kind", "rows", "columns", "left_out"}``. Of more than 256 columns, 256 at
        even distances are kept.

    Raises
    ------
    InputError
        There are no rows.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate.diagnosis.drift import summarise
    >>> summary = summarise(np.arange(10.0).reshape(5, 2))
    >>> summary["rows"], summary["columns"]["x0"]["mean"]
    (5, 4.0)
    """
    kind, columns = as_columns(X)
    rows = len(next(iter(columns.values())))
    if not rows:
        raise InputError("there are no rows to summarise")
    kept = list(columns)
    if len(kept) > COLUMNS:
        kept = [kept[i] for i in np.linspace(0, len(kept) - 1, COLUMNS).round().astype(int)]
    return {
        "version": VERSION,
        "kind": kind,
        "rows": rows,
        "columns": {name: summarise_column(columns[name]) for name in kept},
        "left_out": len(columns) - len(kept),
    }


def as_columns(X: Any) -> tuple[str, dict[str, Any]]:
    """Return "frame", "array" or "images", and columns by name, each of shape (n,)."""
    X = as_rows(X)
    if hasattr(X, "columns"):
        return "frame", {str(name): X.iloc[:, j] for j, name in enumerate(X.columns)}
    if hasattr(X, "toarray"):
        X = X.toarray()
    X = channels_first(np.asarray(X))
    if X.ndim < 2 or X.shape[1] == 0:
        raise InputError(f"inputs must have shape (n, d) or (n, ...), got {X.shape}")
    if X.ndim == 2:
        return "array", {f"x{j}": X[:, j] for j in range(X.shape[1])}
    return "images", image_figures(X)


def image_figures(X: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Return brightness, contrast, colours and the means of 3 x 3 regions, each of shape (n,).

    Parameters
    ----------
    X : ndarray of shape (n, ..., h, w)
        Images. Those of shape (n, 3, h, w) have colours.
    """
    flat = X.reshape(len(X), -1)
    figures = {
        "brightness": flat.mean(axis=1, dtype=np.float64),
        "contrast": flat.std(axis=1, dtype=np.float64),
    }
    for i, band in enumerate(np.array_split(np.arange(X.shape[-2]), 3)):
        for j, strip in enumerate(np.array_split(np.arange(X.shape[-1]), 3)):
            if len(band) and len(strip):
                region = X[..., band[0] : band[-1] + 1, strip[0] : strip[-1] + 1]
                means = region.reshape(len(X), -1).mean(axis=1, dtype=np.float64)
                figures[f"region_{i + 1}_{j + 1}"] = means
    return figures | colour_figures(X)


def colour_figures(X: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Return how far the mean of each channel lies above that of all three, each of shape (n,).

    Brightness has no part in it, so it shows a cast, and channels in another order, where the means
    of the channels would drown in it.

    Parameters
    ----------
    X : ndarray of shape (n, ..., h, w)
        Images; without three channels they have no colours.

    Examples
    --------
    >>> import numpy as np
    >>> red = np.zeros((1, 3, 2, 2))
    >>> red[:, 0] = 90
    >>> {name: float(values[0]) for name, values in colour_figures(red).items()}
    {'red': 60.0, 'green': -30.0, 'blue': -30.0}
    """
    if X.ndim != 4 or X.shape[1] != 3:
        return {}
    means = X.reshape(len(X), 3, -1).mean(axis=2, dtype=np.float64)  # (n, 3)
    away = means - means.mean(axis=1, keepdims=True)
    return dict(zip(("red", "green", "blue"), away.T, strict=True))


def count_levels(levels: NDArray[np.object_]) -> dict[str, int]:
    """Return how often each level occurs, the most frequent first, missing left out."""
    from collections import Counter

    counts = Counter(levels.tolist())
    counts.pop(None, None)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def letters(levels: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the number of letters of each text, NaN where missing."""
    return np.array([np.nan if level is None else len(level) for level in levels.tolist()])


def summarise_column(column: Any) -> dict[str, Any]:
    """Return the summary of one column; see `summarise`."""
    kind = kind_of(column)
    if kind in ("number", "boolean"):
        return {"kind": "number", **summarise_numbers(as_measured(column))}
    if kind == "datetime":
        known = as_moments(column).dropna()
        bounds = (
            [str(one.tz_localize(None)) for one in (known.min(), known.max())] if len(known) else []
        )
        missing = 1.0 - len(known) / len(column)
        return {"kind": "datetime", "count": len(known), "missing": missing, "range": bounds}
    levels = as_strings(column)
    counts = count_levels(levels)
    known = sum(counts.values())
    top = dict(list(counts.items())[:LEVELS])
    if len(counts) > LEVELS and sum(top.values()) < known / 2:
        return {"kind": "text", **summarise_numbers(letters(levels))}
    return {
        "kind": "level",
        "count": known,
        "missing": 1.0 - known / len(levels),
        "levels": {level: n / known for level, n in top.items()},
        "more_levels": len(counts) > LEVELS,
    }


def summarise_numbers(values: ArrayLike) -> dict[str, Any]:
    """Return count, missing share, mean, sd, and the distribution function at its quantiles.

    Parameters
    ----------
    values : array-like of shape (n,)
        Numbers, NaN where missing.

    Returns
    -------
    dict
        ``at`` are the different ones among 64 quantiles that occur as values, ascending; ``upto``
        the share of values up to each, ``below`` the share below each.
    """
    x = np.asarray(values, dtype=np.float64)
    known = np.sort(x[~np.isnan(x)])
    n = len(known)
    if not n:
        return {"count": 0, "missing": 1.0, "mean": None, "sd": None,
                "at": [], "upto": [], "below": []}  # fmt: skip
    peak = float(np.abs(known).max())
    unit = peak if np.isfinite(peak) and peak > LARGEST else 1.0
    at = np.unique(known[np.linspace(0, n - 1, QUANTILES).round().astype(int)])
    return {
        "count": n,
        "missing": 1.0 - n / len(x),
        "mean": float((known / unit).mean()) * unit,
        "sd": float((known / unit).std()) * unit,
        "at": at.tolist(),
        "upto": (np.searchsorted(known, at, "right") / n).tolist(),
        "below": (np.searchsorted(known, at, "left") / n).tolist(),
    }
