"""How long commands take to start: processor seconds and peak memory of whole processes, in turn.

The import, the help, and three commands on a linear model and 300 rows, beside the import of what
these cannot do without; and the same in another checkout.

Run:  python benchmarks/startup.py [--against ../older/src] [--runs 15]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent.parent / "src"
FLOOR = "import sklearn.linear_model, pandas"
_COMMAND = "import sys; sys.argv = ['acclimate', *{!r}]; from acclimate.cli import main; main()"
COMMANDS = {
    "predict": ("predict", "there.acclimate", "there.csv", "--out", "out.csv"),
    "evaluate": ("evaluate", "there.acclimate", "here.csv"),
    "check": ("check", "here.acclimate", "there.csv"),
}
CODE = {
    FLOOR: FLOOR,
    "import acclimate": "import acclimate",
    **{
        f"acclimate {name}": _COMMAND.format(arguments)
        for name, arguments in {"--help": ("--help",), **COMMANDS}.items()
    },
}
PREPARE = (
    ("fit", "here.csv", "--label", "y", "--estimator", "logistic", "--out", "here.acclimate"),
    ("adapt", "here.acclimate", "there.csv", "--out", "there.acclimate"),
)
ROWS = 300


def measured(source: Path, code: str, folder: Path) -> tuple[float, float]:
    """Return processor seconds and peak MiB of a process that runs the code with a source tree."""
    child = subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(source)}, cwd=folder,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    _, _, used = os.wait4(child.pid, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def write_files(folder: Path) -> None:
    """Write two tables of six numbers, a category and a label, and a model of each."""
    draw = np.random.default_rng(0)
    for name, shift in (("here", 0.0), ("there", 0.5)):
        rows = pd.DataFrame(draw.normal(size=(ROWS, 6)) + shift, columns=list("abcdef"))
        rows["g"] = draw.choice(["u", "v", "w"], ROWS)
        risk = rows["a"] + rows["b"] - 2 * shift + draw.normal(size=ROWS) / 2
        rows["y"] = np.where(risk > 0, "yes", "no")
        rows.to_csv(folder / f"{name}.csv", index=False)
    for arguments in PREPARE:
        measured(HERE, _COMMAND.format(arguments), folder)


def main() -> None:
    """Print medians, and ratios round by round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, help="the src folder of the other")
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    trees = {"here": HERE} | ({"there": args.against.resolve()} if args.against else {})
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder)
        for run in range(args.runs + 1):
            for what, code in CODE.items():
                for tree, source in trees.items():
                    one = measured(source, code, folder)
                    if run:  # the first brings bytecode and files into memory
                        found.setdefault((what, tree), []).append(one)
    floor = np.array(found[FLOOR, "here"])
    for (what, tree), pairs in found.items():
        table = np.array(pairs)
        own, peak = np.median(table, axis=0)
        low, middle, high = np.percentile(table[:, 0] / floor[:, 0], [25, 50, 75])
        print(
            f"{what}, {tree}: {1000 * own:.0f} ms, {peak:.0f} MiB; to the first line "
            f"{middle:.2f} ({low:.2f} to {high:.2f}), {peak - np.median(floor[:, 1]):+.0f} MiB"
        )


if __name__ == "__main__":
    main()
