"""What docs/scale.md shows is run: a local cluster, and separate processes from a shell."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from acclimate.comparison.trials.store import Store

pytestmark = pytest.mark.slow
pytest.importorskip("distributed", reason="needs the extra 'cluster': dask")
PAGE = Path(__file__).resolve().parent.parent / "docs" / "scale.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def first(language: str) -> str:
    return next(text for name, text in BLOCKS if name == language)


def rows(number: int, seed: int, move: float) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age, dose = rng.normal(size=(2, number)) + move
    names = [f"{seed}-{k}" for k in range(number)]
    return pd.DataFrame({"patient": names, "age": age, "dose": dose, "sick": age > move})


def test_the_program_with_a_local_cluster(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(first("python"))
    run = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
    with Store(tmp_path / "run.sqlite") as kept:
        assert {row["status"] for row in kept.table()} == {"done"}


def test_separate_processes_and_the_command_line(tmp_path: Path) -> None:
    rows(200, 1, 0.0).to_csv(tmp_path / "here.csv", index=False)
    rows(80, 2, 1.0).to_csv(tmp_path / "there.csv", index=False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    script = first("sh").replace("8786", port).replace("--store", "--method CORAL --store")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "acclimate").write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "from acclimate.cli import main; main()" "$@"\n'
    )
    (tmp_path / "bin" / "dask").write_text(f'#!/bin/sh\nexec {sys.executable} -m dask "$@"\n')
    for program in (tmp_path / "bin").iterdir():
        program.chmod(0o755)
    with subprocess.Popen(
        ["sh", "-e", "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
        env=os.environ | {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"},
    ) as shell:  # fmt: skip
        try:
            code = shell.wait(timeout=300)
        finally:
            os.killpg(shell.pid, signal.SIGTERM)  # the scheduler and the workers, too
        out, err = shell.communicate(timeout=60)
    assert code == 0, err
    told = [line for line in err.splitlines() if line.startswith("acclimate: cluster")]
    assert len(told) == 2, err
    assert "dashboard http" in told[0]
    assert "run.sqlite" in out
