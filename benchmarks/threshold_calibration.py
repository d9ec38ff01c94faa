"""What a tuned threshold is worth, and how often "helps" is said wrongly where all are tuned.

A row has six columns and one of two classes; in each column the rarer class lies higher. One side
of a pair reads the first three columns, the other the last three, so both have the same true score.
Their models are logistic regressions of the labels, fitted anew for each part of the design, or
the true odds of a source with even classes, which no label trains; or the columns tell nothing.
Both are cut by a tuned threshold, chosen in 5 folds as `compare` does, and judged.

The score on 4000 new rows, with the threshold of all labels and at a half, says what it is worth,
and the cross-fitted score, whether that was a fair estimate.

Goal: a wrong "helps" in at most 5 %. Sides can be swapped, so a wrong "hurts" counts the same, and
the share is half of both. It is told beside that of the same pairs cut at a half.

Run:  python benchmarks/threshold_calibration.py [--pairs 120] [--stored]
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from acclimate import Domain
from acclimate.comparison.answers import Answers, free_of_labels, from_parts
from acclimate.comparison.design import Design, make_design
from acclimate.comparison.judge import Judge
from acclimate.comparison.measured import score_of
from acclimate.comparison.problem import Problem, check_problem
from acclimate.comparison.tuned import TUNED, final_threshold, tuned
from acclimate.judging.scored import Scored
from acclimate.maths.at_threshold import codes_at

RESULTS = Path(__file__).parent / "results" / "threshold_calibration.json"
FOLDS, NEW, CLASSES = 5, 4000, np.arange(2)
KEYS = ("f1", "balanced_accuracy", "accuracy")
SIZES = ((60, 0.5), (60, 0.2), (200, 0.5), (200, 0.1))  # labels, share of the rarer class
APART = {"labels train both": 0.8, "no label trains": 0.8, "nothing to learn": 0.0}  # a column
SIDES = (slice(0, 3), slice(3, 6))


def draw(
    rng: np.random.Generator, m: int, share: float, apart: float
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return rows and labels; the rarer class has exactly its share."""
    y = rng.permutation(np.arange(m) < round(share * m)).astype(np.intp)
    return rng.normal(size=(m, 6)) + apart * y[:, None], y


def chances(kind: str, X: Any, y: Any, Xn: Any) -> NDArray[np.float64]:
    """Return the probabilities of both classes for new rows, by a model of X and y."""
    if kind == "no label trains":  # classes are even in its source
        chance = expit(APART[kind] * (Xn - APART[kind] / 2).sum(axis=1))
        return np.column_stack([1 - chance, chance])
    found: NDArray[np.float64] = LogisticRegression().fit(X, y).predict_proba(Xn)
    return found


def answers(kind: str, design: Design, X: Any) -> Answers:
    """Return the cross-fitted tables of a side."""
    y = design.labels
    if kind == "no label trains":
        proba = chances(kind, X, y, X)
        return free_of_labels(design, proba.argmax(axis=1), proba, CLASSES)
    parts = {}
    for part in design.parts():
        left = design.left_out(*part)
        proba = chances(kind, X[~left], y[~left], X[left])
        parts[part] = {"answers": proba.argmax(axis=1), "proba": proba, "classes": CLASSES}
    return from_parts(design, parts, CLASSES)


def score_on_new(problem: Problem, proba: Any, y: Any, value: float) -> float:
    """Return the score of answers by a threshold."""
    return problem.measure.value(Scored(y, codes_at(proba, 1, value), proba, CLASSES, 1))


def one_pair(
    rng: np.random.Generator, kind: str, m: int, share: float
) -> dict[str, tuple[float, ...]]:
    """Return by metric whether a gain is claimed, tuned and not, and three scores of a side.

    They are the cross-fitted one, and those on new rows with the threshold and at a half.
    """
    X, y = draw(rng, m, share, APART[kind])
    Xn, yn = draw(rng, NEW, share, APART[kind])
    design = make_design(
        y, np.arange(m), classify=True, folds=FOLDS, repeats=1, seed=int(rng.integers(2**31))
    )
    done = {name: answers(kind, design, X[:, mine]) for name, mine in zip("ab", SIDES, strict=True)}
    proba = chances(kind, X[:, SIDES[0]], y, Xn[:, SIDES[0]])
    found = {}
    for key in KEYS:
        plain = check_problem(
            (X, y), Domain(X, y), estimators=None, domains=None, groups=None, margin=0.01,
            confidence=0.95, metric=key, positive=1,
        )  # fmt: skip
        claimed, tables = [], []
        for problem in (tuned(plain, TUNED), plain):
            judge = Judge(problem, design, done, {"TargetOnly": ["a"], "SourceOnly": ["b"]})
            a, b = ((judge.tables[n].outer, judge.tables[n].proba) for n in "ab")
            claimed.append(float(judge.verdict(b, a).word in ("helps", "hurts")) / 2)
            tables.append(a)
        problem = replace(tuned(plain, TUNED), metric=plain.measure)
        value = final_threshold(problem, design, tables[0])
        assert value is not None
        scores = [score_on_new(problem, proba, yn, one) for one in (value, 0.5)]
        found[key] = *claimed, score_of(problem, design, tables[0])[0], *scores
    return found


def simulate(kind: str, m: int, share: float, pairs: int, seed: int) -> dict[str, Any]:
    """Judge pairs by every metric."""
    rng = np.random.default_rng([seed, m, int(100 * share), list(APART).index(kind)])
    found = [one_pair(rng, kind, m, share) for _ in range(pairs)]
    row: dict[str, Any] = {"kind": kind, "labels": m, "share": share, "pairs": pairs}
    names = ("wrong", "wrong_at_half", "crossfitted", "tuned", "half")
    for key in KEYS:
        means = np.mean([one[key] for one in found], axis=0).tolist()
        row[key] = dict(zip(names, means, strict=True))
    return row


def show(rows: list[dict[str, Any]]) -> None:
    """Print the tables of BENCHMARKS.md, in %."""
    head = "| models | labels | rarer class | F1 | balanced accuracy | accuracy |\n" + "|---" * 6
    for told in (_scores, _wrong):
        print(f"{head}|")
        for row in rows:
            cells = " | ".join(told(row[key]) for key in KEYS)
            print(f"| {row['kind']} | {row['labels']} | {100 * row['share']:.0f} % | {cells} |")
        print()
    for name in ("wrong", "wrong_at_half"):
        means = [f"{key} {100 * np.mean([row[key][name] for row in rows]):.1f}" for key in KEYS]
        print(f"{name}, mean over all: {', '.join(means)}")


def _scores(cell: dict[str, float]) -> str:
    half, best, told = (100 * cell[name] for name in ("half", "tuned", "crossfitted"))
    return f"{half:.1f}, {best:.1f} ({told:.1f})"


def _wrong(cell: dict[str, float]) -> str:
    return f"{100 * cell['wrong_at_half']:.1f}, {100 * cell['wrong']:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=120, help="of each cell")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stored", action="store_true", help="print the last run again")
    options = parser.parse_args()
    if options.stored:
        show(json.loads(RESULTS.read_text(encoding="utf-8"))["rows"])
        return
    started = time.perf_counter()
    rows = [
        simulate(kind, m, share, options.pairs, options.seed)
        for kind in APART
        for m, share in SIZES
    ]
    show(rows)
    result = {
        "pairs": options.pairs, "seed": options.seed, "folds": FOLDS,
        "seconds": time.perf_counter() - started, "rows": rows,
    }  # fmt: skip
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
