"""From a fitted model to members of a file: structure as JSON, arrays and estimators beside it."""

from __future__ import annotations

import inspect
import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from acclimate.exceptions import InputError
from acclimate.persistence import foreign
from acclimate.persistence.limits import Budget
from acclimate.persistence.names import (
    ROWS,
    is_ours,
    is_own,
    layer_name,
    qualified,
    stable_name,
)
from acclimate.persistence.sklearn_types import NEIGHBOURS, TRUSTED, may_be_held
from acclimate.persistence.tensors import Arrays, pack_array, pack_tensor
from acclimate.persistence.walk import is_function, join, walk

if TYPE_CHECKING:
    from torch import nn

_TREES_OF_ROWS = ("sklearn.neighbors._kd_tree.KDTree", "sklearn.neighbors._ball_tree.BallTree")
_SPLINE = "scipy.interpolate._bsplines.BSpline"
_BUNCH = "sklearn.utils._bunch.Bunch"

Node = Any  # None, bool, int, float, str, a list of nodes, or a dict whose "is" names its kind


class Encoder:
    """Turns values into nodes. An object that occurs twice is written once.

    Attributes
    ----------
    arrays : Arrays
        Arrays and tensors met so far.
    foreign : list of (str, object)
        What skops has to write, with the attribute where it was met.
    own : dict from str to type
        Classes of the user's met so far, by their qualified names.
    """

    def __init__(self) -> None:
        self.arrays = Arrays()
        self.foreign: list[tuple[str, Any]] = []
        self.own: dict[str, type[Any]] = {}
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
        if qualified(cls) in ROWS:
            raise InputError(f"{where} holds rows, and rows never go into a model file")
        if cls.__module__.startswith("acclimate.") and stable_name(cls) is None:
            raise InputError(
                f"{where} is a {cls.__name__}, which has no name in a model file. If models of "
                f"acclimate are to hold it, give it a line in HOMES of persistence/names.py"
            )
        if "torch" in sys.modules:
            found = self._torch(value, where)
            if found is not None:
                return found
        if isinstance(value, type) or is_function(value):
            raise refusal(where, value)
        if is_own(cls):
            self.own[qualified(cls)] = cls
            return {"is": "own", "class": qualified(cls), "state": self.state(value, where)}
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
            return encode_network(self, value, where)
        if isinstance(value, torch.Tensor):
            return {"is": "tensor", **pack_tensor(value, self.arrays, where)}
        if isinstance(value, torch.dtype):
            return {"is": "torch dtype", "name": str(value).removeprefix("torch.")}
        if isinstance(value, torch.device):
            return {"is": "torch device", "name": str(value)}
        return None

    def _foreign(self, value: Any, where: str) -> dict[str, Node]:
        """Leave a value to skops, unless there is something inside that is written here."""
        mixed = False
        for path, part in walk(value, where):
            if is_function(part) and not _importable(part):
                raise refusal(path, part)
            if qualified(type(part)) in ROWS:
                raise InputError(f"{path} holds rows, and rows never go into a model file")
            own = type(part).__module__.startswith(("acclimate.", "torch"))
            mixed = mixed or own or qualified(type(part)) in (*_TREES_OF_ROWS, _SPLINE)
        name = qualified(type(value))
        if mixed and name == _SPLINE:
            arguments = [value.t, value.c, value.k, value.extrapolate, value.axis]
            return {"is": "spline", "arguments": self.node(arguments, where)}
        if mixed and name == _BUNCH:
            return {"is": "bunch", "items": [self._item(k, v, where) for k, v in value.items()]}
        if mixed and (hasattr(value, "get_params") or name in TRUSTED):
            if name.startswith("sklearn.") and not may_be_held(name):
                raise unchecked(where, [name])
            state = dict(value.__getstate__())
            tree = qualified(type(state.get("_tree")))
            node: dict[str, Node] = {"is": "estimator", "class": name}
            if tree in _TREES_OF_ROWS and type(value).__name__ in NEIGHBOURS:
                del state["_tree"]  # it is built again from the rows
                node["tree"] = tree.rpartition(".")[2]
            return {**node, "state": self.node(state, where)}
        self.foreign.append((where, value))
        return {"is": "foreign", "part": len(self.foreign) - 1}

    def foreign_bytes(self) -> bytes:
        """Return what skops makes of the foreign parts, after a trial that they can be read."""
        try:
            data = foreign.dump([part for _, part in self.foreign])
        except Exception as error:  # skops has no class of its own for what it cannot write
            for where, part in self.foreign:
                try:
                    foreign.dump([part])
                except Exception as reason:
                    raise refusal(where, part) from reason
            raise InputError(f"skops cannot write the estimators of this model: {error}") from error
        if _refused(data):
            for where, part in self.foreign:
                names = _refused(foreign.dump([part]))
                if names:
                    raise unchecked(where, names)
        foreign.load(data, foreign.untrusted(data), Budget(len(data)))
        return data


def own_classes(model: Any) -> list[type[Any]]:
    """Return the classes of the user's own that a file of this model needs when it is loaded."""
    encoder = Encoder()
    encoder.node(model, "")
    return list(encoder.own.values())


def _refused(data: bytes) -> list[str]:
    """Return the types that `load` does not build; those of other libraries can be trusted then."""
    return [name for name in foreign.untrusted(data) if not foreign.is_of_others(name)]


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
            "made without arguments, a map as an object of a class with __call__, another function "
            "by putting it into a module that can be imported"
        )
    else:
        out = "Give the model something that scikit-learn, numpy or acclimate can name instead"
    return InputError(
        f"{where} is {shown!r}, a {type(value).__name__}, which a model file cannot hold. {out}"
    )


def unchecked(where: str, names: list[str]) -> InputError:
    """Return the error for types that `load` would not build."""
    shown = ", ".join(names)
    return InputError(
        f"{where} holds {shown}, which no model file may hold: a file could make compiled code of "
        f"it read outside its memory, or run something. Use another estimator, or keep this one "
        f"with its own library"
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


_NOT_ARGUMENTS = ("self", "device", "dtype")


def encode_network(encoder: Encoder, module: nn.Module, where: str) -> dict[str, Any]:
    """Return the node of a network.

    A layer of torch.nn or acclimate is its constructor's arguments. Of a user's own class only the
    name and the weights are written; the class is given to `load`.
    """
    from torch import nn

    name = layer_name(type(module))
    node: dict[str, Any] = {"is": "layer", "training": module.training}
    if type(module) in (nn.Sequential, nn.ModuleList, nn.ModuleDict):
        children = [
            [n, encoder.node(m, f"{where}.{n}")]
            for n, m in module._modules.items()
            if m is not None
        ]
        return {**node, "class": name, "children": children}
    if name is None:
        gone = [n for n, m in module.named_modules() if type(m) is nn.Identity]
        return {
            "is": "module", "class": qualified(type(module)), "training": module.training,
            "identity": gone, **_weights(encoder, module, set(), where),
        }  # fmt: skip
    arguments = _arguments(module)
    inside = {n for n, m in module._modules.items() if n in arguments and m is not None}
    _check_rebuilt(module, arguments, where)
    return {
        **node,
        "class": name,
        "arguments": [[n, encoder.node(v, f"{where}.{n}")] for n, v in arguments.items()],
        **_weights(encoder, module, inside, where),
    }


def _arguments(module: nn.Module) -> dict[str, Any]:
    """Return the arguments that a layer was made with, read off its attributes."""
    from torch import Tensor

    found: dict[str, Any] = {}
    for name in inspect.signature(type(module).__init__).parameters:
        if name in _NOT_ARGUMENTS or name.startswith("_") or not hasattr(module, name):
            continue
        value = getattr(module, name)
        if name == "bias":  # the attribute is the weights, the argument asks for them
            value = value is not None
        if not isinstance(value, Tensor):
            found[name] = value
    return found


def _check_rebuilt(module: nn.Module, arguments: dict[str, Any], where: str) -> None:
    """Raise unless a layer can be made again from its arguments."""
    import torch

    try:
        with torch.device("meta"):
            again = type(module)(**arguments)
        mine, its = module.state_dict(), again.state_dict()
        same = repr(again) == repr(module) and {n: w.shape for n, w in mine.items()} == {
            n: w.shape for n, w in its.items()
        }
    except Exception:
        same = False
    if not same:
        raise InputError(
            f"{where} is {type(module).__name__}, a layer that cannot be made again from its "
            f"arguments. Put it into a class of your own, derived from torch.nn.Module and made "
            f"without arguments, and give that class to load(..., modules=[...])"
        )


def _weights(encoder: Encoder, module: nn.Module, inside: set[str], where: str) -> dict[str, Any]:
    """Return parameters and buffers, but not those of the modules ``inside``."""
    state = module.state_dict()
    own = {n: w for n, w in state.items() if n.split(".")[0] not in inside}
    frozen = [n for n, p in module.named_parameters() if n in own and not p.requires_grad]
    packed = [[n, pack_tensor(w, encoder.arrays, f"{where}.{n}")] for n, w in own.items()]
    return {"weights": packed, "frozen": frozen}
