"""Time to save and to load a network of 10 MB: median of 20, in a warm process.

Run: python benchmarks/save_load.py
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import acclimate


def model() -> acclimate.SourceOnly:
    """Return a multilayer perceptron of 2.5 million float32 weights."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(64, 784)), np.arange(64) % 10
    base = acclimate.NeuralClassifier(hidden=(1200, 1200, 100), epochs=1, min_steps=2)
    return acclimate.SourceOnly(base, random_state=0).fit(X, y)


def main() -> None:
    fitted = model()
    times: dict[str, list[float]] = {"save": [], "load": []}
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        path = Path(folder) / "model.acclimate"
        for _ in range(23):  # the first three warm up
            start = time.perf_counter()
            fitted.save(path)
            middle = time.perf_counter()
            acclimate.load(path)
            times["save"].append(middle - start)
            times["load"].append(time.perf_counter() - middle)
        size = path.stat().st_size
    figures = {f"{name}_ms": 1000 * statistics.median(t[3:]) for name, t in times.items()}
    print(json.dumps({"megabytes": size / 1e6, **figures}))


if __name__ == "__main__":
    main()
