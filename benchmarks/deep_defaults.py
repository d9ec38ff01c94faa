"""Why deep methods do what they do by default: simulated shifts of optdigits and pendigits.

Runs on nothing that is reported elsewhere. For each shift and setting it prints the target accuracy
of the source model, of the last epoch, of the epoch that each validator chooses without target
labels, and of the best epoch, which only labels can tell and no method may use.

Run:  python benchmarks/deep_defaults.py [--rows 700] [--seeds 1] [--out results.json]
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler

import acclimate
from acclimate import Domain, NeuralClassifier, datasets
from acclimate.deep.watching import EPOCH_SCORES, ROWS
from acclimate.exceptions import AcclimateWarning

SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "DANN 0.3": ("DANN", {"strength": 0.3}),
    "DANN 1": ("DANN", {"strength": 1.0}),
    "DANN 1, half rate": ("DANN", {"strength": 1.0, "rate": 0.5}),
    "DeepCORAL 1": ("DeepCORAL", {"strength": 1.0}),
    "DeepCORAL 10": ("DeepCORAL", {"strength": 10.0}),
}
Rows = tuple[np.ndarray, np.ndarray]


def some(X: np.ndarray, y: np.ndarray, rows: int, rng: np.random.Generator) -> Rows:
    kept = rng.permutation(len(y))[:rows]
    return X[kept].reshape(len(kept), -1).astype(np.float32), y[kept]


def rarer(X: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> Rows:
    """Drop four of five rows of the upper half of the classes: the shares shift."""
    kept = (y < np.median(y)) | (rng.random(len(y)) < 0.2)
    return X[kept], y[kept]


def cases(rows: int, rng: np.random.Generator) -> list[tuple[str, Rows, Rows]]:
    """Return name, source and target of each simulated shift."""
    digits, pen = datasets.optdigits(), datasets.pendigits()
    X = np.concatenate([digits.X_train, digits.X_test]).reshape(-1, 8, 8) / 16.0
    P = pen.X.to_numpy().reshape(-1, 8, 2) / 100.0 - 0.5
    blur = (X + np.roll(X, 1, axis=2) + np.roll(X, 1, axis=1)) / 3
    turn = np.array([[np.cos(0.35), -np.sin(0.35)], [np.sin(0.35), np.cos(0.35)]])
    slant = P @ np.array([[1.0, 0.0], [0.45, 1.0]])
    sets = {
        "optdigits": (X, np.concatenate([digits.y_train, digits.y_test]), {
            "moved": np.roll(X, 1, axis=2), "faint": X * 0.4, "blurred": blur, "rarer": blur,
        }),
        "pendigits": (P, np.asarray(pen.y), {
            "turned": P @ turn, "noise": P + rng.normal(0, 0.15, P.shape), "slanted": slant,
            "stretched": P * [1.3, 0.7] + [0.15, -0.1], "rarer": slant,
        }),
    }  # fmt: skip
    found = []
    for name, (rows_of, y, shifts) in sets.items():
        order = rng.permutation(len(y))
        here, there = order[: len(y) // 2], order[len(y) // 2 :]
        source = some(rows_of[here], y[here], rows, rng)
        for shift, moved in shifts.items():
            target = (moved[there], y[there])
            if shift == "rarer":
                target = rarer(*target, rng)
            found.append((f"{name}, {shift}", source, some(*target, rows, rng)))
    return found


def measure(source: Rows, target: Rows, name: str, settings: dict[str, Any], seed: int) -> Any:
    """Return accuracies of the source model, the last, the best and each chosen epoch."""
    (X, y), (Xt, yt) = source, target
    watched = yt[:: -(-len(yt) // ROWS)]
    right: list[float] = []
    scores: dict[str, list[float]] = {key: [] for key in EPOCH_SCORES}

    def look(_: Any, seen: Any) -> float:
        right.append(float((seen.logits.argmax(1) == watched).mean()))
        for key, score in EPOCH_SCORES.items():
            scores[key].append(score(None, seen))
        return 0.0

    model = getattr(acclimate, name)(
        NeuralClassifier(min_steps=500), preprocess=StandardScaler(), validator=look,
        random_state=seed, **settings,
    )  # fmt: skip
    model.fit(X, y)
    before = model.score(Xt, yt)
    model.adapt(Domain(Xt))
    chosen = {key: right[int(np.argmax(values))] for key, values in scores.items()}
    return {"source": before, "last": right[-1], "best": max(right), **chosen}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=700)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", AcclimateWarning)
    table: list[dict[str, Any]] = []
    for seed in range(options.seeds):
        for shift, source, target in cases(options.rows, np.random.default_rng(seed)):
            for label, (name, settings) in SETTINGS.items():
                row = measure(source, target, name, settings, seed)
                table.append({"shift": shift, "setting": label, "seed": seed, **row})
                print(shift, label, *(f"{k} {v:.3f}" for k, v in row.items()), sep="  ", flush=True)
    print("\nmean and worst gain over the source model, in points")
    for label in SETTINGS:
        mine = [row for row in table if row["setting"] == label]
        for key in ("last", "best", *EPOCH_SCORES):
            gains = 100 * np.array([row[key] - row["source"] for row in mine])
            print(f"{label:20} {key:26} {gains.mean():6.1f} {gains.min():6.1f}")
    if options.out is not None:
        options.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
