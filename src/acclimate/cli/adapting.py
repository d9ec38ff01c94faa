"""`acclimate adapt`: from a saved source model to a target, without any source row."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from acclimate.base import words
from acclimate.cli import models
from acclimate.cli.config import Config, PrintConfig
from acclimate.cli.console import Status, check_out, facts, say
from acclimate.cli.options import Labels, NoRows, Share, Trusted, reads_new_files


@reads_new_files
def adapt(
    model: Annotated[Path, typer.Argument(help="Model file, written by acclimate fit.")],
    target: Annotated[Path, typer.Argument(help="Rows to adapt to: CSV, Parquet, ...")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Model file to write.")],
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="COLUMN", help="Labels. Default: the column of the fit."),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            autocompletion=models.complete_method,
            metavar="NAME",
            help="Default: what does best on the target's labels, held out; without labels, or "
            "with --set, the method of the fit.",
        ),
    ] = None,
    new_classes: Annotated[
        bool, typer.Option("--new-classes", help="The target has classes of its own.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Setting of the method. Repeatable."),
    ] = None,
    share: Share = None,
    labels: Labels = None,
    no_rows: NoRows = False,
    trusted: Trusted = None,
    config: Config = None,
    print_config: PrintConfig = False,
    *,
    how: dict[str, Any],
) -> None:
    """Adapt a saved model to other rows; no source row is needed.

    With labels and without --method, what can go on from the saved source model is tried by
    cross-validation on the labels, and the best is taken: fine-tuning, the source's prediction as a
    further column, a mean of both models, the target alone, or the source model as it is.

    Columns are matched by name, in any order. Rows whose label is empty count as unlabelled.
    Whatever the model was adapted to before leaves no trace.
    """
    check_out(out, target, *([] if labels is None else [labels]))
    from acclimate.cli import rows as door
    from acclimate.cli.fitting import read_target, rows_words, save, told
    from acclimate.cli.stored import load, reading_for, settings_of
    from acclimate.tables.to_label import filled
    from acclimate.transfer.going_on import AS_IT_IS, become, pick_way, ways_on

    with Status("reading"):
        adapter = load(model, trusted)
        meta = settings_of(adapter, label)
        # an encoder knows no classes, and the target's are all its own
        new_classes = new_classes or "pretrained" in adapter.trained_on_["source"]
        meta["new_classes"] = new_classes
        if method is not None and method != type(adapter).__name__:
            adapter = _as_saved(become(adapter, models.method_row(method, meta["task"])), adapter)
        row = adapter._row()
        if row.target_labels == "ignored" and adapter._sees_target_labels():  # by its members
            row = replace(row, target_labels="required")
        models.apply_settings(adapter, models.parse_settings(settings or ()))
        names = getattr(adapter, "source_class_names_", None)
        classes = getattr(adapter.source_model_, "classes_", None)
        features = getattr(adapter, "feature_names_in_", None)
        fill = None
        if labels is not None:
            fill = partial(
                filled, path=labels, id=meta["id"], label=meta["label"],
                classes=None if new_classes else classes,
            )  # fmt: skip
        table = read_target(
            target, meta, None if features is None else list(features), row,
            reading_for(adapter, how), fill,
        )  # fmt: skip
        if table.reading.pictures.size is not None:
            meta["reading"]["pictures"] = table.reading.pictures.noted()
        goal = door.target_domain(
            table, task=meta["task"], classes=classes, names=names, new_classes=new_classes
        )
        goal = door.with_shares(goal, share)
        quiet = meta["estimator"] in words.NETWORKS
    picked = None
    if method is None and not settings:
        ways = ways_on(adapter, own_classes=new_classes)
        with Status(f"trying {len(ways)} methods on the labels", quiet=quiet):
            picked = pick_way(ways, goal)
    if picked is not None:
        adapter = _as_saved(picked.model, adapter)
        row = adapter._row()
    if picked is None or picked.name != AS_IT_IS:
        with Status(f"adapting with {row.name}", quiet=quiet):
            adapter.adapt(goal)
    choice = None if picked is None else picked.sentence()
    files = [one for one in adapter.card_.get("files", ()) if one.get("role") == "source"]
    files.append(door.file_entry(target, "target", table))
    path = save(adapter, out, meta, files, None, table, no_rows=no_rows, choice=choice)
    door.say_read(table)
    say(f"Saved {path}")
    more = {"choice": choice} if choice else {}
    facts({"model file": rows_words(adapter), **told(adapter, row, goal, None), **more})


def _as_saved(made: Any, loaded: Any) -> Any:
    """Return a method with what the file says beside the model: its card, and of the tables."""
    made.card_, made.extras_ = loaded.card_, loaded.extras_
    return made
