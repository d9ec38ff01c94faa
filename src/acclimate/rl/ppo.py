"""Proximal policy optimisation: `PPO`, its settings, and `train_policy`."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from acclimate.exceptions import InputError, InputTypeError
from acclimate.losses.policy_gradient import clipped_objective
from acclimate.maths.advantages import advantages
from acclimate.rl.environments import Environments, check_fits, maker
from acclimate.rl.policy import Layers, Policy, forward, layers_of, new_policy, perceptron
from acclimate.settings import (
    COUNT,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Constraints,
    Each,
    check_settings,
    drawn_seed,
)
from acclimate.training.device import seeded
from acclimate.training.optimizer import Optimizer

Array = NDArray[np.floating[Any]]
LARGEST = 0.5  # norm that a gradient is cut to


@dataclass(frozen=True)
class PPO:
    """Settings of proximal policy optimisation.

    The defaults suit small environments with observations of about 1. Where observations are
    hundreds, or rewards thousands, wrap the environment (`gymnasium.wrappers.TransformObservation`,
    `TransformReward`).

    Parameters
    ----------
    hidden : tuple of int, at least 1, default=(64, 64)
        Units of each hidden layer of a new policy.
    environments : int, at least 1, default=8
        Environments that are stepped together.
    horizon : int, at least 1, default=128
        Steps in each of them between two updates.
    epochs : int, at least 1, default=10
        Passes over these steps in an update.
    batch_size : int, at least 1, default=256
        Steps in a batch, about: batches are of one size.
    learning_rate : float, above 0, default=0.001
        Of Adam, constant.
    discount : float in [0, 1], default=0.99
        Gamma: what a reward one step later is worth.
    trace : float in [0, 1], default=0.95
        Lambda of the advantages, see `acclimate.maths.advantages`.
    clip : float, above 0, default=0.2
        Change of an action's probability, as a share, beyond which there is nothing to gain.
    entropy : float, at least 0, default=0.0
        Weight of the policy's entropy in nats, for more trial.

    Examples
    --------
    >>> from acclimate.rl import PPO
    >>> PPO(discount=0.98).discount
    0.98
    """

    hidden: tuple[int, ...] = (64, 64)
    environments: int = 8
    horizon: int = 128
    epochs: int = 10
    batch_size: int = 256
    learning_rate: float = 0.001
    discount: float = 0.99
    trace: float = 0.95
    clip: float = 0.2
    entropy: float = 0.0

    _parameter_constraints: ClassVar[Constraints] = {
        "hidden": [Each(COUNT, least=1)],
        "environments": [COUNT],
        "horizon": [COUNT],
        "epochs": [COUNT],
        "batch_size": [COUNT],
        "learning_rate": [POSITIVE],
        "discount": [SHARE],
        "trace": [SHARE],
        "clip": [POSITIVE],
        "entropy": [NOT_NEGATIVE],
    }


class Rollout(NamedTuple):
    """What T steps in N environments gave: arrays of shape (T, N, ...)."""

    observations: Array
    following: Array
    drawn: NDArray[Any]
    rewards: Array
    ended: NDArray[np.bool_]
    last: NDArray[np.bool_]


def train_policy(
    env: Any,
    steps: int,
    *,
    policy: Policy | None = None,
    keep_head: bool = True,
    keep_value: bool = True,
    settings: PPO | None = None,
    random_state: Any = None,
) -> Policy:
    """Train a policy by proximal policy optimisation, from scratch or from another policy.

    Use it for a few numbers in, one of several actions or a few amounts out, and an environment
    that takes microseconds a step, where small networks on one core are quickest. Do not use it for
    pictures, or where a step is so dear that a method must learn from old ones, too.

    Maximises the clipped objective (`acclimate.losses.policy_gradient`) on the steps of each round,
    with advantages by `acclimate.maths.advantages`; the value network minimises its squared error.
    A time limit is no end: what was to be expected beyond it counts.

    Parameters
    ----------
    env : str or callable
        Name of an environment of gymnasium, or a function without arguments that makes one.
    steps : int, at least 1
        Steps in all environments together; rounded up to a multiple of their number.
    policy : Policy, default=None
        Goes on from a copy of it. None starts anew.
    keep_head : bool, default=True
        With ``policy``: whether the layer that scores actions is kept. False draws a new one on the
        body beneath, for actions that mean something else here: nothing is to be unlearnt.
    keep_value : bool, default=True
        With ``policy``: whether the value network is kept, too. False draws a new one.
    settings : PPO, default=None
        None takes the defaults.
    random_state : int, RandomState instance or None, default=None
        Seeds weights, environments, actions and batches. Equal seeds give equal policies, to the
        bit, on one machine.

    Returns
    -------
    Policy
        With the returns of its training in ``episodes_``.

    Raises
    ------
    InputError
        The environment cannot be made or used, the policy does not fit it, or a setting is out of
        its range.
    MissingExtraError
        gymnasium is not installed.

    Notes
    -----
    Advantages are standardised over a round. Gradients of either network are cut to a norm of 0.5.
    There is no clipping of values, no schedule, and no running scale of observations or rewards.

    References
    ----------
    Schulman et al., arXiv:1707.06347; for the advantages arXiv:1506.02438; for time limits Pardo et
    al., arXiv:1712.00378.

    Examples
    --------
    >>> from acclimate.rl import train_policy
    >>> policy = train_policy("CartPole-v1", 400, random_state=0)
    >>> policy.steps_, policy.predict([[0.0, 0.0, 0.1, 0.0]]).shape
    (400, (1,))
    """
    make, settings = maker(env), checked(settings)
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise InputError(f"steps must be a whole number of at least 1, got {steps!r}")
    if policy is not None and not hasattr(policy, "actor_"):
        raise InputError(f"policy must be a policy that train_policy returned, got {policy!r}")
    seed, _ = drawn_seed(random_state)
    rng = np.random.default_rng(seed)
    envs = Environments(make, settings.environments, int(rng.integers(2**32)))
    with seeded(int(rng.integers(2**32)), torch.device("cpu")), one_thread():
        if policy is None:
            trained = new_policy(settings.hidden, envs.observations.shape[1], envs.actions)
        else:
            check_fits(policy, envs)
            trained = copy.deepcopy(policy)
            trained.actions_ = envs.actions
            trained.source_steps_ = policy.source_steps_ + policy.steps_
            if not keep_head:
                _new_head(trained)
            if not keep_value:
                trained.critic_ = perceptron((policy.n_features_in_, *policy.hidden, 1), 1.0)
        _train(trained, envs, -(-steps // settings.environments), settings, rng)
    envs.close()
    return trained


def _new_head(policy: Policy) -> None:
    """Draw the last layer of the actor anew, as that of a new policy."""
    fresh = perceptron((policy.n_features_in_, *policy.hidden, policy.actions_.outputs), 0.01)
    policy.actor_[-1].load_state_dict(fresh[-1].state_dict())


def checked(settings: PPO | None) -> PPO:
    """Return settings that can be used."""
    settings = PPO() if settings is None else settings
    if not isinstance(settings, PPO):
        raise InputTypeError(f"settings must be PPO(...) or None, got {settings!r}")
    check_settings(settings)
    return settings


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread: more of them only wait for each other on layers this small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _train(
    policy: Policy, envs: Environments, ticks: int, settings: PPO, rng: np.random.Generator
) -> None:
    """Take so many steps in each environment, in rounds of about the horizon, and learn."""
    rounds = max(1, round(ticks / settings.horizon))
    movers = [Optimizer(list(network.parameters()), "adam", 0.0)
              for network in (policy.actor_, policy.critic_)]  # fmt: skip
    acting, expecting = layers_of(policy.actor_), layers_of(policy.critic_)
    count, taken, running = len(envs.members), 0, np.zeros(len(envs.members))
    episodes: list[tuple[float, float]] = []
    for part in np.array_split(np.arange(ticks), rounds):
        seen = _rollout(acting, envs, len(part), rng)
        for reward, last in zip(seen.rewards, seen.last, strict=True):
            taken += count
            running += reward
            episodes += [(taken, gained) for gained in running[last]]
            running[last] = 0.0
        _update(policy, movers, seen, expecting, settings, rng)
    for mover in movers:
        mover.release()
    policy.steps_ = taken
    policy.episodes_ = np.array(episodes, dtype=np.float64).reshape(-1, 2)


def _rollout(acting: Layers, envs: Environments, ticks: int, rng: np.random.Generator) -> Rollout:
    """Act, and keep what happened."""
    acts = envs.actions
    noise = acts.noise(rng, ticks, len(envs.members))
    rows = []
    for t in range(ticks):
        before = envs.observations
        drawn = acts.draw(forward(acting, before), noise[t])
        rows.append((before, drawn, *envs.step(acts.given(drawn))))
    before, drawn, reward, following, ended, last = map(np.stack, zip(*rows, strict=True))
    return Rollout(before, following, drawn, reward, ended, last)


def _update(
    policy: Policy,
    movers: list[Optimizer],
    seen: Rollout,
    expecting: Layers,
    settings: PPO,
    rng: np.random.Generator,
) -> None:
    """Move both networks by some passes over the steps of a round."""
    values = forward(expecting, seen.observations)[..., 0].astype(np.float64)
    following = np.where(seen.ended, 0.0, forward(expecting, seen.following)[..., 0])
    gained = advantages(
        seen.rewards, values, following, seen.last, settings.discount, settings.trace
    )
    returns = _flat((gained + values).astype(np.float32))
    gained = (gained - gained.mean()) / (gained.std() + 1e-8)
    gain, x, drawn = _flat(gained.astype(np.float32)), _flat(seen.observations), _flat(seen.drawn)
    acts, actor, critic = policy.actions_, policy.actor_, policy.critic_
    with torch.no_grad():
        before = acts.log_p(actor(x), drawn)
    pieces = max(1, round(len(x) / settings.batch_size))
    for _ in range(settings.epochs):
        for rows in torch.from_numpy(rng.permutation(len(x))).chunk(pieces):
            output = actor(x[rows])
            aim = clipped_objective(
                acts.log_p(output, drawn[rows]), before[rows], gain[rows], settings.clip
            )
            if settings.entropy:
                aim = aim + settings.entropy * acts.entropy(output).mean()
            error = F.mse_loss(critic(x[rows])[:, 0], returns[rows])
            for mover in movers:
                mover.zero_grad()
            (error - aim).backward()
            for mover in movers:
                _cut(mover)
                mover.step(settings.learning_rate)


def _flat(array: NDArray[Any]) -> Tensor:
    """Return steps of all environments as rows."""
    return torch.from_numpy(array.reshape(-1, *array.shape[2:]))


def _cut(mover: Optimizer) -> None:
    """Cut the gradient of a network to a norm: it is one buffer."""
    for whole in mover.buffers.stepped:
        if whole.grad is not None:
            whole.grad.mul_((LARGEST / (whole.grad.norm() + 1e-6)).clamp(max=1.0))
