"""Checks of the features and labels that transferability scores and probes take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acclimate.exceptions import InputError

TASKS = ("classification", "regression")


def as_features(features: ArrayLike, name: str = "features") -> NDArray[Any]:
    """Check features and return them with shape (n, d), float32 where they were, else float64."""
    F = np.asarray(features)
    if F.dtype.kind not in "biuf":
        raise InputError(f"{name} must hold numbers, got dtype {F.dtype}")
    if F.ndim != 2 or F.shape[0] < 2 or F.shape[1] < 1:
        raise InputError(
            f"{name} must have shape (rows, features) with at least 2 rows and 1 feature, got "
            f"shape {F.shape}; flatten or pool what has more axes"
        )
    if F.dtype != np.float32:
        F = F.astype(np.float64, copy=False)
    if not np.isfinite(F).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(F))[0])
        raise InputError(f"{name} must be finite, got {F[row, column]} at [{row}, {column}]")
    return F


def as_codes(
    labels: ArrayLike, n: int, name: str = "labels", least: int = 2
) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Check class labels and return codes of shape (n,) and the sorted labels of shape (k,)."""
    y = np.asarray(labels)
    if y.ndim != 1 or len(y) != n:
        raise InputError(f"{name} must have shape ({n},) to fit the features, got {y.shape}")
    if y.dtype.kind == "f" and (~np.isfinite(y) | (y != np.round(y))).any():
        odd = float(y[~np.isfinite(y) | (y != np.round(y))][0])
        raise InputError(f"{name} holds {odd}, no class; pass task='regression' for numbers")
    if y.dtype.kind == "O":
        y = np.array([str(label) for label in y])
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < least:
        raise InputError(f"{name} has 1 class, {classes.tolist()!r}; at least {least} are needed")
    return codes.reshape(-1), classes


def as_values(labels: ArrayLike, n: int, name: str = "labels") -> NDArray[np.float64]:
    """Check the values of a regression and return them with shape (n, c)."""
    y = np.asarray(labels)
    if y.dtype.kind not in "biuf":
        raise InputError(f"{name} must be numbers for a regression, got dtype {y.dtype}")
    if y.ndim not in (1, 2) or len(y) != n:
        raise InputError(f"{name} must have shape ({n},) or ({n}, outputs), got {y.shape}")
    y = y.astype(np.float64)
    if not np.isfinite(y).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(y))[0])
        raise InputError(f"{name} must be finite, got {y[where]} at index {where}")
    return y.reshape(n, -1)


def check_task(task: str) -> bool:
    """Return whether the task is a classification; raise where it is neither."""
    if task not in TASKS:
        raise InputError(f"task must be one of {list(TASKS)}, got {task!r}")
    return task == "classification"


def one_hot(codes: NDArray[np.intp], k: int) -> NDArray[np.float64]:
    """Return indicators of the classes, shape (n, k)."""
    table = np.zeros((len(codes), k))
    table[np.arange(len(codes)), codes] = 1.0
    return table
