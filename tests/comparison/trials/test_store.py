"""The store of trials: whole after any end, found again, refused where it is not ours."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acclimate.comparison.trials.store import SCHEMA, Record, Store, canonical, trial_key
from acclimate.exceptions import InputError, IntegrityError, OutputError


def _record(number: int = 0, **changes: Any) -> Record:
    values: dict[str, Any] = {
        "candidate": "CORAL",
        "method": "CORAL",
        "config": {"rows": number},
        "seed": 0,
        "data": "abc",
        "versions": {"numpy": "2"},
        "status": "done",
    }
    return Record(**(values | changes))


def test_a_trial_comes_back_as_it_went_in(tmp_path: Path) -> None:
    record = _record(scores={"accuracy": 0.5}, seconds=1.5, peak_bytes=7, error=None)
    arrays = {"answers": np.array(["a", "bb"]), "proba": np.float32([[0.25, 0.75], [1, 0]])}
    with Store(tmp_path / "run.sqlite") as store:
        store.write(record, arrays)
    with Store(tmp_path / "run.sqlite", read_only=True) as store:
        found = store.find([record.key], {"numpy": "2"})[record.key]
        back = store.arrays(record.key)
    assert (found.config, found.scores, found.seconds) == ({"rows": 0}, {"accuracy": 0.5}, 1.5)
    assert found.ended.endswith("+00:00")
    assert back.keys() == arrays.keys()
    for name, value in arrays.items():
        np.testing.assert_array_equal(back[name], value)
        assert back[name].dtype == value.dtype


def test_equal_settings_have_one_key_and_others_do_not() -> None:
    assert trial_key({"a": 1, "b": 2}, 0, "x") == trial_key({"b": 2, "a": 1}, 0, "x")
    keys = {trial_key({"a": 1}, 0, "x"), trial_key({"a": 1}, 1, "x"), trial_key({"a": 1}, 0, "y"),
            trial_key({"a": 2}, 0, "x")}  # fmt: skip
    assert len(keys) == 4


@pytest.mark.parametrize("bad", [float("nan"), {1, 2}, object()])
def test_what_json_cannot_hold_is_refused(bad: Any) -> None:
    with pytest.raises(InputError, match="plain JSON values"):
        canonical({"a": bad})


def test_scores_that_are_not_finite_become_none(tmp_path: Path) -> None:
    with Store(tmp_path / "run.sqlite") as store:
        store.write(_record(scores={"r2": float("nan"), "n": np.int64(3)}))
        assert store.table()[0]["scores"] == {"r2": None, "n": 3}


def test_training_comes_back_with_its_gaps(tmp_path: Path) -> None:
    epochs = [{"step": 10, "task": 0.5, "domain": float("nan")}]
    record = _record(training={"epochs": epochs, "best_epoch": 1, "stopped": "not finite"})
    with Store(tmp_path / "run.sqlite") as store:
        store.write(record)
        store.write(_record(1))
        found = store.find([record.key], {"numpy": "2"})[record.key].training
        bare = store.find([_record(1).key], {"numpy": "2"})[_record(1).key].training
    assert found == {
        "epochs": [{"step": 10, "task": 0.5, "domain": None}], "best_epoch": 1,
        "stopped": "not finite",
    }  # fmt: skip
    assert bare is None


def test_a_file_of_the_first_schema_is_read_as_it_is_and_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with Store(path) as store:
        store.write(_record(), {"a": np.arange(3)})
    names = (
        "key, candidate, method, config, seed, versions, data, status, scores, seconds, "
        "peak_bytes, error, ended, arrays"
    )
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(
            f"""ALTER TABLE trials RENAME TO later;
            CREATE TABLE trials (
                key TEXT PRIMARY KEY,      -- of configuration, seed and data
                candidate TEXT NOT NULL, method TEXT NOT NULL, config TEXT NOT NULL,
                seed INTEGER NOT NULL, versions TEXT NOT NULL, data TEXT NOT NULL,
                status TEXT NOT NULL, scores TEXT NOT NULL, seconds REAL, peak_bytes INTEGER,
                error TEXT, ended TEXT NOT NULL,
                arrays BLOB                -- npz, compressed
            ) WITHOUT ROWID;
            INSERT INTO trials SELECT {names} FROM later;
            DROP TABLE later;
            PRAGMA user_version = 1;"""
        )
    db.close()
    before = path.read_bytes()
    with Store(path, read_only=True) as store:
        assert [row["training"] for row in store.table()] == [None]
    assert path.read_bytes() == before
    with Store(path) as store:
        store.write(_record(1, training={"epochs": [{"task": 1.0}]}))
        assert store.arrays(_record().key)["a"].tolist() == [0, 1, 2]
        assert {str(row["training"]) for row in store.table()} == {
            "None", "{'epochs': [{'task': 1.0}]}",
        }  # fmt: skip


def test_other_versions_and_crashed_trials_are_run_again(tmp_path: Path) -> None:
    with Store(tmp_path / "run.sqlite") as store:
        for number, status in enumerate(("done", "failed", "memory", "crashed")):
            store.write(_record(number, status=status))
        keys = [_record(number).key for number in range(4)]
        assert [r.status for r in store.find(keys, {"numpy": "2"}).values()] == ["done", "failed"]
        assert store.find(keys, {"numpy": "3"}) == {}
        assert len(store.find(keys, {"numpy": "2"}, settled=False)) == 4


def test_a_second_write_replaces_the_first(tmp_path: Path) -> None:
    with Store(tmp_path / "run.sqlite") as store:
        store.write(_record(status="crashed"), {"a": np.zeros(2)})
        store.write(_record(status="done"))
        assert [row["status"] for row in store.table()] == ["done"]
        assert store.arrays(_record().key) == {}


def test_a_newer_schema_is_refused_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    Store(path).close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    db.close()
    for read_only in (True, False):
        with pytest.raises(IntegrityError, match=f"schema {SCHEMA + 1}.*Upgrade acclimate"):
            Store(path, read_only=read_only)


def test_other_files_are_refused_and_left_alone(tmp_path: Path) -> None:
    text, database = tmp_path / "text", tmp_path / "other.sqlite"
    text.write_text("no database, but long enough to look like one " * 50)
    db = sqlite3.connect(database)
    db.execute("CREATE TABLE things (a)")
    db.close()
    for path in (text, database):
        before = path.read_bytes()
        with pytest.raises(InputError, match="no store of acclimate"):
            Store(path)
        assert path.read_bytes() == before


def test_where_nothing_can_be_there_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no store"):
        Store(tmp_path / "none.sqlite", read_only=True)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot open the store"):
        Store(tmp_path / "file" / "run.sqlite")
    with Store(tmp_path / "run.sqlite") as store:
        with pytest.raises(InputError, match="no trial 'x'"):
            store.arrays("x")
        store.close()


def test_a_reader_writes_nothing(tmp_path: Path) -> None:
    Store(tmp_path / "run.sqlite").close()
    with (
        Store(tmp_path / "run.sqlite", read_only=True) as store,
        pytest.raises(InputError, match="to read only"),
    ):
        store.write(_record())


def test_it_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    seen: list[int] = []
    with Store(tmp_path / "run.sqlite") as store:
        store.write(_record())
        started, stop = threading.Event(), threading.Event()

        def read() -> None:
            with Store(tmp_path / "run.sqlite", read_only=True) as reader:
                while not stop.is_set():
                    seen.append(len(reader.table()))
                    started.set()

        thread = threading.Thread(target=read)
        thread.start()
        started.wait(10)
        for number in range(1, 50):
            store.write(_record(number), {"a": np.zeros(1000)})
        stop.set()
        thread.join()
    assert seen == sorted(seen)
    assert seen[0] >= 1


def test_values_beside_the_trials(tmp_path: Path) -> None:
    with Store(tmp_path / "run.sqlite") as store:
        assert store.meta("settings") is None
        store.set_meta("settings", {"folds": 5})
        store.set_meta("settings", {"folds": 3})
        assert store.meta("settings") == {"folds": 3}


_WRITER = """
import sys, numpy as np
from acclimate.comparison.trials.store import Record, Store
store = Store(sys.argv[1])
for number in range(100000):
    record = Record("a", "a", {"n": number}, 0, "d", {}, "done", {"n": number})
    store.write(record, {"a": np.full(2000, number)})
    print(number, flush=True)
"""


def test_a_killed_writer_leaves_every_trial_that_it_reported(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    last = -1
    for line in writer.stdout:
        last = int(line)
        if last == 20:
            os.kill(writer.pid, signal.SIGKILL)
            break
    rest = writer.stdout.read().split()
    writer.wait()
    writer.stdout.close()
    last = int(rest[-1]) if rest else last
    with Store(path) as store:
        rows = store.table()
        numbers = sorted(row["scores"]["n"] for row in rows)
        assert numbers[: last + 1] == list(range(last + 1))
        assert len(numbers) <= last + 2
        for row in rows:
            assert (store.arrays(row["key"])["a"] == row["scores"]["n"]).all()
        store.write(_record())
