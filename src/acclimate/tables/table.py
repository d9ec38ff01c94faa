"""`Table`: rows with their labels and identifiers, from a file or from memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.natives import as_rows
from acclimate.tables.labels import check_columns, split_labels
from acclimate.tables.understood import Reading

if TYPE_CHECKING:
    from acclimate.domain import Domain


@dataclass(frozen=True, eq=False)
class Table:
    """Hold the rows of one file.

    Parameters
    ----------
    X : DataFrame of shape (n, d), or ndarray of shape (n, ...)
        Inputs: a frame with named columns, or an array for images and NPZ files.
    y : ndarray of shape (n,), default=None
        Labels or values. None where there is no label column, or where it is empty.
    ids : Series or ndarray of shape (n,), default=None
        Identifiers of the rows.
    labelled : ndarray of bool of shape (n,), default=None
        False where the label cell is empty; ``y`` means nothing there. None where all are labelled.
    path : Path, default=None
        The file or folder, where there is one.
    reading : Reading, default=Reading()
        How the columns of a file were read.
    label : str, default=None
        The column that ``y`` was.
    told : str, default=""
        Of pictures, what was read and what was left out, in one line.
    kept : integer ndarray of shape (n,), default=None
        Which rows of the file these are, where bad pictures were left out. None means all.
    """

    X: Any
    y: NDArray[Any] | None = field(default=None)
    ids: Any = field(default=None)
    labelled: NDArray[np.bool_] | None = field(default=None)
    path: Path | None = field(default=None)
    reading: Reading = field(default_factory=Reading)
    label: str | None = field(default=None)
    told: str = field(default="")
    kept: NDArray[np.intp] | None = field(default=None)

    def domain(self, **settings: Any) -> Domain:
        """Return the rows as a `Domain`; ``settings`` such as ``class_names`` are passed on."""
        from acclimate.domain import Domain

        return Domain(self.X, self.y, labelled=self.labelled, **settings)

    def labelled_rows(self) -> tuple[Any, NDArray[Any]]:
        """Return the inputs and labels of the rows that have a label.

        Raises
        ------
        InputError
            No row has one.
        """
        if self.y is None:
            where = self.path.name if self.path else "the table"
            raise InputError(f"{where} has no labels; name the label column with label=")
        if self.labelled is None:
            return self.X, self.y
        rows = np.flatnonzero(self.labelled)
        return (self.X.iloc[rows] if hasattr(self.X, "iloc") else self.X[rows]), self.y[rows]


def as_table(
    data: Any,
    *,
    label: str | None = None,
    id: str | None = None,
    drop: Sequence[str] = (),
    path: Path | None = None,
) -> Table:
    """Return a `Table` of a pandas frame, an Arrow table or an array in memory.

    Parameters
    ----------
    data : frame of pandas, polars or Arrow, or array-like of shape (n, ...)
        The rows.
    label : str, default=None
        Name of the column with the labels. Rows where it is empty are unlabelled.
    id : str, default=None
        Name of the column with identifiers.
    drop : sequence of str, default=()
        Columns to leave out.
    path : Path, default=None
        Where the rows come from, for messages.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        A column does not exist or occurs twice, or there are no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from acclimate.tables import as_table
    >>> frame = pd.DataFrame({"age": [40, 50, 60], "sick": ["no", "yes", None]})
    >>> table = as_table(frame, label="sick")
    >>> list(table.X), table.y[:2].tolist(), table.labelled.tolist()
    (['age'], ['no', 'yes'], [True, True, False])
    """
    where = path.name if path is not None else "the table"
    if type(data).__module__.startswith("pyarrow"):
        data = to_frame(data)
    data = as_rows(data, where)
    if not hasattr(data, "columns"):
        X = np.asarray(data)
        named = next((n for n in (label, id, *drop) if n is not None), None)
        if named is not None:
            raise InputError(f"an array has no columns, so there is no {named!r}; pass a frame")
        if X.ndim < 2 or not len(X):
            raise InputError(f"rows must have shape (n, ...) with n above 0, got shape {X.shape}")
        return Table(X, path=path)
    check_unique(list(data.columns), where)
    for role, names in (("label column", [label]), ("id column", [id]), ("column", list(drop))):
        check_columns([n for n in names if n is not None], list(data.columns), where, role)
    if label is not None and label in (id, *drop):
        raise InputError(f"{label!r} is the label; it cannot be the id or be dropped, too")
    if not len(data):
        raise InputError(f"{where} has columns but no rows: {list(data.columns)[:8]}")
    aside = {name for name in (label, id, *drop) if name is not None}
    X = data.loc[:, [name for name in data.columns if name not in aside]]
    if not X.shape[1]:
        raise InputError(f"{where} has no columns left as inputs, after taking out {sorted(aside)}")
    y, labelled = (None, None) if label is None else split_labels(data[label])
    return Table(X, y, None if id is None else data[id], labelled, path, label=label)


def check_unique(names: Sequence[Any], where: str) -> None:
    """Raise where a column name occurs twice."""
    seen: set[Any] = set()
    for position, name in enumerate(names):
        if name in seen:
            first = list(names).index(name)
            raise InputError(
                f"{where} has two columns called {name!r}, number {first + 1} and number "
                f"{position + 1}; rename one of them"
            )
        seen.add(name)


def to_frame(table: Any, *, steady: bool = False, exact: bool = True) -> Any:
    """Return an Arrow table as a pandas frame: decimals as float64, dates as datetimes.

    Parameters
    ----------
    table : pyarrow Table or RecordBatch
        The rows.
    steady : bool, default=False
        Give integers and booleans a type that does not depend on whether values are missing:
        float64 and pandas' own "boolean".
    exact : bool, default=True
        Refuse integers that float64 does not have, as identifiers may be; False rounds them.
    """
    import pandas as pd
    import pyarrow as pa

    types = [kind for kind in table.schema.types if pa.types.is_decimal(kind)]
    if steady:
        types += [kind for kind in table.schema.types if pa.types.is_integer(kind)]
    if types:
        fields = [pa.field(f.name, pa.float64()) if f.type in types else f for f in table.schema]
        table = table.cast(pa.schema(fields), safe=exact)
    mapper = {pa.bool_(): pd.BooleanDtype()}.get if steady else None
    return table.to_pandas(date_as_object=False, types_mapper=mapper, ignore_metadata=True)
