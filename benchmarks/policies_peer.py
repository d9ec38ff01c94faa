"""stable-baselines3's side of `policies_speed.py`: processor seconds of training, and last returns.

Runs in the environment of the peer and imports nothing of acclimate. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import time


def train(steps: int, seed: int) -> float:
    """Return the mean of the last 20 returns."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    envs = make_vec_env("CartPole-v1", n_envs=8, seed=seed)
    model = PPO(
        "MlpPolicy", envs, n_steps=128, batch_size=256, n_epochs=10, learning_rate=0.001,
        seed=seed, device="cpu",
    )  # fmt: skip
    model.learn(steps)
    returns = [one["r"] for one in list(model.ep_info_buffer)[-20:]]
    return float(sum(returns) / len(returns))


def main() -> None:
    """Train a little for what is loaded on first use, then with the clock."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    train(2048, 0)
    start = time.process_time()
    last = train(args.steps, args.seed)
    print(json.dumps([time.process_time() - start, last]))


if __name__ == "__main__":
    main()
