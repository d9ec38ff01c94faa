"""`--cluster`: the fits of a comparison on the workers of a Dask scheduler."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from acclimate import cli
from acclimate.cli import clusters

distributed = pytest.importorskip("distributed", reason="needs the extra 'cluster': dask")
pytestmark = pytest.mark.filterwarnings("default")  # the cluster's own
COMPARE = (
    "compare", "--source", "here.csv", "--target", "some.csv", "--label", "sick", "--id", "patient",
    "--method", "CORAL", "--repeats", "1", "--folds", "3", "--store", "run.sqlite",
)  # fmt: skip


@pytest.fixture
def address(shelf: Path) -> Iterator[str]:
    """Return where a scheduler with one worker listens, beside the files of two small clinics."""
    pd.read_csv("here.csv").head(120).to_csv("here.csv", index=False)
    pd.read_csv("test.csv").head(60).to_csv("some.csv", index=False)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as here:
        yield here.scheduler_address


@pytest.mark.slow
def test_a_comparison_runs_on_a_cluster_also_by_a_config_file(address: str, acclimate: Any) -> None:
    code, out, err = acclimate(*COMPARE, "--json", "--cluster", address)
    assert code == 0
    assert f"cluster {address}: 1 workers, dashboard http" in err
    there = json.loads(out)
    assert there["trials"]["reused"] == 0
    assert address not in there["run"]["command"]  # where it ran is no setting
    Path("compare.toml").write_text(f'cluster = "{address}"\n')
    code, out, err = acclimate(*COMPARE, "--json", "--config", "compare.toml")
    assert code == 0
    assert f"cluster {address}" in err
    again = json.loads(out)
    assert again["trials"]["reused"] == there["trials"]["planned"]
    code, out, err = acclimate("resume", "run.sqlite", "--json", "--cluster", address)
    assert code == 0
    assert json.loads(out)["verdicts"] == there["verdicts"]


@pytest.mark.parametrize("place", ["tcp://127.0.0.1:1", "nowhere", "http://x"])
def test_where_nothing_answers_one_line_says_so(
    address: str, acclimate: Any, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(clusters, "_WAIT", "0.2s")
    code, out, err = acclimate(*COMPARE, "--cluster", place)
    assert (code, out) == (cli.EXIT_INPUT, "")
    assert err.count("\n") == 1
    assert f"no Dask scheduler answers at '{place}'" in err
    assert "tcp://host:8786" in err
