"""Watching an adaptation without target labels: which epoch to keep, and when to stop."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor, nn

from acclimate.exceptions import ConvergenceWarning
from acclimate.losses.adversarial import proxy_a_distance
from acclimate.training import norm
from acclimate.training.batch import Data
from acclimate.training.network import Network
from acclimate.validators.confidence import (
    diversity,
    entropy,
    information_maximisation,
    nuclear_norm,
    snd,
)

Array = NDArray[np.floating[Any]]

ROWS = 512  # of a domain, seen after each epoch: more would cost a good part of a short epoch
CHANCE = 0.52  # accuracy of a discriminator that tells nothing
FEWEST = 100  # steps before anything counts as collapse
AUTO = "information_maximisation"


@dataclass(frozen=True)
class Outputs:
    """What the network makes of some rows of one domain.

    Parameters
    ----------
    z : ndarray of shape (m, d)
        Features.
    logits : ndarray of shape (m, k)
        Scores before softmax, or values of shape (m, 1).
    y : ndarray of shape (m,) or None
        Class codes or scaled values of source rows; None for the target.
    """

    z: Array
    logits: Array
    y: NDArray[Any] | None = None


Score = Callable[[Outputs | None, Outputs], float]


def _of_predictions(score: Callable[[Any], float]) -> Score:
    """Return a validator that reads the target's probabilities alone."""
    return lambda source, target: score(softmax(target.logits.astype(np.float64), axis=1))


EPOCH_SCORES: dict[str, Score] = {
    score.__name__: _of_predictions(score)
    for score in (information_maximisation, entropy, diversity, nuclear_norm, snd)
}


class Watcher:
    """Looks at some target rows before the first step and after each epoch.

    Parameters
    ----------
    x : Tensor of shape (m, ...)
        Target rows; at most 512 of them, evenly spaced, are looked at.
    held : Data or None
        Source rows with labels for a validator that was given as a function; 512 at most, too.
    network : Network
        What predicts target rows.
    validator : str, callable or None
        See `acclimate.deep.DeepAdapter`.
    precision : {"float32", "bf16"}
        Number format inside the network.
    layers : sequence of batch-norm layers
        Those whose statistics follow the rows.
    steps : int
        Length of the run.
    regression : bool
        Whether outputs are values.
    start : Network, default=None
        What predicts target rows before the first step; None is ``network``.

    Attributes
    ----------
    start_score : float or None
        The validator's score of the start; None where there is no validator.
    """

    def __init__(
        self,
        x: Tensor,
        held: Data | None,
        network: Network,
        validator: Any,
        precision: str,
        layers: Sequence[Any],
        *,
        steps: int,
        regression: bool,
        start: Network | None = None,
    ) -> None:
        self.x = x[:: -(-len(x) // ROWS)]
        self.held = held
        self.network = network
        self.precision = precision
        self.layers = layers
        self.tenth = max(FEWEST, -(-steps // 10))
        self.regression = regression
        self.score: Score | None = EPOCH_SCORES.get(validator, validator)
        self._latest: Outputs | None = None
        first = network if start is None else start
        self.start_score = None if self.score is None else self._scored(first)
        self._one_class_before = regression or self._one_class(self._seen(first))
        self._several_at = 0.0  # the last step at which more than one class was predicted

    def validate(self, network: nn.Module) -> float:
        """Return the validator's score of the current weights."""
        return 0.0 if self.score is None else self._scored(self.network)

    def watch(self, network: nn.Module, epochs: list[dict[str, float]]) -> str | None:
        """Add figures to the last record, and return why to stop, or None."""
        record = epochs[-1]
        if "domain_accuracy" in record:
            record["a_distance"] = proxy_a_distance(record["domain_accuracy"])
        self._look_for_chance(epochs)
        return self._collapsed(record["step"])

    def _collapsed(self, step: float) -> str | None:
        if self._one_class_before or not self._one_class(self._seen(self.network)):
            self._several_at = step
        if step - self._several_at < self.tenth:
            return None
        return (
            "all target rows are predicted as one class, which the source model did not do. "
            "A lower rate or a weaker alignment usually helps."
        )

    def _look_for_chance(self, epochs: list[dict[str, float]]) -> None:
        """Warn where a discriminator tells nothing. It does no harm: the rate falls as planned."""
        ended = sum(epoch["step"] >= self.tenth for epoch in epochs)
        found = [epoch.get("domain_accuracy", 1.0) for epoch in epochs]
        if ended != 1 or max(found[-1], sum(found) / len(found)) >= CHANCE:
            return
        warnings.warn(
            f"in {int(epochs[-1]['step'])} steps the discriminator never told the domains apart "
            f"(accuracy {epochs[-1]['domain_accuracy']:.3f}). Either the features are alike "
            f"already, and there is nothing to align, or it cannot learn. Training goes on.",
            ConvergenceWarning,
            stacklevel=6,
        )

    def _one_class(self, outputs: Outputs) -> bool:
        codes = outputs.logits.argmax(1)
        return bool((codes == codes[0]).all())

    def _scored(self, network: Network) -> float:
        """Return the validator's score, and keep what it was given."""
        assert self.score is not None  # noqa: S101 - tells the type checker
        self._latest = self._outputs(network, self.x)
        source = None
        if self.held is not None and self.held.y is not None:
            x, y = (part[:: -(-len(self.held) // ROWS)] for part in (self.held.x, self.held.y))
            seen = self._outputs(network, x)
            source = Outputs(seen.z, seen.logits, y.cpu().numpy())
        return float(self.score(source, self._latest))

    def _seen(self, network: Network) -> Outputs:
        """Return what the validator was given, or where it was not asked, look."""
        found, self._latest = self._latest, None
        return self._outputs(network, self.x) if found is None else found

    def _outputs(self, network: Network, x: Tensor) -> Outputs:
        """Return what a network makes of rows of one domain, normalised by themselves."""
        layers = self.layers
        if network is not self.network:
            own = set(network.modules())
            layers = [layer for layer in layers if layer in own]
        z, logits = norm.infer_by_batch(network, x, layers, precision=self.precision)
        return Outputs(z.numpy(), logits.numpy())
