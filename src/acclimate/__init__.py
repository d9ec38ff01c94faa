"""acclimate: transfer learning and domain adaptation that says whether it helped.

*Have labels there, need predictions here.* Public names are loaded on first use, so that importing
the package costs little.

>>> import acclimate
>>> sorted(row.name for row in acclimate.methods() if row.family == "baseline")
['SourceOnly', 'TargetOnly']
"""

from __future__ import annotations

import importlib
from typing import Any

from acclimate._version import __version__
from acclimate.catalogue import CATALOGUE, PRETRAINING, make, methods
from acclimate.importing import on_use as _on_use

# Type checkers read the names in __init__.pyi, which scripts/derive.py writes from these.
_MODULES = {
    "Adapter": "acclimate.adapter",
    "Domain": "acclimate.domain",
    "Encoder": "acclimate.selfsupervised.encoder",
    "EachDomain": "acclimate.preprocessing.each_domain",
    "OneScale": "acclimate.preprocessing.one_scale",
    "FrozenBody": "acclimate.transfer.frozen_body",
    "HOG": "acclimate.transfer.hog",
    "LogMel": "acclimate.transfer.log_mel_rows",
    "SoundEncoder": "acclimate.transfer.sound_encoder",
    "NeuralClassifier": "acclimate.base.neural",
    "NeuralRegressor": "acclimate.base.neural",
    "TextEncoder": "acclimate.transfer.text_encoder",
    "Committee": "acclimate.transfer.committee",
    "Comparison": "acclimate.comparison.result",
    "compare": "acclimate.comparison.compare",
    "diagnose": "acclimate.diagnosis.diagnose",
    "export_mlflow": "acclimate.comparison.mlflow",
    "load": "acclimate.persistence",
    "pretrain": "acclimate.selfsupervised.pretrain",
    "rank": "acclimate.transferability.rank",
    "save": "acclimate.persistence",
    "Verdict": "acclimate.judging.judged",
    "verdict": "acclimate.judging.verdict",
} | {row.name: row.module for row in (*CATALOGUE, *PRETRAINING)}
_SUBMODULES = ("datasets", "exceptions", "pictures", "rl", "tables", "testing", "transferability")

__all__ = sorted({"__version__", "make", "methods", *_MODULES, *_SUBMODULES} - {"exceptions"})


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return _on_use(_MODULES[name], name)
    if name in _SUBMODULES:
        return importlib.import_module(f"acclimate.{name}")
    raise AttributeError(f"module 'acclimate' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
