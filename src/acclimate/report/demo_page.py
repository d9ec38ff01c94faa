"""The page of `acclimate demo`: verdicts first, then every figure, then how to run it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from acclimate.exceptions import InputError
from acclimate.report.charts import interval_glyph
from acclimate.report.figures import (
    Arm,
    Facts,
    arms_of,
    label_curves,
    learning_curves,
    probe_figure,
    records,
    said,
    sizes_of,
)
from acclimate.report.html import render
from acclimate.report.plain import json_safe
from acclimate.report.svg import STYLES
from acclimate.report.wording import count, finite, listing, look_of, percent, points, seconds

SCHEMA = 1
_ORDER = ("hurts", "not settled", "makes no difference", "helps")


def render_demo(result: Mapping[str, Any]) -> str:
    """Render the result of `acclimate demo` as one offline HTML page.

    For the dictionary that the demo writes as `demo.json`. Parts that are missing or None leave
    their section out. All text from the data is escaped.

    Parameters
    ----------
    result : mapping
        Schema 1 of `demo.json`. Accuracies and gains are fractions.

    Returns
    -------
    str
        An HTML document that makes no network request.

    Raises
    ------
    InputError
        If the result is no mapping, has another schema, or `cases` is no list of mappings.

    Examples
    --------
    >>> page = render_demo({"schema": 1, "command": "acclimate demo", "cases": []})
    >>> "nothing to judge" in page
    True
    """
    if not isinstance(result, Mapping):
        raise InputError(f"a demo result is a mapping, got {type(result).__name__}: {result!r:.80}")
    if result.get("schema") != SCHEMA:
        raise InputError(
            f"schema {result.get('schema')!r} of this demo result is not known; this version reads "
            f"{SCHEMA}. Run `acclimate demo` again to write a new one"
        )
    cases = result.get("cases") or []
    if not isinstance(cases, Sequence) or not all(isinstance(c, Mapping) for c in cases):
        raise InputError(f"'cases' is a list of mappings, got {cases!r:.80}")
    styles = _styles(cases)
    page = {
        "command": said(result, "command", "acclimate demo"),
        "cases": [_case(case, k, styles) for k, case in enumerate(cases, start=1)],
        "facts": _facts(result),
        "raw": json_safe(result),
    }
    return render("demo.html.j2", page=page)


def summary(verdicts: Sequence[Facts]) -> list[tuple[str, str]]:
    """Say at how many labels each verdict word was reached, in the order of the labels.

    Examples
    --------
    >>> summary([{"labels": 50, "word": "hurts"}, {"labels": 100, "word": "hurts"},
    ...          {"labels": 60000, "word": "not settled"}])
    [('hurts', '50 and 100 labels'), ('not settled', '60,000 labels')]
    """
    groups: dict[str, list[str]] = {}
    for v in verdicts:
        groups.setdefault(said(v, "word", "no verdict"), []).append(count(v.get("labels")))
    return [(word, f"{listing(sizes)} labels") for word, sizes in groups.items()]


def others(verdicts: Iterable[Facts], shown: str, names: Mapping[str, str]) -> str:
    """Say whether strategies other than the one shown help, and where.

    Examples
    --------
    >>> others([{"candidate": "a", "word": "hurts", "labels": 50}], "b", {"a": "A"})
    'No other strategy that was tried helps at any number of labels.'
    >>> others([{"candidate": "a", "word": "helps", "labels": 50}], "b", {"a": "new head"})
    'What else helps: new head (at 50 labels).'
    """
    tried: dict[str, list[str]] = {}
    for v in verdicts:
        name = said(v, "candidate")
        if name != shown:
            sizes = tried.setdefault(name, [])
            sizes += [count(v.get("labels"))] if v.get("word") == "helps" else []
    helps = {name: sizes for name, sizes in tried.items() if sizes}
    if not tried:
        return ""
    if not helps:
        return "No other strategy that was tried helps at any number of labels."
    if len(helps) > 2:
        return f"{len(helps)} of {len(tried)} other strategies help at some number of labels."
    told = [f"{names.get(name, name)} (at {listing(s)} labels)" for name, s in helps.items()]
    return f"What else helps: {'; '.join(told)}."


def _case(case: Facts, index: int, styles: Mapping[str, int]) -> dict[str, Any]:
    key = f"case-{index}"
    arms = arms_of(case)
    names = {a["name"]: a["label"] for a in arms}
    verdicts = records(case, "verdicts")
    first = _first_candidate(arms, verdicts)
    headed = [v for v in verdicts if said(v, "candidate") == first]
    limit = _limit(verdicts)
    source, target = (said(case, k, k) for k in ("source", "target"))
    told = [f"{source} is the source, {target} the target."]
    if case.get("network"):
        told.append(f"Network: {case['network']}.")
    caption = ""
    if headed:
        reference = said(headed[0], "reference")
        told_names = [("Recipe", first), ("Reference", reference)]
        parts = [f"{what}: {names.get(name, name)}." for what, name in told_names if name]
        caption = " ".join([*parts, "Gain in points."])
    sizes = sizes_of(case)
    references = sorted({said(v, "reference") for v in verdicts})
    against = "the reference"
    if len(references) == 1 and references[0]:
        against += f" ({names.get(references[0], references[0])})"
    return {
        "id": key,
        "title": said(case, "title", said(case, "name", f"Case {index}")),
        "source": source,
        "target": target,
        "setting": " ".join(told),
        "sums": summary(headed),
        "glance": [_verdict_row(v, names, limit) for v in headed],
        "glance_caption": caption,
        "others": others(verdicts, first, names),
        "findings": [str(f) for f in case.get("findings") or []],
        "textbook": _textbook(case),
        "learning": learning_curves(case, key),
        "curves": label_curves(case, key, first, names, styles),
        "one_reference": len(references) == 1,
        "verdicts_caption": f"Gain over {against}. Gains and falls in points.",
        "verdicts": [_verdict_row(v, names, limit) for v in verdicts],
        "results": _result_rows(case, arms, sizes),
        "size_heads": [{"text": f"{count(s)} labels", "number": True} for s in sizes],
        "probe": probe_figure(case, key),
    }


def _styles(cases: Sequence[Facts]) -> dict[str, int]:
    """Give each arm one style for the whole page."""
    styles: dict[str, int] = {}
    for case in cases:
        for arm in arms_of(case):
            styles.setdefault(arm["name"], len(styles) % STYLES)
    return styles


def _first_candidate(arms: Sequence[Arm], verdicts: Sequence[Facts]) -> str:
    judged = [said(v, "candidate") for v in verdicts]
    for arm in arms:
        if arm["role"] == "candidate" and arm["name"] in judged:
            return arm["name"]
    return judged[0] if judged else ""


def _limit(verdicts: Sequence[Facts]) -> float:
    """Return the end of the interval glyphs' scale: the largest bound, 2 points at least."""
    bounds = [finite(v.get(k)) for v in verdicts for k in ("low", "high", "gain")]
    return max([0.02, *(abs(b) for b in bounds if b is not None)])


def _verdict_row(verdict: Facts, names: Mapping[str, str], limit: float) -> dict[str, Any]:
    word = said(verdict, "word", "no verdict")
    gain, low, high = (finite(verdict.get(k)) for k in ("gain", "low", "high"))
    known = gain is not None and low is not None and high is not None
    glyph = interval_glyph(gain or 0.0, low or 0.0, high or 0.0, limit=limit) if known else ""
    candidate, reference = (said(verdict, k) for k in ("candidate", "reference"))
    harmed = [
        {"name": said(h, "name"), "fall": _fall(h)} for h in records(verdict, "harmed_classes")
    ]
    return {
        "labels": verdict.get("labels"),
        "candidate": names.get(candidate, candidate),
        "reference": names.get(reference, reference),
        "word": word,
        "look": look_of(word).style,
        "rank": _ORDER.index(word) if word in _ORDER else len(_ORDER),
        "gain": gain,
        "low": low,
        "high": high,
        "glyph": Markup(glyph),
        "harmed": harmed,
        "settles_at": verdict.get("settles_at"),
    }


def _fall(harmed: Facts) -> str:
    fall = finite(harmed.get("fall"))
    return points(None if fall is None else -fall)


def _textbook(case: Facts) -> dict[str, Any] | None:
    book = case.get("textbook")
    if not isinstance(book, Mapping):
        return None
    keys = {"source": "source_accuracy", "target": "target_accuracy", "seconds": "seconds"}
    return {short: finite(book.get(long)) for short, long in keys.items()}


def _result_rows(case: Facts, arms: Sequence[Arm], sizes: Sequence[float]) -> list[dict[str, Any]]:
    results = {(said(r, "arm"), finite(r.get("labels"))): r for r in records(case, "results")}
    if not results:
        return []
    rows = []
    for arm in arms:
        cells = []
        for size in sizes:
            r = results.get((arm["name"], size), {})
            mean, low, high = (finite(r.get(k)) for k in ("mean", "low", "high"))
            between = ""
            if low is not None and high is not None:
                between = f"{100 * low:.1f} to {100 * high:.1f}"
            cells.append(
                {
                    "value": mean,
                    "mean": percent(mean).removesuffix(" %"),
                    "between": between,
                }
            )
        rows.append({"label": arm["label"], "role": arm["role"], "cells": cells})
    return rows


def _facts(result: Facts) -> list[tuple[str, str]]:
    machine = result.get("machine") or {}
    facts = [
        ("acclimate", result.get("acclimate")),
        ("Seed", result.get("seed")),
        ("Python", machine.get("python")),
        ("torch", machine.get("torch")),
        ("Processor", machine.get("processor")),
        ("Cores, threads used", _pair(machine)),
        ("Run at", result.get("created")),
        ("Run time", seconds(result["seconds"]) if result.get("seconds") is not None else None),
    ]
    return [(name, str(value)) for name, value in facts if value is not None]


def _pair(machine: Facts) -> str | None:
    cores, threads = machine.get("cores"), machine.get("threads")
    return None if cores is None and threads is None else f"{count(cores)}, {count(threads)}"
