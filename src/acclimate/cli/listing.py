"""`acclimate methods` and `acclimate datasets`: what there is."""

from __future__ import annotations

from typing import Annotated

import typer

from acclimate.catalogue import methods as catalogue_methods
from acclimate.cli.console import console


def methods(
    family: Annotated[str | None, typer.Option(help="Only this family.")] = None,
    task: Annotated[str | None, typer.Option(help="classification or regression.")] = None,
) -> None:
    """List the methods: what they need, and when not to use them."""
    from rich import box
    from rich.table import Table

    rows = catalogue_methods(family=family, task=task)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("method", no_wrap=True)
    table.add_column("target labels", no_wrap=True)
    table.add_column("do not use it when", overflow="fold")
    for name in dict.fromkeys(row.family for row in rows):
        table.add_row(f"[bold]{name}[/bold]")
        mine = [row for row in rows if row.family == name]
        for row in mine:
            table.add_row(f" {row.name}", row.target_labels, row.avoid, end_section=row is mine[-1])
    console().print(table)


def list_datasets() -> None:
    """List the data sets that acclimate can fetch, with licence and source."""
    from rich import box
    from rich.table import Table

    from acclimate import datasets

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("name", "title", "licence", "found in"):
        table.add_column(title, overflow="fold")
    for name in datasets.names():
        info = datasets.info(name)
        table.add_row(name, info.title, info.licence, info.found)
    console().print(table)
