"""How long do small comparisons and a diagnosis of a large table take, beside an earlier commit?

As whole processes in turn, in one process and one thread each: `compare` on the generated table
(`generated_table.py`) with 500 rows a side and 100 labels, all settings left open; `compare` on ten
numbers a row with 18 methods named, all on logistic regression; `diagnose` on the generated table
with 226,000 rows a side; the command `fit` on that table as a CSV, whole process and file read and
written. Processor seconds, and how many candidates a comparison had, since another tree may try
others, or the peak memory of `fit` in MB.

Run:  python benchmarks/waits.py [--against 359fbca] [--runs 3] [--only diagnose]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

from trees import source

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
COMPARE = """
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
DIAGNOSE = """
import sys, time
sys.path.insert(0, {folder!r})
from acclimate import diagnose
from generated_table import generated_table
(X, y), (Xt, yt) = generated_table(226_000, 0), generated_table(226_000, 1)
began = time.process_time()
diagnose((X, y), Xt)
print(time.process_time() - began, 0)
"""
FIT = """
import resource, subprocess, sys, tempfile
from pathlib import Path
sys.path.insert(0, {folder!r})
from generated_table import generated_table
X, y = generated_table(226_000, 0)
with tempfile.TemporaryDirectory() as folder:
    table = Path(folder) / "here.csv"
    X.assign(label=y).to_csv(table, index=False)
    given = ["fit", "here.csv", "--label", "label", "--out", "here.acclimate"]
    command = [sys.executable, "-m", "acclimate", *given]
    subprocess.run(command, check=True, cwd=folder, capture_output=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)
"""
JOBS = {
    "compare, a table, nothing set": COMPARE.replace("{rows}", TABLE),
    "compare, numbers, methods named": COMPARE.replace("{rows}", NUMBERS),
    "diagnose": DIAGNOSE,
    "fit": FIT,
}


def measured(tree: Path, code: str) -> tuple[float, int]:
    """Return the processor seconds of a job with a source tree, and its candidates."""
    code = code.format(folder=str(HERE), methods=list(NAMED))
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | threads | {"PYTHONPATH": str(tree)},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    seconds, candidates = done.stdout.split()[-2:]
    return float(seconds), int(candidates)


def main() -> None:
    """Run each job with both trees in turn, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=source, help="a commit, or the src of another checkout")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="jobs whose name has these letters")
    chosen = parser.parse_args()
    trees = {"here": HERE.parent / "src"}
    if chosen.against is not None:
        trees["there"] = chosen.against
    for name, code in JOBS.items():
        if chosen.only not in name:
            continue
        found: dict[str, list[tuple[float, int]]] = {where: [] for where in trees}
        for _ in range(chosen.runs):
            for where, tree in trees.items():
                found[where].append(measured(tree, code))
        middle = {where: statistics.median(s for s, _ in runs) for where, runs in found.items()}
        counted = {"diagnose": "", "fit": " MB"}.get(name, " candidates")
        said = [
            f"{where} {middle[where]:.1f} s"
            + (f", {found[where][0][1]}{counted}" if counted else "")
            for where in trees
        ]
        ratio = f"; ratio {middle['here'] / middle['there']:.2f}" if "there" in middle else ""
        print(f"{name}: {'; '.join(said)}{ratio}", flush=True)


if __name__ == "__main__":
    main()
