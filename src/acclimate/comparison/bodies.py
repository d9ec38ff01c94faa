"""Is the body of the source network worth anything here? A probe of it, beside random bodies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from acclimate.comparison.bench import Bench
from acclimate.comparison.candidates import SOURCE_ONLY, Candidate
from acclimate.comparison.design import Design
from acclimate.comparison.trials.records import Job
from acclimate.comparison.trials.runner import Trials
from acclimate.judging.intervals import nadeau_bengio_interval


def jobs_of(trials: Trials, candidates: Sequence[Candidate], design: Design) -> dict[str, Job]:
    """Return a trial for each source network, by candidate: probe its body on the labelled rows.

    A trial of its own, so that the answers of the source model serve a run with other labels.
    """
    return {
        c.name: trials.job(c, probe=design.known, labels=design.labels)
        for c in candidates
        if c.row.name == SOURCE_ONLY and c.dear
    }


def judge(bench: Bench, jobs: Mapping[str, Job]) -> list[dict[str, Any]]:
    """Return what each source network's body is worth beside random ones.

    Parameters
    ----------
    bench : Bench
        Has run the jobs. The interval is that of `nadeau_bengio_interval` on the paired folds.
    jobs : mapping from str to Job
        From `jobs_of`.
    """
    found = []
    for name, job in jobs.items():
        arrays = bench.arrays(job)
        if arrays is None:
            continue
        probe, random = arrays["probe"], arrays["random"].mean(axis=0)
        train, test, rows, width = (int(one) for one in arrays["sizes"])
        confidence = bench.problem.confidence
        gain, low, high = nadeau_bengio_interval(probe - random, train, test, confidence)
        row: dict[str, Any] = {
            "candidate": name, "probe": float(probe.mean()), "random": float(random.mean()),
            "gain": gain, "low": low, "high": high, "useless": bool(low <= 0), "rows": rows,
            "width": width,
        }  # fmt: skip
        sentence = _sentence(row, bench.problem.task, several=len(jobs) > 1)
        found.append(row | {"sentence": sentence})
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
