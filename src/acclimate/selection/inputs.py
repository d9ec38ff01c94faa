"""Checks of the labels and predictions that a verdict compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acclimate.exceptions import InputError

ClassNames = Mapping[Any, str] | Sequence[str]


def _as_array(values: ArrayLike, name: str) -> NDArray[Any]:
    """Array of numbers or strings with nothing missing."""
    array = np.asarray(values)
    if array.dtype.kind == "O":
        flat = array.ravel().tolist()
        kinds = sorted({type(value).__name__ for value in flat})
        if len(kinds) > 1:
            raise InputError(f"{name} must hold values of one type without gaps, got {kinds}")
        array = np.asarray(flat).reshape(array.shape)
    if array.dtype.kind not in "biufUS":
        raise InputError(f"{name} must hold numbers or strings, got dtype {array.dtype}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"{name} must be finite, got {array[where]} at index {where}")
    return array


def as_truth(y_true: ArrayLike, classify: bool) -> NDArray[Any]:
    """Check the true labels or values and return them with shape (N,)."""
    truth = _as_array(y_true, "y_true")
    if truth.ndim != 1 or truth.size < 2:
        raise InputError(
            f"y_true must have shape (rows,) with at least 2 rows, got shape {truth.shape}"
        )
    if classify:
        if truth.dtype.kind == "f" and (truth != np.round(truth)).any():
            odd = float(truth[truth != np.round(truth)][0])
            raise InputError(f"y_true holds {odd}, no class label; pass task='regression'")
        return truth
    if truth.dtype.kind in "US":
        raise InputError(f"y_true must be numbers for a regression, got dtype {truth.dtype}")
    truth = truth.astype(np.float64)
    if np.ptp(truth) == 0:
        raise InputError(f"y_true is {truth[0]} on every row, so R2 is not defined; add other rows")
    return truth


def as_predictions(
    truth: NDArray[Any], candidate: ArrayLike, reference: ArrayLike, classify: bool
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Check both sides and return them with shape (D, N), of the kind of the truth."""
    sides = []
    for name, values in (("candidate", candidate), ("reference", reference)):
        side = _as_array(values, name)
        if side.ndim not in (1, 2) or side.shape[-1] != truth.size or side.size == 0:
            raise InputError(
                f"{name} must have shape (draws, {truth.size}) or ({truth.size},) to fit the "
                f"{truth.size} rows of y_true, got shape {side.shape}"
            )
        if {side.dtype.kind, truth.dtype.kind} & {"U", "S"} and side.dtype.kind != truth.dtype.kind:
            raise InputError(
                f"{name} has dtype {side.dtype} and y_true {truth.dtype}; "
                "pass both as strings or both as numbers"
            )
        if not classify:
            side = side.astype(np.float64)
        sides.append(np.atleast_2d(side))
    first, second = sides
    draws = {first.shape[0], second.shape[0]} - {1}
    if len(draws) > 1:
        raise InputError(
            f"candidate has {first.shape[0]} draws and reference {second.shape[0]}; "
            "pass the same draws for both, or one line for a side that does not vary"
        )
    shape = (max(draws, default=1), truth.size)
    return np.broadcast_to(first, shape), np.broadcast_to(second, shape)


def as_weights(weights: ArrayLike, rows: int, usable: bool) -> NDArray[np.float64]:
    """Check importance weights and return them with a mean of 1, shape (N,)."""
    if not usable:
        raise InputError("weights take folds and classes; leave them out, or give folds")
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != (rows,) or not np.isfinite(w).all() or (w <= 0).any():
        raise InputError(f"weights must be {rows} finite numbers above 0, one for each row")
    share: NDArray[np.float64] = w / w.mean()
    return share


def name_classes(truth: NDArray[Any], class_names: ClassNames | None) -> dict[Any, str]:
    """Return a name for each label that occurs, by its Python value."""
    classes = np.unique(truth).tolist()
    if class_names is None:
        return {value: str(value) for value in classes}
    names = {}
    for value in classes:
        try:
            if not isinstance(class_names, Mapping) and value < 0:
                raise IndexError(value)
            names[value] = str(class_names[value])
        except (KeyError, IndexError, TypeError):
            raise InputError(
                f"class_names has no name for the label {value!r}; pass a mapping from each label "
                "to its name"
            ) from None
    return names
