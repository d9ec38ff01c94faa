"""A TOML file with the names of the options: read with --config, written with --print-config."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from acclimate.exceptions import DataNotFoundError, InputError
from acclimate.files import check_readable

_ASIDE = ("config", "print_config", "help")


def option_names(command: Any) -> dict[str, Any]:
    """Return the parameters of a command by the names that a config file has for them."""
    named = {}
    for parameter in command.params:
        if parameter.name in _ASIDE:
            continue
        longest = max(parameter.opts, key=len).lstrip("-")
        named[longest if parameter.param_type_name == "option" else parameter.name] = parameter
    return named


def read_config(path: Path, command: Any) -> dict[str, Any]:
    """Return the values of a config file by the parameter names of a command.

    Parameters
    ----------
    path : Path
        A TOML file.
    command : TyperCommand
        Its options are the keys that are known.

    Raises
    ------
    DataNotFoundError
        There is no such file.
    InputError
        The file is no TOML, or a key or a value does not fit.
    """
    if not path.exists():
        raise DataNotFoundError(f"there is no config file {str(path)!r}")
    check_readable(path)
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not TOML: {error}") from error
    from acclimate.tables.labels import meant

    known = option_names(command)
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            raise InputError(
                f"{path.name} has the unknown key {key!r}{meant(key, known) or '.'} "
                f"The keys of acclimate {command.name} are {', '.join(known)}"
            )
        parameter = known[key]
        values[parameter.name] = _fitting(value, parameter, key, path.name)
    return values


def _fitting(value: Any, parameter: Any, key: str, where: str) -> Any:
    """Return a value as the command line would hand it to the parameter."""
    many = bool(getattr(parameter, "multiple", False))
    if many and isinstance(value, dict):
        return [f"{name}={toml_value(one)}" for name, one in value.items()]
    if many and isinstance(value, list):
        return [str(one) for one in value]
    if isinstance(value, dict | list):
        raise InputError(f"{where}: {key} takes one value, got {value!r}")
    if getattr(parameter, "is_flag", False):
        if not isinstance(value, bool):
            raise InputError(f"{where}: {key} must be true or false, got {value!r}")
        return value
    if isinstance(value, bool):
        raise InputError(f"{where}: {key} takes a value, got {str(value).lower()}")
    return [str(value)] if many else str(value)


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(one) for one in value)}]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def to_toml(command: Any, values: Mapping[str, Any]) -> str:
    """Return the values of a command's parameters as TOML; those not set are comments."""
    lines = [f"# acclimate {command.name} --config FILE"]
    for key, parameter in option_names(command).items():
        value = values.get(parameter.name)
        lines.append(f"# {key} is not set" if value is None else f"{key} = {toml_value(value)}")
    return "\n".join(lines)


class Configured(TyperCommand):
    """A command whose options can come from a file, and that can print those it would use."""

    def invoke(self, ctx: Any) -> Any:
        """Print the options where that was asked for, else run."""
        if ctx.params.get("print_config"):
            typer.echo(to_toml(self, ctx.params))
            return None
        return super().invoke(ctx)


def _load(ctx: typer.Context, path: Path | None) -> Path | None:
    if path is not None and not ctx.resilient_parsing:
        ctx.default_map = read_config(path, ctx.command)
    return path


Config = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE.toml", is_eager=True, callback=_load,
        help="Options from this file. The command line goes before it.",
    ),
]  # fmt: skip
PrintConfig = Annotated[
    bool, typer.Option("--print-config", help="Print the options in effect as TOML, and stop.")
]
