"""Is a source any good for this target?

Scores of frozen features by the target's labels, and probes. `acclimate.rank` puts them side by
side; over many set-ups no single score was best (arXiv:2204.01403).

>>> import numpy as np
>>> from acclimate.transferability import logme
>>> features = np.array([[0.0], [0.1], [1.0], [1.1]])
>>> logme(features, [0, 0, 1, 1]) > logme(features, [0, 1, 0, 1])
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acclimate.importing import on_use

if TYPE_CHECKING:
    from acclimate.transferability.criteria import leep, logme, nce
    from acclimate.transferability.probes import knn_probe, linear_probe
    from acclimate.transferability.separability import gbc, h_score, parc, transrate

__all__ = [
    "gbc",
    "h_score",
    "knn_probe",
    "leep",
    "linear_probe",
    "logme",
    "nce",
    "parc",
    "transrate",
]

_HOMES = {
    "gbc": "separability",
    "h_score": "separability",
    "knn_probe": "probes",
    "leep": "criteria",
    "linear_probe": "probes",
    "logme": "criteria",
    "nce": "criteria",
    "parc": "separability",
    "transrate": "separability",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return on_use(f"acclimate.transferability.{_HOMES[name]}", name)
    raise AttributeError(f"module 'acclimate.transferability' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
