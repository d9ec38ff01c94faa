"""Names of classes in a file, and which of them may be built."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Collection
from typing import Any, NoReturn

import acclimate
from acclimate.exceptions import InputError, IntegrityError

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
# these hold rows, and rows never go into a file
ROWS = ("acclimate.validation.Rows", "acclimate.domain.Domain", "acclimate.training.batch.Data")


def qualified(cls: type[Any]) -> str:
    """Return module and name of a class."""
    return f"{cls.__module__}.{cls.__qualname__}"


def stable_name(cls: type[Any]) -> str:
    """Return the name a file uses: the public one where there is one, since modules may move."""
    public = acclimate._MODULES.get(cls.__qualname__) == cls.__module__
    return f"acclimate.{cls.__qualname__}" if public else qualified(cls)


def is_ours(cls: type[Any]) -> bool:
    """Tell whether objects of this class are written attribute by attribute."""
    if not cls.__module__.startswith("acclimate.") or qualified(cls) in ROWS:
        return False
    predicts = any(callable(getattr(cls, name, None)) for name in ("predict", "transform"))
    return predicts or dataclasses.is_dataclass(cls)


def our_class(name: str) -> type[Any]:
    """Return the class of acclimate with this name, if a file may hold it."""
    found = _find(name) if name.startswith("acclimate.") else None
    if not isinstance(found, type) or not is_ours(found):
        raise IntegrityError(f"it names the class {name!r}, which is none of acclimate's models")
    return found


def foreign_class(name: str, trusted: Collection[str]) -> type[Any]:
    """Return an estimator class of another library: scikit-learn's own, or one that is trusted."""
    from sklearn.base import BaseEstimator

    if name in trusted:
        found = _find(name)
        if not isinstance(found, type):
            raise InputError(f"the class {name!r} cannot be imported here; install its package")
        return found
    found = _find(name) if name.startswith("sklearn.") else None
    if not isinstance(found, type) or not issubclass(found, BaseEstimator):
        refuse([name])
    return found


def refuse(names: Collection[str]) -> NoReturn:
    """Raise: these types are not trusted."""
    shown = ", ".join(sorted(names))
    raise InputError(
        f"it holds types that are not trusted: {shown}. If you know them and trust whoever made "
        f"the file, give their names: trusted={sorted(names)!r}"
    )


def layer_class(name: str) -> type[Any]:
    """Return a layer that a file may build: one of torch.nn or of acclimate."""
    from torch import nn

    if name.startswith("torch.nn."):
        found = getattr(nn, name.removeprefix("torch.nn."), None)
    else:
        found = _find(name) if name.startswith("acclimate.") else None
    if not isinstance(found, type) or not issubclass(found, nn.Module):
        raise IntegrityError(f"it names the layer {name!r}, which torch.nn and acclimate lack")
    return found


def layer_name(cls: type[Any]) -> str | None:
    """Return the name of a layer of torch.nn or acclimate, None for any other class."""
    from torch import nn

    if getattr(nn, cls.__name__, None) is cls:
        return f"torch.nn.{cls.__name__}"
    return qualified(cls) if cls.__module__.startswith("acclimate.") else None


def _find(name: str) -> Any:
    """Import a dotted name: a module, then a class at its top. None where there is none."""
    if not _DOTTED.fullmatch(name) or "__" in name:  # importing a __main__ would run it
        return None
    module, _, last = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), last, None)
    except ImportError:
        return None
