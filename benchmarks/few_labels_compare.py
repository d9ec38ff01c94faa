"""What `compare` recommends on the cases of `few_labels.py`, with the same draws of the labels.

Nothing but the data, the preprocessing of the case and a budget is given. The bar is the better of
source-only and target-only, linear or network, in the mean over the same draws, as
`few_labels.py` stored them; nobody can know which that is.

Run:  python benchmarks/few_labels_compare.py [--draws 3] [--budget 60]
Rows that the result file has are not run again.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from few_labels import RESULTS as STORED
from few_labels import Case, digits, draw_rows, heart, wine
from sklearn.metrics import accuracy_score, r2_score

from acclimate import Domain, compare

RESULTS = Path(__file__).parent / "results" / "few_labels_compare.json"


def recommended(case: Case, size: int, draw: int, budget: float) -> dict[str, Any]:
    """Return the test score of what is recommended, and what that is."""
    X, y = case.pool
    rows = draw_rows(y, size, draw, case.regression)
    known = np.zeros(len(y), dtype=bool)
    known[rows] = True
    names = case.classes
    source = Domain(case.X, case.y, class_names=names)
    target = Domain(X, y, labelled=known, class_names=names)
    step = "auto" if case.preprocess is None else case.preprocess
    task = "regression" if case.regression else "classification"
    found = compare(source, target, task=task, preprocess=step, budget=budget, random_state=draw)
    score = r2_score if case.regression else accuracy_score
    said = found.best_model().predict(case.test[0])
    return {
        "case": case.name, "labels": size, "draw": draw, "budget": budget,
        "score": float(score(case.test[1], said)), "candidate": found.recommendation.candidate,
        "within": found.details.within,
    }  # fmt: skip


def show(rows: list[dict[str, Any]]) -> None:
    """Print a line a case and size beside the bar, and how many are within a point of it."""
    stored = json.loads(STORED.read_text())["results"]
    near = cases = 0
    print("| case | labels | draws | bar | recommended | difference |\n|---|---|---|---|---|---|")
    for result in stored:
        key = result["case"], result["labels"]
        mine = [row for row in rows if (row["case"], row["labels"]) == key]
        if not mine:
            continue
        draws = [row["draw"] for row in mine]
        bar = max(
            np.mean([one["draws"][draw] for draw in draws])
            for name, one in result["rows"].items() if name.endswith(" only")
        )  # fmt: skip
        ours = np.mean([row["score"] for row in mine])
        cases, near = cases + 1, near + bool(ours >= bar - 0.01)
        print(f"| {key[0]} | {key[1]} | {len(draws)} | {100 * bar:.1f} | {100 * ours:.1f} | "
              f"{100 * (ours - bar):+.1f} |")  # fmt: skip
    print(f"\nWithin a point of the bar or above: {near} of {cases}.")


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--budget", type=float, default=60)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    done = {(row["case"], row["labels"], row["draw"]) for row in rows}
    for case in [*heart(), *wine(), *digits()]:
        for size in case.sizes:
            for draw in range(args.draws):
                if (case.name, size, draw) not in done:
                    rows.append(recommended(case, size, draw, args.budget))
                    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
                    print(case.name, size, draw, f"{rows[-1]['score']:.3f}", flush=True)
    show(rows)


if __name__ == "__main__":
    main()
