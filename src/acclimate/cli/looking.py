"""`acclimate look`: what does a model make of some pictures, and of which others do they remind?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from acclimate.cli.config import Config, PrintConfig
from acclimate.cli.console import Status, check_out, console, say
from acclimate.cli.options import AsJson, Trusted, reads_new_files
from acclimate.exceptions import InputError

MOST = 12  # pictures that are looked at
NEAREST = 4  # source pictures that are shown for each


@reads_new_files
def look(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    rows: Annotated[Path, typer.Argument(help=f"A picture, or pictures; the first {MOST} count.")],
    source: Annotated[
        Path | None,
        typer.Option("--source", metavar="FOLDER", help="Pictures to find the nearest ones among."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE.html", help="Page with the pictures, and where it looks."
        ),
    ] = None,
    top: Annotated[
        int, typer.Option("--top", metavar="NUMBER", min=1, help="Most probable classes to name.")
    ] = 3,
    trusted: Trusted = None,
    as_json: AsJson = False,
    config: Config = None,
    print_config: PrintConfig = False,
    *,
    how: dict[str, Any],
) -> None:
    """Say what a model makes of pictures, and show where it looks and the nearest source pictures.

    With --report each picture is predicted about 60 times with a part covered.
    """
    from acclimate.cli.rows import is_image, read_rows
    from acclimate.cli.stored import load, reading_for
    from acclimate.pictures import nearest, occlusion
    from acclimate.report.html import write_text_atomic
    from acclimate.report.screen import as_rich
    from acclimate.report.view_page import render_view

    if report is not None:
        check_out(report, model, rows, source)
    with Status("reading") as status:
        adapter = load(model, trusted)
        reading = reading_for(adapter, how)
        table = read_rows(rows, how=reading)
        if not is_image(table.X):
            raise InputError(f"{rows.name} holds no pictures; look is for these")
        if not hasattr(adapter, "predict_proba"):
            raise InputError(f"{model.name} predicts values; look is for classes")
        X = table.X[:MOST]
        proba = adapter.predict_proba(X)
        names = _names(table, len(X))
        found: list[dict[str, Any]] = [
            {"picture": name, "says": _says(adapter.classes_, row, top)}
            for name, row in zip(names, proba, strict=True)
        ]
        others = None
        if source is not None:
            status.tell("looking for the nearest")
            others = read_rows(source, how=reading)
            near = nearest(adapter, X, others.X, k=NEAREST)
            called = _names(others, len(others.X))
            for one, places, close in zip(found, near.rows, near.similarity, strict=True):
                one["nearest"] = [
                    {"row": int(j), "picture": called[j], "similarity": float(c)}
                    for j, c in zip(places, close, strict=True)
                ]
        if report is not None:
            status.tell("covering parts")
            fall = occlusion(adapter, X)
            page = _view(found, X, fall, None if others is None else others.X)
            write_text_atomic(report, render_view(page, {"pictures": found}))
    if as_json:
        typer.echo(json.dumps(found, indent=1, allow_nan=False))
        return
    say(f"Read {rows.name}: {table.told}")
    if len(table.X) > MOST:
        say(f"The first {MOST} are looked at.")
    console().print(as_rich(_view(found), MOST, ""))
    if report is not None:
        say(f"Report: {report}")


def _names(table: Any, number: int) -> list[str]:
    """Return what pictures are called: their files, else their number."""
    return [str(k + 1) if table.ids is None else str(table.ids[k]) for k in range(number)]


def _says(classes: Any, row: Any, top: int) -> list[dict[str, Any]]:
    order = (-row).argsort(kind="stable")[:top]
    return [{"class": str(classes[k]), "probability": float(row[k])} for k in order]


def _view(found: list[dict[str, Any]], X: Any = None, fall: Any = None, others: Any = None) -> Any:
    """Return what a terminal shows; with pictures, what a page shows."""
    from acclimate.report.thumbnails import image_source, marked, thumbnails
    from acclimate.report.view import Cell, Line, Table, View
    from acclimate.report.wording import percent

    def small(rows: Any, places: Any) -> tuple[str, ...]:
        return () if rows is None else tuple(map(image_source, thumbnails(rows, places)))

    near = "nearest" in found[0]
    heads = ["picture", "it says", *(["nearest source pictures"] if near else [])]
    heads += [] if fall is None else ["where it looks"]
    cells = []
    for number, one in enumerate(found):
        says = ", ".join(f"{k['class']} {percent(k['probability'], 0)}" for k in one["says"])
        row = [Cell(one["picture"], pictures=small(X, [number])), Cell(says)]
        if near:
            places = [other["row"] for other in one["nearest"]]
            text = ", ".join(other["picture"] for other in one["nearest"])
            row.append(Cell(text, pictures=small(others, places)))
        if fall is not None:
            row.append(Cell(
                f"falls by at most {percent(max(fall[number].max(), 0.0), 0)}",
                pictures=small(marked(X[number], fall[number])[None], [0]),
            ))  # fmt: skip
        cells.append(tuple(row))
    pictures = "picture" if len(found) == 1 else "pictures"
    first = Line(f"What the model makes of {len(found)} {pictures}", strong=True)
    table = Table(tuple(heads), tuple(cells), kind="pictures")
    return View((first, table), "acclimate look")
