"""Should members of the source committee weigh more where they fit held-out source rows better?

The committee of `benchmarks/choose.py`, "nothing known", on its sets: members of equal weight, as
they are, beside weights ``exp(-eta L)`` of the loss L on a fifth of the source's rows, in nats
summed over the rows, by members that were fitted on the others; and beside the members alone that
are within 15 % of the least such loss. Each is moved to more even class shares alike. Accuracy on
the target, in means over cases, for tables over the means of each.

Run:  python benchmarks/committee_weights.py [--each 2] [--sets heart tables digits sentiment]
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from choose import Case, aligned, cases, over
from threadpoolctl import threadpool_limits

from acclimate.comparison.bases import source_committee
from acclimate.folds import few_label_folds
from acclimate.judging.weighing import class_losses
from acclimate.maths.class_shares import moved, shares_of, towards_even
from acclimate.transfer.committee import EVEN
from acclimate.validation import take

RESULTS = Path(__file__).parent / "results" / "committee_weights.json"
ETAS = (0.02, 0.1, 0.3)
NEAR = 1.15  # of the least loss


def accuracies(case: Case) -> dict[str, float]:
    """Return the accuracy of each way to weigh, in percent."""
    (X, y), (Xt, truth) = case.source, case.target

    def members(rows: np.ndarray) -> Any:
        made = source_committee("classification", X, case.preprocess)
        return made.set_params(random_state=0).fit(take(X, rows), y[rows])

    train, held = few_label_folds(y, classify=True, folds=5, seed=0)[0]
    whole, part = members(np.arange(len(y))), members(train)
    classes = whole.classes_
    there = [aligned(one, Xt, classes) for _, one in whole.source_model_.members]
    here = [aligned(one, take(X, held), classes) for _, one in part.source_model_.members]
    codes = np.searchsorted(classes, y[held])
    losses = np.array([class_losses(proba, codes).sum() for proba in here])
    least = losses.min()
    weights = {"equal": np.ones(len(losses))}
    weights |= {f"eta {eta:g}": np.exp(-eta * (losses - least)) for eta in ETAS}
    weights["those near the best"] = (losses <= NEAR * least).astype(float)
    known = shares_of(y)
    found = {}
    for name, w in weights.items():
        mean = np.tensordot(w / w.sum(), np.array(there), axes=1)
        proba = moved(mean, towards_even(known, EVEN) / known)
        found[name] = 100 * float(np.mean(classes[proba.argmax(axis=1)] == truth))
    alone = classes[there[0].argmax(axis=1)]  # logistic regression as it is
    return {"logistic": 100 * float(np.mean(alone == truth))} | found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=2, help="shifts of a table, at most")
    parser.add_argument("--sets", nargs="+", default=["heart", "tables", "digits", "sentiment"])
    options = parser.parse_args()
    stored = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for data in options.sets:
            for name, make in cases(data, options.each):
                mine = stored.setdefault(data, {})
                if name not in mine:
                    mine[name] = {k: round(v, 2) for k, v in accuracies(make()).items()}
                    RESULTS.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    for data, found in stored.items():
        ways = dict.fromkeys(way for case in found.values() for way in case)
        cells = [f"{over(data, {n: case[way] for n, case in found.items()}):.1f}" for way in ways]
        print(f"| {data} ({len(found)}) | " + " | ".join(cells) + " |")
    print("| set | " + " | ".join(ways) + " |")


if __name__ == "__main__":
    main()
