"""Networks in a file: known layers by their arguments, a user's own module by its weights."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from acclimate.exceptions import InputError, IntegrityError
from acclimate.persistence.arrays import pack_tensor, unpack_tensor
from acclimate.persistence.names import layer_class, layer_name, qualified

if TYPE_CHECKING:
    from torch import nn

    from acclimate.persistence.decode import Decoder
    from acclimate.persistence.encode import Encoder

_NOT_ARGUMENTS = ("self", "device", "dtype")


def encode(encoder: Encoder, module: nn.Module, where: str) -> dict[str, Any]:
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


def decode(decoder: Decoder, node: Mapping[str, Any]) -> nn.Module:
    """Return the network of a node."""
    import torch

    if node["is"] == "module":
        return _from_template(decoder, node)
    cls = layer_class(node["class"])
    made: nn.Module
    if "children" in node:
        made = cls()
        for name, child in node["children"]:
            made.add_module(name, decoder.value(child))
    else:
        arguments = {name: decoder.value(v) for name, v in node["arguments"]}
        with torch.device("meta"):  # no initial weights: they would be thrown away
            made = cls(**arguments)
        _renew_head(decoder, made)
        for name, packed in node["weights"]:
            _put(made, name, unpack_tensor(packed, decoder.arrays), name not in node["frozen"])
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
    state = {n: unpack_tensor(packed, decoder.arrays) for n, packed in node["weights"]}
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
