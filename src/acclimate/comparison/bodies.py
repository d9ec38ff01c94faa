"""Is the body of the source network worth anything here? A probe of it, beside random bodies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.candidates import SOURCE_ONLY, Candidate
from acclimate.comparison.problem import Problem
from acclimate.selection.intervals import nadeau_bengio_interval

if TYPE_CHECKING:
    from acclimate.comparison.trials import Job, Trials


def jobs_of(trials: Trials, problem: Problem, candidates: Sequence[Candidate]) -> dict[str, Job]:
    """Return a trial for each source network, by candidate: probe its body on the labelled rows.

    A trial of its own, so that the answers of the source model serve a run with other labels.
    """
    if problem.target_y is None:
        return {}
    labels = problem.target_y[problem.known]
    return {
        c.name: trials.job(c, probe=problem.known, labels=labels, names=problem.names)
        for c in candidates
        if c.row.name == SOURCE_ONLY and c.dear
    }


def judge(
    trials: Trials, jobs: Mapping[str, Job], task: str, confidence: float
) -> list[dict[str, Any]]:
    """Return what each source network's body is worth beside random ones.

    Parameters
    ----------
    trials : Trials
        Have run the jobs.
    jobs : mapping from str to Job
        From `jobs_of`.
    task : {"classification", "regression"}
    confidence : float
        Of the interval, which is that of `nadeau_bengio_interval` on the paired folds.
    """
    found = []
    for name, job in jobs.items():
        result = trials.results.get(job.spec.key)
        if result is None or not result.done:
            continue
        probe, random = result.arrays["probe"], result.arrays["random"].mean(axis=0)
        train, test, rows, width = (int(one) for one in result.arrays["sizes"])
        gain, low, high = nadeau_bengio_interval(probe - random, train, test, confidence)
        row: dict[str, Any] = {
            "candidate": name, "probe": float(probe.mean()), "random": float(random.mean()),
            "gain": gain, "low": low, "high": high, "useless": bool(low <= 0), "rows": rows,
            "width": width,
        }  # fmt: skip
        found.append(row | {"sentence": _sentence(row, task, several=len(jobs) > 1)})
    return found


def _sentence(row: Mapping[str, Any], task: str, several: bool) -> str:
    who = f"{row['candidate']}'s network" if several else "the source network"
    unit = "%" if task == "classification" else "points of R2"
    against = f"{100 * row['probe']:.1f} against {100 * row['random']:.1f} {unit}"
    if not row["useless"]:
        return (
            f"The body of {who} probes better than a random one ({against}): it knows something "
            f"about the target."
        )
    worth = "is not seen to probe better" if row["gain"] > 0 else "probes no better"
    return (
        f"The body of {who} {worth} than a random one ({against}): nothing that it learned is seen "
        f"to help."
    )


def table(model: Any, X: Any, y: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Probe the body of a fitted source model and random bodies, on the same folds.

    Parameters
    ----------
    model : Adapter
        Fitted with a network. Its seed is that of sample, folds and random bodies.
    X, y : array-like of shape (m, ...), ndarray of shape (m,)
        Labelled target rows. Of more than 2000, 2000 are taken, by their values.

    Returns
    -------
    dict
        ``probe`` of shape (F,) and ``random`` of shape (3, F), the scores of F folds; ``sizes``:
        training and test rows of a fold, rows, features.
    """
    from acclimate.folds import row_keys
    from acclimate.selection.encoding import sampling_order
    from acclimate.selection.probes import linear_probe, probe_folds
    from acclimate.selection.ranked import FOLDS, RANDOM_BODIES, REPEATS, ROWS
    from acclimate.transfer import bodies

    seed = model.seed_
    task = "regression" if model._regression() else "classification"
    X = X if model.preprocess_ is None else model.preprocess_.transform(X)
    inputs = np.asarray(model.source_model_.numbers(X))
    keys = row_keys(inputs.reshape(len(inputs), -1), seed)
    kept = sampling_order(keys)[:ROWS]
    inputs, keys, y = inputs[kept], keys[kept], y[kept]
    parts = probe_folds(keys, y, task, FOLDS, REPEATS, seed)
    network = model.source_model_.network_

    def probe(module: Any) -> Any:
        return linear_probe(bodies.body_features(module, inputs), y, task=task, parts=parts)

    own = probe(network)
    twins = [bodies.random_twin(network, seed + 1 + i) for i in range(RANDOM_BODIES)]
    width = bodies.body_features(network, inputs[:1]).shape[1]
    return {
        "probe": np.array(own.folds),
        "random": np.array([probe(twin).folds for twin in twins]),
        "sizes": np.array([own.n_train, own.n_test, len(y), width]),
    }
