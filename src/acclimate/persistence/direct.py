"""Linear models and maps of columns from a skops description, without the import of skops.

`skops.io` imports all that scikit-learn has, and torch with it, to know what it trusts: seconds and
200 MB for a model of a few numbers. The few kinds of parts that such models are made of are built
here. This is no second rule of what may be built: all that is built here, skops would build, too,
and what is not exactly as expected is left to skops and its checks. The whole description is
looked at before anything is built.
"""

from __future__ import annotations

import importlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.persistence.sklearn_types import PLAIN

# public packages of scikit-learn whose estimators in PLAIN are built here
PACKAGES = frozenset(
    {
        "compose", "decomposition", "discriminant_analysis", "dummy", "feature_selection", "impute",
        "linear_model", "naive_bayes", "pipeline", "preprocessing", "svm",
    }
)  # fmt: skip
_CLASSES = PLAIN | {"OneHotEncoder"}  # at which `invariants` looks when it is built
_KEYS: dict[str, type[Any]] = {"builtins.str": str, "builtins.int": int, "builtins.float": float}
_SCALARS: dict[str, type[Any]] = {
    f"numpy.{kind.__name__}": kind
    for kind in (np.float64, np.float32, np.int64, np.int32, np.bool_)
}
_TYPES = {**_KEYS, "builtins.bool": bool, **_SCALARS}

Make = Callable[[], Any]  # makes a part, the same one each time


def build(schema: Mapping[str, Any], archive: zipfile.ZipFile) -> list[Any] | None:
    """Return what skops would build, or None where the description holds anything uncommon.

    Parameters
    ----------
    schema : mapping
        The parsed description, whose types and amounts have been checked.
    archive : zipfile.ZipFile
        The open archive with the arrays, whose sizes have been checked.

    Returns
    -------
    list or None
        None says nothing about the file: skops has to read it.
    """
    try:
        make = _Plan(archive).of(schema)
    except (_Uncommon, KeyError, TypeError, AttributeError, ValueError):
        return None
    made = make()
    return made if isinstance(made, list) else None


class _Uncommon(Exception):
    """A part that is left to skops."""


class _Plan:
    """How the parts of a description are made. Planning makes none of them.

    Parameters
    ----------
    archive : zipfile.ZipFile
        Where arrays are read from.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._known: dict[int, Make | None] = {}  # None while the part is planned

    def of(self, node: Mapping[str, Any]) -> Make:
        """Return the maker of a node. Of nodes with one number the first counts, as in skops."""
        number = node.get("__id__")
        if number is None:
            return cache(self._fresh(node))
        if type(number) is not int or number < 1:
            raise _Uncommon
        if number not in self._known:
            self._known[number] = None
            self._known[number] = cache(self._fresh(node))
        found = self._known[number]
        if found is None:  # it holds itself
            raise _Uncommon
        return found

    def _fresh(self, node: Mapping[str, Any]) -> Make:
        name = f"{node['__module__']}.{node['__class__']}"
        loader = node["__loader__"]
        if loader == "JsonNode":
            return self._plain(node)
        if loader == "TypeNode":
            kind = _TYPES[name]
            return lambda: kind
        if loader == "ListNode" and name == "builtins.list":
            items = [self.of(item) for item in _as(list, node["content"])]
            return lambda: [make() for make in items]
        if loader == "TupleNode" and name == "builtins.tuple":
            items = [self.of(item) for item in _as(list, node["content"])]
            return lambda: tuple(make() for make in items)
        if loader == "DictNode" and name == "builtins.dict":
            return self._dict(node)
        if loader == "NdArrayNode":
            return self._array(node, name)
        if loader == "DTypeNode" and name == "numpy.dtype":
            like = self.of(node["content"])
            return lambda: like().dtype
        if loader == "ObjectNode":
            return self._estimator(node, name)
        raise _Uncommon

    def _plain(self, node: Mapping[str, Any]) -> Make:
        value = json.loads(_as(str, node["content"]))
        if value is not None and type(value) not in (bool, int, float, str):
            raise _Uncommon
        return lambda: value

    def _dict(self, node: Mapping[str, Any]) -> Make:
        listed = node["key_types"]
        self.of(listed)  # before the content: the first of a number counts
        if listed["__loader__"] != "ListNode":
            raise _Uncommon
        named = [_as(dict, one) for one in listed["content"]]
        if any(one["__loader__"] != "TypeNode" for one in named):
            raise _Uncommon
        kinds = [_KEYS[f"{one['__module__']}.{one['__class__']}"] for one in named]
        content = _as(dict, node["content"])
        if len(kinds) != len(content):
            raise _Uncommon
        keys = [kind(key) for kind, key in zip(kinds, content, strict=True)]
        values = [self.of(value) for value in content.values()]
        return lambda: {key: make() for key, make in zip(keys, values, strict=True)}

    def _array(self, node: Mapping[str, Any], name: str) -> Make:
        scalar = None if name == "numpy.ndarray" else _SCALARS[name]
        if node["type"] == "numpy":
            stored = self._archive.read(_as(str, node["file"]))
            if not stored.startswith(np.lib.format.MAGIC_PREFIX):
                raise _Uncommon
            return lambda: _loaded(stored, scalar)
        if node["type"] != "json" or scalar is not None:
            raise _Uncommon
        items = [self.of(item) for item in _as(list, node["content"])]
        shape = self.of(node["shape"])
        return lambda: _objects([make() for make in items], shape())

    def _estimator(self, node: Mapping[str, Any], name: str) -> Make:
        cls = find(name)
        content = node["content"]
        if cls is None or content["__loader__"] != "DictNode":
            raise _Uncommon
        state = self.of(content)

        def make() -> Any:
            made = object.__new__(cls)
            made.__setstate__(state())
            return made

        return make


def find(name: str) -> type[Any] | None:
    """Return the estimator of scikit-learn with this qualified name, if it is built here.

    The class is taken from its public package, never from the module that a file names.

    Examples
    --------
    >>> find("sklearn.linear_model._ridge.Ridge").__name__
    'Ridge'
    >>> find("sklearn.linear_model.anything.Ridge"), find("sklearn.tree._classes.Tree")
    (None, None)
    """
    path, _, last = name.rpartition(".")
    root, *inner = path.split(".")
    if root != "sklearn" or not inner or inner[0] not in PACKAGES:
        return None
    if last not in _CLASSES:
        return None
    found = getattr(importlib.import_module(f"sklearn.{inner[0]}"), last, None)
    if not isinstance(found, type) or f"{found.__module__}.{found.__qualname__}" != name:
        return None
    return found if hasattr(found, "get_params") and hasattr(found, "__setstate__") else None


def _as(kind: type[Any], value: Any) -> Any:
    """Return a value of exactly this type."""
    if type(value) is not kind:
        raise _Uncommon
    return value


def _loaded(stored: bytes, scalar: type[Any] | None) -> Any:
    """Return an array of numbers or text, or a scalar of it."""
    array: NDArray[Any] = np.load(io.BytesIO(stored), allow_pickle=False)
    return array if scalar is None else scalar(array)


def _objects(items: list[Any], shape: Any) -> NDArray[Any]:
    """Return an array of objects as skops makes it."""
    if len(shape) != 1:
        return np.array(items, dtype="O")
    made = np.empty(len(items), dtype="O")
    for place, item in enumerate(items):  # a slice would unpack items that are sequences
        made[place] = item
    return made
