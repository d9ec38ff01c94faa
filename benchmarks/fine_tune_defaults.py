"""Why `FineTune` does what it does by default: strategies on simulated shifts.

Runs on optdigits and pendigits with simulated shifts, and on nothing that is reported elsewhere.
Prints accuracy by task and number of target labels, then mean and worst gain over training on the
target alone. Run:  python benchmarks/fine_tune_defaults.py [--draws 3]
With ``--settings``, other values of the parameters of single strategies run beside the defaults;
``--hidden 128 128`` gives the network more than one layer group beside its head.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from sklearn.base import clone

from acclimate import Domain, FineTune, NeuralClassifier, TargetOnly, datasets
from acclimate.transfer.strategies import NETWORK_STRATEGIES

DEFAULTS: dict[str, dict[str, Any]] = {name: {"strategy": name} for name in NETWORK_STRATEGIES}
OTHERS: dict[str, dict[str, Any]] = {
    "discriminative 1.5": {"strategy": "discriminative", "decay": 1.5},
    "lora rank 4": {"strategy": "lora", "rank": 4},
    "lora rank 8": {"strategy": "lora", "rank": 8},
    "lora scale 1": {"strategy": "lora", "alpha": 16.0},
}
USUAL = {"decay": 2.6, "rank": 16, "alpha": None}

Task = tuple[str, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
TEST_FROM = 1200  # target rows before this one may be drawn as labelled rows


def tasks() -> Iterator[Task]:
    """Yield name, source X and y, target X and y; the last two split later."""
    rng = np.random.default_rng(0)
    digits = datasets.optdigits()
    X = np.concatenate([digits.X_train, digits.X_test]).astype(np.float32) / 16
    y = np.concatenate([digits.y_train, digits.y_test])
    images = X.reshape(-1, 8, 8)
    half = len(y) // 2
    shifts = {
        "optdigits turned": np.rot90(images, axes=(1, 2)),
        "optdigits noise .4": np.clip(images + rng.normal(0, 0.4, images.shape), 0, 1),
        "optdigits noise .15": np.clip(images + rng.normal(0, 0.15, images.shape), 0, 1),
        "optdigits moved": np.roll(images, 1, axis=2),
        "optdigits inverted": 1 - images,
    }
    for name, shifted in shifts.items():
        flat = np.ascontiguousarray(shifted.reshape(-1, 64), dtype=np.float32)
        yield name, X[:half], y[:half], flat[half:], y[half:]
    pens = datasets.pendigits()
    P, p = pens.X.to_numpy().astype(np.float32) / 100, pens.y
    mirrored = P + rng.normal(0, 0.1, P.shape).astype(np.float32)
    mirrored[:, ::2] = 1 - mirrored[:, ::2]
    yield "pendigits mirrored", P[:5000], p[:5000], mirrored[5000:], p[5000:]
    for name, rows, labels in (("optdigits", X, y), ("pendigits", P, p)):
        low = labels < 5
        yield f"{name} 0-4 to 5-9", rows[low], labels[low], rows[~low], labels[~low]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[20, 50, 200, 1000])
    parser.add_argument("--hidden", type=int, nargs="+", default=[128])
    parser.add_argument("--settings", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    hidden = tuple(args.hidden)
    base = NeuralClassifier(hidden=hidden, random_state=0)
    tried = DEFAULTS | (OTHERS if args.settings else {})
    gains: dict[tuple[str, str], list[float]] = {}
    for name, X, y, Xt, yt in tasks():
        same = set(np.unique(y)) == set(np.unique(yt))
        names = [f"class {i}" for i in range(10)]
        tuner = FineTune(base, random_state=0).fit(X, y, class_names=names if same else None)
        for n in args.sizes:
            scores: dict[tuple[str, str], list[float]] = {}
            for draw in range(args.draws):
                order = np.random.default_rng(draw).permutation(len(yt))
                rows, test = order[:n], order[TEST_FROM:]
                target = Domain(Xt[rows], yt[rows], class_names=names if same else None)
                alone = TargetOnly(clone(base).set_params(random_state=draw), random_state=draw)
                alone.fit(X[:200], y[:200], target=Domain(Xt[rows], yt[rows]))
                reference = alone.score(Xt[test], yt[test])
                scores.setdefault(("target only", "-"), []).append(reference)
                for head in ("new", "copy") if same else ("new",):
                    for strategy, values in tried.items():
                        tuner.set_params(**(USUAL | values), head=head).adapt(target)
                        score = tuner.score(Xt[test], yt[test])
                        scores.setdefault((strategy, head), []).append(score)
                        gains.setdefault((strategy, head), []).append(score - reference)
            shown = "  ".join(
                f"{strategy}/{head} {100 * np.mean(values):.1f}"
                for (strategy, head), values in scores.items()
            )
            print(f"{name}, {n} labels: {shown}", flush=True)
    print(f"\n{'strategy':<18} head  mean gain  worst gain (points, single draws)")
    for (strategy, head), values in sorted(gains.items(), key=lambda item: item[0][::-1]):
        mean, worst = 100 * np.mean(values), 100 * np.min(values)
        print(f"{strategy:<18} {head:<5} {mean:+9.2f}  {worst:+10.2f}")


if __name__ == "__main__":
    main()
