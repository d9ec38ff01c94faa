"""A Dask cluster in this process: what travels, what is refused, what runs again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acclimate import CORAL, Domain, SourceOnly, compare
from acclimate.comparison.trials import cluster as dask
from acclimate.comparison.trials import shared
from acclimate.comparison.trials import worker as trial
from acclimate.comparison.trials.cluster import Cluster, engine_for
from acclimate.comparison.trials.engine import Gone
from acclimate.comparison.trials.pool import Pool
from acclimate.comparison.trials.records import Outcome, Spec
from acclimate.comparison.trials.shared import DataMissing, Shared
from acclimate.comparison.trials.store import Store
from acclimate.exceptions import AcclimateError, InputError
from acclimate.installed import check_same, versions_here

distributed = pytest.importorskip("distributed", reason="needs the extra 'cluster': dask")
pytestmark = pytest.mark.filterwarnings("default")  # the cluster's own
OLD = {"acclimate": "0.0.9"}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as here,
        distributed.Client(here) as client,
    ):
        yield client


@pytest.fixture
def place(tmp_path: Path, shifted: Callable[..., SimpleNamespace]) -> Shared:
    d = shifted()
    values = {"source_X": d.X, "source_y": d.y, "target_X": d.Xt, "target_y": d.yt}
    (tmp_path / "data").mkdir()
    return shared.write(values, tmp_path / "data")


def _specs(number: int) -> list[Spec]:
    return [
        Spec(f"{i}", "CORAL", CORAL(random_state=i), f"stage one of {i}", answer=np.arange(i, 40))
        for i in range(number)
    ]


def _run(engine: Any, specs: list[Spec], **limits: Any) -> dict[str, Outcome]:
    with engine:
        return {outcome.key: outcome for outcome in engine.run(specs, **limits)}


def _equal(one: dict[str, Outcome], two: dict[str, Outcome]) -> None:
    assert one.keys() == two.keys()
    for key, outcome in one.items():
        assert outcome.status == two[key].status == "done"
        assert outcome.arrays.keys() == two[key].arrays.keys()
        for name, value in outcome.arrays.items():
            np.testing.assert_array_equal(value, two[key].arrays[name])


def _place() -> str:
    return str(distributed.get_worker().address)


def _left(client: Any) -> list[str]:
    """Return what the scheduler still knows, after it had time to forget."""
    for _ in range(100):
        known = client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks))
        if not known:
            break
        time.sleep(0.05)
    return list(known)


@pytest.mark.parametrize("as_executor", [False, True])
@pytest.mark.parametrize("seen", [False, True])
def test_a_cluster_gives_what_this_process_gives_and_keeps_nothing(
    client: Any, place: Shared, monkeypatch: pytest.MonkeyPatch, as_executor: bool, seen: bool
) -> None:
    here = _run(Pool(place, n_jobs=1), _specs(6))
    if not seen:
        monkeypatch.setattr(dask, "is_here", lambda shared: False)
    engine = engine_for(place, client.get_executor() if as_executor else client)
    assert isinstance(engine, Cluster)
    with engine:
        assert engine.workers == 2
        assert len(engine._kept) == (0 if seen else 2)  # who cannot see the folder gets the data
        _equal({one.key: one for one in engine.run(_specs(6))}, here)
    assert not shared._open
    assert not trial._rows
    assert not trial._stage_one
    assert _left(client) == []


def test_a_worker_that_comes_later_gets_the_data_once(
    client: Any, place: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = _run(Pool(place, n_jobs=1), _specs(6))
    sent: list[Any] = []
    monkeypatch.setattr(trial, "as_it_is", trial.run_here, raising=False)  # travels by its name
    monkeypatch.setattr(trial, "has", set(), raising=False)
    monkeypatch.setattr(trial, "keep", lambda p, values: trial.has.add(_place()))
    monkeypatch.setattr(
        trial, "run_here", lambda s, p: trial.as_it_is(s, p) if _place() in trial.has else _place()
    )
    monkeypatch.setattr(dask, "in_memory", lambda p: sent.append(p) or shared.in_memory(p))
    _equal(_run(Cluster(place, client), _specs(6)), here)
    assert sent == [place]
    assert 1 <= len(trial.has) <= 2  # type: ignore[attr-defined]


def test_what_a_worker_holds_in_memory_is_not_written_to(place: Shared) -> None:
    values, far = shared.in_memory(place), Shared("/not/on/this/machine", place.name)
    shared._open.clear()
    with pytest.raises(DataMissing):
        trial.run(_specs(1)[0], far)
    trial.keep(far, values)
    assert trial.run(_specs(1)[0], far).status == "done"
    with pytest.raises(ValueError, match="read-only"):
        shared.read(far)["source_X"][0] = 0.0
    trial.let_go()
    assert not shared._open


def test_a_worker_of_another_version_is_refused(
    client: Any, place: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = versions_here()
    monkeypatch.setattr(dask, "versions_here", lambda: mine | {"numpy": "1.0"})
    with pytest.raises(InputError, match=rf"numpy 1\.0 there and {mine['numpy']} here"):
        _run(Cluster(place, client, versions=mine), _specs(1))
    assert len(_run(Cluster(place, client), _specs(1))) == 1
    with pytest.raises(InputError, match="torch none there and 2"):
        check_same({}, {"torch": "2"}, "a worker")


def test_a_worker_that_cannot_import_it_is_refused(
    client: Any, place: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise ModuleNotFoundError("No module named 'acclimate'")

    monkeypatch.setattr(dask, "versions_here", missing)
    with pytest.raises(InputError, match="cannot run trials: ModuleNotFoundError: No module"):
        _run(Cluster(place, client), _specs(1))


def test_the_store_says_which_version_made_a_trial(
    shifted: Callable[..., SimpleNamespace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    d = shifted()
    mine = versions_here()
    monkeypatch.setattr(trial, "versions_here", lambda: mine | OLD)
    settings: dict[str, Any] = {"methods": ["CORAL"], "folds": 3, "repeats": 1, "n_jobs": 1}
    source, target, path = (d.X, d.y), Domain(d.Xt, d.yt), tmp_path / "run.sqlite"
    with pytest.raises(InputError, match=r"acclimate 0\.0\.9 there"):
        compare(source, target, store=path, **settings)
    settings["allow_versions"] = "differ"
    first = compare(source, target, store=path, **settings).to_dict()["trials"]
    with Store(path) as kept:
        made = {row["versions"]["acclimate"] for row in kept.table()}
    assert made == {"0.0.9"}
    again = compare(source, target, store=path, **settings).to_dict()["trials"]
    assert again["reused"] == again["planned"] == first["planned"]
    with pytest.raises(InputError, match="allow_versions"):
        compare(source, target, allow_versions="any")


def test_data_that_are_lost_are_sent_again(client: Any, place: Shared) -> None:
    with Cluster(place, client) as engine:
        somewhere = next(iter(client.nthreads()))
        engine._provide(somewhere)
        engine._kept[somewhere].result(timeout=30)
        first = engine._data
        client.cancel([first], force=True)
        engine._provide(somewhere)
        engine._kept[somewhere].result(timeout=30)
        assert engine._data is not first


def test_trials_that_others_cancel_run_again(client: Any, place: Shared) -> None:
    here = _run(Pool(place, n_jobs=1), _specs(12))
    there: dict[str, Outcome] = {}
    with Cluster(place, client) as engine:
        for outcome in engine.run(_specs(12)):
            if not there:
                known = [distributed.Future(key, client) for key in list(client.futures)]
                client.cancel(known, force=True)
            there[outcome.key] = outcome
    _equal(there, here)


def test_past_the_deadline_futures_are_given_up(
    client: Any, place: Shared, misbehaving: ModuleType
) -> None:
    specs = [Spec(f"{i}", "Slow", misbehaving.Slow(random_state=i), f"slow {i}") for i in range(40)]
    assert _run(Cluster(place, client), specs, until=time.monotonic()) == {}
    assert _left(client) == []


def test_a_method_that_fails_and_a_result_that_cannot_travel_are_outcomes(
    client: Any, place: Shared, misbehaving: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = {"bad": misbehaving.Fails(), "good": SourceOnly()}
    specs = [Spec(name, name, model, name) for name, model in models.items()]
    found = _run(Cluster(place, client), specs)
    assert found["bad"].error == "ValueError: not with (60, 3)"
    assert found["good"].status == "done"

    def breaks(*_: Any) -> None:
        raise OSError("the disk of this worker is broken")

    monkeypatch.setattr(trial, "run_here", breaks)
    found = _run(Cluster(place, client), specs[1:])
    assert found["good"].status == "crashed"
    assert found["good"].error == "OSError: the disk of this worker is broken"


def test_a_closed_client_is_one_error_that_says_what_is_kept(
    client: Any, place: Shared, shifted: Callable[..., SimpleNamespace], tmp_path: Path
) -> None:
    closed = distributed.Client(client.scheduler.address)
    closed.close()
    with pytest.raises(Gone, match=r"cluster is gone.*same store to go on"):
        _run(Cluster(place, closed), _specs(1))
    d = shifted()
    settings: dict[str, Any] = {"methods": ["CORAL"], "executor": _Broken()}
    with pytest.raises(AcclimateError, match="nothing was kept"):
        compare((d.X, d.y), Domain(d.Xt, d.yt), **settings)
    with pytest.raises(AcclimateError, match="0 trials are stored; run again with the same store"):
        compare((d.X, d.y), Domain(d.Xt, d.yt), store=tmp_path / "s.sqlite", **settings)


class _Broken(Executor):
    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:  # type: ignore[override]
        raise BrokenExecutor("its workers are gone")


def test_an_asynchronous_client_is_refused(place: Shared) -> None:
    class Waits(distributed.Client):  # type: ignore[misc]
        asynchronous = True

        def __init__(self) -> None:
            pass

        def __del__(self) -> None:
            pass

    with pytest.raises(InputError, match="asynchronous"):
        engine_for(place, Waits())
