"""Built-in networks with batch norm, whose statistics can follow the domain."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.training.dropout import Dropout
from acclimate.training.network import Image, Network, he, image_channels, mlp

CHANNELS = (16, 32, 64)  # of the stages of "resnet"


def mlp_norm(shape: Sequence[int], outputs: int, hidden: Sequence[int], dropout: float) -> Network:
    """Build a multilayer perceptron with batch norm before each ReLU.

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
        layers += [nn.Linear(width, units, bias=False), nn.BatchNorm1d(units), nn.ReLU()]
        if dropout > 0.0:
            layers.append(Dropout(dropout))
        width = units
    return he(Network(nn.Sequential(*layers), nn.Linear(width, outputs)))


def cnn_norm(shape: Sequence[int], outputs: int, hidden: Sequence[int], dropout: float) -> Network:
    """Build the network "cnn" with batch norm after each convolution.

    Parameters
    ----------
    shape : (h, w) or (c, h, w)
        Shape of one image, sides of at least 10.
    outputs : int
        Number of logits.
    hidden : sequence of int
        Units of each dense hidden layer.
    dropout : float in [0, 1)
        Share of units dropped after each dense hidden layer while training.
    """
    channels = image_channels("cnn-norm", shape, "mlp-norm")
    h, w = (((side - 2) // 2 - 2) // 2 for side in shape[-2:])
    blocks = nn.Sequential(
        Image(),
        nn.Conv2d(channels, 32, 3, bias=False), nn.BatchNorm2d(32), nn.MaxPool2d(2), nn.ReLU(),
        nn.Conv2d(32, 64, 3, bias=False), nn.BatchNorm2d(64), nn.MaxPool2d(2), nn.ReLU(),
    )  # fmt: skip
    dense = mlp((64, h, w), outputs, hidden, dropout)
    he(blocks)
    return Network(nn.Sequential(blocks, dense.body), dense.head)


class Residual(nn.Module):
    """Two 3 x 3 convolutions with batch norm, added to their input (arXiv:1512.03385).

    Where the shape changes, the input takes a 1 x 1 convolution with batch norm.

    Parameters
    ----------
    channels_in, channels_out : int
        Channels before and after.
    stride : int, default=1
        2 halves the sides.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1) -> None:
        super().__init__()
        self.channels_in, self.channels_out, self.stride = channels_in, channels_out, stride
        self.first = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels_out)
        self.second = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels_out)
        self.short: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.short = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride, bias=False),
                nn.BatchNorm2d(channels_out),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return (b, channels_out, h', w') for (b, channels_in, h, w)."""
        h = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(h)) + self.short(x))


def resnet(shape: Sequence[int], outputs: int, hidden: Sequence[int], dropout: float) -> Network:
    """Build a small residual network: three stages of two 3 x 3 convolutions each.

    16, 32 and 64 channels, the last two stages at half the sides of the one before, then the mean
    over the image and the hidden layers. At 28 x 28 it has less than half of the weights of "cnn".

    Parameters
    ----------
    shape : (h, w) or (c, h, w)
        Shape of one image, sides of at least 10.
    outputs : int
        Number of logits.
    hidden : sequence of int
        Units of each dense hidden layer.
    dropout : float in [0, 1)
        Share of units dropped after each dense hidden layer while training.
    """
    channels = image_channels("resnet", shape, "mlp-norm")
    a, b, c = CHANNELS
    blocks = nn.Sequential(
        Image(),
        nn.Conv2d(channels, a, 3, 1, 1, bias=False), nn.BatchNorm2d(a), nn.MaxPool2d(2), nn.ReLU(),
        Residual(a, a), Residual(a, b, 2), Residual(b, c, 2), nn.AdaptiveAvgPool2d(1),
    )  # fmt: skip
    dense = mlp((c,), outputs, hidden, dropout)
    he(blocks)
    return Network(nn.Sequential(blocks, dense.body), dense.head)
