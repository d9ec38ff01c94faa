"""What each method that trains a network gains over the source model on simulated shifts.

The shifts are those of `deep_defaults.py`, of optdigits and pendigits, which nothing that is
reported elsewhere runs on. Defaults are chosen here alone. For each method it prints the mean gain
in target accuracy over the source model of the same network, the worst, and the seconds that an
adaptation took.

Run:  python benchmarks/deep_methods.py [--seeds 3] [--only MCC CAN] [--set strength=0.3] [--out F]
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from deep_defaults import cases
from sklearn.preprocessing import StandardScaler

from acclimate import Domain, NeuralClassifier, methods
from acclimate.exceptions import AcclimateWarning

FAMILIES = ("adversarial", "invariant", "source-free")
SHIFTS = (
    "optdigits, moved", "optdigits, blurred", "optdigits, rarer", "pendigits, turned",
    "pendigits, noise",
)  # fmt: skip


def measure(seed: int, rows: int, only: list[str], changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one record for each method and shift: accuracies before and after, and seconds."""
    found = [case for case in cases(rows, np.random.default_rng(seed)) if case[0] in SHIFTS]
    table: list[dict[str, Any]] = []
    for row in methods(task="classification"):
        if row.family not in FAMILIES or (only and row.name not in only):
            continue
        name = "mlp-norm" if row.base == "batch norm" else "mlp"  # those of batch norm need it
        base = NeuralClassifier(name, hidden=(64,), min_steps=200, batch_size=64)
        model, fitted_on, before = None, None, {}
        for shift, (X, y), (Xt, yt) in found:
            if model is None or fitted_on is not X:
                model = row.load()(
                    base, preprocess=StandardScaler(), random_state=seed, **changes
                ).fit(X, y)
                fitted_on = X
                # of the source model alone: later, each side is answered by an adapted network
                before = {
                    each: model.score(*there) for each, (here, _), there in found if here is X
                }
            start = process_time()
            model.adapt(Domain(Xt))
            table.append({
                "method": row.name, "shift": shift, "seed": seed, "source": before[shift],
                "target": model.score(Xt, yt), "seconds": process_time() - start,
            })  # fmt: skip
    return table


def show(table: list[dict[str, Any]]) -> None:
    shifts = sorted({r["shift"] for r in table})
    print("gain in points, mean over seeds:", *(f"{s.split(',')[0][:3]}{s.split(',')[1]}"
                                                for s in shifts), sep="  ")  # fmt: skip
    means = {}
    for name in dict.fromkeys(r["method"] for r in table):
        mine = [r for r in table if r["method"] == name]
        gains = 100 * np.array([r["target"] - r["source"] for r in mine])
        parts = [
            100 * np.mean([r["target"] - r["source"] for r in mine if r["shift"] == s])
            for s in shifts
        ]
        seconds = np.mean([r["seconds"] for r in mine])
        means[name] = (gains.mean(), gains.min(), parts, seconds)
    for name, (mean, worst, parts, seconds) in sorted(means.items(), key=lambda m: -m[1][0]):
        print(f"{name:10} mean {mean:6.1f}  worst {worst:6.1f}  {seconds:5.2f} s ",
              *(f"{p:6.1f}" for p in parts), flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", AcclimateWarning)
    changes = {name: json.loads(value) for name, value in (s.split("=") for s in options.set)}
    table: list[dict[str, Any]] = []
    for seed in range(options.seeds):
        table += measure(seed, options.rows, options.only, changes)
        show(table)
    if options.out is not None:
        options.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
