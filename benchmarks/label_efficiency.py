"""What few labels of Fashion-MNIST give, with 60000 images without one.

Each draw takes its labelled images from the training images, the same for every method; methods
that learn from images without a label get all training images. All are scored on the 10000 test
images, which no method has seen. Labels are drawn without regard to their class. Seconds are CPU
seconds of one fit from pixels on, and of answering the test images. Nothing was chosen here.

Each result is written as soon as it is there, and what is there is not computed again: a run that
was interrupted goes on where it was.

Run:  python benchmarks/label_efficiency.py [--labels 50 100 500 1000] [--draws 5]
With --quick: 100 labels, one draw.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from acclimate import (
    HOG,
    Domain,
    LabelSpreading,
    PoissonLearning,
    SourceOnly,
    datasets,
)
from acclimate.files import atomic

RESULTS = Path(__file__).parent / "results" / "label_efficiency.json"
METHODS: dict[str, Any] = {
    "logistic regression on HOG": SourceOnly(preprocess=HOG(), random_state=0),
    "PoissonLearning on HOG": PoissonLearning(preprocess=HOG(), random_state=0),
    "LabelSpreading on HOG": LabelSpreading(preprocess=HOG(), random_state=0),
    "PoissonLearning on HOG, multiply": PoissonLearning(
        preprocess=HOG(), multiply=True, random_state=0
    ),
}
QUICK = ("logistic regression on HOG", "PoissonLearning on HOG", "LabelSpreading on HOG")


def measured(name: str, data: Any, labels: int, draw: int) -> dict[str, Any]:
    """Return test accuracy and CPU seconds of a method on one draw of labelled images."""
    rows = np.random.default_rng([labels, draw]).permutation(len(data.y_train))[:labels]
    target = None if name.startswith("logistic") else Domain(data.X_train)
    start = time.process_time()
    model = METHODS[name].fit(data.X_train[rows], data.y_train[rows], target=target)
    fitted = time.process_time()
    accuracy = float(model.score(data.X_test, data.y_test))
    return {
        "method": name, "labels": labels, "draw": draw, "accuracy": accuracy,
        "fit_seconds": round(fitted - start, 1),
        "answer_seconds": round(time.process_time() - fitted, 1),
    }  # fmt: skip


def write(known: list[dict[str, Any]]) -> None:
    with atomic(RESULTS) as stream:
        stream.write((json.dumps(known, indent=1) + "\n").encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, nargs="+", default=[50, 100, 500, 1000])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.labels, arguments.draws = [100], 1
    names = QUICK if arguments.quick else tuple(METHODS)
    data = datasets.fashion_mnist()
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    done = {(one["method"], one["labels"], one["draw"]) for one in known}
    with threadpool_limits(1):
        for labels in arguments.labels:
            for draw in range(arguments.draws):
                for name in names:
                    if (name, labels, draw) not in done:
                        known.append(measured(name, data, labels, draw))
                        write(known)
    for labels in arguments.labels:
        print(f"{labels} labels")
        for name in names:
            found = [
                one for one in known
                if (one["method"], one["labels"]) == (name, labels)
                and one["draw"] < arguments.draws
            ]  # fmt: skip
            each = [100 * one["accuracy"] for one in found]
            fit, answer = (
                np.mean([one[key] for one in found]) for key in ("fit_seconds", "answer_seconds")
            )
            shown = ", ".join(f"{one:.1f}" for one in each)
            print(
                f"  {name:34} {np.mean(each):5.1f}  ({shown})  fit {fit:.0f} s, test {answer:.0f} s"
            )


if __name__ == "__main__":
    main()
