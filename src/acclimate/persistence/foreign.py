"""Estimators of scikit-learn as skops writes them: the same bytes for the same, read with care.

skops checks that all types are trusted, not what is inside them. Before it builds anything, the
description of what it would build is checked here: which types, how much, and how often.
"""

from __future__ import annotations

import io
import json
import math
import sys
import zipfile
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from acclimate.exceptions import IntegrityError
from acclimate.importing import on_use
from acclimate.persistence import container, direct
from acclimate.persistence.limits import Budget
from acclimate.persistence.names import refuse
from acclimate.persistence.sklearn_types import TRUSTED, may_be_held

SCHEMA = "schema.json"
_PROTOCOL = 2  # skops reads older ones with other code; no version that is allowed here wrote them
# what skops may build. Left out are bound methods and calls of constructors, which run something of
# the file's choice, unless the user trusts a type by name; a partial function may be one of these
_PARTIAL = ("check_array",)
_LOADERS = (
    "DTypeNode", "DefaultDictNode", "DictNode", "FunctionNode", "JsonNode", "ListNode", "LossNode",
    "MaskedArrayNode", "NdArrayNode", "ObjectNode", "RandomGeneratorNode", "RandomStateNode",
    "SetNode", "SliceNode", "SparseMatrixNode", "TreeNode", "TupleNode", "TypeNode",
)  # fmt: skip
_HEAD = 10_000  # bytes at the start of an array's file that may be its header
_OFTEN = 20  # mentions of a shared object, on average
_FEW = 100_000
_PASSES = 10


def dump(parts: list[Any]) -> bytes:
    """Return what skops writes, with its names for objects counted from 1.

    skops calls objects by their addresses, and sets have no order. An array of objects that occurs
    twice is written twice, with a shape of another number: here both are the first.
    """
    raw: bytes = on_use("skops.io", "dumps")(parts)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(held.pop(SCHEMA))
    ids: dict[int, int] = {}
    files: dict[str, str] = {}
    first: dict[int, dict[str, Any]] = {}
    left = [schema]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            if node.get("__loader__") == "NdArrayNode" and node.get("type") == "json":
                known = first.setdefault(node["__id__"], node)
                if known is not node:
                    node.clear()
                    node.update(known)
                    continue
            if node.get("__loader__") == "SetNode":
                node["content"].sort(key=_without_ids)
            if "__id__" in node:
                node["__id__"] = ids.setdefault(node["__id__"], len(ids) + 1)
            if node.get("file") in held:
                end = node["file"].rpartition(".")[2]
                node["file"] = files.setdefault(node["file"], f"{len(files) + 1}.{end}")
            left += reversed(node.values())
        elif isinstance(node, list):
            left += reversed(node)
    members = {SCHEMA: json.dumps(schema).encode()}
    members |= {files[name]: _clean(data) for name, data in held.items() if name in files}
    stream = io.BytesIO()
    container.store(stream, dict(sorted(members.items())))
    return stream.getvalue()


def _clean(data: bytes) -> bytes:
    """Return an array's file without what lies in memory between the fields of its records."""
    if not data.startswith(np.lib.format.MAGIC_PREFIX) or b"|V" not in data[:_HEAD]:
        return data
    array = np.load(io.BytesIO(data))
    if array.dtype.names is None:
        return data
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    stream = io.BytesIO()
    np.save(stream, clean)
    return stream.getvalue()


def _without_ids(node: Any) -> str:
    """Return a text that orders the members of a set."""
    if isinstance(node, dict):
        node = {k: v if k != "content" else _without_ids(v) for k, v in node.items()}
        node.pop("__id__", None)
    return json.dumps(node, sort_keys=True)


def untrusted(data: bytes) -> list[str]:
    """Return the names of all types that `load` would refuse."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        nodes = _nodes(json.loads(archive.read(SCHEMA)))
        ours = {name for name in map(_type_of, nodes) if name and not may_be_held(name)}
    theirs = {
        name for name in on_use("skops.io", "get_untrusted_types")(data=data) if name not in TRUSTED
    }
    return sorted(ours | theirs)


def is_of_others(name: str) -> bool:
    """Tell whether a type is neither Python's nor of a library whose types are decided on here."""
    root = name.partition(".")[0]
    return root not in ("numpy", "scipy", "sklearn") and root not in sys.stdlib_module_names


def load(data: bytes, trusted: Collection[str], budget: Budget) -> list[Any]:
    """Return what skops builds, if all types are known or trusted and the amount is plausible."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            text = archive.read(SCHEMA)
            budget.read(text, SCHEMA)
            schema = container.parse(text, SCHEMA)
            nodes, several = _distinct(schema)
            _check_schema(schema, trusted)
            _check_amounts(schema, several)
            for node in nodes:
                _check_node(node, archive, budget, several)
            parts = direct.build(schema, archive)
    except (KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise IntegrityError(f"its estimators are not described as skops does ({error})") from error
    if parts is not None:
        return parts
    allowed = [*trusted, *TRUSTED]
    unknown = [n for n in on_use("skops.io", "get_untrusted_types")(data=data) if n not in allowed]
    if unknown:
        refuse(unknown)
    built: list[Any] = on_use("skops.io", "loads")(data, trusted=allowed)
    return built


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield all nodes of a description, from the outside in."""
    left = [schema]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            if "__loader__" in part:
                yield part
            left += reversed(part.values())
        elif isinstance(part, list):
            left += reversed(part)


_KIND = ("__loader__", "__module__", "__class__")
_LEAVES = ("JsonNode", "NdArrayNode")


def _distinct(schema: Any) -> tuple[list[dict[str, Any]], set[Any]]:
    """Return the nodes without those that repeat an equal one, and numbers that mean several.

    skops builds of each number the node that *it* meets first, and passes over entries that it does
    not know; so all of a number are looked at here. Those of a shared random state differ, since
    its inside is written anew each time. A number never means two kinds, or two values.
    """
    first: dict[Any, dict[str, Any]] = {}
    nodes, several = [], set()
    left = [schema]
    while left:
        part = left.pop()
        if isinstance(part, list):
            left += reversed(part)
        if not isinstance(part, dict):
            continue
        number = part.get("__id__")
        if number is not None and (known := first.setdefault(number, part)) is not part:
            if known == part:
                continue
            several.add(number)
            same = all(known.get(name) == part.get(name) for name in _KIND)
            if not same or part.get("__loader__") in _LEAVES:
                raise IntegrityError(f"its estimators have two parts of the number {number}")
        if "__loader__" in part:
            nodes.append(part)
        left += reversed(part.values())
    return nodes, several


def _type_of(node: dict[str, Any]) -> str | None:
    """Return the name of a node's type where it is one of scikit-learn."""
    name = f"{node['__module__']}.{node['__class__']}"
    return name if name.startswith("sklearn.") else None


def _check_schema(schema: Any, trusted: Collection[str]) -> None:
    if not isinstance(schema, dict) or schema.get("protocol") != _PROTOCOL:
        raise IntegrityError("its estimators are written in an unknown protocol of skops")
    unknown = set()
    for node in _nodes(schema):
        known = node["__loader__"] in _LOADERS or _is_known_partial(node)
        if not known and not trusted:
            unknown.add(f"{node['__module__']}.{node['__class__']}")
        name = _type_of(node)
        if name and not may_be_held(name) and name not in trusted:
            unknown.add(name)
    if unknown:
        refuse(unknown)


def _is_known_partial(node: dict[str, Any]) -> bool:
    """Tell whether a node is the function that boosting with categories calls on its numbers."""
    if node["__loader__"] != "PartialNode":
        return False
    function = node["content"]["func"]
    return function["__loader__"] == "FunctionNode" and function["__class__"] in _PARTIAL


def _check_amounts(schema: Any, several: Collection[Any]) -> None:
    """Raise where shared objects are mentioned so often that a walk over them takes ages."""
    sizes: dict[Any, int] = {}
    for _ in range(_PASSES):  # of a number with several parts the largest counts, wherever it is
        before = dict(sizes)
        total, count = _weigh(schema, sizes, several, set())
        if total > _OFTEN * count + _FEW:
            break
        if sizes == before:
            return
    raise IntegrityError(f"its estimators repeat {count} parts {total} times")


def _weigh(
    part: Any, sizes: dict[Any, int], several: Collection[Any], met: set[Any]
) -> tuple[int, int]:
    """Return the nodes that a walk meets, and those that are written."""
    if isinstance(part, list | dict):
        number = part.get("__id__") if isinstance(part, dict) else None
        if number in met and number not in several:
            return sizes[number], 1
        found = [
            _weigh(p, sizes, several, met)
            for p in (part.values() if isinstance(part, dict) else part)
        ]
        total, count = sum(t for t, _ in found), sum(c for _, c in found)
        if isinstance(part, dict):
            total, count = total + 1, count + 1
        if number is not None:
            met.add(number)
            total = sizes[number] = max(total, sizes.get(number, 0))
        return total, count
    return 0, 0


def _check_node(
    node: dict[str, Any], archive: zipfile.ZipFile, budget: Budget, several: Collection[Any]
) -> None:
    """Raise where a node's arrays are larger than its file, or a tree is other than its arrays."""
    name = node.get("file")
    if name is not None:
        if node["__loader__"] == "SparseMatrixNode":
            inner = zipfile.ZipFile(io.BytesIO(archive.read(name)))
            budget.spend(sum(info.file_size for info in inner.infolist()))
        else:
            shape, dtype = _header(archive, name)
            budget.spend(archive.getinfo(name).file_size)
            if math.prod(shape) * max(dtype.itemsize, 1) > archive.getinfo(name).file_size:
                raise IntegrityError(f"the array {name!r} is larger than its file")
    if node["__loader__"] == "TreeNode":
        arguments, inside = node["__reduce__"]["args"], node["content"]
        _, classes, outputs = arguments["content"]
        state = inside["content"]
        if any(part.get("__id__") in several for part in (arguments, inside)):
            raise IntegrityError("a tree is written in two ways")
        (known, *_), _ = _header(archive, classes["file"])
        nodes = _header(archive, state["nodes"]["file"])[0]
        count = json.loads(state["node_count"]["content"])
        if json.loads(outputs["content"]) != known or nodes != (count,) or known < 1:
            raise IntegrityError("a tree has other numbers of nodes and outputs than it says")


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of an array in an archive."""
    try:
        with archive.open(name) as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0
            if version != (1, 0):
                read = np.lib.format.read_array_header_2_0
            shape, _, dtype = read(stream)
    except ValueError as error:
        raise IntegrityError(f"the array {name!r} is not valid ({error})") from error
    return shape, dtype
