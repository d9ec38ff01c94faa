"""The built-in networks by name."""

from __future__ import annotations

from collections.abc import Callable

from acclimate.training.network import Network, cnn, mlp
from acclimate.training.networks_norm import cnn_norm, mlp_norm, resnet
from acclimate.training.networks_pretrained import efficientnet_lite0
from acclimate.training.networks_tabular import tabular

NETWORKS: dict[str, Callable[..., Network]] = {
    "mlp": mlp,
    "mlp-norm": mlp_norm,
    "cnn": cnn,
    "cnn-norm": cnn_norm,
    "resnet": resnet,
    "tabular": tabular,
    "efficientnet-lite0": efficientnet_lite0,
}
