"""From members of a file back to a model. Only known classes are built; nothing is executed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError, IntegrityError
from acclimate.persistence.given import makers
from acclimate.persistence.limits import Budget, few_parts
from acclimate.persistence.names import (
    foreign_class,
    layer_class,
    match_name,
    our_class,
    own_class,
    qualified,
    refuse_own,
)
from acclimate.persistence.tensors import size_of, unpack_array, unpack_tensor

if TYPE_CHECKING:
    from torch import nn

_COLLECTIONS = {"tuple": tuple, "set": set, "frozenset": frozenset}
_FLOATS = ("nan", "inf", "-inf")
# kinds that others may point at; of a tuple of tuples, a hash alone could take ages
_SHARED = (
    "object", "own", "estimator", "array", "objects", "tensor", "torch dtype", "torch device",
    "layer", "module", "foreign", "spline", "bunch",
)  # fmt: skip
_MOST = 2**61 - 1
_LAYER = 8192  # bytes that a layer takes without its weights
_PARTS = 1000  # modules and weights that a layer may be made of, beyond those in the file


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
    budget : Budget
        How much memory arrays may take.

    Attributes
    ----------
    own : dict from str to type
        The classes among the user's modules, by their qualified names.
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
        budget: Budget,
    ) -> None:
        self.budget = budget
        self.arrays = arrays
        self.foreign = foreign
        self.trusted = trusted
        self.partial = partial
        self.warnings: list[str] = []
        self.taken_off: dict[int, Any] = {}
        self._templates = makers(modules)
        self.own = {qualified(given): given for given in modules if isinstance(given, type)}
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
        if "id" in node and kind not in _SHARED:
            raise IntegrityError(f"it points at a {kind}")
        if kind in ("object", "own", "estimator"):
            return self._object(node)
        if kind not in _KINDS:
            raise IntegrityError(f"it names the kind {kind!r}, which is unknown")
        made = _KINDS[kind](self, node)
        if "id" in node:
            self._made[node["id"]] = made
        return made

    def check_given(self, names: Sequence[str]) -> None:
        """Raise where a file holds classes of the user's that were not given, all at once."""
        missing = [
            name
            for name in names
            if match_name(name, self.own) is None and name not in self.trusted
        ]
        if missing:
            refuse_own(missing, self.own)

    def template(self, name: str) -> Any:
        """Return a fresh module of the user's class with this name."""
        make = match_name(name, self._templates)
        if make is None:
            given = f"; given were {sorted(self._templates)}" if self._templates else ""
            raise InputError(
                f"its network is of the class {name!r}, which is not acclimate's. If you trust it, "
                f"give the class, or a module of it: load(path, modules=[{name.split('.')[-1]}])"
                f"{given}"
            )
        return make()

    def _object(self, node: Mapping[str, Any]) -> Any:
        if node["is"] != "estimator":
            name = node["class"]
            own = node["is"] == "own"
            cls = own_class(name, self.own, self.trusted) if own else our_class(name)
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
        state = self._state(node)
        if hasattr(made, "__setstate__"):
            made.__setstate__(state)
        else:
            made.__dict__.update(state)
        if "tree" in node:
            _plant(made, str(node["tree"]))
        return made

    def array(self, node: Mapping[str, Any]) -> NDArray[Any]:
        """Return the array of a node."""
        self.budget.spend(size_of(node, self.arrays))
        return unpack_array(node, self.arrays)

    def tensor(self, node: Mapping[str, Any]) -> Any:
        """Return the tensor of a node."""
        self.budget.spend(size_of(node, self.arrays))
        return unpack_tensor(node, self.arrays)

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


def _plant(made: Any, name: str) -> None:
    """Build the search tree of nearest neighbours from their rows, as their fit does.

    A tree is compiled code, and what it believes of itself cannot be checked: none is in a file.
    """
    from sklearn.neighbors import BallTree, KDTree

    build = {"KDTree": KDTree, "BallTree": BallTree}[name]
    made._tree = build(
        made._fit_X, made.leaf_size, metric=made.effective_metric_, **made.effective_metric_params_
    )


def _spline(decoder: Decoder, node: Mapping[str, Any]) -> Any:
    from scipy.interpolate import BSpline

    knots, weights, degree, extrapolate, axis = decoder.value(node["arguments"])
    return BSpline(knots, weights, degree, extrapolate, axis)


def _bunch(decoder: Decoder, node: Mapping[str, Any]) -> Any:
    from sklearn.utils import Bunch

    return Bunch(**_dict(decoder, node))


def _float(decoder: Decoder, node: Mapping[str, Any]) -> float:
    if node["value"] not in _FLOATS:
        raise ValueError(f"the number {node['value']!r}")
    return float(node["value"])


def _collection(decoder: Decoder, node: Mapping[str, Any]) -> Any:
    return _COLLECTIONS[node["is"]](decoder.value(list(node["items"])))


def _dict(decoder: Decoder, node: Mapping[str, Any]) -> dict[Any, Any]:
    made = {}
    for item, value in node["items"]:
        key = decoder.value(item)
        if isinstance(key, int) and abs(key) >= _MOST:  # before it is hashed beside others
            raise IntegrityError("it has keys beyond 61 bits, whose hashes may be alike")
        made[key] = decoder.value(value)
    return made


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


def decode_network(decoder: Decoder, node: Mapping[str, Any]) -> nn.Module:
    """Return the network of a node."""
    import torch

    if node["is"] == "module":
        return _from_template(decoder, node)
    decoder.budget.spend(_LAYER)
    cls = layer_class(node["class"])
    made: nn.Module
    if "children" in node:
        made = cls()
        for name, child in node["children"]:
            made.add_module(name, decoder.value(child))
    else:
        arguments = {name: decoder.value(v) for name, v in node["arguments"]}
        weights = len(node["weights"])
        for name, value in arguments.items():  # torch copies a layer so often before it counts
            if name.endswith("layers") and isinstance(value, int) and value > weights:
                raise IntegrityError(f"{node['class']} has {value} layers but {weights} weights")
        # no initial weights: they would be thrown away
        with torch.device("meta"), few_parts(_PARTS + 3 * weights):
            made = cls(**arguments)
        _renew_head(decoder, made)
        for name, packed in node["weights"]:
            _put(made, name, decoder.tensor(packed), name not in node["frozen"])
        left = [n for n, w in made.state_dict().items() if w.is_meta]
        if left:
            raise IntegrityError(f"it lacks the weights {left} of {node['class']}")
    made.training = bool(node["training"])
    return made


def _renew_head(decoder: Decoder, network: nn.Module) -> None:
    """Give a user's body of another width a new head, or refuse it."""
    from torch import nn

    body, head = (network._modules.get(name) for name in ("body", "head"))
    old = decoder.taken_off.get(id(body))
    if not isinstance(old, nn.Linear) or not isinstance(head, nn.Linear):
        return
    if old.in_features == head.in_features:
        return
    message = f"its head reads {head.in_features} features, the given module has {old.in_features}"
    if not decoder.partial:
        raise IntegrityError(f"{message}. Give the module that was saved")
    decoder.warnings.append(f"{message}: the head is new")
    network._modules["head"] = nn.Linear(
        old.in_features, head.out_features, bias=head.bias is not None
    )


def _put(module: nn.Module, name: str, tensor: Any, moves: bool) -> None:
    """Put a tensor in the place of a parameter or buffer of the same shape."""
    from torch import nn

    parent, _, last = name.rpartition(".")
    owner = module.get_submodule(parent) if parent else module
    old = owner._parameters.get(last)
    place: dict[str, Any] = owner._parameters if old is not None else owner._buffers
    old = place.get(last)
    if old is None or old.shape != tensor.shape:
        raise IntegrityError(
            f"the weight {name!r} of shape {tuple(tensor.shape)} does not fit "
            f"{type(module).__name__}"
        )
    floats = tensor.is_floating_point() or tensor.is_complex()
    place[last] = (
        nn.Parameter(tensor, requires_grad=moves and floats)
        if place is owner._parameters
        else tensor
    )


def _from_template(decoder: Decoder, node: Mapping[str, Any]) -> nn.Module:
    """Return a user's module with the weights of the file."""
    import torch
    from torch import nn

    from acclimate.training.weights import as_text, table_of_weights

    name = node["class"]
    made: nn.Module = decoder.template(name)
    for path in node["identity"]:  # the head was taken off a copy of the module
        parent, _, last = path.rpartition(".")
        owner = made.get_submodule(parent) if parent else made
        if last in owner._modules and type(owner._modules[last]) is not nn.Identity:
            decoder.taken_off[id(made)] = owner._modules[last]
            owner._modules[last] = nn.Identity()
    state = {n: decoder.tensor(packed) for n, packed in node["weights"]}
    table = table_of_weights(made, state)
    if any(row.fate != "loaded" for row in table):
        message = f"the weights of {name} do not fit the module that was given:\n{as_text(table)}"
        if not decoder.partial:
            raise IntegrityError(
                f"{message}\nGive the module that was saved, or take what fits with partial=True"
            )
        decoder.warnings.append(message)
    places = made.state_dict(keep_vars=True)
    with torch.no_grad():
        for row in table:
            if row.fate == "loaded":
                place, saved = places[row.name], state[row.name]
                if place.stride() != saved.stride():
                    place.data = saved  # the order in memory decides how kernels add up
                else:
                    place.copy_(saved)
    for n, parameter in made.named_parameters():
        parameter.requires_grad_(n not in node["frozen"])
    return made.train(bool(node["training"]))


_KINDS: dict[str, Callable[[Decoder, Mapping[str, Any]], Any]] = {
    "float": _float,
    "tuple": _collection,
    "set": _collection,
    "frozenset": _collection,
    "dict": _dict,
    "scalar": lambda decoder, node: decoder.array(node).reshape(())[()],
    "dtype": _dtype,
    "array": lambda decoder, node: decoder.array(node),
    "objects": _objects,
    "tensor": lambda decoder, node: decoder.tensor(node),
    "torch dtype": _torch_dtype,
    "torch device": _torch_device,
    "layer": decode_network,
    "module": decode_network,
    "spline": _spline,
    "bunch": _bunch,
    "foreign": lambda decoder, node: decoder.foreign[node["part"]],
}
