"""Every shallow method with its defaults on the reporting data, beside skada; and what is picked.

Methods are those of the families mapping, reweighting and semisupervised that need no target
labels, and source-only, all on the same logistic regression and preprocessing. skada fits the same
arrays (`accuracy_peer.py`, in an environment of `peers.py`), which hold no target labels.

A draw takes rows of both domains; 70 % of the source rows are fitted on, and 30 % are held out for
choosing. Then each side picks a method without target labels: acclimate by circular validation and
by the panel of validators, skada by its own circular validation. All read the same rows.

Run:  python benchmarks/accuracy_shallow.py [--draws 3] [--quick] [--only heart] [--keep-peer]
      python benchmarks/accuracy_shallow.py --stored      (prints the tables of the last run)

Defaults were tuned on simulated shifts, optdigits, pendigits and wine, never on what is here.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from accuracy_peer import OURS
from peers import BENCH, peer_python
from scipy.stats import t as student
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits
from validator_cases import Case, digits, heart, sentiment
from validators import split

from acclimate import Domain, methods
from acclimate.refits.reruns import gather
from acclimate.validators.candidate import Evidence
from acclimate.validators.panel import score_candidates
from acclimate.validators.registry import circular
from acclimate.validators.risks import feature_weights

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "accuracy_shallow.json"
FAMILIES = ("baseline", "mapping", "reweighting", "semisupervised")
REFERENCE = "SourceOnly"
PAIRS = (  # Switzerland has 8 healthy patients of 123: a target here, never a source
    ("cleveland", "hungary"), ("cleveland", "switzerland"), ("cleveland", "va"),
    ("hungary", "cleveland"), ("hungary", "switzerland"), ("hungary", "va"),
    ("va", "cleveland"), ("va", "hungary"), ("va", "switzerland"),
)  # fmt: skip
Run = dict[str, Any]  # one case and draw


# --- running ------------------------------------------------------------------------------------


def cases(draw: int, rows: int, only: str) -> list[Case]:
    """Return all cases of a draw. Hospitals are taken whole, and split anew in each draw."""
    makers: tuple[tuple[str, Callable[[Any], list[Case]]], ...] = (
        ("digits", lambda rng: digits(rng, rows)),
        ("heart", lambda rng: heart(rng, rows, PAIRS)),
        ("sentiment", lambda rng: sentiment(rng, rows)),
    )
    return [
        case
        for i, (name, maker) in enumerate(makers)
        if only in name
        for case in maker(np.random.default_rng([15, draw, i]))
    ]


def candidates(preprocess: Any) -> dict[str, Any]:
    """Return every method with its defaults."""
    made = {}
    settings = {"preprocess": preprocess, "random_state": 0}
    for row in methods(task="classification"):
        if row.family not in FAMILIES or row.target_labels == "required" or row.network:
            continue
        cls = row.load()
        known = inspect.signature(cls.__init__).parameters
        made[row.name] = cls(
            LogisticRegression(max_iter=1000), **{k: v for k, v in settings.items() if k in known}
        )
    return made


def ours(case: Case) -> Run:
    """Fit all methods of a case; return accuracy, circular validation and both picks."""
    (X, y), (held, y_held) = split(case)
    Xt, truth = case.target
    target = Domain(Xt)
    _, held_clean, Xt_clean = cleaned(case, X, held, Xt)
    weights = feature_weights(held_clean, Xt_clean)
    found: dict[str, dict[str, Any]] = {}
    evidence: dict[str, Evidence] = {}
    for name, method in candidates(case.preprocess).items():
        began = time.process_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = method.fit(X, y, target=target)
                accuracy = float((model.predict(Xt) == truth).mean())
                seconds = time.process_time() - began
                known = gather(model, X, y, target, held, y_held, weights=weights)
        except Exception as error:  # a method that fails here is named, not hidden
            found[name] = {"failed": f"{type(error).__name__}: {str(error)[:150]}"}
            continue
        evidence[name] = known
        found[name] = {"accuracy": accuracy, "seconds": seconds}
        if known.reverse_labels is not None:
            found[name]["circular"] = circular(known)
    ranking = score_candidates(evidence)
    return {
        "data": case.shift if case.data.startswith("MNIST") else case.data,
        "shift": case.shift,
        "sizes": [len(y), len(y_held), len(truth)],
        "ours": found,
        "circular": first_best(found),
        "panel": ranking.best,
    }


def cleaned(case: Case, X: Any, *others: Any) -> tuple[Any, ...]:
    """Return rows as every method sees them: preprocessing is fitted on the source rows."""
    if case.preprocess is None:
        return (X, *others)
    step = clone(case.preprocess).fit(X)
    return tuple(step.transform(rows) for rows in (X, *others))


def first_best(found: dict[str, dict[str, Any]]) -> str | None:
    """Return the method of the highest circular validation; the first where some are level."""
    values = {n: row["circular"] for n, row in found.items() if row.get("circular") is not None}
    return max(values, key=lambda name: values[name]) if values else None


@contextmanager
def peer(found: list[Case], python: Path, limit: int) -> Iterator[Callable[[], list[Run]]]:
    """Start skada's process on the arrays of all cases; give a function that waits for its rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for i, case in enumerate(found):
            (X, y), (held, y_held) = split(case)
            X, held, Xt = cleaned(case, X, held, case.target[0])
            np.savez(folder / f"{i:04d}.npz", X=X, y=y, held=held, y_held=y_held, Xt=Xt)
        environment = dict(os.environ, **dict.fromkeys(THREADS, "1"))
        environment.pop("PYTHONPATH", None)
        command = [str(python), str(HERE / "accuracy_peer.py"), name, "--limit", str(limit)]
        with (folder / "rows").open("w") as out:
            process = subprocess.Popen(command, stdout=out, env=environment)

        def wait() -> list[Run]:
            if process.wait():
                print(f"skada's process ended with {process.returncode}", file=sys.stderr)
            return read_peer((folder / "rows").read_text(), found)

        try:
            yield wait
        finally:
            process.kill()
            process.wait()


def read_peer(text: str, found: list[Case]) -> list[Run]:
    """Return what skada did on each case, with its accuracy instead of its predictions."""
    sides: list[Run] = [{"skada": {}} for _ in found]
    for line in text.splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            number, name = int(row.pop("case")), row.pop("method")
            if "predicted" in row:
                truth = found[number].target[1]
                row["accuracy"] = float((np.array(row.pop("predicted")) == truth).mean())
            sides[number]["skada"][name] = row
    for side in sides:
        side["skada_pick"] = first_best(side["skada"])
    return sides


def of_peer(runs: list[Run], draw: int) -> list[Run]:
    """Return skada's part of the stored runs of a draw, with what they were made on."""
    names = ("skada", "skada_pick", "shift", "sizes")
    return [{name: run[name] for name in names} for run in runs if run["draw"] == draw]


def joined(runs: list[Run], sides: list[Run]) -> list[Run]:
    """Return the runs of both sides as one; stored ones must be of the same cases."""
    for run, side in zip(runs, sides, strict=True):
        if any(run[name] != side.get(name, run[name]) for name in ("shift", "sizes")):
            raise ValueError(f"skada's stored rows are of {side['shift']}, not of {run['shift']}")
    return [run | side for run, side in zip(runs, sides, strict=True)]


THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


# --- judging ------------------------------------------------------------------------------------


def over_draws(runs: list[Run], value: Callable[[Run], float | None]) -> dict[str, Any]:
    """Return mean and half-width of the 95 % interval, in points, of means over pairs by draw."""
    by_draw: dict[int, list[float]] = {}
    for run in runs:
        number = value(run)
        if number is not None:
            by_draw.setdefault(run["draw"], []).append(100 * number)
    means = [float(np.mean(each)) for each in by_draw.values()]
    n = len(means)
    half = student.ppf(0.975, n - 1) * np.std(means, ddof=1) / np.sqrt(n) if n > 1 else None
    count = sum(len(each) for each in by_draw.values())
    return {"mean": float(np.mean(means)) if n else None, "half": half and float(half),
            "runs": count}  # fmt: skip


def accuracy(run: Run, side: str, name: str | None) -> float | None:
    """Return the accuracy of a method on the target; None where there is none."""
    value: float | None = run[side].get(name or "", {}).get("accuracy")
    return value


def less(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def table(runs: list[Run]) -> dict[str, dict[str, Any]]:
    """Return one row a method: ours, its gain on source-only, skada's, and ours minus skada's."""
    rows = {}
    for name in runs[0]["ours"]:
        peer = OURS.get(name)
        get = lambda run: accuracy(run, "ours", name)  # noqa: B023, E731
        other = lambda run: accuracy(run, "skada", peer)  # noqa: B023, E731
        rows[name] = {
            "ours": over_draws(runs, get),
            "gain": over_draws(runs, lambda r: less(get(r), accuracy(r, "ours", REFERENCE))),  # noqa: B023
            "skada": over_draws(runs, other),
            "ahead": over_draws(runs, lambda r: less(get(r), other(r))),  # noqa: B023
        }
    return rows


PICKS: dict[str, Callable[[Run], float | None]] = {
    "source only": lambda r: accuracy(r, "ours", REFERENCE),
    "ours, circular": lambda r: accuracy(r, "ours", r["circular"]),
    "ours, panel": lambda r: accuracy(r, "ours", r["panel"]),
    "skada, circular": lambda r: accuracy(r, "skada", r["skada_pick"]),
    "best of ours": lambda r: max(v["accuracy"] for v in r["ours"].values() if "accuracy" in v),
    "best of skada": lambda r: max(
        (v["accuracy"] for v in r["skada"].values() if "accuracy" in v), default=None
    ),
}


def picks(runs: list[Run]) -> dict[str, dict[str, Any]]:
    """Return the accuracy of each pick, and of our picks minus skada's."""
    rows = {name: over_draws(runs, value) for name, value in PICKS.items()}
    for name in ("ours, circular", "ours, panel"):
        rows[f"{name}, ahead"] = over_draws(
            runs,
            lambda r: less(PICKS[name](r), PICKS["skada, circular"](r)),  # noqa: B023
        )
    return rows


def by_data(runs: Iterable[Run]) -> dict[str, list[Run]]:
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run["data"], []).append(run)
    return groups


# --- printing -----------------------------------------------------------------------------------


def cell(figure: dict[str, Any], sign: bool = False) -> str:
    if figure["mean"] is None:
        return "-"
    mean = f"{figure['mean']:+.1f}" if sign else f"{figure['mean']:.1f}"
    return mean if figure["half"] is None else f"{mean} ± {figure['half']:.1f}"


def report(stored: dict[str, Any]) -> None:
    """Print a table a data set, the picks, and what missed its goal."""
    groups = by_data(stored["runs"])
    tables = {data: table(runs) for data, runs in groups.items()}
    for data, runs in groups.items():
        show(data, runs, tables[data])
    show_picks(groups)
    print("\nBelow source only by mean, in points; * where the whole interval is below 0:\n")
    for data, rows in tables.items():
        gains = {name: row["gain"] for name, row in rows.items() if name != REFERENCE}
        low = {n: g for n, g in gains.items() if g["mean"] is not None and g["mean"] < 0}
        marks = {n: "*" if g["half"] and g["mean"] + g["half"] < 0 else "" for n, g in low.items()}
        order = sorted(low, key=lambda name: low[name]["mean"])
        print(f"- {data}, {len(low)} of {len(gains)} methods: "
              + ", ".join(f"{n} {low[n]['mean']:+.1f}{marks[n]}" for n in order))  # fmt: skip
    show_failures(stored["runs"])


def show(data: str, runs: list[Run], rows: dict[str, dict[str, Any]]) -> None:
    """Print the table of one data set."""
    pairs = len({run["shift"] for run in runs})
    draws = len({run["draw"] for run in runs})
    sizes = ["-".join(map(str, sorted({min(each), max(each)})))
             for each in zip(*(run["sizes"] for run in runs), strict=True)]  # fmt: skip
    print(f"\n### {data}\n")
    word = "pair" if pairs == 1 else "pairs"
    print(f"{pairs} {word} of domains, {draws} draws; {sizes[0]} source rows to fit on, {sizes[1]} "
          f"held out, {sizes[2]} target rows.\n")  # fmt: skip
    print("| method | acclimate | gain on source only | skada | acclimate - skada |")
    print("|---|---|---|---|---|")
    for name, row in rows.items():
        ours, peer = (
            cell(row[side])
            + (
                f" ({row[side]['runs']} of {len(runs)})"
                if 0 < row[side]["runs"] < len(runs)
                else ""
            )
            for side in ("ours", "skada")
        )
        if name == REFERENCE:
            print(f"| {name} | {ours} | | {peer} | |")
        else:
            gain, ahead = cell(row["gain"], True), cell(row["ahead"], True)
            print(f"| {name} | {ours} | {gain} | {peer} | {ahead} |")


def show_picks(groups: dict[str, list[Run]]) -> None:
    """Print the accuracy of each pick, whether ours is above skada's, and what was picked."""
    print("\n### Picks without target labels\n")
    print(
        "| data | source only | ours, circular | ours, panel | skada, circular | circular - skada "
        "| panel - skada | best of ours, of skada, known afterwards |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for data, runs in groups.items():
        row = picks(runs)
        shown = [cell(row[name]) for name in list(PICKS)[:4]]
        for name in ("circular", "panel"):
            ahead = row[f"ours, {name}, ahead"]
            word = "pass" if (ahead["mean"] or 0.0) > 0 else "miss"
            shown.append(f"{cell(ahead, True)} {word}")
        best = f"{cell(row['best of ours'])}, {cell(row['best of skada'])}"
        print("| " + " | ".join([data, *shown, best]) + " |")
    print("\nHow often each was picked:\n")
    for data, runs in groups.items():
        for title, key in (("circular", "circular"), ("panel", "panel"), ("skada", "skada_pick")):
            names = [str(run[key]) for run in runs]
            counts = sorted((-names.count(n), n) for n in set(names))
            print(f"- {data}, {title}: " + ", ".join(f"{n} {-c}" for c, n in counts))


def show_failures(runs: list[Run]) -> None:
    """Print what could not be fitted or validated, and why."""
    counts: dict[tuple[str, ...], int] = {}
    for run in runs:
        for side in ("ours", "skada"):
            for name, row in run[side].items():
                for kind in ("failed", "no_circular"):
                    if kind in row:
                        why = str(row[kind]).splitlines()[0][:110]
                        key = (side, run["data"], name, kind.replace("_", " "), why)
                        counts[key] = counts.get(key, 0) + 1
    if counts:
        print("\nCould not be fitted (failed) or validated (no circular):\n")
    for (side, data, name, kind, why), count in counts.items():
        print(f"- {side}, {data}, {name}: {kind} in {count} runs: {why}")


def seconds(runs: list[Run]) -> None:
    """Print where the time went."""
    for side in ("ours", "skada"):
        total: dict[str, float] = {}
        for run in runs:
            for name, row in run[side].items():
                total[name] = total.get(name, 0.0) + row.get("seconds", 0.0)
        slow = sorted(total.items(), key=lambda item: -item[1])
        print(f"{side}: " + ", ".join(f"{n} {s:.1f}" for n, s in slow), file=sys.stderr)


def main() -> None:
    """Run, or print what is stored."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1000, help="of each domain, at most")
    parser.add_argument("--quick", action="store_true", help="1 draw, 200 rows; nothing is stored")
    parser.add_argument("--only", default="", help="digits, heart or sentiment; nothing is stored")
    parser.add_argument("--stored", action="store_true", help="print the tables of the last run")
    parser.add_argument("--limit", type=int, default=30, help="processor seconds a method of skada")
    parser.add_argument("--peer", type=Path, help="interpreter that has skada, if not our own")
    parser.add_argument("--env", type=Path, default=BENCH, help="folder of the peers' environments")
    parser.add_argument("--keep-peer", action="store_true", help="skada's rows of the last run")
    args = parser.parse_args()
    if args.stored:
        report(json.loads(RESULTS.read_text()))
        return
    kept = json.loads(RESULTS.read_text())["runs"] if args.keep_peer else None
    if kept is None:
        args.peer = args.peer or peer_python(args.env, "shallow")
    draws, rows = (1, 200) if args.quick else (args.draws, args.rows)
    stored: dict[str, Any] = {"rows": rows, "runs": []}
    began = time.perf_counter()
    for draw in range(draws):
        found = cases(draw, rows, args.only)
        side = (
            nullcontext(lambda: of_peer(kept, draw)) if kept is not None  # noqa: B023
            else peer(found, args.peer, args.limit)
        )  # fmt: skip
        with threadpool_limits(1), side as wait:
            runs = []
            for case in found:
                runs.append(ours(case) | {"draw": draw})
                passed = time.perf_counter() - began
                print(f"draw {draw}, {case.name}: {passed:.0f} s so far", file=sys.stderr)
            stored["runs"] += joined(runs, wait())
        stored |= {"draws": draw + 1, "wall_seconds": round(time.perf_counter() - began)}
        if not (args.quick or args.only):
            groups = by_data(stored["runs"])
            stored["tables"] = {data: table(each) for data, each in groups.items()}
            stored["picks"] = {data: picks(each) for data, each in groups.items()}
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
    seconds(stored["runs"])
    report(stored)


if __name__ == "__main__":
    main()
