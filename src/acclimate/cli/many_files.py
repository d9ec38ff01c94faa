"""`predict` and `check` over a folder of Parquet files: one result a file, gone on with."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from acclimate.cli.clusters import connected
from acclimate.cli.console import EXIT_DRIFTED, EXIT_INPUT, EXIT_UNSURE, Status, console, say
from acclimate.exceptions import AcclimateError, InputError

SHOWN = 20  # files that are listed


def is_folder(rows: Path, cluster: str | None) -> bool:
    """Tell whether rows are a folder of Parquet files, which a cluster is for."""
    from acclimate.tables.folders import parquet_files

    found = bool(parquet_files(rows))
    if cluster is not None and not found:
        raise InputError(f"--cluster is for a folder of Parquet files, and {str(rows)!r} is none")
    return found


def predict(
    answers: Any, model: Path, rows: Path, out: Path, cluster: str | None, **options: Any
) -> None:
    """Predict each file of a folder into one of the same name in another."""
    from acclimate.tables import predict_folder

    with connected(cluster) as client, Status("predicting") as status:
        done = predict_folder(
            answers, rows, out, since=model.stat().st_mtime, executor=client,
            tell=lambda now, all: status.tell(f"{now} of {all} files", now / all), **options,
        )  # fmt: skip
    if done.kept:
        say(f"Kept {len(done.kept)} files that were there and newer")
    say(f"Wrote {sum(done.rows.values()):,} predictions to {len(done.rows)} files in {out}")
    _say_failed(done.failed, len(done.failed) + len(done.rows) + len(done.kept))


def check(
    adapter: Any, reference: Any, model: Path, rows: Path, out: Path | None, alpha: float,
    how: Mapping[str, Any], cluster: str | None,
) -> tuple[dict[str, Any], dict[str, str], int]:  # fmt: skip
    """Check each file of a folder; with ``out`` each finding is a JSON file there.

    Returns
    -------
    tuple
        By name of a file: what was found as plain values; why there is none; and how many findings
        were there.
    """
    from acclimate.tables.folders import check_folders, is_done, parquet_files
    from acclimate.workers import spread, working

    paths = parquet_files(rows)
    if out is not None:
        check_folders(rows, out, paths)
    found: dict[str, Any] = {}
    since = model.stat().st_mtime
    for path in paths:
        kept = None if out is None else _finding(out, path.name)
        fresh = is_done(path, _goal(out, path.name), since)
        if kept is not None and kept["alpha"] == alpha and fresh:
            found[path.name] = kept
    waiting = [path for path in paths if path.name not in found]
    already, all = len(found), len(paths)

    def tell(now: int) -> None:
        status.tell(f"{already + now} of {all} files", (already + now) / all)

    jobs = [(os.path.abspath(path), _path_of(out, path.name)) for path in waiting]
    with connected(cluster) as client, Status("checking") as status, working(client):
        ended = spread(_check_one, jobs, (adapter, reference, alpha, dict(how)), tell)
    failed: dict[str, str] = {}
    for path, one in zip(waiting, ended, strict=True):
        if isinstance(one, str):
            failed[path.name] = one
        elif out is not None and not _goal(out, path.name).is_file():
            failed[path.name] = "its finding was written where this machine does not see it"
        else:
            found[path.name] = one
    ordered = {path.name: found[path.name] for path in paths if path.name in found}
    return ordered, failed, already


def show(found: dict[str, Any], failed: dict[str, str], kept: int, as_json: bool) -> None:
    """Print what was found of each file; the worst decides on the exit code."""
    codes = {one["exit_code"] for one in found.values()}
    code = next((one for one in (EXIT_DRIFTED, EXIT_UNSURE) if one in codes), 0)
    if as_json:
        whole = {"exit_code": EXIT_INPUT if failed else code, "files": found, "failed": failed}
        typer.echo(json.dumps(whole, indent=1, allow_nan=False))
    else:
        _show(found, kept)
    _say_failed(failed, len(found) + len(failed))
    if code:
        raise typer.Exit(code)


def _goal(out: Path | None, name: str) -> Path:
    return (out or Path()) / f"{name.rpartition('.')[0]}.json"


def _path_of(out: Path | None, name: str) -> str | None:
    return None if out is None else os.path.abspath(_goal(out, name))


def _finding(out: Path, name: str) -> Any:
    """Return a finding that is there, or None."""
    try:
        found = json.loads(_goal(out, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {"exit_code", "alpha"} <= set(found) else None


def _check_one(
    adapter: Any, reference: Any, alpha: float, how: dict[str, Any], path: str, out: str | None
) -> Any:
    """Return a finding as plain values, or why there is none."""
    from acclimate.cli.checking import checked, read_known
    from acclimate.report.html import write_text_atomic

    if not Path(path).is_file():
        return "it is not there where it was to be read; a cluster needs a disk that all of it sees"
    try:
        table = read_known(adapter, Path(path), how)
        found = checked(adapter, reference, table.X, alpha).to_dict()
        if out is not None:
            write_text_atomic(out, json.dumps(found, indent=1, allow_nan=False))
    except AcclimateError as error:
        return str(error)
    return found


def _show(found: Mapping[str, Any], kept: int) -> None:
    from rich import box
    from rich.table import Table

    from acclimate.report.wording import look_of

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("file", overflow="fold")
    table.add_column("finding")
    table.add_column("columns that moved", overflow="fold")
    worst = sorted(found.items(), key=lambda row: row[1]["exit_code"] != EXIT_DRIFTED)
    for name, one in worst[:SHOWN]:
        look = look_of(one["word"])
        moved = [c["name"] for c in one["columns"] if c["word"] not in ("same", "not tested")]
        table.add_row(
            name, f"[{look.colour}]{look.sign}[/{look.colour}] {one['word']}", ", ".join(moved)
        )
    console().print(table)
    if len(worst) > SHOWN:
        say(f"... and {len(worst) - SHOWN} more files; see --json")
    if kept:
        say(f"{kept} findings were there and newer")


def _say_failed(failed: Mapping[str, str], all: int) -> None:
    if not failed:
        return
    first = next(iter(failed.items()))
    raise InputError(
        f"{len(failed)} of {all} files failed, the others are done; {first[0]}: {first[1]}"
    )
