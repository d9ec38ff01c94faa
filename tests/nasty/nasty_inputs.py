"""The table of nasty inputs: what each is, and what is right for it.

Longer than other files: it is one table.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp


@dataclass(frozen=True)
class Nasty:
    """Two domains that something is odd about, and what must come of them.

    Parameters
    ----------
    X, y, Xt, yt : object
        Source and target, (n, d), (n,), (m, d), (m,).
    fit : mapping
        Further arguments of `fit`.
    target : mapping
        Further arguments of `Domain`.
    floor : float
        Least accuracy on the target's rows, of the methods that are trained to the end.
    truth : object
        The labels as they are predicted, where they are not those given.
    skip : str
        Consumers that cannot be given such an input, parted by blanks.
    """

    X: Any
    y: Any
    Xt: Any
    yt: Any
    fit: Mapping[str, Any] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)
    floor: float = 0.8
    truth: Any = None
    skip: str = ""

    def consumers(self, every: tuple[str, ...]) -> tuple[str, ...]:
        """Return who can be given it; files hold neither weights nor masks."""
        fitted = ("shallow", "FineTune", "deep")
        if self.fit:
            return fitted  # fit alone takes weights
        able = every if not self.target else (*fitted, "compare", "diagnose")
        return tuple(one for one in able if one not in self.skip.split())


def plain(n: int = 60, m: int = 40, d: int = 3) -> Nasty:
    """Return two classes that are far apart; the target is moved a little."""
    rng = np.random.default_rng(0)
    y, yt = np.arange(n) % 2, np.arange(m) % 2
    X, Xt = (rng.normal(size=(len(c), d)) + 5.0 * c[:, None] - 2.5 for c in (y, yt))
    return Nasty(X, y, Xt + 0.3, yt)


def both(change: Callable[[Any], Any], **more: Any) -> Nasty:
    """Change the inputs of both domains."""
    case = plain()
    return replace(case, X=change(case.X), Xt=change(case.Xt), **more)


def there(change: Callable[[Any], Any], **more: Any) -> Nasty:
    """Change the target's inputs."""
    case = plain()
    return replace(case, Xt=change(case.Xt), **more)


def here(change: Callable[[Any], Any], **more: Any) -> Nasty:
    """Change the source's inputs."""
    case = plain()
    return replace(case, X=change(case.X), **more)


def labels(change: Callable[[Any], Any], **more: Any) -> Nasty:
    """Change the labels of both domains."""
    case = plain()
    return replace(case, y=change(case.y), yt=change(case.yt), **more)


def labels_there(change: Callable[[Any], Any], **more: Any) -> Nasty:
    """Change the target's labels."""
    case = plain()
    return replace(case, yt=change(case.yt), **more)


def put(value: Any, place: Any = (0, 0), dtype: Any = None) -> Callable[[Any], Any]:
    """Return a function that puts a value into a copy of an array."""

    def change(X: Any) -> Any:
        X = np.array(X, dtype=dtype)
        X[place] = value
        return X

    return change


def frame(X: Any, **columns: Any) -> pd.DataFrame:
    """Return a frame of the columns a, b, c, and more, each a function of the number of rows."""
    table = pd.DataFrame(X, columns=["a", "b", "c"])
    for name, make in columns.items():
        table[name] = make(len(table))
    return table


def framed(**columns: Any) -> Callable[[Any], Any]:
    """Return a function that makes a frame with further columns."""
    return lambda X: frame(X, **columns)


def named(*names: Any) -> Callable[[Any], Any]:
    """Return a function that makes a frame with these names."""
    return lambda X: pd.DataFrame(X, columns=list(names))


def strided(X: Any) -> Any:
    """Return the rows as every other row and column, backwards, of a larger array."""
    large = np.zeros((2 * len(X), 2 * X.shape[1]))
    large[::2, ::2] = X[::-1, ::-1]
    return large[::2, ::2][::-1, ::-1]


def frozen(X: Any) -> Any:
    """Return a copy that cannot be written to."""
    X = np.array(X)
    X.setflags(write=False)
    return X


def words(*each: Any) -> Callable[[Any], Any]:
    """Return a function that puts a word for each label."""
    return lambda y: np.array([each[int(k)] for k in y], dtype=object)


def first(value: Any, rest: Callable[[Any], Any] = lambda y: y) -> Callable[[Any], Any]:
    """Return a function that puts a value in place of the first label."""

    def change(y: Any) -> Any:
        y = np.array(rest(y), dtype=object)
        y[0] = value
        return y

    return change


def dates(year: int) -> Callable[[int], Any]:
    """Return a maker of a column of dates from a year on."""
    return lambda n: [datetime.datetime(year, 1 + k % 12, 1 + k % 28) for k in range(n)]


def cycled(*values: Any, dtype: Any = object) -> Callable[[int], Any]:
    """Return a maker of a column that repeats values."""
    return lambda n: pd.Series([values[k % len(values)] for k in range(n)], dtype=dtype)


def _one_row_there() -> Nasty:
    case = plain()
    return replace(case, Xt=case.Xt[:1], yt=case.yt[:1])


_SPARSE = {
    f"a sparse {kind.__name__}": (lambda kind=kind: both(kind))
    for kind in (
        sp.csr_matrix, sp.csr_array, sp.csc_matrix, sp.csc_array, sp.coo_matrix, sp.coo_array,
        sp.lil_matrix, sp.dok_matrix, sp.bsr_matrix, sp.dia_matrix,
    )
}  # fmt: skip

TABLE: dict[str, Callable[[], Nasty]] = {
    # --- how many rows and columns
    "no rows here": lambda: replace(plain(), X=np.empty((0, 3)), y=np.empty(0)),
    "no rows there": lambda: replace(plain(), Xt=np.empty((0, 3)), yt=np.empty(0)),
    "one row here": lambda: replace(plain(), X=np.ones((1, 3)), y=np.array([1])),
    "one row there": _one_row_there,
    "no columns": lambda: both(lambda X: X[:, :0]),
    "one column": lambda: both(lambda X: X[:, :1]),
    "more columns there": lambda: there(lambda X: np.c_[X, X]),
    "fewer columns there": lambda: there(lambda X: X[:, :2]),
    "one-dimensional": lambda: both(lambda X: X[:, 0]),
    "three-dimensional": lambda: both(lambda X: X[:, :, None]),
    "four-dimensional": lambda: both(lambda X: X[:, :, None, None]),
    "a scalar": lambda: both(lambda X: 3.0),
    "None": lambda: both(lambda X: None),
    "a text": lambda: both(lambda X: "here.csv"),
    "labels of another length": lambda: labels(lambda y: y[:-1]),
    "target labels of another length": lambda: labels_there(lambda y: y[:-1], truth=plain().yt),
    "ten columns a row": lambda: both(lambda X: np.tile(X, (1, 30))),
    # --- values
    "a constant column": lambda: both(put(7.0, (slice(None), 2))),
    "all columns constant": lambda: both(np.ones_like, floor=0.0),
    "a column constant there alone": lambda: there(put(0.0, (slice(None), 2))),
    "a NaN here": lambda: here(put(np.nan)),
    "a NaN there": lambda: there(put(np.nan)),
    "a column of NaN": lambda: both(put(np.nan, (slice(None), 2))),
    "a frame with a column of NaN": lambda: both(
        lambda X: frame(put(np.nan, (slice(None), 2))(X))
    ),
    "a frame with a column of NaN there": lambda: replace(
        both(frame), Xt=frame(put(np.nan, (slice(None), 2))(plain().Xt))
    ),
    "an infinity here": lambda: here(put(np.inf)),
    "an infinity there": lambda: there(put(-np.inf)),
    "a frame with an infinity": lambda: both(lambda X: frame(put(np.inf)(X))),
    "values of 1e300": lambda: both(lambda X: X * 1e300),
    "a value of 1e300 there": lambda: there(put(1e300)),
    "values of 1e30": lambda: both(lambda X: X * 1e30, floor=0.0),
    "values of 1e-300": lambda: both(lambda X: X * 1e-300, floor=0.0),
    "a frame of 1e30": lambda: both(lambda X: frame(X * 1e30)),
    "a frame of 1e-30": lambda: both(lambda X: frame(X * 1e-30)),
    "denormal numbers": lambda: both(lambda X: X * 5e-324, floor=0.0),
    # --- kinds of arrays
    "float16": lambda: both(lambda X: X.astype(np.float16)),
    "float32": lambda: both(lambda X: X.astype(np.float32)),
    "longdouble": lambda: both(lambda X: X.astype(np.longdouble)),
    "int8": lambda: both(lambda X: (X * 10).astype(np.int8)),
    "uint8": lambda: both(lambda X: (X * 10 + 100).astype(np.uint8)),
    "uint64": lambda: both(lambda X: (X * 10 + 100).astype(np.uint64)),
    "integers above 2**53": lambda: both(
        lambda X: frame(X, big=lambda n: 2**53 + np.arange(n))
    ),
    "integers above 2**64": lambda: both(
        framed(big=lambda n: pd.Series([2**70 + k for k in range(n)], dtype=object))
    ),
    "booleans": lambda: both(lambda X: X > 0),
    "complex numbers": lambda: both(lambda X: X + 1j),
    "object numbers": lambda: both(lambda X: X.astype(object)),
    "object texts of numbers": lambda: both(lambda X: X.astype(str).astype(object)),
    "texts of numbers": lambda: both(lambda X: X.astype(str)),
    "object texts": lambda: both(lambda X: np.where(X > 0, "high", "low").astype(object)),
    "bytes": lambda: both(lambda X: X.astype("S8")),
    "objects of no kind": lambda: both(put(object(), dtype=object)),
    "None among numbers": lambda: both(put(None, dtype=object)),
    "lists": lambda: both(lambda X: X.tolist()),
    "ragged lists": lambda: both(lambda X: [*X.tolist()[:-1], [1.0]]),
    "a masked array": lambda: both(lambda X: np.ma.masked_array(X)),
    "a masked array with gaps": lambda: both(
        lambda X: np.ma.masked_array(X, np.arange(X.size).reshape(X.shape) == 4)
    ),
    "a read-only array": lambda: both(frozen),
    "a strided array": lambda: both(strided),
    "a Fortran array": lambda: both(np.asfortranarray),
    "a big-endian array": lambda: both(lambda X: X.astype(">f8")),
    "big-endian integers": lambda: both(lambda X: (X * 10).astype(">i4")),
    "a matrix": lambda: both(lambda X: X.view(np.matrix)),
    "a structured array": lambda: both(
        lambda X: np.rec.fromarrays(X.T, names="a,b,c")
    ),
    "a memory view": lambda: both(lambda X: memoryview(X)),
    "dates of numpy": lambda: both(lambda X: (X * 10).astype("M8[D]")),
    "durations of numpy": lambda: both(lambda X: (X * 10).astype("m8[D]")),
    **_SPARSE,
    "sparse with a NaN": lambda: both(lambda X: sp.csr_matrix(put(np.nan)(X))),
    "sparse of 64-bit places": lambda: both(
        lambda X: sp.csr_matrix((lambda S: (S.data, S.indices.astype(np.int64),
                                            S.indptr.astype(np.int64)))(sp.csr_matrix(X)),
                                shape=X.shape)
    ),
    "sparse here, dense there": lambda: here(sp.csr_matrix),
    "dense here, sparse there": lambda: there(sp.csr_matrix),
    # --- frames
    "a frame": lambda: both(frame),
    "a frame here, an array there": lambda: here(frame),
    "an array here, a frame there": lambda: there(frame),
    "columns in another order there": lambda: replace(
        both(frame), Xt=frame(plain().Xt)[["c", "a", "b"]]
    ),
    "further columns there": lambda: replace(
        both(frame), Xt=frame(plain().Xt).assign(d=1, e="x")
    ),
    "a column missing there": lambda: replace(both(frame), Xt=frame(plain().Xt)[["a", "b"]]),
    "columns of other types there": lambda: replace(both(frame), Xt=frame(plain().Xt).astype(str)),
    "a number here, words there": lambda: replace(
        both(frame), Xt=frame(plain().Xt).assign(c="high")
    ),
    "an index out of order": lambda: both(
        lambda X: frame(X).set_index(pd.Index(np.arange(len(X))[::-1]))
    ),
    "an index that repeats": lambda: both(lambda X: frame(X).set_index(pd.Index([0] * len(X)))),
    "a MultiIndex of rows": lambda: both(
        lambda X: frame(X).set_index(pd.MultiIndex.from_product([["x"], range(len(X))]))
    ),
    "a MultiIndex of columns": lambda: both(
        lambda X: pd.DataFrame(X, columns=pd.MultiIndex.from_product([["x"], ["a", "b", "c"]]))
    ),
    "two columns of one name": lambda: both(named("a", "b", "a")),
    "names that are numbers": lambda: both(named(0, 1, 2)),
    "names of mixed types": lambda: both(named("a", 1, 2.5)),
    "names that are None": lambda: both(named("a", "b", None)),
    "names that are dates": lambda: both(
        named(*[datetime.date(2020, 1, k) for k in (1, 2, 3)])
    ),
    "names that are tuples": lambda: both(
        lambda X: pd.DataFrame(X).set_axis(pd.Index([("a", 1), ("b", 2), ("c", 3)],
                                                    tupleize_cols=False), axis=1)
    ),
    "names with line breaks": lambda: both(named("a\nb", "b\r\n", "\tc")),
    "names with terminal codes": lambda: both(named("\x1b[31mred", "\x1b]0;x\x07", "c")),
    "names of emoji": lambda: both(named("\U0001f600", "\U0001f468‍\U0001f469", "é")),
    "names from right to left": lambda: both(named("שלום", "‮abc", "مرحبا")),
    "an empty name": lambda: both(named("", "b", "c")),
    "names that are blanks": lambda: both(named(" ", "  ", "\u00a0")),
    "a name of 100,000 letters": lambda: both(named("a" * 100_000, "b", "c")),
    "names with markup": lambda: both(named("[bold]a[/bold]", "<script>", "{0}%s")),

    "names that differ by case": lambda: both(named("a", "A", "b")),
    "names like settings": lambda: both(named("estimator__C", "--label", "target")),
    # --- columns of frames
    "a boolean column": lambda: both(framed(d=cycled(True, False, dtype=bool))),
    "a boolean column with gaps": lambda: both(
        framed(d=cycled(True, False, None, dtype="boolean"))
    ),
    "whole numbers with gaps": lambda: both(framed(d=cycled(1, 2, None, dtype="Int64"))),
    "a column of words": lambda: both(framed(d=cycled("x", "y"))),
    "a column of mixed kinds": lambda: both(framed(d=cycled(1, "x", 2.5))),
    "a column of lists": lambda: both(framed(d=cycled([1], [2, 3]))),
    "a column of dicts": lambda: both(framed(d=cycled({"a": 1}, {}))),
    "a column of bytes": lambda: both(framed(d=cycled(b"x", b"\xff"))),
    "a column of complex numbers": lambda: both(framed(d=cycled(1j, 2 + 1j, dtype=complex))),
    "a column of decimals": lambda: both(
        framed(d=cycled(*map(__import__("decimal").Decimal, ("1.5", "2.5"))))
    ),
    "a column of fractions": lambda: both(
        framed(d=cycled(*map(__import__("fractions").Fraction, ("1/3", "2/3"))))
    ),
    "a column of None": lambda: both(framed(d=cycled(None))),
    "a column of NA": lambda: both(framed(d=cycled(pd.NA))),
    "empty texts": lambda: both(framed(d=cycled("", "x"))),
    "texts of 100,000 letters": lambda: both(framed(d=cycled("x" * 100_000, "y"))),
    "texts with NUL": lambda: both(framed(d=cycled("x\0", "x"))),
    "lone surrogates": lambda: both(framed(d=cycled("\ud800", "x"))),
    "dates": lambda: both(framed(d=dates(2020))),
    "dates in the year 9999": lambda: both(framed(d=dates(9999))),
    "dates in the year 1": lambda: both(framed(d=dates(1))),
    "dates with zones": lambda: both(
        framed(d=lambda n: pd.date_range("2020", periods=n, tz="Asia/Tokyo"))
    ),
    "dates with zones here alone": lambda: replace(
        both(framed(d=lambda n: pd.date_range("2020", periods=n, tz="UTC"))),
        Xt=frame(plain().Xt, d=lambda n: pd.date_range("2021", periods=n)), floor=0.5,
    ),
    "dates that are all missing": lambda: both(
        framed(d=lambda n: pd.Series([pd.NaT] * n, dtype="M8[ns]"))
    ),
    "dates here, numbers there": lambda: replace(
        both(framed(d=dates(2020))), Xt=frame(plain().Xt, d=lambda n: np.arange(n))
    ),
    "clock times": lambda: both(framed(d=cycled(datetime.time(1), datetime.time(2)))),
    "durations": lambda: both(framed(d=lambda n: pd.to_timedelta(np.arange(n), unit="h"))),
    "periods": lambda: both(framed(d=lambda n: pd.period_range("2020-01", periods=n, freq="M"))),
    "intervals": lambda: both(framed(d=lambda n: pd.cut(np.arange(n), 3))),
    "categories": lambda: both(framed(d=cycled("x", "y", dtype="category"))),
    "categories with other levels there": lambda: replace(
        both(framed(d=cycled("x", "y", dtype="category"))),
        Xt=frame(plain().Xt, d=cycled("z", "x", dtype="category")),
    ),
    "categories with no level": lambda: both(
        framed(d=lambda n: pd.Categorical([None] * n, categories=[]))
    ),
    "10,000 levels": lambda: both(
        framed(d=lambda n: pd.Categorical.from_codes(
            np.arange(n) % 10_000, [f"level {k}" for k in range(10_000)]))
    ),
    "a level for each row": lambda: both(framed(d=lambda n: [f"level-{k}" for k in range(n)])),
    "a sparse frame": lambda: both(
        lambda X: frame(X).astype(pd.SparseDtype("float64", 0.0))
    ),
    "Arrow types in a frame": lambda: both(
        lambda X: frame(X, d=cycled("x", "y")).convert_dtypes(dtype_backend="pyarrow")
    ),
    "a polars frame": lambda: both(lambda X: __import__("polars").from_pandas(frame(X))),
    "an Arrow table": lambda: both(
        lambda X: __import__("pyarrow").Table.from_pandas(frame(X))
    ),
    "a Series": lambda: both(lambda X: pd.Series(X[:, 0])),
    # --- labels
    "words": lambda: labels(words("no", "yes")),
    "words of numpy": lambda: labels(lambda y: np.where(y == 1, "yes", "no")),
    "labels of True and False": lambda: labels(lambda y: y == 1),
    "labels of 0.0 and 1.0": lambda: labels(lambda y: y.astype(float)),
    "labels of -1 and 1": lambda: labels(lambda y: 2 * y - 1),
    "labels of 1 and 2": lambda: labels(lambda y: y + 1),
    "labels of bytes": lambda: labels(words(b"no", b"yes")),
    "labels of S3": lambda: labels(lambda y: np.where(y == 1, b"yes", b"no")),
    "labels that are dates": lambda: labels(
        words(datetime.date(2020, 1, 1), datetime.date(2020, 1, 2))
    ),
    "labels of datetime64": lambda: labels(lambda y: y.astype("M8[D]")),
    "labels that are tuples": lambda: labels(lambda y: [(int(k), "x") for k in y]),
    "labels of mixed types": lambda: labels(words("no", 1)),
    "labels of fractions": lambda: labels(lambda y: y + 0.5, floor=0.0),
    "labels of any real number": lambda: labels(
        lambda y: y + np.linspace(0, 0.1, len(y)), floor=0.0
    ),
    "labels as a column": lambda: labels(lambda y: y[:, None]),
    "labels one-hot": lambda: labels(lambda y: np.eye(2)[y]),
    "labels as a list": lambda: labels(lambda y: y.tolist()),
    "labels as a Series": lambda: labels(lambda y: pd.Series(y, index=np.arange(len(y))[::-1])),
    "labels as a category": lambda: labels(
        lambda y: pd.Series(y).map({0: "no", 1: "yes"}).astype("category")
    ),
    "labels as Int64": lambda: labels(lambda y: pd.array(y, dtype="Int64")),
    "labels as texts of pandas": lambda: labels(
        lambda y: pd.Series(y).map({0: "no", 1: "yes"}).astype("string")
    ),
    "labels of uint8": lambda: labels(lambda y: y.astype(np.uint8)),
    "labels with blanks there": lambda: replace(
        labels(words("no", "yes")), yt=words("no ", "yes")(plain().yt), floor=0.4
    ),
    "None among labels here": lambda: replace(plain(), y=first(None)(plain().y)),
    "NaN among labels here": lambda: replace(plain(), y=put(np.nan, 0, float)(plain().y)),
    "None among labels there": lambda: labels_there(first(None)),
    "NaN among labels there": lambda: labels_there(put(np.nan, 0, float)),
    "NaN among words there": lambda: replace(
        labels(words("no", "yes")), yt=first(np.nan, words("no", "yes"))(plain().yt)
    ),
    "NA among labels there": lambda: labels_there(
        lambda y: pd.array([pd.NA, *y[1:]], dtype="Int64")
    ),
    "infinity among labels": lambda: labels(put(np.inf, 0, float)),
    "-1 there": lambda: labels_there(put(-1, 0)),
    "an unknown class there": lambda: labels_there(put(7, 0)),
    "one class here": lambda: replace(plain(), y=np.zeros(60, int)),
    "one class there": lambda: labels_there(np.zeros_like, floor=0.0),
    "all labels unknown there": lambda: labels_there(
        lambda y: np.full(len(y), np.nan), truth=plain().yt
    ),
    "a class for each row": lambda: replace(
        plain(), y=np.array([f"class {k}" for k in range(60)]),
        yt=np.array([f"class {k}" for k in range(40)]), floor=0.0,
    ),
    "words here, numbers there": lambda: replace(
        plain(), y=words("no", "yes")(plain().y), floor=0.0
    ),
    "numbers here, texts of numbers there": lambda: labels_there(lambda y: y.astype(str)),
    "no labels here": lambda: replace(plain(), y=None),
    "no labels there": lambda: replace(plain(), yt=None),
    "a text as labels": lambda: replace(plain(), y="sick"),
    "labels of nested lists": lambda: labels(lambda y: [[int(k)] for k in y]),
    # --- weights, masks, names
    "a negative weight": lambda: replace(plain(), fit={"sample_weight": [-1.0] + [1.0] * 59}),
    "weights of zero": lambda: replace(plain(), fit={"sample_weight": np.zeros(60)}),
    "a NaN weight": lambda: replace(plain(), fit={"sample_weight": [np.nan] + [1.0] * 59}),
    "an infinite weight": lambda: replace(plain(), fit={"sample_weight": [np.inf] + [1.0] * 59}),
    "a huge weight": lambda: replace(
        plain(), fit={"sample_weight": [1e300] + [1.0] * 59}, floor=0.0
    ),
    "weights of texts": lambda: replace(plain(), fit={"sample_weight": ["x"] * 60}),
    "weights of another length": lambda: replace(plain(), fit={"sample_weight": [1.0] * 59}),
    "weights of two columns": lambda: replace(plain(), fit={"sample_weight": np.ones((60, 2))}),
    "weights that leave one class": lambda: replace(
        plain(), fit={"sample_weight": (plain().y == 0).astype(float)}
    ),
    "a mask of nothing": lambda: replace(plain(), target={"labelled": np.zeros(40, bool)}),
    "a mask of numbers": lambda: replace(plain(), target={"labelled": np.arange(40)}),
    "a mask of another length": lambda: replace(plain(), target={"labelled": np.ones(39, bool)}),
    "two classes of one name": lambda: replace(plain(), fit={"class_names": ["no", "no"]}),
    "a class without a name": lambda: replace(plain(), fit={"class_names": ["no"]}),
    "a text as class names": lambda: replace(plain(), fit={"class_names": "no"}),
    "class names that are numbers": lambda: replace(plain(), fit={"class_names": 3}),
    "names of classes that differ there": lambda: replace(
        plain(), fit={"class_names": ["no", "yes"]}, target={"class_names": ["yes", "no"]}
    ),
}  # fmt: skip
