"""Jobs on an executor, on a cluster and here: the same results, warnings and errors."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from acclimate import CORAL, Committee, Domain, Pooled, SourceOnly, compare, diagnose, rank
from acclimate import workers as spreading
from acclimate.exceptions import AcclimateError, InputError, TransferWarning
from acclimate.installed import versions_here
from acclimate.refits.reruns import gather, gather_each
from acclimate.workers import spread, working

pytestmark = pytest.mark.filterwarnings("default")  # the cluster's own


def _half(common: float, one: float) -> float:
    if one < 0:
        raise InputError(f"below 0: {one!r}")
    if one == 8:
        warnings.warn("an eight", TransferWarning, stacklevel=1)
    return common * one / 2


@pytest.fixture(params=["none", "threads", "cluster", "its executor"])
def executor(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return None, a pool of threads, a Dask client, and the executor that this gives."""
    if request.param == "none":
        yield None
        return
    if request.param == "threads":
        with ThreadPoolExecutor(2) as pool:
            yield pool
        return
    distributed = pytest.importorskip("distributed", reason="needs the extra 'cluster': dask")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as here,
        distributed.Client(here, set_as_default=False) as client,
    ):
        yield client if request.param == "cluster" else client.get_executor()


def test_results_are_in_order_warnings_and_errors_arrive(executor: Any) -> None:
    ended: list[int] = []
    with working(executor):
        assert spread(_half, [(4,), (2,), (6,)], (3.0,), ended.append) == [6.0, 3.0, 9.0]
        assert ended == [1, 2, 3]
        assert spread(_half, [], (3.0,)) == []
        with pytest.warns(TransferWarning, match="an eight"):
            assert spread(_half, [(8,)], (1.0,)) == [4.0]
        with pytest.raises(InputError, match=r"below 0: -1"):
            spread(_half, [(2,), (-1,), (4,)], (1.0,))


@pytest.mark.slow
def test_findings_are_those_of_this_process(executor: Any) -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(150, 3)), rng.normal(size=(90, 3)) + 0.7
    y, yt = (X[:, 0] > 0).astype(int), (Xt[:, 0] > 1).astype(int)
    source, target = Domain(X, y), Domain(Xt, yt)
    there = diagnose(source, target, executor=executor)
    assert there.to_dict() == diagnose(source, target).to_dict()
    candidates = {"all": Xt, "first": Xt[:, :1], "linear": SourceOnly().fit(X, y)}
    ranked = rank(candidates, Xt, yt, executor=executor)
    assert ranked.to_dict() == rank(candidates, Xt, yt).to_dict()
    with pytest.raises(InputError, match="candidate 'short'"):
        rank(candidates | {"short": lambda X: X[:5]}, Xt, yt, executor=executor)
    methods = {"one": CORAL(random_state=0), "two": SourceOnly(random_state=0)}
    for method in methods.values():
        method.fit(X[:100], y[:100], target=Domain(Xt))
    rows = (X[:100], y[:100], Domain(Xt), X[100:], y[100:])
    found = gather_each(methods, *rows, executor=executor)
    assert list(found) == list(methods)
    for name, method in methods.items():
        mine = gather(method, *rows)
        np.testing.assert_array_equal(found[name].target_proba, mine.target_proba)
        np.testing.assert_array_equal(found[name].reverse_labels, mine.reverse_labels)


@pytest.mark.slow
def test_members_of_a_committee_are_fitted_there(executor: Any) -> None:
    rng = np.random.default_rng(1)
    X, Xt = rng.normal(size=(80, 2)), rng.normal(size=(40, 2)) + 1.0
    y, target = (X[:, 0] > 0).astype(int), Domain(Xt, (Xt[:, 0] > 1).astype(int))
    members = [("pooled", Pooled()), ("moved", CORAL()), ("source", SourceOnly())]
    here = Committee(members, random_state=0).fit(X, y, target=target)
    with working(executor):
        there = Committee(members, random_state=0).fit(X, y, target=target)
    np.testing.assert_array_equal(there.predict_proba(Xt), here.predict_proba(Xt))
    settings: dict[str, Any] = {"methods": ["CORAL"], "repeats": 1, "folds": 3}
    found = compare((X, y), target, executor=executor, n_jobs=1, **settings)
    mine = compare((X, y), target, n_jobs=1, **settings)
    expected = mine.best_model().predict_proba(Xt)
    np.testing.assert_array_equal(found.best_model().predict_proba(Xt), expected)


def test_what_is_closed_is_done_here() -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with working(pool):
        assert spread(_half, [(4,)], (1.0,)) == [2.0]
    with pytest.raises(InputError, match="got str"), working("tcp://127.0.0.1:8786"):
        pass


def test_a_process_that_dies_is_one_error() -> None:
    class Breaks(Executor):
        def submit(self, *arguments: Any, **settings: Any) -> Any:
            from concurrent.futures import BrokenExecutor

            raise BrokenExecutor("gone")

    with working(Breaks()), pytest.raises(AcclimateError, match="one of its workers died"):
        spread(_half, [(4,)], (1.0,))


def test_another_version_is_refused_and_a_cluster_that_is_lost_is_one_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the extra 'cluster': dask")
    mine = versions_here()
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as here,
        distributed.Client(here, set_as_default=False) as client,
    ):
        monkeypatch.setattr(spreading, "_versions", lambda *_: {"tcp://a": mine | {"numpy": "1.0"}})
        with pytest.raises(InputError, match=r"numpy 1\.0 there"), working(client):
            pass
        with working(client, mixed=True):
            assert spread(_half, [(4,)], (1.0,)) == [2.0]
        monkeypatch.undo()

        def lost(_: Any) -> int:
            raise spreading.LostCluster("the cluster is gone: its scheduler is lost")

        monkeypatch.setattr(spreading, "count_at", lost)
        with pytest.raises(AcclimateError, match="the cluster is gone"), working(client):
            pass
    with working(client):  # which is closed
        assert spread(_half, [(4,)], (1.0,)) == [2.0]


def test_what_is_cancelled_runs_again_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs the extra 'cluster': dask")
    monkeypatch.setattr(spreading, "dask_of", lambda executor: (object(), {}))
    monkeypatch.setattr(spreading, "count_at", lambda client: 1)
    monkeypatch.setattr(spreading, "place_of", lambda client: "tcp://a:1")
    turns: list[int] = []

    def one_a_turn(*arguments: Any) -> None:  # the worker with the shared values dies each time
        jobs, ended = arguments[3], arguments[-1]
        turns.append(len(ended))
        ended[len(ended)] = (len(ended), [])
        if len(ended) < len(jobs):
            raise CancelledError

    monkeypatch.setattr(spreading, "_some_on_cluster", one_a_turn)
    assert spread(_half, [(1,), (2,), (3,)]) == [0, 1, 2]
    assert turns == [0, 1, 2]  # what had ended is kept
    with pytest.raises(AcclimateError, match="cancelled again and again on the cluster at tcp://a"):
        spread(_half, [(1,), (2,), (3,), (4,)])
