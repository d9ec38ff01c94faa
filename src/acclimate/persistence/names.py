"""Names of classes in a file, and which of them may be built."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, NoReturn

from acclimate.catalogue import CATALOGUE
from acclimate.exceptions import InputError, IntegrityError
from acclimate.persistence.sklearn_types import BOOSTED, TREE, may_be_held

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
# these hold rows, and rows never go into a file
ROWS = ("acclimate.validation.Rows", "acclimate.domain.Domain", "acclimate.training.batch.Data")

# Where the classes live that a file may hold, beside the methods and what their files define. A
# file calls each acclimate.Name, so that a class that moves changes its line here and no file.
# Files of before these names hold paths; their last part is the name.
HOMES = (
    "acclimate.adapter.Adapted",
    "acclimate.base.codes.TableColumns",
    "acclimate.base.neural.NeuralClassifier",
    "acclimate.base.neural.NeuralRegressor",
    "acclimate.base.penalised.LinearClassifier",
    "acclimate.base.penalised.LinearRegressor",
    "acclimate.base.sized.BoostingClassifier",
    "acclimate.base.sized.BoostingRegressor",
    "acclimate.base.sized.ExtraClassifier",
    "acclimate.base.sized.ExtraRegressor",
    "acclimate.base.sized.ForestClassifier",
    "acclimate.base.sized.ForestRegressor",
    "acclimate.classes.Match",
    "acclimate.classes.Kept",
    "acclimate.classes.Renamed",
    "acclimate.deep.open_partial.Rejecting",
    "acclimate.deep.run.Whole",
    "acclimate.deep.watching.Outputs",
    "acclimate.judging.judged.Verdict",
    "acclimate.mapping.components.Reduced",
    "acclimate.mapping.frames.FrameMap",
    "acclimate.mapping.frames.Look",
    "acclimate.mapping.mapped.Affine",
    "acclimate.mapping.mapped.Same",
    "acclimate.mapping.mapped.UnitRows",
    "acclimate.mapping.scores.ScoredClasses",
    "acclimate.mapping.shrunk.Beside",
    "acclimate.mapping.shrunk.PartWay",
    "acclimate.mapping.sinkhorn.Barycentre",
    "acclimate.mapping.transport.Cost",
    "acclimate.mapping.transport.Coupling",
    "acclimate.mapping.transport.NearestMove",
    "acclimate.maths.kernels.FourierMap",
    "acclimate.maths.kernels.Kernel",
    "acclimate.maths.kernels.KernelMap",
    "acclimate.preprocessing.each_domain.EachDomain",
    "acclimate.preprocessing.one_scale.OneScale",
    "acclimate.reweighting.quadratic.Solution",
    "acclimate.rl.actions.Amounts",
    "acclimate.rl.actions.Choice",
    "acclimate.rl.policy.Policy",
    "acclimate.selfsupervised.encoder.Encoder",
    "acclimate.semisupervised.on_graph.OnGraph",
    "acclimate.sources.Part",
    "acclimate.tables.mixed.MixedPreprocessor",
    "acclimate.tables.preprocess.TabularPreprocessor",
    "acclimate.templates.Mapped",
    "acclimate.templates.WeightReport",
    "acclimate.training.augment.Augmentation",
    "acclimate.training.dropout.Dropout",
    "acclimate.training.features._Twice",
    "acclimate.training.keras.KerasLayer",
    "acclimate.training.layers.Own",
    "acclimate.training.network.Image",
    "acclimate.training.network.Network",
    "acclimate.training.networks_norm.Residual",
    "acclimate.training.networks_pretrained.EfficientNetLite0",
    "acclimate.training.networks_tabular.Columns",
    "acclimate.training.networks_tabular.Lookup",
    "acclimate.training.reversal.Reversal",
    "acclimate.training.terms.History",
    "acclimate.training.terms.Settings",
    "acclimate.transfer.boosted.BoostedClassifier",
    "acclimate.transfer.boosted.BoostedRegressor",
    "acclimate.transfer.committee.Committee",
    "acclimate.transfer.committee.Voices",
    "acclimate.transfer.encoders.Pixels",
    "acclimate.transfer.frozen_body.FrozenBody",
    "acclimate.transfer.hog.HOG",
    "acclimate.transfer.log_mel_rows.LogMel",
    "acclimate.transfer.lora.LowRank",
    "acclimate.transfer.sentence_models.MeanOfWords",
    "acclimate.transfer.sentence_models.MiniLM",
    "acclimate.transfer.sentence_models.MiniLMLayer",
    "acclimate.transfer.shallow.CorrectedRegressor",
    "acclimate.transfer.shallow.CorrectedSVC",
    "acclimate.transfer.sound_encoder.SoundEncoder",
    "acclimate.transfer.strategies.Strategy",
    "acclimate.transfer.whisper.WhisperEncoder",
    "acclimate.transfer.whisper.WhisperLayer",
    "acclimate.transfer.text_encoder.TextEncoder",
)
# last part of a name of the past, where it is not today's: what follows acclimate. in a file today
FORMER = {
    "Augment": "FeatureAugmentation.Augment",
    "Choice": "ULSIF.Choice",
    "Exchange": "DASVM.Exchange",
    "Fit": "KLIEP.Fit",
    "Head": "FineTune.Head",
    "MeanHead": "MCD.MeanHead",
    "OneVsRest": "DASVM.OneVsRest",
    "Plan": "Coupling",
    "Votes": "TrAdaBoost.Votes",
    "WeightedMedian": "TrAdaBoostR2.WeightedMedian",
}

# what a class from here holds is left to skops
_LIBRARIES = (
    "acclimate", "builtins", "joblib", "numpy", "pandas", "pyarrow", "scipy", "sklearn", "torch",
)  # fmt: skip
_PICKLING = ("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__")


def qualified(cls: type[Any]) -> str:
    """Return module and name of a class."""
    return f"{cls.__module__}.{cls.__qualname__}"


def stable_name(cls: type[Any]) -> str | None:
    """Return the name that a file uses for a class of acclimate, None where a file holds none.

    It is ``acclimate.Name`` for methods and for the classes of `HOMES`. A helper of one method,
    which lives in the method's file, is ``acclimate.Method.Name`` and needs no line anywhere.
    """
    dotted = qualified(cls)
    found = _names().get(dotted)
    method = _methods().get(cls.__module__)
    if found or method is None or dotted in ROWS or not _may_be_held(cls):
        return found
    return f"acclimate.{method}.{cls.__qualname__}"


def is_ours(cls: type[Any]) -> bool:
    """Tell whether objects of this class are written attribute by attribute."""
    return stable_name(cls) is not None and not _is_layer(cls)


def our_class(name: str) -> type[Any]:
    """Return the class of acclimate with this name, if a file may hold it."""
    found = _ours(name)
    if found is None or not is_ours(found):
        raise IntegrityError(f"it names the class {name!r}, which is none of acclimate's models")
    return found


def _ours(name: str) -> type[Any] | None:
    """Return the class of acclimate that a file calls so: by its name, or by a path of the past."""
    if not name.startswith("acclimate.") or not _DOTTED.fullmatch(name):
        return None
    last = name.rpartition(".")[2]
    home = _home(name) or _home(f"acclimate.{FORMER.get(last, last)}")
    found = _find(home) if home else None
    return found if isinstance(found, type) and stable_name(found) is not None else None


def _home(name: str) -> str | None:
    """Return where the class lives that today's files call so."""
    _, *method, last = name.split(".")
    if not method:
        return _homes().get(name)
    modules = (module for module, owner in _methods().items() if [owner] == method)
    return next((f"{module}.{last}" for module in modules), None)


@cache
def _homes() -> dict[str, str]:
    """Return where each named class lives, by its name in a file."""
    listed = [*(f"{row.module}.{row.name}" for row in CATALOGUE), *HOMES]
    return {
        f"acclimate.{home.rpartition('.')[2]}": home
        for home in listed
        if home.startswith("acclimate.")
    }


@cache
def _names() -> dict[str, str]:
    """Return the name in a file of each named class, by where it lives."""
    return {home: name for name, home in _homes().items()}


@cache
def _methods() -> dict[str, str]:
    """Return the method that each file of a method holds."""
    return {row.module: row.name for row in CATALOGUE if row.module.startswith("acclimate.")}


def _may_be_held(cls: type[Any]) -> bool:
    """Tell whether a class is a model, a map, a record or a layer."""
    predicts = any(callable(getattr(cls, name, None)) for name in ("predict", "transform"))
    return predicts or dataclasses.is_dataclass(cls) or _is_layer(cls)


def _is_layer(cls: type[Any]) -> bool:
    """Tell whether a class is a layer, without an import of torch."""
    return any(base.__module__ == "torch.nn.modules.module" for base in cls.__mro__)


def is_own(cls: type[Any]) -> bool:
    """Tell whether a class is the user's: a method, or a plain class that maps or predicts.

    Objects of such a class are written attribute by attribute, and the class is given to `load`.
    Libraries' objects, and those that say themselves how they are written, are left to skops.
    """
    if cls.__module__.partition(".")[0] in _LIBRARIES:
        return False
    if any(
        f"{one.__module__}.{one.__name__}" == "acclimate.adapter.Adapter" for one in cls.__mro__
    ):
        return True
    slots = any(vars(one).get("__slots__") for one in cls.__mro__)
    written = any(getattr(cls, name, None) is not getattr(object, name, None) for name in _PICKLING)
    maps = any(callable(getattr(cls, name, None)) for name in ("__call__", "predict", "transform"))
    return not slots and not written and (maps or dataclasses.is_dataclass(cls))


def own_class(name: str, given: Mapping[str, Any], trusted: Collection[str]) -> type[Any]:
    """Return a class of the user's with this name: one that was given, or a trusted one."""
    found = match_name(name, given)
    if found is None and name in trusted:
        found = _find(name)
    if not isinstance(found, type):
        refuse_own([name], given)
    return found


def match_name(name: str, given: Mapping[str, Any]) -> Any:
    """Return what was given under a name; None where nothing was."""
    if name in given:
        return given[name]
    alone = name.rpartition(".")[2]
    for known, value in given.items():  # a class of a script has another name where it is imported
        main = name.startswith("__main__.") or known.startswith("__main__.")
        if main and known.rpartition(".")[2] == alone:
            return value
    return None


def refuse_own(names: Collection[str], given: Collection[str]) -> NoReturn:
    """Raise: these classes were not given."""
    shown = f"; given were {sorted(given)}" if given else ""
    listed = ", ".join(name.rpartition(".")[2] for name in names)
    raise InputError(
        f"it holds models of classes that are not acclimate's: {', '.join(map(repr, names))}. If "
        f"you trust them, give the classes: load(path, modules=[{listed}]){shown}"
    )


def foreign_class(name: str, trusted: Collection[str]) -> type[Any]:
    """Return an estimator class of another library: scikit-learn's own, or one that is trusted."""
    from sklearn.base import BaseEstimator

    if name in trusted:
        found = _find(name)
        if not isinstance(found, type):
            raise InputError(f"the class {name!r} cannot be imported here; install its package")
        return found
    found = _find(name) if name.startswith("sklearn.") else None
    if not isinstance(found, type) or not may_be_held(qualified(found)):
        refuse([name])
    if not issubclass(found, BaseEstimator) and qualified(found) in (TREE, BOOSTED):
        refuse([name])
    return found


def refuse(names: Collection[str]) -> NoReturn:
    """Raise: these types are not trusted."""
    shown = ", ".join(sorted(names))
    raise InputError(
        f"it holds types that are not trusted: {shown}. If you know them and trust whoever made "
        f"the file, give their names: trusted={sorted(names)!r}, on the command line "
        f"{' '.join(f'--trusted {name}' for name in sorted(names))}"
    )


def layer_class(name: str) -> type[Any]:
    """Return a layer that a file may build: one of torch.nn or of acclimate."""
    from torch import nn

    if name.startswith("torch.nn."):
        found = getattr(nn, name.removeprefix("torch.nn."), None)
    else:
        found = _ours(name)
    if not isinstance(found, type) or not issubclass(found, nn.Module):
        raise IntegrityError(f"it names the layer {name!r}, which torch.nn and acclimate lack")
    return found


def layer_name(cls: type[Any]) -> str | None:
    """Return the name of a layer of torch.nn or acclimate, None for any other class."""
    from torch import nn

    if getattr(nn, cls.__name__, None) is cls:
        return f"torch.nn.{cls.__name__}"
    return stable_name(cls)


def _find(name: str) -> Any:
    """Import a dotted name: a module, then a class at its top. None where there is none."""
    if not _DOTTED.fullmatch(name) or "__" in name:  # importing a __main__ would run it
        return None
    module, _, last = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), last, None)
    except ImportError:
        return None
