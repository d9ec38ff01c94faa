"""What settings that papers leave open are worth, on the data of `published.py`.

Run:  python benchmarks/published_variants.py --data FOLDER [--only CORAL]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from published import DIGITS, LOGISTIC, NEAREST, SVM, accuracy, task
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

OWN = {"as_published": False}
# what is told, method, settings beside the paper's, tasks
VARIANTS: tuple[tuple[str, str, dict[str, Any], tuple[str, ...]], ...] = (
    ("features of variance one", "TCA", OWN | {"n_components": 100}, DIGITS),
    ("without the domains' means, 20 axes", "GFK", OWN | {"n_components": 20}, DIGITS),
    ("without the domains' means", "MEDA", OWN, DIGITS),
    *(
        (f"{axes} axes", "GFK", {"n_components": axes}, DIGITS)
        for axes in (8, 10, 12, 15, 18, 20, 30, 50, 100)
    ),
    ("C of 0.001", "CORAL", {"estimator": SVC(kernel="linear", C=0.001)}, ("A-W", "D-C")),
    ("nearest neighbours", "CORAL", {"estimator": NEAREST, "preprocess": None}, DIGITS),
    ("a linear SVM", "SubspaceAlignment", {"estimator": SVM, "n_components": 30}, ("C-A", "A-W")),
    ("clipped odds", "DomainDiscriminator",
     {"estimator": LOGISTIC, "discriminator": LOGISTIC, "clip": 1e-3}, ("C-A",)),
)  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the six files")
    parser.add_argument("--only", nargs="+", help="methods")
    args = parser.parse_args()
    print("| method | | task: accuracy |\n|---|---|---|")
    with threadpool_limits(1):
        for told, method, changes, tasks in VARIANTS:
            if args.only is None or method in args.only:
                found = [
                    f"{one} {accuracy(method, changes, task(args.data, one)):.1f}" for one in tasks
                ]
                print(f"| {method} | {told} | {', '.join(found)} |", flush=True)


if __name__ == "__main__":
    main()
