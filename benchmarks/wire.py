"""What goes over the wire where workers do not see the client's files?

One comparison (CORAL on naive Bayes with the baselines, 42 fits) on local processes, then on 1, 2
and 3 Dask worker processes beside a scheduler of their own, all on this machine and made not to see
the client's folder. Bytes are those that the loopback device sent meanwhile, so nothing else should
use it. They are divided by the bytes of the table and by the workers: the way over the scheduler
counts twice, the way from worker to worker once.

With --client it times what the client does for each trial instead: claim it, write it with the
answers to 1000 rows, and let go of it. That bounds the trials that any number of workers may end in
a second.

Run:  python benchmarks/wire.py [--megabytes 10 100] [--client]
Needs the extra "cluster".
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
from sklearn.naive_bayes import GaussianNB

from acclimate import Domain, compare

COLUMNS, WORKERS, LOCAL = 25, (1, 2, 3), 2
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@contextmanager
def cluster(number: int) -> Iterator[Any]:
    """Start a scheduler and workers that see no file of this process, and yield a client."""
    from distributed import Client

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", address.split(":")[1]]
    worker = ["worker", address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny"]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        for words in [scheduler, *([[*worker, "--memory-limit", "0"]] * number)]:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *words, "--no-dashboard"], cwd=folder,
                env=os.environ | ONE_THREAD, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            stack.callback(process.wait)
            stack.callback(process.kill)
        client = stack.enter_context(Client(address, timeout="60s"))
        client.wait_for_workers(number, timeout=60)
        client.run(_see_nothing)
        yield client


def _see_nothing() -> None:
    from acclimate.comparison.trials import shared

    shared.is_here = lambda place: False


def _sent() -> int:
    import psutil

    return int(psutil.net_io_counters(pernic=True)["lo"].bytes_sent)


def run(megabytes: int, client: Any) -> dict[str, float]:
    """Compare once and return seconds, fits and bytes."""
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(megabytes * 5000, COLUMNS)), rng.normal(size=(200, COLUMNS)) + 0.5
    y, yt = (X[:, 0] > 0).astype(int), (Xt[:, 0] > 0.5).astype(int)
    before, started = _sent(), time.perf_counter()
    found = compare(
        (X, y), Domain(Xt, yt, labelled=np.arange(200) < 60), methods=["CORAL"],
        estimator=GaussianNB(), repeats=1, executor=client, n_jobs=LOCAL,
    ).to_dict()["trials"]  # fmt: skip
    seconds = time.perf_counter() - started
    if found["failed"]:
        raise SystemExit(f"{found['failed']} of {found['planned']} fits failed")
    return {"seconds": seconds, "fits": found["done"], "sent": (_sent() - before) / X.nbytes}


def client_seconds(trials: int = 500, rows: int = 1000) -> float:
    """Return the seconds of the client for each trial."""
    from acclimate.comparison.trials.claims import Claims
    from acclimate.comparison.trials.store import Record, Store

    proba = np.random.default_rng(0).random((rows, 2), dtype=np.float32)
    answers = {"answers": np.zeros(rows, dtype=np.int64), "proba": proba}
    with tempfile.TemporaryDirectory() as folder, Store(f"{folder}/run.sqlite") as store:
        claims, started = Claims(store), time.perf_counter()
        for k in range(trials):
            trial = Record("CORAL", "CORAL", {"k": k}, 0, "abc", {}, "done", {"accuracy": 0.5})
            store.find([trial.key], {})
            claims.take(trial.key)
            store.find([trial.key], {})
            store.write(trial, answers)
            claims.release([trial.key])
        return (time.perf_counter() - started) / trials


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--client", action="store_true")
    asked = parser.parse_args()
    if asked.client:
        print(f"client: {1000 * client_seconds():.1f} ms a trial")
        return
    print("| table | where | fits | seconds | of local | fits an hour | MB | tables | a worker |")
    print("|---|---|---|---|---|---|---|---|---|")
    for megabytes in asked.megabytes:
        local = 0.0
        for number in (0, *WORKERS):
            with ExitStack() as stack:
                client = stack.enter_context(cluster(number)) if number else None
                one = run(megabytes, client)
            local = one["seconds"] if not number else local
            where = f"{number} workers" if number else f"{LOCAL} local processes"
            each = f"{one['sent'] / number:.2f}" if number else ""
            print(
                f"| {megabytes} MB | {where} | {one['fits']:.0f} | {one['seconds']:.1f} | "
                f"{one['seconds'] / local:.1f} | {3600 * one['fits'] / one['seconds']:,.0f} | "
                f"{one['sent'] * megabytes:.0f} | {one['sent']:.2f} | {each} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
