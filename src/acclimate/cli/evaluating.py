"""`acclimate evaluate`: how good is a model on labelled rows, and is it better than another?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.cli.config import Config, PrintConfig
from acclimate.cli.console import Status, check_out, console, facts, judge, say
from acclimate.cli.options import AsJson, Metric, Positive, Trusted, reads_new_files

if TYPE_CHECKING:
    from acclimate.cli.by_metric import Given
    from acclimate.report.compared_answers import AnswersShown

_TAKEN = 3  # classes that a class is taken for
_COLUMNS = 20  # of which importance is printed


@reads_new_files
def evaluate(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    rows: Annotated[Path, typer.Argument(help="Labelled target rows that it has not seen.")],
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="FILE", help="Model to compare with, on the same rows."),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="COLUMN", help="Labels. Default: the column of the fit."),
    ] = None,
    answers: Annotated[
        bool,
        typer.Option("--answers", help="Confusion, areas under the curves, and the rows missed."),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE.html",
            help="Page with the answers, and with the pictures that are missed.",
        ),
    ] = None,
    importance: Annotated[
        bool,
        typer.Option("--importance", help="How much the score falls without each column."),
    ] = False,
    metric: Metric = None,
    positive: Positive = None,
    as_json: AsJson = False,
    trusted: Trusted = None,
    config: Config = None,
    print_config: PrintConfig = False,
    *,
    how: dict[str, Any],
) -> None:
    """Score a model on labelled rows, with intervals, and say whether transfer helped.

    Without --against, an adapted model is compared with its own source model. Where it was adapted
    with target labels, compare it with a model of the target alone, too: acclimate fit --method
    TargetOnly, and --against.
    """
    from acclimate.cli import rows as door
    from acclimate.cli.by_metric import answered, measured
    from acclimate.cli.scoring import importances, judged, reference, scores
    from acclimate.cli.stored import (
        inputs_for,
        labelled_rows,
        load,
        names_of,
        same_models,
        seen_files,
    )
    from acclimate.judging.metrics import metric_of
    from acclimate.report.plain import json_safe

    if report is not None:
        check_out(report, model, rows, against)
    with Status("evaluating"):
        adapter = load(model, trusted)
        X, y, unknown, table = labelled_rows(adapter, rows, label, how)
        regression = adapter._regression()
        wanted = metric_of(metric, "regression" if regression else "classification")
        given = answered(adapter, X)
        names = None if regression else names_of(adapter)
        found: dict[str, Any] = {"model": model.name, "file": rows.name, "rows": len(y)}
        found |= scores(y, given.answers, regression, names)
        found |= measured(y, given, wanted, positive, names)
        if table.told:
            found["read"] = table.told
        if unknown:
            found["unknown_labels"] = unknown
        role = seen_files(adapter).get(door.sha256(rows)) if rows.is_file() else None
        if role is not None:
            found["seen"] = f"{rows.name} is the {role} file that {model.name} was trained on"
        other = reference(
            adapter,
            X,
            against,
            regression,
            lambda model: inputs_for(model, rows, how, table),
            trusted,
        )
        both = {model.name: given}
        if other is not None:
            same = against is not None and same_models(against, model)
            both[other.name] = answered(other.model, other.X)
            found["against"] = judged(
                adapter, y, given, other.name, both[other.name], names, wanted,
                positive, f"the model {model.name}", same,
            )  # fmt: skip
        shown = None
        if answers or report is not None:
            shown = _answers(adapter, y, both, names, positive, table)
            found["answers"] = json_safe(shown)
        if importance:
            found["importance"] = importances(adapter, X, y, other)
        if report is not None and shown is not None:
            from acclimate.report.evaluation_page import render_evaluation
            from acclimate.report.html import write_text_atomic

            write_text_atomic(report, render_evaluation(found, shown))
    if as_json:
        typer.echo(json.dumps(found, indent=1, allow_nan=False, default=str))
    else:
        door.say_read(table)
        _show(found, shown if answers else None)
        if report is not None:
            say(f"Report: {report}")


def _answers(
    adapter: Any, y: Any, models: Mapping[str, Given], names: Any, positive: Any, table: Any
) -> AnswersShown:
    """Return what the answers look like, with the rows as a person finds them in the file."""
    import numpy as np

    from acclimate.cli import scoring
    from acclimate.cli.stored import settings_of
    from acclimate.cli.stores import row_names
    from acclimate.report.thumbnails import pictured

    scored = np.arange(len(y)) if table.labelled is None else np.flatnonzero(table.labelled)
    shown = scoring.answers(y, models, names, positive, scored)
    if shown.missed is None:
        return shown
    called = row_names(table, shown.missed.positions, settings_of(adapter)["id"])
    return replace(shown, missed=pictured(replace(shown.missed, **called), table.X))


def _show(found: dict[str, Any], shown: AnswersShown | None = None) -> None:
    """Print scores and verdict for a person."""
    from rich import box
    from rich.table import Table

    from acclimate.report.wording import look_of, score, score_range, sentence

    share = found["metric"] == "accuracy"
    say(f"{found['model']} on {found['rows']:,} labelled rows of {found['file']}")
    words = {"accuracy" if share else "R2": _with_interval(found, share)}
    if not share:
        words["error"] = f"{found['root_mean_squared_error']:.4g} (root of the mean square)"
    for row in found.get("also", ()):
        title = row["metric"]
        between = score_range(row["low"], row["high"], title, plain=True).removesuffix(" %")
        words[title] = f"{score(row['score'], title, plain=True)} ({between})"
    facts(words)
    for note in (found.get("uneven"), found.get("note")):
        if note:
            say(f"{sentence(note)}.")
    if share:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("class", overflow="fold")
        table.add_column("rows", justify="right")
        table.add_column("recall, 95 % interval", no_wrap=True)
        table.add_column("taken for", overflow="fold")
        for row in found["recall"]:
            wrong = {name: n for name, n in row["said"].items() if name != row["class"]}
            first = sorted(wrong.items(), key=lambda pair: -pair[1])[:_TAKEN]
            taken = ", ".join(f"{name} ({n:,})" for name, n in first)
            table.add_row(row["class"], f"{row['rows']:,}", _with_interval(row, True), taken)
        console().print(table)
    if "against" in found:
        judge(look_of(found["against"]["word"]), found["against"]["sentence"])
    else:
        say("No verdict: there is nothing to compare with. Name a model with --against.")
    for name, places in found.get("unknown_labels", {}).items():
        where = ", ".join(str(row) for row in places[:5]) + (" ..." if len(places) > 5 else "")
        say(
            f"Not scored: {len(places)} {'row' if len(places) == 1 else 'rows'} of the class "
            f"{name!r}, which the model does not know (row {where})."
        )
    if shown is not None:
        _show_answers(shown)
    if "importance" in found:
        _show_importance(found)
    if "seen" in found:
        say(f"Careful: {found['seen']}. These figures are too good; use other rows.")


def _show_answers(shown: AnswersShown) -> None:
    """Print confusion, areas under the curves and the rows that are missed."""
    from acclimate.report.answer_view import answer_tables
    from acclimate.report.compared import Compared
    from acclimate.report.screen import rich_table

    for table in answer_tables(Compared(answers=shown)):
        say(table.title)
        console().print(rich_table(table))


def _show_importance(found: dict[str, Any]) -> None:
    """Print the fall of the score without each column."""
    from acclimate.report.screen import rich_table
    from acclimate.report.view import Cell, Table

    rows = found["importance"]
    other = found["against"]["reference"] if "against" in found else None
    sides = [("", found["model"]), *([("reference_", other)] if other else [])]
    cells = tuple(
        (Cell(row["column"]), *(Cell(_fall(row, side)) for side, _ in sides))
        for row in rows[:_COLUMNS]
    )
    unit = "points of accuracy" if found["metric"] == "accuracy" else "hundredths of R2"
    say(f"Fall of the score where a column is shuffled, in {unit}:")
    console().print(rich_table(Table(("column", *(f">{name}" for _, name in sides)), cells)))
    if len(rows) > _COLUMNS:
        say(f"... and {len(rows) - _COLUMNS} more columns, with --json")


def _fall(row: Mapping[str, Any], side: str) -> str:
    from acclimate.report.wording import points

    if row[f"{side}fall"] is None:  # the other model does not have the column
        return ""
    return f"{points(row[f'{side}fall'], plain=True)} ± {100 * row[f'{side}spread']:.1f}"


def _with_interval(row: Mapping[str, Any], share: bool) -> str:
    if share:
        return f"{100 * row['score']:.1f} % ({100 * row['low']:.1f} to {100 * row['high']:.1f})"
    return f"{row['score']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
