"""Networks as the loop sees them: a body that makes features z, and a head that makes logits."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Literal, Self, TypeVar

import torch
from torch import Tensor, nn

from acclimate.exceptions import InputError
from acclimate.training.batch import Batch
from acclimate.training.dropout import Dropout
from acclimate.training.fused import Dense, Tape, dense

M = TypeVar("M", bound=nn.Module)


class Network(nn.Module):
    """A body followed by a head.

    Parameters
    ----------
    body : nn.Module
        Maps inputs of shape (b, ...) to features z of shape (b, d).
    head : nn.Linear
        Maps features to logits of shape (b, k), or values of shape (b, 1).
    """

    # the layers as the loop runs them: None is not known yet, False is one by one
    _dense: Dense | Literal[False] | None = None

    def __init__(self, body: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.head = head

    def train(self, mode: bool = True) -> Self:
        """Set the mode, and look at the layers anew when they run next."""
        self._dense = None
        return super().train(mode)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (b, d) and logits (b, k)."""
        found = self.by_hand(x)
        if found is not None:
            return found
        z = self.body(x)
        return z, self.head(z)

    def by_hand(self, x: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return what `forward` does where a `Tape` is open and knows all layers, else None."""
        tape = Tape.open
        if tape is None or not self.training:
            return None
        if self._dense is None:
            self._dense = dense(self.body, self.head) or False
        return self._dense(x, tape) if self._dense else None


def forward(network: nn.Module, batch: Batch) -> SimpleNamespace:
    """Run a `Network` on a batch: the default of the loop.

    Returns
    -------
    SimpleNamespace
        ``z`` (b, d) and ``logits`` (b, k), beside the fields of the batch.
    """
    z, logits = network(batch.x)
    return SimpleNamespace(
        z=z, logits=logits, x=batch.x, y=batch.y, weight=batch.weight, index=batch.index,
        domain=batch.domain, views=batch.views,
    )  # fmt: skip


class Image(nn.Module):
    """Give rows of shape (b, h, w) the channel axis that convolutions need."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (b, 1, h, w) for (b, h, w), and other shapes unchanged."""
        return x.unsqueeze(1) if x.dim() == 3 else x


def he(module: M) -> M:
    """Give linear and convolutional layers He's uniform weights and zero biases, in place.

    torch's default is narrower, which costs 0.3 points on optdigits and pendigits at 200 labels
    and more. He et al., "Delving deep into rectifiers", arXiv:1502.01852.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module


def mlp(shape: Sequence[int], outputs: int, hidden: Sequence[int], dropout: float) -> Network:
    """Build a multilayer perceptron with ReLU units.

    Parameters
    ----------
    shape : sequence of int
        Shape of one row.
    outputs : int
        Number of logits.
    hidden : sequence of int
        Units of each hidden layer.
    dropout : float in [0, 1)
        Share of units dropped after each hidden layer while training.

    Returns
    -------
    Network
        ``body`` ends after the last hidden layer.
    """
    layers: list[nn.Module] = [nn.Flatten()]
    width = int(torch.Size(shape).numel())
    for units in hidden:
        layers += [nn.Linear(width, units), nn.ReLU()]
        if dropout > 0.0:
            layers.append(Dropout(dropout))
        width = units
    return he(Network(nn.Sequential(*layers), nn.Linear(width, outputs)))


def image_channels(name: str, shape: Sequence[int], flat: str) -> int:
    """Return the channels of images; raise where rows are none, or have a side below 10.

    Parameters
    ----------
    name : str
        Network that needs images.
    shape : sequence of int
        Shape of one row.
    flat : str
        Network for rows that are no images.
    """
    last = len(shape) == 3 and shape[2] in (1, 3, 4) and min(shape[:2]) >= 10 > shape[2]
    if last and shape[0] not in (1, 3, 4):
        raise InputError(
            f'network="{name}" needs channels first, and rows of shape {tuple(shape)} have theirs '
            f"last; give X.transpose(0, 3, 1, 2)"
        )
    if len(shape) not in (2, 3) or min(shape[-2:]) < 10:
        raise InputError(
            f'network="{name}" needs images of shape (n, h, w) or (n, c, h, w) with sides of 10 '
            f'or more, got rows of shape {tuple(shape)}; for flat rows use network="{flat}"'
        )
    return 1 if len(shape) == 2 else shape[0]


def cnn(shape: Sequence[int], outputs: int, hidden: Sequence[int], dropout: float) -> Network:
    """Build a small convolutional network of LeNet's size for images of at least 10 x 10.

    Two blocks of 3 x 3 convolution, 2 x 2 max-pooling and ReLU with 32 and 64 channels, then the
    hidden layers. Pooling stands before ReLU: the function is the same and costs less.

    Parameters
    ----------
    shape : (h, w) or (c, h, w)
        Shape of one image.
    outputs : int
        Number of logits.
    hidden : sequence of int
        Units of each dense hidden layer.
    dropout : float in [0, 1)
        Share of units dropped after each dense hidden layer while training.
    """
    channels = image_channels("cnn", shape, "mlp")
    h, w = (((side - 2) // 2 - 2) // 2 for side in shape[-2:])
    blocks = nn.Sequential(
        Image(),
        nn.Conv2d(channels, 32, 3), nn.MaxPool2d(2), nn.ReLU(),
        nn.Conv2d(32, 64, 3), nn.MaxPool2d(2), nn.ReLU(),
    )  # fmt: skip
    dense = mlp((64, h, w), outputs, hidden, dropout)
    he(blocks)
    return Network(nn.Sequential(blocks, dense.body), dense.head)


def output_width(head: nn.Module) -> int:
    """Return the number of logits of a head."""
    for layer in reversed(list(head.modules())):
        width: Any = getattr(layer, "out_features", None)
        if isinstance(width, int):
            return width
    raise InputError(f"cannot tell how many outputs {type(head).__name__} has; end it in nn.Linear")


def new_head(head: nn.Module, outputs: int) -> nn.Linear:
    """Return a freshly initialised linear head for the same features and other classes."""
    if not isinstance(head, nn.Linear):
        raise InputError(f"only a linear head can be replaced, this one is {type(head).__name__}")
    return he(nn.Linear(head.in_features, outputs, bias=head.bias is not None))


def is_convolutional(network: nn.Module) -> bool:
    """Tell whether the network has two-dimensional convolutions."""
    return any(isinstance(m, nn.Conv2d) for m in network.modules())
