"""What a terminal and a notebook show of a comparison: the advice, the evidence, the candidates."""

from __future__ import annotations

from acclimate.report.answer_view import answer_tables
from acclimate.report.compared import CandidateRow, Compared
from acclimate.report.compared_parts import Estimated, Gain, Judged
from acclimate.report.view import Cell, Line, Several, Table, View
from acclimate.report.wording import (
    PLAIN_LABELS,
    duration,
    gain,
    gain_range,
    memory,
    percent,
    points,
    score,
    score_range,
    sentence,
    unit_of,
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
        within = f" ({found.within})" if found.within else ""
        first = Line(f"{advice.headline()}{within}", strong=True)
    gains = found.gains()
    parts: list[Line | Several | Table] = [first]
    parts += [_gain_line(one, found.against(one), found.score) for one in gains]
    parts += [Line(f"{sentence(advice.reason)}.")] if advice.reason else []
    if found.guessed_task:
        parts.append(Line(f"Taken as a {found.guessed_task}; task= or --task says otherwise."))
    parts += [Line(f"{sentence(note)}.") for note in found.notes]
    harmed = [h for one in gains[:1] if isinstance(one, Judged) for h in one.harmed_classes]
    parts += _several("classes", [
        Line(f": {h.name}, {points(-h.fall, plain=True)} points of recall.", "hurts", "loses")
        for h in harmed
    ])  # fmt: skip
    parts += _several("networks", [Line(body.sentence) for body in found.bodies])
    done = [row for row in found.table if row.status == "done"]
    if any(row.method == "Committee" for row in done):  # it and what is recommended are not cut off
        done.sort(key=lambda row: (row.method != "Committee", not row.recommended))
    if done:
        parts.append(_table(found, done))
        but = {gain.but for row in done for who in _REFERENCES if (gain := row.against(who))} - {""}
        parts += _several("that are no better than a constant", [
            Line(f"* helps, {one}") for one in sorted(but)
        ])  # fmt: skip
    parts += [_members(found)] if found.answers_together else []
    parts += [_beside(done)] if any(row.balanced_accuracy is not None for row in done) else []
    best = [row for row in found.table if row.pareto]
    if len(best) > 1:
        parts.append(_not_beaten(found, best))
    parts += [_groups(found)] if found.groups else []
    parts += answer_tables(found) if answers else []
    parts += _several("reasons why candidates did not finish", _unfinished(found))
    label = found.to_label
    if label is not None:
        how, names = label.called()
        more = ", ..." if len(names) > _NAMED else ""
        parts.append(Line(PLAIN_LABELS))
        told = (
            f"To settle {' against '.join(label.candidates) or 'that pair'} alone, label "
            f"{label.rows} rows on which they disagree, {how}: {', '.join(names[:_NAMED])}{more}"
        )
        parts.append(Line(told))
    return View(tuple(parts), "acclimate compare")


_WORDS = {"stopped": "Did not finish"}


def _several(kind: str, lines: list[Line]) -> list[Line | Several | Table]:
    return [Several(tuple(lines), kind)] if lines else []


def _unfinished(found: Compared) -> list[Line]:
    """Return a line for each reason, with everyone who shares it, in the order of the table."""
    shared: dict[tuple[str, str], list[str]] = {}
    for row in found.table:
        if row.status != "done":
            shared.setdefault((row.status, _one_line(row.reason)), []).append(row.candidate)
    return [
        Line(f"{_WORDS.get(status, status.capitalize())}: {'; '.join(names)}. {sentence(reason)}")
        for (status, reason), names in shared.items()
    ]


def _one_line(reason: str | None) -> str:
    return " ".join((reason or "").split())[:120]


def _gain_line(one: Judged | Estimated, reference: str, title: str) -> Line:
    if one.word == "the same model":
        return Line(f" as {reference}: there is nothing to compare", one.word)
    told, unit = f" against {reference}", unit_of(title)
    if one.gain is not None:
        words = unit.words if unit.kind == "plain" else "points"
        told += f": {gain(one.gain, title, plain=True)} {words}"
        between = gain_range(one.low, one.high, title, plain=True)
        told += f" ({between})" if between else ""
    if isinstance(one, Estimated):
        told += ", an estimate without labels"
    return Line(told, one.word, one.words)


def _name(row: CandidateRow) -> Cell:
    return Cell(row.candidate, strong=row.recommended)


def _score(row: CandidateRow, unit: str) -> Cell:
    value = row.rank_score if unit == "validator" else row.score
    return Cell("" if value is None else score(value, unit, plain=True), key=value)


def _gain(one: Gain | None, title: str) -> Cell:
    if one is None:
        return Cell("")
    ends = None
    if one.gain is not None and one.low is not None and one.high is not None:
        ends = (one.gain, one.low, one.high)
    told = "" if one.gain is None else gain(one.gain, title, plain=True) + "*" * bool(one.but)
    return Cell(told, one.word, key=one.gain, ends=ends)


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
            *(_gain(row.against(who), found.score) for who in judged),
            Cell(duration(row.seconds), key=row.seconds),
        ))  # fmt: skip
    title = "" if unit != "validator" else (
        "By validators, which see no target label; higher is better, and nothing is sure:"
    )  # fmt: skip
    return Table((*heads, ">time"), tuple(rows), title, "candidates")


def _members(found: Compared) -> Table:
    """Return who answers in the committee, the heaviest first."""
    rows = tuple(
        (Cell(one.candidate), Cell(percent(one.weight, 0), key=one.weight)) for one in found.members
    )
    return Table(("member", ">weight"), rows, "Together they are the committee:", "members")


def _beside(done: list[CandidateRow]) -> Table:
    """Return what to look at beside accuracy where classes are uneven."""
    rows = tuple(
        (
            _name(row),
            *(
                Cell("" if one is None else score(one, title, plain=True), key=one)
                for one, title in (
                    (row.balanced_accuracy, "balanced accuracy"), (row.auc, "AUC"),
                )
            ),
        )
        for row in done
    )  # fmt: skip
    heads = ("candidate", ">balanced accuracy", ">AUC")
    return Table(heads, rows, "Since classes are uneven:", "candidates")


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
            Cell(score(part.reference, found.base_score, plain=True), key=part.reference),
            Cell(score(part.candidate, found.base_score, plain=True), key=part.candidate),
            _gain(Gain(part.word, part.gain, part.low, part.high), found.base_score),
            Cell(gain_range(part.low, part.high, plain=True)),
        )
        for part in sorted(found.groups, key=lambda part: (not part.harmed, part.gain or 0.0))
    )  # fmt: skip
    title = f"By group, what the folds picked against {found.reference}, in points:"
    heads = ("group", ">rows", ">reference", ">picked", ">gain", ">interval")
    return Table(heads, rows, title, "groups")
