"""Which methods are worth a trial: by need, from the catalogue, in the order they are trusted."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np

from acclimate.base.words import is_network
from acclimate.catalogue import Row, find, methods
from acclimate.comparison.own_code import code_mark
from acclimate.comparison.trials.shared import fingerprint
from acclimate.exceptions import InputError

SOURCE_ONLY, TARGET_ONLY, POOLED = "SourceOnly", "TargetOnly", "Pooled"
BASELINES = (SOURCE_ONLY, TARGET_ONLY)
_KEEPERS = (
    "BaseSVC", "SVR", "NuSVR", "NeighborsBase", "KernelRidge", "GaussianProcessClassifier",
    "GaussianProcessRegressor", "BaseLabelPropagation",
)  # fmt: skip
# Among candidates that are level the first is picked. What blends both domains is seldom far below
# either (see `refits.pick`), so it comes first; the baselines come last, to be picked only where
# they are clearly better.
# grown whole, so that fine-tuning has nothing to go on from
_GROWN = ("ExtraClassifier", "ExtraRegressor", "ForestClassifier", "ForestRegressor")
LOSES = "on real tables it was more than a point below the source's model; name it to try it"
_WITHOUT_NORM = ("mlp", "cnn")  # built-in networks that have no batch norm
# The standards of the few-label case (Daumé III, arXiv:0907.1815), for each base model.
STANDARDS = (
    "Pooled", "SourcePrediction", "Interpolation", "FineTune", "SourceOnly", "TargetOnly",
)  # fmt: skip
_VARIANTS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "Pooled": (
        ("", {}), ("no column", {"column": False}), ("balance 0.3", {"balance": 0.3}),
        ("balance 0.6", {"balance": 0.6}),
    ),
}  # fmt: skip
_OF_IMAGES = {"Pooled": (("no column", {"column": False}),)}  # which take no further column
_PLAIN: tuple[tuple[str, dict[str, Any]], ...] = (("", {}),)
# With trees grown whole: on development shifts the committee is as good without the others, which
# are two thirds of its cost.
_GROWN_TOO = ("Pooled", "SourcePrediction", "SourceOnly", "TargetOnly")
FEW_LABELS = 1000  # of both domains
MANY_UNLABELLED = 10  # rows without a label over rows with one
_TRUSTED = ("JointObjective", "ParameterTransfer", "FineTune", "FeatureAugmentation")


@dataclass(frozen=True)
class Need:
    """What the data ask of a method.

    Parameters
    ----------
    task : {"classification", "regression"}
    labels : bool
        Whether the target has labels.
    several : bool
        Whether there are several sources.
    own_classes : bool
        Whether the target has classes that the source lacks.
    images : bool
        Whether a row has more than one axis.
    networks : bool
        Whether torch may be used.
    few_labels : bool
        Whether labels are few and rows without one many: at most ``FEW_LABELS`` in both domains,
        and ``MANY_UNLABELLED`` times as many without.
    table : bool
        Whether the rows are those of a data frame, whose columns each mean something.
    """

    task: str
    labels: bool
    several: bool = False
    own_classes: bool = False
    images: bool = False
    networks: bool = False
    few_labels: bool = False
    table: bool = False


@dataclass(frozen=True)
class Candidate:
    """A method with its base estimator, as it is tried.

    Parameters
    ----------
    name : str
        Unique in the comparison.
    row : Row
        Of the catalogue.
    estimator : str
        Name of the base estimator.
    model : Adapter
        Not fitted.
    uses_labels : bool
        Whether it sees target labels.
    several : bool
        Whether it is told the sources apart.
    config : mapping
        Plain values that describe the model wholly.
    """

    name: str
    row: Row
    estimator: str
    model: Any
    uses_labels: bool
    several: bool
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def baseline(self) -> bool:
        """Whether it is one of the two references."""
        return self.row.name in BASELINES

    @property
    def pooled(self) -> bool:
        """Whether it trains on target labels and source rows together."""
        return self.uses_labels and self.row.needs_source

    @property
    def dear(self) -> bool:
        """Whether a fit is expected to take long: networks, and what fits hundreds of models."""
        return is_network(self.model.estimator) or (
            self.row.network and self.model.estimator is None
        )


@dataclass(frozen=True)
class Excluded:
    """A row of the catalogue that is not tried, and why."""

    method: str
    reason: str


def choose(
    need: Need,
    estimators: Mapping[str, Any],
    preprocess: Any,
    seed: int,
    names: Sequence[str] | None = None,
    own: Mapping[str, Any] | None = None,
    variants: bool = False,
    lean: bool = False,
) -> tuple[list[Candidate], list[Excluded]]:
    """Return the candidates in the order they are trusted, and what was left out.

    `SourceOnly` is always there, and `TargetOnly` where the target has labels.

    Parameters
    ----------
    need : Need
        What the data ask for.
    estimators : mapping from str to estimator
        Base models by name.
    preprocess : transformer, mapping from str to transformer, or None
        Part of every candidate, or by base model, with "" for methods that read no data frames.
    seed : int
        Of every candidate.
    names : sequence of str, default=None
        Only these methods, and the baselines.
    own : mapping from str to Adapter, default=None
        Methods of the user's, each trusted next after the catalogue's of the same class; those that
        are in no catalogue after all but the baselines.
    variants : bool, default=False
        Whether methods are tried with several settings, as a committee has them.
    lean : bool, default=False
        Whether ``names`` are our choice: those that do not fit are left out, and trees that are
        grown whole take part with a few methods only.

    Raises
    ------
    InputError
        A name is in no row of the catalogue, or its method cannot be used here.
    """
    rows = methods()
    for name in names or ():
        if find(name) is None:
            raise InputError(
                f"there is no method {name!r}; choose from {[row.name for row in rows]}"
            )
    candidates, excluded = [], []
    for row in sorted(rows, key=_trust):
        wanted = names is None or row.name in names or row.name in BASELINES
        reason = why_not(row, need) if wanted else None
        if names is None and need.table and not need.labels and row.loses_on_tables:
            reason = reason or LOSES
        if reason is None and names is None:
            reason = _too_dear(row, need)
        if reason is None and wanted:
            kinds = _VARIANTS.get(row.name, _PLAIN) if variants else _PLAIN
            kinds = _OF_IMAGES.get(row.name, _PLAIN) if need.images else kinds
            found, reason = _of_row(row, need, estimators, preprocess, seed, kinds, lean)
            candidates += found
        if reason is not None:
            if names is not None and row.name in names and not lean:
                raise InputError(f"{row.name} cannot be compared here: {reason}")
            excluded.append(Excluded(row.name, reason))
    known = {c.name for c in candidates}
    for name, model in (own or {}).items():
        if name in known:
            raise InputError(f"there is a candidate {name!r} already; choose another name")
        candidates.append(_of_user(name, model, need, seed))
    return sorted(candidates, key=lambda c: _trust(c.row, c.model._base())), excluded


def why_not(row: Row, need: Need) -> str | None:
    """Return why a method does not fit the need, or None where it does."""
    if row.kind not in (("tabular", "image") if need.images else ("tabular",)):
        return f"it is made for other data ({row.kind})"
    if need.task not in row.tasks:
        return f"it does no {need.task}"
    if row.target_labels == "required" and not need.labels:
        return "it needs target labels"
    if need.own_classes and not row.own_classes and row.name != SOURCE_ONLY:
        return "the target has classes that the source lacks"
    if row.network and row.family != "transfer" and not need.networks:
        return "it needs a network; pass networks=True"
    return None


def _for_few_labels(row: Row) -> bool:
    return row.family == "semisupervised" and row.network


def _too_dear(row: Row, need: Need) -> str | None:
    """Return why a method takes longer than it is worth here, or None; it runs where asked for."""
    if _for_few_labels(row) and not need.few_labels:
        return (
            f"it takes long, and is for at most {FEW_LABELS} labels and {MANY_UNLABELLED} times as "
            f"many rows without one; name it in methods to try it"
        )
    return None


def _needs_rows(row: Row, need: Need, preprocess: Any) -> str | None:
    """Return why a method cannot read images as they come, or None where it can."""
    if need.images and row.family == "mapping" and preprocess is None:
        return "it maps rows of features; images need a preprocess that makes some"
    return None


def keeps_rows(estimator: Any) -> bool:
    """Tell whether a base model predicts with rows that it was fitted on, by what it is called."""
    return any(cls.__name__ in _KEEPERS for cls in type(estimator).__mro__)


def _trust(row: Row, estimator: Any = None) -> tuple[int, bool, int]:
    """Sort key: trusted methods, then the catalogue's order, the baselines last.

    In each group what keeps rows of the user's comes last: it is picked only where it is better.
    After it come networks for few labels, whose fits are long, so that others have the time first.
    """
    rows = methods()
    place = rows.index(row) if row in rows else len(rows)  # a method of the user's own
    keeps = row.keeps_rows or keeps_rows(estimator) or _for_few_labels(row)
    if row.name in _TRUSTED:
        return 0, keeps, _TRUSTED.index(row.name)
    return (2 if row.name in BASELINES else 1), keeps, place


def _of_row(
    row: Row,
    need: Need,
    estimators: Mapping[str, Any],
    preprocess: Any,
    seed: int,
    kinds: Sequence[tuple[str, Mapping[str, Any]]],
    lean: bool = False,
) -> tuple[list[Candidate], str | None]:
    try:
        cls = row.load()
    except ImportError as error:
        return [], f"a package is missing: {error}"
    reason = _needs_rows(row, need, preprocess)
    if reason is not None:
        return [], reason
    deep = row.network and row.family != "transfer"
    both = row.family in ("transfer", "baseline")
    shallow = {name for name, one in estimators.items() if not is_network(one)}
    fitting = {
        name: one
        for name, one in estimators.items()
        # a shallow method runs on networks only where the user gave nothing else
        if is_network(one) or not deep
        if both or deep or not is_network(one) or not shallow
        if row.base != "linear" or not is_network(one)
        if row.name != "FineTune" or not _grown(one)
        if row.name != "SelfTraining" or not is_network(one)  # dear
        if not lean or row.name in _GROWN_TOO or not _grown(one)
    }
    if not fitting:
        kind = "linear" if row.base == "linear" else "network as its"
        return [], f"it needs a {'quicker' if row.name == 'SelfTraining' else kind} base model"
    if row.base == "batch norm":
        fitting = {
            k: v for k, v in fitting.items() if getattr(v, "network", None) not in _WITHOUT_NORM
        }
        if not fitting:
            return [], "it needs a network with batch norm, such as mlp-norm or cnn-norm"
    found = []
    for name, estimator in fitting.items():
        title = row.name if len(estimators) == 1 else f"{row.name}/{name}"
        mine = name if getattr(cls, "_reads_frames", False) else ""
        step = preprocess[mine] if isinstance(preprocess, Mapping) else preprocess
        switches = [False]
        if row.target_labels == "optional" and need.labels:
            switches.append(True)
        for switch, (kind, more) in product(switches, _PLAIN if _grown(estimator) else kinds):
            settings = {"estimator": estimator, "preprocess": step, "random_state": seed}
            known = inspect.signature(cls).parameters
            settings = {key: value for key, value in settings.items() if key in known} | dict(more)
            if switch:
                settings["use_target_labels"] = True
            model = cls(**settings)
            several = need.several and row.several_sources
            config = {"method": row.name, "model": describe(model), "several": several}
            full = f"{title}, {kind}" if kind else title
            found.append(Candidate(
                f"{full} + labels" if switch else full, row, name, model,
                switch or row.target_labels == "required", several, config,
            ))  # fmt: skip
    return found, None


def _grown(estimator: Any) -> bool:
    return type(estimator).__name__ in _GROWN


def _of_user(name: str, model: Any, need: Need, seed: int) -> Candidate:
    """Return a candidate for a method that the user set up."""
    from sklearn.base import clone

    from acclimate.adapter import Adapter

    if not isinstance(model, Adapter):
        raise InputError(
            f"candidate {name!r} must be a method such as FineTune(...), not fitted, got "
            f"{type(model).__name__}; base models go into estimator="
        )
    row = model._row()
    if find(row.name) not in (None, row):  # results are told apart by it
        raise InputError(
            f"candidate {name!r}: its class is called {row.name}, as is another method; rename it"
        )
    task = "regression" if model._regression() else "classification"
    reason = why_not(row, replace(need, networks=True)) or _needs_rows(row, need, model.preprocess)
    if reason is None and task != need.task:
        reason = f"its base model is for {task}"
    if reason is not None:
        raise InputError(f"candidate {name!r} cannot be compared here: {reason}")
    model = clone(model)
    if model.random_state is None:
        model.set_params(random_state=seed)
    several = need.several and row.several_sources
    config = {"method": type(model).__name__, "model": describe(model), "several": several}
    code = code_mark(type(model))
    if code is not None:  # a class that was rewritten is another method
        config["code"] = code
    return Candidate(
        name, row, type(model._base()).__name__, model, model._sees_target_labels(), several, config
    )


def describe(value: Any) -> Any:
    """Return a plain value that is equal where the settings are equal.

    Estimators become their class and settings; arrays and other objects a hash of their content.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> described = describe(Ridge(alpha=2.0))
    >>> described["class"], described["alpha"]
    ('sklearn.linear_model._ridge.Ridge', 2.0)
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else repr(value)
    if isinstance(value, np.generic):
        return describe(value.item())
    if isinstance(value, Mapping):
        return {str(key): describe(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [describe(one) for one in value]
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    if hasattr(value, "get_params") and not isinstance(value, type):
        settings = value.get_params(deep=False)
        return {"class": name} | {key: describe(one) for key, one in sorted(settings.items())}
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return {"class": name, "content": fingerprint(value)}
