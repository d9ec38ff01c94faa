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
    from acclimate import datasets, tables, transferability
    from acclimate.adapter import Adapter
    from acclimate.adversarial.adda import ADDA
    from acclimate.adversarial.cdan import CDAN
    from acclimate.adversarial.dann import DANN
    from acclimate.adversarial.mcd import MCD
    from acclimate.adversarial.mdd import MDD
    from acclimate.adversarial.wdgrl import WDGRL
    from acclimate.base.neural import NeuralClassifier, NeuralRegressor
    from acclimate.base.source_only import SourceOnly
    from acclimate.base.target_only import TargetOnly
    from acclimate.comparison.compare import compare
    from acclimate.comparison.result import Comparison
    from acclimate.diagnosis.diagnose import diagnose
    from acclimate.domain import Domain
    from acclimate.invariant.adabn import AdaBN
    from acclimate.invariant.afn import AFN
    from acclimate.invariant.bnm import BNM
    from acclimate.invariant.can import CAN
    from acclimate.invariant.dan import DAN
    from acclimate.invariant.deep_coral import DeepCORAL
    from acclimate.invariant.deep_jdot import DeepJDOT
    from acclimate.invariant.jan import JAN
    from acclimate.invariant.mcc import MCC
    from acclimate.judging.judged import Verdict
    from acclimate.judging.verdict import verdict
    from acclimate.mapping.bda import BDA
    from acclimate.mapping.coral import CORAL
    from acclimate.mapping.feature_augmentation import FeatureAugmentation
    from acclimate.mapping.gfk import GFK
    from acclimate.mapping.jcpot import JCPOT
    from acclimate.mapping.jda import JDA
    from acclimate.mapping.jdot import JDOT
    from acclimate.mapping.linear_monge import LinearMonge
    from acclimate.mapping.meda import MEDA
    from acclimate.mapping.ot_mapping import OTMapping
    from acclimate.mapping.subspace_alignment import SubspaceAlignment
    from acclimate.mapping.tca import TCA
    from acclimate.mapping.tjm import TJM
    from acclimate.persistence import load, save
    from acclimate.reweighting.discriminator import DomainDiscriminator
    from acclimate.reweighting.kliep import KLIEP
    from acclimate.reweighting.kmm import KMM
    from acclimate.reweighting.label_shift import LabelShift
    from acclimate.reweighting.nearest import NearestNeighborWeights
    from acclimate.reweighting.rulsif import RULSIF
    from acclimate.reweighting.tradaboost import TrAdaBoost
    from acclimate.reweighting.tradaboost_r2 import TrAdaBoostR2
    from acclimate.reweighting.ulsif import ULSIF
    from acclimate.semisupervised.dasvm import DASVM
    from acclimate.sourcefree.shot import SHOT
    from acclimate.sourcefree.tent import TENT
    from acclimate.transfer.committee import Committee
    from acclimate.transfer.fine_tune import FineTune
    from acclimate.transfer.frozen_body import FrozenBody
    from acclimate.transfer.interpolation import Interpolation
    from acclimate.transfer.joint_objective import JointObjective
    from acclimate.transfer.parameter import ParameterTransfer
    from acclimate.transfer.pooled import Pooled
    from acclimate.transfer.source_prediction import SourcePrediction
    from acclimate.transferability.rank import rank

_MODULES = {
    "Adapter": "acclimate.adapter",
    "Domain": "acclimate.domain",
    "FrozenBody": "acclimate.transfer.frozen_body",
    "NeuralClassifier": "acclimate.base.neural",
    "NeuralRegressor": "acclimate.base.neural",
    "Committee": "acclimate.transfer.committee",
    "Comparison": "acclimate.comparison.result",
    "compare": "acclimate.comparison.compare",
    "diagnose": "acclimate.diagnosis.diagnose",
    "load": "acclimate.persistence",
    "rank": "acclimate.transferability.rank",
    "save": "acclimate.persistence",
    "Verdict": "acclimate.judging.judged",
    "verdict": "acclimate.judging.verdict",
}
_MODULES.update({row.name: row.module for row in CATALOGUE})
_SUBMODULES = ("datasets", "exceptions", "tables", "transferability")

__all__ = [  # noqa: RUF022 - plain order, as dir() has it; ruff would put CORAL first
    "ADDA",
    "AFN",
    "AdaBN",
    "Adapter",
    "BDA",
    "BNM",
    "CAN",
    "CDAN",
    "CORAL",
    "Committee",
    "Comparison",
    "DAN",
    "DANN",
    "DASVM",
    "DeepCORAL",
    "DeepJDOT",
    "Domain",
    "DomainDiscriminator",
    "FeatureAugmentation",
    "FineTune",
    "FrozenBody",
    "GFK",
    "Interpolation",
    "JAN",
    "JCPOT",
    "JDA",
    "JDOT",
    "JointObjective",
    "KLIEP",
    "KMM",
    "LabelShift",
    "LinearMonge",
    "MCC",
    "MCD",
    "MDD",
    "MEDA",
    "NearestNeighborWeights",
    "NeuralClassifier",
    "NeuralRegressor",
    "OTMapping",
    "ParameterTransfer",
    "Pooled",
    "RULSIF",
    "SHOT",
    "SourceOnly",
    "SourcePrediction",
    "SubspaceAlignment",
    "TCA",
    "TENT",
    "TJM",
    "TargetOnly",
    "TrAdaBoost",
    "TrAdaBoostR2",
    "ULSIF",
    "Verdict",
    "WDGRL",
    "__version__",
    "compare",
    "datasets",
    "diagnose",
    "load",
    "methods",
    "rank",
    "save",
    "tables",
    "transferability",
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
