"""From raw rows to tables and passed or missed goals. Pure functions, no clock."""

from __future__ import annotations

from typing import Any

from sides import METHODS, SAME

PEERS = ("skada", "ADAPT", "POT")
SLACK = 1.1  # ours may take this many times the best peer's time
TIMES = {
    ("TCA rbf", "float64"): 15.0,
    ("TCA rbf", "float32"): 50.0,
    ("TCA linear", "float64"): 50.0,
}
CLOSE = 1e-3  # relative difference of objectives that float32 may have
SCALE = {"KMM": 5.0, "OT, exact": 5.0}
STREAM = 1.3  # times merely reading
LARGE = {"seconds": 60.0, "peak_mb": 4096.0}


def seconds(row: dict[str, Any], threads: int) -> float:
    """Return what is compared: processor seconds on one thread, wall seconds on more.

    Processor seconds do not depend on what else the machine does.
    """
    return float(row["cpu"] if threads == 1 else row["fit"] + row["predict"])


def goals(rows: dict[str, Any], extras: dict[str, Any]) -> list[dict[str, Any]]:
    """Return each goal with its figure and whether it was passed; None where there is no figure.

    Parameters
    ----------
    rows : dict
        From "method | rows | threads | side | dtype" to figures.
    extras : dict
        Figures of `streaming.py` and `landmarks.py`.
    """
    found: list[dict[str, Any]] = []

    def add(goal: str, figure: str, passed: bool | None) -> None:
        found.append({"goal": goal, "figure": figure, "passed": passed})

    for threads, size in _grid(rows):
        for method in METHODS:
            ours = _row(rows, method, size, threads, "acclimate")
            peers = {p: _row(rows, SAME.get(method, method), size, threads, p) for p in PEERS}
            there = {p: row for p, row in peers.items() if row is not None}
            if ours is None or not there:
                continue
            label = (
                f"{method}, {size} rows, {_threads(threads)}: at most {SLACK} times the best peer"
            )
            done = {p: seconds(r, threads) for p, r in there.items() if "fit" in r}
            if "fit" not in ours:
                add(label, f"ours: {ours['failed']}", False if done else None)
                continue
            if not done:
                why = "; ".join(f"{p} {r['failed']}" for p, r in there.items())
                add(label, f"no peer has a figure: {why}", True)
                continue
            best = min(done, key=lambda p: done[p])
            ratio = seconds(ours, threads) / done[best]
            note = ""
            if ratio > SLACK and (seconds(ours, threads) - ours["stage_one"]) / done[best] <= SLACK:
                note = "; without the source model, which peers do not fit, it would pass"
            add(label, f"{ratio:.2f} times {best}{note}", ratio <= SLACK)
    skada = "2000 rows, one thread, times faster than skada"
    for (method, dtype), times in TIMES.items():
        ours = _row(rows, method, 2000, 1, "acclimate", dtype)
        peer = _row(rows, method, 2000, 1, "skada")
        if ours is None or peer is None:
            continue
        label = f"{method}, {dtype}, {skada}: {times:g}"
        if "fit" not in ours or "fit" not in peer:
            add(label, f"ours {_why(ours)}, skada {_why(peer)}", None)
            continue
        ratio = seconds(peer, 1) / seconds(ours, 1)
        passed, text = ratio >= times, f"{ratio:.1f}"
        if dtype == "float32":
            exact = _row(rows, method, 2000, 1, "acclimate")
            if exact is None or "objective" not in exact or "objective" not in ours:
                passed, text = False, f"{text}, no objective to compare"
            else:
                apart = abs(ours["objective"] / exact["objective"] - 1.0)
                passed = passed and apart <= CLOSE
                text += f", objective off by {apart:.1e} (at most {CLOSE:g})"
        add(label, text, passed)
    for method, times in SCALE.items():
        ours = _row(rows, method, 10000, 1, "acclimate")
        label = f"{method}, 10000 rows, one thread: {times:g} times faster or a fifth of the memory"
        for side in PEERS:
            peer = _row(rows, method, 10000, 1, side)
            if ours is None or peer is None:
                continue
            if "fit" not in ours:
                add(f"{label} ({side})", f"ours {_why(ours)}", False)
                continue
            if "fit" not in peer:
                add(f"{label} ({side})", f"{side}: {peer['failed']}; ours {_why(ours)}", None)
                continue
            fast = seconds(peer, 1) / seconds(ours, 1)
            small = peer["peak_mb"] / ours["peak_mb"]
            text = f"{fast:.1f} times faster, {small:.1f} times less memory"
            add(f"{label} ({side})", text, fast >= times or small >= times)
    large = extras.get("landmarks")
    if large:
        label = "TCA rbf, 100000 rows, landmarks, one thread: within 60 s and 4 GB"
        if "failed" in large:
            add(label, large["failed"], False)
        else:
            passed = all(large[key] <= most for key, most in LARGE.items())
            add(label, f"{large['seconds']:.1f} s, {large['peak_mb']:.0f} MB", passed)
    stream = extras.get("streaming")
    if stream:
        label = "CORAL's map over 10 million rows x 100 of Parquet: at most 1.3 times reading it"
        if "failed" in stream:
            add(label, stream["failed"], False)
        else:
            for threads, found_ratio in stream["ratio"].items():
                text = f"{found_ratio:.2f} times, {stream['peak_mb']:.0f} MB"
                add(f"{label} ({_threads(int(threads))})", text, found_ratio <= STREAM)
    return found


def tables(rows: dict[str, Any], extras: dict[str, Any], judged: list[dict[str, Any]]) -> str:
    """Return everything as Markdown."""
    lines: list[str] = []
    for threads, size in _grid(rows):
        unit = "processor seconds" if threads == 1 else "seconds"
        lines += [
            f"\n{size} rows a domain, 800 features, {_threads(threads)}: {unit} for fit and predict"
            " / peak MB / target accuracy\n",
            "| method | acclimate | of which source model | " + " | ".join(PEERS) + " |",
            "|---" * (3 + len(PEERS)) + "|",
        ]
        for method in METHODS:
            ours = _row(rows, method, size, threads, "acclimate")
            if ours is None:
                continue
            first = f"{ours['stage_one']:.2f}" if "stage_one" in ours else ""
            cells = [_cell(ours, threads), first]
            cells += [_cell(_row(rows, method, size, threads, p), threads) for p in PEERS]
            lines.append(f"| {method} | " + " | ".join(cells) + " |")
            single = _row(rows, method, size, threads, "acclimate", "float32")
            if single is not None:
                lines.append(f"| {method}, float32 | {_cell(single, threads)} |" + " |" * 4)
    for name, figures in extras.items():
        lines += [f"\n{name}: `{figures}`"]
    lines += ["\n| goal | figure | |", "|---|---|---|"]
    words = {True: "pass", False: "**miss**", None: "no figure"}
    lines += [f"| {g['goal']} | {g['figure']} | {words[g['passed']]} |" for g in judged]
    count = {word: sum(words[g["passed"]] == word for g in judged) for word in words.values()}
    lines.append(
        f"\n{count['pass']} passed, {count['**miss**']} missed, {count['no figure']} without."
    )
    return "\n".join(lines)


def _grid(rows: dict[str, Any]) -> list[tuple[int, int]]:
    """Return pairs (threads, rows) that were measured, in order."""
    parts = [key.split(" | ") for key in rows]
    return sorted({(int(p[2]), int(p[1])) for p in parts})


def _row(
    rows: dict[str, Any], method: str, size: int, threads: int, side: str, dtype: str = "float64"
) -> dict[str, Any] | None:
    return rows.get(f"{method} | {size} | {threads} | {side} | {dtype}")


def _cell(row: dict[str, Any] | None, threads: int) -> str:
    if row is None:
        return ""
    if "fit" not in row:
        return str(row["failed"]).replace("|", "/")[:60]
    return f"{seconds(row, threads):.2f} / {row['peak_mb']:.0f} / {row['accuracy']:.3f}"


def _why(row: dict[str, Any]) -> str:
    return str(row.get("failed", f"{row.get('cpu', 0):.1f} s"))


def _threads(count: int) -> str:
    return "one thread" if count == 1 else f"{count} threads"
