"""Going on from a source model without its rows: what can be built, and which of it is best."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.adapter import Adapter
from acclimate.catalogue import Row, methods
from acclimate.domain import Domain
from acclimate.exceptions import AcclimateError, InputError
from acclimate.folds import Fold, few_label_folds
from acclimate.transfer.committee import Committee
from acclimate.transfer.label_folds import row_losses
from acclimate.validation import take

Floats = NDArray[np.float64]
AS_IT_IS = "the source model as it is"
FOLDS, REPEATS = 5, 3
ENOUGH = 100  # labels from which one layout of the folds does
FEW = 20  # labels below which a pick is said to be by chance
_NETWORK_FOLDS = 3  # laid out once: a fit takes seconds and not milliseconds
FROM_ENCODER = ("FineTune", "TargetOnly")  # which ask no answers of the source
_STRATEGIES = ("full", "head", "l2-sp")  # of a network, beside what "auto" means
_STAGE_ONE = (
    "feature_names_in_", "n_features_in_", "row_shape_", "seed_", "preprocess_", "source_model_",
    "source_class_names_", "source_shares_", "trained_on_", "rows_held_",
)  # fmt: skip


@dataclass(frozen=True)
class Picked:
    """What was picked among the ways to go on from a source model.

    Attributes
    ----------
    name : str
    model : Adapter
        Not adapted yet.
    losses : dict from str to float
        Mean loss of each way on held-out labels, the least first.
    metric : {"log loss", "mean squared error", "share of errors"}
    labels : int
        Labels that were held out.
    folds, repeats : int
    left_out : dict from str to str
        What could not be tried, and why.
    """

    name: str
    model: Adapter
    losses: dict[str, float]
    metric: str
    labels: int
    folds: int
    repeats: int
    left_out: dict[str, str] = field(default_factory=dict)

    def sentence(self) -> str:
        """Say what was tried, how it did and what was taken."""
        each = ", ".join(f"{name} {loss:.3g}" for name, loss in self.losses.items())
        times = f", {self.repeats} times" if self.repeats > 1 else ""
        unsure = ""
        if self.labels < FEW and self.name != AS_IT_IS and AS_IT_IS in self.losses:
            unsure = (
                f". So few labels pick by chance: it may be worse than {AS_IT_IS}, which evaluate "
                f"--against on other labels tells"
            )
        return (
            f"{self.name}: least {self.metric} in {self.folds}-fold cross-validation{times} on "
            f"{self.labels} target labels ({each}){unsure}"
        )


def ways_on(model: Adapter, *, own_classes: bool = False) -> dict[str, Adapter]:
    """Return what can go on from a fitted source model without source rows, by name.

    The source model as it is comes first, then what the model's own method does with its settings,
    then other methods of the catalogue. Of a committee there are the first two alone. From an
    encoder there are `FineTune` and, from scratch, `TargetOnly`.

    Parameters
    ----------
    model : Adapter
        Fitted on a source. It is not changed.
    own_classes : bool, default=False
        Whether the target has classes of its own, so that the source's answers mean nothing there.
    """
    found: dict[str, Adapter] = {}
    begun = "pretrained" in model.trained_on_["source"]  # an encoder, which answers nothing
    own_classes = own_classes or begun
    if not own_classes:
        found[AS_IT_IS] = _stage_one(model)
    row = model._row()
    if row.alters and not row.needs_source and (row.own_classes or not own_classes):
        found[row.name] = _stage_one(model)
    if isinstance(model, Committee):
        return found
    network = hasattr(model.source_model_, "network_")
    for other in methods(task="regression" if model._regression() else "classification"):
        if other.needs_source or not other.alters or not other.module.startswith("acclimate."):
            continue
        if own_classes and not other.own_classes:
            continue
        if begun and other.name not in FROM_ENCODER:
            continue
        if network and other.name == "Interpolation":  # six networks in each fold
            continue
        if other.name != row.name and _fits(other, model, network):
            found[other.name] = become(model, other)
        if other.name == "FineTune" and network:
            for strategy in _STRATEGIES:
                if (other.name, strategy) != (row.name, getattr(model, "strategy", "")):
                    found[f"FineTune, {strategy}"] = become(model, other, strategy=strategy)
    return found


def become(model: Adapter, row: Row, **settings: Any) -> Adapter:
    """Return another method with the source model of a fitted one, not adapted.

    Parameters
    ----------
    model : Adapter
        Fitted on a source. It is not changed.
    row : Row
        Of a method that needs no source rows to adapt.
    **settings
        Of that method.

    Raises
    ------
    AcclimateError
        The method needs the source's rows, or the model is of several members.
    """
    if row.needs_source:
        able = [one.name for one in methods() if not one.needs_source and one.alters]
        raise AcclimateError(
            f"{row.name} needs the source rows to adapt, and a saved model has none. "
            f"Methods that can: {', '.join(able)}"
        )
    if isinstance(model, Committee):
        raise AcclimateError(f"a Committee cannot become {row.name}: it has a model a member")
    made: Adapter = row.load()(
        copy.deepcopy(model._base()), preprocess=model.preprocess,
        random_state=model.random_state, **settings,
    )  # fmt: skip
    for name in _STAGE_ONE:
        if hasattr(model, name):
            setattr(made, name, getattr(model, name))
    made._source = made._raw_source = None
    made._reset_to_stage_one()
    return made


def pick_way(ways: Mapping[str, Adapter], target: Domain, *, seed: int = 0) -> Picked | None:
    """Pick a way by cross-validation on the target's labels; None where none can be held out.

    Each is adapted without a fold and scored on it by log loss, or squared error: with few labels
    accuracy cannot tell them apart. Among equals the first is taken. What cannot say a class of the
    source, of which no target row is labelled, is left out: no label could count that against it.

    Parameters
    ----------
    ways : mapping from str to Adapter
        From `ways_on`. None of them is changed.
    target : Domain
        With labels.
    seed : int, default=0
        Lays out the folds.
    """
    if not ways or target.y is None:
        return None
    y = np.asarray(target.y)
    known = np.arange(len(y)) if target.labelled is None else np.flatnonzero(target.labelled)
    first = next(iter(ways.values()))
    regression, network = first._regression(), hasattr(first.source_model_, "network_")
    folds = _NETWORK_FOLDS if network else FOLDS
    repeats = 1 if network or len(known) >= ENOUGH else REPEATS
    parts = few_label_folds(
        y[known], classify=not regression, folds=folds, repeats=repeats, seed=seed
    )
    parts = [
        (known[train], known[held]) for train, held in parts
        if len(train) > 1 and (regression or len(np.unique(y[known[train]])) > 1)
    ]  # fmt: skip
    if not parts:
        return None
    tables: dict[str, tuple[Floats, Floats, bool]] = {}
    left_out: dict[str, str] = {}
    for name, way in ways.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # adapting what is taken says it again
                tables[name] = _held_out(way, name != AS_IT_IS, target, y, parts)
        except AcclimateError as error:
            left_out[name] = str(error)
    if not tables:
        return None
    unsure = any(not sure for _, _, sure in tables.values())
    means = {
        name: float((errors if unsure else losses).mean())
        for name, (losses, errors, _) in tables.items()
    }
    best = min(means, key=means.__getitem__)
    metric = "mean squared error" if regression else "share of errors" if unsure else "log loss"
    return Picked(
        best, ways[best], dict(sorted(means.items(), key=lambda pair: pair[1])), metric,
        len(np.unique(np.concatenate([held for _, held in parts]))), folds, repeats, left_out,
    )  # fmt: skip


def _stage_one(model: Adapter) -> Adapter:
    """Return a copy that is not adapted."""
    made = copy.copy(model)
    made._reset_to_stage_one()
    return made


def _fits(row: Row, model: Adapter, network: bool) -> bool:
    """Tell whether a method can start from the source model of another."""
    if row.network and row.family != "transfer":
        return network
    if row.base == "linear":
        from acclimate.transfer.shallow import SUPPORTED

        return isinstance(model._base(), SUPPORTED)
    return True


def _held_out(
    way: Adapter, adapts: bool, target: Domain, y: NDArray[Any], parts: list[Fold]
) -> tuple[Floats, Floats, bool]:
    """Return the loss and the error of each held-out row, and whether there are probabilities."""
    regression = way._regression()
    losses, errors, one = [], [], copy.copy(way)
    for number, (train, held) in enumerate(parts):
        if adapts and (way._sees_target_labels() or not number):
            mask = np.zeros(len(y), dtype=bool)
            mask[train] = True
            one = copy.copy(way).adapt(replace(target, labelled=mask))
        X, truth = take(target.X, held), y[held]
        losses.append(row_losses(one, X, truth, regression))
        errors.append(losses[-1] if regression else one.predict(X) != truth)
    if not regression:
        _check_says_all(one, y[np.concatenate([held for _, held in parts])])
    sure = regression or hasattr(one, "predict_proba")
    return np.concatenate(losses), np.concatenate(errors).astype(np.float64), sure


def _check_says_all(model: Adapter, labels: NDArray[Any]) -> None:
    """Raise where a class of the source that no label shows cannot be said any more."""
    known, seen = model.source_model_.classes_, np.unique(labels)
    if not np.isin(seen, known).all():  # the target asks another question
        return
    lost = known[~np.isin(known, seen) & ~np.isin(known, model.classes_)]
    if len(lost):
        names = model.source_class_names_ or {}
        label = lost[0].item()
        raise InputError(f"it cannot say {names.get(label, label)!r}")
