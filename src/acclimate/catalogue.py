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
