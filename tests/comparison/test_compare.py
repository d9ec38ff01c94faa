"""`compare`: no label chooses or trains what it judges; a killed run is gone on with."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from acclimate import Comparison, Domain, TargetOnly, compare
from acclimate.adapter import Adapter
from acclimate.comparison.compare import compare as in_module
from acclimate.comparison.trials import worker as trial
from acclimate.comparison.trials.store import Store
from acclimate.exceptions import AcclimateError, DomainTypeError, InputError

METHODS = ["CORAL", "FeatureAugmentation"]
QUICK: dict[str, Any] = {
    "methods": METHODS, "repeats": 1, "folds": 3, "n_jobs": 1, "committee": False,
}  # fmt: skip
KEYS = {
    "schema", "kind", "version", "task", "task_reason", "score", "margin", "confidence", "seed",
    "estimate", "score_note", "uneven",
    "source", "target", "design", "reference", "recommendation", "sentence", "verdicts", "table",
    "choices", "classes", "groups", "calibration", "label_curve", "members", "bodies", "pareto",
    "constant", "answers", "excluded",
    "trials", "budget", "estimated", "to_label", "store", "training", "features", "run",
}  # fmt: skip
Maker = Callable[..., SimpleNamespace]


def _timeless(details: dict[str, Any]) -> dict[str, Any]:
    """Leave out what may differ from run to run: times, memory, and how much was found again."""
    plain: dict[str, Any] = json.loads(json.dumps(details))
    for row in plain["table"]:
        for name in ("seconds", "peak_mb", "pareto"):
            row.pop(name)
    for name in ("trials", "pareto", "store"):
        plain.pop(name)
    return plain


def test_the_public_name_is_the_function() -> None:
    assert compare is in_module


def test_with_labels_everything_is_there_and_plain(shifted: Maker) -> None:
    d = shifted()
    groups = np.arange(60) % 2
    found = compare((d.X, d.y), Domain(d.Xt, d.yt, name="ward B"), groups=groups, **QUICK)
    details = found.to_dict()
    assert set(details) == KEYS
    assert json.loads(json.dumps(details, allow_nan=False)) == details
    assert details["target"]["class_counts"] == {"0": 30, "1": 30}
    assert [v["reference"] for v in details["verdicts"]] == ["TargetOnly", "SourceOnly"]
    assert {row["method"] for row in details["table"]} == {*METHODS, "SourceOnly", "TargetOnly"}
    assert sum(row["chosen_share"] for row in details["table"]) == pytest.approx(1)
    assert len(details["choices"]) == 3
    assert [one["name"] for one in details["classes"]] == ["0", "1"]
    assert [one["rows"] for one in details["groups"]] == [30, 30]
    assert {one["who"] for one in details["calibration"]} == {"reference", "chosen"}
    assert {point["labels"] for point in details["label_curve"]} == {10, 20, 40}
    assert details["trials"]["failed"] == 0
    assert found.sentence() == details["sentence"]
    assert sum(row["recommended"] for row in found.table()) == 1


def test_a_shift_that_transfer_undoes_is_found(shifted: Maker) -> None:
    """Sixty labels with 100 columns of noise, and a source that is alike: transfer wins."""
    d = shifted(n=600, m=60, shift=0.0)
    rng = np.random.default_rng(0)
    X, Xt = (np.c_[x, rng.normal(size=(len(x), 100))] for x in (d.X, d.Xt))
    found = compare((X, d.y), Domain(Xt, d.yt), **(QUICK | {"repeats": 3, "folds": 5}))
    said = found.to_dict()["verdicts"][0]
    assert said["word"] == "helps"
    assert said["folds"] == 5
    assert found.recommendation.action == "transfer"
    best = found.best_model()
    assert best is found.best_model()
    new = shifted(seed=5, m=1000, shift=0.0)
    noise = np.random.default_rng(1).normal(size=(1000, 100))
    alone = TargetOnly(preprocess=StandardScaler()).fit(X, d.y, target=Domain(Xt, d.yt))
    rows = np.c_[new.Xt, noise]
    assert best.score(rows, new.yt) > alone.score(rows, new.yt) + 0.05


def test_a_source_of_noise_is_not_recommended(shifted: Maker) -> None:
    d = shifted(m=150)
    noise = np.random.default_rng(0).permutation(d.y)
    found = compare((d.X, noise), Domain(d.Xt, d.yt), **QUICK)
    assert found.recommendation.action == "do not transfer"
    assert found.recommendation.method == "TargetOnly"
    assert found.best_model().score(d.Xt, d.yt) > 0.8


def test_labels_that_are_withheld_change_nothing(shifted: Maker) -> None:
    d = shifted()
    mask = np.arange(60) < 40
    other = np.where(mask, d.yt, 1 - d.yt)
    pair = [compare((d.X, d.y), Domain(d.Xt, y, labelled=mask), **QUICK) for y in (d.yt, other)]
    assert _timeless(pair[0].to_dict()) == _timeless(pair[1].to_dict())


def test_the_order_of_the_rows_does_not_matter(shifted: Maker) -> None:
    d = shifted()
    order = np.random.default_rng(3).permutation(60)
    a = compare((d.X, d.y), Domain(d.Xt, d.yt), **QUICK).to_dict()
    b = compare((d.X, d.y), Domain(d.Xt[order], d.yt[order]), **QUICK).to_dict()
    assert [v["word"] for v in a["verdicts"]] == [v["word"] for v in b["verdicts"]]
    assert a["choices"] == b["choices"]
    for one, two in zip(a["table"], b["table"], strict=True):
        assert one["score"] == pytest.approx(two["score"], abs=1e-9)


def test_a_second_run_takes_everything_from_the_store(shifted: Maker, tmp_path: Path) -> None:
    d = shifted()
    path = tmp_path / "run.sqlite"
    first = compare((d.X, d.y), Domain(d.Xt, d.yt), store=path, **QUICK).to_dict()
    seen: list[int] = []
    second = compare(
        (d.X, d.y), Domain(d.Xt, d.yt), store=path,
        progress=lambda done, planned, row: seen.append(done), **QUICK,
    ).to_dict()  # fmt: skip
    assert first["trials"]["reused"] == 0
    assert second["trials"]["reused"] == second["trials"]["done"] == first["trials"]["done"]
    assert seen == list(range(1, second["trials"]["done"] + 1))
    assert _timeless(first) == _timeless(second)
    read = Comparison.read(path)
    assert read.to_dict() == second
    with pytest.raises(Exception, match="holds no data"):
        read.best_model()
    with Store(path, read_only=True) as store:
        assert store.meta("settings")["folds"] == 3


def test_other_data_or_seeds_are_not_taken_for_these(shifted: Maker, tmp_path: Path) -> None:
    d = shifted()
    path = tmp_path / "run.sqlite"
    compare((d.X, d.y), Domain(d.Xt, d.yt), store=path, **QUICK)
    moved = compare((d.X + 1e-9, d.y), Domain(d.Xt, d.yt), store=path, **QUICK).to_dict()
    seeded = compare((d.X, d.y), Domain(d.Xt, d.yt), store=path, random_state=1, **QUICK).to_dict()
    assert moved["trials"]["reused"] == seeded["trials"]["reused"] == 0


def test_a_broken_candidate_is_a_row_with_its_error(shifted: Maker) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    d = shifted()
    found = compare(
        (d.X, d.y), Domain(d.Xt, d.yt), estimator=KNeighborsClassifier(),
        **(QUICK | {"methods": ["ParameterTransfer", "CORAL"]}),
    )  # fmt: skip
    rows = {row["candidate"]: row for row in found.table()}
    assert rows["ParameterTransfer"]["status"] == "failed"
    assert "InputError" in rows["ParameterTransfer"]["reason"]
    assert rows["CORAL"]["status"] == "done"
    assert found.to_dict()["trials"]["failed"] > 0


@pytest.mark.parametrize("labels", [True, False])
def test_a_baseline_that_fails_ends_the_run_with_its_error(shifted: Maker, labels: bool) -> None:
    from sklearn.linear_model import LogisticRegression

    d = shifted()
    target = Domain(d.Xt, d.yt if labels else None)
    with pytest.raises(AcclimateError, match=r"nothing to compare with: .*C.*another estimator"):
        compare(
            (d.X, d.y), target, estimator=LogisticRegression(C=-1.0), methods=["CORAL"], folds=3,
            n_jobs=1,
        )  # fmt: skip


def test_regression(shifted: Maker) -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(150, 3)), rng.normal(size=(60, 3)) + 1
    y, yt = X @ [1.0, 2.0, 0.0] + 0.1 * rng.normal(size=150), Xt @ [1.0, 2.0, 0.5]
    found = compare((X, y), Domain(Xt, yt), **QUICK).to_dict()
    assert (found["task"], found["score"]) == ("regression", "R2")
    assert found["classes"] == found["calibration"] == []
    scores = {row["candidate"]: row["score"] for row in found["table"]}
    assert scores["TargetOnly"] > 0.9


def test_weights_of_labels_are_taken(shifted: Maker) -> None:
    d = shifted()
    mask = np.arange(60) < 40
    target = Domain(d.Xt, d.yt, labelled=mask)
    w = np.random.default_rng(0).uniform(0.5, 2, 60)
    plain, constant, some, every = (
        compare((d.X, d.y), target, label_weights=weights, **QUICK).to_dict()
        for weights in (None, np.full(40, 3.0), w[mask], w)
    )
    assert _timeless(plain) == _timeless(constant)
    assert _timeless(some) == _timeless(every)
    assert plain["verdicts"][1]["reference_score"] != some["verdicts"][1]["reference_score"]
    with pytest.raises(InputError, match="label_weights must be"):
        compare((d.X, d.y), target, label_weights=-w, **QUICK)


@pytest.mark.slow
def test_classes_of_the_target_alone(shifted: Maker) -> None:
    d = shifted()
    yt = np.where(d.Xt[:, 1] > 0, 2, d.yt)
    found = compare((d.X, d.y), Domain(d.Xt, yt), n_jobs=1, folds=3, repeats=1).to_dict()
    tried = {row["method"] for row in found["table"]}
    assert {"SourceOnly", "TargetOnly", "FineTune"} <= tried
    assert {"method": "Pooled", "reason": "the target has classes that the source lacks"} in (
        found["excluded"]
    )


def test_frames_strings_and_a_group_column(shifted: Maker) -> None:
    d = shifted()
    X, Xt = (pd.DataFrame(x, columns=["a", "b", "c"]) for x in (d.X, d.Xt))
    names = np.array(["well", "ill"], dtype=object)
    Xt["c"] = np.where(Xt["c"] > 0, 1.0, -1.0)
    found = compare(
        (X, names[d.y]), Domain(Xt, names[d.yt]), groups="c", preprocess=StandardScaler(),
        **QUICK,
    ).to_dict()  # fmt: skip
    assert [one["name"] for one in found["groups"]] == ["-1.0", "1.0"]
    assert found["target"]["classes"] == ["ill", "well"]


def test_the_budget_of_trials_stops_the_dear_first(shifted: Maker) -> None:
    d = shifted()
    found = compare((d.X, d.y), Domain(d.Xt, d.yt), trials=12, **QUICK).to_dict()
    rows = {row["candidate"]: row for row in found["table"]}
    assert rows["SourceOnly"]["status"] == rows["TargetOnly"]["status"] == "done"
    assert rows["CORAL"]["status"] == "done"
    stopped = [row for row in found["table"] if row["status"] == "stopped"]
    assert stopped
    assert all("budget" in row["reason"] for row in stopped)
    assert found["budget"]["spent"]
    assert found["budget"]["stopped"] == sorted(row["candidate"] for row in stopped)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budget": 0}, "budget must be above 0"),
        ({"trials": 0}, "trials must be at least 1"),
        ({"folds": 2}, "folds must be at least 3"),
        ({"margin": 1.0}, "margin must lie in"),
        ({"confidence": 1.0}, "confidence must lie"),
        ({"methods": ["Nothing"]}, "no method 'Nothing'"),
        ({"methods": ["TrAdaBoostR2"]}, "does no classification"),
        ({"preprocess": "scale"}, "preprocess must be"),
        ({"groups": "ward"}, "names no column"),
        ({"groups": [1, 2]}, "60 target rows, got 2"),
        ({"estimator": {}}, "empty mapping"),
    ],
)
def test_wrong_values_are_refused(shifted: Maker, changes: dict[str, Any], message: str) -> None:
    d = shifted()
    with pytest.raises(InputError, match=message):
        compare((d.X, d.y), Domain(d.Xt, d.yt), **(QUICK | changes))


def test_wrong_data_are_refused(shifted: Maker) -> None:
    d = shifted()
    with pytest.raises(DomainTypeError):
        compare((d.X, d.y), d.Xt)
    with pytest.raises(InputError, match="source must be"):
        compare(Domain(d.X), Domain(d.Xt, d.yt))
    four = compare((d.X, d.y), Domain(d.Xt, d.yt, labelled=np.arange(60) < 4), **QUICK)
    assert four.recommendation.headline().startswith("Not settled, since 4 target labels")
    with pytest.raises(InputError, match="same kind of labels"):
        compare((d.X, d.y), Domain(d.Xt, d.yt.astype(str)), **QUICK)


def test_an_executor_of_threads_gives_the_same(shifted: Maker) -> None:
    d = shifted()
    here = compare((d.X, d.y), Domain(d.Xt, d.yt), **QUICK).to_dict()
    trial._stage_one.clear()
    with ThreadPoolExecutor(2) as executor:
        there = compare((d.X, d.y), Domain(d.Xt, d.yt), executor=executor, **QUICK).to_dict()
    assert _timeless(here) == _timeless(there)


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("threads", [True, False])
def test_nothing_stays_held_when_it_is_done(shifted: Maker, labels: bool, threads: bool) -> None:
    """Neither a fitted model nor a map of the data, whose files are gone by then."""
    d = shifted()
    gc.collect()
    before = _fitted()
    with ThreadPoolExecutor(2) as executor:
        ways: dict[str, Any] = {"methods": ["CORAL"]}
        if threads:
            ways |= {"executor": executor, "n_jobs": None}
        found = compare((d.X, d.y), Domain(d.Xt, d.yt if labels else None), **(QUICK | ways))
    gc.collect()
    assert [type(model) for key, model in _fitted().items() if key not in before] == []
    maps = Path("/proc/self/maps")
    if maps.exists():  # on Linux
        assert [line for line in maps.read_text().splitlines() if "acclimate-" in line] == []
    assert found.best_model().predict(d.Xt).shape == (60,)  # fitted anew, on the user's arrays


def _fitted() -> dict[int, Adapter]:
    """Return all fitted methods in this process."""
    methods = (one for one in gc.get_objects() if issubclass(type(one), Adapter))
    return {id(one): one for one in methods if hasattr(one, "source_model_")}


_RUN = """
import sys
import numpy as np
from acclimate import Domain, compare

def data():
    rng = np.random.default_rng(0)
    y, yt = np.arange(120) % 2, np.arange(60) % 2
    X, Xt = rng.normal(size=(120, 3)), rng.normal(size=(60, 3)) + 1.0
    X[:, 0] += 2.5 * y
    Xt[:, 0] += 2.5 * yt
    return X, y, Xt, yt

X, y, Xt, yt = data()
found = compare(
    (X, y), Domain(Xt, yt), methods=["CORAL", "FeatureAugmentation", "JointObjective"],
    folds=3, repeats=4, n_jobs=int(sys.argv[2]), store=sys.argv[1],
    progress=lambda done, planned, row: print(done, flush=True),
)
print(found.to_dict()["trials"]["reused"])
"""


def _table(path: Path) -> list[tuple[Any, ...]]:
    with Store(path, read_only=True) as store:
        return [
            (row["key"], row["candidate"], row["status"], row["scores"],
             {k: v.tolist() for k, v in store.arrays(row["key"]).items()})
            for row in store.table()
        ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_been(tmp_path: Path, jobs: int) -> None:
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(_RUN))
    whole, killed = tmp_path / "whole.sqlite", tmp_path / "killed.sqlite"
    command = [sys.executable, str(script)]
    subprocess.run([*command, str(whole), "1"], check=True, capture_output=True, timeout=300)
    run = subprocess.Popen(
        [*command, str(killed), str(jobs)], stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert run.stdout is not None
    for line in run.stdout:
        if int(line) == 9:
            os.kill(run.pid, signal.SIGKILL)
            break
    run.wait()
    rest = run.stdout.read().split()
    run.stdout.close()
    reported = int(rest[-1]) if rest else 9
    with Store(killed, read_only=True) as store:
        assert reported <= len(store.table()) <= reported + 1
        assert store.meta("comparison") is None
    with pytest.raises(InputError, match="no comparison has finished"):
        Comparison.read(killed)
    done = subprocess.run(
        [*command, str(killed), str(jobs)], check=True, capture_output=True, text=True, timeout=300
    )
    assert int(done.stdout.split()[-1]) >= reported
    assert _table(killed) == _table(whole)
    ends = [_timeless(Comparison.read(path).to_dict()) for path in (killed, whole)]
    assert ends[0] == ends[1]


@pytest.mark.slow
def test_ctrl_c_leaves_a_store_to_go_on_with(tmp_path: Path) -> None:
    script, path = tmp_path / "run.py", tmp_path / "run.sqlite"
    script.write_text(textwrap.dedent(_RUN))
    run = subprocess.Popen(
        [sys.executable, str(script), str(path), "2"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert run.stdout is not None
    for line in run.stdout:
        if int(line) == 5:
            run.send_signal(signal.SIGINT)
            break
    started = time.monotonic()
    _, errors = run.communicate(timeout=60)
    assert time.monotonic() - started < 60
    assert run.returncode != 0
    assert "KeyboardInterrupt" in errors
    with Store(path) as store:
        assert len(store.table()) >= 5


@pytest.mark.slow
def test_dear_candidates_are_thinned_on_few_rows_first(shifted: Maker, tmp_path: Path) -> None:
    from acclimate import NeuralClassifier

    d = shifted(n=500, m=60)
    small = NeuralClassifier(hidden=(8,), epochs=1, min_steps=30, batch_size=32, verbose=False)
    settings: dict[str, Any] = {
        "estimator": small, "networks": True, "folds": 3, "repeats": 1, "n_jobs": 1,
        "methods": ["FineTune", "JointObjective", "DeepCORAL", "DANN"],
    }  # fmt: skip
    path = tmp_path / "run.sqlite"
    found = compare((d.X, d.y), Domain(d.Xt, d.yt), trials=1000, store=path, **settings).to_dict()
    stopped = {row["candidate"]: row["reason"] for row in found["table"]
               if row["status"] == "stopped"}  # fmt: skip
    assert stopped
    assert all("worst two thirds on" in reason for reason in stopped.values())
    going = {row["candidate"] for row in found["table"] if row["status"] == "done"}
    assert {one["candidate"] for one in found["choices"]} <= going
    with Store(path, read_only=True) as store:
        thinned = [row for row in store.table() if row["config"]["source"] is not None]
    assert {row["candidate"] for row in thinned} >= set(stopped)
    everything = compare((d.X, d.y), Domain(d.Xt, d.yt), **settings).to_dict()
    assert {row["status"] for row in everything["table"]} == {"done"}


def test_equal_labels_with_other_names_are_other_classes(shifted: Maker) -> None:
    """Digit 0 is no shirt: what cannot learn classes of the target is not tried, and says why."""
    d = shifted()
    source = Domain(d.X, d.y, class_names=("zero", "one"))
    for names, other in ((("zero", "one"), False), (("shirt", "shoe"), True)):
        target = Domain(d.Xt, d.yt, class_names=names)
        settings = QUICK | {"methods": None, "estimator": LogisticRegression(), "trials": 1}
        found = compare(source, target, **settings).to_dict()
        reasons = {one["method"]: one["reason"] for one in found["excluded"]}
        assert ("CORAL" in reasons) is other
        assert not other or "classes that the source lacks" in reasons["CORAL"]


def test_the_positive_class_may_be_a_number_of_numpy(shifted: Maker) -> None:
    d = shifted()
    settings = QUICK | {"methods": ["SourceOnly", "TargetOnly"], "metric": "f1"}
    first, second = (
        compare((d.X, d.y), Domain(d.Xt, d.yt), positive=one, **settings).to_dict()
        for one in (1, np.int64(1))
    )
    assert [row["score"] for row in first["table"]] == [row["score"] for row in second["table"]]


@pytest.mark.parametrize("names", [{0: "one", 1: "zero"}, {5: "zero", 6: "one"}])
def test_a_class_of_two_labels_is_told(shifted: Maker, names: dict[int, str]) -> None:
    """The source model answers 0 for zero, so labels that say 5 would count it all wrong."""
    d = shifted()
    code = {name: label for label, name in names.items()}
    yt = np.where(d.yt == 0, code["zero"], code["one"])
    source = Domain(d.X, d.y, class_names=("zero", "one"))
    with pytest.raises(InputError, match="give it the same label on both sides"):
        compare(source, Domain(d.Xt, yt, class_names=names), **QUICK)


def test_a_model_that_cannot_say_a_class_of_the_source_is_not_recommended() -> None:
    """Nobody has labelled a flu yet, so no label counts it against a model that never says flu."""
    rng = np.random.default_rng(0)
    centres = {"cold": [0, 0], "flu": [3, 0], "well": [0, 3]}

    def draw(n: int, move: float) -> tuple[Any, Any]:
        y = rng.choice(list(centres), n)
        return np.array([centres[k] for k in y]) + rng.normal(size=(n, 2)) * 0.6 + move, y

    (X, y), (Xt, yt) = draw(200, 0.0), draw(120, 0.8)
    few = np.zeros(120, dtype=bool)
    few[np.flatnonzero(yt != "flu")[:40]] = True
    for committee in (False, True):
        found = compare(
            (X, y), Domain(Xt, yt, labelled=few), estimator=LogisticRegression(),
            methods=["Pooled", "SourcePrediction"], committee=committee, repeats=1, folds=3,
            n_jobs=1,
        )  # fmt: skip
        reasons = {row.candidate: row.reason for row in found.details.table}
        assert reasons["TargetOnly"] == "it cannot say 'flu'"
        assert reasons["SourceOnly"] is None
        assert found.recommendation.candidate not in ("TargetOnly", "SourcePrediction")
        assert {m.candidate for m in found.details.members}.isdisjoint(
            {"TargetOnly", "SourcePrediction"}
        )
        assert "flu" in found.best_model().predict(Xt)
