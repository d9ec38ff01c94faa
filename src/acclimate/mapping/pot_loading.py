"""POT, imported when it is needed."""

from __future__ import annotations

import os
import sys
from types import ModuleType

from acclimate.extras import need

_BACKENDS = {"PYTORCH": "torch", "JAX": "jax", "CUPY": "cupy", "TENSORFLOW": "tensorflow"}


def pot() -> ModuleType:
    """Import POT without the tensor libraries that are not in memory yet.

    Where ``ot`` was imported before, it is that one. To use POT with torch in the same process,
    import torch first.
    """
    if sys.modules.get("ot") is not None:
        return sys.modules["ot"]
    names = {
        f"POT_BACKEND_DISABLE_{word}": "1"
        for word, module in _BACKENDS.items()
        if module not in sys.modules
    }
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        return need("ot", "ot", package="POT")
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
