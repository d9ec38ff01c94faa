"""Keras 3 models on the torch backend: taken apart into a body and a head."""

from __future__ import annotations

import importlib
import random
from typing import Any

import torch
from torch import Tensor, nn

from acclimate.exceptions import InputError
from acclimate.training.network import Network

CLOSE = 1e-4  # probabilities that differ more are not the same function


class KerasLayer(nn.Module):
    """A Keras layer, or a functional model, that obeys `train` and `eval`.

    Keras layers take their mode as an argument, place tensors on a device of their own, and are
    copied through their configuration. This gives them torch's way of each.

    Parameters
    ----------
    layer : keras.Layer
        Built. It is held, not copied; its weights are this module's parameters.
    """

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.held = (layer,)  # in a tuple: as a child it would register names that count up
        for number, variable in enumerate(layer.weights):
            self.register_parameter(f"weight{number}", variable.value)

    @property
    def layer(self) -> Any:
        """The Keras layer."""
        return self.held[0]

    def forward(self, x: Tensor) -> Tensor:
        """Return what the layer makes of ``x``."""
        with _keras().device(str(x.device)):
            answer: Tensor = self.layer(x, training=self.training)
        return answer

    def __deepcopy__(self, memo: dict[int, Any]) -> KerasLayer:
        copied = KerasLayer(copy_layer(self.layer))
        for mine, theirs in zip(copied.parameters(), self.parameters(), strict=True):
            mine.requires_grad_(theirs.requires_grad)
        return copied.train(self.training)

    def extra_repr(self) -> str:
        """Show the layer's class and name."""
        return f"{type(self.layer).__name__}, name={self.layer.name!r}"


def copy_layer(layer: Any) -> Any:
    """Return a Keras layer or functional model of its own, with the same variables."""
    state = random.getstate()  # Keras draws default seeds from Python's generator
    try:
        copied = type(layer).from_config(layer.get_config())
        if layer.built and not copied.built:
            copied.build_from_config(layer.get_build_config())
    finally:
        random.setstate(state)
    with torch.no_grad():
        for mine, theirs in zip(copied.variables, layer.variables, strict=True):
            mine.value.data = theirs.value.detach().clone()
    return copied


def split_keras(model: Any, head: str | None = None) -> Network:
    """Split a copy of a Keras model into body and head.

    The head is the last `Dense` layer, as an `nn.Linear`. A softmax in it or after it is left
    out, since the loss works on logits. One sigmoid unit becomes two logits, 0 and its own, which
    is the same function. The layers of a `Sequential` become the children of an `nn.Sequential`;
    the graph of a functional model stays one module.

    Dropout without a seed follows the estimator's ``random_state``. Dropout with a seed goes on
    from the state that its layer had when the model was handed over.

    Parameters
    ----------
    model : keras.Sequential or functional keras.Model
        Built, with one input and one output, on the torch backend. It is not changed.
    head : str, default=None
        Name of the last `Dense` layer, as a check. None takes the last one.

    Returns
    -------
    Network
        Its logits, through the activation that was left out, are the model's answers.

    Raises
    ------
    InputError
        The backend is not torch, or the model cannot be split; the message says why.
    """
    keras = _keras()
    if keras.config.backend() != "torch":
        raise InputError(
            f"Keras runs on {keras.config.backend()!r} here. Set the environment variable "
            f"KERAS_BACKEND=torch before keras is imported"
        )
    if not isinstance(model, keras.Sequential) and not hasattr(model, "operations"):
        raise InputError(
            f"{type(model).__name__} is neither a keras.Sequential nor a functional keras.Model, "
            f"so it has no graph that could be split. Build it from keras.Input to its last layer"
        )
    if not model.built:
        raise InputError(f"{model.name!r} is not built. Let it begin with keras.Input(row_shape)")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise InputError(
            f"{model.name!r} has {len(model.inputs)} inputs and {len(model.outputs)} outputs; "
            f"it must have one of each"
        )
    if isinstance(model, keras.Sequential):
        layers = list(model.layers)
        after = [layers.pop()] if layers and _only_activates(layers[-1]) else []
        dense = layers.pop() if layers else None
        _check_dense(dense, head)
        body: nn.Module = nn.Sequential(*(KerasLayer(copy_layer(layer)) for layer in layers))
    else:
        graph = copy_layer(model)
        dense = graph.outputs[0]._keras_history.operation
        after = [dense] if _only_activates(dense) else []
        if after:
            dense = dense.input._keras_history.operation
        _check_dense(dense, head)
        body = KerasLayer(keras.Model(graph.inputs, dense.input))
    words = {_activation(part) for part in (dense, *after)} - {"linear"}
    return Network(body, _linear(dense, words))


def check_keras(network: Network, model: Any, x: Tensor) -> None:
    """Raise where a split network does not answer what the model answers for rows ``x``."""
    training = network.training
    x = x.to(next(network.parameters()).device)
    network.eval()
    try:
        with torch.no_grad(), _keras().device(str(x.device)):
            expected = model(x, training=False)
            z, logits = network(x)
    except (ValueError, RuntimeError) as error:
        raise InputError(
            f"{model.name!r} takes rows of shape {tuple(model.input_shape[1:])}, got rows of shape "
            f"{tuple(x.shape[1:])}: {str(error).splitlines()[0]}"
        ) from error
    finally:
        network.train(training)
    if expected.shape[1] < logits.shape[1]:  # one sigmoid unit
        logits = torch.sigmoid(logits[:, 1:])
    elif _ends_in_softmax(model):
        logits = torch.softmax(logits, 1)
    if z.dim() != 2 or not torch.allclose(logits, expected, rtol=CLOSE, atol=CLOSE):
        raise InputError(f"{model.name!r} could not be split into a body and its last Dense layer")


def _keras() -> Any:
    return importlib.import_module("keras")


def _only_activates(layer: Any) -> bool:
    layers = _keras().layers
    return isinstance(layer, layers.Softmax | layers.Activation)


def _activation(layer: Any) -> str:
    """Return the name of the activation that a layer ends in."""
    keras = _keras()
    if isinstance(layer, keras.layers.Softmax):
        return "softmax"
    return str(keras.activations.serialize(getattr(layer, "activation", None)))


def _ends_in_softmax(model: Any) -> bool:
    last = model.outputs[0]._keras_history.operation
    return any(_activation(part) == "softmax" for part in (last, model.layers[-1]))


def _check_dense(layer: Any, name: str | None) -> None:
    if not isinstance(layer, _keras().layers.Dense):
        raise InputError(
            f"the model ends in {type(layer).__name__}; its last layer must be Dense, with a "
            f"softmax or without"
        )
    if name is not None and layer.name != name:
        raise InputError(f"no head {name!r}: the model's last Dense layer is {layer.name!r}")


def _linear(dense: Any, activations: set[str]) -> nn.Linear:
    """Return a dense layer as logits: `nn.Linear` with the same weights."""
    kernel = dense.kernel.value.detach().T  # Keras keeps (inputs, outputs)
    bias = dense.bias.value.detach() if dense.use_bias else None
    one_unit = len(kernel) == 1
    if not activations <= ({"softmax"} if not one_unit else {"sigmoid"}):
        raise InputError(
            f"the head has {len(kernel)} unit(s) and activation {sorted(activations)}; "
            f"it may be linear, softmax, or one sigmoid unit"
        )
    if activations and one_unit:
        kernel = torch.cat([torch.zeros_like(kernel), kernel])
        bias = None if bias is None else torch.cat([torch.zeros_like(bias), bias])
    with torch.random.fork_rng(devices=[]):  # the first weights are overwritten
        head = nn.Linear(kernel.shape[1], len(kernel), bias=bias is not None)
    head.to(kernel.device)
    with torch.no_grad():
        head.weight.copy_(kernel)
        if bias is not None:
            head.bias.copy_(bias)
    return head
