"""Comparisons in MLflow, for teams that keep their runs there."""

from __future__ import annotations

import json
import os
from typing import Any

from acclimate.comparison.trials.store import Store
from acclimate.exceptions import InputError
from acclimate.extras import need
from acclimate.report.compared import CandidateRow, Compared

_LONGEST = 500  # characters that MLflow takes for a parameter in every version
_METRICS = ("score", "score_low", "score_high", "rank_score", "seconds", "peak_mb", "chosen_share",
            "balanced_accuracy", "auc")  # fmt: skip


def export_mlflow(
    store: str | os.PathLike[str],
    *,
    experiment: str = "acclimate",
    tracking_uri: str | None = None,
    run_name: str | None = None,
) -> str:
    """Write a store of `compare` into MLflow: one run, and one nested run for each candidate.

    Use it where others look at runs in MLflow. The store stays the record: a comparison cannot be
    gone on with from MLflow.

    The run has the settings as parameters, the recommendation and its sentence as tags, the gains
    with their intervals as metrics, and the whole result as ``comparison.json``. A candidate's run
    has its scores and costs. A comparison that has not finished has its trials only.

    Parameters
    ----------
    store : path-like
        The file that `compare` wrote.
    experiment : str, default="acclimate"
        Name of the experiment in MLflow.
    tracking_uri : str, default=None
        Where MLflow keeps runs. None leaves it as MLflow is set.
    run_name : str, default=None
        Name of the run. None means the name of the file.

    Returns
    -------
    str
        Identifier of the run.

    Raises
    ------
    MissingExtraError
        MLflow is not installed; the message has the command.
    InputError
        There is no store, or it is empty.
    """
    path = os.fspath(store)
    with Store(path, read_only=True) as kept:
        trials, settings = kept.table(), kept.meta("settings") or {}
        written = kept.meta("comparison")
    if not trials:
        raise InputError(f"the store {path!r} has no trials yet; run compare first")
    found = None if written is None else Compared.from_dict(written)
    mlflow: Any = need("mlflow", "mlflow")
    if tracking_uri is not None:
        mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_experiment(experiment)
    with mlflow.start_run(run_name=run_name or os.path.basename(path)) as run:
        mlflow.log_params({name: _short(value) for name, value in settings.items()})
        mlflow.set_tags({"acclimate.data": trials[-1]["data"]} | _tags(found))
        mlflow.log_metrics(_gains(found) | {"trials": float(len(trials))})
        if found is not None:
            mlflow.log_dict(found.to_dict(), "comparison.json")
        rows = {row.candidate: row for row in (() if found is None else found.table)}
        for name in dict.fromkeys([*rows, *(trial["candidate"] for trial in trials)]):
            own = [trial for trial in trials if trial["candidate"] == name]
            _candidate(mlflow, name, rows.get(name, CandidateRow()), own)
        return str(run.info.run_id)


def _candidate(mlflow: Any, name: str, row: CandidateRow, trials: list[Any]) -> None:
    """Write one candidate: its figures, and its trials as steps."""
    with mlflow.start_run(run_name=name, nested=True):
        method = row.method or (trials[0]["method"] if trials else name)
        mlflow.log_params({"method": method, "estimator": _short(row.estimator)})
        failed = next((t["error"] for t in trials if t["error"]), None)
        status = row.status or ("done" if failed is None else "failed")
        tags = {"acclimate.status": status, "acclimate.reason": row.reason or failed}
        mlflow.set_tags({key: str(value) for key, value in tags.items() if value is not None})
        figures = {key: getattr(row, key) for key in _METRICS}
        mlflow.log_metrics({key: float(v) for key, v in figures.items() if v is not None})
        for step, trial in enumerate(trials):
            values = {f"trial_{k}": v for k, v in trial["scores"].items() if v is not None}
            if trial["seconds"] is not None:
                values["trial_seconds"] = trial["seconds"]
            if values:
                mlflow.log_metrics({k: float(v) for k, v in values.items()}, step=step)


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


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
