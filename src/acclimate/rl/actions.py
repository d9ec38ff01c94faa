"""What a policy can do: one of several actions, or amounts; and how a network's output says it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from acclimate.exceptions import InputError
from acclimate.losses.information import entropy

Array = NDArray[np.floating[Any]]
_NARROW, _WIDE = -5.0, 1.0  # log of the spread, in half ranges
_LOG_ROOT = 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True)
class Choice:
    """One of ``n`` actions, called ``start``, ``start + 1`` and so on.

    The network gives n scores before softmax.
    """

    n: int
    start: int = 0

    @property
    def outputs(self) -> int:
        """Numbers that the network gives for an observation."""
        return self.n

    def noise(self, rng: np.random.Generator, *shape: int) -> Array:
        """Return what turns scores into a draw: the largest of score + Gumbel noise is a draw."""
        return rng.gumbel(size=(*shape, self.n)).astype(np.float32)

    def draw(self, output: Array, noise: Array | None = None) -> NDArray[Any]:
        """Return the action of each row, the best one without noise, shape (b,)."""
        chosen: NDArray[Any] = (output if noise is None else output + noise).argmax(axis=-1)
        return chosen

    def given(self, drawn: NDArray[Any]) -> NDArray[Any]:
        """Return drawn actions as the environment takes them."""
        return drawn + self.start

    def log_p(self, output: Tensor, drawn: Tensor) -> Tensor:
        """Return the log probability of each action, shape (b,)."""
        return -F.cross_entropy(output, drawn, reduction="none")

    def entropy(self, output: Tensor) -> Tensor:
        """Return the entropy of each row, shape (b,)."""
        return entropy(output)


@dataclass(frozen=True)
class Amounts:
    """Numbers between ``low`` and ``high``, each shape (k,).

    The network gives k means and k logs of a spread, of a normal distribution in half ranges from
    the middle. What lies beyond the ends is cut there. A number without an end is its own unit.
    """

    low: Array
    high: Array

    @property
    def outputs(self) -> int:
        """Numbers that the network gives for an observation."""
        return 2 * len(self.low)

    def noise(self, rng: np.random.Generator, *shape: int) -> Array:
        """Return standard normal draws."""
        return rng.standard_normal((*shape, len(self.low)), dtype=np.float32)

    def draw(self, output: Array, noise: Array | None = None) -> NDArray[Any]:
        """Return the amounts of each row in half ranges, the mean without noise, shape (b, k)."""
        mean, log_spread = np.split(output, 2, axis=-1)
        if noise is None:
            return mean
        drawn: Array = mean + np.exp(np.clip(log_spread, _NARROW, _WIDE)) * noise
        return drawn

    def given(self, drawn: NDArray[Any]) -> NDArray[Any]:
        """Return drawn amounts as the environment takes them."""
        ends = np.isfinite(self.low) & np.isfinite(self.high)
        low, high = np.where(ends, self.low, -1.0), np.where(ends, self.high, 1.0)
        amounts = 0.5 * (low + high) + 0.5 * (high - low) * drawn
        cut: Array = np.clip(amounts, self.low, self.high).astype(self.low.dtype)
        return cut

    def log_p(self, output: Tensor, drawn: Tensor) -> Tensor:
        """Return the log density of each row, shape (b,)."""
        mean, log_spread = output.chunk(2, dim=-1)
        log_spread = log_spread.clamp(_NARROW, _WIDE)
        far = (drawn - mean) * (-log_spread).exp()
        return -(0.5 * far.square() + log_spread + _LOG_ROOT).sum(-1)

    def entropy(self, output: Tensor) -> Tensor:
        """Return the entropy of each row, shape (b,)."""
        log_spread = output.chunk(2, dim=-1)[1].clamp(_NARROW, _WIDE)
        return (log_spread + 0.5 + _LOG_ROOT).sum(-1)


Actions = Choice | Amounts


def actions_of(space: Any) -> Actions:
    """Return what can be done in an action space of gymnasium.

    Raises
    ------
    InputError
        The space is neither Discrete nor a Box of one dimension with floats.
    """
    kind = type(space).__name__
    if kind == "Discrete":
        return Choice(int(space.n), int(space.start))
    if kind == "Box" and len(space.shape) == 1 and np.issubdtype(space.dtype, np.floating):
        return Amounts(np.array(space.low), np.array(space.high))
    raise InputError(
        f"actions must be Discrete or a Box of one dimension with floats, got {space}; wrap the "
        f"environment so that they are"
    )


def same_actions(one: Actions, other: Actions) -> bool:
    """Tell whether a policy for one can act in the other: as many actions or amounts."""
    return type(one) is type(other) and one.outputs == other.outputs


def to_tensor(drawn: NDArray[Any]) -> Tensor:
    """Return drawn actions as `log_p` takes them."""
    return torch.from_numpy(drawn)
