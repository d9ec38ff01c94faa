"""Split a module of the user's into body and head."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from acclimate.exceptions import InputError
from acclimate.training.network import Network


def split(module: nn.Module, head: str | None = None) -> Network:
    """Split any module into body and head, on a deep copy.

    Parameters
    ----------
    module : nn.Module
        Maps inputs to logits. Its last operation must be the head.
    head : str, default=None
        Dotted name of the head inside the module. None takes the last `nn.Linear`.

    Returns
    -------
    Network
        The same function of the input.

    Raises
    ------
    InputError
        There is no such head.
    """
    if isinstance(module, Network):
        return copy.deepcopy(module)
    if is_keras(module):
        from acclimate.training.keras import split_keras  # only where the user has Keras

        return split_keras(module, head)
    body = copy.deepcopy(module)
    linear = [name for name, m in body.named_modules() if isinstance(m, nn.Linear)]
    name = head if head is not None else (linear[-1] if linear else "")
    try:
        last = body.get_submodule(name) if name else None
    except AttributeError:
        last = None
    if last is None:
        raise InputError(
            f"no head {name!r} in {type(module).__name__}: "
            f"its linear layers are {linear}; name one with head="
        )
    parent, _, child = name.rpartition(".")
    setattr(body.get_submodule(parent) if parent else body, child, nn.Identity())
    return Network(body, last)


def check_answer(module: nn.Module, x: Tensor) -> None:
    """Raise where a module does not map rows ``x`` to one float32 tensor of logits, (n, k)."""
    name = type(module).__name__
    double = [key for key, p in module.named_parameters() if p.dtype == torch.float64]
    if double:
        raise InputError(
            f"{name} holds float64 weights ({double[0]}), and rows come as float32; call "
            f".float() on it"
        )
    module = copy.deepcopy(module).eval()  # whatever running it may change
    try:
        with torch.no_grad():
            found = module(x)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        raise InputError(
            f"{name} cannot read rows of shape {tuple(x.shape[1:])}: {error}"
        ) from error
    if isinstance(module, Network) or (isinstance(found, Tensor) and found.dim() == 2):
        return
    got = (
        f"a tensor of shape {tuple(found.shape)}"
        if isinstance(found, Tensor)
        else (f"a {type(found).__name__}")
    )
    raise InputError(
        f"{name} returns {got}; a network must return one tensor of logits, shape (rows, outputs). "
        f"Wrap it in a module whose forward returns that tensor, such as output.logits"
    )


def check_split(network: Network, module: nn.Module, x: Tensor) -> None:
    """Raise where body then head is not the module it was split from, on rows ``x``."""
    if is_keras(module):
        from acclimate.training.keras import check_keras

        check_keras(network, module, x)
        return
    module = copy.deepcopy(module)  # whatever running it may change
    was = network.training
    network.eval(), module.eval()
    with torch.no_grad():
        expected = module(x)
        try:
            z, logits = network(x)
            same = torch.equal(logits, expected) and z.dim() == 2
        except RuntimeError:  # what the rest of the module returns does not fit the head
            same = False
    network.train(was)
    if not same:
        raise InputError(
            f"{type(module).__name__} does not end with its head, so it cannot be split there. "
            f"Name the output layer with head=, and leave softmax to the loss"
        )


def is_keras(module: object) -> bool:
    """Tell whether an object is a Keras model or layer, without importing Keras."""
    return any(cls.__module__.partition(".")[0] == "keras" for cls in type(module).__mro__)
