"""How a comparison looks in a terminal: the recommendation, the evidence, the candidates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acclimate.cli.console import MARKS, console, say

ROWS = 12  # candidates that are listed


def show(found: Mapping[str, Any]) -> None:
    """Print what to do, why, and the best candidates."""
    from rich.text import Text

    screen = console()
    advice = found["recommendation"]
    if found.get("unfinished"):
        screen.print(Text.assemble(("Not the whole run. ", "bold yellow"), found["unfinished"]))
    elif advice["action"] == "transfer":
        screen.print(Text.assemble(("Use ", "bold"), (advice["candidate"], "bold green")))
    else:
        screen.print(
            Text.assemble(("Do not transfer: ", "bold"), "use ", (advice["candidate"], "bold cyan"))
        )
    for verdict in found["verdicts"]:
        _verdict(screen, verdict, verdict["reference"])
    if found.get("estimated"):
        _verdict(screen, found["estimated"], found["reference"], estimate=True)
    if advice.get("reason"):
        say(advice["reason"][:1].upper() + advice["reason"][1:] + ".")
    for verdict in found["verdicts"][:1]:
        for harm in verdict["harmed_classes"]:
            say(f"Loses: {harm['name']}, {-100 * harm['fall']:+.1f} points of recall.")
    for body in found.get("bodies") or ():
        say(body["sentence"])
    if found["table"]:
        _table(screen, found)
        _not_beaten(screen, found)
    if found.get("groups"):
        _groups(screen, found)
    _rest(found)


def _verdict(screen: Any, verdict: Mapping[str, Any], reference: str, **words: bool) -> None:
    from rich.text import Text

    mark, colour = MARKS.get(verdict["word"], (" ", "default"))
    told = Text.assemble((f"{mark} {verdict['word']}", colour), f" against {reference}")
    if verdict.get("gain") is not None:
        told.append(f": {100 * verdict['gain']:+.1f} points")
        if verdict.get("low") is not None and verdict.get("high") is not None:
            told.append(f" ({100 * verdict['low']:+.1f} to {100 * verdict['high']:+.1f})")
    if words.get("estimate"):
        told.append(", an estimate without labels")
    screen.print(told, highlight=False)


def _table(screen: Any, found: Mapping[str, Any]) -> None:
    rows = found["table"]
    scored = any(row.get("score") is not None for row in rows)
    ranged = any(row.get("score_low") is not None for row in rows)
    table = _plain_table()
    table.add_column("candidate", overflow="fold", min_width=16)
    if scored:
        table.add_column(found["score"], justify="right", no_wrap=True)
        if ranged:
            table.add_column("interval", no_wrap=True)
    else:
        table.add_column("validator", justify="right", no_wrap=True)
    judged = [w for w in ("target_only", "source_only") if any(r.get(f"against_{w}") for r in rows)]
    for who in judged:
        table.add_column(f"vs {who.replace('_only', '')}", justify="right", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    done = [row for row in rows if row["status"] == "done"]
    for row in done[:ROWS]:
        cells: list[Any] = [_name(row)]
        if scored:
            cells.append(_score(row.get("score"), found["score"]))
            cells += [_interval(row, found["score"])] if ranged else []
        else:
            cells.append("" if row.get("rank_score") is None else f"{row['rank_score']:.3f}")
        own = row["method"].lower()  # a reference against itself tells nothing
        cells += [
            "" if own == who.replace("_", "") else _gain(row.get(f"against_{who}"))
            for who in judged
        ]
        cells.append(_seconds(row))
        table.add_row(*cells)
    screen.print(table)
    if len(done) > ROWS:
        say(f"... and {len(done) - ROWS} more candidates, in the report and with --json")


def _not_beaten(screen: Any, found: Mapping[str, Any]) -> None:
    """Print the candidates that nothing beats in score, time and memory at once."""
    rows = [row for row in found["table"] if row.get("pareto")]
    if len(rows) < 2:
        return
    unit = found["score"] if rows[0].get("score") is not None else "validator"
    say(f"Not beaten in {unit}, time and memory at once:")
    table = _plain_table()
    table.add_column("candidate", overflow="fold", min_width=16)
    for title in (unit, "time", "memory"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows[:ROWS]:
        score = _score(row["score"], unit) if unit != "validator" else f"{row['rank_score']:.3f}"
        table.add_row(_name(row), score, _seconds(row), _memory(row.get("peak_mb")))
    screen.print(table)


def _groups(screen: Any, found: Mapping[str, Any]) -> None:
    """Print the score of each group, those that lose first."""
    from rich.text import Text

    rows = sorted(found["groups"], key=lambda row: (not row["harmed"], row["gain"] or 0.0))
    say(f"By group, what the folds picked against {found['reference']}, in points:")
    table = _plain_table()
    table.add_column("group", overflow="fold", min_width=10)
    for title in ("rows", "reference", "picked", "gain", "interval"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows[:ROWS]:
        gain = "" if row["gain"] is None else f"{100 * row['gain']:+.1f} "
        word = "hurts" if row["harmed"] else "helps" if (row["low"] or 0.0) > 0 else "not settled"
        mark, colour = MARKS[word]
        low, high = row["low"], row["high"]
        between = "" if low is None or high is None else f"{100 * low:+.1f} to {100 * high:+.1f}"
        table.add_row(
            row["name"], f"{row['rows']:,}", _score(row["reference"], found["score"]),
            _score(row["candidate"], found["score"]), Text.assemble(gain, (mark, colour)), between,
        )  # fmt: skip
    screen.print(table)
    if len(rows) > ROWS:
        say(f"... and {len(rows) - ROWS} more groups, in the report and with --json")


def _plain_table() -> Any:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))


def _name(row: Mapping[str, Any]) -> Any:
    from rich.text import Text

    return Text(row["candidate"], style="bold" if row.get("recommended") else "")


def _seconds(row: Mapping[str, Any]) -> str:
    return "" if row.get("seconds") is None else _time(row["seconds"])


def rows_to_label(label: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return how the rows to label are told, and what they are called.

    Examples
    --------
    >>> rows_to_label({"positions": [3], "ids": ["t-7"], "id_name": "patient"})
    ('by patient', ['t-7'])
    >>> rows_to_label({"positions": [3]})
    ('counted from 0', ['3'])
    """
    if label.get("ids"):
        return f"by {label['id_name']}", [str(one) for one in label["ids"]]
    if label.get("file_rows"):
        counted = f"rows of the file, counted {label['file_rows_counted']}"
        return counted, [str(one) for one in label["file_rows"]]
    return "counted from 0", [str(one) for one in label["positions"]]


def _rest(found: Mapping[str, Any]) -> None:
    """Say what did not finish, and which rows to label."""
    bad = [row for row in found["table"] if row["status"] != "done"]
    for row in bad[:5]:
        reason = " ".join(str(row.get("reason") or "").split())
        say(f"{row['status'].capitalize()}: {row['candidate']}. {reason[:120]}")
    if len(bad) > 5:
        say(f"... and {len(bad) - 5} more that did not finish")
    label = found.get("to_label")
    if label:
        how, names = rows_to_label(label)
        more = ", ..." if len(names) > 10 else ""
        say(f"Label {label['rows']} rows first, {how}: {', '.join(names[:10])}{more}")


def _score(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if unit == "R2" else f"{100 * value:.1f} %"


def _interval(row: Mapping[str, Any], unit: str) -> str:
    low, high = row.get("score_low"), row.get("score_high")
    if low is None or high is None:
        return ""
    return f"{low:.3f} to {high:.3f}" if unit == "R2" else f"{100 * low:.1f} to {100 * high:.1f}"


def _gain(against: Mapping[str, Any] | None) -> Any:
    from rich.text import Text

    if not against:
        return ""
    mark, colour = MARKS.get(against["word"], (" ", "default"))
    gain = against["gain"]
    return Text.assemble("" if gain is None else f"{100 * gain:+.1f} ", (mark, colour))


def _memory(megabytes: float | None) -> str:
    if megabytes is None:
        return ""
    return "< 1 MB" if megabytes < 1 else f"{megabytes:.0f} MB"


def _time(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
