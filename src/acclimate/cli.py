"""The command line. One-line errors, no traceback; everything heavy is imported when it is used."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from acclimate import __version__
from acclimate.catalogue import methods as catalogue_methods
from acclimate.exceptions import AcclimateError, OutputError

EXIT_INPUT = 2  # a value, file or data set could not be used
EXIT_STOPPED = 130  # Ctrl-C, as shells count it

app = typer.Typer(
    name="acclimate",
    help="Transfer learning and domain adaptation that says whether it helped.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"acclimate {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Transfer learning and domain adaptation that says whether it helped."""


@app.command(
    epilog="Example:  acclimate demo --quick --out my-demo",
)
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
    from acclimate.demo import run
    from acclimate.report import render_demo, write_text_atomic

    if quick and full:
        raise typer.BadParameter("--quick and --full exclude each other")
    pace = "quick" if quick else "full" if full else "normal"
    _check_folder(out)
    given = [f"--{pace}"] * (pace != "normal") + [f"--seed {seed}"] * bool(seed)
    with _Status() as status:
        result = run(
            pace, seed=seed, command=" ".join(["acclimate demo", *given]), tell=status.tell
        )
    write_text_atomic(out / "demo.json", json.dumps(result, indent=1, allow_nan=False) + "\n")
    write_text_atomic(out / "report.html", render_demo(result))
    _print_demo(result, out)
    if result["stopped"]:
        raise typer.Exit(EXIT_STOPPED)


@app.command(epilog="Example:  acclimate methods --family transfer")
def methods(
    family: Annotated[str | None, typer.Option(help="Only this family.")] = None,
    task: Annotated[str | None, typer.Option(help="classification or regression.")] = None,
) -> None:
    """List the methods: what they need, and when not to use them."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("method", "family", "target labels", "not when"):
        table.add_column(title, overflow="fold")
    for row in catalogue_methods(family=family, task=task):
        table.add_row(row.name, row.family, row.target_labels, row.avoid)
    _console().print(table)


@app.command(name="datasets", epilog="Example:  acclimate datasets")
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
    _console().print(table)


MARKS = {
    "helps": ("▲", "green"),
    "hurts": ("▼", "red"),
    "makes no difference": ("=", "cyan"),
    "not settled": ("?", "yellow"),
}


def _print_demo(result: dict[str, Any], out: Path) -> None:
    """Print one table a case: accuracy by strategy and number of labels, with the verdict."""
    from rich import box
    from rich.table import Table

    console = _console()
    for case in result["cases"]:
        console.print()
        console.print(f"[bold]{case['title']}[/bold]")
        job = case.get("textbook")
        if job:
            console.print(
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
                mark, colour = MARKS.get(words.get((size, arm["name"]), ""), (" ", "default"))
                value = scores.get((size, arm["name"]))
                shown = "" if value is None else f"{100 * value:.1f}"
                cells.append(f"{shown} [{colour}]{mark}[/{colour}]")
            strong = arm["role"] == "reference"
            table.add_row(f"[bold]{arm['label']}[/bold]" if strong else arm["label"], *cells)
        console.print(table)
        for finding in case["findings"]:
            console.print(f"· {finding}", highlight=False)
    key = "  ".join(f"[{colour}]{mark}[/{colour}] {word}" for word, (mark, colour) in MARKS.items())
    console.print(f"\nAgainst training from scratch, long enough, with a 95 % interval:\n{key}")
    if result["stopped"]:
        console.print("[yellow]Stopped early: this is what was done by then.[/yellow]")
    console.print(f"Report: {out / 'report.html'}\nFigures: {out / 'demo.json'}", soft_wrap=True)


class _Status:
    """A line on standard error that says what runs; silent where no person is looking."""

    def __enter__(self) -> _Status:
        self.bar: Any = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            self.bar = Progress(
                TextColumn("{task.description}"), BarColumn(bar_width=16), TimeElapsedColumn(),
                console=Console(stderr=True), transient=True,
            )  # fmt: skip
            self.task = self.bar.add_task("starting", total=1.0)
            self.bar.start()
        return self

    def tell(self, words: str, share: float) -> None:
        """Say what runs now and how much is done."""
        if self.bar is not None:
            self.bar.update(self.task, description=words, completed=share)

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.stop()


def _console() -> Any:
    from rich.console import Console

    return Console()


def _check_folder(folder: Path) -> None:
    """Make sure that results can be written, before anything is computed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".acclimate-writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"cannot write to {str(folder)!r}: {error.strerror}. Choose another folder with --out"
        ) from error


def main() -> None:
    """Run the command line; errors that users can mend are one line."""
    try:
        app()
    except AcclimateError as error:
        typer.echo(f"acclimate: {error}", err=True)
        sys.exit(EXIT_INPUT)
    except KeyboardInterrupt:
        typer.echo("acclimate: stopped", err=True)
        sys.exit(EXIT_STOPPED)
