"""Labels and column names as people type them: gaps, typos, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.columns import as_strings, matched
from acclimate.exceptions import InputError

_SHOWN = 80  # letters of a name in a message


def meant(name: Any, known: Iterable[Any]) -> str:
    """Return ``; did you mean 'x'?`` where something close is known, else an empty string."""
    by_text = {str(value).lower(): value for value in known}
    close = get_close_matches(str(name).strip().lower(), list(by_text), n=3, cutoff=0.6)
    shown = " or ".join(repr(by_text[text]) for text in close)
    return f"; did you mean {shown}?" if shown else ""


def _short(name: Any) -> str:
    shown = repr(name)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."


def check_columns(
    wanted: Sequence[Any], there: Sequence[Any], where: str, role: str = "column"
) -> None:
    """Raise where a wanted column is not there, with the names that come close."""
    known = set(there)
    missing = [name for name in wanted if name not in known]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise InputError(
            f"{where} has no {role} {missing[0]!r}{more}{meant(missing[0], there) or '.'} "
            f"It has {', '.join(_short(n) for n in list(there)[:12])}"
            f"{' ...' if len(known) > 12 else ''}"
        )


def split_labels(column: Any) -> tuple[NDArray[Any] | None, NDArray[np.bool_] | None]:
    """Return labels of shape (n,) and the mask of the rows whose label cell is not empty.

    The mask is None where every row is labelled. Both are None where no row is. Where whole numbers
    have gaps between them, they stay whole numbers; the value in a gap means nothing.

    Parameters
    ----------
    column : pandas Series of shape (n,)
        The label column.
    """
    import pandas as pd

    known = column.notna().to_numpy()
    if not known.any():
        return None, None
    given = column[known]
    if pd.api.types.is_bool_dtype(given.dtype) or given.map(type).eq(bool).all():
        values = given.to_numpy(dtype=bool)
    elif pd.api.types.is_numeric_dtype(given.dtype):
        values = given.to_numpy()
        if not known.all() and values.dtype.kind == "f" and (values == np.round(values)).all():
            values = values.astype(np.int64)
        elif values.dtype.kind == "O":
            values = values.astype(np.float64)
    else:
        values = np.asarray([str(value) for value in given.tolist()])
    if known.all():
        return values, None
    y = np.full(len(known), values[0], dtype=values.dtype)
    y[known] = values
    return y, known


def check_known_labels(
    y: Any, classes: Any, *, labelled: Any = None, where: str = "the target"
) -> None:
    """Raise where a label is not one of the known classes, with the class that was probably meant.

    Use it where source and target have the same classes. Do not use it for transfer to new classes.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels.
    classes : array-like
        The labels that are known, such as ``model.classes_``.
    labelled : array of bool of shape (n,), default=None
        Which rows of ``y`` count. None means all.
    where : str, default="the target"
        What the message calls these rows.

    Raises
    ------
    InputError
        A label is unknown. The message shows its row, counted from 1, and the close match.

    Examples
    --------
    >>> from acclimate.tables import check_known_labels
    >>> check_known_labels(["sick", "helthy"], ["healthy", "sick"])
    Traceback (most recent call last):
    ...
    acclimate.exceptions.InputError: row 2 of the target has the unknown label 'helthy'; did you
    mean 'healthy'? The known labels are ['healthy', 'sick']
    """
    labels = np.asarray(y)
    texts = as_strings(np.asarray(classes)).tolist()
    unknown = ~np.isin(matched(as_strings(labels), texts).astype(str), texts)
    if labelled is not None:
        unknown &= np.asarray(labelled)
    if unknown.any():
        first = int(np.flatnonzero(unknown)[0])
        value = labels.tolist()[first]
        known = np.asarray(classes).tolist()
        raise InputError(
            f"row {first + 1} of {where} has the unknown label {value!r}"
            f"{meant(value, known) or '.'} "
            f"The known labels are {known[:20]}"
        )
