"""One trial: fit a candidate on some labels, answer some rows. This is what a worker runs."""

from __future__ import annotations

import contextlib
import copy
import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.trials import seen
from acclimate.comparison.trials.records import Outcome, Spec
from acclimate.comparison.trials.shared import (
    DataMissing,
    Shared,
    close,
    close_all,
    plain,
    read,
)
from acclimate.domain import Domain
from acclimate.extras import need
from acclimate.installed import versions_here
from acclimate.validation import take

_ROWS_BACK = 5000  # of the target, that the way back is learnt from
_KEPT = 2  # source models that a process keeps: trials of one candidate come one after the other
# Seeds, filters of warnings and the peak of memory belong to a process: in an executor of threads
# trials take turns.
_alone = threading.Lock()
_to_leave = threading.Event()  # a comparison ended while a trial ran here
_FEW = 5000  # rows of an answer up to which they are kept for the trials to come, as numbers, too
_ASKED = 64  # such rows that a process keeps: of each part of the folds, by each preprocessing
_stage_one: OrderedDict[str, tuple[Any, float]] = OrderedDict()
_rows: OrderedDict[Any, tuple[Any, Any]] = OrderedDict()  # all rows and those taken, by which


def run(spec: Spec, shared: Shared, files: Mapping[str, bytes] | None = None) -> Outcome:
    """Run one trial and return what came of it. Errors of the method are an outcome, too.

    Parameters
    ----------
    spec : Spec
        What to do.
    shared : Shared
        Where the data are.
    files : mapping from file name to bytes, default=None
        See `shared.read`.

    Raises
    ------
    DataMissing
        This worker has not got the data.
    """
    with _alone:
        return _run(spec, read(shared, files))


def run_here(spec: Spec, shared: Shared) -> Outcome | str:
    """Run one trial on a worker of a cluster; where it has not got the data, return its address."""
    with _alone:
        try:
            return _run(spec, read(shared))
        except DataMissing:
            address: str = need("distributed", "cluster").get_worker().address
            return address
        finally:
            if _to_leave.is_set():
                _forget()


def keep(shared: Shared, values: Mapping[str, Any]) -> None:
    """Keep the data of a comparison in this worker until it is told to let go."""
    with _alone:
        read(shared, values=values)


def let_go() -> None:
    """Let a worker that lives on go of all data, without waiting for a trial that it runs.

    Such a trial does it when it ends.
    """
    _to_leave.set()
    if _alone.acquire(blocking=False):
        try:
            _forget()
        finally:
            _alone.release()


def _forget() -> None:
    _to_leave.clear()
    _stage_one.clear()
    _rows.clear()
    _learnt().kept.clear()
    _asked().kept.clear()
    close_all()


def leave(shared: Shared) -> None:
    """Let go of the data of a comparison, and of the source models, in this process.

    A worker process ends with its pool. In a process that lives on, that of the user, this is
    called when a comparison is done.

    Parameters
    ----------
    shared : Shared
        Where the data were.
    """
    with _alone:
        _stage_one.clear()
        _rows.clear()
        _learnt().kept.clear()
        _asked().kept.clear()
        close(shared)


def _run(spec: Spec, data: Mapping[str, Any]) -> Outcome:
    before = reset_peak()
    started = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning of one of many fits helps nobody
            model, earlier = _source_model(spec, data)
            between = time.perf_counter()
            arrays, model = _adapt_and_answer(spec, data, model)
            ended = time.perf_counter()
            seconds, peak = ended - started + earlier, peak_since(before)
            arrays |= _pictures(spec, model, data)
    except MemoryError as error:
        return Outcome(spec.key, "memory", error=_last_line(error), versions=versions_here())
    except Exception as error:
        return Outcome(spec.key, "failed", error=_last_line(error), versions=versions_here())
    training = None if spec.probe is not None else seen.of_model(model)
    return Outcome(
        spec.key,
        "done",
        arrays,
        seconds,
        peak,
        training=training,
        versions=versions_here(),
        spent=ended - between,
    )


def _adapt_and_answer(
    spec: Spec, data: Mapping[str, Any], model: Any
) -> tuple[dict[str, NDArray[Any]], Any]:
    """Return the arrays, and the model after stage two."""
    from acclimate.adapter import once, sharing

    target, labels, mask = data["target_X"], None, None
    if spec.probe is not None:
        known = np.asarray(data["target_y"])[spec.probe]
        return seen.table(model, take(target, spec.probe), known), model
    if spec.train is not None:
        labels = np.asarray(data["target_y"])
        mask = np.zeros(len(labels), dtype=bool)
        mask[spec.train] = True
    domain = Domain(
        target, labels, labelled=mask, class_names=spec.names[1], class_shares=spec.class_shares
    )
    with sharing(_learnt()):
        model = copy.copy(model).adapt(domain)
    arrays: dict[str, NDArray[Any]] = {}
    asked = spec.answer
    if asked is None or len(asked) > _FEW:
        rows = target if asked is None else take(target, asked)
        _answer(model, rows, "target", "", arrays)
    else:
        with sharing(_asked()):
            rows = once((target,), ("rows", asked), lambda: take(target, asked))
            _answer(model, rows, "target", "", arrays)
    if spec.held is not None:
        held = take(data["source_X"], spec.held)
        _answer(model, held, "source", "held_", arrays)
        if spec.reverse:
            with contextlib.suppress(Exception):  # then this validator has no value
                arrays["reverse"] = plain(_way_back(spec, model, data, held))
    return arrays, model


def _pictures(spec: Spec, model: Any, data: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return points to draw where they are wanted; without them the trial is as good."""
    if not spec.picture or spec.probe is not None:
        return {}
    X, y = data["source_X"], np.asarray(data["source_y"])
    if spec.source is not None:
        X, y = take(X, spec.source), y[spec.source]
    with contextlib.suppress(Exception):  # such as features that have gaps
        return seen.take_pictures(model, X, y, data["target_X"])
    return {}


def _source_model(spec: Spec, data: Mapping[str, Any]) -> tuple[Any, float]:
    """Return the candidate after stage one, fitted once a process, and what that cost before."""
    if spec.stage_one in _stage_one:
        _stage_one.move_to_end(spec.stage_one)
        return _stage_one[spec.stage_one]
    from sklearn.base import clone

    from acclimate.adapter import sharing

    started = time.perf_counter()
    X, y, ids = _source_rows(spec, data)
    with sharing(_learnt()):  # candidates with one base model share what it learns
        model = clone(spec.model).fit(
            X, y, domains=ids if spec.several else None, class_names=spec.names[0]
        )
    _stage_one[spec.stage_one] = (model, time.perf_counter() - started)
    while len(_stage_one) > _KEPT:
        _stage_one.popitem(last=False)
    return model, 0.0


@cache
def _learnt() -> Any:
    from acclimate.adapter import Shared as Learnt

    return Learnt(saved=False)


@cache
def _asked() -> Any:
    from acclimate.adapter import Shared as Asked

    return Asked(_ASKED, saved=False)


def _source_rows(spec: Spec, data: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Return the source's rows, labels and ids for a trial: the same objects for the same rows."""
    key = id(data["source_X"]), None if spec.source is None else spec.source.tobytes()
    if key not in _rows:
        X, y, ids = data["source_X"], np.asarray(data["source_y"]), data.get("source_ids")
        if spec.source is not None:
            X, y = take(X, spec.source), y[spec.source]
            ids = None if ids is None else np.asarray(ids)[spec.source]
        _rows[key] = data["source_X"], (X, y, ids)  # held, so that no other gets its id
        while len(_rows) > _KEPT:
            _rows.popitem(last=False)
    found: tuple[Any, Any, Any] = _rows[key][1]
    return found


def _answer(model: Any, X: Any, domain: str, prefix: str, arrays: dict[str, NDArray[Any]]) -> None:
    arrays[f"{prefix}answers"] = plain(model.predict(X, domain=domain))
    if hasattr(model, "predict_proba"):
        proba = np.asarray(model.predict_proba(X, domain=domain))
        arrays[f"{prefix}proba"] = proba.astype(np.float32, copy=False)
    if hasattr(model, "classes_"):
        arrays["classes"] = plain(model.classes_)


def _way_back(spec: Spec, model: Any, data: Mapping[str, Any], held: Any) -> Any:
    from acclimate.refits.reruns import reverse_predictions

    X, y = data["source_X"], np.asarray(data["source_y"])
    if spec.source is not None:
        X, y = take(X, spec.source), y[spec.source]
    target = data["target_X"]
    if target.shape[0] > _ROWS_BACK:
        rng = np.random.default_rng(0)
        target = take(target, np.sort(rng.choice(target.shape[0], _ROWS_BACK, replace=False)))
    return reverse_predictions(model, X, y, Domain(target), held)


def _last_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip()


def reset_peak() -> int | None:
    """Start a new measurement of the peak memory and return the memory now, in bytes.

    None where the system does not tell; that is outside Linux.
    """
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # the peak becomes what is used now
        return _status("VmRSS")
    except OSError:
        return None


def peak_since(before: int | None) -> int | None:
    """Return by how many bytes the process grew at most since `reset_peak`."""
    if before is None:
        return None
    peak = _status("VmHWM")
    return None if peak is None else max(peak - before, 0)


def _status(name: str) -> int | None:
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return None
