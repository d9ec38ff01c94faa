"""Whether the inputs of a file are still what a model was adapted to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acclimate.exceptions import InputError


def reference_of(adapter: Any, name: str) -> Any:
    """Return the summary of the inputs that a model was adapted to.

    Raises
    ------
    InputError
        It has none.
    """
    reference = adapter.extras_.get("drift")
    if reference is None:
        raise InputError(
            f"{name} has no summary of the inputs it was adapted to; write the model "
            f"with acclimate fit or acclimate adapt"
        )
    return reference


def checked(adapter: Any, reference: Any, X: Any, alpha: float) -> Any:
    """Return what is found of inputs, of pictures also by the features of the model's encoder."""
    from acclimate.diagnosis import drift, feature_drift
    from acclimate.transfer.encoders import encoded_by

    seen = adapter.extras_.get("features")
    features = None if seen is None else encoded_by(adapter, X)
    if seen is None or features is None:
        return drift.check(reference, X, alpha=alpha)
    return feature_drift.check_pictures(reference, X, seen, features, alpha=alpha)


def read_known(adapter: Any, path: Path, how: Mapping[str, Any]) -> Any:
    """Read the columns that a model knows. One that is missing is a finding, not an error."""
    from acclimate.cli.rows import read_rows
    from acclimate.cli.stored import reading_for

    reading = reading_for(adapter, how)
    fitted = getattr(adapter, "feature_names_in_", None)
    if fitted is None:
        return read_rows(path, how=reading)
    from acclimate.tables.reading import kind_of
    from acclimate.tables.streaming import column_names

    wanted = list(fitted)
    if kind_of(path) in ("csv", "parquet", "arrow", "excel"):
        there = set(column_names(path, reading))
        present = [name for name in wanted if name in there]
        wanted = present or wanted  # with none at all, reading says which are missing
    return read_rows(path, features=wanted, how=reading)
