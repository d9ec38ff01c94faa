"""How far a target's own mean and variance are to be trusted: `EachDomain`, by its ``shrink``.

Development shifts on optdigits and pendigits. 1000 source rows; in the target every column has a
gain exp(s z) and an offset of s z standard deviations, s = 0, 0.3 or 1, and m = 5 to 500 rows
without labels; 1000 others are scored. Logistic regression from the source, which reads the target
by its own scaler. "even": both domains are drawn alike. "long tail": the target's classes have
shares from 1 down to 0.05, in an order that is drawn.

Run:  python benchmarks/each_domain.py [--seeds 5]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from acclimate import Domain, EachDomain, SourceOnly, datasets

RESULTS = Path(__file__).parent / "results" / "each_domain.json"
STRENGTHS = (0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 1e12)  # the last is the source's scaler
SHIFTS = (0.0, 0.3, 1.0)
SIZES = (5, 20, 100, 500)
ROWS = 1000


def digits(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return all rows of a data set, and their labels."""
    found: Any = datasets.load(name)
    if hasattr(found, "X"):
        return np.asarray(found.X, dtype=np.float64), found.y
    X = np.concatenate([found.X_train, found.X_test])
    y = np.concatenate([found.y_train, found.y_test])
    return X.reshape(len(X), -1).astype(np.float64), y


def drawn(y: np.ndarray, m: int, tail: bool, rng: np.random.Generator) -> np.ndarray:
    """Return positions of m rows, of classes in even shares or with a long tail."""
    classes = rng.permutation(np.unique(y))
    shares = np.geomspace(1.0, 0.05, len(classes)) if tail else np.ones(len(classes))
    weight = np.zeros(len(y))
    for label, share in zip(classes, shares, strict=True):
        weight[y == label] = share / (y == label).sum()
    return rng.choice(len(y), m, replace=False, p=weight / weight.sum())


def accuracies(name: str, shift: float, tail: bool, seed: int) -> dict[tuple[int, float], float]:
    """Return the accuracy on rows never seen, by rows of the target and strength."""
    X, y = digits(name)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(X))
    source, rest = order[:ROWS], order[ROWS:]
    gain = np.exp(shift * rng.normal(size=X.shape[1]))
    moved = X * gain + shift * rng.normal(size=X.shape[1]) * X.std(axis=0)
    chosen = rng.permutation(rest[drawn(y[rest], ROWS + SIZES[-1], tail, rng)])
    new, seen = chosen[:ROWS], chosen[ROWS:]
    found = {}
    model = SourceOnly(preprocess=EachDomain(), random_state=0).fit(X[source], y[source])
    for m in SIZES:
        for strength in STRENGTHS:
            model.preprocess_.shrink = strength
            model.adapt(Domain(moved[seen[:m]]))
            found[m, strength] = model.score(moved[new], y[new])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    rows = [
        {"data": name, "shift": shift, "tail": tail, "seed": seed, "m": m, "shrink": k, "acc": acc}
        for name in ("optdigits", "pendigits")
        for shift in SHIFTS
        for tail in (False, True)
        for seed in range(seeds)
        for (m, k), acc in accuracies(name, shift, tail, seed).items()
    ]

    def mean(**only: Any) -> float:
        kept = [r["acc"] for r in rows if all(r[key] == value for key, value in only.items())]
        return 100 * float(np.mean(kept))

    print("shrink" + "".join(f"{k:>9.3g}" for k in STRENGTHS))
    for tail, title in ((False, "even shares"), (True, "long tail")):
        print(title)
        for shift in SHIFTS:
            for m in SIZES:
                cells = [mean(tail=tail, shift=shift, m=m, shrink=k) for k in STRENGTHS]
                print(f"  s={shift} m={m:<4}" + "".join(f"{cell:9.1f}" for cell in cells))
    for tail, title in ((False, "even shares"), (True, "long tail")):
        print(f"mean, {title}", [round(mean(tail=tail, shrink=k), 1) for k in STRENGTHS])
    print("mean", [round(mean(shrink=k), 1) for k in STRENGTHS])
    means = [
        {"shift": shift, "tail": tail, "m": m, "shrink": k,
         "accuracy": round(mean(tail=tail, shift=shift, m=m, shrink=k), 2)}
        for tail in (False, True) for shift in SHIFTS for m in SIZES for k in STRENGTHS
    ]  # fmt: skip
    RESULTS.write_text(json.dumps(means, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
