"""Options that several commands share, each described once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer

from acclimate.exceptions import InputError

Id = Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="Identifiers; no input.")]
Drop = Annotated[
    list[str] | None,
    typer.Option("--drop", metavar="COLUMN", help="Column to leave out. Repeatable."),
]
TaskOption = Annotated[
    str | None,
    typer.Option("--task", help="classification or regression. Default: by the labels."),
]
NoRows = Annotated[
    bool,
    typer.Option(
        "--no-rows",
        help="Write no model file that holds rows of a table, and no copies of pictures.",
    ),
]
Trusted = Annotated[
    list[str] | None,
    typer.Option(
        "--trusted",
        metavar="NAME",
        help="Type of another package that a model file may hold, as package.Estimator. "
        "Repeatable. Only for files whose maker you trust.",
    ),
]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, help="Processes. Default: one a core.")]
Single = Annotated[
    bool,
    typer.Option(
        "--single",
        help="With labels: one model in place of a committee of several; says what that costs.",
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        "--metric", metavar="NAME",
        help="What is judged by: balanced_accuracy, f1, precision, recall, auc, average_precision, "
        "log_loss, brier; mae, rmse; or a scorer of scikit-learn. Default: accuracy or R2.",
    ),
]  # fmt: skip
Positive = Annotated[
    str | None,
    typer.Option(
        "--positive", metavar="CLASS",
        help="Class that F1, AUC and the like are of. Default: the rarer of two.",
    ),
]  # fmt: skip
Threshold = Annotated[
    str | None,
    typer.Option(
        "--threshold", metavar="tuned",
        help="Of two classes: answer the positive one from the probability on that is best by the "
        "metric, chosen on held-out labels. Default: from a half on.",
    ),
]  # fmt: skip
Share = Annotated[
    list[str] | None,
    typer.Option(
        "--share", metavar="CLASS=SHARE",
        help="Share of the target's rows that is of a class, as sick=0.7 or sick=0.6..0.8; for a "
        "target without labels. Repeatable.",
    ),
]  # fmt: skip
Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels", metavar="FILE.csv",
        help="Labels of some target rows: a sheet of acclimate label, filled in.",
    ),
]  # fmt: skip
Encoder = Annotated[
    str | None,
    typer.Option(
        "--encoder", metavar="WORD",
        help="What makes rows of features: of pictures efficientnet-lite0, hog, pixels, of sounds "
        "whisper-tiny, logmel, of columns of text minilm, wordllama; or the file of a saved model "
        "that has one.",
    ),
]  # fmt: skip
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_PANEL = "How files are read"
_PICTURES = "How pictures and sounds are read"
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


def _one(name: str, help: str, metavar: str) -> Any:
    option = typer.Option(f"--{name}", metavar=metavar, help=help, rich_help_panel=_PANEL)
    return Annotated[str | None, option]


def _many(name: str, help: str, metavar: str = "COLUMN") -> Any:
    option = typer.Option(
        f"--{name}", metavar=metavar, help=f"{help} Repeatable.", rich_help_panel=_PANEL
    )
    return Annotated[list[str] | None, option]


def _of_pictures(name: str, help: str, metavar: str | None = None) -> Any:
    option = typer.Option(f"--{name}", metavar=metavar, help=help, rich_help_panel=_PICTURES)
    return Annotated[bool if metavar is None else str | None, option]


FILE = {
    "encoding": _one("encoding", "Of a CSV, such as latin-1. Default: UTF-8.", "NAME"),
    "delimiter": _one("delimiter", "What parts cells. Default: by the first line.", "MARK"),
    "decimal": _one("decimal", "Decimal mark. Default: by the first rows.", "MARK"),
    "missing": _many("missing", "Cell that means missing, such as '?'.", "TEXT"),
    "date": _many("date", "Column of dates, as COLUMN or COLUMN=%d/%m/%Y.", "COLUMN[=FORMAT]"),
}
KINDS = {
    "categorical": _many("categorical", "Column of categories that look like numbers."),
    "text": _many("text", "Column of free text."),
    "number": _many("number", "Column of numbers."),
}
# of pictures: what a new file may need, and what belongs to the model
NEW_PICTURES = {
    "resize": _of_pictures("resize", "crop, pad or stretch to the size. Default: crop.", "HOW"),
    "white": _of_pictures("white", "White in pictures of 16 bits: 65535 or 4095.", "NUMBER"),
    "skip_bad": _of_pictures("skip-bad", "Go on without files that cannot be read."),
}
PICTURES = {
    "image_size": _of_pictures("image-size", "Pixels, as 96 or 96x64. Default: as it is.", "SIZE"),
    **NEW_PICTURES,
    "grey": _of_pictures("grey", "Read all as grey."),
    "colour": _of_pictures("colour", "Read all in colour. Default: where one has it."),
    "background": _of_pictures("background", "Behind what is clear. Default: white.", "COLOUR"),
    "seconds": _of_pictures("seconds", "Of sounds. Default: the longest's, rounded up.", "NUMBER"),
}


def reads_files(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all options of how files are read. It gets them as the mapping ``how``."""
    return _extended(command, FILE | KINDS | PICTURES)


def reads_new_files(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command on a model those that a new file may need: the kinds are the model's."""
    return _extended(command, FILE | NEW_PICTURES)


def _extended(command: Callable[..., None], options: dict[str, Any]) -> Callable[..., None]:
    @functools.wraps(command)
    def run(**given: Any) -> None:
        how = {name: given.pop(name) for name in options}
        command(**given, how={name: value for name, value in how.items() if value})

    own = inspect.signature(command)
    kept = [one for name, one in own.parameters.items() if name != "how"]
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False if flag else None)
        for name, flag in ((name, get_args(one)[0] is bool) for name, one in options.items())
    ]
    plain = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in kept]
    last = [one for one in plain if one.name in ("config", "print_config")]
    first = [one for one in plain if one not in last]
    hints = get_type_hints(command, include_extras=True)
    hints.pop("how")
    hints |= options
    parameters = [one.replace(annotation=hints[one.name]) for one in (*first, *more, *last)]
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = hints
    del run.__wrapped__
    return run


def seconds_of(budget: str | None) -> float | None:
    """Return a time such as "10m" in seconds.

    Examples
    --------
    >>> seconds_of("10m"), seconds_of("1.5h"), seconds_of("90"), seconds_of(None)
    (600.0, 5400.0, 90.0, None)
    """
    if budget is None:
        return None
    text = budget.strip().lower()
    number, unit = (text[:-1], text[-1:]) if text[-1:] in ("s", "m", "h") else (text, "")
    try:
        value = float(number) * _UNITS[unit]
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise InputError(f"--budget takes a time above 0 such as 90s, 10m or 2h, got {budget!r}")
    return value
