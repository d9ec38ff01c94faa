"""From a fitted model to members of a file: structure as JSON, arrays and estimators beside it."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from acclimate.exceptions import InputError
from acclimate.persistence import layers
from acclimate.persistence.arrays import Arrays, pack_array, pack_tensor
from acclimate.persistence.names import ROWS, is_ours, qualified, stable_name
from acclimate.persistence.walk import is_function, join, walk

Node = Any  # None, bool, int, float, str, a list of nodes, or a dict whose "is" names its kind


class Encoder:
    """Turns values into nodes. An object that occurs twice is written once.

    Attributes
    ----------
    arrays : Arrays
        Arrays and tensors met so far.
    foreign : list of (str, object)
        What skops has to write, with the attribute where it was met.
    """

    def __init__(self) -> None:
        self.arrays = Arrays()
        self.foreign: list[tuple[str, Any]] = []
        self._ids: dict[int, int] = {}
        self._alive: list[Any] = []  # an id is unique only while its object lives

    def node(self, value: Any, where: str) -> Node:
        """Return the node of a value; ``where`` is the attribute that messages name."""
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"is": "float", "value": str(value)}
        if type(value) is list:
            return [self.node(v, f"{where}[{i}]") for i, v in enumerate(value)]
        if type(value) in (tuple, set, frozenset):
            ordered = value if type(value) is tuple else sorted(value, key=repr)
            items = [self.node(v, f"{where}[{i}]") for i, v in enumerate(ordered)]
            return {"is": type(value).__name__, "items": items}
        if type(value) is dict:
            return {"is": "dict", "items": [self._item(k, v, where) for k, v in value.items()]}
        if isinstance(value, np.generic):
            return {"is": "scalar", **pack_array(np.asarray(value), self.arrays, where)}
        if isinstance(value, np.dtype):
            return {"is": "dtype", "name": value.str}
        return self._shared(value, where)

    def _item(self, key: Any, value: Any, where: str) -> list[Node]:
        return [self.node(key, f"{where}: a key"), self.node(value, f"{where}[{key!r}]")]

    def _shared(self, value: Any, where: str) -> Node:
        """Return the node of something with an identity."""
        if id(value) in self._ids:
            return {"is": "again", "id": self._ids[id(value)]}
        number = self._ids[id(value)] = len(self._ids)
        self._alive.append(value)
        return {"id": number, **self._fresh(value, where)}

    def _fresh(self, value: Any, where: str) -> dict[str, Node]:
        cls = type(value)
        if cls is np.ndarray:
            if value.dtype.kind != "O":
                return {"is": "array", **pack_array(value, self.arrays, where)}
            items = [self.node(v, f"{where}[{i}]") for i, v in enumerate(value.ravel())]
            return {"is": "objects", "shape": list(value.shape), "items": items}
        if is_ours(cls):
            name = stable_name(cls)
            return {"is": "object", "class": name, "state": self.state(value, where)}
        if "torch" in sys.modules:
            found = self._torch(value, where)
            if found is not None:
                return found
        if qualified(cls) in ROWS:
            raise InputError(f"{where} holds rows, and rows never go into a model file")
        if isinstance(value, type) or is_function(value):
            raise refusal(where, value)
        return self._foreign(value, where)

    def state(self, value: Any, where: str) -> Node:
        """Return the attributes of an object of acclimate, without what stays behind."""
        left = {n for c in type(value).__mro__ for n in getattr(c, "_not_saved", ())}
        left |= {"card_", "extras_"}  # of the file that a model was loaded from
        items = [(k, v) for k, v in vars(value).items() if k not in left]
        return {"is": "dict", "items": [[k, self.node(v, join(where, k))] for k, v in items]}

    def _torch(self, value: Any, where: str) -> dict[str, Node] | None:
        import torch

        if isinstance(value, torch.nn.Module):
            return layers.encode(self, value, where)
        if isinstance(value, torch.Tensor):
            return {"is": "tensor", **pack_tensor(value, self.arrays, where)}
        if isinstance(value, torch.dtype):
            return {"is": "torch dtype", "name": str(value).removeprefix("torch.")}
        if isinstance(value, torch.device):
            return {"is": "torch device", "name": str(value)}
        return None

    def _foreign(self, value: Any, where: str) -> dict[str, Node]:
        """Leave a value to skops, unless there is something of ours inside."""
        mixed = False
        for path, part in walk(value, where):
            if is_function(part) and not _importable(part):
                raise refusal(path, part)
            if qualified(type(part)) in ROWS:
                raise InputError(f"{path} holds rows, and rows never go into a model file")
            mixed = mixed or is_ours(type(part)) or type(part).__module__.startswith("torch")
        if mixed and hasattr(value, "get_params"):
            state = self.node(value.__getstate__(), where)
            return {"is": "estimator", "class": qualified(type(value)), "state": state}
        self.foreign.append((where, value))
        return {"is": "foreign", "part": len(self.foreign) - 1}

    def foreign_bytes(self) -> bytes:
        """Return what skops makes of the foreign parts, after a trial that they can be read."""
        try:
            return _dump([part for _, part in self.foreign])
        except Exception as error:  # skops has no class of its own for what it cannot write
            for where, part in self.foreign:
                try:
                    _dump([part])
                except Exception as reason:
                    raise refusal(where, part) from reason
            raise InputError(f"skops cannot write the estimators of this model: {error}") from error


def _dump(parts: list[Any]) -> bytes:
    from skops import io

    data: bytes = io.dumps(parts)
    io.loads(data, trusted=io.get_untrusted_types(data=data))  # its own output: what we just hold
    return data


def _importable(function: Any) -> bool:
    """Tell whether another process finds a function by its name."""
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", "<")
    if not module or module == "__main__" or "<" in name:
        return False
    return getattr(sys.modules.get(module), name, None) is function


def refusal(where: str, value: Any) -> InputError:
    """Return the error for something that cannot be saved."""
    shown = getattr(value, "__qualname__", None) or type(value).__qualname__
    if is_function(value) or isinstance(value, type):
        out = (
            "Name it instead: a kernel by its word, a network as a module of a class that can be "
            "made without arguments, a function by putting it into a module that can be imported"
        )
    else:
        out = "Give the model something that scikit-learn, numpy or acclimate can name instead"
    return InputError(
        f"{where} is {shown!r}, a {type(value).__name__}, which a model file cannot hold. {out}"
    )


def is_plain(value: Any) -> bool:
    """Tell whether JSON holds a value as it is."""
    if isinstance(value, dict):
        return all(isinstance(k, str) and is_plain(v) for k, v in value.items())
    if isinstance(value, list):
        return all(is_plain(v) for v in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str)


def check_plain(value: Any, name: str) -> dict[str, Any]:
    """Return a dict that JSON holds as it is, else say which entry it does not."""
    if not isinstance(value, dict):
        raise InputError(f"{name} must be a dict, got {type(value).__name__}")
    for key, entry in value.items():
        if not isinstance(key, str) or not is_plain(entry):
            raise InputError(
                f"{name}[{key!r}] is {entry!r}, but {name} may hold only text, finite numbers, "
                f"None, lists and dicts of them"
            )
    return value
