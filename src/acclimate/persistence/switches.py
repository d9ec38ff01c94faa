"""Settings that write, print or start something later come back switched off."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any


def switch_off(parts: Iterable[tuple[str, Any]]) -> None:
    """Take back what a setting would write or print, or start in numbers, at the next fit.

    Folders are those of whoever made the file: ``memory`` and ``checkpoint`` become None, and no
    features are kept in the reader's (``cache``).
    """
    cores = os.cpu_count() or 1
    for _, part in parts:
        own = getattr(part, "__dict__", None)
        if not isinstance(own, dict) or isinstance(part, type):
            continue
        ours = type(part).__module__.startswith("acclimate.")
        theirs = type(part).__module__.startswith("sklearn.")
        if not ours and not theirs and not hasattr(part, "get_params"):
            continue
        own.pop("_skl_callbacks", None)
        for name in ("memory", "checkpoint"):
            if name in own:
                own[name] = None
        if ours and own.get("cache") is True:
            own["cache"] = False
        if theirs and own.get("verbose"):
            own["verbose"] = 0 if isinstance(own["verbose"], int) else False
        if own.get("n_jobs") is not None and not -cores <= own["n_jobs"] <= cores:
            own["n_jobs"] = None
        if "_n_threads" in own and not 1 <= own["_n_threads"] <= cores:
            own["_n_threads"] = cores
