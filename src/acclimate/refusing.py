"""What scikit-learn and numpy refuse, as `InputError` with the value and the way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from acclimate.exceptions import AcclimateError, InputError, InputTypeError

# what their messages say, and the way out where they name none
_WAYS = (
    ("Input y contains NaN", "; leave out the rows without a label"),
    ("Input y contains infinity", "; leave out such rows"),
    ("Input sample_weight", "; weights must be finite and at least 0"),
    ("Negative values", "; weights must be finite and at least 0"),
    ("Unknown label type: unknown", "; labels must be of one type, text or whole numbers, without "
     "gaps: leave out rows without a label, or convert them, as [str(one) for one in y] does"),
    ("Unknown label type: continuous", "; for values take a regressor, such as Ridge()"),
    ("contains NaN", "; fill the gaps with preprocess=TabularPreprocessor(), or take a base model "
     "that reads gaps, such as HistGradientBoostingClassifier()"),
    ("contains infinity", "; make such a cell missing, or divide the column"),
    ("sample(s)", "; check what filtered the rows"),
    ("feature(s)", "; check what chose the columns"),
    ("is expecting", "; pass the columns that the model was fitted on"),
    ("could not convert string", "; pass preprocess=TabularPreprocessor(), which reads a frame's "
     "columns of words"),
    ("bytes/strings", ", as X.astype(float) does; for words, pass a frame and "
     "preprocess=TabularPreprocessor()"),
    ("not supported between", "; let all be of one type, such as text"),
    ("should be a 1d array", "; pass one label a row"),
    ("Found array with dim", "; flatten each row with X.reshape(len(X), -1), or take a network"),
    ("inhomogeneous", "; all rows must have one length"),
    ("must be a string or a real number", "; pass numbers, or a frame with "
     "preprocess=TabularPreprocessor()"),
    ("Sparse", "; or pass preprocess=TruncatedSVD(...), which takes it"),
)  # fmt: skip


@contextmanager
def as_input_error(values: Any, name: str, only: type[Exception] = Exception) -> Iterator[None]:
    """Raise what goes wrong inside as `InputError`; a `TypeError` stays one as well.

    Parameters
    ----------
    values : object
        What the user passed, for the place of a value that is not finite.
    name : str
        What messages call it.
    only : type, default=Exception
        Errors that are no instance of it pass as they are.

    Raises
    ------
    InputError
        Something inside refused the values.

    Examples
    --------
    >>> with as_input_error("x", "X"):
    ...     float("x")
    Traceback (most recent call last):
    acclimate.exceptions.InputError: X: could not convert string to float: 'x'; pass ...
    """
    try:
        yield
    except AcclimateError:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        if not isinstance(error, only):
            raise
        kind = InputTypeError if isinstance(error, TypeError) else InputError
        raise kind(_words(str(error), values, name)) from error


def _words(message: str, values: Any, name: str) -> str:
    # of a long message the first sentence; the array that some print goes, its shape stays
    shape = getattr(values, "shape", ())
    said = re.sub(r"array=.*?\]?\.\n", f"shape {tuple(shape)}. ", message, flags=re.DOTALL)
    if "contains NaN" in said:
        said = said.split("\n")[0]
    said = " ".join(said.split()).rstrip(".")
    if name not in said:
        said = f"{name}: {said}"
    if "contains" in said or "Negative" in said:
        said += _place(values, "Negative" in said)
    return said + next((way for words, way in _WAYS if words in message), "")


def _place(values: Any, negative: bool) -> str:
    """Return where the first value is that is not finite, or is negative; empty if unknown."""
    try:
        cells = values.data if hasattr(values, "tocsr") else np.asarray(values, dtype=np.float64)
        bad = np.argwhere(cells < 0 if negative else ~np.isfinite(cells))
        if hasattr(values, "tocsr") or not cells.ndim or not len(bad):
            return ""
        spot = tuple(int(one) for one in bad[0])
        columns = getattr(values, "columns", None)
        where = f", column {columns[spot[1]]!r}" if columns is not None else (
            f", column {spot[1]}" if len(spot) > 1 else ""
        )  # fmt: skip
        return f": {cells[spot]} in row {spot[0]}{where}, and {len(bad)} such cells in all"
    except (ValueError, TypeError, OverflowError):
        return ""
