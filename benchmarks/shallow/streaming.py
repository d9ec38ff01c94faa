"""CORAL over ten million rows of Parquet: seconds against merely reading them, and peak memory.

Two files of five million rows, 100 features in float32, as pyarrow writes them by default. Three
times in turn: read all record batches with pyarrow alone, in constant memory; read them through
`tables.batches`; find CORAL's map, one pass over each file. Then, once, all of `fit_batches`, whose
second pass over the source trains an `SGDClassifier`. The minimum of each counts; ``processor``
holds processor seconds, which tell more where other programs run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

from peers import BENCH

ROWS, FEATURES, CHUNK = 5_000_000, 100, 131_072


def write(path: Path, seed: int, rows: int = ROWS) -> None:
    """Write one file, unless it is there."""
    if path.exists():
        return
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    rng = np.random.default_rng(seed)
    mix = np.eye(FEATURES) + 0.1 * rng.normal(size=(FEATURES, FEATURES))
    names = [f"x{j}" for j in range(FEATURES)]
    schema = pa.schema([*((name, pa.float32()) for name in names), ("y", pa.int8())])
    partial = path.with_suffix(".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    with parquet.ParquetWriter(partial, schema) as file:
        for start in range(0, rows, CHUNK):
            k = min(CHUNK, rows - start)
            latent = rng.standard_normal((k, FEATURES), dtype=np.float32)
            X = latent @ mix.astype(np.float32) + np.float32(seed)
            y = (latent[:, :10].sum(1) > 0).astype(np.int8)
            columns = [pa.array(np.ascontiguousarray(X[:, j])) for j in range(FEATURES)]
            file.write_table(pa.Table.from_arrays([*columns, pa.array(y)], schema=schema))
    partial.replace(path)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=BENCH / "shallow-data", help="files, 2 GB each"
    )
    parser.add_argument("--rows", type=int, default=ROWS, help="of each file")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--map-only", action="store_true", help="leave out the model")
    args = parser.parse_args()
    paths = [args.data / f"stream-{args.rows}-{name}.parquet" for name in ("source", "target")]
    for seed, path in enumerate(paths):
        write(path, seed, args.rows)
    import numpy as np
    from pyarrow import parquet
    from sklearn.linear_model import SGDClassifier

    from acclimate import CORAL, tables
    from acclimate.batches import as_block
    from acclimate.mapping.moments import Moments

    names = [f"x{j}" for j in range(FEATURES)]

    def arrow() -> None:
        for path in paths:
            for _ in parquet.ParquetFile(path, pre_buffer=False).iter_batches(65536, columns=names):
                pass

    def read() -> None:
        for path in paths:
            for _ in tables.batches(path, columns=names):
                pass

    method = CORAL(SGDClassifier(loss="log_loss"), random_state=0)

    def align(double: bool = False) -> Any:
        found = []
        for path in paths:
            found.append(Moments(double=double))
            for batch in tables.batches(path, columns=names):
                found[-1].add(as_block(batch).columns)
        method._align_moments(*found)
        return method.map_matrix_

    result: dict[str, Any] = {"rows": 2 * args.rows, "ratio": {}, "seconds": {}, "processor": {}}
    cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    memory = 0.0
    for threads in args.threads:
        if cpus:
            os.sched_setaffinity(0, cpus[:threads])
        times: dict[str, list[float]] = {"arrow": [], "read": [], "align": []}
        busy: dict[str, list[float]] = {name: [] for name in times}
        jobs: dict[str, Callable[[], Any]] = {"arrow": arrow, "read": read, "align": align}
        for _ in range(args.repeats):
            for name, job in jobs.items():
                began, spent = time.perf_counter(), time.process_time()
                job()
                times[name].append(time.perf_counter() - began)
                busy[name].append(time.process_time() - spent)
        best = {name: min(values) for name, values in times.items()}
        result["seconds"][threads] = best
        result["processor"][threads] = {name: min(values) for name, values in busy.items()}
        result["ratio"][threads] = best["align"] / best["arrow"]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result["peak_mb"] = memory
    if args.map_only:
        print(json.dumps(result))
        return
    single, double = align(), align(double=True)
    result["float32_error"] = float(np.abs(single - double).max() / np.abs(double).max())
    began = time.perf_counter()
    method.fit_batches(tables.batches(paths[0], label="y"), tables.batches(paths[1], columns=names))
    result["fit_batches_seconds"] = time.perf_counter() - began
    result["peak_mb_with_the_model"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
