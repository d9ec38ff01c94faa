"""`acclimate label`: rows drawn at random, to be labelled by hand; and their labels back."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from acclimate.cli.config import Config, PrintConfig
from acclimate.cli.console import Status, check_out, say
from acclimate.cli.options import Drop, Id, reads_files
from acclimate.exceptions import InputError


@reads_files
def label(
    target: Annotated[Path, typer.Argument(help="Rows of the target, most without a label.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE.csv", help="Sheet to write and to fill in.")
    ],
    rows: Annotated[int, typer.Option("--rows", min=1, help="How many.")] = 20,
    label: Annotated[
        str | None,
        typer.Option(
            "--label", metavar="COLUMN", help='What the labels are called. Default: "label".'
        ),
    ] = None,
    id: Id = None,
    drop: Drop = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws the rows.")] = 0,
    config: Config = None,
    print_config: PrintConfig = False,
    *,
    how: dict[str, Any],
) -> None:
    """Draw rows to label by hand: plainly at random, so that they show what is there.

    Fill in the empty column and give the sheet to compare or adapt as --labels. Rows are found
    again by --id, else by their number. Twenty labels are worth more than any method that does
    without.
    """
    from acclimate.cli import rows as door
    from acclimate.report import write_text_atomic
    from acclimate.tables.to_label import LABEL, draw_plain, sheet

    check_out(out, target)
    if out.suffix.lower() != ".csv":
        raise InputError(f"--out must end in .csv, got {out.name!r}")
    if out.exists():
        raise InputError(f"{out.name} is there, and may hold labels; name another file with --out")
    with Status("reading"):
        table = door.read_aside(target, label, id, list(drop or ()), door.reading_of(how))
        places = draw_plain(table, rows, seed)
        asked = sheet(table, places, id=id, label=label or LABEL)
    write_text_atomic(out, asked.to_csv(index=False))
    name = label or LABEL
    by = f" --id {shlex.quote(id)}" if id is not None else ""
    say(
        f"{len(asked)} rows of {len(table.X)}, drawn at random: {out}\n"
        f"Fill in the column {name!r}. Then:  acclimate compare --source HERE --target "
        f"{shlex.quote(str(target))} --label {shlex.quote(name)}{by} --labels "
        f"{shlex.quote(str(out))}"
    )
