"""What a fine-tuning strategy receives: a copied network, labelled rows, and steps to spend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from acclimate.training.layers import Group, layer_groups, layer_names
from acclimate.training.network import Network
from acclimate.training.terms import Term
from acclimate.transfer.probing import probe


@dataclass
class Tuning:
    """A network to tune in place, and what it may cost.

    Parameters
    ----------
    model : NeuralClassifier or NeuralRegressor
        A copy that starts from the source weights, with the head that the target needs.
    X : ndarray of shape (m, ...)
        Labelled target rows.
    y : ndarray of shape (m,)
        Their labels or values.
    copied : bool
        Whether the head is the source's.
    steps : int
        Optimiser steps to spend: as many as training from scratch takes.
    rate : float
        Factor on the learning rate wherever weights of the body move.
    strength : float or None
        Pull towards the source, for "l2-sp".
    decay : float
        Ratio of the rates of neighbouring layer groups, for "discriminative".
    rank : int
        Rank of the adapters, for "lora".
    alpha : float or None
        Scale of the adapters, for "lora". None is twice the rank.
    taken : int
        Steps taken so far.
    weight : ndarray of shape (m,) or None
        Weights of the rows.
    """

    model: Any
    X: Any
    y: NDArray[Any]
    copied: bool
    steps: int
    rate: float = 1.0
    strength: float | None = None
    decay: float = 2.6
    rank: int = 16
    alpha: float | None = None
    taken: int = 0
    weight: NDArray[Any] | None = None

    @property
    def network(self) -> Network:
        """The network that moves."""
        net: Network = self.model.network_
        return net

    def probe(self, steps: int) -> None:
        """Train the head on features of the body, which does not move."""
        probe(self.model, self.X, self.y, steps, self.model.seed_, self.weight)
        self._count()

    def train(
        self,
        steps: int,
        *,
        frozen: Sequence[nn.Module] = (),
        rates: Mapping[nn.Module, float] | None = None,
        terms: Sequence[Term] = (),
    ) -> None:
        """Train all that is not frozen."""
        self.model.train(
            self.X, self.y, self.weight, terms=terms, frozen=frozen, rates=rates, steps=steps,
            learning_rate=self.model.learning_rate * self.rate,
        )  # fmt: skip
        self._count()

    def train_groups(self, groups: Sequence[Group], steps: int) -> None:
        """Train these layer groups while all others stand still."""
        moving = {layer for group in groups for layer in group}
        everything = [layer for group in layer_groups(self.network) for layer in group]
        self.train(steps, frozen=[layer for layer in everything if layer not in moving])

    def names(self, groups: Sequence[Group]) -> list[str]:
        """Return the names of the layers of some groups."""
        return layer_names(self.network, [layer for group in groups for layer in group])

    def _count(self) -> None:
        epochs = self.model.history_.epochs
        self.taken += int(epochs[-1]["step"]) if epochs else 0


def shares(total: int, parts: int) -> list[int]:
    """Split ``total`` steps into equal whole parts; what is left over goes to the later ones.

    >>> shares(10, 3)
    [3, 3, 4]
    """
    edges = [total * part // parts for part in range(parts + 1)]
    return [int(step) for step in np.diff(edges)]
