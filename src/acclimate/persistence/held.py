"""Which rows a fitted model keeps of the user's: support vectors, neighbours, kernels' centres."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import IntegrityError
from acclimate.persistence.invariants import check_sparse
from acclimate.persistence.walk import walk

# attributes that are rows whatever was done to them before: of kernel machines and Gaussian
# processes, of neighbours, of maps that are expanded in rows or move them
KEPT = (
    "support_vectors_", "X_train_", "X_fit_", "X_", "_fit_X", "training_data_", "Z", "rows",
    "moved",
)  # fmt: skip
_FEW = 10  # arrays with so many rows as a domain are rows of it, below that a coincidence
_DENSE = 20_000_000  # numbers of a sparse table that are looked at


def count_rows(
    parts: Mapping[str, Any],
    domains: Mapping[str, Collection[Any]],
    unknown: str = "source",
    left: Any = None,
) -> dict[str, int]:
    """Return how many rows of each domain are found in fitted attributes, where there are any.

    A row counts where it stands in an array as it was given, or as it was preprocessed. Where a
    method changed rows further, so that none is the same, an array of as many rows and columns
    counts, and so does an attribute that is known to keep rows.

    Parameters
    ----------
    parts : mapping from attribute to object
        What a model learned.
    domains : mapping from name to collection of (n, ...) tables
        Each domain's rows in the forms that they had. A table may be None.
    unknown : str, default="source"
        The domain to name where a known keeper's rows are those of none.
    left : object, default=None
        What it holds is left out: it was counted before.

    Returns
    -------
    dict of str to int
        By domain; domains of which no row is kept are left out.

    Examples
    --------
    >>> X = np.arange(8.0).reshape(4, 2)
    >>> count_rows({"model": {"kept": X[1:3].copy()}}, {"source": [X]})
    {'source': 2}
    >>> count_rows({"model": {"coef_": np.ones((1, 2))}}, {"source": [X]})
    {}
    """
    forms = {name: list(_tables(given)) for name, given in domains.items()}
    seen: dict[str, set[int]] = {name: set() for name in forms}
    most = dict.fromkeys([*forms, unknown], 0)
    before = {id(part) for _, part in walk(left, "")}
    for where, array in _arrays(parts, before):
        found = False
        for name, tables in forms.items():
            for table in tables:
                same = _same_rows(table, array)
                seen[name].update(same)
                found = found or bool(same)
        if found:
            continue
        sizes = {
            n: len(t[0]) for n, t in forms.items() if any(x.shape[1] == array.shape[1] for x in t)
        }
        fits = len(array) >= _FEW and array.shape[0] != array.shape[1]
        whose = [name for name, size in sizes.items() if size == len(array)]
        if fits and whose:
            most[whose[-1]] = max(most[whose[-1]], len(array))
        elif fits and len(sizes) > 1 and sum(sizes.values()) == len(array):
            most |= {name: max(most[name], size) for name, size in sizes.items()}
        elif where.rpartition(".")[2] in KEPT:
            most[unknown] = max(most[unknown], len(array))
    counts = {name: max(most[name], len(seen.get(name, ()))) for name in most}
    return {name: count for name, count in counts.items() if count}


def words(held: Mapping[str, int]) -> str:
    """Say whose rows a model holds.

    Examples
    --------
    >>> words({"source": 31, "target": 1})
    'holds 31 rows of the source and 1 row of the target'
    >>> words({})
    'holds no row'
    """
    if not held:
        return "holds no row"
    each = [f"{n:,} {'row' if n == 1 else 'rows'} of the {name}" for name, n in held.items()]
    return "holds " + " and ".join(each)


def _tables(given: Iterable[Any]) -> Iterator[NDArray[Any]]:
    """Yield what is a table of numbers, shape (n, d)."""
    for value in given:
        table = _table(value)
        if table is not None:
            yield table


def _table(value: Any) -> NDArray[Any] | None:
    if value is None:
        return None
    if hasattr(value, "toarray"):
        if value.ndim != 2 or value.shape[0] * value.shape[1] > _DENSE:
            return None
        if value.format in ("csr", "csc", "coo"):
            try:  # compiled code writes wherever an index points
                check_sparse("it", value)
            except IntegrityError:
                return None
        value = value.toarray()
    try:
        array = np.asarray(value)
    except ValueError:  # sounds of many lengths, which are no table
        return None
    if array.dtype.kind not in "biuf" or array.ndim < 2 or not array.size:
        return None
    return array.reshape(len(array), -1)


def _arrays(parts: Mapping[str, Any], left: set[int]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield all tables among fitted attributes, with where each was found."""
    for where, part in walk(dict(parts), ""):
        if id(part) in left:
            continue
        if isinstance(part, np.ndarray) or type(part).__module__.startswith("scipy.sparse"):
            table = _table(part) if part.ndim > 1 else None
            if table is not None:
                yield where, table


def _same_rows(table: NDArray[Any], array: NDArray[Any]) -> list[int]:
    """Return places of the rows of a table that stand in an array, too."""
    if table.shape[1] != array.shape[1]:
        return []
    near = np.flatnonzero(np.isin(table[:, 0].astype(array.dtype), array[:, 0]))
    if not len(near):
        return []
    kept = {row.tobytes() for row in np.ascontiguousarray(array)}
    rows = np.ascontiguousarray(table[near].astype(array.dtype))
    varied = (rows != rows[:, :1]).any(axis=1)  # a row of one value, such as 0, says nothing
    return [
        int(place)
        for place, row, differs in zip(near, rows, varied, strict=True)
        if differs and row.tobytes() in kept
    ]
