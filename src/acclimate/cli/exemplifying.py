"""`acclimate example`: small files to try the commands on."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from acclimate.cli.console import check_folder, say
from acclimate.exceptions import InputError


def example(
    out: Annotated[Path, typer.Argument(help="Folder to write the files to.")] = Path("."),
    seed: Annotated[int, typer.Option("--seed", min=0, help="Other rows.")] = 0,
) -> None:
    """Write small files to try the commands on: made-up patients of two wards.

    here.csv has a label in every row. there.csv comes from another ward, where a laboratory reports
    one value in other numbers, and has 40 labels. test.csv, new.csv and next_month.parquet are more
    rows from there. A file that exists is not written over.
    """
    from acclimate.datasets.two_wards import two_wards
    from acclimate.files import output

    check_folder(out, "")
    tables = {
        out / (f"{name}.parquet" if name == "next_month" else f"{name}.csv"): table
        for name, table in two_wards(seed).items()
    }
    there = [path.name for path in tables if path.exists()]
    if there:
        raise InputError(
            f"{', '.join(there)} exists; name another folder, as in acclimate example try"
        )
    for path, table in tables.items():
        write = table.to_parquet if path.suffix == ".parquet" else table.to_csv
        with output(path) as written:
            write(written, index=False)
    labelled = {path.name: table.get("sick") for path, table in tables.items()}
    for name, labels in labelled.items():
        known = 0 if labels is None else int(labels.notna().sum())
        say(f"{name}: {len(tables[out / name])} rows, {known or 'none'} with a label")
    place = "" if out == Path(".") else f"cd {shlex.quote(str(out))} && "
    command = "acclimate fit here.csv --label sick --id patient --out here.acclimate"
    typer.echo(f"Next:  {place}{command}")  # not folded, so that it can be pasted
