"""Methods that misbehave on purpose. Workers import them from here."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from acclimate import SourceOnly


class Slow(SourceOnly):
    """Takes its time."""

    def _adapt(self, model: Any, source: Any, target: Any, seed: int) -> Any:
        time.sleep(0.2)
        return super()._adapt(model, source, target, seed)


class Dies(SourceOnly):
    """Kills its process."""

    def _adapt(self, model: Any, source: Any, target: Any, seed: int) -> Any:
        os._exit(17)


class Starves(SourceOnly):
    """Runs out of memory."""

    def _adapt(self, model: Any, source: Any, target: Any, seed: int) -> Any:
        raise MemoryError("no room for 8 TB")


class Fails(SourceOnly):
    """Raises."""

    def _adapt(self, model: Any, source: Any, target: Any, seed: int) -> Any:
        raise ValueError(f"not with {np.shape(target.X)}")


class Sleeps(SourceOnly):
    """Never comes back in a time that anybody waits for."""

    def _adapt(self, model: Any, source: Any, target: Any, seed: int) -> Any:
        time.sleep(600)
