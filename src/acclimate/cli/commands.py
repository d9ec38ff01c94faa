"""The commands, and what the command line says about itself."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from acclimate import __version__
from acclimate.cli.config import Configured
from acclimate.cli.console import (
    EXIT_BUG,
    EXIT_DRIFTED,
    EXIT_INPUT,
    EXIT_STOPPED,
    EXIT_TERMINATED,
    EXIT_UNSURE,
)
from acclimate.cli.heard import heard
from acclimate.importing import on_use

_BARE = typer.Typer(
    name="acclimate",
    help="Transfer learning and domain adaptation that says whether it helped.",
    epilog=(
        f"Exit codes: 0 done, and inputs hold · {EXIT_INPUT} a value or file cannot be used · "
        f"{EXIT_DRIFTED} inputs drifted · {EXIT_UNSURE} too few rows to tell · "
        f"{EXIT_STOPPED} stopped by Ctrl-C, {EXIT_TERMINATED} by SIGTERM · "
        f"{EXIT_BUG} an error nobody expected; ACCLIMATE_DEBUG=1 shows where."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

_EXAMPLES = {
    "pretrain": "pretrain there --out encoder.acclimate",
    "fit": "fit here.csv --label sick --id patient --out here.acclimate",
    "adapt": "adapt here.acclimate there.csv --out there.acclimate",
    "predict": "predict there.acclimate new.csv --out predictions.csv --proba",
    "evaluate": "evaluate there.acclimate test.csv --against here.acclimate",
    "check": "check there.acclimate next_month.parquet",
    "show": "show there.acclimate",
    "look": "look there.acclimate new_pictures --source here --report look.html",
    "columns": "columns here.csv there.csv --label sick --id patient",
    "diagnose": "diagnose here.csv there.csv --label sick --id patient",
    "rank": "rank there.csv here.csv elsewhere.csv --label sick --id patient",
    "compare": "compare --source here.csv --target there.csv --label sick --id patient "
    "--budget 10m --report report.html",
    "label": "label there.csv --rows 20 --label sick --id patient --out to_label.csv",
    "resume": "resume compare-here-there.sqlite --report report.html",
    "report": "report compare-here-there.sqlite --out report.html",
    "example": "example try",
    "demo": "demo --quick --out my-demo",
    "methods": "methods --family transfer",
    "datasets": "datasets",
}


def _epilog(name: str) -> str:
    return f"Example:  acclimate {_EXAMPLES[name]}"


def _help(command: Callable[..., Any]) -> str:
    """Return a docstring with a line a paragraph: where it breaks is for the terminal to say."""
    return "\n\n".join(
        " ".join(part.split()) for part in (inspect.getdoc(command) or "").split("\n\n")
    )


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"acclimate {__version__}")
        raise typer.Exit


@_BARE.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Transfer learning and domain adaptation that says whether it helped."""


# by name: file and function in `acclimate.cli`, and what kind of command it is
_COMMANDS: dict[str, tuple[str, type[TyperCommand]]] = {
    "columns": ("describing.columns", Configured),
    "diagnose": ("diagnosing.diagnose", Configured),
    "rank": ("diagnosing.rank", Configured),
    "compare": ("comparing.compare", Configured),
    "label": ("labelling.label", Configured),
    "resume": ("comparing.resume", Configured),
    "report": ("comparing.report", TyperCommand),
    "pretrain": ("pretraining.pretrain", Configured),
    "fit": ("fitting.fit", Configured),
    "adapt": ("adapting.adapt", Configured),
    "evaluate": ("evaluating.evaluate", Configured),
    "predict": ("predicting.predict", Configured),
    "look": ("looking.look", Configured),
    "check": ("showing.check", Configured),
    "show": ("showing.show", TyperCommand),
    "example": ("exemplifying.example", TyperCommand),
    "demo": ("demonstrating.demo", TyperCommand),
    "methods": ("listing.methods", TyperCommand),
    "datasets": ("listing.list_datasets", TyperCommand),
}


def app_for(arguments: list[str]) -> typer.Typer:
    """Return the app with the command alone that is asked for first, else with all of them.

    To make all of them takes as long as to read a small file.
    """
    name = arguments[0] if arguments else ""
    return _made((name,)) if name in _COMMANDS else _made(tuple(_COMMANDS))


@functools.cache
def _made(names: tuple[str, ...]) -> typer.Typer:
    app = copy.copy(_BARE)
    app.registered_commands = []
    for name in names:
        place, kind = _COMMANDS[name]
        module, _, function = place.partition(".")
        found = on_use(f"acclimate.cli.{module}", function)
        told = app.command(name, cls=kind, help=_help(found), epilog=_epilog(name))
        told(heard(found))
    return app


def __getattr__(name: str) -> typer.Typer:
    if name == "app":
        return app_for([])
    raise AttributeError(f"module 'acclimate.cli.commands' has no attribute {name!r}")
