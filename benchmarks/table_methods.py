"""What each method gains over the source's model on real tables, where nothing is known.

Real tables for development, split into domains by a column (``ACCLIMATE_DATA``: a folder with
``tables/`` and ``table_shifts.py``): every ordered pair of domains that is a classification, with
at most 300 rows a domain, and one logistic regression for all. Target labels score, and nothing
else. Means are over tables, since some have many pairs. What is more than a point below the
source's model in the mean is marked in the catalogue (``loses_on_tables``), and `compare` does not
try it on tables unless it is named.

Run:  python benchmarks/table_methods.py [--rows 300] [--pairs 4]
      python benchmarks/table_methods.py --stored     (prints the table of the last run)

A run goes on where the last one stopped; `--again` with names measures those methods anew.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from by_hand import _shifts
from shallow_defaults import FAMILIES, REFERENCE
from threadpoolctl import threadpool_limits

from acclimate import Domain, methods
from acclimate.catalogue import find
from acclimate.tables import default_preprocess

RESULTS = Path(__file__).parent / "results" / "table_methods.json"
LOSS = -1.0  # points in the mean, below which a method is marked


def names() -> list[str]:
    """Return the methods that `compare` may try on a table without target labels, by name."""
    return [
        row.name
        for row in methods(task="classification")
        if row.family in FAMILIES and row.target_labels != "required" and not row.network
    ]


def accuracy(name: str, shift: Any) -> float | str:
    """Return the accuracy on the target, or why there is none."""
    y, truth = (one.astype(str) for one in (shift.y, shift.yt))
    row = find(name)
    assert row is not None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = row.load()(preprocess=default_preprocess(shift.X), random_state=0)
            model.fit(shift.X, y, target=Domain(shift.Xt))
            return float((model.predict(shift.Xt) == truth).mean())
    except Exception as error:  # a method that fails here is named, not hidden
        return f"{type(error).__name__}: {str(error)[:150]}"


def gains(stored: dict[str, Any], name: str) -> dict[str, list[float]]:
    """Return the gains over source-only in points, by table."""
    found: dict[str, list[float]] = {}
    for shift, row in stored.items():
        if isinstance(row.get(name), float):
            gain = 100 * (row[name] - row[REFERENCE])
            found.setdefault(shift.split(",")[0], []).append(gain)
    return found


def means(stored: dict[str, Any]) -> dict[str, float]:
    """Return the mean gain of each method over the tables, in points."""
    found = {}
    for name in {name for row in stored.values() for name in row} - {REFERENCE}:
        each = gains(stored, name)
        if each:
            found[name] = float(np.mean([np.mean(values) for values in each.values()]))
    return found


def report(stored: dict[str, Any]) -> None:
    """Print a row a method."""
    tables = len({shift.split(",")[0] for shift in stored})
    print(f"Mean gain over source-only in points, {len(stored)} shifts of {tables} tables.\n")
    print("| method | mean | lowest table | shifts more than a point below | marked |")
    print("|---|---|---|---|---|")
    for name, mean in sorted(means(stored).items(), key=lambda pair: -pair[1]):
        each = gains(stored, name)
        every = np.concatenate(list(each.values()))
        low = min(float(np.mean(values)) for values in each.values())
        print(f"| {name} | {mean:+.1f} | {low:+.1f} | {100 * np.mean(every < -1):.0f} % "
              f"| {'yes' if mean < LOSS else ''} |")  # fmt: skip
    failed = {(n, v) for row in stored.values() for n, v in row.items() if isinstance(v, str)}
    for name, why in sorted(failed):
        print(f"\n{name} failed in some shifts: {why}")


def main() -> None:
    """Run, or print what is stored."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300, help="of each domain, at most")
    parser.add_argument("--pairs", type=int, help="most ordered pairs of a table; all without")
    parser.add_argument("--again", nargs="*", default=[], help="names of methods")
    parser.add_argument("--stored", action="store_true", help="print the table of the last run")
    args = parser.parse_args()
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for row in stored.values():
        for name in args.again:
            row.pop(name, None)
    if not args.stored:
        with threadpool_limits(1):
            seen: Counter[str] = Counter()
            for shift in _shifts().shifts("develop", most_rows=args.rows):
                table = shift.name.split(",")[0]
                seen[table] += 1
                if shift.task != "classification" or seen[table] > (args.pairs or np.inf):
                    continue
                row = stored.setdefault(shift.name, {})
                for name in (REFERENCE, *names()):
                    if name not in row:
                        row[name] = accuracy(name, shift)
                RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
    report(stored)


if __name__ == "__main__":
    main()
