"""How modules are imported on first use."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any


def on_use(module: str, name: str) -> Any:
    """Import a module, and return what it has by a name.

    Examples
    --------
    >>> on_use("math", "floor")(2.5)
    2
    """
    if module in sys.modules:  # nothing comes in, and young garbage is to stay young
        return getattr(import_module(module), name)
    with uncollected():
        return getattr(import_module(module), name)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage while libraries are imported, and rarely among what they brought.

    They bring half a million objects that stay, and collections in the midst of it take a fifth of
    the time. At the end all objects go to the oldest generation, without being looked at. Where
    someone else holds back the collector or keeps objects from it, nothing is changed.
    """
    if not gc.isenabled() or gc.get_freeze_count():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        gc.enable()
