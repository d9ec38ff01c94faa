"""Packages that are installed only where somebody asked for them: an extra of acclimate."""

from __future__ import annotations

import importlib
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
        raise MissingExtraError(
            f"this needs {package or module}, which is not installed: "
            f'pip install "acclimate[{extra}]"'
        ) from error
