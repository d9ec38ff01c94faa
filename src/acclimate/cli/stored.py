"""Model files as commands use them: read, and asked for what `fit` noted about the tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from acclimate.exceptions import InputError
from acclimate.importing import uncollected


def load(path: Path, trusted: Collection[str] | None = None) -> Any:
    """Return the method in a model file, which must have learned a source.

    An encoder of `pretrain` is a source without labels, from which `FineTune` goes on.

    Parameters
    ----------
    path : Path
    trusted : collection of str, default=None
        Names of types that it may hold; see `acclimate.load`.
    """
    import acclimate

    with uncollected():
        model = acclimate.load(path, trusted=trusted or ())
    if hasattr(model, "started"):
        net = model.model  # from scratch, the same network is what it has to beat
        base = acclimate.NeuralClassifier(net.network, hidden=net.hidden)
        begun = acclimate.FineTune(base, random_state=0).begin(model)
        begun.card_, begun.extras_ = model.card_, model.extras_
        return begun
    if not isinstance(model, acclimate.Adapter) or not hasattr(model, "source_model_"):
        name = type(model).__name__
        if "pairs" in (getattr(model, "trained_on_", None) or {}):
            raise InputError(
                f"{path.name} holds a {name}, which was fitted on pairs of two modalities and has "
                f"no commands; use it in Python: acclimate.load({path.name!r})"
            )
        if not isinstance(model, acclimate.Adapter):  # a policy, for one
            raise InputError(
                f"{path.name} holds a {name}, for which there is no such command; use it in "
                f"Python: acclimate.load({path.name!r})"
            )
        raise InputError(f"{path.name} holds a {name} that was not fitted")
    return model


def settings_of(model: Any, label: str | None = None) -> dict[str, Any]:
    """Return label, id and task of a model, also of one that was saved from Python."""
    noted = dict(model.extras_.get("table") or {})
    return {
        "label": label or noted.get("label"),
        "id": noted.get("id"),
        "reading": dict(noted.get("reading") or {}),
        "task": "regression" if model._regression() else "classification",
        "estimator": noted.get("estimator"),
        "new_classes": bool(noted.get("new_classes")),
    }


def reading_for(model: Any, how: Mapping[str, Any]) -> Any:
    """Return how a new file is read for a model: by the options, and by what the model knows."""
    from acclimate.cli.rows import reading_of

    return reading_of(how).with_model(model, settings_of(model)["reading"])


def labelled_rows(
    model: Any, path: Path, label: str | None, how: Mapping[str, Any]
) -> tuple[Any, Any, dict[str, list[int]], Any]:
    """Return inputs and labels of a file, for a model that was fitted on such columns.

    Rows whose label the model does not know are left out. The third value says which: the rows,
    counted from 1 among the file's, of each such label. The fourth is the table that was read, with
    these rows as those that are labelled.

    Raises
    ------
    InputError
        There are no labels, or all of them are unknown to the model.
    """
    import numpy as np

    from acclimate.cli.rows import as_known, as_values, read_rows, unknown_labels
    from acclimate.validation import take

    meta = settings_of(model, label)
    features = getattr(model, "feature_names_in_", None)
    table = read_rows(
        path, label=meta["label"], need_label=True, id=meta["id"],
        features=None if features is None else list(features), how=reading_for(model, how),
    )  # fmt: skip
    if table.y is None:
        raise InputError(f"{path.name} has no label in any row, so there is nothing to score")
    X, y = table.labelled_rows()
    if meta["task"] == "regression":
        return X, as_values(y, path.name), {}, table
    classes = np.asarray(model.classes_)
    source = getattr(model.source_model_, "classes_", None)
    if source is not None and not meta["new_classes"] and source.dtype.kind == classes.dtype.kind:
        classes = np.union1d(classes, source)  # a class may have had no labelled target row
    unknown = unknown_labels(y, classes)
    if unknown.all():
        as_known(y, classes, None, path.name)  # says what is known
    rows = np.arange(len(y)) if table.labelled is None else np.flatnonzero(table.labelled)
    place = rows if table.kept is None else table.kept[rows]
    left: dict[str, list[int]] = {}
    for one, row in zip(y[unknown].tolist(), place[unknown].tolist(), strict=True):
        left.setdefault(str(one), []).append(row + 1)
    kept = np.flatnonzero(~unknown)
    scored = np.zeros(len(table.X), dtype=bool)
    scored[rows[kept]] = True
    table = replace(table, labelled=scored)
    return take(X, kept), as_known(y[kept], classes, None, path.name), left, table


def inputs_for(other: Any, path: Path, how: Mapping[str, Any], table: Any) -> Any:
    """Return the labelled rows of a table as another model reads them: pictures in its own size.

    Parameters
    ----------
    other : Adapter
        The other model.
    path : Path
        The file.
    how : mapping
        Options of how files are read.
    table : Table
        What was read for a first model.
    """
    from acclimate.cli.rows import read_rows

    reading = reading_for(other, how)
    if reading.pictures.noted() != table.reading.pictures.noted():
        table = replace(table, X=read_rows(path, how=reading).X)
    return table.labelled_rows()[0]


def seen_files(model: Any) -> dict[str, str]:
    """Return the role of each file that a model was trained on, by its SHA-256."""
    entries = getattr(model, "card_", {}).get("files") or ()
    return {one["sha256"]: str(one.get("role")) for one in entries if "sha256" in one}


def same_models(one: Path, other: Path) -> bool:
    """Tell whether two files hold one model, whatever their cards say."""
    from acclimate.persistence.container import opened

    beside = ("card.json", "extras.json")
    parts = []
    for path in (one, other):
        with opened(path) as file:
            parts.append({name: row for name, row in file.rows.items() if name not in beside})
    return parts[0] == parts[1]


def names_of(model: Any) -> dict[Any, str] | None:
    """Return what the labels of a model are called, where that is known."""
    if settings_of(model)["new_classes"]:
        return None
    names = getattr(model, "source_class_names_", None)
    return None if names is None else dict(names)
