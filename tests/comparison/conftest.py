"""A small problem, and methods that misbehave, importable by workers too."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

HERE = str(Path(__file__).parent)


@pytest.fixture
def misbehaving(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([HERE, os.environ.get("PYTHONPATH", "")]))
    return importlib.import_module("misbehaving")


@pytest.fixture(scope="session")
def shifted() -> Callable[..., SimpleNamespace]:
    """Return a maker of two classes: a source, and a target that is moved by ``shift``."""

    def make(seed: int = 0, n: int = 120, m: int = 60, shift: float = 2.0) -> SimpleNamespace:
        rng = np.random.default_rng(seed)

        def draw(rows: int, move: float) -> tuple[Any, Any]:
            y = np.arange(rows) % 2
            X = rng.normal(size=(rows, 3))
            X[:, 0] += 2.5 * y + move
            return X, y

        (X, y), (Xt, yt) = draw(n, 0.0), draw(m, shift)
        return SimpleNamespace(X=X, y=y, Xt=Xt, yt=yt)

    return make
