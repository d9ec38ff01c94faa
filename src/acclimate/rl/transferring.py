"""`transfer_policy`: zero-shot first, then continued, against training from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from acclimate.exceptions import InputError
from acclimate.judging.intervals import check_confidence
from acclimate.rl.efficiency import curve, over_seeds, steps_to, times_fewer
from acclimate.rl.environments import Environments, made, maker, name_of, play
from acclimate.rl.policy import Policy, new_policy
from acclimate.rl.policy_transfer import PolicyTransfer
from acclimate.rl.ppo import PPO, checked, one_thread, train_policy
from acclimate.settings import drawn_seed
from acclimate.training.device import seeded

GRID = 50  # points of the curve
BEFORE = 10  # episodes before training, a seed


def transfer_policy(
    source: Any,
    target: Any,
    steps: int,
    *,
    source_steps: int | None = None,
    seeds: int = 5,
    goal: float | None = None,
    keep_head: bool | None = None,
    keep_value: bool = True,
    margin: float = 0.01,
    confidence: float = 0.95,
    settings: PPO | None = None,
    random_state: Any = None,
) -> PolicyTransfer:
    """Let a policy go on in another environment, and judge it against training from scratch.

    Use it where steps in the target are dear and an environment like it is at hand, such as a
    simulator or an older machine. Do not expect a gain where the target is quickly learnt: what is
    to be unlearnt may take as long. The verdict says so.

    In two stages, as everywhere in acclimate: the source's policy is tried in the target as it is
    (zero-shot), then trained on (`train_policy` with ``policy=``). Where it did worse than acting
    at random, its actions mean something else, and it goes on with a new last layer. Training from
    scratch has the same steps and settings. Steps in the source are counted by themselves.

    Parameters
    ----------
    source : Policy, sequence of Policy, str or callable
        One trained policy; one for each seed; or an environment, in which a policy is trained for
        each seed. Only with the last two does the interval cover the draw of the source policy.
    target : str or callable
        Name of an environment of gymnasium, or a function without arguments that makes one.
    steps : int, at least 1
        Steps in the target's environment, for each side and seed.
    source_steps : int, at least 1, default=None
        With a source environment: steps in it, for each seed. None takes ``steps``.
    seeds : int, at least 2, default=5
        How often everything is run.
    goal : float, default=None
        A mean return of 20 episodes: how many steps does either side take to it? None takes the
        return at which gymnasium calls the target solved, where it knows one.
    keep_head : bool, default=None
        Whether the layer that scores actions goes on. None decides it for each seed: it does where
        zero-shot returns at least as much as an untrained policy.
    keep_value : bool, default=True
        Whether the value network goes on, too. With a new one the first advantages are noise, and
        they move the policy away from what it knows.
    margin : float, at least 0, default=0.01
        Gains in return within it make no difference: a share of the range of the mean curve from
        scratch.
    confidence : float in (0, 1), default=0.95
    settings : PPO, default=None
        None takes the defaults.
    random_state : int, RandomState instance or None, default=None
        Seeds everything.

    Returns
    -------
    PolicyTransfer
        Verdicts, curves and the policies of all seeds.

    Raises
    ------
    InputError
        An environment cannot be made or used, a policy does not fit it, or a setting is out of its
        range.
    MissingExtraError
        gymnasium is not installed.

    Notes
    -----
    The curve is the return of training, with actions drawn, so it costs no further steps. Its mean
    is over 50 points. Both sides of a seed are paired, and the interval is Student's over seeds;
    that of ratios is of their logarithms.

    References
    ----------
    Taylor and Stone, "Transfer learning for reinforcement learning domains: a survey", Journal of
    Machine Learning Research 10, 1633-1685 (no DOI), for jumpstart, total reward and time to
    threshold, which are the three that are judged.

    Examples
    --------
    >>> from acclimate.rl import transfer_policy
    >>> found = transfer_policy("CartPole-v1", "CartPole-v0", 400, seeds=2, random_state=0)
    >>> found.source_steps, found.target_steps, found.goal
    (400, 400, 195.0)
    """
    settings = checked(settings)
    make, seeds = maker(target), _seeds(source, seeds)
    check_confidence(confidence)
    if margin < 0:
        raise InputError(f"margin must be at least 0, got {margin!r}")
    rng = np.random.default_rng(drawn_seed(random_state)[0])
    numbers = rng.integers(2**31, size=(seeds, 5)).tolist()
    known = _known(source, seeds)
    before, to_go = [], []
    if known is None:
        known = [
            train_policy(source, source_steps or steps, settings=settings, random_state=one[0])
            for one in numbers
        ]
    zero_steps, heads = 0, []
    sides: list[list[Policy]] = [[], []]
    for policy, (_, fresh, trying, going, scratch) in zip(known, numbers, strict=True):
        pair = []
        for one in (policy, _untrained(make, settings, fresh)):
            # the best actions of weights at random are one action again and again
            returns, taken = play(one, make, BEFORE, trying, draw=one is not policy)
            pair.append(float(returns.mean()))
            zero_steps += taken
        before.append(pair)
        heads.append(bool(pair[0] >= pair[1] if keep_head is None else keep_head))
        sides[0].append(
            train_policy(target, steps, policy=policy, keep_head=heads[-1], keep_value=keep_value,
                         settings=settings, random_state=going)
        )  # fmt: skip
        sides[1].append(train_policy(target, steps, settings=settings, random_state=scratch))
    taken = sides[0][0].steps_
    grid = np.linspace(0, taken, GRID + 1)[1:]
    curves = np.array([[_curve(one, grid) for one in side] for side in sides])
    unit = margin * float(np.ptp(curves[1].mean(axis=0)))
    goal = _solved(make) if goal is None else float(goal)
    to_goal = np.full((2, seeds), np.inf)
    if goal is not None:
        to_goal = np.array([[steps_to(one.episodes_, goal) for one in side] for side in sides])
    to_go = np.minimum(to_goal, taken)
    some = bool(np.isfinite(to_goal).any())
    means, tried = curves.mean(axis=2), np.array(before).T
    return PolicyTransfer(
        source=_source_name(source),
        target=name_of(target),
        source_steps=known[0].source_steps_ + known[0].steps_,
        target_steps=taken,
        zero_shot_steps=zero_steps,
        verdict=over_seeds(means[0], means[1], unit, confidence),
        zero_shot=over_seeds(tried[0], tried[1], unit, confidence),
        goal=goal,
        times_fewer=times_fewer(to_go[0], to_go[1], confidence) if some else None,
        to_goal=to_goal,
        heads_kept=sum(heads),
        steps=grid,
        curves=curves,
        policies=tuple(sides[0]),
        scratch=tuple(sides[1]),
        one_source=isinstance(source, Policy),
        confidence=confidence,
    )


def _seeds(source: Any, seeds: int) -> int:
    if isinstance(seeds, bool) or not isinstance(seeds, int | np.integer) or seeds < 2:
        raise InputError(f"seeds must be at least 2, for an interval, got {seeds!r}")
    return int(seeds)


def _known(source: Any, seeds: int) -> list[Policy] | None:
    """Return the source's policies, one a seed; None for an environment."""
    if isinstance(source, Policy):
        return [source] * seeds
    if isinstance(source, str) or not isinstance(source, Sequence):
        return None
    wrong = [one for one in source if not isinstance(one, Policy)]
    if wrong or len(source) != seeds:
        raise InputError(
            f"source must be one policy, {seeds} policies (as seeds={seeds}), or an environment, "
            f"got {len(source)} of {sorted({type(one).__name__ for one in source})}"
        )
    return list(source)


def _untrained(make: Any, settings: PPO, seed: int) -> Policy:
    """Return a policy that has learnt nothing."""
    envs = Environments(make, 1, seed)
    envs.close()
    with seeded(seed, torch.device("cpu")), one_thread():
        return new_policy(settings.hidden, envs.observations.shape[1], envs.actions)


def _curve(policy: Policy, grid: Any) -> Any:
    if not len(policy.episodes_):
        raise InputError(
            f"no episode ended within {policy.steps_} target steps; give more steps, or wrap the "
            f"environment in gymnasium.wrappers.TimeLimit"
        )
    return curve(policy.episodes_, grid)


def _solved(make: Any) -> float | None:
    """Return the return at which gymnasium calls an environment solved, where it knows one."""
    env = made(make)
    found = getattr(env.spec, "reward_threshold", None)
    env.close()
    return None if found is None else float(found)


def _source_name(source: Any) -> str:
    if isinstance(source, Policy):
        return "a policy"
    return name_of(source) if isinstance(source, str) or callable(source) else "policies"
