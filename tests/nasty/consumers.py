"""What nasty inputs are given to: six consumers, each on small data and with small settings."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from acclimate import CORAL, Domain, cli, compare, diagnose, tables
from acclimate.catalogue import find
from acclimate.testing.quick import quick_method


class Refused(Exception):
    """The command line ended with an exit code other than 0; the text is its standard error."""

    def __init__(self, code: object, err: str) -> None:
        super().__init__(err)
        self.code = code


@dataclass(frozen=True)
class Answer:
    """What came of it: predictions of the target's rows, or words; and notes of the commands."""

    predictions: Any = None
    words: str = ""
    notes: tuple[str, ...] = ()


def shallow(case: Any, folder: Path) -> Answer:
    return _fitted(CORAL(random_state=0), case)


def fine_tune(case: Any, folder: Path) -> Answer:
    return _fitted(
        quick_method(find("FineTune"), "classification").set_params(estimator=None), case
    )


def deep(case: Any, folder: Path) -> Answer:
    return _fitted(quick_method(find("DANN"), "classification"), case)


def compared(case: Any, folder: Path) -> Answer:
    from sklearn.linear_model import LogisticRegression

    found = compare(
        Domain(case.X, case.y, **_names(case.fit)), target_of(case), methods=["CORAL"], trials=1,
        folds=3, repeats=1, n_jobs=1, estimator=LogisticRegression(),
    )  # fmt: skip
    return Answer(words=str(found))


def diagnosed(case: Any, folder: Path) -> Answer:
    return Answer(words=str(diagnose(Domain(case.X, case.y), target_of(case))))


def commanded(case: Any, folder: Path) -> Answer:
    """Write both domains to files, then fit and predict in the shell."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            here = write(folder / "here", case.X, case.y)
            there = write(folder / "there", case.Xt, case.yt)
    except Exception as error:  # pyarrow's and numpy's, of many types
        pytest.skip(f"no file can hold it: {error}")
    return command(here, there, folder, {})


def command(here: Path, there: Path, folder: Path, settings: Mapping[str, Any]) -> Answer:
    """Fit and predict in the shell."""
    options: list[str] = []
    for name, value in settings.items():
        for one in [value] if isinstance(value, str) else value:
            options += [f"--{name}", one]
    model, out = folder / "m.acclimate", folder / "p.csv"
    label = [] if here.suffix == ".npz" else ["--label", "label"]
    notes = run("fit", here, "--target", there, *label, "--method", "CORAL", "--no-estimate",
                "--out", model, *options)  # fmt: skip
    notes += run("predict", model, there, "--out", out, *options)
    import pandas as pd

    return Answer(pd.read_csv(out, dtype=str)["prediction"].to_numpy(), notes=tuple(notes))


def run(*words: object) -> list[str]:
    """Run the command line in this process and return the lines of its standard error."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch("sys.argv", ["acclimate", *map(str, words)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as stop:
            if stop.code:
                raise Refused(stop.code, err.getvalue()) from None
    return err.getvalue().splitlines()


CONSUMERS: dict[str, Callable[[Any, Path], Answer]] = {
    "shallow": shallow, "FineTune": fine_tune, "deep": deep, "compare": compared,
    "diagnose": diagnosed, "command": commanded,
}  # fmt: skip


def target_of(case: Any) -> Domain:
    return Domain(case.Xt, case.yt, **case.target)


def write(path: Path, X: Any, y: Any) -> Path:
    """Write rows as Parquet or NPZ, as their owner would."""
    if hasattr(X, "columns"):
        table = X.to_pandas() if hasattr(X, "to_pandas") else X.copy()
        if y is not None:
            table["label"] = y.to_numpy() if hasattr(y, "to_numpy") else np.asarray(y)
        table.to_parquet(path.with_suffix(".parquet"))
        return path.with_suffix(".parquet")
    y = np.asarray(y)
    if y.dtype == object and all(isinstance(one, str) for one in y.ravel()):
        y = y.astype(str)
    np.savez(
        path.with_suffix(".npz"),
        **({"X": X} if y.dtype == object and not y.ndim else {"X": X, "y": y}),
    )
    return path.with_suffix(".npz")


def _fitted(model: Any, case: Any) -> Answer:
    if hasattr(case.X, "columns") or hasattr(case.X, "column_names"):
        model.set_params(preprocess=tables.TabularPreprocessor())
    model.fit(case.X, case.y, target=target_of(case), **case.fit)
    with warnings.catch_warnings(record=True) as seen:  # another call may warn again
        warnings.simplefilter("default")
        predictions = model.predict(case.Xt)
    return Answer(predictions, notes=tuple(str(one.message) for one in seen))


def _names(fit: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fit.items() if name == "class_names"}
