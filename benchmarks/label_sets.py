"""Targets that lack classes of the source, or hold classes that it lacks.

``partial=True`` is compared with the same method without it, by target accuracy. ``unknown=label``
is judged by the H-score, the harmonic mean of how well known classes are recognised (the mean
recall, a rejected row is wrong) and of the share of unknown rows that are rejected. Never rejecting
scores 0. Beside it stand the source model with a plain threshold on its confidence, and with the
rule that ``unknown`` uses; and the method without ``unknown``, with both.

Development: simulated shifts of optdigits and pendigits, those of `deep_defaults.py`. The catalogue
ticks methods by these alone. Reported only: MNIST to USPS.

Run:  python benchmarks/label_sets.py [--seeds 2] [--only DANN MCC] [--stored]

Results are kept row by row, and a run that was cut off goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from deep_defaults import Rows, cases
from sklearn.preprocessing import StandardScaler

import acclimate
from acclimate import Domain, NeuralClassifier, datasets
from acclimate.datasets.images import frame
from acclimate.exceptions import AcclimateWarning
from acclimate.losses.label_sets import class_centres, nearest_centre, two_groups

RESULTS = Path(__file__).parent / "results" / "label_sets.json"
METHODS = ("DANN", "CDAN", "DeepCORAL", "DAN", "MCC")
DEVELOPMENT = (
    "optdigits, moved", "optdigits, faint", "optdigits, blurred", "pendigits, turned",
    "pendigits, noise", "pendigits, slanted",
)  # fmt: skip
REPORTED = "MNIST to USPS"
KNOWN = ((0, 1, 2, 3, 4), (1, 3, 5, 7, 9))  # the classes that both domains hold, by seed
ROWS, STEPS, UNKNOWN = 700, 300, -1
RULE, SURE, HALF = "the rule of unknown", "confidence below 0.9", "confidence below 0.5"


def digits(seed: int) -> tuple[Rows, Rows]:
    """Return rows of MNIST and USPS in one frame, as vectors."""
    rng = np.random.default_rng(seed)
    found = []
    for name in ("mnist", "usps"):
        data: Any = datasets.load(name)
        kept = rng.permutation(len(data.y_train))[: 2 * ROWS]
        X = np.asarray(data.X_train)[kept]
        X = frame(X) if name == "usps" else X
        found.append((X.reshape(len(X), -1).astype(np.float32) / X.max(), data.y_train[kept]))
    return found[0], found[1]


def problems(seed: int) -> Iterator[tuple[str, Rows, Rows]]:
    for shift, source, target in cases(ROWS, np.random.default_rng(seed)):
        if shift in DEVELOPMENT:
            yield shift, source, target
    yield (REPORTED, *digits(seed))


def h_score(y: np.ndarray, known: np.ndarray, codes: np.ndarray, rejected: np.ndarray) -> float:
    """Return the harmonic mean of the mean recall of known classes and the share rejected."""
    right = (codes == y) & ~rejected
    one = float(np.mean([right[y == c].mean() for c in np.unique(y[known])]))
    other = float(rejected[~known].mean())
    return 2 * one * other / (one + other) if one + other else 0.0


def rejections(model: Any, X: np.ndarray, y: np.ndarray, Xt: np.ndarray) -> dict[str, np.ndarray]:
    """Return which target rows each rule rejects, for a method without the option."""
    theirs = model.target_model_ or model.source_model_
    scale = model.preprocess_.transform
    z, zt = (theirs.infer(scale(rows).astype(np.float32))[0] for rows in (X, Xt))
    codes = torch.from_numpy(np.searchsorted(model.classes_, y))
    far = nearest_centre(zt, *class_centres(z, codes, len(model.classes_)))
    sure = model.predict_proba(Xt).max(1)
    return {
        RULE: (far > two_groups(far)[0]).numpy(), SURE: sure < 0.9, HALF: sure < 0.5
    }  # fmt: skip


def measure(name: str, source: Rows, target: Rows, seed: int) -> dict[str, Any]:
    """Return what a method scores with and without both options, and the source model's scores."""
    (X, y), (Xt, yt) = source, target
    shared = np.isin(y, KNOWN[seed % 2]), np.isin(yt, KNOWN[seed % 2])
    base = NeuralClassifier(hidden=(64,), min_steps=STEPS, epochs=1, batch_size=64, verbose=False)
    model = getattr(acclimate, name)(base, preprocess=StandardScaler(), random_state=seed)
    fewer = Xt[shared[1]], yt[shared[1]]
    record: dict[str, Any] = {"partial": {"source": model.fit(X, y).score(*fewer)}, "open": {}}
    for partial, word in ((False, "without"), (True, "with")):
        model.set_params(partial=partial).adapt(Domain(fewer[0]))
        record["partial"][word] = model.score(*fewer)
    model.set_params(partial=False)
    Xk, yk = X[shared[0]], y[shared[0]]
    scores = record["open"]
    model.fit(Xk, yk)
    for word in ("source", "without"):
        if word == "without":
            model.adapt(Domain(Xt))
        codes = model.predict(Xt)
        for rule, rejected in rejections(model, Xk, yk, Xt).items():
            scores[f"{word}, {rule}"] = h_score(yt, shared[1], codes, rejected)
    model.set_params(unknown=UNKNOWN).adapt(Domain(Xt))
    codes = model.predict(Xt)
    scores["with"] = h_score(yt, shared[1], codes, codes == UNKNOWN)
    return record


def mean(rows: list[dict[str, Any]], kind: str, key: str) -> float:
    return 100 * float(np.mean([row[kind][key] for row in rows]))


def show(table: list[dict[str, Any]]) -> None:
    for title, here in (("development", DEVELOPMENT), ("reported", (REPORTED,))):
        rows = [row for row in table if row["shift"] in here]
        names = [name for name in METHODS if any(row["method"] == name for row in rows)]
        if not rows:
            continue
        print(f"\n{title}: {len({(r['shift'], r['seed']) for r in rows})} cases a method")
        print("partial: target accuracy  source  without  with  gain: mean, worst, cases above 0")
        for name in names:
            mine = [row for row in rows if row["method"] == name]
            gains = 100 * np.array([r["partial"]["with"] - r["partial"]["without"] for r in mine])
            print(f"  {name:10}", *(f"{mean(mine, 'partial', k):6.1f}"
                                    for k in ("source", "without", "with")),
                  f"  {gains.mean():+5.1f} {gains.min():+5.1f} {(gains > 0).sum():3}")  # fmt: skip
        keys = [f"source, {HALF}", f"source, {SURE}", f"source, {RULE}", f"without, {SURE}",
                f"without, {RULE}", "with"]  # fmt: skip
        print("open: H-score  ", " | ".join(keys))
        for name in names:
            mine = [row for row in rows if row["method"] == name]
            print(f"  {name:10}", *(f"{mean(mine, 'open', key):6.1f}" for key in keys))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=list(METHODS))
    parser.add_argument("--stored", action="store_true", help="print the stored results alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", AcclimateWarning)
    table = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []
    done = {(row["method"], row["shift"], row["seed"]) for row in table}
    for seed in range(0 if options.stored else options.seeds):
        for shift, source, target in problems(seed):
            for name in options.only:
                if (name, shift, seed) not in done:
                    found = measure(name, source, target, seed)
                    table.append({"method": name, "shift": shift, "seed": seed, **found})
                    RESULTS.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    show(table)


if __name__ == "__main__":
    main()
