"""From members of a file back to a model. Only known classes are built; nothing is executed."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError, IntegrityError
from acclimate.persistence import layers
from acclimate.persistence.arrays import unpack_array, unpack_tensor
from acclimate.persistence.names import foreign_class, our_class, qualified, refuse
from acclimate.persistence.sklearn_types import TRUSTED, check_trees
from acclimate.persistence.walk import walk

_COLLECTIONS = {"tuple": tuple, "set": set, "frozenset": frozenset}
_FLOATS = ("nan", "inf", "-inf")


class Decoder:
    """Turns nodes into values.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The stored arrays.
    foreign : list
        What skops built.
    modules : sequence
        The user's modules: classes, callables without arguments, or instances.
    trusted : collection of str
        Names of further types that may be built.
    partial : bool
        Whether weights that do not fit are left out instead of refused.

    Attributes
    ----------
    warnings : list of str
        What was left out.
    taken_off : dict of int to nn.Module
        By id of a user's module: the head it had before it was split.
    """

    def __init__(
        self,
        arrays: Mapping[str, NDArray[Any]],
        foreign: list[Any],
        modules: Sequence[Any],
        trusted: Collection[str],
        partial: bool,
    ) -> None:
        self.arrays = arrays
        self.foreign = foreign
        self.trusted = trusted
        self.partial = partial
        self.warnings: list[str] = []
        self.taken_off: dict[int, Any] = {}
        self._templates = _templates(modules)
        self._made: dict[int, Any] = {}

    def value(self, node: Any) -> Any:
        """Return the value of a node."""
        if isinstance(node, list):
            return [self.value(item) for item in node]
        if not isinstance(node, dict):
            return node
        kind = node["is"]
        if kind == "again":
            return self._made[node["id"]]
        if kind in ("object", "estimator"):
            return self._object(node)
        if kind not in _KINDS:
            raise IntegrityError(f"it names the kind {kind!r}, which is unknown")
        made = _KINDS[kind](self, node)
        if "id" in node:
            self._made[node["id"]] = made
        return made

    def template(self, name: str) -> Any:
        """Return a fresh module of the user's class with this name."""
        make = self._templates.get(name)
        if make is None:  # a class of a script has another name where it is imported
            alone = name.rpartition(".")[2]
            for known, maker in self._templates.items():
                main = name.startswith("__main__.") or known.startswith("__main__.")
                if main and known.rpartition(".")[2] == alone:
                    make = maker
        if make is None:
            given = f"; given were {sorted(self._templates)}" if self._templates else ""
            raise InputError(
                f"its network is of the class {name!r}, which is not acclimate's. If you trust it, "
                f"give the class, or a module of it: load(path, modules=[{name.split('.')[-1]}])"
                f"{given}"
            )
        return make()

    def _object(self, node: Mapping[str, Any]) -> Any:
        if node["is"] == "object":
            cls = our_class(node["class"])
            made = object.__new__(cls)
            self._made[node["id"]] = made
            for name in (n for c in cls.__mro__ for n in getattr(c, "_not_saved", ())):
                made.__dict__[name] = None
            made.__dict__.update(self._state(node))
            if "network_" in made.__dict__:
                _place(made)
            return made
        cls = foreign_class(node["class"], self.trusted)
        made = self._made[node["id"]] = object.__new__(cls)
        made.__setstate__(self._state(node))
        return made

    def _state(self, node: Mapping[str, Any]) -> dict[str, Any]:
        state = self.value(node["state"])
        if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
            raise IntegrityError(f"{node['class']} has attributes without names")
        return state


def _place(estimator: Any) -> None:
    """Move a network to where its estimator works, if there is such a device here."""
    from acclimate.training.device import find_device

    with contextlib.suppress(InputError):  # a GPU there, none here: it predicts on the CPU
        estimator.network_.to(find_device(estimator.device))


def _float(decoder: Decoder, node: Mapping[str, Any]) -> float:
    if node["value"] not in _FLOATS:
        raise ValueError(f"the number {node['value']!r}")
    return float(node["value"])


def _collection(decoder: Decoder, node: Mapping[str, Any]) -> Any:
    return _COLLECTIONS[node["is"]](decoder.value(list(node["items"])))


def _dict(decoder: Decoder, node: Mapping[str, Any]) -> dict[Any, Any]:
    return {decoder.value(key): decoder.value(value) for key, value in node["items"]}


def _objects(decoder: Decoder, node: Mapping[str, Any]) -> NDArray[Any]:
    items = [decoder.value(item) for item in node["items"]]
    made = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):  # a slice would unpack items that are sequences
        made[i] = item
    return made.reshape(tuple(node["shape"]))


def _dtype(decoder: Decoder, node: Mapping[str, Any]) -> Any:
    return np.dtype(str(node["name"]))


def _torch_dtype(decoder: Decoder, node: Mapping[str, Any]) -> Any:
    import torch

    found = getattr(torch, str(node["name"]))
    if not isinstance(found, torch.dtype):
        raise ValueError(f"the type {node['name']!r}")
    return found


def _torch_device(decoder: Decoder, node: Mapping[str, Any]) -> Any:
    import torch

    return torch.device(str(node["name"]))


_KINDS: dict[str, Callable[[Decoder, Mapping[str, Any]], Any]] = {
    "float": _float,
    "tuple": _collection,
    "set": _collection,
    "frozenset": _collection,
    "dict": _dict,
    "scalar": lambda decoder, node: unpack_array(node, decoder.arrays).reshape(())[()],
    "dtype": _dtype,
    "array": lambda decoder, node: unpack_array(node, decoder.arrays),
    "objects": _objects,
    "tensor": lambda decoder, node: unpack_tensor(node, decoder.arrays),
    "torch dtype": _torch_dtype,
    "torch device": _torch_device,
    "layer": layers.decode,
    "module": layers.decode,
    "foreign": lambda decoder, node: decoder.foreign[node["part"]],
}


def _templates(modules: Sequence[Any]) -> dict[str, Callable[[], Any]]:
    """Return a maker for each of the user's modules, by the qualified name of its class."""
    if not modules:
        return {}
    from torch import nn

    found: dict[str, Callable[[], Any]] = {}
    for given in modules:
        if isinstance(given, nn.Module):
            found[qualified(type(given))] = partial(copy.deepcopy, given)
            continue
        if not callable(given):
            raise InputError(f"modules must hold classes, callables or modules, got {given!r}")
        name = qualified(given) if isinstance(given, type) else None
        if name is None:
            name = qualified(type(_made(given)))
        found[name] = partial(_made, given)
    return found


def _made(make: Callable[[], Any]) -> Any:
    """Call without arguments and return the module."""
    from torch import nn

    shown = getattr(make, "__qualname__", repr(make))
    try:
        module = make()
    except TypeError as error:
        raise InputError(
            f"{shown} cannot be called without arguments ({error}); give a module instead: "
            f"modules=[{shown}(...)]"
        ) from error
    if not isinstance(module, nn.Module):
        raise InputError(f"{shown} gave a {type(module).__name__}, not a torch.nn.Module")
    return module


def read_foreign(data: bytes, trusted: Collection[str]) -> list[Any]:
    """Return what skops builds, if all types are scikit-learn's own or trusted."""
    from skops import io

    allowed = [*trusted, *TRUSTED]
    unknown = [n for n in io.get_untrusted_types(data=data) if n not in allowed]
    if unknown:
        refuse(unknown)
    parts: list[Any] = io.loads(data, trusted=allowed)
    check_trees(walk(parts, "estimators"))
    return parts
