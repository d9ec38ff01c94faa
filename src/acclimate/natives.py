"""Frames and arrays of every kind, as the rest of the package knows them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from acclimate.exceptions import InputError

LARGEST = 1e150  # the squares of larger numbers are not finite in every sum
_OWN = ("numpy", "pandas", "scipy", "torch", "acclimate", "builtins")


def as_rows(X: Any, name: str = "X") -> Any:
    """Return rows as a pandas frame, an array or a sparse matrix; lists and others unchanged.

    Use it at every public door that takes rows. Frames of polars, Arrow and whatever else narwhals
    knows become pandas frames; masked cells of numpy become NaN, and sparse rows CSR. A frame whose
    names are text and numbers gets text for all of them; one whose names are all numbers keeps
    them.

    Parameters
    ----------
    X : object
        What a user passed.
    name : str, default="X"
        What the message calls it.

    Raises
    ------
    InputError
        The frame is not in memory, has two columns of one name, or is of a kind that is not known.

    Examples
    --------
    >>> as_rows(np.ma.masked_array([[1, 2]], mask=[[True, False]]))
    array([[nan,  2.]])
    """
    if isinstance(X, np.ma.MaskedArray):
        return np.asarray(X.data) if not np.ma.is_masked(X) else _filled(X, name)
    if isinstance(X, np.matrix | memoryview):
        return np.asarray(X)
    if getattr(getattr(X, "dtype", None), "names", None):
        raise InputError(
            f"{name} is a structured array with the fields {list(X.dtype.names)}; pass a frame, "
            f"such as pandas.DataFrame(array)"
        )
    if hasattr(X, "tocsr"):
        return X if X.format == "csr" else X.tocsr()  # rows are taken by index
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(X, pandas.DataFrame):
        return _named(X, name)
    if pandas is not None and isinstance(X, pandas.Series):
        raise InputError(f"{name} is one column, a Series; pass a frame, such as X.to_frame()")
    if type(X).__module__.partition(".")[0] in _OWN or hasattr(X, "__array_interface__"):
        return X
    import narwhals as nw

    frame = nw.from_native(X, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        raise InputError(
            f"{name} is a {_kind(X)}, whose rows are not in memory; pass {name}.collect()"
        )
    if not isinstance(frame, nw.DataFrame):
        if nw.dependencies.is_into_series(X):
            raise InputError(f"{name} is one column, a {_kind(X)}; pass a frame")
        if type(X).__name__ == "RecordBatch":
            import pyarrow as pa

            return as_rows(pa.Table.from_batches([X]), name)
        if hasattr(X, "columns"):
            raise InputError(
                f"{name} is a {_kind(X)}, which is not known; pass a frame of pandas, polars or "
                f"Arrow, or an array"
            )
        return X
    twice = [one for one in frame.columns if frame.columns.count(one) > 1]
    if twice:
        raise InputError(f"{name} has two columns called {twice[0]!r}; rename one of them")
    return frame.to_pandas()


def check_numbers(X: Any, name: str = "X") -> None:
    """Raise where an array holds dates, durations or complex numbers, which no model reads.

    Parameters
    ----------
    X : object
        What a user passed.
    name : str, default="X"
        What the message calls it.
    """
    kind = getattr(getattr(X, "dtype", None), "kind", "")
    if kind == "c":
        raise InputError(
            f"Complex data not supported: {name} has dtype {X.dtype}; pass its real and imaginary "
            f"parts as columns"
        )
    if kind in ("M", "m") and not hasattr(X, "columns"):
        raise InputError(
            f"{name} is an array of {X.dtype}; pass a frame with preprocess=TabularPreprocessor(), "
            f"which reads dates and durations"
        )


def check_squares(columns: Any, name: str) -> None:
    """Raise where a number is so large that its square is not finite.

    Parameters
    ----------
    columns : array of shape (n, ...) or mapping from name to column
        Rows, or their columns.
    name : str
        What the message calls them.
    """
    for key, column in columns.items() if isinstance(columns, Mapping) else [(None, columns)]:
        if getattr(getattr(column, "dtype", None), "kind", "") != "f" or 0 in column.shape:
            continue
        values = column.data if hasattr(column, "tocsr") else np.asarray(column)
        peak = float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values)))
        if peak > LARGEST:
            where = "" if key is None else f" in column {key!r}"
            raise InputError(
                f"{name} holds {peak:.3g}{where}, which is too large to be squared; divide the "
                f"column, or make such a cell missing"
            )


def _filled(X: Any, name: str) -> Any:
    """Return a masked array with NaN in place of what is masked."""
    if X.dtype.kind not in "biuf":
        raise InputError(f"{name} is a masked array of {X.dtype}; fill it, or pass a frame")
    return X.astype(np.result_type(X.dtype, np.float32)).filled(np.nan)


def _named(X: Any, name: str) -> Any:
    """Return a frame whose names are all text, or all something else."""
    if not X.columns.is_unique:
        twice = X.columns[X.columns.duplicated()][0]
        raise InputError(f"{name} has two columns called {twice!r}; rename one of them")
    texts = [isinstance(one, str) for one in X.columns]
    if all(texts) or not any(texts):
        return X
    names = [str(one) for one in X.columns]
    if len(set(names)) < len(names):
        twice = next(one for one in names if names.count(one) > 1)
        raise InputError(f"{name} has two columns called {twice!r}; rename one of them")
    return X.set_axis(names, axis=1)


def _kind(X: Any) -> str:
    return f"{type(X).__module__.partition('.')[0]}.{type(X).__name__}"
