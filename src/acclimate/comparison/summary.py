"""From what was found to one plain value, and the recommendation with its reason."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from acclimate._version import __version__
from acclimate.comparison import shown
from acclimate.comparison.candidates import SOURCE_ONLY, TARGET_ONLY, Candidate, Excluded
from acclimate.comparison.design import Design
from acclimate.comparison.labelled import Found
from acclimate.comparison.measures import pareto
from acclimate.comparison.problem import Problem
from acclimate.comparison.result import SCHEMA
from acclimate.comparison.trials.records import Result
from acclimate.comparison.trials.runner import Trials, versions_of
from acclimate.comparison.trials.store import SCHEMA as STORE_SCHEMA
from acclimate.comparison.unlabelled import Guess

Results = Mapping[str, Sequence[Result]]
_NOTHING: dict[str, Any] = {
    "score": None, "score_low": None, "score_high": None, "against_target_only": None,
    "against_source_only": None, "rank_score": None,
}  # fmt: skip


def from_labels(
    problem: Problem,
    candidates: Sequence[Candidate],
    excluded: Sequence[Excluded],
    design: Design,
    found: Found,
    results: Results,
    stopped: Mapping[str, str],
    trials: Trials,
) -> dict[str, Any]:
    """Return the details of a comparison with target labels."""
    cells = len(found.choices)
    shares = {
        c.name: sum(name == c.name for name in found.choices.values()) / cells for c in candidates
    }
    each = {name: _NOTHING | row for name, row in found.each.items()}
    advice = _advise(candidates, found)
    rows = _table(candidates, each, results, stopped, shares, advice["candidate"], TARGET_ONLY)
    against = found.against_target
    sentence = f"{_headline(advice)} {against.sentence('training on the target alone')}"
    if found.against_source is not None:
        word = found.against_source
        sentence += (
            f" Against the source model as it is: {word.word}, {100 * word.gain:+.1f} points."
        )
    sentence = " ".join([sentence, *(body["sentence"] for body in found.bodies)])
    return _details(
        problem, candidates, excluded, trials, stopped, advice, rows,
        estimate=False, sentence=sentence, reference=TARGET_ONLY,
        design={
            "folds": design.folds,
            "repeats": design.repeats,
            "choice": (
                f"In each of {design.folds} folds, {design.repeats} times, one candidate is picked "
                f"on scores inside the other folds, and judged on the fold."
            ),
            "interval": (
                "The variance over rows of one repeat, and a tenth more in 5 folds, with Student's "
                "quantile. It covers the draw of the labelled rows and takes no credit for repeats."
            ),
        },
        verdicts=found.verdicts,
        choices=[
            {"repeat": r, "fold": i, "candidate": name} for (r, i), name in found.choices.items()
        ],
        classes=found.classes, groups=found.groups, calibration=found.calibration,
        label_curve=found.curve, bodies=found.bodies, estimated=None, to_label=None,
        training=shown.shown_training(rows, results),
        features=shown.shown_pictures(rows, results, problem.name_of),
    )  # fmt: skip


def from_estimate(
    problem: Problem,
    candidates: Sequence[Candidate],
    excluded: Sequence[Excluded],
    guess: Guess,
    results: Results,
    stopped: Mapping[str, str],
    trials: Trials,
) -> dict[str, Any]:
    """Return the details of a comparison without target labels."""
    values = dict(zip(guess.ranking.names, guess.ranking.scores, strict=True))
    each = {name: _NOTHING | {"rank_score": value} for name, value in values.items()}
    best = next(c for c in candidates if c.name == guess.chosen)
    reference = next(c for c in candidates if c.name == guess.reference)
    transfer = guess.estimated["word"] == "helps"
    if transfer:
        reason = f"its estimated gain is beyond 95 % of the known errors of estimates; {_LABEL}"
    elif best.name == reference.name:
        reason = f"no candidate ranks above the source model as it is; {_LABEL}"
    else:
        reason = (
            f"{best.name} ranks first, but nothing shows without labels that it beats the source "
            f"model as it is; {_LABEL}"
        )
    advice = _recommendation("transfer" if transfer else "do not transfer",
                             best if transfer else reference, reason)  # fmt: skip
    shares = {c.name: float(c.name == best.name) for c in candidates}
    rows = _table(candidates, each, results, stopped, shares, advice["candidate"], SOURCE_ONLY)
    sentence = (
        f"{_headline(advice)} {guess.estimated['sentence']} Label {guess.to_label['rows']} rows "
        f"to know."
    )
    return _details(
        problem, candidates, excluded, trials, stopped, advice, rows,
        estimate=True, sentence=sentence, reference=SOURCE_ONLY,
        design={
            "folds": None, "repeats": None,
            "choice": "By validators that need no target labels, on held-out source rows and all "
            "target rows.",
            "interval": "The estimated gain, and what 95 % of such estimates were off by on shifts "
            "with known labels.",
        },
        verdicts=[], choices=[], classes=[], groups=[], calibration=[], label_curve=[],
        bodies=[], estimated=guess.estimated, to_label=guess.to_label,
        training=shown.shown_training(rows, results),
        features=shown.shown_pictures(rows, results, problem.name_of),
    )  # fmt: skip


_LABEL = "label the rows listed to be sure"


def _advise(candidates: Sequence[Candidate], found: Found) -> dict[str, Any]:
    """Recommend what was shown to help, or not to transfer."""
    chosen = next(c for c in candidates if c.name == found.chosen)
    target = _cheapest(candidates, TARGET_ONLY, found)
    said, source = found.against_target, found.against_source
    if said.word != "helps" or chosen.row.name == TARGET_ONLY:
        why = {
            "hurts": "what the folds picked is worse than training on the target alone",
            "makes no difference": "what the folds picked is as good as training on the target "
            "alone, and that is simpler",
        }.get(said.word, "nothing was shown to beat training on the target alone")
        if said.word == "not settled" and said.gain > 0 and chosen.row.name != TARGET_ONLY:
            why += f"; {chosen.name} is ahead, but more labels are needed to be sure"
        if said.word == "helps":
            why = "on all labels, training on the target alone is picked"
        return _recommendation("do not transfer", target, why)
    if source is not None and source.word == "hurts":
        plain = _cheapest(candidates, SOURCE_ONLY, found)
        return _recommendation(
            "transfer", plain,
            "the source model as it is beats what the folds picked, which beats training on the "
            "target alone",
        )  # fmt: skip
    why = "it was picked, and picking was shown to beat training on the target alone"
    if chosen.row.name != SOURCE_ONLY and source is not None and source.word != "helps":
        why += "; that it beats the source model as it is was not shown"
    return _recommendation("transfer", chosen, why)


def _cheapest(candidates: Sequence[Candidate], method: str, found: Found) -> Candidate:
    """Return the variant of a baseline with the best score."""
    mine = [c for c in candidates if c.row.name == method and c.name in found.each]
    return max(mine, key=lambda c: float(found.each[c.name]["score"]))


def _recommendation(action: str, candidate: Candidate, reason: str) -> dict[str, Any]:
    return {
        "action": action, "candidate": candidate.name, "method": candidate.row.name,
        "estimator": candidate.estimator, "reason": reason,
    }  # fmt: skip


def _headline(advice: Mapping[str, Any]) -> str:
    if advice["action"] == "transfer":
        return f"Use {advice['candidate']}."
    return f"Do not transfer: use {advice['candidate']}."


def _table(
    candidates: Sequence[Candidate],
    each: Mapping[str, Mapping[str, Any]],
    results: Results,
    stopped: Mapping[str, str],
    shares: Mapping[str, float],
    recommended: str,
    reference: str,
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for c in candidates:
        mine = results.get(c.name, [])
        failed = next((r.record for r in mine if not r.done), None)
        finished = c.name in each
        status = "done" if finished else "failed" if failed else "stopped"
        reason = None
        if not finished:
            reason = failed.error if failed else stopped.get(c.name, "it did not finish")
        seconds = [r.record.seconds for r in mine if r.record.seconds is not None]
        peaks = [r.record.peak_bytes for r in mine if r.record.peak_bytes is not None]
        rows.append(
            {
                "candidate": c.name, "method": c.row.name, "estimator": c.estimator,
                "family": c.row.family, "uses_target_labels": c.uses_labels, "status": status,
                "reason": reason,
            }
            | dict(each.get(c.name, _NOTHING))
            | {
                "seconds": float(np.median(seconds)) if seconds else None,
                "peak_mb": max(peaks) / 1e6 if peaks else None,
                "pareto": False,
                "chosen_share": shares[c.name],
                "recommended": c.name == recommended,
                "is_reference": c.row.name == reference,
            }
        )  # fmt: skip
    done = [row for row in rows if row["status"] == "done"]
    points = [  # the growth of a process is no finer than a megabyte
        (_order(row), float(row["seconds"] or 0.0), float(round(row["peak_mb"] or 0.0)))
        for row in done
    ]
    for row, best in zip(done, pareto(points), strict=True):
        row["pareto"] = best
    return sorted(rows, key=lambda row: (row["status"] != "done", -_order(row)))


def _order(row: Mapping[str, Any]) -> float:
    for name in ("score", "rank_score"):
        if row[name] is not None:
            return float(row[name])
    return -math.inf


def _details(
    problem: Problem,
    candidates: Sequence[Candidate],
    excluded: Sequence[Excluded],
    trials: Trials,
    stopped: Mapping[str, str],
    advice: dict[str, Any],
    rows: list[dict[str, Any]],
    **more: Any,
) -> dict[str, Any]:
    records = [result.record for result in trials.results.values()]
    limits = trials.limits
    details = {
        "schema": SCHEMA, "kind": "comparison", "version": __version__, "task": problem.task,
        "score": "R2" if problem.task == "regression" else "accuracy", "margin": problem.margin,
        "confidence": problem.confidence, "seed": trials.seed,
        "source": _side(problem, "source"), "target": _side(problem, "target"),
        "recommendation": advice,
        "table": rows,
        "pareto": [row["candidate"] for row in rows if row["pareto"]],
        "excluded": [{"method": one.method, "reason": one.reason} for one in excluded],
        "trials": {
            "planned": trials.planned, "done": sum(r.status == "done" for r in records),
            "failed": sum(r.status != "done" for r in records), "reused": trials.reused,
            "seconds": sum(r.seconds or 0.0 for r in records),
        },
        "budget": {
            "seconds": limits.seconds, "trials": limits.trials,
            "spent": limits.any and bool(stopped), "stopped": sorted(stopped),
        },
        "store": {"path": None, "schema": STORE_SCHEMA},
        "run": {
            "settings": trials.store.meta("settings"), "versions": _versions(candidates),
            "data": trials.data,
        },
    } | more  # fmt: skip
    plain: dict[str, Any] = json.loads(json.dumps(_finite(details), allow_nan=False))
    return plain


def _versions(candidates: Sequence[Candidate]) -> dict[str, str]:
    """Return the versions of all packages that any figure depends on."""
    found: dict[str, str] = {}
    for candidate in candidates:
        found |= versions_of(candidate)
    return found


def _side(problem: Problem, side: str) -> dict[str, Any]:
    X = problem.source_X if side == "source" else problem.target_X
    classify = problem.task == "classification"
    found: dict[str, Any] = {
        "name": problem.titles[side == "target"], "rows": int(X.shape[0]),
        "features": int(X.shape[1]) if len(X.shape) == 2 else None, "classes": None,
    }  # fmt: skip
    if side == "source":
        ids = problem.source_ids
        if classify:
            found["classes"] = [problem.name_of(c) for c in np.unique(problem.source_y).tolist()]
        return found | {"sources": 1 if ids is None else len(np.unique(ids))}
    counts = None
    if classify and problem.target_y is not None:
        values, numbers = np.unique(problem.target_y[problem.known], return_counts=True)
        titles = [problem.name_of(c) for c in values.tolist()]
        counts = dict(zip(titles, numbers.tolist(), strict=True))
        found["classes"] = titles
    return found | {"labelled": len(problem.known), "class_counts": counts}


def _finite(value: Any) -> Any:
    """Replace numbers that JSON cannot hold by None, and numpy's by Python's."""
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
