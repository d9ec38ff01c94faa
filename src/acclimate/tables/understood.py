"""From cells as a file has them to numbers, dates, categories and text: one rule for every file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from acclimate import columns as cells
from acclimate import written as writing
from acclimate.exceptions import InputError
from acclimate.tables.labels import check_columns
from acclimate.tables.pictures import Pictures, noted_or_of_shape
from acclimate.written import Written

LEAST_ROWS = 20  # fewer tell nothing about identifiers
NEARLY_ALL = 0.95  # different values, as a share of the rows, that an identifier has
NUMBERS = ("number", "boolean")
STRINGS = ("category", "text", "dropped")


@dataclass(frozen=True)
class Reading:
    """How a file is read: what the user says, and what is known of its columns from elsewhere.

    Parameters
    ----------
    encoding, delimiter, decimal : str or None, default=None
        Of a CSV. None finds out; the encoding is then UTF-8.
    missing : tuple of str, default=()
        Cells of a CSV that mean "missing", besides empty ones, NA, NaN and NULL.
    categorical, text, number, date : tuple of str, default=()
        Columns that are this, whatever they look like. A date may be "COLUMN=FORMAT".
    kinds : mapping from str to str, default={}
        What columns were when a model was fitted, or in the file beside.
    written : mapping from str to Written, default={}
        How numbers and dates were written there.
    mixed : tuple of str, default=()
        Columns that mix types, and are read as categories.
    of_another : bool, default=False
        Whether kinds come from a model or another file, where doubts were told already.
    pictures : Pictures, default=Pictures()
        How pictures are read, where the file holds any or names them.
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    missing: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, Written] = field(default_factory=dict)
    mixed: tuple[str, ...] = ()
    of_another: bool = False
    pictures: Pictures = field(default_factory=Pictures)

    def __post_init__(self) -> None:
        for name in ("missing", "categorical", "text", "number", "date"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise InputError(f"{name} must be a list of texts, got {value!r}")
            object.__setattr__(self, name, tuple(value or ()))
        for name, legal in (("delimiter", 1), ("decimal", 1)):
            value = getattr(self, name)
            if value is not None and len(value) != legal:
                raise InputError(f"{name} must be one character, got {value!r}")

    @property
    def formats(self) -> dict[str, str | None]:
        """The columns that are declared dates, and their formats where they are given."""
        found: dict[str, str | None] = {}
        for one in self.date:
            name, equals, format = one.rpartition("=")
            found |= {name: format} if equals and "%" in format else {one: None}
        return found

    def declared(self, name: str) -> str | None:
        """Return what a column is said to be, by the user or by what was learnt elsewhere."""
        for kind, names in (
            ("category", self.categorical), ("text", self.text), ("number", self.number),
            ("datetime", self.formats),
        ):  # fmt: skip
            if name in names:
                return kind
        return self.kinds.get(name)

    def like(self, table: Any) -> Reading:
        """Return these settings with the kinds of a table that was read before."""
        found = table.reading
        written = {name: replace(one, other="") for name, one in found.written.items()}
        shape = getattr(table.X, "shape", (0,))[1:]
        known = noted_or_of_shape(found.pictures.noted(), shape)
        return replace(
            self, kinds=found.kinds, written=written, of_another=True,
            pictures=self.pictures.like(known),
        )  # fmt: skip

    def noted(self) -> dict[str, Any]:
        """Return what other files of a model need, as plain values."""
        return {
            "missing": list(self.missing), "date": list(self.date),
            "written": {name: asdict(one) for name, one in self.written.items()},
            **({"pictures": noted} if (noted := self.pictures.noted()) else {}),
        }  # fmt: skip

    def with_model(self, model: Any, noted: Mapping[str, Any]) -> Reading:
        """Return these settings with what a fitted model knows of its columns.

        Parameters
        ----------
        model : Adapter
            Its preprocessing, or that of a committee's members, knows the kinds; without any, all
            columns are numbers.
        noted : mapping
            What `noted` returned when it was fitted; may be empty.
        """
        names = getattr(model, "feature_names_in_", None)
        step = _step(model)
        kinds = getattr(step, "kinds_", None)
        if kinds is None:
            plain = step is None and not _reads_categories(model)
            kinds = dict.fromkeys(() if names is None or not plain else names, "number")
        known = {n: Written(**w) for n, w in getattr(step, "written_", {}).items()}
        known |= {n: Written(**w) for n, w in dict(noted.get("written") or {}).items()}
        return replace(
            self, kinds=kinds, written=known,
            missing=(*self.missing, *noted.get("missing", ())),
            date=self.date or tuple(noted.get("date", ())), of_another=True,
            pictures=self.pictures.like(
                noted_or_of_shape(noted.get("pictures"), getattr(model, "row_shape_", None))
            ),
        )  # fmt: skip


def _step(model: Any) -> Any:
    """Return the fitted preprocessing; of a committee the first that knows the kinds."""
    members = getattr(getattr(model, "source_model_", None), "members", ())
    steps = [getattr(one, "preprocess_", None) for one in (model, *(one for _, one in members))]
    given = [step for step in steps if step is not None]
    return next((step for step in given if hasattr(step, "kinds_")), given[0] if given else None)


def _reads_categories(model: Any) -> bool:
    from sklearn.utils import get_tags

    base = model._base() if hasattr(model, "_base") else model
    return bool(get_tags(base).input_tags.categorical)


def check_declared(how: Reading, names: Sequence[str], where: str) -> None:
    """Raise where a column is declared that the file does not have, or declared twice."""
    declared = [*how.categorical, *how.text, *how.number, *how.formats]
    if not how.of_another:
        check_columns(declared, names, where)
    twice = next((name for name in declared if declared.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"column {twice!r} is declared as two kinds; keep one of them")


def understand(
    frame: Any, how: Reading, *, label: str | None = None, guess: str = ".", where: str = ""
) -> tuple[Any, Reading, list[str]]:
    """Return a frame with its texts read as what they are, how that was, and what is doubtful.

    Parameters
    ----------
    frame : DataFrame
        Rows; row 0 stands on line 2 of a CSV.
    how : Reading
        What is known.
    label : str, default=None
        The label column. It is never a date, and one of mixed kinds is text.
    guess : str, default="."
        The decimal mark where 1,234 may be both.
    where : str, default=""
        The file, for messages.
    """
    kinds, written, doubts = dict(how.kinds), dict(how.written), []
    made, mixed = {}, list(how.mixed)
    for name in frame.columns:
        cell, declared = frame[name], how.declared(name)
        column = _without(cell, how.missing)
        if column is not cell:
            made[name] = column
        if declared in STRINGS:
            if name in how.categorical or (declared == "text" and name in how.text):
                texts = cells.as_series(cells.as_strings(column))
                texts.index = column.index
                made[name] = texts.astype("category") if declared == "category" else texts
            kinds[name] = declared
            continue
        kind, found, doubt = cells.understood(
            column, decimal=how.decimal, guess=guess, like=how.written.get(name)
        )
        _check_unit(name, how.written.get(name), found)
        if name == label and kind not in NUMBERS:
            continue
        if declared is not None and declared != "constant" and name != label:
            if declared == "datetime":
                format = how.formats.get(name)
                found = Written("datetime", format=format) if format else found
            values = _as(column, declared, found, where, how.number)
            if values is not None:
                made[name] = values
        elif found is not None:
            made[name] = _parsed(column, found)
            doubts.append(doubt)
        elif kind == "category" and doubt:
            made[name] = cells.as_series(cells.as_strings(column)).set_axis(column.index)
            made[name] = made[name].astype("category")
            doubts.append(doubt)
            mixed.append(name)
        elif kind == "number" and column.dtype.kind not in "biufm":
            made[name] = cells.as_numbers(column)
        if found is not None:
            written[name] = found
        kinds.setdefault(name, kind)
    if made:
        frame = frame.copy(deep=False)
        for name, values in made.items():
            frame[name] = values
    return frame, replace(how, kinds=kinds, written=written, mixed=tuple(mixed)), doubts


def _check_unit(name: Any, before: Written | None, now: Written | None) -> None:
    """Raise where a column is written in another unit than in the file before."""
    units = [one.unit for one in (before, now) if one is not None and one.unit]
    if len(set(units)) > 1:
        raise InputError(
            f"column {name!r} was written in {units[0]!r} before and is in {units[1]!r} now; "
            f"convert it to {units[0]!r}"
        )


def _without(column: Any, missing: Sequence[str]) -> Any:
    """Return a column with the cells that mean "missing" left out."""
    if not missing or column.dtype.kind in "biufmM":
        return column
    return column.where(~column.isin(missing), None)


def _as(
    column: Any, declared: str, found: Written | None, where: str, numbers: Sequence[str]
) -> Any:
    """Return a column as what it is declared; None where it is that already."""
    if declared in NUMBERS and column.dtype.kind in "biufm":
        return None
    if declared == "datetime" and column.dtype.kind == "M":
        return None
    try:
        if declared == "datetime":
            return cells.as_moments(column, found).dt.tz_localize(None)
        since = "is declared as numbers" if column.name in numbers else "held numbers when fitted"
        return cells.as_numbers(column, found, since=since)
    except InputError as error:
        raise InputError(f"{where}: {error}" if where else str(error)) from error


def _parsed(column: Any, written: Written) -> Any:
    if written.kind == "boolean":
        return column.str.strip().str.lower().map({"true": True, "false": False})
    return writing.parse(column, written)


def converters(table: Any, how: Reading, guess: str = ".") -> dict[str, Written]:
    """Return how the texts of the first rows are written, for columns that hold numbers or dates.

    Parameters
    ----------
    table : pyarrow RecordBatch or Table
        The first rows of a file.
    how : Reading
        What is known.
    guess : str, default="."
        As in `understand`.
    """
    import pyarrow as pa

    found = {}
    for name, column in zip(table.schema.names, table.columns, strict=True):
        declared = how.declared(name)
        texts = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if not texts or declared in (*STRINGS, "constant"):
            continue
        format = how.formats.get(name)
        if format:
            found[name] = Written("datetime", format=format)
            continue
        known = _without(column.to_pandas(), how.missing).dropna()
        kind, written, _ = cells.understood(
            known, decimal=how.decimal, guess=guess, like=how.written.get(name)
        )
        _check_unit(name, how.written.get(name), written)
        fits = kind == declared or {kind, declared} <= set(NUMBERS) or declared is None
        if kind in (*NUMBERS, "datetime") and fits:
            found[name] = written or Written(kind)
    return found


def convert(
    table: Any, found: Mapping[str, Written], start: int, missing: Sequence[str] = ()
) -> Any:
    """Return rows with the texts of some columns as numbers and dates.

    Parameters
    ----------
    table : pyarrow RecordBatch or Table
        Rows.
    found : mapping from str to Written
        What `converters` returned.
    start : int
        Rows of the file before these.
    missing : sequence of str, default=()
        Texts that mean "missing".
    """
    import pyarrow as pa

    for name, written in found.items():
        place = table.schema.get_field_index(name)
        if place < 0:
            continue
        column = _without(table.column(place).to_pandas(), missing)
        values = cells.as_series(_parsed(column, written))
        odd = (values.isna().to_numpy() & column.notna().to_numpy()).nonzero()[0]
        if len(odd):
            what = "dates" if written.kind == "datetime" else "numbers"
            cell = column.iloc[int(odd[0])]
            raise InputError(
                f"line {start + int(odd[0]) + 2}: column {name!r} holds {what}, but here is "
                f"{cell!r}; correct the cell, or {cells.way_out('missing', cell)}"
            )
        array = pa.array(values, from_pandas=True)
        # set_column of a record batch is younger than pyarrow 15.
        schema = table.schema.set(place, pa.field(name, array.type))
        columns = [*table.columns[:place], array, *table.columns[place + 1 :]]
        table = type(table).from_arrays(columns, schema=schema)
    return table


def likely_identifiers(table: Any) -> list[str]:
    """Return a sentence for each column that looks like an identifier and not like an input."""
    X = table.X
    if not hasattr(X, "columns"):
        return []
    found = []
    for name in X.columns:
        if identifier_like(X[name], table.reading.kinds.get(name, "")):
            ways = f"{cells.way_out('drop', name)} or {cells.way_out('id', name)}"
            found.append(
                f"column {name!r} has {X[name].nunique():,} different values in {len(X):,} rows, "
                f"as an identifier has, and is read as an input; to leave it out, {ways}"
            )
    return found


def identifier_like(column: Any, kind: str) -> bool:
    """Tell whether texts or whole numbers have (nearly) as many different values as rows."""
    if len(column) < LEAST_ROWS or kind not in ("category", "number"):
        return False
    if kind == "number":
        values = cells.as_numbers(column)
        if np.abs(values).max() >= 2**53 and getattr(column.dtype, "kind", "f") == "f":
            return False  # floats of that size are whole, whatever they count
        if not (np.isfinite(values) & (values == np.round(values))).all():
            return False
    return bool(column.nunique() >= NEARLY_ALL * len(column))
