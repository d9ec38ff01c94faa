"""How busy are two workers, what does giving out a trial cost, and is a cluster's answer the same?

(a) 200 trials of about 0.7 s on two local processes: processor time of the workers over twice the
wall time, their start included. Where other work shares the cores, that says too little; the share
of the wall time in which a trial was under way stands beside it.
(b) 200 trials that do next to nothing: wall time times workers less the time of the trials, for
each trial, without the start of the processes and with it; and the processor time here alone.
(c) The trials of (a) on a Dask cluster of a scheduler and two worker processes that this script
starts on 127.0.0.1: every array of every trial must be equal to the bit to the local one.

Run:  python benchmarks/workers.py [--trials 200] [--stored]
Needs the extra "cluster" for (c).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier

from acclimate import SourceOnly
from acclimate.comparison.candidates import Need, choose
from acclimate.comparison.trials import shared
from acclimate.comparison.trials.cluster import engine_for
from acclimate.comparison.trials.runner import Limits, Trials
from acclimate.comparison.trials.store import Store

RESULTS = Path(__file__).parent / "results" / "workers.json"
WORKERS = 2
ROWS, COLUMNS, TREES = 2000, 20, 120  # a forest that takes about 0.7 s
GOAL_BUSY, GOAL_OVERHEAD = 0.90, 0.020
Found = dict[str, dict[str, np.ndarray]]


def data() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, COLUMNS))
    y = (X[:, :5].sum(axis=1) + rng.normal(size=ROWS) > 0).astype(int)
    return {"source_X": X, "source_y": y, "target_X": X[:500] + 0.3, "target_y": None}


def methods(trials: int, busy: bool) -> dict[str, SourceOnly]:
    """Return as many methods as trials; each has a seed, and so a source model, of its own."""
    base = RandomForestClassifier(TREES) if busy else DummyClassifier()
    return {f"{i:03d}": SourceOnly(base, random_state=i) for i in range(trials)}


def run(trials: int, busy: bool, executor: Executor | None = None) -> tuple[dict[str, Any], Found]:
    """Run the trials into a fresh store; return times, and the arrays that the store holds."""
    values = data()
    need = Need("classification", labels=False)
    made = choose(need, {"none": DummyClassifier()}, None, 0, [], methods(trials, busy))[0]
    candidates = [c for c in made if c.name.isdigit()]
    ended: list[float] = []
    with tempfile.TemporaryDirectory(prefix="acclimate-") as folder:
        files = Path(folder, "data")
        files.mkdir()
        place = shared.write(values, files)
        before = _of_children()
        started, here = time.perf_counter(), time.process_time()
        with (
            Store(Path(folder, "run.sqlite")) as store,
            engine_for(place, executor, WORKERS) as pool,
        ):
            runner = Trials(
                store, pool, place.name, 0, Limits(None, None), (None, None),
                lambda job, arrays: {},
                lambda done, planned, row: ended.append(time.perf_counter()),
            )  # fmt: skip
            runner.run(runner.job(c) for c in candidates)
            wall, here = time.perf_counter() - started, time.process_time() - here
            arrays = {key: store.arrays(key) for key in runner.results}
            rows = [result.record for result in runner.results.values()]
    wrong = [row.error for row in rows if row.status != "done"]
    if wrong:
        raise SystemExit(f"{len(wrong)} of {trials} trials failed: {wrong[0]}")
    seconds = [row.seconds or 0.0 for row in rows]  # in the order in which they ended
    times = {
        "trials": trials, "wall": wall, "inside": sum(seconds), "cpu_here": here,
        "cpu_of_workers": _of_children() - before,  # they are waited for when the pool closes
        "to_first": ended[0] - started - seconds[0],
        "after_first": ended[-1] - ended[0],
        "inside_after_first": sum(seconds[1:]),
    }  # fmt: skip
    return times, arrays


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def cluster() -> Iterator[Any]:
    """Start a Dask scheduler and two workers, and yield a client."""
    from distributed import Client

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    host = ["--host", "127.0.0.1", "--no-dashboard"]
    scheduler = ["dask_scheduler", *host, "--port", address.split(":")[1]]
    worker = ["dask_worker", address, *host, "--nthreads", "1", "--no-nanny"]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        for words in [scheduler, *([worker] * WORKERS)]:
            process = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]], cwd=folder,
                env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            stack.callback(process.wait)
            stack.callback(process.kill)
        client = stack.enter_context(Client(address, timeout="60s"))
        client.wait_for_workers(WORKERS, timeout=60)
        yield client


def same(here: Found, there: Found) -> int:
    """Return how many trials have the same arrays to the bit."""
    return sum(
        key in there
        and arrays.keys() == there[key].keys()
        and all(
            value.dtype == there[key][name].dtype and value.tobytes() == there[key][name].tobytes()
            for name, value in arrays.items()
        )
        for key, arrays in here.items()
    )


def measure(trials: int) -> dict[str, Any]:
    busy, here = run(trials, True)
    print(f"(a) done, {busy['wall']:.0f} s", file=sys.stderr)
    idle, _ = run(trials, False)
    result: dict[str, Any] = {"workers": WORKERS, "local": busy, "idle": idle, "cluster": None}
    print(f"(b) done, {idle['wall']:.0f} s", file=sys.stderr)
    try:
        with cluster() as client:
            far, there = run(trials, True, client.get_executor())
    except ImportError:
        return result
    return result | {"cluster": far | {"equal": same(here, there)}}


def show(result: dict[str, Any]) -> None:
    a, b, c = result["local"], result["idle"], result["cluster"]
    n = result["workers"]
    share, under_way = (a[key] / (n * a["wall"]) for key in ("cpu_of_workers", "inside"))
    late = (n * b["after_first"] - b["inside_after_first"]) / (b["trials"] - 1)
    whole = (n * b["wall"] - b["inside"]) / b["trials"]
    mark = lambda good: "met" if good else "MISSED"  # noqa: E731
    print(f"(a) {a['trials']} trials of {a['inside'] / a['trials']:.2f} s on {n} processes, "
          f"{a['wall']:.1f} s: processor time of the workers {100 * share:.1f} % of {n} cores, "
          f"goal above {100 * GOAL_BUSY:.0f} %: {mark(share > GOAL_BUSY)}. A trial was under way "
          f"in {100 * under_way:.1f} %.")  # fmt: skip
    print(f"(b) {b['trials']} trials of {1e3 * b['inside'] / b['trials']:.1f} ms: giving out costs "
          f"{1e3 * late:.1f} ms a trial, goal below {1e3 * GOAL_OVERHEAD:.0f} ms: "
          f"{mark(late < GOAL_OVERHEAD)}. With the start of the processes ({b['to_first']:.1f} s): "
          f"{1e3 * whole:.1f} ms. Processor time here: {1e3 * b['cpu_here'] / b['trials']:.1f} ms "
          f"a trial.")  # fmt: skip
    if c is None:
        print("(c) not run: the extra 'cluster' is not installed")
        return
    print(f"(c) a Dask scheduler and {n} workers, {c['wall']:.1f} s: {c['equal']} of {c['trials']} "
          f"trials equal to the bit: {mark(c['equal'] == c['trials'])}.")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--stored", action="store_true", help="print the stored result")
    options = parser.parse_args()
    if not options.stored:
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[name] = "1"
        RESULTS.write_text(json.dumps(measure(options.trials), indent=1) + "\n")
    show(json.loads(RESULTS.read_text()))


if __name__ == "__main__":
    main()
