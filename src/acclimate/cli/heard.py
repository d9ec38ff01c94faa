"""`--quiet` and `--verbose`, which every command has."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, get_type_hints

import typer

from acclimate.cli.console import LOUDNESS, Loudness
from acclimate.exceptions import InputError

_PANEL = "What is told"
_OPTIONS = {
    "quiet": Annotated[
        bool,
        typer.Option("--quiet", help="No progress and no notes.", rich_help_panel=_PANEL),
    ],
    "verbose": Annotated[
        bool,
        typer.Option("--verbose", help="A line for each thing done.", rich_help_panel=_PANEL),
    ],
}


def heard(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of how much it tells on standard error."""

    @functools.wraps(command)
    def run(*, quiet: bool = False, verbose: bool = False, **given: Any) -> None:
        with _loud(quiet, verbose):
            command(**given)

    own = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True) | _OPTIONS
    last = ("config", "print_config")
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False) for name in _OPTIONS
    ]
    kept = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own.parameters.values()]
    ordered = [
        *(one for one in kept if one.name not in last), *more,
        *(one for one in kept if one.name in last),
    ]  # fmt: skip
    parameters = [one.replace(annotation=hints[one.name]) for one in ordered]
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = hints
    del run.__wrapped__
    return run


@contextmanager
def _loud(quiet: bool, verbose: bool) -> Iterator[None]:
    """Set how much is told, by the log of the name acclimate, too."""
    if quiet and verbose:
        raise InputError("--quiet and --verbose exclude each other")
    log = logging.getLogger("acclimate")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("acclimate: %(message)s"))
    before, passed_on = log.level, log.propagate
    log.setLevel(logging.ERROR if quiet else logging.INFO if verbose else logging.WARNING)
    log.addHandler(handler)
    log.propagate = False
    token = LOUDNESS.set(Loudness.QUIET if quiet else Loudness.VERBOSE if verbose else None)
    try:
        yield
    finally:
        LOUDNESS.reset(token)
        log.removeHandler(handler)
        log.setLevel(before)
        log.propagate = passed_on
