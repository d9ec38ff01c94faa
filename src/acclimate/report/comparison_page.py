"""The page of a comparison: what to do, how sure that is, and everything that it rests on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from acclimate.exceptions import InputError
from acclimate.report import comparison_figures as figures
from acclimate.report.charts import interval_glyph
from acclimate.report.figures import Record, json_safe, records, said
from acclimate.report.html import render, verdict_look
from acclimate.report.wording import NOTHING, count, finite, percent, points, seconds, sentence

SCHEMA = 1
_SHOWN = 60  # positions of rows to label that are written out


def render_comparison(
    result: Mapping[str, Any], *, diagnosis: Mapping[str, Any] | None = None
) -> str:
    """Render the result of `acclimate.compare` as one offline HTML page.

    For what `Comparison.to_dict` gives. Parts that are missing or None leave their section out. All
    text from the data is escaped.

    Parameters
    ----------
    result : mapping
        Schema 1 of a comparison. What `compare` does not write is shown where it is given:
        ``command``, ``files`` and ``created`` in ``run``; ``unfinished`` (text: why this is not the
        whole run).
    diagnosis : mapping, default=None
        What `Diagnosis.to_dict` gives.

    Returns
    -------
    str
        An HTML document that makes no network request.

    Raises
    ------
    InputError
        The result is no mapping, or has another schema.

    Examples
    --------
    >>> page = render_comparison({"schema": 1, "kind": "comparison", "table": [],
    ...     "recommendation": {"action": "do not transfer", "candidate": "TargetOnly"}})
    >>> "Do not transfer: use TargetOnly" in page
    True
    """
    if not isinstance(result, Mapping):
        raise InputError(f"a comparison is a mapping, got {type(result).__name__}: {result!r:.80}")
    if result.get("schema") != SCHEMA or result.get("kind") != "comparison":
        raise InputError(
            f"kind {result.get('kind')!r}, schema {result.get('schema')!r} is no comparison that "
            f"this version reads (schema {SCHEMA}). Run acclimate compare again to write a new one"
        )
    styles = figures.styles_of(result)
    page = {
        "title": headline(result),
        "reason": sentence(said(_part(result, "recommendation"), "reason")),
        "sentence": said(result, "sentence").removeprefix(f"{headline(result)}. "),
        "unfinished": said(result, "unfinished"),
        "estimate": bool(result.get("estimate")),
        "confidence": percent(finite(result.get("confidence")) or 0.95, 0),
        "margin": points(finite(result.get("margin")) or 0.01).removeprefix("+"),
        "setting": _setting(result),
        "glance": _glance(result),
        "estimated": _estimated(result),
        "to_label": _to_label(result),
        "harm": [_harm(result, kind) for kind in ("classes", "groups") if result.get(kind)],
        "table": _table(result),
        "unit": said(result, "score", "accuracy"),
        "charts": [
            c for c in (figures.label_curve(result, styles), figures.cost(result)) if c is not None
        ],
        "calibration": figures.calibration(result),
        "calibration_rows": figures.calibration_rows(result),
        "training": figures.training(result),
        "features": figures.features(result),
        "features_of": _whose(result),
        "diagnosis": None if diagnosis is None else _diagnosis(diagnosis),
        "design": [said(_part(result, "design"), k) for k in ("choice", "interval")],
        "excluded": [
            (said(e, "method"), said(e, "reason")) for e in records(result, "excluded")
        ],
        "command": said(_part(result, "run"), "command"),
        "facts": _facts(result),
        "raw": json_safe(dict(result) | ({"diagnosis": diagnosis} if diagnosis else {})),
    }  # fmt: skip
    return render("comparison.html.j2", page=page)


def headline(result: Record) -> str:
    """Say what to do, in a few words.

    Examples
    --------
    >>> headline({"recommendation": {"action": "transfer", "candidate": "CORAL"}})
    'Use CORAL'
    """
    advice = _part(result, "recommendation")
    name = said(advice, "candidate")
    if said(advice, "action") == "do not transfer":
        return f"Do not transfer: use {name}" if name else "Do not transfer"
    return f"Use {name}" if name else "No recommendation yet"


def score_words(value: Any, unit: str) -> str:
    """Write a score: an accuracy as a percentage, R2 with three decimals.

    Examples
    --------
    >>> score_words(0.8625, "accuracy"), score_words(0.8625, "R2")
    ('86.2 %', '0.863')
    """
    number = finite(value)
    if unit != "R2" or number is None:
        return percent(number)
    return f"{number:.3f}".replace("-", "\N{MINUS SIGN}")


def _part(result: Record, key: str) -> Record:
    part = result.get(key)
    return part if isinstance(part, Mapping) else {}


def _setting(result: Record) -> list[str]:
    """Say what was compared on what, in short facts."""
    told = []
    for side in ("source", "target"):
        rows = _part(result, side)
        if not rows:
            continue
        name = f" of {said(rows, 'name')}" if said(rows, "name") else ""
        words = f"{count(rows.get('rows'))} {side} rows{name}"
        if side == "target":
            words += f", {count(rows.get('labelled'))} labelled"
        elif (finite(rows.get("sources")) or 1) > 1:
            words += f" from {count(rows.get('sources'))} sources"
        told.append(words)
    classes = _part(result, "source").get("classes")
    if classes:
        told.append(f"{count(len(classes))} classes")
    told.append(f"score: {said(result, 'score', 'accuracy')}")
    tried = len(records(result, "table"))
    return [*told, f"{tried} candidates"]


def _gain(row: Record, limit: float, margin: float) -> dict[str, Any]:
    """Return a gain with its interval as figures, words and drawing."""
    word = said(row, "word", "no verdict")
    gain, low, high = (finite(row.get(k)) for k in ("gain", "low", "high"))
    glyph = ""
    if gain is not None and low is not None and high is not None:
        glyph = interval_glyph(gain, low, high, limit=limit, margin=margin)
    return {
        "word": word, "look": verdict_look(word)[0], "gain": gain, "low": low, "high": high,
        "glyph": Markup(glyph),
    }  # fmt: skip


def _limit(rows: list[Record], margin: float) -> float:
    bounds = [finite(r.get(k)) for r in rows for k in ("low", "high", "gain")]
    return max([2 * margin, *(abs(b) for b in bounds if b is not None)])


def _margin(result: Record) -> float:
    value = finite(result.get("margin"))
    return 0.01 if value is None else value


def _glance(result: Record) -> list[dict[str, Any]]:
    """Return the verdicts for the first screen; without labels the estimate, as one."""
    rows = records(result, "verdicts")
    estimated = _part(result, "estimated")
    if not rows and estimated:
        rows = [dict(estimated) | {"reference": said(result, "reference", "SourceOnly")}]
    margin = _margin(result)
    limit = _limit(rows, margin)
    return [
        _gain(r, limit, margin)
        | {
            "reference": said(r, "reference"), "sentence": said(r, "sentence"),
            "harmed": [
                {"name": said(h, "name"), "fall": points(-(finite(h.get("fall")) or 0.0))}
                for h in records(r, "harmed_classes")
            ],
        }
        for r in rows
    ]  # fmt: skip


def _estimated(result: Record) -> dict[str, Any] | None:
    """Return estimated accuracies, best first."""
    found = _part(result, "estimated")
    if not found:
        return None
    each = {str(k): finite(v) for k, v in _part(found, "accuracy").items()}
    known = sorted(each.items(), key=lambda pair: -(pair[1] if pair[1] is not None else -1.0))
    return {
        "validator": said(found, "validator"), "sentence": said(found, "sentence"),
        "note": said(found, "note"), "error": points(found.get("error")).removeprefix("+"),
        "rows": known,
    }  # fmt: skip


def _to_label(result: Record) -> dict[str, Any] | None:
    found = _part(result, "to_label")
    if not found:
        return None
    counted, names = "counted from 0", [str(p) for p in found.get("positions") or []]
    if found.get("ids"):
        counted, names = f"by {said(found, 'id_name')}", [str(one) for one in found["ids"]]
    elif found.get("file_rows"):
        counted = f"counted {said(found, 'file_rows_counted')}"
        names = [str(one) for one in found["file_rows"]]
    return {
        "rows": found.get("rows"), "why": said(found, "why"), "counted": counted,
        "positions": ", ".join(names[:_SHOWN]),
        "more": max(0, len(names) - _SHOWN),
        "candidates": [str(name) for name in found.get("candidates") or []],
    }  # fmt: skip


def _harm(result: Record, kind: str) -> dict[str, Any]:
    """Return the score of each class or group: the chosen candidate against the reference."""
    margin, unit = _margin(result), said(result, "score", "accuracy")
    rows = records(result, kind)
    limit = _limit(rows, margin)
    measure = "Recall" if kind == "classes" else sentence(unit)
    made = []
    for r in rows:
        low, high = finite(r.get("low")), finite(r.get("high"))
        known = low is not None and high is not None
        word = "hurts" if r.get("harmed") else "not settled"
        if known and not r.get("harmed"):
            word = "helps" if (low or 0) > 0 else "hurts" if (high or 0) < 0 else "not settled"
        made.append(
            _gain(dict(r) | {"word": word}, limit, margin)
            | {
                "name": said(r, "name"), "rows": r.get("rows"), "harmed": bool(r.get("harmed")),
                "before": score_words(r.get("reference"), unit),
                "after": score_words(r.get("candidate"), unit),
                "before_key": r.get("reference"), "after_key": r.get("candidate"),
            }
        )  # fmt: skip
    harmed = [m["name"] for m in made if m["harmed"]]
    return {
        "kind": kind, "title": "By class" if kind == "classes" else "By group",
        "measure": measure, "rows": made, "harmed": harmed,
        "one": "Class" if kind == "classes" else "Group",
        "reference": said(result, "reference", "the reference"),
    }  # fmt: skip


def _table(result: Record) -> dict[str, Any]:
    """Return the candidates, and which columns have anything in them."""
    rows = records(result, "table")
    unit, margin = said(result, "score", "accuracy"), _margin(result)
    judged = [
        _part(r, f"against_{who}") for r in rows for who in ("target_only", "source_only")
    ]  # fmt: skip
    limit = _limit(judged, margin)
    made = []
    for r in rows:
        low, high = finite(r.get("score_low")), finite(r.get("score_high"))
        between = ""
        if low is not None and high is not None:
            between = f"{score_words(low, unit).removesuffix(' %')} to {score_words(high, unit)}"
        made.append(
            {
                "name": said(r, "candidate"), "family": said(r, "family"),
                "method": said(r, "method"), "estimator": said(r, "estimator"),
                "labels": bool(r.get("uses_target_labels")),
                "status": said(r, "status"), "reason": said(r, "reason"),
                "score": score_words(r.get("score"), unit), "score_key": r.get("score"),
                "between": between, "rank_score": finite(r.get("rank_score")),
                "rank_words": score_words(r.get("rank_score"), "R2"),
                "target": _against(r, "target_only", limit, margin),
                "source": _against(r, "source_only", limit, margin),
                "seconds": _short(r.get("seconds")), "seconds_key": r.get("seconds"),
                "memory": finite(r.get("peak_mb")), "memory_words": _megabytes(r.get("peak_mb")),
                "pareto": bool(r.get("pareto")),
                "share": percent(r.get("chosen_share"), 0), "share_key": r.get("chosen_share"),
                "recommended": bool(r.get("recommended")),
                "reference": bool(r.get("is_reference")),
            }
        )  # fmt: skip
    return {
        "rows": made,
        "scored": any(finite(m["score_key"]) is not None for m in made),
        "ranked": any(m["rank_score"] is not None for m in made),
        "target": any(m["target"] for m in made),
        "source": any(m["source"] for m in made),
        "failed": sum(m["status"] not in ("done", "") for m in made),
    }


def _whose(result: Record) -> str:
    """Return whose features are shown, where it is not the recommended candidate."""
    names = {said(picture, "candidate") for picture in records(result, "features")} - {""}
    return ", ".join(names - {said(_part(result, "recommendation"), "candidate")})


def _against(row: Record, who: str, limit: float, margin: float) -> dict[str, Any] | None:
    against = row.get(f"against_{who}")
    own = said(row, "method").lower() == who.replace("_", "")
    if not isinstance(against, Mapping) or own:
        return None
    return _gain(against, limit, margin)


def _short(value: Any) -> str:
    """Write seconds: milliseconds where there are few."""
    number = finite(value)
    return f"{1000 * number:.0f} ms" if number is not None and number < 1 else seconds(number)


def _megabytes(value: Any) -> str:
    number = finite(value)
    if number is None:
        return NOTHING
    return "< 1 MB" if number < 1 else f"{number:.0f} MB"


def _diagnosis(found: Record) -> dict[str, Any]:
    moved = sorted(
        records(found, "columns"), key=lambda c: (said(c, "word") == "same", -_size(c))
    )  # fmt: skip
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
    }  # fmt: skip


def _size(column: Record) -> float:
    return finite(column.get("shift")) or 0.0


def _facts(result: Record) -> list[tuple[str, str]]:
    """Return everything that a second run needs to be the same."""
    run, trials, budget = (_part(result, k) for k in ("run", "trials", "budget"))
    told = []
    if trials:
        told.append(f"{count(trials.get('done'))} done")
        for word in ("failed", "reused"):
            if finite(trials.get(word)):
                told.append(f"{count(trials.get(word))} {word}")
        told.append(f"{seconds(trials.get('seconds'))} of computing")
    limit = [seconds(budget["seconds"])] if budget.get("seconds") is not None else []
    limit += [f"{count(budget['trials'])} trials"] if budget.get("trials") is not None else []
    if limit and budget.get("spent"):
        limit.append("spent")
    settings = {
        sentence(str(k)): _value(v) for k, v in _part(run, "settings").items()
    }  # fmt: skip
    versions = {"acclimate": result.get("version")} | dict(_part(run, "versions"))
    store = _part(result, "store").get("path")
    facts = {
        "Trials": ", ".join(told), "Budget": ", ".join(limit), **settings,
        "Seed": _value(result.get("seed")),
        "Versions": ", ".join(f"{k} {v}" for k, v in versions.items() if v),
        "Fingerprint of the data": said(run, "data"), **_files(run),
        "Store": "" if store is None else str(store), "Run at": said(run, "created"),
    }  # fmt: skip
    return [(name, value) for name, value in facts.items() if value]


def _files(run: Record) -> dict[str, str]:
    return {f"{sentence(str(k))} file": _value(v) for k, v in _part(run, "files").items()}


def _value(value: Any) -> str:
    """Write a setting: text as it is, anything else as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(json_safe(value), ensure_ascii=False)
