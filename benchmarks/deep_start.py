"""Whether the start belongs among the epochs to choose from, on simulated shifts.

The shifts are those of `deep_defaults.py`, of optdigits and pendigits, which nothing that is
reported elsewhere runs on; "cnn" takes those of optdigits as images of twice the size, through the
network "cnn-norm". For each method it prints the mean gain in target accuracy over the source
model, in points: of the start (the source network with the target's batch norm), of the last epoch,
of the epoch chosen without target labels from epoch 1 on, and of the one chosen from the start on.

Run:  python benchmarks/deep_start.py [--kind cnn] [--seeds 2] [--only ADDA AFN] [--set rate=0.1]
"""

from __future__ import annotations

import argparse
import json
import warnings
from typing import Any

import numpy as np
import torch
from deep_defaults import Rows, cases
from deep_methods import FAMILIES, SHIFTS
from sklearn.preprocessing import StandardScaler

from acclimate import Domain, NeuralClassifier, methods
from acclimate.deep.watching import AUTO, EPOCH_SCORES, ROWS
from acclimate.exceptions import AcclimateWarning


def images(X: np.ndarray) -> np.ndarray:
    """Return 8 x 8 images at 16 x 16, which two convolutions need."""
    return X.reshape(-1, 8, 8).repeat(2, axis=1).repeat(2, axis=2)


def shifts(kind: str, rows: int, seed: int) -> list[tuple[str, Rows, Rows]]:
    found = cases(rows, np.random.default_rng(seed))
    if kind == "mlp":
        return [case for case in found if case[0] in SHIFTS]
    return [
        (name, (images(X), y), (images(Xt), yt))
        for name, (X, y), (Xt, yt) in found
        if name.startswith("optdigits")
    ]


def measure(model: Any, before: float, Xt: np.ndarray, yt: np.ndarray) -> list[float]:
    """Return gains of the start, the last epoch, and both choices."""
    watched, choose = yt[:: -(-len(yt) // ROWS)], EPOCH_SCORES[AUTO]
    right: list[float] = []
    scores: list[float] = []

    def look(source: Any, seen: Any) -> float:
        right.append(float((seen.logits.argmax(1) == watched).mean()))
        scores.append(choose(source, seen))
        return scores[-1]

    EPOCH_SCORES[AUTO] = look  # a validator given as a function would hold out source rows
    try:
        model.adapt(Domain(Xt))
    finally:
        EPOCH_SCORES[AUTO] = choose
    later, ever = 1 + int(np.argmax(scores[1:])), int(np.argmax(scores))
    return [100 * (right[i] - before) for i in (0, -1, later, ever)] + [float(ever == 0)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=("mlp", "cnn"), default="mlp")
    parser.add_argument("--rows", type=int, default=None)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", AcclimateWarning)
    changes = {name: json.loads(value) for name, value in (s.split("=") for s in options.set)}
    small = options.kind == "mlp"
    rows = options.rows or (400 if small else 500)
    print("mean gain over the source model: start, last, chosen from 1, from 0; worst from 1, 0")
    for row in methods(task="classification"):
        if row.family not in FAMILIES or row.name == "AdaBN":
            continue
        if options.only and row.name not in options.only:
            continue
        name = "mlp-norm" if row.base == "batch norm" else "mlp" if small else "cnn-norm"
        base = NeuralClassifier(
            name, hidden=(64 if small else 128,), epochs=1, min_steps=200, batch_size=64,
            verbose=False,
        )  # fmt: skip
        found: list[list[float]] = []
        for seed in range(options.seeds):
            learnt: Any = None
            for _, (X, y), (Xt, yt) in shifts(options.kind, rows, seed):
                scaler = StandardScaler() if small else None
                if learnt is None or not np.array_equal(learnt, X):
                    model = row.load()(base, preprocess=scaler, random_state=seed, **changes)
                    model.fit(X, y)
                    learnt, source = X, model.source_model_
                scaled = model.preprocess_.transform(Xt) if small else Xt
                before = float((source.predict(scaled) == yt).mean())
                found.append(measure(model, before, Xt, yt))
        mean, worst = np.mean(found, axis=0), np.min(found, axis=0)
        print(f"{row.name:10}", *(f"{value:6.1f}" for value in mean[:4]),
              f"  worst {worst[2]:6.1f} {worst[3]:6.1f}",
              f"  start chosen {sum(f[4] for f in found):.0f} of {len(found)}",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
