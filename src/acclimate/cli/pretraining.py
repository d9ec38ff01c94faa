"""`acclimate pretrain`: from rows without labels to an encoder in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from acclimate.catalogue import methods
from acclimate.cli import models
from acclimate.cli.config import Config, PrintConfig
from acclimate.cli.console import Status, check_out, facts, say
from acclimate.cli.options import Drop, Id, reads_files
from acclimate.exceptions import InputError

WAYS = [row.name for row in methods(kind="pretrain")]
SCORES = {"probe": "linear model", "knn": "10 nearest"}


@reads_files
def pretrain(
    rows: Annotated[Path, typer.Argument(help="Rows, labelled or not: CSV, pictures, ...")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Encoder file to write.")],
    target: Annotated[
        Path | None, typer.Option("--target", metavar="FILE", help="Rows of a second domain.")
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            metavar="COLUMN",
            help="Column with the labels: no input, and where it is there what features are "
            "scored by.",
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="NAME",
            help=f"{', '.join(WAYS)}. Default: SimCLR for pictures, SCARF for tables.",
        ),
    ] = "auto",
    network: Annotated[
        str,
        typer.Option(
            "--network",
            metavar="NAME",
            help="cnn, cnn-norm, resnet, tabular, mlp, or the file of a saved model with a network "
            "to go on from. Default: cnn-norm for pictures, tabular for tables.",
        ),
    ] = "auto",
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over the rows.")] = 20,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps", min=0, help="Fewest steps. Default: 1000, and fewer for few large pictures."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Setting of the method, as augment=zoom,colour,flip. Repeatable.",
        ),
    ] = None,
    id: Id = None,
    drop: Drop = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Makes it reproducible.")] = 0,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            help="Where a run keeps its state: a killed one that is started again goes on.",
        ),
    ] = None,
    config: Config = None,
    print_config: PrintConfig = False,
    *,
    how: dict[str, Any],
) -> None:
    """Train a network on rows without labels, for others to start from.

    Labels are never trained on; where there are some, they say what the features are worth before
    and after. What is written is a source without labels: acclimate adapt goes on from it with the
    labels of a target, and --encoder of fit, compare, rank and diagnose puts its features of
    pictures in front of any method.
    """
    check_out(out, rows, target)
    import acclimate
    from acclimate.cli import rows as door

    reading = door.reading_of(how)
    with Status("reading"):
        table = door.read_rows(rows, label=label, id=id, drop=drop or (), how=reading)
        there = None
        if target is not None:
            features = list(table.X.columns) if hasattr(table.X, "columns") else None
            there = door.read_rows(
                target, label=label, id=id, features=features, how=reading.like(table)
            )
    begin: Any = network
    if Path(network).is_file():
        begin = acclimate.load(network)
    encoder = acclimate.pretrain(
        table.domain(), target=None if there is None else there.domain(),
        method=_way(method, settings or (), images=door.is_image(table.X)), network=begin,
        epochs=epochs, min_steps="auto" if steps is None else steps, checkpoint=checkpoint,
        random_state=seed,
        preprocess=None if hasattr(begin, "preprocess_") else _before(table),
    )  # fmt: skip
    door.note_identifiers(table)
    tables = [table] if there is None else [table, there]
    paths = [rows] if target is None else [rows, target]
    names = ("source", "target")
    files = [
        door.file_entry(path, name, one)
        for path, name, one in zip(paths, names, tables, strict=False)
    ]
    word = encoder.model.network if isinstance(encoder.model.network, str) else None
    meta = {"label": label, "id": id, "estimator": word, "reading": table.reading.noted()}
    scores = {
        name: [encoder.start_scores_[name], encoder.history_.epochs[-1][name]]
        for name in encoder.start_scores_
    }
    path = acclimate.save(
        encoder, out, extras={"table": meta},
        card={"title": out.stem, "estimator": word, "files": files, "features score": scores},
    )  # fmt: skip
    door.say_read(*tables)
    say(f"Saved {path}")
    facts({
        "rows": " and ".join(f"{len(one.X):,} of {p.name}" for one, p in zip(tables, paths)),  # noqa: B905
        "learnt by": f"{encoder.method_}, {encoder.history_.epochs[-1]['step']:,} steps, no label",
        "features": f"{encoder.network_.head.in_features} a row",
        **{f"by {SCORES[name]}": _told(*both) for name, both in scores.items()},
        "next": f"acclimate adapt {path} TARGET --out MODEL"
        + (f", or --encoder {path}" if door.is_image(table.X) else ""),
    })  # fmt: skip


def _before(table: Any) -> Any:
    """Return what fills the gaps of a table, and reads its dates and texts; None for pictures."""
    from acclimate.cli.rows import declared, is_image
    from acclimate.tables.mixed import MixedPreprocessor

    settings: dict[str, Any] = dict(declared(table))
    return None if is_image(table.X) else MixedPreprocessor(**settings)


def _way(name: str, settings: Any, *, images: bool) -> Any:
    """Return a way to pretrain with its settings."""
    from acclimate.selfsupervised.pretrain import way_of
    from acclimate.tables.labels import meant

    way = way_of(name, images=images)
    known = way.get_params()
    given = models.parse_settings(settings)
    for one in given:
        if one not in known:
            raise InputError(
                f"{type(way).__name__} has no setting {one!r}{meant(one, list(known)) or '.'} It "
                f"has {', '.join(known) or 'none'}"
            )
    return way.set_params(**given)


def _told(start: float, end: float) -> str:
    """Say what a score was before the first step and after the last."""
    what = "it rose" if end > start else "it did not rise: nothing that these labels ask for"
    return f"{100 * start:.1f} before, {100 * end:.1f} after; {what}"
