"""`acclimate adapt`: from a saved source model to a target, without any source row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from acclimate.base import words
from acclimate.cli import models
from acclimate.cli.config import Config, PrintConfig
from acclimate.cli.console import Status, check_out, facts, say
from acclimate.cli.options import NoRows, reads_new_files


@reads_new_files
def adapt(
    model: Annotated[Path, typer.Argument(help="Model file, written by acclimate fit.")],
    target: Annotated[Path, typer.Argument(help="Rows to adapt to: CSV, Parquet, ...")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Model file to write.")],
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="COLUMN", help="Labels. Default: the column of the fit."),
    ] = None,
    new_classes: Annotated[
        bool, typer.Option("--new-classes", help="The target has classes of its own.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Setting of the method. Repeatable."),
    ] = None,
    no_rows: NoRows = False,
    config: Config = None,
    print_config: PrintConfig = False,
    *,
    how: dict[str, Any],
) -> None:
    """Adapt a saved model to other rows; no source row is needed.

    Columns are matched by name, in any order. Rows whose label is empty count as unlabelled.
    Whatever the model was adapted to before leaves no trace.
    """
    check_out(out, target)
    from acclimate.cli import rows as door
    from acclimate.cli.fitting import read_target, rows_words, save, told
    from acclimate.cli.stored import load, reading_for, settings_of

    with Status("reading"):
        adapter = load(model)
        meta = settings_of(adapter, label)
        meta["new_classes"] = new_classes
        row = adapter._row()
        if row.target_labels == "ignored" and adapter._sees_target_labels():  # by its members
            row = replace(row, target_labels="required")
        models.apply_settings(adapter, models.parse_settings(settings or ()))
        names = getattr(adapter, "source_class_names_", None)
        classes = getattr(adapter.source_model_, "classes_", None)
        features = getattr(adapter, "feature_names_in_", None)
        table = read_target(
            target, meta, None if features is None else list(features), row,
            reading_for(adapter, how),
        )  # fmt: skip
        if table.reading.pictures.size is not None:
            meta["reading"]["pictures"] = table.reading.pictures.noted()
        goal = door.target_domain(
            table, task=meta["task"], classes=classes, names=names, new_classes=new_classes
        )
        quiet = meta["estimator"] in words.NETWORKS
    with Status(f"adapting with {row.name}", quiet=quiet):
        adapter.adapt(goal)
    files = [one for one in adapter.card_.get("files", ()) if one.get("role") == "source"]
    files.append(door.file_entry(target, "target", table))
    path = save(adapter, out, meta, files, None, table, no_rows=no_rows)
    door.say_read(table)
    say(f"Saved {path}")
    facts({"model file": rows_words(adapter), **told(adapter, row, goal, None)})
