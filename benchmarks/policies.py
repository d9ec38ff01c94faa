"""Policies that go on in another environment, against training from scratch.

- *reversed force*: CartPole, where left is right.
- *heavier links*: Acrobot, both links with 1.5 times the mass.
- *sensors in another order*: CartPole, its four numbers the other way round. What was learnt of
  each is wrong of another.
- *weaker engine*: MountainCar, with 0.8 times the force. Its source is not learnt in these steps,
  so there is nothing to transfer.

Five seeds a case, each with its own source policy. A goal is the mean return of the last 20
episodes of training. For the reversed force, the same with the last layer kept, and with a new
value network.

Settings (`PPO`'s defaults), steps, the mass, and that a policy which does worse than chance gets a
new last layer, were chosen by returns of training on two other seeds.

Run:  python benchmarks/policies.py [--seeds 5] [--draw 2025] [--stored] [--report FILE.html]

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

from acclimate.rl import Policy, PolicyTransfer, train_policy, transfer_policy
from acclimate.rl.efficiency import curve, over_seeds, steps_to, times_fewer

RESULTS = Path(__file__).parent / "results" / "policies.json"
MASS, FORCE = 1.5, 0.8


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


def weaker_engine() -> Any:
    env = make("MountainCar-v0")
    env.unwrapped.force *= FORCE
    return env


# source, target, steps there and here, goals: the one that gymnasium calls solved comes last
CASES: dict[str, tuple[str, Any, int, int, tuple[float, ...]]] = {
    "reversed force": ("CartPole-v1", reversed_force, 40_000, 60_000, (195.0, 400.0, 475.0)),
    "heavier links": ("Acrobot-v1", heavier_links, 60_000, 80_000, (-150.0, -120.0, -100.0)),
    "sensors in another order": (
        "CartPole-v1", sensors_in_another_order, 40_000, 60_000, (195.0, 400.0, 475.0),
    ),
    "weaker engine": ("MountainCar-v0", weaker_engine, 40_000, 40_000, (-150.0, -110.0)),
}  # fmt: skip
VARIANTS = {
    "last layer kept": {"keep_head": True},
    "new value network": {"keep_head": False, "keep_value": False},
}
OF = "reversed force"


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


def sources(name: str, seeds: int, draw: int) -> list[Policy]:
    """Return a policy of the source for each seed; cases of one source have the same."""
    source, _, before, _, _ = CASES[name]
    numbers = np.random.default_rng(draw).integers(2**31, size=seeds).tolist()
    return [train_policy(source, before, random_state=number) for number in numbers]


def measure(name: str, policies: list[Policy], draw: int) -> tuple[dict[str, Any], PolicyTransfer]:
    """Run a case."""
    _, target, _, steps, goals = CASES[name]
    found = transfer_policy(policies, target, steps, seeds=len(policies), random_state=draw)
    sides = [list(found.policies), list(found.scratch)]
    means = found.curves.mean(axis=1).round(1).tolist()
    record = {**found.to_dict(), "curves": means}
    return {**record, "goals": at_goals(sides, goals, found.target_steps)}, found


def measure_variant(
    options: dict[str, bool], policies: list[Policy], found: PolicyTransfer, draw: int
) -> dict[str, Any]:
    """Go on otherwise; training from scratch is that of the case."""
    _, target, _, steps, goals = CASES[OF]
    numbers = np.random.default_rng(draw + 1).integers(2**31, size=len(policies)).tolist()
    mine = [
        train_policy(target, steps, policy=policy, random_state=number, **options)
        for policy, number in zip(policies, numbers, strict=True)
    ]
    means = np.array([curve(one.episodes_, found.steps).mean() for one in mine])
    said = over_seeds(means, found.curves[1].mean(axis=1), 0.0)
    return {
        "seeds": len(policies), "source_steps": found.source_steps,
        "target_steps": found.target_steps, "verdict": said._asdict(),
        "goals": at_goals([mine, list(found.scratch)], goals, found.target_steps),
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
            print(f"| {row['case']} | {one['goal']:g} | {told} | {steps} | {reached} of "
                  f"{row['seeds']} |")  # fmt: skip
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
    parser.add_argument("--draw", type=int, default=2025, help="decides all seeds")
    parser.add_argument("--stored", action="store_true", help="print the stored results alone")
    parser.add_argument("--report", help="a page of the case of the reversed force")
    options = parser.parse_args()
    table = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []
    done = {(row["case"], row["seeds"], row["draw"]) for row in table}
    policies: dict[str, list[Policy]] = {}
    for name in () if options.stored else CASES:
        if (name, options.seeds, options.draw) in done:
            continue
        start = time.perf_counter()
        env = CASES[name][0]
        if env not in policies:
            policies[env] = sources(name, options.seeds, options.draw)
        record, found = measure(name, policies[env], options.draw)
        print(found, flush=True)
        rows = {name: record}
        if name == OF:
            if options.report:
                found.report(options.report)
            for word, how in VARIANTS.items():
                rows[f"{name}, {word}"] = measure_variant(how, policies[env], found, options.draw)
        took = time.perf_counter() - start
        for case, row in rows.items():
            share = took / len(rows)
            table.append({"case": case, "draw": options.draw, **row, "seconds": share})
        RESULTS.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    show(table)


if __name__ == "__main__":
    main()
