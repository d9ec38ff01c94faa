"""Time a step of training on CartPole, beside stable-baselines3 with the same settings.

Both have 8 environments, 128 steps in each between updates, 10 passes in batches of 256, two hidden
layers of 64 and one thread, and take turns, each after a short training that loads what it needs.
Seconds are those of the processor, of all work: steps, networks and learning.

Run:  python benchmarks/policies_speed.py [--steps 20480] [--rounds 3] [--peer PYTHON]

stable-baselines3 (`policies_peer.py`) has an environment in `peers.py`, or that of PYTHON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from peers import BENCH, peer_python

from acclimate.rl import train_policy


def ours(steps: int, seed: int) -> tuple[float, float]:
    """Return processor seconds, and the mean of the last 20 returns."""
    start = time.process_time()
    last = float(train_policy("CartPole-v1", steps, random_state=seed).episodes_[-20:, 1].mean())
    return time.process_time() - start, last


def theirs(steps: int, seed: int, python: str) -> tuple[float, float]:
    """Return the same of stable-baselines3."""
    script = str(Path(__file__).with_name("policies_peer.py"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, script, "--steps", str(steps), "--seed", str(seed)], env=environment, check=True,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    seconds, last = json.loads(done.stdout.splitlines()[-1])
    return seconds, last


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20_480)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", help="interpreter that has stable-baselines3, if not our own")
    parser.add_argument("--env", type=Path, default=BENCH, help="folder of the peers' environments")
    options = parser.parse_args()
    torch.set_num_threads(1)
    python = options.peer or str(peer_python(options.env, "policies"))
    sides = {"acclimate": ours, "stable-baselines3": partial(theirs, python=python)}
    ours(2048, 0)  # what is loaded on first use
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for seed in range(options.rounds):
        for name, train in sides.items():
            found[name].append(train(options.steps, seed))
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
