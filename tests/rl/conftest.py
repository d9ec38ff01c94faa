from __future__ import annotations

import gymnasium
import numpy as np
import pytest


class Corridor(gymnasium.Env):
    """Say which side the light is on: reward 1 where the action is the light, 10 steps."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, swapped: bool = False) -> None:
        self.swapped = swapped

    def _show(self):
        self.light = int(self.np_random.integers(2))
        return np.array([1.0 - 2 * self.light, 0.5], dtype=np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = 10
        return self._show(), {}

    def step(self, action):
        reward = float((action == self.light) != self.swapped)
        self.left -= 1
        return self._show(), reward, self.left == 0, False, {}


class Amount(gymnasium.Env):
    """Give the number that is shown: reward is less the squared distance, one step."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = gymnasium.spaces.Box(-4.0, 2.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.shown = self.np_random.uniform(-1, 1)
        return np.array([self.shown], dtype=np.float32), {}

    def step(self, action):
        return np.zeros(1, np.float32), -(float(action[0] - self.shown) ** 2), True, False, {}


class Numbered(gymnasium.Env):
    """A place of three, as a number, and actions that are called 5 and 6; cut after 4 steps."""

    observation_space = gymnasium.spaces.Discrete(3)
    action_space = gymnasium.spaces.Discrete(2, start=5)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.taken = 0, 0
        return self.place, {}

    def step(self, action):
        assert action in (5, 6)
        self.place = (self.place + 1) % 3
        self.taken += 1
        return self.place, float(action == 6), False, self.taken == 4, {}


@pytest.fixture
def corridor():
    return Corridor


@pytest.fixture
def amount():
    return Amount


@pytest.fixture
def numbered():
    return Numbered
