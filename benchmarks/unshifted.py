"""What alignment costs where nothing is shifted, and what the remedy costs where something is.

a. One domain (digits with 200 columns of noise) split at random in two halves of 400 rows: points
   against the source's model, for every method without target labels, beside skada and POT with
   their defaults on the same halves.
b. Mean accuracy on the shifts of optdigits, pendigits and wine of `shallow_defaults.py`.

Run:  python benchmarks/unshifted.py --label now [--rows 300 1000] [--draws 2] [--only TCA JDOT]
      python benchmarks/unshifted.py --before COMMIT [--only DASVM]     (an older tree)
      python benchmarks/unshifted.py --peer [PYTHON]   (skada and POT, by default of `peers.py`)
      python benchmarks/unshifted.py --stored          (prints the tables)

Figures are stored under the label; ``--before`` runs another version of the package in a process of
its own and stores its figures under "before". A run goes on where the last one stopped.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import validator_cases
from peers import BENCH, peer_python
from shallow_defaults import FAMILIES, accuracy, optdigits, pendigits, wine_classes
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from trees import run_with, source

import acclimate
from acclimate import Domain, methods

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "unshifted.json"
ROWS = 400  # of each half
REFERENCE = "SourceOnly"
Stored = dict[str, dict[str, dict[str, Any]]]


def names() -> list[str]:
    """Return the methods that need no target labels and no network."""
    return [
        row.name
        for row in methods(task="classification")
        if row.family in FAMILIES and row.target_labels != "required" and not row.network
    ]


def halves(split: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return rows and classes of both halves, each column with variance one in the first."""
    X, y = load_digits(return_X_y=True)
    X = np.hstack([X, np.random.default_rng(1).normal(size=(len(X), 200)) * 3])
    order = np.random.default_rng(split).permutation(len(X))[: 2 * ROWS]
    a, b = order[:ROWS], order[ROWS:]
    step = StandardScaler().fit(X[a])
    return step.transform(X[a]), y[a], step.transform(X[b]), y[b]


def unshifted(name: str, split: int) -> float:
    """Return the accuracy on the other half; `DASVM` keeps its own base model."""
    X, y, Z, truth = halves(split)
    cls = getattr(acclimate, name)
    base = None if name == "DASVM" else LogisticRegression(C=0.1, max_iter=500)
    more = {"domains": np.arange(ROWS) % 2} if name == "JCPOT" else {}
    return float(cls(base).fit(X, y, target=Domain(Z), **more).score(Z, truth))


def measure(label: str, only: list[str], splits: int, rows: list[int], draws: int) -> None:
    """Add to what is stored what is not there."""
    for split in range(splits):
        for name in (REFERENCE, *only):
            keep("unshifted", label, f"{name} | {split}", lambda: unshifted(name, split))  # noqa: B023
    for many in rows:
        validator_cases.ROWS = many
        cases = [
            (draw, case)
            for draw in range(draws)
            for i, maker in enumerate((optdigits, pendigits, wine_classes))
            for case in maker(np.random.default_rng([16, draw, i]))
        ]
        for name in (REFERENCE, *only):
            for draw, case in cases:
                keep(
                    f"{many} rows", label, f"{name} | {case.name} | {draw}",
                    lambda: accuracy(getattr(acclimate, name), own(name), case),  # noqa: B023
                )  # fmt: skip


def own(name: str) -> dict[str, Any]:
    """Return settings: `accuracy` gives every method a logistic regression, `DASVM` has its own."""
    return {"estimator": None} if name == "DASVM" else {}


def keep(part: str, label: str, key: str, job: Any) -> None:
    """Store what a job returns, unless it is there."""
    stored: Stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    column = stored.setdefault(part, {}).setdefault(label, {})
    if key not in column:
        column[key] = job()
        RESULTS.write_text(json.dumps(stored, indent=0) + "\n")


def peers(python: str, splits: int) -> None:
    """Run skada and POT on the halves; labels stay here."""
    truth = {}
    with tempfile.TemporaryDirectory() as folder:
        for split in range(splits):
            X, y, Z, truth[str(split)] = halves(split)
            np.savez(Path(folder) / str(split), X=X, y=y, Xt=Z)
        command = [python, str(HERE / "unshifted_peer.py"), folder]
        text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in map(json.loads, text.splitlines()):
        value: Any = line.get("failed")
        if value is None:
            value = float((np.array(line["predicted"]) == truth[line["case"]]).mean())
        keep("unshifted", line["peer"], f"{line['method']} | {line['case']}", lambda: value)  # noqa: B023


def mean_of(column: dict[str, Any], name: str, data: str = "") -> float | str | None:
    """Return the mean accuracy of a method in percent, or why there is none."""
    found = [value for key, value in column.items() if key.split(" | ")[0] == name and data in key]
    for value in found:
        if isinstance(value, str):
            return value.split(":")[0]
    return 100 * float(np.mean(found)) if found else None


def shown(value: float | str | None, base: float | str | None = None) -> str:
    """Return a cell; with a base, points above it."""
    if value is None:
        return "-"
    if isinstance(value, str) or isinstance(base, str):
        return "fails"
    return f"{value:.1f}" if base is None else f"{value - base:+.1f}"


def report() -> None:
    """Print the tables."""
    stored: Stored = json.loads(RESULTS.read_text())
    labels = [x for x in ("before", "now", "skada", "POT") if x in stored["unshifted"]]
    print("Nothing shifted: mean gain over the source's model in points.\n")
    print("| method | " + " | ".join(labels) + " |\n|---|" + "---|" * len(labels))
    bases = {
        x: mean_of(stored["unshifted"]["skada" if x == "POT" else x], REFERENCE) for x in labels
    }
    for name in names():
        cells = [shown(mean_of(stored["unshifted"][x], name), bases[x]) for x in labels]
        print(f"| {name} | " + " | ".join(cells) + " |")
    for part in [part for part in stored if part != "unshifted"]:
        print(f'\nShifts, {part}: mean accuracy; "digits" are both.\n')
        labels = [x for x in ("before", "now") if x in stored[part]]
        columns = [(data, x) for data in ("optdigits", "pendigits", "digits", "wine")
                   for x in labels]  # fmt: skip
        print("| method | " + " | ".join(f"{d}: {x}" for d, x in columns) + " |")
        print("|---|" + "---|" * len(columns))
        for name in (REFERENCE, *names()):
            cells = [shown(mean_of(stored[part][x], name, data)) for data, x in columns]
            if set(cells) == {"-"}:
                continue
            print(f"| {name} | " + " | ".join(cells) + " |")


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--label", default="now", help="what the figures are stored under")
    parser.add_argument("--rows", nargs="*", type=int, default=[300], help="of simulated shifts")
    parser.add_argument("--draws", type=int, default=2, help="of the simulated shifts")
    parser.add_argument("--splits", type=int, default=5, help="of the one domain")
    parser.add_argument("--only", nargs="*", default=None, help="names of methods")
    parser.add_argument(
        "--peer", nargs="?", const="", help="skada and POT, with this interpreter or our own"
    )
    parser.add_argument("--env", type=Path, default=BENCH, help="folder of the peers' environments")
    parser.add_argument("--before", type=source, help="a commit, or the src of another checkout")
    parser.add_argument("--stored", action="store_true", help="print the tables only")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    if args.before is not None:
        run_with(args.before, "--before", "--label", "before")
        return
    if not args.stored:
        with threadpool_limits(1):
            if args.peer is not None:
                peers(args.peer or str(peer_python(args.env, "shallow")), args.splits)
            else:
                only = names() if args.only is None else args.only
                measure(args.label, only, args.splits, args.rows, args.draws)
    report()


if __name__ == "__main__":
    main()
