"""The user's own modules, as they are given to `load`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from acclimate.exceptions import InputError
from acclimate.persistence.names import qualified


def makers(modules: Sequence[Any]) -> dict[str, Callable[[], Any]]:
    """Return a maker for each of the user's modules, by the qualified name of its class."""
    found: dict[str, Callable[[], Any]] = {}
    for given in modules:
        if isinstance(given, type):
            found[qualified(given)] = partial(_made, given)
            continue
        from torch import nn

        if isinstance(given, nn.Module):
            found[qualified(type(given))] = partial(copy.deepcopy, given)
            continue
        if not callable(given):
            raise InputError(f"modules must hold classes, callables or modules, got {given!r}")
        found[qualified(type(_made(given)))] = partial(_made, given)
    return found


def _made(make: Callable[[], Any]) -> Any:
    """Call without arguments and return the module."""
    from torch import nn

    shown = getattr(make, "__qualname__", repr(make))
    try:
        module = make()
    except TypeError as error:
        raise InputError(
            f"{shown} cannot be called without arguments ({error}); give a module instead: "
            f"modules=[{shown}(...)]"
        ) from error
    if not isinstance(module, nn.Module):
        raise InputError(f"{shown} gave a {type(module).__name__}, not a torch.nn.Module")
    return module
