"""The command line. One-line errors, no traceback; everything heavy is imported when it is used."""

from __future__ import annotations

import atexit
import gc
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acclimate.cli.commands import app
    from acclimate.cli.console import (
        EXIT_BUG,
        EXIT_DRIFTED,
        EXIT_INPUT,
        EXIT_STOPPED,
        EXIT_TERMINATED,
        EXIT_UNSURE,
    )

__all__ = [
    "EXIT_BUG",
    "EXIT_DRIFTED",
    "EXIT_INPUT",
    "EXIT_STOPPED",
    "EXIT_TERMINATED",
    "EXIT_UNSURE",
    "app",
    "main",
]


def main() -> None:
    """Run the command line; errors that users can mend are one line."""
    from acclimate.cli.stopping import guarded

    guarded(_run)  # before anything that takes time: Ctrl-C may come while modules are imported


def _run() -> Any:
    from acclimate.cli.streams import repair

    repair()
    atexit.register(gc.freeze)  # at the end nobody looks for garbage among what libraries brought
    from acclimate.cli.commands import app_for
    from acclimate.cli.console import run

    run(app_for(sys.argv[1:]))


def __getattr__(name: str) -> Any:
    if name == "app":
        from acclimate.cli import commands as home
    elif name in __all__:
        from acclimate.cli import console as home  # type: ignore[no-redef]
    else:
        raise AttributeError(f"module 'acclimate.cli' has no attribute {name!r}")
    return getattr(home, name)
