"""How long `import acclimate` and `acclimate --help` take, beside another checkout, in turn.

Run:  python benchmarks/startup.py --against ../older/src [--runs 15]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent.parent / "src"
CODE = {
    "import acclimate": "import acclimate",
    "acclimate --help": (
        "import sys; sys.argv = ['acclimate', '--help']; from acclimate.cli import main; main()"
    ),
}


def seconds(source: Path, code: str) -> float:
    """Return the processor seconds of a process that runs the code with this source tree."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(source)}, check=False,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print medians and the ratio pair by pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, required=True, help="the src folder of the other")
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    for name, code in CODE.items():
        for source in (HERE, args.against):  # bytecode and files in memory
            seconds(source, code)
        pairs = np.array(
            [(seconds(HERE, code), seconds(args.against, code)) for _ in range(args.runs)]
        )
        own, other = np.median(pairs, axis=0)
        low, middle, high = np.percentile(pairs[:, 0] / pairs[:, 1], [25, 50, 75])
        print(
            f"{name}: {1000 * own:.0f} ms here, {1000 * other:.0f} ms there; ratio "
            f"{middle:.2f} ({low:.2f} to {high:.2f})"
        )


if __name__ == "__main__":
    main()
