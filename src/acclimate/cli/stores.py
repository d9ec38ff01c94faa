"""Stores of comparisons as commands use them: what was asked, what was found, also so far."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, median
from typing import Any

from acclimate.cli.rows import sha256
from acclimate.comparison.trials.store import Store
from acclimate.report.compared import CandidateRow, Compared
from acclimate.report.compared_parts import Run, TrialCounts
from acclimate.report.plain import json_safe
from acclimate.tables.reading import kind_of


def opened(path: Path) -> Store:
    """Open a store that is there; one that can be written leaves no files beside it."""
    if path.is_file() and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return Store(path)
    return Store(path, read_only=True)


def begin(path: Path, asked: dict[str, Any], line: str) -> None:
    """Note in a store what a run is asked; a result of an earlier run no longer stands."""
    files = {}
    for role in ("source", "target", "labels"):
        if asked.get(role) is None:
            continue
        file = Path(asked[role])
        files[role] = {
            "path": os.path.abspath(file), "sha256": sha256(file) if file.is_file() else None,
        }  # fmt: skip
    with Store(path) as store:
        store.set_meta(
            "command",
            {"asked": asked, "files": files, "line": line,
             "begun": datetime.now(UTC).isoformat(timespec="seconds")},
        )  # fmt: skip
        store.set_meta("comparison", None)
        store.set_meta("diagnosis", None)


def keep(path: Path, name: str, value: Any) -> None:
    """Keep a value in a store, its numbers as JSON can hold them."""
    with Store(path) as store:
        store.set_meta(name, json_safe(value))


def name_rows(
    path: Path, table: Any, id: str | None, why: str, *, no_rows: bool = False
) -> None:  # fmt: skip
    """Say in a store what a person calls the rows of the target file that are told of.

    And ``why`` the labels were taken for the task, which only the command knows. With ``no_rows``
    small copies of pictures are taken out.
    """
    with Store(path) as store:
        written = store.meta("comparison")
        if written is None:
            return
        found = replace(Compared.from_dict(written), task_reason=why)
        if found.to_label is not None:
            named = row_names(table, found.to_label.positions, id)
            found = replace(found, to_label=replace(found.to_label, **named))
        shown = found.answers
        if shown is not None and shown.missed is not None:
            missed = replace(shown.missed, **row_names(table, shown.missed.positions, id))
            missed = replace(missed, thumbnails=()) if no_rows else missed
            found = replace(found, answers=replace(shown, missed=missed))
        store.set_meta("comparison", found.to_dict())


def row_names(table: Any, positions: Sequence[int], id: str | None) -> dict[str, Any]:
    """Return what rows of a file are called.

    Parameters
    ----------
    table : Table
        The rows of the file.
    positions : sequence of int
        Rows, counted from 0.
    id : str or None
        The column of identifiers.

    Returns
    -------
    dict
        ``ids``, or None where there are none, and ``id_name``, what they are. ``file_rows``:
        numbers in the file, as ``file_rows_counted`` says; None for a folder.
    """
    ids, kind = None, kind_of(table.path)
    if table.ids is not None:
        values = table.ids.to_numpy() if hasattr(table.ids, "to_numpy") else table.ids
        ids = [one if isinstance(one, int | str) else str(one)
               for one in values[list(positions)].tolist()]  # fmt: skip
    pictures = kind in ("folder", "picture", "sound")
    named: dict[str, Any] = {
        "ids": ids,
        "id_name": "file in the folder" if pictures else id or ("file" if table.told else None),
        "file_rows": None, "file_rows_counted": None,
    }  # fmt: skip
    if pictures:
        return named
    if table.kept is not None:
        positions = table.kept[list(positions)].tolist()
    sheet = kind in ("csv", "excel")
    first = 2 if sheet else 1
    counted = "as a spreadsheet counts: row 1 is the header" if sheet else "from 1"
    return named | {
        "file_rows": [position + first for position in positions], "file_rows_counted": counted,
    }  # fmt: skip


def read(path: Path) -> tuple[Compared, dict[str, Any] | None]:
    """Return the comparison in a store, with how to run it again, and the diagnosis.

    Where no run has finished, the comparison is what there is so far: it recommends nothing.
    """
    with opened(path) as store:
        written, command = store.meta("comparison"), store.meta("command") or {}
        settings, rows = store.meta("settings") or {}, store.table()
        diagnosis = store.meta("diagnosis")
    latest = max((row["ended"], row["data"]) for row in rows)[1] if rows else None
    mine = [row for row in rows if row["data"] == latest]
    found = so_far(mine, settings, path) if written is None else Compared.from_dict(written)
    versions: dict[str, str] = {}
    for row in mine:
        versions |= row["versions"]
    files = {
        role: f"{Path(one['path']).name} (SHA-256 {one['sha256'] or 'of a folder: none'})"
        for role, one in command.get("files", {}).items()
    }
    run = replace(
        Run(settings, versions, latest) if written is None else found.run,
        command=command.get("line"), created=command.get("begun"), files=files or None,
    )  # fmt: skip
    return replace(found, run=run), diagnosis


def so_far(rows: Sequence[dict[str, Any]], settings: dict[str, Any], path: Path) -> Compared:
    """Return trials that ended as a comparison without a verdict."""
    table = []
    for name in dict.fromkeys(row["candidate"] for row in rows):
        own = [row for row in rows if row["candidate"] == name]
        done = [row for row in own if row["status"] == "done"]
        scores = [row["scores"]["accuracy"] for row in done if "accuracy" in row["scores"]]
        seconds = [row["seconds"] for row in done if row["seconds"] is not None]
        peaks = [row["peak_bytes"] for row in done if row["peak_bytes"] is not None]
        failed = next((row["error"] for row in own if row["status"] != "done"), None)
        table.append(CandidateRow(
            name, own[0]["method"], status="done" if done and failed is None else "failed",
            reason=failed, score=fmean(scores) if scores else None,
            seconds=median(seconds) if seconds else None,
            peak_mb=max(peaks) / 1e6 if peaks else None,
        ))  # fmt: skip
    table.sort(key=lambda row: (row.status != "done", -(row.score or 0.0)))
    ended = sum(row["status"] == "done" for row in rows)
    regression = settings.get("task") == "regression"
    return Compared(
        task=settings.get("task"), score="R2" if regression else "accuracy",
        seed=settings.get("seed"), table=tuple(table),
        trials=TrialCounts(
            done=ended, failed=len(rows) - ended, seconds=sum(row["seconds"] or 0.0 for row in rows)
        ),
        unfinished=(
            f"{len(rows)} fits have ended, and nothing is judged yet. Scores are plain means over "
            f"them, and the best of them says little. To go on: acclimate resume {path.name}"
        ),
    )  # fmt: skip
