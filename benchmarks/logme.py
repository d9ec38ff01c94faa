"""LogME: ours against tllib's on the same features, and both against brute force.

Run ``python benchmarks/logme.py --tllib PATH``. PATH is a checkout of the Transfer-Learning-Library
(github.com/thuml/Transfer-Learning-Library); nothing of it but ``tllib/ranking/logme.py`` is read.
That file needs numba, which has an environment in `peers.py`; ``--python`` is another interpreter
with numba, numpy and scipy. Each run is
a process of its own with one thread and the same file of features; both sides alternate.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from peers import BENCH, peer_python

HERE = Path(__file__).resolve().parent
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

OURS = """
import sys, time, json
import numpy as np
from acclimate.transferability.criteria import logme
F, y = np.load(sys.argv[1] + "/F.npy"), np.load(sys.argv[1] + "/y.npy")
logme(F[:50], y[:50])  # imports
start, cpu = time.perf_counter(), time.process_time()
score = logme(F, y)
print(json.dumps({"score": score, "seconds": time.perf_counter() - start,
                  "cpu": time.process_time() - cpu}))
"""
THEIRS = """
import sys, time, json, importlib.util
import numpy as np
spec = importlib.util.spec_from_file_location("logme", sys.argv[2] + "/tllib/ranking/logme.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
F, y = np.load(sys.argv[1] + "/F.npy"), np.load(sys.argv[1] + "/y.npy")
module.log_maximum_evidence(F[:50], y[:50])  # numba compiles
start, cpu = time.perf_counter(), time.process_time()
score = float(module.log_maximum_evidence(F, y))
print(json.dumps({"score": score, "seconds": time.perf_counter() - start,
                  "cpu": time.process_time() - cpu}))
"""


def features(
    n: int, d: int, classes: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return features like a network's: ReLU of a mix of 256 hidden numbers, some of the class."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    centres = 0.3 * rng.normal(size=(classes, 256)).astype(np.float32)
    hidden = rng.standard_normal((n, 256), dtype=np.float32) + centres[y]
    F = hidden @ rng.standard_normal((256, d), dtype=np.float32) / np.float32(16)
    F += np.float32(0.2) * rng.standard_normal((n, d), dtype=np.float32)
    np.maximum(F, 0, out=F)
    return F, y


def exact(F: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """Return the score by brute force: log N(y; 0, F F'/alpha + I/beta), maximised by a simplex."""
    from scipy.optimize import minimize

    n, K = len(F), F @ F.T

    def best(target: NDArray[np.float64]) -> float:
        def minus(p: NDArray[np.float64]) -> float:
            a, b = np.exp(np.clip(p, -30, 30))
            L = np.linalg.cholesky(K / a + np.eye(n) / b)
            z = np.linalg.solve(L, target)
            return float(0.5 * z @ z + np.log(np.diag(L)).sum() + 0.5 * n * np.log(2 * np.pi))

        starts = [(a, b) for a in (-4.0, 2.0, 8.0) for b in (0.0, 3.0)]
        tight = {"xatol": 1e-6, "fatol": 1e-10, "maxiter": 2000}
        return -min(minimize(minus, s, method="Nelder-Mead", options=tight).fun for s in starts)

    return float(np.mean([best((y == c).astype(float)) / n for c in np.unique(y)]))


def small_case(
    name: str, n: int, d: int, signal: float, python: str, tllib: str
) -> dict[str, object]:
    """Compare all three on a case that brute force can do."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 4
    F = rng.normal(size=(n, d))
    F[:, :4] += signal * np.eye(4)[y]
    ours, theirs = race(F, y, 1, python, tllib)
    return {
        "case": name, "rows": n, "features": d, "exact": exact(F, y),
        "acclimate": ours[0]["score"], "tllib": theirs[0]["score"],
    }  # fmt: skip


Runs = list[dict[str, float]]


def race(
    F: NDArray[np.floating], y: NDArray[np.int64], repeats: int, python: str, tllib: str
) -> tuple[Runs, Runs]:
    """Run both sides in turn on the same files."""
    ours: Runs = []
    theirs: Runs = []
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        np.save(f"{folder}/F.npy", F)
        np.save(f"{folder}/y.npy", y)
        for _ in range(repeats):
            for program, interpreter, runs in (
                (OURS, sys.executable, ours),
                (THEIRS, python, theirs),
            ):
                done = subprocess.run(
                    [interpreter, "-c", program, folder, tllib],
                    capture_output=True, text=True, check=True, env={**os.environ, **ONE_THREAD},
                )  # fmt: skip
                runs.append(json.loads(done.stdout.splitlines()[-1]))
    return ours, theirs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tllib", required=True, help="checkout of the Transfer-Learning-Library")
    parser.add_argument("--python", help="interpreter that has numba, if not our own")
    parser.add_argument("--env", type=Path, default=BENCH, help="folder of the peers' environments")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "logme.json")
    args = parser.parse_args()
    args.python = args.python or str(peer_python(args.env, "numba"))
    F, y = features(args.rows, args.features, 10, 0)
    ours, theirs = race(F, y, args.repeats, args.python, args.tllib)
    summary = {
        side: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for side, runs in (("acclimate", ours), ("tllib", theirs))
    }
    cases = [
        small_case("more rows than features", 120, 20, 1.0, args.python, args.tllib),
        small_case("fewer rows than features, noise", 50, 512, 0.0, args.python, args.tllib),
        small_case("fewer rows than features, signal", 50, 512, 3.0, args.python, args.tllib),
    ]
    result = {
        "rows": args.rows, "features": args.features, "classes": 10, "dtype": "float32",
        "threads": 1, "machine": platform.processor() or platform.machine(),
        "runs": {"acclimate": ours, "tllib": theirs}, "median": summary,
        "ratio": summary["tllib"]["seconds"] / summary["acclimate"]["seconds"],
        "ratio_cpu": summary["tllib"]["cpu"] / summary["acclimate"]["cpu"],
        "small": cases,
    }  # fmt: skip
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(
        json.dumps(
            {key: result[key] for key in ("median", "ratio", "ratio_cpu", "small")}, indent=1
        )
    )


if __name__ == "__main__":
    main()
