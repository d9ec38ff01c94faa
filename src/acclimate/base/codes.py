"""From a table with categories to the matrix of numbers and codes that a network reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.training.networks_tabular import UNKNOWN

MANY = 50  # distinct values from which a column of strings may be text


@dataclass(frozen=True)
class TableColumns:
    """How each column of a table is read, as learnt from the source's rows.

    Parameters
    ----------
    names : tuple of str
        Columns, in order.
    levels : tuple of (ndarray of str or None)
        For each column its categories, in the order in which they first occur; None for numbers.
        A missing cell is a category of its own where it occurs.
    mean, scale : ndarray of shape (d,)
        Of columns of numbers; 0 and 1 elsewhere.
    """

    names: tuple[str, ...]
    levels: tuple[NDArray[np.str_] | None, ...]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @property
    def sizes(self) -> dict[int, int]:
        """For each column of categories, how many codes there are, the unknown one included."""
        return {j: len(known) + 1 for j, known in enumerate(self.levels) if known is not None}

    def check(self, X: Any) -> None:
        """Raise `InputError` where rows have other columns, or the same in another order.

        Parameters
        ----------
        X : data frame or ndarray of shape (n, d)
            Rows. An array has no names, and one that these were learnt from had none.
        """
        mine, shown = list(self.names), list(self.names[:8])
        if X.shape[1] != len(mine):
            raise InputError(
                f"the rows have {X.shape[1]} columns, and those that the encoder learnt from had "
                f"{len(mine)}: {shown}"
            )
        names = [str(one) for one in getattr(X, "columns", mine)]
        if names == mine or mine == [f"x{j}" for j in range(len(mine))]:
            return
        missing = [one for one in mine if one not in names]
        what = f"lack the column {missing[0]!r}" if missing else "have them in another order"
        raise InputError(
            f"the encoder learnt from the columns {shown}, and the rows {what}; they have "
            f"{names[:8]}"
        )

    def encode(self, X: Any) -> NDArray[np.float32]:
        """Return standardised numbers and codes, shape (n, d).

        Parameters
        ----------
        X : data frame or ndarray of shape (n, d)
            Rows. Categories that were not learnt get the code 0.
        """
        out = np.empty((len(X), len(self.names)), dtype=np.float32)
        for j, (name, known) in enumerate(zip(self.names, self.levels, strict=True)):
            column = _column(X, j)
            if known is None:
                out[:, j] = (_numbers(column, name) - self.mean[j]) / self.scale[j]
                continue
            place, levels = _levels(column, known.tolist())
            code_of = {level: code for code, level in enumerate(known.tolist(), start=1)}
            codes = np.array([code_of.get(level, UNKNOWN) for level in levels], dtype=np.float32)
            out[:, j] = codes[place]
        return out


def learn_columns(X: Any, categories: Any) -> TableColumns:
    """Learn how to read the columns of a table.

    Parameters
    ----------
    X : data frame or ndarray of shape (n, d)
        The source's rows.
    categories : "auto" or sequence of str or int
        Columns that are categories, by name or position. "auto" takes pandas categories
        and strings of a frame, but not strings that are all numbers; it takes none of an array.

    Raises
    ------
    InputError
        There is no such column, or one holds text, dates or missing numbers.
    """
    frame = hasattr(X, "columns")
    if not frame and getattr(X, "ndim", 2) != 2:
        raise InputError(
            f'network="tabular" needs rows of columns, got rows of shape {tuple(X.shape[1:])}; '
            f'for images use network="cnn"'
        )
    names = [str(name) for name in X.columns] if frame else [f"x{j}" for j in range(X.shape[1])]
    chosen = _chosen(categories, names)
    levels: list[NDArray[np.str_] | None] = []
    mean, scale = np.zeros(len(names)), np.ones(len(names))
    for j, name in enumerate(names):
        column = _column(X, j)
        if j in chosen or (chosen == set() and categories == "auto" and _is_category(column, name)):
            _, found = _levels(column)
            # in the order of the rows, so that what a category is called changes nothing
            levels.append(np.array(found, dtype=np.str_))
            continue
        numbers = _numbers(column, name)
        levels.append(None)
        mean[j] = numbers.mean()
        deviation = float(numbers.std())
        scale[j] = deviation if deviation > 0.0 else 1.0
    return TableColumns(tuple(names), tuple(levels), mean, scale)


def _chosen(categories: Any, names: Sequence[str]) -> set[int]:
    """Return the positions of the columns that the user listed."""
    if isinstance(categories, str):
        if categories == "auto":
            return set()
        raise InputError(f'categories must be "auto" or a list of columns, got {categories!r}')
    found = set()
    for one in categories:
        if isinstance(one, str) and one in names:
            found.add(names.index(one))
        elif not isinstance(one, str) and -len(names) <= int(one) < len(names):
            found.add(int(one) % len(names))
        else:
            raise InputError(f"categories names the column {one!r}; there are {names[:8]}")
    return found


def _column(X: Any, j: int) -> Any:
    """Return column ``j`` as a pandas Series of shape (n,)."""
    import pandas as pd

    return X.iloc[:, j] if hasattr(X, "iloc") else pd.Series(X[:, j])


def _is_category(column: Any, name: str) -> bool:
    from acclimate.columns import kind_of

    kind = kind_of(column, MANY)
    if kind in ("text", "datetime"):
        raise InputError(
            f"column {name!r} holds {'text' if kind == 'text' else 'dates'}, which the network "
            f"does not read; list it under categories=, drop it, or give the method "
            f"preprocess=acclimate.tables.MixedPreprocessor()"
        )
    return kind in ("category", "constant")


def _levels(column: Any, known: Sequence[str] = ()) -> tuple[NDArray[np.intp], list[str]]:
    """Return for each row the place of its category in a list, and that list.

    Categories are compared as text, written as those that are known: 1 and 1.0 are the same.
    """
    import pandas as pd

    from acclimate.columns import MISSING_LEVEL, as_strings, matched

    codes, distinct = pd.factorize(column, use_na_sentinel=False)
    if isinstance(distinct, pd.CategoricalIndex):
        distinct = distinct.astype(object)
    levels = as_strings(pd.Series(distinct), MISSING_LEVEL)
    return np.asarray(codes), (matched(levels, known) if len(known) else levels).tolist()


def _numbers(column: Any, name: str) -> NDArray[np.float64]:
    """Return a column as finite float64 of shape (n,)."""
    from acclimate.columns import as_numbers

    numbers = as_numbers(column)
    if not np.isfinite(numbers.sum()):
        bad = np.flatnonzero(~np.isfinite(numbers))
        if len(bad):
            raise InputError(
                f"column {name!r} holds {numbers[bad[0]]} in row {column.index[bad[0]]!r}, and the "
                f"network reads finite numbers only; fill it, or give the method "
                f"preprocess=acclimate.tables.MixedPreprocessor()"
            )
    return numbers
