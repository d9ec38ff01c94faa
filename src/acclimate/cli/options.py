"""Options that several commands share, each described once."""

from __future__ import annotations

from typing import Annotated

import typer

Id = Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="Identifiers; no input.")]
Drop = Annotated[
    list[str] | None,
    typer.Option("--drop", metavar="COLUMN", help="Column to leave out. Repeatable."),
]
Categorical = Annotated[
    list[str] | None,
    typer.Option(
        "--categorical",
        metavar="COLUMN",
        help="Column of categories that look like numbers. Repeatable.",
    ),
]
TaskOption = Annotated[
    str | None,
    typer.Option("--task", help="classification or regression. Default: by the labels."),
]
NoRows = Annotated[
    bool,
    typer.Option("--no-rows", help="Write no model file that holds rows of a table."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
