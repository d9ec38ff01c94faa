"""What an array must be: features, labels, predictions, probabilities, weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acclimate.exceptions import InputError

MOST_CELLS = 2**28  # of sparse rows that are filled in: 2 GB

Floats = NDArray[np.floating[Any]]
ClassNames = Mapping[Any, str] | Sequence[str]


def _as_array(values: ArrayLike, name: str) -> NDArray[Any]:
    """Floats of numbers or strings with nothing missing."""
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


def channels_first(X: NDArray[Any]) -> NDArray[Any]:
    """Return images with their channels first, a view; whatever else is returned as it is.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
        Of shape (n, h, w, c) with one or three channels, it is turned, unless its second axis could
        be the channels, too.

    Examples
    --------
    >>> channels_first(np.zeros((5, 8, 9, 3))).shape
    (5, 3, 8, 9)
    >>> channels_first(np.zeros((5, 3, 8, 3))).shape
    (5, 3, 8, 3)
    """
    if X.ndim == 4 and X.shape[3] in (1, 3) and X.shape[1] not in (1, 3):
        return np.moveaxis(X, 3, 1)
    return X


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


def check_classes(classes: NDArray[Any], seen: NDArray[Any]) -> None:
    """Raise `InputError` unless the classes are sorted and every label is among them."""
    if classes.ndim != 1 or classes.tolist() != np.unique(classes).tolist():
        raise InputError(f"classes must be sorted and each there once, got {classes.tolist()}")
    strange = sorted(set(seen.tolist()) - set(classes.tolist()))
    if strange:
        raise InputError(f"{strange[0]!r} is none of the classes {classes.tolist()}")


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


TASKS = ("classification", "regression")
MANY = 20  # whole numbers with more different values than this are values, not classes


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


def task_of(
    labels: Any, task: str | None = None
) -> tuple[Literal["classification", "regression"], str]:
    """Return "classification" or "regression", and why: the one rule for what labels ask for.

    Text, true and false, and at most 20 different whole numbers are classes. Fractions, and more
    whole numbers than that, are values.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Known labels of the source.
    task : {"classification", "regression"} or None, default=None
        What the user asks for, whatever the rule says.

    Raises
    ------
    InputError
        The labels do not fit the task that was asked for, or one is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> task_of(np.array(["ill", "well"]))
    ('classification', 'the labels are text')
    >>> task_of(np.array([0.5, 1.5]))
    ('regression', 'the labels have fractions')
    >>> task_of(np.arange(100))
    ('regression', 'the labels are 100 different whole numbers')
    """
    y = np.asarray(labels).ravel()
    if y.dtype.kind == "O" and len(y) and all(isinstance(v, Real) for v in y.tolist()):
        y = np.asarray(y.tolist())
    numbers = y.dtype.kind in "iuf"
    if numbers and not np.isfinite(y).all():
        raise InputError("labels must be finite; mark unknown ones with Domain(labelled=...)")
    whole = numbers and bool((y == np.round(y)).all())
    if task is not None:
        classify = check_task(task)
        if not classify and y.dtype.kind not in "biuf":
            raise InputError(f"task regression needs numbers as labels, got {y[0]!s:.60}")
        if classify and numbers and not whole:
            odd = y[y != np.round(y)][0].item()
            raise InputError(f"task classification needs text or whole numbers, got {odd!r}")
        return ("classification" if classify else "regression"), "as asked"
    if not numbers:
        kind = "true and false" if y.dtype.kind == "b" else "text"
        return "classification", f"the labels are {kind}"
    if not whole:
        return "regression", "the labels have fractions"
    distinct = len(np.unique(y))
    if distinct <= MANY:
        return "classification", f"the labels are {distinct} different whole numbers"
    return "regression", f"the labels are {distinct} different whole numbers"


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


def as_proba(values: ArrayLike, name: str) -> Floats:
    """Check probabilities of shape (m, k), or predicted values of shape (m,).

    Raises
    ------
    InputError
        The shape is another, there are no rows, a value is not finite or below 0, or a row does
        not add up to 1.
    """
    proba = _finite(values, name)
    if proba.ndim not in (1, 2) or not proba.size:
        raise InputError(
            f"{name} must have shape (rows, classes), or (rows,) for regression, with at least one "
            f"row, got {proba.shape}"
        )
    if proba.ndim == 2:
        if proba.min() < 0:
            raise InputError(f"{name} holds {float(proba.min())}; a probability is at least 0")
        sums = proba.sum(axis=1, dtype=np.float64)
        worst = int(np.abs(sums - 1).argmax())
        if abs(sums[worst] - 1) > 1e-3:
            raise InputError(
                f"row {worst} of {name} adds up to {sums[worst]:.6g}, not 1; pass predict_proba, "
                "not decision values"
            )
    return proba


def as_classes(values: ArrayLike, name: str = "proba") -> Floats:
    """Check probabilities of two classes or more, shape (m, k)."""
    proba = as_proba(values, name)
    if proba.ndim != 2 or proba.shape[1] < 2:
        raise InputError(
            f"{name} must have shape (rows, classes), 2 classes or more, got {proba.shape}"
        )
    return proba


def _finite(values: ArrayLike, name: str) -> Floats:
    """Return a float array without gaps; float32 stays."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} must hold numbers, got dtype {array.dtype}")
    if array.dtype.kind != "f":
        array = array.astype(np.float64)
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"{name} must be finite, got {array[where]} at index {where}")
    return array


def _fit(name: str, array: NDArray[Any], shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Return the array, or raise where it does not have a shape. None: no source rows."""
    if None in shape:
        raise InputError(f"{name} needs source_proba and source_labels beside it")
    if array.shape != shape:
        raise InputError(f"{name} must have shape {shape}, got {array.shape}")
    return array


def dense(X: Any) -> NDArray[Any]:
    """Return rows as an array; sparse ones are filled in, up to `MOST_CELLS`."""
    if not hasattr(X, "toarray"):
        return np.asarray(X)
    n, d = X.shape
    if n * d > MOST_CELLS:
        raise InputError(
            f"this method fills in sparse rows, and {n} x {d} are too many numbers; make fewer "
            f"columns of them, for instance with preprocess=TruncatedSVD(100)"
        )
    filled: NDArray[Any] = X.toarray()
    return filled


def as_matrix(X: Any) -> Floats:
    """Return rows as a finite matrix of shape (n, d): float32 stays, the rest becomes float64."""
    values = dense(X)
    if values.ndim != 2:
        raise InputError(
            f"this method maps rows of features, shape (n, d); got shape {values.shape}. "
            f"Flatten each input first"
        )
    if values.dtype != np.float32:
        values = values.astype(np.float64, copy=False)
    if not np.isfinite(values).all():
        raise InputError(
            "the rows hold NaN or infinity after preprocessing; let preprocess= end in an imputer"
        )
    return values
