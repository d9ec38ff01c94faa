"""Embeddings of categories against one column a level: the network "tabular" beside "mlp".

Simulated shifts (development) and heart disease by hospital (report). Both networks are fitted on
the source alone and scored on target rows. In the simulated tables, labels follow effects of
levels, their pairs and their slopes; in the target, levels have other shares, numbers move, and a
fifth of the cells of three columns hold a level that no source row has. "many" has a column of 300
levels with effects of its own.

Run:  python benchmarks/embeddings.py [--seeds 3]
With --spreads 0.01 0.1 0.3 1 or --caps 6 8 12 600: the settings of the embeddings, on the simulated
tables alone, which is where the defaults were chosen.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from acclimate import NeuralClassifier, SourceOnly, datasets
from acclimate.tables import MixedPreprocessor, TabularPreprocessor
from acclimate.training import networks_tabular

RESULTS = Path(__file__).parent / "results" / "embeddings.json"
SIZES = (2, 3, 5, 10, 30)
CODES = ["sex", "cp", "fbs", "restecg", "exang", "slope", "thal"]
Case = tuple[pd.DataFrame, np.ndarray, pd.DataFrame, np.ndarray]


def simulated(seed: int, n: int, unseen: float, many: int = 0, m: int = 2000) -> Case:
    """Return source and target rows with labels."""
    rng = np.random.default_rng(seed)
    sizes = (*SIZES, many) if many else SIZES
    effects = [rng.normal(size=size) for size in sizes]
    pair, xor = rng.normal(size=(SIZES[2], SIZES[3])), rng.normal(size=(SIZES[0], SIZES[1]))
    slope = 0.7 * rng.normal(size=(SIZES[3], 3))

    def draw(rows: int, moved: float) -> tuple[pd.DataFrame, np.ndarray]:
        codes = [rng.choice(s, rows, p=rng.dirichlet(np.full(s, 2.0))) for s in sizes]
        z = rng.normal(size=(rows, 3)) * (1 + 0.6 * moved) + moved
        score = 0.7 * sum(e[c] for e, c in zip(effects, codes, strict=True))
        score = score + pair[codes[2], codes[3]] + 1.5 * xor[codes[0], codes[1]]
        score += (slope[codes[3]] * z).sum(axis=1)
        frame = pd.DataFrame({
            f"c{i}": pd.Series([f"level {v}" for v in c], dtype=object)
            for i, c in enumerate(codes)
        } | {f"z{j}": z[:, j] for j in range(3)})  # fmt: skip
        return frame, score

    source, scores = draw(n, 0.0)
    target, truth = draw(m, 0.5)
    middle = np.median(scores)
    for i in (2, 3, 4):
        target.loc[rng.random(m) < unseen, f"c{i}"] = "new"
    return source, (scores > middle).astype(int), target, (truth > middle).astype(int)


def heart(hospital: str) -> Case:
    data = datasets.heart_disease()
    return (*data.domain_rows("cleveland"), *data.domain_rows(hospital))


def score(name: str, case: Case, seed: int, codes: list[str]) -> float:
    """Return the accuracy on target rows of a network fitted on the source."""
    X, y, Xt, yt = case
    step: Any = MixedPreprocessor if name == "tabular" else TabularPreprocessor
    base = NeuralClassifier(name, verbose=False, device="cpu")
    model = SourceOnly(base, preprocess=step(categorical=codes), random_state=seed)
    return float(model.fit(X, y).score(Xt, yt))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=100, help="seed of the first simulated table")
    parser.add_argument("--spreads", type=float, nargs="*", default=[])
    parser.add_argument("--caps", type=int, nargs="*", default=[])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = [(n, unseen, many) for n, many in ((300, 0), (2000, 0), (2000, 300))
                for unseen in (0.2, 0.0)]  # fmt: skip
    tried: list[tuple[str, float]] = [("SPREAD", one) for one in arguments.spreads]
    tried += [("WIDEST", one) for one in arguments.caps]
    found: dict[str, dict[str, list[float]]] = {}
    for seed in range(arguments.seeds):
        cases = {
            f"simulated, {n} rows{', many levels' if many else ''}, {u:.0%} unseen":
            (simulated(arguments.first + seed, n, u, many), [])
            for n, u, many in settings
        }  # fmt: skip
        if not tried:
            for hospital in ("hungary", "switzerland", "va"):
                cases[f"heart, Cleveland to {hospital}"] = (heart(hospital), CODES)
        for title, (case, codes) in cases.items():
            row = found.setdefault(title, {})
            row.setdefault("mlp, one column a level", []).append(score("mlp", case, seed, codes))
            for setting, value in tried or [("WIDEST", networks_tabular.WIDEST)]:
                usual = getattr(networks_tabular, setting)
                setattr(networks_tabular, setting, value)
                name = f"tabular, {setting} {value}" if tried else "tabular"
                row.setdefault(name, []).append(score("tabular", case, seed, codes))
                setattr(networks_tabular, setting, usual)
    for title, row in found.items():
        print(title)
        for name, values in row.items():
            each = ", ".join(f"{100 * value:.1f}" for value in values)
            print(f"  {name:26} {100 * np.mean(values):5.1f}  ({each})")
    if tried:
        for name in next(iter(found.values())):
            print(f"mean  {name:26} {100 * np.mean([row[name] for row in found.values()]):5.2f}")
    else:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
