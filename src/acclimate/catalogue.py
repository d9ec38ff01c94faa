"""The catalogue: one frozen row a method. Whatever lists methods reads this and nothing else.

The command line's choices, the tables in the docs, the common tests and the candidates of a
comparison all derive from it. Classes are named by module and loaded when they are needed.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Kind = Literal["tabular", "image", "paired", "pretrain"]
Family = Literal["baseline", "transfer", "mapping", "reweighting", "adversarial", "invariant"]
Task = Literal["classification", "regression"]
TargetLabels = Literal["ignored", "optional", "required"]


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
        name="DomainDiscriminator",
        module="acclimate.reweighting.discriminator",
        kind="tabular",
        family="reweighting",
        tasks=_BOTH,
        target_labels="ignored",
        needs_source=True,
        cost="five fits of a classifier on n + m rows, then one fit on n rows",
        paper="doi:10.1145/1273496.1273507",
        avoid="a classifier tells the domains apart without error: no row is like the target then",
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
        cost="n^2 (d + steps) + n m d; memory n^2",
        paper="doi:10.7551/mitpress/7503.003.0080",
        avoid="there are far more than ten thousand source rows, or many features of noise",
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
        quick=MappingProxyType({"folds": 2}),
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
        avoid="labels depend on directions of low variance",
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
        name="GFK",
        module="acclimate.mapping.gfk",
        kind="tabular",
        family="mapping",
        tasks=_BOTH,
        target_labels="optional",
        needs_source=True,
        cost="n d^2 + m d^2 + d^3",
        paper="doi:10.1109/CVPR.2012.6247911",
        avoid="labels depend on directions of low variance",
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
