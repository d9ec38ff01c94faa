"""`Policy`: what to do where, and what to expect from there."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from acclimate.exceptions import InputError

if TYPE_CHECKING:
    from torch import nn

    from acclimate.rl.actions import Actions

Array = NDArray[np.floating[Any]]
Layers = list[tuple[Array, Array]]


class Policy(BaseEstimator):  # type: ignore[misc]
    """A network that acts, and one that expects: what `train_policy` returns.

    Use `predict` to act, `acclimate.save` and `acclimate.load` to keep it, and `transfer_policy` or
    ``train_policy(..., policy=)`` to go on elsewhere. It is not meant to be made by hand.

    Both networks are perceptrons with tanh between layers. They share no weights, so that the
    errors of the second do not move the first.

    Parameters
    ----------
    hidden : tuple of int, at least 1, default=(64, 64)
        Units of each hidden layer, in either network.

    Attributes
    ----------
    actor_ : nn.Sequential
        From an observation to scores of actions, or to means and spreads of amounts.
    critic_ : nn.Sequential
        From an observation to the expected discounted return.
    actions_ : Choice or Amounts
        What it can do.
    n_features_in_ : int
        Numbers in an observation, laid flat.
    steps_ : int
        Steps in the environment of its training, the last stage alone.
    source_steps_ : int
        Steps of the stages before.
    episodes_ : ndarray of shape (n, 2)
        Of the last stage, one row an episode that ended: the steps until then, in all environments
        together, and its return. Actions were drawn, so returns are those of training.

    References
    ----------
    Schulman et al., arXiv:1707.06347.

    Examples
    --------
    >>> from acclimate.rl import Policy
    >>> Policy(hidden=(32,))
    Policy(hidden=(32,))
    """

    actor_: nn.Sequential
    critic_: nn.Sequential
    actions_: Actions
    n_features_in_: int
    steps_: int
    source_steps_: int
    episodes_: Array

    def __init__(self, *, hidden: tuple[int, ...] = (64, 64)) -> None:
        self.hidden = hidden

    def predict(self, observations: ArrayLike) -> NDArray[Any]:
        """Return the best action for each observation.

        Parameters
        ----------
        observations : array-like of shape (n, d)
            Laid flat, as `gymnasium.spaces.flatten` does; a Box of one dimension is flat.

        Returns
        -------
        ndarray of shape (n,) or (n, k)
            Actions as the environment takes them: numbers of actions, or amounts.

        Raises
        ------
        InputError
            The policy is not trained, or observations have another shape.
        """
        if not hasattr(self, "actor_"):
            raise InputError("this policy is not trained; train_policy(env, steps) returns one")
        rows = np.asarray(observations, dtype=np.float32)
        if rows.ndim != 2 or rows.shape[1] != self.n_features_in_:
            raise InputError(
                f"observations must have shape (n, {self.n_features_in_}), got {rows.shape}; one "
                f"observation is [observation]"
            )
        if not np.isfinite(rows).all():
            row = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
            raise InputError(f"observations must be finite; row {row} is {rows[row].tolist()}")
        return self.actions_.given(self.actions_.draw(forward(layers_of(self.actor_), rows)))


def new_policy(hidden: tuple[int, ...], features: int, actions: Actions) -> Policy:
    """Return a policy that has seen nothing, from torch's random state."""
    policy = Policy(hidden=hidden)
    policy.actions_, policy.n_features_in_ = actions, features
    policy.actor_ = perceptron((features, *hidden, actions.outputs), 0.01)
    policy.critic_ = perceptron((features, *hidden, 1), 1.0)
    policy.steps_ = policy.source_steps_ = 0
    policy.episodes_ = np.zeros((0, 2))
    return policy


def perceptron(sizes: tuple[int, ...], gain: float) -> nn.Sequential:
    """Return linear layers with tanh between them.

    Weights are orthogonal, and those of the last layer ``gain`` times that: a policy that starts
    with hardly any preference tries everything.
    """
    from torch import nn

    parts: list[nn.Module] = []
    for k, (a, b) in enumerate(pairwise(sizes), start=2):
        layer = nn.Linear(a, b)
        nn.init.orthogonal_(layer.weight, gain if k == len(sizes) else 2.0**0.5)
        nn.init.zeros_(layer.bias)
        parts += [layer, nn.Tanh()]
    return nn.Sequential(*parts[:-1])


def layers_of(network: nn.Sequential) -> Layers:
    """Return weights and biases as numpy sees them: views, which training moves along."""
    linear: list[Any] = list(network)[::2]
    return [(one.weight.detach().numpy().T, one.bias.detach().numpy()) for one in linear]


def forward(layers: Layers, rows: Array) -> Array:
    """Return a perceptron's output, shape (n, k).

    For a handful of rows numpy takes a third of the time that torch does.
    """
    *hidden, (weight, bias) = layers
    for w, b in hidden:
        rows = np.tanh(rows @ w + b)
    output: Array = rows @ weight + bias
    return output
