"""The catalogue: one frozen row a method. Whatever lists methods reads this and nothing else.

The command line's choices, the tables in the docs, the common tests and the candidates of a
comparison all derive from it. Classes are named by module and loaded when they are needed.

Longer than other files: it is a table.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Kind = Literal["tabular", "image", "paired", "pretrain"]
Family = Literal[
    "baseline", "transfer", "mapping", "reweighting", "adversarial", "invariant", "semisupervised",
    "source-free",
]  # fmt: skip
Task = Literal["classification", "regression"]
TargetLabels = Literal["ignored", "optional", "required"]
Base = Literal["any", "linear", "batch norm"]


@dataclass(frozen=True)
class Row:
    """What is known of a method before it runs.

    Parameters
    ----------
    name : str
        Name of the class, importable from ``acclimate``.
    module : str
        Module that holds the class. It is imported on first use.
    kind : {"tabular", "image", "paired", "pretrain"}
        What the method is fitted on, which decides the common checks it must pass.
    family : str
        The idea behind it.
    tasks : tuple of {"classification", "regression"}
        Kinds of target values that it handles.
    target_labels : {"ignored", "optional", "required"}
        Whether labels of the target reach the method. See `acclimate.Adapter`.
    needs_source : bool
        Whether `adapt` needs the source rows, and so cannot run from a saved model.
    cost : str
        How time grows, with n source rows, m target rows and d features.
    paper : str
        DOI or arXiv id of the source.
    avoid : str
        When not to use it.
    several_sources : bool, default=False
        Whether `fit` accepts ``domains``.
    own_classes : bool, default=False
        Whether the target may have classes of its own.
    partial_classes : bool, default=False
        Whether it has a measured answer to a target that lacks classes of the source (``partial``).
    open_classes : bool, default=False
        Whether it has a measured answer to target rows of classes that the source lacks
        (``unknown``).
    base : {"any", "linear", "batch norm"}, default="any"
        What the method asks of its base model.
    network : bool, default=False
        Whether the method's own default needs a neural network, and so torch.
    alters : bool, default=True
        Whether a target changes predictions. False for the source-only baseline.
    quick : mapping, default={}
        Constructor settings that make tests fast.
    """

    name: str
    module: str
    kind: Kind
    family: Family
    tasks: tuple[Task, ...]
    target_labels: TargetLabels
    needs_source: bool
    cost: str
    paper: str
    avoid: str
    several_sources: bool = False
    own_classes: bool = False
    partial_classes: bool = False
    open_classes: bool = False
    base: Base = "any"
    network: bool = False
    alters: bool = True
    quick: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def load(self) -> type[Any]:
        """Import the method's module and return its class."""
        cls: type[Any] = getattr(importlib.import_module(self.module), self.name)
        return cls


_BOTH: tuple[Task, ...] = ("classification", "regression")

CATALOGUE: tuple[Row, ...] = (
    Row(
        name="SourceOnly",
        module="acclimate.base.source_only",
        kind="tabular",
        family="baseline",
        tasks=_BOTH,
        target_labels="ignored",
        needs_source=False,
        cost="one fit on n rows",
        paper="doi:10.1007/s10994-009-5152-4",
        avoid="the domains differ and there is anything better; it is the reference to beat",
        several_sources=True,
        alters=False,
    ),
    Row(
        name="TargetOnly",
        module="acclimate.base.target_only",
        kind="tabular",
        family="baseline",
        tasks=_BOTH,
        target_labels="required",
        needs_source=False,
        cost="one fit on the labelled target rows",
        paper="doi:10.1007/s10994-009-5152-4",
        avoid="there are few target labels and a source that is close",
        several_sources=True,
        own_classes=True,
    ),
    Row(
        name="FineTune",
        module="acclimate.transfer.fine_tune",
        kind="tabular",
        family="transfer",
        tasks=_BOTH,
        target_labels="required",
        needs_source=False,
        cost="one fit on n rows, then one on the labelled target rows",
        paper="arXiv:1411.1792",
        avoid="the source body probes no better than a random one, or the target has no labels",
        several_sources=True,
        own_classes=True,
        network=True,
    ),
    Row(
        name="ParameterTransfer",
        module="acclimate.transfer.parameter",
        kind="tabular",
        family="transfer",
        tasks=_BOTH,
        target_labels="required",
        needs_source=False,
        cost="one fit on n rows, then some hundred on the labelled target rows",
        paper="doi:10.1145/1014052.1014067",
        base="linear",
        avoid="the base model is not linear, or the features mean something else in the target",
        several_sources=True,
        quick=MappingProxyType({"strengths": (float("inf"), 1.0, 0.0), "folds": 2, "repeats": 1}),
    ),
    Row(
        name="JointObjective",
        module="acclimate.transfer.joint_objective",
        kind="tabular",
        family="transfer",
        tasks=_BOTH,
        target_labels="required",
        needs_source=True,
        cost="one fit on n rows, then one on n + m rows",
        paper="doi:10.1007/s10994-009-5152-4",
        avoid="the same inputs mean different labels in the two domains, or the classes differ",
        several_sources=True,
    ),
    Row(
        name="Pooled",
        module="acclimate.transfer.pooled",
        kind="tabular",
        family="transfer",
        tasks=_BOTH,
        target_labels="required",
        needs_source=True,
        cost="one fit on n rows, then one on n + m rows",
        paper="arXiv:0907.1815",
        avoid="the same inputs mean different labels in the two domains, or the classes differ",
        several_sources=True,
    ),
    Row(
        name="SourcePrediction",
        module="acclimate.transfer.source_prediction",
        kind="tabular",
        family="transfer",
        tasks=_BOTH,
        target_labels="required",
        needs_source=False,
        cost="one fit on n rows, then one on the labelled target rows",
        paper="arXiv:0907.1815",
        avoid="the source model is at chance on the target",
        several_sources=True,
        own_classes=True,
    ),
    Row(
        name="Interpolation",
        module="acclimate.transfer.interpolation",
        kind="tabular",
        family="transfer",
        tasks=_BOTH,
        target_labels="required",
        needs_source=False,
        cost="one fit on n rows, then six on the labelled target rows",
        paper="arXiv:0907.1815",
        avoid="both domains are alike, and the source rows are at hand",
        several_sources=True,
    ),
    Row(
        name="DomainDiscriminator",
        module="acclimate.reweighting.discriminator",
        kind="tabular",
        family="reweighting",
        tasks=_BOTH,
        target_labels="ignored",
        needs_source=True,
        cost="five fits of a classifier on n + m rows, then one fit on n rows",
        paper="doi:10.1145/1273496.1273507",
        avoid="a classifier tells the domains apart nearly without error: few rows keep a weight",
        several_sources=True,
        quick=MappingProxyType({"folds": 2}),
    ),
    Row(
        name="KMM",
        module="acclimate.reweighting.kmm",
        kind="tabular",
        family="reweighting",
        tasks=_BOTH,
        target_labels="ignored",
        needs_source=True,
        cost="n m d + n s d for s weights above 0; memory n s. Linear above 20000 rows",
        paper="doi:10.7551/mitpress/7503.003.0080",
        avoid="few source rows are like the target, over 10000 are, or many features are noise",
        several_sources=True,
    ),
    Row(
        name="ULSIF",
        module="acclimate.reweighting.ulsif",
        kind="tabular",
        family="reweighting",
        tasks=_BOTH,
        target_labels="ignored",
        needs_source=True,
        cost="(n + m) b (d + b) for b = 100 centres; memory (n + m) b",
        paper="arXiv:1106.4729",
        avoid="there are many features, or the target is wider than the source",
        several_sources=True,
        quick=MappingProxyType({"widths": (1.0, 3.0), "ridges": (0.1,)}),
    ),
    Row(
        name="RULSIF",
        module="acclimate.reweighting.rulsif",
        kind="tabular",
        family="reweighting",
        tasks=_BOTH,
        target_labels="ignored",
        needs_source=True,
        cost="(n + m) b (d + b) for b = 100 centres; memory (n + m) b",
        paper="arXiv:1106.4729",
        avoid="the shift is mild and rows are many, or there are many features",
        several_sources=True,
        quick=MappingProxyType({"widths": (1.0, 3.0), "ridges": (0.1,)}),
    ),
    Row(
        name="KLIEP",
        module="acclimate.reweighting.kliep",
        kind="tabular",
        family="reweighting",
        tasks=_BOTH,
        target_labels="ignored",
        needs_source=True,
        cost="(n + m) b (d + b) a step for b = 100 centres; memory (n + m) b",
        paper="doi:10.1007/s10463-008-0197-x",
        avoid="some target rows are far from every source row, or there are many features",
        several_sources=True,
        quick=MappingProxyType({"widths": (1.0, 3.0), "folds": 2}),
    ),
    Row(
        name="LabelShift",
        module="acclimate.reweighting.label_shift",
        kind="tabular",
        family="reweighting",
        tasks=("classification",),
        target_labels="ignored",
        needs_source=True,
        cost="five fits on n rows for bbse, m k a step for em, then one fit on n rows",
        paper="arXiv:1802.03916",
        avoid="the inputs of a class change between the domains",
        quick=MappingProxyType({"folds": 2, "level": 0.0}),
    ),
    Row(
        name="NearestNeighborWeights",
        module="acclimate.reweighting.nearest",
        kind="tabular",
        family="reweighting",
        tasks=_BOTH,
        target_labels="ignored",
        needs_source=True,
        cost="a nearest-neighbour search of m rows among n, then one fit on n rows",
        paper="doi:10.1109/MLSP.2012.6349714",
        avoid="there are few target rows, or many features of noise",
        several_sources=True,
    ),
    Row(
        name="TrAdaBoost",
        module="acclimate.reweighting.tradaboost",
        kind="tabular",
        family="reweighting",
        tasks=("classification",),
        target_labels="required",
        needs_source=True,
        cost="one fit on n + m rows a round",
        paper="doi:10.1145/1273496.1273521",
        avoid="there is a handful of target labels, or the source agrees with them as a whole",
        quick=MappingProxyType({"rounds": 3}),
    ),
    Row(
        name="TrAdaBoostR2",
        module="acclimate.reweighting.tradaboost_r2",
        kind="tabular",
        family="reweighting",
        tasks=("regression",),
        target_labels="required",
        needs_source=True,
        cost="steps x folds x rounds fits on n + m rows",
        paper="doi:10.1145/1273496.1273521",
        avoid="there are fewer than ten target labels, or one fit of the model takes long",
        quick=MappingProxyType({"steps": 2, "rounds": 2, "folds": 2}),
    ),
    Row(
        name="CORAL",
        module="acclimate.mapping.coral",
        kind="tabular",
        family="mapping",
        tasks=_BOTH,
        target_labels="optional",
        needs_source=True,
        cost="n d^2 + m d^2 + d^3",
        paper="arXiv:1511.05547",
        avoid="the shares of the classes differ much between the domains",
        several_sources=True,
    ),
    Row(
        name="SubspaceAlignment",
        module="acclimate.mapping.subspace_alignment",
        kind="tabular",
        family="mapping",
        tasks=_BOTH,
        target_labels="optional",
        needs_source=True,
        cost="n d^2 + m d^2 + d^3, or n^2 d + m^2 d with fewer rows than features",
        paper="doi:10.1109/ICCV.2013.368",
        avoid="labels depend on directions of low variance, or all have about the same variance",
        several_sources=True,
    ),
    Row(
        name="LinearMonge",
        module="acclimate.mapping.linear_monge",
        kind="tabular",
        family="mapping",
        tasks=_BOTH,
        target_labels="optional",
        needs_source=True,
        cost="n d^2 + m d^2 + d^3",
        paper="arXiv:1905.10155",
        avoid="the shares of the classes differ much, or features are turned far",
        several_sources=True,
    ),
    Row(
        name="OTMapping",
        module="acclimate.mapping.ot_mapping",
        kind="tabular",
        family="mapping",
        tasks=_BOTH,
        target_labels="optional",
        needs_source=True,
        cost="n m d, some hundred times n m; memory n m, at most 5000^2; exact: memory (n + m) d",
        paper="doi:10.1109/TPAMI.2016.2615921",
        avoid="the shares of the classes differ, or there are few rows with many features",
        several_sources=True,
    ),
    Row(
        name="JDOT",
        module="acclimate.mapping.jdot",
        kind="tabular",
        family="mapping",
        tasks=_BOTH,
        target_labels="ignored",
        needs_source=True,
        cost="up to 10 times: an exact plan, n m d, and a fit on m rows; memory (n + m) d",
        paper="arXiv:1705.08848",
        avoid="the shares of the classes differ, or inputs move so far that classes trade places",
    ),
    Row(
        name="JCPOT",
        module="acclimate.mapping.jcpot",
        kind="tabular",
        family="mapping",
        tasks=("classification",),
        target_labels="ignored",
        needs_source=True,
        cost="n m d and some hundred times n m, then one fit on m rows; memory n m, at most 5000^2",
        paper="arXiv:1803.04899",
        avoid="the inputs of a class change between the domains",
        several_sources=True,
    ),
    Row(
        name="FeatureAugmentation",
        module="acclimate.mapping.feature_augmentation",
        kind="tabular",
        family="mapping",
        tasks=_BOTH,
        target_labels="required",
        needs_source=True,
        cost="one fit on n rows, then one on n and the labelled target rows with 3 d features",
        paper="arXiv:0907.1815",
        avoid="the target has no labels, or the model is a tree",
    ),
    Row(
        name="TCA",
        module="acclimate.mapping.tca",
        kind="tabular",
        family="mapping",
        tasks=_BOTH,
        target_labels="optional",
        needs_source=True,
        cost="(n + m) d^2 with a linear kernel; else (n + m)^2, and linear above 5000 rows",
        paper="doi:10.1109/TNN.2010.2091281",
        avoid="the shares of the classes differ much, or the shift depends on the class",
    ),
    Row(
        name="JDA",
        module="acclimate.mapping.jda",
        kind="tabular",
        family="mapping",
        tasks=("classification",),
        target_labels="optional",
        needs_source=True,
        cost="up to 11 times that of TCA and of a fit on n rows",
        paper="doi:10.1109/ICCV.2013.274",
        avoid="a source model is wrong for most target rows, or the shares of the classes differ",
        quick=MappingProxyType({"rounds": 2}),
    ),
    Row(
        name="BDA",
        module="acclimate.mapping.bda",
        kind="tabular",
        family="mapping",
        tasks=("classification",),
        target_labels="optional",
        needs_source=True,
        cost="up to 11 times that of TCA and of a fit on n rows",
        paper="doi:10.1109/ICDM.2017.150",
        avoid="a source model is wrong for most target rows; class shares differ, not `weighted`",
        quick=MappingProxyType({"rounds": 2}),
    ),
    Row(
        name="TJM",
        module="acclimate.mapping.tjm",
        kind="tabular",
        family="mapping",
        tasks=_BOTH,
        target_labels="optional",
        needs_source=True,
        cost="up to 11 times that of TCA",
        paper="doi:10.1109/CVPR.2014.183",
        avoid="the shares of the classes differ much, or all of the source is relevant",
        quick=MappingProxyType({"rounds": 2}),
    ),
    Row(
        name="MEDA",
        module="acclimate.mapping.meda",
        kind="tabular",
        family="mapping",
        tasks=("classification",),
        target_labels="optional",
        needs_source=True,
        cost="GFK and (n + m)^3; above 5000 rows (n + m) b^2 for b = 500, and a neighbour search",
        paper="doi:10.1145/3240508.3240512",
        avoid="clusters are not classes, or the shares of the classes differ much",
        quick=MappingProxyType({"rounds": 2}),
    ),
    Row(
        name="GFK",
        module="acclimate.mapping.gfk",
        kind="tabular",
        family="mapping",
        tasks=_BOTH,
        target_labels="optional",
        needs_source=True,
        cost="n d^2 + m d^2 + d^3",
        paper="doi:10.1109/CVPR.2012.6247911",
        avoid="labels depend on directions of low variance, or all have about the same variance",
    ),
    Row(
        name="DASVM",
        module="acclimate.semisupervised.dasvm",
        kind="tabular",
        family="semisupervised",
        tasks=("classification",),
        target_labels="ignored",
        needs_source=True,
        cost="one fit a class and round on up to n + m rows",
        paper="doi:10.1109/TPAMI.2009.57",
        avoid="the source model is at chance on the target, or the shares of the classes differ",
        quick=MappingProxyType({"rounds": 2, "max_rounds": 30}),
    ),
    Row(
        name="DANN",
        module="acclimate.adversarial.dann",
        kind="tabular",
        family="adversarial",
        tasks=_BOTH,
        target_labels="optional",
        needs_source=True,
        cost="one fit on n rows, then as many steps with a batch of each domain",
        paper="arXiv:1505.07818",
        avoid="the shares of the classes differ much between the domains",
        several_sources=True,
        partial_classes=True,
        open_classes=True,
        network=True,
        quick=MappingProxyType({"hidden": (8,), "length": 0.25}),
    ),
    Row(
        name="DeepCORAL",
        module="acclimate.invariant.deep_coral",
        kind="tabular",
        family="invariant",
        tasks=_BOTH,
        target_labels="optional",
        needs_source=True,
        cost="one fit on n rows, then as many steps with a batch of each domain",
        paper="arXiv:1607.01719",
        avoid="the shares of the classes differ much, or the domains differ in their means alone",
        several_sources=True,
        open_classes=True,
        network=True,
        quick=MappingProxyType({"length": 0.25}),
    ),
    Row(
        name="CDAN",
        module="acclimate.adversarial.cdan",
        kind="tabular",
        family="adversarial",
        tasks=("classification",),
        target_labels="optional",
        needs_source=True,
        cost="one fit on n rows, then as many steps with a batch of each domain",
        paper="arXiv:1705.10667",
        avoid="the source model is mostly wrong on the target, or class shares differ much",
        several_sources=True,
        partial_classes=True,
        open_classes=True,
        network=True,
        quick=MappingProxyType({"hidden": (8,), "length": 0.25}),
    ),
    Row(
        name="ADDA",
        module="acclimate.adversarial.adda",
        kind="tabular",
        family="adversarial",
        tasks=_BOTH,
        target_labels="ignored",
        needs_source=True,
        cost="one fit on n rows, then as many steps with a batch of each domain",
        paper="arXiv:1702.05464",
        avoid="the shares of the classes differ: nothing stops classes from trading places",
        several_sources=True,
        network=True,
        quick=MappingProxyType({"hidden": (8,), "length": 0.25}),
    ),
    Row(
        name="MCD",
        module="acclimate.adversarial.mcd",
        kind="tabular",
        family="adversarial",
        tasks=("classification",),
        target_labels="ignored",
        needs_source=True,
        cost="one fit on n rows, then as many steps of three passes each",
        paper="arXiv:1712.02560",
        avoid="time is short, or the source model is mostly wrong on the target",
        several_sources=True,
        network=True,
        quick=MappingProxyType({"length": 0.25}),
    ),
    Row(
        name="MDD",
        module="acclimate.adversarial.mdd",
        kind="tabular",
        family="adversarial",
        tasks=("classification",),
        target_labels="ignored",
        needs_source=True,
        cost="one fit on n rows, then as many steps with a batch of each domain",
        paper="arXiv:1904.05801",
        avoid="the source model is mostly wrong on the target, or class shares differ much",
        several_sources=True,
        network=True,
        quick=MappingProxyType({"hidden": (8,), "length": 0.25}),
    ),
    Row(
        name="WDGRL",
        module="acclimate.adversarial.wdgrl",
        kind="tabular",
        family="adversarial",
        tasks=_BOTH,
        target_labels="ignored",
        needs_source=True,
        cost="one fit on n rows, then as many steps with five of the critic in each",
        paper="arXiv:1707.01217",
        avoid="time is short, or the shares of the classes differ much between the domains",
        several_sources=True,
        network=True,
        quick=MappingProxyType({"hidden": (8,), "critic_steps": 1, "length": 0.25}),
    ),
    Row(
        name="DAN",
        module="acclimate.invariant.dan",
        kind="tabular",
        family="invariant",
        tasks=_BOTH,
        target_labels="optional",
        needs_source=True,
        cost="one fit on n rows, then as many steps with a batch of each domain",
        paper="arXiv:1502.02791",
        avoid="the shares of the classes differ much, or batches hold fewer than some 30 rows",
        several_sources=True,
        partial_classes=True,
        open_classes=True,
        network=True,
        quick=MappingProxyType({"length": 0.25}),
    ),
    Row(
        name="JAN",
        module="acclimate.invariant.jan",
        kind="tabular",
        family="invariant",
        tasks=("classification",),
        target_labels="ignored",
        needs_source=True,
        cost="one fit on n rows, then as many steps with a batch of each domain",
        paper="arXiv:1605.06636",
        avoid="the source model is mostly wrong there, or batches hold fewer than some 30 rows",
        several_sources=True,
        network=True,
        quick=MappingProxyType({"length": 0.25}),
    ),
    Row(
        name="DeepJDOT",
        module="acclimate.invariant.deep_jdot",
        kind="tabular",
        family="invariant",
        tasks=("classification",),
        target_labels="ignored",
        needs_source=True,
        cost="one fit on n rows, then as many steps with an exact plan of a batch in each",
        paper="arXiv:1803.10081",
        avoid="the shares of the classes differ, or batches hold few rows of each class",
        several_sources=True,
        network=True,
        quick=MappingProxyType({"length": 0.25}),
    ),
    Row(
        name="MCC",
        module="acclimate.invariant.mcc",
        kind="tabular",
        family="invariant",
        tasks=("classification",),
        target_labels="optional",
        needs_source=True,
        cost="one fit on n rows, then as many steps with a batch of each domain",
        paper="arXiv:1912.03699",
        avoid="the source model is mostly wrong there, or batches hold fewer rows than classes",
        several_sources=True,
        partial_classes=True,
        open_classes=True,
        network=True,
        quick=MappingProxyType({"length": 0.25}),
    ),
    Row(
        name="BNM",
        module="acclimate.invariant.bnm",
        kind="tabular",
        family="invariant",
        tasks=("classification",),
        target_labels="ignored",
        needs_source=True,
        cost="one fit on n rows, then as many steps with a batch of each domain",
        paper="arXiv:2003.12237",
        avoid="the source model is mostly wrong there, or the target lacks many of the classes",
        several_sources=True,
        network=True,
        quick=MappingProxyType({"length": 0.25}),
    ),
    Row(
        name="AFN",
        module="acclimate.invariant.afn",
        kind="tabular",
        family="invariant",
        tasks=("classification",),
        target_labels="ignored",
        needs_source=True,
        cost="one fit on n rows, then as many steps with a batch of each domain",
        paper="arXiv:1811.07456",
        avoid="features are normalised, or the shift does not make the network unsure",
        several_sources=True,
        network=True,
        quick=MappingProxyType({"length": 0.25}),
    ),
    Row(
        name="CAN",
        module="acclimate.invariant.can",
        kind="tabular",
        family="invariant",
        tasks=("classification",),
        target_labels="ignored",
        needs_source=True,
        cost="one fit on n rows, then as many steps, and k-means on m rows before each epoch",
        paper="arXiv:1901.00976",
        avoid="target rows form no clusters, or their clusters are not the classes",
        several_sources=True,
        network=True,
        quick=MappingProxyType({"length": 0.25}),
    ),
    Row(
        name="AdaBN",
        module="acclimate.invariant.adabn",
        kind="tabular",
        family="invariant",
        tasks=("classification", "regression"),
        target_labels="ignored",
        needs_source=False,
        cost="one fit on n rows, then two passes over m rows",
        paper="arXiv:1603.04779",
        base="batch norm",
        avoid="class shares differ: on average it lost on simulated shifts; or no batch norm",
        network=True,
        quick=MappingProxyType({"estimator__network": "mlp-norm"}),
    ),
    Row(
        name="SHOT",
        module="acclimate.sourcefree.shot",
        kind="tabular",
        family="source-free",
        tasks=("classification",),
        target_labels="ignored",
        needs_source=False,
        cost="one fit on n rows, then as many steps with a batch of the target",
        paper="arXiv:2002.08546",
        avoid="the source model is mostly wrong on the target, or class shares differ much",
        network=True,
        quick=MappingProxyType({"length": 0.25}),
    ),
    Row(
        name="TENT",
        module="acclimate.sourcefree.tent",
        kind="tabular",
        family="source-free",
        tasks=("classification",),
        target_labels="ignored",
        needs_source=False,
        cost="one fit on n rows, then a quarter of its steps with a batch of the target",
        paper="arXiv:2006.10726",
        base="batch norm",
        avoid="class shares differ: on average it lost on simulated shifts; or no batch norm",
        network=True,
        quick=MappingProxyType({"estimator__network": "mlp-norm"}),
    ),
)


def methods(
    *,
    family: str | None = None,
    task: str | None = None,
    target_labels: str | None = None,
) -> list[Row]:
    """Return the rows of the catalogue, optionally only those that fit a need.

    Parameters
    ----------
    family : str, default=None
        Keep one family, such as ``"transfer"``.
    task : {"classification", "regression"}, default=None
        Keep methods that handle this task.
    target_labels : {"ignored", "optional", "required"}, default=None
        Keep methods that treat target labels in this way.

    Returns
    -------
    list of Row
        In the catalogue's order, baselines first.

    Examples
    --------
    >>> from acclimate import methods
    >>> [row.name for row in methods(family="baseline")]
    ['SourceOnly', 'TargetOnly']
    """
    return [
        row
        for row in CATALOGUE
        if (family is None or row.family == family)
        and (task is None or task in row.tasks)
        and (target_labels is None or row.target_labels == target_labels)
    ]


def find(name: str) -> Row | None:
    """Return the row of a method, or None where there is none of that name."""
    return next((row for row in CATALOGUE if row.name == name), None)
