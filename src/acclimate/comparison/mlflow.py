"""Comparisons in MLflow, for teams that keep their runs there."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from acclimate.comparison.mlflow_model import log_model, mark_of
from acclimate.comparison.mlflow_runs import Runs, short
from acclimate.comparison.trials.store import Store
from acclimate.exceptions import InputError
from acclimate.extras import need
from acclimate.report.compared import CandidateRow, Compared

if TYPE_CHECKING:
    from acclimate.adapter import Adapter
    from acclimate.comparison.result import Comparison

_METRICS = ("score", "score_low", "score_high", "rank_score", "seconds", "peak_mb", "chosen_share",
            "balanced_accuracy", "auc")  # fmt: skip
_EXAMPLE = 20  # rows that a signature is read from
_TOP = "comparison"
_log = logging.getLogger("acclimate")


def export_mlflow(
    store: str | os.PathLike[str] | Comparison,
    *,
    experiment: str = "acclimate",
    tracking_uri: str | None = None,
    run_name: str | None = None,
    model: Adapter | None = None,
    example: Any = None,
) -> str:
    """Write a comparison into MLflow: a run, in it one for each candidate, and there the trials.

    Use it where others look at runs in MLflow. The store stays the record: a comparison cannot be
    gone on with from MLflow. Writing it once more, or after `LiveMLflow`, adds to the same runs
    what is new.

    The run has the settings as parameters, the recommendation and its sentence as tags, the gains
    with their intervals as metrics, the whole result as ``comparison.json``, the report as
    ``report.html``, and the model. A candidate's run has its settings, scores and costs; that of a
    trial also which fold of which repeat was held out ("1, 3" for two at once, which choose), and
    what was raised. A comparison that has not finished has its trials only.

    Parameters
    ----------
    store : path-like or Comparison
        The file that `compare` wrote, or what it returned with a ``store=``, whose model is written
        as well.
    experiment : str, default="acclimate"
        Name of the experiment in MLflow.
    tracking_uri : str, default=None
        Where MLflow keeps runs. None leaves it as MLflow is set: without any setting in
        ``mlflow.db``, in this folder.
    run_name : str, default=None
        Name of the run. None means the name of the file.
    model : Adapter, default=None
        A fitted method to keep with the run, in acclimate's own file behind MLflow's ``pyfunc``:
        ``mlflow.pyfunc.load_model(f"runs:/{run}/model").predict(X)``. None takes that of a
        Comparison.
    example : array-like or data frame, default=None
        A few rows as ``model`` takes them. Their columns and types are its signature; the rows
        themselves are not kept. None takes target rows of a Comparison.

    Returns
    -------
    str
        Identifier of the run.

    Raises
    ------
    MissingExtraError
        MLflow is not installed; the message has the command.
    InputError
        There is no store, or it is empty; or a model without an example.

    Notes
    -----
    To write a model by ``mlflow.sklearn``, name the types in it as ones that you trust:
    ``mlflow.sklearn.log_model(model, name="model", skops_trusted_types=trusted_types(model))``.
    """
    path, model, example = _given(store, model, example)
    with Store(path, read_only=True) as kept:
        trials, settings = kept.table(), kept.meta("settings") or {}
        written, parts = kept.meta("comparison"), kept.meta("parts") or {}
        identity = kept.identity
    if not trials:
        raise InputError(f"the store {path!r} has no trials yet; run compare first")
    found = None if written is None else Compared.from_dict(written)
    runs = _runs(identity, experiment, tracking_uri)
    _open(runs, run_name or os.path.basename(path), settings)
    tags = {"acclimate.data": trials[-1]["data"]} | _tags(found)
    runs.write(_TOP, metrics=_gains(found) | {"trials": float(len(trials))}, tags=tags)
    if found is not None:
        runs.attach(_TOP, "comparison.json", found.to_dict())
        runs.attach(_TOP, "report.html", _page(found))
    rows = {row.candidate: row for row in (() if found is None else found.table)}
    for name in dict.fromkeys([*rows, *(trial["candidate"] for trial in trials)]):
        own = [trial for trial in trials if trial["candidate"] == name]
        _candidate(runs, name, rows.get(name, CandidateRow()), own)
        for trial in own:
            _trial(runs, trial, parts)
        runs.end(name)
    if model is not None:
        mark = mark_of(model, trials, found)
        if runs.tags(_TOP).get("acclimate.model") != mark:
            log_model(runs.id(_TOP), model, example)
            runs.write(_TOP, tags={"acclimate.model": mark})
    runs.end(_TOP)
    return runs.id(_TOP)


class LiveMLflow:
    """Writes each trial of a comparison into MLflow as it ends.

    Use it for long comparisons that others follow: ``compare(..., store="run.sqlite",
    progress=LiveMLflow("run.sqlite"))``. `export_mlflow` on the same store then adds what is known
    at the end. Do not use it where trials take milliseconds: MLflow takes tenths of a second for
    each, in which no other is given out.

    The runs are those of `export_mlflow`. A comparison that goes on with a store goes on with its
    runs. Where MLflow cannot be written to, one warning says so, and the comparison goes on.

    Parameters
    ----------
    store : path-like
        The ``store=`` of the comparison.
    experiment, tracking_uri, run_name
        See `export_mlflow`.

    Raises
    ------
    MissingExtraError
        MLflow is not installed.
    """

    def __init__(
        self,
        store: str | os.PathLike[str],
        *,
        experiment: str = "acclimate",
        tracking_uri: str | None = None,
        run_name: str | None = None,
    ) -> None:
        need("mlflow", "mlflow")
        self.path = os.fspath(store)
        self.experiment, self.tracking_uri, self.run_name = experiment, tracking_uri, run_name
        self._runs: Runs | None = None
        self._parts: Mapping[str, Any] = {}
        self._lost = False

    def __call__(self, done: int, planned: int, trial: Mapping[str, Any]) -> None:
        """Write a trial; this is the ``progress`` of `compare`."""
        if self._lost:
            return
        try:
            runs = self._runs = self._runs or self._begin()
            _candidate(runs, trial["candidate"], CandidateRow(), [trial])
            _trial(runs, trial, self._parts)
            runs.write(_TOP, metrics={"trials": float(done)})
        except Exception as error:  # of a server elsewhere: the store has it all
            self._lost = True
            _log.warning(
                "MLflow cannot be written to (%s); the comparison goes on without. Call "
                "export_mlflow on its store when it is there again", error,
            )  # fmt: skip

    def _begin(self) -> Runs:
        with Store(self.path, read_only=True) as kept:
            settings, self._parts = kept.meta("settings") or {}, kept.meta("parts") or {}
            identity = kept.identity
        runs = _runs(identity, self.experiment, self.tracking_uri)
        _open(runs, self.run_name or os.path.basename(self.path), settings)
        runs.write(_TOP, tags=_tags(None))
        return runs


def _given(store: Any, model: Any, example: Any) -> tuple[str, Any, Any]:
    """Return the path of a store, and the model to write with rows that it takes."""
    if not hasattr(store, "best_model"):
        if model is not None and example is None:
            raise InputError("a model needs example=, a few rows, to have a signature")
        return os.fspath(store), model, example
    path = store.details.store.path
    if path is None:
        raise InputError("this comparison has no store; call compare(..., store=) to export it")
    if model is None and store.refit is not None:
        model = store.best_model()
    if model is not None and example is None:
        if store.data is None:
            raise InputError("a model needs example=, a few rows, to have a signature")
        example = store.data().target.X[:_EXAMPLE]
    return path, model, example


def _runs(identity: str, experiment: str, tracking_uri: str | None) -> Runs:
    mlflow: Any = need("mlflow", "mlflow")
    if tracking_uri is not None:
        mlflow.set_tracking_uri(tracking_uri)
    place = mlflow.set_experiment(experiment).experiment_id
    return Runs(mlflow.MlflowClient(), need("mlflow.entities", "mlflow"), place, identity)


def _open(runs: Runs, name: str, settings: Mapping[str, Any]) -> None:
    runs.open(_TOP, name)
    runs.write(_TOP, params={key: short(value) for key, value in settings.items()})


def _candidate(runs: Runs, name: str, row: CandidateRow, trials: list[Any]) -> None:
    """Write one candidate: its settings and its figures."""
    runs.open(name, name, parent=_TOP)
    method = row.method or (trials[0]["method"] if trials else name)
    own = _settings(trials[0]) if trials else {}
    parts = _settings(trials[0], parts=True) if trials else {}
    params = own | parts | {"method": method, "estimator": row.estimator}
    failed = next((t["error"] for t in trials if t["error"]), None)
    status = row.status or ("done" if failed is None else "failed")
    tags = {"acclimate.status": status, "acclimate.reason": row.reason or failed}
    figures = {key: getattr(row, key) for key in _METRICS}
    runs.write(
        name, params={key: short(one) for key, one in params.items() if one is not None},
        metrics=_known(figures),
        tags={key: str(value) for key, value in tags.items() if value is not None},
    )  # fmt: skip


def _trial(runs: Runs, trial: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
    """Write one trial inside its candidate, unless it is there."""
    part = trial["key"]
    if runs.tags(part).get("acclimate.status") == trial["status"]:
        return
    repeat, folds = parts.get(str(trial["config"].get("answer")), (None, ()))
    held = ", ".join(map(str, folds)) or "none"
    name = trial["candidate"] if repeat is None else f"repeat {repeat}, fold {held}"
    runs.open(part, name, parent=trial["candidate"])
    params = _settings(trial) | {
        "method": trial["method"], "candidate": trial["candidate"], "fold": held,
        "repeat": "none" if repeat is None else str(repeat), "seed": trial["seed"],
    }  # fmt: skip
    peak = trial["peak_bytes"]
    figures = trial["scores"] | {
        "seconds": trial["seconds"], "peak_mb": None if peak is None else peak / 1e6,
    }  # fmt: skip
    tags = {"acclimate.status": trial["status"], "acclimate.reason": trial["error"]}
    runs.write(
        part, params={key: short(value) for key, value in params.items()},
        metrics=_known(figures), tags={key: one for key, one in tags.items() if one is not None},
    )  # fmt: skip
    runs.end(part, failed=trial["status"] != "done")


def _settings(trial: Mapping[str, Any], *, parts: bool = False) -> dict[str, Any]:
    """Return a method's own settings, or those of its parts: ``C`` of ``estimator.C``."""
    model = (trial["config"].get("candidate") or {}).get("model") or {}
    found: dict[str, Any] = {}
    for name, value in model.items():
        nested = isinstance(value, Mapping) and "class" in value
        if parts and nested:
            found |= {f"{name}.{key}": one for key, one in value.items() if key != "class"}
        elif not parts and name != "class":
            found[name] = str(value["class"]).rpartition(".")[2] if nested else value
    return found


def _known(figures: Mapping[str, Any]) -> dict[str, float]:
    return {key: float(value) for key, value in figures.items() if value is not None}


def _page(found: Compared) -> str:
    from acclimate.report.comparison_page import render_comparison

    return render_comparison(found)


def _tags(found: Compared | None) -> dict[str, str]:
    if found is None:
        return {"acclimate.finished": "false"}
    advice = found.recommendation
    return {
        "acclimate.finished": "true", "acclimate.action": str(advice.action),
        "acclimate.candidate": str(advice.candidate), "acclimate.sentence": found.sentence,
        "acclimate.version": str(found.version),
    }  # fmt: skip


def _gains(found: Compared | None) -> dict[str, float]:
    """Return gains over each reference with their ends, as metrics."""
    gains = {}
    for verdict in () if found is None else found.verdicts:
        ends = {"gain": verdict.gain, "low": verdict.low, "high": verdict.high}
        for key, value in ends.items():
            if value is not None:
                gains[f"{key}_against_{verdict.reference}"] = value
    return gains


def trusted_types(model: Adapter) -> list[str]:
    """Return the types in a fitted method that MLflow's default format has to be told to trust.

    Use it on a model of your own making, for
    ``mlflow.sklearn.log_model(model, name="model", skops_trusted_types=trusted_types(model))``.
    Do not use it on a file from elsewhere: then it would trust whatever is in there.

    Parameters
    ----------
    model : Adapter
        Fitted.

    Raises
    ------
    InputError
        It holds a network, which skops does not write. `export_mlflow` with ``model=`` does.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import CORAL, Domain
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> model = CORAL().fit(X, X[:, 0] > 0, target=Domain(X + 1))
    >>> trusted_types(model)[0]
    'acclimate.mapping.coral.CORAL'
    """
    from skops import io

    try:
        found: list[str] = io.get_untrusted_types(data=io.dumps(model))
    except Exception as error:
        raise InputError(
            f"{type(model).__name__} holds what skops does not write ({error}); use "
            f"export_mlflow(store, model=..., example=...)"
        ) from error
    return found
