"""Features of networks and of their layers, and of the same networks with random weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from acclimate.exceptions import InputError
from acclimate.training.device import find_device, seeded
from acclimate.training.dropout import Dropout
from acclimate.training.inference import infer
from acclimate.training.network import Network, he

Features = NDArray[np.float32]
M = TypeVar("M", bound=nn.Module)

MAPS = 2  # feature maps are pooled to this many cells a side
LAYERS = 24  # most layers of a network that are looked at, at even distances
_SAME = (nn.Identity, nn.Flatten, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, Dropout)


def body_features(module: nn.Module, X: NDArray[Any], *, batch_size: int | None = None) -> Features:
    """Return what a body makes of rows, shape (n, d), without gradients and in evaluation mode.

    Parameters
    ----------
    module : nn.Module
        Maps rows to features. Of a `Network`, the body is taken.
    X : ndarray of shape (n, ...)
        Rows; uint8 is read as pixels and divided by 255.
    batch_size : int, default=None
        Rows at a time; None is what `acclimate.training.inference.rows_at_once` says.
    """
    body = module.body if isinstance(module, Network) else module
    features, _ = _run(_Twice(body), X, batch_size)
    return features


def layer_features(
    module: nn.Module, X: NDArray[Any], *, batch_size: int | None = None
) -> dict[str, Features]:
    """Return the output of each layer for rows, by the layer's name, each of shape (n, d).

    Feature maps are pooled to 2 x 2 cells, sequences to their mean. Layers that only pass on or
    flatten are left out, and so is the head of a `Network`. Of more than 24 layers, 24 at even
    distances are returned, the last among them.

    Parameters
    ----------
    module, X, batch_size
        As in `body_features`.
    """
    body = module.body if isinstance(module, Network) else module
    names = [
        name
        for name, layer in body.named_modules()
        if not list(layer.children()) and not isinstance(layer, _SAME)
    ]
    if len(names) > LAYERS:
        names = [names[i] for i in np.linspace(0, len(names) - 1, LAYERS).round().astype(int)]
    body = copy.deepcopy(body)  # hooks stay on the copy
    layers = dict(body.named_modules())
    with _Listener({name: layers[name] for name in names}) as listener:
        _run(_Twice(body), X, batch_size)
    found = {}
    for name, parts in listener.heard.items():
        if sum(len(part) for part in parts) == len(X):  # a layer that runs twice a row is skipped
            title = f"{name} ({type(layers[name]).__name__})" if name else "output"
            found[title] = np.ascontiguousarray(torch.cat(parts).numpy())
    if not found:
        raise InputError(f"no layer of {type(module).__name__} returns one tensor row for each row")
    return found


def random_twin(module: M, seed: int) -> M:
    """Return a copy with fresh random weights: same shape, nothing learned.

    Each layer draws its weights anew, linear and convolutional ones as acclimate's own networks do.
    Parameters of modules that cannot draw them keep their values, in random order.

    Parameters
    ----------
    module : nn.Module
        Stays as it is.
    seed : int
        Seeds the weights.
    """
    twin = copy.deepcopy(module)
    where = next((p.device for p in twin.parameters()), torch.device("cpu"))
    with seeded(seed, where), torch.no_grad():
        for layer in twin.modules():
            reset: Any = getattr(layer, "reset_parameters", None) or getattr(
                layer, "_reset_parameters", None
            )
            if callable(reset):
                reset()
                continue
            for parameter in layer.parameters(recurse=False):
                order = torch.randperm(parameter.numel()).to(parameter.device)
                parameter.copy_(parameter.flatten()[order].view_as(parameter))
        he(twin)
    return twin


class _Twice(nn.Module):
    """A body as `infer` wants a network: flat features, twice."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        z = _flat(self.body(x))
        return z, z[:, :0]


class _Listener:
    """Hears what layers return while it is entered."""

    def __init__(self, layers: Mapping[str, nn.Module]) -> None:
        self.heard: dict[str, list[Tensor]] = {name: [] for name in layers}
        self._layers = layers
        self._handles: list[Any] = []

    def __enter__(self) -> _Listener:
        for name, layer in self._layers.items():
            self._handles.append(layer.register_forward_hook(self._hook(name)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        for handle in self._handles:
            handle.remove()

    def _hook(self, name: str) -> Any:
        def hear(_layer: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.dim() >= 2:
                self.heard[name].append(_flat(output).float().cpu())

        return hear


def _flat(z: Any) -> Tensor:
    """Return features as rows: maps pooled to 2 x 2, sequences to their mean."""
    if not isinstance(z, Tensor):
        raise InputError(f"a body must return one tensor, this one returns {type(z).__name__}")
    if z.dim() == 4:
        z = nn.functional.adaptive_avg_pool2d(z, MAPS)
    elif z.dim() == 3:
        z = z.mean(dim=1)
    flat: Tensor = z.flatten(1)
    return flat


def _run(network: nn.Module, X: NDArray[Any], batch_size: int | None) -> tuple[Features, Features]:
    where = next((p.device for p in network.parameters()), find_device("cpu"))
    array = np.ascontiguousarray(X)
    if array.dtype != np.uint8:
        array = array.astype(np.float32, copy=False)
    x = torch.from_numpy(array if array.flags.writeable else array.copy())
    z, rest = infer(network, x, batch_size=batch_size, device=where)
    return z.numpy(), rest.numpy()
