"""Policies that go on in another environment, against training from scratch.

- *reversed force*: CartPole, where left is right.
- *heavier links*: Acrobot, both links with 1.5 times the mass.
- *sensors in another order*: CartPole, its four numbers the other way round. What was learnt of
  each is wrong of another: a case in which nothing is to be expected of a transfer.

Five seeds a case, each with its own source policy. A goal is the mean return of the last 20
episodes of training. For the reversed force a new value network is tried as well.

The settings (`PPO`'s defaults), the steps and the mass were chosen by returns of training on two
other seeds.

Run:  python benchmarks/policies.py [--seeds 5] [--stored] [--report FILE.html]

Results are kept case by case, and a run that was cut off goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from acclimate.rl import PolicyTransfer, train_policy, transfer_policy
from acclimate.rl.efficiency import curve, over_seeds, steps_to, times_fewer

RESULTS = Path(__file__).parent / "results" / "policies.json"
MASS = 1.5
SEED = 2024


def make(name: str) -> Any:
    return gymnasium.make(name, disable_env_checker=True)


class Reversed(gymnasium.ActionWrapper):
    """CartPole's two actions, swapped."""

    def action(self, action: Any) -> Any:
        """Return the other action."""
        return 1 - action


class Reordered(gymnasium.ObservationWrapper):
    """The same numbers, the last first."""

    def observation(self, observation: Any) -> Any:
        """Return it the other way round."""
        return observation[::-1].copy()


def reversed_force() -> Any:
    return Reversed(make("CartPole-v1"))


def sensors_in_another_order() -> Any:
    return Reordered(make("CartPole-v1"))


def heavier_links() -> Any:
    env = make("Acrobot-v1")
    env.unwrapped.LINK_MASS_1 = env.unwrapped.LINK_MASS_2 = MASS
    return env


# source, target, steps there and here, goals: the one that gymnasium calls solved comes last
CASES: dict[str, tuple[str, Any, int, int, tuple[float, ...]]] = {
    "reversed force": ("CartPole-v1", reversed_force, 40_000, 60_000, (195.0, 400.0, 475.0)),
    "heavier links": ("Acrobot-v1", heavier_links, 60_000, 80_000, (-150.0, -120.0, -100.0)),
    "sensors in another order": (
        "CartPole-v1", sensors_in_another_order, 40_000, 60_000, (195.0, 400.0, 475.0),
    ),
}  # fmt: skip
NEW_VALUE = "reversed force"


def at_goals(sides: list[list[Any]], goals: tuple[float, ...], steps: int) -> list[dict[str, Any]]:
    """Return how many times fewer steps the first side takes, to each goal."""
    found = []
    for goal in goals:
        to = np.array([[steps_to(one.episodes_, goal) for one in side] for side in sides])
        cut = np.minimum(to, steps)
        found.append({
            "goal": goal, "reached": np.isfinite(to).sum(axis=1).tolist(),
            "steps": cut.mean(axis=1).tolist(), "times": list(times_fewer(cut[0], cut[1])),
        })  # fmt: skip
    return found


def measure(name: str, seeds: int) -> tuple[dict[str, Any], PolicyTransfer]:
    """Run a case."""
    source, target, before, steps, goals = CASES[name]
    start = time.perf_counter()
    found = transfer_policy(
        source, target, steps, source_steps=before, seeds=seeds, random_state=SEED
    )
    sides = [list(found.policies), list(found.scratch)]
    record = {"case": name, **found.to_dict(), "goals": at_goals(sides, goals, found.target_steps)}
    record["seconds"] = time.perf_counter() - start
    return record, found


def new_value(seeds: int) -> dict[str, Any]:
    """Return what the reversed force gives where the value network begins anew."""
    source, target, before, steps, goals = CASES[NEW_VALUE]
    start = time.perf_counter()
    rng = np.random.default_rng(SEED + 1)
    sides: list[list[Any]] = [[], []]
    for first, on in rng.integers(2**31, size=(seeds, 2)).tolist():
        policy = train_policy(source, before, random_state=first)
        for side, keep in zip(sides, (True, False), strict=True):
            side.append(
                train_policy(target, steps, policy=policy, keep_value=keep, random_state=on)
            )
    grid = np.linspace(0, sides[0][0].steps_, 51)[1:]
    means = np.array([[curve(one.episodes_, grid).mean() for one in side] for side in sides])
    return {
        "case": f"{NEW_VALUE}, value kept against new",
        "verdict": over_seeds(means[0], means[1], 0.0)._asdict(), "seeds": seeds,
        "goals": at_goals(sides, goals, sides[0][0].steps_),
        "seconds": time.perf_counter() - start,
    }  # fmt: skip


def show(table: list[dict[str, Any]]) -> None:
    print("\n| case | goal | times fewer steps | target steps | from scratch | reached |")
    print("|---|---|---|---|---|---|")
    for row in table:
        for one in row["goals"]:
            times, low, high = one["times"]
            steps = " | ".join(f"{round(s):,}" for s in one["steps"])
            reached = " and ".join(map(str, one["reached"]))
            told = f"{times:.2f} ({low:.2f} to {high:.2f})" if any(one["reached"]) else "-"
            print(f"| {row['case']} | {one['goal']:g} | {told} | {steps} | {reached} of {row['seeds']} |")  # fmt: skip
    print("\n| case | source steps | target steps | zero-shot, untrained | mean return, from "
          "scratch | verdict |")  # fmt: skip
    print("|---|---|---|---|---|---|")
    for row in table:
        v, z = row["verdict"], row.get("zero_shot")
        tried = "" if z is None else f"{z['candidate']:.1f}, {z['reference']:.1f} ({z['word']})"
        counts = [f"{row[key]:,}" if key in row else "" for key in ("source_steps", "target_steps")]
        print(f"| {row['case']} | {' | '.join(counts)} | {tried} | {v['candidate']:.1f}, "
              f"{v['reference']:.1f} | {v['word']}: {v['gain']:+.1f} ({v['low']:+.1f} to "
              f"{v['high']:+.1f}) |")  # fmt: skip
    print(f"\n{sum(row['seconds'] for row in table):.0f} seconds in all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--stored", action="store_true", help="print the stored results alone")
    parser.add_argument("--report", help="a page of the first case that is run")
    options = parser.parse_args()
    table = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []
    done = {(row["case"], row["seeds"]) for row in table}
    for name in () if options.stored else CASES:
        if (name, options.seeds) in done:
            continue
        record, found = measure(name, options.seeds)
        print(found, flush=True)
        if options.report and name == next(iter(CASES)):
            found.report(options.report)
        table.append(record)
        RESULTS.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    last = f"{NEW_VALUE}, value kept against new"
    if not options.stored and (last, options.seeds) not in done:
        table.append(new_value(options.seeds))
        RESULTS.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    show(table)


if __name__ == "__main__":
    main()
