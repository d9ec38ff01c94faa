"""The pool: trials run anywhere, and one that dies takes no other with it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acclimate import CORAL, SourceOnly
from acclimate.comparison.trials import shared
from acclimate.comparison.trials import worker as trial
from acclimate.comparison.trials.pool import Pool, _held
from acclimate.comparison.trials.records import Outcome, Spec
from acclimate.comparison.trials.shared import Shared
from acclimate.exceptions import AcclimateError, InputError


def _spec(key: str, model: Any, **changes: Any) -> Spec:
    return Spec(key, key, model, f"stage one of {key}", **changes)


@pytest.fixture
def place(tmp_path: Path, shifted: Callable[..., SimpleNamespace]) -> Shared:
    d = shifted()
    values = {"source_X": d.X, "source_y": d.y, "target_X": d.Xt, "target_y": d.yt}
    (tmp_path / "data").mkdir()
    return shared.write(values, tmp_path / "data")


def _run(pool: Pool, specs: list[Spec]) -> dict[str, Outcome]:
    with pool:
        return {outcome.key: outcome for outcome in pool.run(specs)}


def test_errors_of_a_method_are_outcomes(place: Shared, misbehaving: ModuleType) -> None:
    specs = [_spec("good", SourceOnly()), _spec("bad", misbehaving.Fails()),
             _spec("big", misbehaving.Starves())]  # fmt: skip
    found = _run(Pool(place, n_jobs=1), specs)
    assert {key: one.status for key, one in found.items()} == {
        "good": "done", "bad": "failed", "big": "memory",
    }  # fmt: skip
    assert found["bad"].error == "ValueError: not with (60, 3)"
    assert "8 TB" in str(found["big"].error)


@pytest.mark.slow
def test_a_process_that_dies_costs_its_own_trial_only(
    place: Shared, misbehaving: ModuleType
) -> None:
    specs = [_spec(f"good {i}", SourceOnly(random_state=i)) for i in range(6)]
    specs.insert(2, _spec("dies", misbehaving.Dies()))
    specs.insert(5, _spec("dies, too", misbehaving.Dies()))
    found = _run(Pool(place, n_jobs=2), specs)
    assert len(found) == 8
    for key, one in found.items():
        assert one.status == ("crashed" if key.startswith("dies") else "done"), (key, one.error)
    assert "died" in str(found["dies"].error)


@pytest.mark.slow
def test_processes_give_what_this_process_gives(place: Shared) -> None:
    specs = [_spec(f"{i}", CORAL(random_state=i), answer=np.arange(i, 20)) for i in range(4)]
    here = _run(Pool(place, n_jobs=1), specs)
    trial._stage_one.clear()
    there = _run(Pool(place, n_jobs=2), specs)
    for key, one in here.items():
        assert one.arrays.keys() == there[key].arrays.keys()
        for name, value in one.arrays.items():
            np.testing.assert_array_equal(value, there[key].arrays[name])


def test_any_executor_will_do(place: Shared) -> None:
    with ThreadPoolExecutor(3) as executor:
        found = _run(
            Pool(place, executor=executor), [_spec(f"{i}", SourceOnly()) for i in range(9)]
        )
        assert {one.status for one in found.values()} == {"done"}
        assert executor.submit(len, "it still runs").result() == 13


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no masks of signals here")
def test_ctrl_c_is_held_back_and_not_lost() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    pending = set()

    def stop_and_look() -> None:
        with _held():
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            pending.update(signal.sigpending())

    with pytest.raises(KeyboardInterrupt):
        stop_and_look()
    assert signal.SIGINT in pending
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_what_is_no_executor_is_refused(place: Shared) -> None:
    with pytest.raises(InputError, match=r"client\.get_executor"):
        Pool(place, executor=object())  # type: ignore[arg-type]
    with pytest.raises(InputError, match="n_jobs"):
        Pool(place, n_jobs=0)


class _Broken(Executor):
    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:  # type: ignore[override]
        raise BrokenExecutor("its workers are gone")


def test_a_broken_executor_of_the_user_ends_the_run_with_advice(place: Shared) -> None:
    with pytest.raises(AcclimateError, match="same store to go on"):
        _run(Pool(place, executor=_Broken()), [_spec("a", SourceOnly())])


class _Apart(Executor):
    """Runs trials as a machine would that cannot see our files, and counts what it is sent."""

    def __init__(self) -> None:
        self.sent: list[int] = []

    def submit(self, run: Any, spec: Spec, place: Shared, files: Any = None) -> Future[Any]:  # type: ignore[override]
        self.sent.append(sum(map(len, (files or {}).values())))
        future: Future[Any] = Future()
        try:
            future.set_result(run(spec, Shared("/not/on/this/machine", place.name), files))
        except BaseException as error:
            future.set_exception(error)
        return future


def test_data_travel_once_to_a_machine_that_cannot_see_them(
    place: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "_private", lambda: tmp_path / "copies")
    (tmp_path / "copies").mkdir()
    shared._open.clear()
    size = sum(path.stat().st_size for path in (tmp_path / "data").iterdir())
    far = _Apart()
    found = _run(Pool(place, executor=far), [_spec(f"{i}", SourceOnly()) for i in range(5)])
    assert {one.status for one in found.values()} == {"done"}
    assert sum(far.sent) == size
    assert far.sent.count(size) == 1
    shared._open.clear()  # another process there finds the copy
    assert _run(Pool(place, executor=far), [_spec("6", SourceOnly())])["6"].status == "done"
    assert sum(far.sent) == size


def test_no_trial_starts_after_stop(place: Shared) -> None:
    done: list[str] = []
    with Pool(place, n_jobs=1) as pool:
        for outcome in pool.run(
            [_spec(f"{i}", SourceOnly()) for i in range(5)], stop=lambda: len(done) >= 2
        ):
            done.append(outcome.key)
    assert done == ["0", "1"]


def test_a_trial_sees_the_labels_that_it_is_given_and_no_others(place: Shared) -> None:
    from acclimate import TargetOnly

    train = np.arange(0, 60, 3)
    found = _run(Pool(place, n_jobs=1), [_spec("a", TargetOnly(), train=train)])["a"]
    data = shared.read(place)
    mask = np.zeros(60, dtype=bool)
    mask[train] = True
    from acclimate import Domain

    labels = np.where(mask, data["target_y"], 1 - data["target_y"])
    model = TargetOnly().fit(data["source_X"], data["source_y"],
                             target=Domain(data["target_X"], labels, labelled=mask))  # fmt: skip
    np.testing.assert_array_equal(found.arrays["answers"], model.predict(data["target_X"]))


def test_the_source_model_is_fitted_once_for_trials_that_share_it(place: Shared) -> None:
    trial._stage_one.clear()
    specs = [Spec(f"{i}", "a", SourceOnly(), "the same", answer=np.arange(5)) for i in range(3)]
    with Pool(place, n_jobs=1) as pool:
        found = list(pool.run(specs))
        assert list(trial._stage_one) == ["the same"]
    assert all(one.seconds is not None for one in found)
    assert not trial._stage_one
    assert place.name not in shared._open


@pytest.mark.skipif(trial.reset_peak() is None, reason="the system does not tell the peak memory")
def test_peak_memory_is_that_of_the_trial() -> None:
    before = trial.reset_peak()
    block = np.ones(30_000_000)
    del block
    grown = trial.peak_since(before)
    assert grown is not None
    assert 200e6 < grown < 300e6
    small = trial.peak_since(trial.reset_peak())
    assert small is not None
    assert small < 50e6


@pytest.mark.slow
def test_interrupting_the_consumer_leaves_no_workers(
    place: Shared, misbehaving: ModuleType
) -> None:
    pool = Pool(place, n_jobs=2)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), pool:  # noqa: PT012
        for _ in pool.run([_spec(f"{i}", misbehaving.Slow(random_state=i)) for i in range(500)]):
            raise KeyboardInterrupt
    assert time.monotonic() - started < 60
    assert pool._own is None


def test_a_trial_of_the_target_alone_fits_no_source_model(
    place: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    from acclimate import TargetOnly, adapter

    fit, fitted = adapter.fit_model, []

    def counted(*given: Any) -> Any:
        fitted.append(len(given[1].X))
        return fit(*given)

    monkeypatch.setattr(adapter, "fit_model", counted)
    data = shared.read(place)
    train = np.arange(20)
    found = _run(Pool(place, n_jobs=1), [_spec("a", TargetOnly(), train=train)])["a"]
    assert found.status == "done"
    assert fitted == []
    by_hand = TargetOnly().fit(data["source_X"], data["source_y"])
    assert by_hand.predict(data["source_X"], domain="source").shape == data["source_y"].shape
    assert fitted == [len(data["source_y"])]
