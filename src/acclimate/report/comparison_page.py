"""The page of a comparison: what to do, how sure that is, and everything that it rests on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from acclimate.report import answer_figures
from acclimate.report import comparison_figures as figures
from acclimate.report.charts import interval_glyph
from acclimate.report.compared import CandidateRow, Compared
from acclimate.report.compared_parts import DomainFacts, Estimated, Gain, Part
from acclimate.report.figures import Facts, records, said
from acclimate.report.html import render
from acclimate.report.plain import json_safe
from acclimate.report.wording import (
    count,
    duration,
    finite,
    gain,
    gain_range,
    look_of,
    memory,
    percent,
    points,
    score,
    score_range,
    seconds,
    sentence,
    unit_of,
)

_SHOWN = 60  # positions of rows to label that are written out


def render_comparison(
    result: Compared | Mapping[str, Any], *, diagnosis: Mapping[str, Any] | None = None
) -> str:
    """Render the result of `acclimate.compare` as one offline HTML page.

    For what `Comparison` holds or its `to_dict` gives. Parts that are missing or None leave their
    section out. All text from the data is escaped.

    Parameters
    ----------
    result : Compared or mapping
        What was found. What `compare` does not write is shown where it is given: ``command``,
        ``files`` and ``created`` in ``run``; ``unfinished``.
    diagnosis : mapping, default=None
        What `Diagnosis.to_dict` gives.

    Returns
    -------
    str
        An HTML document that makes no network request.

    Raises
    ------
    InputError
        The mapping is no comparison, or has another schema.

    Examples
    --------
    >>> page = render_comparison({"schema": 1, "kind": "comparison", "table": [],
    ...     "recommendation": {"action": "do not transfer", "candidate": "TargetOnly"}})
    >>> "Do not transfer: use TargetOnly" in page
    True
    """
    found = result if isinstance(result, Compared) else Compared.from_dict(result)
    raw = json_safe(result)
    headline, styles = found.recommendation.headline(), figures.styles_of(found)
    headline += f" ({found.within})" if found.within else ""
    page = {
        "title": headline,
        "reason": sentence(found.recommendation.reason or ""),
        "sentence": found.sentence.removeprefix(f"{headline}. "),
        "unfinished": found.unfinished,
        "estimate": found.estimate,
        "confidence": percent(found.confidence, 0),
        "margin": _margin(found),
        "notes": [sentence(note) for note in found.notes],
        "gains_in": "points" if _in_points(found) else found.score,
        "lower": unit_of(found.score).lower,
        "setting": _setting(found),
        "glance": _glance(found),
        "estimated": _estimated(found.estimated),
        "to_label": _to_label(found),
        "harm": [
            _harm(found, kind, parts)
            for kind, parts in (("classes", found.classes), ("groups", found.groups))
            if parts
        ],
        "table": _table(found),
        "unit": found.score,
        "charts": [
            c for c in (figures.label_curve(found, styles), figures.cost(found)) if c is not None
        ],
        "constant": _constant(found),
        "confusion": answer_figures.confusion(found),
        "curves": answer_figures.curves(found),
        "missed": answer_figures.missed(found),
        "importance": answer_figures.importance(found.importance),
        "calibration": figures.calibration(found),
        "calibration_rows": figures.calibration_rows(found),
        "training": figures.training(found),
        "features": figures.features(found),
        "features_of": _whose(found),
        "diagnosis": None if diagnosis is None else _diagnosis(diagnosis),
        "design": [found.design.choice, found.design.interval],
        "members": [
            {"name": one.candidate, "weight": percent(one.weight, 0), "key": one.weight}
            for one in found.members if found.answers_together
        ],
        "weighed": bool(found.members),
        "excluded": [(one.method, one.reason) for one in found.excluded],
        "command": found.run.command,
        "facts": _facts(found),
        "raw": raw | ({"diagnosis": json_safe(diagnosis)} if diagnosis else {}),
    }  # fmt: skip
    return render("comparison.html.j2", page=page)


def _setting(found: Compared) -> list[str]:
    """Say what was compared on what, in short facts."""
    told = []
    for side, rows in (("source", found.source), ("target", found.target)):
        if rows is not None:
            told.append(_rows_words(side, rows))
    if found.source is not None and found.source.classes:
        told.append(f"{count(len(found.source.classes))} classes")
    told += [found.guessed_task] if found.guessed_task else []
    return [*told, f"score: {found.score}", f"{len(found.table)} candidates"]


def _rows_words(side: str, rows: DomainFacts) -> str:
    words = f"{count(rows.rows)} {side} rows{f' of {rows.name}' if rows.name else ''}"
    if side == "target":
        return f"{words}, {count(rows.labelled)} labelled"
    return f"{words} from {count(rows.sources)} sources" if (rows.sources or 1) > 1 else words


def _in_points(found: Compared) -> bool:
    return unit_of(found.score).kind != "plain"


def _margin(found: Compared) -> str:
    """Write the margin with its unit."""
    told = gain(found.margin, found.score).removeprefix("+")
    return f"{told} points" if _in_points(found) else f"{told} {unit_of(found.score).words}"


def _gain(row: Gain | Part, limit: float, margin: float, title: str) -> dict[str, Any]:
    """Return a gain with its interval as figures, words and drawing."""
    glyph = ""
    if row.gain is not None and row.low is not None and row.high is not None:
        glyph = interval_glyph(row.gain, row.low, row.high, limit=limit, margin=margin)
    word = row.word or "no verdict"
    return {
        "word": word, "but": row.but if isinstance(row, Gain) else "",
        "look": look_of(word).style, "gain": row.gain, "low": row.low, "high": row.high,
        "glyph": Markup(glyph), "told": gain(row.gain, title),
        "between": gain_range(row.low, row.high, title) or "– to –",
    }  # fmt: skip


def _limit(rows: Iterable[Gain | Part | None], margin: float) -> float:
    bounds = [end for r in rows if r is not None for end in (r.low, r.high, r.gain)]
    return max([2 * margin, *(abs(b) for b in bounds if b is not None)])


def _glance(found: Compared) -> list[dict[str, Any]]:
    """Return the verdicts for the first screen; without labels the estimate, as one."""
    rows = found.gains()
    limit = _limit(rows, found.margin)
    return [
        _gain(r, limit, found.margin, found.score)
        | {
            "reference": found.against(r), "sentence": r.sentence,
            "harmed": [
                {"name": h.name, "fall": points(-h.fall)}
                for h in (() if isinstance(r, Estimated) else r.harmed_classes)
            ],
        }
        for r in rows
    ]  # fmt: skip


def _estimated(found: Estimated | None) -> dict[str, Any] | None:
    """Return estimated accuracies, best first."""
    if found is None:
        return None
    known = sorted(
        found.accuracy.items(), key=lambda pair: -(pair[1] if pair[1] is not None else -1.0)
    )
    return {
        "validator": found.validator or "", "sentence": found.sentence, "note": found.note,
        "error": points(found.error).removeprefix("+"),
        "level": f"{100 * found.confidence:g}",
        "rows": [(name, value, found.between.get(name)) for name, value in known],
    }  # fmt: skip


def _to_label(found: Compared) -> dict[str, Any] | None:
    label = found.to_label
    if label is None:
        return None
    counted, names = label.called()
    return {
        "rows": label.rows, "why": label.why, "counted": counted,
        "positions": ", ".join(names[:_SHOWN]), "more": max(0, len(names) - _SHOWN),
        "candidates": label.candidates,
    }  # fmt: skip


def _harm(found: Compared, kind: str, parts: tuple[Part, ...]) -> dict[str, Any]:
    """Return the score of each class or group: the chosen candidate against the reference."""
    title = found.base_score
    margin = found.margin if _in_points(found) else 0.01
    limit = _limit(parts, margin)
    made = [
        _gain(p, limit, margin, title)
        | {
            "name": p.name, "rows": p.rows, "harmed": p.harmed,
            "before": score(p.reference, title), "after": score(p.candidate, title),
            "before_key": p.reference, "after_key": p.candidate,
        }
        for p in parts
    ]  # fmt: skip
    return {
        "kind": kind, "title": "By class" if kind == "classes" else "By group",
        "measure": "Recall" if kind == "classes" else sentence(title), "rows": made,
        "harmed": [p.name for p in parts if p.harmed],
        "one": "Class" if kind == "classes" else "Group",
        "reference": found.reference or "the reference",
    }  # fmt: skip


def _table(found: Compared) -> dict[str, Any]:
    """Return the candidates, and which columns have anything in them."""
    judged = [one for r in found.table for one in (r.against_target_only, r.against_source_only)]
    limit = _limit(judged, found.margin)
    made = [_row(r, found, limit) for r in found.table]
    return {
        "rows": made,
        "scored": any(r.score is not None for r in found.table),
        "ranked": any(r.rank_score is not None for r in found.table),
        "target": any(m["target"] for m in made),
        "source": any(m["source"] for m in made),
        "failed": sum(r.status not in ("done", "") for r in found.table),
    }


def _row(r: CandidateRow, found: Compared, limit: float) -> dict[str, Any]:
    against = {
        who: None
        if (one := r.against(who)) is None
        else _gain(one, limit, found.margin, found.score)
        for who in ("TargetOnly", "SourceOnly")
    }
    return {
        "name": r.candidate, "family": r.family or "", "method": r.method,
        "estimator": r.estimator, "labels": r.uses_target_labels, "status": r.status,
        "reason": r.reason or "", "score": score(r.score, found.score), "score_key": r.score,
        "between": score_range(r.score_low, r.score_high, found.score),
        "beside": [
            f"{words} {score(value, title)}"
            for value, title, words in (
                (r.balanced_accuracy, "balanced accuracy", "balanced"), (r.auc, "AUC", "AUC"),
            ) if value is not None and title != found.score
        ],
        "rank_score": r.rank_score, "rank_words": score(r.rank_score, "validator"),
        "target": against["TargetOnly"], "source": against["SourceOnly"],
        "seconds": duration(r.seconds), "seconds_key": r.seconds,
        "memory": r.peak_mb, "memory_words": memory(r.peak_mb), "pareto": r.pareto,
        "share": percent(r.chosen_share, 0), "share_key": r.chosen_share,
        "recommended": r.recommended, "reference": r.is_reference,
    }  # fmt: skip


def _constant(found: Compared) -> str:
    """Say what always the same answer scores, and that nothing worse is told to be unbeaten."""
    if found.constant is None:
        return ""
    sign = -1.0 if unit_of(found.score).lower else 1.0
    worse = sum(
        r.score is not None and sign * r.score <= sign * found.constant for r in found.table
    )
    said = f"Always the same answer scores {score(found.constant, found.score)} and costs nothing"
    if not worse:
        return f"{said}; every candidate does better."
    one = "1 candidate does" if worse == 1 else f"{count(worse)} candidates do"
    return f"{said}; {one} no better and {'is' if worse == 1 else 'are'} left out here."


def _whose(found: Compared) -> str:
    """Return whose features are shown, where it is not the recommended candidate."""
    names = {picture.candidate for picture in found.features} - {""}
    return ", ".join(sorted(names - {found.recommendation.candidate or ""}))


def _diagnosis(found: Facts) -> dict[str, Any]:
    moved = sorted(
        records(found, "columns"),
        key=lambda c: (said(c, "word") == "same", -(finite(c.get("shift")) or 0.0)),
    )
    return {
        "word": said(found, "word"),
        "sentence": said(found, "sentence"),
        "findings": [said(f, "words") for f in records(found, "findings")],
        "advice": [
            {"family": said(a, "family"), "suits": bool(a.get("suits")),
             "reason": said(a, "reason")}
            for a in records(found, "advice")
        ],
        "columns": [
            {
                "name": said(c, "name"), "word": said(c, "word"), "shift": finite(c.get("shift")),
                "p": finite(c.get("p")), "before": percent(c.get("missing_before"), 0),
                "now": percent(c.get("missing_now"), 0),
            }
            for c in moved
        ],
        "read": [
            {
                "file": said(c, "file"), "name": said(c, "name"), "option": said(c, "option"),
                "kind": " ".join(filter(None, (said(c, "kind"), said(c, "written")))),
                "missing": count(finite(c.get("missing"))),
                "levels": count(finite(c.get("levels"))),
                "examples": ", ".join(str(one) for one in c.get("examples") or ()),
            }
            for c in records(found, "read")
        ],
    }  # fmt: skip


def _facts(found: Compared) -> list[tuple[str, str]]:
    """Return everything that a second run needs to be the same."""
    run, trials, budget = found.run, found.trials, found.budget
    told = []
    if trials is not None:
        told = [f"{count(trials.done)} done"]
        told += [f"{count(trials.failed)} failed"] if trials.failed else []
        told += [f"{count(trials.reused)} reused"] if trials.reused else []
        told.append(f"{seconds(trials.seconds)} of computing")
    limit = [] if budget.seconds is None else [seconds(budget.seconds)]
    limit += [] if budget.trials is None else [f"{count(budget.trials)} trials"]
    limit += ["spent"] if limit and budget.spent else []
    versions = {"acclimate": found.version} | run.versions
    facts = {
        "Trials": ", ".join(told), "Budget": ", ".join(limit),
        **{sentence(k): _value(v) for k, v in (run.settings or {}).items()},
        "Seed": _value(found.seed),
        "Versions": ", ".join(f"{k} {v}" for k, v in versions.items() if v),
        "Fingerprint of the data": run.data,
        **{f"{sentence(k)} file": _value(v) for k, v in (run.files or {}).items()},
        "Store": found.store.path, "Run at": run.created,
    }  # fmt: skip
    return [(name, value) for name, value in facts.items() if value]


def _value(value: Any) -> str:
    """Write a setting: text as it is, anything else as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(json_safe(value), ensure_ascii=False)
