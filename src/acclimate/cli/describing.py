"""`acclimate columns`: how is each column of a file read, and what would change it?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from acclimate.cli.config import Config, PrintConfig
from acclimate.cli.console import Status, console
from acclimate.cli.options import AsJson, Drop, Id, reads_files
from acclimate.exceptions import InputError

ROWS = 200  # columns that are listed
_WORDS = {"datetime": "date", "boolean": "true or false"}


@reads_files
def columns(
    file: Annotated[Path, typer.Argument(help="Rows: CSV, Parquet, Excel, ...")],
    other: Annotated[
        Path | None, typer.Argument(help="Another file, read as the first one is.")
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="COLUMN", help="Column with the labels.")
    ] = None,
    id: Id = None,
    drop: Drop = None,
    as_json: AsJson = False,
    config: Config = None,
    print_config: PrintConfig = False,
    *,
    how: dict[str, Any],
) -> None:
    """Print how each column is read, and the option that would change it.

    All commands read files the same way and take the same options.
    """
    from acclimate.cli.rows import read_aside, reading_of
    from acclimate.report.screen import as_rich
    from acclimate.tables.described import describe

    with Status("reading"):
        reading = reading_of(how)
        first = read_aside(file, label, id, drop or (), reading)
        tables = [first]
        if other is not None:
            tables.append(read_aside(other, label, id, drop or (), reading.like(first)))
        found = {str(table.path): describe(table) for table in tables}
    for path, facts in found.items():
        if not facts:
            raise InputError(f"{Path(path).name} has no columns; it holds pictures or arrays")
    if as_json:
        plain = {path: [asdict(one) for one in facts] for path, facts in found.items()}
        typer.echo(json.dumps(plain, indent=1))
        return
    console().print(as_rich(columns_view(tables, list(found.values())), ROWS, "with --json"))


def columns_view(tables: list[Any], found: list[list[Any]]) -> Any:
    """Return what is shown of the columns of files, one table a file."""
    from acclimate.report.view import Line, Table, View, figures

    parts: list[Any] = []
    for table, facts in zip(tables, found, strict=True):
        title = f"{table.path.name}: {len(table.X):,} rows, {table.X.shape[1]} inputs"
        rows = tuple(
            figures(
                one.name,
                " ".join(
                    filter(
                        None, (_WORDS.get(one.kind, one.kind), one.written and f"({one.written})")
                    )
                ),
                f"{one.missing:,}" if one.missing else "",
                f"{one.levels:,}",
                ", ".join(one.examples),
                f"{one.option}{f' ({one.note})' if one.note else ''}",
            )
            for one in facts
        )
        heads = ("column", "read as", ">missing", ">values", "such as", "to change it")
        parts += [Line(title, strong=True), Table(heads, rows, kind="columns")]
    if len(found) == 2:
        names = [{one.name for one in facts} for facts in found]
        for here, there in ((0, 1), (1, 0)):
            only = [one.name for one in found[here] if one.name not in names[there]]
            if only:
                listed = ", ".join(repr(name) for name in only[:8])
                parts.append(Line(f"Only in {tables[here].path.name}: {listed}"))
    return View(tuple(parts), "acclimate columns")
