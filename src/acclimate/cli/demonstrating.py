"""`acclimate demo`: the textbook's transfer, and whether it helped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from acclimate.cli.console import EXIT_STOPPED, Status, check_folder, console


def demo(
    quick: Annotated[bool, typer.Option("--quick", help="Two sizes, under a minute.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Ten label draws, some minutes.")] = False,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for report.html and demo.json.")
    ] = Path("acclimate-demo"),
    seed: Annotated[int, typer.Option("--seed", min=0, help="Number of the first draw.")] = 0,
) -> None:
    """Run the textbook's transfer on MNIST, and ask whether it helped.

    MNIST to Fashion-MNIST as in the textbook, then at few labels against training from scratch,
    then the same for MNIST to USPS. Writes a report that opens offline and every figure as JSON.
    """
    from acclimate.cli.demo import run
    from acclimate.report import render_demo, write_text_atomic

    if quick and full:
        raise typer.BadParameter("--quick and --full exclude each other")
    pace = "quick" if quick else "full" if full else "normal"
    check_folder(out)
    given = [f"--{pace}"] * (pace != "normal") + [f"--seed {seed}"] * bool(seed)
    with Status() as status:
        result = run(
            pace, seed=seed, command=" ".join(["acclimate demo", *given]), tell=status.tell
        )
    write_text_atomic(out / "demo.json", json.dumps(result, indent=1, allow_nan=False) + "\n")
    write_text_atomic(out / "report.html", render_demo(result))
    _print_demo(result, out)
    if result["stopped"]:
        raise typer.Exit(EXIT_STOPPED)


def _print_demo(result: dict[str, Any], out: Path) -> None:
    """Print one table a case: accuracy by strategy and number of labels, with the verdict."""
    from rich import box
    from rich.table import Table

    from acclimate.report.wording import VERDICTS, look_of

    screen = console()
    for case in result["cases"]:
        screen.print()
        screen.print(f"[bold]{case['title']}[/bold]")
        job = case.get("textbook")
        if job:
            screen.print(
                f"Textbook, all labels: source accuracy {job['source_accuracy']:.3f}, "
                f"target accuracy {job['target_accuracy']:.3f}, {job['seconds']:.1f} s."
            )
        words = {(v["labels"], v["candidate"]): v["word"] for v in case["verdicts"]}
        scores = {(r["labels"], r["arm"]): r["mean"] for r in case["results"]}
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("accuracy, %; target labels:", overflow="fold")
        for size in case["sizes"]:
            table.add_column(f"{size:,}", justify="right", no_wrap=True)
        for arm in case["arms"]:
            cells = []
            for size in case["sizes"]:
                look = look_of(words.get((size, arm["name"]), ""))
                value = scores.get((size, arm["name"]))
                shown = "" if value is None else f"{100 * value:.1f}"
                cells.append(f"{shown} [{look.colour}]{look.sign or ' '}[/{look.colour}]")
            strong = arm["role"] == "reference"
            table.add_row(f"[bold]{arm['label']}[/bold]" if strong else arm["label"], *cells)
        screen.print(table)
        for finding in case["findings"]:
            screen.print(f"· {finding}", highlight=False)
    key = "  ".join(
        f"[{look.colour}]{look.sign}[/{look.colour}] {word}" for word, look in VERDICTS.items()
    )
    screen.print(f"\nAgainst training from scratch, long enough, with a 95 % interval:\n{key}")
    if result["stopped"]:
        screen.print("[yellow]Stopped early: this is what was done by then.[/yellow]")
    screen.print(f"Report: {out / 'report.html'}\nFigures: {out / 'demo.json'}", soft_wrap=True)
