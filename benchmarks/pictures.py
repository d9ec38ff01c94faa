"""`compare` on pictures, beside what one would do by hand: the tasks of `picture_tasks.py`.

Of each class 60 pictures of the source are labelled, and of the target 5 or none; the target's
other pictures of the pool are there without labels, 40 a class are scored. "compare" is given the
pictures and a budget, and nothing else; its model of all labels is scored. "by hand" are logistic
regressions on the features of efficientnet-lite0, scaled by what they are trained on: the source,
the target's labels, both pooled; HOG with a linear SVM on both pooled; and `FineTune` on the
features behind `OneScale`. Without labels the shares of the classes are even, or have a long tail
(from 1 to 0.05, test pictures, too). The features are computed before the clock starts.

Run:  python benchmarks/pictures.py [--draws 3] [--budget 120] [--jobs 2] [--tasks tiles]
      [--kinds "no labels"]
Rows that the result file has are not run again.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from picture_tasks import Task, long_tail, task
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from acclimate import HOG, Domain, FineTune, FrozenBody, OneScale, compare

RESULTS = Path(__file__).parent / "results" / "pictures.json"
LABELS = 5
KINDS = ("5 labels a class", "no labels", "no labels, long tail")


def labelled(y: np.ndarray, draw: int) -> np.ndarray:
    """Return which pictures of the pool are labelled, as many of each class."""
    rng = np.random.default_rng([draw, 3])
    known = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        known[rng.permutation(np.flatnonzero(y == label))[:LABELS]] = True
    return known


def by_hand(one: Task, known: np.ndarray, draw: int) -> dict[str, float]:
    """Return the accuracy of each way by hand with labels."""
    encode = FrozenBody().fit(one.X).transform
    X, pool, test = encode(one.X), encode(one.X_pool), encode(one.X_test)
    few, yt = pool[known], one.y_pool[known]
    both, labels = np.concatenate([X, few]), np.r_[one.y, yt]
    found = {}
    for name, rows, y in (("source", X, one.y), ("target", few, yt), ("pooled", both, labels)):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        found[name] = float(model.fit(rows, y).score(test, one.y_test))
    model = make_pipeline(HOG(), StandardScaler(), LinearSVC(random_state=draw))
    model.fit(np.concatenate([one.X, one.X_pool[known]]), labels)
    found["HOG + SVM"] = float(model.score(one.X_test, one.y_test))
    target = Domain(pool, one.y_pool, labelled=known)
    tuned = FineTune(preprocess=OneScale(), random_state=draw).fit(X, one.y, target=target)
    found["FineTune"] = float(tuned.score(test, one.y_test))
    return found


def row(name: str, draw: int, kind: str, budget: float, jobs: int | None) -> dict[str, Any]:
    """Run one cell."""
    one = task(name, draw)
    encode = FrozenBody().fit(one.X).transform
    for pictures in (one.X, one.X_pool, one.X_test):
        encode(pictures)
    here, there = np.arange(len(one.y_pool)), np.arange(len(one.y_test))
    if "tail" in kind:
        here, there = long_tail(one.y_pool, draw), long_tail(one.y_test, draw)
    known = labelled(one.y_pool, draw)
    target = Domain(one.X_pool[here])
    if kind == KINDS[0]:
        target = Domain(one.X_pool, one.y_pool, labelled=known)
    started = time.perf_counter()
    found = compare((one.X, one.y), target, budget=budget, n_jobs=jobs, random_state=draw)
    model = found.best_model()
    ended = time.perf_counter()
    said = model.predict(one.X_test[there]) == one.y_test[there]
    table = found.details.table
    out = {
        "task": name, "draw": draw, "kind": kind, "budget": budget, "jobs": jobs,
        "seconds": ended - started, "compare": float(said.mean()),
        "recommended": found.recommendation.candidate,
        "candidates": len(table), "done": sum(c.status == "done" for c in table),
    }  # fmt: skip
    if kind == KINDS[0]:
        return out | by_hand(one, known, draw)
    X, test = encode(one.X), encode(one.X_test[there])
    plain = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X, one.y)
    return out | {"source": float(plain.score(test, one.y_test[there]))}


def show(rows: list[dict[str, Any]]) -> None:
    """Print a table for each kind, in means over draws."""
    for kind in KINDS:
        mine = [one for one in rows if one["kind"] == kind]
        sides = ["source", "target", "pooled", "HOG + SVM", "FineTune"]
        sides = [*(sides if kind == KINDS[0] else sides[:1]), "compare"]
        print(f"\n| {kind} | draws | " + " | ".join(sides) + " | seconds |")
        print("|" + "---|" * (len(sides) + 3))
        for name in dict.fromkeys(one["task"] for one in mine):
            these = [one for one in mine if one["task"] == name]
            cells = [f"{100 * np.mean([one[side] for one in these]):.1f}" for side in sides]
            seconds = max(one["seconds"] for one in these)
            print(f"| {name} | {len(these)} | " + " | ".join(cells) + f" | {seconds:.0f} |")


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--budget", type=float, default=120)
    parser.add_argument("--jobs", type=int, default=None)
    parser.add_argument("--tasks", nargs="+", default=["tiles", "letters", "digits"])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    done = {(one["task"], one["draw"], one["kind"]) for one in rows}
    for draw in range(args.draws):
        for kind in args.kinds:
            for name in args.tasks:
                if (name, draw, kind) not in done:
                    rows.append(row(name, draw, kind, args.budget, args.jobs))
                    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
                    print(name, draw, kind, rows[-1], flush=True)
    show(rows)


if __name__ == "__main__":
    main()
