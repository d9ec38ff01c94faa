"""The catalogue: one frozen row a method. Whatever lists methods reads this and nothing else.

The command line's choices, the public names, the tables in the docs, the common checks and the
candidates of a comparison all derive from it. Classes are named by module and loaded when they are
needed. A class from elsewhere says of itself what a row says here; see `row_of`.

Longer than other files: it is a table.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

from acclimate.exceptions import AcclimateWarning, InputError, MissingExtraError
from acclimate.importing import on_use

Kind = Literal["tabular", "image", "paired", "pretrain"]
Family = Literal[
    "baseline", "transfer", "mapping", "reweighting", "adversarial", "invariant", "semisupervised",
    "source-free", "paired", "self-supervised", "own",
]  # fmt: skip
Task = Literal["classification", "regression"]
TargetLabels = Literal["ignored", "optional", "required"]
Base = Literal["any", "linear", "batch norm"]

GROUP = "acclimate.methods"  # of entry points: what an installed package adds
_BOTH: tuple[Task, ...] = ("classification", "regression")


@dataclass(frozen=True)
class Made:
    """An object among the settings of a paper, such as its base model, made when it is asked for.

    Parameters
    ----------
    path : str
        Module and name of the class or function, with dots.
    args : tuple, default=()
        What it is called with; what is `Made` among it is made first.
    settings : mapping, default={}
        What it is called with by name.
    """

    path: str
    args: tuple[Any, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def make(self) -> Any:
        """Import the class or function, call it, and return what comes of it."""
        module, name = self.path.rsplit(".", 1)
        args = [one.make() if isinstance(one, Made) else one for one in self.args]
        return on_use(module, name)(*args, **self.settings)

    def __str__(self) -> str:
        """Return how it is written in Python."""
        named = [f"{name}={value!r}" for name, value in self.settings.items()]
        return f"{self.path.rsplit('.', 1)[1]}({', '.join([*map(str, self.args), *named])})"


_NEAREST = Made("sklearn.neighbors.KNeighborsClassifier", settings={"n_neighbors": 1})
_UNIT_ROWS = Made("sklearn.preprocessing.Normalizer")
_NEAREST_ANGLE = Made("sklearn.pipeline.make_pipeline", (_UNIT_ROWS, _NEAREST))
_Z_SCORES = Made("acclimate.preprocessing.each_domain.EachDomain", settings={"shrink": 0.0})
_LAST_STEP = {"validator": None}  # papers train for a fixed time
_COMPONENTS = {"kernel": "linear", "shrinkage": 0.0, "as_published": True,
               "preprocess": _UNIT_ROWS, "estimator": _NEAREST_ANGLE}  # fmt: skip
_NETWORK = "network, rate and number of steps are the base model's"
_NO_ADAPTATION = "a reference, not the algorithm of a paper"
_PAIRS = "works on pairs of two modalities, which no published table of adaptation has"
_PRINCIPLE = "the paper is about the principle, and sets no numbers that a default departs from"


@dataclass(frozen=True)
class Row:
    """What is known of a method before it runs.

    The rows of built-in methods are in `CATALOGUE`. A class of your own has its row as a class
    attribute, ``row = Row(target_labels="optional")``, with only what differs from the cautious
    defaults; name and module are those of the class.

    Parameters
    ----------
    name : str, default=""
        Name of the class.
    module : str, default=""
        Module that holds the class. It is imported on first use.
    kind : {"tabular", "image", "paired", "pretrain"}, default="tabular"
        What the method is fitted on, which decides the common checks it must pass.
    family : str, default="own"
        The idea behind it.
    tasks : tuple of {"classification", "regression"}, default=both
        Kinds of target values that it handles.
    target_labels : {"ignored", "optional", "required"}, default="ignored"
        Whether labels of the target reach the method. See `acclimate.Adapter`.
    needs_source : bool, default=True
        Whether `adapt` needs the source rows, and so cannot run from a saved model.
    cost : str, default=""
        How time grows, with n source rows, m target rows and d features.
    paper : str, default=""
        DOI or arXiv id of the source.
    avoid : str, default=""
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
    keeps_rows : bool, default=False
        Whether a fitted model holds rows of the user's, whatever its base model. A comparison
        prefers, at equal worth, what holds none.
    alters : bool, default=True
        Whether a target changes predictions. False for the source-only baseline.
    loses_on_tables : bool, default=False
        Whether it was more than a point below the source's model in the mean over real tables,
        without target labels (``benchmarks/table_methods.py``). `compare` then tries it on a table
        without labels only where it is named.
    paper_settings : mapping, default=None
        What the constructor takes so that the algorithm is the paper's: ``make(name,
        settings="paper")``. Empty where the defaults are. None where there is no such thing.
    paper_note : str, default=""
        What the settings leave open or cannot bring back, or why there are none.
    """

    name: str = ""
    module: str = ""
    kind: Kind = "tabular"
    family: Family = "own"
    tasks: tuple[Task, ...] = _BOTH
    target_labels: TargetLabels = "ignored"
    needs_source: bool = True
    cost: str = ""
    paper: str = ""
    avoid: str = ""
    several_sources: bool = False
    own_classes: bool = False
    partial_classes: bool = False
    open_classes: bool = False
    base: Base = "any"
    network: bool = False
    keeps_rows: bool = False
    alters: bool = True
    loses_on_tables: bool = False
    paper_settings: Mapping[str, Any] | None = field(default=None, hash=False)
    paper_note: str = ""

    def load(self) -> type[Any]:
        """Import the method's module and return its class.

        Raises
        ------
        MissingExtraError
            The class of another package cannot be had; the message says why.
        """
        try:
            cls: type[Any] = on_use(self.module, self.name)
        except Exception as error:
            if self.module.startswith("acclimate."):
                raise
            raise MissingExtraError(
                f"{self.name} cannot be loaded from {self.module} ({type(error).__name__}: "
                f"{error}); repair or remove the package that offers it"
            ) from error
        return cls


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
        paper_note=_NO_ADAPTATION,
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
        paper_note=_NO_ADAPTATION,
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
        paper_note=_PRINCIPLE,
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
        paper_note=_PRINCIPLE,
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
        paper_note=_PRINCIPLE,
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
        paper_note=_NO_ADAPTATION,
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
        paper_note=_PRINCIPLE,
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
        paper_note=_PRINCIPLE,
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
        paper_settings={"min_effective": None, "clip": 1e-9},
        paper_note="weights stay out-of-fold; the paper fits one classifier on all rows",
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
        paper_settings={"min_effective": None},
        paper_note="weights are scaled to 1 on average; the width is the median distance",
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
        loses_on_tables=True,
        paper_settings={},
        paper_note="which rows are left out together depends on their values",
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
        loses_on_tables=True,
        paper_settings={},
        paper_note="width and ridge by leaving one out; the paper has cross-validation",
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
        paper_settings={},
        paper_note="the same optimum, by second-order steps",
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
        loses_on_tables=True,
        paper_settings={"level": 0.0},
        paper_note="ratios by least squares over ratios of at least 0, not by an inverse",
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
        paper_settings={},
        paper_note="source rows that are equal share their cell",
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
        paper_settings={"rate": 1.0},
        paper_note="the rounds and the weights at the start are the user's in the paper",
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
        paper_note="the paper is about classes; no default departs from its sequel",
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
        loses_on_tables=True,
        paper_settings={"shrinkage": 0.5, "align_means": False, "preprocess": _Z_SCORES},
        paper_note="half of the identity is what the paper adds, where features have variance 1",
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
        loses_on_tables=True,
        paper_settings={"shrinkage": 0.0, "preprocess": _Z_SCORES, "estimator": _NEAREST},
        paper_note="without a number, axes are not chosen by the paper's bound but by variance",
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
        loses_on_tables=True,
        paper_settings={"shrinkage": 0.0},
        paper_note="the paper adds a small multiple of the identity to covariances",
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
        keeps_rows=True,
        loses_on_tables=True,
        paper_settings={"shrinkage": 0.0, "regularisation": "classes", "estimator": _NEAREST},
        paper_note="both strengths are chosen by validation in the paper",
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
        loses_on_tables=True,
        paper_settings={"shrinkage": 0.0},
        paper_note="the paper's alpha is one over the largest distance, here in units of the mean",
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
        loses_on_tables=True,
        paper_settings={"shrinkage": 0.0, "max_steps": None},
        paper_note="epsilon is in units of the mean cost",
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
        paper_settings={},
        paper_note="each domain has a constant of its own",
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
        keeps_rows=True,
        loses_on_tables=True,
        paper_settings=_COMPONENTS | {"n_components": 30, "mu": 1.0},
        paper_note="the number of features and mu are found by the published figures",
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
        keeps_rows=True,
        loses_on_tables=True,
        paper_settings=_COMPONENTS | {"n_components": 100, "mu": 1.0, "rounds": 9},
        paper_note="nine rounds of pseudo-labels after the first solution are ten in all",
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
        keeps_rows=True,
        loses_on_tables=True,
        paper_settings=_COMPONENTS | {"n_components": 100, "mu": 0.1, "rounds": 9},
        paper_note="the paper has no rule for the balance; it is estimated",
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
        keeps_rows=True,
        loses_on_tables=True,
        paper_settings=_COMPONENTS | {"n_components": 20, "mu": 1.0, "rounds": 9, "unit": 1.0},
        paper_note="published code weighs rows by one over their norm, the text by half of it",
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
        keeps_rows=True,
        loses_on_tables=True,
        paper_settings={
            "as_published": True,
            "n_components": 20,
            "gamma": 0.5,
            "align": 10.0,
            "smooth": 1.0,
            "rounds": 9,
            "estimator": _NEAREST,
        },
        paper_note="the balance is estimated with each row left out once",
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
        loses_on_tables=True,
        paper_settings={"as_published": True, "shrinkage": 0.0, "estimator": _NEAREST},
        paper_note="without a number, axes are not chosen by the paper's angles but by variance",
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
        loses_on_tables=True,
        paper_settings={"shrinkage": 0.0},
        paper_note="for more than two classes, which the paper has not; no circular validation",
    ),
    Row(
        name="PoissonLearning",
        module="acclimate.semisupervised.poisson_learning",
        kind="tabular",
        family="semisupervised",
        tasks=("classification",),
        target_labels="optional",
        needs_source=True,
        cost="a neighbour search of n + m rows, then one sparse system a class",
        paper="arXiv:2006.11184",
        avoid="neighbours are of different classes, or some classes are much rarer than others",
        keeps_rows=True,
        loses_on_tables=True,
        paper_settings={"unit_columns": False, "ridge": 1e-6, "n_components": None},
        paper_note="a ridge as good as none makes the solution unique",
    ),
    Row(
        name="LabelSpreading",
        module="acclimate.semisupervised.label_spreading",
        kind="tabular",
        family="semisupervised",
        tasks=("classification",),
        target_labels="optional",
        needs_source=True,
        cost="a neighbour search of n + m rows, then one sparse system a class",
        paper="arXiv:2006.11184",
        avoid="neighbours are of different classes, or a class has but a handful of labels",
        keeps_rows=True,
        loses_on_tables=True,
        paper_settings={"n_components": None},
        paper_note="the graph is sparse, its widths follow the neighbours",
    ),
    Row(
        name="SelfTraining",
        module="acclimate.semisupervised.self_training",
        kind="tabular",
        family="semisupervised",
        tasks=("classification",),
        target_labels="optional",
        needs_source=True,
        cost="up to 5 fits on up to n + m rows, and up to 30 for the guard",
        paper="doi:10.3115/981658.981684",
        avoid="the model is sure of wrong labels, or gives no probabilities",
        paper_settings={"guard": False},
        paper_note="a round labels all rows anew, so that a label can be taken back",
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
        paper_settings=_LAST_STEP | {"strength": 2.0},
        paper_note=_NETWORK,
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
        paper_settings=_LAST_STEP,
        paper_note=f"features are aligned, in the paper the outputs; {_NETWORK}",
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
        paper_settings=_LAST_STEP,
        paper_note=_NETWORK,
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
        paper_settings=_LAST_STEP,
        paper_note=_NETWORK,
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
        paper_settings=_LAST_STEP | {"inner_steps": 4},
        paper_note=f"the first head is the source's; {_NETWORK}",
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
        paper_settings=_LAST_STEP,
        paper_note=f"no bottleneck; {_NETWORK}",
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
        paper_settings=_LAST_STEP,
        paper_note=_NETWORK,
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
        paper_settings=_LAST_STEP,
        paper_note=f"one layer, the unbiased estimate, kernels of equal weight; {_NETWORK}",
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
        paper_settings=_LAST_STEP,
        paper_note=_NETWORK,
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
        paper_settings=_LAST_STEP | {"alpha": 0.001, "strength": 0.0001},
        paper_note=_NETWORK,
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
        paper_settings=_LAST_STEP,
        paper_note=_NETWORK,
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
        paper_settings=_LAST_STEP,
        paper_note=_NETWORK,
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
        paper_settings=_LAST_STEP | {"limit": float("inf")},
        paper_note=f"no bottleneck, no dropout that keeps lengths; {_NETWORK}",
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
        paper_settings=_LAST_STEP,
        paper_note=f"on the features that the head reads alone; {_NETWORK}",
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
        paper_settings={},
        paper_note="statistics of all target rows; the paper has a running update",
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
        paper_settings=_LAST_STEP,
        paper_note=f"no bottleneck, weight normalisation or smoothed labels; {_NETWORK}",
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
        paper_settings=_LAST_STEP,
        paper_note=f"all target rows at once, where the paper goes through them once; {_NETWORK}",
    ),
    Row(
        name="PseudoLabel",
        module="acclimate.semisupervised.pseudo_label",
        kind="tabular",
        family="semisupervised",
        tasks=("classification",),
        target_labels="optional",
        needs_source=True,
        cost="one fit on n rows, then as many steps with a batch of each domain",
        paper="arXiv:2001.07685",
        avoid="the network is mostly wrong on the target, and so learns its own errors",
        network=True,
        paper_settings={},
        paper_note=f"the last step is kept as in the paper; {_NETWORK}",
    ),
    Row(
        name="MeanTeacher",
        module="acclimate.semisupervised.mean_teacher",
        kind="tabular",
        family="semisupervised",
        tasks=("classification",),
        target_labels="optional",
        needs_source=True,
        cost="one fit on n rows, then as many steps of two passes over the target's batch",
        paper="arXiv:1703.01780",
        avoid="time is short, or the network is mostly wrong on the target",
        network=True,
        paper_settings={},
        paper_note=f"starts from the network that the labels trained; {_NETWORK}",
    ),
    Row(
        name="FixMatch",
        module="acclimate.semisupervised.fix_match",
        kind="tabular",
        family="semisupervised",
        tasks=("classification",),
        target_labels="optional",
        needs_source=True,
        cost="one fit on n rows, then as many steps of two passes over 7 batches of the target",
        paper="arXiv:2001.07685",
        avoid="time is short, or no change is known that leaves labels as they are",
        network=True,
        paper_settings={},
        paper_note=f"starts from the network that the labels trained; {_NETWORK}",
    ),
    Row(
        name="FlexMatch",
        module="acclimate.semisupervised.flex_match",
        kind="tabular",
        family="semisupervised",
        tasks=("classification",),
        target_labels="optional",
        needs_source=True,
        cost="one fit on n rows, then as many steps of two passes over 7 batches of the target",
        paper="arXiv:2110.08263",
        avoid="time is short, or some classes are much rarer than others",
        network=True,
        paper_settings={},
        paper_note=f"starts from the network that the labels trained; {_NETWORK}",
    ),
    Row(
        name="PairedRidge",
        module="acclimate.paired.paired_ridge",
        kind="paired",
        family="paired",
        tasks=("classification",),
        cost="n d^2 + d^3, or n^2 d with fewer pairs than columns, for each side",
        paper="doi:10.1007/978-3-319-50077-5_2",
        avoid="there are some dozens of pairs, or partners of one item have nothing in common",
        alters=False,
        paper_note=_PAIRS,
    ),
    Row(
        name="PairedCCA",
        module="acclimate.paired.paired_cca",
        kind="paired",
        family="paired",
        tasks=("classification",),
        cost="n d^2, or n^2 d with fewer pairs than columns, for each side",
        paper="doi:10.1093/biomet/28.3-4.321",
        avoid="there are some dozens of pairs",
        alters=False,
        paper_note=_PAIRS,
    ),
    Row(
        name="ContrastiveAlignment",
        module="acclimate.paired.contrastive_alignment",
        kind="paired",
        family="paired",
        tasks=("classification",),
        cost="500 steps with a batch of pairs",
        paper="arXiv:2103.00020",
        avoid="there are some hundred pairs: PairedRidge is as good there",
        network=True,
        alters=False,
        paper_note=_PAIRS,
    ),
    Row(
        name="TeacherThroughPairs",
        module="acclimate.paired.teacher_through_pairs",
        kind="paired",
        family="paired",
        cost="one fit of the student on the pairs",
        paper="arXiv:1507.00448",
        avoid="the teacher is wrong about the pairs, or these could be labelled themselves",
        alters=False,
        paper_note=_PAIRS,
    ),
)


# Ways to pretrain a network without labels: `pretrain` runs them, and they are no adapters.
PRETRAINING: tuple[Row, ...] = (
    Row(
        name="SimCLR",
        module="acclimate.selfsupervised.simclr",
        kind="pretrain",
        family="self-supervised",
        target_labels="ignored",
        needs_source=False,
        cost="2 passes of the network a row and step, and b^2 d of the contrast",
        paper="arXiv:2002.05709",
        avoid="the changes of its views take away what the labels are of, or batches are small",
        network=True,
    ),
    Row(
        name="VICReg",
        module="acclimate.selfsupervised.vicreg",
        kind="pretrain",
        family="self-supervised",
        target_labels="ignored",
        needs_source=False,
        cost="2 passes of the network a row and step, and b d^2 of the covariances",
        paper="arXiv:2105.04906",
        avoid="the changes of its views take away what the labels are of",
        network=True,
    ),
    Row(
        name="BarlowTwins",
        module="acclimate.selfsupervised.barlow_twins",
        kind="pretrain",
        family="self-supervised",
        target_labels="ignored",
        needs_source=False,
        cost="2 passes of the network a row and step, and b d^2 of the correlations",
        paper="arXiv:2103.03230",
        avoid="the changes of its views take away what the labels are of",
        network=True,
    ),
    Row(
        name="Rotation",
        module="acclimate.selfsupervised.rotation",
        kind="pretrain",
        family="self-supervised",
        target_labels="ignored",
        needs_source=False,
        cost="4 passes of the network a row and step",
        paper="arXiv:1803.07728",
        avoid="all four ways up are equally likely, or rows are no images",
        network=True,
    ),
    Row(
        name="MaskedAutoencoder",
        module="acclimate.selfsupervised.masked_autoencoder",
        kind="pretrain",
        family="self-supervised",
        target_labels="ignored",
        needs_source=False,
        cost="1 pass of the network and of a decoder a row and step",
        paper="arXiv:2111.06377",
        avoid="features are to be used as they are, or rows are no images",
        network=True,
    ),
    Row(
        name="SCARF",
        module="acclimate.selfsupervised.scarf",
        kind="pretrain",
        family="self-supervised",
        target_labels="ignored",
        needs_source=False,
        cost="2 passes of the network a row and step, and b^2 d of the contrast",
        paper="arXiv:2106.15147",
        avoid="rows are images, or there are labels enough for boosted trees",
        network=True,
    ),
)


_BUILT_IN = {(row.module, row.name): row for row in CATALOGUE}


def methods(
    *,
    family: str | None = None,
    task: str | None = None,
    target_labels: str | None = None,
    kind: str | None = None,
) -> list[Row]:
    """Return the rows of the catalogue, optionally only those that fit a need.

    Rows of installed packages follow: those that an entry point of the group
    ``acclimate.methods`` names.

    Parameters
    ----------
    family : str, default=None
        Keep one family, such as ``"transfer"``.
    task : {"classification", "regression"}, default=None
        Keep methods that handle this task.
    target_labels : {"ignored", "optional", "required"}, default=None
        Keep methods that treat target labels in this way.
    kind : {"tabular", "image", "paired", "pretrain"}, default=None
        Keep methods that are fitted on such data. The command line and comparisons run
        ``"tabular"`` ones, which are fitted on a source with labels and a target.

    Returns
    -------
    list of Row
        In the catalogue's order, baselines first.

    Warns
    -----
    AcclimateWarning
        A package offers methods that cannot be used; it is named.

    Examples
    --------
    >>> from acclimate import methods
    >>> [row.name for row in methods(family="baseline")]
    ['SourceOnly', 'TargetOnly']
    """
    return [
        row
        for row in (PRETRAINING if kind == "pretrain" else (*CATALOGUE, *_installed()))
        if (family is None or row.family == family)
        and (task is None or task in row.tasks)
        and (target_labels is None or row.target_labels == target_labels)
        and (kind is None or row.kind == kind)
    ]


def make(name: str, *, settings: Literal["default", "paper"] = "default", **changes: Any) -> Any:
    """Return a method, not fitted, with its defaults or with the settings of its paper.

    Defaults are chosen on development data, and depart from the papers where that gains.
    ``settings="paper"`` is for the comparison with published figures
    (``benchmarks/published.py``). docs/methods.md shows them, and what they leave open.

    Parameters
    ----------
    name : str
        Name of a method in the catalogue, such as ``"TCA"``.
    settings : {"default", "paper"}, default="default"
        "paper" is `Row.paper_settings`, with a base model and preprocessing where the paper has
        some.
    **changes
        Settings of your own, which count before those.

    Raises
    ------
    InputError
        There is no such method, or there are no settings of its paper.

    Examples
    --------
    >>> from acclimate import make
    >>> model = make("TCA", settings="paper", n_components=20)
    >>> model.kernel, model.mu, model.n_components
    ('linear', 1.0, 20)
    """
    row = find(name)
    if row is None:
        raise InputError(f"there is no method {name!r}; see acclimate.methods()")
    if settings not in ("default", "paper"):
        raise InputError(f"settings must be 'default' or 'paper', got {settings!r}")
    given: dict[str, Any] = {}
    if settings == "paper":
        if row.paper_settings is None:
            why = f": {row.paper_note}" if row.paper_note else ""
            raise InputError(f"{name} has no settings of its paper{why}; leave settings out")
        given = {
            key: value.make() if isinstance(value, Made) else value
            for key, value in row.paper_settings.items()
            if key not in changes
        }
    return row.load()(**given, **changes)


def find(name: str) -> Row | None:
    """Return the row of a method, or None where there is none of that name."""
    built_in = next((row for row in CATALOGUE if row.name == name), None)
    if built_in is not None:  # packages are asked for other names only
        return built_in
    return next((row for row in _installed() if row.name == name), None)


def row_of(cls: type[Any]) -> Row:
    """Return what is known of a class: its own row, or that of the nearest parent that has one.

    A subclass of a built-in method is that method, with its row, and so it is for a class that
    declares a ``row``. A subclass of a template that declares nothing has cautious defaults.

    Parameters
    ----------
    cls : type
        A subclass of `acclimate.Adapter`.
    """
    for one in cls.__mro__:
        built_in = _BUILT_IN.get((one.__module__, one.__name__))
        if built_in is not None:
            return built_in
        declared = vars(one).get("row")
        if isinstance(declared, Row):
            return replace(declared, name=one.__name__, module=one.__module__)
        template = vars(one).get("_cautious")
        if isinstance(template, Row):
            first = [each for each in cls.__mro__ if each is not one and issubclass(each, one)]
            own = first[-1] if first else one  # the nearest below the template
            return replace(template, name=own.__name__, module=own.__module__)
        if declared is not None:
            raise InputError(
                f'{one.__name__}.row must be a Row, such as Row(target_labels="required"), got '
                f"{declared!r}"
            )
    return Row(cls.__name__, cls.__module__)


@cache
def _installed() -> tuple[Row, ...]:
    """Return the rows that installed packages add. They are asked once a process."""
    from importlib.metadata import entry_points  # reading them takes milliseconds

    found = {row.name: row for row in CATALOGUE}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        who = point.name if point.dist is None else point.dist.name
        try:
            for row in _rows_in(point.load()):
                if row.name in found:
                    raise InputError(f"there is a method {row.name!r} already")
                found[row.name] = row
        except Exception as error:  # whatever an import does
            warnings.warn(
                f"the package {who!r} offers methods that cannot be used: {point.value} "
                f"({type(error).__name__}: {error})",
                AcclimateWarning,
                stacklevel=3,
            )
    return tuple(found.values())[len(CATALOGUE) :]


def _rows_in(value: Any) -> Iterable[Row]:
    """Yield the rows that an entry point names: a row, a class, or several of them."""
    if isinstance(value, Row):
        if not value.name or not value.module:
            raise InputError(f"its row lacks the name or the module of its class: {value}")
        yield value
    elif isinstance(value, type):
        if not hasattr(value, "_cautious"):
            raise InputError(f"its class {value.__name__} is no method: it is no Adapter")
        yield row_of(value)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _rows_in(one)
    else:
        raise InputError(f"it names {value!r}, which is neither a Row nor a class nor a list")
