"""Time of predicting a large CSV against the time of parsing it in the same batches.

    python benchmarks/csv_predict.py --rows 10000000

The file has 20 columns of numbers with 6 significant digits. "Parse" is Arrow's reader alone, told
the types, which hands out blocks and makes nothing of them. "Stream" makes data frames. "Predict"
reads, predicts with a logistic regression, and writes the predictions to another CSV. Each runs in
a process of its own, in turn, so that each has its own peak of memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

COLUMNS = 20
BATCH = 65536
KINDS = ("parse", "stream", "predict", "predict with preprocess")


def generate(path: Path, rows: int, seed: int = 0) -> None:
    """Write the file in blocks: six random digits, a point in the middle, a sign."""
    rng = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write((",".join(f"c{j}" for j in range(COLUMNS)) + "\n").encode())
        for start in range(0, rows, BATCH):
            n = min(BATCH, rows - start)
            digits = rng.integers(0, 10, (n, COLUMNS, 6), dtype=np.uint8) + ord("0")
            cells = np.empty((n, COLUMNS, 9), dtype=np.uint8)
            cells[..., 0] = np.where(rng.random((n, COLUMNS)) < 0.5, ord("-"), ord("0"))
            cells[..., 1] = digits[..., 0]
            cells[..., 2] = ord(".")
            cells[..., 3:8] = digits[..., 1:]
            cells[..., 8] = ord(",")
            cells[:, -1, 8] = ord("\n")
            file.write(cells.tobytes())


def model(preprocess: bool) -> object:
    """Return a fitted linear model on columns c0 to c19."""
    import pandas as pd

    from acclimate import SourceOnly
    from acclimate.tables import TabularPreprocessor

    rng = np.random.default_rng(1)
    X = pd.DataFrame(rng.normal(size=(1000, COLUMNS)), columns=[f"c{j}" for j in range(COLUMNS)])
    y = (X.sum(axis=1) > 0).astype(int)
    return SourceOnly(preprocess=TabularPreprocessor() if preprocess else None).fit(X, y)


def work(kind: str, path: Path, out: Path) -> None:
    """Run one kind of work in this process and print seconds, rows and peak memory."""
    from pyarrow import csv

    from acclimate import tables
    from acclimate.tables.streaming import block_size

    types = {f"c{j}": "float64" for j in range(COLUMNS)}
    fitted = model(kind.endswith("preprocess")) if kind.startswith("predict") else None
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    if kind == "parse":
        size = csv.ReadOptions(block_size=block_size(path))
        known = csv.ConvertOptions(column_types=types)
        blocks = csv.open_csv(path, size, convert_options=known)
        rows = sum(block.num_rows for block in blocks)
    elif kind == "stream":
        rows = sum(len(f) for f in tables.stream(path, batch_rows=BATCH, types=types))
    else:
        rows = tables.predict_file(fitted, path, out, batch_rows=BATCH)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "cpu": cpu, "rows": rows,
                      "start_mb": before / 1024, "peak_mb": peak / 1024}))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--work", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work, options.file, options.file.with_name("out.csv"))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.csv")
        start = time.perf_counter()
        generate(path, options.rows)
        print(f"{options.rows} rows, {path.stat().st_size / 1e9:.2f} GB, "
              f"written in {time.perf_counter() - start:.1f} s")  # fmt: skip
        runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
        for _ in range(options.repeats):
            for kind in KINDS:
                command = [sys.executable, __file__, "--work", kind, "--file", str(path)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                runs[kind].append(json.loads(done.stdout))
    figures = {}
    for kind, results in runs.items():
        best = min(results, key=lambda r: r["seconds"])
        ratio = best["seconds"] / min(r["seconds"] for r in runs["parse"])
        figures[kind] = best | {"ratio": ratio, "all": [r["seconds"] for r in results]}
        print(f"{kind:25s} {best['seconds']:7.2f} s  cpu {best['cpu']:7.2f} s  ratio {ratio:5.2f}  "
              f"memory {best['start_mb']:5.0f} -> {best['peak_mb']:5.0f} MB")  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
