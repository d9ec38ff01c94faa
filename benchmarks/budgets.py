"""Is a budget of time kept, and what is the answer worth on a large table?

`compare` and its last fit on the generated table (`generated_table.py`) with 500, 20,000 and
200,000 rows a side, 100 labels in the smallest and 1000 in the others, with budgets of 15 s, 60 s
and 10 min. Wall time over budget; candidates that were judged to the end or dropped as clearly
behind; the accuracy on 5000 target rows without labels, beside histogram boosting on all rows
together with and without a column for the domain, as one would fit it by hand, and the constant
answer.

Run:  python benchmarks/budgets.py [--rows 500 20000 200000] [--budgets 15 60 600]
      python benchmarks/budgets.py --command-line [--before COMMIT]
Rows that the result file has are not run again. ``--command-line`` times `acclimate compare` as a
process, with 500 rows a side, a model file and a report, and stores nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from generated_table import generated_table
from sklearn.ensemble import HistGradientBoostingClassifier
from trees import run_with, source

from acclimate import Domain, compare

RESULTS = Path(__file__).parent / "results" / "budgets.json"
TEST = 5000


def by_hand(X: Any, y: Any, Xt: Any, yt: Any, test: Any) -> dict[str, float]:
    """Return the accuracy of boosting on all rows together, and of the constant answer."""
    both = pd.concat([X, Xt], ignore_index=True)
    for name in [one for one in both.columns if one.startswith("category")]:
        both[name] = both[name].astype("category")
    both["domain"] = np.repeat([0.0, 1.0], [len(X), len(Xt)])
    labels = np.concatenate([y, yt])
    found = {}
    for name, columns in (("pooled", both.columns[:-1]), ("pooled, column", both.columns)):
        model = HistGradientBoostingClassifier(random_state=0, categorical_features="from_dtype")
        model.fit(both[columns], labels)
        asked = test.assign(domain=1.0)[columns]
        for one in [name for name in columns if name.startswith("category")]:
            asked[one] = asked[one].astype(both[one].dtype)
        found[name] = model.predict(asked)
    found["constant"] = np.full(len(test), pd.Series(yt).mode()[0])
    return found


def row(rows: int, budget: float) -> dict[str, Any]:
    """Run one cell."""
    labels = 100 if rows < 1000 else 1000
    X, y = generated_table(rows, 0)
    Xt, yt = generated_table(max(rows, labels) + TEST, 1)
    test, truth = Xt.iloc[-TEST:], yt[-TEST:]
    Xt, yt = Xt.iloc[:-TEST], yt[:-TEST]
    known = np.arange(len(Xt)) < labels
    started = time.perf_counter()
    found = compare((X, y), Domain(Xt, yt, labelled=known), budget=budget)
    between = time.perf_counter()
    model = found.best_model()
    ended = time.perf_counter()
    details = found.details
    judged = [one for one in details.table if one.method != "Committee"]
    done = sum(one.status == "done" or "behind" in (one.reason or "") for one in judged)
    hand = by_hand(X, y, Xt[known], yt[known], test)
    return {
        "rows": rows, "labels": labels, "budget": budget, "compare": between - started,
        "all": ended - started, "ratio": (ended - started) / budget, "judged": done,
        "candidates": len(judged), "within": details.within, "word": details.verdicts[-1].word,
        "ours": float((model.predict(test) == truth).mean()),
        **{name: float((said == truth).mean()) for name, said in hand.items()},
    }  # fmt: skip


def on_the_command_line(rows: int, budget: float) -> float:
    """Return the seconds of `acclimate compare` on two files, 100 rows of the target labelled."""
    (X, y), (Xt, yt) = generated_table(rows, 0), generated_table(rows, 1)
    told = pd.Series(yt, dtype="object")
    told[100:] = None
    with tempfile.TemporaryDirectory() as folder:
        X.assign(label=y).to_csv(Path(folder, "here.csv"), index=False)
        Xt.assign(label=told).to_csv(Path(folder, "there.csv"), index=False)
        words = [
            "compare", "--source", "here.csv", "--target", "there.csv", "--label", "label",
            "--budget", f"{budget:g}s", "--out", "model.acclimate", "--report", "report.html",
        ]  # fmt: skip
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "acclimate", *words], cwd=folder, check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return time.perf_counter() - started


def main() -> None:
    """Run what is missing, and print a line a cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 20_000, 200_000])
    parser.add_argument("--budgets", type=float, nargs="+", default=[15, 60, 600])
    parser.add_argument("--command-line", action="store_true", help="with files, 15 s and 30 s")
    parser.add_argument("--before", type=source, help="a commit, or the src of another checkout")
    args = parser.parse_args()
    if args.before is not None:
        run_with(args.before, "--before")
        return
    if args.command_line:
        for budget in (15, 30):
            print(f"{on_the_command_line(500, budget):.1f} s of {budget}", flush=True)
        return
    warnings.simplefilter("ignore")
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    done = {(one["rows"], one["budget"]) for one in kept}
    for rows in args.rows:
        for budget in args.budgets:
            if (rows, budget) not in done:
                kept.append(row(rows, budget))
                RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    for one in kept:
        print(
            f"{one['rows']:>7,} rows, {one['budget']:.0f} s: {one['ratio']:.2f} of the budget, "
            f"{one['judged']} of {one['candidates']} judged; {100 * one['ours']:.1f} against "
            f"pooled {100 * one['pooled']:.1f} / {100 * one['pooled, column']:.1f}, constant "
            f"{100 * one['constant']:.1f}; {one['word']}; {one['within']}"
        )


if __name__ == "__main__":
    main()
