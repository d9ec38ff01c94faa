"""Time a step of training on CartPole, beside stable-baselines3 with the same settings.

Both have 8 environments, 128 steps in each between updates, 10 passes in batches of 256, two hidden
layers of 64 and one thread, and take turns. Seconds are those of the processor, of all work: steps,
networks and learning.

Run:  python benchmarks/policies_speed.py [--steps 20480] [--rounds 3]

It needs stable-baselines3, which acclimate does not: pip install stable-baselines3
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from stable_baselines3 import PPO as Theirs
from stable_baselines3.common.env_util import make_vec_env

from acclimate.rl import train_policy


def ours(steps: int, seed: int) -> float:
    return float(train_policy("CartPole-v1", steps, random_state=seed).episodes_[-20:, 1].mean())


def theirs(steps: int, seed: int) -> float:
    envs = make_vec_env("CartPole-v1", n_envs=8, seed=seed)
    model = Theirs(
        "MlpPolicy", envs, n_steps=128, batch_size=256, n_epochs=10, learning_rate=0.001,
        seed=seed, device="cpu",
    )  # fmt: skip
    model.learn(steps)
    return float(np.mean([one["r"] for one in list(model.ep_info_buffer)[-20:]]))


def seconds(train: Callable[[int, int], float], steps: int, seed: int) -> tuple[float, float]:
    start = time.process_time()
    last = train(steps, seed)
    return time.process_time() - start, last


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20_480)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    sides = {"acclimate": ours, "stable-baselines3": theirs}
    for train in sides.values():
        train(2048, 0)  # what is loaded on first use
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for seed in range(options.rounds):
        for name, train in sides.items():
            found[name].append(seconds(train, options.steps, seed))
    print("| | microseconds a step (range) | last 20 returns, by seed |\n|---|---|---|")
    for name, rows in found.items():
        times = 1e6 * np.array([row[0] for row in rows]) / options.steps
        last = ", ".join(f"{row[1]:.0f}" for row in rows)
        print(f"| {name} | {np.median(times):.0f} ({times.min():.0f} to {times.max():.0f}) "
              f"| {last} |")  # fmt: skip
    ratios = [b[0] / a[0] for a, b in zip(*found.values(), strict=True)]
    print(f"\n{np.median(ratios):.1f} times faster ({min(ratios):.1f} to {max(ratios):.1f})")


if __name__ == "__main__":
    main()
