"""One measurement: one side, one method, one size, in a process of its own.

The last line on standard output is one JSON object: `fit` and `predict` in wall seconds and `cpu`
in processor seconds for both (the least of up to three runs that take under ten seconds together),
`stage_one`, the processor seconds of the base model
on the source, which is a part of ours alone, `accuracy` on the target rows, `peak_mb` of
the whole process and `start_mb` before the first fit.

Run:  python benchmarks/shallow/one.py --side acclimate --method JDOT [--rows 10000]

A side that is not acclimate wants the interpreter of its own environment (`../peers.py`).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    """Fit, predict, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", required=True)
    parser.add_argument("--method", required=True)
    parser.add_argument("--data", type=Path, help="folder of the arrays; made if not given")
    parser.add_argument("--rows", type=int, default=2000, help="of the arrays that are made")
    parser.add_argument("--dtype", default="float64")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
    from problem import prepared, read, width
    from sides import SIDES, base

    if args.data is None:
        sys.path.append(str(Path(__file__).resolve().parents[1]))
        from peers import BENCH

        args.data = prepared(BENCH / "shallow-data", args.rows)
    X, y, Xt, yt = read(args.data, args.dtype)
    w = width(X, Xt)
    fit = SIDES[args.side][args.method]
    if args.side == "ADAPT":  # its import of TensorFlow is not the method's time
        import adapt.feature_based
        import adapt.instance_based  # noqa: F401
    base().fit(X[:200], y[:200])
    start = _peak()
    times, first = [], None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while len(times) < 3 and sum(t[0] for t in times) < 10:
            began, busy = time.perf_counter(), time.process_time()
            predict = fit(X, y, Xt, yt, w)
            fitted = time.perf_counter()
            labels = predict()
            end, busy = time.perf_counter(), time.process_time() - busy
            times.append((fitted - began, end - fitted, busy))
            first = _peak() if first is None else first
    stage_one = min(_seconds(lambda: base().fit(X, y)) for _ in range(2))
    result = {
        "fit": min(t[0] for t in times),
        "predict": min(t[1] for t in times),
        "cpu": min(t[2] for t in times),
        "accuracy": float((labels == yt).mean()),
        "stage_one": stage_one,
        "peak_mb": first,
        "start_mb": start,
    }
    model = getattr(fit, "model", None)
    if hasattr(model, "objective_"):
        result["objective"] = float(model.objective_)
    if hasattr(model, "solution_"):
        solution = model.solution_
        result["relative_gap"] = float(solution.gap / max(abs(solution.objective), 1e-12))
    print(json.dumps(result), flush=True)


def _seconds(job: Callable[[], Any]) -> float:
    """Return the processor seconds that a job takes."""
    began = time.process_time()
    job()
    return time.process_time() - began


def _peak() -> float:
    """Return the most memory this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
