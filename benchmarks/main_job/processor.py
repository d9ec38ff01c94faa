"""Processor seconds of an epoch of the MLP on one thread, for a machine that others use too.

Run:  python benchmarks/main_job/processor.py [--before c4768b2] [--rounds 3] [--stored]

Sides take turns; the figure is the median over rounds of the second epoch, since the first has the
compiling in it. Every round is stored when it ends. ``--before`` is a commit, such as the one
before a change, or the `src` folder of another checkout.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

from environments import peer_python, prepare_data
from measure import Script, machine, run_script

# `environments` makes the folder above importable
from peers import BENCH, REPOSITORY
from trees import source

RESULTS = REPOSITORY / "benchmarks" / "results" / "main_job_processor.json"
BATCHES = (32, 128, 512)
EPOCHS = 2
PEERS = ("tensorflow", "jax")


def collect(env: Path, before: Path | None, rounds: int) -> None:
    """Store processor seconds by batch size and side, one a round."""
    about = {"machine": machine(), "epochs": EPOCHS}
    data = prepare_data(env / "data")
    trees = {"acclimate": None} | ({} if before is None else {"before": before})
    found: dict[str, dict[str, list[float]]] = {}
    for turn in range(rounds):
        for batch in BATCHES:
            given = ("--batch", str(batch), "--epochs", str(EPOCHS), "--clock", "process_time")
            scripts = [
                Script(side, Path(sys.executable), "epochs_acclimate.py", given, tree=tree)
                for side, tree in trees.items()
            ] + [
                Script(peer, peer_python(env, peer), "epochs_keras.py", given, backend=peer)
                for peer in PEERS
            ]  # fmt: skip
            for script in scripts:
                seconds = min(run_script(script, data, 1)[1]["seconds"][1:])
                found.setdefault(str(batch), {}).setdefault(script.name, []).append(seconds)
                print(f"{turn + 1} {batch} {script.name} {seconds:.3f}", file=sys.stderr)
        stored = {**about, "rounds": turn + 1, "seconds": found}
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n")


def report(results: dict[str, Any]) -> None:
    """Print the table."""
    table = {
        batch: {side: median(values) for side, values in sides.items()}
        for batch, sides in results["seconds"].items()
    }
    others = [side for side in next(iter(table.values())) if side != "acclimate"]
    print("| batch | acclimate | " + " | ".join(others) + " | "
          + " | ".join(f"{side} / acclimate" for side in others) + " |")  # fmt: skip
    print("|" + "---|" * (2 + 2 * len(others)))
    for batch, row in table.items():
        ours = row["acclimate"]
        cells = [f"{ours:.3f}", *(f"{row[side]:.3f}" for side in others)]
        cells += [f"{row[side] / ours:.2f}" for side in others]
        print(f"| {batch} | " + " | ".join(cells) + " |")


def main() -> None:
    """Measure, or print the tables of the last run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", type=Path, default=BENCH)
    parser.add_argument("--before", type=source, help="a commit, or the src of another checkout")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stored", action="store_true", help="print the table of the last run")
    args = parser.parse_args()
    if not args.stored:
        collect(args.env, args.before, args.rounds)
    report(json.loads(RESULTS.read_text()))


if __name__ == "__main__":
    main()
