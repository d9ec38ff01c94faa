"""Packages that are installed only where somebody asked for them: an extra of acclimate."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

from acclimate.exceptions import MissingExtraError


def need(module: str, extra: str, *, package: str | None = None) -> ModuleType:
    """Import a module of an extra, or say how to install it.

    Parameters
    ----------
    module : str
        Name to import.
    extra : str
        Extra of acclimate that brings it.
    package : str, default=None
        What the package is called where that differs from the module.

    Raises
    ------
    MissingExtraError
        The module is not installed.

    Examples
    --------
    >>> need("json", "ot").__name__
    'json'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if error.name is not None and error.name.partition(".")[0] != module.partition(".")[0]:
            raise  # it is there, and something that it needs is not
        raise _missing(package or module, extra) from error


def find(module: str, extra: str, *, package: str | None = None) -> Path:
    """Return the folder of a module of an extra without importing it, or say how to install it.

    Parameters
    ----------
    module, extra, package
        As in `need`.

    Raises
    ------
    MissingExtraError
        The module is not installed.

    Examples
    --------
    >>> find("json", "ot").name
    'json'
    """
    found = importlib.util.find_spec(module)
    if found is None or not found.submodule_search_locations:
        raise _missing(package or module, extra)
    return Path(next(iter(found.submodule_search_locations)))


def _missing(what: str, extra: str) -> MissingExtraError:
    return MissingExtraError(
        f'this needs {what}, which is not installed: pip install "acclimate[{extra}]"'
    )
