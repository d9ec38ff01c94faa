"""Comparisons at the same time on one store share its trials; who dies holds none."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acclimate import Domain, compare
from acclimate.comparison.trials import claims
from acclimate.comparison.trials.claims import Claims
from acclimate.comparison.trials.store import Store


def _held(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db, db:
        return int(db.execute("SELECT count(*) FROM claims").fetchone()[0])


def test_a_claim_keeps_others_out_until_it_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with Store(path) as one, Store(path) as two:
        mine, theirs = Claims(one), Claims(two)
        assert mine.take("a")
        assert mine.take("a")  # it has it
        assert not theirs.take("a")
        assert theirs.take("b")
        theirs.release(["a"])  # which is not theirs
        assert not theirs.take("a")
        mine.release(["a"])
        assert theirs.take("a")
        theirs.release(["a", "b"])
    assert _held(path) == 0


_TAKES = """
import sys, time
from acclimate.comparison.trials.claims import Claims
from acclimate.comparison.trials.store import Store
with Store(sys.argv[1]) as store:
    print(Claims(store).take("a"), flush=True)
    time.sleep(600)
"""


@pytest.mark.slow
def test_a_process_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with Store(path) as store:
        mine = Claims(store)
        with subprocess.Popen(
            [sys.executable, "-c", _TAKES, str(path)], stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline().strip() == "True"
            assert not mine.take("a")
            other.send_signal(signal.SIGKILL)
        assert mine.take("a")


def test_a_number_that_is_used_again_and_one_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(tmp_path / "run.sqlite") as store, Store(tmp_path / "run.sqlite") as other:
        mine, theirs = Claims(store), Claims(other)
        assert theirs.take("a")
        monkeypatch.setattr(claims, "_began", lambda process: "another start")
        assert mine.take("a")
        monkeypatch.setattr(mine, "_place", "another machine")
        assert theirs.take("b")
        assert not mine.take("b")
        monkeypatch.setattr(claims, "_AWAY", 0.0)
        assert mine.take("b")


@pytest.mark.slow
def test_what_others_run_is_waited_for_and_run_where_they_stop(
    shifted: Callable[..., SimpleNamespace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    d = shifted(n=60, m=30)
    settings: dict[str, Any] = {"methods": ["CORAL"], "repeats": 1, "folds": 3, "n_jobs": 1}
    source, target, path = (d.X, d.y), Domain(d.Xt, d.yt), tmp_path / "run.sqlite"
    here = compare(source, target, **settings)
    waited: list[float] = []
    with Store(path) as other:
        theirs, keys = Claims(other), []
        take = Claims.take

        def contested(self: Claims, key: str) -> bool:  # each third one has another owner
            if self is not theirs and len(keys) < 4 and key not in keys:
                keys.append(key)
                assert take(theirs, key)
            return take(self, key)

        def sleep(seconds: float) -> None:
            waited.append(seconds)
            theirs.release([keys[len(waited) - 1]])

        monkeypatch.setattr(Claims, "take", contested)
        monkeypatch.setattr(time, "sleep", sleep)
        found = compare(source, target, store=path, **settings)
    assert len(waited) == 4
    assert found.details.verdicts == here.details.verdicts
    assert found.details.trials.done == here.details.trials.done
    assert found.details.trials.reused == 0
    assert _held(path) == 0


_COMPARES = """
import json, sys, numpy as np
from acclimate import Domain, compare
with np.load("rows.npz") as rows:
    d = dict(rows)
found = compare((d["X"], d["y"]), Domain(d["Xt"], d["yt"]), methods=["CORAL", "Pooled"], folds=3,
                repeats=2, n_jobs=1, store="run.sqlite").to_dict()
print(json.dumps([found["trials"], found["verdicts"]]))
"""


@pytest.mark.slow
def test_two_processes_share_the_trials_of_one_store(
    shifted: Callable[..., SimpleNamespace], tmp_path: Path
) -> None:
    d = shifted(n=300, m=90)
    np.savez(tmp_path / "rows.npz", X=d.X, y=d.y, Xt=d.Xt, yt=d.yt)
    both = [
        subprocess.Popen(
            [sys.executable, "-c", _COMPARES], cwd=tmp_path, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        for _ in range(2)
    ]  # fmt: skip
    (one, verdicts), (two, others) = (json.loads(run.communicate(timeout=300)[0]) for run in both)
    assert one["planned"] == two["planned"] == one["done"]
    assert one["reused"] + two["reused"] == one["planned"]  # each was run once, by one of them
    assert min(one["reused"], two["reused"]) > 0
    assert verdicts == others
    with Store(tmp_path / "run.sqlite", read_only=True) as store:
        assert len(store.table()) == one["planned"]
    assert _held(tmp_path / "run.sqlite") == 0
