"""Is the body of the source network worth anything here? A probe of it, beside random bodies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from acclimate.comparison.bench import Bench
from acclimate.comparison.candidates import SOURCE_ONLY, Candidate
from acclimate.comparison.design import Design
from acclimate.comparison.trials.records import Job
from acclimate.comparison.trials.runner import Trials
from acclimate.judging.intervals import nadeau_bengio_interval
from acclimate.report.compared_parts import BodyProbed


def jobs_of(trials: Trials, candidates: Sequence[Candidate], design: Design) -> dict[str, Job]:
    """Return a trial for each source network, by candidate: probe its body on the labelled rows.

    A trial of its own, so that the answers of the source model serve a run with other labels.
    """
    return {
        c.name: trials.job(c, probe=design.known, labels=design.labels)
        for c in candidates
        if c.row.name == SOURCE_ONLY and c.dear
    }


def judge(bench: Bench, jobs: Mapping[str, Job]) -> tuple[BodyProbed, ...]:
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
        scores = float(probe.mean()), float(random.mean())
        useless = bool(low <= 0)
        who = f"{name}'s network" if len(jobs) > 1 else "the source network"
        words = _sentence(who, *scores, gain, useless, bench.problem.task)
        found.append(BodyProbed(name, *scores, gain, low, high, useless, rows, width, words))
    return tuple(found)


def _sentence(who: str, probe: float, random: float, gain: float, useless: bool, task: str) -> str:
    unit = "%" if task == "classification" else "points of R2"
    against = f"{100 * probe:.1f} against {100 * random:.1f} {unit}"
    if not useless:
        return (
            f"The body of {who} probes better than a random one ({against}): it knows something "
            f"about the target."
        )
    worth = "is not seen to probe better" if gain > 0 else "probes no better"
    return (
        f"The body of {who} {worth} than a random one ({against}): nothing that it learned is seen "
        f"to help."
    )
