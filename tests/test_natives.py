"""Frames of every kind go in everywhere and give the same answers, or are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from acclimate import CORAL, Domain, SourceOnly, compare, diagnose, rank
from acclimate.diagnosis.drift import check, summarise
from acclimate.exceptions import InputError
from acclimate.natives import as_rows
from acclimate.tables import TabularPreprocessor, as_table

pl = pytest.importorskip("polars")
Make = Callable[[np.ndarray], Any]

FRAMES: dict[str, Make] = {
    "pandas": lambda a: pd.DataFrame(a, columns=list("abc")),
    "numbers as names": lambda a: pd.DataFrame(a),
    "names of both kinds": lambda a: pd.DataFrame(a, columns=["a", 1, "c"]),
    "polars": lambda a: pl.DataFrame(a, schema=list("abc")),
    "arrow": lambda a: pa.table(dict(zip("abc", a.T, strict=True))),
    "arrow batch": lambda a: pa.RecordBatch.from_pydict(dict(zip("abc", a.T, strict=True))),
    "masked": lambda a: np.ma.masked_array(a),
    "list": lambda a: a.tolist(),
}
REFUSED: dict[str, tuple[Make, str]] = {
    "lazy": (lambda a: pl.LazyFrame(pl.DataFrame(a)), r"polars\.LazyFrame.*collect"),
    "series": (lambda a: pd.Series(a[:, 0]), "Series; pass a frame"),
    "polars series": (lambda a: pl.Series(a[:, 0]), r"polars\.Series; pass a frame"),
    "twice": (lambda a: pd.DataFrame(a[:, :2], columns=["1", 1]), "two columns called '1'"),
}
rng = np.random.default_rng(0)
X = rng.normal(size=(120, 3))
y = (X[:, 0] > 0).astype(int)
Xt, yt = X[:60] + 1, y[:60]

DOORS: dict[str, Callable[[Make], Any]] = {
    "SourceOnly": lambda make: (
        SourceOnly(preprocess=TabularPreprocessor())
        .fit(make(X), y, target=Domain(make(Xt), yt))
        .predict(make(Xt))
        .tolist()
    ),
    "CORAL": lambda make: (
        CORAL().fit(make(X), y, target=Domain(make(Xt))).predict(make(Xt)).tolist()
    ),
    "diagnose": lambda make: (
        diagnose(Domain(make(X), y), Domain(make(Xt), yt)).figures["a_distance"]
    ),
    "compare": lambda make: compare(
        (make(X), y), Domain(make(Xt), yt), methods=["CORAL"], repeats=1, n_jobs=1,
        preprocess=TabularPreprocessor(),
    ).details["recommendation"]["candidate"],
    "rank": lambda make: rank({"one": lambda rows: np.asarray(rows)[:, :1]}, make(Xt), yt)
    .best.probe.score,
    "check": lambda make: check(summarise(make(X)), make(Xt)).word,
    "as_table": lambda make: np.asarray(as_table(make(X)).X).tolist(),
}  # fmt: skip


@pytest.mark.parametrize(
    "door",
    [pytest.param(d, marks=[pytest.mark.slow] * (d in ("compare", "diagnose"))) for d in DOORS],
)
def test_frames_of_every_kind(door: str) -> None:
    frame, array = DOORS[door](FRAMES["pandas"]), DOORS[door](lambda a: a)
    for name, make in FRAMES.items():
        assert DOORS[door](make) == (array if name in ("masked", "list") else frame), name
    for name, (make, message) in REFUSED.items():
        with pytest.raises(InputError, match=message):
            pytest.fail(f"{name}: {DOORS[door](make)}")


def test_masked_cells_are_missing() -> None:
    masked = np.ma.masked_array(np.arange(6).reshape(3, 2), mask=np.eye(3, 2, dtype=bool))
    assert np.isnan(as_rows(masked)).tolist() == masked.mask.tolist()
    with pytest.raises(InputError, match="masked array of <U1"):
        as_rows(np.ma.masked_array([["a", "b"]], mask=[[True, False]]))


def test_cells_of_polars_keep_their_meaning() -> None:
    frame = pl.DataFrame({
        "n": [1, None, 3, 4], "flag": [True, None, False, True], "ward": ["x", "y", None, "x"],
    })  # fmt: skip
    step = TabularPreprocessor().fit(frame)
    assert step.kinds_ == {"n": "number", "flag": "boolean", "ward": "category"}
    twin = pd.DataFrame({
        "n": [1.0, np.nan, 3, 4], "flag": [True, None, False, True], "ward": ["x", "y", None, "x"],
    })  # fmt: skip
    np.testing.assert_array_equal(step.transform(frame), TabularPreprocessor().fit_transform(twin))
