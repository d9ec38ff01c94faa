"""From what was found to one value, and the recommendation with its reason."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from acclimate._version import __version__
from acclimate.comparison import shown
from acclimate.comparison.bench import Bench
from acclimate.comparison.candidates import SOURCE_ONLY, TARGET_ONLY, Candidate, Excluded
from acclimate.comparison.judge import BEST
from acclimate.comparison.labelled import Found, WithLabels
from acclimate.comparison.measured import told
from acclimate.comparison.measures import pareto
from acclimate.comparison.trials.records import Result
from acclimate.comparison.trials.store import SCHEMA as STORE_SCHEMA
from acclimate.comparison.trials.versions import versions_of_all
from acclimate.comparison.tuned import CHOSEN_ALIKE, told_threshold
from acclimate.comparison.unlabelled import DEFAULTS, Guess, WithoutLabels, asked, why_default
from acclimate.comparison.weighed import COMMITTEE
from acclimate.judging.judged import Verdict
from acclimate.judging.paired import margin_of
from acclimate.report.compared import CandidateRow, Compared, Recommendation
from acclimate.report.compared_parts import (
    Budget,
    Choice,
    HowJudged,
    Member,
    NotTried,
    Run,
    StoreFile,
    TrialCounts,
)
from acclimate.report.wording import PLAIN_LABELS, gain, score, unit_of

Results = Mapping[str, Sequence[Result]]


def from_labels(bench: WithLabels, excluded: Sequence[Excluded], found: Found) -> Compared:
    """Return what a comparison found with target labels."""
    candidates, design, results = bench.candidates, bench.design, bench.results()
    cells = len(found.weights)
    shares = {
        c.name: sum(one.get(c.name, 0.0) for one in found.weights.values()) / cells
        for c in candidates
    }
    advice = _advise_committee(candidates, found) if found.members else _advise(candidates, found)
    rows = _table(bench, found.each, results, shares, advice, found.reference, found.constant)
    rows = tuple(
        replace(row, reason=f"it cannot say {', '.join(map(repr, found.mute[row.candidate]))}")
        if row.candidate in found.mute and row.status == "done" else row
        for row in rows
    )  # fmt: skip
    if found.members:
        rows = _with_committee(rows, found, advice)
    against = found.against[BEST] if found.members else found.against_reference
    said = against.sentence(_ALONE[found.reference], "what the folds picked")
    if found.members:
        said = against.sentence("the reference picked in each fold", "the committee")
    basis = _basis(bench, excluded, results, advice, rows)
    sentence = f"{advice.headline()}. {said}"
    used = found.each[str(advice.candidate)].score
    title = bench.problem.measure.title
    if used is not None and _behind(used, found.constant, title):
        where = "above" if unit_of(title).lower else "below"
        sentence += (
            f" {advice.candidate} scores {where} always {_constant(against)}: "
            f"{score(used, title, plain=True)} against {score(found.constant, title, plain=True)}."
        )
    if found.members and (alone := _not_beaten(found)):
        each = ", ".join(f"{name} ({_gained(found.against[name].gain, title)})" for name in alone)
        sentence += f" It is not shown to beat {each} alone."
    elif found.against_source not in (None, against) and not found.members:
        word = found.against_source
        size = "" if word.word == "the same model" else f", {_gained(word.gain, title)}"
        sentence += f" Against the source model as it is: {word.words}{size}."
    by_rows = bench.problem.metric is None or bench.problem.measure.by_rows
    sentence = " ".join([sentence, *(body.sentence for body in found.bodies)])
    if found.together is not None:
        more = _gained(found.together.gain, title)
        sentence += (
            f" One model was asked for: against what the folds picked, a committee of the "
            f"candidates {found.together.words} ({more})."
        )
    return replace(
        basis, estimate=False, sentence=sentence, reference=found.reference,
        **told(bench.problem, design),
        design=HowJudged(
            folds=design.folds,
            repeats=design.repeats,
            choice=(
                f"In each of {design.folds} folds, {design.repeats} times, "
                + ("the candidates are weighed" if found.members else "one candidate is picked")
                + " on scores inside the other folds, and judged on the fold."
                + (CHOSEN_ALIKE if bench.problem.tuned else "")
            ),
            interval=(
                "The variance over rows of one repeat, and a tenth more in 5 folds, with Student's "
                "quantile. It covers the draw of the labelled rows and takes no credit for repeats."
                + ("" if by_rows else f" The values are what each row contributes to {title}.")
            ),
        ),
        verdicts=found.verdicts,
        choices=tuple(
            Choice(r, i, max(one, key=one.__getitem__)) for (r, i), one in found.weights.items()
        ),
        members=tuple(
            Member(name, weight)
            for name, weight in sorted(found.members.items(), key=lambda pair: -pair[1])
        ),
        threshold=told_threshold(bench.problem, found.each[str(advice.candidate)]),
        classes=found.classes, groups=found.groups,
        constant=found.constant, answers=found.answers,
        calibration=found.calibration,
        label_curve=found.curve, bodies=found.bodies,
    )  # fmt: skip


def _behind(score: float, other: float, title: str) -> bool:
    return score > other if unit_of(title).lower else score < other


def _gained(value: float, title: str) -> str:
    """Write a gain with its unit; of accuracy and R2 in plain points."""
    unit = unit_of(title)
    return f"{gain(value, title, plain=True)} {'points' if unit.kind != 'plain' else unit.words}"


def from_estimate(bench: WithoutLabels, excluded: Sequence[Excluded], guess: Guess) -> Compared:
    """Return what a comparison found without target labels."""
    candidates, results = bench.candidates, bench.results()
    values = dict(zip(guess.ranking.names, guess.ranking.scores, strict=True))
    each = {name: CandidateRow(name, rank_score=value) for name, value in values.items()}
    best = next(c for c in candidates if c.name == guess.chosen)
    reference = next(c for c in candidates if c.name == guess.reference)
    together = best.name in DEFAULTS
    if together:
        reason = f"{why_default(bench)}; {_LABEL}"
    elif best.name == reference.name:
        reason = f"no candidate ranks above the source model as it is; {_LABEL}"
    else:
        reason = (
            f"{best.name} ranks first, but no ranking without labels shows that it beats the "
            f"source model as it is; {_LABEL}"
        )
    unweighed = ""
    if (bench.trials.store.meta("settings") or {}).get("committee") and not together:
        unweighed = "without target labels nothing can be weighed, so there is no committee"
        reason = f"{unweighed}; {reason}"
    used = best if together else reference
    action = "not settled" if together else "do not transfer"
    advice = _recommendation(action, used, reason)
    shares = {c.name: float(c.name == best.name) for c in candidates}
    rows = _table(bench, each, results, shares, advice, SOURCE_ONLY)
    told = [
        f"{advice.headline()}.", *([f"{unweighed.capitalize()}."] if unweighed else []),
        *asked(bench), guess.estimated.sentence, PLAIN_LABELS,
    ]  # fmt: skip
    return replace(
        _basis(bench, excluded, results, advice, rows),
        estimate=True, sentence=" ".join(told), reference=SOURCE_ONLY,
        design=HowJudged(
            choice="By validators that need no target labels, on held-out source rows and all "
            "target rows.",
            interval=f"The estimated gain, and what {100 * bench.problem.confidence:g} % of such "
            f"estimates were off by at most on shifts with known labels.",
        ),
        estimated=guess.estimated,
        to_label=guess.to_label,
    )  # fmt: skip


_LABEL = "a few labels tell"
_ALONE = {
    TARGET_ONLY: "training on the target alone", SOURCE_ONLY: "the source model as it is",
}  # fmt: skip


def _constant(said: Verdict) -> str:
    """Return what the constant answer says."""
    if said.constant is None:
        return "saying the same"
    return f"saying {said.constant.told}"


def _advise(candidates: Sequence[Candidate], found: Found) -> Recommendation:
    """Recommend what was shown to help, or the best reference."""
    chosen = next(c for c in candidates if c.name == found.chosen)
    said, source = found.against_reference, found.against_source
    alone = _ALONE[found.reference]
    if said.word != "helps" or chosen.row.name == found.reference:
        why = {
            "hurts": f"what the folds picked is worse than {alone}",
            "makes no difference": f"what the folds picked is as good as {alone}, and that is "
            f"simpler",
            "the same model": f"in every fold {alone} was picked itself",
        }.get(said.word, f"nothing was shown to beat {alone}")
        if said.word == "not settled" and said.gain > 0 and chosen.row.name != found.reference:
            why += f"; {chosen.name} is ahead, but more labels are needed to be sure"
        if said.word == "helps":
            why = f"on all labels, {alone} is picked"
        return _fall_back(candidates, found, why)
    if source is not None and source.word == "hurts":
        plain = _cheapest(candidates, SOURCE_ONLY, found)
        return _recommendation(
            "transfer", plain,
            "the source model as it is beats what the folds picked, which beats training on the "
            "target alone",
        )  # fmt: skip
    why = "it was picked, and picking was shown to beat training on the target alone"
    why += f", {said.but}" if said.but else ""
    if source is not None and source.word not in ("helps", "the same model"):
        why += "; that it beats the source model as it is was not shown"
    return _recommendation("transfer", chosen, why)


def _fall_back(candidates: Sequence[Candidate], found: Found, why: str) -> Recommendation:
    """Recommend the reference with the best score, by its name."""
    used = next(c for c in candidates if c.name == found.fallback)
    if used.row.name == TARGET_ONLY:
        return _recommendation("do not transfer", used, why)
    lost = [name for one, names in found.mute.items() for name in names
            if next(c for c in candidates if c.name == one).row.name == TARGET_ONLY]  # fmt: skip
    if lost:
        why += (
            f"; {TARGET_ONLY} cannot say {', '.join(map(repr, dict.fromkeys(lost)))}, of which no "
            f"target row is labelled, and the source model can"
        )
    elif used.row.name != found.reference:
        why += f"; of the references {used.name} has the best score"
    over = found.each[used.name].against_target_only
    shown = bool(lost) or (over is not None and over.word == "helps")
    return _recommendation("transfer" if shown else "not settled", used, why)


def _advise_committee(candidates: Sequence[Candidate], found: Found) -> Recommendation:
    """Recommend the committee, unless a reference is shown to be ahead of it.

    Where that is not settled, the reference of the better score is more often the worse choice.
    """
    best = found.against[BEST]
    who = f"the best of {', '.join(name for name in found.against if name != BEST)}"
    ahead = best.word == "hurts"
    beaten = [name for name, one in found.against.items() if one.word == "hurts" and name != BEST]
    if ahead or beaten:
        return _fall_back(
            candidates, found,
            f"the committee of all candidates is behind {who if ahead else ', '.join(beaten)}",
        )  # fmt: skip
    members = [c for c in candidates if c.name in found.members]
    many = len(members) > 1
    answer = f"{len(members)} candidates answer together" if many else "it has all of the weight"
    alone = ", ".join(_not_beaten(found))
    reason = {
        "helps": f"{answer}; weighing was shown to beat picking {who}"
        + (f", but not {alone} alone" if alone else " and each of these")
        + (f"; it {best.but.removeprefix('and ')}" if best.but else ""),
        "makes no difference": f"{answer}, and weighing is as good as {who}",
        "the same model": f"{answer}, and it is itself {who}",
    }.get(best.word, f"{answer}; whether weighing beats picking {who} is not settled")
    action = "transfer" if best.word == "helps" and not alone else "not settled"
    if all(c.row.name == TARGET_ONLY for c in members):
        action = "do not transfer"
    if not many:
        return _recommendation(action, members[0], reason)
    return Recommendation(action, COMMITTEE, COMMITTEE, None, reason)


def _not_beaten(found: Found) -> list[str]:
    """Return the single references that the committee is not shown to beat."""
    known = ("helps", "the same model")
    return [name for name, one in found.against.items() if name != BEST and one.word not in known]


def _with_committee(
    rows: tuple[CandidateRow, ...], found: Found, advice: Recommendation
) -> tuple[CandidateRow, ...]:
    """Return the table with a row of the committee, in its place."""
    cost = {row.candidate: (row.seconds or 0.0, row.peak_mb or 0.0) for row in rows}
    own = replace(
        found.each[COMMITTEE], candidate=COMMITTEE, method=COMMITTEE,
        family="transfer", uses_target_labels=True, status="done", chosen_share=1.0,
        seconds=sum(cost[name][0] for name in found.members),
        peak_mb=max(cost[name][1] for name in found.members),
        recommended=advice.candidate == COMMITTEE,
    )  # fmt: skip
    lower = unit_of(found.against_reference.score).lower
    return tuple(sorted([own, *rows], key=lambda row: (row.status != "done", -_order(row, lower))))


def _cheapest(candidates: Sequence[Candidate], method: str, found: Found) -> Candidate:
    """Return the variant of a baseline with the best score."""
    mine = [c for c in candidates if c.row.name == method and c.name in found.each]
    lower = unit_of(found.against_reference.score).lower
    return max(mine, key=lambda c: _order(found.each[c.name], lower))


def _recommendation(action: str, candidate: Candidate, reason: str) -> Recommendation:
    return Recommendation(action, candidate.name, candidate.row.name, candidate.estimator, reason)


def _table(
    bench: Bench,
    each: Mapping[str, CandidateRow],
    results: Results,
    shares: Mapping[str, float],
    advice: Recommendation,
    reference: str,
    constant: float | None = None,
) -> tuple[CandidateRow, ...]:
    """Return one row a candidate, the best first; ``each`` has the scores of the finished.

    Nothing is among what nothing beats that scores no better than always the same answer.
    """
    rows, metric = [], bench.problem.measure
    for c in bench.candidates:
        mine = results.get(c.name, [])
        failed = next((r.record for r in mine if not r.done), None)
        finished = c.name in each
        reason = None
        if not finished:
            reason = failed.error if failed else bench.stopped.get(c.name, "it did not finish")
            if metric.proba and not failed and mine and c.name not in bench.stopped:
                reason = f"it gives no probabilities, which {metric.title} needs"
        seconds = [r.record.seconds for r in mine if r.record.seconds is not None]
        peaks = [r.record.peak_bytes for r in mine if r.record.peak_bytes is not None]
        scores = each.get(c.name, CandidateRow())
        rows.append(
            replace(
                scores, candidate=c.name, method=c.row.name, estimator=c.estimator,
                family=c.row.family, uses_target_labels=c.uses_labels,
                status="done" if finished else "failed" if failed else "stopped", reason=reason,
                seconds=float(np.median(seconds)) if seconds else None,
                peak_mb=max(peaks) / 1e6 if peaks else None, chosen_share=shares[c.name],
                recommended=c.name == advice.candidate, is_reference=c.row.name == reference,
            )
        )  # fmt: skip
    done = [row for row in rows if row.status == "done"]
    points = [  # the growth of a process is no finer than a megabyte
        (_order(row, not metric.higher), row.seconds or 0.0, float(round(row.peak_mb or 0.0)))
        for row in done
    ]
    points += [] if constant is None else [(constant * metric.sign, 0.0, 0.0)]
    best = {row.candidate for row, one in zip(done, pareto(points), strict=False) if one}
    rows = [replace(row, pareto=row.candidate in best) for row in rows]
    lower = not metric.higher
    return tuple(sorted(rows, key=lambda row: (row.status != "done", -_order(row, lower))))


def _order(row: CandidateRow, lower: bool) -> float:
    """Return what is better the higher it is."""
    value = row.rank_score if row.score is None else -row.score if lower else row.score
    return -math.inf if value is None else value


def _basis(
    bench: Bench,
    excluded: Sequence[Excluded],
    results: Results,
    advice: Recommendation,
    rows: tuple[CandidateRow, ...],
) -> Compared:
    """Return what does not depend on labels."""
    problem, trials = bench.problem, bench.trials
    records = [result.record for result in trials.results.values()]
    limits = trials.limits
    return Compared(
        version=__version__, task=problem.task, task_reason=problem.why,
        score=problem.measure.title,
        margin=margin_of(problem.measure, problem.margin, problem.known_labels)
        if problem.labelled else problem.margin,
        confidence=problem.confidence, seed=trials.seed,
        source=shown.domain_facts(problem, "source"), target=shown.domain_facts(problem, "target"),
        recommendation=advice, table=rows,
        pareto=tuple(row.candidate for row in rows if row.pareto),
        excluded=tuple(NotTried(one.method, one.reason) for one in excluded),
        trials=TrialCounts(
            trials.planned, sum(r.status == "done" for r in records),
            sum(r.status != "done" for r in records), trials.reused,
            sum(r.seconds or 0.0 for r in records),
        ),
        budget=Budget(
            limits.seconds, limits.trials, limits.any and bool(bench.stopped),
            tuple(sorted(bench.stopped)),
        ),
        store=StoreFile(None, STORE_SCHEMA),
        run=Run(trials.store.meta("settings"), versions_of_all(bench.candidates), trials.data),
        training=shown.shown_training(rows, results),
        features=shown.shown_pictures(rows, results, problem.name_of),
    )  # fmt: skip
