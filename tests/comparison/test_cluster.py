"""A Dask cluster of real processes: its worker, its scheduler and its client are killed in turn."""

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

import numpy as np
import pytest

from acclimate import Domain, compare
from acclimate.comparison.trials import shared
from acclimate.comparison.trials import worker as trial
from acclimate.exceptions import AcclimateError

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
            yield SimpleNamespace(
                client=client, workers=workers, scheduler=scheduler, address=address
            )
    finally:
        for process in [*workers, scheduler]:
            process.kill()
            process.wait()


def _plain(details: dict[str, Any]) -> str:
    text = json.dumps(
        {k: v for k, v in details.items() if k not in ("trials", "pareto", "store")}, indent=1
    )
    return re.sub(r'"(seconds|peak_mb|pareto)": [^,\n]+', r'"\1": 0', text)


@pytest.mark.parametrize("apart", [False, True])
def test_a_cluster_gives_what_this_machine_gives_though_a_worker_dies(
    cluster: SimpleNamespace, shifted: Callable[..., SimpleNamespace], tmp_path: Path, apart: bool
) -> None:
    d = shifted(n=300, m=90)

    def see_nothing() -> None:  # of our files, as on another machine
        shared.is_here = lambda place: False

    if apart:
        cluster.client.run(see_nothing)
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


def test_a_scheduler_that_dies_is_one_error_and_the_store_goes_on(
    cluster: SimpleNamespace, shifted: Callable[..., SimpleNamespace], tmp_path: Path
) -> None:
    d = shifted(n=300, m=90)
    source, target, store = (d.X, d.y), Domain(d.Xt, d.yt), tmp_path / "run.sqlite"
    ended: list[dict[str, Any]] = []

    def kill(done: int, planned: int, row: dict[str, Any]) -> None:
        ended.append(row)
        if done == 8:
            cluster.scheduler.send_signal(signal.SIGKILL)
            cluster.scheduler.wait()

    with pytest.raises(AcclimateError, match="the cluster is gone: its scheduler at tcp:") as e:
        compare(source, target, executor=cluster.client, store=store, progress=kill, **SETTINGS)
    assert type(e.value) is AcclimateError
    assert f"{len(ended)} trials are stored; run again with the same store to go on" in str(e.value)
    assert {row["status"] for row in ended} == {"done"}  # what was only cancelled is no crash
    again = compare(source, target, n_jobs=1, store=store, **SETTINGS).to_dict()
    here = compare(source, target, n_jobs=1, **SETTINGS).to_dict()
    assert again["trials"]["reused"] == len(ended)
    assert _plain(again) == _plain(here)


_CLIENT = """
import sys, distributed, numpy as np
from acclimate import Domain, compare
with np.load("rows.npz") as rows:
    d = dict(rows)
with distributed.Client(sys.argv[1]) as client:
    compare((d["X"], d["y"]), Domain(d["Xt"], d["yt"]), executor=client, store="run.sqlite",
            methods=["CORAL", "FeatureAugmentation", "JointObjective"], folds=3, repeats=3,
            progress=lambda done, planned, row: print(done, flush=True))
"""


def test_a_client_that_is_killed_leaves_a_store_and_no_rows(
    cluster: SimpleNamespace, shifted: Callable[..., SimpleNamespace], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    d = shifted(n=300, m=90)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    np.savez(tmp_path / "rows.npz", X=d.X, y=d.y, Xt=d.Xt, yt=d.yt)
    with subprocess.Popen(
        [sys.executable, "-c", _CLIENT, cluster.address], cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(temporary)}, stdout=subprocess.PIPE, text=True,
    ) as first:  # fmt: skip
        assert first.stdout is not None
        for line in first.stdout:
            if line.strip() == "8":
                first.kill()
    left = list(temporary.glob("acclimate-tmp-*"))
    assert len(left) == 1
    os.utime(left[0], (0, 0))  # it is not new any more
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    there = compare(
        (d.X, d.y), Domain(d.Xt, d.yt), executor=cluster.client, store=tmp_path / "run.sqlite",
        **SETTINGS,
    ).to_dict()  # fmt: skip
    assert list(temporary.iterdir()) == []
    assert there["trials"]["reused"] >= 8
    here = compare((d.X, d.y), Domain(d.Xt, d.yt), n_jobs=1, **SETTINGS).to_dict()
    assert _plain(there) == _plain(here)
    held = cluster.client.run(lambda: [len(shared._open), len(trial._rows), len(trial._stage_one)])
    assert set(map(tuple, held.values())) == {(0, 0, 0)}
    assert cluster.client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks)) == []
