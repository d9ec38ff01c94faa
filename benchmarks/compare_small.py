"""How long does a comparison of 500 rows take, beside that of another checkout?

`compare` in one process and one thread, as whole processes in turn: on the generated table
(`generated_table.py`) with 500 rows a side and 100 labels, all settings left open; and on ten
numbers a row with 18 methods named, all on logistic regression. Processor seconds, and how many
candidates there were, since another checkout may try others.

Run:  python benchmarks/compare_small.py [--against ../older/src] [--runs 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMED = (
    "CORAL", "SubspaceAlignment", "LinearMonge", "TCA", "TJM", "GFK", "JDA", "BDA", "KMM", "ULSIF",
    "RULSIF", "KLIEP", "DomainDiscriminator", "NearestNeighborWeights", "FineTune", "Pooled",
    "Interpolation", "SourcePrediction",
)  # fmt: skip
TABLE = """
from generated_table import generated_table
(X, y), (Xt, yt), settings = generated_table(500, 0), generated_table(500, 1), {{}}
"""
NUMBERS = """
from sklearn.linear_model import LogisticRegression
rng = np.random.default_rng(0)
X, Xt, w = rng.normal(size=(500, 10)), rng.normal(size=(500, 10)) + 0.5, rng.normal(size=10)
y = (X @ w > 0).astype(int)
yt = (Xt @ w + 0.3 * rng.normal(size=500) > 0.5 * w.sum()).astype(int)
settings = {{"estimator": LogisticRegression(max_iter=1000), "methods": {methods!r}}}
"""
CODE = """
import sys, time
sys.path.insert(0, {folder!r})
import numpy as np
from acclimate import Domain, compare
{rows}
found = compare(
    (X, y), Domain(Xt, yt, labelled=np.arange(500) < 100), n_jobs=1, **settings
)
print(time.process_time(), sum(one.method != "Committee" for one in found.details.table))
"""


def measured(source: Path, rows: str) -> tuple[float, int]:
    """Return processor seconds and candidates of one comparison with a source tree."""
    rows = rows.format(methods=list(NAMED))
    code = CODE.format(folder=str(HERE), rows=rows)
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | threads | {"PYTHONPATH": str(source)},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    seconds, candidates = done.stdout.split()[-2:]
    return float(seconds), int(candidates)


def main() -> None:
    """Run both tables with both checkouts in turn, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    trees = {"here": HERE.parent / "src"}
    if chosen.against is not None:
        trees["there"] = chosen.against.resolve()
    for name, rows in (("table, nothing set", TABLE), ("numbers, methods named", NUMBERS)):
        found: dict[str, list[tuple[float, int]]] = {where: [] for where in trees}
        for _ in range(chosen.runs):
            for where, source in trees.items():
                found[where].append(measured(source, rows))
        middle = {where: statistics.median(s for s, _ in runs) for where, runs in found.items()}
        said = [
            f"{where} {middle[where]:.1f} s, {found[where][0][1]} candidates" for where in trees
        ]
        ratio = f"; ratio {middle['here'] / middle['there']:.2f}" if "there" in middle else ""
        print(f"{name}: {'; '.join(said)}{ratio}", flush=True)


if __name__ == "__main__":
    main()
