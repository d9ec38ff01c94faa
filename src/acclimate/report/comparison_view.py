"""What a terminal and a notebook show of a comparison: the advice, the evidence, the candidates."""

from __future__ import annotations

from acclimate.report.answer_view import answer_tables
from acclimate.report.compared import CandidateRow, Compared
from acclimate.report.compared_parts import Estimated, Gain, Judged
from acclimate.report.view import Cell, Line, Several, Table, View
from acclimate.report.wording import (
    duration,
    gain_range,
    memory,
    percent,
    points,
    score,
    score_range,
    sentence,
)

_NAMED = 10  # rows to label that are written out
_REFERENCES = {"TargetOnly": "vs target", "SourceOnly": "vs source"}


def comparison_view(found: Compared, *, answers: bool = False) -> View:
    """Return what to do, why, and the candidates, as a terminal and a notebook show them.

    Parameters
    ----------
    found : Compared
    answers : bool, default=False
        Also what the answers look like: for a notebook, which folds tables away.
    """
    advice = found.recommendation
    if found.unfinished:
        first = Line(f" {found.unfinished}", "not settled", "Not the whole run.", strong=True)
    else:
        first = Line(advice.headline(), strong=True)
    gains = found.gains()
    parts: list[Line | Several | Table] = [first]
    parts += [_gain_line(one, found.against(one)) for one in gains]
    parts += [Line(f"{sentence(advice.reason)}.")] if advice.reason else []
    if found.guessed_task:
        parts.append(Line(f"Taken as a {found.guessed_task}; task= or --task says otherwise."))
    harmed = [h for one in gains[:1] if isinstance(one, Judged) for h in one.harmed_classes]
    parts += _several("classes", [
        Line(f": {h.name}, {points(-h.fall, plain=True)} points of recall.", "hurts", "loses")
        for h in harmed
    ])  # fmt: skip
    parts += _several("networks", [Line(body.sentence) for body in found.bodies])
    done = [row for row in found.table if row.status == "done"]
    done.sort(key=lambda row: row.method != "Committee")  # what is recommended is not cut off
    if done:
        parts.append(_table(found, done))
        but = {gain.but for row in done for who in _REFERENCES if (gain := row.against(who))} - {""}
        parts += _several("that are no better than a constant", [
            Line(f"* helps, {one}") for one in sorted(but)
        ])  # fmt: skip
    parts += [_members(found)] if found.answers_together else []
    best = [row for row in found.table if row.pareto]
    if len(best) > 1:
        parts.append(_not_beaten(found, best))
    parts += [_groups(found)] if found.groups else []
    parts += answer_tables(found) if answers else []
    parts += _several("that did not finish", [
        Line(f"{row.status.capitalize()}: {row.candidate}. {_one_line(row.reason)}")
        for row in found.table if row.status != "done"
    ])  # fmt: skip
    label = found.to_label
    if label is not None:
        how, names = label.called()
        more = ", ..." if len(names) > _NAMED else ""
        told = f"Label {label.rows} rows first, {how}: {', '.join(names[:_NAMED])}{more}"
        parts.append(Line(told))
    return View(tuple(parts), "acclimate compare")


def _several(kind: str, lines: list[Line]) -> list[Line | Several | Table]:
    return [Several(tuple(lines), kind)] if lines else []


def _one_line(reason: str | None) -> str:
    return " ".join((reason or "").split())[:120]


def _gain_line(gain: Judged | Estimated, reference: str) -> Line:
    if gain.word == "the same model":
        return Line(f" as {reference}: there is nothing to compare", gain.word)
    told = f" against {reference}"
    if gain.gain is not None:
        told += f": {points(gain.gain, plain=True)} points"
        between = gain_range(gain.low, gain.high, plain=True)
        told += f" ({between})" if between else ""
    if isinstance(gain, Estimated):
        told += ", an estimate without labels"
    return Line(told, gain.word, gain.words)


def _name(row: CandidateRow) -> Cell:
    return Cell(row.candidate, strong=row.recommended)


def _score(row: CandidateRow, unit: str) -> Cell:
    value = row.rank_score if unit == "validator" else row.score
    return Cell("" if value is None else score(value, unit, plain=True), key=value)


def _gain(gain: Gain | None) -> Cell:
    if gain is None:
        return Cell("")
    ends = None
    if gain.gain is not None and gain.low is not None and gain.high is not None:
        ends = (gain.gain, gain.low, gain.high)
    told = "" if gain.gain is None else points(gain.gain, plain=True) + "*" * bool(gain.but)
    return Cell(told, gain.word, key=gain.gain, ends=ends)


def _unit(found: Compared) -> str:
    scored = any(row.score is not None for row in found.table)
    return found.score if scored else "validator"


def _table(found: Compared, done: list[CandidateRow]) -> Table:
    unit = _unit(found)
    ranged = any(row.score_low is not None for row in found.table)
    judged = [who for who in _REFERENCES if any(row.against(who) for row in found.table)]
    heads = ["candidate", f">{unit}", *(["interval"] if ranged else [])]
    heads += [f">{_REFERENCES[who]}" for who in judged]
    rows = []
    for row in done:
        between = score_range(row.score_low, row.score_high, unit, plain=True)
        rows.append((
            _name(row), _score(row, unit), *([Cell(between.removesuffix(" %"))] if ranged else []),
            *(_gain(row.against(who)) for who in judged),
            Cell(duration(row.seconds), key=row.seconds),
        ))  # fmt: skip
    return Table((*heads, ">time"), tuple(rows), kind="candidates")


def _members(found: Compared) -> Table:
    """Return who answers in the committee, the heaviest first."""
    rows = tuple(
        (Cell(one.candidate), Cell(percent(one.weight, 0), key=one.weight)) for one in found.members
    )
    return Table(("member", ">weight"), rows, "Together they are the committee:", "members")


def _not_beaten(found: Compared, best: list[CandidateRow]) -> Table:
    """Return the candidates that nothing beats in score, time and memory at once."""
    unit = _unit(found)
    rows = tuple(
        (
            _name(row), _score(row, unit), Cell(duration(row.seconds), key=row.seconds),
            Cell(memory(row.peak_mb), key=row.peak_mb),
        )
        for row in best
    )  # fmt: skip
    same = ""
    if found.constant is not None:
        same = f", nor by always the same answer ({score(found.constant, unit, plain=True)})"
    return Table(
        ("candidate", f">{unit}", ">time", ">memory"), rows,
        f"Not beaten in {unit}, time and memory at once{same}:", "candidates",
    )  # fmt: skip


def _groups(found: Compared) -> Table:
    """Return the score of each group, those that lose first."""
    rows = tuple(
        (
            Cell(part.name), Cell(f"{part.rows or 0:,}", key=part.rows),
            Cell(score(part.reference, found.score, plain=True), key=part.reference),
            Cell(score(part.candidate, found.score, plain=True), key=part.candidate),
            _gain(Gain(part.word, part.gain, part.low, part.high)),
            Cell(gain_range(part.low, part.high, plain=True)),
        )
        for part in sorted(found.groups, key=lambda part: (not part.harmed, part.gain or 0.0))
    )  # fmt: skip
    title = f"By group, what the folds picked against {found.reference}, in points:"
    heads = ("group", ">rows", ">reference", ">picked", ">gain", ">interval")
    return Table(heads, rows, title, "groups")
