"""What alignment costs where nothing is shifted, and what the remedy costs where something is.

One domain (digits with 200 columns of noise), split at random in two: points against the source
model. And mean accuracy on the simulated shifts of optdigits and pendigits of
`shallow_defaults.py`. Each with the defaults and with ``shrinkage=0``, the methods of the papers.

Run:  python benchmarks/unshifted.py [--draws 2] [--splits 5] [--only TCA JDOT]
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np
from shallow_defaults import accuracy, optdigits, pendigits
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import acclimate
from acclimate import Domain, SourceOnly

METHODS = ["OTMapping", "JDOT", "JCPOT", "TJM", "TCA", "JDA", "BDA"]
ROWS = 400  # of each half


def unshifted(cls: Any, settings: dict[str, Any], splits: int) -> float:
    """Return the mean gain over the source model in points, of halves of one domain."""
    X, y = load_digits(return_X_y=True)
    X = np.hstack([X, np.random.default_rng(1).normal(size=(len(X), 200)) * 3])
    base, gains = LogisticRegression(C=0.1, max_iter=500), []
    for split in range(splits):
        order = np.random.default_rng(split).permutation(len(X))[: 2 * ROWS]
        a, b = order[:ROWS], order[ROWS:]
        scores = []
        for method, own in ((SourceOnly, {}), (cls, settings)):
            model = method(base, preprocess=StandardScaler(), **own)
            more = {"domains": np.arange(ROWS) % 2} if method.__name__ == "JCPOT" else {}
            model.fit(X[a], y[a], target=Domain(X[b]), **more)
            scores.append(model.score(X[b], y[b]))
        gains.append(100 * (scores[1] - scores[0]))
    return float(np.mean(gains))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=2, help="of the simulated shifts")
    parser.add_argument("--splits", type=int, default=5, help="of the one domain")
    parser.add_argument("--only", nargs="*", default=METHODS, help="names of methods")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    cases = [
        case
        for draw in range(args.draws)
        for i, maker in enumerate((optdigits, pendigits))
        for case in maker(np.random.default_rng([16, draw, i]))
    ]
    heads = [f"{what}: {how}" for what in ("nothing shifted", "optdigits", "pendigits")
             for how in ("paper", "now")]  # fmt: skip
    print("| method | " + " | ".join(heads) + " |")
    print("|---|---|---|---|---|---|---|")
    with threadpool_limits(1):
        for name in args.only:
            cls, cells = getattr(acclimate, name), {}
            for settings in ({"shrinkage": 0.0}, {}):
                column = [f"{unshifted(cls, settings, args.splits):+.1f}"]
                found = [(case.data, accuracy(cls, settings, case)) for case in cases]
                for data in ("optdigits", "pendigits"):
                    mean = np.mean([float(value) for of, value in found if of == data])
                    column.append(f"{100 * mean:.1f}")
                cells[len(settings)] = column
            line = [c for pair in zip(cells[1], cells[0], strict=True) for c in pair]
            print(f"| {name} | " + " | ".join(line) + " |", flush=True)


if __name__ == "__main__":
    main()
