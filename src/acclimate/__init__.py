"""acclimate: transfer learning and domain adaptation that says whether it helped.

*Have labels there, need predictions here.* Public names are loaded on first use, so that importing
the package costs little.

>>> import acclimate
>>> sorted(row.name for row in acclimate.methods() if row.family == "baseline")
['SourceOnly', 'TargetOnly']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from acclimate._version import __version__
from acclimate.catalogue import CATALOGUE, methods

if TYPE_CHECKING:
    from acclimate import datasets, tables
    from acclimate.adapter import Adapter
    from acclimate.base.neural import NeuralClassifier, NeuralRegressor
    from acclimate.base.source_only import SourceOnly
    from acclimate.base.target_only import TargetOnly
    from acclimate.domain import Domain
    from acclimate.mapping.coral import CORAL
    from acclimate.mapping.feature_augmentation import FeatureAugmentation
    from acclimate.mapping.gfk import GFK
    from acclimate.mapping.linear_monge import LinearMonge
    from acclimate.mapping.subspace_alignment import SubspaceAlignment
    from acclimate.mapping.tca import TCA
    from acclimate.persistence import load, save
    from acclimate.reweighting.discriminator import DomainDiscriminator
    from acclimate.reweighting.kliep import KLIEP
    from acclimate.reweighting.kmm import KMM
    from acclimate.reweighting.label_shift import LabelShift
    from acclimate.reweighting.nearest import NearestNeighborWeights
    from acclimate.reweighting.rulsif import RULSIF
    from acclimate.reweighting.ulsif import ULSIF
    from acclimate.selection.verdict import Verdict, verdict
    from acclimate.transfer.fine_tune import FineTune
    from acclimate.transfer.joint_objective import JointObjective
    from acclimate.transfer.parameter import ParameterTransfer

_MODULES = {
    "Adapter": "acclimate.adapter",
    "Domain": "acclimate.domain",
    "NeuralClassifier": "acclimate.base.neural",
    "NeuralRegressor": "acclimate.base.neural",
    "load": "acclimate.persistence",
    "save": "acclimate.persistence",
    "Verdict": "acclimate.selection.verdict",
    "verdict": "acclimate.selection.verdict",
}
_MODULES.update({row.name: row.module for row in CATALOGUE})
_SUBMODULES = ("datasets", "exceptions", "tables")

__all__ = [  # noqa: RUF022 - plain order, as dir() has it; ruff would put CORAL first
    "Adapter",
    "CORAL",
    "Domain",
    "DomainDiscriminator",
    "FeatureAugmentation",
    "FineTune",
    "GFK",
    "JointObjective",
    "KLIEP",
    "KMM",
    "LabelShift",
    "LinearMonge",
    "NearestNeighborWeights",
    "NeuralClassifier",
    "NeuralRegressor",
    "ParameterTransfer",
    "RULSIF",
    "SourceOnly",
    "SubspaceAlignment",
    "TCA",
    "TargetOnly",
    "ULSIF",
    "Verdict",
    "__version__",
    "datasets",
    "load",
    "methods",
    "save",
    "tables",
    "verdict",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    if name in _SUBMODULES:
        return importlib.import_module(f"acclimate.{name}")
    raise AttributeError(f"module 'acclimate' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
