"""What docs/scale.md shows is run: a local cluster, and separate processes from a shell."""

from __future__ import annotations

import json
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

from acclimate import load, tables
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


def run_in_shell(script: str, folder: Path) -> tuple[int, str, str]:
    """Run a script of the page with this environment's programs, on a port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    (folder / "bin").mkdir()
    (folder / "bin" / "acclimate").write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "from acclimate.cli import main; main()" "$@"\n'
    )
    (folder / "bin" / "dask").write_text(f'#!/bin/sh\nexec {sys.executable} -m dask "$@"\n')
    for program in (folder / "bin").iterdir():
        program.chmod(0o755)
    with subprocess.Popen(
        ["sh", "-e", "-c", script.replace("8786", port)], cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"},
    ) as shell:  # fmt: skip
        try:
            code = shell.wait(timeout=600)
        finally:
            os.killpg(shell.pid, signal.SIGTERM)  # the scheduler and the workers, too
        return code, *shell.communicate(timeout=60)


def test_separate_processes_and_the_command_line(tmp_path: Path) -> None:
    rows(200, 1, 0.0).to_csv(tmp_path / "here.csv", index=False)
    rows(80, 2, 1.0).to_csv(tmp_path / "there.csv", index=False)
    script = first("sh").replace("--store", "--method CORAL --store")
    code, out, err = run_in_shell(script, tmp_path)
    assert code == 0, err
    told = [line for line in err.splitlines() if line.startswith("acclimate: cluster")]
    assert len(told) == 2, err
    assert "dashboard http" in told[0]
    assert "run.sqlite" in out


def test_a_month_of_a_team_on_separate_processes(tmp_path: Path) -> None:
    for name, number, seed, move in (
        ("here", 200, 1, 0.0), ("elsewhere", 200, 2, 3.0), ("there", 300, 3, 1.0),
    ):  # fmt: skip
        rows(number, seed, move).to_csv(tmp_path / f"{name}.csv", index=False)
    months = tmp_path / "months"
    months.mkdir()
    for name, seed, move in (("april", 4, 1.0), ("may", 5, 4.0)):
        rows(300, seed, move).drop(columns="sick").to_parquet(months / f"{name}.parquet")
    page = (PAGE.parent / "team.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"^```sh\n(.*?)^```$", page, re.M | re.S)
    code, out, err = run_in_shell(script, tmp_path)
    assert code == 0, err
    told = [line for line in err.splitlines() if line.startswith("acclimate: cluster")]
    assert len(told) == 5, err
    assert "distributed differently" in out
    assert "here.csv" in out
    for name in ("april", "may"):
        said = pd.read_parquet(tmp_path / "answers" / f"{name}.parquet")
        assert len(said) == 300
    found = {p.stem: json.loads(p.read_text()) for p in (tmp_path / "found").iterdir()}
    assert {name: one["word"] for name, one in found.items()} == {
        "april": "holds", "may": "drifted",
    }  # fmt: skip
    alone = tables.predict_file(
        load(tmp_path / "there.acclimate"), months / "may.parquet", tmp_path / "may.parquet",
        id="patient", proba=True,
    )  # fmt: skip
    assert alone == 300
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "may.parquet"),
        pd.read_parquet(tmp_path / "answers" / "may.parquet"),
    )
