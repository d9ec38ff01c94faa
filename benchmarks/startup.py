"""How long commands take to start: processor seconds and peak memory of whole processes, in turn.

The import, the help, and three commands on a linear model and 300 rows, beside the import of what
these cannot do without; and the same of an earlier commit, or in another checkout. Each tree makes
the model files that it reads.

Run:  python benchmarks/startup.py [--against 7ce990c] [--runs 15]
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from trees import source

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
    _, status, used = os.wait4(child.pid, 0)
    ended = os.waitstatus_to_exitcode(status)
    if ended not in (0, 3):  # 3 is the answer of check: inputs have drifted
        raise SystemExit(f"{source}: {code} ended with {ended}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def write_files(source: Path, folder: Path) -> None:
    """Write two tables of six numbers, a category and a label, and a source tree's model of each.

    Without numpy: a process counts the memory of the one that started it as its own peak.
    """
    folder.mkdir()
    draw = random.Random(0)
    for name, shift in (("here", 0.0), ("there", 0.5)):
        with (folder / f"{name}.csv").open("w", newline="") as stream:
            table = csv.writer(stream)
            table.writerow([*"abcdef", "g", "y"])
            for _ in range(ROWS):
                numbers = [draw.gauss(shift, 1) for _ in range(6)]
                risk = numbers[0] + numbers[1] - 2 * shift + draw.gauss(0, 0.5)
                table.writerow([*numbers, draw.choice("uvw"), "yes" if risk > 0 else "no"])
    for arguments in PREPARE:
        measured(source, _COMMAND.format(arguments), folder)


def main() -> None:
    """Print medians, and ratios round by round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=source, help="a commit, or the src of another checkout")
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    if args.runs < 2:
        parser.error("--runs must be at least 2, for quartiles")
    trees = {"here": HERE} | ({"there": args.against} if args.against else {})
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        for tree, where in trees.items():
            write_files(where, Path(name, tree))
        for run in range(args.runs + 1):
            for what, code in CODE.items():
                for tree, where in trees.items():
                    one = measured(where, code, Path(name, tree))
                    if run:  # the first brings bytecode and files into memory
                        found.setdefault((what, tree), []).append(one)
    floor = found[FLOOR, "here"]
    least = statistics.median(peak for _, peak in floor)
    for (what, tree), pairs in found.items():
        own, peak = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratios = [one[0] / base[0] for one, base in zip(pairs, floor, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
        print(
            f"{what}, {tree}: {1000 * own:.0f} ms, {peak:.0f} MiB; to the first line "
            f"{middle:.2f} ({low:.2f} to {high:.2f}), {peak - least:+.0f} MiB"
        )


if __name__ == "__main__":
    main()
