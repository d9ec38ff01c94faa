"""Environments of gymnasium: made from a name or a function, stepped together, and judged in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError, InputTypeError
from acclimate.extras import need
from acclimate.rl.policy import Policy, forward, layers_of

if TYPE_CHECKING:
    from acclimate.rl.actions import Actions

Array = NDArray[np.floating[Any]]
Make = Callable[[], Any]


class Happened(NamedTuple):
    """What one step did in N environments.

    Attributes
    ----------
    reward : ndarray of shape (N,)
    following : ndarray of shape (N, d)
        What was observed after the step, before any episode began anew.
    ended : ndarray of bool of shape (N,)
        Whether the task ended.
    last : ndarray of bool of shape (N,)
        Whether it ended, or a time limit cut it.
    """

    reward: Array
    following: Array
    ended: NDArray[np.bool_]
    last: NDArray[np.bool_]


def maker(env: Any) -> Make:
    """Return what makes an environment: of gymnasium, by its name, or a function without arguments.

    Raises
    ------
    InputError
        It is neither, or gymnasium knows no such name.
    MissingExtraError
        gymnasium is not installed.
    """
    gymnasium = need("gymnasium", "rl")
    if isinstance(env, str):
        try:
            spec = gymnasium.spec(env)
        except gymnasium.error.Error as error:
            raise InputError(f"gymnasium knows no environment {env!r}: {error}") from error
        return partial(gymnasium.make, spec, disable_env_checker=True)
    if isinstance(env, gymnasium.Env):
        raise InputTypeError(
            f"env must be a name or a function that makes an environment, as several are stepped "
            f"together; got one environment, {env}; give lambda: ... that makes it"
        )
    if not callable(env):
        raise InputTypeError(
            f"env must be a name such as 'CartPole-v1' or a function without arguments that makes "
            f"an environment, got {env!r}"
        )
    return env  # type: ignore[no-any-return]


def made(make: Make) -> Any:
    """Return an environment, checked to be one."""
    env = make()
    if not isinstance(env, need("gymnasium", "rl").Env):
        raise InputTypeError(
            f"env must make an environment of gymnasium, and what it made is {env!r}"
        )
    return env


class Environments:
    """N environments that are stepped one after the other; an episode that ends begins anew.

    gymnasium's own vectors copy more than a step of classic control takes.

    Parameters
    ----------
    make : callable
        Makes an environment.
    count : int
        How many.
    seed : int
        Seeds each, with another number.

    Attributes
    ----------
    actions : Choice or Amounts
    observations : ndarray of shape (N, d), float32
        What the policy sees now.
    """

    def __init__(self, make: Make, count: int, seed: int) -> None:
        from acclimate.rl.actions import actions_of

        spaces = need("gymnasium", "rl").spaces
        self.members = [made(make) for _ in range(count)]
        space = self.members[0].observation_space
        self.actions: Actions = actions_of(self.members[0].action_space)
        try:
            size = spaces.flatdim(space)
        except (NotImplementedError, ValueError) as error:
            raise InputError(
                f"observations must be of a fixed number of numbers, got {space}; wrap the "
                f"environment so that they are"
            ) from error
        self._flat = isinstance(space, spaces.Box) and len(space.shape) == 1
        self._flatten = partial(spaces.flatten, space)
        self.observations = np.zeros((count, size), dtype=np.float32)
        for i, number in enumerate(np.random.SeedSequence(seed).generate_state(count)):
            self.observations[i] = self._seen(self.members[i].reset(seed=int(number))[0])

    def _seen(self, observation: Any) -> Any:
        return observation if self._flat else self._flatten(observation)

    def step(self, actions: NDArray[Any]) -> Happened:
        """Take one step in each environment, with actions as the environment takes them."""
        count = len(self.members)
        reward, following = np.zeros(count), np.zeros_like(self.observations)
        ended, last = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        given = actions.tolist() if actions.ndim == 1 else actions
        for i, (member, action) in enumerate(zip(self.members, given, strict=True)):
            observation, reward[i], ended[i], cut, _ = member.step(action)
            following[i] = self._seen(observation)
            last[i] = ended[i] or cut
        self.observations = following.copy()
        for i in np.flatnonzero(last).tolist():
            self.observations[i] = self._seen(self.members[i].reset()[0])
        return Happened(reward, following, ended, last)

    def close(self) -> None:
        """Close each environment."""
        for member in self.members:
            member.close()


def check_fits(policy: Policy, envs: Environments) -> None:
    """Raise `InputError` where a policy cannot act in these environments."""
    from acclimate.rl.actions import same_actions

    features = envs.observations.shape[1]
    if policy.n_features_in_ != features:
        raise InputError(
            f"the policy sees {policy.n_features_in_} numbers, an observation here has {features}; "
            f"wrap the environment so that it shows what the policy was trained on"
        )
    if not same_actions(policy.actions_, envs.actions):
        raise InputError(
            f"the policy was trained for {policy.actions_}, here are {envs.actions}; wrap the "
            f"environment so that it takes the policy's actions"
        )


def evaluate_policy(
    policy: Policy, env: Any, episodes: int = 20, *, random_state: int = 0
) -> Array:
    """Return the returns of whole episodes, with the best action at each step.

    Use it to judge a policy where it was not trained. The curve of training is in ``episodes_``.

    Parameters
    ----------
    policy : Policy
        A trained policy.
    env : str or callable
        Name of an environment of gymnasium, or a function without arguments that makes one.
    episodes : int, at least 1, default=20
    random_state : int, default=0
        Seeds the environments: equal seeds have equal beginnings.

    Returns
    -------
    ndarray of shape (episodes,)
        Sums of rewards, not discounted.

    Raises
    ------
    InputError
        The policy cannot act there, or a setting cannot be used.
    MissingExtraError
        gymnasium is not installed.

    Examples
    --------
    >>> from acclimate.rl import evaluate_policy, train_policy
    >>> policy = train_policy("CartPole-v1", 200, random_state=0)
    >>> evaluate_policy(policy, "CartPole-v1", episodes=3).shape
    (3,)
    """
    if not isinstance(policy, Policy):
        raise InputTypeError(f"policy must be one that train_policy returned, got {policy!r}")
    for name, value, least in (("episodes", episodes, 1), ("random_state", random_state, 0)):
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            raise InputError(f"{name} must be a whole number of at least {least}, got {value!r}")
    returns, _ = play(policy, maker(env), int(episodes), int(random_state))
    return returns


def play(
    policy: Policy, make: Make, episodes: int, seed: int, *, draw: bool = False
) -> tuple[Array, int]:
    """Return the returns of one episode in each of several environments, and the steps taken.

    Actions are the best ones, or drawn.
    """
    if episodes < 1:
        raise InputError(f"episodes must be at least 1, got {episodes!r}")
    envs = Environments(make, episodes, seed)
    check_fits(policy, envs)
    layers, acts, rng = layers_of(policy.actor_), envs.actions, np.random.default_rng(seed)
    returns, playing, steps = np.zeros(episodes), np.arange(episodes), 0
    every = envs.members
    while len(playing):
        noise = acts.noise(rng, len(playing)) if draw else None
        happened = envs.step(acts.given(acts.draw(forward(layers, envs.observations), noise)))
        returns[playing] += happened.reward
        steps += len(playing)
        left = np.flatnonzero(~happened.last)
        playing, envs.observations = playing[left], envs.observations[left]
        envs.members = [envs.members[i] for i in left]
    for member in every:
        member.close()
    return returns, steps


def name_of(env: Any) -> str:
    """Return what an environment is called: its name, or that of its function."""
    return env if isinstance(env, str) else getattr(env, "__name__", type(env).__name__)
