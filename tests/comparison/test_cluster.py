"""A Dask cluster works through its executor, and a worker that is killed costs nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acclimate import Domain, compare

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # the cluster's own
]
distributed = pytest.importorskip("distributed", reason="needs the extra 'cluster': dask")
SETTINGS: dict[str, Any] = {
    "methods": ["CORAL", "FeatureAugmentation", "JointObjective"], "folds": 3, "repeats": 3,
}  # fmt: skip


def _start(*words: str, folder: Path) -> subprocess.Popen[bytes]:
    quiet = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "10", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]],
        cwd=folder, env=os.environ | quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[SimpleNamespace]:
    address = f"127.0.0.1:{_free_port()}"
    scheduler = _start(
        "dask_scheduler", "--host", "127.0.0.1", "--port", address.split(":")[1],
        "--no-dashboard", folder=tmp_path,
    )  # fmt: skip
    workers = [
        _start(
            "dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
            "--host", "127.0.0.1", "--name", f"worker {number}", folder=tmp_path,
        )
        for number in range(2)
    ]  # fmt: skip
    try:
        with distributed.Client(address, timeout="60s") as client:
            client.wait_for_workers(2, timeout=60)
            yield SimpleNamespace(client=client, workers=workers)
    finally:
        for process in [*workers, scheduler]:
            process.kill()
            process.wait()


def _plain(details: dict[str, Any]) -> str:
    text = json.dumps(
        {k: v for k, v in details.items() if k not in ("trials", "pareto", "store")}, indent=1
    )
    return re.sub(r'"(seconds|peak_mb|pareto)": [^,\n]+', r'"\1": 0', text)


def test_a_cluster_gives_what_this_machine_gives_though_a_worker_dies(
    cluster: SimpleNamespace, shifted: Callable[..., SimpleNamespace], tmp_path: Path
) -> None:
    d = shifted(n=300, m=90)
    killed: list[float] = []

    def kill_one(done: int, planned: int, row: dict[str, Any]) -> None:
        if done == 8:
            cluster.workers[0].send_signal(signal.SIGKILL)
            cluster.workers[0].wait()
            killed.append(time.monotonic())

    there = compare(
        (d.X, d.y), Domain(d.Xt, d.yt), executor=cluster.client.get_executor(),
        store=tmp_path / "run.sqlite", progress=kill_one, **SETTINGS,
    ).to_dict()  # fmt: skip
    assert killed
    assert len(cluster.client.scheduler_info()["workers"]) == 1
    assert there["trials"]["failed"] == 0
    here = compare((d.X, d.y), Domain(d.Xt, d.yt), n_jobs=1, **SETTINGS).to_dict()
    assert there["trials"]["done"] == here["trials"]["done"]
    assert _plain(there) == _plain(here)
